"""What error words mean whoever writes them: kinds of exceptions, error numbers, statuses, names of CUDA and NCCL errors.

The tables of `log_signs*.py` know sentences of tools and come first; this one knows the vocabulary that every tool draws on,
so that a tool nobody has met yet is understood too. Sources: errno(3) and strerror(3); the status codes of gRPC (Abseil) and
HTTP (RFC 9110); the error enumerations of the CUDA runtime and driver API and of NCCL; the exception names that clients
derive from them. A kind of exception alone is worth less than words that agree with a number or a status.
"""

from __future__ import annotations

from runai_monitor.diagnosis.rules.finding import Role
from runai_monitor.diagnosis.rules.log_sign import LogSign, log_sign

_WORDS = 0.82
"""Words that mean one thing, from a program that nobody has described."""
_KIND = 0.74
"""A kind of exception, or words that more than one cause has."""


def _kind(*parts: str) -> str:
    """The name of an exception or error, in any language, that has one of these parts."""
    return rf"\b\w{{0,40}}(?:{'|'.join(parts)})\w{{0,40}}(?:Error|Exception|Failure|Failed|Denied|Expired)\w{{0,20}}\b"


def _near(one: str, other: str, distance: int = 120) -> str:
    """Two things said of each other in one line, in either order."""
    return rf"(?i:(?:{one})[^\n]{{0,{distance}}}?(?:{other})|(?:{other})[^\n]{{0,{distance}}}?(?:{one}))"


def _status(*codes: str) -> str:
    """A status of HTTP, by its number beside a word that makes it one, or by the number with its name."""
    number = "|".join(codes)
    return (
        rf"(?i:\b(?:https?(?:/[\d.]+)?|status(?:[ _]?code)?|errors?(?:[ _]code)?|responses?|returned|code)\W{{1,4}}(?:code\W{{1,3}})?(?:{number})\b(?!\.\d))"
        rf"|\b(?:{number})\b\W{{1,3}}(?:[Mm]essage\W{{1,3}})?(?i:client error|server error|unauthori|forbidden|too many|not found|proxy auth|gateway|request time)"
        rf"|\b(?:{number}) (?:GET|POST|PUT|HEAD|DELETE)\b"
    )


def _cuda_code(*numbers: str) -> str:
    """A number of the CUDA runtime's or driver's error enumeration."""
    return rf"(?i:\bcuda\w*[ _]?(?:error|failure|status)(?:[ _]code)?\W{{0,4}}(?:code\W{{0,3}})?)(?:{'|'.join(numbers)})\b(?!\.\d)"


_GPU_WORD = r"\bcuda|cudamalloc|\bgpus?\b(?!-\w)|\bdevice \d|\baccelerators?\b|gpusplit|\bhip(?:rt)?\b|\bvram\b|device memory|cudnn|cublas|\brmm\b|\btrt\b|tensorrt|virtualmemorybuffer|\bcupy|\bcudf|kv.?cache|bfc.?arena|\bhbm\b"
_MEMORY_OUT = (
    r"out.?of.?(?:device |cuda )?memory|outofmemory|(?:not enough|insufficient|no (?:more|available|free))(?: \w+){0,2} memory"
    r"|(?:fail(?:ed)?|unable|cannot|could not) (?:to )?allocate|\w*alloc\w* (?:of \S+ (?:\w+ )?)?fail\w*|maximum pool size exceeded|\boom\b|splitandretryoom"
)
OF_INPUTS = r"(?is:\A(?!.*(?:\bloss|\bgrad|diverg)).*\b(?:latents?|images?|pixels?|inputs?|dataset|data|samples?|features?|labels?|targets?|columns?|audio|waveforms?|spectrograms?|captions?|annotations?|boxes|coordinates|points?|rows?)\b)"
"""A NaN that came in with the data, and not out of the training: neither loss nor gradients are spoken of."""
NO_DISPLAY = r"(?i:(?:cannot|could not|unable|fail\w*)[^\n]{0,60}\b(?:e?gl|opengl|glx|osmesa|vulkan|x11|display|(?:rendering|gl) context|driver)\b)"
"""Of an ImportError: what it imports is there, and its driver or display is not."""
_PATH = r"(?:^|[\s'\"`‘“(\[:=])(?:/[\w.@+-]+){2,}|\b(?:s3a?|gs|file|abfss?|hdfs|az)://\S|[\w-]\.(?:json|ya?ml|toml|pt|pth|bin|safetensors|parquet|csv|tsv|txt|h5|hdf5|tar|gguf|onnx|engine|ckpt|npy|npz|pbtxt|model)\b"
_ABSENT = r"does not exist|doesn't exist|do not exist|not found|(?:cannot|could not|can't|couldn't) (?:be )?(?:found|find|locate)|no such|no longer exists|(?:is|was|are) missing|unable to (?:find|locate)|no file named|(?:does not|doesn't) contain any|could not be opened"
_FAILED = r"cannot|can't|could ?n[o']t|could not|failed|unable|fail|failure|error"
_PROOF = r"credentials?|(?:api|access|auth\w*|secret|security|session|hub|bearer|refresh)[ _-]?(?:keys?|tokens?)(?: id)?|passwords?|login"
# Of a library: the language's own TimeoutError may be that of any wait.
_LIBRARY_TIMEOUT = r"|(?<=\.)(?<!asyncio\.)(?<!asyncio\.exceptions\.)(?<!futures\.)(?<!futures\._base\.)(?<!processing\.)(?<!context\.)TimeoutError\b"
_OF_GPU = r"(?i:cuda|nccl|gpu|collective|barrier|rendezvous)"

_GPUS: tuple[LogSign, ...] = (
    log_sign(
        "gpu_hardware_fault", "the GPU reports a hardware fault",
        "have the node drained and the GPU tested; the node's kernel log names the XID (dmesg | grep -i xid)",
        both=_cuda_code("214", "220", "709") + r"|NVLINK_UNCORRECTABLE|HARDWARE_STACK_ERROR|cudaErrorHardwareStackError|(?i:gpu (?:requires|needs) (?:a )?reset|double.bit (?:ecc )?error|unable to determine the device handle for gpu)",
        confidence=0.84, beside=True,
    ),
    log_sign(
        "cuda_oom", "GPU memory ran out",
        "reduce the batch size or the sequence length, use gradient checkpointing, sharding or offloading",
        both=_near(_GPU_WORD, _MEMORY_OUT, 160) + "|" + _cuda_code("2") + r"|(?i:cudaSuccess \(2 vs|\bout of (?:gpu|device|cuda|video) memory)",
        confidence=0.85, through=True, beside=True,
        unless=r"(?i:host memory|cpu memory|pinned|page.?locked|cpuallocator|java heap|handler|/dev/shm|shared memory|cgroup|device:cpu|\benabled\b|\bif \S+ (?:out of|oom))",
    ),
    log_sign(
        "cuda_driver_mismatch", "the NVIDIA driver is too old for the image's CUDA",
        "use an image built for the node's driver (nvidia-smi on the node shows the newest CUDA it can run), or have the driver updated",
        both=_cuda_code("35", "803", "804") + r"|InsufficientDriver|INSUFFICIENT_DRIVER|CompatNotSupportedOnDevice|(?i:driver(?: version)?[^\n]{0,60}(?:too old|insufficient|older than|outdated|needs? to be (?:updated|upgraded)|does not support cuda))",
        confidence=_WORDS,
    ),
    log_sign(
        "cuda_illegal_access", "a CUDA kernel made an illegal memory access or failed an assertion",
        "run once with CUDA_LAUNCH_BLOCKING=1 to see the operation (Run:ai: environmentVariables); look for labels or indexes out of range",
        both=_cuda_code("700", "710", "715", "716", "717", "718", "719") + r"|cudaError(?:IllegalAddress|Assert|LaunchFailure|MisalignedAddress|IllegalInstruction|InvalidPc|InvalidAddressSpace)\b"
        r"|CUDA_ERROR_(?:ILLEGAL_\w+|LAUNCH_FAILED|ASSERT|MISALIGNED_ADDRESS|INVALID_PC|INVALID_ADDRESS_SPACE)|ERROR_(?:ILLEGAL_ADDRESS|LAUNCH_FAILED)\b|(?i:illegal (?:memory access|instruction) was encountered)",
        confidence=0.85, through=True, beside=True,
    ),
    log_sign(
        "no_gpu_visible", "the process sees no GPU that it can use",
        "check that the workload asks for a GPU (Run:ai: compute.gpuDevicesRequest) and that the image's framework is built with CUDA",
        both=_cuda_code("100", "101", "46") + r"|cudaError(?:NoDevice|DevicesUnavailable|InvalidDevice)\b|CUDA_ERROR_(?:NO_DEVICE|DEVICE_UNAVAILABLE)|\bcuInit\b[^\n]{0,40}(?:CUDA_ERROR_UNKNOWN|UNKNOWN_CUDA_ERROR|\b999\b)|\bNVMLError\w*|NVML(?: Shared)? [Ll]ibrary|invalid device ordinal|devices are busy or unavailable"
        r"|(?i:\b(?:no|zero|0|any) (?:\w+[ -]){0,3}(?:gpus?|cuda devices?|cuda.capable devices?|accelerators?)\b(?: \w+){0,3} (?:found|available|detected|visible|present|exist)|(?:found|detected|sees?) (?:no|0|zero) (?:\w+ ){0,2}(?:gpus?|cuda devices?)\b"
        r"|\bcuda (?:is |was |support )?(?:not|un)[ -]?available|(?:gpu|cuda device)s? (?:is |are |was |were )?not (?:found|available|detected|visible|accessible)|machine only has: \[\]|(?:could ?n.t|could not|cannot|unable to|failed to) (?:find|detect|locate|get|access|see|create any|open any)(?:/\w+)? (?:\w+ ){0,3}(?:gpus?|cuda devices?|nvidia driver|accelerators?|nvenc[ -]?capable devices?)\b|(?:gpu|cuda)(?: device)?s? (?:is |are )?(?:required|needed)\b|requires (?:a |an |at least one )(?:\w+ )?(?:gpu|cuda)\b(?! with|s? compute)|must have at least one device)",
        confidence=0.8,
    ),
    log_sign(
        "nccl_network_error", "the network between ranks failed",
        "check the links of the nodes involved (ibstat, ethtool) and NCCL_SOCKET_IFNAME, NCCL_IB_HCA; rerun with NCCL_DEBUG=INFO",
        both=r"no socket interface found|\bDist(?:Network|Store)Error: (?![^\n]{0,200}(?:EADDRINUSE|already in use))|NCCL error:? .{0,20}unhandled system error|IBV_WC_\w+|IBV_EVENT_\w+|(?i:transport retry count(?:er)? exceeded)|\bUCX +(?:ERROR|FATAL)|\bUCS?[TPX]_ERR\w*|(?i:(?:infiniband|\brdma|\bmlx5|libibverbs)[^\n]{0,80}(?:fail\w*|error|down|timed? ?out))",
        confidence=_WORDS, role=Role.FOLLOWS, beside=True,
    ),
    log_sign(
        "nccl_timeout", "ranks waited for one that did not answer",
        "find the rank that stopped first: the others only waited for it",
        "set TORCH_NCCL_TRACE_BUFFER_SIZE=2000 and NCCL_DEBUG=INFO for the next run (Run:ai: environmentVariables)",
        both=_near(r"\bbarrier|collective|all.?reduce|all.?gather|rendezvous|heartbeat|coordination service", r"timed? ?out|timeout|deadline.?exceeded|\bstall(?:ed)?\b|did not (?:join|respond|arrive|submit)", 90)
        + r"|(?i:distributed service detected fatal errors)",
        confidence=0.76, role=Role.FOLLOWS, beside=True, unless=r"(?i:kafka|consumer|database|redis|session)",
    ),
)  # fmt: skip
_OUTSIDE: tuple[LogSign, ...] = (
    log_sign(
        "tls_error", "a TLS connection could not be trusted or made",
        "check the certificate and the clock; add the company's CA to the image (SSL_CERT_FILE, REQUESTS_CA_BUNDLE)",
        both=_kind("SSL", "TLS", "Certificate", "CertPath") + r"|(?i:certificate (?:verif\w+|required|validation|has expired|is not (?:yet )?(?:trusted|valid)|signed by unknown|chain)|self.signed certificate|bad certificate|(?:ssl|tls) (?:handshake(?! timeout)|routines|alert)|local issuer certificate|unknown ca\b)|\bCERT_[A-Z_]+\b|SELF_SIGNED\w*",
        confidence=_WORDS, through=True,
    ),
    log_sign(
        "dns_failure", "a host name could not be resolved",
        "check the name, and the cluster's DNS from a pod of this namespace (nslookup)",
        both=_kind("UnknownHost", "NameResolution", "Resolv(?:er|ution)Name", r"DNS", "NXDOMAIN") + r"|\bgaierror\b|getaddrinfo|EAI_[A-Z]+|NXDOMAIN|SERVFAIL|\bUnknownHost"
        r"|(?i:(?:host ?name|dns|name|domain|host)(?: \S+){0,3} (?:resolution|lookup|resolve)(?: \w+){0,2} (?:fail\w*|error|timed out)"
        rf"|(?:{_FAILED})(?: \w+){{0,2}} (?:to )?resolv(?:e|ing) (?:the )?(?:host|name|address|dns|domain|['\"‘]?[\w-]+(?:\.[\w-]+)+)|unknown host|no address associated with|(?:could|can) ?not be resolved)",
        confidence=_WORDS, through=True,
    ),
    log_sign(
        "rate_limited", "an outside service limits the requests",
        "ask less often (cache, mirror, fewer ranks that download), or authenticate for a higher limit",
        both=_kind("RateLimit", "TooManyRequests", "Throttl", "QuotaExceeded", "SlowDown") + "|" + _status("429")
        + r"|(?i:too ?many ?requests|(?:reached|exceeded|hit|over) (?:your |the )?(?:\w+ ){0,3}rate limit|rate.?limit\w*(?: \w+){0,3} (?:exceeded|reached|hit)|(?:exceed\w*|over) (?:your |the |its )?(?:\w+ ){0,3}(?:rate limit|request quota|download (?:rate|limit)|lfs budget|data quota|bandwidth quota)|request (?:was )?throttled|reduce your request rate|(?<!disk )quota exceeded|RESOURCE_EXHAUSTED[^\n]{0,80}(?:quota|rate|requests))",
        confidence=_WORDS, through=True, unless=r"(?i:disk quota|memory|resourcequota|/dev/|errno)",
    ),
    log_sign(
        "credential_rejected", "an outside service refused the credentials",
        "renew the credential, and pass it as a Run:ai credential or secret (environmentVariables); for a gated model, ask for access with that account",
        both=_kind("Unauthori[sz]ed", "Unauthenticated", "Forbidden", "AccessDenied", "NotAuthori[sz]ed", "Authentication", "Authorization", "AuthError", "Credentials?", "InvalidToken", "ExpiredToken", "LoginRequired", "GatedRepo", "InvalidAccessKey", "SignatureDoesNotMatch")
        + r"|^(?:\w+\.)*(?:Forbidden|Unauthorized|Unauthenticated|PermissionDenied)\b|StatusCode\.(?:UNAUTHENTICATED|PERMISSION_DENIED)|\bUNAUTHENTICATED\b|\bPERMISSION_DENIED\b|" + _status("401", "403", "407")
        + r"|(?i:(?<!\w)(?:invalid|expired|missing|wrong|incorrect|revoked|bad|no valid|unable to locate|requires?|(?:could|did) not find(?: any)?|not find(?: any)?|no)\W(?:\w+ ){0,2}(?:" + _PROOF + r")\b"
        r"|(?:" + _PROOF + r")\b[^\n]{0,40}(?:not found|(?:is|was|are|has been|have been) (?:not valid|revoked|invalid|expired|rejected|missing|incorrect)|does not exist|failed|has expired)"
        r"|not (?:authori[sz]ed|authenticated|logged in)\b|authentication (?:has |is )?(?:failed|required|error)|authori[sz]ation (?:failed|required|header)|must be authenticated|you (?:must|need to) (?:be logged in|authenticate|log ?in)"
        r"|\bgated (?:repo|model|dataset)|does(?: not|n't) have (?:\S+ ){0,4}(?:access|permission)|(?:insufficient|lacks?) (?:permissions?|privileges?|scopes?)|permission denied \(<|access (?:to \S+ )?(?:is )?forbidden|\bunauthori[sz]ed\b|\bforbidden\b|(?:could not|failed to|unable to) (?:authenticate|log ?in|authori[sz]e)|user ?name (?:or|and) password|requires? authentication|is not allowed to (?:access|perform|read|list))|\binvalid_grant\b|\binvalid_client\b|NoCredentialProviders",
        confidence=_WORDS, through=True, unless=r"AccessDenied\w*: /|\[Errno|\bEACCES\b|(?i:\bos error|no (?:login )?shell|special tokens?|(?:pad|eos|bos|unk)[ _]token)",
    ),
    log_sign(
        "connection_refused", "a service could not be reached",
        "check that the service runs and listens on that host and port, and that no network policy is in between",
        both=_kind("EndpointConnection", "Connect(?:ion)?Refused", "APIConnection", "NewConnection", "NoBrokers?Available", "NoServersAvailable", "NoHostAvailable", "ServiceUnavailable", "ClientConnector", "CannotConnect", "Unreachable", r"\bConnect")
        + r"|\bNoBrokersAvailable\b|\bNoHostAvailable\b|\[Errno (?:101|113)\]|EHOSTUNREACH|ENETUNREACH|(?i:no route to host|network is unreachable|HTTP 000\b|StatusCode\.UNAVAILABLE"
        r"|(?:could ?n.t|could not|cannot|can.t|failed to|unable to|fail to)(?: be)? (?:connect|reach(?:ed)?|establish (?:a |an |the )?(?:new )?connection)\b|connection failed|can.t contact|failed to dial|could not find any running|is the server running|(?:server|broker|endpoint|service) (?:is |was )?(?:un|not )reachable)",
        confidence=0.7, through=True, unless=rf"(?i:timed? ?out|reset by peer|tcpstore|c10d)|{_OF_GPU}",
    ),
    log_sign(
        "connection_timeout", "an answer did not come in time",
        "check the route to that host: proxy (HTTPS_PROXY), firewall, network policy",
        both=_kind(r"\wTimeout", "Timeout(?!Error)", "TimedOut", "DeadlineExceeded") + _LIBRARY_TIMEOUT + "|" + _status("408", "504")
        + r"|StatusCode\.DEADLINE_EXCEEDED|\bDEADLINE_EXCEEDED\b|(?i:deadline exceeded|(?:connection|request|response|handshake|initiali[sz]ation|read|connect|server|socket|operation|call|rpc|http\w*)(?: \w+){0,3} timed? ?out|timeout (?:was )?(?:exceeded|expired|reached|waiting)|timed out (?:waiting|after|while)|handshake timeout|no response from|did not respond|took too long to)",
        confidence=0.72, through=True, unless=rf"(?i:dataloader|timeoutexpired|command '|\block\b|lockfile|filelock|solver|walltime|time limit|queue\.)|{_OF_GPU}",
    ),
)  # fmt: skip
_FILES: tuple[LogSign, ...] = (
    log_sign(
        "disk_full", "the disk it writes to is full",
        "free space or write to a larger volume (Run:ai: storage.pvc); keep fewer checkpoints",
        both=_kind("NoSpace", "DiskFull", "InsufficientStorage") + r"|\bDisk(?:Full|Quota)\w*|(?i:\bdisk (?:is |was )?full|(?:not enough|insufficient|no) (?:free |available )?(?:disk |storage )(?:space|capacity)|out of disk space|not enough (?:free )?space (?:on|in|left)|volume is full)",
        confidence=_WORDS, through=True,
    ),
    log_sign(
        "storage_unresponsive", "a storage mount no longer answers",
        "check the storage server and the mount on the node (kubectl get events, dmesg for nfs: server not responding)",
        both=r"Input/output error|Remote I/O error|[Tt]ransport endpoint shutdown|[Hh]ost is down|LustreError|\[Errno (?:107|108|112)\]|\(os error (?:5|107|108|112|116)\)|\bESHUTDOWN\b|\bEIO\b|(?i:(?:nfs|lustre|ceph|gpfs|weka|beegfs|fuse|mount)\b[^\n]{0,60}(?:not responding|timed out|hung|evicted|unresponsive))",
        confidence=_WORDS, through=True,
    ),
    log_sign(
        "missing_module", "a module or library is missing",
        "install {detail|it} in the image, or use an image that has it (Run:ai: image)",
        both=_kind("PackageNotFound", "DistributionNotFound", "MissingDependency", "DependencyMissing") + r"|\bModuleNotFoundError\b(?:: No module named '(?P<detail>[\w.]+))?|unable to load shared library|cannot open shared o|(?i:could not load (?:the )?(?:shared |dynamic )?library|cannot load shared)|\b[Cc]annot load (?:library )?['\"]?lib[\w.+-]{1,80}\.so\b|\b(?:ClassNotFoundException|NoClassDefFoundError|UnsatisfiedLinkError)\b|ERR_MODULE_NOT_FOUND|symbol lookup error|(?i:(?:may|must|have|need) (?:need )?to (?:be )?install(?:ed)?\b)"
        r"|Package \S+ not found in current path|(?i:\b(?:module|package|library|plugin)s? (?!(?:is|was|are) )['\"`‘]?[\w.@/-]+['\"`’]? (?:was |is )?(?:not found|could not be found|cannot be found))|(?i:(?:package|module|library|dependency|extension|plugin|gem|crate)\S* [^\n]{0,60}(?:is|are) (?:not installed|not available|required but)|required (?:package|module|library)[^\n]{0,40}(?:missing|not found))",
        confidence=_WORDS, unless=NO_DISPLAY + r"|(?i:checkpoint|tokenizer file|state_dict)",
    ),
    log_sign(
        "missing_module", "a package that it needs is not installed",
        "install {detail|it} in the image, or use an image that has it (Run:ai: image)",
        raised=r"(?i:(?:need to have|make sure (?:you have|that)) [`'\"]?(?P<detail>[\w.-]{2,60})[`'\"]? (?:is )?installed|\((?:try |run )?`?(?:pip3?|conda|apt(?:-get)?) install (?!-U|--upgrade))",
        confidence=0.78, unless=NO_DISPLAY,
    ),
    log_sign(
        "missing_file", "a file or directory does not exist",
        "check {detail|the path}: whether it is there, and its volume mounted (Run:ai: storage, mount path)",
        both=_kind("FileNotFound", "NoSuchFile", "NotADirectory", "PathNotFound", "NoSuchKey", "NoSuchBucket", "MissingInput", "FileDoesNotExist")
        + r"|: no such file or directory|kind: NotFound\b|\bEnvironment(?:Name|Location)NotFound\b|(?i:\bfile not found\b|\bno such (?:file|directory|object|key|bucket|path)\b|\bno (?:object|file|key|bucket)s? found\b)|StatusCode\.NOT_FOUND|(?i:\b(?:file|directory|folder|path)\W{1,3}[^\s'\"]{1,160}['\"’”]? (?:does not exist|not found|(?:can|could) ?not be (?:found|opened)))|" + _near(_PATH, _ABSENT, 100),
        confidence=_KIND, unless=r"(?i:\bcommand\b|executable|corrupt\w*|magic bytes|truncated|checksum|footer|shared object|shared library|\bmodule\b|\bpackage\b|symbol|attribute|\bdevice\b|weight \S+ does not exist|\btensor\b)",
    ),
    log_sign(
        "missing_file", "an object does not exist at the service it is read from",
        "check the bucket, the key, the revision or the name that it asks for (Run:ai: args, environmentVariables)",
        both=_status("404") + r"|is not a local folder and is not a valid model|^(?:\w+\.)*\w*(?:NotFound|DoesNotExist)(?:Error|Exception)?\b(?=: )",
        confidence=0.7, through=True, unless=r"(?i:module|class|method|attribute|column|command|environment)",
    ),
    log_sign(
        "permission_denied", "access to a file, device or port was denied",
        "check owner and mode against the user the container runs as (Run:ai: security.runAsUid, runAsGid, supplementalGroups)",
        both=_kind("PermissionDenied", "AccessControl") + r"|: permission denied\b|(?i:\bmust be (?:run as )?root\b|\brequires? root\b)|kind: PermissionDenied|" + _near(_PATH, r"(?:permission|access|operation)(?: is| was)? (?:denied|not permitted)|not writable|no write (?:access|permission)", 100),
        confidence=0.78, through=True, unless=r"(?i:publickey|https?://|bucket|\brole\b|\biam\b|s3://|gs://)",
    ),
)  # fmt: skip
_PROGRAM: tuple[LogSign, ...] = (
    log_sign(
        "bad_command", "a command does not exist in the image",
        "correct the workload's command, or install it in the image (Run:ai: command, image)",
        line=r"(?i:(?:can't|cannot|could not|unable to) (?:find|exec\w*|locate|run) (?:the )?(?:command|program|executable|binary)\b)",
        confidence=_KIND,
    ),
    log_sign(
        "application_memory_limit", "the program stopped at a memory limit of its own",
        "raise the program's own limit (Java: -Xmx; Ray: --memory; Dask: memory_limit), then the container's (Run:ai: compute.cpuMemoryLimit)",
        both=r"(?i:exceeded \d+% (?:of )?(?:its )?memory (?:budget|limit)|(?:heap|memory) (?:budget|limit|threshold|quota)(?: \w+){0,2} (?:exceeded|reached)|exceed\w* (?:the |its )?(?:\w+ )?(?:memory|heap) (?:usage )?(?:limit|budget|threshold)|(?:bigger|larger|greater) than \S{0,60}(?:max\w*size|memory\w*|heap\w*)\b|heap (?:exhausted|space exhausted)|cannot allocate vector of size)",
        confidence=0.78, beside=True, unless=r"(?i:gpu|cuda|shared memory)",
    ),
    log_sign(
        "container_oom", "the kernel killed a process for its memory, as the launcher tells",
        "raise the memory limit (Run:ai: compute.cpuMemoryLimit), or lower num_workers or prefetching",
        line=r"(?i:oom.kill(?:ed)? event|\bOOM Killed\b|memory cgroup out of memory|task \d+: out of memory)",
        confidence=0.72, beside=True,
    ),
    log_sign(
        "training_diverged", "the training diverged: NaN or infinite values",
        "restart from the last good checkpoint with a lower learning rate, gradient clipping or bf16 instead of fp16",
        both=r"(?i:invalid loss\b|loss (?:has )?(?:diverged|exploded)|training (?:has )?diverged)",
        raised=_near(r"\bnans?\b|\binfs?\b|\binfinit\w+|not finite|non.?finite", r"\bloss\w*|\bgrad\w*|\bnorms?\b|\bweights?\b|\bparam\w*|\bactivations?|\blogits?|\btensors?\b", 60),
        confidence=0.78, unless=OF_INPUTS + r"|(?i:probability tensor|\bcolumns?\b|dataframe|csv|convert|dtype|sklearn|input contains|\bparse|json)",
    ),
    log_sign(
        "invalid_arguments", "the program refused its arguments or configuration",
        "correct the workload's command, arguments or environment (Run:ai: command, args, environmentVariables)",
        raised=r"^(?:ValueError|AssertionError|RuntimeError): (?:You (?:must|need to|have to|cannot|can't|should) )?(?:\w+ ){0,2}[`'\"]?--[a-z][\w-]*[`'\"]? (?:requires?|must|cannot|can only|should|needs|is (?:required|not|only))|^(?:ruamel\.)?yaml\.\w+\.\w+Error\b|^(?:\w+\.)*TOMLDecodeError\b|^configparser\.\w+|^(?:\w+\.)*(?:\w*(?:Misconfiguration|InvalidConfig\w*|MissingConfig\w*|BadConfig\w*|ConfigParse\w*|ConfigValidation\w*|InvalidArgumentCombination|InvalidOption|UnknownOption|NoSuchOption|MissingParameter|UsageError|ArgumentParser\w*)(?:Error|Exception)?)\b"
        r"|validation errors? for \w*(?:Settings|Config|Args|Arguments|Options|Params|Parameters)\w*\b|(?i:\b(?:please|must|need to|have to) (?:set|pass|specify|provide|give|add) (?:the )?[`'\"]?--[a-z])",
        line=r"(?i:required flag\(?s?|missing required (?:argument|option|parameter|flag|setting)|unknown (?:argument|option|flag|subcommand)|unrecogni[sz]ed (?:argument|option|flag)|invalid (?:option|flag|choice|command.line)|not enough slots available|no rule to make target|conflicting options|mutually exclusive|(?:illegal|bad|unsupported|unexpected) (?:option|argument|flag|parameter)|too (?:few|many) arguments|\bmust (?:be )?(?:specif\w+|provided?|set|passed|given)\b|(?:argument|option|flag|parameter|setting|variable) \S{1,60} (?:is )?(?:required|missing|not set|unset|invalid)|is not a valid (?:choice|option|value|argument)|(?:could not|failed to|cannot|error) pars(?:e|ing) (?:the )?(?:config\w*|arguments?|options?|flags?|command|ya?ml|toml)|(?:error|failed) (?:parsing|reading|loading|to (?:read|load)) (?:the )?config\w*)"
        r"|^(?:ERROR: )?Error in call to target '|^(?:\S+: )?(?:fatal )?(?:config(?:uration)?) (?:file )?error\b|(?i:[-:] config(?:uration)? (?:file )?error: |\bnumber of [\w -]{3,40}(?:= ?\d+ )?(?:is not equal to|does not match|must (?:be equal to|match|equal)) (?:the )?number of )|has not been properly configured to use",
        confidence=0.78, unless=r"(?i:cuda|errno|einval)",
    ),
)  # fmt: skip
LEXICON: tuple[LogSign, ...] = (*_GPUS, *_OUTSIDE, *_FILES, *_PROGRAM)
"""Of one text the first entry that matches counts."""

"""Causes that a process names itself: in the exception that ended it, or in its last lines.

The words are those of the programs: CPython's errno names and numbers (numbers stay in every language), PyTorch, NCCL,
vLLM, JAX, the JVM, glibc's signal descriptions, requests, huggingface_hub, botocore.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from runai_monitor.diagnosis.rules.finding import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSign:
    """One cause with the words for it; a group `detail` of the pattern is named in the title.

    `raised` is matched against type and message of the exception, `line` against single last lines. `beside` marks lines
    that explain an exception which says nothing itself. `through` finds the sign also in exceptions that were being
    handled when the last one was raised, as network libraries do it.
    """

    cause: str
    title: str
    advice: tuple[str, ...]
    raised: re.Pattern[str] | None = None
    line: re.Pattern[str] | None = None
    confidence: float = 0.9
    role: Role = Role.OWN
    beside: bool = False
    through: bool = False


def _sign(
    cause: str,
    title: str,
    *advice: str,
    both: str = "",
    raised: str = "",
    line: str = "",
    confidence: float = 0.9,
    role: Role = Role.OWN,
    beside: bool = False,
    through: bool = False,
) -> LogSign:
    in_raised, in_line = "|".join(filter(None, (both, raised))), "|".join(filter(None, (both, line)))
    return LogSign(
        cause=cause,
        title=title,
        advice=advice,
        raised=re.compile(in_raised) if in_raised else None,
        line=re.compile(in_line) if in_line else None,
        confidence=confidence,
        role=role,
        beside=beside,
        through=through,
    )


_CUDA_OOM = (
    r"(?<!['\"`])(?:CUDA|HIP) out of memory|CUDA error: out of memory|Cuda failure \S* ?'?out of memory|cudaErrorMemoryAllocation"
    r"|CUDA_ERROR_OUT_OF_MEMORY|CUBLAS_STATUS_ALLOC_FAILED|RESOURCE_EXHAUSTED: (?:Out of memory|Failed to allocate)"
    r"|No available memory for the cache blocks|larger than the maximum number of tokens that can be stored in KV cache"
    r"|larger than the available KV cache memory|less than desired GPU memory utilization"
    r"|OOM when allocating tensor .*(?:GPU|gpu)"
)
_NCCL_TIMEOUT = (
    r"Watchdog caught collective operation timeout|collective operation timeout|NCCL (?:operation|watchdog).{0,80}(?:timed out|timeout)"
    r"|Timed out after \d+ seconds waiting for clients|RendezvousTimeoutError|Timed out waiting \d+ms for (?:recv|send) operation"
    r"|wait timeout after \d+ms, keys|store->get\(.{0,40}\) got error: (?:Socket Timeout|wait timeout)|torch\.distributed\.DistStoreError: .*[Tt]imed? ?out"
)
_NCCL_NETWORK = (
    r"ncclRemoteError|ncclSystemError|RendezvousConnectionError|connection to the C10d store has failed|NCCL .{0,200}(?:remote process exited|network error)|store->get\(.{0,40}\) got error: Connection|ibv_\w+ (?:failed|returned|error)"
    r"|unhandled system error.{0,40}NCCL|Got completion from peer .{0,160}status=\d+|socketProgress: Connection closed by remote peer"
    r"|\[[^\]]{0,200}gloo/[^\]]{0,200}\] (?:Connection (?:closed|reset) by peer|Connect timeout|Read error)|Connection closed by peer \["
    r"|NET/(?:IB|Socket|OFI) ?:? .{0,120}(?:failed|[Ee]rror|timeout)"
)
_ILLEGAL_ACCESS = (
    r"an illegal memory access was encountered|device-side assert triggered|CUDA_ERROR_ILLEGAL_ADDRESS|misaligned address"
    r"|unspecified launch failure|cudaErrorIllegalAddress|cudaErrorAssert"
)
_HOST = r"(?:host=['\"]?|https?://|to |HTTPSConnectionPool\(host=')(?P<detail>[\w-]+(?:\.[\w-]+)+(?::\d+)?)"

SIGNS: tuple[LogSign, ...] = (
    # GPU and collectives: before general words, because their messages hold such words too.
    _sign(
        "gpu_hardware_fault", "the GPU reports a hardware fault",
        "have the node drained and the GPU tested; the node's kernel log names the XID (dmesg | grep -i xid)",
        line=r"\bXid \([^)]{0,40}\): (?P<detail>48|63|64|74|79|92|94|95|119|120)\b", beside=True,
        both=r"uncorrectable ECC error|CUDA_ERROR_ECC_UNCORRECTABLE|GPU has fallen off the bus|cudaErrorECCUncorrectable|Uncorrectable NVLink error",
    ),
    _sign(
        "cuda_oom", "GPU memory ran out",
        "reduce the batch size or the sequence length, use gradient checkpointing, sharding or offloading",
        both=_CUDA_OOM, raised=r"^(?:torch\.(?:cuda\.)?|cupy\S*)?OutOfMemoryError\b(?!.*(?:Java|heap|Task was killed))",
        confidence=0.95,
    ),
    _sign(
        "cuda_driver_mismatch", "the NVIDIA driver is too old for the image's CUDA",
        "use an image built for the node's driver (nvidia-smi on the node shows the newest CUDA it can run), or have the driver updated",
        both=r"CUDA driver version is insufficient for CUDA runtime version|UNSUPPORTED_PTX_VERSION|SYSTEM_DRIVER_MISMATCH|NVIDIA driver on your system is too old|"
        r"forward compatibility was attempted on non supported HW|provided PTX was compiled with an unsupported toolchain|"
        r"unsatisfied condition: (?:cuda|driver)\S*|Driver/library version mismatch",
        confidence=0.93,
    ),
    _sign(
        "no_gpu_visible", "the process sees no GPU",
        "check that the workload asks for a GPU (Run:ai: compute.gpuDevicesRequest) and that the image's framework is built with CUDA",
        both=r"No CUDA GPUs are available|CUDA driver initialization failed, you might not have|no CUDA-capable device is detected|Found no NVIDIA driver on your system|"
        r"Torch not compiled with CUDA enabled|torch\.cuda\.is_available\(\) is False|lib(?:cuda|nvidia-ml)\.so\.1: cannot open shared object file|"
        r"Failed to infer device type|CUDA unknown error - this may be due to an incorrectly set up environment|CUDA_ERROR_NO_DEVICE",
        confidence=0.9,
    ),
    _sign(
        "cuda_illegal_access", "a CUDA kernel made an illegal memory access or failed an assertion",
        "run once with CUDA_LAUNCH_BLOCKING=1 to see the operation (Run:ai: environmentVariables); look for labels or indexes out of range",
        both=_ILLEGAL_ACCESS, confidence=0.9,
    ),
    _sign(
        "shm_exhausted", "shared memory (/dev/shm) is too small",
        "enable large shared memory for the workload (Run:ai: compute.largeShmRequest: true), or use fewer DataLoader workers",
        both=r"killed by signal: Bus error|insufficient shared memory|out of shared memory|/dev/shm\S*.{0,120}No space left on device|"
        r"No space left on device.{0,60}/dev/shm|unable to (?:write to file </torch_|open shared memory|allocate shared memory|mmap \d+ bytes from file </torch_(?!.*Cannot allocate))|"
        r"[Ee]rror while creating shared memory segment",
        line=r"\bBus error\b|SIGBUS|[Ss]ignal 7\b|exitcode\s*: -7\b",
        confidence=0.92, beside=True,
    ),
    _sign(
        "nccl_timeout", "a collective operation between ranks timed out",
        "find the rank that stopped first: the others only waited for it",
        "set TORCH_NCCL_TRACE_BUFFER_SIZE=2000 and NCCL_DEBUG=INFO for the next run (Run:ai: environmentVariables)",
        both=_NCCL_TIMEOUT, confidence=0.85, role=Role.FOLLOWS, beside=True,
    ),
    _sign(
        "nccl_network_error", "the network between ranks failed",
        "check the links of the nodes involved (ibstat, ethtool) and NCCL_SOCKET_IFNAME, NCCL_IB_HCA; rerun with NCCL_DEBUG=INFO",
        both=_NCCL_NETWORK, confidence=0.85, role=Role.FOLLOWS, beside=True,
    ),
    # Signals that a launcher names, itself ending with 1.
    _sign(
        "segfault", "a segmentation fault",
        "set PYTHONFAULTHANDLER=1 to see where (Run:ai: environmentVariables); suspect native extensions that were built for other versions",
        raised=r"killed by signal: Segmentation fault",
        line=r"\bSegmentation fault\b|\bSIGSEGV\b|\b[Ss]ignal 11\b|(?:exitcode\s*:|return code =) -11\b|Fatal Python error: Segmentation fault",
        confidence=0.88, beside=True,
    ),
    _sign(
        "illegal_instruction", "an illegal instruction",
        "the image was built for another processor: rebuild it for the nodes' one (no -march=native)",
        raised=r"killed by signal: Illegal instruction",
        line=r"\bIllegal instruction\b|\bSIGILL\b|\b[Ss]ignal 4\b|(?:exitcode\s*:|return code =) -4\b", confidence=0.88, beside=True,
    ),
    _sign(
        "aborted", "the process aborted itself",
        "read the lines before the abort for the failed assertion",
        raised=r"killed by signal: Aborted",
        line=r"\bSIGABRT\b|\b[Ss]ignal 6\b|(?:exitcode\s*:|return code =) -6\b|Aborted \(core dumped\)|double free or corruption|"
        r"malloc\(\): (?:corrupted|invalid)|terminate called after throwing",
        confidence=0.85, beside=True,
    ),
    _sign(
        "killed_by_signal", "a process was killed from outside (SIGKILL)",
        "look for memory first: compare what the process used with the container's limit (Run:ai: compute.cpuMemoryLimit)",
        raised=r"killed by signal: Killed",
        line=r"\bSIGKILL\b|\b[Ss]ignal 9\b|(?:exitcode\s*:|return code =) -9\b|^(?:\S+: line \d+: +\d+ )?Killed\b",
        confidence=0.6, role=Role.FOLLOWS, beside=True,
    ),
    # Libraries and files.
    _sign(
        "missing_module", "a module or library is missing",
        "install it in the image, or use an image that has it (Run:ai: image)",
        raised=r"^ModuleNotFoundError(?:: No module named '?(?P<detail>[\w.]+))?|^ImportError: .*(?:No module named|cannot open shared object file|DLL load failed|requires the \S+ library|cannot import name)"
        r"|^(?:OSError|RuntimeError): .*\.so[\w.]*: cannot open shared object file|^ImportError: .{0,120}version `\S+' not found|^ImportError: .{0,40}(?:not installed|is required|install)",
        line=r"error while loading shared libraries|: No module named |Cannot find module '(?P<detail>[^']{1,80})'|there is no package called|"
        r"java\.lang\.(?:ClassNotFoundException|NoClassDefFoundError)",
        confidence=0.95,
    ),
    _sign(
        "read_only_filesystem", "the file system may only be read",
        "write to a volume that is mounted for writing (Run:ai: storage, readOnly: false), or clear security.readOnlyRootFilesystem",
        both=r"\[Errno 30\]|[Rr]ead-only file ?system|EROFS", confidence=0.93,
    ),
    _sign(
        "storage_unresponsive", "a storage mount no longer answers",
        "check the storage server and the mount on the node (kubectl get events, dmesg for nfs: server not responding)",
        both=r"\[Errno 116\]|[Ss]tale (?:NFS )?file handle|ESTALE|\[Errno 5\] Input/output error|nfs: server \S+ not responding|\[Errno 121\] Remote I/O error|"
        r"Transport endpoint is not connected",
        confidence=0.88,
    ),
    _sign(
        "disk_full", "the disk it writes to is full",
        "free space or write to a larger volume (Run:ai: storage.pvc); keep fewer checkpoints",
        both=r"\[Errno 28\]|No space left on device|ENOSPC|\[Errno 122\]|Disk quota exceeded", confidence=0.93,
    ),
    _sign(
        "application_memory_limit", "the program stopped at a memory limit of its own",
        "raise the program's own limit (Java: -Xmx; Ray: --memory or RAY_memory_usage_threshold), then the container's (Run:ai: compute.cpuMemoryLimit)",
        both=r"java\.lang\.OutOfMemoryError|OutOfMemoryError: Java heap|GC overhead limit exceeded|ray\.exceptions\.OutOfMemoryError|"
        r"FATAL ERROR: .*JavaScript heap out of memory|worker\(s\) were killed due to the node running low on memory|"
        r"Task was killed due to the node running low on memory",
        raised=r"^OutOfMemoryError: Task was killed", confidence=0.92,
    ),
    # What the process was given.
    _sign(
        "credential_rejected", "an outside service refused the credentials",
        "renew the credential, and pass it as a Run:ai credential or secret (environmentVariables); for a gated model, ask for access with that account",
        both=r"\b(?:401|403) Client Error|\b40[13] (?:GET|POST|PUT|HEAD) https?://|access a gated repo|HTTP Error 40[13]|\bHTTP/[\d.]+ 40[13]\b|status(?: code|_code|Code)?[ :=]{1,3}40[13]\b|GatedRepoError|"
        r"Access to model (?P<detail>[\w./-]+) is restricted|\(Access ?Denied\)|\(InvalidAccessKeyId\)|\(SignatureDoesNotMatch\)|\(Expired ?Token\w*\)|\((?:403|401)\) when calling|"
        r"\((?:Unauthorized|Forbidden)\)|password authentication failed for user|[Aa]uthentication failed for 'https?://|could not read Username for|Permission denied \(publickey|"
        r"API key is invalid|[Ii]ncorrect API key|[Ii]nvalid (?:API key|credentials|user token)|UNAUTHENTICATED|PERMISSION_DENIED:|Access denied for user",
        raised=r"^(?:\w+\.)*(?:AuthenticationError|GatedRepoError|AccessDenied\w*)\b", confidence=0.9, through=True,
    ),
    _sign(
        "rate_limited", "an outside service limits the requests",
        "ask less often (cache, mirror, fewer ranks that download), or authenticate for a higher limit",
        both=r"\b429 Client Error|HTTP Error 429|Too Many Requests|\(SlowDown\)|\(Throttling\w*\)|\(TooManyRequests\w*\)|[Rr]ate limit (?:exceeded|reached)",
        raised=r"^(?:\w+\.)*(?:RateLimitError|TooManyRequests)\b|status(?: code|_code)?[ :=]{1,3}429\b", confidence=0.9, through=True,
    ),
    _sign(
        "dns_failure", "a host name could not be resolved",
        "check the name, and the cluster's DNS from a pod of this namespace (nslookup)",
        both=r"\[Errno -[235]\]|Name or service not known|Temporary failure in name resolution|NameResolutionError|Failed to resolve '(?P<detail>[\w.-]+)'|"
        r"getaddrinfo (?:failed|ENOTFOUND|EAI_AGAIN)|[Cc]ould not resolve host(?:name)?|no such host|UnknownHostException|nodename nor servname",
        confidence=0.9, through=True,
    ),
    _sign(
        "tls_error", "a TLS connection could not be trusted or made",
        "check the certificate and the clock; add the company's CA to the image (SSL_CERT_FILE, REQUESTS_CA_BUNDLE)",
        both=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSLCertVerificationError|SSLError|x509: |SSLHandshakeException|PKIX path building failed|"
        r"TLSV1_ALERT\w*|WRONG_VERSION_NUMBER|SSL certificate problem|certificate has expired|tls: (?:handshake failure|failed to verify)",
        confidence=0.9, through=True,
    ),
    _sign(
        "connection_refused", "a connection was refused",
        "check that the service runs and listens on that host and port, and that no network policy is in between",
        both=r"\[Errno 111\]|\b[Cc]onnection refused\b|ConnectionRefusedError|ECONNREFUSED|errno: 111",
        confidence=0.88, through=True,
    ),
    _sign(
        "connection_timeout", "a connection timed out",
        "check the route to that host: proxy (HTTPS_PROXY), firewall, network policy",
        both=r"\[Errno 110\]|\b[Cc]onnection timed out\b|ConnectTimeout\w*|Read timed out|ReadTimeout\w*|ETIMEDOUT|[Oo]peration timed out|"
        r"client socket has timed out after|Connect timeout on endpoint|i/o timeout",
        confidence=0.87, through=True,
    ),
    _sign(
        "missing_file", "a file or directory does not exist",
        "check the path, and that its volume is mounted there (Run:ai: storage, mount path)",
        raised=r"^FileNotFoundError(?:: .*?: '(?P<detail>[^']{1,200})')?|^NotADirectoryError|\[Errno 2\]|does not appear to have a file named|NoSuchFileException",
        line=r"can't open file '?(?P<detail>[^'\n]{1,200}?)'?: \[Errno 2\]|\[Errno 2\]|: No such file or directory|cannot access '|NoSuchFileException|ENOENT",
        confidence=0.92,
    ),
    _sign(
        "permission_denied", "access to a file, device or port was denied",
        "check owner and mode against the user the container runs as (Run:ai: security.runAsUid, runAsGid, supplementalGroups)",
        raised=r"^PermissionError(?:: .*?: '(?P<detail>[^']{1,200})')?|\[Errno (?:13|1)\]|AccessDeniedException: /",
        line=r"\[Errno 13\]|(?<!\()\bPermission denied\b(?! \(publickey)|Operation not permitted|EACCES",
        confidence=0.92,
    ),
    _sign(
        "training_diverged", "the training diverged: NaN or infinite loss",
        "restart from the last good checkpoint with a lower learning rate, gradient clipping or bf16 instead of fp16",
        both=r"(?i:\bloss (?:is |became |was |= ?|value )?(?:nan|inf(?:inite)?|not finite)\b|\b(?:nan|inf|non-finite) (?:loss|gradient|grad)|"
        r"found (?:nan|inf)\w*(?: or inf)? in (?:\w+ )?(?:loss|grad)|loss is probably exploding|minimum loss scale reached|"
        r"returned nan values in its|(?:gradient|grad)s? (?:norm )?(?:is|are) (?:nan|inf|non-finite))",
        raised=r"^FloatingPointError", confidence=0.9,
    ),
    _sign(
        "invalid_arguments", "the program refused its arguments or configuration",
        "correct the workload's command, arguments or environment (Run:ai: command, args, environmentVariables)",
        raised=r"^(?:yaml\.\w+\.)?(?:ScannerError|ParserError|ConstructorError)|^(?:\w+\.)*(?:ConfigError|ConfigurationError|ConfigCompositionException|MissingConfigException|"
        r"MissingMandatoryValue|ConfigAttributeError|ConfigKeyError|UsageError|ArgumentError|BadParameter|MissingParameter)\b|validation errors? for \w*(?:Settings|Config|Args|Arguments|Options)\b|"
        r"[Mm]issing (?:required )?environment variable|environment variable \S{1,80} (?:is )?(?:not set|expected|missing|required)",
        line=r"error: (?:the following arguments are required|unrecognized arguments|argument |ambiguous option|invalid choice)|^[Uu]sage: |"
        r"^Error: (?:Missing|No such|Invalid value|Got unexpected)|unknown (?:shorthand )?flag|flag provided but not defined|unrecognized option|invalid option|"
        r"^(?:omegaconf|hydra)\.errors\.|[Mm]issing (?:required )?environment variable|syntax error near unexpected token|api_key not configured|"
        r"environment variable \S{1,80} (?:is )?(?:not set|missing|required)|^ERROR: .{0,40}(?:invalid|missing) (?:config|argument)|unbound variable$",
        confidence=0.9,
    ),
    _sign(
        "bad_command", "the command does not exist in the image",
        "correct the workload's command, or install it in the image (Run:ai: command, image)",
        line=r"(?P<detail>[\w./-]{1,80}): (?:command )?not found$|executable file not found in \$PATH", confidence=0.88,
    ),
    _sign(
        "wrong_architecture", "the image is for another processor architecture",
        "rebuild it for the nodes' architecture (docker build --platform linux/amd64), or choose nodes that suit it (Run:ai: nodeType)",
        both=r"[Ee]xec format error", confidence=0.9,
    ),
)  # fmt: skip

PEER = re.compile(r"TCPStore|c10d|[Rr]endezvous|client socket has|MASTER_ADDR|init_process_group|socket\.cpp")
"""In a connection's trouble: the other end is a rank of the same workload, which may have failed before."""
ENVIRONMENT = re.compile(r"^KeyError: '(?P<detail>[A-Z][A-Z0-9_]{2,})'")
"""With `os.environ` in its traceback: a variable that nobody set."""
HOST = re.compile(_HOST)
PORT = re.compile(r"\bport=?\s?(?P<port>\d{2,5})\b|:(?P<colon>\d{2,5})\b")

# Other languages say in one unmistakable line that they end on an error of their own.
OWN_ERROR = re.compile(
    r"^panic: |^goroutine \d+ \[running\]|Exception in thread \"main\" |^thread '[^']{0,60}' panicked at|^Uncaught \w*Error|"
    r"^(?:Type|Reference|Syntax|Range)?Error: .{0,200}$|^ERROR: LoadError|^Execution halted|^Unhandled [Ee]xception|^FATAL(?: ERROR)?: |^fatal: "
)
ERROR_WORD = re.compile(
    r"\b(?:error|fatal|failed|failure|exception|cannot|could not|unable to|aborting|critical)\b(?! ?rate)",
    re.IGNORECASE,
)

"""Causes that a process names itself: in the exception that ended it, or in its last lines.

The words are those of the programs: CPython's errno names and numbers (numbers stay in every language), PyTorch, the JVM,
shells, argparse, Hydra, absl. Of one text the first entry that matches counts, so that specific words come first.
"""

from __future__ import annotations

import re

from runai_monitor.diagnosis.rules.lexicon import LEXICON, NO_DISPLAY, OF_INPUTS
from runai_monitor.diagnosis.rules.locales import words_of
from runai_monitor.diagnosis.rules.log_sign import LogSign, log_sign
from runai_monitor.diagnosis.rules.log_signs_gpu import GPU, SIGNALS
from runai_monitor.diagnosis.rules.log_signs_service import SERVICES

_WATCHES = r"inotify|file watch(?:er|es)|\bwatch '"
"""The kernel's limit of watched files has the error number of a full disk."""
_OF_MEMORY = rf"{_WATCHES}|/dev/shm|(?i:shared memory)"
"""Shared memory is full in the words of a disk."""
_FILES: tuple[LogSign, ...] = (
    log_sign(
        "missing_module", "a module or library is missing",
        "install {detail|it} in the image, or use an image that has it (Run:ai: image)",
        raised=r"\b[Cc]an't open lib '|^ModuleNotFoundError(?:: No module named '?(?P<detail>[\w.]+))?|^ImportError: .*(?:No module named|cannot open shared object file|DLL load failed|requires the \S+ library|cannot import name (?!.{1,400}\(/))"
        r"|^(?:OSError|RuntimeError): .*\.so[\w.]*: cannot open shared object file|^ImportError: .{0,120}version `\S+' not found|^ImportError: .{0,400}(?:not (?:seem to be )?installed|is required|[Pp]lease install|pip install|seems to be not installed)",
        line=r"error while loading shared libraries|: cannot open shared object file|^Error loading shared library |^Error relocating \S+: \S+: symbol not found|: No module named |Cannot find module '(?P<detail>[^']{1,80})'|there is no package called|"
        r"java\.lang\.(?:ClassNotFoundException|NoClassDefFoundError)",
        confidence=0.95, unless=NO_DISPLAY,
    ),
    log_sign(
        "missing_module", "a package manager finds no such package or version",
        "correct the name and the version, or use an image that has it (Run:ai: image)",
        line=r"No solution found when resolving|requirements are unsatisfiable|^PackagesNotFoundError\b|not available from current channels",
        confidence=0.74,
    ),
    log_sign(
        "read_only_filesystem", "the file system may only be read",
        "write to a volume that is mounted for writing (Run:ai: storage, readOnly: false), or clear security.readOnlyRootFilesystem",
        both=r"\[Errno 30\]|[Rr]ead-only file ?system|EROFS|\(os error 30\)", confidence=0.93, through=True,
    ),
    log_sign(
        "storage_unresponsive", "a storage mount no longer answers",
        "check the storage server and the mount on the node (kubectl get events, dmesg for nfs: server not responding)",
        both=r"\[Errno 116\]|[Ss]tale (?:NFS )?file handle|ESTALE|\[Errno 5\] Input/output error|nfs: server \S+ not responding|\[Errno 121\] Remote I/O error|"
        r"Transport endpoint is not connected",
        confidence=0.88, through=True,
    ),
    log_sign(
        "disk_full", "the disk it writes to is full",
        "free space or write to a larger volume (Run:ai: storage.pvc); keep fewer checkpoints",
        both=r"(?i:No space left on device|Disk quota exceeded)|" + words_of("disk_full"), confidence=0.93, through=True, unless=_OF_MEMORY,
    ),
    log_sign(
        "disk_full", "an error number tells that the disk or the quota is full",
        "compare the free space and the quota of the volume it writes to (df -h, df -i in the container)",
        both=r"\[Errno 28\]|ENOSPC|\[Errno 122\]|\(os error 28\)|[Ee]rrno[ =:]{1,3}28\b|\bOs \{ code: 28\b", confidence=0.78, through=True, unless=_OF_MEMORY,
    ),
    log_sign(
        "disk_full", "a file could not be written: as a rule the disk or the quota is full",
        "compare the free space and the quota of the volume it writes to (df -h, df -i in the container)",
        raised=r"PytorchStreamWriter failed writing file|inline_container\.cc\S{0,6} ?\. unexpected pos|unexpected pos \d+ vs \d+|file write failed",
        confidence=0.74,
    ),
    log_sign(
        "application_memory_limit", "the program stopped at a memory limit of its own",
        "raise the program's own limit (Java: -Xmx; Ray: --memory or RAY_memory_usage_threshold), then the container's (Run:ai: compute.cpuMemoryLimit)",
        both=r"java\.lang\.OutOfMemoryError|OutOfMemoryError: Java heap|GC overhead limit exceeded|ray\.exceptions\.OutOfMemoryError|"
        r"FATAL ERROR: .*JavaScript heap out of memory|worker\(s\) were killed due to the node running low on memory|"
        r"Task was killed due to the node running low on memory",
        raised=r"^OutOfMemoryError: Task was killed", confidence=0.92,
    ),
)  # fmt: skip
_PROGRAM: tuple[LogSign, ...] = (
    log_sign(
        "wrong_architecture", "the image is for another processor architecture",
        "rebuild it for the nodes' architecture (docker build --platform linux/amd64), or choose nodes that suit it (Run:ai: nodeType)",
        both=r"[Ee]xec format error|^qemu-\w+(?:-static)?: Could not open '/lib", confidence=0.9,
    ),
    log_sign(
        "missing_file", "a file or directory does not exist",
        "check {detail|the path}: whether it is there, and its volume mounted (Run:ai: storage, mount path)",
        raised=r"^FileNotFoundError(?:: .*?: '(?P<detail>[^']{1,200})')?|^NotADirectoryError|\[Errno 2\]|does not appear to have a file named|NoSuchFileException|"
        r"^OSError: (?:Can't load|Unable to load|Error no file named) .{0,80}'(?P<path>/[^']{1,200})'",
        line=r"can't open file '?(?P<detail>[^'\n]{1,200}?)'?: \[Errno 2\]|\[Errno 2\]|: (?i:No such file or directory)|\(os error 2\)|" + words_of("missing_file") + r"|cannot access '|NoSuchFileException|ENOENT|\bOs \{ code: 2\b",
        confidence=0.92, unless=r"(?:shared object|shared library)",
    ),
    log_sign(
        "missing_file", "an object or a file does not exist at the service it is read from",
        "check the bucket, the key and the revision it asks for (Run:ai: args, environmentVariables)",
        raised=r"\((?:NoSuchKey|NoSuchBucket|404)\) when calling|^(?:\w+\.)*(?:EntryNotFoundError|RevisionNotFoundError|NoSuchKey|BlobNotFound)\b|\bErrorCode: ?(?:BlobNotFound|ContainerNotFound)",
        line=r"\b[Cc]heckout failed for following targets:|error\.dvc\.org/missing-files",
        confidence=0.75,
    ),
    log_sign(
        "permission_denied", "access to a file, device or port was denied",
        "check owner and mode against the user the container runs as (Run:ai: security.runAsUid, runAsGid, supplementalGroups)",
        raised=r"^PermissionError: .*\[Errno (?:13|1)\].*?: '(?P<detail>[^']{1,200})'|\[Errno (?:13|1)\]|AccessDeniedException: /",
        line=r"\[Errno 13\]|(?<!\()\bPermission denied\b(?! \(publickey)|(?:Operation|operation) not permitted|: permission denied$|(?i:\b(?:bind|listen|open|mkdir|write|create|unlink|rename|chmod|chown|socket)(?: \S+)?: permission denied)|EACCES|\(os error 13\)|\bOs \{ code: 13\b|" + words_of("permission_denied"),
        confidence=0.92,
    ),
    log_sign(
        "permission_denied", "access to a file or device was denied",
        "check owner and mode against the user the container runs as (Run:ai: security.runAsUid, runAsGid, supplementalGroups)",
        raised=r"^PermissionError\b", confidence=0.76,  # without the system's number: clients of object stores raise it too
    ),
    log_sign(
        "training_diverged", "the training diverged: NaN or infinite loss",
        "restart from the last good checkpoint with a lower learning rate, gradient clipping or bf16 instead of fp16",
        both=r"(?i:\bloss (?:is |became |was |= ?|value )?(?:nan|inf(?:inite)?|not finite)\b|\b(?:nan|inf|non-finite) (?:loss|gradient|grad)|"
        r"found (?:nan|inf)\w*(?: or inf)? in (?:\w+ )?(?:loss|grad)|loss is probably exploding|minimum loss scale reached|loss scale (?:is )?already at (?:its )?minimum|minimum (?:loss )?scale (?:has been |was )?reached|"
        r"returned nan values in its|(?:gradient|grad)s? (?:norm )?(?:is|are) (?:nan|inf|non-finite))",
        raised=r"^FloatingPointError(?=[^\n]*(?i:\bnan|\binf|loss|grad|diverg))|\btensor\([\[\s]{0,4}-?(?:nan|inf)\b|(?i:\bfound nans? in\b)|"
        r"(?i:\b(?:nan|inf)s?\b(?: or (?:nan|inf)s?)?(?: values?)?(?: were| was| is)? (?:detected|encountered))|found invalid values:[^\n]{0,20}\n?[^\n]{0,80}\bnan\b", confidence=0.9, unless=OF_INPUTS,
    ),
    log_sign(
        "invalid_arguments", "the program refused its arguments or configuration",
        "correct the workload's command, arguments or environment (Run:ai: command, args, environmentVariables)",
        raised=r"^(?:yaml\.\w+\.)?(?:ScannerError|ParserError|ConstructorError)|^(?:\w+\.)*(?:ConfigError|ConfigurationError|ConfigCompositionException|MissingConfigException|"
        r"MissingMandatoryValue|ConfigAttributeError|ConfigKeyError|UsageError|ArgumentError|BadParameter|MissingParameter)\b|validation errors? for \w*(?:Settings|Config|Args|Arguments|Options)\b|"
        r"[Mm]issing (?:required )?environment variable|environment variable \S{1,80} (?:is )?(?:not set|expected|missing|required)|"
        r"specified arguments are not used by the HfArgumentParser|^(?:absl\.flags\.\S+\.)?(?:Unrecognized|IllegalFlagValue|UnparsedFlagAccess|NoSuchOption|MissingParameter)\w*\b|^hydra\.errors\.|^omegaconf\.errors\.",
        line=r"error: (?:the following arguments are required|unrecognized arguments|argument |ambiguous option|invalid choice)|^[Uu]sage: (?!\d)|"
        r"^Error: (?:Missing (?:option|argument|parameter|command)|No such (?:option|command)|Invalid value|Got unexpected)|unknown (?:shorthand )?flag|flag provided but not defined|unrecognized option|invalid option|"
        r"^(?:omegaconf|hydra)\.errors\.|^Could not override '|^Key '\S{1,120}' is not in struct|^In '\S{1,120}': Could not find '|^Missing mandatory value: |^Primary config (?:module|directory) |"
        r"^You must specify '|^LexerNoViableAlt|mismatched input '.{1,40}' expecting|Flags parsing error|Unknown command line flag|^Pass --helpshort|"
        r"^ERROR: Could not consume arg: |^Try '.{1,120} (?:--help|-h)' for help|error: (?:Parser key|[Uu]nrecognized|unexpected argument|invalid value)|[Mm]issing (?:required )?environment variable|syntax error near unexpected token|api_key not configured|"
        r"environment variable \S{1,80} (?:is )?(?:not set|missing|required)|^ERROR: .{0,40}(?:invalid|missing) (?:config|argument)|unbound variable$|: parameter (?:null or )?not set$",
        confidence=0.9,
    ),
    log_sign(
        "bad_command", "the command does not exist in the image",
        "correct the workload's command, or install it in the image (Run:ai: command, image)",
        line=r"(?P<detail>[\w./-]{1,80}): (?:command )?not found$|executable file not found in \$PATH", confidence=0.88,
    ),
)  # fmt: skip
SENTENCES: tuple[LogSign, ...] = (*GPU, *SIGNALS, *_FILES, *SERVICES, *_PROGRAM)
"""What tools are known to say."""
SIGNS: tuple[LogSign, ...] = (*SENTENCES, *LEXICON)

PEER = re.compile(r"TCPStore|c10d|[Rr]endezvous|client socket has|MASTER_ADDR|init_process_group|socket\.cpp")
"""In a connection's trouble: the other end is a rank of the same workload, which may have failed before."""
ENVIRONMENT = re.compile(r"^KeyError: '(?P<detail>[A-Z][A-Z0-9_]{2,})'")
"""With `os.environ` in its traceback: a variable that nobody set."""
HOST = re.compile(
    r"(?:host=['\"]?|https?://|to |address ['‘]|resolv(?:e|ing) (?:host(?:name)?:? |host address )?['‘]?|lookup |server at \"?)(?P<detail>[\w-]+(?:\.[\w-]+)+(?::\d+)?)"
)
PORT = re.compile(r"\bport=?\s?(?P<port>\d{2,5})\b|:(?P<colon>\d{2,5})\b")
BARE = re.compile(r"^(?:\w+\.)*(?P<name>[A-Z]\w*(?:Error|Exception|Interrupt|Exit))(?:: |$)")
"""An exception's last line alone, where the log was cut or a program prints no more."""
PREPARES = re.compile(
    r"\bhandlers?\b|\bregister(?:s|ed|ing)\b|\b(?:en|dis)abled\b|\binstalled\b|\bwill be\b", re.IGNORECASE
)
"""A line that gets ready for a signal tells of none."""
SMELLS = re.compile(
    r"\b(?:cuda|nccl|gpu|device|memory|oom|killed|died|signal|connect\w*|time[ds]? ?out|denied|forbidden|unauthori[sz]ed|auth\w*|credentials?|"
    r"permission|tokens?|resolv\w*|disk|quota|space|certificate|ssl|proxy|network|socket|server|download\w*|http\w*|[45]\d\d|undefined symbol)\b",
    re.IGNORECASE,
)
"""Words in an exception that may be those of another cause, told in a way that no entry knows."""
GUESS = re.compile(
    r"(?:[Ss]ome|[Tt]here are some|[Pp]ossible|[Cc]ommon|[Pp]otential)(?: \w+){0,2} (?:causes?|reasons?)\b|"
    r"[Tt]his (?:may|might|could|can) be (?:due to|caused by|because)"
)
"""Where a program begins to guess why something happened."""
GAVE_UP = re.compile(
    r"^ERROR: (?:Could not find a version|No matching distribution|Could not install packages)|"
    r"^E: (?:Unable to (?:locate|fetch)|Failed to fetch|Some index files|Package '?\S+'? has no)|[Gg]iving up|[Rr]etries (?:were )?exhausted|[Mm]ax(?:imum)? retries"
)
"""How a tool ends that tried in vain; the reason stands at its tries."""

SUMMARY = re.compile(
    r"^\S+ FAILED$|^Root Cause \(first observed failure\):|^Failures:$|\bfailed \(exitcode: \d+\)|^\s+(?:error_file|exitcode|traceback) *: "
    r"|\b(?:return(?:ed|ing)?|exit(?:ed|s|ing)?|ended|finished|completed|terminated|failed|died)\b[^\n]{0,40}\b(?:non-?zero|with)? ?(?:exit|return|status)?[ -]?(?:status|code)[ :=]{0,3}\(?\d*\)?[.\]]?$"
    r"|[Ee]xited with exit code \d+|non-zero (?:exit|return|status)|^make(?:\[\d+\])?: \*\*\* .{1,120}\] Error \d+$|^srun: (?:error: \S+: tasks? |Job step aborted|Terminating)|^Primary job +terminated normally|^npm (?:ERR!|error) (?:code|errno|Exit status) |^error Command failed with exit code"
)
"""What launchers and build tools say of a child of theirs: that it failed, not why."""

ERROR_LINE = re.compile(
    r"\b(?:\w*[Ee]rrors?|ERRORS?|E[A-Z]{3,}|FATAL|[Ff]atal|\w*[Ff]ail(?:ed|ure)s?|FAILED|\w*Exception|\w+(?:Denied|Expired)|CRITICAL|[Pp]anic(?:ked)?|[Cc]annot|[Cc]ould not|[Uu]nable to|[Cc]an't|[Nn]ot (?:found|available|enough|equal)|[Rr]efused|[Ee]xceeded|[Rr]evoked|[Ee]xpired|[Ii]nvalid|[Mm]issing|[Rr]equired|[Mm]ust|[Tt]oo ?many\w*|[Uu]nauthorized|[Ff]orbidden|[Nn]o (?:such|\w+ found)|"
    r"[Dd]enied|[Aa]bort(?:ed|ing)|[Tt]erminat(?:ed|ing)|[Kk]illed|[Kk]illing|[Oo]om_kill)\b|\*\*\* \w|^[EF]\d{4} |: [EF] \S|\[[EF]\]|: [a-z][^:]{3,60}$"
)
"""What makes a line one that tells of an error, and not one that only mentions its words."""
# Other languages say in one unmistakable line that they end on an error of their own.
OWN_ERROR = re.compile(
    r"^panic: |^goroutine \d+ \[running\]|Exception in thread \"main\" |^thread '[^']{0,60}' panicked at|^Uncaught \w*Error|"
    r"^(?:Type|Reference|Syntax|Range)?Error: .{0,200}$|^ERROR: LoadError|^Execution halted|^Unhandled [Ee]xception|^FATAL(?: ERROR)?: |^fatal: "
)
ANY_ERROR = re.compile(r"^(?:Type|Reference|Syntax|Range)?Error: |^FATAL(?: ERROR)?: |^fatal: ")
"""Of those the ones that tools in any language begin with: they may only repeat what a child of theirs said."""
ERROR_WORD = re.compile(
    r"\b(?:error|fatal|failed|failure|exception|cannot|could not|unable to|aborting|critical|not found|no such|denied|refused|unhandled|uncaught|invalid|revoked|expired|exceeded|timed out|rejected|mismatch|unsupported|not supported)\b(?! ?rate)|^\[[EFC] \d",
    re.IGNORECASE,
)

"""What processes say of GPUs and collectives, and the signals that launchers name.

The words are those of PyTorch, NCCL, gloo, CUDA, JAX, vLLM, SGLang, DeepSpeed, and glibc's signal descriptions.
"""

from __future__ import annotations

from runai_monitor.diagnosis.rules.finding import Role
from runai_monitor.diagnosis.rules.log_sign import LogSign, log_sign


def _signal(number: int, name: str, words: str) -> str:
    """A signal as launchers tell it: by name, in words, by number, or as an exit code of a child."""
    codes = rf"-{number}|{128 + number}"
    return (
        rf"\b{name}\b|(?i:\b{words}\b|\bsignal:? (?:\(?{name}\)?,? ?\(?)?{number}\b)"
        rf"|(?i:(?:exit ?code|exit status|exited with(?: code| status)?|crashed with(?: exit)? code|return(?:ed)? ?code)[ \t]*[:=]? ?\(?)(?:{codes})\b|\*\*\* .{{1,80}}\] Error {128 + number}\b"
    )


_CUDA_OOM = (
    r"(?<!['\"`])(?:CUDA|HIP) out of memory|CUDA error: out of memory|Cuda failure \S* ?'?out of memory|cudaErrorMemoryAllocation"
    r"|CUDA_ERROR_OUT_OF_MEMORY|CUBLAS_STATUS_ALLOC_FAILED|RESOURCE_EXHAUSTED: (?:Out of memory|Failed to allocate)"
    r"|No available memory for the cache blocks|larger than the maximum number of tokens that can be stored in KV cache"
    r"|larger than the available KV cache memory|less than desired GPU memory utilization"
    r"|OOM when allocating tensor .*(?:GPU|gpu)|Not enough memory\. Please try to increase --mem-fraction-static"
    r"|[Nn]ot enough (?:GPU|device) memory|(?:cuda|hip)Malloc\w* failed: out of memory|Out of memory error on GPU \d|CUDA_ERROR_ALLOC|[Ii]nsufficient (?:GPU )?memory for (?:the )?KV cache"
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
    r"|\bbtl_(?:tcp|openib|ofi)\w*[^\n]{0,200}(?:fail|error|unreachable)|\bpml_ucx\w*[^\n]{0,120}(?:fail|[Ee]rror)|\bfi_\w+(?:\(\))? (?:failed|returned|error)|\bmlx5\S*: got completion with error|[Cc]ompletion with error[^\n]{0,60}[Ff]ailed status|\bIBV?_WC_\w*ERR\w*"
    r"|NET/(?:IB|Socket|OFI) ?:? .{0,120}(?:failed|[Ee]rror|timeout)"
)
_ILLEGAL_ACCESS = (
    r"an illegal memory access was encountered|device-side assert triggered|CUDA_ERROR_ILLEGAL_ADDRESS|misaligned address"
    r"|unspecified launch failure|block: \[[\d,]+\], thread: \[[\d,]+\] Assertion [`'].{1,300}[`'] failed|cudaErrorIllegalAddress|cudaErrorAssert"
)

GPU: tuple[LogSign, ...] = (
    log_sign(
        "gpu_hardware_fault", "the GPU reports a hardware fault",
        "have the node drained and the GPU tested; the node's kernel log names the XID (dmesg | grep -i xid)",
        line=r"\bXid \([^)]{0,40}\): (?P<detail>48|63|64|74|79|92|94|95|119|120)\b", beside=True,
        both=r"uncorrectable ECC error|CUDA_ERROR_ECC_UNCORRECTABLE|GPU has fallen off the bus|\bGPU is lost\b|cudaErrorECCUncorrectable|Uncorrectable NVLink error",
    ),
    log_sign(
        "cuda_oom", "GPU memory ran out",
        "reduce the batch size or the sequence length, use gradient checkpointing, sharding or offloading",
        both=_CUDA_OOM, raised=r"^(?:\w+\.)*ResourceExhaustedError\b(?=[\s\S]{0,1500}(?:OOM|[Mm]emory|alloc))(?![\s\S]{0,1500}(?:\b[Cc][Pp][Uu]\b|No space))|^(?:torch\.(?:cuda\.)?|cupy\S*)?OutOfMemoryError\b(?!.*(?:Java|heap|Task was killed))",
        confidence=0.95, through=True,
    ),
    log_sign(
        "cuda_driver_mismatch", "the NVIDIA driver is too old for the image's CUDA",
        "use an image built for the node's driver (nvidia-smi on the node shows the newest CUDA it can run), or have the driver updated",
        both=r"CUDA driver version is insufficient for CUDA runtime version|UNSUPPORTED_PTX_VERSION|SYSTEM_DRIVER_MISMATCH|NVIDIA driver on your system is too old|unsupported display driver / cuda driver combination|"
        r"forward compatibility was attempted on non supported HW|provided PTX was compiled with an unsupported toolchain|"
        r"unsatisfied condition: (?:cuda|driver)\S*|Driver/library version mismatch",
        confidence=0.93,
    ),
    log_sign(
        "no_gpu_visible", "the process sees no GPU",
        "check that the workload asks for a GPU (Run:ai: compute.gpuDevicesRequest) and that the image's framework is built with CUDA",
        both=r"No CUDA GPUs are available|CUDA driver initialization failed, you might not have|no CUDA-capable device is detected|Found no NVIDIA driver on your system|"
        r"Torch not compiled with CUDA enabled|torch\.cuda\.is_available\(\) is False|lib(?:cuda|nvidia-ml)\.so\.1: cannot open shared object file|"
        r"Failed to infer device type|CUDA unknown error - this may be due to an incorrectly set up environment|CUDA_ERROR_NO_DEVICE|"
        r"No visible GPU devices|[Nn]o GPUs? (?:was |were )?(?:found|detected)|Unknown backend:? '?(?:cuda|gpu)|Unable to initialize backend '(?:cuda|gpu)'|No HIP GPUs are available|"
        r"No supported gpu backend found|NVIDIA-SMI has failed because it couldn't communicate|Failed to initialize NVML: (?:Unknown Error|Driver Not Loaded|N/A)|cuInit: UNKNOWN ERROR \(100\)",
        confidence=0.9,
    ),
    log_sign(
        "no_gpu_visible", "the node's GPUs are not ready for CUDA",
        "have the node's fabric manager checked (systemctl status nvidia-fabricmanager): GPUs joined by NVSwitch wait for it",
        both=r"Error 802: |\bsystem not yet initialized|CUDA_ERROR_SYSTEM_NOT_READY|cudaErrorSystemNotReady", confidence=0.85,
    ),
    log_sign(
        "cuda_illegal_access", "a CUDA kernel made an illegal memory access or failed an assertion",
        "run once with CUDA_LAUNCH_BLOCKING=1 to see the operation (Run:ai: environmentVariables); look for labels or indexes out of range",
        both=_ILLEGAL_ACCESS, confidence=0.9, through=True, beside=True,
    ),
    log_sign(
        "shm_exhausted", "shared memory (/dev/shm) is too small",
        "enable large shared memory for the workload (Run:ai: compute.largeShmRequest: true), or use fewer DataLoader workers",
        both=r"killed by signal: Bus error|insufficient shared memory|failed to extend /dev/shm/|out of shared memory|/dev/shm\S*.{0,120}No space left on device|"
        r"No space left on device.{0,60}/dev/shm|unable to (?:write to file </torch_|open shared memory(?!.*Too many open files)|allocate shared memory|mmap \d+ bytes from file </torch_(?!.*Cannot allocate))|"
        r"[Ee]rror while creating shared memory segment",
        line=_signal(7, "SIGBUS", "bus error"),
        confidence=0.92, beside=True,
    ),
    log_sign(
        "nccl_timeout", "a collective operation between ranks timed out",
        "find the rank that stopped first: the others only waited for it",
        "set TORCH_NCCL_TRACE_BUFFER_SIZE=2000 and NCCL_DEBUG=INFO for the next run (Run:ai: environmentVariables)",
        both=_NCCL_TIMEOUT, confidence=0.85, role=Role.FOLLOWS, beside=True,
    ),
    log_sign(
        "nccl_network_error", "the network between ranks failed",
        "check the links of the nodes involved (ibstat, ethtool) and NCCL_SOCKET_IFNAME, NCCL_IB_HCA; rerun with NCCL_DEBUG=INFO",
        both=_NCCL_NETWORK, confidence=0.85, role=Role.FOLLOWS, beside=True, unless=r"\bdev/shm|(?i:shared memory)",
    ),
)  # fmt: skip
# Signals that a launcher names, itself ending with 1.
SIGNALS: tuple[LogSign, ...] = (
    log_sign(
        "segfault", "a segmentation fault",
        "set PYTHONFAULTHANDLER=1 to see where (Run:ai: environmentVariables); suspect native extensions that were built for other versions",
        raised=r"killed by signal: Segmentation fault",
        line=r"(?<!\[signal )(?:" + _signal(11, "SIGSEGV", "segmentation fault") + ")",
        confidence=0.88, beside=True,
    ),
    log_sign(
        "illegal_instruction", "an illegal instruction",
        "the image was built for another processor: rebuild it for the nodes' one (no -march=native)",
        raised=r"killed by signal: Illegal instruction",
        line=_signal(4, "SIGILL", "illegal instruction"), confidence=0.88, beside=True,
    ),
    log_sign(
        "aborted", "the process aborted itself",
        "read the lines before the abort for the failed assertion",
        raised=r"killed by signal: Aborted",
        line=_signal(6, "SIGABRT", "signal: aborted") + r"|Aborted \(core dumped\)|double free or corruption|"
        r"malloc\(\): (?:corrupted|invalid)|terminate called after throwing",
        confidence=0.85, beside=True,
    ),
    log_sign(
        "killed_by_signal", "a process was killed from outside (SIGKILL)",
        "look for memory first: compare what the process used with the container's limit (Run:ai: compute.cpuMemoryLimit)",
        both=r"killed by signal: Killed",
        line=_signal(9, "SIGKILL", "signal: killed") + r"|^(?:\S+: line \d+: +\d+ )?Killed\b",
        confidence=0.6, role=Role.FOLLOWS, beside=True,
    ),
)  # fmt: skip

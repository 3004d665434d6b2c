"""XIDs that the catalogue calls unused on newer GPUs, and the newest: which of them are the hardware's, and which are nobody's."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import Json, crashed, on_node, raised

_SHAPES = raised("RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x8 and 16x4)")
_UNKNOWN = raised("torch.AcceleratorError: CUDA error: unknown error")


def _xid(code: int, said: str = "", *, at: float = -5.1) -> Json:
    """The driver's line as the node's problem detector passes it on."""
    return on_node("XIDError", _line(code, said), at=at)


def _line(code: int, said: str = "") -> str:
    return f"NVRM: Xid (PCI:0000:3b:00): {code}, pid='<unknown>', name=<unknown>{said and ', '}{said}"


CASES: list[LabelledCase] = [
    case(
        "xid-57-memory-interface",
        "gpu_hardware_fault",
        "NVIDIA's table for older GPUs: the memory interface could not be programmed (hardware, driver, memory)",
        crashed(1, _UNKNOWN),
        events=[_xid(57)],
        never=("python_exception", "cuda_illegal_access"),
    ),
    case(
        "xid-58-unstable-memory",
        "gpu_hardware_fault",
        "NVIDIA's table for older GPUs: an unstable memory interface, or an EDC error",
        crashed(1, raised("RuntimeError: CUDA error: unspecified launch failure")),
        events=[_xid(58, "Edc 00000004")],
        never=("python_exception", "cuda_illegal_access"),
        pair="xid-of-whom",
    ),
    case(
        "xid-173-in-the-log",
        "gpu_hardware_fault",
        "a launcher prints the driver's line: the chip-to-chip link is gone (nverror.h of driver 595)",
        crashed(1, f"step 1200 loss 1.83\n[88123.401] {_line(173)}\nhealth check failed, leaving\n"),
        never=("application_error",),
    ),
    case(
        "xid-175-memory-subsystem",
        "gpu_hardware_fault",
        "the driver's name for a system processor that stopped because of the GPU's memory (nverror.h, kernel_gsp.c)",
        crashed(1, _UNKNOWN),
        events=[_xid(175)],
        never=("python_exception",),
    ),
    case(
        "xid-122-and-nothing-else",
        ("gpu_hardware_fault", "insufficient_evidence"),
        "NVIDIA allows hardware and driver for 122: with nothing else known it is the best lead, and no verdict",
        crashed(1, "step 1200 loss 1.83\nstep 1210 loss 1.82\n"),
        events=[_xid(122)],
        never=("application_error",),
        pair="xid-122",
    ),
    case(
        "xid-122-beside-a-bug",
        "python_exception",
        "the flash memory of a GPU holds no tensors: the shapes are the program's own",
        crashed(1, _SHAPES),
        events=[_xid(122)],
        never=("gpu_hardware_fault",),
        pair="xid-122",
    ),
    case(
        "xid-122-printed-beside-a-bug",
        "python_exception",
        "the same, with the driver's line in the pod's own log",
        crashed(1, f"[88123.401] {_line(122)}\nstep 1200 loss 1.83\n{_SHAPES}"),
        never=("gpu_hardware_fault",),
        pair="xid-122",
    ),
    case(
        "xid-125-inforom-beside-oom",
        "cuda_oom",
        "an InfoROM that fails says nothing of memory that a model fills",
        crashed(1, raised("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.")),
        events=[_xid(125)],
        never=("gpu_hardware_fault",),
    ),
    case(
        "xid-56-display-engine",
        "python_exception",
        "an error of the display engine is no fault that a training ends on",
        crashed(1, _SHAPES),
        events=[_xid(56, "CMDre 00000000 00000080 00000005 00000001 00000002")],
        never=("gpu_hardware_fault",),
        pair="xid-of-whom",
    ),
    case(
        "xid-108-after-79",
        "gpu_hardware_fault",
        "what the other GPU of a link reports follows from the one that fell off the bus",
        crashed(1, raised("RuntimeError: CUDA error: unspecified launch failure")),
        events=[
            _xid(108, "NVLink remote translation error: faulted @ 0x7f41_0a000000. Fault is of type FAULT_PDE READ"),
            _xid(79, "GPU has fallen off the bus."),
        ],
        never=("cuda_illegal_access", "python_exception"),
    ),
    case(
        "xid-65-video-encoder",
        ("application_error", "gpu_hardware_fault"),
        "an encoder's exception: NVIDIA allows hardware and driver, and the program only says that encoding failed",
        crashed(1, "[h264_nvenc @ 0x55d0c8] EncodePicture failed!: generic error (20)\nConversion failed!\n"),
        events=[_xid(65, "Ch 00000012")],
        never=("python_exception",),
    ),
]  # fmt: skip

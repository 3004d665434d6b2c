"""XIDs: the numbers by which NVIDIA's driver reports what went wrong on a GPU, what each means, and where texts hold them.

Meanings and actions follow NVIDIA's catalogue (docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html, columns
"Description" and "Resolution Bucket"); those that it calls unused on Ampere and newer GPUs follow its table for older ones
(docs.nvidia.com/deploy/xid-errors, "Failure" and "Causes"), and the newest the driver's own header (open-gpu-kernel-modules,
nverror.h). What is the application's follows the device plugin's list of XIDs that leave a GPU healthy (k8s-device-plugin,
internal/rm/health.go). SXids are NVSwitch's (Fabric Manager User Guide).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

CATALOGUE_PAGE = "https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html"


class Origin(StrEnum):
    """Where the fault lies, as far as the number tells."""

    HARDWARE = "hardware"
    DRIVER = "driver"
    APPLICATION = "application"
    UNCLEAR = "unclear"
    """NVIDIA's catalogue allows the hardware as well as the driver or the program."""
    FOLLOWS = "follows"
    """What the driver does after another error."""


class Gravity(IntEnum):
    """What it means for the work on the GPU."""

    NOTICE = 0
    """Work goes on."""
    WARNING = 1
    """The process ended or may; the GPU can be used."""
    FATAL = 2
    """The GPU cannot be used before somebody acts."""


class Action(StrEnum):
    """What NVIDIA advises to do first."""

    NONE = "nothing is to be done for this one alone"
    FOLLOW = "look for the XID that came before it: this one is the driver's clean-up"
    RESTART = "start the workload again; if it comes back on the same GPU, have that GPU tested"
    CHECK_PROGRAM = "debug the program first (compute-sanitizer, CUDA_LAUNCH_BLOCKING=1); it is the hardware only if other programs fail on that GPU too"
    RESET_SOON = "the GPU heals itself at its next reset: have the node drained and the GPU reset when convenient"
    RESET = "have the node drained and the GPU reset (nvidia-smi --gpu-reset); if it comes back, have the GPU replaced"
    REBOOT = (
        "have the node drained and restarted; check power, seating and PCIe, and have the GPU replaced if it comes back"
    )
    CHECK_BOARD = "have the GPU's power cables and seating checked"
    CHECK_LINK = (
        "have the node drained and the NVLink or NVSwitch links checked (nvidia-smi nvlink -s, Fabric Manager's log)"
    )
    UPDATE = "have the driver and firmware updated"
    SUPPORT = "have the GPU's vendor look at it, with what nvidia-bug-report.sh collects (NVIDIA names no other remedy); keep long jobs off it until then"


@dataclass(frozen=True, slots=True)
class Xid:
    """One number of the catalogue."""

    code: int
    meaning: str
    origin: Origin
    gravity: Gravity
    action: Action

    @property
    def source(self) -> str:
        """Where NVIDIA describes it."""
        return f"{CATALOGUE_PAGE}: XID {self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One XID as a text reports it. `fatal` is what the text itself says of an SXid, `process` the one it names."""

    xid: Xid
    switch: bool = False
    pci: str | None = None
    gpu: str | None = None
    process: str | None = None

    @property
    def name(self) -> str:
        """`XID 79`, `SXid 20034`."""
        return f"{'SXid' if self.switch else 'XID'} {self.xid.code}"

    @property
    def device(self) -> str:
        """The GPU by what is known of it, as harmless words; empty when nothing is."""
        return ", ".join(filter(None, (self.gpu, f"PCI {self.pci}" if self.pci else None)))


_H, _D, _A, _U, _F = Origin.HARDWARE, Origin.DRIVER, Origin.APPLICATION, Origin.UNCLEAR, Origin.FOLLOWS
_N, _W, _X = Gravity.NOTICE, Gravity.WARNING, Gravity.FATAL

_CATALOGUE = (
    Xid(8, "the GPU stopped processing", _U, _W, Action.RESTART),
    Xid(11, "an invalid or corrupted push buffer", _A, _W, Action.CHECK_PROGRAM),
    Xid(13, "a graphics engine exception: as a rule an illegal instruction or access of the program", _A, _W, Action.CHECK_PROGRAM),
    Xid(18, "bus mastering was switched off in the GPU's PCI configuration", _D, _W, Action.UPDATE),
    Xid(25, "an invalid or illegal push buffer", _A, _W, Action.CHECK_PROGRAM),
    Xid(26, "the GPU's memory did not answer in time", _D, _W, Action.UPDATE),
    Xid(31, "a GPU memory page fault: as a rule an illegal address of the program", _A, _W, Action.CHECK_PROGRAM),
    Xid(32, "an invalid or corrupted push buffer (DMA)", _U, _W, Action.CHECK_PROGRAM),
    Xid(37, "a driver firmware error", _D, _N, Action.NONE),
    Xid(38, "a driver firmware error", _D, _N, Action.UPDATE),
    Xid(43, "the GPU stopped processing for a program that failed", _A, _W, Action.CHECK_PROGRAM),
    Xid(44, "a graphics engine fault during a context switch", _U, _W, Action.RESTART),
    Xid(45, "a clean-up after an earlier error, or because the process was ended", _F, _N, Action.FOLLOW),
    Xid(46, "the GPU stopped processing", _H, _X, Action.RESET),
    Xid(48, "a double-bit ECC error", _H, _X, Action.RESET),
    Xid(54, "auxiliary power is not connected to the GPU board", _H, _X, Action.CHECK_BOARD),
    Xid(57, "the interface to the GPU's memory could not be set up", _H, _X, Action.SUPPORT),
    Xid(58, "the interface to the GPU's memory is unstable", _H, _X, Action.SUPPORT),
    Xid(60, "a video processor exception", _U, _W, Action.RESTART),
    Xid(61, "an internal micro-controller breakpoint", _H, _X, Action.RESET),
    Xid(62, "an internal micro-controller halt", _H, _X, Action.RESET),
    Xid(63, "a GPU memory page or row was retired or remapped", _H, _W, Action.RESET_SOON),
    Xid(64, "a GPU memory page or row could not be retired or remapped", _H, _X, Action.RESET),
    Xid(66, "an illegal access by the driver", _D, _W, Action.UPDATE),
    Xid(67, "an illegal access by the driver", _D, _W, Action.UPDATE),
    Xid(68, "a video decoder exception", _U, _W, Action.RESTART),
    Xid(69, "a graphics engine class error", _A, _W, Action.CHECK_PROGRAM),
    Xid(74, "an NVLink error", _H, _X, Action.CHECK_LINK),
    Xid(78, "a vGPU could not be started", _D, _X, Action.UPDATE),
    Xid(79, "the GPU has fallen off the bus", _H, _X, Action.REBOOT),
    Xid(80, "corrupted data was sent to the GPU", _U, _W, Action.CHECK_PROGRAM),
    Xid(81, "a fault of the GPU's VGA unit", _H, _W, Action.SUPPORT),
    Xid(92, "a high rate of single-bit ECC errors", _H, _W, Action.RESET_SOON),
    Xid(93, "the wear limit of the GPU's InfoROM was passed", _H, _N, Action.NONE),
    Xid(94, "a contained memory error: the program that used the page was ended", _H, _W, Action.RESET_SOON),
    Xid(95, "an uncontained memory error", _H, _X, Action.RESET),
    Xid(108, "an access over NVLink that the other GPU could not translate, as a rule after its failure", _F, _W, Action.FOLLOW),
    Xid(109, "a context switch timed out", _U, _W, Action.RESET),
    Xid(110, "a security fault", _H, _X, Action.RESET),
    Xid(119, "the GPU's system processor (GSP) does not answer", _H, _X, Action.RESET),
    Xid(120, "an error of the GPU's system processor (GSP)", _H, _X, Action.RESET),
    Xid(121, "an error of the chip-to-chip link", _H, _W, Action.RESET_SOON),
    Xid(122, "the GPU's flash memory could not be read (SPI)", _U, _W, Action.SUPPORT),
    Xid(123, "the GPU's power management unit does not answer", _H, _X, Action.RESET),
    Xid(124, "the GPU's flash memory could not be erased (SPI)", _U, _W, Action.SUPPORT),
    Xid(125, "the GPU's InfoROM, which holds its configuration and error records, failed", _U, _W, Action.SUPPORT),
    Xid(136, "the training of an NVLink link failed", _H, _X, Action.CHECK_LINK),
    Xid(137, "an NVLink privilege error, as a rule after another GPU's failure", _F, _W, Action.FOLLOW),
    Xid(140, "an unrecovered ECC error", _H, _X, Action.RESET),
    Xid(143, "the GPU could not be initialised", _H, _X, Action.RESET),
    *(Xid(code, f"an NVLink error ({unit})", _H, _X, Action.CHECK_LINK) for code, unit in zip(range(144, 151), ("SAW", "RLW", "TLW", "TREX", "NVLPW_CTRL", "NETIR", "MSE"), strict=True)),
    Xid(151, "a key rotation error", _D, _X, Action.REBOOT),
    Xid(154, "the action by which the GPU recovers has changed: another XID tells why", _F, _W, Action.FOLLOW),
    Xid(155, "a software-defined NVLink error", _U, _X, Action.CHECK_LINK),
    Xid(156, "a GPU resource was retired", _H, _W, Action.RESET_SOON),
    Xid(157, "a GPU resource could not be retired", _H, _X, Action.RESET),
    Xid(158, "a fatal timeout of the GPU", _H, _X, Action.RESET),
    Xid(159, "an error on the coherent bus to the CPU (CHI), as a rule after another error", _F, _W, Action.FOLLOW),
    Xid(165, "the power smoothing of the GPU is worn out and off", _H, _N, Action.NONE),
    Xid(166, "unencrypted NVLink traffic in confidential computing", _U, _W, Action.SUPPORT),
    Xid(167, "a fatal PCIe timeout", _H, _X, Action.REBOOT),
    Xid(168, "the GPU lost a part of its memory to errors", _H, _X, Action.RESET),
    Xid(169, "an internal micro-controller halt (SEC2)", _H, _X, Action.RESET),
    Xid(170, "an NVLink interrupt in confidential computing", _U, _W, Action.SUPPORT),
    Xid(171, "an uncorrectable error of GPU memory (DRAM)", _H, _X, Action.RESET),
    Xid(172, "an uncorrectable error of the GPU's caches (SRAM)", _H, _X, Action.RESET),
    Xid(173, "the chip-to-chip link failed for good", _H, _X, Action.SUPPORT),
    Xid(175, "an error of the GPU's memory subsystem, for which its system processor (GSP) stopped answering", _H, _X, Action.SUPPORT),
    Xid(176, "a correctable PCIe error", _H, _N, Action.NONE),
    *(Xid(code, "an invalid or corrupted push buffer", _U, _W, Action.CHECK_PROGRAM) for code in (1, 2, 3, 4, 6, 7, 20, 21, 22)),
    *(Xid(code, "an error of the driver", _D, _W, Action.UPDATE) for code in (9, 12)),
    *(Xid(code, "an internal micro-controller error, as older drivers report it", _D, _W, Action.UPDATE) for code in (33, 59)),
    *(Xid(code, "a semaphore of the GPU timed out or could not be reached", _U, _W, Action.RESTART) for code in (24, 30)),
    *(Xid(code, "an error of the display engine, which computing does not use", _U, _N, Action.NONE) for code in (16, 19, 56, *range(111, 119))),
    *(Xid(code, "a copy engine exception", _U, _W, Action.RESTART) for code in (39, 40, 41, 70, 71, 72, 75, 76, 77, 85, *range(126, 136))),
    *(Xid(code, "a video or image engine exception", _U, _W, Action.RESTART) for code in (27, 28, 29, 34, 35, 36, 42, 47, 65, 73, 82, 83, 84, 86, 88, 89, *range(96, 106), 139, 142)),
    *(Xid(code, "a notice of the driver", _D, _N, Action.NONE) for code in (106, 107, 141, 152, 153, 160, 161, 162, 163, 164)),
)  # fmt: skip
CATALOGUE: dict[int, Xid] = {entry.code: entry for entry in _CATALOGUE}

# What DCGM's checks and NVSentinel's conditions say without a number (dcgm_errors.h); the XID that the same fault has.
_DCGM = {
    "DCGM_FR_VOLATILE_DBE_DETECTED": 48,
    "DCGM_FR_DBE_PENDING_PAGE_RETIREMENTS": 48,
    "DCGM_FR_FAULTY_MEMORY": 48,
    "DCGM_FR_PENDING_PAGE_RETIREMENTS": 63,
    "DCGM_FR_PENDING_ROW_REMAP": 63,
    "DCGM_FR_RETIRED_PAGES_LIMIT": 64,
    "DCGM_FR_ROW_REMAP_FAILURE": 64,
    "DCGM_FR_NVLINK_DOWN": 74,
    "DCGM_FR_NVLINK_ERROR_CRITICAL": 74,
    "DCGM_FR_FALLEN_OFF_BUS": 79,
    "DCGM_FR_VOLATILE_SBE_DETECTED": 92,
    "DCGM_FR_CONTAINED_ERROR": 94,
    "DCGM_FR_UNCONTAINED_ERROR": 95,
}

_PCI = r"(?:PCI:)?(?P<pci>(?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(?:\.[0-7])?)"
_UUID = re.compile(r"\b(?:GPU|MIG)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_ADDRESS = re.compile(r"\bPCI:(?P<pci>(?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(?:\.[0-7])?)")
_DRIVER_LINE = re.compile(rf"\b(?P<kind>S?Xid) \({_PCI}\): (?P<code>\d{{1,5}})\b(?P<said>[^\n]{{0,400}})")
_GPU_AT = re.compile(rf"GPU at {_PCI}: (?P<gpu>GPU-[0-9a-f-]{{36}})")
_PROCESS = re.compile(r"\bname=(?P<name>[\w./-]{1,80})")
# `XidCriticalError: Xid=48 on Device=GPU-…`, `XID 79`, `xid error: 79`, `NvidiaXID79Error`, `XID Errors: 79`.
_NAMED = re.compile(
    r"(?<![A-Za-z])(?:[A-Z][a-z]+)?xid(?:[ _]?errors?)?(?:\(s\)|s)?[ ]?[:=#]?[ ]?(?P<code>\d{1,3})(?!\d)", re.IGNORECASE
)
_ABOUT_GPUS = re.compile(r"[Nn]vidia|NVIDIA|NVRM|\bGPU|DCGM|XidCritical|\bXID\b|\bXid\b")
_OFF_THE_BUS = re.compile(r"GPU[^\n]{0,80}\bhas fallen off the bus|GPUFallenOff")
_BRACKETS = re.compile(r"(?:^|[;\s])\[(?P<codes>\d{1,3}(?:, ?\d{1,3}){0,8})\]|\bErrorCode: ?(?P<code>\d{1,3})\b")
_JSON_CODES = re.compile(r"\"(?P<code>\d{1,3})\": ?true")
_DCGM_CODE = re.compile(r"\bDCGM_FR_[A-Z_]{3,60}")
_SWITCH_FATAL = re.compile(r",\s*Fatal\b")


def reports(text: str) -> list[Report]:
    """The XIDs that a text reports, each once, in its order: the driver's own lines, else as monitors name them."""
    gpus = {_short(match["pci"]): match["gpu"] for match in _GPU_AT.finditer(text)}
    found = [replace(report, gpu=report.gpu or gpus.get(_short(report.pci or ""))) for report in _driver_lines(text)]
    found = found or list(_named(text))
    return list({(report.name, report.pci, report.gpu): report for report in found}.values())


def reports_of_condition(kind: str, text: str) -> list[Report]:
    """The XIDs that a node's condition reports, where its type says XID.

    NVSentinel writes bare numbers in brackets into the message, GKE's device plugin `{"48":true}` into the reason.

    Args:
        kind: the condition's type and reason; `SysLogsXIDError`, or the EKS agent's `NvidiaXID79Error`.
        text: its message.
    """
    found = reports(text)
    if not found and "xid" in kind.lower():
        codes = [
            code for match in _BRACKETS.finditer(text) for code in re.findall(r"\d+", match["codes"] or match["code"])
        ]
        codes = codes or [match["code"] for match in _JSON_CODES.finditer(kind)]
        found = [_report(int(code), text) for code in dict.fromkeys(codes)]
    return found or reports(kind)


def of_code(code: int) -> Xid:
    """The entry of a number; a number that the catalogue lacks is unclear."""
    unknown = Xid(
        code, "an error that NVIDIA's catalogue does not describe", Origin.UNCLEAR, Gravity.WARNING, Action.RESTART
    )
    return CATALOGUE.get(code, unknown)


def gravest(found: Iterable[Report]) -> Report | None:
    """The report that weighs most: hardware before the rest, then by gravity, then the first."""
    return max(found, key=lambda report: (report.xid.origin is Origin.HARDWARE, report.xid.gravity), default=None)


def _driver_lines(text: str) -> Iterator[Report]:
    for match in _DRIVER_LINE.finditer(text):
        process = _PROCESS.search(match["said"])
        name = process["name"] if process else None
        if match["kind"] == "SXid":
            yield Report(xid=_switch(int(match["code"]), match["said"]), switch=True, pci=match["pci"])
        else:
            yield Report(xid=of_code(int(match["code"])), pci=match["pci"], gpu=_uuid(match["said"]), process=name)


def _named(text: str) -> Iterator[Report]:
    for line in text.split("\n"):
        codes = [int(match["code"]) for match in _NAMED.finditer(line)] if _ABOUT_GPUS.search(line) else []
        if not codes and _OFF_THE_BUS.search(line):
            codes = [79]
        codes = codes or [_DCGM[match[0]] for match in _DCGM_CODE.finditer(line) if match[0] in _DCGM]
        for code in codes:
            yield _report(code, line)


def _report(code: int, text: str) -> Report:
    address = _ADDRESS.search(text)
    return Report(xid=of_code(code), pci=address["pci"] if address else None, gpu=_uuid(text))


def _switch(code: int, said: str) -> Xid:
    """An SXid: its number says little, its text whether the fabric survived it."""
    if _SWITCH_FATAL.search(said):
        return Xid(code, "a fatal NVSwitch error", Origin.HARDWARE, Gravity.FATAL, Action.CHECK_LINK)
    return Xid(code, "an NVSwitch error that it recovered from", Origin.HARDWARE, Gravity.NOTICE, Action.NONE)


def _uuid(text: str) -> str | None:
    match = _UUID.search(text)
    return match[0] if match else None


def _short(pci: str) -> str:
    """An address without domain and function: drivers and events write them differently."""
    parts = pci.partition(".")[0].lower().split(":")
    return ":".join(parts[-2:])

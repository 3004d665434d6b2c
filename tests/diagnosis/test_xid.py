"""XIDs: what each number means, and where texts hold them."""

from __future__ import annotations

import pytest

from runai_monitor.diagnosis.xid import (
    CATALOGUE,
    Action,
    Gravity,
    Origin,
    gravest,
    of_code,
    reports,
    reports_of_condition,
)

LONGEST = 16_000
"""Longer texts are cut before a rule sees them."""
GPU = "GPU-b850f46d-d5ea-c752-ddf3-c4453e44d3f7"


@pytest.mark.parametrize(
    "code", [48, 57, 58, 63, 64, 74, 79, 81, 92, 94, 95, 119, 120, 140, 143, *range(144, 151), 173, 175]
)
def test_hardware_is_called_hardware(code: int) -> None:
    """The person who can act on these runs the node, not the program."""
    assert of_code(code).origin is Origin.HARDWARE


@pytest.mark.parametrize("code", [13, 31, 43])
def test_what_the_device_plugin_leaves_to_the_program_is_the_programs(code: int) -> None:
    """Replacing a GPU for an index out of range costs a day and changes nothing."""
    found = of_code(code)
    assert (found.origin, found.action) == (Origin.APPLICATION, Action.CHECK_PROGRAM)


@pytest.mark.parametrize("code", [42, 47, 59, 65, 122, 124, 125, 142])
def test_what_nvidia_leaves_open_stays_open(code: int) -> None:
    """Hardware and driver are both allowed: such a number is a lead, and takes no node out of service by itself."""
    found = of_code(code)
    assert found.origin in {Origin.UNCLEAR, Origin.DRIVER}
    assert found.gravity is Gravity.WARNING


@pytest.mark.parametrize("code", [16, 19, 56, *range(111, 119), 176])
def test_what_computing_does_not_notice_is_a_notice(code: int) -> None:
    """A display that hangs ends no training."""
    assert of_code(code).gravity is Gravity.NOTICE


def test_the_catalogue_says_what_to_do_for_every_number() -> None:
    """An entry is a fact with an advice; a number that follows another one points there."""
    assert len(CATALOGUE) > 100
    for entry in CATALOGUE.values():
        assert entry.meaning
        assert entry.meaning[0].islower() or entry.meaning.startswith(("NV", "SM"))
        assert (entry.action is Action.NONE) <= (entry.gravity is Gravity.NOTICE)
    assert of_code(45).action is Action.FOLLOW
    assert of_code(79).action is Action.REBOOT
    assert of_code(700).origin is Origin.UNCLEAR


@pytest.mark.parametrize(
    ("text", "name", "pci", "gpu"),
    [
        ("NVRM: Xid (PCI:0000:3b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.", "XID 79", "0000:3b:00", None),
        ("[12.3] NVRM: Xid (0000:03:00): 13, Channel 00000001", "XID 13", "0000:03:00", None),
        ("kernel: NVRM: Xid (PCI:0000:1b:00.0): 48, pid=1, name=python3, DBE", "XID 48", "0000:1b:00.0", None),
        (f"XidCriticalError: Xid=48 on Device={GPU}, the device will go unhealthy.", "XID 48", None, GPU),
        (f"XidCriticalError: Xid=79 on Device={GPU}; marking device as unhealthy.", "XID 79", None, GPU),
        (f"NVRM: GPU at PCI:0000:03:00: {GPU}\nNVRM: Xid (PCI:0000:03:00): 62, 2a5b", "XID 62", "0000:03:00", GPU),
        ("Detected XID 94 on GPU 3", "XID 94", None, None),
        ("GPU XID errors: 95", "XID 95", None, None),
        ("DCGM: gpu 2 xid error 64", "XID 64", None, None),
        ("NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.", "XID 79", None, None),
        ("[DCGM_FR_ROW_REMAP_FAILURE] row remap failed on GPU 1", "XID 64", None, None),
        ("nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 20034, Fatal, Link 30 LTSSM Fault Up", "SXid 20034", "0000:c1:00.0", None),
    ],
)  # fmt: skip
def test_a_report_is_read_wherever_it_is_written(text: str, name: str, pci: str | None, gpu: str | None) -> None:
    """The driver, the device plugin, DCGM and monitors each write it in their own way."""
    (found,) = reports(text)
    assert (found.name, found.pci, found.gpu) == (name, pci, gpu)


@pytest.mark.parametrize(
    "text",
    [
        "postgres: xid 79 committed",
        "GPU job 12: xid 1234567",
        "step 79: loss 0.48",
        "the exid 48 of GPU 3",
        "NVRM: loading NVIDIA UNIX x86_64 Kernel Module 550.54",
        "DCGM_FR_CLOCK_THROTTLE_THERMAL on GPU 79",
        "",
    ],
)
def test_a_number_beside_a_word_is_no_xid(text: str) -> None:
    """A false hardware fault takes a node out of service."""
    assert reports(text) == []


@pytest.mark.parametrize(
    ("kind", "text", "codes"),
    [
        ("SysLogsXIDError", "[79, 45] GPU 0 has problems - RecommendedAction: RESTART_BM", [79, 45]),
        ("SysLogsXIDError", f"ErrorCode:119 PCI:0000:9a:00 GPU_UUID:{GPU} Recommended Action=RESET_GPU;", [119]),
        ("AcceleratedHardwareReady NvidiaXID74Error", "the GPU reported an error", [74]),
        ('XidCriticalError {"48":true,"63":true}', "6e43a052-e544-467b-a972-63d7cd2ce80a", [48, 63]),
        ("GpuMemWatch HardwareFailure", "[7] pages retired", []),
    ],
)
def test_conditions_hold_bare_numbers_only_where_their_type_says_xid(kind: str, text: str, codes: list[int]) -> None:
    """NVSentinel and the agents of clouds write numbers without the word."""
    assert [found.xid.code for found in reports_of_condition(kind, text)] == codes


def test_the_gravest_report_is_hardware_before_its_consequences() -> None:
    """XID 45 comes with every other one, and says nothing."""
    text = "\n".join(f"NVRM: Xid (PCI:0000:3b:00): {code}, pid=7" for code in (45, 31, 94, 79, 45))
    found = reports(text)
    assert [report.xid.code for report in found] == [45, 31, 94, 79]
    worst = gravest(found)
    assert worst is not None
    assert worst.xid.code == 79
    assert gravest([]) is None


def test_a_switch_error_counts_only_when_it_is_fatal() -> None:
    """NVSwitch reports thousands of errors that it recovers from."""
    (fatal,) = reports("nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 12028, Fatal, Link 30")
    (fine,) = reports("nvidia-nvswitch0: SXid (PCI:0000:c1:00.0): 12028, Non-fatal, Link 30")
    assert (fatal.xid.gravity, fine.xid.gravity) == (Gravity.FATAL, Gravity.NOTICE)


def test_a_hostile_text_is_read_in_no_time() -> None:
    """Node events are written by whoever may write them; a pattern must not hang on one."""
    for text in (
        "Xid (PCI:" * 20_000,
        "GPU at " * 20_000,
        "xid " * 40_000,
        "[" + "1, " * 40_000,
        "GPU " + "x" * 200_000,
    ):
        reports(text[:LONGEST])
        reports_of_condition("SysLogsXIDError", text[:LONGEST])

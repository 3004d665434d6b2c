"""GPUs that fail under a workload, by what their nodes and its logs report: XIDs, ECC, NVLink, GPUs that are missing.

Sources: NVIDIA's XID catalogue (`xid.py`); NVSentinel's node conditions (docs.nvidia.com/nvsentinel, integrations); the
node problem detector's plugins of AKS and GKE; the EKS node monitoring agent (`AcceleratedHardwareReady`). What the
process itself says of a GPU is in `log_signs.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from runai_monitor.diagnosis.around import condition_words, event_words, is_bad
from runai_monitor.diagnosis.case import Case, Ended, all_run, ended_badly
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.told import describe_node, neighbours
from runai_monitor.diagnosis.wording import describe_workload, read_log, token
from runai_monitor.diagnosis.xid import Gravity, Origin, Report, gravest, reports, reports_of_condition
from runai_monitor.model.cluster import Pod

_BEFORE, _AFTER = timedelta(minutes=12), timedelta(minutes=3)
"""A rank whose peer lost its GPU dies when its collective times out, after ten minutes by default; monitors tell late."""
_LAST_LINES = 80
_GPU = re.compile(r"gpu|nvlink|nvswitch|xid|accelerat|nvidia", re.IGNORECASE)
# The monitor or the plugin that is unwell, not the GPU; and warmth, which only slows it.
_NO_FAULT = re.compile(
    r"connectivity|dcgm(?:error|service)|deviceplugin|thermal|cpuset|maintenance|preflight", re.IGNORECASE
)
_ABOUT_GPUS = re.compile(
    r"cuda|nccl|gpu|cublas|cudnn|nvml|\becc\b|\bxid\b|processgroup|collective|rank \d", re.IGNORECASE
)
_PLAIN_ENDS = frozenset({None, "Error", "Unknown", "ContainerStatusUnknown"})
"""Ends that say nothing of their reason."""
_SURE = 0.8
CONTAINED = 94
"""The one XID that leaves the GPU usable and ends the process that used the page."""
# Conditions without a number, by their type, reason and message.
_UNNUMBERED = (
    (re.compile(r"double.?bit|\bDBE\b|uncorrect|uncontained|GpuMemWatch|faulty.memory|row.?remap\w* fail", re.IGNORECASE), "an uncorrectable memory (ECC) error"),
    (re.compile(r"nv-?link|nvswitch", re.IGNORECASE), "an NVLink or NVSwitch error"),
    (re.compile(r"missing|count.?mismatch|\blost\b|not found|fallen", re.IGNORECASE), "a GPU that is missing"),
    (re.compile(r"pcie", re.IGNORECASE), "a PCIe error"),
    (re.compile(r"power|pmu", re.IGNORECASE), "a power fault"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a node reports of its GPUs. `lasting` tells that it still holds."""

    node: str
    said: tuple[str, str]
    at: datetime | None
    report: Report | None
    words: str
    lasting: bool

    @property
    def is_hardware(self) -> bool:
        """Whether it is a fault of the hardware that a process can die of."""
        if self.report is None:
            return True
        return self.report.xid.origin is Origin.HARDWARE and self.report.xid.gravity is not Gravity.NOTICE

    @property
    def is_fatal(self) -> bool:
        """Whether the GPU cannot be used before somebody acts."""
        return self.report is None or self.report.xid.gravity is Gravity.FATAL

    @property
    def is_of_program(self) -> bool:
        """Whether it is as a rule the program's."""
        return self.report is not None and self.report.xid.origin is Origin.APPLICATION


def find(case: Case) -> Iterator[Finding]:
    """Hardware faults that fit the time and node of a pod that suffers; what the driver blames on the program, as a hint."""
    ends = ended_badly(case)
    for ended in ends:
        yield from _in_log(case, ended)
    for pod in case.pods:
        if pod.node:
            last = next((ended for ended in reversed(ends) if ended.pod.name == pod.name), None)
            yield from _of_pod(case, pod, last)
    known = {pod.name for pod in case.pods}
    for gone in case.runai_pods:
        if gone.name in known or not gone.node:
            continue
        node = case.around.nodes.get(gone.node)
        if node is not None and node.by_runai and gone.completed_at is None:
            fault = _worst(f for f in faults(case, gone.node) if f.is_hardware and f.is_fatal and f.lasting)
            if fault is not None:
                yield _finding(case, fault, 0.65, Role.HINT, f"pod {token(gone.name)} was placed on it", gone.name, gone.deleted_at)  # fmt: skip
        elif gone.deleted_at is not None:
            fault = _worst(f for f in faults(case, gone.node) if f.is_fatal and _near(f.at, gone.deleted_at))
            if fault is not None:
                yield _finding(case, fault, 0.75, Role.OWN, f"pod {token(gone.name)} was deleted from it", gone.name, gone.deleted_at)  # fmt: skip


def faults(case: Case, node: str) -> list[Fault]:
    """Everything a node reports of its GPUs: events, conditions, and fewer healthy GPUs than it has."""
    found = []
    for event in case.node_events:
        if event.object_kind == "Node" and event.object_name == node:
            report = gravest(reports(f"{event.reason}: {event.message}"))
            if report is not None:
                found.append(Fault(node=node, said=event_words(event), at=event.at, report=report, words=report.xid.meaning, lasting=False))  # fmt: skip
    known = case.around.nodes.get(node)
    if known is None:
        return found
    for condition in known.conditions:
        kind = f"{condition.type} {condition.reason or ''}"
        if not is_bad(condition) or condition.status == "Unknown" or not _GPU.search(kind) or _NO_FAULT.search(kind):
            continue
        report = gravest(reports_of_condition(kind, condition.message or ""))
        told = f"{kind} {condition.message or ''}"
        words = report.xid.meaning if report else next((w for p, w in _UNNUMBERED if p.search(told)), None)
        if words is not None:
            found.append(Fault(node=node, said=condition_words(known, condition), at=condition.changed_at, report=report, words=words, lasting=True))  # fmt: skip
    return found


def _of_pod(case: Case, pod: Pod, last: Ended | None) -> Iterator[Finding]:
    told = faults(case, pod.node or "")
    end = last.end.finished_at if last is not None else None
    hardware = [fault for fault in told if fault.is_hardware]
    close = _worst(fault for fault in hardware if _near(fault.at, end))
    refused = pod.reason == "UnexpectedAdmissionError"
    if last is not None and close is not None:
        sure = _sureness(close, last)
        role = Role.OWN if sure >= _SURE else Role.HINT
        yield _finding(case, close, sure, role, f"{last.place} ended at that time", pod.name, close.at)
    elif (last is not None or refused) and (fault := _worst(f for f in hardware if f.is_fatal and _holds(f, end))):
        role, sure = (Role.OWN, 0.85) if refused else (Role.HINT, 0.68)
        what = f"pod {token(pod.name)} was refused by it" if refused else f"{last.place if last else ''} ran there"
        yield _finding(case, fault, sure, role, what, pod.name, pod.created_at if refused else end)
    elif last is None and all_run(pod) and (fault := _worst(f for f in hardware if f.is_fatal and _during(f.at, pod))):
        yield _finding(case, fault, 0.6, Role.HINT, f"pod {token(pod.name)} runs there", pod.name, fault.at)
    elif last is not None and not told:
        yield from _fewer_gpus(case, pod, last)
    unclear = next((fault for fault in told if _is_open(fault.report) and _near(fault.at, end)), None)
    if last is not None and close is None and unclear is not None:
        yield _unclear(case, unclear, last)
    program = next((fault for fault in told if fault.is_of_program and _near(fault.at, end)), None)
    if last is not None and program is not None and last.end.reason != "OOMKilled":
        yield _of_program(case, program, last)


def _sureness(fault: Fault, last: Ended) -> float:
    """How likely a run ended of a fault at its time: its own last words may tell of something else."""
    deadly = fault.is_fatal or (fault.report is not None and fault.report.xid.code == CONTAINED)
    if not deadly or last.end.reason not in _PLAIN_ENDS:
        return 0.55
    if last.log is None or not last.log.fatal_raised:
        return 0.9
    said = " ".join(raised.words for raised in last.log.fatal_raised) + last.log.tail(20)
    return 0.9 if _ABOUT_GPUS.search(said) else 0.62


def _in_log(case: Case, ended: Ended) -> Iterator[Finding]:
    """XIDs in the end of a log: health checks and launchers print the driver's lines."""
    if ended.log is None:
        return
    lines = [line.text for line in ended.log.lines[-_LAST_LINES:]]
    report = gravest(report for line in lines for report in reports(line))
    if (
        report is None
        or report.xid.origin in {Origin.APPLICATION, Origin.FOLLOWS}
        or report.xid.gravity is Gravity.NOTICE
    ):
        return
    quoted = [line for line in lines if any(found.name == report.name for found in reports(line))]
    fault = Fault(node=ended.pod.node or "", said=(f"log of {ended.place}", "\n".join(quoted[-3:])), at=ended.end.finished_at, report=report, words=report.xid.meaning, lasting=False)  # fmt: skip
    if _is_open(report):
        yield _unclear(case, fault, ended)
    else:
        yield _finding(case, fault, 0.96, Role.OWN, f"{ended.place} wrote it before it ended", ended.pod.name, fault.at, strength=Strength.LOG)  # fmt: skip


def _fewer_gpus(case: Case, pod: Pod, last: Ended) -> Iterator[Finding]:
    """The device plugin calls GPUs unhealthy that nobody else complains about."""
    node = case.around.nodes.get(pod.node or "")
    if node is None or node.gpus is None or (node.allocatable_gpus or 0) >= node.gpus or not _uses_gpus(pod):
        return
    healthy = node.allocatable_gpus or 0
    said = f"capacity {node.gpus:g} GPUs, allocatable {healthy:g}"
    fault = Fault(node=node.name, said=(f"GPUs of node {token(node.name)}", said), at=None, report=None, words=f"only {healthy:g} of its {node.gpus:g} GPUs healthy", lasting=True)  # fmt: skip
    yield _finding(case, fault, 0.6, Role.HINT, f"{last.place} ended there", pod.name, last.end.finished_at)


def _finding(
    case: Case,
    fault: Fault,
    confidence: float,
    role: Role,
    link: str,
    place: str,
    at: datetime | None,
    *,
    strength: Strength = Strength.NODE,
) -> Finding:
    node, report = token(fault.node) if fault.node else "", fault.report
    where = f" on node {node}" if node else ""
    name = f"{report.name}, {fault.words}" if report else fault.words
    device = f" ({report.device})" if report is not None and report.device else ""
    told = f"node {node} reports" if node and strength is Strength.NODE else "its log holds"
    origin = "" if report is None else " NVIDIA's catalogue counts it as a fault of the hardware."
    others = neighbours(case, fault.node)
    action = report.xid.action.value if report else "have the node drained and its GPUs tested (dcgmi diag -r 3)"
    return Finding(
        cause="gpu_hardware_fault",
        title=f"a GPU failed{where}: {name}",
        confidence=confidence,
        explanation=f"{told[0].upper()}{told[1:]} {name}{device}; {link}.{origin}{others and ' '}{others}",
        evidence_ids=(case.cite(*fault.said, at=fault.at),),
        next_steps=(
            action,
            *(
                (f"keep other pods away from it until then (whoever runs the cluster): kubectl cordon {node}",)
                if node
                else ()
            ),
            describe_node(fault.node) if node else describe_workload(case.workload),
            "start the workload again on another node: nothing of the program failed",
        ),
        strength=strength,
        role=role,
        at=at,
        place=place,
    )


def _unclear(case: Case, fault: Fault, last: Ended) -> Finding:
    """What the driver reports at that time without saying whose fault it is: worth a look, and no verdict."""
    assert fault.report is not None
    name = f"{fault.report.name}, {fault.words}"
    return Finding(
        cause="gpu_hardware_fault",
        title=f"a GPU may have failed: {name}",
        confidence=0.5,
        explanation=f"The driver reports {name} at the time {last.place} ended; NVIDIA's catalogue leaves open whether the hardware, the driver or the program is at fault.",
        evidence_ids=(case.cite(*fault.said, at=fault.at), case.cite_end(last)),
        next_steps=(fault.report.xid.action.value, read_log(last.pod, last.container, previous=last.previous)),
        strength=Strength.NODE if fault.node else Strength.LOG,
        role=Role.HINT,
        at=fault.at,
        place=last.pod.name,
    )


def _of_program(case: Case, fault: Fault, last: Ended) -> Finding:
    """The program's own fault, as the driver tells it: certain only where its last words do not tell of another."""
    assert fault.report is not None
    report, raised = fault.report, last.log.fatal_raised if last.log is not None else []
    agrees = not raised or any(_ABOUT_GPUS.search(item.words) for item in raised)
    return Finding(
        cause="cuda_illegal_access",
        title=f"the GPU stopped the program: {report.name}, {fault.words}",
        confidence=0.85 if agrees else 0.6,
        explanation=f"Node {token(fault.node)} reports {report.name} at the time {last.place} ended; this one is the program's as a rule, and the GPU stays healthy.",
        evidence_ids=(case.cite(*fault.said, at=fault.at), case.cite_end(last)),
        next_steps=(
            report.xid.action.value,
            "run once with CUDA_LAUNCH_BLOCKING=1 to see the operation (Run:ai: environmentVariables)",
            read_log(last.pod, last.container, previous=last.previous),
        ),
        strength=Strength.NODE,
        role=Role.OWN if agrees else Role.HINT,
        at=last.end.finished_at,
        place=last.pod.name,
    )  # fmt: skip


def _is_open(report: Report | None) -> bool:
    """Whether an XID may be the hardware's as well as the driver's or the program's, and can end a process."""
    return report is not None and report.xid.origin in {Origin.UNCLEAR, Origin.DRIVER} and report.xid.gravity > 0


def _worst(found: Iterator[Fault]) -> Fault | None:
    return max(found, key=lambda fault: (fault.is_fatal, fault.report is not None, fault.lasting), default=None)


def _near(at: datetime | None, end: datetime | None) -> bool:
    return at is not None and end is not None and end - _BEFORE <= at <= end + _AFTER


def _holds(fault: Fault, end: datetime | None) -> bool:
    """Whether a fault that was told earlier still held when the run ended: events pass, conditions stay."""
    return fault.lasting and (fault.at is None or end is None or fault.at <= end)


def _during(at: datetime | None, pod: Pod) -> bool:
    return at is not None and pod.started_at is not None and at >= pod.started_at


def _uses_gpus(pod: Pod) -> bool:
    return any(container.gpus for container in pod.containers)

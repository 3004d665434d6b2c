"""Pods that get no place: the scheduler's own breakdown, fragmented GPUs, gangs that do not fit as a whole.

The texts are those of kube-scheduler, of Volcano's gangs and of the Run:ai scheduler (`breakdown.py` names the sources).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runai_monitor.diagnosis import breakdown
from runai_monitor.diagnosis.breakdown import Breakdown, Reason, Room
from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.messages import WAITING_PHASES, Message, Stage, messages
from runai_monitor.diagnosis.rules import citations
from runai_monitor.diagnosis.rules.finding import Finding
from runai_monitor.diagnosis.rules.told import told
from runai_monitor.diagnosis.wording import amount, describe_workload, in_namespace, listed, times, token

_REASONS = re.compile(
    r"FailedScheduling|Unschedulable|SchedulingFailed|SchedulerError|NotEnoughResources|PodGroupUnschedulable|"
    r"Unscheduled|NotReady|NotTriggerScaleUp"
)
_REFUSED = re.compile(r"OutOf\S+|NodeAffinity|TaintToleration")
"""Kubelet's reasons for not admitting a pod that a scheduler had placed."""
_NOT_WHOLE = re.compile(
    r"Job is not ready for scheduling\.[^\n]*?Waiting for (?P<needed>\d+) pods[^,]*, currently (?P<found>\d+) exist"
)


@dataclass(frozen=True, slots=True)
class Obstruction:
    """How a cause that keeps pods from nodes is told: of one alone, of some nodes among others, what to do, and where it is written."""

    title: str
    of_nodes: str
    advice: tuple[str, ...]
    source: str


OBSTRUCTIONS = {
    "insufficient_gpu": Obstruction("not enough free GPUs", "lack free GPUs", ("wait for GPUs, ask for fewer (Run:ai: compute.gpuDevicesRequest), or free some", "kubectl get nodes -o custom-columns='NAME:.metadata.name,GPUS:.status.allocatable.nvidia\\.com/gpu'"), citations.RESOURCES),
    "insufficient_memory": Obstruction("not enough free memory", "lack free memory", ("lower the memory request (Run:ai: compute.cpuMemoryRequest), or wait for room",), citations.RESOURCES),
    "insufficient_cpu": Obstruction("not enough free CPU", "lack free CPU", ("lower the CPU request (Run:ai: compute.cpuCoreRequest), or wait for room",), citations.RESOURCES),
    "volume_zone_conflict": Obstruction("the volume is in another zone than the nodes", "are in another zone than the volume", ("use nodes of the volume's zone (Run:ai: nodePools, nodeAffinityRequired), or a claim in theirs", "kubectl get nodes -L topology.kubernetes.io/zone"), citations.VOLUME_BINDING),
    "affinity_conflict": Obstruction("pod affinity or spread rules leave no node", "are ruled out by pod affinity or spread rules", ("loosen the workload's pod affinity or spread rules (Run:ai: podAffinity), or wait until the other pods end",), citations.ASSIGNING),
    "node_selector_mismatch": Obstruction("no node matches the workload's node selector or affinity", "do not match the node selector or affinity", ("correct the node type, node pool or affinity (Run:ai: nodeType, nodePools, nodeAffinityRequired)",), citations.ASSIGNING),
    "node_not_ready": Obstruction("the nodes are not ready", "are not ready", ("have the nodes' kubelets and network checked: kubectl get nodes",), citations.TAINTS),
    "node_disk_pressure": Obstruction("the nodes are low on disk", "are low on disk", ("free space on the nodes: kubectl describe nodes",), citations.TAINTS),
    "untolerated_taint": Obstruction("a taint that the workload does not tolerate", "have a taint that is not tolerated", ("choose other nodes (Run:ai: nodePools)",), citations.TAINTS),
}  # fmt: skip


def find(case: Case) -> Iterator[Finding]:
    """Findings from the newest breakdown of a scheduler, while pods wait; from kubelet's refusal of one that was placed."""
    told_of = messages(case)
    refused = next((item for item in told_of if item.kind == "Pod" and _REFUSED.fullmatch(item.reason)), None)
    if refused is not None:
        yield from _obstructions(case, refused)
        return
    if case.workload.phase not in WAITING_PHASES and all(pod.node or pod.pod_phase != "Pending" for pod in case.pods):
        return
    waiting = [item for item in told_of if item.passed < Stage.SCHEDULED]
    for item in reversed(waiting):
        if item.text and (_REASONS.fullmatch(item.reason) or item.of_workload):
            found = list(_obstructions(case, item))
            if found:
                yield from found
                return


def _obstructions(case: Case, message: Message) -> Iterator[Finding]:
    said = breakdown.parse(message.text)
    if not said.reasons and (of_pod := breakdown.parse(message.reason)).reasons:
        said = of_pod  # kubelet's `OutOfcpu`
    yield from _gang(case, message, said)
    lacks_gpus = any(reason.cause == "insufficient_gpu" for reason in said.reasons)
    rooms = said.rooms or (tuple(case.around.rooms) if lacks_gpus else ())
    if breakdown.fragmented(rooms):
        yield _fragmentation(case, message, rooms, counted=not said.rooms)
    shown = _shown(said)
    for place, reason in enumerate(said.reasons[:3]):
        if breakdown.is_passing(reason) and place and reason.cause == "untolerated_taint":
            continue
        yield told(
            case,
            message,
            cause=reason.cause,
            title=_title(case, said, reason),
            confidence=0.92 if place == 0 else 0.6,
            explanation=shown,
            next_steps=(*_advice(case, reason), describe_workload(case.workload)),
            never=said.is_fixed and place == 0,
        )


def _gang(case: Case, message: Message, said: Breakdown) -> Iterator[Finding]:
    """A gang of which a part could be placed; where none could, what is missing is the cause."""
    advice = "wait until the whole gang fits, or start it with fewer workers (Run:ai: distributed.numWorkers)"
    if said.gang is not None and said.gang[0] > 0:
        title = f"{said.gang[0]} of {said.gang[1]} pods could be placed, and they must start together"
    elif (partial := _NOT_WHOLE.search(message.text)) is not None:
        title = f"{partial['found']} of the {partial['needed']} pods that must start together exist"
        advice = "see why the others are not created: their owner's events, a quota of the namespace, a scheduling gate"
    else:
        return
    yield told(
        case,
        message,
        cause="gang_unschedulable",
        title=title,
        confidence=0.9,
        next_steps=(advice, describe_workload(case.workload)),
        never=False,
    )


def _fragmentation(case: Case, message: Message, rooms: tuple[Room, ...], *, counted: bool) -> Finding:
    free = [max(room.free, 0) for room in rooms]
    numbers = f"{sum(free):g} free on {len(free)} nodes, at most {max(free):g} on one, {rooms[0].asked:g} asked for"
    shown = [f"{token(room.node)} {max(room.free, 0):g} of {room.capacity:g}" for room in rooms]
    cited = (case.cite("free GPUs by node, counted from the nodes' pods", "\n".join(shown)),) if counted else ()
    return told(
        case,
        message,
        cause="gpu_fragmentation",
        title=f"enough free GPUs, but not on one node: {numbers}",
        confidence=0.84 if counted else 0.92,
        explanation=f"By node: {listed(shown, 8)}.",
        next_steps=(
            f"ask for at most {max(free):g} GPUs a pod and use more workers, or wait until small workloads of one node end",
            "have the node pool pack workloads (Run:ai: node pool, placement strategy bin-pack)",
            describe_workload(case.workload),
        ),
        evidence_ids=cited,
        never=False,
    )


def _title(case: Case, said: Breakdown, reason: Reason) -> str:
    asked = asked_for(case, reason.cause)
    if said.largest is not None and reason is said.reasons[0]:
        most = f"the largest has {said.largest:g}" if said.largest else "none of the node pool has any"
        return f"no node is large enough: the pod asks for {asked or 'more'}, {most}"
    title = OBSTRUCTIONS[reason.cause].title
    if breakdown.is_passing(reason) and reason.cause == "untolerated_taint":
        title = "the nodes that it may use take no pods now"
    named = [f"{token(key)}{f'={token(value)}' if value else ''}" for key, value in breakdown.taints((reason,))]
    nodes = said.nodes or sum(other.count for other in said.reasons)
    facts = [f"{reason.count} of {nodes} nodes"] if reason.count else []
    facts += [listed(named)] if named else []
    title += f" ({': '.join(facts)})" if facts else ""
    return f"{title}; the pod asks for {asked}" if asked else title


def _shown(said: Breakdown) -> str:
    """The whole breakdown in our words, most limiting first."""
    parts = [f"{r.count} {OBSTRUCTIONS[r.cause].of_nodes}" for r in said.reasons if r.count]
    return f"Of {said.nodes or 'the'} nodes {listed(parts, 8)}." if len(parts) > 1 else ""


def asked_for(case: Case, cause: str) -> str:
    """How much of a resource one pod asks for, in words, by Kubernetes or else by Run:ai; empty when it is not known."""
    of_runai = case.detail.requested if case.detail is not None else None
    pods = [pod for pod in case.pods if pod.node is None] or list(case.pods)
    containers = [container for container in pods[0].containers if not container.init] if pods else []
    if cause == "insufficient_gpu":
        gpus = sum(container.gpus or 0 for container in containers) or (case.workload.gpus or 0)
        return times_of(gpus, "GPU") if gpus else ""
    if cause == "insufficient_cpu":
        cores = sum(amount(container.cpu_request) or 0 for container in containers)
        cores = cores or (of_runai.cpu_request or 0 if of_runai is not None else 0)
        return times_of(cores, "CPU core") if cores else ""
    if cause == "insufficient_memory":
        sizes = [container.memory_request for container in containers if container.memory_request]
        if not sizes and of_runai is not None and of_runai.memory_request:
            sizes = [of_runai.memory_request]
        return f"{listed([token(size) for size in sizes])} of memory" if sizes else ""
    return ""


def times_of(count: float, word: str) -> str:
    """`8 GPUs`, `0.5 GPU`."""
    return times(int(count), word) if count == int(count) else f"{count:g} {word}"


def _advice(case: Case, reason: Reason) -> Sequence[str]:
    steps = OBSTRUCTIONS[reason.cause].advice
    if reason.cause == "node_selector_mismatch":
        selector = next((pod.node_selector for pod in case.pods if pod.node_selector), ())
        labels = ",".join(f"{token(key)}={token(value)}" for key, value in selector)
        if labels:
            return (*steps, f"it asks for nodes labelled {labels}: kubectl get nodes -l {labels}")
        return (*steps, "kubectl get nodes --show-labels")
    if reason.cause == "untolerated_taint":
        show = "kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints"
        if breakdown.is_passing(reason):
            return ("have the nodes brought back (kubectl uncordon, or repair): waiting helps when they return", show)
        named = [f"{token(key)}{f'={token(value)}' if value else ''}" for key, value in breakdown.taints((reason,))]
        tolerate = f"tolerate {listed(named)}" if named else "tolerate the taint"
        return (f"{tolerate} (Run:ai: tolerations), if the nodes are meant for it", *steps, show)
    if reason.cause == "volume_zone_conflict":
        claims = [token(name) for pod in case.pods for name in pod.claims]
        where = [in_namespace(f"kubectl describe pvc {name}", case.workload) for name in dict.fromkeys(claims)]
        return (*steps, *where[:1])
    return steps

"""Pods that get no place, and workloads that lose theirs: the scheduler's own breakdown, quota and preemption.

The texts are those of kube-scheduler (`0/24 nodes are available: …`) and of the Run:ai scheduler, whose open source is
KAI: `NonPreemptibleOverQuota`, `node(s) didn't have enough resources: GPUs`, `was preempted by …`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.messages import WAITING_PHASES, Message, Stage, messages
from runai_monitor.diagnosis.rules.finding import Finding
from runai_monitor.diagnosis.wording import describe_workload, token

_REASONS = re.compile(
    r"FailedScheduling|Unschedulable|SchedulingFailed|SchedulerError|NotEnoughResources|PodGroupUnschedulable|OutOf\S+|"
    r"NonPreemptibleOverQuota|OverLimit|Unscheduled"
)
_QUOTA = re.compile(
    r"NonPreemptibleOverQuota|OverLimit|Non-preemptible workload is over quota|quota has reached the allowable limit|"
    r"over (?:its |the )?(?:project|department|node pool)?\s?quota|exceeds? (?:the )?(?:project|department)(?:'s)? quota|"
    r"(?:project|department) quota (?:is )?exceeded",
    re.IGNORECASE,
)
_QUOTA_NUMBERS = re.compile(
    r"requested (?P<asked>[\d.]+) (?P<unit>GPUs|CPU cores|GB)[^,]{0,20}, but (?P<who>[\w .-]{1,80}?) quota is (?P<quota>[\d.]+)[^,]{0,12}"
    r"(?:, while (?P<used>[\d.]+))?"
)
_LIMIT_NUMBERS = re.compile(
    r"Limit is (?P<quota>[\d.]+) (?P<unit>GPUs|cores|GB), currently (?P<used>[\d.]+) \S+ allocated and workload requested (?P<asked>[\d.]+)"
)
_PREEMPTED = re.compile(
    r"\b(?:was|been|were) (?:preempted|reclaimed|consolidated)\b|^(?:preempted|reclaimed) (?:by|in order to|to|for|due)\b|"
    r"minimum required number of pods \(\d+\), evicting|preempting to accommodate a higher priority",
    re.IGNORECASE,
)
_PREEMPTED_REASON = re.compile(r"Preempted|PreemptionByScheduler|PreemptionByKubeScheduler|Reclaimed|Preempting")
_VICTIM = re.compile(r"\b[Pp]od (?:[\w.-]+/)?(?P<pod>[\w.-]+) was (?:preempted|reclaimed)")
_WHY = (
    ("consolidation", re.compile(r"consolidat|bin.?packing", re.IGNORECASE)),
    ("a higher priority workload", re.compile(r"higher priority|PreemptionBy\w*Scheduler", re.IGNORECASE)),
    ("another project's fair share", re.compile(r"reclaim|fair.?share|deserved|uses <.*quota of", re.IGNORECASE)),
    ("a gang that is no longer whole", re.compile(r"minimum required number of pods", re.IGNORECASE)),
)
_GANG = re.compile(
    r"Resources were found for (?P<found>\d+) pods? while (?P<needed>\d+) (?:are|is) required for gang", re.IGNORECASE
)
_PART = re.compile(r"(?:^|[\s:,])(?P<count>\d+) (?P<what>[^,;]*?)(?=, \d|[.;]\s|[.;]?$|\. preemption)", re.MULTILINE)
_NODE_NUMBERS = re.compile(
    r"<(?P<node>[\w.-]{1,120})>:[^<\n]{0,120}GPUs, requested: (?P<asked>[\d.]+), used: (?P<used>[\d.]+), capacity: (?P<capacity>[\d.]+)"
)  # fmt: skip
_CONTROL_PLANE = re.compile(r"node-role\.kubernetes\.io/(?:control-plane|master)")
_PASSING_TAINT = re.compile(
    r"node\.kubernetes\.io/(?:not-ready|unreachable|disk-pressure|memory-pressure|pid-pressure|unschedulable|network-unavailable)"
)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a pod from a node, in the scheduler's words.

    `nearness` tells how near to a place such a node is: the scheduler asks for taints first, then for labels, then for
    resources, so that a node without room has passed the rest.
    """

    cause: str
    title: str
    words: re.Pattern[str]
    nearness: int
    advice: str
    never: bool = False


_OBSTACLES = (
    Obstacle("insufficient_gpu", "not enough free GPUs", re.compile(r"insufficient nvidia\.com/|(?:enough|sufficient)[^.]{0,24}(?:resources?: )?(?:GPUs?\b|nvidia\.com/|GPU memory)|not enough .{0,20}GPU|OutOfnvidia\.com|mig profile", re.IGNORECASE), 4, "wait for GPUs, ask for fewer (Run:ai: compute.gpuDevicesRequest), or free some: runai workload list"),
    Obstacle("insufficient_memory", "not enough free memory", re.compile(r"insufficient memory|enough[^.]{0,24}(?:resources?: )?memory|OutOfmemory"), 4, "lower the memory request (Run:ai: compute.cpuMemoryRequest), or wait for room"),
    Obstacle("insufficient_cpu", "not enough free CPU", re.compile(r"insufficient cpu|enough[^.]{0,24}(?:resources?: )?CPU|OutOfcpu", re.IGNORECASE), 4, "lower the CPU request (Run:ai: compute.cpuCoreRequest), or wait for room"),
    Obstacle("volume_zone_conflict", "the volume is in another zone than the nodes", re.compile(r"volume node affinity conflict|no available volume zone", re.IGNORECASE), 3, "use nodes of the volume's zone, or a claim in theirs", never=True),
    Obstacle("affinity_conflict", "pod affinity or spread rules leave no node", re.compile(r"pod (?:anti-)?affinity|anti-affinity rules|topology spread", re.IGNORECASE), 2, "loosen the workload's pod affinity or spread rules"),
    Obstacle("node_selector_mismatch", "no node matches the workload's node selector or affinity", re.compile(r"didn't match (?:Pod's )?(?:node (?:affinity|selector)|affinity/selector)|node\(s\) didn't match node selector", re.IGNORECASE), 2, "correct the node type, node pool or affinity (Run:ai: nodeType, nodePools, nodeAffinityRequired); kubectl get nodes --show-labels shows the labels there are", never=True),
    Obstacle("untolerated_taint", "the nodes have a taint that the workload does not tolerate", re.compile(r"untolerated taint|had taints? .{0,120}(?:didn't|that the pod didn't) tolerate", re.IGNORECASE), 2, "add the toleration (Run:ai: tolerations), or choose other nodes (nodePools)", never=True),
)  # fmt: skip
_CHANCE = re.compile(r"unschedulable|cordon", re.IGNORECASE)


def find(case: Case) -> Iterator[Finding]:
    """Findings from what schedulers say: at most one obstacle with its companions, quota and preemption."""
    told = messages(case)
    yield from _preempted(case, told)
    if case.workload.phase not in WAITING_PHASES and all(pod.node or pod.pod_phase != "Pending" for pod in case.pods):
        return
    waiting = [item for item in told if item.passed < Stage.SCHEDULED]
    quota = next((item for item in reversed(waiting) if _QUOTA.search(f"{item.reason} {item.text}")), None)
    if quota is not None:
        yield _over_quota(case, quota)
    breakdowns = [item for item in waiting if item.text and (_REASONS.fullmatch(item.reason) or item.of_workload)]
    for item in reversed(breakdowns):
        found = list(_obstacles(case, item))
        if found:
            yield from found
            return


def _obstacles(case: Case, message: Message) -> Iterator[Finding]:
    counted = _counted(message.text, message.reason)
    gang = _GANG.search(message.text)
    if gang is not None and int(gang["found"]) > 0:
        yield _of(case, message, "gang_unschedulable", f"{gang['found']} of {gang['needed']} pods could be placed, and they must start together",
                  0.9, "wait until the whole gang fits, or start it with fewer workers", never=False)  # fmt: skip
    if fragmented := _fragmentation(message.text):
        yield _of(case, message, "gpu_fragmentation", f"enough free GPUs, but not on one node: {fragmented}", 0.9,
                  "use more workers with fewer GPUs each, or have workloads consolidated", never=False)  # fmt: skip
    if not counted:
        return
    ordered = sorted(counted, key=lambda item: (-item[0].nearness, -item[1], _OBSTACLES.index(item[0])))
    nodes = sum(count for _, count in counted)
    sure = 0.92
    for obstacle, count in ordered[:3]:
        shown = (
            f": {count} of {nodes} nodes that were looked at"
            if count and len(counted) > 1
            else f" on {count} nodes"
            if count
            else ""
        )
        asked = (
            f"; the workload asks for {case.workload.gpus:g}"
            if obstacle.cause == "insufficient_gpu" and case.workload.gpus
            else ""
        )
        hopeless = obstacle.never and len(counted) == 1
        yield _of(case, message, obstacle.cause, obstacle.title + shown + asked, sure, obstacle.advice, never=hopeless)
        sure = 0.6


def _counted(text: str, reason: str) -> list[tuple[Obstacle, int]]:
    """The obstacles that a breakdown names, with the nodes each holds for (0 when it gives no numbers)."""
    # What could not be preempted either repeats the same nodes.
    told = re.split(r"\bpreemption: ", text)[0]
    found: dict[str, tuple[Obstacle, int]] = {}
    aside: list[tuple[Obstacle, int]] = []
    for part in _PART.finditer(told):
        obstacle = next((item for item in _OBSTACLES if item.words.search(part["what"])), None)
        if obstacle is None:
            continue
        count = int(part["count"])
        if obstacle.cause == "untolerated_taint" and _CONTROL_PLANE.search(part["what"]):
            aside.append((obstacle, count))
            continue
        if obstacle.cause == "untolerated_taint" and _PASSING_TAINT.search(part["what"]):
            continue
        found[obstacle.cause] = (obstacle, found.get(obstacle.cause, (obstacle, 0))[1] + count)
    if not found and not aside:
        whole = next((item for item in _OBSTACLES if item.words.search(f"{reason} {told}")), None)
        return [(whole, 0)] if whole is not None and not _CHANCE.search(told) else []
    return list(found.values()) or aside[:1]


def _fragmentation(text: str) -> str | None:
    """Whether free GPUs would do if they were on one node, by the numbers of a detailed message; the numbers in words."""
    nodes = [(float(m["capacity"]) - float(m["used"]), float(m["asked"])) for m in _NODE_NUMBERS.finditer(text)]
    if len(nodes) < 2:  # one node is not fragmented
        return None
    asked, free, most = nodes[0][1], sum(node[0] for node in nodes), max(node[0] for node in nodes)
    return (
        f"{free:g} free on {len(nodes)} nodes, at most {most:g} on one, {asked:g} asked for"
        if most < asked <= free
        else None
    )


def _over_quota(case: Case, message: Message) -> Finding:
    numbers = _QUOTA_NUMBERS.search(message.text) or _LIMIT_NUMBERS.search(message.text)
    said, never = "", False
    if numbers is not None:
        asked, quota, used = float(numbers["asked"]), float(numbers["quota"]), numbers["used"]
        never = asked > quota
        unit = numbers["unit"]
        said = f": it asks for {asked:g} {unit}, the quota is {quota:g}" + (
            f" and {float(used):g} are in use" if used else ""
        )
    advice = ["submit it as preemptible to go over quota (Run:ai: preemptibility, or a priority class below 100)"]
    advice += (
        ["ask for less than the quota: as it is, it can never be placed within it"]
        if never
        else ["wait until others of the project end, or have the quota raised"]
    )
    return _of(case, message, "project_over_quota", f"the project is over its quota{said}", 0.93, *advice, never=never)  # fmt: skip


def _preempted(case: Case, told: list[Message]) -> Iterator[Finding]:
    for message in reversed(told):
        if message.passed >= Stage.STARTED or _ran_since(case, message.at):
            continue
        if not (_PREEMPTED_REASON.fullmatch(message.reason) or _PREEMPTED.search(message.text)):
            continue
        victim = _VICTIM.search(message.text)
        if (
            victim is not None
            and not victim["pod"].startswith(case.workload.name)
            and victim["pod"] not in case.pod_names
        ):
            continue  # told to the one that took the place
        why = next((name for name, words in _WHY if words.search(f"{message.reason} {message.text}")), None)
        found = _of(
            case, message, "preempted", f"the scheduler took its resources{f' for {why}' if why else ''}", 0.92,
            "nothing of the workload failed: it runs again when there is room; save checkpoints so that little is lost",
            "to keep its place, submit it as non-preemptible within the project's quota (Run:ai: preemptibility)", never=True,
        )  # fmt: skip
        yield found
        return


def _ran_since(case: Case, at: datetime | None) -> bool:
    """Whether a container of the workload has started after that time: then it has had its place again."""
    runs = [c for pod in case.pods for c in pod.containers if not c.init and not c.ephemeral]
    starts = [c.started_at or (c.ended.started_at if c.ended else None) for c in runs]
    return at is not None and any(start is not None and start > at for start in starts)


def _of(case: Case, message: Message, cause: str, title: str, confidence: float, *advice: str, never: bool) -> Finding:
    return Finding(
        cause=cause,
        title=title,
        confidence=confidence,
        explanation=f"{message.source} says so ({token(message.reason)}).",
        evidence_ids=(case.cite(message.source, message.quoted, at=message.at),),
        next_steps=(*advice, describe_workload(case.workload)),
        strength=message.strength,
        at=message.at,
        place=message.about,
        never=never,
    )

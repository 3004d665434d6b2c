"""A scheduler's own breakdown of why a pod has no place, as counted reasons, the most limiting first.

kube-scheduler: `0/12 nodes are available: 4 Insufficient nvidia.com/gpu, 8 node(s) had untolerated taint {…}. preemption: …`.
The Run:ai scheduler, whose open source is KAI (github.com/NVIDIA/KAI-Scheduler, pkg/scheduler/api: pod_errors.go,
job_errors.go, unschedule_info.go): `no nodes with enough resources were found: 4 node(s) didn't have enough resources:
GPUs. 2 node(s) …`, with a line for each node where detailed errors are on, and `Max GPU resources available in a single
node in the default node-pool is topped at 8`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a pod from a node. `reached` tells that the scheduler asks for it last, of nodes that suit otherwise.

    kube-scheduler asks for taints first, then for labels, then for resources, volumes and other pods; it names for each
    node only the first that fails. `fixed` tells that time does not change it.
    """

    cause: str
    words: re.Pattern[str]
    reached: bool
    fixed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One obstacle with the number of nodes it holds for, 0 when the message gives none, and the words of it."""

    obstacle: Obstacle
    count: int
    words: str

    @property
    def cause(self) -> str:
        """The cause it means."""
        return self.obstacle.cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How full one node is, in the resource that was asked for."""

    node: str
    asked: float
    used: float
    capacity: float

    @property
    def free(self) -> float:
        """What is left."""
        return self.capacity - self.used


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """What a scheduler said.

    `nodes` is how many it looked at, None when it does not tell. `gang` is how many pods of a group could be placed, and
    how many must be. `largest` is the most that a single node has of what is asked for (0: no node has any).
    `rooms` are the nodes' GPUs.
    """

    reasons: tuple[Reason, ...] = ()
    nodes: int | None = None
    gang: tuple[int, int] | None = None
    largest: float | None = None
    rooms: tuple[Room, ...] = ()

    @property
    def is_fixed(self) -> bool:
        """Whether time changes nothing: every node is out of the question, for reasons that do not pass."""
        fixed = [reason.obstacle.fixed and not _PASSING.search(reason.words) for reason in self.reasons]
        return self.largest is not None or (bool(fixed) and all(fixed))


def _obstacle(cause: str, words: str, *, reached: bool = False, fixed: bool = False) -> Obstacle:
    return Obstacle(cause, re.compile(words, re.IGNORECASE), reached, fixed)


_RESOURCES = r"(?:enough|sufficient)[^.:]{0,24}(?:resources?)?:? ?"
OBSTACLES = (
    _obstacle("insufficient_gpu", rf"insufficient (?:nvidia\.com|amd\.com)/|{_RESOURCES}(?:GPUs?\b|GPU memory|nvidia\.com/)|not enough .{{0,20}}GPU|OutOfnvidia\.com|mig profile|No node in the \S+ node-pool has GPU|Max GPU resources", reached=True),
    _obstacle("insufficient_memory", rf"insufficient memory|{_RESOURCES}memory|OutOfmemory|Max memory resources", reached=True),
    _obstacle("insufficient_cpu", rf"insufficient cpu|{_RESOURCES}CPU|OutOfcpu|Max CPU resources", reached=True),
    _obstacle("volume_zone_conflict", r"volume node affinity conflict|no available volume zone|volume zone", reached=True, fixed=True),
    _obstacle("affinity_conflict", r"pod (?:anti-)?affinity|anti-affinity rules|topology spread", reached=True),
    _obstacle("node_selector_mismatch", r"didn't match (?:Pod's )?node (?:affinity|selector)|affinity/selector|MatchNodeSelector|Predicate NodeAffinity failed|node\(s\) didn't match the requested node name", fixed=True),
    _obstacle("node_not_ready", r"node\.kubernetes\.io/(?:not-ready|unreachable|network-unavailable)|node\(s\) were not ready|node has (?:NotReady|NetworkUnavailable) condition"),
    _obstacle("node_disk_pressure", r"node\.kubernetes\.io/disk-pressure|node has DiskPressure condition"),
    _obstacle("untolerated_taint", r"untolerated taint|Predicate (?:TaintToleration|PodToleratesNodeTaints) failed|had taints? .{0,160}(?:didn't|doesn't|does not) tolerate|node\(s\) were unschedulable|node has \S+ condition", fixed=True),
)  # fmt: skip
_AVAILABLE = re.compile(r"\d+/(?P<nodes>\d+) nodes are available:?|resources were found:|resources for the workload:|Scheduling conditions were not met for pod \S+:|due to:")  # fmt: skip
_NEXT = re.compile(r",\s+(?=\d+ )|[.;]\s*(?=\d+ )|\n")
_COUNTED = re.compile(r"\W*(?P<count>\d+) (?P<words>.+)", re.DOTALL)
_ROOM = re.compile(
    r"<(?P<node>[\w.-]{1,120})>:[^<\n]{0,160}?GPUs, requested: (?P<asked>[\d.]+), used: (?P<used>[\d.]+), capacity: (?P<capacity>[\d.]+)"
)  # fmt: skip
_OF_NODE = re.compile(r"<[\w.-]{1,120}>: (?P<words>.+)")
_GANG = re.compile(
    r"Resources were found for (?P<found>\d+) pods? (?:from all sub-groups )?while (?:sub-group \S+ requires )?(?P<needed>\d+)|"
    r"(?P<waiting>\d+)/(?P<members>\d+) tasks in gang unschedulable",
    re.IGNORECASE,
)
_LARGEST = re.compile(r"is topped at (?P<most>[\d.]+)|No node in the \S+ node-pool has (?P<what>\w+)", re.IGNORECASE)
_TAINT = re.compile(r"taints? \{(?P<key>[^:{}\s=]{1,253})(?:[:=] ?(?P<value>[^{}:\s]{1,63}))?")
# Nodes that are not for workloads, and taints that pass when a node recovers: of no use to name before others.
_CONTROL_PLANE = re.compile(r"node-role\.kubernetes\.io/(?:control-plane|master|etcd)")
_PASSING = re.compile(
    r"node\.kubernetes\.io/(?:not-ready|unreachable|\w+-pressure|unschedulable|network-unavailable)|node\(s\) were (?:unschedulable|not ready)|"
    r"node has \S+ condition|ToBeDeleted|uninitialized"
)  # fmt: skip
_GPU_TAINT = re.compile(r"\{(?:nvidia\.com/gpu|amd\.com/gpu|gpu\b|accelerator|[\w.-]*/gpu\b)", re.IGNORECASE)


def parse(text: str) -> Breakdown:
    """The breakdown in a message; empty when it holds none."""
    # What could not be preempted either repeats the same nodes.
    told = re.split(r"\bpreemption: ", text)[0]
    total = [int(match["nodes"]) for match in _AVAILABLE.finditer(told) if match["nodes"]]
    gang = _gang(told)
    largest = _LARGEST.search(told)
    return Breakdown(
        reasons=tuple(_ordered(_grouped(told))),
        nodes=sum(total) or None,
        gang=gang,
        largest=None if largest is None else float(largest["most"] or 0),
        rooms=tuple(
            Room(node=m["node"], asked=float(m["asked"]), used=float(m["used"]), capacity=float(m["capacity"]))
            for m in _ROOM.finditer(told)
        ),
    )


def fragmented(rooms: tuple[Room, ...]) -> bool:
    """Whether what is free would do if it were on one node."""
    if len(rooms) <= 1:
        return False
    asked, free = rooms[0].asked, [max(room.free, 0) for room in rooms]
    return max(free) < asked <= sum(free) and max(room.capacity for room in rooms) >= asked


def taints(reasons: tuple[Reason, ...]) -> list[tuple[str, str | None]]:
    """The taints that a breakdown names: keys with values."""
    found = [(m["key"], m["value"]) for reason in reasons for m in _TAINT.finditer(reason.words)]
    return list(dict.fromkeys(found))


def is_passing(reason: Reason) -> bool:
    """Whether a reason is a node's own trouble, or a node that is not for workloads."""
    return bool(_PASSING.search(reason.words) or _CONTROL_PLANE.search(reason.words))


def _gang(text: str) -> tuple[int, int] | None:
    match = _GANG.search(text)
    if match is None:
        return None
    if match["members"]:
        return int(match["members"]) - int(match["waiting"]), int(match["members"])
    return int(match["found"]), int(match["needed"])


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """The counted parts of every list of reasons, and the lines about single nodes."""
    starts = [match.end() for match in _AVAILABLE.finditer(text)]
    for part in _NEXT.split(text[starts[0] :] if starts else text):
        if inner := _AVAILABLE.search(part):
            part = part[inner.end() :]
        if of_node := _OF_NODE.search(part):
            yield 1, of_node["words"]
        elif counted := _COUNTED.match(part):
            yield int(counted["count"]), counted["words"]


def _grouped(text: str) -> list[Reason]:
    """Reasons by obstacle. Of taints those that pass stand apart: nodes of that kind come back."""
    found: dict[tuple[str, bool], Reason] = {}
    for count, words in _parts(text):
        obstacle = next((item for item in OBSTACLES if item.words.search(words)), None)
        if obstacle is None:
            continue
        reason = Reason(obstacle=obstacle, count=count, words=words)
        key = (obstacle.cause, is_passing(reason))
        known = found.get(key)
        if known is not None:
            reason = Reason(obstacle=obstacle, count=known.count + count, words=f"{known.words}; {words}")
        found[key] = reason
    if found:
        return list(found.values())
    whole = next((item for item in OBSTACLES if item.words.search(text)), None)
    return [Reason(obstacle=whole, count=0, words=text)] if whole is not None else []


def _ordered(reasons: list[Reason]) -> list[Reason]:
    """The most limiting first: what keeps nodes away that suit otherwise, then what most nodes lack.

    GPU nodes that are kept for others leave only nodes without GPUs to lack some.
    """
    kept_for_others = any(_GPU_TAINT.search(reason.words) for reason in reasons)

    def key(reason: Reason) -> tuple[object, ...]:
        reached = reason.obstacle.reached
        if kept_for_others and reason.cause in {"insufficient_gpu", "untolerated_taint"}:
            reached = reason.cause == "untolerated_taint"
        return (is_passing(reason), not reached, -reason.count, OBSTACLES.index(reason.obstacle))

    return sorted(reasons, key=key)

"""What stands around the pods of a case: their nodes, their volume claims, the quotas of their namespace."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from runai_monitor.diagnosis.breakdown import Room
from runai_monitor.diagnosis.wording import token
from runai_monitor.model.cluster import KubeEvent, LimitRange, Node, ResourceQuota, VolumeClaim
from runai_monitor.model.workload import Condition

_GOOD = re.compile(r"(?:Ready|Healthy|Available|OK|Online)$")
"""`Ready`, and the monitoring agents of clouds (`AcceleratedHardwareReady`); all others name a problem."""


@dataclass(slots=True, kw_only=True)
class Around:
    """What was read of it, by name. `gone` and `missing` are the nodes and claims that pods name and the cluster lacks.

    `rooms` are the GPUs of the nodes that take pods, free and used; empty when they were not counted.
    `neighbours` are the other workloads of a node that is not well.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    neighbours: dict[str, list[str]] = field(default_factory=dict)
    claims: dict[str, VolumeClaim] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    claim_events: list[KubeEvent] = field(default_factory=list)
    quotas: list[ResourceQuota] = field(default_factory=list)
    limit_ranges: list[LimitRange] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)


def condition_words(node: Node, condition: Condition) -> tuple[str, str]:
    """A node's condition as it is cited: where from, and what it says."""
    said = f": {condition.reason or ''} {condition.message or ''}".rstrip(" :")
    listed = " in Run:ai's node list" if node.by_runai else ""
    source = f"condition {token(condition.type)} of node {token(node.name)}{listed}"
    return source, f"{condition.type}{'=' if condition.status else ''}{condition.status}{said}"


def event_words(event: KubeEvent) -> tuple[str, str]:
    """An event as it is cited: where from, and what it says."""
    times = f" ({event.count} times)" if event.count > 1 else ""
    source = f"Kubernetes event on {token(event.object_kind)} {token(event.object_name)}"
    return source, f"{event.reason}: {event.message}{times}"


def is_bad(condition: Condition) -> bool:
    """Whether a node's condition tells of trouble: of those that name a good state when they are not true. One without a status tells of none."""
    if _GOOD.search(condition.type):
        return condition.status not in {"True", ""}
    return condition.status == "True"


def is_sick(node: Node) -> bool:
    """Whether a node has trouble of any kind, or fewer healthy GPUs than it has."""
    lacks = node.gpus is not None and (node.allocatable_gpus or 0) < node.gpus
    return lacks or node.cordoned or any(is_bad(condition) for condition in node.conditions)


def condition_of(node: Node, kind: str) -> Condition | None:
    """One of a node's conditions."""
    return next((condition for condition in node.conditions if condition.type == kind), None)

"""Kubernetes' JSON of what pods depend on (nodes, claims, quotas) to `model`; every wire field is optional."""

from __future__ import annotations

import msgspec

from runai_monitor.kube.convert import Amounts, ConditionWire, MetaWire, Wire, gpus_of, instant, quantity
from runai_monitor.model.cluster import LimitLine, LimitRange, Node, QuotaLine, ResourceQuota, Taint, VolumeClaim
from runai_monitor.model.workload import Condition


class TaintWire(Wire):
    """A taint of a node."""

    key: str | None = None
    value: str | None = None
    effect: str | None = None
    time_added: str | None = None


class NodeSpecWire(Wire):
    """The specification of a node."""

    unschedulable: bool | None = None
    taints: list[TaintWire] | None = None


class NodeStatusWire(Wire):
    """The status of a node."""

    capacity: Amounts | None = None
    allocatable: Amounts | None = None
    conditions: list[ConditionWire] | None = None


class NodeWire(Wire):
    """A node."""

    metadata: MetaWire | None = None
    spec: NodeSpecWire | None = None
    status: NodeStatusWire | None = None


class ClaimRequestWire(Wire):
    """What a claim asks for."""

    requests: Amounts | None = None


class ClaimSpecWire(Wire):
    """The specification of a claim."""

    storage_class_name: str | None = None
    access_modes: list[str] | None = None
    volume_name: str | None = None
    resources: ClaimRequestWire | None = None


class ClaimStatusWire(Wire):
    """The status of a claim."""

    phase: str | None = None
    conditions: list[ConditionWire] | None = None


class ClaimWire(Wire):
    """A PersistentVolumeClaim."""

    metadata: MetaWire | None = None
    spec: ClaimSpecWire | None = None
    status: ClaimStatusWire | None = None


class QuotaStatusWire(Wire):
    """The status of a quota."""

    hard: Amounts | None = None
    used: Amounts | None = None


class QuotaWire(Wire):
    """A ResourceQuota."""

    metadata: MetaWire | None = None
    status: QuotaStatusWire | None = None


class LimitWire(Wire):
    """One entry of a LimitRange; `max` and `min` are Kubernetes' words."""

    type: str | None = None
    most: Amounts | None = msgspec.field(default=None, name="max")
    least: Amounts | None = msgspec.field(default=None, name="min")


class LimitRangeSpecWire(Wire):
    """The specification of a LimitRange."""

    limits: list[LimitWire] | None = None


class LimitRangeWire(Wire):
    """A LimitRange."""

    metadata: MetaWire | None = None
    spec: LimitRangeSpecWire | None = None


def node_of(wire: NodeWire) -> Node:
    """A node as `model` has it."""
    meta, spec, status = wire.metadata or MetaWire(), wire.spec or NodeSpecWire(), wire.status or NodeStatusWire()
    allocatable = status.allocatable or {}
    return Node(
        name=meta.name or "",
        conditions=_conditions(status.conditions),
        taints=tuple(
            Taint(
                key=taint.key or "",
                effect=taint.effect or "",
                value=taint.value or None,
                since=instant(taint.time_added),
            )
            for taint in spec.taints or []
        ),
        cordoned=bool(spec.unschedulable),
        gpus=gpus_of(status.capacity or {}),
        allocatable_gpus=gpus_of(allocatable),
        allocatable_cpu=quantity(allocatable, "cpu"),
        allocatable_memory=quantity(allocatable, "memory"),
        labels=tuple(sorted((meta.labels or {}).items())),
    )


def claim_of(wire: ClaimWire) -> VolumeClaim:
    """A claim as `model` has it."""
    meta, spec, status = wire.metadata or MetaWire(), wire.spec or ClaimSpecWire(), wire.status or ClaimStatusWire()
    requests = (spec.resources.requests if spec.resources else None) or {}
    return VolumeClaim(
        name=meta.name or "",
        namespace=meta.namespace or "",
        phase=status.phase or "Unknown",
        storage_class=spec.storage_class_name or None,
        size=quantity(requests, "storage"),
        access_modes=tuple(spec.access_modes or ()),
        volume=spec.volume_name or None,
        conditions=_conditions(status.conditions),
    )


def quota_of(wire: QuotaWire) -> ResourceQuota:
    """A quota as `model` has it: a line for each resource it limits."""
    meta, status = wire.metadata or MetaWire(), wire.status or QuotaStatusWire()
    used = status.used or {}
    return ResourceQuota(
        name=meta.name or "",
        namespace=meta.namespace or "",
        lines=tuple(
            QuotaLine(resource=resource, used=quantity(used, resource) or "0", hard=str(hard))
            for resource, hard in sorted((status.hard or {}).items())
        ),
    )


def limit_range_of(wire: LimitRangeWire) -> LimitRange:
    """A LimitRange as `model` has it: a line for each kind of object and resource it limits."""
    meta, spec = wire.metadata or MetaWire(), wire.spec or LimitRangeSpecWire()
    return LimitRange(
        name=meta.name or "",
        namespace=meta.namespace or "",
        lines=tuple(
            LimitLine(
                kind=limit.type or "",
                resource=resource,
                least=quantity(limit.least or {}, resource),
                most=quantity(limit.most or {}, resource),
            )
            for limit in spec.limits or []
            for resource in sorted({*(limit.least or {}), *(limit.most or {})})
        ),
    )


def _conditions(wires: list[ConditionWire] | None) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            type=wire.type or "",
            status=wire.status or "",
            reason=wire.reason,
            message=wire.message,
            changed_at=instant(wire.last_transition_time),
        )
        for wire in wires or []
    )

"""Kubernetes' JSON to `model`. Every wire field is optional; what is not named here is never decoded."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from runai_monitor.model.cluster import (
    Container,
    ContainerPhase,
    KubeEvent,
    Pod,
    PodCondition,
    Termination,
)

# Where controllers write a replica's index, most specific first.
_INDEX_LABELS = (
    "training.kubeflow.org/replica-index",
    "batch.kubernetes.io/job-completion-index",
    "apps.kubernetes.io/pod-index",
)
_ROLE_LABEL = "training.kubeflow.org/replica-type"
_GPU_RESOURCES = ("nvidia.com/gpu", "amd.com/gpu")

Amounts = dict[str, str | int | float]
"""Quantities by resource; JSON writes them as text or as numbers."""


class Wire(msgspec.Struct, rename="camel"):
    """A wire object: camelCase names, unknown fields ignored."""


class OwnerWire(Wire):
    """An owner reference."""

    name: str | None = None
    uid: str | None = None
    controller: bool | None = None


class MetaWire(Wire):
    """Object metadata."""

    name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    owner_references: list[OwnerWire] | None = None


class EndedWire(Wire):
    """A terminated state."""

    exit_code: int | None = None
    signal: int | None = None
    reason: str | None = None
    message: str | None = None
    started_at: str | None = None
    finished_at: str | None = None


class WaitingWire(Wire):
    """A waiting state."""

    reason: str | None = None
    message: str | None = None


class RunningWire(Wire):
    """A running state."""

    started_at: str | None = None


class StateWire(Wire):
    """One of the three."""

    waiting: WaitingWire | None = None
    running: RunningWire | None = None
    terminated: EndedWire | None = None


class ContainerStatusWire(Wire):
    """The status of a container."""

    name: str | None = None
    ready: bool | None = None
    restart_count: int | None = None
    image: str | None = None
    state: StateWire | None = None
    last_state: StateWire | None = None


class ResourcesWire(Wire):
    """Requests and limits, quantities of any JSON type."""

    limits: Amounts | None = None
    requests: Amounts | None = None


class ContainerSpecWire(Wire):
    """The specification of a container."""

    name: str | None = None
    image: str | None = None
    resources: ResourcesWire | None = None


class ConditionWire(Wire):
    """A condition of a pod, a node or a claim."""

    type: str | None = None
    status: str | None = None
    reason: str | None = None
    message: str | None = None
    last_transition_time: str | None = None


class ClaimRefWire(Wire):
    """A volume's reference to a claim."""

    claim_name: str | None = None


class VolumeWire(Wire):
    """A volume of a pod."""

    persistent_volume_claim: ClaimRefWire | None = None


class PodSpecWire(Wire):
    """The specification of a pod."""

    node_name: str | None = None
    node_selector: dict[str, str] | None = None
    volumes: list[VolumeWire] | None = None
    containers: list[ContainerSpecWire] | None = None
    init_containers: list[ContainerSpecWire] | None = None
    ephemeral_containers: list[ContainerSpecWire] | None = None
    image_pull_secrets: list[msgspec.Raw] | None = None


class PodStatusWire(Wire):
    """The status of a pod."""

    phase: str | None = None
    reason: str | None = None
    message: str | None = None
    start_time: str | None = None
    conditions: list[ConditionWire] | None = None
    container_statuses: list[ContainerStatusWire] | None = None
    init_container_statuses: list[ContainerStatusWire] | None = None
    ephemeral_container_statuses: list[ContainerStatusWire] | None = None


class PodWire(Wire):
    """A pod."""

    metadata: MetaWire | None = None
    spec: PodSpecWire | None = None
    status: PodStatusWire | None = None


class InvolvedWire(Wire):
    """What an event is about."""

    kind: str | None = None
    name: str | None = None
    uid: str | None = None


class SeriesWire(Wire):
    """How often an event came."""

    count: int | None = None
    last_observed_time: str | None = None


class SourceWire(Wire):
    """Who wrote an event."""

    component: str | None = None


class EventWire(Wire):
    """An event."""

    metadata: MetaWire | None = None
    involved_object: InvolvedWire | None = None
    type: str | None = None
    reason: str | None = None
    message: str | None = None
    count: int | None = None
    first_timestamp: str | None = None
    last_timestamp: str | None = None
    event_time: str | None = None
    series: SeriesWire | None = None
    source: SourceWire | None = None
    reporting_component: str | None = None


def pod_of(wire: PodWire) -> Pod:
    """A pod as `model` has it."""
    meta, spec, status = wire.metadata or MetaWire(), wire.spec or PodSpecWire(), wire.status or PodStatusWire()
    owner = next((o for o in meta.owner_references or [] if o.controller), None)
    labels = meta.labels or {}
    secrets = None if wire.spec is None else bool(spec.image_pull_secrets)
    return Pod(
        name=meta.name or "",
        namespace=meta.namespace or "",
        uid=meta.uid or "",
        pod_phase=status.phase or "Unknown",
        node=spec.node_name,
        reason=status.reason,
        message=status.message,
        created_at=instant(meta.creation_timestamp),
        started_at=instant(status.start_time),
        deleting=meta.deletion_timestamp is not None,
        workload_name=labels.get("workloadName"),
        owner=owner.name if owner else None,
        owner_uid=owner.uid if owner else None,
        index=_index(labels),
        containers=(
            *_containers(status.init_container_statuses, spec.init_containers, init=True),
            *_containers(status.container_statuses, spec.containers),
            *_containers(status.ephemeral_container_statuses, spec.ephemeral_containers, ephemeral=True),
        ),
        conditions=tuple(_condition(condition) for condition in status.conditions or []),
        image_pull_secrets=secrets,
        claims=tuple(dict.fromkeys(name for volume in spec.volumes or [] if (name := _claim(volume)))),
        node_selector=tuple(sorted((spec.node_selector or {}).items())),
    )


def event_of(wire: EventWire) -> KubeEvent:
    """An event as `model` has it; `at` is the last time it was seen."""
    involved, series = wire.involved_object or InvolvedWire(), wire.series or SeriesWire()
    times = (wire.last_timestamp, series.last_observed_time, wire.event_time, wire.first_timestamp)
    return KubeEvent(
        at=next((found for found in map(instant, times) if found), None),
        type=wire.type or "",
        reason=wire.reason or "",
        message=wire.message or "",
        object_kind=involved.kind or "",
        object_name=involved.name or "",
        object_uid=involved.uid,
        source=(wire.source.component if wire.source else None) or wire.reporting_component,
        count=series.count or wire.count or 1,
    )


def instant(text: str | None) -> datetime | None:
    """An RFC 3339 instant in UTC, or None."""
    if not text:
        return None
    try:
        found = msgspec.convert(text, datetime)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (msgspec.ValidationError, ValueError, OverflowError):
        return None


def _claim(volume: VolumeWire) -> str | None:
    return volume.persistent_volume_claim.claim_name if volume.persistent_volume_claim else None


def quantity(amounts: Amounts, resource: str) -> str | None:
    """One of some amounts, as it was written."""
    found = amounts.get(resource)
    return None if found is None else str(found)


def gpus_of(amounts: Amounts) -> float | None:
    """The whole GPUs among some amounts, None when they name none."""
    for name in _GPU_RESOURCES:
        if name in amounts:
            try:
                return float(amounts[name])
            except ValueError:
                return None
    return None


def _index(labels: dict[str, str]) -> str | None:
    index = next((labels[name] for name in _INDEX_LABELS if name in labels), None)
    role = labels.get(_ROLE_LABEL)
    return f"{role}-{index}" if role and index is not None else index


def _containers(
    statuses: list[ContainerStatusWire] | None,
    specs: list[ContainerSpecWire] | None,
    *,
    init: bool = False,
    ephemeral: bool = False,
) -> list[Container]:
    """Containers with a status; one that has none yet is waiting and says nothing."""
    by_name = {status.name: status for status in statuses or []}
    by_spec = {spec.name: spec for spec in specs or []}
    names = list(dict.fromkeys([*by_spec, *by_name]))
    return [
        _container(by_name.get(name, ContainerStatusWire(name=name)), by_spec.get(name), init=init, ephemeral=ephemeral)
        for name in names
    ]


def _container(
    status: ContainerStatusWire, spec: ContainerSpecWire | None, *, init: bool, ephemeral: bool
) -> Container:
    state, last = status.state or StateWire(), status.last_state or StateWire()
    resources = (spec.resources if spec else None) or ResourcesWire()
    limits, requests = resources.limits or {}, resources.requests or {}
    return Container(
        name=status.name or "",
        phase=_phase(state, known=status.state is not None),
        init=init,
        ephemeral=ephemeral,
        ready=bool(status.ready),
        restarts=status.restart_count or 0,
        image=(spec.image if spec else None) or status.image,
        reason=state.waiting.reason if state.waiting else None,
        message=state.waiting.message if state.waiting else None,
        started_at=instant(state.running.started_at) if state.running else None,
        ended=_ended(state.terminated),
        last_ended=_ended(last.terminated),
        memory_limit=quantity(limits, "memory"),
        memory_request=quantity(requests, "memory"),
        cpu_request=quantity(requests, "cpu"),
        gpus=gpus_of(limits),
    )


def _phase(state: StateWire, *, known: bool) -> ContainerPhase:
    if state.running:
        return ContainerPhase.RUNNING
    if state.terminated:
        return ContainerPhase.TERMINATED
    return ContainerPhase.WAITING if state.waiting or known else ContainerPhase.UNKNOWN


def _ended(wire: EndedWire | None) -> Termination | None:
    if wire is None:
        return None
    return Termination(
        exit_code=wire.exit_code,
        reason=wire.reason,
        message=wire.message,
        signal=wire.signal or None,
        started_at=instant(wire.started_at),
        finished_at=instant(wire.finished_at),
    )


def _condition(wire: ConditionWire) -> PodCondition:
    return PodCondition(
        type=wire.type or "",
        status=wire.status or "",
        reason=wire.reason,
        message=wire.message,
        changed_at=instant(wire.last_transition_time),
    )

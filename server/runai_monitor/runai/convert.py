"""Rows from Run:ai to model types. Pure, and forgiving: an odd value becomes None, never an error."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import lru_cache

from runai_monitor.model.cluster import Node, Taint
from runai_monitor.model.workload import (
    Condition,
    PhaseChange,
    Project,
    ResourceAmounts,
    Workload,
    WorkloadDetail,
    WorkloadEvent,
    WorkloadHistory,
    WorkloadId,
    WorkloadPod,
)
from runai_monitor.runai.wire import Row, WorkloadRow

_ZERO_YEAR = 1  # Go's zero time, 0001-01-01: an instant that was never set
_LONGEST_WORD = 512
"""Twice what Kubernetes allows a name; an image's may be that long."""
_MOST_SHARED = 16_384
"""Words kept once, at most: those of a tenant with more take turns."""
_LATEST = datetime.max.replace(tzinfo=UTC)


def convert_workload(row: WorkloadRow) -> Workload:
    """One row of the workload list; a null phase becomes Run:ai's own word for it, `Unknown`."""
    images = row.images
    return Workload(
        id=WorkloadId(_text(row.id) or ""),
        name=_word(row.name) or "",
        type=_shared(row.type) or "",
        project=_shared(row.project_name) or "",
        namespace=_shared(row.namespace) or "",
        cluster_id=_shared(row.cluster_id) or "",
        phase=_shared(row.phase) or "Unknown",
        phase_reason=_shared(row.phase_reason),
        phase_message=_text(row.phase_message),
        phase_updated_at=parse_instant(row.phase_updated_at),
        created_at=parse_instant(row.created_at),
        deleted_at=parse_instant(row.deleted_at),
        completed_at=parse_instant(row.completed_at),
        submitted_by=_shared(row.submitted_by),
        gpus=_gpus(_object(row.workload_requested_resources)),
        allocated_gpus=_gpus(_object(row.allocated_resources)),
        running_pods=_count(row.running_pods),
        requested_pods=_requested_pods(_object(row.requested_pods)),
        preemptible=_flag(row.preemptible),
        images=_images(images) if isinstance(images, list) else (),
        distributed_framework=_shared(row.distributed_framework),
    )


def convert_detail(row: WorkloadRow, rest: Row) -> WorkloadDetail:
    """What a workload's own endpoint says."""
    actions = _object(rest.get("actionsSupport"))
    environment = _object(rest.get("environmentVariables"))
    return WorkloadDetail(
        workload=convert_workload(row),
        conditions=tuple(_condition(item) for item in _objects(rest.get("conditions"))),
        scheduling_messages=tuple(
            text for item in _objects(rest.get("pendingSchedulingMessages")) if (text := _scheduling_message(item))
        ),
        requested=_amounts(rest.get("workloadRequestedResources")),
        allocated=_amounts(rest.get("allocatedResources")),
        command=_text(rest.get("command")),
        arguments=_text(rest.get("arguments")),
        environment=tuple((name, _text(value) or "") for name, value in environment.items()),
        can_suspend=_flag(actions.get("suspend")),
        can_delete=_flag(actions.get("delete")),
    )


def convert_pod(row: Row, workload_id: WorkloadId) -> WorkloadPod:
    """One pod of a workload; `workload_id` is the one that was asked for."""
    return WorkloadPod(
        name=_word(row.get("name")) or "",
        id=_text(row.get("id")) or "",
        workload_id=WorkloadId(_text(row.get("workloadId")) or workload_id),
        pod_phase=_word(row.get("k8sPhase")) or "Unknown",
        node=_word(row.get("nodeName")),
        containers=tuple(name for item in _objects(row.get("containers")) if (name := _word(item.get("name")))),
        created_at=parse_instant(row.get("createdAt")),
        completed_at=parse_instant(row.get("completedAt")),
        deleted_at=parse_instant(row.get("deletedAt")),
        requested=_amounts(row.get("requestedResources")),
    )


def convert_node(row: Row) -> Node:
    """One node of Run:ai's list. Its conditions come without a status: only the calculated one is taken as such."""
    conditions = [_condition(item) for item in _objects(row.get("conditions"))]
    ready = next((item for item in conditions if item.type == "Ready"), None)
    known = {"Ready": "True", "NotReady": "False"}.get(_text(row.get("status")) or "", "Unknown")
    taints = _objects(row.get("taints"))
    gpus = _object(row.get("gpuInfo"))
    product = _word(gpus.get("gpuType"))
    labels = [("nvidia.com/gpu.product", product)] if product else []
    return Node(
        name=_word(row.get("name")) or "",
        conditions=(
            Condition(
                type="Ready",
                status=known,
                reason=ready.reason if ready is not None else _text(row.get("status")),
                message=ready.message if ready is not None else None,
            ),
            *(item for item in conditions if item is not ready),
        ),
        taints=tuple(
            Taint(
                key=_word(taint.get("key")) or "",
                effect=_word(taint.get("effect")) or "",
                value=_word(taint.get("value")),
            )
            for taint in taints
        ),
        cordoned=any(taint.get("key") == "node.kubernetes.io/unschedulable" for taint in taints),
        labels=tuple(labels),
        by_runai=True,
    )


def convert_event(row: Row) -> WorkloadEvent:
    """One entry of Run:ai's event list."""
    involved = _object(row.get("involvedObject"))
    return WorkloadEvent(
        at=parse_instant(row.get("createdAt")),
        type=_text(row.get("type")) or "",
        reason=_text(row.get("reason")) or "",
        message=_text(row.get("message")) or "",
        source=_text(row.get("source")),
        object_kind=_text(involved.get("kind")),
        object_name=_text(involved.get("name")),
    )


def convert_history(rows: list[Row]) -> WorkloadHistory:
    """History records of both kinds, oldest first: the API promises no order. Unknown kinds are left out."""
    changes: list[PhaseChange] = []
    events: list[WorkloadEvent] = []
    for row in rows:
        at = parse_instant(_object(row.get("meta")).get("creationTimestamp"))
        spec = _object(row.get("spec"))
        update, event = _object(spec.get("phaseUpdate")), _object(spec.get("event"))
        if phase := _word(update.get("phase")):
            changes.append(PhaseChange(at=at, phase=phase, message=_text(update.get("phaseMessage"))))
        if event:
            events.append(convert_event({"createdAt": _object(row.get("meta")).get("creationTimestamp")} | event))
    return WorkloadHistory(
        changes=tuple(sorted(changes, key=lambda change: change.at or _LATEST)),
        events=tuple(sorted(events, key=lambda event: event.at or _LATEST)),
    )


def convert_project(row: Row) -> Project:
    """One project."""
    status = _object(row.get("status"))
    return Project(
        id=_text(row.get("id")) or "",
        name=_word(row.get("name")) or "",
        cluster_id=_text(row.get("clusterId")),
        namespace=_text(status.get("namespace")) or _text(row.get("requestedNamespace")),
    )


def parse_instant(value: object) -> datetime | None:
    """An ISO 8601 text as aware UTC; None when it is none, or the zero instant of a field never set."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    if instant.year <= _ZERO_YEAR:
        return None
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        return None


def _condition(item: Row) -> Condition:
    return Condition(
        type=_text(item.get("type")) or "",
        status=_text(item.get("status")) or "",
        reason=_text(item.get("reason")),
        message=_text(item.get("message")),
        changed_at=parse_instant(item.get("lastTransitionTime")),
    )


def _scheduling_message(item: Row) -> str:
    said = _text(item.get("userMessage")) or _text(item.get("reason")) or _text(item.get("phaseReason")) or ""
    pool = _text(item.get("nodePool"))
    return f"{said} (node pool {pool})" if said and pool else said


def _amounts(value: object) -> ResourceAmounts | None:
    """Requested resources (`{request, limit}` each) or allocated ones (plain values)."""
    amounts = _object(value)
    if not amounts:
        return None
    cpu, memory, gpu_memory = amounts.get("cpu"), amounts.get("cpuMemory"), amounts.get("gpuMemory")
    return ResourceAmounts(
        gpus=_gpus(amounts),
        gpu_memory=_text(_part(gpu_memory, "request")),
        cpu_request=_number(_part(cpu, "request")),
        cpu_limit=_number(_object(cpu).get("limit")),
        memory_request=_text(_part(memory, "request")),
        memory_limit=_text(_object(memory).get("limit")),
    )


def _gpus(amounts: Row) -> float | None:
    gpus = _number(_part(amounts.get("gpu"), "request"))
    if gpus is not None or not amounts.get("extendedResources"):
        return gpus
    # Whole devices may be asked for the Kubernetes way; MIG profiles are named nvidia.com/mig-….
    extended = [
        number
        for item in _objects(amounts.get("extendedResources"))
        if (_text(item.get("resource")) or "").startswith(("nvidia.com/gpu", "nvidia.com/mig-"))
        and (number := _number(item.get("quantity"))) is not None
    ]
    return sum(extended) if extended else None


def _requested_pods(amounts: Row) -> int | None:
    """How many pods are wanted at the same time: the first of what this type of workload states."""
    for name in ("number", "parallelism", "completions", "min"):
        if (count := _count(amounts.get(name))) is not None:
            return count
    return None


def _part(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else value


def _object(value: object) -> Row:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _objects(value: object) -> list[Row]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _text(value: object) -> str | None:
    """Text, or a number as text (ids come as both); anything else and the empty text are None."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def _word(value: object) -> str | None:
    """A name or a single word: one line of what can be seen, however it was made.

    What cannot be seen is replaced, never left out: two names that differ must go on differing, for one of them may be
    outside the limit.
    """
    text = value if isinstance(value, str) and value else _text(value)
    if text is None or (text.isprintable() and len(text) <= _LONGEST_WORD):
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:_LONGEST_WORD])


@lru_cache(maxsize=_MOST_SHARED)
def _shared_word(text: str) -> str | None:
    return _word(text)


def _shared(value: object) -> str | None:
    """A word that many workloads have in common, kept once for all of them: a fleet has few projects and clusters."""
    if value is None:
        return None
    return _shared_word(value) if isinstance(value, str) else _word(value)


def _images(value: list[object]) -> tuple[str, ...]:
    if len(value) == 1 and isinstance(value[0], str):
        return _one_image(value[0])
    return tuple(text for image in value if (text := _shared(image)))


@lru_cache(maxsize=_MOST_SHARED)
def _one_image(image: str) -> tuple[str, ...]:
    return (text,) if (text := _word(image)) else ()


def _number(value: object) -> float | None:
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _count(value: object) -> int | None:
    if type(value) is int:
        return value
    number = _number(value)
    return int(number) if number is not None else None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None

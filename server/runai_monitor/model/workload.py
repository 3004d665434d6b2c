"""Run:ai's side of the world: workloads, their phases, events and history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType

WorkloadId = NewType("WorkloadId", str)

# Run:ai's phases, verbatim from its OpenAPI document. A phase is kept as text, so that one we do not know yet
# costs a branch and never a workload.
STARTING_PHASES = frozenset({"Creating", "Initializing", "Resuming", "Updating"})
ENDING_PHASES = frozenset({"Terminating", "Deleting"})
STOPPED_PHASES = frozenset({"Stopped", "Stopping"})
UNHEALTHY_PHASES = frozenset({"Failed", "Degraded"})
TERMINAL_PHASES = frozenset({"Failed", "Completed", "Stopped"})
PHASES = (
    STARTING_PHASES
    | ENDING_PHASES
    | STOPPED_PHASES
    | UNHEALTHY_PHASES
    | frozenset({"Pending", "Running", "Completed", "Unknown"})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One row of Run:ai's workload list: the few fields that detection compares and people read.

    `project`, `namespace` and `cluster_id` come from the API and are never guessed. Instants are aware UTC.
    `gpus` is what the workload asks for in whole or fractional devices, None when unknown.
    """

    id: WorkloadId
    name: str
    type: str
    project: str
    namespace: str
    cluster_id: str
    phase: str
    phase_reason: str | None = None
    phase_message: str | None = None
    phase_updated_at: datetime | None = None
    created_at: datetime | None = None
    deleted_at: datetime | None = None
    completed_at: datetime | None = None
    submitted_by: str | None = None
    gpus: float | None = None
    allocated_gpus: float | None = None
    running_pods: int | None = None
    requested_pods: int | None = None
    preemptible: bool | None = None
    images: tuple[str, ...] = ()
    distributed_framework: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition of a workload, as Run:ai or Kubernetes reports it."""

    type: str
    status: str
    reason: str | None = None
    message: str | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceAmounts:
    """Requested or allocated resources. CPU in cores; memory as Kubernetes quantities (`64Gi`), verbatim."""

    gpus: float | None = None
    gpu_memory: str | None = None
    cpu_request: float | None = None
    cpu_limit: float | None = None
    memory_request: str | None = None
    memory_limit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadDetail:
    """What one workload's own endpoint adds to its row: read for a diagnosis or a status, never kept for all."""

    workload: Workload
    conditions: tuple[Condition, ...] = ()
    scheduling_messages: tuple[str, ...] = ()
    requested: ResourceAmounts | None = None
    allocated: ResourceAmounts | None = None
    command: str | None = None
    arguments: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    can_suspend: bool | None = None
    can_delete: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadEvent:
    """One entry of Run:ai's event list of a workload: a Kubernetes event that Run:ai kept."""

    at: datetime | None
    type: str
    reason: str
    message: str
    source: str | None = None
    object_kind: str | None = None
    object_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChange:
    """One phase update of a workload's history."""

    at: datetime | None
    phase: str
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadHistory:
    """A workload's history as Run:ai keeps it (further back than Kubernetes keeps events), oldest first."""

    changes: tuple[PhaseChange, ...] = ()
    events: tuple[WorkloadEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadPod:
    """One pod as Run:ai lists it. It has no container states: those live in Kubernetes only."""

    name: str
    id: str
    workload_id: WorkloadId
    pod_phase: str
    node: str | None = None
    containers: tuple[str, ...] = ()
    created_at: datetime | None = None
    completed_at: datetime | None = None
    deleted_at: datetime | None = None
    requested: ResourceAmounts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One Run:ai project."""

    id: str
    name: str
    cluster_id: str | None = None
    namespace: str | None = None

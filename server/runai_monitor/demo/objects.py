"""What the simulated cluster consists of. Values only: a change is a new value, so a journal can keep the old one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

StateKind = Literal["waiting", "running", "terminated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Run:ai project and the namespace that is really its own (not always `runai-<name>`)."""

    id: str
    name: str
    namespace: str
    department: str
    department_id: str
    gpu_quota: float
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """The `state` or `lastState` of a container; which fields matter depends on `kind`, as in Kubernetes."""

    kind: StateKind
    reason: str = ""
    message: str = ""
    exit_code: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What someone submitted: the parts of a workload that do not change while it runs.

    `gpus` and `memory` (a Kubernetes quantity) are per pod. `environment` may hold planted secrets.
    """

    image: str
    command: str
    arguments: str = ""
    replicas: int = 1
    gpus: float = 1
    cpus: float = 8
    memory: str = "64Gi"
    framework: str | None = None
    restart_policy: Literal["Never", "OnFailure", "Always"] = "Never"
    submitted_by: str = "ana.fischer@example.com"
    preemptible: bool = True
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod with its single container, as both APIs see it. `version` is its resourceVersion."""

    name: str
    namespace: str
    uid: str
    workload_id: str
    workload_name: str
    project: str
    index: int
    role: str
    template: Template
    created_at: datetime
    phase: str = "Pending"
    state: ContainerState | None = None
    last_state: ContainerState | None = None
    restarts: int = 0
    node: str | None = None
    ip: str | None = None
    reason: str = ""
    message: str = ""
    scheduling_message: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    deleting_at: datetime | None = None
    deleted_at: datetime | None = None
    version: int = 0

    @property
    def container(self) -> str:
        """The name of its one container, as Run:ai's operators choose it."""
        return "pytorch" if self.template.framework else self.workload_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event, of a pod (`pod_name`) or of the workload itself. `id` is its uid on both APIs."""

    id: str
    at: datetime
    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    source: str
    workload_id: str
    namespace: str
    object_kind: str
    object_name: str
    object_uid: str
    count: int = 1
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEntry:
    """One phase update in a workload's history."""

    at: datetime
    phase: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload of the control plane."""

    id: str
    name: str
    type: str
    project: Project
    template: Template
    phase: str
    created_at: datetime
    phase_updated_at: datetime
    phase_reason: str | None = None
    phase_message: str = ""
    completed_at: datetime | None = None
    deleted_at: datetime | None = None
    history: tuple[PhaseEntry, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class PodChange:
    """One entry of the change journal: `after` is None when the pod was removed, `before` when it was added."""

    version: int
    before: Pod | None
    after: Pod | None

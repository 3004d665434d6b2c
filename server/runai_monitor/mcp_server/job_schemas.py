"""The shapes of results about workloads as they are now; as in `schemas`, names are the contract's."""

from __future__ import annotations

from pydantic import BaseModel, Field

from runai_monitor.mcp_server.schemas import UNTRUSTED, DiagnosisResult, Result, WorkloadRef


class WorkloadResult(BaseModel):
    """One row of the workload list."""

    id: str
    name: str
    project: str
    type: str
    phase: str
    phase_reason: str | None
    phase_updated_at: str | None
    created_at: str | None
    submitted_by: str | None
    gpus: float | None
    running_pods: int | None
    requested_pods: int | None


class WorkloadListResult(Result):
    """One page of workloads."""

    workloads: list[WorkloadResult]
    total: int
    next_offset: int | None


class ContainerResult(BaseModel):
    """One container; `exit_code` and `ended_reason` tell how it ended, now or last time."""

    name: str
    state: str
    init: bool
    ready: bool
    restarts: int
    reason: str | None
    message: str | None = Field(description=UNTRUSTED)
    exit_code: int | None
    ended_reason: str | None
    ended_at: str | None
    image: str | None


class PodResult(BaseModel):
    """One pod; without containers when only Run:ai's list could be read."""

    name: str
    phase: str
    node: str | None
    reason: str | None
    message: str | None = Field(description=UNTRUSTED)
    created_at: str | None
    containers: list[ContainerResult]


class ResourcesResult(BaseModel):
    """Requested or allocated resources; memory as Kubernetes quantities."""

    gpus: float | None
    gpu_memory: str | None
    cpu_request: float | None
    cpu_limit: float | None
    memory_request: str | None
    memory_limit: str | None


class PhaseChangeResult(BaseModel):
    """One entry of the phase history."""

    at: str | None
    phase: str
    message: str | None = Field(description=UNTRUSTED)


class JobStatusResult(Result):
    """One job as it is now."""

    workload: WorkloadRef
    phase: str
    phase_reason: str | None
    phase_message: str | None = Field(description=UNTRUSTED)
    phase_updated_at: str | None
    pods: list[PodResult]
    requested: ResourcesResult | None
    allocated: ResourcesResult | None
    scheduling: list[str] = Field(description=UNTRUSTED)
    history: list[PhaseChangeResult]
    unread: list[str]


class TroubleshootResult(Result, DiagnosisResult):
    """A diagnosis, and of which job."""

    workload: WorkloadRef
    phase: str


class ManageResult(Result):
    """What was done, or would be."""

    action: str
    workload: WorkloadRef
    dry_run: bool
    done: bool
    outcome: str

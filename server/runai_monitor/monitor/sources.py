"""What the monitor needs of its neighbours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from runai_monitor.model.alert import Alert, AlertKind, Transition
from runai_monitor.model.cluster import Node, Pod
from runai_monitor.model.diagnosis import Diagnosis
from runai_monitor.model.monitor import Monitor, MonitorId
from runai_monitor.model.workload import (
    Workload,
    WorkloadDetail,
    WorkloadEvent,
    WorkloadHistory,
    WorkloadId,
    WorkloadPod,
)


class RunaiSource(Protocol):
    """Run:ai."""

    async def scan_workloads(
        self,
        *,
        project: str | None = None,
        phase: str | None = None,
        updated_since: datetime | None = None,
        known: Mapping[WorkloadId, Workload] | None = None,
    ) -> list[Workload]:
        """Every workload that matches; what is as it is in `known` may come back as that very object."""
        ...

    async def get_workload(self, workload_id: WorkloadId) -> WorkloadDetail:
        """One workload; RunaiNotFoundError when it is gone."""
        ...

    async def list_events(self, workload_id: WorkloadId, *, limit: int = 200) -> list[WorkloadEvent]:
        """Its events, newest first."""
        ...

    async def list_pods(self, workload_id: WorkloadId, *, deleted: bool = False) -> list[WorkloadPod]:
        """Its pods by name: what tells whose a pod is when names alone do not."""
        ...

    async def get_history(self, workload_id: WorkloadId) -> WorkloadHistory:
        """Its phases so far, oldest first."""
        ...


class PodChangeLike(Protocol):
    """A change of pods."""

    @property
    def kind(self) -> Literal["listed", "upserted", "removed"]:
        """What happened."""
        ...

    @property
    def pods(self) -> tuple[Pod, ...]:
        """To which pods."""
        ...


class PodWatchLike(Protocol):
    """A stream of pod changes."""

    @property
    def error(self) -> str | None:
        """Why nothing is coming for now, None while all is well."""
        ...

    def changes(self) -> AsyncIterator[PodChangeLike]:
        """Endless; KubeForbiddenError when it is not allowed."""
        ...


class KubeSource(Protocol):
    """Kubernetes."""

    def pod_watch(self, namespace: str | None, *, trim: Callable[[Pod], Pod]) -> PodWatchLike:
        """A watch of one namespace, or of all; `trim` makes of a pod what is kept of it."""
        ...

    async def list_pods(self, namespace: str | None, *, workload_name: str | None = None) -> list[Pod]:
        """Pods now."""
        ...

    async def get_pod(self, namespace: str, name: str) -> Pod:
        """One pod; KubeNotFoundError when it is gone."""
        ...

    async def list_nodes(self) -> list[Node]:
        """All nodes; KubeForbiddenError when they may not be read."""
        ...


class Diagnoses(Protocol):
    """Says why."""

    async def diagnose(self, workload: Workload) -> Diagnosis:
        """The diagnosis of one workload."""
        ...


class AlertSink(Protocol):
    """The store of alerts."""

    async def apply(
        self,
        transitions: Sequence[Transition],
        *,
        channels: Sequence[str],
        route: Callable[[Alert], Sequence[str]] | None = None,
    ) -> list[Alert]:
        """Stores transitions and what follows from them, or raises StoreError."""
        ...

    async def unresolved(self) -> list[Alert]:
        """Alerts that are not resolved."""
        ...

    async def resolved_since(self, since: datetime) -> list[Alert]:
        """Alerts that were resolved since then."""
        ...

    async def last_episodes(self) -> dict[tuple[AlertKind, str], int]:
        """The highest episode by kind and subject."""
        ...


class Baseline(Protocol):
    """What had failed before the first look."""

    async def covered_projects(self) -> dict[str, datetime]:
        """Projects looked at, and when first."""
        ...

    async def cover(self, *, projects: Mapping[str, datetime], failing: Mapping[str, str]) -> None:
        """Notes a first look."""
        ...

    async def failing(self) -> dict[str, str]:
        """Workloads failing since before."""
        ...

    async def forget(self, workload_ids: Sequence[str]) -> None:
        """Healthy since, or gone."""
        ...


class Monitors(Protocol):
    """The store of monitors."""

    async def active(self) -> list[Monitor]:
        """The monitors that run."""
        ...

    async def end_due(self, now: datetime) -> list[Monitor]:
        """Ends those whose time is over."""
        ...

    async def record_poll(
        self,
        monitor_id: MonitorId,
        *,
        at: datetime | None,
        error: str | None,
        error_at: datetime | None,
        next_poll_at: datetime | None,
        workloads: int,
    ) -> None:
        """Notes a poll."""
        ...

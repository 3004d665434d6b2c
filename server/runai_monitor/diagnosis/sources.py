"""What a diagnosis reads from, and how much of it: its readers, and its limits."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Protocol

import anyio

from runai_monitor.clock import Clock
from runai_monitor.model.cluster import KubeEvent, LimitRange, Node, Pod, ResourceQuota, VolumeClaim
from runai_monitor.model.history import AlertHistory
from runai_monitor.model.workload import (
    Workload,
    WorkloadDetail,
    WorkloadEvent,
    WorkloadHistory,
    WorkloadId,
    WorkloadPod,
)


class RunaiReader(Protocol):
    """What a diagnosis reads of Run:ai."""

    async def get_workload(self, workload_id: WorkloadId) -> WorkloadDetail:
        """One workload in detail."""
        ...

    async def list_pods(self, workload_id: WorkloadId, *, deleted: bool = False) -> list[WorkloadPod]:
        """Its pods as Run:ai lists them."""
        ...

    async def list_events(self, workload_id: WorkloadId, *, limit: int = 200) -> list[WorkloadEvent]:
        """Its events, newest first."""
        ...

    async def get_history(self, workload_id: WorkloadId) -> WorkloadHistory:
        """Its phases so far."""
        ...

    async def find_nodes(self, name: str, *, cluster_id: str) -> list[Node]:
        """A node by name, as Run:ai lists it: what is left where Kubernetes does not show nodes."""
        ...


class KubeReader(Protocol):
    """What a diagnosis reads of Kubernetes."""

    async def list_pods(self, namespace: str | None, *, workload_name: str | None = None) -> list[Pod]:
        """Pods by label."""
        ...

    async def get_pod(self, namespace: str, name: str) -> Pod:
        """One pod."""
        ...

    async def list_events(
        self,
        namespace: str,
        *,
        object_name: str | None = None,
        object_uid: str | None = None,
        object_kind: str | None = None,
    ) -> list[KubeEvent]:
        """Events of one object."""
        ...

    async def list_pods_on(self, node: str) -> list[Pod]:
        """The pods of a node."""
        ...

    async def list_node_events(self, name: str) -> list[KubeEvent]:
        """The events of a node."""
        ...

    async def list_nodes(self) -> list[Node]:
        """All nodes."""
        ...

    async def get_node(self, name: str) -> Node:
        """One node."""
        ...

    async def get_claim(self, namespace: str, name: str) -> VolumeClaim:
        """One volume claim."""
        ...

    async def list_quotas(self, namespace: str) -> list[ResourceQuota]:
        """The quotas of a namespace."""
        ...

    async def list_limit_ranges(self, namespace: str) -> list[LimitRange]:
        """What one object of a namespace may ask for."""
        ...

    async def read_log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        tail_lines: int = 100,
        limit_bytes: int = 262_144,
    ) -> str:
        """The end of a log."""
        ...


class HistoryReader(Protocol):
    """What a diagnosis reads of earlier alerts."""

    async def history_of(self, workload: Workload, *, failed_at: datetime, now: datetime) -> AlertHistory:
        """Earlier episodes of one workload, and who else failed within an hour of it."""
        ...


class LiveReader(Protocol):
    """What a diagnosis reads of what is being watched: whoever failed in the same second stands in no store yet."""

    async def __call__(self, workload: Workload, *, failed_at: datetime) -> AlertHistory:
        """The neighbours now, within an hour of `failed_at`; no episodes."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read, and for how long."""

    timeout_seconds: float
    log_tail_lines: int
    log_limit_bytes: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where evidence comes from.

    `kube` is None when no Kubernetes access is configured, `history` when nothing is stored, `live` when nothing is watched.
    """

    runai: RunaiReader
    kube: KubeReader | None
    clock: Clock
    limits: Limits
    history: HistoryReader | None = None
    live: LiveReader | None = None
    one_at_a_time: anyio.CapacityLimiter = dataclasses.field(default_factory=lambda: anyio.CapacityLimiter(1))
    """Of all diagnoses one reads a log."""

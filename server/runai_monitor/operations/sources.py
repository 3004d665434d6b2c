"""What operations ask and tell: the stores, Run:ai, Kubernetes and the rest, each as a small protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from runai_monitor.model.alert import EVERY_ALERT, Alert, AlertFilter, AlertId, AlertKind, AlertState, Change
from runai_monitor.model.audit import AuditEntry
from runai_monitor.model.cluster import Pod
from runai_monitor.model.diagnosis import Diagnosis
from runai_monitor.model.leader import Leader
from runai_monitor.model.monitor import Monitor, MonitorId
from runai_monitor.model.notification import Delivery, DeliveryState
from runai_monitor.model.silence import Silence, SilenceId
from runai_monitor.model.workload import (
    Project,
    Workload,
    WorkloadDetail,
    WorkloadHistory,
    WorkloadId,
    WorkloadPod,
)

OnProgress = Callable[[float, str], Awaitable[None]]
"""Told the share done (0 to 1) and what is being done."""


class Alerts(Protocol):
    """The stored alerts. People may answer them; only the monitor opens and ends them."""

    async def get(self, alert_id: AlertId) -> Alert | None:
        """One alert, or None."""
        ...

    async def transitions(self, alert_id: AlertId) -> Sequence[tuple[datetime, Change, str]]:
        """What happened to one alert and why, oldest first."""
        ...

    async def latest_cursor(self) -> int:
        """The highest cursor given to any alert, 0 when there is none."""
        ...

    async def unresolved(self, *, kind: AlertKind | None = None) -> Sequence[Alert]:
        """Every alert, of one kind if it is given, that is not resolved."""
        ...

    async def count_unresolved(self, *, projects: Sequence[str] | None = None) -> dict[tuple[AlertKind, str, str], int]:
        """How many are not resolved, by kind, status and severity; `projects` None means every project."""
        ...

    async def count_by_state(self) -> dict[AlertState, int]:
        """How many alerts are in each state."""
        ...

    async def list(self, wanted: AlertFilter = EVERY_ALERT, *, limit: int = 50) -> list[Alert]:
        """The first of those that are wanted, in the order of the filter."""
        ...

    async def acknowledge(
        self, alert_id: AlertId, *, author: str, note: str, at: datetime, channels: Sequence[str]
    ) -> tuple[Alert, bool] | None:
        """Notes who takes care of it; the alert and whether that changed it, None when there is no such alert."""
        ...


class Silences(Protocol):
    """The stored silences."""

    async def create(self, silence: Silence, *, at: datetime, replaces: SilenceId | None = None) -> None:
        """Stores it, and ends the one it replaces."""
        ...

    async def expire(self, silence_id: SilenceId, *, author: str, at: datetime) -> Silence | None:
        """Ends one, unless it has ended; None when there is none."""
        ...

    async def get(self, silence_id: SilenceId) -> Silence | None:
        """One silence, or None."""
        ...

    async def active(self, now: datetime) -> Sequence[Silence]:
        """Those that hold now."""
        ...

    async def list(
        self, *, now: datetime, expired: bool = False, pending: bool = True, limit: int = 1000
    ) -> Sequence[Silence]:
        """Silences, those that end last first."""
        ...

    async def count_open(self, now: datetime) -> int:
        """How many have not ended."""
        ...


class Audit(Protocol):
    """The record of who did what."""

    async def append(self, entry: AuditEntry) -> None:
        """Adds one entry."""
        ...


class Monitors(Protocol):
    """The stored monitors."""

    async def start(self, monitor: Monitor, *, author: str = "") -> Monitor:
        """Stores it, or returns the active one of the same scope."""
        ...

    async def stop(self, monitor_id: MonitorId | None, *, at: datetime, author: str = "") -> Sequence[Monitor]:
        """Stops one or (None) all; returns what was stopped."""
        ...

    async def active(self) -> Sequence[Monitor]:
        """The monitors that are running now."""
        ...


class Baseline(Protocol):
    """What had failed before the first look."""

    async def covered_projects(self) -> Mapping[str, datetime]:
        """The projects that were looked at completely, and when first; `*` stands for all of them."""
        ...


class Deliveries(Protocol):
    """The record of what was told to channels."""

    async def counts(self) -> dict[str, dict[DeliveryState, int]]:
        """Channel to state to how many."""
        ...

    async def of_alert(self, alert_id: AlertId) -> list[Delivery]:
        """Every delivery of one alert."""
        ...

    async def last_errors(self) -> dict[str, str]:
        """The latest error of each channel that has a message it did not take."""
        ...

    async def oldest_pending(self) -> dict[str, datetime]:
        """Since when the oldest pending delivery of each channel waits."""
        ...


class DeadLetters(Protocol):
    """The deliveries one by one, and the way back for those that were given up."""

    async def list(
        self,
        *,
        states: Collection[DeliveryState] | None = None,
        channels: Collection[str] | None = None,
        projects: Collection[str] | None = None,
        delivery_id: int | None = None,
        limit: int = 50,
    ) -> list[Delivery]:
        """Deliveries, newest first; None for whichever. Alerts of no project are within all `projects`."""
        ...

    async def replay(self, delivery_ids: Sequence[int], *, author: str, at: datetime) -> set[int]:
        """Begins anew those that are dead letters; returns which were."""
        ...


class Runai(Protocol):
    """The Run:ai control plane."""

    async def page_workloads(
        self,
        *,
        project: str | None = None,
        phase: str | None = None,
        search: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Workload]:
        """One page of workloads."""
        ...

    async def count_workloads(
        self, *, project: str | None = None, phase: str | None = None, search: str | None = None
    ) -> int:
        """How many there are."""
        ...

    async def find_workloads(self, name: str, *, project: str | None = None) -> list[Workload]:
        """Workloads of exactly this name."""
        ...

    async def get_workload(self, workload_id: WorkloadId) -> WorkloadDetail:
        """One workload in detail."""
        ...

    async def list_pods(self, workload_id: WorkloadId, *, deleted: bool = False) -> list[WorkloadPod]:
        """Its pods as Run:ai lists them."""
        ...

    async def get_history(self, workload_id: WorkloadId) -> WorkloadHistory:
        """Its phases so far."""
        ...

    async def list_projects(self) -> list[Project]:
        """Every project the credentials can see."""
        ...

    async def suspend(self, workload: Workload) -> None:
        """Suspends it."""
        ...

    async def resume(self, workload: Workload) -> None:
        """Resumes it."""
        ...

    async def delete(self, workload: Workload) -> None:
        """Deletes it."""
        ...


class Kube(Protocol):
    """Kubernetes, for the container states that Run:ai does not have."""

    async def list_pods(self, namespace: str | None, *, workload_name: str | None = None) -> list[Pod]:
        """Pods of a namespace, optionally of one workload."""
        ...


class Diagnoses(Protocol):
    """Finds out why."""

    async def diagnose(
        self, workload: Workload, *, include_logs: bool = True, on_progress: OnProgress | None = None
    ) -> Diagnosis:
        """The diagnosis of one workload; unreadable sources are named in it."""
        ...


class Outbox(Protocol):
    """Sends through the configured channels."""

    def wake(self) -> None:
        """Something is due: look now."""
        ...

    async def send_test(self, channel: str | None) -> dict[str, str | None]:
        """Channel to error, None for delivered."""
        ...


class Leaders(Protocol):
    """Knows who leads."""

    async def latest(self) -> Leader | None:
        """The process that took the lead last, None when none ever did."""
        ...


class Versioned(Protocol):
    """A database that tells when any process changed it."""

    async def data_version(self) -> int:
        """A number that differs after every commit of any process."""
        ...

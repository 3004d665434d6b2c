"""What the loops share: the world as seen, the book of what was told, and the monitors that run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import anyio

from runai_monitor.model.alert import AlertKind, Transition
from runai_monitor.model.monitor import Monitor, MonitorId
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor.policy import Book
from runai_monitor.monitor.poll import Poller
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.monitor.supervise import Signal

EVERYWHERE = "*"
"""The name under which a first look at all projects is remembered: projects created later are news."""


@dataclass(slots=True, kw_only=True)
class Watched:
    """One monitor as this process runs it. Instants are monotonic.

    `complete`: everything in scope was read once; `examined`: and its suspects looked at; `looked`: and what had
    failed before was put aside, so that anything else is news.
    """

    monitor: Monitor
    poller: Poller
    scope: anyio.CancelScope
    poll_now: Signal
    started: float
    succeeded: float | None = None
    read_from: float = float("-inf")
    """When the last successful poll began: what had changed by then is known."""
    failures: int = 0
    error: str | None = None
    complete: bool = False
    examined: bool = False
    looked: bool = False
    seen: set[WorkloadId] = field(default_factory=set)

    def covers(self, project: str, allowed: tuple[str, ...] | None) -> bool:
        """Whether workloads of this project are in scope."""
        if self.monitor.project is not None:
            return self.monitor.project == project
        return allowed is None or project in allowed


@dataclass(slots=True, kw_only=True)
class State:
    """One engine's state. `gone` holds deleted workloads whose alerts are not resolved yet."""

    snapshot: Snapshot
    changed: Signal
    book: Book = field(default_factory=Book)
    watched: dict[MonitorId, Watched] = field(default_factory=dict)
    covered: dict[str, datetime] = field(default_factory=dict)
    """Projects that were looked at, and when first."""
    unsighted: set[str] = field(default_factory=set)
    """Namespaces whose workloads were first judged without sight of their containers."""
    gone: set[WorkloadId] = field(default_factory=set)
    perished: set[WorkloadId] = field(default_factory=set)
    """Deleted workloads that had failed first, unseen: kept until that was judged and told."""
    being_told: dict[WorkloadId, Transition] = field(default_factory=dict)
    """Workloads whose alerts are being prepared: what was detected in time is told, though its monitor has ended."""
    polls: int = 0

    def watchers_of(self, workload_id: WorkloadId) -> Iterator[Watched]:
        """The monitors that have seen a workload."""
        return (watched for watched in self.watched.values() if workload_id in watched.seen)

    def seen(self) -> set[WorkloadId]:
        """Every workload that any monitor has seen."""
        return set().union(*(watched.seen for watched in self.watched.values()))

    def expected_of(self, watched: Watched, allowed: tuple[str, ...] | None) -> set[WorkloadId]:
        """Workloads in a monitor's scope that must be accounted for: those of open alerts, and old failures."""
        expected = {
            WorkloadId(alert.subject.id)
            for alert in self.book.open.values()
            if alert.subject.id
            and alert.kind is not AlertKind.NODE_UNHEALTHY
            and watched.covers(alert.subject.project, allowed)
        }
        old = set(map(WorkloadId, self.book.baseline))
        # Whose project an old failure belongs to is not noted. Asked once, Run:ai tells which of them are gone.
        return expected | (old if watched.monitor.project is None or not watched.complete else old & watched.seen)

    def first_look_at(self, project: str) -> datetime | None:
        """When a project was first looked at, None when it was not."""
        return min((self.covered[name] for name in (project, EVERYWHERE) if name in self.covered), default=None)

    @property
    def blind(self) -> bool:
        """Whether the alert of blindness is open."""
        return (AlertKind.MONITOR_BLIND, "") in self.book.open

    def forget_unseen(self) -> None:
        """Drops workloads that no monitor sees any more: memory is for what is watched."""
        self.snapshot.drop_workloads(
            set(self.snapshot.workloads) - self.seen() - self.being_told.keys() - self.perished
        )

    def forget_if_unseen(self, workload_id: WorkloadId) -> None:
        """The same for one workload."""
        kept = workload_id in self.being_told or workload_id in self.perished
        if not kept and not any(True for _ in self.watchers_of(workload_id)):
            self.snapshot.drop_workloads([workload_id])

    def part_with(self, workload_id: WorkloadId, failed: Workload | None) -> None:
        """Run:ai says that a workload is deleted; `failed` is how it was before, if that is news to be judged first."""
        if failed is None:
            self.bury(workload_id)
        else:
            self.perished.add(workload_id)
            self.snapshot.put_workloads([failed])

    def bury(self, workload_id: WorkloadId) -> None:
        """Drops a workload that is certainly deleted; what is open about it is resolved at the next evaluation."""
        for watched in self.watched.values():
            watched.seen.discard(workload_id)
        self.snapshot.drop_workloads([workload_id])
        self.perished.discard(workload_id)
        self.gone.add(workload_id)

"""What is wrong with one workload and what follows from it, by the snapshot and the book."""

from __future__ import annotations

from datetime import datetime, timedelta

from runai_monitor.clock import Clock
from runai_monitor.model.alert import Detection, Transition
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor.containers import failed_before, steady_since
from runai_monitor.monitor.detect import detect
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.pods import SYNC_SECONDS, PodFollower
from runai_monitor.monitor.policy import decide
from runai_monitor.monitor.state import State, Watched


class Judge:
    """What is wrong with one workload, as the snapshot has it."""

    def __init__(self, *, state: State, pods: PodFollower | None, options: MonitorOptions, clock: Clock) -> None:
        self._state = state
        self._pods = pods
        self._options = options
        self._clock = clock

    def detect(self, workload_id: WorkloadId) -> Detection | None:
        """Its detection; being stuck is none where only unhealthy workloads are read."""
        workload = self._state.snapshot.workloads.get(workload_id)
        if workload is None:
            return None
        return detect(
            workload,
            pods=self._state.snapshot.pods_of(workload),
            events=self._state.snapshot.events.get(workload_id, ()),
            now=self._clock.now(),
            options=self._options,
            stuck=any(not watched.monitor.only_failed for watched in self._state.watchers_of(workload_id)),
            pods_are_current=self.sees(workload),
        )

    def decide(self, workload_id: WorkloadId, detection: Detection | None) -> list[Transition]:
        """What follows from it; recovery is believed only of what is in sight."""
        snapshot = self._state.snapshot
        workload = snapshot.workloads[workload_id]
        may_come = self._pods is not None and snapshot.reaches(workload) and self._pods.awaits(workload.namespace)
        return decide(
            workload,
            detection,
            book=self._state.book,
            now=self._clock.now(),
            options=self._options,
            in_sight=not may_come,
            steady_since=steady_since(snapshot.pods_of(workload)),
            nodes=self._state.snapshot.nodes_of(workload),
        )

    def sees(self, workload: Workload) -> bool:
        """Whether its containers are in sight now."""
        return self.sees_in(workload.namespace)

    def sees_in(self, namespace: str) -> bool:
        """Whether the containers of a namespace are in sight now."""
        return self._pods is not None and self._pods.sees(namespace)

    @property
    def may_see(self) -> bool:
        """Whether there is a Kubernetes to look at."""
        return self._pods is not None

    def failed_before(self, workload: Workload, instant: datetime) -> bool:
        """Whether its containers failed before an instant and, as far as they tell, not since."""
        hold = timedelta(seconds=self._options.resolve_after_seconds)
        return failed_before(self._state.snapshot.pods_of(workload), instant, now=self._clock.now(), hold=hold)

    def may_judge(self, watched: Watched) -> bool:
        """Whether everything in scope was seen once, with container states where Kubernetes gives them in time."""
        if not watched.complete or not watched.examined:
            return False
        waited = self._clock.monotonic() - watched.started
        return self._pods is None or self._pods.settled or not watched.seen or waited >= SYNC_SECONDS

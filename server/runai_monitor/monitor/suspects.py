"""Looks closer at what a list and a watch leave open: events of suspects, and whose pod is whose."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import KubeError, KubeNotFoundError, RunaiError, RunaiNotFoundError
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor.containers import in_trouble
from runai_monitor.monitor.detect import is_suspect
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.monitor.sources import KubeSource, RunaiSource

log = logging.getLogger(__name__)

CONCURRENT = 8
PER_POLL = 20
"""Workloads examined in one poll at most: a poll must not turn into a storm of questions."""
AT_FIRST = 200
"""The same at a first look, whose summary should be right."""
AGAIN_SECONDS = 60.0
LOOKS_AT_FAILED = 3
EXAMINE_SECONDS = 10.0
MOST_PODS = 16
"""Pods read one by one of a workload that no label leads to."""
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Examiner:
    """Reads what is needed to judge single workloads, into the snapshot. Fails silently: the next look comes soon."""

    def __init__(
        self,
        *,
        runai: RunaiSource,
        kube: KubeSource | None,
        snapshot: Snapshot,
        options: MonitorOptions,
        clock: Clock,
        sees_pods_of: Callable[[str], bool],
    ) -> None:
        self._runai = runai
        self._kube = kube
        self._snapshot = snapshot
        self._options = options
        self._clock = clock
        self._sees_pods_of = sees_pods_of
        self._examined_at: dict[WorkloadId, float] = {}
        self._asked_at: dict[WorkloadId, float] = {}
        self._looks: dict[WorkloadId, tuple[datetime | None, int]] = {}

    async def examine_suspects(self, ids: Iterable[WorkloadId], *, first: bool) -> None:
        """Reads Run:ai's events of those that container states do not explain, newest change first, a few per poll."""
        now = self._clock.now()
        due = [
            workload
            for workload in (self._snapshot.workloads[i] for i in ids if i in self._snapshot.workloads)
            if is_suspect(workload, has_pods=self._has_pods(workload), now=now, options=self._options)
            and self._is_due(self._examined_at, workload.id)
            and self._may_tell_more(workload)
        ]
        due.sort(key=lambda workload: (workload.phase_updated_at or _BEGINNING, workload.id), reverse=True)
        limit = anyio.CapacityLimiter(CONCURRENT)
        async with anyio.create_task_group() as tasks:
            for workload in due[: AT_FIRST if first else PER_POLL]:
                tasks.start_soon(self._read_events, workload, limit)
        self._prune()

    async def settle_pods(self) -> None:
        """Asks Run:ai whose the failing pods are that neither label nor controller tells, a few per poll."""
        now, hold = self._clock.now(), timedelta(seconds=self._options.resolve_after_seconds)
        asked: list[Workload] = []
        for pod, candidates in self._snapshot.unsettled():
            if len(asked) >= PER_POLL:
                break
            if in_trouble(pod, now=now, hold=hold):
                for workload_id in candidates:
                    workload = self._snapshot.workloads.get(workload_id)
                    if workload is not None and self._is_due(self._asked_at, workload_id):
                        self._asked_at[workload_id] = self._clock.monotonic()
                        asked.append(workload)
        limit = anyio.CapacityLimiter(CONCURRENT)
        async with anyio.create_task_group() as tasks:
            for workload in asked:
                tasks.start_soon(self._ask_for_pods, workload, limit)

    async def refresh(self, workload: Workload) -> Workload | None:
        """The workload as it is now, or None when it is gone; as it was when Run:ai cannot say."""
        try:
            now = (await self._runai.get_workload(workload.id)).workload
        except RunaiNotFoundError:
            return None
        except RunaiError as error:
            log.debug("workload %s cannot be read again: %s", workload.id, error)
            return workload
        if now.deleted_at is not None:
            return None
        self._snapshot.put_workloads([now])
        return now

    async def examine(self, workload: Workload) -> None:
        """Reads a workload's pods from Kubernetes, and Run:ai's events when there are none."""
        with anyio.move_on_after(EXAMINE_SECONDS):
            if self._kube is not None and self._snapshot.reaches(workload) and not self._snapshot.pods_of(workload):
                await self._read_pods(self._kube, workload)
            if not self._snapshot.pods_of(workload):
                await self._read_events(workload, anyio.CapacityLimiter(1))

    async def _read_pods(self, kube: KubeSource, workload: Workload) -> None:
        """By the names Run:ai lists, for those are certainly its own."""
        try:
            listed = [pod.name for pod in await self._runai.list_pods(workload.id)]
            self._snapshot.confirm(workload, listed)
            for name in listed[:MOST_PODS]:
                try:
                    self._snapshot.put_pod(await kube.get_pod(workload.namespace, name))
                except KubeNotFoundError:
                    continue
        except (RunaiError, KubeError) as error:
            log.debug("the pods of workload %s cannot be read: %s", workload.id, error)

    async def _read_events(self, workload: Workload, limit: anyio.CapacityLimiter) -> None:
        async with limit:
            self._examined_at[workload.id] = self._clock.monotonic()
            self._looks[workload.id] = (workload.phase_updated_at, self._looks_at(workload) + 1)
            try:
                self._snapshot.put_events(workload.id, await self._runai.list_events(workload.id))
            except RunaiError as error:
                log.debug("the events of workload %s cannot be read: %s", workload.id, error)

    async def _ask_for_pods(self, workload: Workload, limit: anyio.CapacityLimiter) -> None:
        async with limit:
            try:
                pods = await self._runai.list_pods(workload.id)
            except RunaiError as error:
                log.debug("the pods of workload %s cannot be listed: %s", workload.id, error)
            else:
                self._snapshot.confirm(workload, [pod.name for pod in pods])

    def _has_pods(self, workload: Workload) -> bool:
        return self._sees_pods_of(workload.namespace) and bool(self._snapshot.pods_of(workload))

    def _is_due(self, at: dict[WorkloadId, float], workload_id: WorkloadId) -> bool:
        return self._clock.monotonic() - at.get(workload_id, float("-inf")) >= AGAIN_SECONDS

    def _may_tell_more(self, workload: Workload) -> bool:
        """A failed workload has little to add: thousands of old ones must not be asked for ever."""
        return workload.phase != "Failed" or self._looks_at(workload) < LOOKS_AT_FAILED

    def _looks_at(self, workload: Workload) -> int:
        """How often the events of its present phase were read."""
        since, looks = self._looks.get(workload.id, (None, 0))
        return looks if since == workload.phase_updated_at else 0

    def _prune(self) -> None:
        known = self._snapshot.workloads
        self._examined_at = {key: value for key, value in self._examined_at.items() if key in known}
        self._asked_at = {key: value for key, value in self._asked_at.items() if key in known}
        self._looks = {key: value for key, value in self._looks.items() if key in known}

"""Looks closer at what a list and a watch leave open: events of suspects, and whose pod is whose."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Container, Iterable, Iterator, Set
from datetime import UTC, datetime, timedelta

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import (
    KubeError,
    KubeNotFoundError,
    MonitorError,
    RunaiError,
    RunaiNotFoundError,
    RunaiRejectedError,
)
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor.containers import in_trouble
from runai_monitor.monitor.detect import as_it_failed, is_over, is_suspect
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.monitor.sources import KubeSource, RunaiSource
from runai_monitor.pauses import Pauses

log = logging.getLogger(__name__)

CONCURRENT = 8
PER_POLL = 20
"""Workloads examined in one poll at most: a poll must not turn into a storm of questions."""
ASKED_PER_POLL = 100
"""Workloads asked for their pods in one poll at most; they are asked about because a pod fails."""
AT_FIRST = 200
"""The same at a first look, whose summary should be right."""
AGAIN_SECONDS = 55.0
"""Before the same workload is examined again: with polls of a minute, in every one, not in every other by a hair."""
LOOKS_AT_FAILED = 3
LOST_AT_FAILED = 16
"""Reads of a failed workload that an outage may cost before it is left alone: with their pauses, seven hours."""
LONGEST_PAUSE_SECONDS = 1800.0
"""Between two of these; before, each pause is twice the one before."""
EXAMINE_SECONDS = 10.0
MOST_PODS = 16
"""Pods read one by one of a workload that no label leads to."""
WARN_AGAIN_SECONDS = 600.0
"""Between warnings that something cannot be read: hundreds of workloads may be asked about in vain."""
_WELL = frozenset({"Running", "Succeeded"})
_BEGINNING = datetime.fromtimestamp(0, tz=UTC)


class Examiner:
    """Reads what is needed to judge single workloads, into the snapshot. What cannot be read is read again soon."""

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
        self._swept_at = float("-inf")
        self._looks: dict[WorkloadId, tuple[datetime | None, int, int]] = {}
        self._warned_at = float("-inf")

    async def examine_suspects(self, ids: Set[WorkloadId], *, alerting: Set[WorkloadId], first: bool) -> None:
        """Reads Run:ai's events of those that container states do not explain, a few per poll.

        First those that look wrong or have an alert, then, once a minute, those that run where nobody follows their
        pods. Of each, the longest not examined come first, so that everyone has a turn; among the never examined, the
        newest change.
        """
        # At a first look Kubernetes is perhaps about to show their pods.
        is_early = first and self._kube is not None
        may_sweep = not is_early and self._clock.monotonic() - self._swept_at >= AGAIN_SECONDS
        if may_sweep:
            self._swept_at = self._clock.monotonic()
        most = AT_FIRST if first else PER_POLL
        due = await self._most_urgent(ids, most, alerting=alerting)
        if may_sweep and len(due) < most:
            due += await self._longest_unexamined(ids, most - len(due), but={workload.id for workload in due})
        await self._read_all(due)
        self._prune()

    async def _most_urgent(self, ids: Set[WorkloadId], count: int, *, alerting: Set[WorkloadId]) -> list[Workload]:
        """Those that look wrong or have an alert, whose turn it is."""
        urgent: list[Workload] = []
        pauses = Pauses()
        for workload in self._known((self._snapshot.apart | alerting) & ids):
            await pauses()
            if self._may_be_examined(workload) and self._is_urgent(workload, alerting):
                urgent.append(workload)
        return heapq.nsmallest(count, urgent, key=self._turn)

    async def _longest_unexamined(
        self, ids: Iterable[WorkloadId], count: int, *, but: Container[WorkloadId]
    ) -> list[Workload]:
        """Those that run and whose pods nobody follows, whose turn it is."""
        running: list[Workload] = []
        pauses = Pauses()
        for workload in self._known(list(ids)):
            await pauses()
            if (
                workload.phase == "Running"
                and workload.id not in but
                and self._may_be_examined(workload)
                and not self._has_pods(workload)
            ):
                running.append(workload)
        return heapq.nsmallest(count, running, key=self._turn)

    def _known(self, ids: Iterable[WorkloadId]) -> Iterator[Workload]:
        return (self._snapshot.workloads[i] for i in ids if i in self._snapshot.workloads)

    def _may_be_examined(self, workload: Workload) -> bool:
        if workload.phase != "Failed":
            return self._is_due(self._examined_at, workload.id)
        # It has little to add: thousands of old ones must not be asked for ever.
        looks, lost = self._looks_at(workload)
        pause = min(AGAIN_SECONDS * 2**lost, LONGEST_PAUSE_SECONDS)
        return looks < LOOKS_AT_FAILED and lost < LOST_AT_FAILED and self._is_due(self._examined_at, workload.id, pause)

    async def examine_running(self, ids: Iterable[WorkloadId]) -> None:
        """Reads Run:ai's events of those that run and whose pods did not come into sight in time for a first look."""
        self._swept_at = self._clock.monotonic()
        due = await self._longest_unexamined(ids, AT_FIRST, but=())
        with anyio.move_on_after(EXAMINE_SECONDS):
            await self._read_all(due)

    async def settle_pods(self) -> None:
        """Asks Run:ai whose the failing pods are that neither label nor controller tells, the longest waiting first."""
        now, hold = self._clock.now(), timedelta(seconds=self._options.resolve_after_seconds)
        due: set[WorkloadId] = set()
        pauses = Pauses()
        for pod in self._snapshot.odd_pods():
            await pauses()
            candidates = self._snapshot.candidates(pod)
            if candidates and in_trouble(pod, now=now, hold=hold):
                due |= {workload_id for workload_id in candidates if self._is_due(self._asked_at, workload_id)}
        turns = sorted(due, key=lambda workload_id: (self._asked_at.get(workload_id, float("-inf")), workload_id))
        limit = anyio.CapacityLimiter(CONCURRENT)
        async with anyio.create_task_group() as tasks:
            for workload_id in turns[:ASKED_PER_POLL]:
                self._asked_at[workload_id] = self._clock.monotonic()
                tasks.start_soon(self._ask_for_pods, self._snapshot.workloads[workload_id], limit)

    async def refresh(self, workload: Workload) -> Workload | None:
        """The workload as it is now, or None when it is gone; as it was when Run:ai cannot say."""
        try:
            now = (await self._runai.get_workload(workload.id)).workload
        except RunaiNotFoundError:
            return None
        except RunaiError as error:
            self._missed(f"workload {workload.id}", error)
            return workload
        if now.deleted_at is not None:
            return None
        self._snapshot.put_workloads([now])
        return now

    async def how_it_failed(self, workload: Workload) -> Workload | None:
        """A workload that is gone, as it was when it failed; None if it did not fail, as far as anybody knows.

        Jobs may be removed by themselves soon after they ended, sooner than the next poll.
        """
        if is_over(workload):
            return None
        if workload.phase == "Failed":
            return workload
        try:
            with anyio.move_on_after(EXAMINE_SECONDS):
                history = await self._runai.get_history(workload.id)
                self._snapshot.put_events(workload.id, history.events[::-1])
                return as_it_failed(workload, history)
        except RunaiError as error:
            self._missed(f"the history of workload {workload.id}", error)
        return None

    async def how_they_failed(self, gone: Iterable[WorkloadId]) -> dict[WorkloadId, Workload | None]:
        """Of deleted workloads, how they were when they failed, for those that did."""
        failed: dict[WorkloadId, Workload | None] = {}
        limit = anyio.CapacityLimiter(CONCURRENT)

        async def look(workload_id: WorkloadId) -> None:
            async with limit:
                known = self._snapshot.workloads.get(workload_id)
                failed[workload_id] = None if known is None else await self.how_it_failed(known)

        async with anyio.create_task_group() as tasks:
            for workload_id in gone:
                tasks.start_soon(look, workload_id)
        return failed

    async def examine(self, workload: Workload) -> None:
        """Reads a workload's pods from Kubernetes, and Run:ai's events when no container says what is wrong.

        Pods that wait do not tell that their predecessors were preempted.
        """
        with anyio.move_on_after(EXAMINE_SECONDS):
            if self._kube is not None and self._snapshot.reaches(workload) and not self._snapshot.pods_of(workload):
                await self._read_pods(self._kube, workload)
            if workload.phase == "Pending" or not self._snapshot.pods_of(workload):
                await self._read_events(workload, anyio.CapacityLimiter(1))

    async def _read_pods(self, kube: KubeSource, workload: Workload) -> None:
        """By the names Run:ai lists, for those are certainly its own; first those that do not seem well."""
        try:
            listed = await self._runai.list_pods(workload.id)
            self._snapshot.confirm(workload, [pod.name for pod in listed])
            for pod in sorted(listed, key=lambda pod: pod.pod_phase in _WELL)[:MOST_PODS]:
                try:
                    self._snapshot.put_pod(await kube.get_pod(workload.namespace, pod.name))
                except KubeNotFoundError:
                    continue
        except (RunaiError, KubeError) as error:
            self._missed(f"the pods of workload {workload.id}", error)

    async def _read_all(self, workloads: Iterable[Workload]) -> None:
        limit = anyio.CapacityLimiter(CONCURRENT)
        async with anyio.create_task_group() as tasks:
            for workload in workloads:
                tasks.start_soon(self._read_events, workload, limit)

    async def _read_events(self, workload: Workload, limit: anyio.CapacityLimiter) -> None:
        async with limit:
            self._examined_at[workload.id] = self._clock.monotonic()
            looks, lost = self._looks_at(workload)
            answered = True
            try:
                self._snapshot.put_events(workload.id, await self._runai.list_events(workload.id))
            except RunaiError as error:
                self._missed(f"the events of workload {workload.id}", error)
                answered = _is_answer(error)
            self._looks[workload.id] = (workload.phase_updated_at, *((looks + 1, 0) if answered else (looks, lost + 1)))

    async def _ask_for_pods(self, workload: Workload, limit: anyio.CapacityLimiter) -> None:
        async with limit:
            try:
                pods = await self._runai.list_pods(workload.id)
            except RunaiError as error:
                self._missed(f"the list of pods of workload {workload.id}", error)
            else:
                self._snapshot.confirm(workload, [pod.name for pod in pods])

    def _missed(self, what: str, error: MonitorError) -> None:
        """Aloud once in a while: where a permission is missing, failures would be missed for ever in silence."""
        is_loud = self._clock.monotonic() - self._warned_at >= WARN_AGAIN_SECONDS
        if is_loud:
            self._warned_at = self._clock.monotonic()
        level = logging.WARNING if is_loud else logging.DEBUG
        log.log(level, "%s cannot be read, so that a failure may be seen later or not at all: %s", what, error)

    def _has_pods(self, workload: Workload) -> bool:
        return self._sees_pods_of(workload.namespace) and bool(self._snapshot.pods_of(workload))

    def _is_urgent(self, workload: Workload, alerting: Container[WorkloadId]) -> bool:
        has_pods = self._has_pods(workload)
        if is_suspect(workload, has_pods=has_pods, now=self._clock.now(), options=self._options):
            return True
        return workload.id in alerting and not has_pods and not is_over(workload)

    def _turn(self, workload: Workload) -> tuple[float, float, str]:
        changed = workload.phase_updated_at or _BEGINNING
        return self._examined_at.get(workload.id, float("-inf")), -changed.timestamp(), workload.id

    def _is_due(
        self, at: dict[WorkloadId, float], workload_id: WorkloadId, pause_seconds: float = AGAIN_SECONDS
    ) -> bool:
        return self._clock.monotonic() - at.get(workload_id, float("-inf")) >= pause_seconds

    def _looks_at(self, workload: Workload) -> tuple[int, int]:
        """How often the events of its present phase were asked for: with an answer, and since then in vain."""
        since, looks, lost = self._looks.get(workload.id, (None, 0, 0))
        return (looks, lost) if since == workload.phase_updated_at else (0, 0)

    def _prune(self) -> None:
        known = self._snapshot.workloads
        self._examined_at = {key: value for key, value in self._examined_at.items() if key in known}
        self._asked_at = {key: value for key, value in self._asked_at.items() if key in known}
        self._looks = {key: value for key, value in self._looks.items() if key in known}


def _is_answer(error: RunaiError) -> bool:
    """Whether asking again is as good as pointless: there is nothing, or it may not be read. An outage is no answer."""
    return isinstance(error, RunaiNotFoundError | RunaiRejectedError) or error.status == 403

"""Puts aside what had failed before anyone looked, tells it as one summary, and lets go of what was healthy since."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from runai_monitor.clock import Clock
from runai_monitor.model.alert import AlertKind, Detection
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor.announce import Announcer
from runai_monitor.monitor.detect import RANKS, STUCK_RANK
from runai_monitor.monitor.judge import Judge
from runai_monitor.monitor.notices import existing_failures, over
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.policy import recovered
from runai_monitor.monitor.sources import Baseline
from runai_monitor.monitor.state import EVERYWHERE, State, Watched
from runai_monitor.monitor.suspects import Examiner
from runai_monitor.pauses import Pauses

Failing = dict[WorkloadId, tuple[Workload, Detection]]


class FirstLook:
    """The baseline of each project: taken once, completed when Kubernetes shows its containers later than that."""

    def __init__(
        self,
        *,
        state: State,
        judge: Judge,
        examiner: Examiner,
        announcer: Announcer,
        baseline: Baseline,
        options: MonitorOptions,
        clock: Clock,
    ) -> None:
        self._state = state
        self._judge = judge
        self._examiner = examiner
        self._announcer = announcer
        self._baseline = baseline
        self._options = options
        self._clock = clock

    async def take(self, new: Collection[Watched]) -> None:
        """Looks for the first time: one summary over all monitors that do.

        Raises:
            StoreError: nothing is put aside, and nothing may be judged.
        """
        now = self._clock.now()
        seen: set[WorkloadId] = set().union(*(watched.seen for watched in new))
        projects = {project for watched in new for project in self._projects_of(watched)}
        fresh = {project for project in projects if project not in self._state.covered}
        workloads = [self._state.snapshot.workloads[i] for i in seen if i in self._state.snapshot.workloads]
        unsighted = [each for each in workloads if self._judge.may_see and not self._judge.sees(each)]
        if fresh and unsighted:
            await self._examiner.examine_running(workload.id for workload in unsighted)
        if not await self._put_aside(await self._old_among(seen), fresh=fresh):
            return
        self._state.covered |= dict.fromkeys(fresh, now)
        self._state.unsighted |= {workload.namespace for workload in unsighted}
        for watched in new:
            watched.looked = True

    async def complete(self) -> None:
        """Looks again where Kubernetes shows containers only now: what they say was so before is no news.

        Raises:
            StoreError: as in `take`.
        """
        if not any(self._judge.sees_in(namespace) for namespace in self._state.unsighted):
            return
        looked = set().union(*(watched.seen for watched in self._state.watched.values() if watched.looked))
        workloads = [self._state.snapshot.workloads[i] for i in looked if i in self._state.snapshot.workloads]
        shown = [workload for workload in workloads if self.is_incomplete(workload)]
        if shown and await self._put_aside(await self._old_among(workload.id for workload in shown), fresh=set()):
            self._state.unsighted -= {workload.namespace for workload in shown}

    def is_incomplete(self, workload: Workload) -> bool:
        """Whether its containers came into sight after the first look, and were not sorted into old and new yet."""
        return workload.namespace in self._state.unsighted and self._judge.sees(workload)

    async def leave(self, due: Iterable[WorkloadId]) -> None:
        """Workloads that were healthy since: what they do next is news.

        Raises:
            StoreError: they are let go next time.
        """
        book, now = self._state.book, self._clock.now()
        if not book.baseline:
            return
        left = [
            workload_id
            for workload_id in due
            if workload_id in book.baseline
            and workload_id in self._state.snapshot.workloads
            and recovered(
                self._state.snapshot.workloads[workload_id],
                self._judge.detect(workload_id),
                book=book,
                now=now,
                options=self._options,
            )
        ]
        await self._forget([*left, *(i for i in self._state.gone if i in book.baseline)])

    async def _old_among(self, workload_ids: Iterable[WorkloadId]) -> Failing:
        """Those that were unhealthy before the first look at their project, as far as neither told nor put aside."""
        failing: Failing = {}
        if self._options.existing_failures == "each":
            return failing
        pauses = Pauses()
        for workload_id in sorted(workload_ids):
            await pauses()
            workload = self._state.snapshot.workloads.get(workload_id)
            if workload is None or self._is_put_aside(workload_id):
                continue
            looked_at = self._state.first_look_at(workload.project)
            if looked_at is not None and not self._judge.failed_before(workload, looked_at):
                continue
            detection = self._judge.detect(workload_id)
            if detection is None or detection.kind is not AlertKind.WORKLOAD_UNHEALTHY:
                continue
            if (detection.kind, str(workload_id)) not in self._state.book.open:
                failing[workload_id] = (workload, detection)
        return failing

    def _is_put_aside(self, workload_id: WorkloadId) -> bool:
        """Whether it is, as failing; what was merely stuck may have been so because of how its containers fail."""
        status = self._state.book.baseline.get(workload_id)
        return status is not None and RANKS.get(status, STUCK_RANK) > STUCK_RANK

    async def _put_aside(self, failing: Failing, *, fresh: Collection[str]) -> bool:
        """Tells and stores them, with the projects that this is the first look at; False when it could not be told."""
        book, now = self._state.book, self._clock.now()
        if failing and self._options.existing_failures == "summary":
            told = await (self._tell_summary(failing) if fresh else self._complete_summary(failing))
            if not told:
                return False
        statuses = {str(workload_id): detection.status for workload_id, (_, detection) in failing.items()}
        await self._baseline.forget([workload_id for workload_id in statuses if workload_id in book.baseline])
        if fresh or statuses:
            await self._baseline.cover(projects=dict.fromkeys(fresh, now), failing=statuses)
        book.baseline.update(statuses)
        return True

    async def _tell_summary(self, failing: Failing) -> bool:
        """Tells it, in place of an older summary; whether that is stored. The same one is not told twice."""
        book, now = self._state.book, self._clock.now()
        summary = existing_failures(failing, book=book, now=now)
        told = book.open.get((AlertKind.EXISTING_FAILURES, ""))
        if told is not None and told.summary == summary.summary:
            return True
        reason = "another first look has a newer summary"
        older = over(AlertKind.EXISTING_FAILURES, book=book, now=now, reason=reason, notify=False)
        return await self._announcer.apply([older, summary] if older else [summary])

    async def _complete_summary(self, failing: Failing) -> bool:
        """The same, of what was put aside before and of what containers show only now."""
        book = self._state.book
        together: Failing = {}
        for workload_id in map(WorkloadId, book.baseline):
            detection = self._judge.detect(workload_id)
            if detection is not None and detection.kind is AlertKind.WORKLOAD_UNHEALTHY:
                together[workload_id] = (self._state.snapshot.workloads[workload_id], detection)
        told = book.open.get((AlertKind.EXISTING_FAILURES, ""))
        summary = existing_failures(together | failing, book=book, now=self._clock.now(), completed=told)
        if told is not None and told.summary == summary.summary:
            return True
        return await self._announcer.apply([summary])

    def _projects_of(self, watched: Watched) -> tuple[str, ...]:
        if watched.monitor.project is not None:
            return (watched.monitor.project,)
        return self._options.allowed_projects or (EVERYWHERE,)

    async def _forget(self, workload_ids: Collection[WorkloadId]) -> None:
        if not workload_ids:
            return
        book = self._state.book
        await self._baseline.forget([str(workload_id) for workload_id in workload_ids])
        for workload_id in workload_ids:
            book.baseline.pop(workload_id, None)
            book.baseline_healthy_since.pop(workload_id, None)
        if not book.baseline:
            reason = "none of these workloads is unhealthy any more"
            done = over(AlertKind.EXISTING_FAILURES, book=book, now=self._clock.now(), reason=reason)
            await self._announcer.apply([done] if done else [])

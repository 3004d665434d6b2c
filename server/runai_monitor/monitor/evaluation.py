"""Turns what is known into alerts: judges what changed at once, and everything every few seconds, for time passes too."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import anyio.lowlevel
from anyio.abc import TaskGroup

from runai_monitor.clock import Clock
from runai_monitor.model.alert import AlertKind, Change, Detection, Transition
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor.announce import Announcer
from runai_monitor.monitor.containers import steady_since
from runai_monitor.monitor.detect import detect
from runai_monitor.monitor.opening import Opening
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.pods import SYNC_SECONDS, PodFollower
from runai_monitor.monitor.policy import decide, existing_failures, gone, over, recovered
from runai_monitor.monitor.sources import Baseline
from runai_monitor.monitor.state import EVERYWHERE, State, Watched

AT_ONCE = 500
"""Workloads judged without a pause: a dozen milliseconds, in which nobody else is served."""
EVERYTHING_SECONDS = 5.0
"""Between judgements of every workload, for thresholds and hold-downs; what changed is judged within a tick."""


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
            pods_are_current=self._pods is not None and self._pods.sees(workload.namespace),
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
        )

    def may_judge(self, watched: Watched) -> bool:
        """Whether everything in scope was seen once, with container states where Kubernetes gives them in time."""
        if not watched.complete or not watched.examined:
            return False
        waited = self._clock.monotonic() - watched.started
        return self._pods is None or self._pods.settled or not watched.seen or waited >= SYNC_SECONDS


class Evaluation:
    """The loop of decisions."""

    def __init__(
        self,
        *,
        state: State,
        judge: Judge,
        opening: Opening,
        announcer: Announcer,
        baseline: Baseline,
        options: MonitorOptions,
        clock: Clock,
    ) -> None:
        self._state = state
        self._judge = judge
        self._opening = opening
        self._announcer = announcer
        self._baseline = baseline
        self._options = options
        self._clock = clock
        self._judged_all_at = float("-inf")

    async def evaluate(self, tasks: TaskGroup) -> None:
        """Decides about whatever is due; new alerts are prepared in `tasks`.

        Raises:
            StoreError: the baseline could not be kept; what was not decided is decided next time.
        """
        new = [w for w in self._state.watched.values() if not w.looked and self._judge.may_judge(w)]
        if new:
            await self._look_first(new)
        due = self._due(everything=bool(new))
        await self._leave_baseline(due)
        for first in range(0, len(due), AT_ONCE):
            await self._announcer.apply(self._decide(due[first : first + AT_ONCE], tasks))
            await anyio.lowlevel.checkpoint()
        for workload_id in self._state.perished.intersection(due) - self._state.being_told:
            self._state.bury(workload_id)
        await self._resolve_gone()

    def _due(self, *, everything: bool) -> list[WorkloadId]:
        now, snapshot = self._clock.monotonic(), self._state.snapshot
        looked = set().union(*(w.seen for w in self._state.watched.values() if w.looked))
        if everything or now - self._judged_all_at >= EVERYTHING_SECONDS:
            self._judged_all_at = now
            due = looked
        else:
            due = snapshot.dirty & looked
        due |= self._state.perished
        # What is dirty and not looked at yet is judged with everything else, right after the first look.
        snapshot.dirty.clear()
        return sorted(workload_id for workload_id in due if workload_id in snapshot.workloads)

    def _decide(self, due: Iterable[WorkloadId], tasks: TaskGroup) -> list[Transition]:
        """The transitions that can be stored at once; the others begin their way to it."""
        transitions: list[Transition] = []
        for workload_id in due:
            if workload_id not in self._state.snapshot.workloads:
                continue  # it went while others were judged
            decided = self._judge.decide(workload_id, self._judge.detect(workload_id))
            background = {t.kind for t in decided if t.change is Change.OPENED or self._changes_status(t)}
            for transition in decided:
                if self._opening.is_busy(transition):
                    continue
                if transition.kind not in background:
                    transitions.append(transition)
                elif transition.change in {Change.OPENED, Change.ESCALATED}:
                    self._opening.begin(transition, tasks)
        return transitions

    def _changes_status(self, transition: Transition) -> bool:
        """Another status wants another diagnosis."""
        if transition.change is not Change.ESCALATED:
            return False
        alert = self._state.book.open.get((transition.kind, transition.subject.id))
        return alert is not None and alert.status != transition.status

    # --- the first look -----------------------------------------------------------------------------------------

    async def _look_first(self, new: Collection[Watched]) -> None:
        """Puts aside what had failed before anyone looked: one summary over all monitors that look for the first time."""
        now = self._clock.now()
        failing = self._failing_before(new)
        if failing and self._options.existing_failures == "summary" and not await self._tell_summary(failing):
            return
        statuses = {str(key): detection.status for key, (_, detection) in failing.items()}
        projects = {project: now for watched in new for project in self._projects_of(watched)}
        fresh = {project: at for project, at in projects.items() if project not in self._state.covered}
        if fresh or statuses:
            await self._baseline.cover(projects=fresh, failing=statuses)
        self._state.book.baseline.update(statuses)
        self._state.covered |= set(projects)
        for watched in new:
            watched.looked = True

    def _failing_before(self, new: Collection[Watched]) -> dict[WorkloadId, tuple[Workload, Detection]]:
        if self._options.existing_failures == "each" or EVERYWHERE in self._state.covered:
            return {}
        failing: dict[WorkloadId, tuple[Workload, Detection]] = {}
        for workload_id in sorted(set().union(*(watched.seen for watched in new))):
            workload = self._state.snapshot.workloads.get(workload_id)
            if workload is None or workload.project in self._state.covered or workload_id in self._state.book.baseline:
                continue
            detection = self._judge.detect(workload_id)
            if detection is None or detection.kind is not AlertKind.WORKLOAD_UNHEALTHY:
                continue
            if (detection.kind, str(workload_id)) not in self._state.book.open:
                failing[workload_id] = (workload, detection)
        return failing

    async def _tell_summary(self, failing: dict[WorkloadId, tuple[Workload, Detection]]) -> bool:
        """Tells it, in place of an older summary; whether that is stored. The same one is not told twice."""
        book, now = self._state.book, self._clock.now()
        summary = existing_failures(failing, book=book, now=now)
        told = book.open.get((AlertKind.EXISTING_FAILURES, ""))
        if told is not None and told.summary == summary.summary:
            return True
        reason = "another first look has a newer summary"
        older = over(AlertKind.EXISTING_FAILURES, book=book, now=now, reason=reason, notify=False)
        return await self._announcer.apply([older, summary] if older else [summary])

    def _projects_of(self, watched: Watched) -> tuple[str, ...]:
        if watched.monitor.project is not None:
            return (watched.monitor.project,)
        return self._options.allowed_projects or (EVERYWHERE,)

    async def _leave_baseline(self, due: Iterable[WorkloadId]) -> None:
        """Workloads that were healthy since: what they do next is news."""
        book, now = self._state.book, self._clock.now()
        if not book.baseline:
            return
        left = [
            workload_id
            for workload_id in due
            if workload_id in book.baseline
            and recovered(
                self._state.snapshot.workloads[workload_id],
                self._judge.detect(workload_id),
                book=book,
                now=now,
                options=self._options,
            )
        ]
        await self._forget([*left, *(i for i in self._state.gone if i in book.baseline)])

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

    # --- deletions ----------------------------------------------------------------------------------------------

    async def _resolve_gone(self) -> None:
        """Alerts of workloads that Run:ai says are deleted."""
        if not self._state.gone:
            return
        settled = set(self._state.gone)
        now = self._clock.now()
        ended = [gone(alert, now=now) for (_, subject), alert in self._state.book.open.items() if subject in settled]
        if await self._announcer.apply(ended):
            self._state.gone -= {i for i in settled if i not in self._state.book.baseline}

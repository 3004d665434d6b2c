"""Turns what is known into alerts: judges what changed at once, and everything every few seconds, for time passes too."""

from __future__ import annotations

from collections.abc import Iterable

import anyio.lowlevel
from anyio.abc import TaskGroup

from runai_monitor.clock import Clock
from runai_monitor.model.alert import AlertKind, Change, Transition
from runai_monitor.model.workload import WorkloadId
from runai_monitor.monitor.announce import Announcer
from runai_monitor.monitor.first_look import FirstLook
from runai_monitor.monitor.judge import Judge
from runai_monitor.monitor.opening import Opening
from runai_monitor.monitor.policy import gone
from runai_monitor.monitor.snapshot import is_plain
from runai_monitor.monitor.state import State
from runai_monitor.pace import Pace
from runai_monitor.pauses import Pauses

AT_ONCE = 25
"""Workloads judged without a pause: a few milliseconds, in which nobody else is served."""
RESTLESS_SECONDS = 5.0
"""Between judgements of workloads about which time alone may say something new: thresholds, hold-downs, reminders."""
RESTLESS_SHARE = 0.1
"""Of the time at most that judging them takes: of ten thousand that fail it takes a second."""
EVERYTHING_SECONDS = 600.0
"""Between judgements of every workload: a safety net, for what changed is judged within a tick."""


class Evaluation:
    """The loop of decisions."""

    def __init__(
        self,
        *,
        state: State,
        judge: Judge,
        opening: Opening,
        announcer: Announcer,
        first_look: FirstLook,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._state = state
        self._judge = judge
        self._opening = opening
        self._announcer = announcer
        self._first_look = first_look
        self._clock = clock
        self._pace = pace
        self._judged_all_at = float("-inf")
        self._judged_restless_at = float("-inf")
        self._restless_seconds = RESTLESS_SECONDS
        self._heard_at: dict[WorkloadId, float] = {}
        self._restless: set[WorkloadId] = set()

    async def evaluate(self, tasks: TaskGroup) -> None:
        """Decides about whatever is due; new alerts are prepared in `tasks`.

        Raises:
            StoreError: the baseline could not be kept; what was not decided is decided next time.
        """
        new = [w for w in self._state.watched.values() if not w.looked and self._judge.may_judge(w)]
        if new:
            await self._first_look.take(new)
        await self._first_look.complete()
        began = self._clock.monotonic()
        due = await self._decidable(self._due(everything=bool(new)))
        await self._first_look.leave(due)
        for first in range(0, len(due), AT_ONCE):
            await self._announcer.apply(self._decide(due[first : first + AT_ONCE], tasks))
            await anyio.lowlevel.checkpoint()
        if self._judged_restless_at >= began:
            self._restless_seconds = max(RESTLESS_SECONDS, (self._clock.monotonic() - began) / RESTLESS_SHARE)
        for workload_id in self._state.perished.intersection(due) - self._state.being_told.keys():
            self._state.bury(workload_id)
        await self._resolve_gone()

    async def _decidable(self, due: Iterable[WorkloadId]) -> list[WorkloadId]:
        """Those that may be decided about, in the order of their ids."""
        found: list[WorkloadId] = []
        pauses = Pauses()
        for workload_id in sorted(due):
            await pauses()
            if self._may_decide(workload_id):
                found.append(workload_id)
        return found

    def _due(self, *, everything: bool) -> set[WorkloadId]:
        state, book, now = self._state, self._state.book, self._clock.monotonic()
        if everything or now - self._judged_all_at >= EVERYTHING_SECONDS:
            self._judged_all_at = self._judged_restless_at = now
            due = set().union(*(watched.seen for watched in state.watched.values() if watched.looked))
            self._restless.intersection_update(due)
        elif now - self._judged_restless_at >= self._restless_seconds:
            self._judged_restless_at = now
            told = {WorkloadId(subject) for _, subject in book.open}
            due = self._looked_at(state.snapshot.dirty | self._restless | told)
        else:
            due = self._looked_at(state.snapshot.dirty)
        due |= state.perished
        workloads = state.snapshot.workloads
        book.held_since = {
            (kind, subject): since
            for (kind, subject), since in book.held_since.items()
            if kind is AlertKind.NODE_UNHEALTHY or subject in workloads
        }
        due |= {WorkloadId(subject) for _, subject in book.held_since if subject in workloads}
        # What is dirty and not looked at yet is judged with everything else, right after the first look.
        self._heard_at = dict(state.snapshot.stirred_at)
        state.snapshot.settle()
        return due

    def _looked_at(self, workload_ids: set[WorkloadId]) -> set[WorkloadId]:
        looked = [watched.seen for watched in self._state.watched.values() if watched.looked]
        return set().union(*(workload_ids & seen for seen in looked))

    def _note_rest(self, workload_id: WorkloadId) -> None:
        """Whether time alone may change what is to be said of a workload; whatever else does makes it dirty."""
        workload = self._state.snapshot.workloads[workload_id]
        if is_plain(workload) and not (
            workload_id in self._state.snapshot.events
            or workload_id in self._state.book.baseline
            or self._state.snapshot.has_odd_pods(workload)
        ):
            self._restless.discard(workload_id)
        else:
            self._restless.add(workload_id)

    def _may_decide(self, workload_id: WorkloadId) -> bool:
        """Whether it is still there, and what its containers say was sorted into old and new."""
        workload = self._state.snapshot.workloads.get(workload_id)
        if workload is None:
            return False
        if self._first_look.is_incomplete(workload):
            self._state.snapshot.stir(workload_id)
            return False
        return True

    def _decide(self, due: Iterable[WorkloadId], tasks: TaskGroup) -> list[Transition]:
        """The transitions that can be stored at once; the others begin their way to it."""
        transitions: list[Transition] = []
        for workload_id in due:
            if not self._may_decide(workload_id):
                continue  # it went, or its containers came into sight, while others were judged
            self._note_rest(workload_id)
            is_busy = self._opening.is_busy(workload_id)
            decided = self._judge.decide(workload_id, self._judge.detect(workload_id))
            background = {t.kind for t in decided if t.change is Change.OPENED or self._changes_status(t)}
            for transition in decided:
                if is_busy:
                    continue
                if transition.kind not in background:
                    transitions.append(transition)
                elif transition.change in {Change.OPENED, Change.ESCALATED}:
                    if transition.change is Change.OPENED and workload_id in self._heard_at:
                        self._pace.begin(transition.alert_id, self._heard_at[workload_id])
                    self._opening.begin(transition, tasks)
        return transitions

    def _changes_status(self, transition: Transition) -> bool:
        """Another status wants another diagnosis."""
        if transition.change is not Change.ESCALATED:
            return False
        alert = self._state.book.open.get((transition.kind, transition.subject.id))
        return alert is not None and alert.status != transition.status

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

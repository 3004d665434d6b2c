"""New and worse alerts, so many at a time: refresh, examine, store, diagnose, tell the channels."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from anyio.abc import TaskGroup

from runai_monitor.clock import Clock
from runai_monitor.model.alert import Alert, AlertKind, Change, Detection, Transition
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor.announce import Announcer, Explainer
from runai_monitor.monitor.detect import QUIET_PHASES, RANKS, is_over
from runai_monitor.monitor.nodes import NodeFollower
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.policy import decide
from runai_monitor.monitor.queue import WorkQueue
from runai_monitor.monitor.state import State
from runai_monitor.monitor.suspects import Examiner
from runai_monitor.pace import Pace

log = logging.getLogger(__name__)

CONCURRENT = 8
"""Diagnoses at once."""
YIELDS, YIELD_SECONDS = 40, 0.05
"""How often and how long a diagnosis waits while alerts are being stored."""
LOOKS_AT_ONCE = 32
"""Alerts looked at again and stored at once."""
MANY = 100
"""From so many on that wait, one poll says what has become of them all, instead of a question about each."""
STORE_PAUSE_SECONDS = 5.0
"""After the store refused an alert, before it is decided again."""
_FROM_PHASE_ALONE = RANKS["BackoffLimitExceeded"]
"""Up to this rank a status is no more than a phase and its message: worth a closer look before it is told."""


@dataclass(slots=True, kw_only=True)
class _Telling:
    """An alert on its way: what was decided, and after the closer look what is left to tell of which workload."""

    transition: Transition
    workload_id: WorkloadId
    explain: bool
    tasks: TaskGroup
    began: float
    workload: Workload | None = None
    decided: list[Transition] = field(default_factory=list)

    @property
    def urgency(self) -> int:
        return self.transition.severity.rank


class Opening:
    """At most one alert per workload at a time; the next decision about it waits, for it may depend on the first."""

    def __init__(
        self,
        *,
        state: State,
        examiner: Examiner,
        explainer: Explainer,
        announcer: Announcer,
        detect: Callable[[WorkloadId], Detection | None],
        options: MonitorOptions,
        clock: Clock,
        nodes: NodeFollower | None = None,
        pace: Pace,
    ) -> None:
        self._state = state
        self._examiner = examiner
        self._explainer = explainer
        self._announcer = announcer
        self._detect = detect
        self._options = options
        self._clock = clock
        self._nodes = nodes
        self._pace = pace
        self._looks = WorkQueue(self._look, at_once=LOOKS_AT_ONCE)
        self._diagnoses = WorkQueue(self._diagnose, at_once=CONCURRENT)

    def is_busy(self, workload_id: WorkloadId) -> bool:
        """Whether something about it is being prepared."""
        return workload_id in self._state.being_told

    def begin(self, transition: Transition, tasks: TaskGroup) -> None:
        """Prepares and stores it in the background."""
        workload_id = WorkloadId(transition.subject.id)
        explain = any(watched.monitor.auto_troubleshoot for watched in self._state.watchers_of(workload_id))
        self._state.being_told[workload_id] = transition
        telling = _Telling(
            transition=transition, workload_id=workload_id, explain=explain, tasks=tasks, began=self._clock.monotonic()
        )
        self._looks.put(telling, rank=telling.urgency, tasks=tasks)
        if self._looks.waiting > MANY:
            for watched in self._state.watchers_of(workload_id):
                watched.poll_now.set()

    def abandon(self) -> None:
        """Forgets what is being prepared: this process leads no more, and whoever does decides anew."""
        self._looks.clear()
        self._diagnoses.clear()
        self._state.being_told.clear()

    @property
    def waiting(self) -> int:
        """How many alerts wait for their turn to be diagnosed."""
        return self._diagnoses.waiting

    @property
    def preparing(self) -> int:
        """How many alerts wait for their turn to be looked at and stored."""
        return self._looks.waiting

    async def _look(self, telling: _Telling, _waited: bool) -> None:
        """What is done at once; a diagnosis, which takes longer, has a queue of its own."""
        goes_on = False
        try:
            with _trying(telling):
                prepared = await self._prepare(telling)
                if prepared is None:
                    return
                telling.workload, telling.decided = prepared
                if telling.explain:
                    self._diagnoses.put(telling, rank=telling.urgency, tasks=telling.tasks)
                    goes_on = True
                else:
                    await self._store(telling.decided)
        finally:
            if not goes_on:
                self._settle(telling)

    async def _diagnose(self, telling: _Telling, waited: bool) -> None:
        """Asks why, and stores it with the answer."""
        try:
            with _trying(telling):
                await self._let_alerts_pass()
                workload = await self._current(telling.workload_id) if waited else telling.workload
                if workload is None or not self._still_holds(telling.decided[0]):
                    return
                explained = await self._explainer.explained(telling.decided[0], workload)
                self._pace.reached("diagnosed", explained.alert_id)
                await self._store([explained, *telling.decided[1:]])
        finally:
            self._settle(telling)

    def _settle(self, telling: _Telling) -> None:
        self._state.being_told.pop(telling.workload_id, None)
        self._state.forget_if_unseen(telling.workload_id)

    async def _prepare(self, telling: _Telling) -> tuple[Workload, list[Transition]] | None:
        """What is left to tell, after a closer look; a new alert is stored and pushed here if its diagnosis is to come.

        The channels are told with the diagnosis: a person who is woken wants to know why. Should this process end in
        between, the alert says that it awaits its diagnosis, and whoever leads next makes up for it.
        """
        transition = telling.transition
        workload = self._polled_since(telling) or await self._current(telling.workload_id)
        if workload is None:
            return None
        if transition.kind is AlertKind.WORKLOAD_UNHEALTHY and transition.rank <= _FROM_PHASE_ALONE:
            await self._examiner.examine(workload)
        decided = self._decided_again(transition, workload)
        if not decided:
            return None
        first = decided[0]
        if telling.explain and first.change is Change.OPENED and self._is_untold(first):
            if not self._still_holds(first):
                return None
            if not await self._announcer.apply_soon(dataclasses.replace(first, notify=False, awaits_diagnosis=True)):
                await self._clock.sleep(STORE_PAUSE_SECONDS)
                return None
        if self._nodes is not None:
            # If its node is in trouble, that is stored before the channels hear: the node's alert may stand for this one.
            await self._nodes.look_for(first.subject.nodes)
        return workload, decided

    async def _let_alerts_pass(self) -> None:
        """A diagnosis takes a hundred times the work of an alert: in a storm alerts go first, for a while."""
        for _ in range(YIELDS):
            if not self._looks.working:
                return
            await self._clock.sleep(YIELD_SECONDS)

    async def _store(self, decided: list[Transition]) -> None:
        if self._still_holds(decided[0]) and not await self._announcer.apply(decided):
            await self._clock.sleep(STORE_PAUSE_SECONDS)
            return
        self._explainer.settled(decided[0])

    def _polled_since(self, telling: _Telling) -> Workload | None:
        """The workload as a poll has found it since then, if one has and knows it."""
        if any(watched.read_from >= telling.began for watched in self._state.watchers_of(telling.workload_id)):
            return self._state.snapshot.workloads.get(telling.workload_id)
        return None

    async def _current(self, workload_id: WorkloadId) -> Workload | None:
        """The workload as it is now: what was just suspended or deleted on purpose is no failure."""
        known = self._state.snapshot.workloads.get(workload_id)
        if known is None or workload_id in self._state.perished:
            return known
        workload = await self._examiner.refresh(known)
        if workload is not None:
            return workload
        failed = await self._examiner.how_it_failed(known)
        self._state.part_with(workload_id, failed)
        self._state.changed.set()
        return failed

    def _decided_again(self, transition: Transition, workload: Workload) -> list[Transition]:
        """The decision in the light of what is known by now: the change first, then what was suppressed about it.

        In a storm a container may have recovered before its turn came. It failed all the same, and that is told; a
        phase that passed was perhaps never true.
        """
        again = decide(
            workload,
            self._detect(workload.id),
            book=self._state.book,
            now=self._clock.now(),
            options=self._options,
            nodes=self._state.snapshot.nodes_of(workload),
        )
        decided = [other for other in again if other.kind is transition.kind]
        if decided and decided[0].change in {Change.OPENED, Change.ESCALATED}:
            return decided
        opened = transition.change is Change.OPENED and transition.rank > _FROM_PHASE_ALONE
        return [transition] if opened and not again and not is_over(workload) else []

    def _still_holds(self, transition: Transition) -> bool:
        """Whether the workload and the alert are still there after the time that a diagnosis takes."""
        workload = self._state.snapshot.workloads.get(WorkloadId(transition.subject.id))
        if workload is None or workload.phase in QUIET_PHASES:
            return False
        alert = self._open_alert(transition)
        if transition.change is Change.ESCALATED:
            return alert is not None
        return alert is None or (alert.alert_id == transition.alert_id and alert.awaits_diagnosis)

    def _is_untold(self, transition: Transition) -> bool:
        return self._open_alert(transition) is None

    def _open_alert(self, transition: Transition) -> Alert | None:
        return self._state.book.open.get((transition.kind, transition.subject.id))


@contextmanager
def _trying(telling: _Telling) -> Iterator[None]:
    """A supervised boundary: what cannot be told now is decided again at the next evaluation."""
    try:
        yield
    except Exception:  # the boundary
        log.exception("the alert about workload %s could not be made; it is tried again", telling.workload_id)

"""New and worse alerts, each in a task of its own: refresh, examine, diagnose, store."""

from __future__ import annotations

import logging
from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup

from runai_monitor.clock import Clock
from runai_monitor.model.alert import AlertKind, Change, Detection, Transition
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor.announce import Announcer, Explainer
from runai_monitor.monitor.detect import QUIET_PHASES, RANKS, is_over
from runai_monitor.monitor.nodes import NodeFollower
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.policy import decide
from runai_monitor.monitor.state import State
from runai_monitor.monitor.suspects import Examiner

log = logging.getLogger(__name__)

CONCURRENT = 8
STORE_PAUSE_SECONDS = 5.0
"""After the store refused an alert, before it is decided again."""
_FROM_PHASE_ALONE = RANKS["BackoffLimitExceeded"]
"""Up to this rank a status is no more than a phase and its message: worth a closer look before it is told."""


class Opening:
    """At most one task per workload at a time; the next decision about it waits, for it may depend on the first."""

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
    ) -> None:
        self._state = state
        self._examiner = examiner
        self._explainer = explainer
        self._announcer = announcer
        self._detect = detect
        self._options = options
        self._clock = clock
        self._nodes = nodes
        self._limit = anyio.CapacityLimiter(CONCURRENT)

    def is_busy(self, workload_id: WorkloadId) -> bool:
        """Whether something about it is being prepared."""
        return workload_id in self._state.being_told

    def begin(self, transition: Transition, tasks: TaskGroup) -> None:
        """Prepares and stores it in the background."""
        workload_id = WorkloadId(transition.subject.id)
        explain = any(watched.monitor.auto_troubleshoot for watched in self._state.watchers_of(workload_id))
        self._state.being_told[workload_id] = transition
        tasks.start_soon(self._tell, transition, workload_id, explain)

    async def _tell(self, transition: Transition, workload_id: WorkloadId, explain: bool) -> None:
        try:
            async with self._limit:
                await self._prepare_and_store(transition, workload_id, explain=explain)
        except Exception:  # supervised boundary: this alert is decided again at the next evaluation
            log.exception("the alert about workload %s could not be made; it is tried again", workload_id)
        finally:
            self._state.being_told.pop(workload_id, None)
            if not any(True for _ in self._state.watchers_of(workload_id)):
                self._state.forget_unseen()

    async def _prepare_and_store(self, transition: Transition, workload_id: WorkloadId, *, explain: bool) -> None:
        workload = await self._current(workload_id)
        if workload is None:
            return
        if transition.kind is AlertKind.WORKLOAD_UNHEALTHY and transition.rank <= _FROM_PHASE_ALONE:
            await self._examiner.examine(workload)
        decided = self._decided_again(transition, workload)
        if not decided:
            return
        if self._nodes is not None:
            # If its node is in trouble, that is stored first: the node's alert may stand for this one.
            await self._nodes.look_for(decided[0].subject.nodes)
        if explain:
            decided[0] = await self._explainer.explained(decided[0], workload)
        if self._still_holds(decided[0]) and not await self._announcer.apply(decided):
            await self._clock.sleep(STORE_PAUSE_SECONDS)
            return
        self._explainer.settled(decided[0])

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
        is_open = (transition.kind, transition.subject.id) in self._state.book.open
        workload = self._state.snapshot.workloads.get(WorkloadId(transition.subject.id))
        if workload is None or workload.phase in QUIET_PHASES:
            return False
        return is_open is (transition.change is Change.ESCALATED)

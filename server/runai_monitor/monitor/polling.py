"""The monitors that the store says are active, each with its own poll loop; and what it means when polls fail."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from runai_monitor.clock import Clock
from runai_monitor.errors import RunaiAuthError, RunaiError, StoreError
from runai_monitor.model.cluster import Pod
from runai_monitor.model.monitor import Monitor, MonitorId
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor.announce import Announcer
from runai_monitor.monitor.containers import in_trouble
from runai_monitor.monitor.notices import blind, sighted
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.pods import PodFollower
from runai_monitor.monitor.poll import Polled, Poller
from runai_monitor.monitor.sources import Monitors, RunaiSource
from runai_monitor.monitor.state import State, Watched
from runai_monitor.monitor.supervise import Signal, Supervisor
from runai_monitor.monitor.suspects import Examiner

log = logging.getLogger(__name__)

BLIND_AFTER_POLLS = 3
SHORTEST_BLINDNESS_SECONDS = 180.0
"""A poll of a large tenant may outlast three short intervals; one that takes longer than this is a hang."""
EARLY_POLL_SECONDS = 5.0
"""Between polls at least, however many unknown pods fail."""
MOST_ASKED = 10_000
AT_ONCE = 500
"""Workloads taken in without a pause: about a millisecond, in which nobody else is served."""


class Polling:
    """Starts and stops poll loops as monitors come and go."""

    def __init__(
        self,
        *,
        state: State,
        runai: RunaiSource,
        monitors: Monitors,
        examiner: Examiner,
        announcer: Announcer,
        pods: PodFollower | None,
        supervisor: Supervisor,
        options: MonitorOptions,
        clock: Clock,
    ) -> None:
        self._state = state
        self._runai = runai
        self._monitors = monitors
        self._examiner = examiner
        self._announcer = announcer
        self._pods = pods
        self._supervisor = supervisor
        self._options = options
        self._clock = clock
        self._asked: dict[str, None] = {}
        self._refused: set[MonitorId] = set()
        self._unread = False
        self.monitors_changed = Signal(clock)

    async def run(self, tasks: TaskGroup) -> None:
        """Follows the store's monitors until cancelled; polls run in `tasks`."""
        while True:
            self._supervisor.beat("monitors")
            active = await self._active()
            for monitor_id in [known for known in self._state.watched if known not in active]:
                self._end(self._state.watched.pop(monitor_id))
            for monitor in active.values():
                if monitor.monitor_id not in self._state.watched:
                    self._begin(monitor, tasks)
            if not active:
                over = sighted(book=self._state.book, now=self._clock.now(), reason="nothing is monitored any more")
                await self._announcer.apply([over] if over else [])
            await self.monitors_changed.wait(self._until_next_end(active.values()))

    def heard_of(self, pods: Collection[Pod]) -> None:
        """Pods changed: one that fails for a workload not seen yet is a reason to poll before the interval is over."""
        now, hold = self._clock.now(), timedelta(seconds=self._options.resolve_after_seconds)
        for pod in pods:
            name = pod.workload_name
            if name is None or pod.uid in self._asked or self._state.snapshot.knows(pod.namespace, name):
                continue
            if in_trouble(pod, now=now, hold=hold):
                self._asked[pod.uid] = None
                if len(self._asked) > MOST_ASKED:
                    del self._asked[next(iter(self._asked))]
                for watched in self._state.watched.values():
                    watched.poll_now.set()

    async def watch_for_silence(self) -> None:
        """Polls that hang are blindness too, though none fails."""
        for watched in list(self._state.watched.values()):
            if self._is_silent(watched):
                reason = watched.error or "no poll has succeeded for minutes; check that the control plane answers"
                alert = blind(reason, book=self._state.book, now=self._clock.now())
                await self._announcer.apply([alert] if alert else [])

    def _is_silent(self, watched: Watched) -> bool:
        """Whether no poll has succeeded for longer than several should take."""
        limit = max(BLIND_AFTER_POLLS * watched.monitor.poll_interval_seconds, SHORTEST_BLINDNESS_SECONDS)
        since = watched.started if watched.succeeded is None else watched.succeeded
        return self._clock.monotonic() - since > limit

    async def _active(self) -> dict[MonitorId, Monitor]:
        """The monitors to run now; while the store does not answer, those that run, to their known ends."""
        try:
            active = await self._stored()
        except StoreError as error:
            log.log(logging.DEBUG if self._unread else logging.WARNING, "the monitors cannot be read: %s", error)
            self._unread = True
            now = self._clock.now()
            known = (watched.monitor for watched in self._state.watched.values())
            active = [monitor for monitor in known if monitor.ends_at is None or monitor.ends_at > now]
        else:
            self._unread = False
        return {monitor.monitor_id: monitor for monitor in active}

    async def _stored(self) -> list[Monitor]:
        active = await self._monitors.active()
        now = self._clock.now()
        if any(monitor.ends_at is not None and monitor.ends_at <= now for monitor in active):
            for ended in await self._monitors.end_due(now):
                log.info("monitor %s has ended", ended.monitor_id)
            active = await self._monitors.active()
        return [monitor for monitor in active if await self._may_run(monitor)]

    async def _may_run(self, monitor: Monitor) -> bool:
        """Whether its project may be looked at: the limit may have been narrowed since somebody started it."""
        allowed = self._options.allowed_projects
        if monitor.project is None or allowed is None or monitor.project in allowed:
            return True
        if monitor.monitor_id not in self._refused:
            reason = "its project is not among monitored_projects: stop this monitor, or add the project and restart"
            log.warning("monitor %s does not run: %s", monitor.monitor_id, reason)
            await self._monitors.record_poll(
                monitor.monitor_id, at=None, error=reason, error_at=self._clock.now(), next_poll_at=None, workloads=0
            )
            self._refused.add(monitor.monitor_id)
        return False

    def _until_next_end(self, monitors: Collection[Monitor]) -> float:
        now = self._clock.now()
        ends = [(monitor.ends_at - now).total_seconds() for monitor in monitors if monitor.ends_at]
        return max(0.0, min([self._options.tick_seconds, *ends]))

    def _begin(self, monitor: Monitor, tasks: TaskGroup) -> None:
        watched = Watched(
            monitor=monitor,
            poller=Poller(
                runai=self._runai,
                projects=(monitor.project,) if monitor.project is not None else self._options.allowed_projects,
                only_failed=monitor.only_failed,
                reconcile_interval_seconds=self._options.reconcile_interval_seconds,
                clock=self._clock,
                workloads=self._state.snapshot.workloads,
            ),
            scope=anyio.CancelScope(),
            poll_now=Signal(self._clock),
            started=self._clock.monotonic(),
        )
        self._state.watched[monitor.monitor_id] = watched
        tasks.start_soon(self._run_polls, watched)

    def _end(self, watched: Watched) -> None:
        watched.scope.cancel()
        self._supervisor.forget(f"poll {watched.monitor.monitor_id}")
        self._state.forget_unseen()

    async def _run_polls(self, watched: Watched) -> None:
        name = f"poll {watched.monitor.monitor_id}"
        with watched.scope:
            await self._supervisor.keep(name, lambda: self._poll_forever(name, watched))

    async def _poll_forever(self, name: str, watched: Watched) -> None:
        interval = watched.monitor.poll_interval_seconds
        while True:
            began = self._clock.monotonic()
            self._supervisor.beat(name)
            try:
                await self._poll(watched, next_at=self._clock.now() + timedelta(seconds=interval))
            except StoreError as error:
                log.warning("a poll could not be recorded: %s", error)
            self._state.changed.set()
            ended = self._clock.monotonic()
            # A control plane that takes longer than the interval is given as much time again before it is asked again.
            await self._rest(name, watched, until=max(began + interval, ended + (ended - began)))

    async def _rest(self, name: str, watched: Watched, *, until: float) -> None:
        """Until the next poll is due, or wanted early; a long interval is no missing sign of life."""
        pause = min(EARLY_POLL_SECONDS, watched.monitor.poll_interval_seconds)
        await self._clock.sleep(max(0.1, min(pause, until - self._clock.monotonic())))
        while (left := until - self._clock.monotonic()) > 0:
            self._supervisor.beat(name)
            if await watched.poll_now.wait(min(left, 60.0)):
                return

    async def _poll(self, watched: Watched, *, next_at: datetime) -> None:
        """One poll with everything that follows from it, recorded whether it went well or not."""
        error: RunaiError | None = None
        began = self._clock.monotonic()
        try:
            expected = self._state.expected_of(watched, self._options.allowed_projects)
            polled = await watched.poller.poll(expected=expected)
        except RunaiError as failed:
            error = failed
        else:
            await self._learn(watched, polled)
            watched.read_from = began
            await self._examiner.settle_pods()
            alerting = {WorkloadId(subject) for _, subject in self._state.book.open}
            await self._examiner.examine_suspects(watched.seen, alerting=alerting, first=not watched.examined)
            watched.examined = watched.examined or watched.complete
        self._state.polls += 1
        await self._note_sight(watched, error)
        now = self._clock.now()
        await self._monitors.record_poll(
            watched.monitor.monitor_id,
            at=None if error else now,
            error=str(error) if error else None,
            error_at=now if error else None,
            next_poll_at=max(now, next_at),
            workloads=len(watched.seen),
        )

    async def _learn(self, watched: Watched, polled: Polled) -> None:
        state = self._state
        for first in range(0, len(polled.workloads), AT_ONCE):
            some = polled.workloads[first : first + AT_ONCE]
            for workload in some:
                self._forget_old_pods(workload)
            state.snapshot.put_workloads(some)
            watched.seen.update([workload.id for workload in some])  # at once: what nobody sees may be dropped
            if self._pods is not None:
                self._pods.want({workload.namespace for workload in some if workload.namespace})
            await anyio.lowlevel.checkpoint()
        for workload_id, failed in (await self._examiner.how_they_failed(polled.gone)).items():
            # Before the first look it is an old failure like any other, and there is nobody left to tell about it.
            state.part_with(workload_id, failed if watched.looked else None)
        if polled.complete:
            watched.seen = set(watched.poller.known) | (state.perished & watched.seen)
            state.forget_unseen()
        else:  # at the cost of what changed
            watched.seen.difference_update(set(polled.gone) - state.perished)
        watched.complete = watched.complete or polled.complete

    def _forget_old_pods(self, workload: Workload) -> None:
        """Container states that nobody follows do not outlive the phase that they explained."""
        old = self._state.snapshot.workloads.get(workload.id)
        if old is None or old.phase == workload.phase:
            return
        followed = self._pods is not None and self._pods.sees(workload.namespace)
        if not followed:
            self._state.snapshot.forget_pods_of(old)

    async def _note_sight(self, watched: Watched, error: RunaiError | None) -> None:
        """Blindness is an alert: three failed polls in a row, or refused credentials at once."""
        now = self._clock.now()
        watched.error = str(error) if error else None
        if error is None:
            watched.failures, watched.succeeded = 0, self._clock.monotonic()
            others = self._state.watched.values()
            if not any(other.failures or other.succeeded is None or self._is_silent(other) for other in others):
                over = sighted(book=self._state.book, now=now)
                await self._announcer.apply([over] if over else [])
            return
        watched.failures += 1
        log.warning("a poll of monitor %s failed: %s", watched.monitor.monitor_id, error)
        if isinstance(error, RunaiAuthError) or watched.failures >= BLIND_AFTER_POLLS:
            alert = blind(str(error), book=self._state.book, now=now)
            await self._announcer.apply([alert] if alert else [])

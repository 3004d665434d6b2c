"""The loops: polls per monitor, the pod watch, and the evaluation that turns what they saw into alerts.

Each loop is supervised: an error is logged, backed off and visible in `statistics`, never fatal and never silent.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
from anyio.abc import TaskGroup

from runai_monitor.clock import Clock
from runai_monitor.errors import MonitorError, RunaiAuthError, RunaiError, StoreError
from runai_monitor.model.alert import Alert, AlertKind, Change, Detection, Transition
from runai_monitor.model.monitor import Monitor, MonitorId
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor.announce import Announcer, Examiner
from runai_monitor.monitor.detect import detect, is_suspect
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.pods import PodFollower
from runai_monitor.monitor.policy import Book, blind, decide, existing_failures, gone, sighted
from runai_monitor.monitor.poll import Polled, Poller
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.monitor.sources import AlertSink, Baseline, Diagnoses, KubeSource, Monitors, RunaiSource

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
"""How often monitors are read from the store (another process may write them) and timers are looked at."""
BLIND_AFTER_POLLS = 3
SUSPECTS_PER_POLL = 20
SUSPECT_AGAIN_SECONDS = 60.0
KUBE_SYNC_SECONDS = 10.0
EVERYWHERE = "*"
"""The name under which a first look at all projects is remembered: projects created later are news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatistics:
    """How the watching goes. Ages in seconds since a loop's last sign of life."""

    heartbeat_ages_seconds: dict[str, float]
    workloads: int
    polls: int
    blind: bool
    kube_live: bool
    kube_error: str | None
    baseline_complete: bool


@dataclass(slots=True, kw_only=True)
class _Watched:
    """One monitor as this process runs it."""

    monitor: Monitor
    poller: Poller
    scope: anyio.CancelScope
    started: float
    failures: int = 0
    error: str | None = None
    complete: bool = False
    looked: bool = False
    seen: set[WorkloadId] = field(default_factory=set)


class Engine:
    """Watches what the stored monitors say, for as long as this process leads."""

    def __init__(
        self,
        *,
        runai: RunaiSource,
        kube: KubeSource | None,
        diagnoser: Diagnoses,
        alerts: AlertSink,
        baseline: Baseline,
        monitors: Monitors,
        outbox_wake: Callable[[], None],
        channels: Sequence[str],
        options: MonitorOptions,
        clock: Clock,
        on_alerts: Callable[[list[Alert]], None],
    ) -> None:
        self._runai = runai
        self._alerts = alerts
        self._baseline = baseline
        self._monitors = monitors
        self._options = options
        self._clock = clock
        self._snapshot = Snapshot(kube_cluster_id=options.kube_cluster_id)
        self._book = Book()
        self._announcer = Announcer(
            alerts=alerts, book=self._book, channels=channels, outbox_wake=outbox_wake, on_alerts=on_alerts
        )
        self._examiner = Examiner(runai=runai, kube=kube, diagnoser=diagnoser, snapshot=self._snapshot)
        self._pods: PodFollower | None = None
        if kube is not None:
            self._pods = PodFollower(kube=kube, snapshot=self._snapshot, clock=clock, on_change=self._changed)
        self._watched: dict[MonitorId, _Watched] = {}
        self._covered: set[str] = set()
        self._examined_at: dict[WorkloadId, float] = {}
        self._opening: set[tuple[AlertKind, str]] = set()
        self._heartbeats: dict[str, float] = {}
        self._polls = 0
        self._evaluate_now = anyio.Event()
        self._monitors_now = anyio.Event()

    def wake(self) -> None:
        """Monitors changed in the store: look now."""
        self._monitors_now.set()

    def statistics(self) -> EngineStatistics:
        """How it goes, as of now."""
        now = self._clock.monotonic()
        return EngineStatistics(
            heartbeat_ages_seconds={name: now - at for name, at in self._heartbeats.items()},
            workloads=len(set().union(*(watched.seen for watched in self._watched.values()))),
            polls=self._polls,
            blind=(AlertKind.MONITOR_BLIND, "") in self._book.open,
            kube_live=bool(self._pods and self._pods.live),
            kube_error=self._pods.error if self._pods else None,
            baseline_complete=bool(self._watched) and all(watched.looked for watched in self._watched.values()),
        )

    async def run(self) -> None:
        """Watches until cancelled."""
        await self._supervised("start", self._load, once=True)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._supervised, "monitors", lambda: self._run_monitors(tasks))
            tasks.start_soon(self._supervised, "evaluation", lambda: self._run_evaluation(tasks))
            if self._pods is not None:
                tasks.start_soon(self._supervised, "pods", self._pods.run)

    async def _supervised(self, name: str, loop: Callable[[], Awaitable[None]], *, once: bool = False) -> None:
        while True:
            try:
                await loop()
                if once:
                    self._heartbeats.pop(name, None)
                    return
            except MonitorError as error:
                log.warning("the loop of %s goes on after: %s", name, error)
            except Exception:  # supervised boundary: a defect in one loop must stop neither it for ever nor the others
                log.exception("the loop of %s failed and starts again", name)
            await self._clock.sleep(TICK_SECONDS * 2)

    async def _load(self) -> None:
        """What was told before this process led."""
        self._book.open = {(alert.kind, alert.subject.id): alert for alert in await self._alerts.unresolved()}
        self._book.episodes = {
            (kind, subject): n for (kind, subject), n in (await self._alerts.last_episodes()).items()
        }
        self._book.baseline = set(await self._baseline.failing())
        self._covered = set(await self._baseline.covered_projects())

    # --- monitors and their polls -------------------------------------------------------------------------------

    async def _run_monitors(self, tasks: TaskGroup) -> None:
        while True:
            self._beat("monitors")
            self._monitors_now = anyio.Event()
            for ended in await self._monitors.end_due(self._clock.now()):
                log.info("monitor %s has ended", ended.monitor_id)
            active = {monitor.monitor_id: monitor for monitor in await self._monitors.active()}
            for monitor_id in [known for known in self._watched if known not in active]:
                self._watched.pop(monitor_id).scope.cancel()
            for monitor in active.values():
                if monitor.monitor_id not in self._watched:
                    self._watched[monitor.monitor_id] = self._new_watch(monitor)
                    tasks.start_soon(self._run_polls, self._watched[monitor.monitor_id])
            await self._wait(self._until_next_end(active.values()), lambda: self._monitors_now)

    def _new_watch(self, monitor: Monitor) -> _Watched:
        poller = Poller(
            runai=self._runai,
            projects=(monitor.project,) if monitor.project is not None else self._options.allowed_projects,
            only_failed=monitor.only_failed,
            reconcile_interval_seconds=self._options.reconcile_interval_seconds,
            clock=self._clock,
        )
        return _Watched(monitor=monitor, poller=poller, scope=anyio.CancelScope(), started=self._clock.monotonic())

    def _until_next_end(self, monitors: Collection[Monitor]) -> float:
        now = self._clock.now()
        ends = [(monitor.ends_at - now).total_seconds() for monitor in monitors if monitor.ends_at]
        return max(0.0, min([TICK_SECONDS, *ends]))

    async def _run_polls(self, watched: _Watched) -> None:
        with watched.scope:
            while True:
                began = self._clock.monotonic()
                try:
                    await self._poll(watched)
                except StoreError as error:
                    log.warning("a poll could not be recorded: %s", error)
                except Exception:  # supervised boundary: one failed poll must not end the monitor
                    log.exception("a poll of monitor %s failed", watched.monitor.monitor_id)
                    watched.failures += 1
                elapsed = self._clock.monotonic() - began
                await self._clock.sleep(max(0.1, watched.monitor.poll_interval_seconds - elapsed))

    async def _poll(self, watched: _Watched) -> None:
        """One poll with everything that follows from it, recorded whether it went well or not."""
        error: RunaiError | None = None
        try:
            self._learn(watched, await watched.poller.poll())
            await self._examine_suspects(watched)
        except RunaiError as failed:
            error = failed
        self._polls += 1
        await self._note_sight(watched, error)
        now = self._clock.now()
        await self._monitors.record_poll(
            watched.monitor.monitor_id,
            at=None if error else now,
            error=str(error) if error else None,
            error_at=now if error else None,
            next_poll_at=now + timedelta(seconds=watched.monitor.poll_interval_seconds),
            workloads=len(watched.seen),
        )
        self._changed()

    def _learn(self, watched: _Watched, polled: Polled) -> None:
        self._snapshot.put_workloads(polled.workloads)
        watched.seen |= {workload.id for workload in polled.workloads}
        watched.seen -= set(polled.gone)
        watched.complete = watched.complete or polled.complete
        self._snapshot.drop_workloads(polled.gone)
        if self._pods is not None:
            self._pods.want({workload.namespace for workload in polled.workloads if workload.namespace})

    async def _examine_suspects(self, watched: _Watched) -> None:
        """Reads Run:ai's events of those that container states do not explain, newest change first, a few per poll."""
        now, clock = self._clock.now(), self._clock.monotonic()
        suspects = []
        for workload_id in watched.seen:
            workload = self._snapshot.workloads[workload_id]
            has_pods = bool(self._snapshot.pods_of(workload))
            if not is_suspect(workload, has_pods=has_pods, now=now, options=self._options):
                continue
            if clock - self._examined_at.get(workload_id, float("-inf")) >= SUSPECT_AGAIN_SECONDS:
                suspects.append(workload)
        suspects.sort(
            key=lambda workload: (workload.phase_updated_at is not None, workload.phase_updated_at), reverse=True
        )
        async with anyio.create_task_group() as tasks:
            for workload in suspects[:SUSPECTS_PER_POLL]:
                self._examined_at[workload.id] = clock
                tasks.start_soon(self._examiner.read_events, workload)

    async def _note_sight(self, watched: _Watched, error: RunaiError | None) -> None:
        """Blindness is an alert: three failed polls in a row, or refused credentials at once."""
        watched.error = str(error) if error else None
        watched.failures = watched.failures + 1 if error else 0
        now = self._clock.now()
        if error is None:
            if all(other.failures == 0 for other in self._watched.values()):
                over = sighted(book=self._book, now=now)
                await self._announcer.apply([over] if over else [])
        elif isinstance(error, RunaiAuthError) or watched.failures >= BLIND_AFTER_POLLS:
            alert = blind(str(error), book=self._book, now=now)
            await self._announcer.apply([alert] if alert else [])

    # --- evaluation ---------------------------------------------------------------------------------------------

    async def _run_evaluation(self, tasks: TaskGroup) -> None:
        while True:
            self._beat("evaluation")
            self._evaluate_now = anyio.Event()
            for watched in list(self._watched.values()):
                await self._evaluate(watched, tasks)
            await self._resolve_gone()
            await self._wait(TICK_SECONDS, lambda: self._evaluate_now)

    async def _evaluate(self, watched: _Watched, tasks: TaskGroup) -> None:
        if not self._may_judge(watched):
            return
        detections = {workload_id: self._detect(workload_id) for workload_id in sorted(watched.seen)}
        if not watched.looked:
            if not await self._first_look(watched, detections):
                return
            watched.looked = True
        healthy = [w for w in self._book.baseline & set(detections) if detections[WorkloadId(w)] is None]
        if healthy:
            await self._baseline.forget(healthy)
            self._book.baseline -= set(healthy)
        transitions: list[Transition] = []
        for workload_id, detection in detections.items():
            workload = self._snapshot.workloads[workload_id]
            for transition in decide(
                workload, detection, book=self._book, now=self._clock.now(), options=self._options
            ):
                if transition.change is Change.OPENED:
                    self._open(transition, workload, watched, tasks)
                else:
                    transitions.append(transition)
        await self._announcer.apply(transitions)

    def _may_judge(self, watched: _Watched) -> bool:
        """Whether everything in scope was seen once, with container states where Kubernetes gives them in time."""
        if not watched.complete:
            return False
        waited = self._clock.monotonic() - watched.started
        return self._pods is None or self._pods.live or waited >= KUBE_SYNC_SECONDS

    def _detect(self, workload_id: WorkloadId) -> Detection | None:
        workload = self._snapshot.workloads[workload_id]
        return detect(
            workload,
            pods=self._snapshot.pods_of(workload),
            events=self._snapshot.events.get(workload_id, ()),
            now=self._clock.now(),
            options=self._options,
        )

    async def _first_look(self, watched: _Watched, detections: dict[WorkloadId, Detection | None]) -> bool:
        """Puts aside what had failed before anyone looked; whether that is done."""
        scope = watched.monitor.project or EVERYWHERE
        now = self._clock.now()
        failing: dict[str, tuple[Workload, Detection]] = {}
        if self._options.existing_failures != "each":
            for workload_id, detection in detections.items():
                workload = self._snapshot.workloads[workload_id]
                known = {scope, EVERYWHERE, workload.project} & self._covered
                told = detection is not None and (detection.kind, str(workload_id)) in self._book.open
                if detection is not None and detection.kind is AlertKind.WORKLOAD_UNHEALTHY and not known and not told:
                    failing[workload_id] = (workload, detection)
        summarise = bool(failing) and self._options.existing_failures == "summary"
        if summarise and not await self._announcer.apply([existing_failures(failing, book=self._book, now=now)]):
            return False
        await self._baseline.cover(
            projects={scope: now}, failing={key: detection.status for key, (_, detection) in failing.items()}
        )
        self._book.baseline |= set(failing)
        self._covered.add(scope)
        return True

    def _open(self, transition: Transition, workload: Workload, watched: _Watched, tasks: TaskGroup) -> None:
        key = (transition.kind, str(workload.id))
        if key not in self._opening:
            self._opening.add(key)
            tasks.start_soon(self._announce, transition, workload, watched.monitor.auto_troubleshoot)

    async def _announce(self, transition: Transition, workload: Workload, explain: bool) -> None:
        """Looks closer, asks why, stores: one new alert, told once."""
        key = (transition.kind, str(workload.id))
        try:
            if transition.status == workload.phase and transition.kind is AlertKind.WORKLOAD_UNHEALTHY:
                await self._examiner.examine(workload)
                workload = self._snapshot.workloads.get(workload.id, workload)
                again = decide(
                    workload, self._detect(workload.id), book=self._book, now=self._clock.now(), options=self._options
                )
                transition = next((found for found in again if found.change is Change.OPENED), transition)
            if explain:
                transition = await self._examiner.explained(transition, workload)
            await self._announcer.apply([transition])
        except Exception:  # supervised boundary: this alert is decided again at the next evaluation
            log.exception("the alert about %s could not be made; it is tried again", workload.name)
        finally:
            self._opening.discard(key)

    async def _resolve_gone(self) -> None:
        """Alerts of workloads that were watched to their deletion."""
        now = self._clock.now()
        over = [
            gone(alert, now=now)
            for (_, subject), alert in self._book.open.items()
            if subject and self._is_gone(WorkloadId(subject), alert)
        ]
        await self._announcer.apply(over)

    def _is_gone(self, workload_id: WorkloadId, alert: Alert) -> bool:
        if workload_id in self._snapshot.workloads:
            return self._snapshot.workloads[workload_id].deleted_at is not None
        return any(
            watched.looked
            and not watched.monitor.only_failed
            and watched.monitor.project in (None, alert.subject.project)
            for watched in self._watched.values()
        )

    # --- small things -------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._evaluate_now.set()

    def _beat(self, name: str) -> None:
        self._heartbeats[name] = self._clock.monotonic()

    async def _wait(self, seconds: float, event: Callable[[], anyio.Event]) -> None:
        """Until `seconds` have passed by the clock, or the event is set."""
        async with anyio.create_task_group() as race:

            async def woken() -> None:
                await event().wait()
                race.cancel_scope.cancel()

            race.start_soon(woken)
            await self._clock.sleep(seconds)
            race.cancel_scope.cancel()

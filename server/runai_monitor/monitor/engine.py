"""Watches what the stored monitors say: puts the loops together, keeps them alive and tells how they go.

Polls and the pod watch write the snapshot; the evaluation reads it, decides, and hands new alerts to tasks that
examine, diagnose and store them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio
from anyio.abc import TaskGroup

from runai_monitor.clock import Clock
from runai_monitor.errors import StoreError
from runai_monitor.model.alert import Alert
from runai_monitor.model.cluster import Pod
from runai_monitor.model.history import AlertHistory
from runai_monitor.model.monitor import MonitorId
from runai_monitor.model.workload import Workload
from runai_monitor.monitor.announce import Announcer, Explainer
from runai_monitor.monitor.beside import Neighbourhood
from runai_monitor.monitor.evaluation import Evaluation
from runai_monitor.monitor.first_look import FirstLook
from runai_monitor.monitor.flapping import endings_of
from runai_monitor.monitor.judge import Judge
from runai_monitor.monitor.nodes import NodeFollower
from runai_monitor.monitor.opening import STORE_PAUSE_SECONDS, Opening
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.pods import PodFollower
from runai_monitor.monitor.policy import unfinished
from runai_monitor.monitor.polling import Polling
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.monitor.sources import AlertSink, Baseline, Diagnoses, KubeSource, Monitors, RunaiSource
from runai_monitor.monitor.state import State
from runai_monitor.monitor.supervise import Signal, Supervisor
from runai_monitor.monitor.suspects import Examiner
from runai_monitor.pace import Pace

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorStatistics:
    """How one monitor goes. Age in seconds since its last successful poll, None before the first."""

    workloads: int
    failures_in_a_row: int
    error: str | None
    success_age_seconds: float | None
    looked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatistics:
    """How the watching goes. Ages in seconds since a loop's last sign of life."""

    heartbeat_ages_seconds: Mapping[str, float]
    workloads: int
    polls: int
    blind: bool
    kube_live: bool
    kube_error: str | None
    store_error: str | None
    baseline_complete: bool
    crashes: Mapping[str, int] = field(default_factory=dict)
    queues: Mapping[str, int] = field(default_factory=dict)
    """How many wait, by what for."""
    monitors: Mapping[MonitorId, MonitorStatistics] = field(default_factory=dict)


class Engine:
    """The leader's work. One `run` at a time; what was told before is read from the store when it begins."""

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
        route: Callable[[Alert], Sequence[str]] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._alerts = alerts
        self._pace = pace or Pace(clock.monotonic)
        self._baseline, self._monitors = baseline, monitors
        self._clock = clock
        self._options = options
        self._supervisor = Supervisor(clock)
        state = State(
            snapshot=Snapshot(kube_cluster_id=options.kube_cluster_id, monotonic=clock.monotonic), changed=Signal(clock)
        )
        self._state = state
        self._pods: PodFollower | None = None
        if kube is not None:
            self._pods = PodFollower(kube=kube, snapshot=state.snapshot, clock=clock, on_change=self._on_pods)
        self._announcer = Announcer(
            alerts=alerts,
            book=state.book,
            channels=channels,
            route=route,
            outbox_wake=outbox_wake,
            on_alerts=on_alerts,
            pace=self._pace,
        )
        self._nodes = None if kube is None else self._following_nodes(kube)
        examiner = Examiner(
            runai=runai,
            kube=kube,
            snapshot=state.snapshot,
            options=options,
            clock=clock,
            sees_pods_of=lambda namespace: self._pods is not None and self._pods.sees(namespace),
        )
        self._evaluation = self._deciding(examiner, Explainer(diagnoser=diagnoser))
        self._polling = Polling(
            state=state,
            runai=runai,
            monitors=monitors,
            examiner=examiner,
            announcer=self._announcer,
            pods=self._pods,
            supervisor=self._supervisor,
            options=options,
            clock=clock,
        )

    def _following_nodes(self, kube: KubeSource) -> NodeFollower:
        return NodeFollower(
            kube=kube,
            state=self._state,
            announcer=self._announcer,
            options=self._options,
            supervisor=self._supervisor,
            clock=self._clock,
        )

    def _deciding(self, examiner: Examiner, explainer: Explainer) -> Evaluation:
        """From what is known to what is stored."""
        self._neighbourhood = Neighbourhood(self._state, allowed=self._options.allowed_projects)
        judge = Judge(state=self._state, pods=self._pods, options=self._options, clock=self._clock)
        opening = Opening(
            state=self._state,
            examiner=examiner,
            explainer=explainer,
            announcer=self._announcer,
            detect=judge.detect,
            options=self._options,
            clock=self._clock,
            nodes=self._nodes,
            pace=self._pace,
        )
        self._opening = opening
        first_look = FirstLook(
            state=self._state,
            judge=judge,
            examiner=examiner,
            announcer=self._announcer,
            baseline=self._baseline,
            options=self._options,
            clock=self._clock,
        )
        return Evaluation(
            state=self._state,
            judge=judge,
            opening=opening,
            announcer=self._announcer,
            first_look=first_look,
            clock=self._clock,
            pace=self._pace,
        )

    def wake(self) -> None:
        """Monitors changed in the store: look now."""
        self._polling.monitors_changed.set()

    async def failing_beside(self, workload: Workload, *, failed_at: datetime) -> AlertHistory:
        """The other workloads that fail within an hour of `failed_at`, whether or not they have been told; as of now."""
        return await self._neighbourhood.beside(workload, failed_at=failed_at)

    def hear(self, alert: Alert) -> None:
        """An alert changed in the store, whoever changed it."""
        self._announcer.hear(alert)

    def statistics(self) -> EngineStatistics:
        """How it goes, as of now."""
        watched = self._state.watched
        return EngineStatistics(
            heartbeat_ages_seconds=self._supervisor.ages(),
            workloads=len(self._state.seen()),
            polls=self._state.polls,
            blind=self._state.blind,
            kube_live=bool(self._pods and self._pods.live),
            kube_error=(self._pods.error if self._pods else None) or (self._nodes.error if self._nodes else None),
            store_error=self._announcer.error,
            baseline_complete=bool(watched) and all(each.looked for each in watched.values()),
            crashes=self._supervisor.crashes(),
            queues={
                "alerts to look at": self._opening.preparing,
                "alerts to store": self._announcer.queued,
                "alerts to diagnose": self._opening.waiting,
            },
            monitors=self._monitor_statistics(),
        )

    def _monitor_statistics(self) -> dict[MonitorId, MonitorStatistics]:
        now = self._clock.monotonic()
        return {
            monitor_id: MonitorStatistics(
                workloads=len(watched.seen),
                failures_in_a_row=watched.failures,
                error=watched.error,
                success_age_seconds=None if watched.succeeded is None else now - watched.succeeded,
                looked=watched.looked,
            )
            for monitor_id, watched in self._state.watched.items()
        }

    async def run(self) -> None:
        """Watches until cancelled."""
        await self._supervisor.keep("start", self._load)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._supervisor.keep, "monitors", lambda: self._polling.run(tasks))
                tasks.start_soon(self._supervisor.keep, "evaluation", lambda: self._evaluate_forever(tasks))
                if self._pods is not None:
                    tasks.start_soon(self._supervisor.keep, "pods", self._pods.run)
                if self._nodes is not None:
                    tasks.start_soon(self._supervisor.keep, "nodes", self._nodes.run)
        finally:
            self._state.watched.clear()
            self._opening.abandon()

    async def _load(self) -> None:
        """What was told before this process led."""
        await self._announcer.load()
        remembered = timedelta(minutes=3 * self._options.flap_window_minutes)
        self._state.book.ended = endings_of(await self._alerts.resolved_since(self._clock.now() - remembered))
        self._state.book.baseline = dict(await self._baseline.failing())
        self._state.covered = dict(await self._baseline.covered_projects())
        active, now = await self._monitors.active(), self._clock.now()
        await self._announcer.apply(unfinished(active, book=self._state.book, now=now, options=self._options))

    async def _evaluate_forever(self, tasks: TaskGroup) -> None:
        while True:
            self._supervisor.beat("evaluation")
            try:
                await self._evaluation.evaluate(tasks)
                await self._polling.watch_for_silence()
            except StoreError as error:
                log.warning("what was decided could not be kept and is decided again: %s", error)
                await self._clock.sleep(STORE_PAUSE_SECONDS)
            await self._state.changed.wait(self._options.tick_seconds)

    def _on_pods(self, pods: tuple[Pod, ...]) -> None:
        self._polling.heard_of(pods)
        self._state.changed.set()

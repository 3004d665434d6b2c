"""The composition root: builds every object once, runs one task group, undoes in reverse.

The MCP server answers `tools/list` before anything heavy is loaded: what needs the store, Run:ai or Kubernetes waits
for `Application.services`, which the background task fills.
"""

from __future__ import annotations

import gc
import importlib
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from runai_monitor import wiring
from runai_monitor.clock import Clock
from runai_monitor.errors import MonitorError, StoreError
from runai_monitor.garbage import look_at_everything, sparing_the_old
from runai_monitor.leading import Lead
from runai_monitor.operations.operations import Operations
from runai_monitor.operations.services import EngineState, Services
from runai_monitor.pace import Pace, short_turns
from runai_monitor.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

    from runai_monitor.kube.lazy import LazyKube
    from runai_monitor.model.alert import Alert, AlertId
    from runai_monitor.model.history import AlertHistory
    from runai_monitor.model.monitor import Monitor
    from runai_monitor.model.workload import Workload
    from runai_monitor.monitor.engine import Engine
    from runai_monitor.notify.outbox import Outbox
    from runai_monitor.runai.client import RunaiClient
    from runai_monitor.store.database import Database
    from runai_monitor.store.remembered import RememberingAlertStore
    from runai_monitor.store.retention import Retention

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 1.0
"""How long the background work waits for the first client to be answered before it begins all the same."""
AFTER_ANSWER_SECONDS = 0.05
"""For the first answer to reach the wire before loading competes with it."""
RETRY_SECONDS = 5.0
"""Between attempts to begin what could not begin, such as opening the store."""
FILE_SECONDS = 1.0
"""Between looks whether the database's file is still there."""
_HEAVY = (
    "runai_monitor.store.monitors",
    "runai_monitor.store.baseline",
    "runai_monitor.store.history",
    "runai_monitor.store.leaders",
    "runai_monitor.store.retention",
    "runai_monitor.store.silences",
    "runai_monitor.monitor.engine",
    "runai_monitor.diagnosis.diagnose",
    "runai_monitor.notify.channels",
    "runai_monitor.notify.outbox",
    "runai_monitor.notify.slack",
    "runai_monitor.runai.client",
    "runai_monitor.kube.lazy",
)
"""What brings SQLAlchemy, aiohttp and runapy: together longer to load than everything else."""


class Application:
    """Everything one server process has. `run()` is its background work; `operations` is for the surfaces."""

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._wanted = anyio.Event()
        self._first_attempt = anyio.Event()
        self._services: Services | None = None
        self._failure: MonitorError | None = None
        self._engine: Engine | None = None
        self._lead: Lead | None = None
        self._retention: Retention | None = None
        self._carried: Sequence[Monitor] = ()
        self._pace = Pace(clock.monotonic)
        self.operations = Operations(services=self.services, options=wiring.operation_options(settings), clock=clock)

    def begin(self) -> None:
        """The first client has its first answer: from now on loading delays nobody."""
        self._wanted.set()

    async def services(self) -> Services:
        """The services, as soon as they are built.

        Raises:
            MonitorError: they could not be built; it is tried again every few seconds.
        """
        self.begin()
        await self._first_attempt.wait()
        if self._services is None:
            raise self._failure or MonitorError("the server is shutting down")
        return self._services

    async def pushed(self, alert: Alert) -> None:
        """The alert was offered to every connection."""
        self._pace.reached("pushed", alert.alert_id)

    async def run(self) -> None:
        """Builds the services, then watches, tells and delivers until cancelled."""
        with anyio.move_on_after(PATIENCE_SECONDS):
            await self._wanted.wait()
            await self._clock.sleep(AFTER_ANSWER_SECONDS)
        gc.freeze()  # a hundred thousand objects that the first collection need not look at
        gc.enable()
        while True:
            try:
                with sparing_the_old(), short_turns():
                    # In a thread, so that requests are answered meanwhile.
                    await anyio.to_thread.run_sync(_load)
                    async with AsyncExitStack() as stack:
                        await self._build_and_run(stack)
            except Exception as error:  # noqa: BLE001  # supervised boundary: the server says why it cannot, and goes on
                self._failed(error)
            await self._clock.sleep(RETRY_SECONDS)

    def _failed(self, error: Exception) -> None:
        ours = _ours(error)
        if ours is None:
            log.error("the server cannot work; it tries again in %g s", RETRY_SECONDS, exc_info=error)
            ours = MonitorError("the server cannot work because of a defect; its log on stderr says which")
        else:
            log.error("%s", ours)
        self._services, self._failure = None, ours
        self._first_attempt.set()

    async def _build_and_run(self, stack: AsyncExitStack) -> None:
        from runai_monitor.store.leaders import LeaderStore
        from runai_monitor.store.remembered import RememberingAlertStore

        settings = self._settings
        database = await wiring.database_of(settings)
        stack.push_async_callback(database.aclose)
        runai = wiring.runai_client(settings, self._clock)
        stack.push_async_callback(runai.aclose)
        kube = wiring.kube_client(settings, self._clock)
        if kube is not None:
            stack.push_async_callback(kube.aclose)
        outbox = await wiring.open_outbox(stack, settings, database, self._clock, self._delivered)
        remembering = RememberingAlertStore(database)
        stack.callback(remembering.close)
        self._retention = wiring.retention(settings, database=database, clock=self._clock)
        self._services = self._bundle(database, runai, kube, outbox, remembering)
        assert self._engine is not None
        leadership = database.leadership()
        stack.push_async_callback(leadership.release)
        delivery = partial(outbox.run, alone=leadership.ends_with_process)
        work = (self._engine.run, delivery, self._retention.run)
        self._lead = Lead(leadership, work=work, leaders=LeaderStore(database), clock=self._clock)
        self._first_attempt.set()
        await self._carry_over(database)
        # What people answer through any process on this state, the engine must know before it decides again.
        stack.callback(self.operations.feed.subscribe(self._heard))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.operations.feed.run)
            tasks.start_soon(runai.warm_up)
            tasks.start_soon(self._lead.run)
            tasks.start_soon(self._watch_file, database)
            tasks.start_soon(self._pace.watch_the_loop)
            tasks.start_soon(look_at_everything, self._clock)

    def _bundle(
        self,
        database: Database,
        runai: RunaiClient,
        kube: LazyKube | None,
        outbox: Outbox,
        remembering: RememberingAlertStore,
    ) -> Services:
        from runai_monitor.monitor.engine import Engine
        from runai_monitor.store.alerts import AlertStore
        from runai_monitor.store.audit import AuditStore
        from runai_monitor.store.baseline import BaselineStore
        from runai_monitor.store.dead_letters import DeadLetterStore
        from runai_monitor.store.deliveries import DeliveryStore
        from runai_monitor.store.leaders import LeaderStore
        from runai_monitor.store.monitors import MonitorStore
        from runai_monitor.store.silences import SilenceStore

        settings = self._settings
        alerts, monitors, baseline = AlertStore(database), MonitorStore(database), BaselineStore(database)
        diagnoser = wiring.diagnoser(
            settings, runai=runai, kube=kube, clock=self._clock, database=database, live=self._failing_beside
        )
        engine = Engine(
            runai=runai,
            kube=kube,
            diagnoser=diagnoser,
            alerts=alerts,
            baseline=baseline,
            monitors=monitors,
            outbox_wake=outbox.wake,
            channels=wiring.channel_names(settings),
            route=wiring.router(settings),
            options=wiring.monitor_options(settings),
            clock=self._clock,
            on_alerts=self._told,
            pace=self._pace,
        )
        self._engine = engine
        return Services(
            alerts=remembering,
            silences=SilenceStore(database),
            audit=AuditStore(database),
            monitors=monitors,
            baseline=baseline,
            deliveries=DeliveryStore(database),
            dead_letters=DeadLetterStore(database),
            runai=runai,
            diagnoser=diagnoser,
            outbox=outbox,
            database=database,
            engine=self._engine_state,
            wake_engine=engine.wake,
            kube=kube,
            leaders=LeaderStore(database),
            pace=self._pace,
            channels=wiring.channel_names(settings),
            channel_kinds=wiring.channel_kinds(settings),
            database_place=database.place if settings.database_url else str(settings.state_dir),
        )

    async def _watch_file(self, database: Database) -> None:
        """Ends the work on a file that was taken away, so that it begins again on the one in its place.

        The monitors go along: whoever tidies up a folder does not mean that nobody shall watch any more.
        """
        from runai_monitor.store.monitors import MonitorStore

        while True:
            await self._clock.sleep(FILE_SECONDS)
            try:
                await database.require_file()
            except StoreError:
                with suppress(StoreError):
                    self._carried = await MonitorStore(database).active()
                raise

    async def _carry_over(self, database: Database) -> None:
        from runai_monitor.store.monitors import MonitorStore

        for monitor in self._carried:
            await MonitorStore(database).start(monitor)
        self._carried = ()

    def _delivered(self, alert_id: AlertId) -> None:
        self._pace.reached("delivered", alert_id)

    def _told(self, alerts: list[Alert]) -> None:
        """Alerts were stored: log them, and look at once instead of at the next glance at the database's version."""
        from runai_monitor.notify.console import log_alert

        for alert in alerts:
            if not alert.awaits_diagnosis:  # a person reads it once, with its cause
                log_alert(alert)
        self.operations.feed.notify(alerts)

    async def _failing_beside(self, workload: Workload, *, failed_at: datetime) -> AlertHistory:
        """Who fails beside a workload, as this process watches it: nobody while another process leads."""
        from runai_monitor.model.history import AlertHistory

        return (
            AlertHistory() if self._engine is None else await self._engine.failing_beside(workload, failed_at=failed_at)
        )

    async def _heard(self, alert: Alert) -> None:
        if self._engine is not None:
            self._engine.hear(alert)

    def _engine_state(self) -> EngineState:
        lead = self._lead
        if self._engine is None or lead is None or not lead.leading:
            return EngineState(role_since=None if lead is None else lead.role_since)
        now = self._engine.statistics()
        return EngineState(
            leader=True,
            role_since=lead.role_since,
            deleted={str(kind): n for kind, n in self._retention.deleted.items()} if self._retention else {},
            heartbeat_ages_seconds=now.heartbeat_ages_seconds,
            workloads=now.workloads,
            polls=now.polls,
            blind=now.blind,
            kube_live=now.kube_live,
            kube_error=now.kube_error,
            store_error=now.store_error,
            crashes=now.crashes,
            baseline_complete=now.baseline_complete,
            queues=now.queues,
        )


def _load() -> None:
    for name in _HEAVY:
        importlib.import_module(name)
    gc.freeze()  # what is loaded stays: no collection needs to look at it again


def _ours(error: Exception) -> MonitorError | None:
    """The first error of ours in what a task group raised; None when there is a defect among them."""
    if isinstance(error, MonitorError):
        return error
    if not isinstance(error, ExceptionGroup):
        return None
    found = [_ours(inner) for inner in error.exceptions]
    return None if None in found else found[0]

"""The composition root: builds every object once, runs one task group, undoes in reverse.

The MCP server answers `tools/list` before anything heavy is loaded: what needs the store, Run:ai or Kubernetes waits
for `Application.services`, which the background task fills.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from runai_monitor import __version__
from runai_monitor.clock import Clock, SystemClock
from runai_monitor.errors import MonitorError, SettingsError
from runai_monitor.model.alert import AlertState
from runai_monitor.operations import arguments
from runai_monitor.operations.operations import Operations
from runai_monitor.operations.scope import Scope
from runai_monitor.operations.services import EngineState, OperationOptions, Services
from runai_monitor.settings import LOOPBACK_HOSTS, Settings

if TYPE_CHECKING:
    from pydantic import SecretStr

    from runai_monitor.kube.client import KubeClient
    from runai_monitor.kube.lazy import LazyKube
    from runai_monitor.model.alert import Alert
    from runai_monitor.monitor.engine import Engine
    from runai_monitor.monitor.options import MonitorOptions
    from runai_monitor.notify.outbox import Outbox
    from runai_monitor.operations.checkup import Check, CheckResult
    from runai_monitor.runai.client import RunaiClient
    from runai_monitor.store.database import Database
    from runai_monitor.store.leader import LeaderLock

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
"""Between attempts to open a store that could not be opened."""
CHECK_SECONDS = 8.0
"""The patience of `check` with Run:ai: a few attempts, for a person who waits."""
LEADER_SECONDS = 1.0
"""Between attempts of a follower to lead: a dead leader is followed within about a second."""


class Application:
    """Everything one server process has. `run()` is its background work; `operations` is for the surfaces."""

    def __init__(self, settings: Settings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._first_attempt = anyio.Event()
        self._services: Services | None = None
        self._failure: MonitorError | None = None
        self._engine: Engine | None = None
        self._leading = False
        self.operations = Operations(services=self.services, options=_options(settings), clock=clock)

    async def services(self) -> Services:
        """The services, as soon as they are built.

        Raises:
            MonitorError: they could not be built; it is tried again every few seconds.
        """
        await self._first_attempt.wait()
        if self._services is None:
            raise self._failure or MonitorError("the server is shutting down")
        return self._services

    async def run(self) -> None:
        """Builds the services, then watches, tells and delivers until cancelled."""
        while True:
            try:
                async with AsyncExitStack() as stack:
                    await self._build_and_run(stack)
            except MonitorError as error:
                self._services, self._failure = None, error
                self._first_attempt.set()
                log.error("%s", error)  # noqa: TRY400  # one sentence for a person; the trace says nothing more
            await self._clock.sleep(RETRY_SECONDS)

    async def _build_and_run(self, stack: AsyncExitStack) -> None:
        from runai_monitor.store.database import open_database
        from runai_monitor.store.leader import LeaderLock

        settings = self._settings
        database = await open_database(state_dir=settings.state_dir, database_url=_plain(settings.database_url))
        stack.push_async_callback(database.aclose)
        runai = _runai(settings, self._clock)
        stack.push_async_callback(runai.aclose)
        kube = _kube(settings, self._clock)
        if kube is not None:
            stack.push_async_callback(kube.aclose)
        outbox = await _outbox(stack, settings, database, self._clock)
        self._services = self._bundle(database, runai, kube, outbox)
        self._first_attempt.set()
        lock = LeaderLock(settings.state_dir)
        stack.callback(lock.release)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.operations.feed.run)
            tasks.start_soon(runai.warm_up)
            tasks.start_soon(self._lead, lock, outbox)

    def _bundle(self, database: Database, runai: RunaiClient, kube: LazyKube | None, outbox: Outbox) -> Services:
        from runai_monitor.diagnosis.diagnose import Diagnoser
        from runai_monitor.monitor.engine import Engine
        from runai_monitor.store.alerts import AlertStore
        from runai_monitor.store.baseline import BaselineStore
        from runai_monitor.store.deliveries import DeliveryStore
        from runai_monitor.store.monitors import MonitorStore

        settings = self._settings
        alerts, monitors, baseline = AlertStore(database), MonitorStore(database), BaselineStore(database)
        diagnoser = Diagnoser(
            runai=runai,
            kube=kube,
            clock=self._clock,
            timeout_seconds=settings.diagnosis_timeout_seconds,
            log_tail_lines=settings.log_tail_lines,
            log_limit_bytes=settings.log_limit_bytes,
            pending_stuck_minutes=settings.pending_stuck_minutes,
        )
        engine = Engine(
            runai=runai,
            kube=kube,
            diagnoser=diagnoser,
            alerts=alerts,
            baseline=baseline,
            monitors=monitors,
            outbox_wake=outbox.wake,
            channels=_channel_names(settings),
            options=_monitor_options(settings),
            clock=self._clock,
            on_alerts=self._told,
        )
        self._engine = engine
        return Services(
            alerts=alerts,
            monitors=monitors,
            baseline=baseline,
            deliveries=DeliveryStore(database),
            runai=runai,
            diagnoser=diagnoser,
            outbox=outbox,
            database=database,
            engine=self._engine_state,
            wake_engine=engine.wake,
            kube=kube,
            channels=_channel_names(settings),
            database_place="the configured database" if settings.database_url else str(settings.state_dir),
        )

    def _told(self, alerts: list[Alert]) -> None:
        """Alerts were stored: log them, and look at once instead of at the next glance at the database's version."""
        from runai_monitor.notify.console import log_alert

        for alert in alerts:
            log_alert(alert)
        self.operations.feed.notify()

    def _engine_state(self) -> EngineState:
        if self._engine is None or not self._leading:
            return EngineState()
        now = self._engine.statistics()
        return EngineState(
            leader=True,
            heartbeat_ages_seconds=now.heartbeat_ages_seconds,
            workloads=now.workloads,
            polls=now.polls,
            blind=now.blind,
            kube_live=now.kube_live,
            kube_error=now.kube_error,
            baseline_complete=now.baseline_complete,
        )

    async def _lead(self, lock: LeaderLock, outbox: Outbox) -> None:
        """Polls and delivers as long as no other process on this state does; otherwise waits for its turn."""
        while not lock.try_acquire():
            await self._clock.sleep(LEADER_SECONDS)
        assert self._engine is not None
        self._leading = True
        log.info("this process polls Run:ai and delivers alerts")
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._engine.run)
                tasks.start_soon(outbox.run)
        finally:
            self._leading = False


async def serve_stdio(settings: Settings, *, channel: bool) -> None:
    """Serves one client on stdin and stdout until it closes them."""
    from runai_monitor.mcp_server.push import AlertHub
    from runai_monitor.mcp_server.server import build_server
    from runai_monitor.mcp_server.stdio import run_stdio

    application = Application(settings, clock=SystemClock())
    server = build_server(
        operations=application.operations,
        hub=AlertHub(channel=channel),
        version=__version__,
        allow_write_tools=settings.allow_write_tools,
    )
    async with _background(application):
        await run_stdio(server)


async def serve_http(settings: Settings, *, host: str, port: int) -> None:
    """Serves HTTP until told to stop.

    Raises:
        SettingsError: `host` is not loopback and there is no auth token, or the address cannot be bound.
    """
    from runai_monitor.mcp_server.http import run_http
    from runai_monitor.mcp_server.push import AlertHub
    from runai_monitor.mcp_server.server import build_server

    check_exposure(settings, host=host)
    application = Application(settings, clock=SystemClock())
    hub = AlertHub()
    server = build_server(
        operations=application.operations,
        hub=hub,
        version=__version__,
        allow_write_tools=settings.allow_write_tools,
    )
    async with _background(application):
        await run_http(
            server=server,
            hub=hub,
            operations=application.operations,
            host=host,
            port=port,
            token=_plain(settings.auth_token),
            allowed_hosts=settings.allowed_hosts,
            allowed_origins=settings.allowed_origins,
        )


def check_exposure(settings: Settings, *, host: str) -> None:
    """Refuses to be reachable from other machines without a token.

    Raises:
        SettingsError: `host` is not loopback and there is no auth token.
    """
    if host not in LOOPBACK_HOSTS and settings.auth_token is None:
        raise SettingsError(
            f"binding to {host} would let anyone in: set RUNAI_MONITOR_AUTH_TOKEN, or bind to 127.0.0.1"
        )


async def read_alerts(
    settings: Settings, *, project: str | None, state: str | None, since: str | None, limit: int
) -> list[Alert]:
    """The stored alerts, for the command line.

    Raises:
        InputError: a project outside the limit, or a `since` that cannot be read. StoreError: no database.
    """
    from runai_monitor.store.alerts import AlertStore
    from runai_monitor.store.database import open_database

    database = await open_database(state_dir=settings.state_dir, database_url=_plain(settings.database_url))
    try:
        scope = Scope(_allowed(settings))
        return await AlertStore(database).list(
            projects=scope.projects,
            project=scope.project(project),
            state=None if state is None else AlertState(state),
            since=arguments.instant("since", since, now=SystemClock().now()),
            limit=limit,
        )
    finally:
        await database.aclose()


async def run_checks(
    settings: Settings, *, send_test: bool, on_result: Callable[[CheckResult], None] | None = None
) -> list[CheckResult]:
    """Tries each thing that monitoring will need, in order; `on_result` hears of each as it is known."""
    from runai_monitor.operations import checkup

    settings.require_credentials()
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        return await checkup.run_checks(
            [
                checkup.Check(name="settings", run=_settings_check(settings)),
                checkup.Check(name="state", run=_store_check(settings)),
                *await _outward_checks(stack, settings, clock, send_test=send_test),
            ],
            on_result=on_result,
        )


def _settings_check(settings: Settings) -> Callable[[], Awaitable[list[CheckResult]]]:
    from runai_monitor.operations.checkup import CheckResult

    async def run() -> list[CheckResult]:
        projects = "every project" if settings.watches_all_projects else ", ".join(settings.monitored_projects)
        return [CheckResult(name="settings", outcome="ok", detail=f"{settings.runai_base_url}, {projects}")]

    return run


def _store_check(settings: Settings) -> Callable[[], Awaitable[list[CheckResult]]]:
    from runai_monitor.operations.checkup import CheckResult
    from runai_monitor.store.database import open_database

    async def run() -> list[CheckResult]:
        database = await open_database(state_dir=settings.state_dir, database_url=_plain(settings.database_url))
        await database.aclose()
        return [CheckResult(name="state", outcome="ok", detail=f"{database.place} can be written")]

    return run


async def _outward_checks(stack: AsyncExitStack, settings: Settings, clock: Clock, *, send_test: bool) -> list[Check]:
    """What reaches out: Run:ai, Kubernetes, and each channel."""
    from runai_monitor.operations.checkup import Check, reach

    # A person waits: whether Run:ai answers is known long before a poll's own patience ends.
    hurried = {"runai_timeout_seconds": min(CHECK_SECONDS, settings.runai_timeout_seconds)}
    runai = _runai(settings.model_copy(update=hurried), clock)
    stack.push_async_callback(runai.aclose)
    kube = _kube(settings, clock)
    if kube is not None:
        stack.push_async_callback(kube.aclose)
    namespaces: list[str] = []

    async def check_runai() -> list[CheckResult]:
        reached = await reach(runai, allowed=_allowed(settings))
        namespaces.extend(reached.namespaces)
        return list(reached.results)

    async def check_kube() -> list[CheckResult]:
        return await _kube_results(kube, namespaces)

    async def check_channels() -> list[CheckResult]:
        return await _channel_results(stack, settings, clock, send_test=send_test)

    return [
        Check(name="Run:ai", run=check_runai, advice="without Run:ai nothing can be monitored"),
        Check(name="Kubernetes", run=check_kube, advice="without it there are no container states and no logs"),
        Check(name="channels", run=check_channels),
    ]


async def _kube_results(kube: LazyKube | None, namespaces: list[str]) -> list[CheckResult]:
    from runai_monitor.errors import KubeUnavailableError
    from runai_monitor.kube.access import probe
    from runai_monitor.operations.checkup import CheckResult, permission_results

    if kube is None:
        return [CheckResult(name="Kubernetes", outcome="skipped", detail="switched off by RUNAI_MONITOR_KUBERNETES")]
    try:
        client = await kube.client()
    except KubeUnavailableError as error:
        if not str(error).startswith("no Kubernetes configuration"):
            raise
        return [CheckResult(name="Kubernetes", outcome="skipped", detail=str(error))]
    checks = await probe(client, namespaces=None)
    if any(check.outcome == "denied" for check in checks) and namespaces:
        checks = await probe(client, namespaces=namespaces)
    return permission_results(checks)


async def _channel_results(
    stack: AsyncExitStack, settings: Settings, clock: Clock, *, send_test: bool
) -> list[CheckResult]:
    from runai_monitor.operations.checkup import CheckResult

    names = _channel_names(settings)
    if not names:
        return [CheckResult(name="channels", outcome="skipped", detail="none: set RUNAI_MONITOR_SLACK_WEBHOOK_URL")]
    if not send_test:
        return [CheckResult(name=name, outcome="ok", detail="configured; --send-test proves it") for name in names]
    results = await (await _outbox(stack, settings, None, clock)).send_test(None)
    return [
        CheckResult(name=name, outcome="failed" if error else "ok", detail=error or "test message delivered")
        for name, error in results.items()
    ]


@asynccontextmanager
async def _background(application: Application) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(application.run)
        yield
        tasks.cancel_scope.cancel()


def _runai(settings: Settings, clock: Clock) -> RunaiClient:
    from runai_monitor.runai.client import RunaiClient
    from runai_monitor.runai.transport import RunaiTransport

    credentials = settings.require_credentials()
    return RunaiClient(
        RunaiTransport(
            base_url=credentials.base_url,
            client_id=credentials.client_id,
            client_secret=credentials.client_secret.get_secret_value(),
            clock=clock,
            timeout_seconds=settings.runai_timeout_seconds,
        )
    )


def _kube(settings: Settings, clock: Clock) -> LazyKube | None:
    """Kubernetes as configured, connected at first use; None when it is switched off."""
    if settings.kubernetes == "off":
        return None
    from runai_monitor.kube.lazy import LazyKube

    async def connect_now() -> KubeClient:
        from runai_monitor.kube.connect import connect

        return await connect(kubeconfig=settings.kubeconfig, context=settings.kube_context, clock=clock)

    return LazyKube(connect=connect_now, clock=clock)


def _channel_names(settings: Settings) -> tuple[str, ...]:
    return ("slack",) if settings.slack_webhook_url is not None else ()


async def _outbox(stack: AsyncExitStack, settings: Settings, database: Database | None, clock: Clock) -> Outbox:
    """The outbox with a notifier per configured channel; without a database it can only send tests."""
    import httpx2

    from runai_monitor.notify.outbox import Outbox
    from runai_monitor.notify.slack import SlackNotifier
    from runai_monitor.store.deliveries import DeliveryStore

    notifiers: dict[str, SlackNotifier] = {}
    if settings.slack_webhook_url is not None:
        http = await stack.enter_async_context(httpx2.AsyncClient())
        notifiers["slack"] = SlackNotifier(webhook_url=settings.slack_webhook_url.get_secret_value(), http=http)
    deliveries = DeliveryStore(database) if database is not None else None
    return Outbox(deliveries=deliveries, notifiers=notifiers, clock=clock)  # type: ignore[arg-type]


def _allowed(settings: Settings) -> tuple[str, ...] | None:
    return None if settings.watches_all_projects else settings.monitored_projects


def _options(settings: Settings) -> OperationOptions:
    shown = settings.model_dump(mode="json", exclude={"runai_client_id"})
    secrets = {"runai_client_secret", "slack_webhook_url", "auth_token", "database_url"}
    return OperationOptions(
        allowed_projects=_allowed(settings),
        poll_interval_seconds=settings.poll_interval_seconds,
        only_failed=settings.monitor_only_failed,
        auto_troubleshoot=settings.enable_auto_troubleshoot,
        allow_write=settings.allow_write_tools,
        configuration={name: ("set" if value else None) if name in secrets else value for name, value in shown.items()},
    )


def _monitor_options(settings: Settings) -> MonitorOptions:
    from runai_monitor.monitor.options import MonitorOptions

    return MonitorOptions(
        allowed_projects=_allowed(settings),
        reconcile_interval_seconds=settings.reconcile_interval_seconds,
        existing_failures=settings.existing_failures,
        pending_stuck_minutes=settings.pending_stuck_minutes,
        starting_stuck_minutes=settings.starting_stuck_minutes,
        terminating_stuck_minutes=settings.terminating_stuck_minutes,
        suspect_after_seconds=settings.suspect_after_seconds,
        resolve_after_seconds=settings.resolve_after_seconds,
        max_alerts_per_job=settings.max_alerts_per_job,
        repeat_interval_minutes=settings.repeat_interval_minutes,
        kube_cluster_id=settings.kube_cluster_id,
    )


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()

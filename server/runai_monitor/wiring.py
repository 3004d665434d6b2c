"""From settings to adapters and options: the one place that knows which setting reaches which constructor.

Adapters are imported where they are built: they bring the heavy libraries.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from runai_monitor.clock import Clock
from runai_monitor.diagnosis.redact import redact
from runai_monitor.errors import SettingsError
from runai_monitor.operations.services import OperationOptions
from runai_monitor.settings import Settings

if TYPE_CHECKING:
    from pydantic import SecretStr

    from runai_monitor.diagnosis.diagnose import Diagnoser
    from runai_monitor.diagnosis.sources import LiveReader
    from runai_monitor.kube.client import KubeClient
    from runai_monitor.kube.lazy import LazyKube
    from runai_monitor.model.alert import Alert, AlertId
    from runai_monitor.monitor.options import MonitorOptions
    from runai_monitor.notify.outbox import Outbox
    from runai_monitor.notify.plan import Planner
    from runai_monitor.notify.storms import QuietOptions
    from runai_monitor.notify.surroundings import StoredSurroundings
    from runai_monitor.runai.client import RunaiClient
    from runai_monitor.store.database import Database
    from runai_monitor.store.retention import Retention

_READ_BY_PROGRAMS = frozenset({"pagerduty", "webhook"})
"""Kinds of channels that keep a record of their own per alert: a digest would open one that nothing ends."""
_SECRETS = frozenset({"runai_client_secret", "slack_webhook_url", "auth_token", "database_url"})
"""Settings that are shown as `set`, or as not given."""


async def database_of(settings: Settings) -> Database:
    """The database, opened.

    Raises:
        StoreError: it cannot be opened or written.
    """
    from runai_monitor.store.database import open_database

    return await open_database(state_dir=settings.state_dir, database_url=plain(settings.database_url))


def has_database(settings: Settings) -> bool:
    """Whether a server has ever stored something there, as far as can be seen; looking must not create anything."""
    from runai_monitor.store.database import FILE_NAME

    if settings.database_url is not None:
        return True
    try:
        (settings.state_dir / FILE_NAME).stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True  # opening it says what is wrong
    return True


def retention(settings: Settings, *, database: Database, clock: Clock) -> Retention:
    """The retention of each kind of record."""
    from runai_monitor.store.retention import Kind, Retention

    days: dict[Kind, float] = {kind: getattr(settings, f"retention_{kind}_days") for kind in Kind}
    return Retention(database, keep={kind: timedelta(days=n) for kind, n in days.items() if n}, clock=clock)


def runai_client(settings: Settings, clock: Clock) -> RunaiClient:
    """Run:ai with the configured credentials; nothing is sent yet.

    Raises:
        SettingsError: credentials are missing or the address is not usable.
    """
    from runai_monitor.runai.client import RunaiClient
    from runai_monitor.runai.transport import RunaiTransport

    credentials = settings.require_credentials()
    return RunaiClient(
        RunaiTransport(
            base_url=credentials.base_url,
            client_id=credentials.client_id,
            client_secret=credentials.client_secret.get_secret_value(),
            clock=clock,
            redact=redact,
            timeout_seconds=settings.runai_timeout_seconds,
        )
    )


def kube_client(settings: Settings, clock: Clock) -> LazyKube | None:
    """Kubernetes as configured, connected at first use; None when it is switched off."""
    if settings.kubernetes == "off":
        return None
    from runai_monitor.kube.lazy import LazyKube

    async def connect_now() -> KubeClient:
        from runai_monitor.kube.connect import connect

        return await connect(kubeconfig=settings.kubeconfig, context=settings.kube_context, clock=clock, redact=redact)

    return LazyKube(connect=connect_now, clock=clock)


def diagnoser(
    settings: Settings,
    *,
    runai: RunaiClient,
    kube: LazyKube | None,
    clock: Clock,
    database: Database,
    live: LiveReader | None = None,
) -> Diagnoser:
    """The diagnoser with the configured limits; it looks into the alerts of the allowed projects, and at who fails now."""
    from runai_monitor.diagnosis.diagnose import Diagnoser
    from runai_monitor.store.history import HistoryStore

    return Diagnoser(
        runai=runai,
        kube=kube,
        clock=clock,
        timeout_seconds=settings.diagnosis_timeout_seconds,
        log_tail_lines=settings.log_tail_lines,
        log_limit_bytes=settings.log_limit_bytes,
        pending_stuck_minutes=settings.pending_stuck_minutes,
        history=HistoryStore(database, projects=allowed_projects(settings)),
        live=live,
    )


def channel_names(settings: Settings) -> tuple[str, ...]:
    """The configured channels."""
    return tuple(channel.name for channel in settings.all_channels)


def channel_kinds(settings: Settings) -> dict[str, str]:
    """The kind of each configured channel, by its name."""
    return {channel.name: channel.kind for channel in settings.all_channels}


def router(settings: Settings) -> Callable[[Alert], tuple[str, ...]] | None:
    """Chooses the channels that are told of an alert; None where all are told of everything."""
    if not settings.routes and not settings.default_channels:
        return None
    from runai_monitor.notify.routing import channels_for

    names = channel_names(settings)
    return lambda alert: channels_for(alert, settings.routes, channels=names, default=settings.default_channels)


def fallback_channel(settings: Settings) -> str | None:
    """The channel that is told what others did not take.

    Raises:
        SettingsError: there is no such channel.
    """
    name, known = settings.fallback_channel, channel_names(settings)
    if name is None or name in known:
        return name
    raise SettingsError(
        f"fallback_channel (RUNAI_MONITOR_FALLBACK_CHANNEL) is {name[:60]!r}, and configured are: "
        f"{', '.join(known) or 'no channels'}; name one of them, or leave it out"
    )


async def open_outbox(
    stack: AsyncExitStack,
    settings: Settings,
    database: Database | None,
    clock: Clock,
    on_delivered: Callable[[AlertId], None] = lambda _: None,
) -> Outbox:
    """The outbox with a notifier per configured channel; without a database it can only send tests.

    Raises:
        SettingsError: certificate authorities or proxy of the environment cannot be used, or the fallback is no channel.
    """
    from runai_monitor.notify.channels import open_notifiers
    from runai_monitor.notify.outbox import Outbox
    from runai_monitor.notify.retry import RetryPolicy
    from runai_monitor.store.deliveries import DeliveryStore

    notifiers = await open_notifiers(stack, settings, database, clock)
    deliveries = DeliveryStore(database) if database is not None else None
    planner, of_their_own = planners(settings)
    return Outbox(
        deliveries=deliveries,  # type: ignore[arg-type]  # None is for `check`, which only sends tests
        notifiers=notifiers,
        clock=clock,
        policy=RetryPolicy(
            give_up_hours=settings.delivery_give_up_hours,
            longest_pause_minutes=settings.delivery_longest_pause_minutes,
        ),
        fallback=fallback_channel(settings),
        planner=planner,
        planners=of_their_own,
        surroundings=None if database is None else surroundings(settings, database, clock),
        on_delivered=on_delivered,
    )


def planners(settings: Settings) -> tuple[Planner, dict[str, Planner]]:
    """The planner of most channels, and those of the channels that have one of their own, by name."""
    from runai_monitor.notify.surroundings import planner_of

    quiet = quiet_options(settings)
    singly = planner_of(replace(quiet, together=False))
    kinds = channel_kinds(settings)
    return planner_of(quiet), {name: singly for name, kind in kinds.items() if kind in _READ_BY_PROGRAMS}


def quiet_options(settings: Settings) -> QuietOptions:
    """What is told together, and when."""
    from runai_monitor.notify.storms import QuietOptions

    return QuietOptions(
        storm_threshold=settings.storm_threshold,
        storm_window_seconds=settings.storm_window_seconds,
        group_wait_seconds=settings.group_wait_seconds,
        group_interval_seconds=settings.group_interval_seconds,
        backlog_minutes=settings.digest_after_minutes,
    )


def surroundings(settings: Settings, database: Database, clock: Clock) -> StoredSurroundings:
    """What the plan of a message depends on besides what is due."""
    from runai_monitor.notify.surroundings import StoredSurroundings
    from runai_monitor.store.silences import SilenceStore
    from runai_monitor.store.telling import TellingStore

    options = quiet_options(settings)
    return StoredSurroundings(
        telling=TellingStore(database), silences=SilenceStore(database), clock=clock, options=options
    )


def operation_options(settings: Settings) -> OperationOptions:
    """What operations need; secrets only as whether they are set."""
    shown = settings.model_dump(mode="json", exclude={"runai_client_id"})
    return OperationOptions(
        allowed_projects=allowed_projects(settings),
        poll_interval_seconds=settings.poll_interval_seconds,
        only_failed=settings.monitor_only_failed,
        auto_troubleshoot=settings.enable_auto_troubleshoot,
        allow_write=settings.allow_write_tools,
        configuration={
            name: ("set" if value else None) if name in _SECRETS else value for name, value in shown.items()
        },
    )


def monitor_options(settings: Settings) -> MonitorOptions:
    """What monitoring needs."""
    from runai_monitor.monitor.options import MonitorOptions

    return MonitorOptions(
        allowed_projects=allowed_projects(settings),
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
        flap_window_minutes=settings.flap_window_minutes,
        hold_down_seconds=settings.hold_down_seconds,
    )


def allowed_projects(settings: Settings) -> tuple[str, ...] | None:
    """The projects this server may see, None for all."""
    return None if settings.watches_all_projects else settings.monitored_projects


def plain(secret: SecretStr | None) -> str | None:
    """The secret itself, for the constructor that needs it."""
    return None if secret is None else secret.get_secret_value()

"""What commands read and write in the stored state, without a server and without Run:ai."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from runai_monitor import wiring
from runai_monitor.clock import SystemClock
from runai_monitor.errors import NotFoundError
from runai_monitor.model.alert import EVERY_ALERT, Alert, AlertFilter, AlertKind, Severity
from runai_monitor.model.audit import AuditAction, AuditEntry
from runai_monitor.model.silence import MatchField
from runai_monitor.notify.silencing import values_of
from runai_monitor.operations import arguments
from runai_monitor.operations.responses import Responses
from runai_monitor.operations.scope import Scope
from runai_monitor.settings import Settings

if TYPE_CHECKING:
    from runai_monitor.model.notification import Delivery
    from runai_monitor.operations.deliveries import DeliveryDesk, Replay
    from runai_monitor.operations.results import SilenceView
    from runai_monitor.store.alerts import AlertStore
    from runai_monitor.store.database import Database
    from runai_monitor.store.silences import SilenceStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAlerts:
    """Which alerts a command asks for: by what the database can choose, and by what is looked for in each."""

    stored: AlertFilter = EVERY_ALERT
    severity: Severity | None = None
    values: dict[MatchField, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        *,
        project: str | None = None,
        state: str | None = None,
        kind: str | None = None,
        severity: str | None = None,
        since: str | None = None,
        until: str | None = None,
        **values: str | None,
    ) -> AskedAlerts:
        """What the arguments of a command ask for.

        Raises:
            InputError: one of them cannot be read.
        """
        now = SystemClock().now()
        stored = AlertFilter(
            project=project,
            state=arguments.alert_state(state),
            kind=None if kind is None else arguments.word("kind", kind, AlertKind),
            since=arguments.instant("since", since, now=now),
            until=arguments.instant("until", until, now=now),
        )
        return cls(
            stored=stored,
            severity=None if severity is None else arguments.word("severity", severity, Severity),
            values={MatchField(name): value for name, value in values.items() if value is not None},
        )

    def accepts(self, alert: Alert) -> bool:
        """Whether the alert is wanted, as far as the database did not choose it already."""
        if self.severity is not None and alert.severity is not self.severity:
            return False
        return all(value in values_of(alert, name) for name, value in self.values.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """The part of the services that a database is enough for."""

    alerts: AlertStore
    silences: SilenceStore
    channels: tuple[str, ...]


@asynccontextmanager
async def alerts(settings: Settings, asked: AskedAlerts, *, limit: int | None) -> AsyncIterator[AsyncIterator[Alert]]:
    """The stored alerts, newest first, as they are when the block begins; few are in memory at a time.

    Raises:
        RefusedError: a project outside the limit. StoreError: the database cannot be read.
    """
    scope = Scope(wiring.allowed_projects(settings))
    wanted = replace(asked.stored, projects=scope.projects, project=scope.project(asked.stored.project))

    async def first(found: AsyncIterator[Alert]) -> AsyncIterator[Alert]:
        count = 0
        async for alert in found:
            if asked.accepts(alert):
                yield alert
                count += 1
                if count == limit:
                    return

    async with _database(settings) as database:
        if database is None:
            yield _none()
            return
        from runai_monitor.store.alerts import AlertStore

        async with AlertStore(database).reading(wanted) as found:
            yield first(found)


@asynccontextmanager
async def audit(
    settings: Settings,
    *,
    since: str | None,
    author: str | None,
    action: str | None,
    target: str | None,
    limit: int | None,
) -> AsyncIterator[AsyncIterator[AuditEntry]]:
    """Who did what, newest first. Of the whole state: whoever may read its file may know who changed it.

    Raises:
        InputError: an argument cannot be read. StoreError: the database cannot be read.
    """
    earliest = arguments.instant("since", since, now=SystemClock().now())
    chosen = None if action is None else arguments.word("action", action, AuditAction)
    async with _database(settings) as database:
        if database is None:
            yield _none()
            return
        from runai_monitor.store.audit import AuditStore

        async with AuditStore(database).reading(
            since=earliest, author=author, action=chosen, target=target, limit=limit
        ) as found:
            yield found


@asynccontextmanager
async def responses(settings: Settings) -> AsyncIterator[Responses]:
    """What people may answer, on the stored state.

    Raises:
        NotFoundError: nothing was ever stored there, so that there is nothing to answer to.
        StoreError: the database cannot be opened.
    """
    async with _database(settings) as database:
        if database is None:
            raise NotFoundError(_nothing_in(settings))
        yield _responses(settings, database)


async def silences(settings: Settings, *, state: str | None, limit: int) -> list[SilenceView]:
    """What is silenced, as `Responses.list_silences`; nothing where nothing was ever stored.

    Raises:
        StoreError: the database cannot be read.
    """
    async with _database(settings) as database:
        if database is None:
            return []
        return await _responses(settings, database).list_silences(state=state, limit=limit)


def _responses(settings: Settings, database: Database) -> Responses:
    from runai_monitor.store.alerts import AlertStore
    from runai_monitor.store.silences import SilenceStore

    stored = _Stored(
        alerts=AlertStore(database), silences=SilenceStore(database), channels=wiring.channel_names(settings)
    )

    async def ready() -> _Stored:
        return stored

    # A server on this state sees by itself that the database has changed.
    return Responses(
        services=ready,
        scope=Scope(wiring.allowed_projects(settings)),
        clock=SystemClock(),
        on_change=lambda: None,
    )


async def deliveries(settings: Settings, *, only_failed: bool, limit: int) -> list[Delivery]:
    """What became of messages, newest first.

    Raises:
        StoreError: the database cannot be read.
    """
    async with _database(settings) as database:
        return [] if database is None else await _desk(settings, database).list(only_failed=only_failed, limit=limit)


async def replay(settings: Settings, delivery_id: int | None, *, author: str) -> Replay:
    """Tells again what a channel did not take: one delivery, or (None) all; the serving process sends it.

    Raises:
        NotFoundError: nothing was ever stored there.
        InputError, RefusedError, StoreError: as `DeliveryDesk.replay`.
    """
    async with _database(settings) as database:
        if database is None:
            raise NotFoundError(_nothing_in(settings))
        return await _desk(settings, database).replay(delivery_id, author=author)


def _desk(settings: Settings, database: Database) -> DeliveryDesk:
    from runai_monitor.operations.deliveries import DeliveryDesk, DeliveryParts
    from runai_monitor.store.dead_letters import DeadLetterStore

    async def parts() -> DeliveryParts:
        return DeliveryParts(dead_letters=DeadLetterStore(database), channels=None)

    return DeliveryDesk(parts=parts, scope=Scope(wiring.allowed_projects(settings)), clock=SystemClock())


def _nothing_in(settings: Settings) -> str:
    return f"nothing was ever stored in {settings.state_dir}: give the settings of your server"


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database | None]:
    """The database, or None where no server has ever stored anything; looking creates nothing."""
    if not wiring.has_database(settings):
        log.warning("nothing was ever stored in %s: is that the state folder of your server?", settings.state_dir)
        yield None
        return
    database = await wiring.database_of(settings)
    try:
        yield database
    finally:
        await database.aclose()


async def _none() -> AsyncIterator[Any]:
    empty: tuple[Any, ...] = ()
    for nothing in empty:
        yield nothing

"""PostgreSQL: one database that processes on several machines may share.

Writers take turns by an advisory lock within their transaction, which is given back after the commit can be seen: what
was read in a transaction is still true when it commits, and cursors are committed in their order. Whoever writes
notifies at the commit. The driver connects by the address alone, as libpq would (`sslmode`, `PGPASSFILE` and the rest).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import anyio
import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from runai_monitor.errors import StoreError
from runai_monitor.store import schema
from runai_monitor.store.advisory import AdvisoryLock
from runai_monitor.store.leader import Leadership
from runai_monitor.store.postgres_failures import CERTIFICATE, explain

T = TypeVar("T")

FAILURES = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
"""What an operation may raise; anything else is a defect of ours."""
SCHEMES = ("postgresql+asyncpg://", "postgresql://", "postgres://")
CONNECT_SECONDS = 5.0
"""For a connection: a server in the same network answers within milliseconds."""
CHECK_SECONDS = 5.0
"""Between two looks whether the connection that listens is still one: a network that breaks does not say so."""
ANSWER_SECONDS = 3.0
COMMAND_SECONDS = 40.0
"""For a statement, on a network that swallowed it: longer than the server itself allows."""
_CHANNEL = "runai_monitor"
_ELSEWHERE = "name an empty database in RUNAI_MONITOR_DATABASE_URL"
# The second half of the lock's number is of the schema's name: several monitors may live in one database.
_BEGIN_WRITING = (
    f"SELECT pg_advisory_xact_lock(20011, hashtext(current_schema())), pg_notify('{_CHANNEL}', '')"  # a constant
)
# Milliseconds. As SQLite's: a transaction lasts a few, so five seconds of waiting mean something is wrong. A process
# that was stopped halfway must not keep the others waiting for ever.
_SESSION = {
    "application_name": "runai-monitor",
    "lock_timeout": "5000",
    "statement_timeout": "30000",
    "idle_in_transaction_session_timeout": "10000",
    "default_transaction_isolation": "read committed",
}


class PostgresBackend:
    """An open PostgreSQL database."""

    failures = FAILURES

    def __init__(self, engine: AsyncEngine, *, address: str, place: str) -> None:
        self.engine = engine
        self.place = place
        self.reading_options: dict[str, Any] = {
            "read_only": True,
            "isolation_level": "REPEATABLE READ",
            "postgresql_readonly": True,
        }
        self._address = address
        self._listener: Any = None
        self._listener_number = 0
        self._heard = 0
        self._checked_at = 0.0

    def explain(self, error: Exception, *, lost: str) -> str:
        """A failure in one sentence for a person."""
        return explain(error, self.place, lost=lost)

    async def read_apart(self, read: Callable[[Connection], T]) -> T:
        """An ordinary read: one that waits for a server can be broken off."""
        async with self.engine.connect() as connection:
            return await (await connection.execution_options(**self.reading_options)).run_sync(read)

    async def data_version(self) -> int:
        """Counts the notifications of commits, on a connection that does nothing but listen."""
        try:
            if self._listener is None or self._listener.is_closed():
                await self._listen()
            elif time.monotonic() - self._checked_at > CHECK_SECONDS:
                await self._listener.execute("SELECT 1", timeout=ANSWER_SECONDS)
                self._checked_at = time.monotonic()
        except FAILURES:
            self._drop_listener()
            raise
        # What was told while nobody listened is lost: a new connection is always a new number.
        return (self._listener_number << 32) + self._heard

    async def require_present(self) -> None:
        """A server says by itself when it has no such database."""

    def leadership(self) -> Leadership:
        """By an advisory lock of a session of its own."""
        return AdvisoryLock(lambda session: _connect(self._address, session), place=self.place)

    async def aclose(self) -> None:
        """Closes every connection."""
        self._drop_listener()
        await self.engine.dispose()

    async def _listen(self) -> None:
        self._drop_listener()
        self._listener = await _connect(self._address)
        await self._listener.add_listener(_CHANNEL, self._on_notification)
        self._listener_number += 1
        self._checked_at = time.monotonic()

    def _on_notification(self, *_: object) -> None:
        self._heard += 1

    def _drop_listener(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.terminate()


async def open_postgres(database_url: str) -> PostgresBackend:
    """Opens the database and creates or upgrades its tables; see `open_database`."""
    if not database_url.startswith(SCHEMES):
        raise StoreError(
            "RUNAI_MONITOR_DATABASE_URL names no database that can be used; give sqlite+aiosqlite:///<path> or "
            "postgresql+asyncpg://<user>:<password>@<host>/<database>"
        )
    address = "postgresql://" + database_url.partition("://")[2]
    place = place_of(address)
    engine = _engine(address)
    with anyio.CancelScope(shield=True):
        try:
            await _prepare(engine, place)
        except BaseException as error:
            with suppress(*FAILURES):
                await engine.dispose()
            if isinstance(error, FAILURES):
                raise StoreError(explain(error, place, lost="nothing was stored in")) from error
            raise
    return PostgresBackend(engine, address=address, place=place)


def place_of(address: str) -> str:
    """Where an address leads, without user, password and options.

    Raises:
        StoreError: it cannot be read. It is not repeated: it may hold a password.
    """
    try:
        parts = urlsplit(address)
        asked = parse_qs(parts.query)
    except ValueError:
        raise StoreError("RUNAI_MONITOR_DATABASE_URL is no address; give postgresql+asyncpg://…") from None
    host = parts.netloc.rpartition("@")[2] or asked.get("host", [""])[0] or "the default host"
    name = unquote(parts.path.lstrip("/")) or asked.get("dbname", asked.get("database", [""]))[0] or "of its user"
    return f"the PostgreSQL database {name} at {host}"


async def _connect(address: str, session: Mapping[str, str] | None = None) -> Any:
    try:
        return await asyncpg.connect(
            address,
            timeout=CONNECT_SECONDS,
            server_settings={**_SESSION, **(session or {})},
            command_timeout=COMMAND_SECONDS,
        )
    except (asyncpg.ClientConfigurationError, ValueError) as error:
        # `from None`: the error quotes what it could not read.
        if "root certificate" in str(error):
            raise StoreError(f"the certificate of {place_of(address)} cannot be checked; {CERTIFICATE}") from None
        raise StoreError(
            "RUNAI_MONITOR_DATABASE_URL has something that PostgreSQL's driver cannot use; "
            "give postgresql+asyncpg://<user>:<password>@<host>/<database>, special characters written as %XX"
        ) from None


def _engine(address: str) -> AsyncEngine:
    async def create(*_: object, **__: object) -> Any:
        return await _connect(address)

    # Parameters are alerts with log excerpts: they do not belong into an exception's text. The ping finds connections
    # that a restart of the server has ended before a transaction is built on one.
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=create,
        hide_parameters=True,
        pool_pre_ping=True,
        pool_timeout=CONNECT_SECONDS,
        pool_recycle=1800,
    )

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        if not connection.get_execution_options().get("read_only"):
            connection.exec_driver_sql(_BEGIN_WRITING)

    return engine


async def _prepare(engine: AsyncEngine, place: str) -> None:
    async with engine.connect() as connection:
        reader = await connection.execution_options(read_only=True)
        due = await schema.is_due(reader, place, elsewhere=_ELSEWHERE)
    if due:
        await schema.load_upgrade()
    async with engine.begin() as connection:
        await schema.prepare(connection, place, elsewhere=_ELSEWHERE)

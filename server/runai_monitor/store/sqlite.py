"""SQLite: one file, that several processes of one machine share.

SQLAlchemy's default for SQLite loses updates when a transaction reads before it writes, and a plain BEGIN fails at once
under concurrency; BEGIN IMMEDIATE does neither.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import anyio
import anyio.to_thread
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from runai_monitor.errors import StoreError
from runai_monitor.store import schema
from runai_monitor.store.apart import Apart
from runai_monitor.store.failures import FAILURES, explain
from runai_monitor.store.leader import FileLock, Leadership

T = TypeVar("T")

FILE_NAME = "runai-monitor.sqlite3"
_ELSEWHERE = "set RUNAI_MONITOR_STATE_DIR to another folder"
# busy_timeout comes first, for switching to WAL needs the lock too; in milliseconds: a transaction lasts a few, so five
# seconds of waiting mean something is wrong. synchronous=full, because a cursor once told must survive a power cut:
# with `normal` the last commits may be undone, and a reader that keeps its cursor would miss what gets it next.
_PRAGMAS = ("busy_timeout=5000", "journal_mode=wal", "synchronous=full", "foreign_keys=on")


class SqliteBackend:
    """An open SQLite file."""

    failures = FAILURES

    def __init__(self, engine: AsyncEngine, *, path: Path) -> None:
        self.engine = engine
        self.place = str(path)
        self.reading_options: dict[str, Any] = {"read_only": True}
        self._path = path
        self._apart = Apart(str(path))
        self._file = _file_number(path)
        self._watcher: AsyncConnection | None = None
        self._watcher_number = 0

    def explain(self, error: Exception, *, lost: str) -> str:
        """A failure in one sentence for a person."""
        return explain(error, self.place, lost=lost)

    async def data_version(self) -> int:
        """SQLite's `data_version` counts what other connections committed: hence one of its own that never writes."""
        if self._watcher is None:
            self._watcher = await (await self.engine.connect()).execution_options(read_only=True)
            self._watcher_number += 1
        try:
            version = int((await self._watcher.exec_driver_sql("PRAGMA data_version")).scalar_one())
            await self._watcher.rollback()
        except FAILURES:
            await self._drop_watcher()
            raise
        # Counts of different connections say nothing about each other: a new connection is always a new number.
        return (self._watcher_number << 32) + version

    async def read_apart(self, read: Callable[[Connection], T]) -> T:
        """In a thread of its own, which is left behind when nobody waits any more: a read of a file cannot be broken off."""
        return await self._apart.read(read)

    async def require_present(self) -> None:
        """Raises `StoreError` when the file was removed, or another one is in its place."""
        try:
            found = await anyio.to_thread.run_sync(_file_number, self._path)
        except OSError:
            return  # a disk that cannot be asked has said nothing
        if found != self._file:
            raise StoreError(f"{self.place} was removed or replaced while it was in use; leave it in its place")

    def leadership(self) -> Leadership:
        """By a lock on a file beside the database."""
        return FileLock(self._path)

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._drop_watcher()
        await self.engine.dispose()

    async def _drop_watcher(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            with suppress(*FAILURES):
                await watcher.close()


async def open_sqlite(*, state_dir: Path, database_url: str | None = None) -> SqliteBackend:
    """Opens the file of `state_dir`, or the one that `database_url` names; see `open_database`."""
    path, url = _location(state_dir, database_url)
    with anyio.CancelScope(shield=True):  # a connection half open would keep its thread, and that the process
        try:
            await anyio.to_thread.run_sync(_make_private_file, path, database_url is None)
            if await anyio.to_thread.run_sync(_inspect, path):
                await schema.load_upgrade()
            engine = await _prepared(url, str(path))
        except FAILURES as error:
            raise StoreError(explain(error, str(path))) from error
    return SqliteBackend(engine, path=path)


def _file_number(path: Path) -> tuple[int, int] | None:
    """Which file has this name now; None for none."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return (found.st_dev, found.st_ino)


def _location(state_dir: Path, database_url: str | None) -> tuple[Path, str | URL]:
    """The file and its SQLAlchemy address. The address itself is never in a message: such may hold passwords."""
    if database_url is None:
        path = state_dir / FILE_NAME
        # Not written as text: a folder's name may hold `?` or `%`, which mean something in an address.
        return path, URL.create("sqlite+aiosqlite", database=str(path))
    try:
        parsed = make_url(database_url)
    except ArgumentError:
        parsed = None
    if (
        parsed is None
        or parsed.drivername != "sqlite+aiosqlite"
        or not parsed.database
        or ":memory:" in parsed.database
    ):
        raise StoreError(
            "RUNAI_MONITOR_DATABASE_URL names no database that can be used; give sqlite+aiosqlite:///<path> or "
            "postgresql+asyncpg://<user>:<password>@<host>/<database>"
        )
    is_uri = parsed.database.startswith("file:")
    return Path(unquote(urlsplit(parsed.database).path) if is_uri else parsed.database), database_url


def _make_private_file(path: Path, make_folder: bool) -> None:
    """Alerts hold log excerpts: folder and file are for this user only. What exists is not touched."""
    if make_folder:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _inspect(path: Path) -> bool:
    """Whether the file is to be upgraded; refuses one that is not ours, or damaged where an upgrade would build on it.

    Through a connection that cannot write: opening it for use would change it.
    """
    if path.is_file() and path.stat().st_size == 0:
        return False
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        found = None
        if "meta" in tables:
            with suppress(sqlite3.OperationalError):  # another program's `meta` has other columns
                row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
                found = row[0] if row else None
        due = schema.upgrade_due(tables, found, str(path), elsewhere=_ELSEWHERE)
        if due and connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("database disk image is malformed")
    return due


def _engine(url: str | URL) -> AsyncEngine:
    # Parameters are alerts with log excerpts: they do not belong into an exception's text.
    engine = create_async_engine(url, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # we say BEGIN ourselves
        cursor = dbapi.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        read_only = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


async def _prepared(url: str | URL, place: str) -> AsyncEngine:
    engine = _engine(url)
    try:
        async with engine.begin() as connection:
            await schema.prepare(connection, place, elsewhere=_ELSEWHERE)
    except BaseException:
        await engine.dispose()
        raise
    return engine

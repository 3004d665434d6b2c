"""Opening the database, and transactions that mean what they say.

SQLAlchemy's default for SQLite loses updates when a transaction reads before it writes, and a plain BEGIN fails at once
under concurrency; BEGIN IMMEDIATE does neither.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import anyio
import anyio.to_thread
from sqlalchemy import Connection, event, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from runai_monitor.errors import StoreError
from runai_monitor.store.apart import Apart
from runai_monitor.store.failures import FAILURES, explain
from runai_monitor.store.tables import SCHEMA_VERSION, meta, metadata

T = TypeVar("T")

FILE_NAME = "runai-monitor.sqlite3"
CLOSE_SECONDS = 5.0
"""For closing connections at the end; a disk that hangs must not keep the process alive."""
# busy_timeout comes first, for switching to WAL needs the lock too; in milliseconds: a transaction lasts a few, so five
# seconds of waiting mean something is wrong. synchronous=full, because a cursor once told must survive a power cut:
# with `normal` the last commits may be undone, and a reader that keeps its cursor would miss what gets it next.
_PRAGMAS = ("busy_timeout=5000", "journal_mode=wal", "synchronous=full", "foreign_keys=on")


class Database:
    """One open database. Every method raises `StoreError` when it cannot do what it says.

    A transaction that has begun is finished or rolled back before a cancellation gets through: they last milliseconds,
    and a connection abandoned halfway would keep its lock.
    """

    def __init__(self, engine: AsyncEngine, *, place: str) -> None:
        self._engine = engine
        self._file = _file_number(place)
        self._apart = Apart(place)
        self._watcher: AsyncConnection | None = None
        self._watcher_number = 0
        self._watching = anyio.Lock()
        self.place = place
        """Where the data is, for messages; holds no secret."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view; takes no lock that a writer would wait for."""
        with anyio.CancelScope(shield=True):
            async with self._translated("nothing could be read from"), self._engine.connect() as connection:
                yield await connection.execution_options(read_only=True)

    async def read_apart(self, read: Callable[[Connection], T]) -> T:
        """What `read` finds, on a connection of its own; for what has a deadline, for it can be given up at any time.

        Unlike `reading`, a cancellation gets through at once: the read is left to end by itself.
        """
        async with self._translated("nothing could be read from"):
            return await self._apart.read(read)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: all of it is stored at the end of the block, or nothing."""
        with anyio.CancelScope(shield=True):
            async with self._translated("nothing was stored in"), self._engine.begin() as connection:
                yield connection

    async def data_version(self) -> int:
        """A number that differs after any process committed, this one included.

        SQLite's `data_version` counts what other connections committed: hence a connection of its own that never writes.
        """
        async with self._watching:
            with anyio.CancelScope(shield=True):
                async with self._translated("nothing could be read from"):
                    version = await self._ask_watcher()
        return version

    async def require_file(self) -> None:
        """Looks whether the file is still the one that was opened.

        SQLite goes on with a file that was deleted, as if nothing had happened: other processes do not see it, and the
        last one that has it open takes what it holds with it.

        Raises:
            StoreError: it was removed, or another one is in its place.
        """
        try:
            found = await anyio.to_thread.run_sync(_file_number, self.place)
        except OSError:
            return  # a disk that cannot be asked has said nothing
        if found != self._file:
            raise StoreError(f"{self.place} was removed or replaced while it was in use; leave it in its place")

    async def aclose(self) -> None:
        """Closes every connection, in a cancelled scope too: an open one keeps a thread, and that the process."""
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            await self._drop_watcher()
            await self._engine.dispose()

    async def _ask_watcher(self) -> int:
        if self._watcher is None:
            self._watcher = await (await self._engine.connect()).execution_options(read_only=True)
            self._watcher_number += 1
        try:
            version = int((await self._watcher.exec_driver_sql("PRAGMA data_version")).scalar_one())
            await self._watcher.rollback()
        except FAILURES:
            await self._drop_watcher()
            raise
        # Counts of different connections say nothing about each other: a new connection is always a new number.
        return (self._watcher_number << 32) + version

    async def _drop_watcher(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            with suppress(*FAILURES):
                await watcher.close()

    @asynccontextmanager
    async def _translated(self, lost: str) -> AsyncIterator[None]:
        try:
            yield
        except FAILURES as error:
            raise StoreError(explain(error, self.place, lost=lost)) from error


async def open_database(*, state_dir: Path, database_url: str | None = None) -> Database:
    """Opens the database, creating folder (of `state_dir` only), file and tables when they are not there.

    Raises:
        StoreError: it cannot be opened or written, is damaged, another program's, or was written by a newer version. An
            existing file is not changed in any of these cases.
    """
    path, url = _location(state_dir, database_url)
    with anyio.CancelScope(shield=True):  # a connection half open would keep its thread, and that the process
        try:
            await anyio.to_thread.run_sync(_make_private_file, path, database_url is None)
            await anyio.to_thread.run_sync(_inspect, path)
            engine = await _prepared(url, str(path))
        except FAILURES as error:
            raise StoreError(explain(error, str(path))) from error
    return Database(engine, place=str(path))


def _file_number(place: str) -> tuple[int, int] | None:
    """Which file has this name now; None for none."""
    try:
        found = Path(place).stat()
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
        raise StoreError("RUNAI_MONITOR_DATABASE_URL names no SQLite file; give sqlite+aiosqlite:///<path>")
    is_uri = parsed.database.startswith("file:")
    return Path(unquote(urlsplit(parsed.database).path) if is_uri else parsed.database), database_url


def _make_private_file(path: Path, make_folder: bool) -> None:
    """Alerts hold log excerpts: folder and file are for this user only. What exists is not touched."""
    if make_folder:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _inspect(path: Path) -> None:
    """Refuses a file that is not ours through a connection that cannot write: opening it for use would change it."""
    if path.is_file() and path.stat().st_size == 0:
        return
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        found = None
        if "meta" in tables:
            with suppress(sqlite3.OperationalError):  # another program's `meta` has other columns
                row = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
                found = row[0] if row else None
    _require_ours(tables, found, str(path))


def _require_ours(tables: Collection[str], found: str | None, place: str) -> None:
    """Accepts an empty database and one of our schema version."""
    if not tables or found == str(SCHEMA_VERSION):
        return
    if found is None:
        raise StoreError(f"{place} is another program's database; set RUNAI_MONITOR_STATE_DIR to another folder")
    raise StoreError(
        f"{place} was written by another version of runai-monitor (schema {found}, this one knows {SCHEMA_VERSION}); "
        "install the newer runai-monitor or point RUNAI_MONITOR_STATE_DIR to another folder"
    )


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
        await _prepare(engine, place)
    except BaseException:
        await engine.dispose()
        raise
    return engine


async def _prepare(engine: AsyncEngine, place: str) -> None:
    """Creates the tables of an empty database; looks again at one that another process created meanwhile."""
    async with engine.begin() as connection:
        names = await connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = names.scalars().all()
        if not tables:
            await connection.run_sync(metadata.create_all)
            await connection.execute(insert(meta), {"key": "schema_version", "value": str(SCHEMA_VERSION)})
            await connection.execute(insert(meta), {"key": "cursor", "value": "0"})
            return
        found = await connection.execute(select(meta.c.value).where(meta.c.key == "schema_version"))
        _require_ours(tables, found.scalar_one_or_none(), place)

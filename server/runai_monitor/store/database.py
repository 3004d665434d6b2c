"""Opening the database, and transactions that mean what they say.

SQLAlchemy's default for SQLite loses updates when a transaction reads before it writes, and a plain BEGIN fails at once
under concurrency; BEGIN IMMEDIATE does neither.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
from sqlalchemy import event, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from runai_monitor.errors import StoreError
from runai_monitor.store.tables import SCHEMA_VERSION, meta, metadata

FILE_NAME = "runai-monitor.sqlite3"
# busy_timeout, in milliseconds: another process's transaction lasts a few, so five seconds mean something is wrong.
_PRAGMAS = ("journal_mode=wal", "synchronous=normal", "busy_timeout=5000", "foreign_keys=on")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseStatistics:
    """What this process did with the database."""

    commits: int
    failures: int


class Database:
    """One open database. Every method raises `StoreError` when it cannot do what it says."""

    def __init__(self, engine: AsyncEngine, watcher: AsyncConnection, *, place: str) -> None:
        self._engine = engine
        self._watcher = watcher
        self._commits = 0
        self._failures = 0
        self.place = place
        """Where the data is, for messages; holds no secret."""

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view; takes no lock that a writer would wait for."""
        async with self._translated(), self._engine.connect() as connection:
            yield await connection.execution_options(read_only=True)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: all of it is stored at the end of the block, or nothing."""
        async with self._translated(), self._engine.begin() as connection:
            yield connection
        self._commits += 1

    async def data_version(self) -> int:
        """A number that differs after any process committed (SQLite's `data_version` sees other connections only)."""
        async with self._translated():
            result = await self._watcher.exec_driver_sql("PRAGMA data_version")
            version = int(result.scalar_one())
            await self._watcher.rollback()
        return version

    def statistics(self) -> DatabaseStatistics:
        """What was committed and what failed since the start."""
        return DatabaseStatistics(commits=self._commits, failures=self._failures)

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._watcher.close()
        await self._engine.dispose()

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self._failures += 1
            raise StoreError(_sentence(error, self.place)) from error


async def open_database(*, state_dir: Path, database_url: str | None = None) -> Database:
    """Opens the database, creating folder, file and tables when they are not there.

    Raises:
        StoreError: it cannot be opened or written, is damaged, or was written by a newer version. An existing file is
            not changed in any of these cases.
    """
    place = make_url(database_url).database or "memory" if database_url else str(state_dir / FILE_NAME)
    url = database_url or f"sqlite+aiosqlite:///{place}"
    try:
        if database_url is None:
            await anyio.to_thread.run_sync(_make_private_file, Path(place))
        engine = _engine(url)
        try:
            await _prepare(engine, place)
            watcher = await (await engine.connect()).execution_options(read_only=True)
        except BaseException:
            await engine.dispose()
            raise
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise StoreError(_sentence(error, place)) from error
    return Database(engine, watcher, place=place)


def _make_private_file(path: Path) -> None:
    """Alerts hold log excerpts: folder and file are for this user only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)


def _engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url)

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


async def _prepare(engine: AsyncEngine, place: str) -> None:
    """Creates the tables of an empty database; refuses one whose version is not ours."""
    async with engine.begin() as connection:
        tables = (
            (await connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
        )
        if not tables:
            await connection.run_sync(metadata.create_all)
            await connection.execute(insert(meta), {"key": "schema_version", "value": str(SCHEMA_VERSION)})
            await connection.execute(insert(meta), {"key": "cursor", "value": "0"})
            return
        if "meta" not in tables:
            raise StoreError(f"{place} is another program's database; choose another state_dir")
        found = (
            await connection.execute(select(meta.c.value).where(meta.c.key == "schema_version"))
        ).scalar_one_or_none()
        if found != str(SCHEMA_VERSION):
            raise StoreError(
                f"{place} was written by another version (schema {found}, this one knows {SCHEMA_VERSION}); "
                "update runai-monitor or choose another state_dir"
            )


def _sentence(error: Exception, place: str) -> str:
    """What happened and what to do, for the failures people meet."""
    cause = getattr(error, "orig", None) or error
    said = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    lowered = said.lower()
    if "full" in lowered or "no space" in lowered:
        advice = "the disk is full: free some space"
    elif "readonly" in lowered or "read-only" in lowered or isinstance(cause, PermissionError):
        advice = "it cannot be written: correct its permissions or set RUNAI_MONITOR_STATE_DIR to another folder"
    elif "malformed" in lowered or "not a database" in lowered:
        advice = "the file is damaged: move it away to start afresh"
    elif "locked" in lowered:
        advice = "another process holds it for too long: stop what else uses it"
    else:
        advice = "set RUNAI_MONITOR_STATE_DIR to a folder that can be written"
    return f"nothing was stored in {place} ({said}); {advice}"

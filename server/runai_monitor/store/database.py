"""Opening the database, and transactions that mean what they say, whichever database it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import anyio
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from runai_monitor.errors import StoreError
from runai_monitor.store.backend import Backend
from runai_monitor.store.leader import Leadership
from runai_monitor.store.sqlite import FILE_NAME, open_sqlite

__all__ = ["FILE_NAME", "Database", "open_database"]

T = TypeVar("T")

CLOSE_SECONDS = 5.0
"""For closing connections at the end; a disk that hangs must not keep the process alive."""


class Database:
    """One open database. Every method raises `StoreError` when it cannot do what it says.

    A transaction that has begun is finished or rolled back before a cancellation gets through: they last milliseconds,
    and a connection abandoned halfway would keep its lock.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._watching = anyio.Lock()

    @property
    def place(self) -> str:
        """Where the data is, for messages; holds no secret."""
        return self._backend.place

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view; takes no lock that a writer would wait for."""
        with anyio.CancelScope(shield=True):
            async with self._translated("nothing could be read from"), self._backend.engine.connect() as connection:
                yield await connection.execution_options(**self._backend.reading_options)

    async def read_apart(self, read: Callable[[Connection], T]) -> T:
        """What `read` finds, on a connection of its own; for what has a deadline, for it can be given up at any time.

        Unlike `reading`, a cancellation gets through at once: the read is left to end by itself.
        """
        async with self._translated("nothing could be read from"):
            return await self._backend.read_apart(read)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: all of it is stored at the end of the block, or nothing.

        One at a time, over all processes: what was read in it is still true when it is stored.
        """
        with anyio.CancelScope(shield=True):
            async with self._translated("nothing was stored in"), self._backend.engine.begin() as connection:
                yield connection

    async def data_version(self) -> int:
        """A number that differs after any process committed, this one included."""
        async with self._watching:
            with anyio.CancelScope(shield=True):
                async with self._translated("nothing could be read from"):
                    version = await self._backend.data_version()
        return version

    async def require_file(self) -> None:
        """Looks whether the file, where there is one, is still the one that was opened.

        SQLite goes on with a file that was deleted, as if nothing had happened: other processes do not see it, and the
        last one that has it open takes what it holds with it.

        Raises:
            StoreError: it was removed, or another one is in its place.
        """
        await self._backend.require_present()

    def leadership(self) -> Leadership:
        """The right to poll and deliver for this database, which one process has at a time."""
        return self._backend.leadership()

    async def aclose(self) -> None:
        """Closes every connection, in a cancelled scope too: an open one keeps a thread, and that the process."""
        with anyio.move_on_after(CLOSE_SECONDS, shield=True):
            await self._backend.aclose()

    @asynccontextmanager
    async def _translated(self, lost: str) -> AsyncIterator[None]:
        try:
            yield
        except self._backend.failures as error:
            raise StoreError(self._backend.explain(error, lost=lost)) from error


async def open_database(*, state_dir: Path, database_url: str | None = None) -> Database:
    """Opens the database, creating folder (of `state_dir` only), file and tables when they are not there.

    What an older version stored is brought to the schema of this one, all of it or nothing.

    Raises:
        StoreError: it cannot be opened or written, is damaged, another program's, or was written by a newer version. An
            existing database is not changed in any of these cases.
    """
    if database_url is not None and not database_url.startswith("sqlite"):
        # Loaded only where it is used: the driver is for those who have a server.
        from runai_monitor.store.postgres import open_postgres

        return Database(await open_postgres(database_url))
    return Database(await open_sqlite(state_dir=state_dir, database_url=database_url))

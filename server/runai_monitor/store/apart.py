"""Reads that nobody has to wait for: each on a connection of its own, in a thread of its own.

A read on a disk that hangs cannot be broken off. Here its thread stays behind, alone: whoever asked goes on at once, the
thread closes its connection when the disk answers, and the process does not wait for it at its end.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TypeVar

import anyio
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

T = TypeVar("T")

MOST_READS = 4
"""Threads at a time, those left behind included: a disk that hangs for an hour must not collect hundreds."""
_PRAGMAS = ("busy_timeout=5000", "query_only=on")


class Apart:
    """Reads of one file.

    Args:
        place: the file. It is opened as it is: one that is gone is not made anew.
    """

    def __init__(self, place: str) -> None:
        self._engine = _engine(place)
        self._free = anyio.Semaphore(MOST_READS)

    async def read(self, read: Callable[[Connection], T]) -> T:
        """What `read` returns, of one consistent view; a cancellation leaves it behind. Raises what it raises."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        answer: Future[T] = Future()
        answer.set_running_or_notify_cancel()

        def work() -> None:
            try:
                with self._engine.connect() as connection:
                    found = read(connection)
            except BaseException as error:  # noqa: BLE001  # it belongs to whoever asked, if they still wait
                answer.set_exception(error)
            else:
                answer.set_result(found)
            with suppress(RuntimeError):  # nobody is left to need the place
                loop.call_soon_threadsafe(self._free.release)

        try:
            # A thread of a pool would hold up the end of the process.
            Thread(target=work, name="reading apart", daemon=True).start()
        except RuntimeError:  # the system has no thread left
            self._free.release()
            raise
        return await asyncio.wrap_future(answer)


def _engine(place: str) -> Engine:
    address = f"{Path(place).absolute().as_uri()}?mode=rw"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address, uri=True, isolation_level=None),
        poolclass=NullPool,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def _configure(dbapi: sqlite3.Connection, _record: object) -> None:
        for pragma in _PRAGMAS:
            dbapi.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine

"""Answers from memory what was read before, as long as the database says that nothing was committed since.

A read through the pool crosses to a thread and back five times; agents ask the same again and again. Whether anything
changed, by whichever process, SQLite tells from shared memory in microseconds, so that is asked in the loop itself, of
a connection that was opened elsewhere: opening touches the disk.
"""

from __future__ import annotations

import builtins
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import anyio.to_thread

from runai_monitor.model.alert import EVERY_ALERT, Alert, AlertFilter
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import Database

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_ANSWERS = 64


def connect(place: str) -> sqlite3.Connection:
    """A connection that sees what is committed to a file, and never writes; it may be used in any thread.

    Raises:
        sqlite3.Error: the file cannot be read now.
    """
    uri = f"{Path(place).absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        _version_of(connection)  # SQLite opens the files with the first question
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class RememberingAlertStore(AlertStore):
    """The alerts, for those who only read. What cannot be told from memory is read as ever.

    Args:
        database: where they are.
        opener: opens the connection that watches for changes, in a worker thread.
    """

    def __init__(self, database: Database, *, opener: Callable[[str], sqlite3.Connection] = connect) -> None:
        super().__init__(database)
        self._place = database.place
        self._is_file = Path(database.place).is_file()
        self._opener = opener
        self._is_opening = False
        self._is_closed = False
        self._watcher: sqlite3.Connection | None = None
        self._answers: dict[Hashable, Any] = {}
        self._version: int | None = None

    async def list(self, wanted: AlertFilter = EVERY_ALERT, *, limit: int = 50) -> builtins.list[Alert]:
        """As `AlertStore.list`."""
        read = super().list
        return builtins.list(await self._remembered((wanted, limit), lambda: read(wanted, limit=limit)))

    async def latest_cursor(self) -> int:
        """As `AlertStore.latest_cursor`."""
        return await self._remembered("latest cursor", super().latest_cursor)

    def close(self) -> None:
        """Closes the connection that watches for changes; what is asked later is read as ever."""
        self._is_closed = True
        self._forget_watcher()

    async def _remembered(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        if self._watcher is None:
            await self._open()
        watcher, version = self._watcher, self._look()
        if version is None:
            return await read()
        if version != self._version:
            self._version = version
            self._answers.clear()
        if key in self._answers:
            return cast("T", self._answers[key])
        found = await read()
        # Else it may be older or newer than what is remembered.
        if self._watcher is watcher and self._look() == version == self._version:
            if len(self._answers) >= MOST_ANSWERS:
                del self._answers[next(iter(self._answers))]
            self._answers[key] = found
        return found

    async def _open(self) -> None:
        """Opens the connection, in a worker thread: on a bad disk that hangs. Meanwhile others read as ever."""
        if self._is_file and not self._is_opening and not self._is_closed:
            self._is_opening = True
            await anyio.to_thread.run_sync(self._open_here, abandon_on_cancel=True)

    def _open_here(self) -> None:
        try:
            watcher = self._opener(self._place)
            if self._is_closed:
                watcher.close()
            else:
                self._watcher = watcher
        except sqlite3.Error:
            log.debug("changes of the database cannot be watched now: it is read each time", exc_info=True)
        finally:
            self._is_opening = False

    def _look(self) -> int | None:
        """SQLite's count of commits as this connection, which never writes, sees it; None when it cannot tell now."""
        if self._watcher is None:
            return None
        try:
            return _version_of(self._watcher)
        except sqlite3.Error:
            self._forget_watcher()
            return None

    def _forget_watcher(self) -> None:
        """What it said is of no use to the next one: each connection counts for itself."""
        watcher, self._watcher, self._version = self._watcher, None, None
        if watcher is not None:
            with suppress(sqlite3.Error):
                watcher.close()


def _version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])

"""Answers from memory what was read before, as long as the database says that nothing was committed since.

A read through the pool crosses to a thread and back five times; agents ask the same again and again. Whether anything
changed, by whichever process, SQLite tells from shared memory in microseconds, so that is asked in the loop itself.
"""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from runai_monitor.model.alert import Alert, AlertState
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import Database

T = TypeVar("T")

MOST_ANSWERS = 64


class RememberingAlertStore(AlertStore):
    """The alerts, for those who only read. What cannot be told from memory is read as ever."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._place = database.place
        self._is_file = Path(database.place).is_file()
        self._watcher: sqlite3.Connection | None = None
        self._answers: dict[Hashable, Any] = {}
        self._version: int | None = None

    async def list(
        self,
        *,
        projects: Sequence[str] | None = None,
        project: str | None = None,
        state: AlertState | None = None,
        since: datetime | None = None,
        after_cursor: int | None = None,
        limit: int = 50,
    ) -> builtins.list[Alert]:
        """As `AlertStore.list`."""
        key = (None if projects is None else tuple(projects), project, state, since, after_cursor, limit)
        read = super().list
        found = await self._remembered(
            key,
            lambda: read(
                projects=projects, project=project, state=state, since=since, after_cursor=after_cursor, limit=limit
            ),
        )
        return builtins.list(found)

    async def latest_cursor(self) -> int:
        """As `AlertStore.latest_cursor`."""
        return await self._remembered("latest cursor", super().latest_cursor)

    def close(self) -> None:
        """Closes the connection that watches for changes."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()

    async def _remembered(self, key: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        version = self._look()
        if version is None:
            return await read()
        if version != self._version:
            self._version = version
            self._answers.clear()
        if key in self._answers:
            return cast("T", self._answers[key])
        found = await read()
        if self._look() == version == self._version:  # else it may be older or newer than what is remembered
            if len(self._answers) >= MOST_ANSWERS:
                del self._answers[next(iter(self._answers))]
            self._answers[key] = found
        return found

    def _look(self) -> int | None:
        """SQLite's count of commits as this connection, which never writes, sees it; None when it cannot tell now."""
        if not self._is_file:
            return None
        try:
            if self._watcher is None:
                uri = f"{Path(self._place).absolute().as_uri()}?mode=ro"
                self._watcher = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None)
            return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                self.close()
            self._version = None
            return None

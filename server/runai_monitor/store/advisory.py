"""The lead by an advisory lock of PostgreSQL, which the server gives back when the session that took it ends."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg

from runai_monitor.errors import StoreError

log = logging.getLogger(__name__)

ANSWER_SECONDS = 3.0
"""For the server to say that the lock is still held: longer, and this process may be cut off while another leads."""
# Seconds. A machine that lost its network closes nothing: so the server notices within about ten.
_SESSION = {
    "application_name": "runai-monitor leader",
    "tcp_keepalives_idle": "4",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
_TAKE = "SELECT pg_try_advisory_lock(20012, hashtext(current_schema()))"
# Asked of the server, not assumed: behind a pooler the next statement may run in another session.
_HELD = """
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND classid = 20012 AND granted AND pid = pg_backend_pid()
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
"""
_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class AdvisoryLock:
    """See `Leadership`.

    Args:
        connect: opens a connection with these session settings; the lock has one of its own.
        place: the database, for messages.
    """

    ends_with_process = False  # a session may end before its process

    def __init__(self, connect: Callable[[Mapping[str, str]], Awaitable[Any]], *, place: str) -> None:
        self._connect = connect
        self._place = place
        self._connection: Any = None
        self._complained = False

    async def try_acquire(self) -> bool:
        """See `Leadership`. A server that cannot be reached gives the lead to nobody: False, and try again."""
        try:
            if self._connection is None or self._connection.is_closed():
                self._drop()
                self._connection = await self._connect(_SESSION)
            elif await self.holds():
                return True  # taking it again would count it twice
            taken = bool(await self._connection.fetchval(_TAKE, timeout=ANSWER_SECONDS))
        except (*_FAILURES, StoreError):
            self._drop()
            if not self._complained:
                log.warning("%s cannot be asked who leads; trying again", self._place)
            self._complained = True
            return False
        self._complained = False
        return taken

    async def holds(self) -> bool:
        """See `Leadership`."""
        if self._connection is None or self._connection.is_closed():
            return False
        try:
            return bool(await self._connection.fetchval(_HELD, timeout=ANSWER_SECONDS))
        except _FAILURES:
            self._drop()
            return False

    async def release(self) -> None:
        """See `Leadership`: the session ends, and the lock with it."""
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

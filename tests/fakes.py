"""Stand-ins shared by tests. A fake stands at a transport or a Protocol, never inside a module."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import anyio
import anyio.lowlevel

EPOCH = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


class FakeClock:
    """A clock that only moves when told: `await clock.advance(60)` wakes every sleeper due within that minute, in order."""

    def __init__(
        self, start: datetime = EPOCH, *, settle: Callable[[], Awaitable[None]] = anyio.wait_all_tasks_blocked
    ) -> None:
        self._settle = settle
        self._start = start
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, int, anyio.Event]] = []
        self._serial = 0
        self._arrived = anyio.Event()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await anyio.lowlevel.checkpoint()
            return
        self._serial += 1
        event = anyio.Event()
        entry = (self._elapsed + seconds, self._serial, event)
        heapq.heappush(self._sleepers, entry)
        self._arrived.set()
        self._arrived = anyio.Event()
        try:
            await event.wait()
        finally:
            if entry in self._sleepers:
                self._sleepers.remove(entry)
                heapq.heapify(self._sleepers)

    async def someone_sleeps(self) -> None:
        """Waits until some task waits for this clock: what it does in threads before is not seen otherwise."""
        while not self._sleepers:
            await self._arrived.wait()

    async def advance(self, seconds: float) -> None:
        """Moves time by `seconds`, letting everything that becomes due run to its next wait."""
        target = self._elapsed + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, event = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, due)
            event.set()
            await self._settle()
        self._elapsed = target
        await self._settle()


class Busy:
    """Counts calls that wait for the database's thread, so that time only moves when nothing is under way."""

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()

    async def settle(self) -> None:
        """Returns when every task waits for time, for an event of the test, or for nothing."""
        loop = cast("Any", asyncio.get_running_loop())
        while True:
            await asyncio.sleep(0)
            if self._count:
                self._idle.clear()
                await self._idle.wait()
            elif not loop._ready:
                return

    def watching(self, target: Any) -> Any:
        """The same object, its calls counted."""
        return _Counted(target, self)

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self._idle.set()


class _Counted:
    def __init__(self, target: Any, busy: Busy) -> None:
        self._target = target
        self._busy = busy

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)

        async def counted(*args: Any, **kwargs: Any) -> Any:
            async with self._busy.call():
                return await method(*args, **kwargs)

        return counted

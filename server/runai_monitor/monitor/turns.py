"""Bounded concurrency with an order: of all that wait, the most urgent has the next turn."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class Turns:
    """So many at once; among those that wait, the higher rank first, then whoever came last: news before old news."""

    def __init__(self, at_once: int) -> None:
        self._at_once = self._free = at_once
        self._serial = 0
        self._queue: list[tuple[int, int, anyio.Event]] = []
        self._left: set[int] = set()
        """Serials of those in the queue that wait no more: thousands may leave at once, and a heap is slow to remove from."""

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._queue) - len(self._left)

    @property
    def taken(self) -> int:
        """How many have a turn now."""
        return self._at_once - self._free

    @asynccontextmanager
    async def turn(self, rank: int) -> AsyncIterator[bool]:
        """Waits for a turn and has it while the block lasts; yields whether it had to wait."""
        waits = not self._free
        if waits:
            await self._wait(rank)
        else:
            self._free -= 1
        try:
            yield waits
        finally:
            self._pass_on()

    async def _wait(self, rank: int) -> None:
        self._serial += 1
        entry = (-rank, -self._serial, anyio.Event())
        heapq.heappush(self._queue, entry)
        try:
            await entry[2].wait()
        except BaseException:
            if entry[2].is_set():
                self._pass_on()  # the turn had come already
            else:
                self._left.add(entry[1])
            raise

    def _pass_on(self) -> None:
        while self._queue:
            _, serial, event = heapq.heappop(self._queue)
            if serial not in self._left:
                event.set()
                return
            self._left.discard(serial)
        self._free += 1

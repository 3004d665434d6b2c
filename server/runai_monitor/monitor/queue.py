"""Bounded concurrency with an order: of all that wait, the most urgent is worked on next."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from anyio.abc import TaskGroup

T = TypeVar("T")


class WorkQueue(Generic[T]):
    """So many at once; among those that wait, the higher rank first, then whoever came last: news before old news.

    What waits is an entry in a list and no task: a storm brings ten thousand of them.

    Args:
        work: what is done with each, told whether it had to wait. It handles its own errors.
        at_once: how many are worked on at a time.
    """

    def __init__(self, work: Callable[[T, bool], Awaitable[None]], *, at_once: int) -> None:
        self._work = work
        self._at_once = at_once
        self._waiting: list[tuple[int, int, T]] = []
        self._serial = 0
        self._workers = 0

    def put(self, item: T, *, rank: int, tasks: TaskGroup) -> None:
        """Has it worked on in `tasks`, at once or when its turn comes."""
        if self._workers < self._at_once:
            self._workers += 1
            tasks.start_soon(self._work_off, item)
        else:
            self._serial += 1
            heapq.heappush(self._waiting, (-rank, -self._serial, item))

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    @property
    def working(self) -> int:
        """How many are worked on now."""
        return self._workers

    def clear(self) -> None:
        """Begins anew, once the tasks have ended: some may have done so before they began."""
        self._waiting.clear()
        self._workers = 0

    async def _work_off(self, item: T) -> None:
        try:
            await self._work(item, False)
            while self._waiting:
                await self._work(heapq.heappop(self._waiting)[-1], True)
        finally:
            self._workers -= 1

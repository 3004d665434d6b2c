"""Keeps loops alive: an error is logged, backed off and visible, never fatal and never silent."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import MonitorError

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 120.0
"""A loop that ran for so long before it failed starts again without the patience that many failures teach."""


class Signal:
    """Something that happened since the last wait, or a timeout, whichever is first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._event = anyio.Event()

    def set(self) -> None:
        """It happened."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Whether it has happened since the last return; False after `seconds` by the clock without it."""
        async with anyio.create_task_group() as race:
            race.start_soon(self._sleep, seconds, race.cancel_scope)
            await self._event.wait()
            race.cancel_scope.cancel()
        happened = self._event.is_set()
        if happened:
            self._event = anyio.Event()
        return happened

    async def _sleep(self, seconds: float, race: anyio.CancelScope) -> None:
        await self._clock.sleep(seconds)
        race.cancel()


class Supervisor:
    """Runs loops again after they failed, and knows when each last showed a sign of life."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beats: dict[str, float] = {}
        self._crashes: dict[str, int] = {}

    def beat(self, name: str) -> None:
        """A sign of life of a loop."""
        self._beats[name] = self._clock.monotonic()

    def forget(self, name: str) -> None:
        """The loop ended on purpose."""
        self._beats.pop(name, None)

    def ages(self) -> dict[str, float]:
        """Seconds since the last sign of life, by loop."""
        now = self._clock.monotonic()
        return {name: now - at for name, at in self._beats.items()}

    def crashes(self) -> dict[str, int]:
        """How often each loop failed."""
        return dict(self._crashes)

    async def keep(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """Runs a loop until it returns, and again after each failure, with growing pauses."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = self._clock.monotonic()
            try:
                await loop()
            except MonitorError as error:
                log.warning("the loop of %s goes on after: %s", name, error)
            except Exception:  # supervised boundary: a defect in one loop must stop neither it for ever nor the others
                log.exception("the loop of %s failed and starts again", name)
            else:
                return
            self._crashes[name] = self._crashes.get(name, 0) + 1
            if self._clock.monotonic() - began >= STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            await self._clock.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)

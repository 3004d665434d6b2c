"""How long things take: from an event to each stage of its alert, and how long the event loop was kept from others."""

from __future__ import annotations

import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import anyio

Stage = Literal["detected", "stored", "pushed", "diagnosed", "delivered"]

STAGE_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.3, 1.0, 3.0, 10.0, 30.0, 120.0, 600.0)
LAG_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
TICK_SECONDS = 0.02
"""How often the watchdog looks: what blocks for longer is seen whole but for so much."""
MOST_ALERTS = 10_000
"""Alerts that are followed through their stages; the longest known give way."""


TURN_SECONDS = 0.001
"""How long a thread that computes keeps the interpreter from the event loop. With Python's own five milliseconds four
such threads hold it up for 150; switching oftener costs less than can be measured."""


@contextmanager
def short_turns() -> Iterator[None]:
    """While the block lasts, threads give way to each other, and so to the event loop, sooner than Python's default."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@dataclass(slots=True)
class Histogram:
    """Durations in seconds, counted by upper bounds; the last count is of those above all."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0
    longest: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, seconds: float) -> None:
        """Counts one."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)


class Pace:
    """Follows alerts from the moment that their event was heard. Instants are monotonic.

    Args:
        monotonic: the clock they are read from.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._heard_at: dict[str, float] = {}
        self._passed: set[tuple[str, Stage]] = set()
        self.stages: Mapping[Stage, Histogram] = {
            stage: Histogram(STAGE_SECONDS) for stage in ("detected", "stored", "pushed", "diagnosed", "delivered")
        }
        self.loop = Histogram(LAG_SECONDS)

    def begin(self, alert_id: str, heard_at: float) -> None:
        """An alert is about to be opened because of what was heard then: it is detected."""
        if alert_id in self._heard_at:
            return
        self._heard_at[alert_id] = heard_at
        if len(self._heard_at) > MOST_ALERTS:
            self._forget(next(iter(self._heard_at)))
        self.reached("detected", alert_id)

    def reached(self, stage: Stage, alert_id: str) -> None:
        """An alert has reached a stage; only its first time counts, and only of alerts that began here."""
        heard_at = self._heard_at.get(alert_id)
        if heard_at is None or (alert_id, stage) in self._passed:
            return
        self._passed.add((alert_id, stage))
        self.stages[stage].observe(self._monotonic() - heard_at)

    async def watch_the_loop(self) -> None:
        """Measures until cancelled how much later than due the event loop comes back: so long nobody was served."""
        while True:
            before = time.monotonic()
            await anyio.sleep(TICK_SECONDS)
            self.loop.observe(max(0.0, time.monotonic() - before - TICK_SECONDS))

    def _forget(self, alert_id: str) -> None:
        del self._heard_at[alert_id]
        self._passed -= {(alert_id, stage) for stage in self.stages}

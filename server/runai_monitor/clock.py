"""Time, injected: what is decided by the clock can be tested without waiting for it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

import anyio


class Clock(Protocol):
    """The three things code here may ask of time."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC: for what is stored or shown."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never go back: for measuring and waiting."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits `seconds`; returns at once when they are not positive (but lets others run)."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The current instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The monotonic clock, in seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Waits `seconds` on the event loop."""
        await anyio.sleep(max(0.0, seconds))


def isoformat(instant: datetime) -> str:
    """An instant as the ISO 8601 text used at every edge: UTC, `Z`, whole seconds unless it has milliseconds."""
    text = instant.astimezone(UTC).isoformat(timespec="milliseconds" if instant.microsecond else "seconds")
    return text.replace("+00:00", "Z")

"""When a message is tried again, and when it is given up."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from runai_monitor.clock import Clock

FIRST_PAUSE_SECONDS = 2.0
LONGEST_ASKED_PAUSE_SECONDS = 3600.0
"""However long a server asks to be left alone, it is asked again after an hour."""
CHANNEL_PAUSE_SECONDS = 60.0
"""A channel that takes nothing is tried with one message a minute at least."""
FEWEST_ATTEMPTS = 10
"""Before a message is given up by a process that has not tried for the whole time itself."""
_JUMP_SECONDS = 30.0
"""The wall clock and the monotonic clock differ by more only when the wall clock was set, or the machine slept."""


def full_jitter(ceiling_seconds: float) -> float:
    """Any pause up to the ceiling: of many that failed together, few return together."""
    return random.uniform(0.0, ceiling_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How long a message is tried, and the longest pause between two attempts."""

    give_up_hours: float = 24.0
    longest_pause_minutes: float = 15.0
    jitter: Callable[[float], float] = full_jitter

    def pause_seconds(self, attempts: int) -> float:
        """Before the attempt that follows `attempts` in vain: doubling ceilings, full jitter."""
        ceiling = FIRST_PAUSE_SECONDS * 2 ** min(max(attempts - 1, 0), 30)
        return self.jitter(min(self.longest_pause_minutes * 60, ceiling))

    def channel_pause_seconds(self, failures: int) -> float:
        """Before a channel that failed so often in a row is asked again, with whichever message is next."""
        return self.jitter(min(CHANNEL_PAUSE_SECONDS, 2.0 ** min(failures, 30))) if failures > 1 else 0.0

    def is_hopeless(self, *, created_at: datetime, attempts: int, now: datetime, time: SteadyTime) -> bool:
        """Whether a message that failed `attempts` times was tried for long enough.

        Time in which nobody tried does not count: neither what a clock jumped over, nor the days a machine was off.
        """
        limit = timedelta(hours=self.give_up_hours)
        tried_elsewhere = attempts >= FEWEST_ATTEMPTS and not time.was_set
        return now - created_at >= limit and (time.steady() >= limit or tried_elsewhere)


class SteadyTime:
    """Notices that the wall clock was set: what was reckoned by it before means nothing after."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = self._measure()
        self._since = clock.monotonic()
        self._unheard = False
        self.was_set = False
        """Whether the clock was ever set while this process ran."""

    def look(self) -> None:
        """Compares the clocks."""
        offset = self._measure()
        moved, self._offset = abs(offset - self._offset) > _JUMP_SECONDS, offset
        if moved:
            self.was_set = self._unheard = True
            self._since = self._clock.monotonic()

    def jumped(self) -> bool:
        """Whether the clock was set since this was last asked."""
        self.look()
        heard, self._unheard = self._unheard, False
        return heard

    def steady(self) -> timedelta:
        """For how long the clock has not been set, as far as this process knows."""
        return timedelta(seconds=self._clock.monotonic() - self._since)

    def _measure(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()


def retry_after_seconds(value: str | None, *, now: datetime, date: str | None = None) -> float | None:
    """The pause that a `Retry-After` header asks for, seconds or an HTTP date (RFC 9110, 10.2.3); None for anything else.

    A date is taken against the server's own clock where the answer has a `Date` header: ours may be wrong.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:9]), LONGEST_ASKED_PAUSE_SECONDS)
    until = _http_date(text)
    if until is None:
        return None
    pause = (until - (_http_date(date or "") or now)).total_seconds()
    return min(max(0.0, pause), LONGEST_ASKED_PAUSE_SECONDS)


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

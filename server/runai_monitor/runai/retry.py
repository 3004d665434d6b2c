"""Whether and when a request is sent again: decisions only, no waiting."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from runai_monitor.errors import RunaiError, RunaiPayloadError, RunaiUnavailableError

MAX_ATTEMPTS = 6
"""Half a minute of backoff at most: an outage longer than that is for the next poll, not for this request."""

MAX_GARBAGE_ATTEMPTS = 3
"""A proxy's login page or a cut body often heals by itself; a server that speaks another API never does."""

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 8.0
_TOO_MANY_REQUESTS = 429


def attempts_allowed(error: RunaiError, *, repeatable: bool, sent: bool) -> int:
    """How often a request may be sent in all, after it failed with `error`; of garbage, how often that may come.

    Args:
        error: how the latest attempt failed.
        repeatable: sending it twice does no harm (a GET, or asking for a token).
        sent: false when it is certain that the server never received it.
    """
    if isinstance(error, RunaiPayloadError):
        return MAX_GARBAGE_ATTEMPTS if repeatable and error.status == 200 else 1
    if isinstance(error, RunaiUnavailableError):
        refused_unread = error.status == _TOO_MANY_REQUESTS or not sent
        return MAX_ATTEMPTS if repeatable or refused_unread else 1
    return 1


def pause_seconds(error: RunaiError, *, attempt: int, jitter: float) -> float:
    """How long to wait after failed attempt number `attempt` (from 1); the server's own wish wins.

    Args:
        error: how the attempt failed.
        attempt: its number, from 1.
        jitter: a random number from 0 to 1, so that many clients do not come back together.
    """
    if error.retry_after_seconds:
        return error.retry_after_seconds
    ceiling = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1))
    return ceiling * (0.5 + 0.5 * jitter)


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """A `Retry-After` header as seconds from `now`: a number or an HTTP date; None when absent or senseless."""
    if value is None:
        return None
    text = value.strip()
    try:
        seconds = float(text)
    except ValueError:
        return _seconds_until(text, now)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(http_date: str, now: datetime) -> float | None:
    try:
        instant = parsedate_to_datetime(http_date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return max(0.0, (instant - now).total_seconds())

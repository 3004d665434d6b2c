"""Reads arguments of people and models; a wrong one is refused with the accepted range."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from runai_monitor.errors import InputError
from runai_monitor.model.alert import AlertState
from runai_monitor.model.workload import PHASES
from runai_monitor.notify.safe_text import plain

E = TypeVar("E", bound=StrEnum)

DURATION_MINUTES = (0, 43_200)
POLL_INTERVAL_SECONDS = (1, 3600)
LIMIT = (1, 200)
OFFSET = (0, 1_000_000)
TIMEOUT_SECONDS = (0, 300)
MAX_NAME_LENGTH = 256
MAX_AUTHOR_LENGTH = 100
MAX_TEXT_LENGTH = 500
SILENCE_DAYS = 30
"""How long a silence may last: nobody remembers a longer one, and it can be renewed."""

_AGE = re.compile(r"(\d{1,6})\s*([smhdw])")
_DURATION = re.compile(r"(?:\d{1,6}\s*[smhdw]\s*)+")
_AGE_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def in_range(name: str, value: float, accepted: tuple[float, float], *, meaning: str = "") -> float:
    """The value, when it is a number within the accepted range (both ends included).

    Raises:
        InputError: it is not; the text names the range.
    """
    low, high = accepted
    if math.isnan(value) or not low <= value <= high:
        suffix = f" ({meaning})" if meaning else ""
        raise InputError(f"{name} is {value:g}; accepted is {low:g} to {high:g}{suffix}")
    return value


def whole_in_range(name: str, value: int, accepted: tuple[int, int]) -> int:
    """The same for whole numbers."""
    low, high = accepted
    if not low <= value <= high:
        raise InputError(f"{name} is {value}; accepted is a whole number from {low} to {high}")
    return value


def cursor(value: int | None) -> int | None:
    """A cursor: any whole number from 0 on that a database can hold."""
    if value is not None and not 0 <= value < 2**63:
        raise InputError("after_cursor must be the cursor of an earlier result, or 0 for everything")
    return value


def name_text(argument: str, value: str) -> str:
    """A name: some text, not too long; surrounding blanks are dropped.

    Raises:
        InputError: it is empty or longer than any name can be.
    """
    text = value.strip()
    if not text or len(text) > MAX_NAME_LENGTH:
        raise InputError(f"{argument} must be a name of 1 to {MAX_NAME_LENGTH} characters")
    return text


def instant(name: str, text: str | None, *, now: datetime) -> datetime | None:
    """An ISO 8601 time, or an age such as `24h`, `30m` or `7d` counted back from now. No zone means UTC.

    Raises:
        InputError: it is neither.
    """
    if text is None:
        return None
    accepted = f"{name} must be an ISO 8601 time such as 2026-03-01T03:00:00Z, or an age such as 24h, 30m or 7d"
    stripped = text.strip()
    age = _AGE.fullmatch(stripped.lower())
    try:
        if age:
            return now - timedelta(**{_AGE_UNITS[age[2]]: int(age[1])})
        parsed = datetime.fromisoformat(stripped)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError(accepted) from error


def span(name: str, text: str) -> timedelta:
    """A length of time such as `90m`, `2h` or `1d12h`.

    Raises:
        InputError: it is none, or nothing at all.
    """
    stripped = text.strip().lower()
    found = timedelta()
    if _DURATION.fullmatch(stripped):
        for count, unit in _AGE.findall(stripped):
            found += timedelta(**{_AGE_UNITS[unit]: int(count)})
    if not found:
        raise InputError(f"{name} must be a length of time such as 90m, 2h or 1d12h")
    return found


def silence_times(
    *, now: datetime, duration: str | None, until: str | None, starts_at: str | None
) -> tuple[datetime, datetime]:
    """When a silence begins and ends. Exactly one of `duration` and `until` says the end, for every silence has one.

    Raises:
        InputError: it has no end, two ends, or one that is past or too far away; or it begins in the past.
    """
    if (duration is None) is (until is None):
        raise InputError("give either duration (such as 2h) or until (an ISO 8601 time): a silence must end")
    starts = now if starts_at is None else instant("starts_at", starts_at, now=now)
    assert starts is not None
    if starts < now:
        raise InputError("starts_at is past; leave it out to begin now")
    ends = instant("until", until, now=now) if duration is None else starts + span("duration", duration)
    assert ends is not None
    if ends <= starts:
        raise InputError(f"until must be after {'now' if starts == now else 'starts_at'}; a silence cannot end before")
    if ends - starts > timedelta(days=SILENCE_DAYS) or starts - now > timedelta(days=SILENCE_DAYS):
        raise InputError(
            f"a silence lasts at most {SILENCE_DAYS} days, and begins within as many; renew it when it ends"
        )
    return starts, ends


def sentence(name: str, value: str, *, limit: int = MAX_TEXT_LENGTH, required: bool = True) -> str:
    """What somebody says of themselves or of a reason: one line of printable text.

    Raises:
        InputError: it is too long, or empty where something must be said.
    """
    text = plain(value, limit + 1)
    if len(text) > limit or (required and not text):
        raise InputError(f"{name} must be a text of {'1 to ' if required else 'at most '}{limit} characters")
    return text


def alert_state(text: str | None) -> AlertState | None:
    """An alert's state by its word."""
    if text is None:
        return None
    return word("state", text, AlertState)


def word(name: str, text: str, words: type[E]) -> E:
    """One of a few words.

    Raises:
        InputError: it is none of them; the text names all.
    """
    try:
        return words(text.strip().lower())
    except ValueError as error:
        raise InputError(f"{name} must be one of {', '.join(words)}") from error


def phase(text: str | None) -> str | None:
    """A Run:ai phase, whatever the case of its letters."""
    if text is None:
        return None
    known = {name.lower(): name for name in PHASES}
    found = known.get(text.strip().lower())
    if found is None:
        raise InputError(f"phase must be one of {', '.join(sorted(PHASES))}")
    return found


def nearest(name: str, known: Iterable[str], *, count: int = 3) -> list[str]:
    """The known names most like this one, best first."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=count, cutoff=0.5)
    return [by_lower[match] for match in close]


def quoted(text: str) -> str:
    """A name from outside as it may appear in a sentence: one line, short, printable."""
    clean = "".join(character if character.isprintable() else "?" for character in text)
    return f'"{clean[:100]}"'

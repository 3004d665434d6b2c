"""Pure: what opens again soon after it was over is told as flapping once, and not each time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from runai_monitor.model.alert import Alert, AlertKind

MOST_REMEMBERED = 20_000
"""Subjects whose last episode is kept; beyond that the older half is forgotten."""


class Reopening(Enum):
    """How soon after its last episode something opens again."""

    NEWS = auto()
    FLAPS = auto()
    """Soon, for the first time: said so."""
    STILL_FLAPS = auto()
    """Soon, and so was the episode before: told already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The last episode of a subject. `before` is when the one before it had ended."""

    started_at: datetime
    at: datetime
    before: datetime | None = None


Endings = dict[tuple[AlertKind, str], Ended]


def note_end(endings: Endings, alert: Alert) -> None:
    """An alert was resolved."""
    key = (alert.kind, alert.subject.id)
    previous = endings.pop(key, None)
    endings[key] = Ended(
        started_at=alert.started_at,
        at=alert.resolved_at or alert.updated_at,
        before=None if previous is None else previous.at,
    )
    if len(endings) > MOST_REMEMBERED:
        for old in list(endings)[: MOST_REMEMBERED // 2]:
            del endings[old]


def endings_of(resolved: Iterable[Alert]) -> Endings:
    """What earlier processes noted, from resolved alerts."""
    endings: Endings = {}
    for alert in sorted(resolved, key=lambda alert: alert.episode):
        note_end(endings, alert)
    return endings


def reopening(endings: Mapping[tuple[AlertKind, str], Ended], key: tuple[AlertKind, str], *, now: datetime, minutes: float) -> Reopening:  # fmt: skip
    """What an opening now would be."""
    last, window = endings.get(key), timedelta(minutes=minutes)
    if last is None or not minutes or now - last.at > window:
        return Reopening.NEWS
    if last.before is not None and last.started_at - last.before <= window:
        return Reopening.STILL_FLAPS
    return Reopening.FLAPS

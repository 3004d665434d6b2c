"""Who is told of which alerts, as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from runai_monitor.model.alert import AlertKind, Severity


class Weekday(StrEnum):
    """A day of the week, in the order of `datetime.weekday()`."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow:
    """Hours that come back every week, as clocks in `time_zone` (an IANA name) show them.

    From `starts` until before `ends`; where `ends` is not after `starts` the window passes midnight and belongs to the
    day on which it began. No `days` means every day.
    """

    time_zone: str = "UTC"
    days: tuple[Weekday, ...] = ()
    starts: time = time()
    ends: time = time()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Alerts that meet every condition go to `channels`; an empty condition is met by all.

    `projects`, `statuses` and `causes` are names in which `*` stands for any characters; the cause is the likeliest one
    of the diagnosis. `goes_on`: later routes are looked at too. No `channels`: these alerts are told to none.
    """

    channels: tuple[str, ...]
    projects: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    statuses: tuple[str, ...] = ()
    kinds: tuple[AlertKind, ...] = ()
    causes: tuple[str, ...] = ()
    window: TimeWindow | None = None
    goes_on: bool = False

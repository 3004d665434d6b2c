"""Which channels are told of an alert: pure, decided once, where its deliveries are stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from runai_monitor.model.alert import Alert
from runai_monitor.model.routing import Route, TimeWindow, Weekday

_DAYS = tuple(Weekday)


def channels_for(
    alert: Alert, routes: Sequence[Route], *, channels: Sequence[str], default: Sequence[str]
) -> tuple[str, ...]:
    """The channels that are told of `alert` as it is now, each once, in the order of the routes.

    The first route that matches decides, and those after it while it `goes_on`. An alert that none matches goes to
    `default`, and where that is empty to every one of `channels`: nothing is lost for want of a route.
    """
    told: list[str] = []
    matched = False
    for route in routes:
        if not matches(route, alert):
            continue
        matched = True
        told += route.channels
        if not route.goes_on:
            break
    return tuple(dict.fromkeys(told if matched else default or channels))


def matches(route: Route, alert: Alert) -> bool:
    """Whether the alert meets every condition of the route, at the time of its last change."""
    cause = alert.diagnosis.causes[0].cause if alert.diagnosis and alert.diagnosis.causes else ""
    return (
        _named(alert.subject.project, route.projects)
        and _named(alert.status, route.statuses)
        and _named(cause, route.causes)
        and (not route.severities or alert.severity in route.severities)
        and (not route.kinds or alert.kind in route.kinds)
        and (route.window is None or within(route.window, alert.updated_at))
    )


def within(window: TimeWindow, instant: datetime) -> bool:
    """Whether the window is open at that instant."""
    local = instant.astimezone(ZoneInfo(window.time_zone))
    now, today = local.time(), local.weekday()
    yesterday = (today - 1) % 7
    if window.starts < window.ends:
        return window.starts <= now < window.ends and _on(window, today)
    return (now >= window.starts and _on(window, today)) or (now < window.ends and _on(window, yesterday))


def _on(window: TimeWindow, day: int) -> bool:
    return not window.days or _DAYS[day] in window.days


def _named(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)

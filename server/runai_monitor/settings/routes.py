"""Routes: from sections of the YAML file to what the routing decides by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator

from runai_monitor.model.alert import AlertKind, Severity
from runai_monitor.model.routing import Route, TimeWindow, Weekday
from runai_monitor.settings.structure import Part, StructureError, problems_of, sections

P = TypeVar("P", bound=Part)

_HOURS = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)")
_NAMES = "one name or a list of them, in which * stands for any characters"
_DAYS = tuple(Weekday)


class _Match(Part):
    project: tuple[str, ...] = Field(default=(), min_length=1, description=_NAMES)
    severity: tuple[Severity, ...] = Field(
        default=(), min_length=1, description=f"one or a list of {', '.join(Severity)}"
    )
    status: tuple[str, ...] = Field(default=(), min_length=1, description=_NAMES)
    kind: tuple[AlertKind, ...] = Field(
        default=(), min_length=1, description=f"one or a list of {', '.join(AlertKind)}"
    )
    cause: tuple[str, ...] = Field(default=(), min_length=1, description=_NAMES)
    time: Mapping[str, object] | None = Field(default=None, description="a section with days, hours and time_zone")

    @field_validator("project", "severity", "status", "kind", "cause", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class _Time(Part):
    days: tuple[Weekday, ...] = Field(
        default=(), description=f"a list of {', '.join(Weekday)}, or a span such as mon-fri"
    )
    hours: tuple[time, time] = Field(
        default=(time(), time()), description="a span of two times in quotes, such as '09:00-18:00' or '22:00-06:00'"
    )
    time_zone: str = Field(description="an IANA time zone, such as Europe/Berlin or UTC")

    @field_validator("days", mode="before")
    @classmethod
    def _span_of_days(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        first, _, last = value.lower().partition("-")
        begin, end = _DAYS.index(Weekday(first.strip())), _DAYS.index(Weekday((last or first).strip()))
        return [_DAYS[(begin + offset) % 7] for offset in range((end - begin) % 7 + 1)]

    @field_validator("hours", mode="before")
    @classmethod
    def _span_of_hours(cls, value: object) -> object:
        found = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None or "24" in (found[1], *([] if found[4] == "00" else [found[3]])):
            raise ValueError("a span of two times")
        return time(int(found[1]), int(found[2])), time(int(found[3]) % 24, int(found[4]))

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("an IANA time zone") from error
        return value


class _Route(Part):
    match: Mapping[str, object] = Field(
        default={}, description=f"a section with any of {', '.join(_Match.model_fields)}"
    )
    channels: tuple[str, ...] = Field(description="a list of names of channels; an empty one tells nobody")
    goes_on: bool = Field(default=False, alias="continue", description="true or false")

    @field_validator("channels", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


def routes_of(value: object) -> tuple[Route, ...]:
    """The routes of a list of sections.

    Raises:
        StructureError: a section is not acceptable.
    """
    found: list[Route] = []
    problems: list[str] = []
    for path, section in sections(value, what="routes, each with match and channels"):
        try:
            found.append(_route(path, section))
        except StructureError as error:
            problems += error.problems
    if problems:
        raise StructureError(*problems)
    return tuple(found)


def _route(path: str, section: Mapping[str, object]) -> Route:
    route = _part(_Route, path, section)
    match = _part(_Match, f"{path}.match", route.match)
    window = None if match.time is None else _part(_Time, f"{path}.match.time", match.time)
    return Route(
        channels=route.channels,
        projects=match.project,
        severities=match.severity,
        statuses=match.status,
        kinds=match.kind,
        causes=match.cause,
        window=None
        if window is None
        else TimeWindow(time_zone=window.time_zone, days=window.days, starts=window.hours[0], ends=window.hours[1]),
        goes_on=route.goes_on,
    )


def _part(model: type[P], path: str, section: Mapping[str, object]) -> P:
    try:
        return model.model_validate(dict(section))
    except ValidationError as error:
        raise StructureError(*problems_of(error, model, path, section)) from None

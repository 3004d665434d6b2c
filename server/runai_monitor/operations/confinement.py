"""The project limit, applied to silences: who may not see a project may not silence it either."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from runai_monitor.model.silence import Matcher, MatchField, Silence
from runai_monitor.notify.silencing import matches_one

_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")


def confined(matchers: Sequence[Matcher], projects: Sequence[str] | None) -> tuple[Matcher, ...]:
    """The matchers, so that they match alerts of these projects only; None is no limit.

    Alerts about no project, such as that of a blind monitor, are everybody's: a limit leaves them out.
    """
    if projects is None or any(_names(matcher, projects) for matcher in matchers):
        return tuple(matchers)
    return (*matchers, _of(projects))


def within(silence: Silence, projects: Sequence[str] | None) -> bool:
    """Whether a silence can match alerts of these projects only."""
    return projects is None or any(_names(matcher, projects) for matcher in silence.matchers)


def touches(silence: Silence, projects: Sequence[str] | None) -> bool:
    """Whether a silence can match alerts of any of these projects."""
    return projects is None or bool(_touched(silence, projects))


def as_seen_by(silence: Silence, projects: Sequence[str] | None) -> Silence:
    """The silence as one that says the same of these projects, and names no other."""
    if within(silence, projects) or not any(matcher.field is MatchField.PROJECT for matcher in silence.matchers):
        return silence
    assert projects is not None
    others = (matcher for matcher in silence.matchers if matcher.field is not MatchField.PROJECT)
    return dataclasses.replace(silence, matchers=(*others, _of(_touched(silence, projects))))


def _touched(silence: Silence, projects: Sequence[str]) -> list[str]:
    about = [matcher for matcher in silence.matchers if matcher.field is MatchField.PROJECT]
    return [name for name in projects if all(matches_one(matcher, (name,)) for matcher in about)]


def _of(projects: Sequence[str]) -> Matcher:
    if len(projects) == 1:
        return Matcher(field=MatchField.PROJECT, operator="=", value=projects[0])
    return Matcher(field=MatchField.PROJECT, operator="=~", value="|".join(map(_escaped, projects)))


def _names(matcher: Matcher, projects: Sequence[str]) -> bool:
    """Whether this matcher names nothing but projects of these, letter by letter."""
    if matcher.field is not MatchField.PROJECT:
        return False
    if matcher.operator == "=":
        return matcher.value in projects
    known = {_escaped(name) for name in projects}
    return matcher.operator == "=~" and known.issuperset(_alternatives(matcher.value))


def _alternatives(pattern: str) -> list[str]:
    return re.split(r"(?<!\\)\|", pattern)


def _escaped(name: str) -> str:
    return _SPECIAL.sub(r"\\\1", name)

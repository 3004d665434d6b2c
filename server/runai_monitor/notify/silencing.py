"""Pure: which alerts a silence is about, and when. Alertmanager's matchers, on the fields that alerts here have.

Regular expressions are RE2's, as in Alertmanager. It needs time linear in the text whatever the pattern, and refuses a
pattern that would need much memory: one that somebody was talked into cannot hold up the alerts of everybody else.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, cast

from runai_monitor.errors import InputError
from runai_monitor.model.alert import Alert, AlertKind, Severity
from runai_monitor.model.silence import Matcher, MatchField, Silence, SilenceState

LONGEST_VALUE = 256
"""Characters of one matcher's value: names are shorter, and a pattern of them needs no more."""
_PATTERN_BYTES = 1 << 20
"""Memory of one compiled pattern at most."""
_STRANGERS = ("", "a", "Z9", "zq-0123456789.x", "unheard_of", "例")
"""Values that nothing has in common but being texts: who accepts them all accepts anything."""
_REGULAR = ("=~", "!~")
_POSITIVE = ("=", "=~")


class _Pattern(Protocol):
    def fullmatch(self, text: str) -> object | None:
        """A match of the whole text, None for none."""
        ...


def matches(silence: Silence, alert: Alert) -> bool:
    """Whether all matchers of the silence match the alert, whatever the time and whatever happened to the alert.

    A silence with a pattern that cannot be used, perhaps another version's, matches nothing: rather told than lost.
    """
    try:
        return all(matches_one(matcher, values_of(alert, matcher.field)) for matcher in silence.matchers)
    except (InputError, UnicodeError):
        return False


def active(silence: Silence, now: datetime) -> bool:
    """Whether the silence holds now: from its start on, and no longer at its end."""
    return state_of(silence, now) is SilenceState.ACTIVE


def state_of(silence: Silence, now: datetime) -> SilenceState:
    """Pending, active or expired; one that somebody ended early is expired from then on, started or not."""
    ended = silence.ends_at if silence.expired_at is None else min(silence.ends_at, silence.expired_at)
    if now >= ended:
        return SilenceState.EXPIRED
    return SilenceState.PENDING if now < silence.starts_at else SilenceState.ACTIVE


def silencing(silences: Iterable[Silence], alert: Alert, now: datetime) -> list[Silence]:
    """Those that hold now and match the alert."""
    return [silence for silence in silences if active(silence, now) and matches(silence, alert)]


def matches_one(matcher: Matcher, values: Sequence[str]) -> bool:
    """One matcher against all that an alert has for its field; nothing is the empty text.

    Of several values (the nodes of a workload) one that equals is enough, and a negative matcher wants none that does.
    """
    if matcher.operator in _REGULAR:
        pattern = compiled(matcher.value)
        found = any(pattern.fullmatch(value) is not None for value in values or ("",))
    else:
        found = matcher.value in (values or ("",))
    return found is (matcher.operator in _POSITIVE)


def values_of(alert: Alert, field: MatchField) -> tuple[str, ...]:
    """What an alert has for a field. A workload goes by its name and its UUID; the cause is the first one."""
    subject, diagnosis = alert.subject, alert.diagnosis
    about_node = alert.kind is AlertKind.NODE_UNHEALTHY
    match field:
        case MatchField.PROJECT:
            found: tuple[str, ...] = (subject.project,)
        case MatchField.WORKLOAD:
            found = () if about_node else (subject.name, subject.id)
        case MatchField.STATUS:
            found = (alert.status,)
        case MatchField.CAUSE:
            found = (diagnosis.causes[0].cause,) if diagnosis and diagnosis.causes else ()
        case MatchField.NODE:
            found = (*subject.nodes, *(diagnosis.nodes if diagnosis else ()), *((subject.name,) if about_node else ()))
        case MatchField.KIND:
            found = (str(alert.kind),)
        case MatchField.SEVERITY:
            found = (str(alert.severity),)
    return tuple(dict.fromkeys(value for value in found if value))


def is_for_everything(matchers: Sequence[Matcher]) -> bool:
    """Whether the matchers accept more or less any alert: such a silence is a mistake unless it is said to be meant.

    `project=~".+"` is such a one, and `workload!="a"` too; `severity!="critical"` is not, for there are three.
    """
    return all(_accepts_anything(matcher) for matcher in matchers)


def _accepts_anything(matcher: Matcher) -> bool:
    known = {MatchField.KIND: tuple(AlertKind), MatchField.SEVERITY: tuple(Severity)}.get(matcher.field)
    texts = [str(word) for word in known] if known else [text for text in _STRANGERS if text]
    return all(matches_one(matcher, (text,)) for text in texts)


@functools.lru_cache(maxsize=1024)
def compiled(pattern: str) -> _Pattern:
    """The pattern, to be matched as a whole.

    Raises:
        InputError: it is not RE2's syntax, or too large.
    """
    import re2

    options = re2.Options()
    options.max_mem = _PATTERN_BYTES
    options.log_errors = False
    try:
        return cast("_Pattern", re2.compile(pattern, options))
    except (re2.error, UnicodeError) as error:
        said = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else str(error)
        raise InputError(
            f"{pattern[:80]!r} is no regular expression that can be used here ({said}); RE2's syntax is accepted"
        ) from error

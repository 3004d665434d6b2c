"""Pure: whether a silence is about an alert."""

from __future__ import annotations

import re

from runai_monitor.model.alert import Alert
from runai_monitor.model.silence import Matcher, MatchField, Silence
from runai_monitor.model.telling import nodes_of


def matches(silence: Silence, alert: Alert) -> bool:
    """Whether all of its matchers match; one without matchers is about nothing."""
    return bool(silence.matchers) and all(_matches(matcher, alert) for matcher in silence.matchers)


def _matches(matcher: Matcher, alert: Alert) -> bool:
    values = _values(matcher.field, alert) or ("",)
    if matcher.operator in {"=", "!="}:
        found = matcher.value in values
    else:
        found = any(re.fullmatch(matcher.value, value) for value in values)
    return found is not matcher.operator.startswith("!")


def _values(field: MatchField, alert: Alert) -> tuple[str, ...]:
    causes = alert.diagnosis.causes if alert.diagnosis is not None else ()
    return {
        MatchField.PROJECT: (alert.subject.project,),
        MatchField.WORKLOAD: (alert.subject.name,),
        MatchField.STATUS: (alert.status,),
        MatchField.CAUSE: (causes[0].cause,) if causes else (),
        MatchField.NODE: tuple(dict.fromkeys((*nodes_of(alert), *alert.subject.nodes))),
        MatchField.KIND: (str(alert.kind),),
        MatchField.SEVERITY: (str(alert.severity),),
    }[field]

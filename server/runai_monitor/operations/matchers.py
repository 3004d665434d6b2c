"""Reads matchers of people and models: `project=ml-team`, `status=~"OOM.*"`, as Alertmanager writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runai_monitor.errors import InputError
from runai_monitor.model.alert import AlertKind, Severity
from runai_monitor.model.silence import OPERATORS, Matcher, MatchField
from runai_monitor.notify.silencing import LONGEST_VALUE, compiled
from runai_monitor.operations.arguments import nearest, quoted

MOST_MATCHERS = 20

_SYNTAX = re.compile(r"\s*([\w-]+)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\n])')
_WORDS = {MatchField.KIND: tuple(map(str, AlertKind)), MatchField.SEVERITY: tuple(map(str, Severity))}
_EXAMPLE = 'write them as project=ml-team, status!=Pending, workload=~"llama-.*" or node!~"gpu-0[1-4]"'


def read_matchers(texts: Sequence[str]) -> tuple[Matcher, ...]:
    """The matchers, each once.

    Raises:
        InputError: one is none, names no field, has a value that no alert can have, or a pattern that cannot be used.
    """
    if len(texts) > MOST_MATCHERS:
        raise InputError(f"at most {MOST_MATCHERS} matchers make a silence; use =~ with a|b|c for several values")
    return tuple(dict.fromkeys(read_matcher(text) for text in texts))


def read_matcher(text: str) -> Matcher:
    """One matcher; its value may be in double quotes, with quotes and backslashes in it escaped by a backslash."""
    found = _SYNTAX.fullmatch(text)
    if found is None:
        raise InputError(f"{quoted(text)} is no matcher; {_EXAMPLE}")
    name, operator, raw = found.groups()
    if name.lower() not in set(MatchField):
        close = nearest(name, [str(field) for field in MatchField], count=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(MatchField)}"
        raise InputError(f"alerts have no field {quoted(name)} to match; {hint}")
    assert operator in OPERATORS
    matcher = Matcher(field=MatchField(name.lower()), operator=operator, value=_value(raw, text))
    _check(matcher)
    return matcher


def _value(raw: str, text: str) -> str:
    if not raw.startswith('"'):
        if raw.endswith('"'):
            raise InputError(f"a quote is missing in {quoted(text)}; {_EXAMPLE}")
        return raw
    found = _QUOTED.fullmatch(raw)
    if found is None:
        raise InputError(f"a quote is missing or too many in {quoted(text)}; {_EXAMPLE}")
    return _ESCAPE.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], found[1])


def _check(matcher: Matcher) -> None:
    if len(matcher.value) > LONGEST_VALUE:
        raise InputError(
            f"the value of {matcher.field} is longer than {LONGEST_VALUE} characters; make several silences"
        )
    if matcher.operator in {"=~", "!~"}:
        compiled(matcher.value)
        return
    words = _WORDS.get(matcher.field)
    if words is not None and matcher.value not in words:
        raise InputError(f"{matcher.field} {quoted(matcher.value)} does not exist; there are {', '.join(words)}")

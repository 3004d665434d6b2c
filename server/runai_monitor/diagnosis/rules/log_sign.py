"""One entry of the tables of last words: a cause with the exceptions and lines that name it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runai_monitor.diagnosis.rules.finding import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSign:
    """One cause with the words for it; a group `detail` of the pattern is named in the title.

    `raised` is matched against type and message of the exception, `line` against single last lines. `beside` marks lines
    that explain an exception which says nothing itself. `through` finds the sign also in exceptions that were being
    handled when the last one was raised, as network libraries do it. `unless` are words by which it means something else.
    """

    cause: str
    title: str
    advice: tuple[str, ...]
    raised: re.Pattern[str] | None = None
    line: re.Pattern[str] | None = None
    confidence: float = 0.9
    role: Role = Role.OWN
    beside: bool = False
    through: bool = False
    unless: re.Pattern[str] | None = None

    def in_exception(self, words: str) -> re.Match[str] | None:
        """Where type and message of an exception show it."""
        return self._shown(self.raised, words)

    def in_line(self, text: str) -> re.Match[str] | None:
        """Where a line shows it."""
        return self._shown(self.line, text)

    def _shown(self, pattern: re.Pattern[str] | None, text: str) -> re.Match[str] | None:
        if pattern is None or (self.unless is not None and self.unless.search(text)):
            return None
        return pattern.search(text)


def log_sign(
    cause: str,
    title: str,
    *advice: str,
    both: str = "",
    raised: str = "",
    line: str = "",
    confidence: float = 0.9,
    role: Role = Role.OWN,
    beside: bool = False,
    through: bool = False,
    unless: str = "",
) -> LogSign:
    """An entry; `both` stands for words that exceptions and lines share."""
    in_raised, in_line = "|".join(filter(None, (both, raised))), "|".join(filter(None, (both, line)))
    return LogSign(
        cause=cause,
        title=title,
        advice=advice,
        raised=re.compile(in_raised) if in_raised else None,
        line=re.compile(in_line) if in_line else None,
        confidence=confidence,
        role=role,
        beside=beside,
        through=through,
        unless=re.compile(unless) if unless else None,
    )

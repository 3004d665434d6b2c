"""One entry of the tables of messages: a cause with the reason and the words by which it is told."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runai_monitor.diagnosis.messages import Message, Stage
from runai_monitor.diagnosis.rules.finding import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A cause named by an event's reason and words; a group `detail` of the words is named in the title.

    `stage` is how far a pod must have come for the trouble to be over. The control plane tells of a workload without the
    reason of an event: words that are too common to count alone are marked by `needs_reason`. `source` is
    where it is written that these words mean this cause.
    """

    cause: str
    title: str
    advice: tuple[str, ...]
    reason: re.Pattern[str]
    words: re.Pattern[str]
    stage: Stage
    confidence: float
    role: Role
    never: bool
    needs_reason: bool
    source: str

    def match(self, message: Message) -> re.Match[str] | None:
        """The words in a message that still holds, None when they are not there or the trouble is over."""
        told = self.reason.fullmatch(message.reason) or (message.of_workload and not self.needs_reason)
        if self.stage <= message.passed or not told:
            return None
        return self.words.search(message.text) or self.words.search(message.reason)


def sign(
    cause: str,
    title: str,
    reason: str,
    words: str,
    *advice: str,
    stage: Stage,
    source: str,
    confidence: float = 0.93,
    role: Role = Role.OWN,
    never: bool = True,
    needs_reason: bool = False,
) -> Sign:
    """An entry; words are matched without regard to case."""
    return Sign(
        cause=cause,
        title=title,
        advice=advice,
        reason=re.compile(reason),
        words=re.compile(words, re.IGNORECASE),
        stage=stage,
        confidence=confidence,
        role=role,
        never=never,
        needs_reason=needs_reason,
        source=source,
    )

"""Silences: which alerts are not to be delivered for a while, who said so, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

SilenceId = NewType("SilenceId", str)


class MatchField(StrEnum):
    """What of an alert a matcher looks at."""

    PROJECT = "project"
    WORKLOAD = "workload"
    STATUS = "status"
    CAUSE = "cause"
    NODE = "node"
    KIND = "kind"
    SEVERITY = "severity"


class SilenceState(StrEnum):
    """Where a silence is in its life."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


OPERATORS = ("=~", "!~", "!=", "=")
"""Longest first, so that the first that is found in a text is the one that was meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One condition, in Alertmanager's four operators: `=`, `!=`, `=~`, `!~` (anchored at both ends).

    A field that the alert does not have is the empty text. `=~` and `!~` take RE2's syntax.
    """

    field: MatchField
    operator: str
    value: str

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.field}{self.operator}"{escaped}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Alerts that all `matchers` match are recorded and pushed as ever, and delivered to no channel.

    It always ends: at `ends_at`, or at `expired_at` when somebody ended it earlier.
    """

    silence_id: SilenceId
    matchers: tuple[Matcher, ...]
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime
    expired_at: datetime | None = None
    expired_by: str | None = None

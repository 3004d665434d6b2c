"""Why something is wrong: evidence, causes and the verdict."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

_COMMAND = re.compile(r"(?:^|(?<=: ))(?:kubectl|runai) \S.*$", re.DOTALL)


class Verdict(StrEnum):
    """The answer in one word."""

    FAILURE = "failure"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    HEALTHY = "healthy"
    COMPLETED = "completed"
    SUSPENDED_BY_PERSON = "suspended_by_person"
    PENDING_NORMALLY = "pending_normally"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One observed fact, redacted and shortened: where from, when, and the text itself. No interpretation."""

    id: str
    source: str
    observed_at: datetime | None
    excerpt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One explanation: a stable identifier of the catalogue, how sure (0 to 1), and the evidence that supports it."""

    cause: str
    title: str
    confidence: float
    explanation: str
    evidence_ids: tuple[str, ...] = ()
    next_steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Ranked causes for one workload at one time; `unread` says what could not be read and why.

    `confidence` is that of the verdict, from 0 to 1; 0.8 and more means "act on it". `markdown` is the report.
    `nodes` are those that its failed pods were on, for later diagnoses of others; surfaces do not show them.
    """

    verdict: Verdict
    confidence: float
    generated_at: datetime
    causes: tuple[Cause, ...] = ()
    evidence: tuple[Evidence, ...] = field(default=())
    unread: tuple[str, ...] = ()
    markdown: str = ""
    nodes: tuple[str, ...] = ()


def with_command(step: str) -> tuple[str, str]:
    """A next step as its words and the command that it is or ends with, which is empty where it holds none."""
    found = _COMMAND.search(step)
    return (step, "") if found is None else (step[: found.start()].rstrip(), found.group())

"""Orders findings: the most specific first, then the earliest; what only follows from it comes after."""

from __future__ import annotations

from collections.abc import Iterable

from runai_monitor.diagnosis.rules.finding import Finding
from runai_monitor.model.diagnosis import Cause

_CONSEQUENCES = frozenset({"nccl_timeout", "nccl_network_error", "backoff_limit_exceeded", "killed_by_signal"})
"""Ranks that wait for a dead one time out, jobs run out of retries, launchers kill the rest: never first beside a cause."""
MOST_CAUSES = 5


def ranked(findings: Iterable[Finding]) -> tuple[Cause, ...]:
    """One cause each, best first. The confidence of what may only be a consequence is halved beside a cause."""
    ordered = sorted(
        findings,
        key=lambda f: (f.cause in _CONSEQUENCES, -f.specific, f.at is None, f.at.timestamp() if f.at else 0.0),
    )
    best: dict[str, Finding] = {}
    for finding in ordered:
        best.setdefault(finding.cause, finding)
    kept = list(best.values())[:MOST_CAUSES]
    return tuple(_cause(finding, beside=finding is not kept[0]) for finding in kept)


def _cause(finding: Finding, *, beside: bool) -> Cause:
    follows = beside and finding.cause in _CONSEQUENCES
    return Cause(
        cause=finding.cause,
        title=finding.title,
        confidence=round(finding.confidence * (0.5 if follows else 0.9 if beside else 1.0), 2),
        explanation=finding.explanation + (" This follows from the first cause." if follows else ""),
        evidence_ids=finding.evidence_ids,
        next_steps=finding.next_steps,
    )

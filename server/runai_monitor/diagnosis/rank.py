"""Orders findings: the earliest failure of its own first; what others' failures bring about comes after, and is marked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from runai_monitor.diagnosis.rules.finding import Finding, Role
from runai_monitor.diagnosis.wording import listed, token
from runai_monitor.model.diagnosis import Cause

MOST_CAUSES = 5
_TOGETHER = timedelta(seconds=20)
"""Ends within this time are not told apart by time: states have whole seconds, and a launcher stops its ranks at once."""
_MOST_CITED = 6
_CERTAIN = 0.7
_SURE = 0.8
_MOST_READINGS = 2
# Which of two findings about one container explains more: a reason that stands behind the other.
_BEHIND = {
    "probe_failed": frozenset({"python_exception", "application_error"}),
    "container_oom": frozenset({"backoff_limit_exceeded", "node_memory_eviction"}),
    "preempted": frozenset({"python_exception", "application_error", "insufficient_gpu", "project_over_quota"}),
    "gang_unschedulable": frozenset({"insufficient_gpu", "insufficient_cpu", "insufficient_memory"}),
    "gpu_fragmentation": frozenset({"insufficient_gpu"}),
    "cuda_illegal_access": frozenset({"aborted", "segfault", "application_error"}),
    "gpu_hardware_fault": frozenset({"aborted", "segfault", "application_error", "cuda_illegal_access"}),
    "project_over_quota": frozenset({"insufficient_gpu", "insufficient_cpu", "insufficient_memory"}),
}


def ranked(findings: Iterable[Finding]) -> tuple[Cause, ...]:
    """One cause each, best first. The confidence of what may only follow from the first is halved beside it."""
    findings = list(findings)
    merged = _merged(finding for finding in findings if finding.role is not Role.READING)
    start = min((f.at for f in merged if f.role is Role.OWN and f.at is not None), default=None)
    ordered = sorted(merged, key=lambda finding: _key(finding, merged, start))
    echoes = [finding for finding in ordered[1:] if _is_echo(finding, ordered[0])]
    first = _with_echoes(ordered[0], echoes)
    others = [finding for finding in ordered[1:] if finding not in echoes]
    readings = other_readings((f for f in findings if f.role is Role.READING), first=first, named=merged)
    near = sum(finding.role <= Role.HINT for finding in others)
    shown = (first, *others[:near], *readings, *others[near:])
    return tuple(_cause(finding, first=first) for finding in shown[:MOST_CAUSES])


def other_readings(
    readings: Iterable[Finding], *, first: Finding | None = None, named: Iterable[Finding] = ()
) -> list[Finding]:
    """At most two other readings of a first cause that is not sure, or of none: of its pod before those of others."""
    if first is not None and first.confidence >= _SURE:
        return []
    causes = {finding.cause for finding in named}
    own = sorted(readings, key=lambda f: (first is not None and f.place != first.place, -f.confidence))
    found = {finding.cause: finding for finding in reversed(own) if finding.cause not in causes}
    return [finding for finding in own if found.get(finding.cause) is finding][:_MOST_READINGS]


def _is_echo(finding: Finding, first: Finding) -> bool:
    """Whether a finding is only how the first cause ended the same pod: beside it, advice of its own would mislead."""
    follows = finding.role is Role.FOLLOWS > first.role and first.confidence >= _CERTAIN
    at_once = finding.at is None or first.at is None or abs(finding.at - first.at) <= _TOGETHER
    return finding.cause == "killed_by_signal" and follows and finding.place == first.place and at_once


def _with_echoes(first: Finding, echoes: Iterable[Finding]) -> Finding:
    cited = (*first.evidence_ids, *(number for echo in echoes for number in echo.evidence_ids))
    return replace(first, evidence_ids=tuple(dict.fromkeys(cited))[:_MOST_CITED])


def _key(finding: Finding, all_of_them: list[Finding], start: datetime | None) -> tuple[object, ...]:
    later = 0.0
    if start is not None and finding.at is not None and finding.at - start > _TOGETHER:
        later = finding.at.timestamp()
    behind = any(finding.cause in _BEHIND.get(other.cause, ()) for other in all_of_them)
    return (
        finding.role,
        behind,
        finding.earlier,
        finding.confidence < _CERTAIN,
        later,
        -finding.strength,
        finding.at is None,
        finding.at.timestamp() if finding.at else 0.0,
        -finding.confidence,
    )


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each cause: the best, with the places and the evidence of the others."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.cause, []).append(finding)
    return [_merge(group) for group in groups.values()]


def _merge(group: list[Finding]) -> Finding:
    best = min(
        group,
        key=lambda f: (f.role, f.earlier, -round(f.confidence, 1), f.at is None, f.at.timestamp() if f.at else 0.0, -f.strength),
    )  # fmt: skip
    others = [finding for finding in group if finding is not best]
    places = list(dict.fromkeys(f.place for f in others if f.place and f.place != best.place))
    cited = list(dict.fromkeys((*best.evidence_ids, *(i for f in others for i in f.evidence_ids))))[:_MOST_CITED]
    explanation = best.explanation
    if places:
        explanation += f" The same holds for {listed([token(place) for place in places])}."
    # Two sources that agree are surer than one.
    agree = any(f.strength is not best.strength and f.place == best.place for f in others)
    confidence = min(0.98, best.confidence + 0.02) if agree else best.confidence
    return replace(best, evidence_ids=tuple(cited), explanation=explanation, confidence=confidence)


def _cause(finding: Finding, *, first: Finding) -> Cause:
    explanation, confidence = finding.explanation, finding.confidence
    if finding is not first:
        if finding.role is Role.READING:
            confidence = min(confidence * 0.9, first.confidence)
        elif finding.role > max(first.role, Role.HINT) and first.confidence >= _CERTAIN:
            confidence *= 0.5
            explanation += " This follows from the first cause."
        elif _comes_after(finding, first):
            confidence *= 0.7
            explanation += " It came after the first cause, and may follow from it."
        else:
            confidence = min(confidence * 0.9, first.confidence)
    return Cause(
        cause=finding.cause,
        title=finding.title,
        confidence=round(confidence, 2),
        explanation=explanation,
        evidence_ids=finding.evidence_ids,
        next_steps=finding.next_steps,
    )


def _comes_after(finding: Finding, first: Finding) -> bool:
    return finding.place != first.place and finding.at is not None and first.at is not None and finding.at >= first.at

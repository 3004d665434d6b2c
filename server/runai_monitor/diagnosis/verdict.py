"""The answer in one word: a failure with its causes, a quiet state said plainly, or an honest "not enough evidence"."""

from __future__ import annotations

from datetime import timedelta

from runai_monitor.diagnosis.case import Case
from runai_monitor.model.diagnosis import Cause, Verdict
from runai_monitor.model.workload import STARTING_PHASES, STOPPED_PHASES

_NOT_FAILING = frozenset({"Running", "Updating", "Resuming"})


def judge(case: Case, causes: tuple[Cause, ...]) -> tuple[Verdict, tuple[Cause, ...], float]:
    """Verdict, the causes that belong to it, and how sure it is."""
    workload = case.workload
    phase = workload.phase
    if phase == "Completed":
        return Verdict.COMPLETED, (), 0.95
    if phase in STOPPED_PHASES:
        return Verdict.SUSPENDED_BY_PERSON, (), 0.85
    if causes and not (phase in _NOT_FAILING and _all_run(case)):
        return Verdict.FAILURE, causes, causes[0].confidence
    if phase in _NOT_FAILING:
        return Verdict.HEALTHY, (), 0.9 if case.pods else 0.7
    since = workload.phase_updated_at or workload.created_at
    young = since is not None and case.now - since < timedelta(minutes=case.pending_stuck_minutes)
    if (phase == "Pending" or phase in STARTING_PHASES) and young:
        return Verdict.PENDING_NORMALLY, (), 0.8
    case.cite(
        "Run:ai workload", f"phase {phase}: {workload.phase_message or 'no message'}", at=workload.phase_updated_at
    )
    return Verdict.INSUFFICIENT_EVIDENCE, (), 0.3


def _all_run(case: Case) -> bool:
    """Whether every container runs and none restarted lately: an old failure explains nothing now."""
    regular = [container for pod in case.pods for container in pod.containers if not container.init]
    return bool(regular) and all(
        container.started_at is not None
        and (container.last_ended is None or case.now - container.started_at > timedelta(minutes=10))
        for container in regular
    )

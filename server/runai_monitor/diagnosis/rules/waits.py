"""Init containers that wait for what never comes: a name that does not resolve, a service that does not answer.

Nothing of them ends, so that only their own lines tell: `until nc -z db 5432`, wait-for-it, dockerize, nslookup in a loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.lines import Line
from runai_monitor.diagnosis.logs import Log
from runai_monitor.diagnosis.rules.finding import Finding, Strength
from runai_monitor.diagnosis.rules.last_words import OUTSIDE, detail_of, sign_of_line
from runai_monitor.diagnosis.rules.log_sign import LogSign
from runai_monitor.diagnosis.wording import read_log, token
from runai_monitor.model.cluster import Container, ContainerPhase, Pod

_LAST_LINES = 30
_LATEST = 8
"""Lines that may follow the last vain try: the loop's own words before the next."""


def find(case: Case) -> Iterator[Finding]:
    """A finding for each init container that has run for long and only tells, again and again, what it cannot reach."""
    patience = timedelta(minutes=case.pending_stuck_minutes)
    for pod in case.pods:
        for container in pod.containers:
            waits = container.init and container.phase is ContainerPhase.RUNNING and container.started_at is not None
            if not waits or container.started_at is None or case.now - container.started_at < patience:
                continue
            log = case.log_of(pod.name, container.name, previous=False)
            tried = _tries(log) if log is not None else None
            if log is not None and tried is not None:
                yield _finding(case, pod, container, log, *tried)


def _tries(log: Log) -> tuple[Line, LogSign] | None:
    """The last vain try and what it shows, when it was not the only one and the log goes on with nothing else."""
    lines = [line for line in log.lines[-_LAST_LINES:] if line.text.strip()]
    shown = [(number, line, sign_of_line(line.text)) for number, line in enumerate(lines)]
    vain = [(number, line, sign) for number, line, sign in shown if sign is not None and sign.cause in OUTSIDE]
    if not vain:
        return None
    number, line, sign = vain[-1]
    again = sum(other.cause == sign.cause for _, _, other in vain) > 1
    repeated = number + 1 < len(lines) and lines[number + 1].text.endswith("more times")
    return (line, sign) if (again or repeated) and number >= len(lines) - _LATEST else None


def _finding(case: Case, pod: Pod, container: Container, log: Log, line: Line, sign: LogSign) -> Finding:
    detail = detail_of(sign, line.text)
    place = f"init container {token(container.name)} of pod {token(pod.name)}"
    minutes = (case.now - container.started_at).total_seconds() / 60 if container.started_at is not None else 0
    return Finding(
        cause=sign.cause,
        title=f"init container {token(container.name)} waits in vain: {sign.title}{f': {detail}' if detail else ''}",
        confidence=0.82,
        explanation=f"{place} has run for {minutes:.0f} minutes, and line {line.number} of what was read says again: {sign.title}; the pod's other containers start only after it.",
        evidence_ids=(case.cite(f"log of {place}", log.around(line.number)),),
        next_steps=(*sign.advice, read_log(pod, container, previous=False)),
        strength=Strength.LOG,
        at=container.started_at,
        place=pod.name,
        never=False,
    )  # fmt: skip

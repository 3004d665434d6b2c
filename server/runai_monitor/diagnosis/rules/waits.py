"""What runs and does not get on: init containers that wait for what never comes, servers that never become ready.

Nothing of them ends, so that only their own lines tell (`until nc -z db 5432`, wait-for-it, dockerize, nslookup in a loop)
and kubelet's readiness probe.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from runai_monitor.diagnosis.around import event_words
from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.lines import Line
from runai_monitor.diagnosis.logs import Log
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.log_finding import OUTSIDE, detail_of, sign_of_line
from runai_monitor.diagnosis.rules.log_sign import LogSign
from runai_monitor.diagnosis.wording import filled, read_log, token
from runai_monitor.model.cluster import Container, ContainerPhase, KubeEvent, Pod

_LAST_LINES = 30
_FRESH = timedelta(minutes=5)
"""A probe that fails comes again every few seconds: an older word of it is over."""
_LATEST = 8
"""Lines that may follow the last vain try: the loop's own words before the next."""


def find(case: Case) -> Iterator[Finding]:
    """A finding for each init container that only tells, again and again, what it cannot reach, and for what is not ready."""
    yield from (_not_ready(case, pod, container, event) for pod, container, event in unready(case))
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


def unready(case: Case) -> list[tuple[Pod, Container, KubeEvent]]:
    """Containers that have run for long without being ready, with kubelet's last word about it while that is fresh."""
    found = []
    for event in case.kube_events:
        fresh = event.at is not None and case.now - event.at < _FRESH
        if event.reason != "Unhealthy" or "Readiness probe failed" not in event.message or not fresh:
            continue
        for pod in case.pods:
            long = [
                c
                for c in pod.containers
                if not (c.init or c.ephemeral or c.ready)
                and c.phase is ContainerPhase.RUNNING
                and c.started_at is not None
                and case.now - c.started_at > timedelta(minutes=case.pending_stuck_minutes)
            ]
            if pod.name == event.object_name and long and pod.uid in {event.object_uid, ""}:
                found.append((pod, long[0], event))
    return found


def _not_ready(case: Case, pod: Pod, container: Container, event: KubeEvent) -> Finding:
    place = f"container {token(container.name)} of pod {token(pod.name)}"
    return Finding(
        cause="probe_failed",
        title="it runs, but its readiness probe fails: it gets no requests",
        confidence=0.62,
        explanation=f"{place} runs since {container.started_at:%Y-%m-%d %H:%M} UTC and is not ready; nothing was killed for it.",
        evidence_ids=(case.cite(*event_words(event), at=event.at),),
        next_steps=(
            "read what the server does (it may still load), and compare the probe's port and path with it",
            read_log(pod, container, previous=False),
        ),
        strength=Strength.EVENT,
        role=Role.HINT,
        at=container.started_at,
        place=pod.name,
        never=False,
    )


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
        next_steps=(*filled(sign.advice, detail), read_log(pod, container, previous=False)),
        strength=Strength.LOG,
        at=container.started_at,
        place=pod.name,
        never=False,
    )  # fmt: skip

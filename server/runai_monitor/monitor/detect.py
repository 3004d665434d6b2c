"""Pure: what is wrong with one workload now, from its phase, its pods' container states and Run:ai's events.

Container states come before phases: a phase never says OOMKilled or ImagePullBackOff.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runai_monitor.diagnosis.redact import redact
from runai_monitor.model.alert import AlertKind, Detection, Severity
from runai_monitor.model.cluster import Container, ContainerPhase, Pod, Termination
from runai_monitor.model.workload import ENDING_PHASES, STARTING_PHASES, STOPPED_PHASES, Workload, WorkloadEvent
from runai_monitor.monitor.options import MonitorOptions

RANKS = {
    "Degraded": 20,
    "Failed": 30,
    "BackoffLimitExceeded": 40,
    "DeadlineExceeded": 40,
    "Error": 50,
    "CrashLoopBackOff": 50,
    "StartError": 60,
    "RunContainerError": 60,
    "CreateContainerError": 60,
    "CreateContainerConfigError": 60,
    "ImagePullBackOff": 60,
    "InvalidImageName": 60,
    "ErrImageNeverPull": 60,
    "OOMKilled": 70,
    "Evicted": 70,
}
"""How specific a status is: the higher one is kept."""
STUCK_RANK = 10
PREEMPTED_RANK = 5

_WAITING = {
    "ImagePullBackOff": "ImagePullBackOff",
    "ErrImagePull": "ImagePullBackOff",
    "ImageInspectError": "ImagePullBackOff",
    "RegistryUnavailable": "ImagePullBackOff",
    "InvalidImageName": "InvalidImageName",
    "ErrImageNeverPull": "ErrImageNeverPull",
    "CreateContainerConfigError": "CreateContainerConfigError",
    "CreateContainerError": "CreateContainerError",
    "RunContainerError": "RunContainerError",
    "CrashLoopBackOff": "CrashLoopBackOff",
}
_ENDED = {"StartError": "StartError", "ContainerCannotRun": "RunContainerError", "DeadlineExceeded": "DeadlineExceeded"}
_QUIET = frozenset({"Completed"}) | STOPPED_PHASES
# What kubelet and the job controller write, as Run:ai keeps it: (event reason, words of the message) to status.
_EVENT_PATTERNS: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("OOMKilled", r"OOMKill(ed|ing)|SystemOOM", re.compile("")),
    ("OOMKilled", r"BackOff|Failed|Killing|Unhealthy", re.compile(r"\bOOMKilled\b")),
    ("Evicted", r"Evicted", re.compile("")),
    ("BackoffLimitExceeded", r"BackoffLimitExceeded", re.compile("")),
    ("DeadlineExceeded", r"DeadlineExceeded", re.compile("")),
    (
        "InvalidImageName",
        r"InspectFailed|Failed|InvalidImageName",
        re.compile(r"InvalidImageName|couldn't parse image"),
    ),
    ("ErrImageNeverPull", r"ErrImageNeverPull|Failed", re.compile(r"ErrImageNeverPull|pull policy of Never")),
    ("ImagePullBackOff", r"Failed|BackOff|ErrImagePull", re.compile(r"ImagePull|pulling image|pull image")),
    (
        "CreateContainerConfigError",
        r"Failed",
        re.compile(r"CreateContainerConfigError|(secret|configmap) \S+ not found"),
    ),
    ("RunContainerError", r"Failed", re.compile(r"failed to start container|RunContainerError")),
    ("CreateContainerError", r"Failed", re.compile(r"failed to create|CreateContainerError")),
    ("CrashLoopBackOff", r"BackOff", re.compile(r"restarting failed container")),
)
_PREEMPTED = re.compile(r"preempt|reclaim", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A status with where and when it was found."""

    status: str
    summary: str
    since: datetime | None = None
    pod: str | None = None
    container: str | None = None
    exit_code: int | None = None


def detect(
    workload: Workload,
    *,
    pods: Sequence[Pod],
    events: Sequence[WorkloadEvent],
    now: datetime,
    options: MonitorOptions,
) -> Detection | None:
    """What is wrong with a workload, or None. The most specific status wins; among equals, the earliest.

    Completed, stopped and deleted workloads are never wrong, whatever their old pods say.
    """
    if workload.phase in _QUIET or workload.deleted_at is not None:
        return None
    if workload.phase in ENDING_PHASES:
        return _stuck(workload, now=now, minutes=options.terminating_stuck_minutes)
    hold = timedelta(seconds=options.resolve_after_seconds)
    found = [*_from_pods(pods, now=now, hold=hold), *_from_events(workload, events, has_pods=bool(pods))]
    if workload.phase in RANKS:
        found.append(_from_phase(workload))
    if found:
        return _detection(workload, min(found, key=_order))
    if _was_preempted(workload, pods, events):
        return _preempted(workload)
    if workload.phase == "Pending":
        return _stuck(workload, now=now, minutes=options.pending_stuck_minutes)
    if workload.phase in STARTING_PHASES:
        return _stuck(workload, now=now, minutes=options.starting_stuck_minutes)
    return None


def is_suspect(workload: Workload, *, has_pods: bool, now: datetime, options: MonitorOptions) -> bool:
    """Whether Run:ai's events should be read, because container states are not at hand."""
    if has_pods or workload.phase in _QUIET or workload.phase in ENDING_PHASES:
        return False
    if workload.phase in {"Failed", "Degraded"}:
        return True
    if workload.phase == "Running":
        short = workload.running_pods is not None and workload.requested_pods is not None
        if not short or (workload.running_pods or 0) >= (workload.requested_pods or 0):
            return False
    since = workload.phase_updated_at or workload.created_at
    return since is None or (now - since).total_seconds() >= options.suspect_after_seconds


def _order(found: _Found) -> tuple[int, bool, float]:
    return -RANKS[found.status], found.since is None, found.since.timestamp() if found.since else 0.0


def _detection(workload: Workload, found: _Found) -> Detection:
    terminal = workload.phase == "Failed"
    summary = f"{found.summary}; the workload has failed" if terminal and found.status != "Failed" else found.summary
    return Detection(
        kind=AlertKind.WORKLOAD_UNHEALTHY,
        status=found.status,
        severity=Severity.WARNING if found.status == "Degraded" else Severity.CRITICAL,
        rank=RANKS[found.status],
        workload_id=workload.id,
        summary=summary,
        since=found.since,
        pod=found.pod,
        container=found.container,
        exit_code=found.exit_code,
        terminal=terminal,
    )


def _from_phase(workload: Workload) -> _Found:
    said = _said(workload.phase_message)
    return _Found(
        status=workload.phase,
        summary=f"Run:ai reports the phase {workload.phase}{said}",
        since=workload.phase_updated_at,
    )


def _from_pods(pods: Sequence[Pod], *, now: datetime, hold: timedelta) -> Iterator[_Found]:
    for pod in pods:
        if pod.deleting or _superseded(pod, pods, now=now, hold=hold):
            continue
        if pod.reason in {"Evicted", "DeadlineExceeded"}:
            yield _Found(
                status=pod.reason,
                summary=f"pod {pod.name} was {pod.reason}{_said(pod.message)}",
                since=pod.started_at,
                pod=pod.name,
            )
        for container in pod.containers:
            found = _from_container(pod, container, now=now, hold=hold)
            if found is not None:
                yield found


def _superseded(pod: Pod, pods: Sequence[Pod], *, now: datetime, hold: timedelta) -> bool:
    """Whether a failed pod was replaced by a newer one of the same owner and index that works."""
    if pod.pod_phase != "Failed" or pod.created_at is None:
        return False
    for other in pods:
        if other.uid == pod.uid or other.created_at is None or other.created_at <= pod.created_at:
            continue
        if (other.owner_uid, other.index) != (pod.owner_uid, pod.index):
            continue
        if other.pod_phase == "Succeeded":
            return True
        regular = [container for container in other.containers if not container.init]
        if regular and all(_runs_steadily(container, now=now, hold=hold) for container in regular):
            return True
    return False


def _runs_steadily(container: Container, *, now: datetime, hold: timedelta) -> bool:
    if container.phase is not ContainerPhase.RUNNING:
        return False
    return container.started_at is None or now - container.started_at >= hold


def _from_container(pod: Pod, container: Container, *, now: datetime, hold: timedelta) -> _Found | None:
    if container.phase is ContainerPhase.TERMINATED and container.ended is not None:
        return _from_end(pod, container, container.ended)
    if container.phase is ContainerPhase.WAITING:
        status = _WAITING.get(container.reason or "")
        last = container.last_ended
        if last is not None and (status is None or status == "CrashLoopBackOff"):
            ended = _from_end(pod, container, last)
            if ended is not None and (status is None or ended.status in {"OOMKilled", "StartError"}):
                return ended
        if status is not None:
            return _waiting(pod, container, status)
    fresh = container.phase is ContainerPhase.RUNNING and not _runs_steadily(container, now=now, hold=hold)
    if fresh and container.last_ended is not None:
        return _from_end(pod, container, container.last_ended)
    return None


def _waiting(pod: Pod, container: Container, status: str) -> _Found:
    code = container.last_ended.exit_code if container.last_ended else None
    ended = f", last exit code {code}" if code is not None else ""
    restarts = f", {container.restarts} restarts" if container.restarts else ""
    return _Found(
        status=status,
        summary=f"{_place(pod, container)} is in {status}{ended}{restarts}{_said(container.message)}",
        since=(container.last_ended.finished_at if container.last_ended else None) or pod.created_at,
        pod=pod.name,
        container=container.name,
        exit_code=code,
    )


def _from_end(pod: Pod, container: Container, end: Termination) -> _Found | None:
    if end.exit_code == 0 or (end.reason == "Completed" and not end.exit_code):
        return None
    status = "OOMKilled" if end.reason == "OOMKilled" else _ENDED.get(end.reason or "", "Error")
    limit = f", limit {container.memory_limit}" if status == "OOMKilled" and container.memory_limit else ""
    restarts = f", {container.restarts} restarts" if container.restarts else ""
    code = "" if end.exit_code is None else f"exit code {end.exit_code}"
    verb = "was OOMKilled" if status == "OOMKilled" else f"ended with {status}"
    return _Found(
        status=status,
        summary=f"{_place(pod, container)} {verb} ({code}{limit}{restarts}){_said(end.message)}",
        since=end.finished_at,
        pod=pod.name,
        container=container.name,
        exit_code=end.exit_code,
    )


def _from_events(workload: Workload, events: Sequence[WorkloadEvent], *, has_pods: bool) -> Iterator[_Found]:
    """Statuses that Run:ai's events name. With container states at hand they add only what those cannot say."""
    if workload.phase == "Running" and (workload.running_pods or 0) >= (workload.requested_pods or 1):
        return
    for event in events:
        for status, reason, message in _EVENT_PATTERNS:
            if has_pods and status not in {"BackoffLimitExceeded", "DeadlineExceeded"}:
                continue
            if re.fullmatch(reason, event.reason) and message.search(event.message):
                place = f"{event.object_name}: " if event.object_name else ""
                yield _Found(status=status, summary=f"{status}: {place}{_cut(event.message)}", since=event.at)
                break


def _was_preempted(workload: Workload, pods: Sequence[Pod], events: Sequence[WorkloadEvent]) -> bool:
    if workload.phase != "Pending":
        return False
    for pod in pods:
        if _PREEMPTED.search(pod.reason or ""):
            return True
        if any(c.type == "DisruptionTarget" and _PREEMPTED.search(c.reason or "") for c in pod.conditions):
            return True
    return any(_PREEMPTED.search(event.reason) for event in events)


def _preempted(workload: Workload) -> Detection:
    return Detection(
        kind=AlertKind.WORKLOAD_PREEMPTED,
        status="Preempted",
        severity=Severity.INFO,
        rank=PREEMPTED_RANK,
        workload_id=workload.id,
        summary=f"the scheduler took its resources away; it waits to run again{_said(workload.phase_message)}",
        since=workload.phase_updated_at,
    )


def _stuck(workload: Workload, *, now: datetime, minutes: float) -> Detection | None:
    since = workload.phase_updated_at or workload.created_at
    if since is None or now - since < timedelta(minutes=minutes):
        return None
    waited = int((now - since).total_seconds() // 60)
    reason = f" ({workload.phase_reason})" if workload.phase_reason else ""
    return Detection(
        kind=AlertKind.WORKLOAD_UNHEALTHY,
        status=workload.phase,
        severity=Severity.WARNING,
        rank=STUCK_RANK,
        workload_id=workload.id,
        summary=f"in phase {workload.phase}{reason} for {waited} minutes{_said(workload.phase_message)}",
        since=since,
    )


def _place(pod: Pod, container: Container) -> str:
    kind = "init container" if container.init else "container"
    return f"{kind} {container.name} of pod {pod.name}"


def _said(message: str | None) -> str:
    text = _cut(message or "")
    return f": {text}" if text else ""


def _cut(message: str, limit: int = 300) -> str:
    text = " ".join(redact(message[: 4 * limit]).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"

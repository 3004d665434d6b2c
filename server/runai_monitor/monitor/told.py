"""Pure: what Run:ai's events of a workload say, for when Kubernetes is out of reach or silent about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from runai_monitor.model.workload import Workload, WorkloadEvent
from runai_monitor.monitor.containers import Found
from runai_monitor.monitor.said import cut

# Both pods and events know these; only events know them when pods are at hand too.
JOB_STATUSES = frozenset({"BackoffLimitExceeded", "DeadlineExceeded"})
# What kubelet and the job controller write, as Run:ai keeps it: status, event reason, words of the message.
_PATTERNS: tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (status, re.compile(reason), re.compile(message, re.IGNORECASE))
    for status, reason, message in (
        ("OOMKilled", r"OOMKill(ed|ing)|SystemOOM", ""),
        ("OOMKilled", r"BackOff|Failed|Killing|Unhealthy|Error|Warning", r"\bOOM ?Killed\b"),
        ("Evicted", r"Evicted", ""),
        ("BackoffLimitExceeded", r"BackoffLimitExceeded", ""),
        ("DeadlineExceeded", r"DeadlineExceeded", ""),
        ("InvalidImageName", r"InspectFailed|Failed|InvalidImageName", r"InvalidImageName|couldn't parse image"),
        ("ErrImageNeverPull", r"ErrImageNeverPull|Failed", r"ErrImageNeverPull|pull policy of Never"),
        ("ImagePullBackOff", r"ErrImagePull|ImagePullBackOff", ""),
        ("ImagePullBackOff", r"Failed|BackOff", r"ImagePull|(pulling|pull) image"),
        (
            "CreateContainerConfigError",
            r"Failed|CreateContainerConfigError",
            r"CreateContainerConfigError|\b(secret|configmap)\b.* not found|couldn't find key",
        ),
        ("RunContainerError", r"Failed", r"failed to start container|RunContainerError|OCI runtime create failed"),
        ("CreateContainerError", r"Failed", r"failed to create container|CreateContainerError"),
        ("CrashLoopBackOff", r"BackOff|CrashLoopBackOff", r"restarting failed container|CrashLoopBackOff"),
    )
)
_OVERCOME = {
    "ImagePullBackOff": frozenset({"Pulled", "Created", "Started"}),
    "InvalidImageName": frozenset({"Pulled", "Created", "Started"}),
    "ErrImageNeverPull": frozenset({"Pulled", "Created", "Started"}),
    "CreateContainerConfigError": frozenset({"Created", "Started"}),
    "CreateContainerError": frozenset({"Created", "Started"}),
    "RunContainerError": frozenset({"Started"}),
}
"""A later event of one of these reasons about the same object shows that the trouble is over."""
_WHILE_RUNNING = frozenset({"CrashLoopBackOff", "OOMKilled", "Evicted"})
"""What events may still say of a workload that Run:ai calls running: a pod between two crashes counts as running."""
_PREEMPTED = re.compile(r"\b(preempt\w*|reclaim\w*)", re.IGNORECASE)
# A message may say who could be preempted; only the past tense says who was.
_WAS_PREEMPTED = re.compile(r"(?<!\bbe )\b(preempted|reclaimed)\b", re.IGNORECASE)
_NOT_YET = re.compile(r"preemption is not helpful|no preemption victims|not eligible|preemption: 0/", re.IGNORECASE)
RECENT = timedelta(minutes=30)
"""How old an event may be that explains a workload in motion. Kubelet repeats its back-off every five minutes."""
BEFORE_PHASE = timedelta(minutes=10)
"""How long before the present phase began its cause may have been told."""


def from_events(
    workload: Workload, events: Sequence[WorkloadEvent], *, now: datetime, has_pods: bool
) -> Iterator[Found]:
    """Statuses that Run:ai's events name. Beside container states they add only what those cannot say."""
    whole = is_whole(workload)
    for event in events:
        if not _counts(workload, event, now=now) or (whole and not _is_since_it_runs(workload, event)):
            continue
        status = _status_of(event)
        if status is None or (has_pods and status not in JOB_STATUSES) or _is_over(status, event, events):
            continue
        if whole and status not in _WHILE_RUNNING:
            continue
        place = f"`{cut(event.object_name, 120)}`: " if event.object_name else ""
        yield Found(status=status, summary=f"{status}: {place}{cut(event.message)}", since=event.at)


def is_whole(workload: Workload) -> bool:
    """Running with all its pods, as far as Run:ai knows: most events are history."""
    if workload.phase != "Running":
        return False
    return workload.running_pods is None or workload.running_pods >= (workload.requested_pods or 0)


def tell_of_preemption(workload: Workload, events: Sequence[WorkloadEvent], *, now: datetime) -> bool:
    """Whether its phase or its events say that the scheduler took the resources away."""
    if _WAS_PREEMPTED.search(workload.phase_message or "") and not _NOT_YET.search(workload.phase_message or ""):
        return True
    for event in events:
        if not _counts(workload, event, now=now) or _NOT_YET.search(event.message):
            continue
        if _PREEMPTED.search(event.reason) or _WAS_PREEMPTED.search(event.message):
            return True
    return False


def _counts(workload: Workload, event: WorkloadEvent, *, now: datetime) -> bool:
    """Whether the event is about the present: an old incarnation's troubles are not news."""
    if event.at is None:
        return True
    if workload.phase_updated_at is not None and event.at < workload.phase_updated_at - BEFORE_PHASE:
        return False
    return workload.phase not in {"Running", "Degraded"} or now - event.at <= RECENT


def _is_since_it_runs(workload: Workload, event: WorkloadEvent) -> bool:
    return event.at is not None and workload.phase_updated_at is not None and event.at > workload.phase_updated_at


def _status_of(event: WorkloadEvent) -> str | None:
    for status, reason, message in _PATTERNS:
        if reason.fullmatch(event.reason) and message.search(event.message):
            return status
    return None


def _is_over(status: str, event: WorkloadEvent, events: Sequence[WorkloadEvent]) -> bool:
    better = _OVERCOME.get(status)
    if better is None or event.at is None or not event.object_name:
        return False
    return any(
        other.reason in better
        and other.object_name == event.object_name
        and other.at is not None
        and other.at > event.at
        for other in events
    )

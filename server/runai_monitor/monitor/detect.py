"""Pure: what is wrong with one workload now, from its pods' container states, Run:ai's events and its phase."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from runai_monitor.model.alert import AlertKind, Detection, Severity
from runai_monitor.model.cluster import Pod
from runai_monitor.model.workload import (
    ENDING_PHASES,
    STARTING_PHASES,
    STOPPED_PHASES,
    UNHEALTHY_PHASES,
    Workload,
    WorkloadEvent,
    WorkloadHistory,
)
from runai_monitor.monitor.containers import Found, from_pods, was_preempted
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.said import cut, said
from runai_monitor.monitor.told import from_events, is_whole, tell_of_preemption

RANKS = {
    "Degraded": 20,
    "Failed": 30,
    "BackoffLimitExceeded": 40,
    "DeadlineExceeded": 40,
    "Error": 50,
    "CrashLoopBackOff": 55,
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
WAITS_PREEMPTED_RANK = STUCK_RANK + 1
"""Of a workload that was told as stuck before it was known that it had been preempted: why is more than that."""
QUIET_PHASES = frozenset({"Completed"}) | STOPPED_PHASES
"""Whatever their old pods say: they ended well, or somebody stopped them."""

_BACKOFF_LIMIT = re.compile(r"backoff ?limit", re.IGNORECASE)
_DEADLINE = re.compile(r"deadline ?exceeded|longer than specified deadline", re.IGNORECASE)


def detect(
    workload: Workload,
    *,
    pods: Sequence[Pod],
    events: Sequence[WorkloadEvent],
    now: datetime,
    options: MonitorOptions,
    stuck: bool = True,
    pods_are_current: bool = True,
) -> Detection | None:
    """What is wrong with a workload, or None. The most specific status wins; among equals, the earliest.

    Args:
        workload: its row, as last read.
        pods: its pods, when Kubernetes tells.
        events: Run:ai's events of it, when it was examined.
        now: the present.
        options: the thresholds.
        stuck: whether waiting too long is reported (not where only unhealthy workloads are read).
        pods_are_current: whether somebody follows these pods; if not, events are heard in full beside them.
    """
    if workload.phase in QUIET_PHASES or workload.deleted_at is not None:
        return None
    if workload.phase in ENDING_PHASES:
        return _stuck(workload, now=now, minutes=options.terminating_stuck_minutes) if stuck else None
    hold = timedelta(seconds=options.resolve_after_seconds)
    beside_pods = bool(pods) and pods_are_current
    found = [*from_pods(pods, now=now, hold=hold), *from_events(workload, events, now=now, has_pods=beside_pods)]
    by_phase = _from_phase(workload) if workload.phase in UNHEALTHY_PHASES else None
    if best := min([*found, *([by_phase] if by_phase else [])], key=_order, default=None):
        return _detection(workload, best, is_phase=best is by_phase)
    if workload.phase == "Pending" and (
        any(was_preempted(pod) for pod in pods) or tell_of_preemption(workload, events, now=now)
    ):
        return _preempted(workload)
    if stuck and workload.phase == "Pending":
        return _stuck(workload, now=now, minutes=options.pending_stuck_minutes)
    if stuck and workload.phase in STARTING_PHASES:
        return _stuck(workload, now=now, minutes=options.starting_stuck_minutes)
    return None


def is_over(workload: Workload) -> bool:
    """Whether it ended well, was stopped, or is being removed: nothing more is expected of it."""
    return workload.phase in QUIET_PHASES or workload.phase in ENDING_PHASES or workload.deleted_at is not None


def is_suspect(workload: Workload, *, has_pods: bool, now: datetime, options: MonitorOptions) -> bool:
    """Whether Run:ai's events should be read, because no container states are at hand to tell.

    Why a workload waits (preempted, say) no container tells: then they are read in any case.
    """
    if is_over(workload) or (has_pods and workload.phase != "Pending"):
        return False
    if workload.phase in UNHEALTHY_PHASES:
        return True
    if is_whole(workload):
        return False
    since = workload.phase_updated_at or workload.created_at
    return since is None or (now - since).total_seconds() >= options.suspect_after_seconds


def as_it_failed(workload: Workload, history: WorkloadHistory) -> Workload | None:
    """The workload in phase `Failed`, if its history says that this is how it ended after it was last seen."""
    ends = [change for change in history.changes if change.phase not in ENDING_PHASES | {"Deleted", "Unknown"}]
    if not ends or ends[-1].phase != "Failed":
        return None
    last, seen_at = ends[-1], workload.phase_updated_at
    if last.at is not None and seen_at is not None and last.at < seen_at:
        return None
    return dataclasses.replace(workload, phase="Failed", phase_message=last.message, phase_updated_at=last.at)


def _order(found: Found) -> tuple[int, bool, bool, float]:
    since = found.since.timestamp() if found.since else 0.0
    return -RANKS[found.status], found.hold_seconds > 0, found.since is None, since


def _detection(workload: Workload, found: Found, *, is_phase: bool) -> Detection:
    terminal = workload.phase == "Failed"
    return Detection(
        kind=AlertKind.WORKLOAD_UNHEALTHY,
        status=found.status,
        severity=Severity.WARNING if found.status == "Degraded" else Severity.CRITICAL,
        rank=RANKS[found.status],
        workload_id=workload.id,
        summary=f"{found.summary}; the workload has failed" if terminal and not is_phase else found.summary,
        since=found.since,
        pod=found.pod,
        container=found.container,
        exit_code=found.exit_code,
        terminal=terminal,
        hold_seconds=0.0 if terminal else found.hold_seconds,
    )


def _from_phase(workload: Workload) -> Found:
    status = workload.phase
    text = f"{workload.phase_reason or ''} {workload.phase_message or ''}"
    if status == "Failed" and _BACKOFF_LIMIT.search(text):
        status = "BackoffLimitExceeded"
    elif status == "Failed" and _DEADLINE.search(text):
        status = "DeadlineExceeded"
    pods = ""
    if workload.phase == "Degraded" and workload.requested_pods:
        pods = f" ({workload.running_pods or 0} of {workload.requested_pods} pods run)"
    return Found(
        status=status,
        summary=f"Run:ai reports the phase {workload.phase}{pods}{said(workload.phase_message)}",
        since=workload.phase_updated_at,
    )


def _preempted(workload: Workload) -> Detection:
    return Detection(
        kind=AlertKind.WORKLOAD_PREEMPTED,
        status="Preempted",
        severity=Severity.INFO,
        rank=PREEMPTED_RANK,
        workload_id=workload.id,
        summary=f"the scheduler took its resources away; it waits to run again{said(workload.phase_message)}",
        since=workload.phase_updated_at,
    )


def _stuck(workload: Workload, *, now: datetime, minutes: float) -> Detection | None:
    since = workload.phase_updated_at or workload.created_at
    if since is None or now - since < timedelta(minutes=minutes):
        return None
    waited = int((now - since).total_seconds() // 60)
    reason = f" ({cut(workload.phase_reason, 80)})" if workload.phase_reason else ""
    return Detection(
        kind=AlertKind.WORKLOAD_UNHEALTHY,
        status=workload.phase,
        severity=Severity.WARNING,
        rank=STUCK_RANK,
        workload_id=workload.id,
        summary=f"in phase {workload.phase}{reason} for {waited} minutes{said(workload.phase_message)}",
        since=since,
    )

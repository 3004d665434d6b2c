"""Pure: who should know. From what is wrong now and what was told before to transitions, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runai_monitor.model.alert import (
    Alert,
    AlertKind,
    AlertSubject,
    Change,
    Detection,
    Severity,
    Transition,
    fingerprint,
)
from runai_monitor.model.workload import STOPPED_PHASES, Workload
from runai_monitor.monitor.options import MonitorOptions

Key = tuple[AlertKind, str]
"""What at most one alert at a time is about: a kind and a subject's id."""


@dataclass(slots=True, kw_only=True)
class Book:
    """What was told so far. The engine keeps it beside the store and reads it from there at its start."""

    open: dict[Key, Alert] = field(default_factory=dict)
    episodes: dict[Key, int] = field(default_factory=dict)
    baseline: set[str] = field(default_factory=set)
    """Workloads that had failed before the first look and were not healthy since."""
    healthy_since: dict[Key, datetime] = field(default_factory=dict)
    suppressed: set[tuple[str, str]] = field(default_factory=set)
    """Alert and reason of suppressions already recorded, so that each is recorded once."""


def decide(
    workload: Workload, detection: Detection | None, *, book: Book, now: datetime, options: MonitorOptions
) -> list[Transition]:
    """The transitions for one workload. Updates only the book's notes of health and suppression, never its alerts.

    A workload of the baseline stays silent until it was healthy once.
    """
    if workload.id in book.baseline:
        return []
    transitions: list[Transition] = []
    for kind in (AlertKind.WORKLOAD_UNHEALTHY, AlertKind.WORKLOAD_PREEMPTED):
        key = (kind, str(workload.id))
        alert = book.open.get(key)
        current = detection if detection is not None and detection.kind is kind else None
        if current is not None:
            book.healthy_since.pop(key, None)
            if alert is None:
                transitions.append(_opened(workload, current, book=book, now=now))
            else:
                transitions += _continued(workload, alert, current, book=book, now=now, options=options)
        elif alert is not None:
            transitions += _perhaps_over(workload, alert, key, book=book, now=now, options=options)
    return transitions


def gone(alert: Alert, *, now: datetime) -> Transition:
    """The workload of an alert was deleted: the episode is over."""
    return _again(alert, Change.RESOLVED, "the workload was deleted", now=now, notify=alert.notifications > 0)


def subject_of(workload: Workload) -> AlertSubject:
    """What an alert says of its workload."""
    return AlertSubject(
        id=workload.id,
        name=workload.name,
        project=workload.project,
        type=workload.type,
        namespace=workload.namespace,
        cluster_id=workload.cluster_id,
        submitted_by=workload.submitted_by,
        gpus=workload.gpus,
    )


def existing_failures(failing: Mapping[str, tuple[Workload, Detection]], *, book: Book, now: datetime) -> Transition:
    """One summary of what had failed before the first look: counts, and up to 20 names by project."""
    key = (AlertKind.EXISTING_FAILURES, "")
    episode = book.episodes.get(key, 0) + 1
    rows = sorted((w.project, w.name, d.status) for w, d in failing.values())
    shown = ", ".join(f"{project}/{name} ({status})" for project, name, status in rows[:20])
    more = f" and {len(rows) - 20} more: see list_workloads" if len(rows) > 20 else ""
    worst = max((detection.severity for _, detection in failing.values()), key=lambda severity: severity.rank)
    return Transition(
        change=Change.OPENED,
        alert_id=fingerprint(key[0], "", "", episode),
        kind=key[0],
        subject=AlertSubject(),
        episode=episode,
        reason="the first look at these projects found workloads that had failed before",
        status="ExistingFailures",
        severity=worst,
        summary=f"{len(rows)} workloads had failed before monitoring began: {shown}{more}",
        at=now,
        notify=True,
    )


def blind(reason: str, *, book: Book, now: datetime) -> Transition | None:
    """The monitor cannot see: an alert, unless one is open."""
    key = (AlertKind.MONITOR_BLIND, "")
    if key in book.open:
        return None
    episode = book.episodes.get(key, 0) + 1
    return Transition(
        change=Change.OPENED,
        alert_id=fingerprint(key[0], "", "", episode),
        kind=key[0],
        subject=AlertSubject(),
        episode=episode,
        reason="failures may go unnoticed until this is over",
        status="MonitorBlind",
        severity=Severity.CRITICAL,
        summary=f"Run:ai cannot be watched: {reason}",
        at=now,
        notify=True,
    )


def sighted(*, book: Book, now: datetime) -> Transition | None:
    """The monitor sees again: the end of its alert, if one is open."""
    alert = book.open.get((AlertKind.MONITOR_BLIND, ""))
    if alert is None:
        return None
    return _again(alert, Change.RESOLVED, "Run:ai answers again", now=now, notify=alert.notifications > 0)


def _opened(workload: Workload, detection: Detection, *, book: Book, now: datetime) -> Transition:
    key = (detection.kind, str(workload.id))
    episode = book.episodes.get(key, 0) + 1
    return Transition(
        change=Change.OPENED,
        alert_id=fingerprint(detection.kind, workload.cluster_id, workload.id, episode),
        kind=detection.kind,
        subject=subject_of(workload),
        episode=episode,
        reason="a new failure" if episode == 1 else f"failure number {episode} of this workload",
        status=detection.status,
        severity=detection.severity,
        summary=detection.summary,
        at=now,
        notify=True,
        rank=detection.rank,
        terminal=detection.terminal,
    )


def _continued(
    workload: Workload, alert: Alert, detection: Detection, *, book: Book, now: datetime, options: MonitorOptions
) -> list[Transition]:
    """The workload is still unhealthy: worse, the same, or due for a reminder."""
    worse = (
        detection.rank > alert.rank
        or detection.severity.rank > alert.severity.rank
        or (detection.terminal and not alert.terminal)
    )
    may_notify = alert.notifications < options.max_alerts_per_job
    if worse:
        return [_escalated(workload, alert, detection, now=now, notify=may_notify)]
    if alert.notified_at is None or now - alert.notified_at < timedelta(minutes=options.repeat_interval_minutes):
        return []
    if may_notify:
        reason = f"still failing; reminder {alert.notifications} of {options.max_alerts_per_job - 1}"
        return [_again(alert, Change.REMINDED, reason, now=now, notify=True)]
    note = (alert.alert_id, "reminder")
    if note in book.suppressed:
        return []
    book.suppressed.add(note)
    reason = f"max_alerts_per_job ({options.max_alerts_per_job}) allows no reminder"
    return [_again(alert, Change.SUPPRESSED, reason, now=now, notify=False)]


def _escalated(workload: Workload, alert: Alert, detection: Detection, *, now: datetime, notify: bool) -> Transition:
    keeps = detection.rank < alert.rank
    said = f"{alert.status} became {detection.status}" if detection.status != alert.status else "it got worse"
    if detection.terminal and not alert.terminal:
        said += ", and the workload has failed"
    quiet = "" if notify else "; not sent to channels again: max_alerts_per_job is reached"
    return Transition(
        change=Change.ESCALATED,
        alert_id=alert.alert_id,
        kind=alert.kind,
        subject=subject_of(workload),
        episode=alert.episode,
        reason=said + quiet,
        status=alert.status if keeps else detection.status,
        severity=max(alert.severity, detection.severity, key=lambda severity: severity.rank),
        summary=f"{alert.summary}; the workload has failed" if keeps else detection.summary,
        at=now,
        notify=notify,
        rank=max(alert.rank, detection.rank),
        terminal=alert.terminal or detection.terminal,
    )


def _perhaps_over(
    workload: Workload, alert: Alert, key: Key, *, book: Book, now: datetime, options: MonitorOptions
) -> list[Transition]:
    """Not unhealthy now: over at once when it ended on purpose, else after it held for a while."""
    if workload.phase == "Completed":
        reason = "the workload completed"
    elif workload.phase in STOPPED_PHASES:
        reason = "the workload was suspended"
    else:
        since = book.healthy_since.setdefault(key, now)
        if (now - since).total_seconds() < options.resolve_after_seconds:
            return []
        reason = f"healthy for {options.resolve_after_seconds:g} s"
    return [_again(alert, Change.RESOLVED, reason, now=now, notify=alert.notifications > 0)]


def _again(alert: Alert, change: Change, reason: str, *, now: datetime, notify: bool) -> Transition:
    """A transition that changes nothing but the alert's state."""
    return Transition(
        change=change,
        alert_id=alert.alert_id,
        kind=alert.kind,
        subject=alert.subject,
        episode=alert.episode,
        reason=reason,
        status=alert.status,
        severity=alert.severity,
        summary=alert.summary,
        at=now,
        notify=notify,
        rank=alert.rank,
        terminal=alert.terminal,
    )

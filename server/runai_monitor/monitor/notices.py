"""Pure: the alerts that are about no workload: what had failed before the first look, and that the monitor is blind."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

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
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor.policy import Book, resolved
from runai_monitor.monitor.said import cut

MOST_NAMES = 20
"""Names in a summary of existing failures."""


def existing_failures(
    failing: Mapping[WorkloadId, tuple[Workload, Detection]],
    *,
    book: Book,
    now: datetime,
    completed: Alert | None = None,
) -> Transition:
    """One summary of what had failed before the first look: counts by status, and up to 20 names by project.

    `completed` is an open summary that this one says more of.
    """
    key = (AlertKind.EXISTING_FAILURES, "")
    episode = completed.episode if completed else book.episodes.get(key, 0) + 1
    worst = max((detection.severity for _, detection in failing.values()), key=lambda severity: severity.rank)
    reason = "the first look at these projects found workloads that were unhealthy before"
    if completed:
        reason = "containers that came into sight later show more that was unhealthy before"
    return Transition(
        change=Change.ESCALATED if completed else Change.OPENED,
        alert_id=completed.alert_id if completed else fingerprint(key[0], "", "", episode),
        kind=key[0],
        subject=AlertSubject(),
        episode=episode,
        reason=reason,
        status="ExistingFailures",
        severity=worst,
        summary=_told_together([(w.project, w.name, d.status) for w, d in failing.values()]),
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


def sighted(*, book: Book, now: datetime, reason: str = "Run:ai answers again") -> Transition | None:
    """The monitor sees again: the end of its alert, if one is open."""
    return over(AlertKind.MONITOR_BLIND, book=book, now=now, reason=reason)


def over(kind: AlertKind, *, book: Book, now: datetime, reason: str, notify: bool = True) -> Transition | None:
    """The end of the alert of a kind that is about no workload, if one is open."""
    alert = book.open.get((kind, ""))
    if alert is None:
        return None
    ended = resolved(alert, reason, now=now)
    return dataclasses.replace(ended, notify=notify and ended.notify)


def _told_together(rows: Collection[tuple[str, str, str]]) -> str:
    counts = Counter(status for _, _, status in rows)
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(counts.items(), key=lambda x: (-x[1], x[0])))
    by_project: dict[str, list[str]] = {}
    for project, name, status in sorted(rows)[:MOST_NAMES]:
        by_project.setdefault(project, []).append(f"{cut(name, 80)} ({status})")
    names = "; ".join(f"{cut(project, 80)}: {', '.join(found)}" for project, found in by_project.items())
    more = f"; and {len(rows) - MOST_NAMES} more, which list_workloads shows" if len(rows) > MOST_NAMES else ""
    subject = "1 workload was" if len(rows) == 1 else f"{len(rows)} workloads were"
    return f"{subject} unhealthy before monitoring began ({statuses}): {names}{more}"

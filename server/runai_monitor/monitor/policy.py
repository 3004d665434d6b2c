"""Pure: who should know. From what is wrong now and what was told before to transitions, each with its reason."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runai_monitor.diagnosis.safe import safe_text
from runai_monitor.model.alert import (
    Alert,
    AlertKind,
    AlertState,
    AlertSubject,
    Change,
    Detection,
    Transition,
    fingerprint,
)
from runai_monitor.model.monitor import Monitor
from runai_monitor.model.workload import ENDING_PHASES, STARTING_PHASES, STOPPED_PHASES, Workload
from runai_monitor.monitor.detect import QUIET_PHASES, RANKS, STUCK_RANK, WAITS_PREEMPTED_RANK, is_over
from runai_monitor.monitor.flapping import Endings, Reopening, reopening
from runai_monitor.monitor.options import MonitorOptions

MOST_IMAGES = 8
"""Images of a workload that its alert keeps."""
MOST_NODES = 32
"""Nodes of a workload that its alert keeps."""

_UNSURE_PHASES = ENDING_PHASES | {"Unknown"}
"""Being removed, or on a cluster that Run:ai has lost touch with: no health, whatever it was before."""

Key = tuple[AlertKind, str]
"""What at most one alert at a time is about: a kind and a subject's id."""


@dataclass(slots=True, kw_only=True)
class Book:
    """What was told so far. The engine keeps it beside the store and reads it from there at its start."""

    open: dict[Key, Alert] = field(default_factory=dict)
    episodes: dict[Key, int] = field(default_factory=dict)
    baseline: dict[str, str] = field(default_factory=dict)
    """Workloads that had failed before the first look and were not healthy since, with their status then."""
    baseline_healthy_since: dict[str, datetime] = field(default_factory=dict)
    healthy_since: dict[Key, datetime] = field(default_factory=dict)
    held_since: dict[Key, datetime] = field(default_factory=dict)
    """Since when something is seen that may pass by itself and is not told yet."""
    ended: Endings = field(default_factory=dict)
    """The last episodes that are over, for what opens again soon."""
    suppressed: set[tuple[str, str]] = field(default_factory=set)
    """Alert and reason of suppressions already recorded, so that each is recorded once."""


def decide(
    workload: Workload,
    detection: Detection | None,
    *,
    book: Book,
    now: datetime,
    options: MonitorOptions,
    in_sight: bool = True,
    steady_since: datetime | None = None,
    nodes: Collection[str] = (),
) -> list[Transition]:
    """The transitions for one workload. Updates only the book's notes, never its alerts.

    A workload of the baseline stays silent until it was healthy once; one that was merely stuck speaks when it fails.
    `in_sight`: whether its container states are followed as far as they can be; what is out of sight has not recovered.
    `steady_since`: since when all its containers run, as far as they tell: they were well before anyone looked.
    `nodes`: where its pods are or were.
    """
    if _is_old_news(workload, detection, book):
        return []
    detection = _as_told(detection, book)
    transitions: list[Transition] = []
    for kind in (AlertKind.WORKLOAD_UNHEALTHY, AlertKind.WORKLOAD_PREEMPTED):
        key = (kind, str(workload.id))
        alert = book.open.get(key)
        current = detection if detection is not None and detection.kind is kind else None
        if current is not None:
            where = nodes or (alert.subject.nodes if alert else ())
            describe = functools.partial(subject_of, workload, nodes=where)
            transitions += wrong(str(workload.id), describe, current, book=book, now=now, options=options)
            continue
        book.held_since.pop(key, None)
        if alert is not None:
            if reason := _ended(workload, detection):
                transitions.append(resolved(alert, reason, now=now))
            elif alert.awaits_diagnosis and not is_over(workload):
                # It failed, and the process ended before the channels were told: that it is well by now changes nothing.
                transitions += _opened_before(alert, book=book, now=now, options=options)
            elif _may_recover(workload, alert, in_sight=in_sight):
                # The cluster's clock may be ahead of ours.
                began = min(steady_since or now, now) if _is_told_by_containers(alert) else now
                transitions += _perhaps_healthy(alert, key, began, book=book, now=now, options=options)
            else:
                book.healthy_since.pop(key, None)
    return transitions


def wrong(
    subject_id: str,
    describe: Callable[[], AlertSubject],
    detection: Detection,
    *,
    book: Book,
    now: datetime,
    options: MonitorOptions,
) -> list[Transition]:
    """The transitions for something that is wrong now, be it a workload or a node; `describe` makes the subject."""
    key = (detection.kind, subject_id)
    book.healthy_since.pop(key, None)
    if _is_held(detection, key, book=book, now=now, options=options):
        return []
    alert = book.open.get(key)
    if alert is None:
        return _opened(describe(), detection, book=book, now=now, options=options)
    return _continued(describe, alert, detection, book=book, now=now, options=options)


def resolved(alert: Alert, reason: str, *, now: datetime) -> Transition:
    """The end of an alert; told where its opening was."""
    return _again(alert, Change.RESOLVED, reason, now=now, notify=alert.notifications > 0)


def recovered(
    workload: Workload, detection: Detection | None, *, book: Book, now: datetime, options: MonitorOptions
) -> bool:
    """Whether a workload of the baseline has left it: what happens to it from now on is news.

    It was healthy for `resolve_after_seconds`, ended on purpose, or it was stuck then and has failed since.
    """
    old = book.baseline.get(workload.id)
    if old is None:
        return False
    if detection is not None:
        book.baseline_healthy_since.pop(workload.id, None)
        return detection.rank > STUCK_RANK and RANKS.get(old, STUCK_RANK) <= STUCK_RANK
    if workload.phase in QUIET_PHASES:
        return True
    if _is_under_way(workload):
        book.baseline_healthy_since.pop(workload.id, None)
        return False
    since = book.baseline_healthy_since.setdefault(workload.id, now)
    return (now - since).total_seconds() >= options.resolve_after_seconds


def gone(alert: Alert, *, now: datetime) -> Transition:
    """The workload of an alert was deleted: the episode is over."""
    return resolved(alert, "the workload was deleted", now=now)


def subject_of(workload: Workload, *, nodes: Collection[str] = ()) -> AlertSubject:
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
        images=tuple(safe_text(image) for image in workload.images[:MOST_IMAGES]),
        nodes=tuple(sorted(nodes))[:MOST_NODES],
    )


def _is_old_news(workload: Workload, detection: Detection | None, book: Book) -> bool:
    if workload.id not in book.baseline:
        return False
    return detection is None or detection.kind is AlertKind.WORKLOAD_UNHEALTHY


def _is_under_way(workload: Workload) -> bool:
    """Neither healthy nor known to be wrong: it waits or starts, and may fail as before, or nobody knows."""
    return workload.phase == "Pending" or workload.phase in STARTING_PHASES | _UNSURE_PHASES


def _as_told(detection: Detection | None, book: Book) -> Detection | None:
    """Stuck and preempted are two readings of one wait: whichever alert is open keeps it, and nobody is called twice."""
    if detection is None:
        return None
    stuck = book.open.get((AlertKind.WORKLOAD_UNHEALTHY, detection.workload_id))
    preempted = book.open.get((AlertKind.WORKLOAD_PREEMPTED, detection.workload_id))
    if detection.kind is AlertKind.WORKLOAD_PREEMPTED and stuck and stuck.rank in {STUCK_RANK, WAITS_PREEMPTED_RANK}:
        kind, severity = AlertKind.WORKLOAD_UNHEALTHY, stuck.severity
        return dataclasses.replace(detection, kind=kind, severity=severity, rank=WAITS_PREEMPTED_RANK)
    if preempted and detection.rank == STUCK_RANK and detection.status == "Pending":
        kind, status, severity = preempted.kind, preempted.status, preempted.severity
        return dataclasses.replace(detection, kind=kind, status=status, severity=severity, rank=preempted.rank)
    return detection


def _is_held(detection: Detection, key: Key, *, book: Book, now: datetime, options: MonitorOptions) -> bool:
    """Whether what is detected may still pass by itself; notes since when it has been seen."""
    hold = detection.hold_seconds
    if key not in book.open:
        wanted = options.hold_down_seconds
        hold = wanted.get(detection.status, wanted.get(detection.kind, hold))
    if not hold:
        book.held_since.pop(key, None)
        return False
    since = book.held_since.setdefault(key, now)
    return (now - since).total_seconds() < hold


def _opened(
    subject: AlertSubject, detection: Detection, *, book: Book, now: datetime, options: MonitorOptions
) -> list[Transition]:
    """A new episode; one that is not told for it flaps, with the reason."""
    key = (detection.kind, subject.id)
    episode = book.episodes.get(key, 0) + 1
    how = reopening(book.ended, key, now=now, minutes=options.flap_window_minutes)
    what = "node" if detection.kind is AlertKind.NODE_UNHEALTHY else "workload"
    reason = "a new failure" if episode == 1 else f"failure number {episode} of this {what}"
    if how is Reopening.FLAPS:
        reason += (
            f"; it flaps: further ones within {options.flap_window_minutes:g} minutes are told only when they last"
        )
    opened = Transition(
        change=Change.OPENED,
        alert_id=fingerprint(detection.kind, subject.cluster_id, subject.id, episode),
        kind=detection.kind,
        subject=subject,
        episode=episode,
        reason=reason,
        status=detection.status,
        severity=detection.severity,
        summary=detection.summary,
        at=now,
        notify=how is not Reopening.STILL_FLAPS,
        rank=detection.rank,
        terminal=detection.terminal,
    )
    if opened.notify:
        return [opened]
    reason = f"it flaps, which was told; it is told again when it lasts {options.flap_window_minutes:g} minutes"
    return [opened, dataclasses.replace(opened, change=Change.SUPPRESSED, reason=reason)]


def unfinished(
    active: Collection[Monitor], *, book: Book, now: datetime, options: MonitorOptions
) -> list[Transition]:  # fmt: skip
    """The rest of the openings that a process left behind and no monitor watches any more: told without a diagnosis."""
    watching = [monitor for monitor in active if monitor.ends_at is None or monitor.ends_at > now]
    left = [
        alert
        for alert in book.open.values()
        if alert.awaits_diagnosis and not any(m.project in {None, alert.subject.project} for m in watching)
    ]
    return [each for alert in left for each in _opened_before(alert, book=book, now=now, options=options)]


def _opened_before(alert: Alert, *, book: Book, now: datetime, options: MonitorOptions) -> list[Transition]:
    """The rest of an opening: the alert was stored, the channels were not told yet."""
    how = reopening(
        book.ended, (alert.kind, alert.subject.id), now=alert.started_at, minutes=options.flap_window_minutes
    )
    reason = "a new failure" if alert.episode == 1 else f"failure number {alert.episode} of this workload"
    opened = _again(alert, Change.OPENED, reason, now=now, notify=how is not Reopening.STILL_FLAPS)
    if opened.notify:
        return [opened]
    reason = f"it flaps, which was told; it is told again when it lasts {options.flap_window_minutes:g} minutes"
    return [opened, dataclasses.replace(opened, change=Change.SUPPRESSED, reason=reason)]


def _continued(
    describe: Callable[[], AlertSubject],
    alert: Alert,
    detection: Detection,
    *,
    book: Book,
    now: datetime,
    options: MonitorOptions,
) -> list[Transition]:
    """It is still unhealthy: worse, the same, or due for a reminder.

    Whoever acknowledged an alert wants no reminder of it, and took it for as severe as it was: that it is more severe now
    is told beyond the limit too, which is twice at most, for severity only grows.
    """
    if alert.awaits_diagnosis:  # whoever was at it is gone: the process ended in between
        return _opened_before(alert, book=book, now=now, options=options)
    acknowledged = alert.state is AlertState.ACKNOWLEDGED
    worse = (
        detection.rank > alert.rank
        or detection.severity.rank > alert.severity.rank
        or (detection.terminal and not alert.terminal)
    )
    may_notify = alert.notifications < options.max_alerts_per_job
    flaps = not alert.notifications
    window = timedelta(minutes=options.flap_window_minutes)
    lasts = flaps and timedelta(0) < window <= now - alert.started_at
    if worse:
        graver = detection.severity.rank > alert.severity.rank
        may_notify = may_notify or (acknowledged and graver)
        told = may_notify and (detection.terminal or graver or lasts or not flaps)
        escalated = _escalated(describe(), alert, detection, now=now, notify=told)
        if may_notify:
            return [escalated]
        reason = f"max_alerts_per_job ({options.max_alerts_per_job}) is reached: the escalation goes to no channel"
        return [escalated, _again(alert, Change.SUPPRESSED, reason, now=now, notify=False)]
    if lasts:
        reason = f"it flapped, and now it lasts: {options.flap_window_minutes:g} minutes so far"
        return [_again(alert, Change.ESCALATED, reason, now=now, notify=True)]
    if acknowledged:
        return []
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


def _escalated(
    subject: AlertSubject, alert: Alert, detection: Detection, *, now: datetime, notify: bool
) -> Transition:  # fmt: skip
    keeps = detection.rank < alert.rank
    said = f"{alert.status} became {detection.status}" if detection.status != alert.status else "it got worse"
    if detection.terminal and not alert.terminal:
        said += ", and the workload has failed"
    return Transition(
        change=Change.ESCALATED,
        alert_id=alert.alert_id,
        kind=alert.kind,
        subject=subject,
        episode=alert.episode,
        reason=said,
        status=alert.status if keeps else detection.status,
        severity=max(alert.severity, detection.severity, key=lambda severity: severity.rank),
        summary=f"{alert.summary}; the workload has failed" if keeps else detection.summary,
        at=now,
        notify=notify,
        rank=max(alert.rank, detection.rank),
        terminal=alert.terminal or detection.terminal,
    )


def _ended(workload: Workload, detection: Detection | None) -> str | None:
    """Why an alert about something else than what is detected now is over at once, if it is."""
    if workload.phase == "Completed":
        return "the workload completed"
    if workload.phase in STOPPED_PHASES:
        return "the workload was suspended"
    if detection is not None:
        return f"it is {detection.status} now, which has an alert of its own"
    return None


def _may_recover(workload: Workload, alert: Alert, *, in_sight: bool) -> bool:
    """Whether the absence of trouble means health; being in another phase is all that a stuck workload must achieve."""
    if alert.rank == STUCK_RANK:
        return workload.phase not in _UNSURE_PHASES
    return not _is_under_way(workload) and (in_sight or not _is_told_by_containers(alert))


def _is_told_by_containers(alert: Alert) -> bool:
    """Whether container states said so, and therefore are what says that it is over."""
    return alert.rank >= RANKS["Error"]


def _perhaps_healthy(
    alert: Alert, key: Key, began: datetime, *, book: Book, now: datetime, options: MonitorOptions
) -> list[Transition]:
    """Over after no trouble was seen for a while, counted from `began` when this is the first look at health."""
    since = book.healthy_since.setdefault(key, began)
    if (now - since).total_seconds() < options.resolve_after_seconds:
        return []
    state = "no longer stuck" if alert.rank == STUCK_RANK else "healthy"
    reason = f"{state} for {options.resolve_after_seconds:g} s"
    return [resolved(alert, reason, now=now)]


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

"""What is wrong, and the life of an alert about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from runai_monitor.model.diagnosis import Diagnosis

AlertId = NewType("AlertId", str)


class Severity(StrEnum):
    """How much it matters, in ascending order."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(Severity).index(self)


class AlertKind(StrEnum):
    """What an alert is about; part of its fingerprint."""

    WORKLOAD_UNHEALTHY = "workload_unhealthy"
    """One failure episode of one workload; `status` says which failure."""
    WORKLOAD_PREEMPTED = "workload_preempted"
    """The scheduler took a workload's resources away by policy: told, not counted as a failure."""
    EXISTING_FAILURES = "existing_failures"
    """One summary of what had failed before this server first looked."""
    MONITOR_BLIND = "monitor_blind"
    """The monitor itself cannot see: no successful poll, or access denied."""
    NODE_UNHEALTHY = "node_unhealthy"
    """A node that runs watched workloads is not ready, or its GPUs are in trouble; `subject.name` is the node."""


class AlertState(StrEnum):
    """Where an alert is in its life."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Change(StrEnum):
    """What happened to an alert, in the words people read."""

    OPENED = "opened"
    ESCALATED = "escalated"
    REMINDED = "reminded"
    ACKNOWLEDGED = "acknowledged"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """A pure observation: the condition `status` holds for one workload since `since`.

    `status` is the word people use (`OOMKilled`, `ImagePullBackOff`, `Failed`, `Pending`, …); `rank` orders statuses
    by how specific they are: a higher one replaces a lower one, never the reverse. `summary` is one sentence built
    from structured fields and redacted, shortened text. `hold_seconds` is how long it must last to be worth telling.
    """

    kind: AlertKind
    status: str
    severity: Severity
    rank: int
    workload_id: str
    summary: str
    since: datetime | None = None
    pod: str | None = None
    container: str | None = None
    exit_code: int | None = None
    terminal: bool = False
    hold_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSubject:
    """The workload an alert is about, as it was when the alert last changed; empty texts for alerts about no workload."""

    id: str = ""
    name: str = ""
    project: str = ""
    type: str = ""
    namespace: str = ""
    cluster_id: str = ""
    submitted_by: str | None = None
    gpus: float | None = None
    images: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    """Where its pods ran, as far as is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert as stored. `cursor` is unique over all alerts and grows with every change of any of them.

    `awaits_diagnosis`: it is stored and pushed, its diagnosis is being made, and its opening goes to the channels with it.
    """

    alert_id: AlertId
    cursor: int
    kind: AlertKind
    status: str
    state: AlertState
    severity: Severity
    subject: AlertSubject
    summary: str
    started_at: datetime
    updated_at: datetime
    episode: int = 1
    rank: int = 0
    terminal: bool = False
    recommendations: tuple[str, ...] = ()
    resolved_at: datetime | None = None
    notifications: int = 0
    notified_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    diagnosis: Diagnosis | None = None
    awaits_diagnosis: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which stored alerts are wanted; None is any. Instants bound the last change.

    Alerts that belong to no project (the monitor's own) are within all `projects`, and outside `project`.
    With `after_cursor` only what changed after it is wanted, and it is read oldest first; otherwise newest first.
    """

    projects: tuple[str, ...] | None = None
    project: str | None = None
    state: AlertState | None = None
    kind: AlertKind | None = None
    since: datetime | None = None
    until: datetime | None = None
    after_cursor: int | None = None


EVERY_ALERT = AlertFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A decision of the policy about one alert, with its reason in words.

    For `OPENED` the alert does not exist yet, or it awaits its diagnosis: `alert_id` is derived from the fingerprint.
    `notify` says whether the channels are told (the store is always told). `author` is the person or agent behind it,
    empty for the monitor.
    """

    change: Change
    alert_id: AlertId
    kind: AlertKind
    subject: AlertSubject
    episode: int
    reason: str
    status: str
    severity: Severity
    summary: str
    at: datetime
    notify: bool
    rank: int = 0
    terminal: bool = False
    recommendations: tuple[str, ...] = field(default=())
    diagnosis: Diagnosis | None = None
    author: str = ""
    awaits_diagnosis: bool = False


def fingerprint(kind: AlertKind, cluster_id: str, subject_id: str, episode: int) -> AlertId:
    """The stable identity of an alert: a hash of structured fields, never of texts or times."""
    text = "\x1f".join((kind, cluster_id, subject_id, str(episode)))
    return AlertId("al-" + hashlib.sha256(text.encode()).hexdigest()[:16])

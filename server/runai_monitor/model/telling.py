"""What a channel was told lately, reduced to what quiet is planned by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runai_monitor.model.alert import Alert, AlertKind

UNEXPLAINED = "insufficient_evidence"
"""No cause at all: failures that nobody could explain have nothing in common by that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What an alert may have in common with others. `cause` is that of its diagnosis, or its status without one."""

    cause: str = ""
    project: str = ""
    nodes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert in one message that a channel took: `message` is the delivery that carries the message's state."""

    message: int
    at: datetime
    over: bool
    features: Features


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """How a channel first heard of an alert: by which message, how many alerts that told, how many it knows are over."""

    message: int
    alerts: int = 1
    over: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """The latest delivery of an alert to a channel, which a silence or a node's alert kept back.

    `alert` is the alert as it is now; `is_over` whether the delivery tells of its end.
    """

    delivery_id: int
    alert: Alert
    note: str
    is_over: bool = False


def features_of(alert: Alert) -> Features:
    """What an alert may share with others."""
    cause = alert.status
    if alert.diagnosis is not None:
        cause = alert.diagnosis.causes[0].cause if alert.diagnosis.causes else ""
    if alert.kind is AlertKind.NODE_UNHEALTHY:
        return Features(cause=alert.status)
    return Features(
        cause="" if cause == UNEXPLAINED else cause,
        project=alert.subject.project,
        nodes=nodes_of(alert),
        images=alert.subject.images,
    )


def nodes_of(alert: Alert) -> tuple[str, ...]:
    """The nodes its failed pods were on; those of all its pods where the diagnosis does not tell."""
    failed = alert.diagnosis.nodes if alert.diagnosis is not None else ()
    return failed or alert.subject.nodes

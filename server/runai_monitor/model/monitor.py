"""A monitor: a scope being watched, for a time or until stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

MonitorId = NewType("MonitorId", str)


class MonitorState(StrEnum):
    """Where a monitor is in its life."""

    ACTIVE = "active"
    STOPPED = "stopped"
    """By a person."""
    ENDED = "ended"
    """By its own duration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """One monitor as stored. `project` None means every project this server may see.

    The counters are written by whichever process polls; `last_poll_at` is the last *successful* poll.
    """

    monitor_id: MonitorId
    project: str | None
    state: MonitorState
    started_at: datetime
    ends_at: datetime | None
    poll_interval_seconds: float
    only_failed: bool
    auto_troubleshoot: bool
    stopped_at: datetime | None = None
    polls: int = 0
    last_poll_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    next_poll_at: datetime | None = None
    workloads: int = 0

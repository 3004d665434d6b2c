"""Who did what and when: the record of everything that people, agents and the monitor itself did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ITSELF = "runai-monitor"
"""The author of what nobody asked for: what the monitor decides, sends and ends by itself."""


class AuditAction(StrEnum):
    """What was done."""

    ALERT_CHANGED = "alert_changed"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    SILENCE_CREATED = "silence_created"
    SILENCE_EXPIRED = "silence_expired"
    DELIVERY_SETTLED = "delivery_settled"
    DELIVERY_REPLAYED = "delivery_replayed"
    MONITOR_STARTED = "monitor_started"
    MONITOR_STOPPED = "monitor_stopped"
    WORKLOAD_CHANGED = "workload_changed"
    TEST_SENT = "test_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One thing that was done. `target` is the id of what it was done to; `detail` one line without secrets."""

    at: datetime
    author: str
    action: AuditAction
    target: str
    detail: str = ""

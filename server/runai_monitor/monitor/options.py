"""The settings that monitoring needs, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorOptions:
    """See `settings.Settings` for meanings and reasons of the defaults. `allowed_projects` None means every project.

    `tick_seconds` is how often the store is asked for monitors (another process may write them) and timers are
    looked at.
    """

    allowed_projects: tuple[str, ...] | None = None
    reconcile_interval_seconds: float = 300
    existing_failures: Literal["summary", "each", "ignore"] = "summary"
    pending_stuck_minutes: float = 10
    starting_stuck_minutes: float = 15
    terminating_stuck_minutes: float = 15
    suspect_after_seconds: float = 120
    resolve_after_seconds: float = 120
    max_alerts_per_job: int = 1
    repeat_interval_minutes: float = 240
    kube_cluster_id: str | None = None
    flap_window_minutes: float = 10
    hold_down_seconds: Mapping[str, float] = field(default_factory=dict)
    tick_seconds: float = 1.0

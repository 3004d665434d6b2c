"""Events for tests."""

from __future__ import annotations

from datetime import datetime

from runai_monitor.model.workload import WorkloadEvent


def event(reason: str, message: str = "", *, at: datetime | None, about: str | None = "job-0-0") -> WorkloadEvent:
    return WorkloadEvent(at=at, type="Warning", reason=reason, message=message, object_kind="Pod", object_name=about)

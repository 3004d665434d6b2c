"""Between `model` values and what a row holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from runai_monitor.model.alert import Alert


def instant_text(instant: datetime | None) -> str | None:
    """An instant as text that sorts as time does: UTC, always with microseconds."""
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="microseconds")


def required_text(instant: datetime) -> str:
    """As `instant_text`, of an instant that is there."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def instant(text: str | None) -> datetime | None:
    """The instant of a stored text."""
    return None if text is None else datetime.fromisoformat(text)


def required_instant(text: str) -> datetime:
    """As `instant`, of a column that is never null."""
    return datetime.fromisoformat(text)


def alert_document(alert: Alert) -> str:
    """An alert with its diagnosis as JSON."""
    return msgspec.json.encode(alert).decode()


def alert_of(document: str) -> Alert:
    """The alert of a stored document; fields that later versions add take their defaults."""
    return msgspec.json.decode(document, type=Alert)


def alert_columns(alert: Alert) -> dict[str, Any]:
    """The row of an alert."""
    return {
        "alert_id": alert.alert_id,
        "cursor": alert.cursor,
        "kind": str(alert.kind),
        "state": str(alert.state),
        "subject_id": alert.subject.id,
        "project": alert.subject.project,
        "episode": alert.episode,
        "updated_at": required_text(alert.updated_at),
        "document": alert_document(alert),
    }

"""Between `model` values and what a row holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from runai_monitor.errors import StoreError
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


def storable(text: str) -> str:
    """The text without what a cluster can send and a database cannot hold: lone surrogates, and NUL in PostgreSQL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def storable_alert(alert: Alert) -> Alert:
    """The alert as it can be stored: one odd character in a log line must not cost the alert."""
    try:
        if b"\\u0000" not in msgspec.json.encode(alert):
            return alert
    except UnicodeEncodeError:
        pass
    return msgspec.convert(_storable(msgspec.to_builtins(alert)), type=Alert)


def alert_document(alert: Alert) -> str:
    """An alert with its diagnosis as JSON."""
    return msgspec.json.encode(alert).decode()


def alert_of(document: str) -> Alert:
    """The alert of a stored document; fields that later versions add take their defaults.

    Raises:
        StoreError: it is no alert.
    """
    try:
        return msgspec.json.decode(document, type=Alert)
    except msgspec.MsgspecError as error:
        raise StoreError(f"a stored alert cannot be read ({error}); another version may have written it") from error


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


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list | tuple) else value

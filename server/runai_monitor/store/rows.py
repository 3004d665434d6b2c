"""Between `model` values and what a row holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import Alert, Change
from runai_monitor.model.notification import Delivery, DeliveryState, Notification


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


def delivery_of(row: Row[Any]) -> Delivery:
    """The delivery of a row.

    Raises:
        StoreError: its alert cannot be read.
    """
    # Rows of schema 1 have no key; their number is as lasting.
    key = row.idempotency_key or f"delivery-{row.delivery_id}"
    notification = Notification(
        alert=alert_of(row.document), change=Change(row.change), reason=row.reason, idempotency_key=key
    )
    return Delivery(
        delivery_id=row.delivery_id,
        channel=row.channel,
        notification=notification,
        state=DeliveryState(row.state),
        created_at=required_instant(row.created_at),
        attempts=row.attempts,
        next_attempt_at=instant(row.next_attempt_at),
        delivered_at=instant(row.delivered_at),
        last_error=row.last_error,
        idempotency_key=key,
        lease_owner=row.lease_owner,
        lease_until=instant(row.lease_until),
        told_by=row.told_by,
        note=row.note,
    )


def renewed(row: Row[Any], *, channel: str, at: datetime, why: str, note: str) -> dict[str, Any]:
    """The columns of a new series of attempts at the message of a row; its reason also says why it is told again."""
    key = row.idempotency_key or f"delivery-{row.delivery_id}"
    return {
        "alert_id": row.alert_id,
        "channel": channel,
        "change": row.change,
        "reason": f"{row.reason} ({why})",
        "document": row.document,
        "state": str(DeliveryState.PENDING),
        "created_at": required_text(at),
        "attempts": 0,
        "next_attempt_at": required_text(at),
        "idempotency_key": key if channel == row.channel else f"{key}/{channel}",
        "note": note,
    }


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list | tuple) else value

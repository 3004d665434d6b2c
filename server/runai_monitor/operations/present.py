"""How answers are written: JSON in the contract's form, and text from a cluster on one line."""

from __future__ import annotations

from runai_monitor.clock import isoformat
from runai_monitor.model.audit import AuditEntry
from runai_monitor.model.notification import Delivery
from runai_monitor.model.silence import Silence, SilenceState
from runai_monitor.notify.document import alert_json, diagnosis_json, instant, visible

__all__ = [
    "MAX_LINE",
    "alert_json",
    "audit_json",
    "delivery_json",
    "diagnosis_json",
    "instant",
    "one_line",
    "silence_json",
    "visible",
]

MAX_LINE = 500


def delivery_json(delivery: Delivery) -> dict[str, object]:
    """A delivery, the same wherever it is shown: what, where, how it stands, and why."""
    return visible(
        {
            "delivery_id": delivery.delivery_id,
            "alert_id": str(delivery.notification.alert.alert_id),
            "channel": delivery.channel,
            "change": str(delivery.notification.change),
            "state": str(delivery.state),
            "attempts": delivery.attempts,
            "created_at": isoformat(delivery.created_at),
            "delivered_at": instant(delivery.delivered_at),
            "next_attempt_at": instant(delivery.next_attempt_at),
            "last_error": one_line(delivery.last_error, limit=300) or None,
            "told_by": delivery.told_by,
            "note": one_line(delivery.note, limit=300),
        }
    )


def silence_json(silence: Silence, state: SilenceState) -> dict[str, object]:
    """A silence as every surface spells it; its matchers as they can be given to make another."""
    return visible(
        {
            "silence_id": str(silence.silence_id),
            "state": str(state),
            "matchers": [str(matcher) for matcher in silence.matchers],
            "author": silence.author,
            "reason": silence.reason,
            "starts_at": isoformat(silence.starts_at),
            "ends_at": isoformat(silence.ends_at),
            "expired_at": instant(silence.expired_at),
            "expired_by": silence.expired_by,
        }
    )


def audit_json(entry: AuditEntry) -> dict[str, object]:
    """One entry of the audit."""
    return visible(
        {
            "at": isoformat(entry.at),
            "author": entry.author,
            "action": str(entry.action),
            "target": entry.target,
            "detail": entry.detail,
        }
    )


def one_line(text: str | None, *, limit: int = MAX_LINE) -> str:
    """Text from a cluster on one line: control characters become blanks, the rest is cut."""
    if not text:
        return ""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text[: limit * 4]).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"

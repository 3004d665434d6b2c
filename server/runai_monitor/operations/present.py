"""How answers are written: JSON in the contract's form, and text from a cluster on one line."""

from __future__ import annotations

from runai_monitor.notify.document import alert_json, diagnosis_json, instant, visible

__all__ = ["MAX_LINE", "alert_json", "diagnosis_json", "instant", "one_line", "visible"]

MAX_LINE = 500


def one_line(text: str | None, *, limit: int = MAX_LINE) -> str:
    """Text from a cluster on one line: control characters become blanks, the rest is cut."""
    if not text:
        return ""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text[: limit * 4]).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"

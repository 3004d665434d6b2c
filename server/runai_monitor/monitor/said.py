"""Texts from a cluster as they may stand in a sentence of ours: redacted, on one line, short."""

from __future__ import annotations

from runai_monitor.diagnosis.lines import clean
from runai_monitor.diagnosis.redact import redact

LONGEST = 300


def cut(message: str, limit: int = LONGEST) -> str:
    """A message without secrets, on one line, at most `limit` characters; backticks cannot close ours."""
    text = " ".join(redact(clean(message[: 8 * limit])).split()).replace("`", "'")
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def said(message: str | None) -> str:
    """The message as the end of a sentence, or nothing."""
    text = cut(message or "")
    return f": {text}" if text else ""

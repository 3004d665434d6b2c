"""Texts from a cluster as they may stand in a sentence of ours: redacted, on one line, short."""

from __future__ import annotations

from runai_monitor.diagnosis.lines import clean
from runai_monitor.diagnosis.redact import redact

LONGEST = 200
_HEAD = 85
"""An image's name, or where it was, stands at the start; what went wrong at the end."""
_WHOLE = 8_000


def cut(message: str, limit: int = LONGEST) -> str:
    """A message without secrets, on one line, at most `limit` characters; backticks cannot close ours."""
    text = " ".join(redact(clean(message[: 8 * limit])).split()).replace("`", "'")
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def said(message: str | None) -> str:
    """The message as the end of a sentence, or nothing."""
    text = _shortened(message or "")
    return f": {text}" if text else ""


def _shortened(message: str) -> str:
    """A message of which a long one loses its middle: errors wrap others, and the innermost ends the sentence."""
    text = " ".join(redact(clean(message)).split()).replace("`", "'") if len(message) <= _WHOLE else cut(message)
    if len(text) <= LONGEST:
        return text
    return f"{text[:_HEAD].rstrip()} … {text[_HEAD + 3 - LONGEST :].lstrip()}"

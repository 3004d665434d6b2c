"""What a rule concludes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause with the evidence for it. `specific` ranks causes that explain the same fact: the higher explains more.

    `confidence` is how often such evidence means this cause. `at` is when the failure happened, for ordering.
    """

    cause: str
    title: str
    confidence: float
    explanation: str
    evidence_ids: tuple[str, ...]
    next_steps: tuple[str, ...]
    specific: int = 50
    at: datetime | None = None

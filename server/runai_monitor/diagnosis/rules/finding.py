"""What a rule concludes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Strength(IntEnum):
    """What a finding rests on, the weakest first."""

    LOG = 1
    NODE = 2
    EVENT = 3
    STATE = 4


class Role(IntEnum):
    """What a finding may be beside others; the lower comes first."""

    OWN = 0
    """A failure of its own."""
    HINT = 1
    """One that is likely, and gives way to any that is certain."""
    LIMIT = 2
    """A limit that ends whatever is wrong for other reasons: a deadline."""
    FOLLOWS = 3
    """What others' failures bring about: ranks that wait for a dead one, signals of a launcher."""
    AFTERMATH = 4
    """What is always preceded by failures: a job that ran out of retries."""
    READING = 5
    """Another reading of what is not sure: named beside a first cause that is not, never instead of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause with the evidence for it.

    `confidence` is how often such evidence means this cause, if nothing else is found. `at` is when the failure happened.
    `place` is the pod it happened in. `earlier` marks a run of a container that another run has followed since.
    `never` tells that waiting cannot help: the workload must be changed first.
    """

    cause: str
    title: str
    confidence: float
    explanation: str
    evidence_ids: tuple[str, ...]
    next_steps: tuple[str, ...]
    strength: Strength = Strength.STATE
    role: Role = Role.OWN
    at: datetime | None = None
    place: str | None = None
    earlier: bool = False
    never: bool = True

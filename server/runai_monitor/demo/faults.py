"""The bad moments of a control plane, dealt out by a seed so that every run has the same ones."""

from __future__ import annotations

import random
from enum import Enum


class Fault(Enum):
    """How one answer goes wrong."""

    UNAVAILABLE = "503"
    TOO_MANY_REQUESTS = "429 with Retry-After"
    HTML = "200 with a page of HTML instead of JSON"


class FaultPlan:
    """Decides which request fails: now and then a 503 or a 429, and a single time a proxy's HTML page.

    The first requests are spared, as is any request right after a failed one, so that a client which retries
    reasonably always gets through.
    """

    SPARED = 6
    PROBABILITY = 0.06

    def __init__(self, *, seed: int, enabled: bool = True) -> None:
        self._random = random.Random(f"{seed}/faults")
        self._enabled = enabled
        self._requests = 0
        self._failed_last = False
        self._html_at = self._random.randrange(18, 30)

    def next(self) -> Fault | None:
        """What goes wrong with this request, None when nothing does."""
        self._requests += 1
        if not self._enabled or self._requests <= self.SPARED or self._failed_last:
            self._failed_last = False
            return None
        fault: Fault | None = None
        if self._requests >= self._html_at:
            self._html_at = 2**63
            fault = Fault.HTML
        elif self._random.random() < self.PROBABILITY:
            fault = self._random.choice((Fault.UNAVAILABLE, Fault.TOO_MANY_REQUESTS))
        self._failed_last = fault is not None
        return fault

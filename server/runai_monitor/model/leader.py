"""Which process polls and delivers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """The process that has the lead, or had it last: `host` is its machine's name, `since` when it took it."""

    host: str
    process_id: int
    since: datetime

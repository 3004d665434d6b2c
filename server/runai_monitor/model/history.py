"""What the stored alerts say about a workload before now, and about others that failed beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runai_monitor.model.alert import AlertId

WINDOW = timedelta(hours=1)
"""How far before and after a failure others count as failing beside it."""
MOST_NEIGHBOURS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One earlier alert about a workload, or about an earlier submission under its name.

    `cause` and `title` are those of the first cause of its diagnosis, None when it has none. `ended_at` is None while the
    alert is not resolved; `ending` is the reason of its resolution, in the words of the policy.
    """

    alert_id: AlertId
    workload_id: str
    status: str
    started_at: datetime
    cause: str | None = None
    title: str | None = None
    ended_at: datetime | None = None
    ending: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """The newest alert about another workload that failed in the same window; `nodes` are those its failed pods were on."""

    workload_id: str
    project: str
    name: str
    status: str
    started_at: datetime
    cause: str | None = None
    nodes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertHistory:
    """Earlier episodes and neighbours, newest first; `more_…` tells that there are further ones which were not read."""

    episodes: tuple[Episode, ...] = ()
    more_episodes: bool = False
    neighbours: tuple[Neighbour, ...] = ()
    more_neighbours: bool = False

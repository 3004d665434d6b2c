"""What a plan of messages depends on, read from the store."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from runai_monitor.clock import Clock
from runai_monitor.model.alert import Alert, AlertId, Change
from runai_monitor.model.notification import Delivery
from runai_monitor.model.silence import Silence
from runai_monitor.model.telling import Announcement, Told, Withheld
from runai_monitor.notify.plan import Context, Planner, plan
from runai_monitor.notify.storms import QuietOptions
from runai_monitor.notify.withhold import GRACE, released

RELEASE_SECONDS = 5.0
"""Between looks at what was kept back: a silence that ends is noticed so soon."""


class Telling(Protocol):
    """What was told and kept back, by channel."""

    async def lately(self, channel: str, *, since: datetime) -> list[Told]:
        """What a channel took since then."""
        ...

    async def announcements(self, channel: str, alert_ids: Collection[AlertId]) -> dict[AlertId, Announcement]:
        """How a channel first heard of alerts."""
        ...

    async def nodes_in_trouble(self, channel: str, *, since: datetime) -> list[Alert]:
        """Alerts of nodes that fire or ended since then."""
        ...

    async def withheld(self, channel: str) -> list[Withheld]:
        """What was kept back."""
        ...

    async def release(self, channel: str, reasons: Mapping[int, str], *, now: datetime) -> None:
        """Makes it pending again."""
        ...


class Silences(Protocol):
    """The store of silences."""

    async def active(self, now: datetime) -> Sequence[Silence]:
        """Those that are in force."""
        ...


class StoredSurroundings:
    """As `plan.Surroundings`, from the store."""

    def __init__(self, *, telling: Telling, silences: Silences | None, clock: Clock, options: QuietOptions) -> None:
        self._telling = telling
        self._silences = silences
        self._clock = clock
        self._options = options
        self._looked_at: dict[str, float] = {}

    async def release(self, channel: str, *, now: datetime) -> None:
        """As `Surroundings.release`."""
        if self._clock.monotonic() - self._looked_at.get(channel, float("-inf")) < RELEASE_SECONDS:
            return
        withheld = await self._telling.withheld(channel)
        if withheld:
            ends = {one.alert.alert_id for one in withheld if one.is_over}
            announced = await self._telling.announcements(channel, ends) if ends else {}
            reasons = released(
                withheld,
                silences=await self._active(now),
                nodes=await self._telling.nodes_in_trouble(channel, since=now - GRACE),
                announced=frozenset(announced),
                now=now,
            )
            if reasons:
                await self._telling.release(channel, reasons, now=now)
        self._looked_at[channel] = self._clock.monotonic()

    async def context(self, channel: str, due: Sequence[Delivery], *, now: datetime) -> Context:
        """As `Surroundings.context`."""
        told = [delivery.notification for delivery in due]
        ends = {one.alert.alert_id for one in told if one.change is Change.RESOLVED}
        return Context(
            silences=tuple(await self._active(now)),
            inhibiting=tuple(await self._telling.nodes_in_trouble(channel, since=now - GRACE)),
            sent_lately=tuple(await self._telling.lately(channel, since=now - self._options.remembered)),
            announced=await self._telling.announcements(channel, ends) if ends else {},
        )

    async def _active(self, now: datetime) -> Sequence[Silence]:
        return () if self._silences is None else await self._silences.active(now)


def planner_of(options: QuietOptions) -> Planner:
    """The planner with these settings."""
    return functools.partial(plan, options=options)

"""What became of messages, and telling again what a channel did not take."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from runai_monitor.clock import Clock
from runai_monitor.errors import InputError, NotFoundError, RefusedError
from runai_monitor.model.notification import Delivery, DeliveryState
from runai_monitor.operations.present import one_line
from runai_monitor.operations.scope import Scope
from runai_monitor.operations.sources import DeadLetters

audit_log = logging.getLogger("runai_monitor.audit")

MOST_REPLAYED = 1000
"""Replayed in one call; the rest needs another."""
_Chosen = tuple[tuple[Delivery, ...], tuple[str, ...], bool]
"""What to replay, what not and why, and whether there is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryParts:
    """What is needed: the record, the channels, and whom to wake.

    `channels` None: only the serving process knows which are configured.
    """

    dead_letters: DeadLetters
    channels: tuple[str, ...] | None
    wake: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What was begun anew, by delivery id; `skipped` says in words what was not; `more` that another call is needed."""

    replayed: tuple[int, ...]
    skipped: tuple[str, ...] = ()
    more: bool = False


class DeliveryDesk:
    """Lists deliveries and replays those that were given up, within the allowed projects."""

    def __init__(self, *, parts: Callable[[], Awaitable[DeliveryParts]], scope: Scope, clock: Clock) -> None:
        self._parts = parts
        self._scope = scope
        self._clock = clock

    async def list(self, *, only_failed: bool = False, limit: int = 50) -> list[Delivery]:
        """Deliveries, newest first.

        Raises:
            StoreError: they could not be read.
        """
        states = (DeliveryState.FAILED,) if only_failed else None
        parts = await self._parts()
        return await parts.dead_letters.list(states=states, projects=self._scope.projects, limit=limit)

    async def replay(self, delivery_id: int | None, *, author: str) -> Replay:
        """Tells again what a channel did not take: one dead letter, or (None) all of them. Does not wait for the channel.

        Raises:
            NotFoundError: there is no such delivery, or it may not be seen: the same words for both.
            RefusedError: it is no dead letter, or its channel is not configured. InputError: nobody is named as author.
            StoreError: nothing was begun.
        """
        who = one_line(author, limit=200)
        if not who:
            raise InputError("author must name who wants this, for the record")
        parts = await self._parts()
        chosen, skipped, more = await self._all(parts) if delivery_id is None else await self._one(parts, delivery_id)
        ids = [delivery.delivery_id for delivery in chosen]
        now = self._clock.now()
        begun = await parts.dead_letters.replay(ids, author=who, at=now)
        for delivery in (delivery for delivery in chosen if delivery.delivery_id in begun):
            detail = f"{delivery.channel}, alert {delivery.notification.alert.alert_id}"
            audit_log.warning("delivery %d (%s) replayed by %s", delivery.delivery_id, detail, who)
        parts.wake()
        return Replay(replayed=tuple(sorted(begun)), skipped=skipped, more=more)

    async def _one(self, parts: DeliveryParts, delivery_id: int) -> _Chosen:
        found = [
            delivery
            for delivery in await parts.dead_letters.list(delivery_id=delivery_id)
            if self._scope.allows_alert(delivery.notification.alert)
        ]
        if not found:
            raise NotFoundError(
                f"there is no delivery {delivery_id}; runai-monitor deliveries and get_alert give the ids"
            )
        (delivery,) = found
        if delivery.state is not DeliveryState.FAILED:
            raise RefusedError(f"delivery {delivery_id} is {delivery.state}; only failed ones are replayed")
        if parts.channels is not None and delivery.channel not in parts.channels:
            raise RefusedError(_not_configured(delivery.channel, 1))
        return (delivery,), (), False

    async def _all(self, parts: DeliveryParts) -> _Chosen:
        found = await parts.dead_letters.list(
            states=(DeliveryState.FAILED,),
            channels=parts.channels,
            projects=self._scope.projects,
            limit=MOST_REPLAYED,
        )
        return tuple(found), await self._elsewhere(parts), len(found) == MOST_REPLAYED

    async def _elsewhere(self, parts: DeliveryParts) -> tuple[str, ...]:
        """What is left because nobody here sends to its channel."""
        if parts.channels is None:
            return ()
        found = await parts.dead_letters.list(
            states=(DeliveryState.FAILED,), projects=self._scope.projects, limit=MOST_REPLAYED
        )
        channels = Counter(delivery.channel for delivery in found if delivery.channel not in parts.channels)
        return tuple(_not_configured(channel, count) for channel, count in sorted(channels.items()))


def _not_configured(channel: str, count: int) -> str:
    which = "one delivery is" if count == 1 else f"{count} deliveries are"
    return f"{which} of channel {one_line(channel, limit=60)}, which is not configured here: configure it to replay"

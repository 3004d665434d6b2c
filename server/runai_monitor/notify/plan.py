"""What to do with the deliveries of one channel that are due: tell each, tell several as one, or tell none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runai_monitor.model.alert import Alert
from runai_monitor.model.notification import Delivery, DeliveryState, Digest
from runai_monitor.model.silence import Silence


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Deliveries that one message tells. The first carries its state, the others become GROUPED, told by the first."""

    deliveries: tuple[Delivery, ...]
    digest: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Deliveries that no message tells, and why: SILENCED, INHIBITED, or GROUPED when another message stands for them."""

    delivery_ids: tuple[int, ...]
    state: DeliveryState
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Messages in the order in which they are sent. What is neither in one nor settled waits, until `wake_at` if given."""

    messages: tuple[Message, ...] = ()
    settled: tuple[Settled, ...] = ()
    wake_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a plan depends on besides the deliveries.

    `silences` are those active now; `inhibiting` the firing alerts that may stand for others; `sent_lately` what this
    channel took within the last minutes, newest first.
    """

    silences: tuple[Silence, ...] = ()
    inhibiting: tuple[Alert, ...] = ()
    sent_lately: tuple[Delivery, ...] = ()


class Surroundings(Protocol):
    """Finds the context of a plan."""

    async def context(self, channel: str, *, now: datetime) -> Context:
        """What holds for this channel now.

        Raises:
            StoreError: it could not be read; nothing is sent until it can.
        """
        ...


class Planner(Protocol):
    """Any function like `plan`."""

    def __call__(self, due: Sequence[Delivery], context: Context, *, now: datetime) -> Plan:
        """As `plan`."""
        ...


def plan(due: Sequence[Delivery], context: Context, *, now: datetime) -> Plan:
    """One message per delivery, in the order of `due`: within an alert that of its changes. Pure."""
    del context, now
    return Plan(messages=tuple(Message(deliveries=(delivery,)) for delivery in due))

"""What is told to channels, and the record of telling it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runai_monitor.model.alert import Alert, AlertId, Change

INSTEAD = "instead of delivery"
"""How the note of a delivery begins that a fallback tells because another channel did not take it."""


class DeliveryState(StrEnum):
    """Where a delivery is in its life."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """A dead letter: the channel refused it for good, or the time for retries is used up. It can be replayed."""
    GROUPED = "grouped"
    """Told within another message, a digest; `told_by` says which delivery."""
    SILENCED = "silenced"
    """A silence matched its alert when it was due."""
    INHIBITED = "inhibited"
    """The alert of a node that failed stands for it."""
    SUPPRESSED = "suppressed"
    """There was nothing to tell this channel: the end of an alert that it never heard of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """Several changes told in one message: `title` says in one line what they have in common.

    Each alert is one member, as it was at its newest change. `common` is what they share, in words (`node gpu-7`),
    empty for nothing. `ended` are members that failed and were over again before this could be told. `told` and `over`
    count the alerts that this channel was told of together with the members, and how many of them are over with this.
    """

    title: str
    members: tuple[Notification, ...]
    common: str = ""
    ended: frozenset[AlertId] = frozenset()
    told: int = 0
    over: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One message for one channel: which alert, as it was at that change, and why it is told.

    `test` marks a message that somebody asked for to try the channel: there is no such alert. With a `digest` it stands
    for all of its members, of which the alert is the first. `idempotency_key` is the same whenever this message is sent
    again: a channel that has a place for it drops what it has already.
    """

    alert: Alert
    change: Change
    reason: str
    test: bool = False
    digest: Digest | None = None
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One recorded attempt series of one notification to one channel.

    `idempotency_key` is the same in every attempt, for channels that drop what they have already. `lease_owner` is the
    process that is sending it now, until `lease_until`. `told_by` is the delivery of the digest that told it, `note`
    why it went to no channel of its own.
    """

    delivery_id: int
    channel: str
    notification: Notification
    state: DeliveryState
    created_at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None
    delivered_at: datetime | None = None
    last_error: str | None = None
    idempotency_key: str = ""
    lease_owner: str | None = None
    lease_until: datetime | None = None
    told_by: int | None = None
    note: str = ""

    @property
    def stands_in(self) -> bool:
        """Whether it is told in place of another channel, to whose readers it speaks."""
        return self.note.startswith(INSTEAD)

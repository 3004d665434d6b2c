"""What to do with the deliveries of one channel that are due: tell each, tell several as one, or tell none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from typing import Protocol

from runai_monitor.model.alert import Alert, AlertId, AlertKind, Change
from runai_monitor.model.notification import Delivery, DeliveryState, Digest
from runai_monitor.model.silence import Silence
from runai_monitor.model.telling import Announcement, Features, Told, features_of
from runai_monitor.notify.digest import digest_of
from runai_monitor.notify.storms import ANYTHING, Heard, Key, QuietOptions, Unit, gather, keys_of
from runai_monitor.notify.withhold import inhibited_note, node_alert_of, silence_of, silenced_note

_ALONE = frozenset({AlertKind.MONITOR_BLIND, AlertKind.EXISTING_FAILURES})
"""Told at once and by itself, however much else there is."""
_FIRST = _ALONE | {AlertKind.NODE_UNHEALTHY}
"""Told before what else is due: it explains the rest."""
_UNHEARD = "its opening was not told here, so neither is its end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Deliveries that one message tells. The first carries its state, the others become GROUPED, told by the first."""

    deliveries: tuple[Delivery, ...]
    digest: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Deliveries that no message tells, and why: SILENCED, INHIBITED, or SUPPRESSED when there is nothing to tell."""

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

    `silences` are those active now; `inhibiting` the alerts of nodes that this channel knows or will, firing or over
    for a short while; `sent_lately` what this channel took within `QuietOptions.remembered`; `announced` how it first
    heard of each alert that is due, None where nobody can say.
    """

    silences: tuple[Silence, ...] = ()
    inhibiting: tuple[Alert, ...] = ()
    sent_lately: tuple[Told, ...] = ()
    announced: Mapping[AlertId, Announcement] | None = None


class Surroundings(Protocol):
    """Finds the context of a plan."""

    async def release(self, channel: str, *, now: datetime) -> None:
        """Makes due again what was kept back and is not any more.

        Raises:
            StoreError: it could not be read or written; nothing is sent until it can.
        """
        ...

    async def context(self, channel: str, due: Sequence[Delivery], *, now: datetime) -> Context:
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


@dataclass(slots=True, kw_only=True)
class _Draft:
    """A plan in the making."""

    messages: list[Message] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    waits: list[datetime] = field(default_factory=list)


def plan(
    due: Sequence[Delivery], context: Context, *, now: datetime, options: QuietOptions | None = None
) -> Plan:  # fmt: skip
    """Who is told what now. Pure, and every delivery of `due` is in one message, settled, or waits until `wake_at`.

    A failure that comes alone is told at once. What comes in numbers, and shares a node, a cause, an image or a
    project, is told together, in growing intervals; so is what waited through an outage. Of each alert the changes are
    told in order, in a digest only the newest.
    """
    options = options or QuietOptions()
    draft = _Draft()
    units = [unit for unit in _units(due, context) if not _withheld(unit, context, draft, now=now)]
    if not options.together:
        singly = sorted(chain.from_iterable(map(_singly, units)), key=_urgency)
        return Plan(messages=tuple(singly), settled=tuple(draft.settled))
    firing = [unit for unit in units if not _is_end(unit)]
    for unit in (unit for unit in firing if unit.newest.notification.alert.kind in _ALONE):
        draft.messages += _singly(unit)
    firing = [unit for unit in firing if unit.newest.notification.alert.kind not in _ALONE]
    rest = _plan_storms(firing, context, draft, options=options, now=now)
    ends = _plan_ends([unit for unit in units if _is_end(unit)], context, draft, options=options, now=now)
    _plan_lone(rest, ends, context, draft, options=options, now=now)
    messages = sorted(draft.messages, key=_urgency)
    return Plan(messages=tuple(messages), settled=tuple(draft.settled), wake_at=min(draft.waits, default=None))


def one_by_one(due: Sequence[Delivery], context: Context, *, now: datetime) -> Plan:
    """One message per delivery, in order, whatever the context: where nothing is to be kept quiet. Pure."""
    del context, now
    return Plan(messages=tuple(Message(deliveries=(delivery,)) for delivery in due))


def _units(due: Sequence[Delivery], context: Context) -> list[Unit]:
    by_alert: dict[AlertId, list[Delivery]] = {}
    for delivery in sorted(due, key=lambda delivery: delivery.delivery_id):
        by_alert.setdefault(delivery.notification.alert.alert_id, []).append(delivery)
    return [
        Unit(
            deliveries=tuple(deliveries),
            features=features_of(deliveries[-1].notification.alert),
            announced=context.announced is None or alert_id in context.announced or _ends_elsewhere(deliveries),
        )
        for alert_id, deliveries in by_alert.items()
    ]


def _ends_elsewhere(deliveries: Sequence[Delivery]) -> bool:
    """Whether they end what another channel announced and cannot be told of any more: its readers know of it."""
    return all(one.stands_in and one.notification.change is Change.RESOLVED for one in deliveries)


def _is_end(unit: Unit) -> bool:
    """Whether all there is to tell is that it is over; what was never told is told as a failure that is over."""
    return unit.newest.notification.change is Change.RESOLVED and unit.announced


def _withheld(unit: Unit, context: Context, draft: _Draft, *, now: datetime) -> bool:
    """Settles what is not told for a reason."""
    alert = unit.newest.notification.alert
    ids = tuple(delivery.delivery_id for delivery in unit.deliveries)
    if silence := silence_of(alert, context.silences):
        draft.settled.append(Settled(delivery_ids=ids, state=DeliveryState.SILENCED, note=silenced_note(silence)))
        return True
    if unit.announced and unit.newest.notification.change is Change.RESOLVED:
        return False
    if all(delivery.notification.change is Change.RESOLVED for delivery in unit.deliveries):
        draft.settled.append(Settled(delivery_ids=ids, state=DeliveryState.SUPPRESSED, note=_UNHEARD))
        return True
    if node := node_alert_of(alert, context.inhibiting, now=now):
        draft.settled.append(Settled(delivery_ids=ids, state=DeliveryState.INHIBITED, note=inhibited_note(node)))
        return True
    return False


def _plan_storms(
    units: Sequence[Unit], context: Context, draft: _Draft, *, options: QuietOptions, now: datetime
) -> list[Unit]:
    """Digests of storms that are due; returns what belongs to none."""
    heard = Heard((told for told in context.sent_lately if not told.over), options, now=now)
    groups, rest = gather(units, heard, options)
    for group in groups:
        at = group.due_at(options, now=now)
        if at > now:
            draft.waits.append(at)
        else:
            draft.messages += _together(group.units, group.key, context, now=now, more=group.again)
    return rest


def _plan_ends(
    units: Sequence[Unit], context: Context, draft: _Draft, *, options: QuietOptions, now: datetime
) -> list[Unit]:
    """The digest of what is over, of members of digests and of many at a time; returns ends that are told singly.

    Good news may wait: it is collected for a moment first.
    """
    heard = Heard((told for told in context.sent_lately if told.over), options, now=now, as_one=True)
    known = context.announced or {}
    of_digests = [u for u in units if (a := known.get(u.newest.notification.alert.alert_id)) and a.alerts > 1]
    many = len(units) + heard.lately(ANYTHING) >= options.storm_threshold or heard.is_storm(ANYTHING)
    together = list(units) if many else of_digests
    if together:
        oldest = min(unit.newest.created_at for unit in together)
        at = max(heard.next_at(ANYTHING), min(oldest, now) + timedelta(seconds=options.group_wait_seconds))
        if at > now:
            draft.waits.append(at)
        else:
            draft.messages += _together(together, ANYTHING, context, now=now)
    return [unit for unit in units if unit not in together]


def _plan_lone(
    firing: Sequence[Unit],
    ends: Sequence[Unit],
    context: Context,
    draft: _Draft,
    *,
    options: QuietOptions,
    now: datetime,
) -> None:
    """What goes by itself; where several waited through an outage, as one digest.

    A failure much like one that was told a moment ago waits until it is clear whether there are more of them.
    """
    aged = now - timedelta(minutes=options.backlog_minutes)
    old = [unit for unit in (*firing, *ends) if unit.deliveries[0].created_at < aged]
    if len(old) > 1 or any(len(unit.deliveries) > 1 for unit in old):
        draft.messages += _together([*firing, *ends], ANYTHING, context, now=now, late=True)
        return
    heard = Heard((told for told in context.sent_lately if not told.over), options, now=now)
    planned: set[Key] = set()
    for unit in firing:
        keys = set(_strong(unit.features))
        last = now if keys & planned else heard.last_like(unit.features)
        at = now if last is None else last + timedelta(seconds=options.group_wait_seconds)
        if at > now:
            draft.waits.append(at)
            continue
        planned |= keys
        draft.messages += _singly(unit)
    draft.messages += chain.from_iterable(_singly(unit) for unit in ends)


def _strong(features: Features) -> list[Key]:
    return [key for key in keys_of(features) if key[0] != "project"]


def _singly(unit: Unit) -> list[Message]:
    return [Message(deliveries=(delivery,)) for delivery in unit.deliveries]


def _together(
    units: Sequence[Unit], key: Key, context: Context, *, now: datetime, late: bool = False, more: bool = False
) -> list[Message]:  # fmt: skip
    if len(units) == 1 and len(units[0].deliveries) == 1 and not _is_end(units[0]):
        return _singly(units[0])
    digest = digest_of(
        [unit.newest.notification for unit in units],
        key=key,
        announced=context.announced,
        late_since=min(unit.deliveries[0].created_at for unit in units) if late else None,
        now=now,
        more=more,
    )
    first = [unit.newest for unit in units]
    others = chain.from_iterable(unit.deliveries[:-1] for unit in units)
    return [Message(deliveries=(*first, *others), digest=digest)]


def _urgency(message: Message) -> tuple[bool, int]:
    first = message.deliveries[0]
    kind = first.notification.alert.kind
    return kind not in _FIRST, min(delivery.delivery_id for delivery in message.deliveries)

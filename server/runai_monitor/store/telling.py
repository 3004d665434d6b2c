"""What channels were told, and what was kept back from them: what the quiet of the next message depends on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select, update

from runai_monitor.model.alert import Alert, AlertId, AlertKind, AlertState, Change
from runai_monitor.model.notification import DeliveryState
from runai_monitor.model.telling import Announcement, Features, Told, Withheld, features_of
from runai_monitor.store import tables
from runai_monitor.store.database import Database
from runai_monitor.store.rows import alert_of, required_instant, required_text, storable

_T = tables.deliveries
_A = tables.alerts
_ROOT = func.coalesce(_T.c.told_by, _T.c.delivery_id)
_END = _T.c.change == str(Change.RESOLVED)
_TOLD = or_(
    _T.c.state == str(DeliveryState.DELIVERED),
    and_(_T.c.state == str(DeliveryState.GROUPED), _T.c.told_by.is_not(None)),
)
_KEPT_BACK = _T.c.state.in_([str(DeliveryState.SILENCED), str(DeliveryState.INHIBITED)])
_CHUNK = 500


class TellingStore:
    """Answers by channel. What a delivery says never changes, so each document is read once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._features: dict[int, Features] = {}
        self._kept: dict[tuple[str, int], Alert] = {}

    async def lately(self, channel: str, *, since: datetime) -> list[Told]:
        """What a channel took since then: of each message every alert once, as it was newest in it."""
        columns = (_T.c.delivery_id, _ROOT.label("root"), _T.c.alert_id, _T.c.change, _T.c.delivered_at)
        query = (
            select(*columns)
            .where(_T.c.channel == channel, _TOLD, _T.c.delivered_at >= required_text(since))
            .order_by(_T.c.delivery_id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        newest = {(row.root, row.alert_id): row for row in rows}
        await self._learn([row.delivery_id for row in newest.values()])
        return [
            Told(
                message=row.root,
                at=required_instant(row.delivered_at),
                over=row.change == str(Change.RESOLVED),
                features=self._features[row.delivery_id],
            )
            for row in newest.values()
        ]

    async def announcements(self, channel: str, alert_ids: Collection[AlertId]) -> dict[AlertId, Announcement]:
        """How a channel first heard of each of these alerts; those it never heard of are left out."""
        roots: dict[AlertId, int] = {}
        sizes: dict[int, tuple[int, int]] = {}
        told_here = and_(_T.c.channel == channel, _TOLD)
        async with self._database.reading() as connection:
            for chunk in _chunks(sorted(alert_ids)):
                query = (
                    select(_T.c.alert_id, _ROOT.label("root"))
                    .where(told_here, ~_END, _T.c.alert_id.in_(chunk))
                    .order_by(_T.c.delivery_id)
                )
                for row in (await connection.execute(query)).all():
                    roots.setdefault(AlertId(row.alert_id), row.root)
            for root in set(roots.values()):
                members = select(_T.c.alert_id).where(
                    told_here, ~_END, or_(_T.c.told_by == root, _T.c.delivery_id == root)
                )
                ended = select(_T.c.alert_id).where(told_here, _END, _T.c.alert_id.in_(members)).distinct()
                counts = [
                    (await connection.execute(select(func.count()).select_from(which.subquery()))).scalar_one()
                    for which in (members.distinct(), ended)
                ]
                sizes[root] = counts[0], counts[1]
        return {
            alert_id: Announcement(message=root, alerts=sizes[root][0], over=sizes[root][1])
            for alert_id, root in roots.items()
        }

    async def nodes_in_trouble(self, channel: str, *, since: datetime) -> list[Alert]:
        """Alerts of nodes that fire or ended since then, and of which the channel knows or will."""
        here = select(_T.c.alert_id).where(
            _T.c.channel == channel, _T.c.state.not_in([str(DeliveryState.FAILED), str(DeliveryState.SUPPRESSED)])
        )
        query = select(_A.c.document).where(
            _A.c.kind == str(AlertKind.NODE_UNHEALTHY),
            or_(_A.c.state != str(AlertState.RESOLVED), _A.c.updated_at >= required_text(since)),
            _A.c.alert_id.in_(here),
        )
        async with self._database.reading() as connection:
            return [alert_of(document) for document in (await connection.execute(query)).scalars()]

    async def withheld(self, channel: str) -> list[Withheld]:
        """The latest delivery of each alert, where it was kept back and could still matter."""
        newer = _T.alias("newer")
        later = (
            select(newer.c.delivery_id)
            .where(newer.c.alert_id == _T.c.alert_id, newer.c.channel == channel)
            .where(newer.c.delivery_id > _T.c.delivery_id)
            .correlate(_T)
        )
        query = (
            select(_T.c.delivery_id, _T.c.alert_id, _T.c.change, _T.c.note, _A.c.cursor)
            .join(_A, _A.c.alert_id == _T.c.alert_id)
            .where(_T.c.channel == channel, _KEPT_BACK, ~later.exists())
            .where(or_(_A.c.state == str(AlertState.FIRING), _END))
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
            missing = [row.cursor for row in rows if (row.alert_id, row.cursor) not in self._kept]
            for chunk in _chunks(missing):
                documents = select(_A.c.alert_id, _A.c.cursor, _A.c.document).where(_A.c.cursor.in_(chunk))
                for found in (await connection.execute(documents)).all():
                    self._kept[found.alert_id, found.cursor] = alert_of(found.document)
        wanted = {(row.alert_id, row.cursor) for row in rows}
        self._kept = {key: alert for key, alert in self._kept.items() if key in wanted}
        return [
            Withheld(
                delivery_id=row.delivery_id,
                alert=self._kept[row.alert_id, row.cursor],
                note=row.note,
                is_over=row.change == str(Change.RESOLVED),
            )
            for row in rows
            if (row.alert_id, row.cursor) in self._kept
        ]

    async def release(self, channel: str, reasons: Mapping[int, str], *, now: datetime) -> None:
        """Makes what was kept back pending again, each with its reason and its alert as it is now.

        To a channel that never heard of the alert it is told as new.
        """
        async with self._database.writing() as connection:
            for delivery_id, reason in reasons.items():
                query = (
                    select(_T.c.alert_id, _T.c.change, _A.c.document)
                    .join(_A, _A.c.alert_id == _T.c.alert_id)
                    .where(_T.c.delivery_id == delivery_id, _KEPT_BACK)
                )
                row = (await connection.execute(query)).one_or_none()
                if row is None:
                    continue
                heard = select(func.count()).where(_T.c.channel == channel, _TOLD, _T.c.alert_id == row.alert_id)
                is_news = row.change != str(Change.RESOLVED) and not (await connection.execute(heard)).scalar_one()
                values: dict[str, Any] = {
                    "change": str(Change.OPENED) if is_news else row.change,
                    "document": row.document,
                    "reason": storable(reason),
                    "state": str(DeliveryState.PENDING),
                    "created_at": required_text(now),
                    "next_attempt_at": required_text(now),
                    "attempts": 0,
                    "note": "",
                }
                await connection.execute(update(_T).where(_T.c.delivery_id == delivery_id).values(**values))

    async def _learn(self, delivery_ids: Sequence[int]) -> None:
        """Reads the features of deliveries that are not known yet, and forgets those that nobody asks for."""
        wanted = set(delivery_ids)
        async with self._database.reading() as connection:
            for chunk in _chunks([number for number in delivery_ids if number not in self._features]):
                query = select(_T.c.delivery_id, _T.c.document).where(_T.c.delivery_id.in_(chunk))
                for row in (await connection.execute(query)).all():
                    self._features[row.delivery_id] = features_of(alert_of(row.document))
        if len(self._features) > 4 * len(wanted) + _CHUNK:
            self._features = {number: found for number, found in self._features.items() if number in wanted}


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]

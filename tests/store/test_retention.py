"""What is old goes, in small steps; what is open or waits stays, however old it is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from runai_monitor.model.alert import Alert, AlertKind, Change
from runai_monitor.store import tables
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import Database
from runai_monitor.store.deliveries import DeliveryStore
from runai_monitor.store.monitors import MonitorStore
from runai_monitor.store.retention import BATCH, Kind, Retention
from runai_monitor.store.rows import required_text
from tests.factories import make_monitor, make_transition
from tests.fakes import EPOCH, FakeClock

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)
"""Everything is kept for a day in these tests."""


def after(database: Database, days: float, *kinds: Kind) -> Retention:
    """Retention so many days after the epoch, of some kinds or all."""
    return Retention(database, keep=dict.fromkeys(kinds or tuple(Kind), DAY), clock=FakeClock(EPOCH + DAY * days))


async def resolved(database: Database, name: str, *, episode: int = 1, at_day: float = 0, told: bool = True) -> Alert:
    """An alert that was opened and resolved at once, with a message that was delivered or waits."""
    store, at = AlertStore(database), EPOCH + DAY * at_day
    opened = make_transition(name, episode=episode, at=at)
    await store.apply([opened], channels=["slack"])
    (alert,) = await store.apply([make_transition(name, Change.RESOLVED, episode=episode, at=at)], channels=[])
    if told:
        for delivery in await DeliveryStore(database).of_alert(alert.alert_id):
            await DeliveryStore(database).record_told([delivery.delivery_id], at=at)
    return alert


async def count(database: Database, name: str) -> int:
    async with database.reading() as connection:
        return int(
            (await connection.execute(select(func.count()).select_from(tables.metadata.tables[name]))).scalar_one()
        )


async def test_a_resolved_alert_goes_with_everything_about_it(database: Database) -> None:
    """A file that only grows ends in a full disk, and that costs alerts."""
    old = await resolved(database, "old")
    async with database.writing() as connection:
        row = {"alert_id": old.alert_id, "channel": "slack", "reference": "C1/1.2"}
        await connection.execute(insert(tables.threads), row)
    young = await resolved(database, "young", at_day=1.5)
    sweeper = after(database, 2, Kind.ALERTS)
    assert await sweeper.sweep() == {Kind.ALERTS: 1}
    assert [alert.alert_id for alert in await AlertStore(database).list()] == [young.alert_id]
    assert [await count(database, name) for name in ("transitions", "deliveries", "threads")] == [2, 1, 0]
    assert await sweeper.sweep() == {}
    assert sweeper.deleted == {Kind.ALERTS: 1}


async def test_what_is_open_or_waits_is_kept_however_old(database: Database) -> None:
    """A job that hangs for a year still hangs, and a message that could not be sent is still to be sent."""
    store = AlertStore(database)
    await store.apply([make_transition("fires")], channels=["slack"])
    deliveries = DeliveryStore(database)
    (told,) = await deliveries.load(await deliveries.due("slack", owner="me", now=EPOCH), now=EPOCH)
    await deliveries.record_told([told.delivery_id], at=EPOCH)
    waiting = await resolved(database, "waits", told=False)
    await MonitorStore(database).start(make_monitor(1))
    sweeper = after(database, 1000)
    assert set(await sweeper.sweep()) == {Kind.TRANSITIONS, Kind.AUDIT}, "the steps of the resolved one are old"
    assert {alert.subject.name for alert in await store.list()} == {"fires", "waits"}
    assert len(await deliveries.due("slack", owner="me", now=EPOCH + DAY * 1000)) == 1
    assert len(await DeliveryStore(database).of_alert(told.notification.alert.alert_id)) == 1
    assert len(await store.transitions(told.notification.alert.alert_id)) == 1
    assert await store.transitions(waiting.alert_id) == []
    assert len(await MonitorStore(database).active()) == 1


async def test_an_alert_id_is_never_given_twice(database: Database) -> None:
    """Whoever holds a link to alert 7 of a workload must not find another night's failure behind it."""
    for episode in (1, 2, 3):
        await resolved(database, "job", episode=episode)
    await AlertStore(database).apply([make_transition("other", episode=5)], channels=[])
    before = await AlertStore(database).last_episodes()
    sweeper = after(database, 2)
    await sweeper.sweep()
    assert await count(database, "alerts") == 1
    assert await AlertStore(database).last_episodes() == before
    assert before[AlertKind.WORKLOAD_UNHEALTHY, "id-job"] == 3


async def test_records_of_every_kind_have_their_own_time(database: Database) -> None:
    """An audit is kept longer than what it tells of."""
    old = required_text(EPOCH - timedelta(seconds=1))
    young = required_text(EPOCH + DAY)
    async with database.writing() as connection:
        for number, at in enumerate((old, young)):
            row = {"at": at, "author": "ann", "action": "test_sent", "target": "slack", "detail": ""}
            await connection.execute(insert(tables.audit), row)
            silence = {
                "silence_id": f"s{number}",
                "matchers": "[]",
                "author": "ann",
                "reason": "works",
                "starts_at": old,
            }
            await connection.execute(insert(tables.silences), {**silence, "ends_at": at})
    monitors = MonitorStore(database)
    await monitors.start(make_monitor(1))
    await monitors.stop(None, at=EPOCH - timedelta(seconds=1))
    await resolved(database, "told", at_day=-1)
    sweeper = after(database, 1, Kind.AUDIT, Kind.SILENCES, Kind.MONITORS, Kind.DELIVERIES)
    swept = await sweeper.sweep()
    assert swept.pop(Kind.AUDIT) > 1, "of the alert, its messages and the monitor too"
    assert swept == dict.fromkeys((Kind.SILENCES, Kind.MONITORS, Kind.DELIVERIES), 1)
    async with database.reading() as connection:
        kept = (await connection.execute(select(tables.audit.c.at))).scalars().all()
    assert young in kept
    assert old not in kept
    assert [await count(database, name) for name in ("silences", "monitors", "deliveries")] == [1, 0, 0]
    assert await count(database, "alerts") == 1


async def test_deletion_makes_room_for_others_between_its_batches(database: Database) -> None:
    """A sweep after a year's silence deletes a hundred thousand rows; an alert must not wait for that."""
    async with database.writing() as connection:
        row = {"at": required_text(EPOCH), "author": "", "action": "test_sent", "target": "", "detail": ""}
        await connection.execute(insert(tables.audit), [row] * (BATCH * 2 + 1))
    pauses: list[int] = []

    class Watched(FakeClock):
        async def sleep(self, seconds: float) -> None:
            pauses.append(await count(database, "audit"))

    sweeper = Retention(database, keep={Kind.AUDIT: DAY}, clock=Watched(EPOCH + DAY * 2))
    assert await sweeper.sweep() == {Kind.AUDIT: BATCH * 2 + 1}
    assert pauses == [BATCH + 1, 1]

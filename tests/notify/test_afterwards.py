"""When a silence has ended: what is still open is told, what is over is not, and nothing twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from runai_monitor.model.alert import Alert, AlertState, Change
from runai_monitor.model.notification import DeliveryState
from runai_monitor.model.silence import Silence, SilenceId
from runai_monitor.notify.afterwards import LOOK_SECONDS, Afterwards
from runai_monitor.operations.matchers import read_matchers
from runai_monitor.store import tables
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import Database, open_database
from runai_monitor.store.deliveries import DeliveryStore
from runai_monitor.store.silences import SilenceStore
from runai_monitor.store.untold import Untold, UntoldStore
from tests.factories import make_transition
from tests.fakes import EPOCH, FakeClock

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


class World:
    """The real stores, a silence of project ml-team for an hour, and time that obeys."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.alerts = AlertStore(database)
        self.silences = SilenceStore(database)
        self.wakes = 0
        self.afterwards: Afterwards[Untold] = Afterwards(
            untold=UntoldStore(database), silences=self.silences, clock=self.clock, outbox_wake=self._wake
        )

    def _wake(self) -> None:
        self.wakes += 1

    async def happens(self, change: Change, name: str = "job", project: str = "ml-team") -> Alert:
        (alert,) = await self.alerts.apply(
            [make_transition(name, change, project=project, at=self.clock.now())], channels=["slack"]
        )
        return alert

    async def outbox_looks(self) -> None:
        """What is due and silenced is settled as such; the rest is delivered."""
        table = tables.deliveries
        store = DeliveryStore(self.database)
        while due := await store.due("slack", now=self.clock.now()):
            for delivery in due:
                quiet = await self.silences.active(self.clock.now())
                if not quiet or delivery.notification.alert.subject.project != "ml-team":
                    await store.record_delivered(delivery.delivery_id, at=self.clock.now())
                    continue
                silenced = update(table).where(table.c.delivery_id == delivery.delivery_id)
                async with self.database.writing() as connection:
                    await connection.execute(silenced.values(state=str(DeliveryState.SILENCED)))

    async def told(self, alert: Alert) -> list[str]:
        found = await DeliveryStore(self.database).of_alert(alert.alert_id)
        return [f"{one.notification.change} {one.state}" for one in found]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await open_database(state_dir=tmp_path)
    try:
        there = World(database)
        silence = Silence(
            silence_id=SilenceId("si-1"),
            matchers=read_matchers(["project=ml-team"]),
            author="anna",
            reason="upgrade",
            starts_at=EPOCH,
            ends_at=EPOCH + HOUR,
        )
        await there.silences.create(silence, at=EPOCH)
        yield there
    finally:
        await database.aclose()


async def test_what_is_still_open_is_told_once_when_the_silence_ends(world: World) -> None:
    """Otherwise a failure that began during a maintenance is one that nobody ever hears of."""
    alert = await world.happens(Change.OPENED)
    await world.outbox_looks()
    await world.happens(Change.ESCALATED)
    await world.outbox_looks()
    assert await world.told(alert) == ["opened silenced", "escalated silenced"]
    await world.clock.advance(HOUR.total_seconds() - 1)
    assert await world.afterwards.look() == 0
    await world.clock.advance(1)
    assert await world.afterwards.look() == 1
    assert world.wakes == 1
    assert await world.told(alert) == ["opened silenced", "escalated silenced", "opened pending"]
    assert await world.afterwards.look() == 0, "once"
    (due,) = await DeliveryStore(world.database).due("slack", now=world.clock.now())
    assert (due.notification.alert.cursor, due.notification.reason.split(" after ")[0]) == (2, "still open")
    settled = (await DeliveryStore(world.database).of_alert(alert.alert_id))[:2]
    assert [one.told_by for one in settled] == [due.delivery_id, due.delivery_id]


async def test_what_was_told_before_and_got_worse_meanwhile_is_told_as_worse(world: World) -> None:
    """The channel knows of it, and not how bad it has become."""
    await world.silences.expire(SilenceId("si-1"), author="anna", at=world.clock.now())
    alert = await world.happens(Change.OPENED)
    await world.outbox_looks()
    quiet = Silence(
        silence_id=SilenceId("si-2"),
        matchers=read_matchers(["project=ml-team"]),
        author="anna",
        reason="again",
        starts_at=world.clock.now(),
        ends_at=world.clock.now() + HOUR,
    )
    await world.silences.create(quiet, at=world.clock.now())
    await world.happens(Change.ESCALATED)
    await world.happens(Change.REMINDED)
    await world.outbox_looks()
    await world.silences.expire(quiet.silence_id, author="anna", at=world.clock.now())
    assert await world.afterwards.look() == 1
    assert (await world.told(alert))[-1] == "escalated pending"


async def test_what_was_resolved_during_the_silence_stays_quiet(world: World) -> None:
    """[Alertmanager, docs/alertmanager.md, Silences] no notification is sent for it: neither that it was, nor its end."""
    alert = await world.happens(Change.OPENED)
    await world.outbox_looks()
    resolved = await world.happens(Change.RESOLVED)
    await world.outbox_looks()
    assert resolved.state is AlertState.RESOLVED, "recorded as ever"
    await world.clock.advance(HOUR.total_seconds())
    assert await world.afterwards.look() == 0
    assert await world.told(alert) == ["opened silenced", "resolved silenced"]


async def test_another_silence_that_matches_goes_on_keeping_it_quiet(world: World) -> None:
    """[Alertmanager] Any active silence is enough; and other projects were never silenced."""
    alert = await world.happens(Change.OPENED)
    other = await world.happens(Change.OPENED, "other", "vision")
    await world.outbox_looks()
    longer = Silence(
        silence_id=SilenceId("si-2"),
        matchers=read_matchers(["status=~OOM.*"]),
        author="ben",
        reason="known",
        starts_at=EPOCH,
        ends_at=EPOCH + 2 * HOUR,
    )
    await world.silences.create(longer, at=EPOCH)
    await world.clock.advance(HOUR.total_seconds())
    assert await world.afterwards.look() == 0
    assert await world.told(other) == ["opened delivered"]
    await world.clock.advance(HOUR.total_seconds())
    assert await world.afterwards.look() == 1
    assert await world.told(alert) == ["opened silenced", "opened pending"]


async def test_what_was_settled_a_moment_too_late_is_told_by_the_next_look(world: World) -> None:
    """The outbox may find a silence in its last instant, and say so after it has ended."""
    alert = await world.happens(Change.OPENED)
    assert await world.afterwards.look() == 0
    await world.clock.advance(HOUR.total_seconds())
    assert await world.afterwards.look() == 0
    table = tables.deliveries
    async with world.database.writing() as connection:
        await connection.execute(update(table).values(state=str(DeliveryState.SILENCED)))
    assert await world.afterwards.look() == 1
    assert await world.told(alert) == ["opened silenced", "opened pending"]


async def test_two_processes_that_look_at_once_tell_it_once(world: World) -> None:
    """A leader that has lost the lead may not know it yet."""
    await world.happens(Change.OPENED)
    await world.outbox_looks()
    store = UntoldStore(world.database)
    (untold,) = await store.silenced()
    at = EPOCH + timedelta(seconds=LOOK_SECONDS)
    assert await store.tell(untold, reason="r", at=at)
    assert not await store.tell(untold, reason="r", at=at)

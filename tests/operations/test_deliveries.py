"""Telling again what a channel did not take: through the tool, with the author on record, within the limit."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runai_monitor.errors import InputError, NotFoundError, RefusedError
from runai_monitor.model.audit import AuditAction
from runai_monitor.model.notification import Delivery, DeliveryState
from runai_monitor.operations.deliveries import DeliveryDesk, DeliveryParts
from runai_monitor.operations.scope import Scope
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.audit import AuditStore
from runai_monitor.store.database import Database, open_database
from runai_monitor.store.dead_letters import DeadLetterStore
from runai_monitor.store.deliveries import DeliveryStore
from tests.factories import make_transition
from tests.fakes import EPOCH, FakeClock

pytestmark = pytest.mark.anyio


@dataclass
class Office:
    """A desk on a real store with one dead letter per job and channel."""

    database: Database
    wakes: int = 0

    def desk(self, *, allowed: tuple[str, ...] | None = None, channels: tuple[str, ...] = ("slack",)) -> DeliveryDesk:
        async def parts() -> DeliveryParts:
            return DeliveryParts(dead_letters=DeadLetterStore(self.database), channels=channels, wake=self._wake)

        return DeliveryDesk(parts=parts, scope=Scope(allowed), clock=FakeClock())

    async def give_up(self, name: str, *, project: str = "ml-team", channel: str = "slack") -> int:
        store = DeliveryStore(self.database)
        await AlertStore(self.database).apply([make_transition(name, project=project)], channels=[channel])
        number = max(await store.due(channel, owner="me", now=EPOCH))
        await store.record_failed([number], error="404 no_service", at=EPOCH)
        return number

    async def of(self, name: str) -> list[Delivery]:
        return await DeliveryStore(self.database).of_alert(make_transition(name).alert_id)

    def _wake(self) -> None:
        self.wakes += 1


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    database = await open_database(state_dir=tmp_path)
    try:
        yield Office(database)
    finally:
        await database.aclose()


async def test_a_replay_begins_a_new_series_and_leaves_the_old_one_readable(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asks later why the alert came twice as late must find both, and who replayed it."""
    caplog.set_level(logging.WARNING)
    number = await office.give_up("train")
    outcome = await office.desk().replay(number, author="ana")
    assert (outcome.replayed, outcome.skipped, outcome.more) == ((number,), (), False)
    old, new = await office.of("train")
    assert (old.state, old.told_by, old.note) == (DeliveryState.GROUPED, new.delivery_id, "replayed by ana")
    assert (old.attempts, old.last_error) == (1, "404 no_service")
    assert (new.state, new.attempts, new.note) == (DeliveryState.PENDING, 0, f"replay of delivery {number} by ana")
    assert new.idempotency_key == old.idempotency_key
    assert "replayed by ana" in new.notification.reason
    assert office.wakes == 1
    async with AuditStore(office.database).reading(action=AuditAction.DELIVERY_REPLAYED) as entries:
        (entry,) = [entry async for entry in entries]
    assert (entry.author, f"delivery {number}" in entry.detail) == ("ana", True)
    assert f"delivery {number}" in caplog.text


async def test_all_means_what_may_be_seen_and_has_a_channel(office: Office) -> None:
    """Neither other teams' alerts, nor a channel that nobody configured: it would wait there for ever."""
    mine = [await office.give_up("a"), await office.give_up("b")]
    await office.give_up("secret", project="secret-lab")
    await office.give_up("paged", channel="pager")
    outcome = await office.desk(allowed=("ml-team",)).replay(None, author="ana")
    assert list(outcome.replayed) == mine
    assert outcome.skipped == (
        "one delivery is of channel pager, which is not configured here: configure it to replay",
    )
    assert (await office.desk(allowed=("ml-team",)).replay(None, author="ana")).replayed == ()


async def test_what_cannot_be_replayed_is_refused_in_words(office: Office) -> None:
    """Each refusal says what to do, and none tells what may not be seen."""
    secret = await office.give_up("secret", project="secret-lab")
    paged = await office.give_up("paged", channel="pager")
    number = await office.give_up("train")
    desk = office.desk(allowed=("ml-team",))
    with pytest.raises(NotFoundError, match=f"there is no delivery {secret}"):
        await desk.replay(secret, author="ana")
    with pytest.raises(NotFoundError, match="there is no delivery 999"):
        await desk.replay(999, author="ana")
    with pytest.raises(RefusedError, match="pager, which is not configured here"):
        await desk.replay(paged, author="ana")
    with pytest.raises(InputError, match="author"):
        await desk.replay(number, author=" ")
    await desk.replay(number, author="ana")
    with pytest.raises(RefusedError, match="is grouped; only failed ones are replayed"):
        await desk.replay(number, author="ana")


async def test_the_list_shows_what_was_given_up_first_of_all(office: Office) -> None:
    """It is what `deliveries --failed` prints."""
    number = await office.give_up("train")
    await AlertStore(office.database).apply([make_transition("fine")], channels=["slack"])
    desk = office.desk()
    assert [delivery.delivery_id for delivery in await desk.list(only_failed=True)] == [number]
    assert len(await desk.list()) == 2


async def test_a_limit_counts_what_may_be_seen(office: Office) -> None:
    """Another project's storm must not push the own dead letters out of the list, nor out of a replay."""
    mine = await office.give_up("train")
    for number in range(3):
        await office.give_up(f"theirs-{number}", project="research")
    found = await office.desk(allowed=("ml-team",)).list(only_failed=True, limit=1)
    assert [delivery.delivery_id for delivery in found] == [mine]

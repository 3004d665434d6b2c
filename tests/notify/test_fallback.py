"""The channel that stands in for another: whoever it told of a failure hears of its end, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runai_monitor.errors import DeliveryError
from runai_monitor.model.alert import Change
from runai_monitor.model.notification import DeliveryState
from runai_monitor.notify.storms import QuietOptions
from runai_monitor.notify.surroundings import StoredSurroundings, planner_of
from runai_monitor.store.database import Database, open_database
from runai_monitor.store.telling import TellingStore
from tests.factories import make_transition
from tests.notify.test_outbox import GONE, Sink, Stage

pytestmark = pytest.mark.anyio
OPTIONS = QuietOptions()
BOTH = ("slack", "mail")


class Night:
    """Slack that may refuse, mail that stands in for it, and the real planner on the real store."""

    def __init__(self, database: Database) -> None:
        self.stage = Stage(database)
        self.slack, self.mail = Sink("slack"), Sink("mail")
        self._told = TellingStore(database)

    async def pass_by(self, seconds: float = 60) -> None:
        """A process delivers for a while."""
        clock, busy = self.stage.clock, self.stage.busy
        told = StoredSurroundings(telling=busy.watching(self._told), silences=None, clock=clock, options=OPTIONS)
        async with self.stage.outbox(
            self.slack, self.mail, fallback="mail", planner=planner_of(OPTIONS), surroundings=told
        ):
            await clock.advance(seconds)

    async def happens(self, change: Change = Change.OPENED, *, channels: tuple[str, ...] = ("slack",)) -> None:
        """A change is stored: the opening for some channels, an answer as the store routes it."""
        transition = make_transition("train", change, at=self.stage.clock.now())
        answer = change in {Change.RESOLVED, Change.ACKNOWLEDGED}
        await self.stage.alerts.apply([transition], channels=BOTH if answer else channels)

    async def states(self, channel: str) -> list[tuple[Change, DeliveryState]]:
        found = await self.stage.store.of_alert(make_transition("train").alert_id)
        return [(one.notification.change, one.state) for one in found if one.channel == channel]


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Night]:
    database = await open_database(state_dir=tmp_path)
    try:
        yield Night(database)
    finally:
        await database.aclose()


def changes(sink: Sink) -> list[Change]:
    return [told.change for told in sink.taken]


async def test_the_end_goes_where_the_opening_was_told_instead(night: Night) -> None:
    """The ordinary case: refused at night, over in the morning."""
    night.slack.error = GONE
    await night.happens()
    await night.pass_by()
    await night.happens(Change.RESOLVED)
    await night.pass_by()
    assert changes(night.mail) == [Change.OPENED, Change.RESOLVED]
    assert await night.states("slack") == [
        (Change.OPENED, DeliveryState.FAILED),
        (Change.RESOLVED, DeliveryState.SUPPRESSED),
    ]


async def test_an_end_that_came_before_the_refusal_is_told_instead_too(night: Night) -> None:
    """When it was routed, nobody knew of the fallback: it stood only in Slack's queue, where it had become unheard."""
    await night.happens()
    await night.happens(Change.RESOLVED)
    night.slack.error = GONE
    await night.pass_by(300)
    assert changes(night.mail) == [Change.OPENED, Change.RESOLVED]
    assert await night.states("slack") == [
        (Change.OPENED, DeliveryState.FAILED),
        (Change.RESOLVED, DeliveryState.SUPPRESSED),
    ]


async def test_an_end_that_slack_does_not_take_any_more_is_told_instead(night: Night) -> None:
    """Its readers know of the failure; a webhook revoked meanwhile must not leave them with it."""
    await night.happens()
    await night.pass_by()
    night.slack.error = GONE
    await night.happens(Change.RESOLVED)
    await night.pass_by()
    assert changes(night.slack) == [Change.OPENED]
    (end,) = night.mail.taken
    assert end.change is Change.RESOLVED
    assert "slack did not take it" in end.reason


async def test_an_answer_is_told_once_though_the_fallback_gets_it_itself(night: Night) -> None:
    """It is routed to whoever was told, the fallback among them; a second one from Slack would only repeat it."""
    night.slack.error = GONE
    await night.happens()
    await night.pass_by()
    await night.happens(Change.ACKNOWLEDGED)
    await night.pass_by()
    await night.happens(Change.RESOLVED)
    await night.pass_by()
    assert changes(night.mail) == [Change.OPENED, Change.ACKNOWLEDGED, Change.RESOLVED]


async def test_where_only_the_opening_is_refused_both_hear_of_the_end(night: Night) -> None:
    """Slack took the next message after all: it has an alert to end, and so has the fallback."""
    first = [DeliveryError("slack does not take this message (413)", retryable=False)]

    async def refuse_once() -> None:
        night.slack.error = first.pop() if first else None

    night.slack.before = refuse_once
    await night.happens()
    await night.happens(Change.ESCALATED)
    await night.happens(Change.RESOLVED)
    await night.pass_by(300)
    assert changes(night.slack) == [Change.ESCALATED, Change.RESOLVED]
    assert changes(night.mail) == [Change.OPENED, Change.RESOLVED]

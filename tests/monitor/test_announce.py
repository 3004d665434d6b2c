"""From decisions to stored alerts: the book says what the store says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import Alert, AlertKind, AlertState, Change, Transition
from runai_monitor.monitor.announce import BATCH, Announcer
from runai_monitor.monitor.policy import Book
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import open_database
from tests.factories import make_transition
from tests.fakes import EPOCH

pytestmark = pytest.mark.anyio

KEY = (AlertKind.WORKLOAD_UNHEALTHY, "id-job")


@dataclass
class Sink:
    """The real store, observed."""

    store: AlertStore
    batches: list[int] = field(default_factory=list)
    full: bool = False

    async def apply(
        self,
        transitions: Sequence[Transition],
        *,
        channels: Sequence[str],
        route: Callable[[Alert], Sequence[str]] | None = None,
    ) -> list[Alert]:
        self.batches.append(len(transitions))
        if self.full:
            raise StoreError("the disk is full: free some space")
        return await self.store.apply(transitions, channels=channels, route=route)

    async def unresolved(self) -> list[Alert]:
        return await self.store.unresolved()

    async def resolved_since(self, since: datetime) -> list[Alert]:
        return await self.store.resolved_since(since)

    async def last_episodes(self) -> dict[tuple[AlertKind, str], int]:
        return await self.store.last_episodes()


async def test_the_book_follows_the_store(tmp_path: Path) -> None:
    """Also when the store knows better: another process told it, or ended it, a moment ago."""
    database = await open_database(state_dir=tmp_path, database_url=None)
    sink, book, pushed = Sink(AlertStore(database)), Book(), list[Alert]()
    announcer = Announcer(alerts=sink, book=book, channels=["slack"], outbox_wake=lambda: None, on_alerts=pushed.extend)
    try:
        opened = make_transition()
        resolved = dataclasses.replace(opened, change=Change.RESOLVED)
        sink.full = True
        assert await announcer.apply([opened]) is False
        assert (book.open, pushed, announcer.error) == ({}, [], "the disk is full: free some space")
        sink.full = False
        assert await announcer.apply([opened]) is True
        assert announcer.error is None
        assert (list(book.open), book.episodes[KEY], len(pushed)) == ([KEY], 1, 1)

        await sink.store.apply([resolved], channels=[])
        assert await announcer.apply([resolved]) is True
        assert (book.open, len(pushed)) == ({}, 1), "ended elsewhere: not open, and not told again"

        second = make_transition(episode=2)
        await sink.store.apply([second], channels=[])
        assert await announcer.apply([second]) is True
        assert (book.open[KEY].episode, book.episodes[KEY], len(pushed)) == (2, 2, 1), "told elsewhere: ours now"
    finally:
        await database.aclose()


async def test_the_book_hears_of_an_acknowledgement_and_of_nothing_older_than_itself(tmp_path: Path) -> None:
    """It was made through another process; what this one has stored since is newer."""
    database = await open_database(state_dir=tmp_path, database_url=None)
    store, book = AlertStore(database), Book()
    announcer = Announcer(alerts=store, book=book, channels=[], outbox_wake=lambda: None, on_alerts=lambda _: None)
    try:
        assert await announcer.apply([make_transition()])
        opened = book.open[KEY]
        found = await store.acknowledge(opened.alert_id, author="anna", note="", at=EPOCH, channels=[])
        assert found is not None
        announcer.hear(found[0])
        assert book.open[KEY].state is AlertState.ACKNOWLEDGED
        announcer.hear(opened)
        assert book.open[KEY].state is AlertState.ACKNOWLEDGED, "an old state that comes late"
        assert await announcer.apply([make_transition(change=Change.ESCALATED)])
        announcer.hear(found[0])
        assert book.open[KEY].cursor == 3
        assert await announcer.apply([make_transition(change=Change.RESOLVED)])
        announcer.hear(found[0])
        assert book.open == {}, "what is over stays over"
    finally:
        await database.aclose()


async def test_a_reminder_that_met_an_acknowledgement_is_dropped_and_the_book_is_put_right(tmp_path: Path) -> None:
    """Between deciding and storing somebody may press the button."""
    database = await open_database(state_dir=tmp_path, database_url=None)
    store, book, pushed = AlertStore(database), Book(), list[Alert]()
    announcer = Announcer(
        alerts=store, book=book, channels=["slack"], outbox_wake=lambda: None, on_alerts=pushed.extend
    )
    try:
        assert await announcer.apply([make_transition()])
        await store.acknowledge(book.open[KEY].alert_id, author="anna", note="", at=EPOCH, channels=[])
        assert await announcer.apply([make_transition(change=Change.REMINDED)])
        assert (book.open[KEY].state, len(pushed)) == (AlertState.ACKNOWLEDGED, 1)
    finally:
        await database.aclose()


async def test_many_transitions_are_several_transactions(tmp_path: Path) -> None:
    """A thousand alerts that end at once must not hold the database for seconds."""
    database = await open_database(state_dir=tmp_path, database_url=None)
    sink, book = Sink(AlertStore(database)), Book()
    announcer = Announcer(alerts=sink, book=book, channels=[], outbox_wake=lambda: None, on_alerts=lambda _: None)
    try:
        assert await announcer.apply([make_transition(f"job-{number}") for number in range(BATCH + 5)])
        assert sink.batches == [BATCH, 5]
        assert len(book.open) == BATCH + 5
        assert await announcer.apply([])
        assert sink.batches == [BATCH, 5]
    finally:
        await database.aclose()

"""However sinks answer and wherever processes die: nothing is lost, and nothing doubled that need not be."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from runai_monitor.errors import DeliveryError
from runai_monitor.model.alert import Change
from runai_monitor.model.notification import DeliveryState, Notification
from runai_monitor.notify.outbox import Outbox
from runai_monitor.notify.retry import RetryPolicy
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import open_database
from runai_monitor.store.deliveries import DeliveryStore
from tests.factories import make_transition
from tests.fakes import Busy, FakeClock

FATES = ("taken", "broken", "throttled", "dies before", "dies after", "dies instead of recording")


class Died(BaseException):
    """What `kill -9` is to the code: nothing after it runs."""


class World:
    """A sink and a store whose fates are drawn; counts what the sink took, and the deaths after an answer."""

    def __init__(self, fates: list[str]) -> None:
        self.fates = fates
        self.name = "slack"
        self.spacing_seconds = 1.0
        self.taken: list[Notification] = []
        self.excused: Counter[str] = Counter()
        self._die_recording = False

    async def send(self, notification: Notification) -> None:
        fate = self.fates.pop(0) if self.fates else "taken"
        if fate == "broken":
            raise DeliveryError("500", retryable=True)
        if fate == "throttled":
            raise DeliveryError("429", retryable=True, retry_after_seconds=3)
        if fate == "dies before":
            raise Died
        self.taken.append(notification)
        if fate != "taken":
            self.excused[notification.idempotency_key] += 1
        if fate == "dies after":
            raise Died
        self._die_recording = fate == "dies instead of recording"

    def over(self, store: DeliveryStore) -> Any:
        """The store, which takes the process along when it is told to."""
        world = self

        class Doomed:
            def __getattr__(self, name: str) -> Any:
                return getattr(store, name)

            async def record_told(self, *args: Any, **kwargs: Any) -> None:
                if world._die_recording:
                    world._die_recording = False
                    raise Died
                await store.record_told(*args, **kwargs)

        return Doomed()


async def live(world: World, store: DeliveryStore, clock: FakeClock, busy: Busy, *, seconds: float) -> None:
    """One process, until it dies or `seconds` are over."""
    outbox = Outbox(
        deliveries=busy.watching(world.over(store)),
        notifiers={"slack": world},
        clock=clock,
        policy=RetryPolicy(jitter=lambda ceiling: ceiling / 2),
    )

    async def run() -> None:
        await outbox.run(alone=True)

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            await clock.advance(seconds)
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        died, rest = group.split(Died)
        if rest is not None:
            raise
        assert died is not None


async def story(fates: list[str]) -> tuple[World, dict[DeliveryState, int]]:
    """Three alerts, one of which resolves; processes die and follow one another until every fate has come."""
    world, busy = World(list(fates)), Busy()
    clock = FakeClock(settle=busy.settle)
    with tempfile.TemporaryDirectory() as folder:
        database = await open_database(state_dir=Path(folder))
        try:
            store, alerts = DeliveryStore(database), AlertStore(database)
            await alerts.apply([make_transition(name, at=clock.now()) for name in "abc"], channels=["slack"])
            await alerts.apply([make_transition("a", Change.RESOLVED, at=clock.now())], channels=["slack"])
            while world.fates and DeliveryState.PENDING in (await store.counts())["slack"]:
                await live(world, store, clock, busy, seconds=20)
            await live(world, store, clock, busy, seconds=200)
            return world, (await store.counts())["slack"]
        finally:
            await database.aclose()


@settings(max_examples=40, deadline=None)
@given(fates=st.lists(st.sampled_from(FATES), max_size=12))
def test_nothing_is_lost_and_only_a_death_after_the_answer_doubles(fates: list[str]) -> None:
    """The promise of the outbox, in one place."""
    told: list[tuple[World, dict[DeliveryState, int]]] = []

    async def tell() -> None:
        with anyio.fail_after(30):
            told.append(await story(fates))

    anyio.run(tell)
    ((world, counts),) = told
    assert counts == {DeliveryState.DELIVERED: 4}
    times = Counter(message.idempotency_key for message in world.taken)
    assert len(times) == 4
    assert all(count <= 1 + world.excused[key] for key, count in times.items())
    order = [message.change for message in world.taken if message.alert.subject.name == "a"]
    assert order == sorted(order, key=[Change.OPENED, Change.RESOLVED].index)

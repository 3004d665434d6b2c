"""What channels were told and what was kept back, as the database has it, and what follows through the real outbox."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runai_monitor.model.alert import AlertId, AlertKind, AlertSubject, Change, Transition
from runai_monitor.model.notification import DeliveryState, Notification
from runai_monitor.model.silence import Matcher, MatchField, Silence, SilenceId
from runai_monitor.notify.outbox import Outbox
from runai_monitor.notify.storms import QuietOptions
from runai_monitor.notify.surroundings import StoredSurroundings, planner_of
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import Database, open_database
from runai_monitor.store.deliveries import DeliveryStore
from runai_monitor.store.telling import TellingStore
from tests.factories import make_transition
from tests.fakes import EPOCH, Busy, FakeClock

pytestmark = pytest.mark.anyio
SECOND = timedelta(seconds=1)


@dataclass
class Slack:
    """A channel that takes everything, and remembers it."""

    name: str = "slack"
    spacing_seconds: float = 1.0
    taken: list[Notification] = field(default_factory=list)

    async def send(self, notification: Notification) -> None:
        self.taken.append(notification)

    @property
    def titles(self) -> list[str]:
        return [n.digest.title if n.digest else f"{n.change} {n.alert.subject.name}" for n in self.taken]


@dataclass
class Silences:
    """Silences in force."""

    there: list[Silence] = field(default_factory=list)

    async def active(self, now: Any) -> list[Silence]:
        return [silence for silence in self.there if silence.ends_at > now]


class Stage:
    """The real store, planner and outbox; only the channel and the time are not."""

    def __init__(self, database: Database, clock: FakeClock, busy: Busy) -> None:
        self.clock, self.busy, self.database = clock, busy, database
        self.alerts, self.slack, self.silences = AlertStore(database), Slack(), Silences()
        options = QuietOptions()
        self.telling = TellingStore(database)
        self.outbox = Outbox(
            deliveries=busy.watching(DeliveryStore(database)),
            notifiers={"slack": self.slack},
            clock=clock,
            planner=planner_of(options),
            surroundings=StoredSurroundings(
                telling=busy.watching(self.telling), silences=self.silences, clock=clock, options=options
            ),
        )

    async def tell(self, *transitions: Transition) -> None:
        now = self.clock.now()
        await self.alerts.apply([dataclasses.replace(each, at=now) for each in transitions], channels=["slack"])
        self.outbox.wake()
        await self.busy.settle()

    async def states(self, name: str) -> list[tuple[DeliveryState, str]]:
        alert_id = make_transition(name).alert_id
        return [(d.state, d.note) for d in await DeliveryStore(self.database).of_alert(alert_id)]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    import anyio

    busy = Busy()
    clock = FakeClock(settle=busy.settle)
    database = await open_database(state_dir=tmp_path)
    async with anyio.create_task_group() as tasks:
        there = Stage(database, clock, busy)
        tasks.start_soon(there.outbox.run)
        await busy.settle()
        yield there
        tasks.cancel_scope.cancel()
    await database.aclose()


def on_node(name: str, change: Change = Change.OPENED, **fields: Any) -> Transition:
    made = make_transition(name, change, status="Failed", **fields)
    return dataclasses.replace(made, subject=dataclasses.replace(made.subject, nodes=("gpu-7",)))


def node(change: Change = Change.OPENED) -> Transition:
    subject = AlertSubject(id="node/gpu-7", name="gpu-7", type="Node")
    made = make_transition("gpu-7", change, kind=AlertKind.NODE_UNHEALTHY, status="NotReady")
    return dataclasses.replace(made, subject=subject, alert_id=AlertId("al-node"))


async def test_a_storm_is_grouped_in_the_records_and_its_end_counts_its_members(stage: Stage) -> None:
    """Each member says which message told it, and its end is told with the others'."""
    await stage.tell(*[on_node(f"job-{number}") for number in range(40)])
    assert stage.slack.titles == ["40 workloads fail on node gpu-7"]
    ((first, _),) = await stage.states("job-0")
    ((other, _),) = await stage.states("job-39")
    assert (first, other) == (DeliveryState.DELIVERED, DeliveryState.GROUPED)
    (grouped,) = await DeliveryStore(stage.database).of_alert(make_transition("job-39").alert_id)
    assert grouped.told_by == 1
    await stage.clock.advance(900)
    await stage.tell(*[on_node(f"job-{number}", Change.RESOLVED) for number in range(37)])
    await stage.clock.advance(30)
    await stage.tell(*[on_node(f"job-{number}", Change.RESOLVED) for number in range(37, 40)])
    await stage.clock.advance(600)
    assert stage.slack.titles[1:] == ["37 of 40 are over on node gpu-7", "All 40 are over on node gpu-7"]


async def test_a_restart_does_not_forget_what_a_storm_was_told(stage: Stage) -> None:
    """The next message of a storm waits for its interval in whatever process."""
    await stage.tell(*[on_node(f"job-{number}") for number in range(10)])
    again = TellingStore(stage.database)
    told = await again.lately("slack", since=EPOCH - SECOND)
    assert [(one.message, one.over, one.features.nodes) for one in told] == [(1, False, ("gpu-7",))] * 10
    assert await again.lately("slack", since=stage.clock.now() + SECOND) == []
    assert await again.lately("mail", since=EPOCH - SECOND) == []


async def test_a_silence_is_on_record_and_its_end_delivers_what_still_fires(stage: Stage) -> None:
    """Silenced is not lost: after an hour of maintenance the channel hears what is still wrong, once."""
    stage.silences.there.append(
        Silence(
            silence_id=SilenceId("sil-1"),
            matchers=(Matcher(field=MatchField.PROJECT, operator="=", value="ml-team"),),
            author="ann",
            reason="maintenance",
            starts_at=EPOCH,
            ends_at=EPOCH + timedelta(hours=1),
        )
    )
    await stage.tell(make_transition("a"), make_transition("b"))
    ((state, note),) = await stage.states("a")
    assert state is DeliveryState.SILENCED
    assert "sil-1 by ann" in note
    await stage.tell(make_transition("b", Change.RESOLVED))
    await stage.clock.advance(3700)
    assert stage.slack.titles == ["opened a"]
    assert "kept back" in stage.slack.taken[0].reason
    assert [state for state, _ in await stage.states("b")] == [DeliveryState.SILENCED] * 2


async def test_a_nodes_alert_inhibits_and_what_outlasts_it_is_delivered(stage: Stage) -> None:
    """Told once about the node; afterwards only about what did not come back with it."""
    await stage.tell(node())
    await stage.tell(*[on_node(f"job-{number}") for number in range(3)])
    await stage.clock.advance(2)
    ((state, note),) = await stage.states("job-0")
    assert state is DeliveryState.INHIBITED
    assert "al-node" in note
    await stage.clock.advance(300)
    await stage.tell(node(Change.RESOLVED))
    await stage.tell(on_node("job-0", Change.RESOLVED), on_node("job-1", Change.RESOLVED))
    await stage.clock.advance(600)
    assert stage.slack.titles == ["opened gpu-7", "resolved gpu-7", "opened job-2"]
    assert (await stage.states("job-0"))[-1][0] is DeliveryState.SUPPRESSED

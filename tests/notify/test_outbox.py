"""The outbox on a real store: outages, crashes, clocks that jump, disks that fill, channels that refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from runai_monitor.errors import DeliveryError, StoreError
from runai_monitor.model.alert import Change
from runai_monitor.model.diagnosis import Diagnosis, Evidence, Verdict
from runai_monitor.model.notification import Delivery, DeliveryState, Digest, Notification
from runai_monitor.notify.outbox import Outbox
from runai_monitor.notify.plan import Context, Message, Plan, Settled, plan
from runai_monitor.notify.retry import RetryPolicy
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import Database, open_database
from runai_monitor.store.deliveries import DeliveryStore
from tests.factories import make_transition
from tests.fakes import EPOCH, Busy, FakeClock

pytestmark = pytest.mark.anyio


class WallClock(FakeClock):
    """A clock that somebody sets."""

    def set(self, by: timedelta) -> None:
        self._start += by


class Sink:
    """A channel that does what it is told, and remembers what it took."""

    def __init__(self, name: str = "slack", *, spacing_seconds: float = 1) -> None:
        self.name = name
        self.spacing_seconds = spacing_seconds
        self.taken: list[Notification] = []
        self.attempts = 0
        self.error: DeliveryError | None = None
        self.before: Callable[[], Any] | None = None

    async def send(self, notification: Notification) -> None:
        self.attempts += 1
        if self.before is not None:
            await self.before()
        if self.error is not None:
            raise self.error
        self.taken.append(notification)

    @property
    def jobs(self) -> list[str]:
        return [told.alert.subject.name for told in self.taken]


class Stage:
    """A store, a clock, and outboxes that come and go."""

    def __init__(self, database: Database) -> None:
        self.busy = Busy()
        self.clock = WallClock(settle=self.busy.settle)
        self.store = DeliveryStore(database)
        self.alerts = AlertStore(database)

    async def fail(self, *names: str, channels: Sequence[str] = ("slack",), **fields: Any) -> None:
        transitions = [make_transition(name, at=self.clock.now(), **fields) for name in names]
        await self.alerts.apply(transitions, channels=channels)

    @asynccontextmanager
    async def outbox(
        self, *sinks: Sink, store: Any = None, alone: bool = True, **options: Any
    ) -> AsyncIterator[Outbox]:
        """Runs an outbox while the block lasts; leaving it is how a process ends in order."""
        options.setdefault("policy", RetryPolicy(jitter=lambda ceiling: ceiling))
        outbox = Outbox(
            deliveries=self.busy.watching(store or self.store),
            notifiers={sink.name: sink for sink in sinks},
            clock=self.clock,
            **options,
        )

        async def run() -> None:
            await outbox.run(alone=alone)

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run)
                yield outbox
                tasks.cancel_scope.cancel()

    async def of(self, name: str, channel: str = "slack") -> Delivery:
        """The latest delivery about a job to a channel."""
        found = await self.store.of_alert(make_transition(name).alert_id)
        return [delivery for delivery in found if delivery.channel == channel][-1]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    database = await open_database(state_dir=tmp_path)
    try:
        yield Stage(database)
    finally:
        await database.aclose()


DOWN = DeliveryError("slack answered 503", retryable=True)
GONE = DeliveryError("slack refuses this webhook (404)", retryable=False)
JOBS = [f"job-{number:02}" for number in range(20)]


async def test_after_an_hour_without_the_sink_everything_arrives_once_and_soon(stage: Stage) -> None:
    """Its own next attempt may be a quarter of an hour off for each message; nobody wants to wait for that."""
    sink = Sink()
    sink.error = DOWN
    await stage.fail(*JOBS)
    async with stage.outbox(sink):
        await stage.clock.advance(3600)
        assert sink.attempts < 100, "a sink that is down is not hammered"
        sink.error = None
        await stage.clock.advance(100)
    assert sorted(sink.jobs) == JOBS
    assert await stage.store.counts() == {"slack": {DeliveryState.DELIVERED: len(JOBS)}}


async def test_a_refusal_for_good_becomes_a_dead_letter_and_the_fallback_says_why(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """A revoked webhook must not be how a team learns in the morning that nobody was told at night."""
    slack, mail = Sink("slack"), Sink("mail")
    slack.error = GONE
    await stage.fail("train", channels=["slack"])
    async with stage.outbox(slack, mail, fallback="mail"):
        await stage.clock.advance(10)
    dead, instead = await stage.of("train"), await stage.of("train", "mail")
    assert (dead.state, dead.last_error, slack.attempts) == (DeliveryState.FAILED, str(GONE), 1)
    assert (instead.state, instead.note) == (DeliveryState.DELIVERED, f"instead of delivery {dead.delivery_id}")
    (told,) = mail.taken
    assert str(GONE) in told.reason
    assert told.idempotency_key != dead.idempotency_key
    assert f"NOT delivered to slack (delivery {dead.delivery_id})" in caplog.text


async def test_a_fallback_that_refuses_ends_there(stage: Stage) -> None:
    """Two broken channels must not send each other's failures for ever."""
    slack, mail = Sink("slack"), Sink("mail")
    slack.error = mail.error = GONE
    await stage.fail("train", channels=["slack", "mail"])
    async with stage.outbox(slack, mail, fallback="mail"):
        await stage.clock.advance(30)
    assert await stage.store.counts() == {"slack": {DeliveryState.FAILED: 1}, "mail": {DeliveryState.FAILED: 2}}


async def test_what_no_attempt_delivers_is_given_up_when_its_time_is_over(stage: Stage) -> None:
    """For ever pending would look like soon delivered."""
    sink = Sink()
    sink.error = DOWN
    await stage.fail("train")
    async with stage.outbox(sink, policy=RetryPolicy(give_up_hours=0.5, jitter=lambda ceiling: ceiling)):
        await stage.clock.advance(1700)
        assert (await stage.of("train")).state is DeliveryState.PENDING
        await stage.clock.advance(1100)
    dead = await stage.of("train")
    assert dead.state is DeliveryState.FAILED
    assert dead.last_error == f"given up after 0.5 h: {DOWN}"


@pytest.mark.parametrize(("spacing", "seconds"), [(1, 300), (0.5, 150), (0, 1)], ids=["slack", "pagerduty", "webhook"])
async def test_a_burst_goes_out_as_fast_as_the_service_allows_and_no_faster(
    stage: Stage, spacing: float, seconds: int
) -> None:
    """Slack wants one a second; a pager whose three hundredth incident comes five minutes late is no pager."""
    sink = Sink(spacing_seconds=spacing)
    burst = [f"burst-{number:03}" for number in range(300)]
    await stage.fail(*burst)
    async with stage.outbox(sink):
        await stage.clock.advance(seconds / 2 - spacing / 2)
        assert len(sink.taken) == (150 if spacing else 300)
        await stage.clock.advance(seconds / 2)
    assert sink.jobs == burst


@pytest.mark.parametrize("days", [3, -3], ids=["forward", "backward"])
async def test_a_clock_that_jumps_loses_and_delays_nothing(stage: Stage, days: int) -> None:
    """Three days that a clock jumped over are no time of trying, and three that it fell back are not waited for."""
    sink = Sink()
    sink.error = DOWN
    await stage.fail("old")
    async with stage.outbox(sink):
        await stage.clock.advance(900)
        stage.clock.set(timedelta(days=days))
        await stage.clock.advance(900)
        assert (await stage.of("old")).state is DeliveryState.PENDING
        sink.error = None
        await stage.fail("new")
        await stage.clock.advance(100)
    assert Counter(sink.jobs) == {"old": 1, "new": 1}


async def test_a_message_from_before_the_clock_was_set_back_is_sent_at_once(stage: Stage) -> None:
    """It was stored for an instant that will come only in an hour."""
    sink = Sink()
    await stage.fail("train")
    stage.clock.set(timedelta(hours=-1))
    async with stage.outbox(sink):
        await stage.clock.advance(1)
    assert sink.jobs == ["train"]


async def test_a_message_that_waits_for_its_next_attempt_does_not_wait_for_a_clock(stage: Stage) -> None:
    """A clock that was an hour fast and is corrected would make an hour of two seconds."""
    sink = Sink()
    sink.error = DOWN
    await stage.fail("train")
    async with stage.outbox(sink):
        await stage.clock.advance(1)
        sink.error = None
        stage.clock.set(timedelta(hours=-1))
        await stage.clock.advance(10)
    assert sink.jobs == ["train"]


async def test_a_channel_that_hangs_holds_up_no_other(stage: Stage) -> None:
    """One dead mail server must not silence Slack."""
    slack, mail = Sink("slack"), Sink("mail")
    answered = anyio.Event()
    mail.before = answered.wait
    await stage.fail(*JOBS[:5], channels=["mail", "slack"])
    async with stage.outbox(slack, mail):
        await stage.clock.advance(10)
        assert slack.jobs == JOBS[:5]
        assert mail.attempts == 1
        answered.set()


async def test_the_changes_of_an_alert_arrive_in_their_order(stage: Stage) -> None:
    """A resolve that overtakes its failure would send somebody to a healthy job."""
    sink = Sink()
    sink.error = DOWN
    await stage.fail("a")
    async with stage.outbox(sink):
        await stage.clock.advance(0.5)
        await stage.fail("a", change=Change.RESOLVED)
        await stage.fail("b")
        sink.error = None
        await stage.clock.advance(20)
    told = [(notification.alert.subject.name, notification.change) for notification in sink.taken]
    assert told == [("b", Change.OPENED), ("a", Change.OPENED), ("a", Change.RESOLVED)]


async def test_a_pause_that_a_channel_asked_for_outlives_the_process(stage: Stage) -> None:
    """A server that starts again and posts at once earns the next, longer 429."""
    sink = Sink()
    sink.error = DeliveryError("429", retryable=True, retry_after_seconds=600)
    await stage.fail("a", "b")
    async with stage.outbox(sink):
        await stage.clock.advance(5)
    sink.error = None
    async with stage.outbox(sink):
        await stage.clock.advance(590)
        assert sink.attempts == 1
        await stage.clock.advance(30)
    assert sorted(sink.jobs) == ["a", "b"]


async def test_a_process_that_ends_finishes_the_message_it_is_sending(stage: Stage) -> None:
    """Broken off after the sink took it, it would be sent again by the next process."""
    sink = Sink()
    under_way, answer = anyio.Event(), anyio.Event()

    async def slowly() -> None:
        under_way.set()
        await answer.wait()

    sink.before = slowly
    await stage.fail("train")
    async with anyio.create_task_group() as tasks, stage.outbox(sink):
        await under_way.wait()
        tasks.start_soon(_soon, answer)
    assert (await stage.of("train")).state is DeliveryState.DELIVERED


async def _soon(answer: anyio.Event) -> None:
    await anyio.lowlevel.checkpoint()
    answer.set()


async def test_what_a_dead_process_was_sending_is_sent_again_with_the_same_key(stage: Stage) -> None:
    """It died between the answer and the record: once more is right, a new key would be a second alert."""
    await stage.fail("a", "b")
    first, _ = await stage.store.load(await stage.store.due("slack", owner="dead", now=EPOCH), now=EPOCH)
    lease = EPOCH + timedelta(seconds=30)
    assert await stage.store.claim([first.delivery_id], owner="dead", now=EPOCH, until=lease)
    sink = Sink()
    async with stage.outbox(sink, alone=False):  # somebody may be sending still
        await stage.clock.advance(25)
        assert sink.jobs == ["b"]
        await stage.clock.advance(10)
    assert sink.jobs == ["b", "a"]
    assert sink.taken[1].idempotency_key == first.idempotency_key


async def test_a_process_that_is_alone_does_not_wait_for_the_leases_of_the_dead(stage: Stage) -> None:
    """The kernel says that nobody else is left: waiting would only delay."""
    await stage.fail("a")
    lease = EPOCH + timedelta(seconds=30)
    assert await stage.store.claim([1], owner="dead", now=EPOCH, until=lease)
    sink = Sink()
    async with stage.outbox(sink, alone=True):
        await stage.clock.advance(1)
    assert sink.jobs == ["a"]


async def test_two_processes_at_once_send_each_message_once(stage: Stage) -> None:
    """Two may believe they lead for a moment; a lease is what keeps them apart."""
    await stage.fail(*JOBS)
    one, other = Sink(), Sink()
    async with stage.outbox(one, alone=False), stage.outbox(other, alone=False):
        await stage.clock.advance(60)
    assert sorted(one.jobs + other.jobs) == JOBS


class FullStore:
    """A store whose disk is full at times."""

    def __init__(self, store: DeliveryStore) -> None:
        self._store = store
        self.full = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        async def write(*args: Any, **kwargs: Any) -> Any:
            if self.full and not name.startswith(("due", "load", "next", "paused")):
                raise StoreError("nothing was stored: the disk is full")
            return await method(*args, **kwargs)

        return write


async def test_while_nothing_can_be_recorded_nothing_is_sent(stage: Stage) -> None:
    """Sending without a record would repeat the message for as long as the disk is full."""
    sink, store = Sink(), FullStore(stage.store)
    store.full = True
    await stage.fail("a", "b")
    async with stage.outbox(sink, store=store):
        await stage.clock.advance(600)
        assert sink.attempts == 0
        store.full = False
        await stage.clock.advance(60)
    assert sink.jobs == ["a", "b"]


async def test_a_disk_that_fills_between_answer_and_record_doubles_nothing(stage: Stage) -> None:
    """What the sink took is recorded as soon as that is possible, and not sent before."""
    sink, store = Sink(), FullStore(stage.store)

    async def fills() -> None:
        store.full = True

    sink.before = fills
    await stage.fail("a", "b")
    async with stage.outbox(sink, store=store):
        await stage.clock.advance(600)
        assert sink.jobs == ["a"]
        sink.before, store.full = None, False
        await stage.clock.advance(100)
    assert sink.jobs == ["a", "b"]


async def test_a_plan_decides_what_is_told_together_what_never_and_what_later(stage: Stage) -> None:
    """Quiet by design is built on this: a digest is one message, and each of its deliveries says who told it."""
    seen: list[int] = []

    def grouping(due: Sequence[Delivery], context: Context, *, now: datetime) -> Plan:
        assert context == Context()
        seen.append(len(due))
        if now < EPOCH + timedelta(seconds=20):
            return Plan(wake_at=EPOCH + timedelta(seconds=20))
        quiet = tuple(d for d in due if d.notification.alert.subject.name == "job-00")
        told = tuple(d for d in due if d not in quiet)
        digest = Digest(title="many", members=tuple(d.notification for d in told))
        settled = Settled(
            delivery_ids=tuple(d.delivery_id for d in quiet), state=DeliveryState.SILENCED, note="silenced by ana"
        )
        return Plan(messages=(Message(deliveries=told, digest=digest),) if told else (), settled=(settled,))

    sink = Sink()
    await stage.fail(*JOBS)
    async with stage.outbox(sink, planner=grouping):
        await stage.clock.advance(19)
        assert sink.attempts == 0
        await stage.clock.advance(2)
    assert max(seen) == len(JOBS)
    (message,) = sink.taken
    assert message.digest is not None
    assert len(message.digest.members) == len(JOBS) - 1
    root = await stage.of("job-01")
    assert await stage.store.counts() == {
        "slack": {DeliveryState.DELIVERED: 1, DeliveryState.GROUPED: len(JOBS) - 2, DeliveryState.SILENCED: 1}
    }
    assert (await stage.of("job-07")).told_by == root.delivery_id
    assert (await stage.of("job-00")).note == "silenced by ana"


async def test_a_digest_that_fails_is_tried_again_and_fails_as_a_whole(stage: Stage) -> None:
    """Its members must not come one by one because their message was refused."""

    def together(due: Sequence[Delivery], context: Context, *, now: datetime) -> Plan:
        del context, now
        return Plan(messages=(Message(deliveries=tuple(due)),) if due else ())

    sink = Sink()
    sink.error = DOWN
    await stage.fail(*JOBS)
    async with stage.outbox(sink, planner=together):
        await stage.clock.advance(20)
        sink.error = None
        await stage.clock.advance(60)
    assert len(sink.taken) == 1
    states: Mapping[DeliveryState, int] = (await stage.store.counts())["slack"]
    assert states == {DeliveryState.DELIVERED: 1, DeliveryState.GROUPED: len(JOBS) - 1}


async def test_thousands_that_wait_are_planned_light_and_sent_whole(stage: Stage) -> None:
    """A storm of reports would fill the memory; the message that is sent still has its own."""
    evidence = Evidence(id="e1", source="log", observed_at=EPOCH, excerpt="CUDA out of memory")
    diagnosis = Diagnosis(
        verdict=Verdict.FAILURE, confidence=0.9, generated_at=EPOCH, evidence=(evidence,), markdown="# Report"
    )
    planned: list[Delivery] = []

    def one_by_one(due: Sequence[Delivery], context: Context, *, now: datetime) -> Plan:
        planned.extend(due)
        return plan(due, context, now=now)

    sink = Sink()
    await stage.fail("train", diagnosis=diagnosis)
    async with stage.outbox(sink, planner=one_by_one):
        await stage.clock.advance(1)
    (kept,) = {delivery.notification.alert.diagnosis for delivery in planned}
    assert kept is not None
    assert (kept.evidence, kept.markdown, kept.verdict) == ((), "", Verdict.FAILURE)
    assert sink.taken[0].alert.diagnosis == diagnosis

"""A new alert is stored and pushed before it is diagnosed; the channels are told once, with the diagnosis."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import anyio
import pytest

from runai_monitor.model.alert import AlertState, Severity
from runai_monitor.model.workload import WorkloadDetail, WorkloadId
from runai_monitor.monitor.queue import WorkQueue
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.deliveries import DeliveryStore
from tests.factories import end, ended, make_pod, running
from tests.monitor.world import World

pytestmark = pytest.mark.anyio


async def killed(world: World, name: str = "train") -> None:
    """A monitor has seen a healthy workload; now its container is OOMKilled."""
    assert world.kube is not None
    world.kube.put(make_pod(name, None, ended(137, "OOMKilled", at=world.clock.now())))
    await world.pass_by(seconds=2)


async def begun(world: World, *names: str) -> None:
    assert world.kube is not None
    for name in names:
        world.runai.put(name)
        world.kube.put(make_pod(name))
    await world.monitor()


async def test_the_push_does_not_wait_for_the_diagnosis_and_the_channels_do(world: World) -> None:
    """An agent may start to look at once; a person who is woken wants to know why."""
    await begun(world, "train")
    async with world.running():
        await world.pass_by(minutes=1)
        world.diagnoser.waits = anyio.Event()
        await killed(world)
        (alert,) = await world.alerts()
        assert (alert.awaits_diagnosis, alert.notifications, len(world.pushed)) == (True, 0, 1)
        assert await world.slack() == []
        world.diagnoser.waits.set()
        await world.pass_by(seconds=1)
        (alert,) = await world.alerts()
        assert (alert.awaits_diagnosis, alert.notifications, len(world.pushed)) == (False, 1, 2)
        assert alert.diagnosis is not None
        assert alert.recommendations == ("raise the limit",)
        assert await world.slack() == ["opened train OOMKilled"]
        assert await world.history("train") == ["opened: a new failure"]


@pytest.mark.parametrize("how", ["while it is diagnosed", "while it waits for its turn"])
async def test_a_process_that_ends_before_the_diagnosis_leaves_nothing_untold(world: World, how: str) -> None:
    """The alert is in the store and no channel knows: the next process makes up for it, once."""
    names = ["train"] if how == "while it is diagnosed" else [f"job-{number}" for number in range(12)]
    await begun(world, *names)
    async with world.running():
        await world.pass_by(minutes=1)
        world.diagnoser.waits = anyio.Event()
        for name in names:
            await killed(world, name)
        assert len(await world.alerts()) == len(names)
        assert await world.slack() == []
    world.diagnoser.waits = None
    for _ in range(2):
        async with world.running():
            await world.pass_by(minutes=1)
            assert sorted(await world.slack()) == sorted(f"opened {name} OOMKilled" for name in names)
    assert len(await world.alerts()) == len(names)
    assert all(alert.diagnosis is not None and alert.notifications == 1 for alert in await world.alerts())


@pytest.mark.parametrize("meanwhile", ["it failed for good", "it recovered"])
async def test_what_changed_while_no_process_ran_is_told_after_its_opening_and_that_with_its_diagnosis(
    world: World, meanwhile: str
) -> None:
    """A killed server must not cost the reason, nor the whole message where the container came up again by itself."""
    assert world.kube is not None
    await begun(world, "train")
    async with world.running():
        await world.pass_by(minutes=1)
        world.diagnoser.waits = anyio.Event()
        await killed(world)
    world.diagnoser.waits = None
    if meanwhile == "it recovered":
        killed_before = end(137, "OOMKilled", at=world.clock.now())
        world.kube.put(make_pod("train", None, running(world.clock.now(), after=killed_before)))
        await world.pass_by(minutes=10)
    else:
        world.runai.put("train", "Failed")
    async with world.running():
        await world.pass_by(minutes=5)
        told = await world.slack()
        (alert,) = await world.alerts()
    assert told[0] == "opened train OOMKilled"
    assert alert.diagnosis is not None
    if meanwhile == "it recovered":
        assert told[1:] == ["resolved train OOMKilled"]
    else:
        assert (told[1:], alert.terminal) == ([], True)


async def test_what_was_pushed_is_told_though_its_monitor_is_over_when_the_next_process_starts(world: World) -> None:
    """Nobody watches the workload any more, so nothing else would ever tell the channels of its failure."""
    assert world.kube is not None
    world.runai.put("train")
    world.kube.put(make_pod("train"))
    await world.monitor(ends_at=world.clock.now() + timedelta(minutes=5))
    async with world.running():
        await world.pass_by(minutes=1)
        world.diagnoser.waits = anyio.Event()
        await killed(world)
    await world.pass_by(minutes=10)
    for _ in range(2):
        async with world.running():
            await world.pass_by(minutes=1)
            assert await world.slack() == ["opened train OOMKilled"]


async def test_who_acknowledges_before_the_channels_are_told_is_named_to_them(world: World) -> None:
    """A pager that gets the opening alone would go on calling people for what somebody takes care of."""
    await begun(world, "train")
    async with world.running():
        await world.pass_by(minutes=1)
        world.diagnoser.waits = anyio.Event()
        await killed(world)
        (alert,) = await world.alerts()
        store = AlertStore(world.database)
        await store.acknowledge(alert.alert_id, author="anna", note="at it", at=world.clock.now(), channels=["slack"])
        assert await world.slack() == []
        world.diagnoser.waits.set()
        await world.pass_by(seconds=1)
        assert await world.slack() == ["opened train OOMKilled", "acknowledged train OOMKilled"]
        (alert,) = await world.alerts()
        assert (alert.state, alert.diagnosis is not None) == (AlertState.ACKNOWLEDGED, True)
    opened, acknowledged = await DeliveryStore(world.database).of_alert(alert.alert_id)
    assert acknowledged.notification.reason == "acknowledged by anna: at it"
    assert opened.idempotency_key != acknowledged.idempotency_key


async def test_an_opening_that_flaps_is_not_told_because_a_process_ended(world: World) -> None:
    """That it flaps was told: a restart is no reason to tell it again."""
    assert world.kube is not None
    await begun(world, "train")
    async with world.running():
        await world.pass_by(minutes=1)
        for _ in range(2):
            await killed(world)
            world.kube.put(make_pod("train", None, running(world.clock.now())))
            await world.pass_by(minutes=3)
        told = await world.slack()
        world.diagnoser.waits = anyio.Event()
        await killed(world)
    world.diagnoser.waits = None
    async with world.running():
        await world.pass_by(minutes=1)
        assert await world.slack() == told
        assert [alert.awaits_diagnosis for alert in await world.alerts()] == [False, False, False]


async def test_a_diagnosis_that_fails_holds_nothing_back(world: World) -> None:
    """A defect in a rule costs the reason, never the message."""
    await begun(world, "train")
    async with world.running():
        await world.pass_by(minutes=1)
        world.diagnoser.breaks = True
        await killed(world)
        assert await world.slack() == ["opened train OOMKilled"]
        assert [alert.awaits_diagnosis for alert in await world.alerts()] == [False]


async def test_what_was_suspended_while_it_was_diagnosed_wakes_nobody(world: World) -> None:
    """Somebody was at it already: the alert ends, and no channel ever hears of it."""
    await begun(world, "train")
    async with world.running():
        await world.pass_by(minutes=1)
        world.diagnoser.waits = anyio.Event()
        await killed(world)
        world.runai.put("train", "Stopped")
        await world.pass_by(minutes=1)
        world.diagnoser.waits.set()
        await world.pass_by(minutes=1)
        assert [alert.state for alert in await world.alerts()] == [AlertState.RESOLVED]
        assert await world.slack() == []


async def test_without_a_diagnosis_there_is_one_push(world: World) -> None:
    """A monitor that does not troubleshoot has nothing to wait for."""
    assert world.kube is not None
    world.runai.put("train")
    world.kube.put(make_pod("train"))
    await world.monitor(auto_troubleshoot=False)
    async with world.running():
        await world.pass_by(minutes=1)
        await killed(world)
        assert await world.slack() == ["opened train OOMKilled"]
        assert [dataclasses.asdict(alert)["notifications"] for alert in world.pushed] == [1]


async def test_the_most_severe_and_then_the_newest_have_the_next_turn() -> None:
    """In a storm of ten thousand what matters most is diagnosed first, a few at a time."""
    order: list[tuple[str, bool]] = []
    ends = anyio.Event()

    async def work(name: str, waited: bool) -> None:  # as the queue calls it
        order.append((name, waited))
        await ends.wait()

    queue = WorkQueue(work, at_once=1)
    async with anyio.create_task_group() as tasks:
        for name, severity in (
            ("first", Severity.INFO),
            ("old", Severity.CRITICAL),
            ("warning", Severity.WARNING),
            ("new", Severity.CRITICAL),
        ):
            queue.put(name, rank=severity.rank, tasks=tasks)
            await anyio.wait_all_tasks_blocked()
        assert (queue.working, queue.waiting) == (1, 3)
        ends.set()
    assert order == [("first", False), ("new", True), ("old", True), ("warning", True)]
    assert (queue.working, queue.waiting) == (0, 0)


async def test_in_a_storm_one_poll_says_what_has_become_of_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control plane that is asked about each of ten thousand at once refuses to answer, or is late for all."""
    names = [f"job-{number}" for number in range(400)]
    await begun(world, *names)
    read = world.runai.get_workload

    async def slowly(workload_id: WorkloadId) -> WorkloadDetail:
        await world.clock.sleep(1)
        return await read(workload_id)

    monkeypatch.setattr(world.runai, "get_workload", slowly)
    async with world.running():
        await world.pass_by(seconds=70)
        world.runai.asked.clear()
        world.diagnoser.waits = anyio.Event()
        assert world.kube is not None
        for name in names:
            world.kube.put(make_pod(name, None, ended(137, "OOMKilled", at=world.clock.now())))
        await world.pass_by(seconds=20)
        assert len(await world.alerts()) == 400
        assert 32 <= world.runai.count("get") < 300

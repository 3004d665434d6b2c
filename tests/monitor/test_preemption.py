"""A workload that waits because its resources were taken: one wait, one alert, whatever is known first."""

from __future__ import annotations

import anyio
import pytest

from runai_monitor.errors import RunaiUnavailableError
from runai_monitor.model.workload import WorkloadEvent, WorkloadId
from tests.factories import make_pod, waiting
from tests.monitor.world import World

pytestmark = pytest.mark.anyio


async def test_why_a_workload_waits_is_read_before_it_is_told(world: World) -> None:
    """The pod that waits says nothing of the one that was preempted; "stuck for minutes" would send people searching."""
    assert world.kube is not None
    world.runai.put("train")
    world.kube.put(make_pod("train"))
    await world.monitor(poll_interval_seconds=600)
    async with world.running():
        await world.pass_by(minutes=9)
        world.kube.put(make_pod("train", None, waiting(None), pod_phase="Pending"))
        world.runai.put("train", "Pending", phase_updated_at=world.clock.now())
        await world.pass_by(minutes=2)
        assert world.runai.count("events") == 0
        world.runai.tell("train", "Evict", "the pod was preempted by a workload of higher priority")
        await world.pass_by(minutes=12)
        assert await world.slack() == ["opened train Preempted"]


async def test_a_workload_that_was_told_as_stuck_is_not_told_again_as_preempted(world: World) -> None:
    """Run:ai kept its events back when they were asked for: the alert says why as soon as that is known."""
    assert world.kube is not None
    world.runai.put("train")
    await world.monitor()
    refused = True
    told = world.runai.list_events

    async def flaky(workload_id: WorkloadId, *, limit: int = 200) -> list[WorkloadEvent]:
        if refused:
            raise RunaiUnavailableError("503")
        return await told(workload_id, limit=limit)

    world.runai.list_events = flaky  # type: ignore[method-assign]
    async with world.running():
        await world.pass_by(minutes=1)
        world.runai.put("train", "Pending")
        world.kube.put(make_pod("train", None, waiting(None), pod_phase="Pending"))
        world.runai.tell("train", "Evict", "the pod was preempted by a workload of higher priority")
        await world.pass_by(minutes=11)
        assert await world.open() == {"train": "Pending"}
        refused = False
        await world.pass_by(minutes=2)
        (alert,) = await world.alerts()
        assert (alert.status, alert.severity, alert.kind) == ("Preempted", "warning", "workload_unhealthy")
        assert (await world.history("train"))[1] == "escalated: Pending became Preempted"
        world.runai.put("train", "Creating")
        await world.pass_by(minutes=5)
        assert await world.open() == {"train": "Preempted"}, "it runs again, or it is not over"
        world.runai.put("train", "Running")
        world.kube.put(make_pod("train"))
        await world.pass_by(minutes=5)
        assert await world.slack() == ["opened train Pending", "resolved train Preempted"]


async def test_what_becomes_known_while_an_alert_is_prepared_does_not_make_a_second(world: World) -> None:
    """A diagnosis takes its time: the reason comes meanwhile, and belongs to the alert that is on its way."""
    world.runai.put("train")
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        world.diagnoser.waits = anyio.Event()
        world.runai.put("train", "Pending")
        await world.pass_by(minutes=11)
        assert world.diagnoser.diagnosed == ["train"]
        world.runai.tell("train", "Evict", "the pod was preempted by a workload of higher priority")
        await world.pass_by(minutes=2)
        world.diagnoser.waits.set()
        await world.pass_by(minutes=1)
        assert [(alert.status, alert.episode) for alert in await world.alerts()] == [("Preempted", 1)]
        assert await world.slack() == ["opened train Pending"]


async def test_a_preempted_workload_whose_events_are_forgotten_is_not_told_as_stuck(world: World) -> None:
    """Hundreds of refusals to schedule push the eviction out of what is read, or a new process never read it."""
    assert world.kube is not None
    world.runai.put("train")
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        world.runai.put("train", "Pending")
        world.runai.tell("train", "Evict", "the pod was preempted by a workload of higher priority")
        await world.pass_by(minutes=5)
        assert await world.slack() == ["opened train Preempted"]
        world.runai.events.clear()
        await world.pass_by(hours=1)
        assert await world.open() == {"train": "Preempted"}
    async with world.running():
        await world.pass_by(hours=1)
        assert await world.slack() == ["opened train Preempted"]
        world.runai.put("train", "Running")
        await world.pass_by(minutes=5)
        assert await world.slack() == ["opened train Preempted", "resolved train Preempted"]

"""Workloads that fail in the same second: each of their first reports knows the others."""

from __future__ import annotations

from typing import Any, cast

import pytest

from runai_monitor.diagnosis.diagnose import Diagnoser
from runai_monitor.model.diagnosis import Diagnosis
from runai_monitor.model.workload import Workload
from runai_monitor.monitor.engine import Engine
from runai_monitor.store.history import HistoryStore
from tests.factories import ended, make_pod
from tests.monitor.world import World

pytestmark = pytest.mark.anyio
IMAGE = "registry.example.com/llm/train:4.2"


class Diagnosing:
    """The real diagnoser, over Run:ai alone, with the store and with what the engine watches."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.engine: Engine | None = None

    async def diagnose(self, workload: Workload) -> Diagnosis:
        assert self.engine is not None
        world = self._world
        diagnoser = Diagnoser(
            runai=cast("Any", world.runai),
            kube=None,
            clock=world.clock,
            history=world.busy.watching(HistoryStore(world.database, projects=None)),
            live=self.engine.failing_beside,
        )
        return await diagnoser.diagnose(workload)


async def reports(world: World) -> dict[str, str]:
    """The first reports of everything that fails, by name."""
    found = {alert.subject.name: alert.diagnosis for alert in await world.alerts()}
    return {name: told.markdown.replace("\\", "") for name, told in found.items() if told is not None}


async def test_a_burst_is_told_as_one_in_the_first_report_of_each(world: World) -> None:
    """A bad node, image or quota fails everybody at once: then nobody stands in the store yet."""
    assert world.kube is not None
    diagnoser = Diagnosing(world)
    world.diagnoser = cast("Any", diagnoser)
    names = [f"job-{number}" for number in range(4)]
    for name in names:
        world.runai.put(name, images=(IMAGE,))
        world.kube.put(make_pod(name, node="gpu-7"))
    world.runai.put("stranger", project="vision", images=("other:1",))
    world.runai.put("far", project="ml-team", cluster_id="cluster-2", namespace="elsewhere", images=(IMAGE,))
    await world.monitor()
    async with world.running() as engine:
        diagnoser.engine = engine
        await world.pass_by(minutes=1)
        for name in names:
            world.kube.put(make_pod(name, None, ended(1), node="gpu-7", pod_phase="Failed"))
            world.runai.put(name, "Failed", running_pods=0)
        world.runai.put("stranger", "Failed")
        world.runai.put("far", "Failed")
        await world.pass_by(minutes=2)
        told = await reports(world)
    assert set(names) < set(told)
    for name in names:
        others = [other for other in names if other != name]
        listed = f"{others[0]}, {others[1]} and {others[2]}"
        assert f"3 other workloads with the same image failed within an hour of it ({listed})" in told[name]
        assert "3 other workloads of project ml-team failed within an hour of it" in told[name]
        assert "far" not in told[name]
        assert "stranger" not in told[name]


async def test_who_failed_before_the_first_look_is_seen_too(bare: World) -> None:
    """What was put aside as an old failure is in no alert of its own, and may have the same cause."""
    diagnoser = Diagnosing(bare)
    bare.diagnoser = cast("Any", diagnoser)
    for name in ("old-1", "old-2"):
        bare.runai.put(name, "Failed", images=(IMAGE,))
    bare.runai.put("new", images=(IMAGE,))
    await bare.monitor()
    async with bare.running() as engine:
        diagnoser.engine = engine
        await bare.pass_by(minutes=5)
        bare.runai.put("new", "Failed")
        await bare.pass_by(minutes=2)
        told = await reports(bare)
    assert "2 other workloads with the same image failed within an hour of it" in told["new"]


async def test_who_fails_elsewhere_at_another_time_or_outside_the_limit_is_not_told(bare: World) -> None:
    """Yesterday's failures explain nothing, and projects outside the limit are nobody's business."""
    bare.runai.put("early", "Failed", images=(IMAGE,))
    await bare.monitor()
    async with bare.running() as engine:
        await bare.pass_by(hours=3)
        bare.runai.put("late", "Failed", images=(IMAGE,))
        bare.runai.put("later", "Failed", images=(IMAGE,))
        await bare.pass_by(minutes=2)
        workload = bare.runai.workloads[cast("Any", "id-late")]
        found = await engine.failing_beside(workload, failed_at=bare.clock.now())
        assert [other.name for other in found.neighbours] == ["later"]
        assert not found.more_neighbours

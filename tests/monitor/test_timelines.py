"""What happens over hours: one workload's troubles, and what its people hear of them."""

from __future__ import annotations

import pytest

from tests.factories import end, make_pod, running
from tests.monitor.world import World

pytestmark = pytest.mark.anyio


async def test_an_oom_is_told_once_and_its_end_too(world: World) -> None:
    """The promise in one line: once when it breaks, with the reason that no phase says, and once when it is over."""
    assert world.kube is not None
    world.runai.put("train")
    world.kube.put(make_pod("train"))
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        assert await world.slack() == []
        killed = end(137, "OOMKilled", at=world.clock.now())
        world.kube.put(make_pod("train", None, running(world.clock.now(), after=killed)))
        await world.pass_by(seconds=2)
        assert await world.slack() == ["opened train OOMKilled"]
        (alert,) = await world.alerts()
        assert (alert.severity, alert.recommendations) == ("critical", ("raise the limit",))
        await world.pass_by(hours=1)
        assert await world.slack() == ["opened train OOMKilled", "resolved train OOMKilled"]
        assert (await world.history("train"))[-1] == "resolved: healthy for 120 s"

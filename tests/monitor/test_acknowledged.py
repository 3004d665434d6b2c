"""An acknowledged alert through hours and restarts: no reminder, every change, its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from runai_monitor.model.alert import AlertState
from runai_monitor.store.alerts import AlertStore
from tests.monitor.world import World, a_world

pytestmark = pytest.mark.anyio


async def acknowledge(world: World) -> None:
    """Somebody does, through another process on the same state."""
    (alert,) = await world.alerts()
    store = AlertStore(world.database)
    found = await store.acknowledge(alert.alert_id, author="anna", note="", at=world.clock.now(), channels=["slack"])
    assert found is not None


@pytest.mark.parametrize("restarts", [False, True])
async def test_acknowledging_stops_reminders_and_nothing_else(tmp_path: Path, restarts: bool) -> None:
    """In the process that hears of it from the store alone, and in one that starts afterwards."""
    async with a_world(tmp_path, kube=False, max_alerts_per_job=100, tick_seconds=300) as world:
        world.runai.put("train")
        await world.monitor(poll_interval_seconds=300.0)
        async with world.running():
            await world.pass_by(minutes=6)
            world.runai.put("train", "Failed")
            await world.pass_by(hours=4.1)
            assert await world.slack() == ["opened train Failed", "reminded train Failed"]
            await acknowledge(world)
            if not restarts:
                await world.pass_by(hours=4.5)
        async with world.running():
            await world.pass_by(hours=4.5)
            (alert,) = await world.alerts()
            assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, "anna")
            world.runai.put("train", "Running")
            await world.pass_by(minutes=20)
        assert await world.slack() == [
            "opened train Failed",
            "reminded train Failed",
            "acknowledged train Failed",
            "resolved train Failed",
        ]

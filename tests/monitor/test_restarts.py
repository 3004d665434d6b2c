"""The process dies in the middle of everything; the next one on the same database neither repeats nor loses anything."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from runai_monitor.errors import KubeUnavailableError
from runai_monitor.model.workload import WorkloadId
from tests.factories import end, ended, make_pod, running, waiting
from tests.monitor.world import World, a_world

pytestmark = pytest.mark.anyio


async def test_a_restart_repeats_nothing_and_still_resolves(world: World) -> None:
    """An alert is told by the process that saw it, and ended by whichever runs when it is over."""
    assert world.kube is not None
    world.runai.put("train")
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        world.kube.put(make_pod("train", None, waiting("CrashLoopBackOff", after=end(at=world.clock.now()))))
        await world.pass_by(seconds=5)
    for _ in range(3):
        async with world.running():
            await world.pass_by(minutes=6)
    assert await world.slack() == ["opened train CrashLoopBackOff"]
    world.kube.put(make_pod("train", None, running(world.clock.now())))
    async with world.running():
        await world.pass_by(minutes=5)
    assert await world.slack() == ["opened train CrashLoopBackOff", "resolved train CrashLoopBackOff"]


async def test_reminders_and_escalations_go_on_where_they_were(tmp_path: Path) -> None:
    """Counts and times of notifications are the store's, not the process's."""
    async with a_world(tmp_path, kube=False, max_alerts_per_job=2, tick_seconds=60) as there:
        there.runai.put("train")
        await there.monitor()
        async with there.running():
            await there.pass_by(minutes=1)
            there.runai.put("train", "Failed")
            await there.pass_by(minutes=2)
        for hours in (3.9, 0.2, 8):
            async with there.running():
                await there.pass_by(hours=hours)
        assert await there.slack() == ["opened train Failed", "reminded train Failed"]


async def test_what_failed_while_nobody_looked_is_told(bare: World) -> None:
    """A night without the process is no first look: what broke in it is news, once."""
    bare.runai.put("train")
    bare.runai.put("old", "Failed")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
    await bare.pass_by(hours=8)
    bare.runai.put("train", "Failed")
    bare.runai.put("born-dead", "Failed")
    for _ in range(2):
        async with bare.running():
            await bare.pass_by(minutes=3)
    told = await bare.slack()
    assert told[0] == "opened existing_failures ExistingFailures"
    assert sorted(told[1:]) == ["opened born-dead Failed", "opened train Failed"]


async def test_a_workload_that_the_first_scan_after_a_restart_misses_keeps_its_alert(bare: World) -> None:
    """Absence from one list proves nothing, also when the list is the first that this process reads."""
    bare.runai.put("train")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.put("train", "Failed")
        await bare.pass_by(minutes=1)
    bare.runai.hidden.add(WorkloadId("id-train"))
    async with bare.running():
        await bare.pass_by(minutes=6)
        assert await bare.open() == {"train": "Failed"}
        bare.runai.hidden.clear()
        await bare.pass_by(minutes=6)
    assert await bare.slack() == ["opened train Failed"]


async def test_what_was_deleted_while_nobody_looked_is_resolved(bare: World) -> None:
    """Else its alert would fire for ever: no list mentions it any more."""
    bare.runai.put("train")
    await bare.monitor(project="ml-team")
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.put("train", "Failed")
        await bare.pass_by(minutes=1)
    bare.runai.remove("train")
    async with bare.running():
        await bare.pass_by(seconds=10)
    assert await bare.slack() == ["opened train Failed", "resolved train Failed"]


@pytest.mark.parametrize("project", [None, "ml-team"])
async def test_an_old_failure_that_was_deleted_while_nobody_looked_ends_the_summary(
    bare: World, project: str | None
) -> None:
    """The summary ends with its last workload, whichever monitor runs when that is noticed."""
    bare.runai.put("old", "Failed")
    await bare.monitor(project=project)
    async with bare.running():
        await bare.pass_by(minutes=1)
    bare.runai.remove("old")
    async with bare.running():
        await bare.pass_by(minutes=1)
    assert await bare.open() == {}


async def test_old_failures_stay_old_after_a_restart(bare: World) -> None:
    """One summary is enough; what recovers and fails again is news though."""
    bare.runai.put("old", "Failed")
    bare.runai.put("older", "Failed")
    await bare.monitor()
    for _ in range(3):
        async with bare.running():
            await bare.pass_by(minutes=6)
    assert await bare.slack() == ["opened existing_failures ExistingFailures"]
    async with bare.running():
        bare.runai.put("old", "Running")
        await bare.pass_by(minutes=4)
    async with bare.running():
        bare.runai.put("old", "Failed")
        await bare.pass_by(minutes=4)
    assert await bare.slack() == ["opened existing_failures ExistingFailures", "opened old Failed"]


async def test_a_death_between_the_summary_and_its_note_does_not_tell_it_twice(bare: World) -> None:
    """The summary is stored before its workloads are noted as told; the same summary is not told again."""
    bare.runai.put("old", "Failed")
    await bare.monitor()

    class Dies:
        def __getattr__(self, name: str) -> object:
            async def method(**_: object) -> object:
                if name == "cover":
                    await anyio.sleep_forever()
                return {}

            return method

    bare.broken["baseline"] = Dies()
    async with bare.running():
        await bare.pass_by(seconds=30)
        assert await bare.slack() == ["opened existing_failures ExistingFailures"]
    bare.broken.clear()
    async with bare.running():
        await bare.pass_by(minutes=6)
    assert await bare.slack() == ["opened existing_failures ExistingFailures"]


async def test_a_death_during_the_diagnosis_loses_nothing(bare: World) -> None:
    """What is not stored was not told: the next process finds it again and tells it once."""
    bare.runai.put("train")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.put("train", "Failed")
        bare.diagnoser.waits = anyio.Event()
        await bare.pass_by(minutes=2)
        assert bare.diagnoser.diagnosed == ["train"]
    assert await bare.slack() == []
    bare.diagnoser.waits = None
    async with bare.running():
        await bare.pass_by(minutes=2)
    assert await bare.slack() == ["opened train Failed"]


async def test_an_open_alert_survives_a_restart_without_sight_of_kubernetes(world: World) -> None:
    """Run:ai calls a crash looping job running. Not seeing its containers is not seeing it well."""
    assert world.kube is not None
    world.runai.put("train")
    await world.monitor()
    looping = make_pod("train", None, waiting("CrashLoopBackOff", after=end()))
    async with world.running():
        await world.pass_by(minutes=1)
        world.kube.put(looping)
        await world.pass_by(seconds=5)
    world.kube.down = KubeUnavailableError("the API server does not answer")
    async with world.running():
        await world.pass_by(minutes=20)
        assert await world.open() == {"train": "CrashLoopBackOff"}
        world.kube.down = None
        await world.pass_by(minutes=20)
        assert await world.slack() == ["opened train CrashLoopBackOff"]
        world.kube.put(make_pod("train"))
        await world.pass_by(minutes=5)
        assert await world.open() == {}


async def test_the_episode_goes_on_counting(bare: World) -> None:
    """The number of a failure is part of an alert's identity: a new process must not reuse one."""
    bare.runai.put("train")
    await bare.monitor()
    for _ in range(3):
        async with bare.running():
            await bare.pass_by(minutes=1)
            bare.runai.put("train", "Failed")
            await bare.pass_by(minutes=1)
            bare.runai.put("train", "Running")
            await bare.pass_by(minutes=4)
    assert [alert.episode for alert in await bare.alerts()] == [1, 2, 3]
    assert len({alert.alert_id for alert in await bare.alerts()}) == 3


async def test_an_existing_pod_failure_waits_for_kubernetes_to_be_called_old(world: World) -> None:
    """At a first look the container states come a moment later than the list: what they say is old all the same."""
    assert world.kube is not None
    world.runai.put("train")
    world.kube.put(make_pod("train", None, ended(137, "OOMKilled"), pod_phase="Failed"))
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=6)
    (alert,) = await world.alerts()
    assert alert.kind == "existing_failures"
    assert "ml-team: train (OOMKilled)" in alert.summary

"""What had failed before anyone looked is no news, also where Kubernetes shows it only later."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from runai_monitor.errors import KubeUnavailableError
from runai_monitor.model.cluster import Container, Pod
from tests.factories import end, make_pod, waiting
from tests.fakes import EPOCH
from tests.monitor.world import World, a_world

pytestmark = pytest.mark.anyio

AWAY = KubeUnavailableError("no route to host")
BEFORE = EPOCH - timedelta(hours=3)
SUMMARY = "existing_failures ExistingFailures"


def looping(name: str, *, at: datetime = BEFORE, restarts: int = 1) -> Pod:
    """A pod that has crashed, the last time at an instant, after a second."""
    last = end(at=at, started_at=at - timedelta(seconds=1))
    return a_pod(name, waiting("CrashLoopBackOff", after=last, restarts=restarts))


def pulling(name: str, *, since: datetime = BEFORE) -> Pod:
    """A pod whose image cannot be pulled since a node took it."""
    return a_pod(name, waiting("ImagePullBackOff"), started_at=since, pod_phase="Pending")


def a_pod(name: str, container: Container, **fields: object) -> Pod:
    return make_pod(name, None, container, created_at=BEFORE, **fields)


async def test_what_kubernetes_shows_late_completes_the_summary(world: World) -> None:
    """A VPN that comes up after the monitor must not make a storm of everything that crash loops since last week."""
    assert world.kube is not None
    world.kube.down = AWAY
    world.runai.put("failed", "Failed", created_at=BEFORE, phase_updated_at=BEFORE)
    for name in ("loops", "loops-on", "pulls", "later", "queued", "fine"):
        world.runai.put(name, created_at=BEFORE)
    world.runai.put("stuck", "Initializing", created_at=BEFORE, phase_updated_at=BEFORE)
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=10)
        (summary,) = await world.alerts()
        assert "2 workloads were unhealthy before monitoring began (1 Failed, 1 Initializing)" in summary.summary
        now = world.clock.now()
        for pod in (looping("loops"), looping("loops-on", at=now, restarts=300), looping("later", at=now)):
            world.kube.put(pod)
        for pod in (pulling("pulls"), pulling("stuck"), make_pod("fine")):
            world.kube.put(pod)
        world.kube.put(pulling("queued", since=now))
        world.kube.down = None
        await world.pass_by(minutes=2)
        told = await world.slack()
        assert told[:2] == [f"opened {SUMMARY}", f"escalated {SUMMARY}"], "one summary, which says more"
        assert sorted(told[2:]) == ["opened later CrashLoopBackOff", "opened queued ImagePullBackOff"]
        (summary,) = [alert for alert in await world.alerts() if alert.kind == "existing_failures"]
        assert "5 workloads were unhealthy before monitoring began" in summary.summary
        assert "pulls (ImagePullBackOff); " in f"{summary.summary}; ".replace(", ", "; ")
        assert "stuck (ImagePullBackOff)" in summary.summary
        world.kube.put(looping("fine", at=now))
        await world.pass_by(minutes=1)
        assert (await world.slack())[-1] == "opened fine CrashLoopBackOff", "it was sorted once; this is news"
        for name in ("loops", "pulls"):
            world.kube.put(make_pod(name))
        await world.pass_by(minutes=5)
        world.kube.put(looping("loops", at=world.clock.now()))
        await world.pass_by(minutes=1)
        assert (await world.slack())[-1] == "opened loops CrashLoopBackOff", "it was healthy since"


async def test_without_sight_of_kubernetes_a_first_look_asks_run_ai(world: World) -> None:
    """Its events know of crash loops that it calls running; read a minute later they would pass for news."""
    assert world.kube is not None
    world.kube.down = AWAY
    world.runai.put("loops", created_at=BEFORE, phase_updated_at=BEFORE)
    world.runai.put("fine", created_at=BEFORE, phase_updated_at=BEFORE)
    world.runai.tell("loops", "BackOff", "Back-off restarting failed container", object_name="loops-0-0")
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=5)
        assert await world.slack() == [f"opened {SUMMARY}"]
        assert "loops (CrashLoopBackOff)" in (await world.alerts())[0].summary
        world.runai.tell("fine", "BackOff", "Back-off restarting failed container", object_name="fine-0-0")
        await world.pass_by(minutes=2)
        assert (await world.slack())[1:] == ["opened fine CrashLoopBackOff"]


async def test_what_kubernetes_shows_late_is_told_once_over_restarts(world: World) -> None:
    """The first look was without containers, the process died, and the next one sees them from its start."""
    assert world.kube is not None
    world.kube.down = AWAY
    world.runai.put("loops", created_at=BEFORE)
    world.runai.put("later", created_at=BEFORE)
    world.runai.put("starts", "Initializing", created_at=BEFORE, phase_updated_at=BEFORE)
    for name in ("loops", "starts"):
        world.kube.put(looping(name))
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=10)
    assert await world.slack() == [f"opened {SUMMARY}"]
    world.kube.down = None
    world.kube.put(looping("later", at=world.clock.now()))
    for _ in range(2):
        async with world.running():
            await world.pass_by(minutes=10)
            told = await world.slack()
            assert told == [f"opened {SUMMARY}", f"escalated {SUMMARY}", "opened later CrashLoopBackOff"]
            for name in ("loops", "starts"):
                world.kube.put(looping(name, at=world.clock.now()))
            await world.pass_by(minutes=1)
        assert await world.slack() == told, "another crash of the same loop is no news"
    (summary,) = [alert for alert in await world.alerts() if alert.kind == "existing_failures"]
    assert "loops (CrashLoopBackOff), starts (CrashLoopBackOff)" in summary.summary


@pytest.mark.parametrize(("policy", "told"), [("each", ["opened loops CrashLoopBackOff"]), ("ignore", [])])
async def test_what_kubernetes_shows_late_is_told_as_configured(tmp_path: Path, policy: str, told: list[str]) -> None:
    """Whoever asked for each existing failure, or for none, gets that whenever it comes into sight."""
    async with a_world(tmp_path, existing_failures=policy) as there:
        assert there.kube is not None
        there.kube.down = AWAY
        there.runai.put("loops", created_at=BEFORE)
        there.kube.put(looping("loops"))
        await there.monitor()
        async with there.running():
            await there.pass_by(minutes=10)
            there.kube.down = None
            await there.pass_by(minutes=2)
            assert await there.slack() == told

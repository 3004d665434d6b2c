"""Following pods: what is current, what is only remembered, and what will never come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import anyio
import pytest

from runai_monitor.errors import KubeUnavailableError
from runai_monitor.model.cluster import Pod
from runai_monitor.monitor.pods import PATIENCE_SECONDS, RETRY_SECONDS, PodFollower
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.monitor.sources import KubeSource
from tests.factories import make_pod, make_workload
from tests.fakes import FakeClock
from tests.monitor.world import FakeKube

pytestmark = pytest.mark.anyio

HERE = "runai-ml-team"


@dataclass
class Scene:
    clock: FakeClock = field(default_factory=FakeClock)
    kube: FakeKube = field(default_factory=FakeKube)
    snapshot: Snapshot = field(default_factory=Snapshot)
    changed: list[Pod] = field(default_factory=list)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[PodFollower]:
        kube = cast("KubeSource", self.kube)
        pods = PodFollower(kube=kube, snapshot=self.snapshot, clock=self.clock, on_change=self.changed.extend)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pods.run)
            await self.clock.advance(0)
            yield pods
            tasks.cancel_scope.cancel()


async def test_nothing_is_current_before_it_is_listed() -> None:
    """At first, and again after a watch was lost: what is remembered may be hours old."""
    scene = Scene()
    scene.kube.listing = anyio.Event()
    scene.kube.put(make_pod())
    async with scene.following() as pods:
        assert (pods.live, pods.settled, pods.sees(HERE), pods.error) == (False, False, False, None)
        scene.kube.listing.set()
        await scene.clock.advance(0)
        assert (pods.live, pods.settled, pods.sees(HERE)) == (True, True, True)
        scene.kube.down = KubeUnavailableError("no route to host")
        scene.kube.put(make_pod())
        await scene.clock.advance(0)
        assert (pods.live, pods.sees(HERE), pods.error) == (False, False, "no route to host")
        scene.kube.down, scene.kube.listing = None, anyio.Event()
        await scene.clock.advance(RETRY_SECONDS)
        assert (pods.live, pods.sees(HERE), pods.error) == (False, False, "no route to host")
        scene.kube.listing.set()
        await scene.clock.advance(0)
        assert (pods.live, pods.sees(HERE), pods.error) == (True, True, None)


async def test_what_is_out_of_sight_is_awaited_with_patience_but_not_for_ever() -> None:
    """A VPN that drops comes back; a cluster that was taken away does not."""
    scene = Scene()
    async with scene.following() as pods:
        assert not pods.awaits(HERE)
        await scene.clock.advance(1_000)
        assert not pods.awaits(HERE)
        scene.kube.broken = "the API server does not answer"
        await scene.clock.advance(PATIENCE_SECONDS - 1)
        assert pods.awaits(HERE)
        await scene.clock.advance(1)
        assert not pods.awaits(HERE)


async def test_losing_sight_forgets_no_pod() -> None:
    """What was known stays, so that going blind does not pass for recovery; the next list corrects it."""
    scene = Scene()
    workload = make_workload()
    scene.snapshot.put_workloads([workload])
    scene.kube.put(make_pod())
    async with scene.following():
        assert [pod.name for pod in scene.changed] == ["job-0-0"]
        scene.kube.down = KubeUnavailableError("no route to host")
        scene.kube.put(make_pod())
        await scene.clock.advance(RETRY_SECONDS)
        assert len(scene.snapshot.pods_of(workload)) == 1
        scene.kube.pods.clear()
        scene.kube.down = None
        await scene.clock.advance(RETRY_SECONDS)
        assert len(scene.snapshot.pods_of(workload)) == 0


async def test_each_namespace_is_followed_for_itself() -> None:
    """One that is denied, one that works, one that is wanted later."""
    scene = Scene()
    scene.kube.forbidden = {None, "denied"}
    async with scene.following() as pods:
        assert (pods.settled, pods.live, pods.error) == (False, False, None)
        pods.want({"denied", HERE})
        await scene.clock.advance(0)
        assert (pods.sees(HERE), pods.sees("denied"), pods.live) == (True, False, True)
        assert (pods.awaits(HERE), pods.awaits("denied")) == (False, False)
        assert str(pods.error) == "pods may not be watched in denied"
        pods.want({HERE, "later"})
        await scene.clock.advance(0)
        assert pods.sees("later")
        scene.kube.forbidden |= {HERE}
        scene.kube.put(make_pod())
        await scene.clock.advance(0)
        assert str(pods.error) == "pods may not be watched in denied (and 1 more like it)"
        scene.kube.forbidden = {None}
        await scene.clock.advance(RETRY_SECONDS)
        assert pods.error is None
        assert pods.sees("denied")
        assert pods.sees(HERE)


async def test_an_answer_ends_the_complaint_about_silence() -> None:
    """First no network, then an API server that allows namespaces only: nothing is wrong any more."""
    scene = Scene()
    scene.kube.down = KubeUnavailableError("no route to host")
    async with scene.following() as pods:
        pods.want({HERE})
        assert str(pods.error) == "no route to host"
        scene.kube.down, scene.kube.forbidden = None, {None}
        await scene.clock.advance(RETRY_SECONDS)
        assert pods.sees(HERE)
        assert pods.error is None

"""The whole simulated tenant: a world, its two APIs and a Slack webhook, each on a loopback socket of its own."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from runai_monitor.clock import Clock
from runai_monitor.demo.director import Director, play, prepare
from runai_monitor.demo.faults import FaultPlan
from runai_monitor.demo.kube_api import KubeApi
from runai_monitor.demo.population import populate, projects
from runai_monitor.demo.runai_api import RunaiApi
from runai_monitor.demo.scenarios import Scenario
from runai_monitor.demo.serving import served
from runai_monitor.demo.slack_receiver import SlackReceiver
from runai_monitor.demo.stories import all_scenarios
from runai_monitor.demo.world import World

TOKEN_SECONDS = 20
"""Life of a Run:ai token here: shorter than the show, so that every client refreshes within it."""

_IDLE_SECONDS = 0.25


class Stage:
    """A populated world and its stories, told from `begin()` on. Needs no socket."""

    def __init__(
        self,
        *,
        clock: Clock,
        seed: int = 7,
        healthy_workloads: int = 300,
        scenarios: tuple[Scenario, ...] | None = None,
        time_scale: float = 1.0,
    ) -> None:
        self.world = World(clock=clock, seed=seed, projects=projects(clock.now()))
        self.scenarios = all_scenarios() if scenarios is None else scenarios
        self._time_scale = time_scale
        self._begun = False
        populate(self.world, count=healthy_workloads)
        self._directors: list[tuple[Scenario, Director]] = [(s, prepare(self.world, s)) for s in self.scenarios]

    def begin(self) -> None:
        """Starts the stories, now; a second call changes nothing."""
        if self._begun:
            return
        self._begun = True
        for scenario, director in self._directors:
            play(self.world, scenario, director, time_scale=self._time_scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A running tenant and how to reach it.

    Attributes:
        runai_base_url, client_id, client_secret: the control plane and its service account.
        kubeconfig_path: a kubeconfig of the cluster, mode 0600, gone when the tenant is.
        kube_base_url, kube_token: the same, for clients that need no kubeconfig.
        slack_webhook_url: a Slack webhook; `slack` is what receives there.
        runai, kube: the applications, to provoke them.
    """

    runai_base_url: str
    client_id: str
    client_secret: str
    kubeconfig_path: Path
    kube_base_url: str
    kube_token: str
    slack_webhook_url: str
    slack: SlackReceiver
    runai: RunaiApi
    kube: KubeApi
    stage: Stage

    @property
    def world(self) -> World:
        """The simulated cluster."""
        return self.stage.world

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The stories, told or not."""
        return self.stage.scenarios

    def begin(self) -> None:
        """Starts the stories, now; until then everything is healthy."""
        self.stage.begin()


@asynccontextmanager
async def run_tenant(
    *,
    clock: Clock,
    seed: int = 7,
    healthy_workloads: int = 300,
    faults: bool = True,
    scenarios: tuple[Scenario, ...] | None = None,
    time_scale: float = 1.0,
) -> AsyncIterator[Tenant]:
    """Runs a tenant while the block lasts. Nothing breaks before `begin()`.

    Args:
        clock: its time.
        seed: decides everything that looks like chance.
        healthy_workloads: how many workloads there are besides the stories.
        faults: whether the APIs have bad moments: 503, 429, one HTML page, one expired watch.
        scenarios: other stories than the usual ones.
        time_scale: stretches the stories; 2 takes twice as long.
    """
    stage = Stage(
        clock=clock, seed=seed, healthy_workloads=healthy_workloads, scenarios=scenarios, time_scale=time_scale
    )
    source = random.Random(f"{seed}/credentials")
    client_id, client_secret, kube_token = (
        "demo-monitor",
        f"{source.getrandbits(160):040x}",
        f"{source.getrandbits(160):040x}",
    )
    runai = RunaiApi(
        stage.world,
        client_id=client_id,
        client_secret=client_secret,
        token_seconds=TOKEN_SECONDS,
        faults=FaultPlan(seed=seed, enabled=faults),
    )
    kube = KubeApi(stage.world, clock=clock, token=kube_token, expire_first_watch=faults)
    slack = SlackReceiver()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="runai-monitor-tenant-"))
        runai_url = await stack.enter_async_context(served(runai.app))
        kube_url = await stack.enter_async_context(served(kube.app, before_stop=kube.close))
        slack_url = await stack.enter_async_context(served(slack.app))
        tasks = await stack.enter_async_context(anyio.create_task_group())
        tasks.start_soon(_keep_time, stage.world, clock)
        stack.callback(tasks.cancel_scope.cancel)
        yield Tenant(
            runai_base_url=runai_url,
            client_id=client_id,
            client_secret=client_secret,
            kubeconfig_path=_write_kubeconfig(Path(folder), server=kube_url, token=kube_token),
            kube_base_url=kube_url,
            kube_token=kube_token,
            slack_webhook_url=slack_url + slack.path,
            slack=slack,
            runai=runai,
            kube=kube,
            stage=stage,
        )


async def _keep_time(world: World, clock: Clock) -> None:
    """Lets what is due happen even while nobody asks, so that watches hear of it."""
    while True:
        world.advance()
        due = world.seconds_to_next()
        await clock.sleep(_IDLE_SECONDS if due is None else min(_IDLE_SECONDS, max(0.01, due)))


def _write_kubeconfig(folder: Path, *, server: str, token: str) -> Path:
    path = folder / "kubeconfig"
    path.touch(mode=0o600)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "demo",
        "clusters": [{"name": "demo", "cluster": {"server": server}}],
        "users": [{"name": "demo", "user": {"token": token}}],
        "contexts": [{"name": "demo", "context": {"cluster": "demo", "user": "demo"}}],
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    return path

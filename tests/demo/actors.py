"""What the tests of the demo tenant share: its APIs without sockets, and clients that hold the right credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx2

from runai_monitor.demo.faults import FaultPlan
from runai_monitor.demo.kube_api import KubeApi
from runai_monitor.demo.runai_api import RunaiApi
from runai_monitor.demo.scenarios import Scenario
from runai_monitor.demo.tenant import Stage
from runai_monitor.demo.world import World
from tests.fakes import FakeClock

CREDENTIALS = {"grantType": "client_credentials", "clientID": "id-1", "clientSecret": "secret-1"}
KUBE_TOKEN = "kube-token-1"


@dataclass(kw_only=True)
class Actors:
    """One stage with both of its APIs."""

    clock: FakeClock
    stage: Stage
    runai: RunaiApi
    kube: KubeApi

    @property
    def world(self) -> World:
        return self.stage.world

    def runai_client(self, *, token: str = "") -> httpx2.AsyncClient:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        transport = httpx2.ASGITransport(app=self.runai.app)
        return httpx2.AsyncClient(transport=transport, base_url="http://runai", headers=headers)

    def kube_client(self, *, token: str = KUBE_TOKEN) -> httpx2.AsyncClient:
        headers = {"authorization": f"Bearer {token}"}
        transport = httpx2.ASGITransport(app=self.kube.app)
        return httpx2.AsyncClient(transport=transport, base_url="http://kube", headers=headers)

    async def token(self) -> str:
        async with self.runai_client() as client:
            return str((await client.post("/api/v1/token", json=CREDENTIALS)).json()["accessToken"])

    async def runai_get(self, path: str, **params: str | int) -> httpx2.Response:
        async with self.runai_client(token=await self.token()) as client:
            return await client.get(path, params=params)

    async def kube_get(self, path: str, **params: str | int) -> httpx2.Response:
        async with self.kube_client() as client:
            return await client.get(path, params=params)

    async def story(self, key: str) -> tuple[Scenario, dict[str, Any]]:
        """A scenario and its workload as the control plane lists it now."""
        scenario = next(s for s in self.stage.scenarios if s.key == key)
        listed = await self.runai_get("/api/v1/workloads", filterBy=f"name=={scenario.workload_name}")
        return scenario, listed.json()["workloads"][0]


def actors(
    *, seed: int = 7, healthy_workloads: int = 20, faults: bool = False, expire_first_watch: bool = False
) -> Actors:
    clock = FakeClock()
    stage = Stage(clock=clock, seed=seed, healthy_workloads=healthy_workloads)
    runai = RunaiApi(
        stage.world,
        client_id="id-1",
        client_secret="secret-1",
        faults=FaultPlan(seed=seed, enabled=faults),
    )
    kube = KubeApi(stage.world, clock=clock, token=KUBE_TOKEN, expire_first_watch=expire_first_watch)
    return Actors(clock=clock, stage=stage, runai=runai, kube=kube)

"""The tenant on real sockets: reachable, private, and gone when it should be."""

from __future__ import annotations

import json
import stat
import time

import anyio
import httpx2
import pytest

from runai_monitor.clock import SystemClock
from runai_monitor.demo.tenant import run_tenant

pytestmark = pytest.mark.anyio


async def test_the_kubeconfig_is_private_and_goes_with_the_tenant() -> None:
    """It holds a token; even a fake one is treated as what it stands for."""
    with anyio.fail_after(10):
        async with run_tenant(clock=SystemClock(), healthy_workloads=5) as tenant:
            path = tenant.kubeconfig_path
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            config = json.loads(path.read_text(encoding="utf-8"))
            server = config["clusters"][0]["cluster"]["server"]
            token = config["users"][0]["user"]["token"]
            async with httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}) as client:
                assert (await client.get(f"{server}/api/v1/pods")).status_code == 200
        assert not path.exists()


async def test_it_stops_at_once_while_a_watch_is_open() -> None:
    """A watch lives for half an hour; the show must not end that late."""
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            async with run_tenant(clock=SystemClock(), healthy_workloads=5, faults=False) as tenant:
                opened = anyio.Event()
                ended = anyio.Event()

                async def watch() -> None:
                    headers = {"authorization": f"Bearer {tenant.kube_token}"}
                    url = f"{tenant.kube_base_url}/api/v1/pods?watch=true"
                    async with (
                        httpx2.AsyncClient(headers=headers, timeout=None) as client,
                        client.stream("GET", url) as answer,
                    ):
                        async for _ in answer.aiter_lines():
                            opened.set()
                    ended.set()

                tasks.start_soon(watch)
                await opened.wait()
                began = time.monotonic()
            assert time.monotonic() - began < 2
            await ended.wait()


async def test_a_watch_hears_of_a_failure_that_nobody_asked_about() -> None:
    """Time passes in the tenant by itself: a live watch is pushed to, not polled for."""
    with anyio.fail_after(10):
        async with run_tenant(clock=SystemClock(), healthy_workloads=5, faults=False, time_scale=0.05) as tenant:
            headers = {"authorization": f"Bearer {tenant.kube_token}"}
            url = f"{tenant.kube_base_url}/api/v1/pods?watch=true&resourceVersion={tenant.world.version}"
            async with (
                httpx2.AsyncClient(headers=headers, timeout=None) as client,
                client.stream("GET", url) as answer,
            ):
                tenant.begin()
                async for line in answer.aiter_lines():
                    if '"OOMKilled"' in line:
                        break

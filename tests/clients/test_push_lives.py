"""Many clients at one server: those that die or stop reading cost the others nothing, and the server ends in time."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_types import CallToolResult

from runai_monitor.clock import SystemClock
from runai_monitor.demo.embedded import monitor_environment
from runai_monitor.demo.tenant import run_tenant
from tests.clients.mcp2 import DOORS, Mode, make_client
from tests.clients.processes import SERVE_REAL, environment, http_server
from tests.clients.visit import Ears

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS = 40
END_SECONDS = 8


class Listener:
    """A process with one client at every door, which prints a line for each alert it hears of."""

    def __init__(self, folder: Path, fate: str, url: str) -> None:
        self._said = folder / f"{fate}.heard"
        with self._said.open("wb") as stdout, (folder / f"{fate}.stderr").open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.clients.mcp2", "listen", url],
                cwd=folder,
                env=environment(folder),
                stdout=stdout,
                stderr=stderr,
                stdin=subprocess.DEVNULL,
            )

    def listens(self) -> bool:
        return self._said.read_text("utf-8").count(" listens") == len(DOORS)

    def heard(self, alerts: Iterable[str] = ("",)) -> bool:
        """Whether each door was told of all these alerts; by default, of any."""
        said = self._said.read_text("utf-8")
        return all(f"{mode}-{kind} heard {alert}" in said for mode, kind in DOORS for alert in alerts)


async def until(condition: Callable[[], bool], what: str) -> None:
    """Looks until it is so: other processes have no events to wait for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        await anyio.sleep(0.1)


@asynccontextmanager
async def listeners(folder: Path, url: str) -> AsyncIterator[dict[str, Listener]]:
    """One that is let live, one that is to be stopped, one that is to be killed."""
    started = {fate: Listener(folder, fate, url) for fate in ("lives", "stops", "dies")}
    try:
        await until(lambda: all(listener.listens() for listener in started.values()), "not all of them listen")
        yield started
    finally:
        for listener in started.values():
            listener.process.kill()
            listener.process.wait()


async def test_clients_that_die_or_stop_cost_the_others_nothing(tmp_path: Path) -> None:
    """Killed while alerts are pushed, or stopped like a laptop that sleeps; the others hear of every alert."""
    async with run_tenant(clock=SystemClock(), time_scale=0.4) as tenant:
        settings = monitor_environment(tenant, state_dir=tmp_path, slack=False)
        with http_server(tmp_path, serve=SERVE_REAL, **settings) as server:
            async with (
                listeners(tmp_path, server.url) as listening,
                make_client(Ears(), "auto", "http", server.url, []) as client,
            ):
                await _monitor(client)
                tenant.begin()
                await until(lambda: all(each.heard() for each in listening.values()), "not all of them heard")
                listening["stops"].process.send_signal(signal.SIGSTOP)
                listening["dies"].process.kill()
                alerts = await _all_alerts(client, at_least=sum(not story.silent for story in tenant.scenarios))
                await until(lambda: listening["lives"].heard(alerts), "the one that lives missed some")
                server.process.send_signal(signal.SIGTERM)
                server.process.wait(timeout=END_SECONDS)
        assert "Traceback" not in server.log.read_text("utf-8")


async def _monitor(client: Client) -> None:
    """Monitoring has begun and has seen that everything is well."""
    await client.call_tool("start_monitoring", {"poll_interval_seconds": 1})
    await _asked(client, "monitoring_status", {}, lambda status: bool(status["baseline_complete"]))


async def _all_alerts(client: Client, *, at_least: int) -> set[str]:
    """The ids of all alerts, as soon as there are so many."""
    page = await _asked(client, "list_alerts", {"limit": 200}, lambda page: len(page["alerts"]) >= at_least)
    return {alert["alert_id"] for alert in page["alerts"]}


async def _asked(
    client: Client, tool: str, arguments: dict[str, Any], good: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The first answer of a tool that is good."""
    with anyio.fail_after(PATIENCE_SECONDS):
        while not good(answer := _data(await client.call_tool(tool, arguments))):  # noqa: ASYNC110  # another process
            await anyio.sleep(0.2)
    return answer


def _data(result: CallToolResult) -> dict[str, Any]:
    assert isinstance(result.structured_content, dict), result.content
    return result.structured_content


@pytest.mark.parametrize("received", [signal.SIGTERM, signal.SIGINT])
async def test_a_listen_stream_is_ended_as_the_protocol_has_it_when_the_server_stops(
    tmp_path: Path, received: signal.Signals
) -> None:
    """A client that is told listens again elsewhere; one that is cut off reports an error."""
    with http_server(tmp_path) as server:
        async with (
            make_client(Ears(), "auto", "http", server.url, []) as client,
            client.listen(resource_subscriptions=["runai://alerts"]) as events,
        ):
            server.process.send_signal(received)
            with pytest.raises(StopAsyncIteration):
                await anext(events)
        server.process.wait(timeout=END_SECONDS)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_a_client_that_cannot_ask_gets_no_change(tmp_path: Path, mode: Mode) -> None:
    """No way to ask is not consent, in either era."""
    with http_server(tmp_path) as server:
        async with make_client(Ears(), mode, "http", server.url, [], asks=False) as client:
            job = _data(await client.call_tool("list_workloads", {"phase": "Running", "limit": 1}))["workloads"][0]
            change = {"action": "delete", "job_name": job["id"], "dry_run": False}
            refused = await client.call_tool("manage_workload", change)
    assert refused.is_error
    assert "cannot ask" in str(refused.content)

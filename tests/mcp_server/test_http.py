"""The HTTP process: the guard on every route, probes that tell the truth, and a tool call over each endpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from runai_monitor.errors import StoreError
from runai_monitor.mcp_server.http import WholeResponses, http_app
from runai_monitor.mcp_server.push import AlertHub
from runai_monitor.mcp_server.server import build_server
from runai_monitor.operations.services import EngineState
from tests.operations.world import World

pytestmark = pytest.mark.anyio

PATHS = ["/mcp", "/sse", "/messages/", "/healthz", "/readyz", "/metrics", "/nothing"]


def application(world: World, **options: Any) -> Starlette:
    hub = AlertHub()
    server = build_server(operations=world.operations, hub=hub, version="1", allow_write_tools=False)
    return http_app(server=server, hub=hub, operations=world.operations, **options)


@asynccontextmanager
async def client(app: Starlette, *, base: str = "http://127.0.0.1:8765") -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=base) as http,
    ):
        yield http


@pytest.mark.parametrize("path", PATHS)
async def test_a_foreign_host_is_refused_on_every_route(path: str) -> None:
    """DNS rebinding goes for whatever route was forgotten."""
    async with client(application(World()), base="http://evil.example") as http:
        assert (await http.get(path)).status_code == 421
        assert (await http.post(path)).status_code == 421


@pytest.mark.parametrize("base", ["http://10.2.3.4:8765", "http://[fd00::7]:8765"])
async def test_probes_are_answered_at_the_pods_own_address_and_nothing_else_is(base: str) -> None:
    """A kubelet knows no name; refused, it would restart the pod for ever. The token is wanted all the same."""
    async with client(application(World()), base=base) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/readyz")).status_code == 200
        assert (await http.post("/mcp")).status_code == 421
        assert (await http.get("/sse")).status_code == 421
    async with client(application(World(), token="secret"), base=base) as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/metrics")).status_code == 401


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://[::1"])
async def test_a_foreign_origin_is_refused_on_every_route(path: str, origin: str) -> None:
    """A web page must not talk to a monitor on the same machine."""
    async with client(application(World())) as http:
        assert (await http.get(path, headers={"Origin": origin})).status_code == 403


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/healthz"])
@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic right-token", "right-token", "Bearer "])
async def test_without_the_token_nothing_answers_but_healthz(path: str, header: str | None) -> None:
    """Every route, also one that does not exist."""
    async with client(application(World(), token="right-token")) as http:
        refused = await http.get(path, headers={"Authorization": header} if header else {})
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert (await http.get("/healthz")).status_code == 200


async def test_with_the_token_and_an_allowed_host_everything_answers() -> None:
    """The settings must be enough to get in."""
    app = application(World(), token="t", allowed_hosts=["mon.example:*"], allowed_origins=["https://chat.example"])
    headers = {"Authorization": "Bearer t", "Origin": "https://chat.example"}
    async with client(app, base="http://mon.example:9000") as http:
        for path in ("/readyz", "/metrics", "/healthz"):
            assert (await http.get(path, headers=headers)).status_code == 200


@pytest.mark.parametrize("host", ["localhost:8765", "localhost", "[::1]:8765", "[::1]", "127.0.0.1"])
async def test_loopback_is_always_allowed(host: str) -> None:
    """Every spelling of this machine, IPv6 with its brackets too."""
    async with client(application(World())) as http:
        assert (await http.get("/healthz", headers={"Host": host})).status_code == 200


async def test_a_tool_call_goes_through_the_streamable_endpoint() -> None:
    """The guard must not stand in the way of the protocol."""
    world = World()
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "t", "version": "1"},
        },
    }
    async with client(application(world)) as http:
        accepted = {"Accept": "application/json, text/event-stream"}
        answer = await http.post("/mcp", json=message, headers=accepted)
    assert answer.status_code == 200
    assert '"subscribe":true' in answer.text.replace(" ", "")


async def test_probes_tell_stale_loops_and_blindness_apart() -> None:
    """A restart helps against the first and not against the second."""
    world = World()
    async with client(application(world)) as http:
        world.engine = EngineState(leader=True, blind=True)
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/readyz")).status_code == 503
        world.engine = EngineState(leader=True, heartbeat_ages_seconds={"poll": 9999})
        assert (await http.get("/healthz")).status_code == 503
        world.failure = StoreError("the database is locked")
        assert (await http.get("/readyz")).json()["reasons"] == ["the database is locked"]
        assert (await http.get("/metrics")).status_code == 503


async def test_metrics_count_alerts_deliveries_and_clients() -> None:
    """What a dashboard is built from."""
    world = World()
    world.alerts.put("al-1")
    world.engine = dataclasses.replace(world.engine, deleted={"alerts": 3})
    async with client(application(world)) as http:
        text = (await http.get("/metrics")).text
    assert 'runai_monitor_retention_deleted_total{kind="alerts"} 3.0' in text
    assert "# TYPE runai_monitor_retention_deleted_total counter" in text
    assert 'runai_monitor_alerts{state="firing"} 1.0' in text
    assert 'runai_monitor_deliveries{channel="slack",state="failed"} 2.0' in text
    assert 'runai_monitor_heartbeat_age_seconds{loop="poll"} 1.0' in text
    assert "runai_monitor_push_dropped_total 0.0" in text
    assert "_created" not in text, "a creation time that is this scrape's would reset every rate"


async def test_every_response_has_one_start_and_one_end() -> None:
    """The SDK leaves streams open and answers twice when the server stops; each would be a traceback in the log."""
    sent: list[Message] = []
    start: Message = {"type": "http.response.start", "status": 200, "headers": []}

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def never_ends(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": b"event", "more_body": True})

    async def answers_twice(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(2):
            await send(start)
            await send({"type": "http.response.body", "body": b"event"})

    for app in (never_ends, answers_twice):
        sent.clear()
        await WholeResponses(app)({"type": "http"}, receive, send)
        assert [message["type"] for message in sent].count("http.response.start") == 1
        assert [message.get("more_body", False) for message in sent].count(False) == 2, "the start, and the one end"
        assert b"".join(message.get("body", b"") for message in sent) == b"event"

"""Real MCP clients of each kind, and what each of them heard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from mcp import StdioServerParameters, stdio_client
from mcp.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import CallToolResult, LoggingMessageNotificationParams, ResourceUpdatedNotification, TextContent

from tests.end_to_end.processes import COMMAND, clean_environment, until

Json = dict[str, Any]
ALERTS_URI = "runai://alerts"
ALERTS_LOGGER = "runai_monitor.alerts"


@dataclass(slots=True)
class Ear:
    """What one client heard: alerts in the order of arrival, and the resources it was told have changed."""

    alerts: list[Json] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)

    async def on_log(self, params: LoggingMessageNotificationParams) -> None:
        if params.logger == ALERTS_LOGGER and isinstance(params.data, dict):
            self.alerts.append(params.data)

    async def on_message(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            self.updated.append(message.params.uri)

    def about(self, name: str) -> list[Json]:
        """What was heard about one job."""
        return [alert for alert in self.alerts if alert["workload"]["name"] == name]

    def knows(self, name: str, state: str = "firing") -> bool:
        return any(alert["state"] == state for alert in self.about(name))

    def explains(self, name: str) -> bool:
        """Whether the diagnosis of one job was heard, which follows its alert."""
        return any(alert["diagnosis"] is not None for alert in self.about(name))


@asynccontextmanager
async def legacy_stdio(
    environment: Mapping[str, str], *arguments: str, home: Path, ear: Ear | None = None
) -> AsyncIterator[Client]:
    """What desktop clients do: a server process of their own, spoken to over its pipes in the older protocol."""
    server = StdioServerParameters(
        command=COMMAND[0],
        args=[*COMMAND[1:], "serve", *arguments],
        env=clean_environment(home, environment),
        cwd=home,
    )
    with (home / "stdio.log").open("a", encoding="utf-8") as errlog:
        async with _legacy(stdio_client(server, errlog=errlog), ear) as client:
            yield client


@asynccontextmanager
async def legacy_sse(url: str, *, ear: Ear | None = None) -> AsyncIterator[Client]:
    """The oldest HTTP transport, that dashboards and gateways still use."""
    async with _legacy(sse_client(url), ear) as client:
        yield client


@asynccontextmanager
async def _legacy(transport: Any, ear: Ear | None) -> AsyncIterator[Client]:
    ear = ear or Ear()
    async with Client(transport, mode="legacy", logging_callback=ear.on_log, message_handler=ear.on_message) as client:
        await client.subscribe_resource(ALERTS_URI)
        yield client


@asynccontextmanager
async def modern_http(url: str, *, token: str | None = None, **options: Any) -> AsyncIterator[Client]:
    """The newest protocol over Streamable HTTP."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode="2026-07-28", **options) as client:
            yield client


@asynccontextmanager
async def listening(client: Client, ear: Ear) -> AsyncIterator[None]:
    """Lets a modern client do what the guide says: on each cue, read what is newer than the last cursor."""
    cursor = int((await ask(client, "list_alerts"))["cursor"])

    async def follow(events: Any) -> None:
        nonlocal cursor
        async for event in events:
            ear.updated.append(event.uri)
            page = await ask(client, "list_alerts", after_cursor=cursor)
            ear.alerts += page["alerts"]
            cursor = page["cursor"]

    async with client.listen(resource_subscriptions=[ALERTS_URI]) as events, anyio.create_task_group() as tasks:
        tasks.start_soon(follow, events)
        yield
        tasks.cancel_scope.cancel()


async def ask(client: Client, tool: str, **arguments: Any) -> Json:
    """The structured result of a tool that must succeed."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    content: Json | None = result.structured_content
    assert content is not None
    return content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """The text of a tool that must refuse."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, f"{tool} accepted {arguments}"
    return text_of(result)


def text_of(result: CallToolResult) -> str:
    """What a person reads of a result."""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))


async def first_look(client: Client) -> None:
    """Waits until the monitor has looked at everything once: what fails from now on is news to it."""
    await status_shows(client, lambda status: bool(status["baseline_complete"]))


async def status_shows(client: Client, condition: Callable[[Json], bool], *, within_seconds: float = 30) -> Json:
    """The first monitoring status of which `condition` holds."""
    status: Json = {}

    async def holds() -> bool:
        status.update(await ask(client, "monitoring_status"))
        return condition(status)

    await until(holds, within_seconds=within_seconds)
    return status

"""Python's `mcp` 2, as the visitor, and as one who only listens. Prints the visit's report, or a line for each alert.

Usage: python -m tests.clients.mcp2 visit legacy|auto stdio COMMAND [ARGUMENT...] | http URL | sse URL
       python -m tests.clients.mcp2 listen URL
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from contextlib import AsyncExitStack
from typing import Any, Literal, cast

import anyio
import mcp_types as types
from anyio.abc import TaskGroup
from mcp import Client, MCPDeprecationWarning, StdioServerParameters, stdio_client
from mcp.client.sse import sse_client
from mcp.client.subscriptions import Subscription
from pydantic import BaseModel

from tests.clients.visit import ALERTS, Ears, OnProgress, Plain, visit

Mode = Literal["legacy", "auto"]
DOORS: tuple[tuple[Mode, str], ...] = (("legacy", "http"), ("legacy", "sse"), ("auto", "http"))


class Mcp2:
    """How the second generation says it. Streams it opens live in `stack`, tasks it starts in `tasks`."""

    def __init__(self, client: Client, ears: Ears, *, modern: bool, stack: AsyncExitStack, tasks: TaskGroup) -> None:
        self.modern = modern
        self._client = client
        self._ears = ears
        self._stack = stack
        self._tasks = tasks

    async def about(self) -> Plain:
        assert self._client.server_info is not None
        return {
            "server": plain(self._client.server_info),
            "capabilities": plain(self._client.server_capabilities),
            "instructions": self._client.instructions,
        }

    async def lists(self) -> Plain:
        client = self._client
        return {
            "tools": plain(await client.list_tools())["tools"],
            "resources": plain(await client.list_resources())["resources"],
            "templates": plain(await client.list_resource_templates())["resourceTemplates"],
            "prompts": plain(await client.list_prompts())["prompts"],
        }

    async def prompt(self, name: str, arguments: dict[str, str]) -> Plain:
        return plain(await self._client.get_prompt(name, arguments))

    async def read(self, uri: str) -> list[Plain]:
        return cast("list[Plain]", plain(await self._client.read_resource(uri))["contents"])

    async def subscribe(self, uri: str) -> None:
        if self.modern:
            events = await self._stack.enter_async_context(self._client.listen(resource_subscriptions=[uri]))
            self._tasks.start_soon(self._hear, events)
        else:
            await self._client.set_logging_level("info")
            await self._client.subscribe_resource(uri)

    async def _hear(self, events: Subscription) -> None:
        async for event in events:
            self._ears.hear_update(str(getattr(event, "uri", event)))

    async def call(self, name: str, arguments: Plain, on_progress: OnProgress | None = None) -> Plain:
        return plain(await self._client.call_tool(name, arguments, progress_callback=on_progress))


class LoudEars(Ears):
    """Says on a line of its own which alert it heard of, and over which door."""

    def __init__(self, door: str) -> None:
        super().__init__()
        self._door = door

    def hear_log(self, message: Plain) -> None:
        say(f"{self._door} heard {message['data']['alert_id']}")


def say(text: str) -> None:
    """One line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def plain(model: BaseModel) -> Plain:
    """A message as it was on the wire."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def make_client(ears: Ears, mode: Mode, kind: str, target: str, rest: list[str], *, asks: bool = True) -> Client:
    """A client that is not connected yet. `asks`: whether its person can be asked."""

    async def on_log(params: types.LoggingMessageNotificationParams) -> None:
        ears.hear_log(plain(params))

    async def on_message(message: Any) -> None:
        if isinstance(message, types.ResourceUpdatedNotification) and mode == "legacy":
            ears.hear_update(message.params.uri)

    async def on_question(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        action = ears.answer(params.message)
        assert action in {"accept", "decline"}
        return types.ElicitResult(
            action="accept" if action == "accept" else "decline",
            content={"confirm": True} if action == "accept" else None,
        )

    server: Any = f"{target}/mcp"
    if kind == "stdio":
        server = stdio_client(StdioServerParameters(command=target, args=rest, env=dict(os.environ)))
    elif kind == "sse":
        server = sse_client(f"{target}/sse")
    return Client(
        server,
        mode=mode,
        logging_callback=on_log,
        message_handler=on_message,
        elicitation_callback=on_question if asks else None,
        client_info=types.Implementation(name="mcp2", version="2"),
    )


async def listen(mode: Mode, kind: str, url: str) -> None:
    """Says which alerts it hears of, until it is ended."""
    door = f"{mode}-{kind}"
    async with make_client(LoudEars(door), mode, kind, url, []) as client:
        if mode == "legacy":
            await client.set_logging_level("info")
            say(f"{door} listens")
            await anyio.sleep_forever()
        cursor = 0
        async with client.listen(resource_subscriptions=[ALERTS]) as events:
            say(f"{door} listens")
            async for _ in events:  # it carries no alert: these are read
                page = plain(await client.call_tool("list_alerts", {"after_cursor": cursor}))["structuredContent"]
                cursor = page["cursor"]
                for alert in page["alerts"]:
                    say(f"{door} heard {alert['alert_id']}")


async def listen_everywhere(url: str) -> None:
    """Listens at every door of one server at once."""
    async with anyio.create_task_group() as tasks:
        for mode, kind in DOORS:
            tasks.start_soon(listen, mode, kind, url)


async def visit_once(mode: Mode, kind: str, target: str, rest: list[str]) -> None:
    """Visits, and prints the report."""
    ears = Ears()
    async with (
        make_client(ears, mode, kind, target, rest) as client,
        anyio.create_task_group() as tasks,
        AsyncExitStack() as stack,
    ):
        modern = (client.protocol_version or "") >= "2026-07-28"
        report = await visit(Mcp2(client, ears, modern=modern, stack=stack, tasks=tasks), ears)
        tasks.cancel_scope.cancel()
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    # Log messages and subscriptions are deprecated in the newest revision: what is tested here is that they still work.
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    if sys.argv[1] == "listen":
        anyio.run(listen_everywhere, sys.argv[2])
    else:
        anyio.run(visit_once, cast("Mode", sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:])

"""Python's `mcp` 1.28. Usage: python -m tests.clients.mcp1 stdio COMMAND [ARGUMENT...] | http URL | sse URL. Prints the visit's report.

Runs in an environment of its own: the project itself has `mcp` 2.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import anyio
from mcp import ClientSession, StdioServerParameters, types
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from pydantic import AnyUrl, BaseModel

from tests.clients.visit import Ears, OnProgress, visit


class Mcp1:
    """How the first generation says it."""

    modern = False

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def about(self) -> dict[str, Any]:
        opened = await self._session.initialize()
        return {
            "server": plain(opened.serverInfo),
            "capabilities": plain(opened.capabilities),
            "instructions": opened.instructions,
        }

    async def lists(self) -> dict[str, Any]:
        session = self._session
        return {
            "tools": plain(await session.list_tools())["tools"],
            "resources": plain(await session.list_resources())["resources"],
            "templates": plain(await session.list_resource_templates())["resourceTemplates"],
            "prompts": plain(await session.list_prompts())["prompts"],
        }

    async def prompt(self, name: str, arguments: dict[str, str]) -> dict[str, Any]:
        return plain(await self._session.get_prompt(name, arguments))

    async def read(self, uri: str) -> list[dict[str, Any]]:
        return plain(await self._session.read_resource(AnyUrl(uri)))["contents"]

    async def subscribe(self, uri: str) -> None:
        await self._session.set_logging_level("info")
        await self._session.subscribe_resource(AnyUrl(uri))

    async def call(self, name: str, arguments: dict[str, Any], on_progress: OnProgress | None = None) -> dict[str, Any]:
        return plain(await self._session.call_tool(name, arguments, timedelta(seconds=60), on_progress))


def plain(model: BaseModel) -> dict[str, Any]:
    """A message as it was on the wire."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def transport(kind: str, target: str, rest: list[str]) -> AbstractAsyncContextManager[Any]:
    """The transport of this name."""
    if kind == "stdio":
        return stdio_client(StdioServerParameters(command=target, args=rest, env=dict(os.environ)))
    return streamable_http_client(f"{target}/mcp") if kind == "http" else sse_client(f"{target}/sse")


async def main(kind: str, target: str, rest: list[str]) -> None:
    """Connects, visits, prints."""
    ears = Ears()

    async def on_log(params: types.LoggingMessageNotificationParams) -> None:
        ears.hear_log(plain(params))

    async def on_message(message: Any) -> None:
        if isinstance(message, types.ServerNotification) and isinstance(
            message.root, types.ResourceUpdatedNotification
        ):
            ears.hear_update(str(message.root.params.uri))

    async def on_question(_: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        action = ears.answer(params.message)
        return types.ElicitResult(action=action, content={"confirm": True} if action == "accept" else None)

    async with (
        transport(kind, target, rest) as streams,
        ClientSession(
            streams[0],
            streams[1],
            logging_callback=on_log,
            message_handler=on_message,
            elicitation_callback=on_question,
            client_info=types.Implementation(name="mcp1", version="1.28"),
        ) as session,
    ):
        report = await visit(Mcp1(session), ears)
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3:])

"""Python's `mcp` 1.28 at the server, doing what `visit.mjs` does; prints the report of what it saw.

Usage: python visit.py stdio COMMAND [ARGUMENT...] | http URL | sse URL. Runs in an environment of its own: the project
itself has `mcp` 2.
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

PATIENCE_SECONDS = 30
ALERTS = AnyUrl("runai://alerts")


class Ears:
    """What is pushed, and what the person at this client answers when asked."""

    def __init__(self) -> None:
        self.logs: list[dict[str, Any]] = []
        self.updated: list[str] = []
        self.asked: list[str] = []
        self.answers: list[types.ElicitResult] = []
        self.both = anyio.Event()

    async def on_log(self, params: types.LoggingMessageNotificationParams) -> None:
        self.logs.append(plain(params))
        self._look()

    async def on_message(self, message: Any) -> None:
        if isinstance(message, types.ServerNotification) and isinstance(
            message.root, types.ResourceUpdatedNotification
        ):
            self.updated.append(str(message.root.params.uri))
            self._look()

    async def on_question(self, _: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        self.asked.append(params.message)
        return self.answers.pop(0)

    def _look(self) -> None:
        if self.logs and self.updated:
            self.both.set()


def transport(kind: str, target: str, rest: list[str]) -> AbstractAsyncContextManager[Any]:
    """The transport of this name."""
    if kind == "stdio":
        return stdio_client(StdioServerParameters(command=target, args=rest, env=dict(os.environ)))
    if kind == "http":
        return streamable_http_client(f"{target}/mcp")
    return sse_client(f"{target}/sse")


async def visit(session: ClientSession, ears: Ears) -> dict[str, Any]:
    """The visit; the same as the TypeScript clients'."""
    opened = await session.initialize()
    report: dict[str, Any] = {
        "server": plain(opened.serverInfo),
        "capabilities": plain(opened.capabilities),
        "instructions": opened.instructions,
        "modern": False,
        "progress": [],
        "results": {},
    }

    async def call(name: str, given: dict[str, Any] | None = None) -> dict[str, Any]:
        async def on_progress(progress: float, total: float | None, message: str | None) -> None:
            report["progress"].append({"tool": name, "progress": progress, "total": total, "message": message})

        result = await session.call_tool(name, given or {}, timedelta(seconds=60), on_progress)
        report["results"][name] = plain(result)
        return result.structuredContent or {}

    report["tools"] = [plain(tool) for tool in (await session.list_tools()).tools]
    report["resources"] = [plain(resource) for resource in (await session.list_resources()).resources]
    report["templates"] = [plain(item) for item in (await session.list_resource_templates()).resourceTemplates]
    report["prompts"] = [plain(prompt) for prompt in (await session.list_prompts()).prompts]
    report["prompt"] = plain(await session.get_prompt("investigate_failure", {"job_name": "train-a"}))
    await session.set_logging_level("info")
    await session.subscribe_resource(ALERTS)

    started = await call("start_monitoring", {"poll_interval_seconds": 1})
    waited = await call("wait_for_alerts", {"after_cursor": started["cursor"], "timeout_seconds": 30})
    with anyio.fail_after(PATIENCE_SECONDS):
        await ears.both.wait()
    report["log"], report["updated"] = ears.logs[0], ears.updated[:1]

    await call("monitoring_status")
    await call("list_alerts")
    await call("get_alert", {"alert_id": waited["alerts"][0]["alert_id"]})
    workload = (await call("list_workloads", {"phase": "Running", "limit": 20}))["workloads"][0]
    job = {"job_name": workload["id"]}
    await call("job_status", job)
    await call("troubleshoot_job", job)
    report["misspelt"] = plain(await session.call_tool("job_status", {"job_name": f"{workload['name']}x"}))
    await call("manage_workload", {"action": "suspend", **job})
    ears.answers += [
        types.ElicitResult(action="decline"),
        types.ElicitResult(action="accept", content={"confirm": True}),
    ]
    change = {"action": "suspend", "dry_run": False, **job}
    report["declined"] = plain(await session.call_tool("manage_workload", change))
    report["accepted"] = plain(await session.call_tool("manage_workload", change))
    report["asked"] = ears.asked

    uris = [resource["uri"] for resource in report["resources"]]
    uris.append(f"runai://alerts/{waited['alerts'][0]['alert_id']}")
    report["read"] = {uri: plain(await session.read_resource(AnyUrl(uri)))["contents"] for uri in uris}
    await call("stop_monitoring")
    return report


def plain(model: BaseModel) -> dict[str, Any]:
    """A model as it was on the wire."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def main(kind: str, target: str, rest: list[str]) -> None:
    """Connects, visits, prints."""
    ears = Ears()
    async with (
        transport(kind, target, rest) as streams,
        ClientSession(
            streams[0],
            streams[1],
            logging_callback=ears.on_log,
            message_handler=ears.on_message,
            elicitation_callback=ears.on_question,
            client_info=types.Implementation(name="mcp1", version="1.28"),
        ) as session,
    ):
        report = await visit(session, ears)
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], sys.argv[3:])

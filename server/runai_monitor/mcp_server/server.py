"""Puts the MCP server together from its tools, resources, prompts and the push hub."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, InputRequiredResult
from pydantic import ValidationError

from runai_monitor.errors import MonitorError
from runai_monitor.mcp_server.first_answer import FirstAnswer
from runai_monitor.mcp_server.guide import INSTRUCTIONS
from runai_monitor.mcp_server.prompts import add_prompts
from runai_monitor.mcp_server.push import AlertHub
from runai_monitor.mcp_server.resources import add_resources
from runai_monitor.mcp_server.seen import SeenCursors
from runai_monitor.mcp_server.toolkit import ToolParts
from runai_monitor.mcp_server.tools.alerts import alert_tools
from runai_monitor.mcp_server.tools.changes import write_tools
from runai_monitor.mcp_server.tools.diagnosis import diagnosis_tools
from runai_monitor.mcp_server.tools.monitoring import monitoring_tools
from runai_monitor.mcp_server.tools.notifications import notification_tools
from runai_monitor.mcp_server.tools.workloads import workload_tools
from runai_monitor.operations.operations import Operations

NAME = "runai-monitor"


class MonitorServer(MCPServer[Any]):
    """The SDK's server, with errors in our words.

    A refused argument says what is accepted, an unknown one is refused, and an error of ours reaches the model with
    its text. Anything else stays the SDK's crash: logged here, anonymous there.
    """

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Calls a tool.

        Raises:
            ToolError: the tool could not do it; the text says why and what to do.
        """
        tool = next((tool for tool in await self.list_tools() if tool.name == name), None)
        properties: dict[str, Any] = {} if tool is None else tool.input_schema.get("properties", {})
        if tool is not None:
            _refuse_unknown(arguments, properties)
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, MonitorError):
                raise ToolError(str(cause)) from cause
            if isinstance(cause, ToolError) and not isinstance(cause.__cause__, Exception):
                raise ToolError(str(cause)) from cause
            if isinstance(cause, ValidationError) and type(error) is ToolError:
                raise ToolError(_refused(cause, properties)) from cause
            raise


def build_server(
    *,
    operations: Operations,
    hub: AlertHub,
    version: str,
    allow_write_tools: bool,
    on_first_answer: Callable[[], None] | None = None,
) -> MonitorServer:
    """The server, ready for any transport. Subscribes the hub to the feed; running the feed is the caller's.

    `on_first_answer` is called once, after the first answer to `tools/list`.
    """
    parts = ToolParts(operations=operations, seen=SeenCursors(operations.queries))
    tools: list[Tool] = [
        *monitoring_tools(parts),
        *alert_tools(parts),
        *workload_tools(parts),
        *diagnosis_tools(parts),
        *(write_tools(parts) if allow_write_tools else ()),
        *notification_tools(parts),
    ]
    server = MonitorServer(
        NAME,
        title="Run:ai monitor",
        description="Watches NVIDIA Run:ai jobs, says why they fail, and tells at once.",
        instructions=INSTRUCTIONS,
        version=version,
        tools=tools,
        subscriptions=hub.bus,
    )
    add_resources(server, operations)
    add_prompts(server)
    # First of all, before the SDK's tracing: the pump stays in this call as long as the connection lives.
    server.middleware.insert(0, hub)
    if on_first_answer is not None:
        server.middleware.insert(0, FirstAnswer(on_first_answer))
    operations.feed.subscribe(hub.publish)
    return server


def _refuse_unknown(given: dict[str, Any], known: dict[str, Any]) -> None:
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, list(known), n=1)
            hint = f"did you mean {close[0]}?" if close else f"accepted are {', '.join(known) or 'none'}"
            raise ToolError(f"unknown argument {name[:60]!r}; {hint}")


def _refused(error: ValidationError, properties: dict[str, Any]) -> str:
    """Which arguments were refused and what is accepted; never the value itself, which may be long or secret."""
    sentences = []
    for detail in error.errors(include_input=False, include_url=False):
        name = str(detail["loc"][0]) if detail["loc"] else "arguments"
        description = properties.get(name, {}).get("description", "")
        sentence = f"{name}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
        if sentence not in sentences:
            sentences.append(f"{sentence} ({description})" if description else sentence)
    return "; ".join(dict.fromkeys(sentences))

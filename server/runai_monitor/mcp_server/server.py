"""Puts the MCP server together from its tools, resources, prompts and the push hub."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable
from typing import Any

from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceNotFoundError, ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult, GetPromptResult, InputRequiredResult
from pydantic import AnyUrl, ValidationError

from runai_monitor.errors import MonitorError
from runai_monitor.mcp_server.first_answer import FirstAnswer
from runai_monitor.mcp_server.guide import INSTRUCTIONS, SIMULATED
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
from runai_monitor.mcp_server.tools.responses import response_tools
from runai_monitor.mcp_server.tools.workloads import workload_tools
from runai_monitor.operations.arguments import quoted
from runai_monitor.operations.operations import Operations

NAME = "runai-monitor"
WRITE_TOOL = "manage_workload"


class MonitorServer(MCPServer[Any]):
    """The SDK's server, with errors in our words.

    What is unknown - tool, argument, prompt, resource - is refused with the nearest that is known, a refused argument
    says what is accepted, and an error of ours reaches the model with its text. Anything else stays the SDK's crash:
    logged here, anonymous there.
    """

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Calls a tool.

        Raises:
            ToolError: the tool could not do it; the text says why and what to do.
        """
        tools = {tool.name: tool for tool in await self.list_tools()}
        if name not in tools:
            raise ToolError(_unknown_tool(name, tools))
        properties: dict[str, Any] = tools[name].input_schema.get("properties", {})
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

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Gives a prompt's text.

        Raises:
            MCPError: there is no such prompt, or its arguments are not those it has.
        """
        prompts = {prompt.name: prompt for prompt in await self.list_prompts()}
        if name not in prompts:
            raise MCPError(INVALID_PARAMS, f"there is no prompt {quoted(name)}; {_hint(name, prompts)}")
        known = prompts[name].arguments or []
        given = arguments or {}
        missing = [argument.name for argument in known if argument.required and argument.name not in given]
        if missing:
            raise MCPError(INVALID_PARAMS, f"prompt {name} needs {', '.join(missing)}")
        accepted = [argument.name for argument in known]
        for argument in given:
            if argument not in accepted:
                raise MCPError(INVALID_PARAMS, f"unknown argument {quoted(argument)}; {_hint(argument, accepted)}")
        return await super().get_prompt(name, arguments, context)

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Reads a resource.

        Raises:
            ResourceNotFoundError: there is none of this address; the text names the nearest.
        """
        try:
            return await super().read_resource(uri, context)
        except ResourceNotFoundError as error:
            if isinstance(error.__cause__, MonitorError):
                raise
            known = [str(resource.uri) for resource in await self.list_resources()]
            raise ResourceNotFoundError(f"there is no resource {quoted(str(uri))}; {_hint(str(uri), known)}") from error


def build_server(
    *,
    operations: Operations,
    hub: AlertHub,
    version: str,
    allow_write_tools: bool,
    on_first_answer: Callable[[], None] | None = None,
    simulated: bool = False,
) -> MonitorServer:
    """The server, ready for any transport. Subscribes the hub to the feed; running the feed is the caller's.

    `on_first_answer` is called once, after the first answer to `tools/list`. `simulated`: what is monitored is a show, and
    a model is told so before anything else.
    """
    parts = ToolParts(operations=operations, seen=SeenCursors(operations.queries))
    tools: list[Tool] = [
        *monitoring_tools(parts),
        *alert_tools(parts),
        *workload_tools(parts),
        *diagnosis_tools(parts),
        *(write_tools(parts) if allow_write_tools else ()),
        *notification_tools(parts),
        *response_tools(parts),
    ]
    server = MonitorServer(
        NAME,
        title="Run:ai monitor (simulated tenant)" if simulated else "Run:ai monitor",
        description="Watches NVIDIA Run:ai jobs, says why they fail, and tells at once.",
        instructions=SIMULATED + INSTRUCTIONS if simulated else INSTRUCTIONS,
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
    server.middleware.append(refuse_cursors)
    operations.feed.subscribe(hub.publish)
    return server


async def refuse_cursors(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware: every list here is one page, so a cursor is one that this server never gave."""
    if ctx.method.endswith("/list") and (ctx.params or {}).get("cursor"):
        raise MCPError(INVALID_PARAMS, "this server gave no such cursor: its lists are one page, ask without")
    return await call_next(ctx)


def _unknown_tool(name: str, known: Collection[str]) -> str:
    if name == WRITE_TOOL:
        return f"{name} is switched off here; whoever runs this server can set RUNAI_ALLOW_WRITE_TOOLS=true to have it"
    return f"there is no tool {quoted(name)}; {_hint(name, known)}"


def _refuse_unknown(given: dict[str, Any], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            raise ToolError(f"unknown argument {quoted(name)}; {_hint(name, known)}")


def _hint(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known) or 'none'}"


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

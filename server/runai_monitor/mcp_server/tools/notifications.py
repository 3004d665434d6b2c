"""The tool that tries the channels."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult
from pydantic import Field

from runai_monitor.mcp_server import schemas
from runai_monitor.mcp_server.client_name import client_name
from runai_monitor.mcp_server.shape import tool_result
from runai_monitor.mcp_server.toolkit import ToolParts, make_tool
from runai_monitor.operations.present import one_line


def notification_tools(parts: ToolParts) -> list[Tool]:
    """The tool, bound to the operations."""
    actions, seen = parts.operations.actions, parts.seen

    async def send_test_notification(
        ctx: Context[Any, Any],
        channel: Annotated[str | None, Field(description="A configured channel, such as slack; null for all.")] = None,
    ) -> Annotated[CallToolResult, schemas.NotificationTestResult]:
        """Sends a test message through one notification channel or all, and tells for each whether it arrived."""
        outcome = await actions.send_test_notification(channel, author=client_name(ctx))
        rows = [
            schemas.ChannelTestResult(
                channel=name, delivered=error is None, error=None if error is None else one_line(error)
            )
            for name, error in outcome.items()
        ]
        lines = [f"{row.channel}: {'delivered' if row.delivered else row.error}" for row in rows]
        return await seen.append(ctx, tool_result(schemas.NotificationTestResult(channels=rows), "\n".join(lines)))

    return [make_tool(send_test_notification, title="Send a test notification", read_only=False, idempotent=False)]

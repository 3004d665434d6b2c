"""The tools that try the channels and tell again what they did not take."""

from __future__ import annotations

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult
from pydantic import Field

from runai_monitor.mcp_server import schemas
from runai_monitor.mcp_server.shape import tool_result
from runai_monitor.mcp_server.toolkit import ToolParts, client_name, make_tool
from runai_monitor.operations.present import one_line


def notification_tools(parts: ToolParts) -> list[Tool]:
    """The tools, bound to the operations."""
    actions, deliveries, seen = parts.operations.actions, parts.operations.deliveries, parts.seen

    async def send_test_notification(
        ctx: Context[Any, Any],
        channel: Annotated[str | None, Field(description="A configured channel, such as slack; null for all.")] = None,
    ) -> Annotated[CallToolResult, schemas.NotificationTestResult]:
        """Sends a test message through one notification channel or all, and tells for each whether it arrived."""
        outcome = await actions.send_test_notification(channel)
        rows = [
            schemas.ChannelTestResult(
                channel=name, delivered=error is None, error=None if error is None else one_line(error)
            )
            for name, error in outcome.items()
        ]
        lines = [f"{row.channel}: {'delivered' if row.delivered else row.error}" for row in rows]
        return await seen.append(ctx, tool_result(schemas.NotificationTestResult(channels=rows), "\n".join(lines)))

    async def replay_deliveries(
        ctx: Context[Any, Any],
        delivery_id: Annotated[
            int | None, Field(description="One failed delivery, from get_alert or monitoring_status; null for all.")
        ] = None,
        author: Annotated[str | None, Field(description="Who wants it, for the record.")] = None,
    ) -> Annotated[CallToolResult, schemas.ReplayResult]:
        """Tells channels again what they did not take and was given up (state failed). Does not wait for the channel."""
        through = f"through {client_name(ctx)}"
        outcome = await deliveries.replay(delivery_id, author=f"{author} ({through})" if author else through)
        count = len(outcome.replayed)
        lines = [f"{count} deliver{'y' if count == 1 else 'ies'} will be told again within seconds.", *outcome.skipped]
        lines += ["There are more: call it again."] if outcome.more else []
        result = schemas.ReplayResult(replayed=list(outcome.replayed), skipped=list(outcome.skipped), more=outcome.more)
        return await seen.append(ctx, tool_result(result, "\n".join(lines)))

    tried = make_tool(send_test_notification, title="Send a test notification", read_only=False, idempotent=False)
    again = make_tool(replay_deliveries, title="Tell again what a channel did not take", read_only=False)
    return [tried, again]

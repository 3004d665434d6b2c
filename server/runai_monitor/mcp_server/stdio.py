"""The server on stdin and stdout, for clients that start it themselves."""

from __future__ import annotations

from typing import Any

from mcp.server import MCPServer


async def run_stdio(server: MCPServer[Any]) -> None:
    """Serves one client until it closes stdin. stdout belongs to the protocol: logs go to stderr."""
    await server.run_stdio_async()

"""Who is behind a call: what the caller says of the author, and what the client said of itself at the handshake."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import Context

from runai_monitor.errors import InputError
from runai_monitor.operations.arguments import MAX_AUTHOR_LENGTH
from runai_monitor.operations.present import one_line

UNNAMED = "an unnamed client"


def client_name(ctx: Context[Any, Any]) -> str:
    """Name and version of the client, as it gave them."""
    params = ctx.session.client_params
    if params is None:
        return UNNAMED
    return one_line(f"{params.client_info.name} {params.client_info.version}", limit=40) or UNNAMED


def author_of(ctx: Context[Any, Any], given: str | None) -> str:
    """The author of a call as it is recorded: `anna via Claude Desktop 1.2`, or the client alone.

    Raises:
        InputError: the name is too long.
    """
    client = client_name(ctx)
    name = " ".join((given or "").split())
    longest = MAX_AUTHOR_LENGTH - len(f" via {client}")
    if len(name) > longest:
        raise InputError(f"author must be a name of at most {longest} characters")
    return f"{name} via {client}" if name else client

"""How a tool is made here: from a function, with annotations, closed arguments and constraints that people can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import Field

from runai_monitor.mcp_server.seen import SeenCursors
from runai_monitor.operations.operations import Operations


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolParts:
    """What the tools are built from."""

    operations: Operations
    seen: SeenCursors


def make_tool(
    function: Callable[..., Any],
    *,
    title: str,
    read_only: bool = True,
    destructive: bool = False,
    idempotent: bool = True,
    open_world: bool = True,
) -> Tool:
    """A tool named as its function, described by its docstring; arguments it does not know are refused."""
    tool = Tool.from_function(
        function,
        title=title,
        description=_unwrapped(function.__doc__ or ""),
        annotations=ToolAnnotations(
            title=title,
            read_only_hint=read_only,
            destructive_hint=destructive,
            idempotent_hint=idempotent,
            open_world_hint=open_world,
        ),
        structured_output=True,
    )
    # A misspelt argument must not silently become "all projects".
    tool.parameters["additionalProperties"] = False
    return tool


def ranged(description: str, accepted: tuple[float, float]) -> Any:
    """An argument with a range. The schema tells it; the operation refuses it, in words for a person."""
    low, high = accepted
    return Field(
        description=f"{description} Accepted is {low:g} to {high:g}.",
        json_schema_extra={"minimum": low, "maximum": high},
    )


def _unwrapped(text: str) -> str:
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(" ".join(line.strip() for line in paragraph.splitlines()) for paragraph in paragraphs)

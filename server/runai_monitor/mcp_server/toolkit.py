"""How a tool is made here: from a function, with annotations, closed arguments and constraints that people can read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mcp.server.mcpserver import Context
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
    tool.parameters = {**without_titles(tool.parameters), "additionalProperties": False}
    tool.fn_metadata.output_schema = without_titles(tool.fn_metadata.output_schema)
    return tool


def client_name(ctx: Context[Any, Any]) -> str:
    """The program at the other end, as it calls itself."""
    params = ctx.session.client_params
    return "an unnamed client" if params is None else f"{params.client_info.name} {params.client_info.version}"


def without_titles(schema: Any) -> Any:
    """The schema without the titles that pydantic makes of names: they say nothing, and every model pays for them."""
    if isinstance(schema, list):
        return [without_titles(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        # Under `properties` and `$defs` the keys are names, and one may well be called title.
        key: {name: without_titles(part) for name, part in value.items()}
        if key in {"properties", "$defs"}
        else without_titles(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }


def ranged(description: str, accepted: tuple[float, float]) -> Any:
    """An argument with a range. The schema tells it; the operation refuses it, in words for a person."""
    low, high = accepted
    return Field(
        description=f"{description} Accepted is {low:g} to {high:g}.",
        json_schema_extra={"minimum": low, "maximum": high},
    )


def chosen(description: str, words: Iterable[str]) -> Any:
    """An argument that is one of a few words, or null. The schema tells them; the operation refuses others, in words."""
    return Field(description=description, json_schema_extra={"enum": [*sorted(words), None]})


def _unwrapped(text: str) -> str:
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join(" ".join(line.strip() for line in paragraph.splitlines()) for paragraph in paragraphs)

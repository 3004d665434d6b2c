"""Tells once when a client has been given its first list of tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext


class FirstAnswer:
    """Middleware that calls `then` after the first answer to `tools/list`, the last thing a client waits for to begin."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then: Callable[[], None] | None = then

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Passes every message on."""
        result = await call_next(ctx)
        if ctx.method == "tools/list" and self._then is not None:
            then, self._then = self._then, None
            then()
        return result

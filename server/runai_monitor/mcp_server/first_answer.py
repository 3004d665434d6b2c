"""Tells once when a client has what it needs to begin, or wants more than that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

_GREETINGS = frozenset({"initialize", "notifications/initialized", "server/discover", "ping", "tools/list"})


class FirstAnswer:
    """Middleware that calls `then` after the first answer to `tools/list`, or before the first request beyond greetings."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then: Callable[[], None] | None = then

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Passes every message on."""
        if ctx.method not in _GREETINGS:
            self._tell()
        result = await call_next(ctx)
        if ctx.method == "tools/list":
            self._tell()
        return result

    def _tell(self) -> None:
        if self._then is not None:
            then, self._then = self._then, None
            then()

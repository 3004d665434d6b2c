"""What each client has been given of the alerts, so that ordinary results can say how many it has not."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, TextContent

from runai_monitor.mcp_server.push import MODERN
from runai_monitor.operations.queries import UNSEEN_LIMIT, Queries

MAX_CLIENTS = 1024


class SeenCursors:
    """The highest cursor each client was given by an alert tool.

    A legacy client is its connection. Newer ones send every request on its own: there a client is its name, version
    and address, which is enough for a hint. Only the latest `MAX_CLIENTS` are kept.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self._seen: OrderedDict[Hashable, int] = OrderedDict()
        self._given: dict[Hashable, int] = {}

    def given(self, ctx: Context[Any, Any]) -> int | None:
        """The last cursor this client was given to go on from, None when it was given none."""
        return self._given.get(_client(ctx))

    def offer(self, ctx: Context[Any, Any], cursor: int) -> None:
        """This client was told to go on from `cursor`; what came before it may not have been read."""
        self._given[_client(ctx)] = cursor

    def mark(self, ctx: Context[Any, Any], cursor: int) -> None:
        """This client was given everything up to `cursor`."""
        key = _client(ctx)
        self._given[key] = max(cursor, self._given.get(key, 0))
        self._set(key, max(cursor, self._seen.get(key, 0)))

    async def append(self, ctx: Context[Any, Any], result: CallToolResult) -> CallToolResult:
        """The result with the line about alerts not yet seen, when there are any."""
        key = _client(ctx)
        if key not in self._seen:
            self._set(key, await self._queries.unseen_from())
        cursor = self._seen[key]
        count = await self._queries.count_newer(cursor)
        if isinstance(result.structured_content, dict):
            result.structured_content["unseen_alerts"] = count
        if count:
            number = f"{count} or more" if count >= UNSEEN_LIMIT else str(count)
            line = f"{number} alert(s) not yet seen: call list_alerts(after_cursor={cursor})"
            result.content.append(TextContent(type="text", text=line))
        return result

    def _set(self, key: Hashable, cursor: int) -> None:
        self._seen[key] = cursor
        self._seen.move_to_end(key)
        if len(self._seen) > MAX_CLIENTS:
            oldest, _ = self._seen.popitem(last=False)
            self._given.pop(oldest, None)


class _Connection:
    """A legacy connection as a key. It keeps the parameters object, so that no other can get its identity."""

    __slots__ = ("_params",)

    def __init__(self, params: object) -> None:
        self._params = params

    def __hash__(self) -> int:
        return id(self._params)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Connection) and other._params is self._params


def _client(ctx: Context[Any, Any]) -> Hashable:
    params = ctx.session.client_params
    info = None if params is None else params.client_info
    who = (info.name, info.version) if info is not None else ()
    if (ctx.protocol_version or "") < MODERN and params is not None:
        return _Connection(params)
    peer = getattr(ctx.request_context.request, "client", None)
    return (getattr(peer, "host", ""), who)

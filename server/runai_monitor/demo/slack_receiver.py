"""A Slack incoming webhook: takes what Slack would take, refuses what it would refuse, keeps what arrived."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

Json = dict[str, Any]

# Slack's documented limits, and the size above which it answers msg_blocks_too_long whatever the number of blocks.
MAX_BLOCKS = 50
MAX_HEADER_CHARACTERS = 150
MAX_SECTION_CHARACTERS = 3000
MAX_FIELDS = 10
MAX_FIELD_CHARACTERS = 2000
MAX_CONTEXT_ELEMENTS = 10
MAX_TEXT_CHARACTERS = 40_000
MAX_BLOCK_CHARACTERS = 13_200


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer the receiver was told to give instead of taking a message."""

    status: int
    retry_after_seconds: int | None = None


@dataclass(slots=True, kw_only=True)
class SlackReceiver:
    """One webhook.

    Attributes:
        path: the secret path of the webhook; any other is answered 404 `no_service`.
        messages: every payload taken, in order.
        refused: every payload it would not take, with Slack's word for why.
    """

    path: str = "/services/T0DEMO000/B0DEMO000/d3m0d3m0d3m0d3m0d3m0d3m0"
    messages: list[Json] = field(default_factory=list)
    refused: list[tuple[Json, str]] = field(default_factory=list)
    _refusals: deque[Refusal] = field(default_factory=deque)
    _arrived: anyio.Event = field(default_factory=anyio.Event)

    @property
    def app(self) -> Starlette:
        """The ASGI application of the webhook."""
        return Starlette(routes=[Route("/{path:path}", self._receive, methods=["POST"])])

    def refuse_next(self, *, status: int, retry_after_seconds: int | None = None, times: int = 1) -> None:
        """Answers the next `times` messages with `status` before any is taken."""
        self._refusals.extend(Refusal(status=status, retry_after_seconds=retry_after_seconds) for _ in range(times))

    async def wait_for(self, count: int) -> list[Json]:
        """Waits until at least `count` messages were taken; returns all of them."""
        while len(self.messages) < count:
            await self._arrived.wait()
        return list(self.messages)

    async def stream(self) -> AsyncIterator[Json]:
        """Every message from the first on, each as it arrives; never ends by itself."""
        told = 0
        while True:
            for message in (await self.wait_for(told + 1))[told:]:
                told += 1
                yield message

    async def _receive(self, request: Request) -> Response:
        if request.url.path != self.path:
            return PlainTextResponse("no_service", status_code=404)
        if self._refusals:
            refusal = self._refusals.popleft()
            wait = refusal.retry_after_seconds
            headers = {} if wait is None else {"Retry-After": str(wait)}
            text = "rate_limited" if refusal.status == 429 else "server_error"
            return PlainTextResponse(text, status_code=refusal.status, headers=headers)
        try:
            payload = await request.json()
        except ValueError:
            return PlainTextResponse("invalid_payload", status_code=400)
        problem = refusal_of(payload)
        if problem is not None:
            self.refused.append((payload, problem))
            return PlainTextResponse(problem, status_code=400)
        self.messages.append(payload)
        self._arrived.set()
        self._arrived = anyio.Event()
        return PlainTextResponse("ok")


def refusal_of(payload: Any) -> str | None:
    """Slack's word for what is wrong with a payload, None when it would take it."""
    if not isinstance(payload, dict):
        return "invalid_payload"
    blocks = payload.get("blocks", [])
    text = payload.get("text", "")
    if not isinstance(blocks, list) or not isinstance(text, str):
        return "invalid_payload"
    if not blocks and not text:
        return "no_text"
    if len(text) > MAX_TEXT_CHARACTERS:
        return "msg_too_long"
    if len(blocks) > MAX_BLOCKS or not all(_acceptable(block) for block in blocks):
        return "invalid_blocks"
    if sum(_characters(block) for block in blocks) > MAX_BLOCK_CHARACTERS:
        return "msg_blocks_too_long"
    return None


def _acceptable(block: Any) -> bool:
    if not isinstance(block, dict):
        return False
    match block.get("type"):
        case "header":
            return _text(block.get("text"), most=MAX_HEADER_CHARACTERS, kinds={"plain_text"})
        case "section":
            fields = block.get("fields", [])
            if "text" not in block and not fields:
                return False
            return (
                ("text" not in block or _text(block["text"], most=MAX_SECTION_CHARACTERS))
                and len(fields) <= MAX_FIELDS
                and all(_text(part, most=MAX_FIELD_CHARACTERS) for part in fields)
            )
        case "context":
            elements = block.get("elements", [])
            return 1 <= len(elements) <= MAX_CONTEXT_ELEMENTS and all(
                element.get("type") == "image" or _text(element, most=MAX_SECTION_CHARACTERS) for element in elements
            )
        case "actions":
            return bool(block.get("elements"))
        case "divider" | "image" | "rich_text" | "markdown":
            return True
    return False


def _text(value: Any, *, most: int, kinds: frozenset[str] | set[str] = frozenset({"plain_text", "mrkdwn"})) -> bool:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        return False
    text = value.get("text")
    return isinstance(text, str) and 1 <= len(text) <= most


def _characters(value: Any) -> int:
    if isinstance(value, dict):
        return sum(
            len(part) if key == "text" and isinstance(part, str) else _characters(part) for key, part in value.items()
        )
    if isinstance(value, list):
        return sum(_characters(part) for part in value)
    return 0

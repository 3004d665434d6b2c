"""What a service may answer: when to come back, and more than anybody asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from runai_monitor.notify.posting import Peer, post


@pytest.mark.anyio
async def test_an_endless_answer_is_cut() -> None:
    """Whoever answers at the address must not fill our memory."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 4096

    transport = httpx2.MockTransport(lambda _request: httpx2.Response(200, content=endless()))
    async with httpx2.AsyncClient(transport=transport) as http:
        answer = await post(http, "https://example.com", b"{}", peer=Peer(name="it", advice="do"))
    assert (answer.status, len(answer.text)) == (200, 65_536)

"""What a service may answer: when to come back, and more than anybody asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from runai_monitor.notify.posting import Peer, pause_seconds, post

NOW = "Sun, 01 Mar 2026 03:00:00 GMT"


@pytest.mark.parametrize(
    ("value", "sent_at", "seconds"),
    [
        ("7", None, 7),
        ("999999", None, 3600),
        ("Sun, 01 Mar 2026 03:02:00 GMT", NOW, 120),
        ("Sun, 01 Mar 2026 02:00:00 GMT", NOW, 1),
        ("Sun, 01 Mar 2026 03:02:00 GMT", None, None),
        ("soon", NOW, None),
        ("-5", NOW, None),
        (None, NOW, None),
    ],
)
def test_a_pause_is_a_number_or_an_instant_of_the_server(
    value: str | None, sent_at: str | None, seconds: float | None
) -> None:
    """HTTP allows both, and our clock may differ from theirs."""
    assert pause_seconds(value, sent_at=sent_at) == seconds


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

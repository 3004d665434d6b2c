"""The Slack receiver: what Slack would not take must not count as delivered."""

from __future__ import annotations

from typing import Any

import anyio
import httpx2
import pytest

from runai_monitor.demo.slack_receiver import SlackReceiver

pytestmark = pytest.mark.anyio


async def _post(receiver: SlackReceiver, payload: Any, *, path: str | None = None) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=receiver.app), base_url="http://slack") as client:
        return await client.post(receiver.path if path is None else path, json=payload)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def test_a_good_message_is_answered_ok_and_kept() -> None:
    """`ok` is the whole of Slack's answer."""
    receiver = SlackReceiver()
    answer = await _post(receiver, {"text": "one", "blocks": [_section("hello")]})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert [message["text"] for message in receiver.messages] == ["one"]


@pytest.mark.parametrize(
    ("payload", "word"),
    [
        ({}, "no_text"),
        ([], "invalid_payload"),
        ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"blocks": [_section("x" * 3001)]}, "invalid_blocks"),
        ({"blocks": [_section("")]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "surprise"}]}, "invalid_blocks"),
        ({"blocks": [_section("x" * 2900)] * 5}, "msg_blocks_too_long"),
    ],
)
async def test_what_slack_refuses_is_refused(payload: Any, word: str) -> None:
    """A message too long for Slack is an alert nobody reads."""
    receiver = SlackReceiver()
    answer = await _post(receiver, payload)
    assert (answer.status_code, answer.text) == (400, word)
    assert receiver.messages == []


async def test_it_can_be_busy_first_and_kind_later() -> None:
    """429 with Retry-After and 500 are what the outbox must survive without losing or doubling a message."""
    receiver = SlackReceiver()
    receiver.refuse_next(status=429, retry_after_seconds=2)
    receiver.refuse_next(status=500)
    answers = [await _post(receiver, {"text": "again"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 500, 200]
    assert answers[0].headers["retry-after"] == "2"
    assert len(receiver.messages) == 1


async def test_another_path_is_no_service() -> None:
    """A mistyped webhook answers 404 for ever."""
    receiver = SlackReceiver()
    assert (await _post(receiver, {"text": "x"}, path="/services/nothing")).status_code == 404


async def test_a_reader_gets_every_message_in_order() -> None:
    """The show prints from this stream: what came before it was opened counts too."""
    receiver = SlackReceiver()
    await _post(receiver, {"text": "first"})
    heard: list[str] = []

    async def listen() -> None:
        async for message in receiver.stream():
            heard.append(message["text"])
            if len(heard) == 3:
                return

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            await anyio.wait_all_tasks_blocked()
            await _post(receiver, {"text": "second"})
            await _post(receiver, {"text": "third"})
    assert heard == ["first", "second", "third"]

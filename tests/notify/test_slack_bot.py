"""A thread per alert in Slack, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from runai_monitor.errors import DeliveryError
from runai_monitor.model.alert import Change
from runai_monitor.notify.slack_bot import SlackBotNotifier
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import open_database
from runai_monitor.store.threads import ThreadStore
from tests.factories import make_transition
from tests.notify.messages import notification
from tests.notify.rigs import slack_bot
from tests.notify.sinks import HttpSink, Reply

pytestmark = pytest.mark.anyio
OK = {"ok": True, "channel": "C777", "ts": "1700000000.000100"}


@pytest.fixture
async def slack() -> AsyncIterator[HttpSink]:
    async with HttpSink(Reply(200, json.dumps(OK))).running() as sink:
        yield sink


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
def bot(slack: HttpSink, http: httpx2.AsyncClient) -> SlackBotNotifier:
    return slack_bot(slack.url, http)


def calls(slack: HttpSink) -> list[tuple[str, dict[str, Any]]]:
    return [(request.path.removeprefix("/api/"), json.loads(request.body)) for request in slack.requests]


async def test_an_alert_is_one_thread_whose_first_message_shows_its_end(bot: SlackBotNotifier, slack: HttpSink) -> None:
    """A channel that scrolls by shows at a glance what is still broken."""
    for change in (Change.OPENED, Change.REMINDED, Change.RESOLVED):
        await bot.send(notification(change=change))
    (opened, root), (reminded, reply), (updated, edit), (ended, last) = calls(slack)
    assert (opened, reminded, updated, ended) == (
        "chat.postMessage",
        "chat.postMessage",
        "chat.update",
        "chat.postMessage",
    )
    assert root["channel"] == "C1"
    assert "thread_ts" not in root
    assert (reply["channel"], reply["thread_ts"], reply["reply_broadcast"]) == ("C777", OK["ts"], True)
    assert (edit["channel"], edit["ts"], edit["text"]) == ("C777", OK["ts"], "🟢 Resolved: job")
    assert "container_oom" in json.dumps(edit), "what it was stays to be read"
    assert "container_oom" not in json.dumps(last)
    assert (last["thread_ts"], last["reply_broadcast"]) == (OK["ts"], False)
    assert slack.requests[0].headers["authorization"].startswith("Bearer xoxb-")


async def test_a_thread_survives_a_restart(tmp_path: Path, slack: HttpSink, http: httpx2.AsyncClient) -> None:
    """The process that tells of the end is seldom the one that told of the beginning."""
    for change in (Change.OPENED, Change.RESOLVED):
        database = await open_database(state_dir=tmp_path)
        try:
            if change is Change.OPENED:
                await AlertStore(database).apply([make_transition()], channels=[])
            await slack_bot(slack.url, http, threads=ThreadStore(database)).send(notification(change=change))
        finally:
            await database.aclose()
    assert [method for method, _ in calls(slack)] == ["chat.postMessage", "chat.update", "chat.postMessage"]
    assert calls(slack)[-1][1]["thread_ts"] == OK["ts"]


async def test_a_first_message_that_somebody_deleted_begins_anew(bot: SlackBotNotifier, slack: HttpSink) -> None:
    """The end must be told, thread or no thread."""
    await bot.send(notification())
    slack.script = [Reply(200, '{"ok": false, "error": "message_not_found"}')]
    await bot.send(notification(change=Change.RESOLVED))
    method, last = calls(slack)[-1]
    assert method == "chat.postMessage"
    assert "thread_ts" not in last


async def test_an_end_that_is_tried_again_is_told_once(bot: SlackBotNotifier, slack: HttpSink) -> None:
    """The edit may be repeated, the reply may not: so it comes last."""
    await bot.send(notification())
    slack.script = [Reply(200, json.dumps(OK)), Reply(503)]
    with pytest.raises(DeliveryError):
        await bot.send(notification(change=Change.RESOLVED))
    await bot.send(notification(change=Change.RESOLVED))
    assert [method for method, _ in calls(slack)][1:] == ["chat.update", "chat.postMessage"] * 2


async def test_a_test_message_begins_no_thread(bot: SlackBotNotifier, slack: HttpSink) -> None:
    """There is no alert that the reference could belong to."""
    await bot.send(notification(test=True))
    await bot.send(notification(test=True))
    assert all("thread_ts" not in body for _, body in calls(slack))


@pytest.mark.parametrize(
    ("word", "retryable", "pause"),
    [
        ("ratelimited", True, 30),
        ("internal_error", True, None),
        ("invalid_auth", False, None),
        ("token_revoked", False, None),
        ("not_in_channel", False, None),
        ("missing_scope", False, None),
        ("msg_blocks_too_long", False, None),
    ],
)
async def test_what_slack_says_decides_whether_it_is_tried_again(
    bot: SlackBotNotifier, slack: HttpSink, word: str, retryable: bool, pause: float | None
) -> None:
    """The Web API answers 200 to everything: the word alone tells a revoked token from a bad moment."""
    slack.script = [Reply(200, json.dumps({"ok": False, "error": word}))]
    with pytest.raises(DeliveryError, match=word) as caught:
        await bot.send(notification())
    assert (caught.value.retryable, caught.value.retry_after_seconds) == (retryable, pause)

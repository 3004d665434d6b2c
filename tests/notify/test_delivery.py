"""From the outbox to a webhook that throttles, breaks, hangs and comes back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runai_monitor.errors import DeliveryError
from runai_monitor.model.alert import Alert, Change, Severity
from runai_monitor.model.diagnosis import Cause, Diagnosis, Evidence, Verdict
from runai_monitor.model.notification import DeliveryState, Notification
from runai_monitor.notify.outbox import Outbox
from runai_monitor.notify.render import MAX_BLOCKS, MAX_CHARACTERS, alert_line, slack_message
from runai_monitor.notify.retry import RetryPolicy
from runai_monitor.notify.slack import SlackNotifier
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import Database, open_database
from runai_monitor.store.deliveries import DeliveryStore
from tests.factories import make_transition
from tests.fakes import EPOCH, FakeClock

pytestmark = pytest.mark.anyio
URL = "https://hooks.slack.com/services/T000/B000/s3cretpart"
Script = list[httpx2.Response | Exception]


class Slack:
    """Answers by script, then `ok`; remembers what was taken and when."""

    def __init__(self, clock: FakeClock, script: Script) -> None:
        self.clock = clock
        self.script = script
        self.attempts: list[float] = []
        self.taken: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.attempts.append(self.clock.monotonic())
        answer = self.script.pop(0) if self.script else httpx2.Response(200, text="ok")
        if isinstance(answer, Exception):
            raise answer
        if answer.status_code == 200 and answer.text == "ok":
            self.taken.append(json.loads(request.content)["text"].removeprefix("🔴 Job Failure Alert: "))
        return answer


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(state_dir=tmp_path)
    try:
        yield opened
    finally:
        await opened.aclose()


def notifier(slack: Callable[[httpx2.Request], httpx2.Response]) -> SlackNotifier:
    return SlackNotifier(webhook_url=URL, http=httpx2.AsyncClient(transport=httpx2.MockTransport(slack)))


async def deliver(database: Database, script: Script, names: str, *, seconds: int) -> tuple[Slack, DeliveryStore]:
    """Stores an alert per name and lets the outbox run for `seconds` of its clock."""

    async def settled() -> None:
        """The one loop has done what was due, the database's thread included, and waits for the clock again."""
        await anyio.wait_all_tasks_blocked()
        await clock.someone_sleeps()

    clock = FakeClock(settle=settled)
    slack = Slack(clock, script)
    store = DeliveryStore(database)
    await AlertStore(database).apply([make_transition(name) for name in names], channels=["slack"])
    longest = RetryPolicy(jitter=lambda ceiling: ceiling)
    outbox = Outbox(deliveries=store, notifiers={"slack": notifier(slack)}, clock=clock, policy=longest)
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(outbox.run)
            await clock.advance(seconds)
            tasks.cancel_scope.cancel()
    return slack, store


async def test_each_alert_arrives_once_and_at_most_one_a_second(database: Database) -> None:
    """Slack disables apps that post faster; a burst must queue, in order."""
    slack, store = await deliver(database, [], "abcd", seconds=6)
    assert slack.taken == ["a", "b", "c", "d"]
    assert all(later - earlier >= 1 for earlier, later in zip(slack.attempts, slack.attempts[1:], strict=False))
    assert await store.counts() == {"slack": {DeliveryState.DELIVERED: 4}}


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "5"},
        {"retry-after": "Sun, 01 Mar 2026 03:00:06 GMT", "date": "Sun, 01 Mar 2026 03:00:01 GMT"},
    ],
    ids=["seconds", "date"],
)
async def test_a_429_pauses_the_channel_for_as_long_as_it_says(database: Database, headers: dict[str, str]) -> None:
    """Going on would be answered by more 429s, and in the end by a disabled webhook."""
    throttled = httpx2.Response(429, headers=headers)
    slack, _ = await deliver(database, [throttled], "ab", seconds=10)
    assert sorted(slack.taken) == ["a", "b"]
    assert slack.attempts[1] - slack.attempts[0] >= 5


@pytest.mark.parametrize(
    "trouble",
    [
        httpx2.Response(500),
        httpx2.Response(200, text="<html>proxy</html>"),
        httpx2.ConnectError("refused"),
        httpx2.ReadTimeout("slow"),
    ],
    ids=["500", "not ok", "refused", "timeout"],
)
async def test_a_passing_failure_loses_nothing_and_holds_up_nobody(
    database: Database, trouble: httpx2.Response | Exception
) -> None:
    """The alert that failed waits its turn again; the next one goes out meanwhile."""
    slack, store = await deliver(database, [trouble], "ab", seconds=8)
    assert slack.taken == ["b", "a"]
    assert await store.counts() == {"slack": {DeliveryState.DELIVERED: 2}}


@pytest.mark.parametrize("status", [400, 403, 404, 410])
async def test_a_revoked_webhook_is_given_up_visibly(database: Database, status: int) -> None:
    """Trying for ever would hide that nobody is told; the error says what to do."""
    slack, store = await deliver(database, [httpx2.Response(status, text="no_service")], "a", seconds=3)
    (delivery,) = await store.of_alert(make_transition("a").alert_id)
    assert len(slack.attempts) == 1
    assert delivery.state is DeliveryState.FAILED
    assert delivery.last_error is not None
    assert "RUNAI_MONITOR_SLACK_WEBHOOK_URL" in delivery.last_error
    assert "s3cretpart" not in delivery.last_error


async def test_a_test_message_says_what_went_wrong() -> None:
    """`check --send-test` is how people find a wrong webhook before the night does."""
    clock = FakeClock()
    store: Any = None
    good, bad = Slack(clock, []), Slack(clock, [httpx2.ConnectError(URL)])
    outbox = Outbox(deliveries=store, notifiers={"good": notifier(good), "bad": notifier(bad)}, clock=clock)
    results = await outbox.send_test(None)
    assert results["good"] is None
    assert results["bad"] is not None
    assert "s3cretpart" not in results["bad"]
    assert await outbox.send_test("pager") == {"pager": "there is no such channel"}


def test_the_address_is_in_no_repr() -> None:
    """Tracebacks and debuggers print objects."""
    assert "s3cretpart" not in repr(notifier(lambda _request: httpx2.Response(200)))


async def test_a_hanging_webhook_is_an_error() -> None:
    """A channel that never answers must not hold the outbox for ever."""
    with pytest.raises(DeliveryError) as caught:
        await notifier(Slack(FakeClock(), [httpx2.ReadTimeout("")])).send(message("x"))
    assert caught.value.retryable


def message(text: str, change: Change = Change.OPENED) -> Notification:
    cause = Cause(
        cause="container_oom",
        title=text,
        confidence=0.97,
        explanation=text,
        evidence_ids=("e1",),
        next_steps=(text,) * 9,
    )
    diagnosis = Diagnosis(
        verdict=Verdict.FAILURE,
        confidence=0.97,
        generated_at=EPOCH,
        causes=(cause,),
        evidence=(Evidence(id="e1", source="log", observed_at=EPOCH, excerpt=text),),
    )
    transition = make_transition("job", summary=text)
    alert = Alert(
        alert_id=transition.alert_id,
        cursor=1,
        kind=transition.kind,
        status="OOMKilled",
        state="firing",  # type: ignore[arg-type]
        severity=transition.severity,
        subject=transition.subject,
        summary=text,
        started_at=EPOCH,
        updated_at=EPOCH,
        diagnosis=diagnosis,
    )
    return Notification(alert=alert, change=change, reason=text)


HOSTILE = st.one_of(
    st.text(max_size=5000),
    st.sampled_from(
        ["<!channel> @here", "```\n<https://evil|click>```", "\x1b[31mred\x07", "a" * 40_000, "*_~`" * 900]
    ),
)


@settings(max_examples=60, deadline=None)
@given(text=HOSTILE, change=st.sampled_from([Change.OPENED, Change.REMINDED, Change.RESOLVED]))
def test_no_text_breaks_the_limits_or_reaches_slack_as_a_command(text: str, change: Change) -> None:
    """Log lines are written by anyone; Slack must show them and obey none."""
    body = slack_message(message(text, change))
    blocks: Any = body["blocks"]
    texts = list(strings(blocks))
    assert len(blocks) <= MAX_BLOCKS
    assert sum(map(len, texts)) + len(str(body["text"])) <= MAX_CHARACTERS
    assert all(len(part) <= 3000 for part in texts)
    assert len(blocks[0]["text"]["text"]) <= 150
    for block in blocks[1:]:
        for part in strings(block):
            if part not in {"plain_text", "mrkdwn"} and block["type"] != "context":
                assert "<" not in part
                assert part.count("```") in {0, 2}
    assert "\n" not in alert_line(message(text).alert, change)
    assert "\x1b" not in alert_line(message(text).alert, change)


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for key, item in value.items() if key != "type" for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def test_the_message_has_every_part_that_people_were_promised() -> None:
    """Project, Job Name, Type, Status, Time, UUID, the verdict, the next steps and the report."""
    body = slack_message(message("limit 64Gi, raise it"))
    assert body["text"] == "🔴 Job Failure Alert: job"
    whole = "\n".join(strings(body["blocks"]))
    for part in (
        "*Project:*",
        "*Job Name:*",
        "*Type:*",
        "*Status:*",
        "*Time:*",
        "*UUID:*",
        "*Verdict:*",
        "*Next steps:*",
    ):
        assert part in whole
    assert "Auto-troubleshoot report" in whole
    resolved = slack_message(message("x", Change.RESOLVED))
    assert message("x").alert.alert_id in "\n".join(strings(resolved["blocks"]))


def test_commands_of_the_next_steps_stand_alone_in_a_block_to_be_copied() -> None:
    """Backticks and words around a command are what a tired hand copies with it."""
    alert = dataclasses.replace(
        message("x").alert,
        recommendations=("look at its node: kubectl describe node gpu-7", "kubectl logs job-0 -n runai-<namespace>"),
    )
    blocks: Any = slack_message(Notification(alert=alert, change=Change.OPENED, reason="new"))["blocks"]
    (block,) = [part for part in strings(blocks) if "kubectl" in part]
    assert block == "```\nkubectl describe node gpu-7\nkubectl logs job-0 -n runai-&lt;namespace&gt;\n```"
    assert "• look at its node" in strings(blocks)


def test_a_warning_has_one_mark_only() -> None:
    """A red header above an orange line makes its reader ask which of them counts."""
    alert = dataclasses.replace(message("in phase Pending").alert, severity=Severity.WARNING)
    blocks = slack_message(Notification(alert=alert, change=Change.OPENED, reason="new"))["blocks"]
    assert [mark for part in strings(blocks) for mark in part if mark in "🔴🟠🔵"] == ["🔴"]

"""One contract for every kind of channel: what the outbox, and whoever reads logs and messages, may rely on."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from runai_monitor.diagnosis.redact import redact
from runai_monitor.errors import DeliveryError
from runai_monitor.logs import configure_logging
from runai_monitor.model.alert import Change
from tests.notify.messages import HOSTILE, notification
from tests.notify.rigs import KINDS, MAIL, SECRET, Rig, rigged, strings
from tests.notify.sinks import HttpSink, MailSink, Reply

pytestmark = pytest.mark.anyio
NOBODY_LISTENS = "http://127.0.0.1:9"


@pytest.fixture(params=KINDS)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with rigged(KINDS[request.param]) as rig:
        yield rig


@pytest.fixture
def logs(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Logging as the server sets it up, at its most talkative, and what it writes."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logging("DEBUG", redact=lambda text: text)
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the sink's own
    yield capsys
    root.handlers[:], root.level = handlers, level


async def trouble(rig: Rig, **how: Any) -> DeliveryError:
    notifier = rig.build(**how) if how else rig.notifier
    with pytest.raises(DeliveryError) as caught:
        await notifier.send(notification())
    return caught.value


async def test_a_message_that_is_taken_says_what_failed_why_and_what_to_do(rig: Rig) -> None:
    """Whatever the channel, its reader at 3 a.m. needs the same things."""
    await rig.notifier.send(notification())
    (text,) = rig.texts
    for part in ("job", "ml-team", "OOMKilled", "it ran out of memory", "kubectl describe pod job-0", "container_oom"):
        assert part in text, part


async def test_a_refusal_for_good_is_not_tried_again(rig: Rig) -> None:
    """Trying for a day would hide that nobody is told; the error says what to correct."""
    rig.refuse()
    error = await trouble(rig)
    assert error.retryable is not rig.kind.knows_permanent
    assert "some-channel" in str(error)


async def test_a_breakdown_passes(rig: Rig) -> None:
    """A service that restarts must cost no alert."""
    rig.break_down()
    assert (await trouble(rig)).retryable


async def test_a_service_that_is_asked_too_often_says_when_to_come_back(rig: Rig) -> None:
    """Going on would be answered by a ban."""
    rig.throttle()
    error = await trouble(rig)
    assert error.retryable
    assert error.retry_after_seconds == (7 if rig.kind.knows_pause else None)


async def test_a_service_that_never_answers_is_given_up_for_this_time(rig: Rig) -> None:
    """One that hangs must not hold its channel for ever."""
    rig.hang()
    error = await trouble(rig, seconds=0.3)
    assert error.retryable
    assert "did not answer" in str(error)


async def test_an_answer_that_is_none_of_this_service_is_no_success(rig: Rig) -> None:
    """A captive portal answers 200 to everything."""
    if rig.kind.garbled is None:
        pytest.skip("any 2xx means that it was taken")
    rig.garble()
    assert (await trouble(rig)).retryable


async def test_nobody_at_the_address_passes(rig: Rig) -> None:
    """A service that is being replaced refuses connections for a moment."""
    error = await trouble(rig, url=NOBODY_LISTENS)
    assert error.retryable


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_never_followed(rig: Rig, status: int) -> None:
    """Whoever can answer for the service could otherwise have the secret sent elsewhere."""
    if rig.kind is MAIL:
        pytest.skip("SMTP has none")
    async with HttpSink(Reply(200, "ok")).running() as elsewhere:
        rig.redirect(elsewhere.url, status)
        await trouble(rig)
        assert elsewhere.requests == []


@pytest.mark.parametrize("how", ["refuse", "break_down", "throttle", "garble", "hang", "gone"])
async def test_a_secret_is_in_no_error_log_or_repr(rig: Rig, how: str, logs: pytest.CaptureFixture[str]) -> None:
    """Logs are pasted into tickets, and errors are shown by tools."""
    if how != "gone":
        getattr(rig, how)()
    notifier = (
        rig.build(seconds=0.3) if how == "hang" else rig.build(url=NOBODY_LISTENS) if how == "gone" else rig.notifier
    )
    said = repr(notifier)
    try:
        await notifier.send(notification())
    except DeliveryError as error:
        said += f"{error} {error!r} {error.__cause__!r}"
        logging.getLogger("runai_monitor").exception("as a defect would log it")
    shown = logs.readouterr()
    assert how == "garble" or "as a defect would log it" in shown.err
    for secret in (SECRET, MailSink.PASSWORD):
        assert secret not in said + shown.err + shown.out


async def test_a_monstrous_message_keeps_the_limit_of_its_service(rig: Rig) -> None:
    """A service refuses what is too long, and then nobody is told."""
    for text in ("x" * 60_000, "ü€😀" * 20_000, "line\n" * 20_000, '"\\' * 20_000):
        await rig.notifier.send(notification(text))
    assert all(len(body) <= rig.kind.limit for body in rig.bodies)
    assert len(rig.bodies) == 4


async def test_hostile_text_is_shown_and_obeyed_by_nobody(rig: Rig) -> None:
    """Names and logs are written by anyone who may submit a job."""
    for change in (Change.OPENED, Change.ESCALATED, Change.RESOLVED):
        await rig.notifier.send(notification(HOSTILE, change))
    assert len(rig.texts) >= 3
    for text in rig.texts:
        assert "\x1b" not in text
        assert "\u202e" not in text
    globals()[f"inert_in_{rig.kind.name}"](rig)


def inert_in_slack(rig: Rig) -> None:
    for body in rig.bodies:
        for part in strings(json.loads(body)):
            assert "<" not in part
            assert "@here" not in part


inert_in_slack_bot = inert_in_slack


def inert_in_pagerduty(rig: Rig) -> None:
    events = [json.loads(body) for body in rig.bodies]
    assert {event["event_action"] for event in events} == {"trigger", "resolve"}
    assert all("\n" not in event["payload"]["summary"] for event in events if "payload" in event)


inert_in_webhook = lambda rig: [json.loads(body) for body in rig.bodies]  # noqa: E731  # a document has nothing to obey


def inert_in_teams(rig: Rig) -> None:
    for body in rig.bodies:
        (attachment,) = json.loads(body)["attachments"]
        kinds = {element["type"] for element in attachment["content"]["body"]}
        assert kinds == {"RichTextBlock"}, "text blocks know Markdown and functions"


def inert_in_apprise(rig: Rig) -> None:
    assert all("@here" not in text and "<!channel" not in text for text in rig.texts)


def inert_in_email(rig: Rig) -> None:
    assert isinstance(rig.sink, MailSink)
    for mail, (_, recipients) in zip(rig.sink.mails, rig.sink.envelopes, strict=True):
        assert mail["Bcc"] is None
        assert recipients == ["oncall@example.com", "team@example.com"]
        page = mail.get_body(("html",))
        assert page is not None
        for tag in ("<script", "<img", "<a ", "href", "https://evil.example|click>"):
            assert tag not in page.get_content()


async def test_the_end_names_the_alert_that_is_over(rig: Rig) -> None:
    """A reader, and a service, must know which of many is over."""
    await rig.notifier.send(notification())
    await rig.notifier.send(notification("the workload runs again", Change.RESOLVED))
    over = notification(change=Change.RESOLVED)
    assert str(over.alert.alert_id) in rig.texts[-1]
    assert "resolve" in rig.texts[-1].lower()


async def test_a_test_message_arrives_and_says_that_it_is_one(rig: Rig) -> None:
    """It must prove the channel and wake nobody."""
    asked = notification("try this channel", test=True)
    await rig.notifier.send(asked)
    assert "test" in rig.texts[0].lower()


async def test_a_message_says_who_acknowledged(rig: Rig) -> None:
    """Whoever is woken second wants to know that somebody is at it already."""
    await rig.notifier.send(notification())
    await rig.notifier.send(notification("on it", Change.ACKNOWLEDGED, acknowledged_by="dana"))
    assert "acknowledge" in rig.texts[-1].lower()


async def test_a_service_is_not_asked_faster_than_it_says(rig: Rig) -> None:
    """One that is answers 429, or bans; one that has no pace gets a burst at once."""
    slowest = {"slack": 1, "slack_bot": 1, "teams": 1, "apprise": 1, "pagerduty": 0.5, "email": 0, "webhook": 0}
    assert rig.notifier.spacing_seconds == slowest[rig.kind.name]


def test_no_kind_is_left_out() -> None:
    """A kind that is added must keep this contract too."""
    from runai_monitor.settings.channels import KINDS as CONFIGURABLE

    assert set(KINDS) == set(CONFIGURABLE)
    assert redact("xoxb-1234567890-abcdef") != "xoxb-1234567890-abcdef"

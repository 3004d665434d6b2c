"""A digest through every channel that tells digests: as readable as in Slack, within its limit, and about nobody's thread."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from runai_monitor.model.alert import AlertId, Change
from runai_monitor.model.notification import Notification
from tests.notify import test_channel_contract as contract
from tests.notify.messages import HOSTILE, notification
from tests.notify.rigs import KINDS, MAIL, Rig, rigged
from tests.notify.sinks import HttpSink, MailSink
from tests.notify.test_digest import made, storm, told
from tests.notify.test_plan import make_alert

pytestmark = pytest.mark.anyio
READ_BY_PEOPLE = sorted(set(KINDS) - {"pagerduty", "webhook"})


@pytest.fixture(params=READ_BY_PEOPLE)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with rigged(KINDS[request.param]) as rig:
        yield rig


def digest(members: list[Notification], key: tuple[str, str] = ("node", "gpu-7")) -> Notification:
    return dataclasses.replace(members[0], digest=made(members, key))


async def test_a_digest_says_how_many_of_what_who_and_how_to_read_the_rest(rig: Rig) -> None:
    """Forty messages in one must not say less in a mail than in Slack."""
    await rig.notifier.send(digest(storm(40)))
    (text,) = rig.texts
    for part in (
        "40 workloads fail on node gpu-7",
        "Cause: 30 nccl_timeout, 10 gpu_hardware_fault",
        "Project: 14 p0, 13 p1, 13 p2",
        "p0/job-0000: Failed, gpu_hardware_fault (al-job-0000)",
        "and 28 more",
        "Next step for nccl_timeout: step for 1",
        "list_alerts with since=2026-03-01T03:00:00Z",
        "alert al-job-0000 · opened: and 39 others",
    ):
        assert part in text, part


async def test_a_digest_of_thousands_of_hostile_names_is_taken_and_obeyed_by_nobody(rig: Rig) -> None:
    """Whatever the cluster calls its workloads, the message that tells of all of them must arrive."""
    members = [
        told(
            make_alert(
                f"{number} {HOSTILE}",
                alert_id=AlertId(f"al-{number}"),
                project=HOSTILE,
                nodes=(HOSTILE,),
                status=HOSTILE,
                cause=HOSTILE,
                recommendations=(HOSTILE * 3,),
            )
        )
        for number in range(2000)
    ]
    await rig.notifier.send(digest(members, ("node", HOSTILE)))
    (body,), (text,) = rig.bodies, rig.texts
    assert len(body) <= rig.kind.limit
    assert "2,000 workloads fail" in text
    assert "list_alerts with since=" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    vars(contract)[f"inert_in_{rig.kind.name}"](rig)


async def test_a_bot_posts_a_digest_by_itself_and_the_thread_of_its_first_alert_goes_on() -> None:
    """A digest in the thread of one of its alerts would be seen by those alone who follow that one."""
    opened = notification()
    storm_of_it = [opened, *storm(5)]
    over = [dataclasses.replace(member, change=Change.RESOLVED) for member in storm_of_it]
    async with rigged(KINDS["slack_bot"]) as rig:
        for message in (opened, digest(storm_of_it), digest(over), notification(change=Change.RESOLVED)):
            await rig.notifier.send(message)
        assert isinstance(rig.sink, HttpSink)
        calls = [(one.path.removeprefix("/api/"), json.loads(one.body)) for one in rig.sink.requests]
    methods = [method for method, _ in calls]
    assert methods == ["chat.postMessage"] * 3 + ["chat.update", "chat.postMessage"]
    assert [body.get("thread_ts") for _, body in calls] == [None, None, None, None, "1.5"]
    assert "ts" in calls[3][1], "the first message of the alert still shows its end"


async def test_a_digest_by_mail_is_no_part_of_one_alerts_conversation() -> None:
    """As an answer to one alert it would be folded away under that one."""
    members = [notification(), *storm(5)]
    over = [
        notification(change=Change.RESOLVED),
        *(dataclasses.replace(one, change=Change.RESOLVED) for one in storm(5)),
    ]
    async with rigged(MAIL) as rig:
        for message in (notification(), digest(members), digest(members), digest(over)):
            await rig.notifier.send(message)
        assert isinstance(rig.sink, MailSink)
        alone, first, again, last = rig.sink.mails
    ids: list[Any] = [mail["Message-ID"] for mail in (alone, first, last)]
    assert len(set(ids)) == 3
    assert first["Message-ID"] == again["Message-ID"], "a message sent twice is recognised as one"
    assert [mail["References"] for mail in (first, last)] == [None, None]
    assert "6 workloads fail" in first["Subject"]
    assert first["Importance"] == "high"
    assert last["Importance"] is None

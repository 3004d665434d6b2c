"""A digest as people read it: counts, the first names, what to do, how to read the rest; and safe, and small."""

from __future__ import annotations

import dataclasses

import pytest

from runai_monitor.demo.slack_receiver import refusal_of
from runai_monitor.model.alert import Alert, AlertId, Change
from runai_monitor.model.notification import Digest, Notification
from runai_monitor.model.telling import Announcement
from runai_monitor.notify.digest import digest_footer, digest_lines, digest_of
from runai_monitor.notify.render import slack_message
from tests.fakes import EPOCH
from tests.notify.test_plan import MINUTE, make_alert


def told(alert: Alert, change: Change = Change.OPENED) -> Notification:
    return Notification(alert=alert, change=change, reason="healthy for 120 s")


def storm(count: int, **fields: object) -> list[Notification]:
    return [
        told(
            make_alert(
                f"job-{number:04d}",
                nodes=("gpu-7",),
                project=f"p{number % 3}",
                status="Failed",
                cause="nccl_timeout" if number % 4 else "gpu_hardware_fault",
                recommendations=(f"step for {number % 4}",),
                **fields,
            )
        )
        for number in range(count)
    ]


def made(members: list[Notification], key: tuple[str, str] = ("node", "gpu-7"), **more: object) -> Digest:
    given = {"announced": None, "late_since": None, "now": EPOCH, **more}
    return digest_of(members, key=key, **given)  # type: ignore[arg-type]


def test_a_digest_says_how_many_of_what_and_how_to_read_the_rest() -> None:
    """What a tired reader needs first, in that order."""
    digest = made(storm(40))
    assert digest.title == "40 workloads fail on node gpu-7"
    lines = digest_lines(digest)
    assert lines[:4] == [
        "Status: 40 Failed",
        "Cause: 30 nccl_timeout, 10 gpu_hardware_fault",
        "Project: 14 p0, 13 p1, 13 p2",
        "Node: 40 gpu-7",
    ]
    assert lines[4] == "• p0/job-0000: Failed, gpu_hardware_fault (al-job-0000)"
    assert lines[16] == "… and 28 more"
    assert lines[17] == "Next step for nccl_timeout: step for 1"
    footer = digest_footer(dataclasses.replace(digest.members[0], digest=digest))
    assert "list_alerts with since=2026-03-01T03:00:00Z" in footer
    assert "runai-monitor alerts --since" in footer


@pytest.mark.parametrize(
    ("changes", "over", "title"),
    [
        ([Change.REMINDED] * 3, 0, "3 workloads still fail on node gpu-7"),
        ([Change.OPENED], 0, "1 workload fails on node gpu-7"),
        ([Change.RESOLVED] * 3, 0, "3 of 10 are over on node gpu-7"),
        ([Change.RESOLVED] * 3, 7, "All 10 are over on node gpu-7"),
    ],
)
def test_the_title_says_what_happened(changes: list[Change], over: int, title: str) -> None:
    """On a phone it is all there is."""
    members = [dataclasses.replace(m, change=c) for m, c in zip(storm(3), changes, strict=False)]
    announced = {m.alert.alert_id: Announcement(message=1, alerts=10, over=over) for m in members}
    assert made(members, announced=announced).title == title


def test_what_fails_first_and_gravest_is_named_first() -> None:
    """What began a storm explains it best."""
    late, early = make_alert("late", started_at=EPOCH + MINUTE), make_alert("early")
    digest = made([told(late), told(early)], ("any", ""))
    assert [member.alert.alert_id for member in digest.members] == ["al-early", "al-late"]


def test_slack_takes_a_digest_of_thousands_of_hostile_names() -> None:
    """Whatever the cluster calls its workloads: nothing is formatted, nobody is called, and it fits."""
    hostile = "<!channel> *bold* `code` & ```fence``` " + "x" * 300
    members = [
        told(
            make_alert(
                f"{hostile}{number}",
                alert_id=AlertId(f"al-{number}"),
                project=hostile,
                nodes=(hostile,),
                status=hostile[:200],
                cause=hostile,
                recommendations=(hostile * 3,),
            )
        )
        for number in range(2000)
    ]
    notification = dataclasses.replace(members[0], digest=made(members, ("node", hostile)))
    body = slack_message(notification)
    assert refusal_of(body) is None
    assert "<!channel>" not in str(body)
    assert len(str(body)) < 12_000
    assert "al-0 · opened" in str(body)

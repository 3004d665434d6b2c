"""Who should know: one workload's past and present to what is told."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest

from runai_monitor.model.alert import Alert, AlertKind, AlertState, Change, Detection, Severity, fingerprint
from runai_monitor.model.workload import ENDING_PHASES, PHASES, STARTING_PHASES, Workload
from runai_monitor.monitor.detect import RANKS, STUCK_RANK
from runai_monitor.monitor.flapping import endings_of, note_end
from runai_monitor.monitor.notices import blind, existing_failures, over, sighted
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.policy import Book, decide, gone, recovered, subject_of
from tests.factories import make_workload
from tests.fakes import EPOCH

OPTIONS = MonitorOptions()
KEY = (AlertKind.WORKLOAD_UNHEALTHY, "id-job")
MINUTE = timedelta(minutes=1)


def detection(status: str = "OOMKilled", **fields: Any) -> Detection:
    severity = Severity.CRITICAL if RANKS.get(status, 0) > RANKS["Degraded"] else Severity.WARNING
    return Detection(
        **{
            "kind": AlertKind.WORKLOAD_UNHEALTHY,
            "status": status,
            "severity": severity,
            "rank": RANKS.get(status, STUCK_RANK),
            "workload_id": "id-job",
            "summary": f"it is {status}",
            **fields,
        }
    )


def alert(status: str = "OOMKilled", **fields: Any) -> Alert:
    found = detection(status)
    return Alert(
        **{
            "alert_id": fingerprint(AlertKind.WORKLOAD_UNHEALTHY, "cluster-1", "id-job", 1),
            "cursor": 1,
            "kind": AlertKind.WORKLOAD_UNHEALTHY,
            "status": status,
            "state": AlertState.FIRING,
            "severity": found.severity,
            "subject": subject_of(make_workload()),
            "summary": found.summary,
            "started_at": EPOCH,
            "updated_at": EPOCH,
            "rank": found.rank,
            "notifications": 1,
            "notified_at": EPOCH,
            **fields,
        }
    )


def book(*alerts: Alert, **fields: Any) -> Book:
    open_alerts = {(each.kind, each.subject.id): each for each in alerts}
    return Book(open=open_alerts, episodes={key: each.episode for key, each in open_alerts.items()}, **fields)


def decided(
    known: Book,
    found: Detection | None,
    *,
    at: datetime = EPOCH,
    workload: Workload | None = None,
    in_sight: bool = True,
    **options: Any,
) -> list[tuple[str, bool, str]]:
    transitions = decide(
        workload or make_workload(),
        found,
        book=known,
        now=at,
        options=dataclasses.replace(OPTIONS, **options),
        in_sight=in_sight,
    )
    return [(str(each.change), each.notify, each.reason) for each in transitions]


def test_a_failure_is_opened_with_the_identity_of_its_episode() -> None:
    """A hash of structured fields: the same failure is the same alert in every process."""
    known = Book()
    (first,) = decide(make_workload(), detection(), book=known, now=EPOCH, options=OPTIONS)
    assert first.alert_id == fingerprint(AlertKind.WORKLOAD_UNHEALTHY, "cluster-1", "id-job", 1)
    assert (first.change, first.notify, first.episode, first.reason) == (Change.OPENED, True, 1, "a new failure")
    known.episodes[KEY] = 4
    (fifth,) = decide(make_workload(), detection(), book=known, now=EPOCH, options=OPTIONS)
    assert (fifth.episode, fifth.reason) == (5, "failure number 5 of this workload")
    assert fifth.alert_id != first.alert_id


@pytest.mark.parametrize(
    ("was", "is_now", "becomes"),
    [
        ("Failed", "OOMKilled", "OOMKilled"),
        ("ImagePullBackOff", "OOMKilled", "OOMKilled"),
        ("Error", "CrashLoopBackOff", "CrashLoopBackOff"),
        ("Pending", "Failed", "Failed"),
        ("Degraded", "Failed", "Failed"),
        ("CrashLoopBackOff", "Error", None),
        ("OOMKilled", "Evicted", None),
        ("ImagePullBackOff", "Degraded", None),
        ("OOMKilled", "OOMKilled", None),
    ],
)
def test_only_worse_news_escalates(was: str, is_now: str, becomes: str | None) -> None:
    """An alert keeps the best word it ever had; a container that alternates between two states must not flap."""
    transitions = decide(make_workload(), detection(is_now), book=book(alert(was)), now=EPOCH, options=OPTIONS)
    assert ([str(each.change) for each in transitions]) == (["escalated", "suppressed"] if becomes else [])
    if becomes:
        assert (transitions[0].status, transitions[0].reason) == (becomes, f"{was} became {becomes}")


def test_failing_for_good_is_worse_and_keeps_the_better_word() -> None:
    """ImagePullBackOff, then Failed."""
    failed = detection("Failed", terminal=True)
    transition, _ = decide(make_workload(), failed, book=book(alert("ImagePullBackOff")), now=EPOCH, options=OPTIONS)
    assert (transition.status, transition.terminal, transition.rank) == ("ImagePullBackOff", True, 60)
    assert transition.summary == "it is ImagePullBackOff; the workload has failed"
    again = decide(make_workload(), failed, book=book(alert(terminal=True)), now=EPOCH, options=OPTIONS)
    assert again == []


@pytest.mark.parametrize(("limit", "told", "notifies"), [(1, 1, False), (2, 1, True), (2, 2, False), (9, 8, True)])
def test_notifications_of_an_episode_are_limited(limit: int, told: int, notifies: bool) -> None:
    """First, reminders and escalations count; the store hears of everything."""
    known = book(alert("Failed", notifications=told))
    escalated = decided(known, detection(), max_alerts_per_job=limit)
    assert escalated[0][:2] == ("escalated", notifies)
    assert (len(escalated) == 2) is not notifies
    later = EPOCH + timedelta(hours=4)
    known = book(alert(notifications=told))
    (reminded,) = decided(known, detection(), at=later, max_alerts_per_job=limit)
    assert reminded[:2] == (("reminded", True) if notifies else ("suppressed", False))
    assert decided(known, detection(), at=later, max_alerts_per_job=limit) == ([reminded] if notifies else [])


@pytest.mark.parametrize(("minutes", "due"), [(0, False), (239.9, False), (240, True)])
def test_a_reminder_comes_after_its_interval(minutes: float, due: bool) -> None:
    """Counted from the last notification, not from the start."""
    at = EPOCH + timedelta(hours=5)
    known = book(alert(notified_at=at - timedelta(minutes=minutes)))
    assert bool(decided(known, detection(), at=at, max_alerts_per_job=5)) is due


def test_an_acknowledged_alert_is_never_reminded_of() -> None:
    """Somebody works on it; whoever repeats it teaches them to mute the channel."""
    known = book(alert(state=AlertState.ACKNOWLEDGED))
    assert decided(known, detection(), at=EPOCH + timedelta(days=1), max_alerts_per_job=100) == []


@pytest.mark.parametrize(
    ("severity", "state", "told"),
    [
        (Severity.WARNING, AlertState.ACKNOWLEDGED, True),
        (Severity.CRITICAL, AlertState.ACKNOWLEDGED, False),
        (Severity.WARNING, AlertState.FIRING, False),
    ],
)
def test_who_acknowledged_a_warning_is_told_that_it_is_critical_now(
    severity: Severity, state: AlertState, told: bool
) -> None:
    """They took it for less than it is. Beyond the limit too; another status of the same severity keeps to the limit."""
    known = book(alert("Degraded", severity=severity, state=state, notifications=1))
    first, *rest = decided(known, detection(), max_alerts_per_job=1)
    assert first[:2] == ("escalated", told)
    assert (rest == []) is told


def test_an_acknowledged_alert_ends_as_any_other() -> None:
    """Acknowledging stops reminders, not the end."""
    known = book(alert(state=AlertState.ACKNOWLEDGED))
    assert decided(known, None) == []
    assert [t[0] for t in decided(known, None, at=EPOCH + 2 * MINUTE)] == ["resolved"]


def test_what_flaps_is_told_once_and_again_only_when_it_lasts() -> None:
    """A crash every five minutes is one piece of news; that it stays down for good is another."""
    known = Book()

    def episode(number: int, opens: int, closes: int) -> list[str]:
        at = EPOCH + opens * MINUTE
        told = decided(known, detection(), at=at)
        known.episodes[KEY] = number
        ended: dict[str, Any] = {
            "state": AlertState.RESOLVED,
            "started_at": at,
            "resolved_at": EPOCH + closes * MINUTE,
            "episode": number,
        }
        note_end(known.ended, alert(**ended))
        return [f"{change} {notify}" for change, notify, _ in told]

    assert episode(1, 0, 3) == ["opened True"]
    assert "it flaps" in decided(known, detection(), at=EPOCH + 5 * MINUTE)[0][2]
    assert episode(2, 5, 8) == ["opened True"]
    assert episode(3, 10, 13) == ["opened False", "suppressed False"]
    assert "it flaps" in decided(known, detection(), at=EPOCH + 15 * MINUTE)[1][2]
    assert decided(known, detection(), at=EPOCH + 15 * MINUTE, flap_window_minutes=0)[0][1]
    assert episode(4, 60, 61) == ["opened True"]

    untold = book(alert(notifications=0, notified_at=None))
    assert decided(untold, detection(), at=EPOCH + 9 * MINUTE) == []
    lasting = decided(untold, detection(), at=EPOCH + 10 * MINUTE)
    assert lasting == [("escalated", True, "it flapped, and now it lasts: 10 minutes so far")]
    assert decided(untold, detection("CrashLoopBackOff", rank=99), at=EPOCH + MINUTE)[0][:2] == ("escalated", False)
    assert decided(untold, detection(terminal=True), at=EPOCH + MINUTE)[0][:2] == ("escalated", True)


def test_an_earlier_process_knew_what_flaps() -> None:
    """The notes of flapping come back from the stored alerts."""
    ends = [
        alert(state=AlertState.RESOLVED, episode=n, started_at=EPOCH + n * MINUTE, resolved_at=EPOCH + n * MINUTE)
        for n in (2, 1)
    ]
    known = Book(ended=endings_of(ends), episodes={KEY: 2})
    assert [change for change, _, _ in decided(known, detection(), at=EPOCH + 4 * MINUTE)] == ["opened", "suppressed"]


def test_a_status_is_held_down_as_the_settings_say() -> None:
    """Whoever knows that their services degrade for a minute at each deployment need not hear of it."""
    known = Book()
    wanted: dict[str, Any] = {"hold_down_seconds": {"Degraded": 120.0, "workload_unhealthy": 30.0}}
    assert decided(known, detection("Degraded"), **wanted) == []
    assert decided(known, detection("Degraded"), at=EPOCH + MINUTE, **wanted) == []
    assert len(decided(known, detection("Degraded"), at=EPOCH + 2 * MINUTE, **wanted)) == 1
    assert decided(Book(), detection("OOMKilled"), **wanted) == []


def test_acknowledging_stops_reminders_not_changes() -> None:
    """Somebody works on it: what they need to hear is that it got worse."""
    known = book(alert(state=AlertState.ACKNOWLEDGED))
    later = EPOCH + timedelta(days=1)
    assert decided(known, detection(), at=later, max_alerts_per_job=9) == []
    assert decided(known, detection(terminal=True), at=later, max_alerts_per_job=9)[0][:2] == ("escalated", True)


@pytest.mark.parametrize("status", ["OOMKilled", "Failed", "Pending"])
def test_health_must_last_before_it_is_believed(status: str) -> None:
    """Two minutes without trouble, and any trouble in between starts them anew."""
    known = book(alert(status))
    assert decided(known, None) == []
    assert decided(known, None, at=EPOCH + MINUTE) == []
    assert decided(known, detection(status), at=EPOCH + 1.5 * MINUTE) == []
    assert decided(known, None, at=EPOCH + 2 * MINUTE) == []
    assert decided(known, None, at=EPOCH + 3.9 * MINUTE) == []
    word = "no longer stuck" if status == "Pending" else "healthy"
    assert decided(known, None, at=EPOCH + 4 * MINUTE) == [("resolved", True, f"{word} for 120 s")]


@pytest.mark.parametrize("phase", sorted(PHASES | {"APhaseToCome"}))
@pytest.mark.parametrize("status", ["OOMKilled", "Pending"])
def test_every_phase_ends_continues_or_suspends_an_episode(phase: str, status: str) -> None:
    """Ended on purpose: at once. Starting, waiting, going, or out of touch: neither ill nor well. Else health, if it lasts."""
    known, workload = book(alert(status)), make_workload(phase=phase)
    first = decided(known, None, workload=workload)
    after = decided(known, None, workload=workload, at=EPOCH + 2 * MINUTE)
    if phase == "Completed":
        assert first == [("resolved", True, "the workload completed")]
    elif phase in {"Stopped", "Stopping"}:
        assert first == [("resolved", True, "the workload was suspended")]
    elif phase in ENDING_PHASES | {"Unknown"} or (phase in STARTING_PHASES | {"Pending"} and status != "Pending"):
        assert first == after == []
    else:
        assert first == []
        assert [change for change, _, _ in after] == ["resolved"]


@pytest.mark.parametrize(
    ("status", "resolves"),
    [("OOMKilled", False), ("Error", False), ("CrashLoopBackOff", False), ("Failed", True), ("Pending", True)],
)
def test_what_containers_told_only_containers_can_take_back(status: str, resolves: bool) -> None:
    """Out of sight is not well; a phase however is Run:ai's own word."""
    known = book(alert(status))
    for minutes in range(10):
        told = decided(known, None, at=EPOCH + minutes * MINUTE, in_sight=False)
    assert bool(told) is resolves
    (ended,) = decided(known, None, workload=make_workload(phase="Completed"), in_sight=False)
    assert ended[0] == "resolved"


def test_health_is_counted_from_when_it_is_seen() -> None:
    """Two minutes in the dark are no two minutes of health."""
    known = book(alert())
    decided(known, None)
    decided(known, None, at=EPOCH + MINUTE, in_sight=False)
    assert decided(known, None, at=EPOCH + 2 * MINUTE) == []


def test_a_failure_and_a_preemption_are_two_alerts() -> None:
    """The one ends when the other begins, each for its own channel and counters."""
    taken = detection("Preempted", kind=AlertKind.WORKLOAD_PREEMPTED, severity=Severity.INFO, rank=5)
    waits = make_workload(phase="Pending")
    assert decided(book(alert()), taken, workload=waits) == [
        ("resolved", True, "it is Preempted now, which has an alert of its own"),
        ("opened", True, "a new failure"),
    ]


def test_an_end_that_nobody_heard_the_beginning_of_is_not_announced() -> None:
    """A resolve notice names the alert that it resolves: there must have been one."""
    quiet = alert(notifications=0)
    (ended,) = decided(book(quiet), None, workload=make_workload(phase="Completed"))
    assert ended[:2] == ("resolved", False)
    assert gone(quiet, now=EPOCH).notify is False
    assert gone(alert(), now=EPOCH).notify is True


@pytest.mark.parametrize(
    ("was", "is_now", "phase", "minutes", "leaves"),
    [
        ("Failed", "Failed", "Failed", 60, False),
        ("Failed", "OOMKilled", "Running", 60, False),
        ("Failed", None, "Running", 1.9, False),
        ("Failed", None, "Running", 2, True),
        ("Failed", None, "Pending", 60, False),
        ("Failed", None, "Creating", 60, False),
        ("Failed", None, "Deleting", 60, False),
        ("Failed", None, "Unknown", 60, False),
        ("Failed", None, "Completed", 0, True),
        ("Failed", None, "Stopped", 0, True),
        ("Pending", "Pending", "Pending", 60, False),
        ("Pending", "Failed", "Failed", 0, True),
        ("Pending", "ImagePullBackOff", "Creating", 0, True),
        (None, "Failed", "Failed", 0, False),
    ],
)
def test_an_old_failure_becomes_news_when_it_was_well_in_between(
    was: str | None, is_now: str | None, phase: str, minutes: float, leaves: bool
) -> None:
    """Or when it was merely waiting then, and has failed since."""
    known = Book(baseline={"id-job": was} if was else {})
    workload, found = make_workload(phase=phase), detection(is_now) if is_now else None
    recovered(workload, found, book=known, now=EPOCH, options=OPTIONS)
    at = EPOCH + timedelta(minutes=minutes)
    assert recovered(workload, found, book=known, now=at, options=OPTIONS) is leaves


def test_old_news_is_silent_but_a_preemption_is_not_old() -> None:
    """The baseline covers failures; what the scheduler does tonight is new."""
    known = Book(baseline={"id-job": "Failed"})
    assert decided(known, detection("OOMKilled")) == []
    assert decided(known, None) == []
    taken = detection("Preempted", kind=AlertKind.WORKLOAD_PREEMPTED, severity=Severity.INFO, rank=5)
    assert [change for change, _, _ in decided(known, taken)] == ["opened"]


def test_blindness_opens_once_and_ends_once() -> None:
    """Whatever fails meanwhile."""
    known = Book()
    opened = blind("no answer", book=known, now=EPOCH)
    assert opened is not None
    assert sighted(book=known, now=EPOCH) is None
    known.open[AlertKind.MONITOR_BLIND, ""] = dataclasses.replace(alert(), kind=AlertKind.MONITOR_BLIND)
    assert blind("no answer", book=known, now=EPOCH) is None
    ended = sighted(book=known, now=EPOCH)
    assert ended is not None
    assert (ended.change, ended.notify) == (Change.RESOLVED, True)
    silent = over(AlertKind.MONITOR_BLIND, book=known, now=EPOCH, reason="r", notify=False)
    assert silent is not None
    assert silent.notify is False


def test_a_summary_is_as_severe_as_its_worst_and_counts_its_episodes() -> None:
    """A second first look is another summary."""
    failing = {
        make_workload(name).id: (make_workload(name), detection(status))
        for name, status in (("a", "Degraded"), ("b", "Failed"))
    }
    known = Book(episodes={(AlertKind.EXISTING_FAILURES, ""): 2})
    summary = existing_failures(failing, book=known, now=EPOCH)
    assert (summary.severity, summary.episode, summary.notify) == (Severity.CRITICAL, 3, True)
    assert summary.summary == (
        "2 workloads were unhealthy before monitoring began (1 Degraded, 1 Failed): ml-team: a (Degraded), b (Failed)"
    )

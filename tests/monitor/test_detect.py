"""What is wrong with one workload, from everything that is known of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runai_monitor.model.alert import AlertKind
from runai_monitor.model.workload import PHASES, PhaseChange, WorkloadHistory
from runai_monitor.monitor.detect import RANKS, STUCK_RANK, as_it_failed, detect, is_suspect
from runai_monitor.monitor.options import MonitorOptions
from tests.factories import end, ended, make_pod, make_workload, running, waiting
from tests.fakes import EPOCH
from tests.monitor.events import event

NOW = EPOCH + timedelta(minutes=30)
OPTIONS = MonitorOptions()
OOM = make_pod("job", None, ended(137, "OOMKilled"))


def seen(phase: str, *, age: float = 0, **known: Any) -> tuple[str, str] | None:
    """Status and severity of a workload whose phase is `age` minutes old."""
    workload = make_workload(phase=phase, phase_updated_at=NOW - timedelta(minutes=age), **known.pop("fields", {}))
    found = detect(workload, **{"pods": (), "events": (), "now": NOW, "options": OPTIONS, **known})
    return (found.status, str(found.severity)) if found else None


@pytest.mark.parametrize(
    ("phase", "age", "expected"),
    [
        ("Running", 9_999, None),
        ("Completed", 0, None),
        ("Stopped", 0, None),
        ("Stopping", 9_999, None),
        ("Unknown", 9_999, None),
        ("APhaseToCome", 9_999, None),
        ("Failed", 0, ("Failed", "critical")),
        ("Degraded", 0, ("Degraded", "warning")),
        ("Pending", 9.9, None),
        ("Pending", 10, ("Pending", "warning")),
        ("Creating", 14.9, None),
        ("Creating", 15, ("Creating", "warning")),
        ("Initializing", 15, ("Initializing", "warning")),
        ("Resuming", 15, ("Resuming", "warning")),
        ("Updating", 15, ("Updating", "warning")),
        ("Terminating", 14.9, None),
        ("Terminating", 15, ("Terminating", "warning")),
        ("Deleting", 15, ("Deleting", "warning")),
    ],
)
def test_phases_say_little_but_they_count(phase: str, age: float, expected: tuple[str, str] | None) -> None:
    """Everything that can be known from Run:ai's list alone."""
    assert seen(phase, age=age) == expected


@pytest.mark.parametrize("phase", sorted(PHASES))
def test_container_states_come_before_phases(phase: str) -> None:
    """Whatever the phase says, an OOM is an OOM; unless the workload ended well, was stopped, or is being removed."""
    quiet = phase in {"Completed", "Stopped", "Stopping", "Terminating", "Deleting"}
    assert seen(phase, pods=(OOM,)) == (None if quiet else ("OOMKilled", "critical"))


def test_the_most_specific_status_wins_and_among_equals_the_earliest() -> None:
    """Seven ranks that ended with 1 because the eighth was OOMKilled: the eighth is the news."""
    at = [EPOCH + timedelta(minutes=minute) for minute in range(3)]
    pods = (
        make_pod("job", "rank-0", ended(1, at=at[0])),
        make_pod("job", "rank-1", ended(137, "OOMKilled", at=at[2])),
        make_pod("job", "rank-2", ended(137, "OOMKilled", at=at[1])),
    )
    found = detect(make_workload(phase="Failed"), pods=pods, events=(), now=NOW, options=OPTIONS)
    assert found is not None
    assert (found.status, found.pod, found.since, found.terminal) == ("OOMKilled", "rank-2", at[1], True)
    assert found.summary.endswith("; the workload has failed")


@pytest.mark.parametrize(
    ("reason", "message", "status"),
    [
        ("BackoffLimitExceeded", None, "BackoffLimitExceeded"),
        (None, "Job has reached the specified backoff limit", "BackoffLimitExceeded"),
        (None, "Job was active longer than specified deadline", "DeadlineExceeded"),
        (None, "exit status 1", "Failed"),
    ],
)
def test_a_failed_phase_may_name_its_limit(reason: str | None, message: str | None, status: str) -> None:
    """The job controller's own word is better than `Failed`."""
    fields = {"phase_reason": reason, "phase_message": message}
    assert seen("Failed", fields=fields) == (status, "critical")


def test_a_degraded_workload_says_how_many_of_its_pods_run() -> None:
    """Seven of eight is another night than none of eight."""
    workload = make_workload(phase="Degraded", running_pods=7, requested_pods=8)
    found = detect(workload, pods=(), events=(), now=NOW, options=OPTIONS)
    assert found is not None
    assert found.summary == "Run:ai reports the phase Degraded (7 of 8 pods run)"


def test_preemption_is_information_and_only_while_it_waits() -> None:
    """Taken away by policy: neither a failure nor, while it waits to run again, stuck."""
    events = [event("Preempted", "preempted by a job of higher priority", at=NOW)]
    workload = make_workload(phase="Pending", phase_updated_at=NOW - timedelta(hours=1))
    events[0] = event("Preempted", "preempted by a job of higher priority", at=NOW - timedelta(minutes=65))
    found = detect(workload, pods=(), events=events, now=NOW, options=OPTIONS)
    assert found is not None
    assert (found.kind, found.severity, found.rank) == (AlertKind.WORKLOAD_PREEMPTED, "info", 5)
    assert seen("Running", events=events) is None
    assert seen("Pending", age=60, pods=(make_pod("job", None, waiting("ErrImagePull")),), events=events) == (
        "ImagePullBackOff",
        "critical",
    )


def test_stuck_is_not_judged_where_only_the_unhealthy_are_read() -> None:
    """What is known of it may be as old as the last time it failed."""
    assert seen("Pending", age=99, stuck=False) is None
    assert seen("Terminating", age=99, stuck=False) is None
    assert seen("Failed", age=99, stuck=False) == ("Failed", "critical")


def test_a_deleted_workload_is_nobodys_trouble() -> None:
    """A row may still be listed for a moment."""
    assert seen("Failed", pods=(OOM,), fields={"deleted_at": EPOCH}) is None


@pytest.mark.parametrize(("are_current", "expected"), [(True, None), (False, ("CrashLoopBackOff", "critical"))])
def test_events_speak_where_pods_are_out_of_date(are_current: bool, expected: tuple[str, str] | None) -> None:
    """Followed containers know better than events; containers that nobody follows do not."""
    told = [event("BackOff", "Back-off restarting failed container", at=NOW)]
    fields = {"running_pods": 0, "requested_pods": 1}
    pods = (make_pod("job"),)
    assert seen("Running", pods=pods, events=told, pods_are_current=are_current, fields=fields) == expected


@pytest.mark.parametrize(
    ("phase", "age", "has_pods", "fields", "suspect"),
    [
        ("Running", 60, False, {}, False),
        ("Running", 60, False, {"running_pods": 1, "requested_pods": 2}, True),
        ("Running", 60, True, {"running_pods": 1, "requested_pods": 2}, False),
        ("Creating", 1, False, {}, False),
        ("Creating", 2, False, {}, True),
        ("Creating", 2, True, {}, False),
        ("Pending", 2, True, {}, True),
        ("Unknown", 2, False, {}, True),
        ("Failed", 0, False, {}, True),
        ("Degraded", 0, False, {}, True),
        ("Failed", 0, True, {}, False),
        ("Completed", 60, False, {}, False),
        ("Stopped", 60, False, {}, False),
        ("Deleting", 60, False, {}, False),
    ],
)
def test_suspects_are_those_that_nobody_else_explains(
    phase: str, age: float, has_pods: bool, fields: dict[str, Any], suspect: bool
) -> None:
    """Each costs a request: the healthy and the ended are not asked about, the unexplained are."""
    workload = make_workload(phase=phase, phase_updated_at=NOW - timedelta(minutes=age), **fields)
    assert is_suspect(workload, has_pods=has_pods, now=NOW, options=OPTIONS) is suspect


@pytest.mark.parametrize(
    ("phases", "failed"),
    [
        (["Running", "Failed"], True),
        (["Failed", "Deleting", "Deleted"], True),
        (["Failed", "Terminating", "Unknown"], True),
        (["Failed", "Running", "Deleting"], False),
        (["Completed", "Deleted"], False),
        (["Stopped"], False),
        ([], False),
    ],
)
def test_a_history_tells_how_a_deleted_workload_ended(phases: list[str], failed: bool) -> None:
    """Removal is not the end that matters; the last phase before it is."""
    changes = tuple(PhaseChange(at=NOW, phase=phase, message="because") for phase in phases)
    ended_so = as_it_failed(make_workload(), WorkloadHistory(changes=changes))
    assert (ended_so is not None) is failed
    if ended_so is not None:
        assert (ended_so.phase, ended_so.phase_message, ended_so.phase_updated_at) == ("Failed", "because", NOW)


def test_a_failure_before_it_was_last_seen_well_is_history() -> None:
    """It failed, was resumed, was seen running, and was deleted: no news."""
    history = WorkloadHistory(changes=(PhaseChange(at=EPOCH - timedelta(hours=1), phase="Failed"),))
    assert as_it_failed(make_workload(phase_updated_at=EPOCH), history) is None


def test_the_order_of_statuses_is_what_escalation_relies_on() -> None:
    """A phase gives way to a limit, a limit to what happened, what happened to why."""
    order = ["Degraded", "Failed", "BackoffLimitExceeded", "Error", "CrashLoopBackOff", "ImagePullBackOff", "OOMKilled"]
    ranks = [STUCK_RANK, *(RANKS[status] for status in order)]
    assert ranks == sorted(set(ranks))


def test_a_running_container_after_an_old_end_is_healthy_whatever_its_phase_was() -> None:
    """Recovered: nothing to detect."""
    pod = make_pod("job", None, running(EPOCH, after=end(137, "OOMKilled")))
    assert seen("Running", pods=(pod,)) is None

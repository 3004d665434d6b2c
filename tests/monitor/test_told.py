"""What Run:ai's events mean, in the words that kubelet, the job controller and the scheduler use."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from runai_monitor.model.workload import WorkloadEvent
from runai_monitor.monitor.told import from_events, tell_of_preemption
from tests.factories import make_workload
from tests.fakes import EPOCH
from tests.monitor.events import event

NOW = EPOCH + timedelta(minutes=30)


def statuses(
    *events: WorkloadEvent, phase: str = "Creating", since: datetime = EPOCH, has_pods: bool = False
) -> list[str]:
    workload = make_workload(phase=phase, phase_updated_at=since, running_pods=None)
    return [found.status for found in from_events(workload, events, now=NOW, has_pods=has_pods)]


@pytest.mark.parametrize(
    ("reason", "message", "status"),
    [
        ("OOMKilling", "Memory cgroup out of memory: Killed process 4711", "OOMKilled"),
        ("OOMKilled", "", "OOMKilled"),
        ("SystemOOM", "System OOM encountered", "OOMKilled"),
        ("BackOff", "Back-off restarting failed container: OOMKilled", "OOMKilled"),
        ("Evicted", "The node was low on resource: ephemeral-storage.", "Evicted"),
        ("BackoffLimitExceeded", "Job has reached the specified backoff limit", "BackoffLimitExceeded"),
        ("DeadlineExceeded", "Job was active longer than specified deadline", "DeadlineExceeded"),
        ("InspectFailed", 'Failed to apply default image tag "A B": couldn\'t parse image name', "InvalidImageName"),
        ("Failed", "Error: InvalidImageName", "InvalidImageName"),
        ("ErrImageNeverPull", 'Container image "x" is not present with pull policy of Never', "ErrImageNeverPull"),
        ("Failed", "Error: ErrImagePull", "ImagePullBackOff"),
        ("Failed", 'Failed to pull image "x:y": not found', "ImagePullBackOff"),
        ("BackOff", 'Back-off pulling image "x:y"', "ImagePullBackOff"),
        ("Failed", 'Error: secret "token" not found', "CreateContainerConfigError"),
        ("Failed", "Error: couldn't find key KEY in ConfigMap ns/settings", "CreateContainerConfigError"),
        ("Failed", "Error: failed to create containerd task: OCI runtime create failed", "RunContainerError"),
        ("Failed", "Error: failed to start container", "RunContainerError"),
        ("Failed", "Error: failed to create container", "CreateContainerError"),
        ("BackOff", "Back-off restarting failed container main in pod job-0-0", "CrashLoopBackOff"),
        ("Pulled", "Successfully pulled image", None),
        ("FailedScheduling", "0/4 nodes are available: 4 Insufficient nvidia.com/gpu", None),
        ("Unhealthy", "Readiness probe failed", None),
        ("Killing", "Stopping container main", None),
        ("Normal", "the secret of success is not found in failing", None),
        ("NotFailed", "ImagePullBackOff", None),
    ],
)
def test_every_message_has_its_word(reason: str, message: str, status: str | None) -> None:
    """Without Kubernetes this is all there is; a word in a message alone is no failure."""
    assert statuses(event(reason, message, at=NOW)) == ([status] if status else [])


@pytest.mark.parametrize(
    ("later", "about", "over"),
    [
        ("Pulled", "job-0-0", True),
        ("Started", "job-0-0", True),
        ("Pulling", "job-0-0", False),
        ("Pulled", "job-1", False),
    ],
)
def test_a_pull_that_worked_in_the_end_is_over(later: str, about: str, over: bool) -> None:
    """Of the same pod, that is: another pod's luck says nothing."""
    failed = event("Failed", "Failed to pull image", at=EPOCH)
    told = statuses(event(later, "", at=EPOCH + timedelta(seconds=9), about=about), failed)
    assert told == ([] if over else ["ImagePullBackOff"])
    assert statuses(failed, event("Pulled", "", at=EPOCH - timedelta(seconds=9))) == ["ImagePullBackOff"]


@pytest.mark.parametrize(
    ("phase", "since", "at", "counts"),
    [
        ("Pending", NOW, NOW - timedelta(minutes=9), True),
        ("Pending", NOW, NOW - timedelta(minutes=11), False),
        ("Pending", NOW - timedelta(hours=9), NOW - timedelta(hours=8), True),
        ("Degraded", NOW - timedelta(hours=9), NOW - timedelta(minutes=31), False),
        ("Degraded", NOW - timedelta(hours=9), NOW - timedelta(minutes=29), True),
        ("Failed", NOW - timedelta(hours=9), NOW - timedelta(hours=9, minutes=5), True),
        ("Failed", NOW - timedelta(hours=9), None, True),
    ],
)
def test_old_events_are_history(phase: str, since: datetime, at: datetime | None, counts: bool) -> None:
    """An earlier incarnation's troubles, and those of this morning, are not why it fails now."""
    told = statuses(event("BackOff", "restarting failed container", at=at), phase=phase, since=since)
    assert told == (["CrashLoopBackOff"] if counts else [])


@pytest.mark.parametrize(
    ("reason", "message", "at", "status"),
    [
        ("BackOff", "restarting failed container", NOW, ["CrashLoopBackOff"]),
        ("OOMKilled", "", NOW, ["OOMKilled"]),
        ("Evicted", "", NOW, ["Evicted"]),
        ("Failed", "Failed to pull image", NOW, []),
        ("BackOff", "restarting failed container", NOW - timedelta(minutes=61), []),
        ("BackOff", "restarting failed container", NOW - timedelta(minutes=31), []),
        ("BackOff", "restarting failed container", NOW - timedelta(minutes=29), ["CrashLoopBackOff"]),
        ("BackOff", "restarting failed container", None, []),
    ],
)
def test_of_a_workload_that_runs_only_what_it_did_since_counts(
    reason: str, message: str, at: datetime | None, status: list[str]
) -> None:
    """A pod between two crashes counts as running: its loop is told, and how it came to run is not."""
    assert statuses(event(reason, message, at=at), phase="Running", since=NOW - timedelta(hours=1)) == status
    assert statuses(event(reason, message, at=at), phase="Running", since=NOW) == []


@pytest.mark.parametrize(
    ("reason", "kept"), [("BackoffLimitExceeded", True), ("DeadlineExceeded", True), ("OOMKilled", False)]
)
def test_beside_container_states_events_add_only_what_those_cannot_say(reason: str, kept: bool) -> None:
    """A container knows whether it was OOMKilled; only the job knows its limits."""
    assert bool(statuses(event(reason, "", at=NOW), has_pods=True)) is kept


@pytest.mark.parametrize(
    ("reason", "message", "preempted"),
    [
        ("Preempted", "", True),
        ("Evict", "Preempted by a job of higher priority", True),
        ("PodGroupEvicted", "resources were reclaimed by project vision", True),
        ("ReclaimedByFairShare", "", True),
        ("FailedScheduling", "0/4 nodes are available: preemption: 0/4 nodes are available", False),
        ("FailedScheduling", "preemption is not helpful for scheduling", False),
        ("FailedScheduling", "no preemption victims found for incoming pod", False),
        ("Scheduled", "may preempt others", False),
        ("Unschedulable", "the GPUs are used by workloads that cannot be preempted", False),
        ("Pulled", "", False),
    ],
)
def test_preemption_is_told_from_the_talk_about_it(reason: str, message: str, preempted: bool) -> None:
    """The scheduler speaks of preemption in most of its refusals."""
    workload = make_workload(phase="Pending", phase_updated_at=NOW)
    assert tell_of_preemption(workload, [event(reason, message, at=NOW)], now=NOW) is preempted


@pytest.mark.parametrize(
    ("message", "preempted"),
    [
        ("Workload was preempted by a higher priority workload", True),
        ("Resources reclaimed by project vision", True),
        ("Non-preemptible workload is over quota", False),
        ("0/4 nodes are available. preemption: 0/4 nodes are available", False),
        (None, False),
    ],
)
def test_the_phase_itself_may_tell_of_preemption(message: str | None, preempted: bool) -> None:
    """Then no events need to be read, which may be refused just then."""
    workload = make_workload(phase="Pending", phase_updated_at=NOW, phase_message=message)
    assert tell_of_preemption(workload, [], now=NOW) is preempted


def test_a_message_is_quoted_short_and_without_secrets() -> None:
    """Events are cluster text like logs."""
    secret = "hf_" + "aB3d" * 9
    workload = make_workload(phase="Creating")
    (found,) = from_events(
        workload, [event("Failed", f"Failed to pull image: {secret}\n`x`" + "y" * 999, at=NOW)], now=NOW, has_pods=False
    )
    assert found.summary.startswith("ImagePullBackOff: `job-0-0`: Failed to pull image: ")
    assert secret not in found.summary
    assert len(found.summary) < 400

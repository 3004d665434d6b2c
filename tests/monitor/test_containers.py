"""What container states mean, state by state."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from runai_monitor.model.cluster import Container, ContainerPhase, Pod, PodCondition
from runai_monitor.monitor.containers import Found, failed_before, from_pods, steady_since, was_preempted
from runai_monitor.monitor.said import LONGEST, said
from tests.factories import end, ended, make_pod, running, waiting
from tests.fakes import EPOCH

NOW = EPOCH + timedelta(minutes=30)
HOLD = timedelta(seconds=120)
JUST_NOW = NOW - timedelta(seconds=5)


def found(*pods: Pod) -> list[Found]:
    return list(from_pods(pods, now=NOW, hold=HOLD))


def looping(*, restarts: int, ran: timedelta = timedelta(seconds=3)) -> Pod:
    """A pod that has just crashed once more."""
    return make_pod("a", None, waiting("CrashLoopBackOff", after=end(at=NOW, started_at=NOW - ran), restarts=restarts))


def statuses(*pods: Pod) -> list[str]:
    return [each.status for each in found(*pods)]


@pytest.mark.parametrize(
    ("container", "status"),
    [
        (running(), None),
        (waiting(None), None),
        (waiting("ContainerCreating"), None),
        (waiting("PodInitializing"), None),
        (waiting("SomethingNew"), None),
        (waiting("ErrImagePull"), "ImagePullBackOff"),
        (waiting("ImagePullBackOff"), "ImagePullBackOff"),
        (waiting("ImageInspectError"), "ImagePullBackOff"),
        (waiting("RegistryUnavailable"), "ImagePullBackOff"),
        (waiting("InvalidImageName"), "InvalidImageName"),
        (waiting("ErrImageNeverPull"), "ErrImageNeverPull"),
        (waiting("CreateContainerConfigError"), "CreateContainerConfigError"),
        (waiting("CreateContainerError"), "CreateContainerError"),
        (waiting("RunContainerError"), "RunContainerError"),
        (waiting("CrashLoopBackOff"), "CrashLoopBackOff"),
        (waiting("CrashLoopBackOff", after=end(1)), "CrashLoopBackOff"),
        (waiting("CrashLoopBackOff", after=end(0, "Completed")), "CrashLoopBackOff"),
        (waiting("CrashLoopBackOff", after=end(137, "OOMKilled")), "OOMKilled"),
        (waiting("CrashLoopBackOff", after=end(128, "StartError")), "StartError"),
        (waiting("ContainerCreating", after=end(1)), "Error"),
        (waiting("ContainerCreating", after=end(0, "Completed")), None),
        (ended(0, "Completed"), None),
        (ended(0, "OOMKilled"), None),
        (ended(None, None), None),
        (ended(None, "Completed"), None),
        (ended(1), "Error"),
        (ended(137), "Error"),
        (ended(143, "Error"), "Error"),
        (ended(137, "OOMKilled"), "OOMKilled"),
        (ended(None, "OOMKilled"), "OOMKilled"),
        (ended(128, "StartError"), "StartError"),
        (ended(127, "ContainerCannotRun"), "RunContainerError"),
        (ended(137, "DeadlineExceeded"), "DeadlineExceeded"),
        (ended(137, "ContainerStatusUnknown"), "Error"),
        (Container(name="main", phase=ContainerPhase.TERMINATED), None),
        (Container(name="main", phase=ContainerPhase.UNKNOWN), None),
    ],
)
def test_every_state_has_its_word(container: Container, status: str | None) -> None:
    """These are the words that people search for; a phase never says them."""
    assert statuses(make_pod("job", None, container)) == ([status] if status else [])


@pytest.mark.parametrize(
    ("since", "status"),
    [(JUST_NOW, ["OOMKilled"]), (NOW - HOLD, []), (EPOCH, []), (None, [])],
)
def test_a_container_that_runs_again_has_recovered_after_a_while(since: object, status: list[str]) -> None:
    """A crash loop runs between its crashes: only running steadily counts."""
    assert statuses(make_pod("job", None, running(since, after=end(137, "OOMKilled")))) == status  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("side", "status", "words"),
    [
        (ended(1, name="side", init=True), ["Error"], "init container `side`"),
        (ended(1, name="side"), ["Error"], "container `side`"),
        (ended(1, name="side", ephemeral=True), [], ""),
    ],
)
def test_every_container_counts_except_a_debugging_session(side: Container, status: list[str], words: str) -> None:
    """An init container or a sidecar that fails holds its pod up; what a person tried in `kubectl debug` does not."""
    pod = make_pod("job", None, running(), side)
    assert statuses(pod) == status
    assert words in "".join(each.summary for each in found(pod))


def test_an_ephemeral_container_does_not_keep_a_replacement_from_working() -> None:
    """Somebody's debugging session has ended badly in the pod that works."""
    failed = make_pod("job", "job-a", ended(1, at=EPOCH), pod_phase="Failed")
    works = make_pod("job", "job-b", running(), ended(1, ephemeral=True), created_at=EPOCH + timedelta(minutes=1))
    assert statuses(failed, works) == []


def test_an_init_container_that_worked_at_its_second_attempt_is_fine() -> None:
    """Its last state says how the first attempt ended; that is history."""
    init = dataclasses.replace(ended(0, "Completed"), init=True, last_ended=end(1))
    assert statuses(make_pod("job", None, init, running())) == []


def test_sidecars_of_a_pod_that_succeeded_may_end_as_they_like() -> None:
    """Kubernetes kills native sidecars when the work is done, and calls the pod succeeded whatever they return."""
    pod = make_pod("job", None, ended(143, name="proxy", init=True), ended(0, "Completed"), pod_phase="Succeeded")
    assert statuses(pod) == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"reason": "Evicted", "message": "The node was low on resource: memory."}, ["Evicted"]),
        ({"reason": "DeadlineExceeded"}, ["DeadlineExceeded"]),
        ({"reason": "UnexpectedAdmissionError", "message": "no healthy devices"}, ["Error"]),
        ({"reason": None}, ["Error"]),
        ({"reason": "NodeAffinity", "deleting": True}, []),
        ({"reason": "Preempting"}, []),
    ],
)
def test_a_pod_can_fail_without_its_containers(fields: dict[str, object], status: list[str]) -> None:
    """Evicted or refused by the node: the containers never ran, or have nothing to say."""
    pod = make_pod("job", None, waiting("ContainerCreating"), pod_phase="Failed", **fields)
    assert statuses(pod) == status
    assert all(str(fields.get("message") or "") in each.summary for each in found(pod))


@pytest.mark.parametrize(
    ("container", "status"),
    [(ended(143), []), (ended(137), []), (ended(137, "OOMKilled"), ["OOMKilled"])],
)
def test_what_is_killed_with_its_pod_did_not_fail(container: Container, status: list[str]) -> None:
    """Somebody deletes or suspends: SIGTERM, then SIGKILL. An OOM before that is one all the same."""
    assert statuses(make_pod("job", None, container, deleting=True)) == status


@pytest.mark.parametrize(
    ("pod", "preempted"),
    [
        (make_pod(reason="Preempting"), True),
        (
            make_pod(
                conditions=(PodCondition(type="DisruptionTarget", status="True", reason="PreemptionByScheduler"),)
            ),
            True,
        ),
        (
            make_pod(
                conditions=(PodCondition(type="DisruptionTarget", status="True", reason="EvictionByEvictionAPI"),)
            ),
            False,
        ),
        (make_pod(conditions=(PodCondition(type="PodScheduled", status="False", reason="preemption: 0/4"),)), False),
        (make_pod(reason="Evicted"), False),
    ],
)
def test_preemption_is_known_by_its_marks(pod: Pod, preempted: bool) -> None:
    """Only the scheduler's own word counts, not a mention."""
    assert was_preempted(pod) is preempted


def later(minutes: float) -> dict[str, object]:
    return {"created_at": EPOCH + timedelta(minutes=minutes)}


FAILED = make_pod("job", "job-a", ended(1, at=EPOCH + timedelta(minutes=5)), pod_phase="Failed")
RANK = dataclasses.replace(FAILED, index="worker-0")


@pytest.mark.parametrize(
    ("failed", "other", "quiet"),
    [
        (FAILED, make_pod("job", "job-b", running(), **later(6)), True),
        (FAILED, make_pod("job", "job-b", ended(0, "Completed"), pod_phase="Succeeded", **later(6)), True),
        (FAILED, make_pod("job", "job-b", running(JUST_NOW), **later(6)), False),
        (FAILED, make_pod("job", "job-b", waiting("ContainerCreating"), **later(6)), False),
        (FAILED, make_pod("job", "job-b", running(), **later(3)), False),
        (FAILED, make_pod("job", "job-b", running(), **later(5)), False),
        (FAILED, make_pod("job", "job-b", running(), owner_uid="another", **later(6)), False),
        (FAILED, make_pod("job", "job-b", running(), ended(1, name="second"), **later(6)), False),
        (RANK, make_pod("job", "job-b", running(), index="worker-0", **later(6)), True),
        (RANK, make_pod("job", "job-b", running(), index="worker-1", **later(6)), False),
        (dataclasses.replace(FAILED, owner_uid=None), make_pod("job", "job-b", owner_uid=None, **later(6)), False),
    ],
)
def test_a_failed_pod_is_history_once_its_own_successor_works(failed: Pod, other: Pod, quiet: bool) -> None:
    """Jobs keep failed pods for their logs. A sibling that happens to run is no successor."""
    assert ("job-a" not in [each.pod for each in found(failed, other)]) is quiet


def test_what_is_said_of_a_failure_is_what_an_on_call_person_needs() -> None:
    """Which pod, which container, which exit, how often, against which limit, since when."""
    container = dataclasses.replace(ended(137, "OOMKilled", at=JUST_NOW), restarts=3, memory_limit="64Gi")
    (told,) = found(make_pod("job", "job-0-0", container))
    assert told == Found(
        status="OOMKilled",
        summary="container `main` of pod `job-0-0` was OOMKilled (exit 137, limit 64Gi, 3 restarts)",
        since=JUST_NOW,
        pod="job-0-0",
        container="main",
        exit_code=137,
    )


def test_text_from_a_cluster_is_shortened_redacted_and_cannot_leave_its_place() -> None:
    """A message may hold a token, a novel or a closing backtick."""
    secret = "ghp_" + "a1B2" * 9
    message = f"line one\nline `two` token {secret} " + "x" * 5_000
    (told,) = found(make_pod("job", "po`d", waiting("ErrImagePull", message)))
    assert secret not in told.summary
    assert "\n" not in told.summary
    assert "`two`" not in told.summary
    assert "pod `po'd`" in told.summary
    assert len(told.summary) < 500


def test_containers_are_steady_since_the_last_of_them_runs() -> None:
    """A pod that still starts, or a container that waits, says nothing of how long all is well."""
    early, late = NOW - timedelta(minutes=9), NOW - timedelta(minutes=4)
    first, second = make_pod("train", "a", running(early)), make_pod("train", "b", running(late))
    failed = make_pod("train", "c", ended(1), pod_phase="Failed")
    assert steady_since([first, second, failed]) == late
    assert steady_since([first, make_pod("train", "d", waiting("CrashLoopBackOff"))]) is None
    assert steady_since([failed]) is None


@pytest.mark.parametrize(
    ("pods", "before"),
    [
        ((make_pod("a", None, waiting("CrashLoopBackOff", after=end(at=EPOCH))),), True),
        ((make_pod("a", None, waiting("CrashLoopBackOff", after=end(at=NOW))),), False),
        ((make_pod("a", None, ended(at=EPOCH)), make_pod("a", "a-0-1", ended(at=NOW))), False),
        ((make_pod("a", None, ended(at=EPOCH)), make_pod("a", "a-0-1")), True),
        ((looping(restarts=1),), False),
        ((looping(restarts=7),), False),  # it has waited for 10 + 20 + 40 + 80 + 160 + 300 seconds
        ((looping(restarts=10),), True),
        ((looping(restarts=10, ran=timedelta(minutes=11)),), False),
        ((make_pod("a", None, waiting("ImagePullBackOff")),), True),
        ((make_pod("a", None, waiting("ImagePullBackOff"), started_at=NOW),), False),
        ((make_pod("a", None, waiting("ImagePullBackOff"), started_at=None, created_at=None),), False),
        ((make_pod("a"),), False),
        ((), False),
    ],
)
def test_a_workload_failed_before_if_all_its_trouble_is_older(pods: tuple[Pod, ...], before: bool) -> None:
    """One new failure beside an old one is news; so is what cannot tell when it began, or waited in a queue until then.

    Of a loop only the last crash is on record: how often it was restarted tells how long it has gone on at least.
    """
    assert failed_before(pods, NOW - timedelta(minutes=20), now=NOW, hold=HOLD) is before


def test_an_instant_that_was_cut_to_its_second_is_not_before_what_happened_in_it() -> None:
    """A job that fails half a second after the first look is news, though Kubernetes writes an earlier time."""
    pods = (make_pod("a", None, ended(at=NOW)),)
    assert not failed_before(pods, NOW + timedelta(seconds=0.9), now=NOW, hold=HOLD)
    assert failed_before(pods, NOW + timedelta(seconds=1), now=NOW, hold=HOLD)


def test_a_long_message_keeps_what_it_is_about_and_how_it_ends() -> None:
    """Errors wrap others: the image stands at the start, and that its tag is not there at the end."""
    image = "registry.example.com/vision/detector:v3.2-cuda12"
    told = said(
        f'Failed to pull image "{image}": rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": manifest unknown: manifest tagged by "v3.2-cuda12" is not found'
    )
    assert len(told) <= LONGEST + 2
    assert image in told
    assert told.endswith('manifest unknown: manifest tagged by "v3.2-cuda12" is not found')


def test_an_unseen_character_does_not_hide_a_secret() -> None:
    """A channel drops what cannot be seen, which would join the halves of a token that was not recognised."""
    token = "ghp_" + "aB3dE5gH" * 4
    for unseen in ("\u200b", "\u206f", "\ufe0f", "\ufffb", "\u061c", "\x1b[0m"):
        assert "aB3dE5gH" not in said(f"login with {token[:12]}{unseen}{token[12:]} failed").replace(unseen, "")

"""What happens over hours to one workload, and what its people hear of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import anyio
import pytest

from runai_monitor.model.cluster import PodCondition
from runai_monitor.model.workload import WorkloadId
from tests.factories import end, ended, make_pod, running, waiting
from tests.monitor.world import World, a_world

pytestmark = pytest.mark.anyio


async def test_an_oom_is_told_once_and_its_end_too(world: World) -> None:
    """The promise in one line: once when it breaks, with the reason that no phase says, and once when it is over."""
    assert world.kube is not None
    world.runai.put("train")
    world.kube.put(make_pod("train"))
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        assert await world.slack() == []
        killed = end(137, "OOMKilled", at=world.clock.now())
        world.kube.put(make_pod("train", None, running(world.clock.now(), after=killed)))
        await world.pass_by(seconds=2)
        assert await world.slack() == ["opened train OOMKilled"]
        (alert,) = await world.alerts()
        assert (alert.severity, alert.recommendations) == ("critical", ("raise the limit",))
        assert [(alert.status, alert.awaits_diagnosis) for alert in world.pushed] == [
            ("OOMKilled", True),
            ("OOMKilled", False),
        ], "pushed at once, and again with its diagnosis"
        await world.pass_by(minutes=10)
        assert await world.slack() == ["opened train OOMKilled", "resolved train OOMKilled"]
        assert (await world.history("train"))[-1] == "resolved: healthy for 120 s"


async def test_a_crash_loop_is_one_alert_however_often_it_crashes(world: World) -> None:
    """Between two crashes the container runs: that is no recovery, and the next crash is no news."""
    assert world.kube is not None
    world.runai.put("train")
    await world.monitor()
    async with world.running():
        for _ in range(5):
            world.kube.put(make_pod("train", None, running(world.clock.now(), after=end(at=world.clock.now()))))
            await world.pass_by(seconds=20)
            again = end(at=world.clock.now())
            world.kube.put(make_pod("train", None, waiting("CrashLoopBackOff", "back-off 5m0s", after=again)))
            await world.pass_by(seconds=90)
        assert await world.slack() == ["opened train Error"]
        assert await world.open() == {"train": "CrashLoopBackOff"}
        world.kube.put(make_pod("train", None, running(world.clock.now(), after=end(at=world.clock.now()))))
        await world.pass_by(seconds=110)
        assert await world.open() == {"train": "CrashLoopBackOff"}
        await world.pass_by(seconds=20)
        assert await world.open() == {}, "resolve_after_seconds counts from when the container began to run"
        world.kube.put(make_pod("train", None, waiting("CrashLoopBackOff", after=end(at=world.clock.now()))))
        await world.pass_by(seconds=5)
        assert (await world.slack())[-1] == "opened train CrashLoopBackOff"
        assert [alert.episode for alert in await world.alerts()] == [1, 2]


async def test_a_bad_image_that_ends_in_failed_is_one_alert(world: World) -> None:
    """ImagePullBackOff, then Failed: the alert says so, keeps its better word, and nobody is called twice."""
    assert world.kube is not None
    world.runai.put("train", "Creating")
    world.kube.put(make_pod("train", None, waiting("ErrImagePull", "manifest unknown"), pod_phase="Pending"))
    await world.monitor()
    async with world.running() as _:
        pass  # the project is known now, with its old failure
    async with world.running():
        world.runai.put("other", "Creating")
        world.kube.put(make_pod("other", None, waiting("ErrImagePull", "manifest unknown"), pod_phase="Pending"))
        await world.pass_by(minutes=2)
        assert await world.slack() == ["opened existing_failures ExistingFailures", "opened other ImagePullBackOff"]
        world.runai.put("other", "Failed", phase_message="the image cannot be pulled")
        await world.pass_by(minutes=2)
        assert (await world.open())["other"] == "ImagePullBackOff"
        (alert,) = [alert for alert in await world.alerts() if alert.subject.name == "other"]
        assert alert.terminal
        assert alert.summary.endswith("; the workload has failed")
        assert await world.history("other") == [
            "opened: a new failure",
            "escalated: it got worse, and the workload has failed",
            "suppressed: max_alerts_per_job (1) is reached: the escalation goes to no channel",
        ]
        assert len(await world.slack()) == 2


async def test_a_first_pull_that_fails_is_told_if_it_lasts(tmp_path: Path) -> None:
    """The kubelet tries again within seconds: what works then is nobody's business, what does not is told in seconds."""
    async with a_world(tmp_path, tick_seconds=1.0) as there:
        assert there.kube is not None
        for name in ("blip", "typo", "slow"):
            there.runai.put(name, "Creating")
        await there.monitor()
        async with there.running():
            await there.pass_by(minutes=1, seconds=1)
            for name in ("blip", "typo", "slow"):
                there.kube.put(make_pod(name, None, waiting("ErrImagePull", "manifest unknown"), pod_phase="Pending"))
            await there.pass_by(seconds=5)
            assert await there.slack() == []
            there.kube.put(make_pod("blip", None, running(there.clock.now())))
            there.kube.put(make_pod("typo", None, waiting("ImagePullBackOff"), pod_phase="Pending"))
            await there.pass_by(seconds=1)
            assert await there.slack() == ["opened typo ImagePullBackOff"], "what was given up on waits for nothing"
            await there.pass_by(seconds=3)
            assert await there.slack() == ["opened typo ImagePullBackOff"]
            await there.pass_by(seconds=2)
            assert (await there.slack())[1:] == ["opened slow ImagePullBackOff"], "to the second"
            await there.pass_by(minutes=5)
            there.kube.put(make_pod("blip", None, waiting("ErrImagePull", "manifest unknown"), pod_phase="Pending"))
            await there.pass_by(seconds=6)
            assert len(await there.slack()) == 2, "each time anew"


async def test_a_phase_that_says_little_is_looked_at_before_it_is_told(world: World) -> None:
    """`Failed` wakes people with nothing to go on; the container states say what it was."""
    assert world.kube is not None
    world.kube.unwatchable = {None, "runai-ml-team"}
    world.runai.put("train")
    world.runai.pods[WorkloadId("id-train")] = ["train-0-0"]
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        world.runai.put("train", "Failed", phase_message="Job has reached the specified backoff limit")
        world.kube.put(make_pod("train", None, ended(137, "OOMKilled"), pod_phase="Failed"))
        await world.pass_by(minutes=1)
        assert await world.slack() == ["opened train OOMKilled"]


@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        ("Completed", "resolved: the workload completed"),
        ("Stopped", "resolved: the workload was suspended"),
        ("Stopping", "resolved: the workload was suspended"),
    ],
)
async def test_an_episode_ends_at_once_with_what_ended_on_purpose(bare: World, phase: str, reason: str) -> None:
    """Suspending a broken job is how people end it: its alert must not stay for hours, nor come back."""
    bare.runai.put("train")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.put("train", "Degraded")
        await bare.pass_by(minutes=1)
        assert await bare.open() == {"train": "Degraded"}
        bare.runai.put("train", phase)
        await bare.pass_by(minutes=1)
        assert await bare.open() == {}
        assert (await bare.history("train"))[-1] == reason
        bare.runai.put("train", "Degraded")
        await bare.pass_by(minutes=1)
        assert await bare.slack() == ["opened train Degraded", "resolved train Degraded", "opened train Degraded"]


async def test_an_episode_ends_with_the_deletion_of_its_workload(bare: World) -> None:
    """No list mentions what is deleted: it is asked for by name, and not resolved before Run:ai said so."""
    bare.runai.put("train")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.put("train", "Failed")
        await bare.pass_by(minutes=1)
        bare.runai.hidden.add(WorkloadId("id-train"))
        await bare.pass_by(minutes=10)
        assert await bare.open() == {"train": "Failed"}
        bare.runai.put("train", "Deleting")
        await bare.pass_by(minutes=10)
        assert await bare.open() == {"train": "Failed"}, "being removed is not being healthy"
        bare.runai.remove("train")
        await bare.pass_by(minutes=6)
        assert await bare.slack() == ["opened train Failed", "resolved train Failed"]
        assert (await bare.history("train"))[-1] == "resolved: the workload was deleted"


async def test_a_resubmitted_job_is_not_healthy_while_it_starts(bare: World) -> None:
    """Failed, Pending, Creating, Failed: one episode, one call."""
    bare.runai.put("train")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        for phase in ("Failed", "Pending", "Creating", "Running", "Failed", "Pending"):
            bare.runai.put("train", phase)
            await bare.pass_by(minutes=1)
        assert await bare.slack() == ["opened train Failed"]
        bare.runai.put("train", "Running")
        await bare.pass_by(minutes=4)
        assert await bare.slack() == ["opened train Failed", "resolved train Failed"]


async def test_a_job_that_failed_and_was_removed_between_two_polls_is_told(bare: World) -> None:
    """Run:ai can remove jobs seconds after they ended: the poll finds nothing, its history tells."""
    for name in ("failed", "done", "deleted", "old"):
        bare.runai.put(name)
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.remove("failed", history=("Running", "Failed", "Deleting"))
        bare.runai.remove("done", history=("Running", "Completed", "Deleting"))
        bare.runai.remove("deleted", history=("Running", "Terminating", "Deleted"))
        bare.runai.remove("old", history=("Failed", "Running", "Deleting"))
        await bare.pass_by(minutes=5)
        assert await bare.slack() == ["opened failed Failed", "resolved failed Failed"]
        assert (await bare.history("failed"))[-1] == "resolved: the workload was deleted"
        assert bare.diagnoser.diagnosed == ["failed"]


async def test_what_failed_is_told_even_if_it_is_removed_before_its_turn(world: World) -> None:
    """A diagnosis takes seconds; cleaning up after a failure does not make it unhappen."""
    world.runai.put("train")
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        world.runai.put("train", "Failed")
        await world.pass_by(seconds=59)
        world.runai.remove("train")
        await world.pass_by(minutes=1)
        assert await world.slack() == []  # never seen as failed, and no history says so
        world.runai.put("second")
        await world.pass_by(minutes=1)
        world.runai.put("second", "Failed")
        world.diagnoser.waits = gate = anyio.Event()
        await world.pass_by(minutes=1)
        world.runai.remove("second")
        await world.pass_by(minutes=10)
        gate.set()
        await world.pass_by(minutes=10)
        assert await world.slack() == ["opened second Failed", "resolved second Failed"]


async def test_reminders_come_at_their_interval_and_are_counted(tmp_path: Path) -> None:
    """`max_alerts_per_job` is the first notice and its reminders; after them the alert lives on in silence."""
    async with a_world(tmp_path, kube=False, max_alerts_per_job=3, tick_seconds=300, existing_failures="each") as there:
        there.runai.put("train", "Failed")
        await there.monitor(poll_interval_seconds=600)
        async with there.running():
            for hours, told in ((0.1, 1), (3.8, 1), (0.2, 2), (3.8, 2), (0.2, 3), (24, 3)):
                await there.pass_by(hours=hours)
                assert len(await there.slack()) == told
            there.runai.put("train")
            await there.pass_by(minutes=25)
            assert await there.slack() == [
                "opened train Failed",
                "reminded train Failed",
                "reminded train Failed",
                "resolved train Failed",
            ]
        assert await there.history("train") == [
            "opened: a new failure",
            "reminded: still failing; reminder 1 of 2",
            "reminded: still failing; reminder 2 of 2",
            "suppressed: max_alerts_per_job (3) allows no reminder",
            "resolved: healthy for 120 s",
        ]


async def test_an_escalation_uses_a_notification_while_there_are_some(tmp_path: Path) -> None:
    """Beyond max_alerts_per_job the alert is updated, and nobody is told."""
    async with a_world(tmp_path, kube=False, max_alerts_per_job=2) as there:
        there.runai.put("train")
        await there.monitor()
        async with there.running():
            await there.pass_by(minutes=1)
            there.runai.put("train", "Degraded", running_pods=7, requested_pods=8)
            await there.pass_by(minutes=1)
            there.runai.put("train", "Failed")
            await there.pass_by(minutes=1)
            assert await there.slack() == ["opened train Degraded", "escalated train Failed"]
            there.runai.tell("train", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
            await there.pass_by(minutes=3)
            assert len(await there.slack()) == 2
            assert await there.open() == {"train": "BackoffLimitExceeded"}


async def test_a_suspended_job_is_silent_though_its_pods_end_badly(world: World) -> None:
    """Kubernetes kills a suspended job's containers with 143, then 137, before Run:ai's phase says anything."""
    assert world.kube is not None
    world.runai.put("train")
    pod = make_pod("train")
    world.kube.put(pod)
    await world.monitor()
    async with world.running():
        await world.pass_by(seconds=70)
        world.kube.put(dataclasses.replace(pod, deleting=True))
        await world.pass_by(seconds=1)
        world.kube.put(dataclasses.replace(pod, deleting=True, containers=(ended(143),)))
        await world.pass_by(seconds=20)
        world.runai.put("train", "Stopping")
        world.kube.put(dataclasses.replace(pod, containers=(ended(137),), pod_phase="Failed"))
        await world.pass_by(seconds=20)
        world.runai.put("train", "Stopped")
        await world.pass_by(hours=1)
        assert await world.slack() == []


async def test_a_job_suspended_while_its_alert_is_prepared_stays_silent(bare: World) -> None:
    """Between the failure and the message there is a diagnosis of seconds, in which its owner may act."""
    bare.runai.put("train")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.put("train", "Failed")
        bare.diagnoser.waits = anyio.Event()
        await bare.pass_by(minutes=1)
        bare.runai.put("train", "Stopped")
        await bare.pass_by(minutes=1)
        bare.diagnoser.waits.set()
        await bare.pass_by(minutes=1)
        assert await bare.slack() == []


async def test_preemption_is_told_as_information_and_is_no_failure(world: World) -> None:
    """The scheduler took the resources away by policy: no reason to wake anybody, and not a failure of the job."""
    assert world.kube is not None
    world.runai.put("train")
    world.kube.put(make_pod("train"))
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        taken = PodCondition(type="DisruptionTarget", status="True", reason="PreemptionByScheduler")
        world.kube.put(make_pod("train", None, ended(143), conditions=(taken,), pod_phase="Failed"))
        await world.pass_by(seconds=10)
        assert await world.slack() == []
        world.runai.put("train", "Pending")
        await world.pass_by(minutes=1)
        assert await world.slack() == ["opened train Preempted"]
        (alert,) = await world.alerts()
        assert (alert.kind, alert.severity) == ("workload_preempted", "info")
        world.kube.put(make_pod("train"))
        world.runai.put("train", "Running")
        await world.pass_by(minutes=4)
        assert await world.slack() == ["opened train Preempted", "resolved train Preempted"]


async def test_preemption_is_found_in_events_though_a_new_pod_waits(world: World) -> None:
    """The preempted pod is gone and its successor says nothing but that it waits."""
    assert world.kube is not None
    world.runai.put("train")
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        world.runai.put("train", "Pending")
        world.kube.put(make_pod("train", None, waiting(None), pod_phase="Pending"))
        world.runai.tell("train", "Preempted", "preempted by a job of higher priority")
        await world.pass_by(minutes=20)
        assert await world.slack() == ["opened train Preempted"]


async def test_stuck_beyond_its_threshold_is_told_and_ends_when_it_moves(bare: World) -> None:
    """Waiting ten minutes is normal for nobody who is on call for the cluster; nine are."""
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.put("train", "Pending", phase_reason="OverLimit")
        await bare.pass_by(minutes=9, seconds=55)
        assert await bare.slack() == []
        await bare.pass_by(seconds=15)
        assert await bare.slack() == ["opened train Pending"]
        bare.runai.put("train", "Creating")
        await bare.pass_by(minutes=4)
        assert (await bare.history("train"))[-1] == "resolved: no longer stuck for 120 s"


async def test_a_retry_that_works_makes_the_failed_pod_history(world: World) -> None:
    """The Job keeps the failed pod for its log; its successor runs, and the alert ends."""
    assert world.kube is not None
    world.runai.put("train")
    world.kube.put(make_pod("train", "train-a"))
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        now = world.clock.now()
        world.kube.put(make_pod("train", "train-a", ended(1, at=now), pod_phase="Failed"))
        await world.pass_by(seconds=10)
        assert await world.open() == {"train": "Error"}
        now = world.clock.now()
        world.kube.put(make_pod("train", "train-b", running(now), created_at=now))
        await world.pass_by(minutes=5)
        assert await world.slack() == ["opened train Error", "resolved train Error"]
        world.runai.put("train", "Completed")
        world.kube.put(make_pod("train", "train-b", ended(0, "Completed"), pod_phase="Succeeded", created_at=now))
        await world.pass_by(minutes=5)
        assert len(await world.slack()) == 2


async def test_one_failing_rank_speaks_for_its_distributed_job(world: World) -> None:
    """Seven ranks wait for the eighth: the alert names the one that failed, not the phase."""
    assert world.kube is not None
    world.runai.put("llm", running_pods=8, requested_pods=8)
    for rank in range(8):
        world.kube.put(make_pod("llm", f"llm-worker-{rank}", index=f"worker-{rank}"))
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        killed = ended(137, "OOMKilled", at=world.clock.now(), memory_limit="64Gi")
        world.kube.put(make_pod("llm", "llm-worker-5", killed, index="worker-5", pod_phase="Failed"))
        world.runai.put("llm", "Degraded", running_pods=7)
        await world.pass_by(minutes=3)
        assert await world.slack() == ["opened llm OOMKilled"]
        (alert,) = await world.alerts()
        assert "llm-worker-5" in alert.summary
        assert "limit 64Gi" in alert.summary


async def test_the_failing_rank_is_found_among_many_that_nobody_follows(world: World) -> None:
    """Sixty-four pods are too many to read for one alert; Run:ai says which of them is worth reading."""
    assert world.kube is not None
    world.kube.unwatchable = {None, "runai-ml-team"}
    world.runai.put("llm")
    for rank in range(64):
        world.kube.put(make_pod("llm", f"llm-{rank:02}"))
    world.kube.put(make_pod("llm", "llm-40", ended(137, "OOMKilled"), pod_phase="Failed"))
    phases = ["Failed" if rank == 40 else "Running" for rank in range(64)]
    world.runai.pods[WorkloadId("id-llm")] = [(f"llm-{rank:02}", phase) for rank, phase in enumerate(phases)]
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        world.runai.put("llm", "Degraded")
        await world.pass_by(minutes=1)
        assert await world.slack() == ["opened llm OOMKilled"]


async def test_what_failed_is_told_even_if_it_is_removed_while_it_waits_its_turn(bare: World) -> None:
    """Eight diagnoses at a time; the ninth workload is gone before anybody could read it again."""
    names = [f"job-{number}" for number in range(9)]
    for name in names:
        bare.runai.put(name)
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        for name in names:
            bare.runai.put(name, "Failed")
        bare.diagnoser.waits = anyio.Event()
        await bare.pass_by(minutes=1)
        assert "job-8" not in bare.diagnoser.diagnosed
        bare.runai.remove("job-8")
        bare.diagnoser.waits.set()
        await bare.pass_by(seconds=30)
        told = await bare.slack()
        assert sorted(told) == sorted([*(f"opened {name} Failed" for name in names), "resolved job-8 Failed"])

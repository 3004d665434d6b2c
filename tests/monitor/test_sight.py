"""What the monitor can see, and what it says when it cannot: Run:ai, Kubernetes, the store."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from runai_monitor.errors import (
    KubeNotConfiguredError,
    KubeUnavailableError,
    RunaiAuthError,
    RunaiError,
    RunaiNotFoundError,
    RunaiPayloadError,
    RunaiRejectedError,
    RunaiUnavailableError,
    StoreError,
)
from runai_monitor.model.workload import WorkloadEvent, WorkloadId
from runai_monitor.monitor.suspects import LOOKS_AT_FAILED, LOST_AT_FAILED
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.baseline import BaselineStore
from runai_monitor.store.monitors import MonitorStore
from tests.factories import end, ended, make_pod, running, waiting
from tests.monitor.world import World, a_world

pytestmark = pytest.mark.anyio

BLIND = "opened monitor_blind MonitorBlind"
SIGHTED = "resolved monitor_blind MonitorBlind"
STORM = 400


# --- Run:ai -------------------------------------------------------------------------------------------------------


async def test_three_failed_polls_are_blindness_and_one_good_one_its_end(bare: World) -> None:
    """A monitor that cannot see is an incident; one dropped connection is not."""
    await bare.monitor()
    async with bare.running() as engine:
        await bare.pass_by(minutes=1, seconds=1)
        bare.runai.error = RunaiUnavailableError("Run:ai answers 503", status=503)
        await bare.pass_by(minutes=2)
        assert await bare.slack() == []
        await bare.pass_by(minutes=1)
        assert await bare.slack() == [BLIND]
        assert engine.statistics().blind
        (alert,) = await bare.alerts()
        assert alert.summary == "Run:ai cannot be watched: Run:ai answers 503"
        await bare.pass_by(minutes=30)
        bare.runai.error = None
        await bare.pass_by(minutes=1)
        assert await bare.slack() == [BLIND, SIGHTED]
        assert not engine.statistics().blind
        (monitor,) = await MonitorStore(bare.database).active()
        assert (monitor.last_error, monitor.last_poll_at is not None) == (None, True)


async def test_refused_credentials_are_blindness_at_once(bare: World) -> None:
    """They will not be accepted by trying again."""
    bare.runai.error = RunaiAuthError("the client secret was refused", status=401)
    await bare.monitor()
    async with bare.running() as engine:
        await bare.pass_by(seconds=1)
        assert await bare.slack() == [BLIND]
        assert [each.error for each in engine.statistics().monitors.values()] == ["the client secret was refused"]
    bare.runai.error = None
    async with bare.running():
        await bare.pass_by(seconds=1)
        assert await bare.slack() == [BLIND, SIGHTED]


async def test_a_poll_that_hangs_is_blindness_too(bare: World) -> None:
    """Nothing fails, nothing comes."""
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(seconds=61)
        bare.runai.hangs = anyio.Event()
        await bare.pass_by(minutes=5)
        assert await bare.slack() == [BLIND]
        bare.runai.hangs.set()
        await bare.pass_by(minutes=1)
        assert await bare.slack() == [BLIND, SIGHTED]


async def test_one_monitor_that_sees_does_not_hide_another_that_does_not(bare: World) -> None:
    """The alert must neither end nor flicker while any scope is out of sight."""
    hangs = anyio.Event()
    scan, hanging = bare.runai.scan_workloads, False

    async def one_hangs(**asked: Any) -> Any:
        if hanging and asked.get("project") == "vision":
            await hangs.wait()
        return await scan(**asked)

    bare.runai.scan_workloads = one_hangs  # type: ignore[method-assign]
    await bare.monitor(1, project="ml-team", poll_interval_seconds=10)
    await bare.monitor(2, project="vision", poll_interval_seconds=10)
    async with bare.running():
        await bare.pass_by(minutes=1)
        hanging = True
        await bare.pass_by(minutes=20)
        assert await bare.slack() == [BLIND]
        hangs.set()
        await bare.pass_by(minutes=1)
        assert await bare.slack() == [BLIND, SIGHTED]


async def test_blindness_ends_when_nothing_is_to_be_seen(bare: World) -> None:
    """The last monitor stops: nobody misses anything."""
    bare.runai.error = RunaiAuthError("refused", status=401)
    await bare.monitor()
    async with bare.running() as engine:
        await bare.pass_by(seconds=1)
        await bare.stop()
        engine.wake()
        await bare.pass_by(seconds=1)
        assert await bare.slack() == [BLIND, SIGHTED]


async def test_what_failed_in_the_dark_is_told_afterwards(bare: World) -> None:
    """An hour without Run:ai delays; it does not lose, and it is no reason to call anything recovered."""
    bare.runai.put("train")
    bare.runai.put("other")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.put("other", "Failed")
        await bare.pass_by(minutes=1)
        bare.runai.error = RunaiUnavailableError("no answer")
        bare.runai.put("train", "Failed")
        await bare.pass_by(hours=1)
        assert await bare.slack() == ["opened other Failed", BLIND]
        bare.runai.error = None
        await bare.pass_by(minutes=2)
        assert sorted((await bare.slack())[2:]) == sorted([SIGHTED, "opened train Failed"])


async def test_polls_never_overlap(bare: World) -> None:
    """A slow Run:ai must not be asked by ever more polls at once."""
    await bare.monitor(poll_interval_seconds=1)
    async with bare.running():
        bare.runai.hangs = anyio.Event()
        await bare.pass_by(minutes=2)
        bare.runai.hangs.set()
        await bare.pass_by(minutes=1)
    assert bare.runai.scanned_at_once == 1


# --- Kubernetes ---------------------------------------------------------------------------------------------------


async def test_without_permission_for_the_cluster_namespaces_are_followed(world: World) -> None:
    """Most teams may read their own namespaces only; those that appear later too."""
    assert world.kube is not None
    world.kube.forbidden = {None}
    world.runai.put("train")
    await world.monitor()
    async with world.running() as engine:
        await world.pass_by(minutes=1)
        assert engine.statistics().kube_live
        assert engine.statistics().kube_error is None
        world.runai.put("later", project="vision", namespace="runai-vision")
        await world.pass_by(minutes=1)
        world.kube.put(make_pod("later", None, ended(137, "OOMKilled"), namespace="runai-vision"))
        world.kube.put(make_pod("train", None, waiting("ImagePullBackOff")))
        await world.pass_by(seconds=5)
        assert sorted(await world.slack()) == ["opened later OOMKilled", "opened train ImagePullBackOff"]


async def test_one_namespace_that_is_denied_is_said_and_takes_no_other_with_it(world: World) -> None:
    """Half a view is worth having, and worth knowing about."""
    assert world.kube is not None
    world.kube.forbidden = {None, "runai-vision"}
    world.runai.put("theirs", project="vision", namespace="runai-vision")
    world.runai.put("train")
    await world.monitor()
    async with world.running() as engine:
        await world.pass_by(minutes=5)
        assert engine.statistics().kube_live
        assert engine.statistics().kube_error == "pods may not be watched in runai-vision"
        world.kube.put(make_pod("train", None, ended(137, "OOMKilled")))
        world.runai.put("theirs", "Failed")
        await world.pass_by(minutes=1)
        assert sorted(await world.slack()) == ["opened theirs Failed", "opened train OOMKilled"]
        world.kube.forbidden = {None}
        await world.pass_by(minutes=1)
        assert engine.statistics().kube_error is None


async def test_without_any_permission_run_ai_must_do(world: World) -> None:
    """Monitoring goes on, from phases and events, and says what is missing."""
    assert world.kube is not None
    world.kube.forbidden = {None, "runai-ml-team"}
    world.runai.put("train")
    await world.monitor()
    async with world.running() as engine:
        await world.pass_by(minutes=1)
        assert not engine.statistics().kube_live
        assert "may not be watched" in (engine.statistics().kube_error or "")
        world.runai.put("train", "Degraded")
        world.runai.tell("train", "BackOff", "Back-off restarting failed container main", object_name="train-0-0")
        await world.pass_by(minutes=1)
        assert await world.slack() == ["opened train CrashLoopBackOff"]
        world.runai.put("train", "Running")
        world.runai.events.clear()
        await world.pass_by(minutes=5)
        assert await world.open() == {}, "what will never be seen is not waited for"


async def test_a_kubernetes_that_goes_away_is_visible_and_costs_no_failure(world: World) -> None:
    """An open watch that hears nothing is no sight: Run:ai's events are heard meanwhile, and nothing is called well."""
    assert world.kube is not None
    world.runai.put("looping")
    world.runai.put("train")
    world.kube.put(make_pod("train"))
    world.kube.put(make_pod("looping"))
    await world.monitor()
    async with world.running() as engine:
        await world.pass_by(minutes=1)
        world.kube.put(make_pod("looping", None, waiting("CrashLoopBackOff", after=end())))
        await world.pass_by(minutes=1)
        world.kube.broken = "the API server cannot be reached"
        world.kube.put(make_pod("looping"))
        await world.pass_by(minutes=1)
        assert not engine.statistics().kube_live
        assert engine.statistics().kube_error == "the API server cannot be reached"
        world.runai.tell("train", "BackOff", "Back-off restarting failed container main", object_name="train-0-0")
        await world.pass_by(minutes=10)
        assert await world.open() == {"looping": "CrashLoopBackOff", "train": "CrashLoopBackOff"}


async def test_no_kubernetes_at_all_delays_no_recovery(world: World) -> None:
    """Where nothing is configured nothing is lost: Run:ai's word counts."""
    assert world.kube is not None
    world.kube.down = KubeNotConfiguredError("no Kubernetes configuration")
    world.runai.put("train")
    await world.monitor()
    async with world.running() as engine:
        await world.pass_by(minutes=1)
        world.runai.put("train", "Degraded")
        world.runai.tell("train", "BackOff", "Back-off restarting failed container main", object_name="train-0-0")
        await world.pass_by(minutes=1)
        assert await world.open() == {"train": "CrashLoopBackOff"}
        world.runai.put("train", "Completed")
        world.runai.put("train", "Running")
        world.runai.events.clear()
        await world.pass_by(minutes=6)
        assert await world.open() == {}
        assert engine.statistics().kube_error == "no Kubernetes configuration"


async def test_kubernetes_that_comes_back_is_followed_again(world: World) -> None:
    """VPNs drop at night."""
    assert world.kube is not None
    world.kube.down = KubeUnavailableError("no route to host")
    world.runai.put("train")
    await world.monitor()
    async with world.running() as engine:
        await world.pass_by(minutes=5)
        assert engine.statistics().kube_error == "no route to host"
        world.kube.down = None
        world.kube.put(make_pod("train", None, ended(137, "OOMKilled", at=world.clock.now())))
        await world.pass_by(minutes=1)
        assert await world.slack() == ["opened train OOMKilled"]
        assert engine.statistics().kube_live


async def test_a_failing_pod_of_an_unknown_workload_asks_run_ai_early(world: World) -> None:
    """A job that fails in its first seconds is told within seconds, not after the interval."""
    assert world.kube is not None
    await world.monitor(poll_interval_seconds=600)
    async with world.running():
        await world.pass_by(minutes=1)
        world.runai.put("train")
        world.kube.put(make_pod("train", None, ended(1)))
        await world.pass_by(seconds=6)
        assert await world.slack() == ["opened train Error"]


async def test_states_read_once_do_not_outlive_the_phase_they_explained(world: World) -> None:
    """Pods that nobody follows are read for one alert; after a new start they say nothing any more."""
    assert world.kube is not None
    world.kube.unwatchable = {None, "runai-ml-team"}
    world.runai.put("train")
    world.runai.pods[WorkloadId("id-train")] = ["train-0-0"]
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        world.runai.put("train", "Failed")
        world.kube.put(make_pod("train", None, ended(137, "OOMKilled")))
        await world.pass_by(minutes=1)
        assert await world.slack() == ["opened train OOMKilled"]
        world.runai.put("train", "Running")
        await world.pass_by(minutes=10)
        assert await world.slack() == ["opened train OOMKilled", "resolved train OOMKilled"]


# --- whose pod is whose -------------------------------------------------------------------------------------------


async def test_names_that_look_alike_are_told_apart(world: World) -> None:
    """`train` must not be blamed for `train-2`, with labels, with controllers or with neither."""
    assert world.kube is not None
    for name in ("train", "train-2", "train-2-big"):
        world.runai.put(name)
    world.runai.pods[WorkloadId("id-train-2")] = ["train-2-0-0"]
    await world.monitor(poll_interval_seconds=10)
    async with world.running():
        await world.pass_by(minutes=1)
        bare_pod = make_pod("train-2", "train-2-0-0", ended(1), workload_name=None, owner=None)
        world.kube.put(bare_pod)
        await world.pass_by(minutes=1)
        assert await world.open() == {"train-2": "Error"}
        world.kube.put(make_pod("train", "train-0-0", ended(137, "OOMKilled"), workload_name=None))
        await world.pass_by(seconds=10)
        assert await world.open() == {"train-2": "Error", "train": "OOMKilled"}


async def test_a_new_job_of_an_old_name_is_not_blamed_for_the_old_ones_pods(world: World) -> None:
    """Deleted and submitted again under the same name: another workload, and its pods are its own."""
    assert world.kube is not None
    world.runai.put("train", "Failed", id=WorkloadId("id-first"))
    world.runai.workloads = {WorkloadId("id-first"): next(iter(world.runai.workloads.values()))}
    world.kube.put(make_pod("train", "train-old", ended(137, "OOMKilled")))
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=10)
        again = world.clock.now()
        world.runai.put("train", "Running", created_at=again)
        world.kube.put(make_pod("train", "train-new", running(again), created_at=again))
        await world.pass_by(minutes=10)
        assert await world.open() == {"existing_failures": "ExistingFailures"}
        world.kube.put(make_pod("train", "train-new", ended(1), created_at=again))
        await world.pass_by(seconds=5)
        (alert,) = [alert for alert in await world.alerts() if alert.subject.name == "train"]
        assert (alert.subject.id, alert.status) == ("id-train", "Error")


async def test_pods_of_another_cluster_are_nobodys(tmp_path: Path) -> None:
    """Two clusters have the same namespace and name: the kubeconfig leads to one of them."""
    async with a_world(tmp_path, kube_cluster_id="cluster-1") as there:
        assert there.kube is not None
        there.runai.put("train", cluster_id="cluster-2")
        await there.monitor()
        async with there.running():
            await there.pass_by(minutes=1)
            there.kube.put(make_pod("train", None, ended(137, "OOMKilled")))
            await there.pass_by(minutes=10)
            assert await there.slack() == []


async def test_where_clusters_are_several_and_none_is_named_run_ai_says_whose_a_pod_is(world: World) -> None:
    """A name proves nothing then; Run:ai's own list of pods does."""
    assert world.kube is not None
    world.runai.put("ours", name="train", cluster_id="cluster-1")
    world.runai.put("theirs", name="train", cluster_id="cluster-2")
    world.runai.pods[WorkloadId("id-ours")] = ["train-0-0"]
    await world.monitor(poll_interval_seconds=10)
    async with world.running():
        await world.pass_by(minutes=1)
        world.kube.put(make_pod("train", None, ended(137, "OOMKilled")))
        await world.pass_by(minutes=1)
        (alert,) = await world.alerts()
        assert (alert.subject.id, alert.status) == ("id-ours", "OOMKilled")


# --- Run:ai's events ----------------------------------------------------------------------------------------------


async def test_a_crash_loop_that_run_ai_calls_running_is_found_in_its_events(bare: World) -> None:
    """A pod between two crashes counts as running; without Kubernetes only the events know."""
    for number in range(30):
        bare.runai.put(f"fine-{number:02}")
    bare.runai.put("train")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.tell("train", "BackOff", "Back-off restarting failed container main", object_name="train-0-0")
        await bare.pass_by(minutes=4)
        assert await bare.slack() == ["opened train CrashLoopBackOff"]
        for _ in range(10):
            await bare.pass_by(minutes=6)
            bare.runai.tell("train", "BackOff", "Back-off restarting failed container main", object_name="train-0-0")
        assert await bare.slack() == ["opened train CrashLoopBackOff"]
        await bare.pass_by(minutes=35)
        assert await bare.open() == {}


async def test_an_open_alert_is_followed_before_the_many_that_are_well(tmp_path: Path) -> None:
    """Else its events would be forgotten while a thousand others are asked about, and silence taken for recovery."""
    async with a_world(tmp_path, kube=False, tick_seconds=30) as there:
        for number in range(1_000):
            there.runai.put(f"fine-{number:03}")
        there.runai.put("train")
        await there.monitor()
        async with there.running():
            await there.pass_by(minutes=1)
            for phase in ("Degraded", *["Running"] * 9):
                there.runai.put("train", phase)
                await there.pass_by(minutes=1)
                there.runai.tell("train", "BackOff", "Back-off restarting failed container", object_name="train-0-0")
                await there.pass_by(minutes=4)
            assert await there.slack() == ["opened train Degraded"]
            assert await there.open() == {"train": "CrashLoopBackOff"}


async def test_a_first_look_does_not_ask_about_what_kubernetes_is_about_to_show(world: World) -> None:
    """Two hundred needless questions at every start."""
    assert world.kube is not None
    for number in range(50):
        world.runai.put(f"fine-{number:02}")
        world.kube.put(make_pod(f"fine-{number:02}"))
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=5)
        assert world.runai.count("events") == 0


async def test_every_suspect_has_its_turn(bare: World) -> None:
    """Twenty questions a poll, and a hundred jobs that wait: the last one's image is as bad as the first one's."""
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        for number in range(100):
            bare.runai.put(f"job-{number:03}", "Creating")
            bare.runai.tell(
                f"job-{number:03}", "Failed", "Failed to pull image: not found", object_name=f"pod-{number}"
            )
        await bare.pass_by(minutes=9)
        assert len(await bare.slack()) == 100
        assert set((await bare.open()).values()) == {"ImagePullBackOff"}


async def test_questions_are_bounded(bare: World) -> None:
    """A large tenant without Kubernetes must not be asked for everything all the time."""
    for number in range(500):
        bare.runai.put(f"fine-{number:03}")
    await bare.monitor(poll_interval_seconds=5)
    async with bare.running():
        await bare.pass_by(minutes=5)
        assert bare.runai.count("events") <= 200 + 6 * 20
        bare.runai.asked.clear()
        await bare.pass_by(minutes=10)
        assert bare.runai.count("events") <= 12 * 20
        assert bare.runai.count("get") == 0


# --- the store ----------------------------------------------------------------------------------------------------


async def test_a_store_that_fails_for_a_while_costs_nothing(bare: World) -> None:
    """Nothing is pretended to be stored, nothing is sent meanwhile, nothing is lost, and nothing is diagnosed twice."""
    real = bare.busy.watching(AlertStore(bare.database))

    class Flaky:
        full = False
        refused = 0

        def __getattr__(self, name: str) -> object:
            if self.full and name == "apply":
                return self.refuse
            return getattr(real, name)

        async def refuse(self, *_: object, **__: object) -> object:
            self.refused += 1
            raise StoreError("the disk is full: free some space")

    alerts = Flaky()
    bare.broken["alerts"] = alerts
    bare.runai.put("train")
    await bare.monitor()
    async with bare.running() as engine:
        await bare.pass_by(minutes=1)
        alerts.full = True
        bare.runai.put("train", "Failed")
        await bare.pass_by(minutes=10)
        assert alerts.refused > 3
        assert bare.pushed == []
        alerts.full = False
        await bare.pass_by(seconds=15)
        assert await bare.slack() == ["opened train Failed"]
        assert bare.diagnoser.diagnosed == ["train"]
        assert all(age < 70 for age in engine.statistics().heartbeat_ages_seconds.values())


async def test_a_baseline_that_cannot_be_kept_is_kept_soon_after_it_can(bare: World) -> None:
    """A full disk is no defect of a loop: no growing patience, and nothing is judged before it is known what is old."""
    real = bare.busy.watching(BaselineStore(bare.database))

    class Flaky:
        full = True

        def __getattr__(self, name: str) -> object:
            if self.full and name == "cover":
                raise StoreError("the disk is full: free some space")
            return getattr(real, name)

    baseline = Flaky()
    bare.broken["baseline"] = baseline
    bare.runai.put("old", "Failed")
    await bare.monitor()
    async with bare.running() as engine:
        await bare.pass_by(minutes=10)
        assert not engine.statistics().baseline_complete
        baseline.full = False
        await bare.pass_by(seconds=15)
        assert engine.statistics().baseline_complete
        assert engine.statistics().crashes == {}
        assert await bare.slack() == ["opened existing_failures ExistingFailures"]


async def test_a_diagnosis_that_breaks_costs_no_alert(bare: World) -> None:
    """A defect in a rule is ours; the failure is still theirs to know."""
    bare.diagnoser.breaks = True
    bare.runai.put("train")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.put("train", "Failed")
        await bare.pass_by(minutes=2)
        assert await bare.slack() == ["opened train Failed"]
        assert (await bare.alerts())[0].diagnosis is None


async def test_a_loop_that_crashes_starts_again_and_is_counted(bare: World) -> None:
    """A defect must neither stop the watching for ever nor stay unseen."""
    bare.runai.put("train")
    await bare.monitor()
    scan, broken = bare.runai.scan_workloads, True

    async def breaks(**asked: Any) -> Any:
        if broken:
            raise ZeroDivisionError
        return await scan(**asked)

    bare.runai.scan_workloads = breaks  # type: ignore[method-assign]
    async with bare.running() as engine:
        await bare.pass_by(minutes=5)
        assert engine.statistics().crashes["poll mon-1"] > 3
        assert await bare.slack() == [BLIND]
        broken = False
        await bare.pass_by(minutes=2)
        assert await bare.slack() == [BLIND, SIGHTED]


# --- many at once -------------------------------------------------------------------------------------------------


async def test_a_storm_is_told_completely_and_a_few_at_a_time(world: World) -> None:
    """A whole cluster fails at once: bounded work, no loop starves, and each is told once."""
    assert world.kube is not None
    for number in range(STORM):
        world.runai.put(f"job-{number:04}")
    await world.monitor()
    async with world.running() as engine:
        await world.pass_by(minutes=1)
        for number in range(STORM):
            world.runai.put(f"job-{number:04}", "Failed")
        world.diagnoser.waits = anyio.Event()
        await world.pass_by(minutes=2)
        assert world.diagnoser.at_once == 8
        assert max(engine.statistics().heartbeat_ages_seconds.values()) <= 60
        world.diagnoser.waits.set()
        await world.pass_by(minutes=2)
        told = await world.slack()
        assert len(told) == len(set(told)) == STORM
        assert world.diagnoser.most_at_once == 8
        for number in range(STORM):
            world.runai.put(f"job-{number:04}", "Completed")
        await world.pass_by(minutes=2)
        assert await world.open() == {}
        assert len(await world.slack()) == 2 * STORM
    assert len(world.diagnoser.diagnosed) == STORM


async def test_what_recovers_before_its_turn_in_a_storm_is_told_all_the_same(world: World) -> None:
    """An OOM that was seen happened, however long the queue was."""
    assert world.kube is not None
    for number in range(12):
        world.runai.put(f"job-{number:02}")
    await world.monitor()
    async with world.running():
        await world.pass_by(minutes=1)
        now = world.clock.now()
        for number in range(12):
            pod = make_pod(f"job-{number:02}", None, running(now, after=end(137, "OOMKilled", at=now)))
            world.kube.put(pod)
        world.diagnoser.waits = anyio.Event()
        await world.pass_by(minutes=10)
        world.diagnoser.waits.set()
        await world.pass_by(minutes=5)
        told = await world.slack()
        assert sorted(told[:12]) == [f"opened job-{number:02} OOMKilled" for number in range(12)]
        assert await world.open() == {}


async def test_events_that_are_refused_are_missed_aloud(bare: World, caplog: pytest.LogCaptureFixture) -> None:
    """Without Kubernetes and without events nothing is detected but phases: a role that lacks them must not go unnoticed."""
    bare.runai.put("train", "Creating")
    bare.runai.put("eval", "Creating")
    await bare.monitor()

    async def refused(*_: object, **__: object) -> list[WorkloadEvent]:
        raise RunaiAuthError("403: no permission to read events")

    bare.runai.list_events = refused  # type: ignore[method-assign]
    async with bare.running():
        await bare.pass_by(minutes=9)
    warned = [r for r in caplog.records if "cannot be read, so that a failure may be seen later" in r.message]
    assert [record.levelname for record in warned if record.levelno >= logging.WARNING] == ["WARNING"], (
        "once in ten minutes"
    )
    assert "no permission to read events" in warned[0].message


def refusing_events(world: World, error: RunaiError) -> Callable[[], None]:
    """Makes every read of events fail with `error`, until the answer is called."""
    told, refused = world.runai.list_events, True

    async def flaky(workload_id: WorkloadId, *, limit: int = 200) -> list[WorkloadEvent]:
        events = await told(workload_id, limit=limit)
        if refused:
            raise error
        return events

    def end() -> None:
        nonlocal refused
        refused = False

    world.runai.list_events = flaky  # type: ignore[method-assign]
    return end


async def test_why_a_workload_failed_is_read_after_an_outage_of_the_events(bare: World) -> None:
    """An hour without that one endpoint must not leave every failure of that hour a plain "Failed" for ever."""
    bare.runai.put("train")
    await bare.monitor()
    end_of_outage = refusing_events(bare, RunaiUnavailableError("503", status=503))
    async with bare.running():
        await bare.pass_by(minutes=1)
        bare.runai.tell("train", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
        bare.runai.put("train", "Failed")
        await bare.pass_by(hours=1)
        assert await bare.open() == {"train": "Failed"}
        asked = bare.runai.count("events")
        end_of_outage()
        await bare.pass_by(minutes=32)
        assert await bare.open() == {"train": "BackoffLimitExceeded"}
        assert 5 <= asked <= 9, "less and less often"
        await bare.pass_by(hours=1)
        assert bare.runai.count("events") == asked + LOOKS_AT_FAILED, "and no longer than others"


@pytest.mark.parametrize(
    ("error", "most"),
    [
        (RunaiUnavailableError("503", status=503), LOST_AT_FAILED),
        (RunaiPayloadError("a login page", endpoint="/api", status=200), LOST_AT_FAILED),
        (RunaiAuthError("no permission", status=403), LOOKS_AT_FAILED),
        (RunaiNotFoundError("no such workload", status=404), LOOKS_AT_FAILED),
        (RunaiRejectedError("a bad id", status=400), LOOKS_AT_FAILED),
    ],
)
async def test_a_failed_workload_whose_events_never_come_is_left_alone(
    tmp_path: Path, error: RunaiError, most: int
) -> None:
    """Thousands of old ones must not be asked for ever, and an answer is an answer."""
    async with a_world(tmp_path, kube=False, tick_seconds=300) as there:
        there.runai.put("train")
        await there.monitor(poll_interval_seconds=1800)
        async with there.running():
            await there.pass_by(minutes=5)
            before = there.runai.count("events")
            refusing_events(there, error)
            there.runai.put("train", "Failed")
            await there.pass_by(hours=12)
            assert there.runai.count("events") - before == most

"""What is read for a diagnosis, what is not, and what becomes of it when time runs out."""

from __future__ import annotations

import anyio
import pytest

from runai_monitor.errors import KubeUnavailableError, RunaiNotFoundError, RunaiUnavailableError
from tests.diagnosis.scene import (
    NAME,
    NAMESPACE,
    NOW,
    Scene,
    container,
    ended,
    event,
    exited,
    forbidden,
    pod,
    runai_event,
    runai_pod,
    running,
    traceback,
    waiting,
)
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio
FAILS = traceback("ValueError: bad shard")


async def test_sources_that_refuse_are_named_with_their_reasons() -> None:
    """An answer that hides what it could not see is believed too much."""
    scene = exited(137, reason="OOMKilled", memory="8Gi")
    scene.broken = {
        "detail": RunaiNotFoundError("the workload is gone", status=404),
        "runai_events": RunaiUnavailableError("Run:ai answers 503", status=503),
        "events": forbidden("events"),
        "log": forbidden("pods/log"),
    }
    found = await scene.diagnose()
    assert [entry.partition(",")[0] for entry in found.unread] == [
        f"Kubernetes events of pod {NAME}-0-0: forbidden",
        "Kubernetes events of the workload: forbidden",
        "Run:ai's events: unreachable",
        f"log of container main of pod {NAME}-0-0: forbidden",
        "the workload's details: not found",
    ]
    assert found.causes[0].cause == "container_oom"
    assert "Not read" in found.markdown


async def test_without_kubernetes_run_ai_alone_still_tells_and_says_what_is_missing() -> None:
    """Half of the tenants give no Kubernetes access on the first day."""
    scene = Scene(kube=False, runai_events=[runai_event("OOMKilled", "Container main was OOMKilled")])
    found = await scene.diagnose()
    assert found.causes[0].cause == "container_oom"
    assert found.unread == ("container states, logs and Kubernetes events: no Kubernetes access is configured",)


async def test_forbidden_pods_leave_a_diagnosis_that_says_what_to_allow() -> None:
    """The next step of a blind diagnosis is to let it see."""
    scene = Scene(broken={"pods": forbidden("pods"), "pod": forbidden("pods")}, runai_pods=[runai_pod()])
    found = await scene.diagnose()
    assert found.verdict == "insufficient_evidence"
    assert any("forbidden" in step for step in found.causes[0].next_steps)
    assert sum("forbidden" in entry for entry in found.unread) == 2


async def test_what_was_read_before_the_deadline_stays() -> None:
    """A storage that hangs must not cost the container's state, which alone names the cause."""
    scene = exited(137, reason="OOMKilled", memory="8Gi")
    scene.silent = frozenset({"log", "history"})
    clock = FakeClock(NOW)
    found = []

    async def diagnose() -> None:
        found.append(await scene.diagnose(clock, timeout_seconds=15))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(diagnose)
            await clock.advance(14)
            assert not found
            await clock.advance(2)
    assert found[0].causes[0].cause == "container_oom"
    assert set(found[0].unread) == {
        "Run:ai's history: timeout, no answer within 15 s",
        f"log of container main of pod {NAME}-0-0: timeout, no answer within 15 s",
    }


async def test_sources_are_asked_at_the_same_time() -> None:
    """Fifteen seconds are enough for everything at once, and not for one after the other."""
    scene = exited(1, FAILS)
    scene.silent = frozenset({"detail", "history", "runai_events", "runai_pods", "pods"})
    clock = FakeClock(NOW)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(scene.diagnose, clock)
            await anyio.wait_all_tasks_blocked()
            assert sorted({what for what, _ in scene.asked}) == [
                "detail",
                "history",
                "pods",
                "runai_events",
                "runai_pods",
            ]
            await clock.advance(16)


async def test_a_defect_in_reading_one_source_costs_only_that_source() -> None:
    """A server may send what nobody foresaw."""
    scene = exited(137, reason="OOMKilled")
    scene.broken = {"history": ValueError("secret-looking internals")}  # type: ignore[dict-item]  # a defect is no error of ours
    found = await scene.diagnose()
    assert found.causes[0].cause == "container_oom"
    assert "Run:ai's history: failed, ValueError" in found.unread


async def test_pods_are_sought_in_the_workloads_own_namespace_only() -> None:
    """A guessed namespace shows another team's pods."""
    scene = Scene(pods=[pod(container(ended(137, "OOMKilled")), namespace="runai-other")])
    found = await scene.diagnose()
    assert {detail for what, detail in scene.asked if what == "pods"} == {(NAMESPACE, NAME)}
    assert found.verdict == "insufficient_evidence"


async def test_without_a_namespace_no_pod_is_sought() -> None:
    """Run:ai may not tell it; then it is named as missing, not guessed."""
    scene = Scene(row={"namespace": None})
    found = await scene.diagnose()
    assert not [what for what, _ in scene.asked if what in {"pods", "pod"}]
    assert "pods in Kubernetes: Run:ai names no namespace for this workload" in found.unread


async def test_pods_of_an_older_incarnation_are_not_taken() -> None:
    """A workload that was submitted again under its name must not be blamed for its predecessor."""
    scene = Scene(created=60, pods=[pod(container(ended(137, "OOMKilled", at=300)), created=400)])
    assert (await scene.diagnose()).verdict == "insufficient_evidence"
    scene = Scene(created=60, pods=[pod(container(ended(137, "OOMKilled")), created=59)])
    assert (await scene.diagnose()).causes[0].cause == "container_oom"


async def test_pods_that_run_ai_names_are_read_though_they_lack_the_label() -> None:
    """Operators do not always hand their labels down."""
    unlabelled = pod(container(ended(137, "OOMKilled")))
    unlabelled["metadata"]["labels"] = {}
    found = await Scene(pods=[unlabelled], runai_pods=[runai_pod()]).diagnose()
    assert found.causes[0].cause == "container_oom"


async def test_logs_of_what_failed_first_are_read_and_of_the_run_that_failed() -> None:
    """With 64 ranks there is no time for all; a restarted container's present log says nothing of its end."""
    pods = [pod(container(ended(1, at=10 + n)), index=n) for n in range(30)]
    pods.append(pod(container(waiting("CrashLoopBackOff"), last=ended(1, at=90), restarts=2), index=30))
    scene = Scene(pods=pods)
    found = await scene.diagnose()
    logs = [detail for what, detail in scene.asked if what == "log"]
    assert (f"{NAME}-30-0", "main", True) in logs
    assert (f"{NAME}-29-0", "main", False) in logs
    assert (f"{NAME}-0-0", "main", False) not in logs
    assert any("7 more logs" in entry for entry in found.unread)


async def test_a_waiting_container_without_a_previous_log_gives_its_last_one() -> None:
    """The kubelet hands out the last run's log of a container in back-off under either name."""
    scene = Scene(phase="Running", pods=[pod(container(waiting("CrashLoopBackOff"), last=ended(1), restarts=1))])
    scene.logs[0, "main", False] = FAILS
    assert (await scene.diagnose()).causes[0].cause == "python_exception"


async def test_logs_are_left_alone_when_they_are_not_wanted() -> None:
    """`include_logs=false` is for people who must not see them."""
    scene = exited(1, FAILS)
    await scene.diagnose(include_logs=False)
    assert not [what for what, _ in scene.asked if what == "log"]


async def test_a_cluster_that_is_down_leaves_what_run_ai_knows() -> None:
    """The node that took the job down may have taken the API server along."""
    scene = Scene(
        broken={"pods": KubeUnavailableError("the API server does not answer")},
        runai_events=[runai_event("Evicted", "The node was low on resource: memory.")],
        runai_pods=[runai_pod(deleted=3)],
    )
    found = await scene.diagnose()
    assert found.causes[0].cause == "node_memory_eviction"
    assert any(entry.startswith("pods in Kubernetes: unreachable") for entry in found.unread)


async def test_progress_is_reported_in_order() -> None:
    """A person who waits sees that something happens."""
    told: list[float] = []

    async def hear(share: float, _: str) -> None:
        told.append(share)

    from runai_monitor.diagnosis.diagnose import Diagnoser
    from tests.diagnosis.scene import FakeKube, FakeRunai

    scene = Scene(phase="Running", pods=[pod(container(running()), phase="Running")], events=[event("Started", "x")])
    diagnoser = Diagnoser(runai=FakeRunai(scene), kube=FakeKube(scene), clock=FakeClock(NOW))
    await diagnoser.diagnose(scene.workload(), on_progress=hear)
    assert told == sorted(told)
    assert told[-1] == 1.0

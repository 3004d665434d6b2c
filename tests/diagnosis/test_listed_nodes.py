"""Nodes as Run:ai lists them: what is left to see of them where Kubernetes does not show them."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from runai_monitor.errors import RunaiAuthError, RunaiUnavailableError
from runai_monitor.model.diagnosis import Diagnosis
from tests.diagnosis.scene import (
    NODE,
    NOW,
    Json,
    Scene,
    container,
    ended,
    exited,
    forbidden,
    node,
    pod,
    runai_node,
    runai_pod,
    running,
    traceback,
)
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio
GPU = {
    "type": "GpuFallenOffBus",
    "reason": "XidCriticalError",
    "message": "XID 79: GPU has fallen off the bus (PCI:0000:3b:00)",
}
KUBELET = {"type": "Ready", "reason": "KubeletNotReady", "message": "PLEG is not healthy"}


def blind(*rows: Json, **fields: Any) -> Scene:
    """A killed pod whose node Kubernetes does not let us read."""
    scene = Scene(pods=[pod(container(ended(137)))], runai_nodes=list(rows), **fields)
    scene.broken["node"] = forbidden("nodes")
    return scene


async def test_a_node_that_kubernetes_hides_is_read_from_run_ai() -> None:
    """Most teams get a namespace and no nodes; whether theirs is broken they need to know all the same."""
    found = await blind(runai_node("NotReady", KUBELET)).diagnose()
    assert found.causes[0].cause == "node_not_ready"
    assert found.causes[0].confidence < 0.8, "the list lags behind, and has no times"
    cited = {item.id: item for item in found.evidence}
    (said,) = [cited[i] for i in found.causes[0].evidence_ids]
    assert said.source == f"condition Ready of node {NODE} in Run:ai's node list"
    assert said.excerpt == "Ready=False: KubeletNotReady PLEG is not healthy"
    assert "nodes: forbidden, not allowed to read nodes" in found.unread


async def test_a_gpu_that_fell_off_the_bus_is_seen_in_run_ais_list() -> None:
    """The XID is what gets the node drained at three in the morning."""
    found = await blind(runai_node("Ready", GPU)).diagnose()
    assert found.causes[0].cause == "gpu_hardware_fault"
    assert "XID 79" in found.causes[0].title


async def test_conditions_without_a_status_prove_nothing_alone() -> None:
    """Run:ai's list names conditions, not whether they hold: `MemoryPressure` stands there on every healthy node."""
    healthy = {"type": "GpuHealth", "reason": "NoFault", "message": "all GPUs are healthy"}
    pressure = {"type": "DiskPressure", "reason": "KubeletHasNoDiskPressure", "message": "no disk pressure"}
    found = await blind(runai_node("Ready", healthy, pressure)).diagnose()
    assert not {"gpu_hardware_fault", "node_disk_pressure", "node_not_ready"} & {c.cause for c in found.causes}
    unknown = await blind(runai_node("Unknown")).diagnose()
    assert not {"node_lost", "node_not_ready"} & {c.cause for c in unknown.causes}


async def test_without_kubernetes_run_ai_shows_the_nodes_of_its_pods() -> None:
    """Half of the tenants give no Kubernetes access at all."""
    scene = Scene(kube=False, runai_pods=[runai_pod(phase="Running")], runai_nodes=[runai_node("NotReady", KUBELET)])
    found = await scene.diagnose()
    assert (found.causes[0].cause, found.causes[0].confidence) == ("node_not_ready", 0.65)
    scene.runai_nodes = [runai_node("Ready", GPU)]
    assert (await scene.diagnose()).causes[0].cause == "gpu_hardware_fault"
    done = Scene(kube=False, runai_pods=[runai_pod() | {"completedAt": "2026-03-01T02:00:00Z"}])
    done.runai_nodes = [runai_node("NotReady", KUBELET)]
    assert (await done.diagnose()).verdict == "insufficient_evidence", "what had ended did not end of it"


async def test_what_kubernetes_shows_is_not_asked_for_twice() -> None:
    """Run:ai's API is shared by everybody, and knows less."""
    scene = exited(137, runai_nodes=[runai_node("NotReady", KUBELET)], nodes=[node()])
    found = await scene.diagnose()
    assert not [what for what, _ in scene.asked if what == "runai_nodes"]
    assert "node_not_ready" not in {cause.cause for cause in found.causes}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RunaiAuthError("not allowed", status=403), "Run:ai's node list: forbidden, not allowed"),
        (RunaiUnavailableError("Run:ai answers 503", status=503), f"node {NODE} in Run:ai's list: Run:ai answers 503"),
    ],
)
async def test_a_list_that_is_refused_is_named_with_its_reason(error: Any, said: str) -> None:
    """Who may read neither should know that nodes were not looked at."""
    scene = blind()
    scene.broken["runai_nodes"] = error
    found = await scene.diagnose()
    assert said in found.unread
    assert "nodes: forbidden, not allowed to read nodes" in found.unread


async def test_a_kubernetes_that_hangs_leaves_time_for_run_ais_list() -> None:
    """The API server may go down with the node: the deadline is enough to ask the other one."""
    scene = Scene(pods=[pod(container(running()), phase="Running")], runai_nodes=[runai_node("NotReady", KUBELET)])
    scene.silent = frozenset({"node"})
    clock, found = FakeClock(NOW), list[Diagnosis]()

    async def diagnose() -> None:
        found.append(await scene.diagnose(clock, timeout_seconds=15))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(diagnose)
            await clock.advance(16)
    assert "nodes: timeout, no answer within 15 s" in found[0].unread
    assert found[0].causes[0].cause == "node_not_ready"
    assert not [entry for entry in found[0].unread if entry.startswith("Run:ai's node list")]


async def test_the_programs_own_failure_stays_first() -> None:
    """A node that is not ready now need not have been when the traceback was written."""
    scene = blind(runai_node("NotReady", KUBELET))
    scene.pods = [pod(container(ended(1)))]
    scene.logs[0, "main", False] = traceback("ValueError: bad shard")
    causes = [cause.cause for cause in (await scene.diagnose()).causes]
    assert causes == ["python_exception", "node_not_ready"]


async def test_nodes_of_pods_that_kubernetes_lacks_are_told_by_kubernetes_where_it_may() -> None:
    """A pod that is gone took its node's state along only if nobody may look."""
    scene = Scene(pods=[], runai_pods=[runai_pod(deleted=3)], nodes=[node()])
    await scene.diagnose()
    assert [detail for what, detail in scene.asked if what in {"node", "runai_nodes"}] == [NODE]

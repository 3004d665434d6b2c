"""What stands around the pods of a workload: what is read of it, and what is said when it may not be read."""

from __future__ import annotations

import pytest

from runai_monitor.diagnosis.surroundings import MOST_CLAIMS, MOST_GPU_NODES, MOST_NODES
from tests.diagnosis.scene import (
    NODE,
    Scene,
    claim,
    condition,
    container,
    ended,
    event,
    exited,
    forbidden,
    node,
    pod,
    running,
    unplaced,
    waiting,
)

pytestmark = pytest.mark.anyio


def _asked(scene: Scene, what: str) -> list[object]:
    return [detail for asked, detail in scene.asked if asked == what]


async def test_a_permission_that_is_lacking_is_named_once_and_costs_nothing_else() -> None:
    """Most are granted namespaces only: the verdict must stand, and say what it did without."""
    pods = [pod(container(ended(137, "OOMKilled"), memory="8Gi"), index=n, node=f"gpu-{n}") for n in range(6)]
    scene = Scene(pods=pods, broken={"node": forbidden("nodes"), "node_events": forbidden("events")})
    found = await scene.diagnose()
    assert found.causes[0].cause == "container_oom"
    assert [entry.partition(",")[0] for entry in found.unread if "log of" not in entry] == [
        "Kubernetes events of nodes: forbidden",
        "nodes: forbidden",
    ]


async def test_only_a_few_nodes_are_read_those_of_pods_that_suffer_first() -> None:
    """A job of hundreds of ranks must not ask for hundreds of nodes."""
    pods = [pod(container(running()), index=n, node=f"fine-{n}", phase="Running") for n in range(20)]
    pods.append(pod(container(ended(1)), index=20, node="sick"))
    scene = Scene(phase="Degraded", pods=pods)
    await scene.diagnose()
    nodes = _asked(scene, "node")
    assert len(nodes) == MOST_NODES
    assert "sick" in nodes


async def test_who_else_is_on_a_node_is_asked_only_when_the_node_is_not_well() -> None:
    """It takes the right to list all pods, and a healthy node explains nothing."""
    well, sick = (
        exited(1, "", nodes=[node()]),
        exited(1, "", nodes=[node(condition("Ready", "Unknown", "NodeStatusUnknown", "lost"))]),
    )
    await well.diagnose()
    await sick.diagnose()
    assert (_asked(well, "pods_on"), _asked(sick, "pods_on")) == ([], [NODE])


async def test_claims_are_read_only_of_pods_that_have_not_started() -> None:
    """A pod that ran had its volumes."""
    ran = Scene(pods=[pod(container(ended(1)), claims=("datasets",))])
    waits = Scene(
        phase="Pending",
        since=30,
        pods=[pod(container({}), phase="Pending", node=None, claims=tuple(f"c-{n}" for n in range(20)))],
    )
    await ran.diagnose()
    await waits.diagnose()
    assert _asked(ran, "claim") == []
    assert len(_asked(waits, "claim")) == MOST_CLAIMS


async def test_events_of_a_bound_claim_are_not_read() -> None:
    """They tell of its birth."""
    scene = Scene(
        phase="Initializing",
        pods=[pod(container(waiting("ContainerCreating")), phase="Pending", claims=("datasets",))],
        claims=[claim(phase="Bound")],
    )
    await scene.diagnose()
    assert _asked(scene, "claim") == ["datasets"]
    assert _asked(scene, "claim_events") == []


async def test_free_gpus_are_counted_only_where_that_takes_few_requests() -> None:
    """A diagnosis has a deadline, and a large cluster has thousands of nodes."""

    def scene(count: int) -> Scene:
        found = unplaced(
            "0/9 nodes are available: 9 Insufficient nvidia.com/gpu.",
            nodes=[node(name=f"gpu-{n}") for n in range(count)],
        )
        found.pods[0]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = "8"
        return found

    few, many, single = scene(3), scene(MOST_GPU_NODES + 1), scene(3)
    single.pods[0]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] = "1"
    for each in (few, many, single):
        await each.diagnose()
    assert [len(_asked(each, "pods_on")) for each in (few, many, single)] == [3, 0, 0]


async def test_texts_of_nodes_and_claims_are_made_safe_before_they_are_cited() -> None:
    """A node's condition is written by an agent that prints what it found."""
    secret = "hf_" + "aB3" * 12
    bad = condition("Ready", "False", "KubeletNotReady", f"token={secret} \x1b[31mPLEG is not healthy")
    scene = Scene(
        phase="Degraded",
        pods=[pod(container(running()), phase="Running")],
        nodes=[node(bad)],
        node_events=[event("NodeNotReady", secret, about=NODE, kind="Node")],
    )
    found = await scene.diagnose()
    assert found.causes[0].cause == "node_not_ready"
    assert secret not in repr(found)
    assert "\x1b" not in repr(found.evidence)

"""Nodes: what is wrong with them, whom it concerns, and that not being allowed to look costs nothing else."""

from __future__ import annotations

import dataclasses

import pytest

from runai_monitor.model.alert import AlertKind, AlertState, Change, Severity
from runai_monitor.model.cluster import Node, Taint
from runai_monitor.model.workload import Condition
from runai_monitor.monitor.nodes import trouble_of
from runai_monitor.store.alerts import AlertStore
from tests.factories import make_pod
from tests.fakes import EPOCH
from tests.monitor.world import FakeKube, World

pytestmark = pytest.mark.anyio


def make_node(name: str = "gpu-7", ready: str = "True", *more: Condition, taints: tuple[str, ...] = ()) -> Node:
    return Node(
        name=name,
        conditions=(Condition(type="Ready", status=ready, reason="", message="PLEG is not healthy", changed_at=EPOCH), *more),
        taints=tuple(Taint(key=key, effect="NoExecute") for key in taints),
    )  # fmt: skip


def condition(kind: str, status: str = "True") -> Condition:
    return Condition(type=kind, status=status, reason="", message="GPU 3 fell off the bus", changed_at=EPOCH)


@pytest.mark.parametrize(
    ("node", "status"),
    [
        (make_node(), None),
        (make_node(ready="False"), "NotReady"),
        (make_node(ready="Unknown"), "Unreachable"),
        (make_node(taints=("node.kubernetes.io/unreachable",)), "Unreachable"),
        (make_node(taints=("node.kubernetes.io/unschedulable",)), None),
        (dataclasses.replace(make_node(), cordoned=True), None),
        (make_node("a", "True", condition("GpuXidError")), "GpuUnhealthy"),
        (make_node("a", "True", condition("AcceleratedHardwareReady", "False")), "GpuUnhealthy"),
        (make_node("a", "True", condition("AcceleratedHardwareReady")), None),
        (make_node("a", "True", condition("GpuThermalWatch")), None),
        (make_node("a", "True", condition("GpuDcgmConnectivityFailure")), None),
        (make_node("a", "True", condition("DiskPressure")), None),
    ],
)
def test_what_is_trouble_of_a_node(node: Node, status: str | None) -> None:
    """What keeps workloads from running, not what somebody wanted or what is only a warning."""
    found = trouble_of(node)
    assert (found.status if found else None) == status


def kube_of(world: World) -> FakeKube:
    assert world.kube is not None
    return world.kube


async def a_fleet(world: World, *names: str) -> None:
    """Workloads that run on node gpu-7."""
    kube_of(world).nodes["gpu-7"] = make_node()
    kube_of(world).nodes["gpu-8"] = make_node("gpu-8", "False")
    for name in names:
        world.runai.put(name)
        kube_of(world).put(make_pod(name, None, node="gpu-7"))
    await world.monitor()


async def test_a_node_of_watched_workloads_gets_an_alert_that_ends_by_itself(world: World) -> None:
    """One that runs nothing we watch is somebody else's; one that does is told with how many workloads are on it."""
    await a_fleet(world, "a", "b")
    async with world.running():
        await world.pass_by(seconds=60)
        assert await world.open() == {}
        kube_of(world).nodes["gpu-7"] = make_node(ready="False")
        await world.pass_by(seconds=40)
        (alert,) = await world.alerts()
        assert (alert.kind, alert.status, alert.severity) == (AlertKind.NODE_UNHEALTHY, "NotReady", Severity.CRITICAL)
        assert alert.subject.name == "gpu-7"
        assert "2 watched workloads are on it" in alert.summary
        assert "PLEG is not healthy" in alert.summary
        kube_of(world).nodes["gpu-7"] = make_node()
        await world.pass_by(seconds=150)
        (alert,) = await world.alerts()
        assert alert.state is AlertState.RESOLVED
    assert await world.slack() == ["opened gpu-7 NotReady", "resolved gpu-7 NotReady"]


async def test_the_node_is_looked_at_before_the_alert_of_its_workload_is_stored(world: World) -> None:
    """In that order the node's alert can stand for the workload's."""
    await a_fleet(world, "a", "b")
    async with world.running():
        await world.pass_by(seconds=62)
        kube_of(world).nodes["gpu-7"] = make_node(ready="Unknown")
        world.runai.put("a", "Failed")
        await world.pass_by(seconds=65)
        told = await world.slack()
        assert told == ["opened gpu-7 Unreachable", "opened a Failed"]
        (alert,) = [alert for alert in await world.alerts() if alert.subject.name == "a"]
        assert alert.subject.nodes == ("gpu-7",)


async def test_nodes_that_may_not_be_read_are_a_limitation_and_no_error(world: World) -> None:
    """Most kubeconfigs of researchers may not list nodes."""
    await a_fleet(world, "a")
    kube_of(world).nodes_forbidden = True
    async with world.running() as engine:
        await world.pass_by(seconds=120)
        assert "nodes may not be listed" in str(engine.statistics().kube_error)
        assert engine.statistics().kube_live
        world.runai.put("a", "Failed")
        await world.pass_by(seconds=65)
        assert await world.open() == {"a": "Failed"}
        assert not engine.statistics().crashes


async def test_a_node_that_is_gone_ends_its_alert(world: World) -> None:
    """An autoscaler took it away: nobody can mend it any more."""
    await a_fleet(world, "a")
    async with world.running():
        await world.pass_by(seconds=62)
        kube_of(world).nodes["gpu-7"] = make_node(ready="Unknown")
        await world.pass_by(seconds=40)
        del kube_of(world).nodes["gpu-7"]
        await world.pass_by(seconds=40)
        (alert,) = await world.alerts()
        told = await AlertStore(world.database).transitions(alert.alert_id)
        assert (told[-1][1], told[-1][2]) == (Change.RESOLVED, "the node is gone from the cluster")

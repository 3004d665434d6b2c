from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from runai_monitor.errors import KubeForbiddenError, KubeNotFoundError, KubeUnavailableError
from runai_monitor.kube.access import probe
from runai_monitor.kube.client import KubeClient
from runai_monitor.kube.lazy import LazyKube
from runai_monitor.model.cluster import LimitLine, QuotaLine, Taint
from tests.fakes import FakeClock
from tests.kube.fake_kube import (
    VISION_PODS,
    Answer,
    FakeKube,
    Json,
    connected,
    fail,
    listing,
    pod_json,
    say,
    stream,
)

pytestmark = pytest.mark.anyio

VISION = "/api/v1/namespaces/runai-vision"
NODE = "/api/v1/nodes/dgx-1"
NODES = "/api/v1/nodes"
CLAIM = f"{VISION}/persistentvolumeclaims/datasets"
QUOTAS = f"{VISION}/resourcequotas"
LIMITS = f"{VISION}/limitranges"
EVENTS_OF_ALL = "/api/v1/events"
EVENTS_OF_NODES = "/api/v1/namespaces/default/events"
AT = "2026-03-01T03:04:05Z"


@asynccontextmanager
async def asking(tmp_path: Path, **answers: Answer) -> AsyncIterator[tuple[KubeClient, FakeKube]]:
    """A client of a fake; answers are given for the paths above, by their names in small letters."""
    fake = FakeKube(answers={globals()[name.upper()]: [answer] for name, answer in answers.items()})
    with anyio.fail_after(10):
        async with connected(fake, tmp_path, FakeClock()) as client:
            yield client, fake


def node_json(**status: Any) -> Json:
    return {
        "metadata": {"name": "dgx-1", "labels": {"zone": "b", "nvidia.com/gpu.product": "H100"}},
        "spec": {
            "unschedulable": True,
            "taints": [
                {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": AT},
                {"key": "team", "value": "vision", "effect": "NoSchedule"},
            ],
        },
        "status": {
            "capacity": {"nvidia.com/gpu": "8", "cpu": "128"},
            "allocatable": {"nvidia.com/gpu": 7, "cpu": "127", "memory": "2000Gi"},
            "conditions": [
                {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "lastTransitionTime": AT}
            ],
            **status,
        },
    }


async def test_a_node_tells_its_health_and_how_many_of_its_gpus_are_left(tmp_path: Path) -> None:
    """Eight GPUs of which seven can be used: the device plugin has given one up."""
    async with asking(tmp_path, node=say(node_json())) as (client, fake):
        node = await client.get_node("dgx-1")
        assert (node.gpus, node.allocatable_gpus, node.allocatable_cpu) == (8.0, 7.0, "127")
        assert (node.allocatable_memory, node.cordoned) == ("2000Gi", True)
        at = datetime(2026, 3, 1, 3, 4, 5, tzinfo=UTC)
        assert [(c.type, c.status, c.reason, c.changed_at) for c in node.conditions] == [
            ("Ready", "Unknown", "NodeStatusUnknown", at)
        ]
        assert node.taints == (
            Taint(key="node.kubernetes.io/unreachable", effect="NoExecute", since=at),
            Taint(key="team", value="vision", effect="NoSchedule"),
        )
        assert node.labels == (("nvidia.com/gpu.product", "H100"), ("zone", "b"))
        assert [request.method for request in fake.requests] == ["GET"]


@pytest.mark.parametrize("body", [{}, {"metadata": {}}, {"metadata": None, "status": None}])
async def test_an_answer_without_a_name_is_no_node(tmp_path: Path, body: Json) -> None:
    """A proxy's JSON must not become a healthy node."""
    async with asking(tmp_path, node=say(body)) as (client, _):
        with pytest.raises(KubeUnavailableError, match="is no node"):
            await client.get_node("dgx-1")


async def test_a_refused_node_names_the_rule_to_add(tmp_path: Path) -> None:
    """The most common state: the role was granted in namespaces only."""
    async with asking(tmp_path, node=fail(403, 'User "sa" cannot get resource "nodes"')) as (client, _):
        with pytest.raises(KubeForbiddenError) as caught:
            await client.get_node("dgx-1")
        assert str(caught.value) == (
            'Kubernetes does not allow us to get nodes; grant its role apiGroups: [""], resources: ["nodes"], '
            'verbs: ["get"]'
        ).replace("allow us", "allow sa")


async def test_events_of_a_node_are_asked_for_by_kind_and_name(tmp_path: Path) -> None:
    """A pod may have the name of a node."""
    events = [{"lastTimestamp": f"2026-03-01T03:0{n}:00Z", "message": str(n)} for n in (2, 1)]
    async with asking(tmp_path, events_of_all=say(listing(*events))) as (client, fake):
        assert [event.message for event in await client.list_node_events("dgx-1")] == ["1", "2"]
        assert fake.requests[0].query["fieldSelector"] == "involvedObject.kind=Node,involvedObject.name=dgx-1"


async def test_events_of_a_node_are_found_where_only_the_default_namespace_may_be_read(tmp_path: Path) -> None:
    """Kubernetes keeps them there; few are allowed to list the events of all namespaces."""
    events = say(listing({"message": "GPU fell off the bus"}))
    async with asking(tmp_path, events_of_all=fail(403), events_of_nodes=events) as (client, fake):
        assert [event.message for event in await client.list_node_events("dgx-1")] == ["GPU fell off the bus"]
        assert [request.path for request in fake.requests] == [EVENTS_OF_ALL, EVENTS_OF_NODES]


async def test_a_claim_tells_why_a_pod_waits_for_it(tmp_path: Path) -> None:
    """Pending with a storage class that does not exist is the commonest volume failure."""
    claim = {
        "metadata": {"name": "datasets", "namespace": "runai-vision"},
        "spec": {
            "storageClassName": "fast",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "2Ti"}},
        },
        "status": {"phase": "Pending", "conditions": [{"type": "Resizing", "status": "True"}]},
    }
    async with asking(tmp_path, claim=say(claim)) as (client, _):
        found = await client.get_claim("runai-vision", "datasets")
        assert (found.phase, found.storage_class, found.size) == ("Pending", "fast", "2Ti")
        assert (found.access_modes, found.volume) == (("ReadWriteOnce",), None)
        assert [condition.type for condition in found.conditions] == ["Resizing"]


async def test_a_claim_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    """It is the cause itself, not a failure to read."""
    async with asking(tmp_path) as (client, _):
        with pytest.raises(KubeNotFoundError):
            await client.get_claim("runai-vision", "datasets")


async def test_quotas_show_what_is_used_of_what_there_is(tmp_path: Path) -> None:
    """The numbers that advice needs; a resource nobody uses has no `used`."""
    quota = {
        "metadata": {"name": "q"},
        "status": {"hard": {"requests.nvidia.com/gpu": 8, "pods": "50"}, "used": {"pods": "50"}},
    }
    async with asking(tmp_path, quotas=say(listing(quota, {"status": 7}, {}))) as (client, _):
        found, empty = await client.list_quotas("runai-vision")
        assert found.lines == (
            QuotaLine(resource="pods", used="50", hard="50"),
            QuotaLine(resource="requests.nvidia.com/gpu", used="0", hard="8"),
        )
        assert empty.lines == ()


async def test_limit_ranges_show_what_one_object_may_ask_for(tmp_path: Path) -> None:
    """A pod refused by one is refused however empty the cluster is."""
    limits = [{"type": "Container", "max": {"memory": "64Gi"}, "min": {"cpu": "100m"}}]
    async with asking(tmp_path, limits=say(listing({"metadata": {"name": "l"}, "spec": {"limits": limits}}))) as (
        client,
        _,
    ):
        (found,) = await client.list_limit_ranges("runai-vision")
        assert found.lines == (
            LimitLine(kind="Container", resource="cpu", least="100m"),
            LimitLine(kind="Container", resource="memory", most="64Gi"),
        )


@pytest.mark.parametrize("name", ["../secrets", "a/status", "a,involvedObject.name=b", ""])
async def test_names_that_could_be_another_path_are_never_asked_for(tmp_path: Path, name: str) -> None:
    """Node and claim names come out of pods, which anyone in the project may write."""
    async with asking(tmp_path) as (client, fake):
        for attempt in (
            client.get_node(name),
            client.list_node_events(name),
            client.get_claim("ns", name),
            client.get_claim(name, "a"),
            client.list_quotas(name),
            client.list_limit_ranges(name),
            client.list_events("ns", object_kind=f"Pod,{name}="),
        ):
            with pytest.raises(KubeNotFoundError, match="cannot be"):
                await attempt
        assert fake.requests == []


async def test_a_client_that_connects_late_reads_the_same_things(tmp_path: Path) -> None:
    """The server holds this one; what it does not pass on is never read."""
    async with asking(
        tmp_path,
        node=say(node_json()),
        claim=say({"metadata": {"name": "datasets"}}),
        quotas=say(listing()),
        limits=say(listing()),
        events_of_all=say(listing()),
    ) as (client, fake):

        async def connect() -> KubeClient:
            return client

        lazy = LazyKube(connect=connect, clock=FakeClock())
        assert (await lazy.get_node("dgx-1")).name == "dgx-1"
        assert (await lazy.get_claim("runai-vision", "datasets")).name == "datasets"
        assert await lazy.list_quotas("runai-vision") == []
        assert await lazy.list_limit_ranges("runai-vision") == []
        assert await lazy.list_node_events("dgx-1") == []
        assert len(fake.requests) == 5


# --- access ----------------------------------------------------------------------------------------------------------


async def test_what_only_enriches_a_diagnosis_is_skipped_and_never_a_failure(tmp_path: Path) -> None:
    """`check` must not fail a set-up that monitors well; it says what diagnoses will lack."""
    pod = pod_json("a")
    pod["spec"] |= {"nodeName": "dgx-1", "volumes": [{"persistentVolumeClaim": {"claimName": "datasets"}}]}
    async with asking(tmp_path, node=fail(403), nodes=fail(403), claim=fail(403), quotas=fail(403)) as (client, fake):
        fake.answers |= {VISION_PODS: [say(listing(pod))], f"{VISION}/events": [say(listing())]}
        fake.watches = [stream()]
        checks = await probe(client, ["runai-vision"])
        assert [check.outcome for check in checks] == ["ok"] * 4 + ["skipped"] * 4
        for check in checks[-4:]:
            assert check.detail.startswith("not granted; ")
            assert "optional" in check.advice


async def test_an_object_that_does_not_exist_still_proves_that_it_may_be_read(tmp_path: Path) -> None:
    """Kubernetes asks RBAC first, and an empty cluster has no nodes in its pods."""
    async with asking(tmp_path, nodes=say(listing()), quotas=say(listing()), limits=say(listing())) as (client, fake):
        fake.answers |= {VISION_PODS: [say(listing())], f"{VISION}/events": [say(listing())]}
        fake.watches = [stream()]
        checks = await probe(client, ["runai-vision"])
        assert [(check.permission, check.outcome) for check in checks[-4:]] == [
            ("get nodes in all namespaces", "ok"),
            ("list nodes in all namespaces", "ok"),
            ("get persistentvolumeclaims in runai-vision", "ok"),
            ("list resourcequotas and limitranges in runai-vision", "ok"),
        ]

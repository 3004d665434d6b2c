from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from runai_monitor.kube.client import decode_pod
from runai_monitor.kube.convert import EventWire, event_of
from runai_monitor.model.cluster import ContainerPhase, KubeEvent, Pod

AT = "2026-03-01T03:04:05Z"


def pod_from(wire: dict[str, Any]) -> Pod:
    pod = decode_pod(json.dumps(wire).encode())
    assert pod is not None
    return pod


def event_from(wire: dict[str, Any]) -> KubeEvent:
    return event_of(msgspec.json.decode(json.dumps(wire).encode(), type=EventWire))


def test_a_pod_out_of_memory_is_understood_in_full() -> None:
    """The facts that a diagnosis of OOMKilled cites: how it ended, how often, and the limit."""
    pod = pod_from(
        {
            "metadata": {
                "name": "train-worker-1",
                "namespace": "runai-vision",
                "uid": "u1",
                "labels": {
                    "workloadName": "train",
                    "training.kubeflow.org/replica-index": "1",
                    "training.kubeflow.org/replica-type": "worker",
                },
                "ownerReferences": [
                    {"name": "other", "uid": "o0"},
                    {"name": "train", "uid": "o1", "controller": True},
                ],
                "deletionTimestamp": AT,
            },
            "spec": {
                "nodeName": "dgx-1",
                "imagePullSecrets": [{"name": "ngc"}],
                "containers": [
                    {
                        "name": "main",
                        "image": "pytorch",
                        "resources": {"limits": {"memory": "8Gi", "nvidia.com/gpu": "2"}},
                    }
                ],
            },
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    {
                        "name": "main",
                        "restartCount": 3,
                        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
                        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": AT}},
                    }
                ],
            },
        }
    )
    (main,) = pod.containers
    assert (pod.workload_name, pod.index, pod.owner, pod.owner_uid) == ("train", "worker-1", "train", "o1")
    assert (pod.deleting, pod.image_pull_secrets, pod.node) == (True, True, "dgx-1")
    assert (main.phase, main.reason, main.restarts) == (ContainerPhase.WAITING, "CrashLoopBackOff", 3)
    assert main.last_ended is not None
    assert (main.last_ended.exit_code, main.last_ended.reason) == (137, "OOMKilled")
    assert main.last_ended.finished_at == datetime(2026, 3, 1, 3, 4, 5, tzinfo=UTC)
    assert (main.memory_limit, main.gpus) == ("8Gi", 2.0)


@pytest.mark.parametrize("label", ["batch.kubernetes.io/job-completion-index", "apps.kubernetes.io/pod-index"])
def test_a_replica_index_is_read_wherever_its_controller_writes_it(label: str) -> None:
    """A newer pod of the same index supersedes a failed one; without the index it cannot be told."""
    assert pod_from({"metadata": {"labels": {label: "4"}}}).index == "4"


def test_init_and_debug_containers_are_told_apart() -> None:
    """A failing init container is the workload's failure; a person's debugging session is not."""
    names = ("initContainers", "containers", "ephemeralContainers")
    pod = pod_from({"spec": {name: [{"name": name}] for name in names}})
    assert [(c.name, c.init, c.ephemeral) for c in pod.containers] == [
        ("initContainers", True, False),
        ("containers", False, False),
        ("ephemeralContainers", False, True),
    ]


@pytest.mark.parametrize(
    "wire",
    [
        {},
        {"metadata": None, "spec": None, "status": None},
        {"spec": {"containers": None}, "status": {"containerStatuses": [{}], "conditions": [{}]}},
        {"status": {"phase": "Hibernating", "containerStatuses": [{"name": "m", "state": {"frozen": {}}}]}},
        {"metadata": {"creationTimestamp": "yesterday"}, "apiVersion": "v9", "new": [1, {"x": None}]},
        {"spec": {"containers": [{"name": "m", "resources": {"limits": {"nvidia.com/gpu": "many", "memory": 5}}}]}},
    ],
)
def test_whatever_is_missing_null_or_new_is_tolerated(wire: dict[str, Any]) -> None:
    """A null or a word of the next release must not lose a pod."""
    assert pod_from(wire).name == ""


def test_a_pod_of_ten_thousand_containers_is_no_trouble() -> None:
    """A hostile or generated pod must not stop the watch: 10,000 are decoded in the time of a blink."""
    names = [f"c{n}" for n in range(10_000)]
    wire = {
        "spec": {"containers": [{"name": name} for name in names]},
        "status": {"containerStatuses": [{"name": name, "state": {"running": {}}} for name in names]},
    }
    pod = pod_from(wire)
    assert len(pod.containers) == 10_000
    assert all(container.phase is ContainerPhase.RUNNING for container in pod.containers)


def test_a_container_without_status_is_of_unknown_phase() -> None:
    """A pod that was not scheduled has a specification only; that is not `waiting` for anything we know."""
    (container,) = pod_from({"spec": {"containers": [{"name": "main"}]}}).containers
    assert container.phase is ContainerPhase.UNKNOWN


@pytest.mark.parametrize(
    ("times", "minute"),
    [
        ({"lastTimestamp": "2026-03-01T03:05:00Z", "firstTimestamp": "2026-03-01T03:01:00Z"}, 5),
        ({"series": {"lastObservedTime": "2026-03-01T03:04:00.123456Z"}, "eventTime": "2026-03-01T03:02:00Z"}, 4),
        ({"lastTimestamp": None, "eventTime": "2026-03-01T05:02:00.000000+02:00"}, 2),
        ({"firstTimestamp": "2026-03-01T03:01:00Z"}, 1),
    ],
)
def test_the_last_time_an_event_was_seen_is_found(times: dict[str, Any], minute: int) -> None:
    """Old and new event writers fill different fields."""
    at = event_from(times).at
    assert at is not None
    assert (at.hour, at.minute) == (3, minute)


def test_an_event_names_its_object_its_count_and_its_source() -> None:
    """What a report cites."""
    event = event_from(
        {
            "involvedObject": {"kind": "Pod", "name": "a", "uid": "u"},
            "type": "Warning",
            "reason": "FailedMount",
            "message": "secret not found",
            "series": {"count": 7},
            "reportingComponent": "kubelet",
        }
    )
    assert (event.object_kind, event.object_name, event.object_uid) == ("Pod", "a", "u")
    assert (event.count, event.source, event.at) == (7, "kubelet", None)


# --- what a pod names ------------------------------------------------------------------------------------------------


def test_a_pod_names_its_claims_its_selector_and_what_it_asks_for() -> None:
    """A pod that cannot be placed is explained by what it wants."""
    pod = pod_from(
        {
            "metadata": {"name": "a"},
            "spec": {
                "nodeSelector": {"pool": "a100", "arch": "amd64"},
                "volumes": [
                    {"name": "data", "persistentVolumeClaim": {"claimName": "datasets"}},
                    {"name": "shm", "emptyDir": {"medium": "Memory"}},
                    {"name": "again", "persistentVolumeClaim": {"claimName": "datasets"}},
                ],
                "containers": [{"name": "main", "resources": {"requests": {"cpu": 64, "memory": "512Gi"}}}],
            },
        }
    )
    (main,) = pod.containers
    assert pod.claims == ("datasets",)
    assert pod.node_selector == (("arch", "amd64"), ("pool", "a100"))
    assert (main.cpu_request, main.memory_request, main.memory_limit) == ("64", "512Gi", None)

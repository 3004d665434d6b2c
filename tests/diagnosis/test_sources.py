"""Every source of evidence, through both APIs' wire formats: what is read shows in the answer, what is not is named."""

from __future__ import annotations

from typing import Any

import pytest

from runai_monitor.model.diagnosis import Diagnosis
from tests.corpus.case import case
from tests.corpus.examination import diagnose
from tests.corpus.wire import (
    JOB,
    NODE,
    claim,
    container,
    crashed,
    ended,
    event,
    job,
    looping,
    node,
    on_node,
    on_owner,
    oom_killed,
    past,
    pod,
    quota,
    raised,
    running,
    stuck,
    unscheduled,
    waiting,
)

pytestmark = pytest.mark.anyio


async def told(*pods: Any, **fields: Any) -> Diagnosis:
    """The diagnosis of a case without a label."""
    return await diagnose(case("x", "insufficient_evidence", "why", *pods, **fields))


def evidence(found: Diagnosis) -> str:
    """All that is cited, with where it is from."""
    return "\n".join(f"{item.source}: {item.excerpt}" for item in found.evidence)


# --- Run:ai's workload -----------------------------------------------------------------------------------------------


async def test_run_ais_phase_reason_message_requests_limits_and_images_are_evidence() -> None:
    """Where nothing else is left, Run:ai's own words are all there is."""
    row = job(message="the workload failed for reasons unknown", reason="SomethingElse", memory="64Gi", gpus=8)
    said = evidence(await told(job=row))
    assert "Run:ai workload: phase Failed: SomethingElse; the workload failed for reasons unknown" in said
    assert "asks for: 8 GPUs" in said
    assert "memory 64Gi" in said
    assert "image " in said


async def test_a_condition_of_the_workload_names_the_cause() -> None:
    """The control plane keeps conditions after pods and events are gone."""
    row = job(reason=None) | {
        "conditions": [
            {"type": "Failed", "status": "True", "reason": "Evicted", "message": "The node was low on resource: memory.", "lastTransitionTime": "2026-03-01T02:56:00Z"}
        ]
    }  # fmt: skip
    assert (await told(job=row)).causes[0].cause == "node_memory_eviction"


async def test_the_last_phase_of_the_history_names_the_cause() -> None:
    """Run:ai's history reaches further back than anything in the cluster."""
    history = past(("Creating", -60), ("Running", -50), ("Failed", -5, "Job was active longer than specified deadline"))
    assert (await told(history=history)).causes[0].cause == "deadline_exceeded"


async def test_run_ais_events_tell_of_pods_that_are_deleted() -> None:
    """Of a pod that is gone only Run:ai still has the events, and its list of deleted pods tells whose they are."""
    gone = pod(gone=True, events=[event("OOMKilled", "Container main was OOMKilled")])
    found = await told(gone, forgotten=True)
    assert found.causes[0].cause == "container_oom"
    assert f"Run:ai event on Pod {JOB}-0-0" in evidence(found)


async def test_a_deleted_pod_names_the_node_it_was_on() -> None:
    """Run:ai's list of deleted pods is what ties a lost GPU to the job."""
    gone = pod(gone=True)
    fallen = on_node("XidCriticalError", "NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.", at=-2)
    found = await told(gone, events=[fallen])
    assert found.causes[0].cause == "gpu_hardware_fault"
    assert NODE in found.causes[0].title


# --- pods and containers ---------------------------------------------------------------------------------------------


async def test_the_one_rank_of_many_that_failed_is_found() -> None:
    """63 ranks that wait say nothing; the last one of the list is as good as the first."""
    ranks = [pod(container(running()), rank=f"worker-{n}", node=f"gpu-{n:02}") for n in range(63)]
    dead = pod(container(oom_killed(), memory="512Gi"), rank="worker-63")
    found = await told(*ranks, dead, job=job("Degraded", kind="Distributed", pods=64, running=63))
    assert found.causes[0].cause == "container_oom"
    assert "512Gi" in found.causes[0].title
    assert f"{JOB}-worker-63" in found.causes[0].explanation


async def test_exit_code_signal_restarts_limit_and_termination_message_are_evidence() -> None:
    """The numbers of a container's end are what everything else is compared with."""
    state = ended(139, message="core dumped to /cores/1")
    state["terminated"]["signal"] = 11
    said = evidence(await told(pod(container(state, restarts=3, memory="64Gi"))))
    for fact in (
        "exit code 139",
        "signal 11",
        "restarts 3",
        "memory limit 64Gi",
        f"node {NODE}",
        "core dumped to /cores/1",
    ):
        assert fact in said, fact


async def test_a_termination_message_stands_in_for_a_log_that_is_gone() -> None:
    """`terminationMessagePolicy: FallbackToLogsOnError` keeps the last words where the log is not kept."""
    made = crashed(1, message=raised("ModuleNotFoundError: No module named 'flash_attn'"))
    assert (await told(made, faults={"kube/pods/log": 404})).causes[0].cause == "missing_module"


async def test_an_init_container_that_failed_is_the_cause() -> None:
    """The main container only waits for it."""
    init = container(ended(1), name="fetch", role="init", log=raised("FileNotFoundError: [Errno 2] No such file or directory: '/in/x'"))  # fmt: skip
    found = await told(pod(container(waiting("PodInitializing")), init, phase="Pending"))
    assert found.causes[0].cause == "missing_file"
    assert "init container fetch" in found.causes[0].explanation


async def test_the_log_of_the_run_before_is_read() -> None:
    """The present log of a container in back-off says nothing of why it crashed."""
    made = looping(1, raised("KeyError: 'lr'"))
    found = await told(made, job=job("Running"))
    assert found.causes[0].cause == "python_exception"
    assert any("--previous" in step for step in found.causes[0].next_steps)


async def test_the_image_of_the_pod_is_named() -> None:
    """Of a wrong tag the reader needs the tag."""
    message = 'Failed to pull image "acme/train:v9": rpc error: manifest unknown'
    found = await told(stuck("ErrImagePull", message, image="acme/train:v9"), job=job("Initializing", since=-30))
    assert "acme/train:v9" in found.causes[0].title


# --- events, nodes, volumes, quotas ----------------------------------------------------------------------------------


async def test_events_of_pod_owner_and_node_are_read() -> None:
    """What happens before a pod exists stands on its owner, what kills it on its node."""
    of_pod = pod(
        container(waiting("ContainerCreating")),
        events=[event("FailedMount", 'secret "wandb" not found', at=-1)],
        created=-30,
    )
    assert (await told(of_pod, job=job("Initializing", since=-30))).causes[0].cause == "missing_secret"
    refused = on_owner("FailedCreate", 'pods "x" is forbidden: exceeded quota: team, requested: cpu=8, used: cpu=28, limited: cpu=32')  # fmt: skip
    of_owner = await told(job=job("Pending", since=-30), events=[refused])
    assert of_owner.causes[0].cause == "namespace_quota_exceeded"
    rebooted = on_node("NodeNotReady", "Node gpu-07 status is now: NodeNotReady", source="node-controller", at=-6)
    of_node = await told(crashed(143), events=[rebooted])
    assert of_node.causes[0].cause == "node_not_ready"


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        (node(ready="False"), "node_not_ready"),
        (node(taints=[("node.kubernetes.io/unreachable", "NoExecute")]), "node_lost"),
        (node(conditions=[("GpuXidError", "True", "XidCriticalError", "XID 79 on GPU 3: GPU has fallen off the bus")]), "gpu_hardware_fault"),
        (node(conditions=[("GpuMemWatch", "True", "GpuMemWatchIsNotHealthy", "ErrorCode:95 GPU:0 uncontained ECC error")]), "gpu_hardware_fault"),
        (node(allocatable=7), "gpu_hardware_fault"),
    ],
    ids=["condition", "taint", "xid in a condition", "health of GPU memory", "a GPU fewer"],
)  # fmt: skip
async def test_conditions_taints_and_gpu_health_of_the_node_are_read(made: Any, cause: str) -> None:
    """The node's own word explains an end that nothing else does."""
    found = await told(crashed(137), objects=[made])
    assert cause in {item.cause for item in found.causes}
    assert NODE in evidence(found)


async def test_claims_and_quotas_are_read() -> None:
    """A claim that is lost and a quota that is used up tell nobody by an event of the pod."""
    waits = pod(container(waiting("ContainerCreating")), created=-30)
    waits.body["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "datasets"}}]
    found = await told(waits, job=job("Initializing", since=-30), objects=[claim("datasets", phase="Lost")])
    assert found.causes[0].cause == "pvc_unbound"
    assert "volume claim datasets: phase Lost" in evidence(found)
    used = quota("team", {"requests.nvidia.com/gpu": "32"}, {"requests.nvidia.com/gpu": "32"})
    found = await told(job=job("Pending", since=-30), objects=[used])
    assert found.causes[0].cause == "namespace_quota_exceeded"
    assert "ResourceQuota team: requests.nvidia.com/gpu 32 of 32" in evidence(found)


# --- what could not be read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "fault", "entry"),
    [
        ("runai/detail", 403, "the workload's details: forbidden, "),
        ("runai/events", 403, "Run:ai's events: forbidden, "),
        ("runai/history", 404, "Run:ai's history: not found, "),
        ("runai/pods", 403, "Run:ai's pod list: forbidden, "),
        ("runai/pods", 403, "Run:ai's list of deleted pods: forbidden, "),
        ("kube/pods", 403, "pods in Kubernetes: forbidden, "),
        ("kube/pods/log", 403, f"log of container main of pod {JOB}-0-0: forbidden, "),
        ("kube/pods/log", 404, f"log of container main of pod {JOB}-0-0: not found, "),
        ("kube/events", 403, f"Kubernetes events of pod {JOB}-0-0: forbidden, "),
        ("kube/events", 403, "Kubernetes events of the workload: forbidden, "),
        ("kube/events", 403, "Kubernetes events of nodes: forbidden, "),
        ("kube/nodes", 403, "nodes: forbidden, "),
        ("kube/pods", 500, "pods in Kubernetes: unreachable, "),
    ],
)
async def test_what_could_not_be_read_is_named_with_its_reason(source: str, fault: int, entry: str) -> None:
    """An answer that hides what it could not see is believed too much."""
    found = await told(crashed(1, raised("KeyError: 'x'")), faults={source: fault})
    assert any(said.startswith(entry) for said in found.unread), found.unread
    assert entry in found.markdown


@pytest.mark.parametrize(
    ("source", "entry"),
    [
        ("kube/resourcequotas", "quotas of the namespace: forbidden, "),
        ("kube/persistentvolumeclaims", "volume claims: forbidden, "),
    ],
)
async def test_quotas_and_claims_that_are_forbidden_are_named(source: str, entry: str) -> None:
    """They matter to pods that wait, and few may read them."""
    waits = unscheduled("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.")
    waits.body["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "datasets"}}]
    found = await told(waits, job=job("Pending", since=-30), faults={source: 403})
    assert any(said.startswith(entry) for said in found.unread), found.unread


async def test_events_that_kubernetes_has_dropped_are_called_expired() -> None:
    """A list that is empty since an hour ago does not mean that nothing happened."""
    made = crashed(1, raised("KeyError: 'x'"), at=-90, created=-200)
    found = await told(made, job=job(since=-90, created=-200), forgotten=True)
    assert "Kubernetes events of 1 pod: expired, Kubernetes keeps events for about an hour, and it ended before" in (
        found.unread
    )
    fresh = await told(crashed(1, raised("KeyError: 'x'")), forgotten=True)
    assert not any("expired" in entry for entry in fresh.unread)


async def test_others_that_fail_and_what_is_on_a_sick_node_are_told() -> None:
    """Whose trouble a node is besides this one's decides who is woken."""
    sick = node(ready="False")
    other = pod(container(running()), name="other-0-0")
    other.body["metadata"]["labels"] = {"workloadName": "other"}
    found = await told(crashed(137), other, objects=[sick])
    assert "Also on it: other." in found.causes[0].explanation

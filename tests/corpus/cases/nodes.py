"""Nodes that went away, filled up or could not give what a pod was promised."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    NODE,
    container,
    crashed,
    creating,
    ended,
    event,
    job,
    node,
    on_node,
    pod,
    running,
    stuck,
)

STARTING = job("Initializing", since=-28, created=-30)
UNREACHABLE = [("node.kubernetes.io/unreachable", "NoExecute"), ("node.kubernetes.io/unreachable", "NoSchedule")]
SANDBOX = "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox"
DISK = (
    "The node was low on resource: ephemeral-storage. Threshold quantity: 93434211342, available: 81273640Ki. "
    "Container main was using 18Gi, request is 0, has larger consumption of ephemeral-storage. "
)


def disrupted(reason: str, message: str) -> dict[str, str]:
    """The condition that says who ended a pod."""
    return {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}


CASES = [
    # --- a node in trouble below what Run:ai still calls Running -----------------------------------------------------
    case(
        "running-on-a-lost-node",
        "node_lost",
        "the kubelet stopped reporting: the containers' state is the last one it told",
        pod(container(running(-300)), created=-305),
        objects=[node(ready="Unknown", taints=UNREACHABLE)],
        job=job("Running", since=-300, created=-305),
        never=("healthy",),
        pair="running-on-a-node",
    ),
    case(
        "running-on-a-node-that-only-events-tell-of",
        "node_not_ready",
        "nodes may not be read, their events may",
        pod(container(running(-300)), created=-305),
        job=job("Running", since=-300, created=-305),
        events=[on_node("NodeNotReady", f"Node {NODE} status is now: NodeNotReady", source="node-controller", at=-4)],
        faults={"kube/nodes": 403},
        never=("healthy",),
        pair="running-on-a-node",
    ),
    case(
        "running-and-deleted",
        "insufficient_evidence",
        "its only pod is being deleted, nothing tells why, and Run:ai has not noticed",
        pod(container(running(-300)), created=-305, deleting=True),
        job=job("Running", since=-300, created=-305),
        never=("healthy",),
        pair="running-on-a-node",
    ),
    case(
        "running-on-a-node-that-is-back",
        "healthy",
        "the node was not ready for a minute, and is again",
        pod(container(running(-300)), created=-305),
        job=job("Running", since=-300, created=-305),
        events=[
            on_node("NodeNotReady", f"Node {NODE} status is now: NodeNotReady", source="node-controller", at=-6),
            on_node("NodeReady", f"Node {NODE} status is now: NodeReady", source="kubelet", at=-5),
        ],
        faults={"kube/nodes": 403},
        never=("node_not_ready",),
        pair="running-on-a-node",
    ),
    # --- node_not_ready ----------------------------------------------------------------------------------------------
    case(
        "node-not-ready-kubelet",
        "node_not_ready",
        "the kubelet says itself that its runtime is down (PLEG); the pod is only marked not ready",
        pod(
            container(running(-300), log="step 9100 loss 1.80\n"),
            created=-305,
            events=[event("NodeNotReady", "Node is not ready", source="node-controller", at=-8)],
        ),
        objects=[
            node(
                ready="False",
                taints=[("node.kubernetes.io/not-ready", "NoExecute")],
                conditions=[
                    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available")
                ],
            )
        ],
        job=job("Degraded", since=-8, created=-305, running=1),
        never=("healthy", "node_lost"),
        pair="node-gone",
    ),
    case(
        "node-not-ready-taint-only",
        "node_not_ready",
        "the node is not ready and its pods are being deleted for the taint",
        pod(
            container(running(-300)),
            created=-305,
            deleting=True,
            conditions=[disrupted("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")],
            events=[
                event(
                    "TaintManagerEviction",
                    "Marking for deletion Pod runai-vision/llama-ft-0-0",
                    kind="Normal",
                    source="taint-eviction-controller",
                    at=-3,
                )
            ],
        ),
        objects=[node(ready="False", taints=[("node.kubernetes.io/not-ready", "NoExecute")])],
        job=job("Failed", since=-3, created=-305),
        never=("killed_by_signal",),
    ),
    # --- node_lost ---------------------------------------------------------------------------------------------------
    case(
        "node-lost-reason",
        "node_lost",
        "the node controller's old reason, NodeLost, and a node that stopped posting its status",
        pod(
            container(running(-300)),
            phase="Unknown",
            reason="NodeLost",
            message=f"Node {NODE} which was running pod llama-ft-0-0 is unresponsive",
            created=-305,
        ),
        objects=[node(ready="Unknown", taints=UNREACHABLE)],
        job=job("Failed", since=-4, created=-305),
        never=("node_not_ready",),
        pair="node-gone",
    ),
    case(
        "node-lost-podgc",
        "node_lost",
        "the node object is gone; the pod was collected after it",
        pod(
            phase="Failed",
            node="gpu-13",
            conditions=[disrupted("DeletionByPodGC", "PodGC: node no longer exists")],
        ),
        objects=[node("gpu-07")],
        faults={"kube/nodes": 403},
    ),
    # --- node_shutdown -----------------------------------------------------------------------------------------------
    case(
        "node-shutdown-graceful",
        "node_shutdown",
        "kubelet's graceful node shutdown",
        pod(
            container(ended(143)),
            phase="Failed",
            reason="Terminated",
            message="Pod was terminated in response to imminent node shutdown.",
            conditions=[disrupted("TerminationByKubelet", "Pod was terminated in response to imminent node shutdown.")],
        ),
        never=("killed_by_signal", "preempted"),
        pair="exit-143",
    ),
    case(
        "node-shutdown-rejected",
        "node_shutdown",
        "a pod that came while the node was shutting down",
        pod(phase="Failed", reason="NodeShutdown", message="Pod was rejected: node is shutting down"),
        never=("insufficient_evidence",),
    ),
    # --- node_disk_pressure ------------------------------------------------------------------------------------------
    case(
        "node-disk-evicted",
        "node_disk_pressure",
        "the node was low on ephemeral storage, not the pod over its limit",
        pod(container(ended(137)), phase="Failed", reason="Evicted", message=DISK, events=[event("Evicted", DISK)]),
        objects=[
            node(
                conditions=[("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure")],
                taints=[("node.kubernetes.io/disk-pressure", "NoSchedule")],
            )
        ],
        never=("ephemeral_storage_exceeded", "disk_full", "node_memory_eviction"),
        pair="evicted",
    ),
    case(
        "node-disk-rejected",
        "node_disk_pressure",
        "kubelet refuses new pods while its disk is full",
        pod(phase="Failed", reason="Evicted", message="Pod was rejected: The node had condition: [DiskPressure]. "),
        never=("ephemeral_storage_exceeded",),
        pair="disk",
    ),
    # --- network_plugin_failed ---------------------------------------------------------------------------------------
    case(
        "network-calico",
        "network_plugin_failed",
        "Calico cannot set the sandbox up",
        creating(
            event(
                "FailedCreatePodSandBox",
                f'{SANDBOX} "a81c": plugin type="calico" failed (add): error getting ClusterInformation: connection is unauthorized: Unauthorized',
                count=25,
            )
        ),
        job=STARTING,
        never=("credential_rejected", "container_create_failed"),
        pair="cannot-create",
    ),
    case(
        "network-aws-addresses",
        "network_plugin_failed",
        "the AWS plugin has no address left",
        creating(
            event(
                "FailedCreatePodSandBox",
                f'{SANDBOX} "a81c": plugin type="aws-cni" name="aws-cni" failed (add): add cmd: failed to assign an IP address to container',
                count=25,
            )
        ),
        job=STARTING,
    ),
    case(
        "network-not-ready",
        "network_plugin_failed",
        "the runtime's network is not ready on a fresh node",
        creating(
            event(
                "NetworkNotReady",
                "network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized",
                count=40,
            )
        ),
        job=STARTING,
        never=("node_not_ready",),
    ),
    # --- near misses -------------------------------------------------------------------------------------------------
    case(
        "node-trouble-of-another-node",
        "python_exception",
        "another node is not ready; this pod's node is well and its program failed",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 31, in <module>
                main(cfg)
              File "/workspace/train.py", line 22, in main
                raise RuntimeError("expected 32 shards, found 31")
            RuntimeError: expected 32 shards, found 31
            """,
        ),
        objects=[node(NODE), node("gpu-08", ready="Unknown", taints=UNREACHABLE)],
        events=[
            on_node(
                "NodeNotReady",
                "Node gpu-08 status is now: NodeNotReady",
                node="gpu-08",
                source="node-controller",
                at=-6,
            )
        ],
        never=("node_not_ready", "node_lost"),
        pair="node-gone",
    ),
    case(
        "node-rebooted",
        ("node_lost", "node_shutdown", "node_not_ready"),
        "kubelet reports a reboot during the run; the container ended with Unknown 255 as it does then: any of the node's words will do",
        pod(
            container(ended(255, reason="Unknown", at=-6)),
            phase="Failed",
            events=[event("NodeNotReady", "Node is not ready", source="node-controller", at=-9)],
        ),
        events=[on_node("Rebooted", f"Node {NODE} has been rebooted, boot id: 0f7e", source="kubelet", at=-6)],
        never=("application_error", "killed_by_signal"),
    ),
    case(
        "sandbox-changed-is-a-symptom",
        "node_shutdown",
        "SandboxChanged and Killing follow the shutdown that the pod status names",
        pod(
            container(ended(137)),
            phase="Failed",
            reason="Terminated",
            message="Pod was terminated in response to imminent node shutdown.",
            events=[
                event(
                    "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.", kind="Normal", at=-5.5
                )
            ],
        ),
        never=("network_plugin_failed", "killed_by_signal"),
    ),
    case(
        "create-after-node-trouble",
        "container_create_failed",
        "the runtime's own refusal without any better word",
        stuck("CreateContainerError", "error reserving ctr name main for id a81c: name is reserved"),
        job=STARTING,
        pair="cannot-create",
    ),
]

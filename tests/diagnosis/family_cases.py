"""The labelled cases of GPUs, nodes, scheduling and storage: for each cause what shows it, and what only looks like it."""

from __future__ import annotations

from typing import Any

from runai_monitor.errors import KubeNotFoundError
from tests.diagnosis.cases import STEPS, Labelled
from tests.diagnosis.scene import (
    NAME,
    NAMESPACE,
    NODE,
    Json,
    Scene,
    ago,
    claim,
    condition,
    container,
    ended,
    event,
    exited,
    forbidden,
    gone,
    node,
    pod,
    preparing,
    runai_event,
    runai_pod,
    running,
    stuck,
    traceback,
    unplaced,
    waiting,
)

GPU_ID = "GPU-b850f46d-d5ea-c752-ddf3-c4453e44d3f7"
CUDA_ERROR = traceback("torch.AcceleratorError: CUDA error: unspecified failure of the driver")


def _case(
    name: str,
    expected: str,
    scene: Scene,
    *,
    sure: bool | None = True,
    then: str | None = None,
    says: tuple[str, ...] = (),
) -> Labelled:
    return Labelled(name, scene, expected, sure, then, says)


def _on_node(reason: str, message: str, *, at: float = 5.1) -> Json:
    return event(reason, message, at=at, about=NODE, kind="Node")


def _xid(code: int, said: str, *, at: float = 5.1) -> Json:
    return _on_node("XIDError", f"NVRM: Xid (PCI:0000:3b:00): {code}, pid=4242, name=python, {said}", at=at)


def _taint(key: str, effect: str = "NoExecute") -> Json:
    return {"key": key, "effect": effect, "timeAdded": ago(6)}


def _ready(status: str, reason: str, message: str, *, at: float = 6) -> Json:
    return condition("Ready", status, reason, message, at=at)


GPU = [
    _case("GKE's device plugin writes the code into the reason", "gpu_hardware_fault", exited(1, "RuntimeError: CUDA error: unknown error\n", nodes=[node(condition("XidCriticalError", "True", '{"48":true}', GPU_ID))]), says=("XID 48",)),
    _case("the driver lost the GPU as the process ended", "gpu_hardware_fault", exited(1, CUDA_ERROR, node_events=[_xid(79, "GPU has fallen off the bus.")]), says=("XID 79", NODE, "0000:3b:00", "fallen off the bus", f"kubectl describe node {NODE}")),
    _case("an ECC error in NVSentinel's condition, the process killed", "gpu_hardware_fault",
          exited(137, STEPS, nodes=[node(condition("GpuMemWatch", "True", "HardwareFailure", "[DCGM_FR_VOLATILE_DBE_DETECTED] double bit ECC error on GPU 3 - RecommendedAction: RESET_GPU"), healthy=7)]), says=("XID 48", NODE)),
    _case("XIDs as NVSentinel's condition writes them", "gpu_hardware_fault", exited(134, "", nodes=[node(condition("SysLogsXIDError", "True", "SysLogsXIDErrorIsNotHealthy", f"ErrorCode:119 PCI:0000:9a:00 GPU_UUID:{GPU_ID} Recommended Action=RESET_GPU;"))]), says=("XID 119", GPU_ID)),
    _case("the EKS agent's condition, which is bad when it is false", "gpu_hardware_fault", exited(1, CUDA_ERROR, nodes=[node(condition("AcceleratedHardwareReady", "False", "NvidiaXID95Error", "NVIDIA GPU reported an error"))]), says=("XID 95",)),
    _case("a contained memory error ended the process", "gpu_hardware_fault", exited(1, CUDA_ERROR, node_events=[_xid(94, "Contained: SM (0x1). RST: No, D-RST: No")]), says=("XID 94",)),
    _case("the driver's line in the log itself", "gpu_hardware_fault", exited(1, STEPS + "[gpu-health] NVRM: Xid (PCI:0000:3b:00): 74, pid=1, NVLink: fatal error detected on link 6\ntorch.distributed.DistBackendError: NCCL error\n"), says=("XID 74",)),
    _case("seven ranks timed out after the eighth lost its GPU", "gpu_hardware_fault",
          Scene(pods=[pod(container(ended(134, at=3)), index=0, node="gpu-1"), pod(container(ended(134, at=5)), index=1)], node_events=[_xid(79, "GPU has fallen off the bus.", at=13)],
                logs={(0, "main", False): STEPS + "[rank0]:[E] [Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1)\n"}), says=(NODE,)),
    _case("the device plugin gave a GPU up, and the node refuses the pod", "gpu_hardware_fault",
          Scene(pods=[pod(container({}), reason="UnexpectedAdmissionError", message="Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 8, Available: 7, which is unexpected")],
                nodes=[node(condition("GpuMemWatch", "True", "HardwareFailure", "[DCGM_FR_UNCONTAINED_ERROR] uncontained memory error", at=200), healthy=7)]), says=("XID 95",), then="device_plugin_failed"),
    # What only looks like it.
    _case("a page fault is the program's", "cuda_illegal_access", exited(1, traceback("RuntimeError: CUDA error: an illegal memory access was encountered"), node_events=[_xid(31, "MMU Fault: ENGINE GRAPHICS")])),
    _case("XID 13 beside a device-side assert", "cuda_illegal_access", exited(1, traceback("RuntimeError: CUDA error: device-side assert triggered"), node_events=[_xid(13, "Graphics SM Warp Exception on (GPC 7)")])),
    _case("a fault of the node an hour before", "python_exception", exited(1, traceback("ValueError: bad shape"), node_events=[_xid(79, "GPU has fallen off the bus.", at=70)])),
    _case("a fault of the node an hour after is another's", "python_exception",
          Scene(created=200, since=90, pods=[pod(container(ended(1, at=90)), created=190)], logs={(0, "main", False): traceback("ValueError: bad shape")}, node_events=[_xid(79, "GPU has fallen off the bus.", at=1)])),
    _case("an exception of the program while another GPU of the node fails", "python_exception", exited(1, traceback("ValueError: bad shape"), node_events=[_xid(79, "GPU has fallen off the bus.")]), then="gpu_hardware_fault"),
    _case("out of memory while another GPU of the node fails", "container_oom", exited(137, STEPS, reason="OOMKilled", memory="64Gi", node_events=[_xid(79, "GPU has fallen off the bus.")])),
    _case("a row that was remapped ends nothing", "python_exception", exited(1, traceback("ValueError: bad shape"), node_events=[_xid(63, "Row Remapper: New row marked for remapping, reset gpu to activate.")])),
    _case("the clean-up of XID 45 says nothing", "insufficient_evidence", exited(1, "", node_events=[_xid(45, "Ch 00000010")]), sure=False),
    _case("a warm GPU and an unreachable DCGM are no fault", "insufficient_evidence", exited(1, "", nodes=[node(condition("GpuThermalWatch", "True", "Warm", "[DCGM_FR_CLOCK_THROTTLE_THERMAL] GPU thermal throttling"), condition("GpuDcgmConnectivityFailure", "True", "Down", "cannot reach DCGM"))]), sure=False),
    _case("it runs on a node that reports a GPU that it does not use", "healthy", Scene(phase="Running", pods=[pod(container(running()), phase="Running")], node_events=[_xid(79, "GPU has fallen off the bus.")])),
    _case("killed, and the node's GPU failed an hour before", "killed_by_signal", exited(137, STEPS, node_events=[_xid(79, "GPU has fallen off the bus.", at=70)]), sure=False),
    _case("killed, and the node's GPU failed half an hour later", "killed_by_signal", Scene(created=200, since=40, pods=[pod(container(ended(137, at=40)), created=190)], node_events=[_xid(79, "GPU has fallen off the bus.", at=10)]), sure=False),
    _case("out of memory two minutes after another GPU of the node failed", "container_oom", exited(137, STEPS, reason="OOMKilled", memory="64Gi", node_events=[_xid(79, "GPU has fallen off the bus.", at=7)])),
    _case("a connection to DCGM that was lost is no GPU that was lost", "insufficient_evidence", exited(1, "", nodes=[node(condition("GpuDcgmConnectivityFailure", "True", "DcgmError", "connection to DCGM lost"))]), sure=False),
    _case("a transaction number is no XID", "python_exception", exited(1, "postgres: xid 79 committed\n" + traceback("ValueError: bad shape"))),
]  # fmt: skip

NODES = [
    _case("the node stopped reporting", "node_lost", Scene(phase="Degraded", pods=[pod(container(running()), phase="Running")], nodes=[node(_ready("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."))]), says=(NODE, f"kubectl describe node {NODE}")),
    _case("the node stopped reporting, and others were on it", "node_lost",
          Scene(phase="Degraded", pods=[pod(container(running()), phase="Running")], nodes=[node(_ready("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."))],
                others=[{**pod(container(running()), phase="Running", name="other-0"), "metadata": {"name": "other-0", "namespace": "runai-vision", "uid": "o", "labels": {"workloadName": "vision-eval"}}}]), says=("vision-eval",)),
    _case("the node does not exist any more", "node_lost", Scene(phase="Failed", runai_pods=[runai_pod()], nodes=[node(name="another")]), says=(NODE, "does not exist")),
    _case("the pod garbage collector found no node", "node_lost", Scene(pods=[pod(container(ended(137, "ContainerStatusUnknown")), conditions=(condition("DisruptionTarget", "True", "DeletionByPodGC", "PodGC: node no longer exists"),))])),
    _case("kubelet says it is not ready", "node_not_ready", Scene(phase="Degraded", pods=[pod(container(running()), phase="Running")], nodes=[node(_ready("False", "KubeletNotReady", "container runtime is down, PLEG is not healthy"))]), says=("container runtime",)),
    _case("evicted by a taint, the node is back", "node_not_ready", Scene(pods=[pod(container(ended(143)), conditions=(condition("DisruptionTarget", "True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"),))])),
    _case("evicted by a taint, the node says which", "node_lost", Scene(pods=[pod(container(ended(143)), conditions=(condition("DisruptionTarget", "True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"),))], nodes=[node(_ready("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."), taints=(_taint("node.kubernetes.io/unreachable"),))])),
    _case("graceful shutdown by condition", "node_shutdown", Scene(pods=[pod(container(ended(143)), conditions=(condition("DisruptionTarget", "True", "TerminationByKubelet", "Pod was terminated in response to imminent node shutdown."),))])),
    _case("a spot instance was taken back", "node_shutdown", exited(137, STEPS, node_events=[_on_node("SpotInterruption", "Spot interruption warning was triggered for the node", at=7)]), says=(NODE,)),
    _case("the node was restarted", "node_shutdown", exited(137, STEPS, node_events=[_on_node("Rebooted", "Node gpu-7 has been rebooted, boot id: 0a1b", at=3)])),
    _case("the node was drained", "node_shutdown", Scene(pods=[pod(container(ended(143)), conditions=(condition("DisruptionTarget", "True", "EvictionByEvictionAPI", "Eviction API: evicting"),))], nodes=[node(cordoned=True)]), sure=None, says=("drained",)),
    _case("low on disk, with kubelet's numbers", "node_disk_pressure", Scene(pods=[pod(container(ended(137)), reason="Evicted", message="The node was low on resource: ephemeral-storage. Threshold quantity: 53Gi, available: 41Gi. Container main was using 310Gi, request is 0, has larger consumption of ephemeral-storage. ")]), says=("41Gi", "53Gi", "310Gi", NODE)),
    _case("no CNI, with the node named", "network_plugin_failed", preparing(event("FailedCreatePodSandBox", 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "a1": plugin type="cilium-cni" failed (add): unable to connect to Cilium daemon')), says=(f"spec.nodeName={NODE}",)),
    _case("the network is not ready", "network_plugin_failed", preparing(event("NetworkNotReady", "network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:cni plugin not initialized"))),
    _case("fewer devices than asked for", "device_plugin_failed", Scene(pods=[pod(container({}), reason="UnexpectedAdmissionError", message="Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 8, Available: 0, which is unexpected")]), says=("8 nvidia.com/gpu were asked for, 0 could be given", NODE)),
    _case("the runtime knows no such GPU", "device_plugin_failed", stuck("RunContainerError", "failed to create containerd task: OCI runtime create failed: nvidia-container-cli: device error: GPU-1f: unknown device: unknown")),
    _case("the node's events alone tell it, and nodes may not be read", "node_not_ready", exited(137, STEPS, node_events=[_on_node("NodeNotReady", "Node gpu-7 status is now: NodeNotReady", at=6)], broken={"node": forbidden("nodes")})),
    _case("the autoscaler removed the node", "node_shutdown", Scene(pods=[pod(container(ended(143)))], events=[event("ScaleDown", "deleting pod for node scale down", at=6)])),
    # What only looks like it.
    _case("an exception while a spot instance was warned", "python_exception", exited(1, traceback("ValueError: bad shape"), node_events=[_on_node("SpotInterruption", "Spot interruption warning", at=7)]), then="node_shutdown"),
    _case("a proxy that knows no nodes", "killed_by_signal", exited(137, STEPS, broken={"node": KubeNotFoundError("Kubernetes does not have it any more (get nodes): not found", status=404)}), sure=False),
    _case("the node came into trouble long after", "python_exception", Scene(created=200, pods=[pod(container(ended(1, at=100)), created=190)], logs={(0, "main", False): traceback("ValueError: bad shape")}, nodes=[node(_ready("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", at=20))])),
    _case("killed long before the node came into trouble", "killed_by_signal", Scene(created=200, pods=[pod(container(ended(137, at=100)), created=190)], nodes=[node(_ready("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", at=20))]), sure=False),
    _case("another pod had ended well on a node that is lost", "python_exception", Scene(pods=[pod(container(ended(0, "Completed")), phase="Succeeded", index=0, node="gpu-1"), pod(container(ended(1)), index=1)], logs={(1, "main", False): traceback("ValueError: bad shape")}, nodes=[node(_ready("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."), name="gpu-1"), node()])),
    _case("the pod's own limit is no disk pressure", "ephemeral_storage_exceeded", Scene(pods=[pod(container(ended(137)), reason="Evicted", message="Pod ephemeral local storage usage exceeds the total limit of containers 50Gi. ")], nodes=[node(condition("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure"))])),
    _case("a reboot two hours before", "killed_by_signal", exited(137, STEPS, created=300, node_events=[_on_node("Rebooted", "Node gpu-7 has been rebooted", at=130)]), sure=False),
    _case("a cordoned node is no shut-down", "python_exception", exited(1, traceback("ValueError: bad shape"), nodes=[node(cordoned=True)])),
    _case("a driver too old is no device plugin", "cuda_driver_mismatch", stuck("RunContainerError", "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.4, please update your driver")),
    _case("an image that cannot be pulled is no network plugin", "registry_unreachable", preparing(event("FailedCreatePodSandBox", 'Failed to create pod sandbox: failed to get sandbox image "registry.k8s.io/pause:3.9": failed to pull image: dial tcp 1.2.3.4:443: i/o timeout'))),
    _case("a network that came back at the second attempt", "python_exception", exited(1, traceback("ValueError: bad shape"), events=[event("FailedCreatePodSandBox", 'plugin type="calico" failed (add)', at=58)])),
    _case("a pod that ended well on a lost node", "completed", Scene(phase="Completed", pods=[pod(container(ended(0, "Completed")), phase="Succeeded")], nodes=[node(_ready("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."))])),
]  # fmt: skip

_SELECTED = pod(container({}), phase="Pending", node=None, selector={"node-type": "a100"}, created=30)
_SELECTED_SCENE = Scene(
    phase="Pending",
    since=30,
    pods=[_SELECTED],
    events=[
        event(
            "FailedScheduling", "0/10 nodes are available: 10 node(s) didn't match Pod's node affinity/selector.", at=1
        )
    ],
)
DETAILED = "\n<gpu-{n}>: Node didn't have enough resources: GPUs, requested: 8, used: {used}, capacity: {capacity}."


def _uses(gpus: int, state: Json) -> Json:
    wire = container(state)
    wire["spec"]["resources"]["limits"]["nvidia.com/gpu"] = str(gpus)
    return wire


def _other(name: str, gpus: int, where: str) -> Json:
    wire = pod(_uses(gpus, running()), phase="Running", name=name, node=where, namespace="runai-vision")
    wire["metadata"]["labels"] = {"workloadName": name}
    return wire


def _wants(gpus: int, *others: Json, **fields: Any) -> Scene:
    """A pod that kube-scheduler refuses without numbers, on a cluster of two nodes of eight GPUs."""
    told = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu."
    waits = pod(_uses(gpus, {}), phase="Pending", node=None, created=30)
    nodes = [node(name="gpu-1"), node(name="gpu-2")]
    events = [event("FailedScheduling", told, at=1)]
    return Scene(
        phase="Pending", since=30, pods=[waits], events=events, **{"nodes": nodes, "others": list(others)} | fields
    )


SCHEDULING = [
    _case("GPUs in pieces, by the nodes' own numbers", "gpu_fragmentation", _wants(8, _other("a", 5, "gpu-1"), _other("b", 2, "gpu-2")), says=("9 free on 2 nodes, at most 6 on one, 8 asked for", "gpu-2 6 of 8"), then="insufficient_gpu"),
    _case("GPUs that are in use on every node", "insufficient_gpu", _wants(8, _other("a", 8, "gpu-1"), _other("b", 8, "gpu-2"))),
    _case("GPUs that are free on a node that takes no pods", "insufficient_gpu", _wants(8, _other("a", 5, "gpu-1"), nodes=[node(name="gpu-1"), node(name="gpu-2", cordoned=True)])),
    _case("nodes that may not be listed", "insufficient_gpu", _wants(8, _other("a", 5, "gpu-1"), _other("b", 2, "gpu-2"), broken={"nodes": forbidden("nodes")})),
    _case("counted, the most limiting first", "insufficient_gpu", unplaced("0/12 nodes are available: 4 Insufficient nvidia.com/gpu, 8 node(s) had untolerated taint {dedicated: infra}. preemption: 0/12 nodes are available: 4 No preemption victims found for incoming pod, 8 Preemption is not helpful for scheduling.", row={"workloadRequestResources": {"gpu": {"request": 8}}}), says=("4 of 12 nodes", "8 have a taint"), then="untolerated_taint"),
    _case("no node is that large", "insufficient_gpu", unplaced("The pod runai-llm/x requires GPU: 16, CPU: 1 (cores), memory: 0 (GB), pods: 1. Max GPU resources available in a single node in the default node-pool is topped at 8", since=3), says=("the largest has 8",)),
    _case("GPUs in pieces, by the nodes' lines", "gpu_fragmentation", unplaced("no nodes with enough resources were found." + DETAILED.format(n=1, used=5, capacity=8) + DETAILED.format(n=2, used=2, capacity=8)), says=("9 free on 2 nodes, at most 6 on one, 8 asked for", "gpu-2 6 of 8")),
    _case("memory before CPU by their counts", "insufficient_memory", unplaced("0/8 nodes are available: 2 Insufficient cpu, 6 Insufficient memory."), then="insufficient_cpu"),
    _case("CPU cores in Run:ai's words", "insufficient_cpu", unplaced("no nodes with enough resources were found: 1 node(s) didn't have enough resources: memory. \n3 node(s) didn't have enough resources: CPU cores."), then="insufficient_memory"),
    _case("a selector that no node has, named", "node_selector_mismatch", _SELECTED_SCENE, says=("node-type=a100", "kubectl get nodes -l node-type=a100")),
    _case("a taint in words that were used before 1.24", "untolerated_taint", unplaced("0/5 nodes are available: 1 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate, 4 node(s) had taint {team: vision}, that the pod didn't tolerate."), says=("team=vision", "tolerations")),
    _case("GPU nodes are kept for others", "untolerated_taint", unplaced("0/6 nodes are available: 2 node(s) had untolerated taint {nvidia.com/gpu: present}, 4 Insufficient nvidia.com/gpu."), then="insufficient_gpu"),
    _case("pods that must not share a node", "affinity_conflict", unplaced("0/4 nodes are available: 4 node(s) didn't match pod anti-affinity rules.")),
    _case("the volume's zone has only full nodes", "volume_zone_conflict", unplaced("0/6 nodes are available: 1 Insufficient nvidia.com/gpu, 5 node(s) had volume node affinity conflict."), then="insufficient_gpu"),
    _case("kubelet found no room for a pod that was placed", "insufficient_cpu", Scene(pods=[pod(container({}), reason="OutOfcpu", message="Pod was rejected: Node didn't have enough resource: cpu, requested: 64000, used: 70000, capacity: 127000")])),
    _case("kubelet found other labels on its node", "node_selector_mismatch", Scene(pods=[pod(container({}), reason="NodeAffinity", message="Pod was rejected: Predicate NodeAffinity failed")])),
    _case("part of a gang in Volcano's words", "gang_unschedulable", unplaced("1/4 tasks in gang unschedulable: pod group is not ready, 1 Pending, 3 Inqueue, 4 minAvailable")),
    _case("a gang whose pods are not all created", "gang_unschedulable", Scene(phase="Pending", since=30, events=[event("NotReady", "Job is not ready for scheduling. Waiting for 8 pods, currently 5 exist, 0 are gated", kind="PodGroup", about=f"pg-{NAME}-0f4b6a1c")]), says=("5 of the 8 pods",)),
    _case("quota of the namespace, from the job's own event", "namespace_quota_exceeded", Scene(phase="Pending", since=2, events=[event("FailedCreate", 'Error creating: pods "x" is forbidden: exceeded quota: gpu-quota, requested: requests.nvidia.com/gpu=8, used: requests.nvidia.com/gpu=12, limited: requests.nvidia.com/gpu=16', kind="Job", about=NAME)]), says=("gpu-quota", "8 asked for, 12 of 16 in use", "kubectl describe resourcequota gpu-quota")),
    _case("a LimitRange", "namespace_quota_exceeded", Scene(phase="Pending", since=2, events=[event("FailedCreate", 'pods "x" is forbidden: maximum memory usage per Container is 64Gi, but limit is 128Gi', kind="PyTorchJob", about=NAME)]), says=("64Gi", "128Gi")),
    _case("no pod, no word, and a quota that is used up", "namespace_quota_exceeded", Scene(phase="Pending", since=40, quotas=[{"metadata": {"name": "gpu-quota"}, "status": {"hard": {"requests.nvidia.com/gpu": "16"}, "used": {"requests.nvidia.com/gpu": "16"}}}]), sure=False, says=("16 of 16",)),
    _case("over quota, and can never fit", "project_over_quota", unplaced("Non-preemptible workload is over quota. Workload requested 16 GPUs, but llm quota is 12 GPUs, while 0 GPUs are already allocated for non-preemptible pods. Use a preemptible workload to go over quota.", since=3), says=("the workload asks for 16 GPUs; llm may use 12 (12 free now)", "ask for at most 12 GPUs")),
    _case("reclaimed for another project's share, with the numbers", "preempted", Scene(phase="Pending", since=3, events=[event("Evict", f"Pod {NAMESPACE}/{NAME}-0-0 was preempted by workload runai-vision/pg-eval-1f.\nLLM uses <GPU: 12, CPU: 4 (cores)> with a quota of <GPU: 8, CPU: -1>, fair-share of <GPU: 8> and queue priority of <100>.", kind="PodGroup", about=f"pg-{NAME}-0f4b6a1c")]), says=("fair share", "12 GPUs of a quota of 8", "runai-vision/pg-eval-1f")),
    _case("moved to pack pods", "preempted", gone(runai_event("Evict", f"Pod {NAMESPACE}/{NAME}-0-0 was preempted and rescheduled due to bin packing (resource consolidation) procedure", kind="PodGroup", about="pg"), phase="Pending", since=3), says=("consolidation",)),
    _case("preempted, and waits for GPUs since", "preempted", unplaced("0/8 nodes are available: 8 Insufficient nvidia.com/gpu.", since=30, runai_events=[runai_event("Evict", f"Pod {NAMESPACE}/{NAME}-0-0 was preempted by higher priority workload prod/serve", at=31, kind="PodGroup", about="pg")]), then="insufficient_gpu"),
    _case("stopped by the duration rule", "time_limit_reached", Scene(phase="Stopped", message="Workload exceeded the maximum running time of 12h")),
    # What only looks like it.
    _case("a gang of which no pod fits lacks GPUs", "insufficient_gpu", unplaced("Resources were found for 0 pods while 8 are required for gang scheduling. Additional pods cannot be scheduled due to: no nodes with enough resources were found: 5 node(s) didn't have enough resources: GPUs.")),
    _case("too few GPUs are not fragmented", "insufficient_gpu", unplaced("no nodes with enough resources were found." + DETAILED.format(n=1, used=7, capacity=8) + DETAILED.format(n=2, used=6, capacity=8))),
    _case("nodes that are all too small are not fragmented", "insufficient_gpu", unplaced("no nodes with enough resources were found." + DETAILED.format(n=1, used=0, capacity=4) + DETAILED.format(n=2, used=0, capacity=4))),
    _case("the control plane's taint is nobody's fault", "node_selector_mismatch", unplaced("0/5 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't match Pod's node affinity/selector.")),
    _case("taints of nodes that are coming back", "node_not_ready", unplaced("0/3 nodes are available: 3 node(s) had untolerated taint {node.kubernetes.io/not-ready: }."), says=("not ready",)),
    _case("the project's quota is not the namespace's", "project_over_quota", unplaced("llm quota has reached the allowable limit of GPUs. Limit is 8 GPUs, currently 8 GPUs allocated and workload requested 2 GPUs", quotas=[{"metadata": {"name": "pods"}, "status": {"hard": {"pods": "50"}, "used": {"pods": "50"}}}])),
    _case("a quota that is not used up", "insufficient_evidence", Scene(phase="Pending", since=40, quotas=[{"metadata": {"name": "q"}, "status": {"hard": {"pods": "50"}, "used": {"pods": "49"}}}]), sure=False),
    _case("an eviction of another gang", "insufficient_evidence", Scene(phase="Pending", since=40, events=[event("Evict", "Pod x/other-0 was preempted by higher priority workload prod/serve", kind="PodGroup", about="pg-other-0f4b6a1c")]), sure=False),
    _case("another workload whose name begins alike", "insufficient_evidence", Scene(phase="Pending", since=40, events=[event("NotReady", "Job is not ready for scheduling. Waiting for 8 pods, currently 5 exist, 0 are gated", kind="PodGroup", about=f"pg-{NAME}-eval-0f4b6a1c")]), sure=False),
    _case("suspended by a person who writes of time", "suspended_by_person", Scene(phase="Stopped", message="Suspended by jane@example.com: I have no time for it")),
]  # fmt: skip


def _mounts(*events: Json, **fields: Any) -> Scene:
    scene = Scene(phase="Initializing", since=4, events=list(events), **fields)
    scene.pods = [pod(container(waiting("ContainerCreating")), phase="Pending", claims=("datasets",))]
    return scene


def _waits_for_claim(*events: Json, since: float = 30, **fields: Any) -> Scene:
    told = "0/8 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    scene = Scene(
        phase="Pending",
        since=since,
        events=[event("FailedScheduling", told, at=1)],
        claim_events=list(events),
        **fields,
    )
    scene.pods = [pod(container({}), phase="Pending", node=None, claims=("datasets",), created=since)]
    return scene


def _of_claim(reason: str, message: str, *, kind: str = "Warning") -> Json:
    return event(reason, message, kind="PersistentVolumeClaim", about="datasets") | {"type": kind}


STORAGE = [
    _case("the binder waited in vain", "pvc_unbound", unplaced('running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded')),
    _case("the claim is not there, told by nobody", "pvc_not_found", Scene(phase="Pending", since=30, pods=[pod(container({}), phase="Pending", node=None, claims=("datasets",))]), says=("datasets", "kubectl get pvc")),
    _case("its storage class does not exist", "pvc_unbound", _waits_for_claim(_of_claim("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found'), claims=[claim()]), says=("storage class does not exist", "2Ti", "kubectl describe pvc datasets")),
    _case("a claim of which nobody says why it waits", "pvc_unbound", _waits_for_claim(claims=[claim()]), says=("claim datasets",)),
    _case("its volume is gone", "pvc_unbound", _waits_for_claim(claims=[claim(phase="Lost")]), says=("is gone",)),
    _case("the storage has no room", "pvc_unbound", _waits_for_claim(_of_claim("ProvisioningFailed", "failed to provision volume with StorageClass: rpc error: code = ResourceExhausted desc = insufficient capacity"), claims=[claim()]), says=("no room",)),
    _case("the server does not export to the node", "volume_mount_failed", _mounts(event("FailedMount", 'MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32 mount.nfs: access denied by server while mounting 10.0.0.4:/export'), claims=[claim(phase="Bound")]), says=("exports", "kubectl describe pvc datasets")),
    _case("the node has no such driver", "volume_mount_failed", _mounts(event("FailedMount", 'MountVolume.MountDevice failed for volume "pvc-1" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ebs.csi.aws.com not found in the list of registered CSI drivers'), claims=[claim(phase="Bound")]), says=(f"kubectl get csinode {NODE}",)),
    _case("a subPath that is not there", "volume_mount_failed", stuck("CreateContainerConfigError", 'failed to prepare subPath for volumeMount "data" of container "main"')),
    _case("a claim that one node may mount", "volume_in_use", _mounts(event("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1" Volume is already exclusively attached to one node and can\'t be attached to another'), claims=[claim(phase="Bound")]), says=("ReadWriteMany",)),
    _case("a disk that another instance uses", "volume_in_use", _mounts(event("FailedAttachVolume", "AttachVolume.Attach failed for volume \"pvc-1\" : rpc error: code = Internal desc = googleapi: Error 400: RESOURCE_IN_USE_BY_ANOTHER_RESOURCE - The disk resource 'd' is already being used by 'n-2'"), claims=[claim(phase="Bound")])),
    _case("a local volume of another node", "volume_zone_conflict", _mounts(event("FailedMount", 'MountVolume.NodeAffinity check failed for volume "local-pv" : no matching NodeSelectorTerms'), claims=[claim(phase="Bound")])),
    _case("the NFS server is gone", "storage_unresponsive", _mounts(event("FailedMount", 'MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32 Output: mount.nfs: Connection timed out'), claims=[claim(phase="Bound")]), says=(NODE,)),
    _case("an attachment that is never finished", "storage_unresponsive", _mounts(event("FailedAttachVolume", 'AttachVolume.Attach failed for volume "pvc-1" : rpc error: code = DeadlineExceeded desc = context deadline exceeded'), claims=[claim(phase="Bound")])),
    _case("a volume that may only be read", "read_only_filesystem", _mounts(event("FailedMount", 'MountVolume.SetUp failed for volume "data" : mount: /var/lib/kubelet: cannot mount /dev/sdb read-write, is write-protected.'), claims=[claim(phase="Bound")])),
    # What only looks like it.
    _case("a claim that waits for its first pod", "insufficient_gpu", unplaced("0/8 nodes are available: 8 Insufficient nvidia.com/gpu.", claims=[claim()], claim_events=[_of_claim("WaitForFirstConsumer", "waiting for first consumer to be created before binding", kind="Normal")])),
    _case("nobody complains of a claim that waits for its first pod", "insufficient_evidence", Scene(phase="Pending", since=30, pods=[pod(container({}), phase="Pending", node=None, claims=("datasets",))], claims=[claim()], claim_events=[_of_claim("WaitForFirstConsumer", "waiting for first consumer to be created before binding", kind="Normal")]), sure=False),
    _case("a Secret of a volume is no storage", "missing_secret", _mounts(event("FailedMount", 'MountVolume.SetUp failed for volume "s" : secret "s3-login" not found'), claims=[claim(phase="Bound")])),
    _case("the claim may not be read", "insufficient_evidence", Scene(phase="Pending", since=30, pods=[pod(container({}), phase="Pending", node=None, claims=("datasets",))], claims=[claim(phase="Bound")]), sure=False),
    _case("a mount that worked at the second attempt", "python_exception", exited(1, traceback("ValueError: bad shape"), events=[event("FailedMount", 'MountVolume.SetUp failed for volume "nfs" : mount failed', at=58)])),
    _case("a claim that was not bound at first", "python_exception", exited(1, traceback("ValueError: bad shape"), events=[event("FailedScheduling", "0/8 nodes are available: pod has unbound immediate PersistentVolumeClaims.", at=58)])),
    _case("a claim that is being provisioned", "pending_normally", _waits_for_claim(_of_claim("ExternalProvisioning", "Waiting for a volume to be created", kind="Normal"), since=2, claims=[claim()])),
    _case("kubelet's cache in a pod's first minute", "pending_normally", preparing(event("FailedMount", 'MountVolume.SetUp failed for volume "kube-api-access-8hcmj" : failed to sync configmap cache: timed out waiting for the condition'))),
    _case("another pod's volume", "python_exception", exited(1, traceback("ValueError: bad shape"), runai_events=[runai_event("FailedAttachVolume", "Multi-Attach error", about="other-job-0-0")])),
]  # fmt: skip

FAMILIES = (*GPU, *NODES, *SCHEDULING, *STORAGE)

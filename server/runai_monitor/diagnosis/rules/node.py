"""Nodes that fail under a workload: not ready, lost, shut down, out of disk, without a network or a device plugin.

Sources: Kubernetes' node lifecycle (well-known conditions and taints, `DisruptionTarget`, graceful node shutdown), kubelet's
eviction and admission messages (pkg/kubelet/eviction, cm/devicemanager), CNI messages of containerd and CRI-O, the
notices of AKS, EKS, GKE and Karpenter about nodes that go away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from runai_monitor.diagnosis.around import condition_of, condition_words, event_words
from runai_monitor.diagnosis.case import Case, all_run
from runai_monitor.diagnosis.messages import Message, Stage
from runai_monitor.diagnosis.rules import citations, gpu
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.sign import Sign, sign
from runai_monitor.diagnosis.rules.told import describe_node, describe_place, neighbours, node_of, told
from runai_monitor.diagnosis.wording import token
from runai_monitor.model.cluster import Node, Pod
from runai_monitor.model.workload import Condition, WorkloadPod

_AGAIN = "nothing of the workload failed: it can be started again as it is, on another node"
_BEFORE, _AFTER = timedelta(minutes=10), timedelta(minutes=10)
"""Kubernetes waits 40 s before it calls a node lost and five minutes before it deletes the pods."""

_LATELY = timedelta(minutes=15)
_LISTED = 0.65
"""How sure it is where only Run:ai's list tells, which lags behind and has no times."""

SIGNS: tuple[Sign, ...] = (
    sign("node_disk_pressure", "the node ran low on disk and evicted the pod", r"Evicted|Evict|TerminationByKubelet", r"low on resource: (?P<detail>ephemeral-storage|inodes|nodefs|imagefs|containerfs)|condition: \[?DiskPressure", "free space on the node: its disk was low, not this pod's limit; write large files to a volume (Run:ai: storage.pvc)", stage=Stage.RUNNING, confidence=0.95, source=citations.EVICTION),
    sign("gpu_hardware_fault", "the driver no longer reaches a GPU of the node: it is lost or faulty", r"UnexpectedAdmissionError", r"\bGPU (?:\S+ )?is lost|fallen off the bus|uncorrectable|\bECC error|GPU requires reset|\bXid\b|double.bit|NVLink error", "have {node} drained and the GPU tested; the node's kernel log names the XID (dmesg | grep -i xid)", stage=Stage.RUNNING, confidence=0.9, needs_reason=True, source=citations.DEVICE_PLUGINS),
    sign("device_plugin_failed", "the node's device plugin could not give the pod its GPUs", r"UnexpectedAdmissionError", r"no healthy devices|Allocate failed|device plugin|unhealthy devices|devices unavailable", "have the node's device plugin checked: kubectl get pods -A -o wide --field-selector spec.nodeName={node} (look for nvidia-device-plugin)", stage=Stage.RUNNING, confidence=0.93, needs_reason=True, source=citations.DEVICE_PLUGINS),
    sign("device_plugin_failed", "the container runtime does not find the GPU that the pod was given", r"CreateContainerError|RunContainerError|StartError|ContainerCannotRun|Failed|CrashLoopBackOff|BackOff", r"nvidia-container-cli: device error|failed to (?:inject|generate) CDI|unresolvable CDI devices|could not select device driver", "have the node's device plugin and container toolkit checked (pods of the GPU operator on {node}): what the plugin gave is not there", stage=Stage.STARTED, confidence=0.82, needs_reason=True, source=citations.CONTAINER_TOOLKIT),
    sign("node_shutdown", "the node was shut down", r"NodeShutdown|Shutdown|Terminated|TerminationByKubelet|Failed|ScaleDown", r"node shutdown|imminent node shutdown|NodeShutdown|node is shutting down|node scale down|node as toBeDeleted", "ask why the node was shut down; " + _AGAIN, stage=Stage.RUNNING, confidence=0.94, source=citations.NODE_SHUTDOWN),
    sign("node_lost", "the node was lost", r"NodeLost|DeletionByPodGC|NodeControllerEviction|OrphanedPod|PodGC|Killing", r"NodeLost|unresponsive|node no longer exists|node \S* ?(?:was )?lost", "have the node checked; " + _AGAIN, stage=Stage.RUNNING, confidence=0.93, needs_reason=True, source=citations.POD_GC),
    sign("node_not_ready", "the node was not ready", r"NodeNotReady|DeletionByTaintManager|TaintManagerEviction", r"not ready|NotReady|NoExecute|Marking for deletion|TaintManager", "have the node's kubelet, container runtime and network checked; " + _AGAIN, stage=Stage.RUNNING, confidence=0.86, needs_reason=True, source=citations.TAINT_EVICTION),
    sign("network_plugin_failed", "the pod got no network on the node", r"FailedCreatePodSand[Bb]ox|NetworkNotReady|FailedPodSandBoxStatus|ContainerCreating", r"setup network|networkPlugin|plugin type=|\bcni\b|network is not ready|NetworkPluginNotReady|assign an IP address|IP addresses available|IPAM|ip allocation", "have the network plugin's pod on the node checked: kubectl get pods -n kube-system -o wide --field-selector spec.nodeName={node}", stage=Stage.PREPARED, confidence=0.92, needs_reason=True, source=citations.NETWORK_PLUGINS),
    sign("network_plugin_failed", "the pod's sandbox could not be made on the node", r"FailedCreatePodSand[Bb]ox", r"failed to (?:create|start|set ?up)[^\n]{0,60}sandbox(?![^\n]*(?:image|pull|no runtime for))", "have the node's container runtime and network plugin checked", stage=Stage.PREPARED, confidence=0.72, role=Role.HINT, needs_reason=True, source=citations.RUNTIME_SPEC),
)  # fmt: skip
_THRESHOLD = re.compile(r"Threshold quantity: (?P<threshold>[\d.]+\w{0,2}), available: (?P<available>[\d.]+\w{0,2})")
_USER = re.compile(
    r"Container (?P<container>[\w.-]{1,63}) was using (?P<used>[\d.]+\w{0,2}), request is (?P<asked>[\d.]+\w{0,2})"
)
_DEVICES = re.compile(r"unavailable for (?P<what>[\w./-]{1,60})\. Requested: (?P<asked>\d+), Available: (?P<left>\d+)")

# Taints that tell of a node's state, with the cause each means (kubernetes.io, cluster autoscaler, Karpenter, clouds).
_TAINTS = (
    (re.compile(r"node\.kubernetes\.io/unreachable"), "node_lost"),
    (re.compile(r"node\.kubernetes\.io/not-ready"), "node_not_ready"),
    (re.compile(r"node\.cloudprovider\.kubernetes\.io/shutdown|node\.kubernetes\.io/out-of-service|ToBeDeletedByClusterAutoscaler|DeletionCandidate|karpenter\.sh/disrupt\w*|impending-node-termination|aws-node-termination-handler/\S+"), "node_shutdown"),
)  # fmt: skip
_GOING = re.compile(r"NodeShutdown|Shutdown|Reboot(?:ed|Scheduled)|TerminateScheduled|PreemptScheduled|RedeployScheduled|Spot\w*Interrupt\w*|TerminatingOnInterruption|Instance(?:Terminating|Stopping)|Disrupt\w*Terminating|ScaleDown|RemovingNode|DeletingNode")  # fmt: skip
_NOTICES = ((_GOING, "node_shutdown"), (re.compile(r"NodeNotReady|NodeStatusUnknown"), "node_not_ready"))
_KILLED = frozenset({0, 137, 143, 255, None})
"""Exit codes of what was stopped from outside, and of containers that had ended well."""
_TITLES = {
    "node_lost": "was lost: its kubelet stopped reporting",
    "node_not_ready": "was not ready",
    "node_shutdown": "was shut down or taken away",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What a node's own state says, and since when."""

    cause: str
    said: tuple[str, str]
    at: datetime | None
    words: str = ""


def find(case: Case) -> Iterator[Finding]:
    """Findings from the state of the nodes that the pods are or were on."""
    for pod in case.pods:
        if pod.node:
            yield from _of_node(case, pod)
    present = {pod.name for pod in case.pods}
    for lost in case.runai_pods:
        if lost.name not in present and lost.node in case.around.gone and lost.completed_at is None:
            yield _gone(case, lost.name, lost.node or "", lost.deleted_at)
        elif lost.name not in present:
            yield from _of_listed_node(case, lost)


def told_of(case: Case, message: Message, entry: Sign) -> Finding:
    """The finding from a message that an entry of `SIGNS` matches, with what the node itself says."""
    node = node_of(case, message.about)
    cause, title, cited = entry.cause, entry.title, []
    trouble = _trouble(case, node) if cause == "node_not_ready" and node else None
    if trouble is not None:
        # The eviction says only that there was a taint; the node says which.
        cause, cited = trouble.cause, [case.cite(*trouble.said, at=trouble.at)]
        title = f"the node {_TITLES[trouble.cause]}"
    follows = cause == "device_plugin_failed" and any(
        f.is_hardware and f.is_fatal for f in gpu.faults(case, node or "")
    )
    explanation = " ".join(filter(None, (_numbers(message.text), neighbours(case, node))))
    return told(
        case,
        message,
        cause=cause,
        title=title.replace("the node", f"node {token(node)}", 1) if node else title,
        confidence=entry.confidence,
        explanation=explanation,
        next_steps=(
            *(step.replace("{node}", token(node) if node else "<node>") for step in entry.advice),
            describe_node(node) if node else describe_place(case, message),
        ),
        evidence_ids=cited,
        role=Role.FOLLOWS if follows else entry.role,
        never=entry.never,
    )


def _numbers(text: str) -> str:
    """The amounts kubelet names, as a sentence."""
    said = []
    if disk := _THRESHOLD.search(text):
        said.append(f"{disk['available']} were left, the threshold is {disk['threshold']}.")
    if user := _USER.search(text):
        said.append(f"Container {token(user['container'])} used {user['used']} of it and asked for {user['asked']}.")
    if devices := _DEVICES.search(text):
        said.append(f"{devices['asked']} {token(devices['what'])} were asked for, {devices['left']} could be given.")
    return " ".join(said)


def _of_node(case: Case, pod: Pod) -> Iterator[Finding]:
    """What the state of a pod's node explains: a lost node whatever the pod seems to do, the rest only what suffers."""
    name = pod.node or ""
    if name in case.around.gone:
        yield _gone(case, pod.name, name, None)
        return
    trouble = _trouble(case, name)
    end = _end(pod)
    if trouble is not None and not _is_earlier(trouble.at, pod):
        if case.around.nodes[name].by_runai:
            yield _finding(case, pod, trouble, _LISTED, role=Role.HINT)
        else:
            yield _finding(case, pod, trouble, 0.9 if trouble.cause != "node_shutdown" else 0.82)
    elif trouble is None and end is not None:
        yield from _noticed(case, pod, end)
    elif trouble is None and name not in case.around.nodes and not _is_back(case, name):
        yield from _noticed(case, pod, case.now)
    node = case.around.nodes.get(name)
    if node is None:
        return
    unavailable = condition_of(node, "NetworkUnavailable")
    if unavailable is not None and unavailable.status == "True" and not all_run(pod) and end is None:
        yield _finding(case, pod, _from(node, unavailable, "network_plugin_failed", "has no network"), 0.85)
    drained = next((c for c in pod.conditions if c.reason == "EvictionByEvictionAPI" and c.status == "True"), None)
    if drained is not None and node.cordoned and trouble is None:
        said = (f"condition {drained.type} of pod {token(pod.name)}", f"{drained.reason}: {drained.message or ''}")
        words = "was drained: it is cordoned and its pods were evicted"
        yield _finding(case, pod, Trouble(cause="node_shutdown", said=said, at=drained.changed_at, words=words), 0.78)
    read_only = condition_of(node, "ReadonlyFilesystem")
    if read_only is not None and read_only.status == "True" and end is not None:
        trouble = _from(node, read_only, "read_only_filesystem", "has a file system that became read-only")
        yield _finding(case, pod, trouble, 0.6, role=Role.HINT)
    pressure = condition_of(node, "DiskPressure")
    if pressure is not None and pressure.status == "True" and pod.pod_phase == "Failed":
        trouble = _from(node, pressure, "node_disk_pressure", "is low on disk")
        yield _finding(case, pod, trouble, 0.6, role=Role.HINT)


def _of_listed_node(case: Case, pod: WorkloadPod) -> Iterator[Finding]:
    """What Run:ai lists of the node of a pod that Kubernetes does not show; it says not since when."""
    node = case.around.nodes.get(pod.node or "")
    over = pod.completed_at is not None or (pod.deleted_at is not None and case.now - pod.deleted_at > _LATELY)
    if node is None or not node.by_runai or over:
        return
    trouble = _trouble(case, node.name)
    if trouble is not None:
        yield _finding(case, pod, trouble, _LISTED, role=Role.HINT)


def _trouble(case: Case, name: str) -> Trouble | None:
    """Why a node takes no pods: by its condition Ready, else by its taints."""
    node = case.around.nodes.get(name)
    if node is None:
        return None
    ready = condition_of(node, "Ready")
    if ready is not None and ready.status == "False":
        said = f"{ready.reason or ''} {ready.message or ''}"
        if re.search(r"shutting down|NodeShutdown", said):
            return _from(node, ready, "node_shutdown", "is shutting down")
        why = next((words for pattern, words in _WHY_NOT_READY if pattern.search(said)), "")
        return _from(node, ready, "node_not_ready", f"is not ready{why}")
    # Run:ai's `Unknown` may only mean that it knows nothing of the node.
    if ready is not None and ready.status == "Unknown" and (not node.by_runai or ready.reason == "NodeStatusUnknown"):
        return _from(node, ready, "node_lost", "was lost: its kubelet stopped reporting")
    for taint in node.taints:
        cause = next((cause for pattern, cause in _TAINTS if pattern.search(taint.key)), None)
        if cause is not None and taint.effect != "PreferNoSchedule":
            words = f"{taint.key}={taint.value or ''}:{taint.effect}"
            return Trouble(cause=cause, said=(f"taints of node {token(name)}", words), at=taint.since)
    return None


_WHY_NOT_READY = (
    (re.compile(r"network|cni", re.IGNORECASE), ": its network plugin is not"),
    (re.compile(r"PLEG|container runtime|containerd|docker|crio", re.IGNORECASE), ": its container runtime does not answer"),
)  # fmt: skip


def _from(node: Node, condition: Condition, cause: str, words: str) -> Trouble:
    return Trouble(cause=cause, said=condition_words(node, condition), at=condition.changed_at, words=words)


def _finding(
    case: Case, pod: Pod | WorkloadPod, trouble: Trouble, confidence: float, *, role: Role = Role.OWN
) -> Finding:
    node = token(pod.node)
    since = f" since {trouble.at:%H:%M:%S} UTC" if trouble.at else ""
    others = neighbours(case, pod.node)
    return Finding(
        cause=trouble.cause,
        title=f"node {node} {trouble.words or _TITLES.get(trouble.cause, 'has trouble')}",
        confidence=confidence,
        explanation=f"Pod {token(pod.name)} was on node {node}, whose own state tells it{since}.{others and ' '}{others}",
        evidence_ids=(case.cite(*trouble.said, at=trouble.at),),
        next_steps=(f"have node {node} checked; {_AGAIN}", describe_node(pod.node)),
        strength=Strength.NODE,
        role=role,
        at=trouble.at,
        place=pod.name,
        never=False,
    )


def _gone(case: Case, pod: str, node: str, at: datetime | None) -> Finding:
    return Finding(
        cause="node_lost",
        title=f"node {token(node)} does not exist any more",
        confidence=0.88,
        explanation=f"Pod {token(pod)} was on node {token(node)}, which is gone from the cluster: removed, or taken back by the cloud.",
        evidence_ids=(case.cite(f"node {token(node)}", "Kubernetes has no node of that name (404)"),),
        next_steps=(f"ask who removed it (autoscaler, spot instance, maintenance); {_AGAIN}", describe_node(None)),
        strength=Strength.NODE,
        at=at,
        place=pod,
        never=False,
    )  # fmt: skip


def _noticed(case: Case, pod: Pod, end: datetime) -> Iterator[Finding]:
    """What the node's events say of it around the time a pod of it ended: certain for what was killed from outside."""
    for event in case.node_events:
        near = event.at is not None and end - _BEFORE <= event.at <= end + _AFTER
        if event.object_kind != "Node" or event.object_name != pod.node or not near:
            continue
        cause = next((cause for pattern, cause in _NOTICES if pattern.fullmatch(event.reason)), None)
        if cause is not None:
            killed = all(c.ended is None or c.ended.exit_code in _KILLED for c in pod.containers)
            trouble = Trouble(cause=cause, said=event_words(event), at=min(event.at or end, end))
            role = Role.OWN if killed else Role.HINT
            yield _finding(case, pod, trouble, 0.82 if killed else 0.6, role=role)
            return


def _is_back(case: Case, name: str) -> bool:
    """Whether the last event about a node's readiness says that it is ready."""
    told = [(e.at, e.reason) for e in case.node_events if e.object_name == name and e.at is not None]
    told = [(at, reason) for at, reason in told if reason in {"NodeReady", "NodeNotReady"}]
    return bool(told) and max(told)[1] == "NodeReady"


def _end(pod: Pod) -> datetime | None:
    """When a pod ended badly."""
    ends = [c.ended.finished_at for c in pod.containers if c.ended is not None and c.ended.exit_code != 0]
    return min((at for at in ends if at is not None), default=None)


def _is_earlier(at: datetime | None, pod: Pod) -> bool:
    """Whether a pod had ended before, or works although, its node came into trouble."""
    end = _end(pod)
    return at is not None and end is not None and end < at - _BEFORE

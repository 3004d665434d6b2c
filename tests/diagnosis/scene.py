"""What Run:ai and Kubernetes return about one workload, in few words; read through the project's own decoders.

A scene is wire data: rows and objects as the two APIs send them. Instants are minutes before `NOW`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
import msgspec

from runai_monitor.diagnosis.diagnose import Diagnoser
from runai_monitor.errors import KubeError, KubeForbiddenError, KubeNotFoundError, MonitorError
from runai_monitor.kube.client import decode_pod
from runai_monitor.kube.convert import EventWire, event_of
from runai_monitor.kube.surroundings import (
    ClaimWire,
    LimitRangeWire,
    NodeWire,
    QuotaWire,
    claim_of,
    limit_range_of,
    node_of,
    quota_of,
)
from runai_monitor.model.cluster import KubeEvent, LimitRange, Node, Pod, ResourceQuota, VolumeClaim
from runai_monitor.model.diagnosis import Diagnosis
from runai_monitor.model.workload import (
    Workload,
    WorkloadDetail,
    WorkloadEvent,
    WorkloadHistory,
    WorkloadId,
    WorkloadPod,
)
from runai_monitor.runai import convert
from runai_monitor.runai.wire import WorkloadRow
from tests.fakes import EPOCH, FakeClock

NOW = EPOCH
NAME, PROJECT, NAMESPACE, NODE, IMAGE = "llama-sft", "llm", "runai-llm", "gpu-7", "registry.example.com/llm/train:4.2"
ID = "6f0c2a0e-4b8e-4a52-9d0e-2f5a7f2c9b10"
Json = dict[str, Any]


def ago(minutes: float) -> str:
    """The instant so many minutes before now, as both APIs write it."""
    return (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ended(code: int, reason: str = "Error", *, message: str | None = None, at: float = 5) -> Json:
    """A terminated state."""
    state: Json = {"exitCode": code, "reason": reason, "startedAt": ago(at + 30), "finishedAt": ago(at)}
    return {"terminated": state | ({"message": message} if message else {})}


def waiting(reason: str, message: str | None = None) -> Json:
    """A waiting state."""
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def running(since: float = 60) -> Json:
    """A running state."""
    return {"running": {"startedAt": ago(since)}}


def container(
    state: Json,
    *,
    last: Json | None = None,
    name: str = "main",
    restarts: int = 0,
    memory: str | None = None,
    ready: bool = False,
) -> Json:
    """A container with its state, the state before, and its memory limit."""
    status: Json = {"name": name, "state": state, "lastState": last or {}, "restartCount": restarts, "image": IMAGE}
    status["ready"] = ready
    return {
        "status": status,
        "spec": {"name": name, "image": IMAGE, "resources": {"limits": {"memory": memory} if memory else {}}},
    }


def pod(
    *containers: Json,
    index: int = 0,
    phase: str = "Failed",
    node: str | None = NODE,
    created: float = 60,
    init: tuple[Json, ...] = (),
    debugging: tuple[Json, ...] = (),
    reason: str | None = None,
    message: str | None = None,
    conditions: tuple[Json, ...] = (),
    secrets: bool = False,
    name: str | None = None,
    uid: str | None = None,
    owner: str = "owner-1",
    namespace: str = NAMESPACE,
    claims: tuple[str, ...] = (),
    selector: Json | None = None,
) -> Json:
    """A pod as Kubernetes sends it; the first of a workload unless `index` says otherwise."""
    name = name or f"{NAME}-{index}-0"
    labels = {"workloadName": NAME, "batch.kubernetes.io/job-completion-index": str(index)}
    spec: Json = {
        "containers": [c["spec"] for c in containers],
        "initContainers": [c["spec"] for c in init],
        "ephemeralContainers": [c["spec"] for c in debugging],
    }
    spec["volumes"] = [{"name": f"v-{claim}", "persistentVolumeClaim": {"claimName": claim}} for claim in claims]
    spec["nodeSelector"] = selector or {}
    status: Json = {
        "phase": phase, "startTime": ago(created - 1), "conditions": list(conditions), "reason": reason, "message": message,
        "containerStatuses": [c["status"] for c in containers], "initContainerStatuses": [c["status"] for c in init],
        "ephemeralContainerStatuses": [c["status"] for c in debugging],
    }  # fmt: skip
    return {
        "metadata": {
            "name": name, "namespace": namespace, "uid": uid or f"uid-{name}", "creationTimestamp": ago(created), "labels": labels,
            "ownerReferences": [{"name": owner, "uid": owner, "controller": True}],
        },
        "spec": spec | ({"nodeName": node} if node else {}) | ({"imagePullSecrets": [{"name": "regcred"}]} if secrets else {}),
        "status": status,
    }  # fmt: skip


def node(
    *conditions: Json,
    name: str = NODE,
    gpus: int = 8,
    healthy: int | None = None,
    taints: tuple[Json, ...] = (),
    cordoned: bool = False,
) -> Json:
    """A node; ready unless its conditions say otherwise. `healthy` is how many of its GPUs the device plugin offers."""
    kinds = {c["type"] for c in conditions}
    ready = (
        []
        if "Ready" in kinds
        else [condition("Ready", "True", "KubeletReady", "kubelet is posting ready status", at=900)]
    )
    return {
        "metadata": {"name": name, "labels": {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}},
        "spec": {"taints": list(taints), "unschedulable": cordoned},
        "status": {
            "conditions": [*ready, *conditions],
            "capacity": {"nvidia.com/gpu": str(gpus)},
            "allocatable": {"nvidia.com/gpu": str(gpus if healthy is None else healthy)},
        },
    }


def claim(name: str = "datasets", *, phase: str = "Pending", storage_class: str | None = "fast") -> Json:
    """A volume claim."""
    spec: Json = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "2Ti"}}}
    spec |= {"storageClassName": storage_class} if storage_class else {}
    return {"metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec, "status": {"phase": phase}}


def condition(type_: str, status: str, reason: str, message: str, at: float = 5) -> Json:
    """A pod condition."""
    return {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(at)}


def event(
    reason: str, message: str, *, at: float = 4, about: str | int = 0, kind: str = "Pod", uid: str | None = None
) -> Json:
    """A Kubernetes event; `about` is the index of a pod, or a name."""
    name = f"{NAME}-{about}-0" if isinstance(about, int) else about
    return {
        "involvedObject": {"kind": kind, "name": name, "uid": uid or (f"uid-{name}" if kind == "Pod" else "")},
        "type": "Warning", "reason": reason, "message": message, "lastTimestamp": ago(at), "source": {"component": "kubelet"},
    }  # fmt: skip


def runai_event(reason: str, message: str, *, at: float = 4, about: str | int = 0, kind: str = "Pod") -> Json:
    """An entry of Run:ai's event list."""
    name = f"{NAME}-{about}-0" if isinstance(about, int) else about
    return {
        "createdAt": ago(at),
        "type": "Warning",
        "reason": reason,
        "message": message,
        "involvedObject": {"kind": kind, "name": name},
    }


def runai_pod(index: int = 0, *, phase: str = "Failed", deleted: float | None = None, node: str | None = NODE) -> Json:
    """An entry of Run:ai's pod list."""
    name = f"{NAME}-{index}-0"
    row = {
        "name": name,
        "id": f"uid-{name}",
        "workloadId": ID,
        "k8sPhase": phase,
        "nodeName": node,
        "createdAt": ago(60),
    }
    return row | ({"deletedAt": ago(deleted)} if deleted is not None else {})


def runai_node(status: str = "Ready", *conditions: Json, name: str = NODE, taints: tuple[Json, ...] = ()) -> Json:
    """An entry of Run:ai's node list; its conditions have a type, a reason and a message, and no status."""
    return {
        "name": name, "clusterUuid": "cluster-1", "status": status, "nodePool": "default", "createdAt": ago(9000), "updatedAt": ago(1),
        "gpuInfo": {"gpuType": "NVIDIA-H100-80GB-HBM3", "gpuCount": 8}, "conditions": list(conditions), "taints": list(taints),
    }  # fmt: skip


def change(phase: str, message: str | None = None, *, at: float = 5) -> Json:
    """A phase update of Run:ai's history."""
    return {"meta": {"creationTimestamp": ago(at)}, "spec": {"phaseUpdate": {"phase": phase, "phaseMessage": message}}}


@dataclass
class Scene:
    """Everything there is to read about one workload.

    `logs` holds text by (pod index, container, previous); `broken` an error for each thing that cannot be read;
    `silent` what never answers. Both name things as `_read` does.
    """

    phase: str = "Failed"
    message: str | None = None
    reason: str | None = None
    since: float = 5
    created: float = 60
    pods: list[Json] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)
    node_events: list[Json] = field(default_factory=list)
    runai_events: list[Json] = field(default_factory=list)
    runai_pods: list[Json] = field(default_factory=list)
    history: list[Json] = field(default_factory=list)
    runai_nodes: list[Json] = field(default_factory=list)
    logs: dict[tuple[int | str, str, bool], str] = field(default_factory=dict)
    row: Json = field(default_factory=dict)
    detail: Json = field(default_factory=dict)
    kube: bool = True
    nodes: list[Json] = field(default_factory=list)
    claims: list[Json] = field(default_factory=list)
    claim_events: list[Json] = field(default_factory=list)
    quotas: list[Json] = field(default_factory=list)
    limit_ranges: list[Json] = field(default_factory=list)
    others: list[Json] = field(default_factory=list)
    broken: dict[str, MonitorError] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def workload_row(self) -> WorkloadRow:
        """The workload's row."""
        row = {
            "id": ID, "name": NAME, "type": "Training", "phase": self.phase, "projectName": PROJECT, "namespace": NAMESPACE,
            "clusterId": "cluster-1", "phaseMessage": self.message, "phaseReason": self.reason, "images": [IMAGE],
            "phaseUpdatedAt": ago(self.since), "createdAt": ago(self.created), **self.row,
        }  # fmt: skip
        return msgspec.convert(row, WorkloadRow)

    def workload(self) -> Workload:
        """The row as the monitor has it."""
        return convert.convert_workload(self.workload_row())

    async def read(self, what: str, detail: Any = None) -> None:
        """Notes what is asked for; fails or hangs where the scene says so."""
        self.asked.append((what, detail))
        await anyio.lowlevel.checkpoint()
        if what in self.silent:
            await anyio.sleep_forever()
        if what in self.broken:
            raise self.broken[what]

    async def diagnose(self, clock: FakeClock | None = None, **options: Any) -> Diagnosis:
        """The scene through the front door."""
        include_logs = options.pop("include_logs", True)
        kube = FakeKube(self) if self.kube else None
        diagnoser = Diagnoser(runai=FakeRunai(self), kube=kube, clock=clock or FakeClock(NOW), **options)
        return await diagnoser.diagnose(self.workload(), include_logs=include_logs)


class FakeRunai:
    """The control plane of one scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def get_workload(self, workload_id: WorkloadId) -> WorkloadDetail:
        await self._scene.read("detail", workload_id)
        return convert.convert_detail(self._scene.workload_row(), self._scene.detail)

    async def list_pods(self, workload_id: WorkloadId, *, deleted: bool = False) -> list[WorkloadPod]:
        await self._scene.read("runai_pods", deleted)
        rows = [row for row in self._scene.runai_pods if ("deletedAt" in row) == deleted]
        return [convert.convert_pod(row, workload_id) for row in rows]

    async def list_events(self, workload_id: WorkloadId, *, limit: int = 200) -> list[WorkloadEvent]:
        await self._scene.read("runai_events", workload_id)
        return [convert.convert_event(row) for row in self._scene.runai_events][:limit]

    async def get_history(self, workload_id: WorkloadId) -> WorkloadHistory:
        await self._scene.read("history", workload_id)
        return convert.convert_history(self._scene.history)

    async def find_nodes(self, name: str, *, cluster_id: str) -> list[Node]:
        await self._scene.read("runai_nodes", (name, cluster_id))
        return [convert.convert_node(row) for row in self._scene.runai_nodes if row["name"] == name]


class FakeKube:
    """The cluster of one scene: labels, names, events by object, logs by run."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._pods = [found for wire in scene.pods if (found := decode_pod(msgspec.json.encode(wire))) is not None]

    async def list_pods(self, namespace: str | None, *, workload_name: str | None = None) -> list[Pod]:
        await self._scene.read("pods", (namespace, workload_name))
        return [p for p in self._pods if p.namespace == namespace and p.workload_name == workload_name]

    async def get_pod(self, namespace: str, name: str) -> Pod:
        await self._scene.read("pod", (namespace, name))
        for found in self._pods:
            if (found.namespace, found.name) == (namespace, name):
                return found
        raise KubeNotFoundError(f"pod {name} does not exist (any more)")

    async def list_events(
        self,
        namespace: str,
        *,
        object_name: str | None = None,
        object_uid: str | None = None,
        object_kind: str | None = None,
    ) -> list[KubeEvent]:
        of_claim = object_kind == "PersistentVolumeClaim"
        await self._scene.read("claim_events" if of_claim else "events", object_name)
        found = _events(self._scene.claim_events if of_claim else self._scene.events)
        return [e for e in found if object_name in {None, e.object_name} and object_kind in {None, e.object_kind}]

    async def list_node_events(self, name: str) -> list[KubeEvent]:
        await self._scene.read("node_events", name)
        return [e for e in _events(self._scene.node_events) if e.object_name == name]

    async def list_nodes(self) -> list[Node]:
        await self._scene.read("nodes")
        return [node_of(msgspec.convert(wire, NodeWire)) for wire in self._scene.nodes]

    async def get_node(self, name: str) -> Node:
        await self._scene.read("node", name)
        for wire in self._scene.nodes:
            if wire["metadata"]["name"] == name:
                return node_of(msgspec.convert(wire, NodeWire))
        # A scene that describes no node has a healthy one.
        if self._scene.nodes:
            raise KubeNotFoundError(f'nodes "{name}" not found')
        return Node(name=name)

    async def list_pods_on(self, node: str) -> list[Pod]:
        await self._scene.read("pods_on", node)
        others = [decode_pod(msgspec.json.encode(wire)) for wire in self._scene.others]
        return [p for p in (*self._pods, *others) if p is not None and p.node == node]

    async def get_claim(self, namespace: str, name: str) -> VolumeClaim:
        await self._scene.read("claim", name)
        for wire in self._scene.claims:
            if wire["metadata"]["name"] == name:
                return claim_of(msgspec.convert(wire, ClaimWire))
        raise KubeNotFoundError(f'persistentvolumeclaims "{name}" not found')

    async def list_quotas(self, namespace: str) -> list[ResourceQuota]:
        await self._scene.read("quotas", namespace)
        return [quota_of(msgspec.convert(wire, QuotaWire)) for wire in self._scene.quotas]

    async def list_limit_ranges(self, namespace: str) -> list[LimitRange]:
        await self._scene.read("limit_ranges", namespace)
        return [limit_range_of(msgspec.convert(wire, LimitRangeWire)) for wire in self._scene.limit_ranges]

    async def read_log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        tail_lines: int = 100,
        limit_bytes: int = 262_144,
    ) -> str:
        await self._scene.read("log", (pod, container, previous))
        for (where, inside, which), text in self._scene.logs.items():
            name = f"{NAME}-{where}-0" if isinstance(where, int) else where
            if (name, inside, which) == (pod, container, previous):
                return "\n".join(text.split("\n")[-tail_lines:])[-limit_bytes:]
        raise KubeNotFoundError(f"container {container} of pod {pod} has no such log")


def _events(wires: list[Json]) -> list[KubeEvent]:
    return [event_of(msgspec.convert(wire, EventWire)) for wire in wires]


def forbidden(what: str) -> KubeError:
    """RBAC's refusal."""
    return KubeForbiddenError(f"not allowed to read {what}")


def exited(code: int, log: str = "", *, reason: str = "Error", message: str | None = None, **fields: Any) -> Scene:
    """One pod whose only container ended, with its log."""
    scene = Scene(
        pods=[pod(container(ended(code, reason, message=message), memory=fields.pop("memory", None)))], **fields
    )
    if log:
        scene.logs[0, "main", False] = log
    return scene


def stuck(reason: str, message: str, *events: Json, secrets: bool = False, phase: str = "Initializing") -> Scene:
    """One pod whose container cannot start."""
    waits = pod(container(waiting(reason, message)), phase="Pending", secrets=secrets)
    return Scene(phase=phase, pods=[waits], events=list(events), since=4)


def preparing(*events: Json) -> Scene:
    """One pod that is placed, and whose volumes or network are still being made."""
    return Scene(
        phase="Initializing",
        since=4,
        events=list(events),
        pods=[pod(container(waiting("ContainerCreating")), phase="Pending")],
    )


def unplaced(
    message: str, *, since: float = 30, reason: str | None = None, phase: str = "Pending", **fields: Any
) -> Scene:
    """One pod that the scheduler has no place for."""
    blocked = condition("PodScheduled", "False", "Unschedulable", message, at=since)
    waits = pod(container({}), phase="Pending", node=None, conditions=(blocked,), created=since)
    return Scene(
        phase=phase,
        since=since,
        pods=[waits],
        events=[event("FailedScheduling", message, at=1)],
        reason=reason,
        **fields,
    )


def gone(*events: Json, phase: str = "Failed", **fields: Any) -> Scene:
    """A workload of which Kubernetes has nothing left: only Run:ai's own events tell."""
    return Scene(phase=phase, runai_events=list(events), runai_pods=[runai_pod(deleted=2)], **fields)


def traceback(
    raised: str, *, file: str = "/workspace/train.py", line: int = 88, code: str = "main()", before: str = ""
) -> str:
    """A log that ends with an uncaught exception, after some steps of work."""
    return (
        f"step 100 | loss 2.31\nstep 110 | loss 2.30\n{before}Traceback (most recent call last):\n"
        f'  File "{file}", line {line}, in <module>\n    {code}\n'
        '  File "/usr/lib/python3.11/site-packages/lib/core.py", line 12, in run\n    return fn(*args)\n'
        f"{raised}\n"
    )

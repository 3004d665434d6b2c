"""Builders of what Run:ai and Kubernetes send. A case says what is special about it; everything else is ordinary.

Instants are minutes from the moment of the diagnosis: `at=-5` is five minutes ago. One job, one namespace and one set of
names serve every case, so that messages can be written as they are printed.
"""

from __future__ import annotations

import textwrap
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
JOB = "llama-ft"
PROJECT = "vision"
NAMESPACE = "runai-vision"
NODE = "gpu-07"
IMAGE = "nvcr.io/nvidia/pytorch:24.05-py3"
CLUSTER_ID = "71f69d83-ba66-4822-adf5-55ce55efd210"
JOB_ID = "5a0c3d1e-8f5b-4a67-9a36-0c1c2c6d7e10"
_TENANT_ID = 1001
_RECENT = -4.0


def instant(at: float) -> str:
    """The wire's text for `at` minutes from now."""
    return (NOW + timedelta(minutes=at)).isoformat().replace("+00:00", "Z")


def uid(*names: str) -> str:
    """The same uid for the same object in every message about it."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))


def text_of(log: str) -> str:
    """A log as written in a case: without the indentation of the source."""
    return textwrap.dedent(log).lstrip("\n")


def raised(error: str, *, file: str = "/workspace/train.py", line: int = 42, code: str = "main()") -> str:
    """An ordinary traceback that ends in `error`."""
    return f'Traceback (most recent call last):\n  File "{file}", line {line}, in <module>\n    {code}\n{error}\n'


# --- container states ------------------------------------------------------------------------------------------------


def running(since: float = -40) -> Json:
    """Running since then."""
    return {"running": {"startedAt": instant(since)}}


def waiting(reason: str, message: str | None = None) -> Json:
    """Waiting, as kubelet says it."""
    return {"waiting": {"reason": reason} | ({"message": message} if message else {})}


def ended(code: int, *, at: float = -5, began: float = -55, reason: str = "", message: str = "") -> Json:
    """Terminated with an exit code; the reason is kubelet's usual one unless given."""
    said = {"message": message} if message else {}
    return {
        "terminated": {
            "exitCode": code,
            "reason": reason or ("Completed" if code == 0 else "Error"),
            "startedAt": instant(began),
            "finishedAt": instant(at),
            "containerID": "containerd://" + uid("container", str(at)).replace("-", ""),
            **said,
        }
    }


def oom_killed(*, at: float = -5, began: float = -55) -> Json:
    """Killed by the kernel at the container's own memory limit."""
    return ended(137, at=at, began=began, reason="OOMKilled")


# --- containers, pods, events ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerWire:
    """One container: its specification, its status and its logs."""

    name: str
    spec: Json
    status: Json | None
    log: str = ""
    previous: str = ""
    role: str = ""


def container(
    state: Json | None,
    *,
    name: str = "main",
    image: str = IMAGE,
    memory: str | None = "64Gi",
    gpus: int = 1,
    restarts: int = 0,
    last: Json | None = None,
    log: str = "",
    previous: str = "",
    role: str = "",
    command: Sequence[str] = ("python", "train.py"),
) -> ContainerWire:
    """A container in a state (None: kubelet has not reported it yet).

    `previous` is the log of the run before; `role` is `init`, `ephemeral` (a person's debugging session) or nothing.
    """
    limits = ({"memory": memory} if memory else {}) | ({"nvidia.com/gpu": str(gpus)} if gpus else {})
    status = None
    if state is not None:
        status = {
            "name": name,
            "image": image,
            "imageID": "",
            "ready": "running" in state,
            "restartCount": restarts,
            "state": state,
            "lastState": last or {},
        }
    return ContainerWire(
        name=name,
        spec={"name": name, "image": image, "command": list(command), "resources": {"limits": limits}},
        status=status,
        log=text_of(log),
        previous=text_of(previous),
        role=role,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PodWire:
    """One pod with its logs and its events; `gone` pods exist only in Run:ai's list of deleted pods."""

    name: str
    body: Json
    logs: Mapping[tuple[str, bool], str]
    events: tuple[Json, ...] = ()
    gone: bool = False


def pod(
    *containers: ContainerWire,
    rank: str = "",
    name: str = "",
    node: str | None = NODE,
    phase: str = "",
    reason: str = "",
    message: str = "",
    conditions: Sequence[Json] = (),
    created: float = -60,
    events: Sequence[Json] = (),
    pull_secret: bool = True,
    deleting: bool = False,
    gone: bool = False,
) -> PodWire:
    """A pod of the job; `rank` is `master-0`, `worker-3` or the like. Its phase follows from its containers."""
    name = name or f"{JOB}-{rank or '0-0'}"
    role, _, index = rank.partition("-")
    replica = {"training.kubeflow.org/replica-type": role, "training.kubeflow.org/replica-index": index}
    status: Json = {
        "phase": phase or _phase_of(containers),
        "conditions": [{"type": "PodScheduled", "status": "True" if node else "False"}, *conditions],
        "containerStatuses": [c.status for c in containers if c.status and not c.role],
        "initContainerStatuses": [c.status for c in containers if c.status and c.role == "init"],
        "ephemeralContainerStatuses": [c.status for c in containers if c.status and c.role == "ephemeral"],
        "hostIP": "10.0.0.7",
    }
    status |= ({"startTime": instant(created + 1)} if node else {}) | ({"reason": reason} if reason else {})
    status |= {"message": message} if message else {}
    meta = {
        "name": name,
        "namespace": NAMESPACE,
        "uid": uid("pod", name),
        "creationTimestamp": instant(created),
        "labels": {"workloadName": JOB, "project": PROJECT} | (replica if index else {}),
        "annotations": {"pod-group-name": f"pg-{JOB}-{uid('owner', JOB)}"},
        "ownerReferences": [{"kind": "RunaiJob", "name": JOB, "uid": uid("owner", JOB), "controller": True}],
    }
    meta |= {"deletionTimestamp": instant(-1)} if deleting else {}
    spec: Json = {
        "schedulerName": "runai-scheduler",
        "containers": [c.spec for c in containers if not c.role] or [container(None).spec],
        "initContainers": [c.spec for c in containers if c.role == "init"],
        "ephemeralContainers": [c.spec for c in containers if c.role == "ephemeral"],
    }
    spec |= ({"nodeName": node} if node else {}) | ({"imagePullSecrets": [{"name": "ngc"}]} if pull_secret else {})
    return PodWire(
        name=name,
        body={"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status},
        logs={(c.name, previous): log for c in containers for previous, log in ((False, c.log), (True, c.previous))},
        events=tuple(about(event, "Pod", name) for event in events),
        gone=gone,
    )


def _phase_of(containers: Sequence[ContainerWire]) -> str:
    states = [c.status["state"] for c in containers if c.status and not c.role]
    codes = [state["terminated"]["exitCode"] for state in states if "terminated" in state]
    if states and len(codes) == len(states):
        return "Failed" if any(codes) else "Succeeded"
    restarted = any(c.status and c.status["restartCount"] for c in containers if not c.role)
    return "Running" if restarted or any("running" in state or "terminated" in state for state in states) else "Pending"


def crashed(
    code: int,
    log: str = "",
    *,
    at: float = -5,
    reason: str = "",
    message: str = "",
    beside: Sequence[ContainerWire] = (),
    image: str = IMAGE,
    memory: str | None = "64Gi",
    gpus: int = 1,
    **fields: Any,
) -> PodWire:
    """A pod whose main container ended with `code`, and what it wrote."""
    main = container(ended(code, at=at, reason=reason, message=message), log=log, image=image, memory=memory, gpus=gpus)
    return pod(main, *beside, **fields)


def looping(code: int, log: str, *, restarts: int = 6, reason: str = "", at: float = -2, **fields: Any) -> PodWire:
    """A pod in CrashLoopBackOff: the log that matters is that of the previous run."""
    back_off = f"back-off 5m0s restarting failed container=main pod={JOB}-0-0_{NAMESPACE}({uid('pod', f'{JOB}-0-0')})"
    main = container(
        waiting("CrashLoopBackOff", back_off),
        restarts=restarts,
        last=ended(code, at=at, began=at - 3, reason=reason),
        log=log,
        previous=log,
        memory=fields.pop("memory", "64Gi"),
        gpus=fields.pop("gpus", 1),
    )
    events = (
        event("BackOff", f"Back-off restarting failed container main in pod {JOB}-0-0", count=restarts),
        *fields.pop("events", ()),
    )
    return pod(main, events=events, **fields)


def stuck(reason: str, message: str, *, events: Sequence[Json] = (), image: str = IMAGE, **fields: Any) -> PodWire:
    """A scheduled pod whose container kubelet cannot start."""
    return pod(container(waiting(reason, message), image=image), events=events, created=-30, **fields)


def creating(*events: Json, **fields: Any) -> PodWire:
    """A scheduled pod in ContainerCreating: only its events say why."""
    return pod(container(waiting("ContainerCreating")), events=events, **({"created": -30} | fields))


def unscheduled(message: str, *, rank: str = "", created: float = -45, reason: str = "Unschedulable") -> PodWire:
    """A pod without a node: the scheduler's word stands in its condition and in an event."""
    condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
    made = pod(
        rank=rank,
        node=None,
        created=created,
        events=[event("Unschedulable", message, at=-1, count=30, source="runai-scheduler")],
    )
    made.body["status"]["conditions"] = [condition]
    return made


def event(
    reason: str,
    message: str,
    *,
    at: float = -5,
    kind: str = "Warning",
    count: int = 1,
    source: str = "kubelet",
    on: tuple[str, str] = ("Pod", f"{JOB}-0-0"),
) -> Json:
    """A Kubernetes event; inside a pod it is about that pod."""
    made = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{JOB}.{uid(reason, message, str(at))[:16]}", "namespace": NAMESPACE},
        "type": kind,
        "reason": reason,
        "message": message,
        "count": count,
        "firstTimestamp": instant(at - min(count, 30)),
        "lastTimestamp": instant(at),
        "source": {"component": source},
    }
    return about(made, *on)


def about(made: Json, kind: str, name: str) -> Json:
    """The event, about that object. Events of nodes stand in the namespace `default` and carry the name as uid."""
    namespace = "default" if kind == "Node" else NAMESPACE
    involved = {
        "kind": kind,
        "name": name,
        "namespace": namespace,
        "uid": name if kind == "Node" else uid(kind.lower(), name),
    }
    return made | {"involvedObject": involved, "metadata": made["metadata"] | {"namespace": namespace}}


def on_node(reason: str, message: str, *, node: str = NODE, source: str = "kernel-monitor", **fields: Any) -> Json:
    """An event of a node, as node-problem-detector, kubelet or the node controller writes it."""
    return event(reason, message, source=source, on=("Node", node), **fields)


def on_group(reason: str, message: str, **fields: Any) -> Json:
    """An event of the job's pod group, as the Run:ai scheduler writes it."""
    group = ("PodGroup", f"pg-{JOB}-{uid('owner', JOB)}")
    return event(reason, message, **({"kind": "Normal", "source": "runai-scheduler", "on": group} | fields))


def on_owner(reason: str, message: str, *, owner: str = "Job", **fields: Any) -> Json:
    """An event of the controller above the pods (Job, PyTorchJob, RunaiJob, StatefulSet)."""
    return event(reason, message, **({"source": f"{owner.lower()}-controller", "on": (owner, JOB)} | fields))


# --- other objects of the cluster ------------------------------------------------------------------------------------


def node(
    name: str = NODE,
    *,
    ready: str = "True",
    conditions: Sequence[tuple[str, str, str, str]] = (),
    taints: Sequence[tuple[str, str]] = (),
    gpus: int = 8,
    allocatable: int | None = None,
    since: float = -9,
    labels: Mapping[str, str] | None = None,
) -> Json:
    """A GPU node; `conditions` are (type, status, reason, message), `taints` (key, effect)."""
    silent = ready == "Unknown"
    ready_condition = {
        "type": "Ready",
        "status": ready,
        "reason": {"True": "KubeletReady", "False": "KubeletNotReady"}.get(ready, "NodeStatusUnknown"),
        "message": "Kubelet stopped posting node status." if silent else "kubelet is posting ready status",
        "lastTransitionTime": instant(-90_000 if ready == "True" else since),
        "lastHeartbeatTime": instant(since if silent else -0.2),
    }
    others = [
        {"type": t, "status": s, "reason": r, "message": m, "lastTransitionTime": instant(since)}
        for t, s, r, m in conditions
    ]
    capacity = {"cpu": "128", "memory": "2063933Mi", "nvidia.com/gpu": str(gpus), "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "uid": uid("node", name),
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/arch": "amd64",
                "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
                "nvidia.com/gpu.count": str(gpus),
                **(labels or {}),
            },
        },
        "spec": {"taints": [{"key": key, "effect": effect, "timeAdded": instant(since)} for key, effect in taints]},
        "status": {
            "capacity": capacity,
            "allocatable": capacity | {"nvidia.com/gpu": str(gpus if allocatable is None else allocatable)},
            "conditions": [ready_condition, *others],
            "nodeInfo": {"architecture": "amd64", "kubeletVersion": "v1.31.4"},
        },
    }


def claim(name: str, *, phase: str = "Pending", storage_class: str = "fast-nfs", volume: str = "") -> Json:
    """A PersistentVolumeClaim."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": uid("persistentvolumeclaim", name)},
        "spec": {"storageClassName": storage_class} | ({"volumeName": volume} if volume else {}),
        "status": {"phase": phase},
    }


def quota(name: str, hard: Json, used: Json) -> Json:
    """A ResourceQuota of the namespace."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"hard": hard},
        "status": {"hard": hard, "used": used},
    }


# --- Run:ai's side ---------------------------------------------------------------------------------------------------


def job(
    phase: str = "Failed",
    *,
    since: float = _RECENT,
    created: float = -60,
    kind: str = "Training",
    framework: str | None = None,
    gpus: float = 1,
    memory: str = "64Gi",
    pods: int = 1,
    running: int = 0,
    message: str = "",
    reason: str | None = None,
    pending: Sequence[tuple[str, str, str]] = (),
    preemptible: bool = True,
    completed: bool = False,
    conditions: Sequence[Json] = (),
    environment: Mapping[str, str] | None = None,
    command: str = "python",
    arguments: str = "train.py",
    image: str = IMAGE,
    idle_gpus: float | None = None,
) -> Json:
    """The workload as its own endpoint answers. `pending` are (phaseReason, reason, userMessage) of the scheduler."""
    amounts = {"gpu": {"request": gpus}, "cpu": {"request": 8}, "cpuMemory": {"request": memory, "limit": memory}}
    body: Json = {
        "tenantId": _TENANT_ID,
        "id": JOB_ID,
        "name": JOB,
        "type": kind,
        "category": "Train",
        "source": "CLI",
        "clusterId": CLUSTER_ID,
        "projectName": PROJECT,
        "projectId": "17",
        "departmentName": "research",
        "departmentId": "3",
        "namespace": NAMESPACE,
        "priority": 50,
        "priorityClassName": "train",
        "phase": phase,
        "phaseMessage": message,
        "phaseReason": reason,
        "phaseUpdatedAt": instant(since),
        "k8sPhase": phase,
        "k8sPhaseUpdatedAt": instant(since),
        "createdAt": instant(created),
        "updatedAt": instant(since),
        "deletedAt": None,
        "completedAt": instant(since) if completed else None,
        "submittedBy": "ada@example.com",
        "preemptible": preemptible,
        "runningPods": running,
        "requestedPods": {"number": pods},
        "images": [image],
        "workloadRequestedResources": amounts,
        "conditions": list(conditions),
        "command": command,
        "arguments": arguments,
        "environmentVariables": dict(environment or {}),
        "actionsSupport": {"suspend": True, "delete": True},
        "idleAllocatedGpus": idle_gpus,
        "pendingSchedulingMessages": [
            {"nodePool": "default", "phaseReason": why, "reason": short, "userMessage": long}
            for why, short, long in pending
        ],
    }
    if framework:
        body["distributedFramework"] = framework
    return body


def distributed(phase: str = "Failed", *, workers: int = 4, framework: str = "PyTorch", **fields: Any) -> Json:
    """A distributed training of so many workers."""
    asked: Json = {"kind": "Distributed", "framework": framework, "pods": workers, "gpus": float(workers * 8)}
    return job(phase, **(asked | fields))


def past(*changes: tuple[str, float] | tuple[str, float, str]) -> list[Json]:
    """History records of phase updates: (phase, at, message)."""
    return [
        {
            "meta": {"type": "PhaseUpdate", "creationTimestamp": instant(change[1])},
            "spec": {"phaseUpdate": {"phase": change[0], "phaseMessage": change[2] if len(change) > 2 else ""}},
        }
        for change in changes
    ]


def runai_event(made: Json) -> Json:
    """A Kubernetes event as Run:ai's event list repeats it."""
    involved = made["involvedObject"]
    return {
        "id": uid("event", made["metadata"]["name"], involved["name"]),
        "clusterId": CLUSTER_ID,
        "createdAt": made["lastTimestamp"],
        "type": made["type"],
        "reason": made["reason"],
        "message": made["message"],
        "source": made["source"]["component"],
        "involvedObject": {**involved, "uid": _as_uuid(involved["uid"])},
    }


def _as_uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return uid("uid", text)


def runai_pod(made: PodWire) -> Json:
    """A pod as Run:ai lists it: without container states."""
    status, spec, meta = made.body["status"], made.body["spec"], made.body["metadata"]
    return {
        "tenantId": _TENANT_ID,
        "id": meta["uid"],
        "name": made.name,
        "workloadId": JOB_ID,
        "clusterId": CLUSTER_ID,
        "projectId": "17",
        "priorityClassName": "train",
        "createdAt": meta["creationTimestamp"],
        "completedAt": None,
        "deletedAt": instant(-3) if made.gone else None,
        "updatedAt": instant(_RECENT),
        "k8sPhase": status["phase"],
        "k8sPhaseUpdatedAt": instant(_RECENT),
        "nodeName": spec.get("nodeName"),
        "currentNodePool": "default",
        "containers": [{"name": c["name"], "image": c["image"]} for c in spec["containers"]],
        "requestedResources": {"gpu": {"request": 1.0}},
    }


def renamed(made: PodWire, name: str) -> PodWire:
    """The same pod under another name, for another attempt of the job."""
    meta = made.body["metadata"] | {"name": name, "uid": uid("pod", name)}
    return replace(
        made,
        name=name,
        body=made.body | {"metadata": meta},
        events=tuple(about(event, "Pod", name) for event in made.events),
    )

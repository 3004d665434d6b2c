"""The world in Kubernetes' words: core/v1 objects as an API server writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from runai_monitor.demo.objects import ContainerState, Event, Pod

Json = dict[str, Any]

_OWNERS = {"pytorch": ("kubeflow.org/v1", "PyTorchJob")}
_RUNAI_OWNER = ("run.ai/v1", "RunaiJob")


def pod_json(pod: Pod, *, kind: bool = True) -> Json:
    """A pod. `kind` is left out of list items, as the real API does."""
    api_version, owner = _OWNERS.get(pod.container, _RUNAI_OWNER)
    metadata: Json = {
        "name": pod.name,
        "namespace": pod.namespace,
        "uid": pod.uid,
        "resourceVersion": str(pod.version),
        "creationTimestamp": instant(pod.created_at),
        "labels": _labels(pod),
        "ownerReferences": [
            {
                "apiVersion": api_version,
                "kind": owner,
                "name": pod.workload_name,
                "uid": pod.workload_id,
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }
    if pod.deleting_at is not None:
        metadata |= {"deletionTimestamp": instant(pod.deleting_at), "deletionGracePeriodSeconds": 30}
    body: Json = {"metadata": metadata, "spec": _spec(pod), "status": _status(pod)}
    return {"kind": "Pod", "apiVersion": "v1", **body} if kind else body


def event_json(event: Event, *, kind: bool = False) -> Json:
    """A core/v1 event."""
    api_version = "v1" if event.object_kind == "Pod" else "run.ai/v2alpha1"
    body: Json = {
        "metadata": {
            "name": f"{event.object_name}.{event.id.replace('-', '')[:16]}",
            "namespace": event.namespace,
            "uid": event.id,
            "resourceVersion": str(event.version),
            "creationTimestamp": instant(event.at),
        },
        "involvedObject": {
            "kind": event.object_kind,
            "namespace": event.namespace,
            "name": event.object_name,
            "uid": event.object_uid,
            "apiVersion": api_version,
        },
        "reason": event.reason,
        "message": event.message,
        "source": {"component": event.source},
        "firstTimestamp": instant(event.at),
        "lastTimestamp": instant(event.at),
        "count": event.count,
        "type": event.type,
        "eventTime": None,
        "reportingComponent": event.source,
        "reportingInstance": "",
    }
    return {"kind": "Event", "apiVersion": "v1", **body} if kind else body


def list_json(kind: str, items: list[Json], *, version: int, following: str = "", remaining: int = 0) -> Json:
    """A list answer; `following` is the continue token of the next page."""
    metadata: Json = {"resourceVersion": str(version)}
    if following:
        metadata |= {"continue": following, "remainingItemCount": remaining}
    return {"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": items}


def status_json(code: int, reason: str, message: str) -> Json:
    """A failure as Kubernetes words it: the object of an error answer or of a watch's ERROR."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def bookmark_json(version: int) -> Json:
    """The object of a watch's BOOKMARK."""
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": str(version), "creationTimestamp": None}}


def instant(at: datetime) -> str:
    """A Kubernetes time: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _labels(pod: Pod) -> dict[str, str]:
    labels = {"workloadName": pod.workload_name, "project": pod.project, "runai/queue": pod.project}
    if pod.template.framework:
        number = pod.index if pod.role == "master" else pod.index - 1
        labels |= {
            "training.kubeflow.org/job-name": pod.workload_name,
            "training.kubeflow.org/replica-type": pod.role,
            "training.kubeflow.org/replica-index": str(number),
        }
    else:
        labels["batch.kubernetes.io/job-completion-index"] = str(pod.index)
    return labels


def _spec(pod: Pod) -> Json:
    template = pod.template
    amounts = {"cpu": f"{template.cpus:g}", "memory": template.memory}
    if template.gpus >= 1:
        amounts["nvidia.com/gpu"] = f"{template.gpus:g}"
    spec: Json = {
        "containers": [
            {
                "name": pod.container,
                "image": template.image,
                "command": [template.command],
                "args": template.arguments.split(),
                "env": [{"name": name, "value": value} for name, value in template.environment],
                "resources": {"limits": amounts, "requests": amounts},
                "imagePullPolicy": "IfNotPresent",
            }
        ],
        "restartPolicy": template.restart_policy,
        "schedulerName": "runai-scheduler",
        "imagePullSecrets": [{"name": "registry-credentials"}],
        "serviceAccountName": "default",
    }
    if pod.node:
        spec["nodeName"] = pod.node
    return spec


def _status(pod: Pod) -> Json:
    status: Json = {"phase": pod.phase, "conditions": _conditions(pod), "qosClass": "Guaranteed"}
    if pod.reason:
        status |= {"reason": pod.reason, "message": pod.message}
    if pod.started_at is not None:
        status["startTime"] = instant(pod.started_at)
    if pod.ip is not None:
        status["podIP"] = pod.ip
    if pod.state is not None:
        running = pod.state.kind == "running"
        status["containerStatuses"] = [
            {
                "name": pod.container,
                "image": pod.template.image,
                "imageID": "" if pod.state.kind == "waiting" else f"{pod.template.image}@sha256:{'0' * 64}",
                "ready": running,
                "started": running,
                "restartCount": pod.restarts,
                "state": _state(pod.state, pod),
                "lastState": {} if pod.last_state is None else _state(pod.last_state, pod),
            }
        ]
    return status


def _state(state: ContainerState, pod: Pod) -> Json:
    if state.kind == "waiting":
        waiting: Json = {"reason": state.reason}
        if state.message:
            waiting["message"] = state.message
        return {"waiting": waiting}
    started_at = instant(state.started_at or pod.created_at)
    if state.kind == "running":
        return {"running": {"startedAt": started_at}}
    terminated: Json = {
        "exitCode": state.exit_code,
        "reason": state.reason,
        "startedAt": started_at,
        "finishedAt": instant(state.finished_at or pod.created_at),
        "containerID": f"containerd://{pod.uid.replace('-', '')}{pod.restarts:032d}",
    }
    if state.message:
        terminated["message"] = state.message
    return {"terminated": terminated}


def _conditions(pod: Pod) -> list[Json]:
    changed_at = instant(pod.finished_at or pod.started_at or pod.created_at)
    scheduled: Json = {
        "type": "PodScheduled",
        "status": "True" if pod.node else "False",
        "lastTransitionTime": instant(pod.created_at),
    }
    if not pod.node:
        scheduled |= {"reason": "Unschedulable", "message": pod.scheduling_message}
        return [scheduled]
    ready = pod.state is not None and pod.state.kind == "running"
    conditions: list[Json] = [
        scheduled,
        {"type": "Initialized", "status": "True", "lastTransitionTime": changed_at},
        {"type": "Ready", "status": str(ready), "lastTransitionTime": changed_at},
    ]
    if pod.reason == "Evicted":
        conditions.append(
            {
                "type": "DisruptionTarget",
                "status": "True",
                "reason": "TerminationByKubelet",
                "message": pod.message,
                "lastTransitionTime": changed_at,
            }
        )
    return conditions

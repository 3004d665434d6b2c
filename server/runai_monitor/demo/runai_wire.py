"""The world in Run:ai's words: what its control plane answers, with every field its schemas require."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from runai_monitor.clock import isoformat
from runai_monitor.demo.objects import Event, PhaseEntry, Pod, Project, Template, Workload
from runai_monitor.demo.world import World

Json = dict[str, Any]

_CATEGORIES = {"Training": "Train", "Distributed": "Train", "Workspace": "Build", "Inference": "Deploy"}
_PRIORITIES = {"Training": "low", "Distributed": "low", "Workspace": "high", "Inference": "very-high"}
_HOLDS_GPUS = frozenset({"Running", "Degraded", "Initializing", "Updating", "Stopping", "Terminating"})


def workload_json(world: World, workload: Workload) -> Json:
    """A row of the workload list."""
    template = workload.template
    pods = world.pods_of(workload.id)
    running = sum(pod.phase == "Running" for pod in pods)
    gpus = template.gpus * running if workload.phase in _HOLDS_GPUS else 0
    updated_at = isoformat(workload.phase_updated_at)
    return {
        "id": workload.id,
        "tenantId": world.tenant_id,
        "clusterId": world.cluster_id,
        "name": workload.name,
        "type": workload.type,
        "category": _CATEGORIES[workload.type],
        "projectId": workload.project.id,
        "projectName": workload.project.name,
        "departmentId": workload.project.department_id,
        "departmentName": workload.project.department,
        "namespace": workload.project.namespace,
        "phase": workload.phase,
        "phaseMessage": workload.phase_message,
        "phaseUpdatedAt": updated_at,
        "k8sPhase": workload.phase,
        "k8sPhaseUpdatedAt": updated_at,
        "conditions": [
            {
                "type": workload.phase,
                "status": "True",
                "message": workload.phase_message,
                "lastTransitionTime": updated_at,
            }
        ],
        "createdAt": isoformat(workload.created_at),
        "updatedAt": updated_at,
        "deletedAt": _instant(workload.deleted_at),
        "completedAt": _instant(workload.completed_at),
        "submittedBy": template.submitted_by,
        "source": "CLI",
        **_submitted(workload),
        "runningPods": running,
        "requestedPods": {"number": template.replicas, "parallelism": template.replicas},
        "workloadRequestedResources": _requests(template, pods=template.replicas),
        "podsRequestedResources": _requests(template, pods=1),
        "allocatedResources": {"gpu": gpus, "cpu": template.cpus * running, "extendedResources": []},
        "urls": [],
    }


def workload_detail_json(world: World, workload: Workload) -> Json:
    """One workload's own endpoint: the row and why it waits."""
    detail = workload_json(world, workload)
    if workload.phase_reason:
        detail["pendingSchedulingMessages"] = [
            {
                "nodePool": "default",
                "orgType": "PROJECT",
                "phaseReason": workload.phase_reason,
                "reason": workload.phase_reason,
                "userMessage": workload.phase_message,
            }
        ]
    return detail


def pod_json(world: World, pod: Pod) -> Json:
    """A pod as Run:ai lists it: no container states."""
    began = pod.state.started_at if pod.state else None
    return {
        "id": pod.uid,
        "tenantId": world.tenant_id,
        "clusterId": world.cluster_id,
        "workloadId": pod.workload_id,
        "workloadName": pod.workload_name,
        "projectName": pod.project,
        "projectId": world.project(pod.project).id,
        "name": pod.name,
        "k8sPhase": pod.phase,
        "k8sPhaseUpdatedAt": isoformat(pod.finished_at or pod.started_at or pod.created_at),
        "nodeName": pod.node,
        "ip": pod.ip,
        "priorityClassName": "low",
        "containers": [{"name": pod.container, "image": pod.template.image, "startedAt": _instant(began)}],
        "requestedResources": _requests(pod.template, pods=1),
        "currentNodePool": "default" if pod.node else None,
        "requestedNodePools": ["default"],
        "createdAt": isoformat(pod.created_at),
        "updatedAt": isoformat(pod.finished_at or pod.started_at or pod.created_at),
        "completedAt": _instant(pod.finished_at),
        "deletedAt": _instant(pod.deleted_at),
    }


def event_json(world: World, event: Event) -> Json:
    """An event as Run:ai keeps it."""
    return {
        "id": event.id,
        "clusterId": world.cluster_id,
        "createdAt": isoformat(event.at),
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "source": event.source,
        "involvedObject": {
            "uid": event.object_uid,
            "kind": event.object_kind,
            "name": event.object_name,
            "namespace": event.namespace,
        },
    }


def history_json(world: World, workload: Workload) -> list[Json]:
    """A workload's whole history, newest first: its phases and its events."""
    entries: list[PhaseEntry | Event] = [*workload.history, *world.events_of(workload.id)]
    return [_record(world, entry) for entry in sorted(entries, key=lambda entry: entry.at, reverse=True)]


def node_json(world: World, name: str) -> Json:
    """A node that is well; Run:ai tells its status, and of conditions neither status nor time."""
    since = isoformat(world.now() - timedelta(days=9))
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "name": name,
        "clusterUuid": world.cluster_id,
        "status": "Ready",
        "conditions": [],
        "taints": [],
        "nodePool": "default",
        "gpuInfo": {"gpuType": "NVIDIA-H100-80GB-HBM3", "gpuCount": 8},
        "createdAt": since,
        "updatedAt": since,
    }


def project_json(world: World, project: Project) -> Json:
    """A project with its quota and its namespace."""
    created_at = isoformat(project.created_at)
    return {
        "id": project.id,
        "name": project.name,
        "clusterId": world.cluster_id,
        "parentId": project.department_id,
        "parent": {"id": project.department_id, "name": project.department},
        "requestedNamespace": project.namespace,
        "description": "",
        "enforceRunaiScheduler": True,
        "effective": {"defaultNodePools": ["default"]},
        "resources": [
            {
                "nodePool": {"id": "100", "name": "default"},
                "gpu": {"deserved": project.gpu_quota, "limit": None, "overQuotaWeight": 2},
            }
        ],
        "totalResources": {"gpuQuota": project.gpu_quota, "cpuQuota": None, "memoryQuota": None},
        "status": {"phase": "Ready", "namespace": project.namespace},
        "createdAt": created_at,
        "createdBy": "admin@example.com",
        "updatedAt": created_at,
        "updatedBy": "admin@example.com",
    }


def _submitted(workload: Workload) -> Json:
    """What somebody asked for, and why it waits if it does."""
    template = workload.template
    fields: Json = {
        "priority": None,
        "priorityClassName": _PRIORITIES[workload.type],
        "preemptible": template.preemptible,
        "images": [template.image],
        "command": template.command,
        "arguments": template.arguments,
        "environmentVariables": dict(template.environment),
        "actionsSupport": {"delete": True, "suspend": workload.type != "Inference"},
        "currentNodePools": ["default"],
        "requestedNodePools": ["default"],
    }
    # Absent rather than null: the schema makes both optional and neither nullable.
    if workload.phase_reason:
        fields["phaseReason"] = workload.phase_reason
    if template.framework:
        fields["distributedFramework"] = template.framework
    return fields


def _record(world: World, entry: PhaseEntry | Event) -> Json:
    if isinstance(entry, Event):
        spec: Json = {"event": event_json(world, entry)}
        kind = "Event"
    else:
        spec = {"phaseUpdate": {"phase": entry.phase, "phaseMessage": entry.message}}
        kind = "PhaseUpdate"
    return {"meta": {"type": kind, "creationTimestamp": isoformat(entry.at)}, "spec": spec}


def _requests(template: Template, *, pods: int) -> Json:
    cpus = template.cpus * pods
    memory = f"{int(template.memory.removesuffix('Gi')) * pods}Gi"
    return {
        "gpu": {"request": template.gpus * pods, "limit": template.gpus * pods},
        "gpuRequestType": "portion",
        "cpu": {"request": cpus, "limit": cpus},
        "cpuMemory": {"request": memory, "limit": memory},
        "extendedResources": [],
    }


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else isoformat(instant)

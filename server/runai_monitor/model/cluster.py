"""Kubernetes' side of the world: pods, container states, events and what pods depend on, reduced to what is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runai_monitor.model.workload import Condition


class ContainerPhase(StrEnum):
    """Where a container is in its life (the key of Kubernetes' `state` object)."""

    WAITING = "waiting"
    RUNNING = "running"
    TERMINATED = "terminated"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """How a container ended. `reason` is Kubernetes' word (`OOMKilled`, `Error`, `Completed`, `StartError`, …)."""

    exit_code: int | None
    reason: str | None = None
    message: str | None = None
    signal: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container of a pod.

    `reason` and `message` belong to a waiting state; `ended` is set when the container is terminated now;
    `last_ended` tells how its previous run ended (Kubernetes' `lastState`). Limits and requests are quantities, verbatim.
    An `ephemeral` container is a person's debugging session (`kubectl debug`): how it ends says nothing of the workload.
    """

    name: str
    phase: ContainerPhase
    init: bool = False
    ephemeral: bool = False
    ready: bool = False
    restarts: int = 0
    image: str | None = None
    reason: str | None = None
    message: str | None = None
    started_at: datetime | None = None
    ended: Termination | None = None
    last_ended: Termination | None = None
    memory_limit: str | None = None
    memory_request: str | None = None
    cpu_request: str | None = None
    gpus: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodCondition:
    """One condition of a pod (`PodScheduled`, `DisruptionTarget`, …)."""

    type: str
    status: str
    reason: str | None = None
    message: str | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod. `workload_name` is the label `workloadName`; `owner` the name and `owner_uid` the uid of its controller.

    `index` is the replica or completion index within the owner, as its labels give it, None when they do not.
    `image_pull_secrets` tells whether the pod names any (None when unknown). `claims` are the volume claims it mounts,
    `node_selector` the labels that a node must have for it.
    """

    name: str
    namespace: str
    uid: str
    pod_phase: str
    node: str | None = None
    reason: str | None = None
    message: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    deleting: bool = False
    workload_name: str | None = None
    owner: str | None = None
    owner_uid: str | None = None
    index: str | None = None
    containers: tuple[Container, ...] = ()
    conditions: tuple[PodCondition, ...] = ()
    image_pull_secrets: bool | None = None
    claims: tuple[str, ...] = ()
    node_selector: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeEvent:
    """One Kubernetes event. `at` is the last time it was seen, `count` how often."""

    at: datetime | None
    type: str
    reason: str
    message: str
    object_kind: str
    object_name: str
    object_uid: str | None = None
    source: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """What keeps pods off a node unless they tolerate it. `effect` is `NoSchedule`, `PreferNoSchedule` or `NoExecute`."""

    key: str
    effect: str
    value: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node. `cordoned` tells that it takes no new pods.

    `gpus` is how many GPUs it has, `allocatable_gpus` how many of them the device plugin calls healthy (None: it names
    none). `labels` are all it has, sorted. `by_runai`: it is as Run:ai lists it, whose conditions (but for `Ready`, the
    status that Run:ai calculates) have neither a status nor a time.
    """

    name: str
    conditions: tuple[Condition, ...] = ()
    taints: tuple[Taint, ...] = ()
    cordoned: bool = False
    gpus: float | None = None
    allocatable_gpus: float | None = None
    allocatable_cpu: str | None = None
    allocatable_memory: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    by_runai: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeClaim:
    """One PersistentVolumeClaim. `phase` is `Bound`, `Pending` or `Lost`; `size` is a quantity, verbatim."""

    name: str
    namespace: str
    phase: str
    storage_class: str | None = None
    size: str | None = None
    access_modes: tuple[str, ...] = ()
    volume: str | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaLine:
    """One resource of a quota: how much is used of how much there is. Quantities, verbatim."""

    resource: str
    used: str
    hard: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceQuota:
    """One Kubernetes ResourceQuota of a namespace (not Run:ai's quota of a project)."""

    name: str
    namespace: str
    lines: tuple[QuotaLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitLine:
    """One resource of a LimitRange, for one kind of object (`Container`, `Pod`, `PersistentVolumeClaim`)."""

    kind: str
    resource: str
    least: str | None = None
    most: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRange:
    """One Kubernetes LimitRange of a namespace: what a single object in it may ask for."""

    name: str
    namespace: str
    lines: tuple[LimitLine, ...] = ()

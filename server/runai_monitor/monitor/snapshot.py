"""The latest known world: workloads by id, their pods, and what Run:ai's events said of suspects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from runai_monitor.model.cluster import Pod
from runai_monitor.model.workload import Workload, WorkloadEvent, WorkloadId

_NameKey = tuple[str, str]


@dataclass(slots=True, kw_only=True)
class Snapshot:
    """Written by polls and watches, read by detection. Kept current, never historical.

    Pods are matched by namespace and the label `workloadName`, else by the name of their controller. A name that
    several clusters share is matched only in the cluster that this Kubernetes is known to be.
    """

    kube_cluster_id: str | None = None
    workloads: dict[WorkloadId, Workload] = field(default_factory=dict)
    events: dict[WorkloadId, tuple[WorkloadEvent, ...]] = field(default_factory=dict)
    _pods: dict[_NameKey, Pod] = field(default_factory=dict)
    _by_workload: dict[_NameKey, set[_NameKey]] = field(default_factory=dict)
    _ids: dict[_NameKey, set[WorkloadId]] = field(default_factory=dict)

    def put_workloads(self, workloads: Iterable[Workload]) -> None:
        """Adds or replaces workloads."""
        for workload in workloads:
            self.workloads[workload.id] = workload
            self._ids.setdefault((workload.namespace, workload.name), set()).add(workload.id)

    def drop_workloads(self, ids: Collection[WorkloadId]) -> None:
        """Forgets workloads."""
        for workload_id in ids:
            workload = self.workloads.pop(workload_id, None)
            self.events.pop(workload_id, None)
            if workload is not None:
                self._ids.get((workload.namespace, workload.name), set()).discard(workload_id)

    def replace_pods(self, pods: Iterable[Pod], *, namespace: str | None) -> None:
        """A list of a namespace (None: of all): what is not in it is gone."""
        for key in [key for key in self._pods if namespace is None or key[0] == namespace]:
            self._remove(key)
        for pod in pods:
            self.put_pod(pod)

    def put_pod(self, pod: Pod) -> None:
        """Adds or replaces a pod."""
        key = (pod.namespace, pod.name)
        self._remove(key)
        self._pods[key] = pod
        owner = pod.workload_name or pod.owner
        if owner:
            self._by_workload.setdefault((pod.namespace, owner), set()).add(key)

    def remove_pod(self, pod: Pod) -> None:
        """Forgets a pod."""
        self._remove((pod.namespace, pod.name))

    def pods_of(self, workload: Workload) -> Sequence[Pod]:
        """The pods of a workload, oldest first; empty when they cannot be told apart from another cluster's."""
        name = (workload.namespace, workload.name)
        if self.kube_cluster_id is not None:
            if workload.cluster_id != self.kube_cluster_id:
                return ()
        elif len(self._ids.get(name, ())) > 1:
            return ()
        found = [self._pods[key] for key in self._by_workload.get(name, ())]
        return sorted(found, key=lambda pod: (pod.created_at is not None, pod.created_at, pod.name))

    def _remove(self, key: _NameKey) -> None:
        pod = self._pods.pop(key, None)
        owner = pod and (pod.workload_name or pod.owner)
        if owner:
            keys = self._by_workload[key[0], owner]
            keys.discard(key)
            if not keys:
                del self._by_workload[key[0], owner]

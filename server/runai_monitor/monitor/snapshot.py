"""The latest known world: workloads by id, whose pod is whose, and what Run:ai's events said of suspects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from runai_monitor.model.cluster import Pod
from runai_monitor.model.workload import Workload, WorkloadEvent, WorkloadId

PodKey = tuple[str, str]
"""Namespace and name."""

MOST_PODS = 50_000
"""Beyond so many pods, those that nothing ties to Run:ai are not kept."""
MOST_EVENTS = 50
"""Events kept of one suspect, the newest."""
MOST_SUSPECTS = 2_000
"""Suspects whose events are kept; the longest known give way."""
_EARLIER = timedelta(minutes=1)
"""A pod may look this much older than its workload: two clocks wrote the two times."""
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Snapshot:
    """Written by polls and watches, read by detection; current, never historical.

    A pod belongs to the workload that its label `workloadName` or its controller names, in its namespace; of several
    generations of one name, to the newest that is not younger than the pod. Where a tenant has several clusters, a
    namespace and a name prove nothing: then `kube_cluster_id`, or Run:ai's own list of pods (`confirm`), decides.
    """

    kube_cluster_id: str | None = None
    workloads: dict[WorkloadId, Workload] = field(default_factory=dict)
    events: dict[WorkloadId, tuple[WorkloadEvent, ...]] = field(default_factory=dict)
    dirty: set[WorkloadId] = field(default_factory=set)
    """Workloads that something new is known of since the set was last emptied."""
    _pods: dict[PodKey, Pod] = field(default_factory=dict)
    _named: dict[PodKey, set[PodKey]] = field(default_factory=dict)
    _ids: dict[PodKey, set[WorkloadId]] = field(default_factory=dict)
    _namespaces: Counter[str] = field(default_factory=Counter)
    _clusters: Counter[str] = field(default_factory=Counter)
    _owner_of: dict[PodKey, WorkloadId] = field(default_factory=dict)
    _confirmed: dict[WorkloadId, frozenset[PodKey]] = field(default_factory=dict)

    # --- workloads ----------------------------------------------------------------------------------------------

    def put_workloads(self, workloads: Iterable[Workload]) -> None:
        """Adds or replaces workloads."""
        for workload in workloads:
            old = self.workloads.get(workload.id)
            if old == workload:
                continue
            if old is not None:
                self._unindex(old)
            self.workloads[workload.id] = workload
            self._ids.setdefault((workload.namespace, workload.name), set()).add(workload.id)
            self._namespaces[workload.namespace] += 1
            self._clusters[workload.cluster_id] += 1
            self.dirty.add(workload.id)

    def drop_workloads(self, ids: Collection[WorkloadId]) -> None:
        """Forgets workloads and what is known of them."""
        for workload_id in ids:
            workload = self.workloads.pop(workload_id, None)
            self.events.pop(workload_id, None)
            self.dirty.discard(workload_id)
            for key in self._confirmed.pop(workload_id, frozenset()):
                if self._owner_of.get(key) == workload_id:
                    del self._owner_of[key]
            if workload is not None:
                self._unindex(workload)

    def put_events(self, workload_id: WorkloadId, events: Sequence[WorkloadEvent]) -> None:
        """Keeps the newest events of a suspect (they come newest first)."""
        if workload_id in self.workloads and self.events.get(workload_id) != tuple(events[:MOST_EVENTS]):
            self.events.pop(workload_id, None)
            self.events[workload_id] = tuple(events[:MOST_EVENTS])
            if len(self.events) > MOST_SUSPECTS:
                del self.events[next(iter(self.events))]
            self.dirty.add(workload_id)

    def knows(self, namespace: str, name: str) -> bool:
        """Whether any workload has this name there."""
        return bool(self._ids.get((namespace, name)))

    # --- pods ---------------------------------------------------------------------------------------------------

    def replace_pods(self, pods: Iterable[Pod], *, namespace: str | None) -> None:
        """A complete list of a namespace (None: of all): what is not in it is gone."""
        for key in [key for key in self._pods if namespace is None or key[0] == namespace]:
            self._remove(key)
        for pod in pods:
            self.put_pod(pod)

    def put_pod(self, pod: Pod) -> None:
        """Adds or replaces a pod."""
        key = (pod.namespace, pod.name)
        self._remove(key)
        if len(self._pods) >= MOST_PODS and not pod.workload_name and not self._namespaces.get(pod.namespace):
            return
        self._pods[key] = pod
        if name := pod.workload_name or pod.owner:
            self._named.setdefault((pod.namespace, name), set()).add(key)
        self._touch(pod)

    def remove_pod(self, pod: Pod) -> None:
        """Forgets a pod."""
        self._remove((pod.namespace, pod.name))

    def pods_of(self, workload: Workload) -> Sequence[Pod]:
        """The pods of a workload, oldest first; empty when they cannot be told apart from another cluster's."""
        if not self.reaches(workload):
            return ()
        keys = self._confirmed.get(workload.id, frozenset()) | self._named.get(
            (workload.namespace, workload.name), set()
        )
        found = [self._pods[key] for key in keys if key in self._pods and self._owner(key) == workload.id]
        return sorted(found, key=lambda pod: (pod.created_at or _BEGINNING, pod.name))

    def nodes_of(self, workload: Workload) -> tuple[str, ...]:
        """Where its pods are or were, as far as they are in sight."""
        return tuple(sorted({pod.node for pod in self.pods_of(workload) if pod.node}))

    def workloads_on(self) -> dict[str, set[WorkloadId]]:
        """The workloads by the nodes that their pods are or were on; those whose pods all ended well are left out."""
        found: dict[str, set[WorkloadId]] = {}
        for key, pod in self._pods.items():
            if pod.node and pod.pod_phase != "Succeeded" and (owner := self._owner(key)) is not None:
                found.setdefault(pod.node, set()).add(owner)
        return found

    def reaches(self, workload: Workload) -> bool:
        """Whether this Kubernetes may be the workload's cluster."""
        return self.kube_cluster_id is None or workload.cluster_id == self.kube_cluster_id

    @property
    def is_ambiguous(self) -> bool:
        """Whether a namespace and a name do not say which cluster's pod it is."""
        return self.kube_cluster_id is None and len(self._clusters) > 1

    def confirm(self, workload: Workload, names: Iterable[str]) -> None:
        """Run:ai lists these pods as the workload's."""
        keys = frozenset((workload.namespace, name) for name in names)
        for key in self._confirmed.get(workload.id, frozenset()) - keys:
            if self._owner_of.get(key) == workload.id:
                del self._owner_of[key]
        self._confirmed[workload.id] = keys
        self._owner_of.update(dict.fromkeys(keys, workload.id))
        self.dirty.add(workload.id)

    def unsettled(self) -> Iterator[tuple[Pod, list[WorkloadId]]]:
        """Pods without a certain workload, each with the workloads it may belong to, the likeliest first."""
        for key, pod in self._pods.items():
            if pod.namespace in self._namespaces and self._owner(key) is None:
                candidates = self._candidates(pod)
                if candidates:
                    yield pod, candidates

    def forget_pods_of(self, workload: Workload) -> None:
        """Drops its pods: nobody follows them, and they are known to be of the past."""
        for pod in self.pods_of(workload):
            self.remove_pod(pod)

    # --- inside -------------------------------------------------------------------------------------------------

    def _owner(self, key: PodKey) -> WorkloadId | None:
        """Whose pod it is: as Run:ai says, else as the pod says, where that is proof."""
        return self._owner_of.get(key) or (None if self.is_ambiguous else self._claimant(self._pods[key]))

    def _claimant(self, pod: Pod) -> WorkloadId | None:
        """Of the workloads that share the name a pod gives, the newest that the pod is not older than."""
        name = pod.workload_name or pod.owner
        found = [self.workloads[i] for i in self._ids.get((pod.namespace, name), ())] if name else []
        if self.kube_cluster_id is not None:
            found = [workload for workload in found if workload.cluster_id == self.kube_cluster_id]
        if pod.created_at is not None:
            limit = pod.created_at + _EARLIER
            found = [workload for workload in found if workload.created_at is None or workload.created_at <= limit]
        newest = max(found, key=lambda workload: (workload.created_at or _BEGINNING, workload.id), default=None)
        return newest.id if newest else None

    def _candidates(self, pod: Pod) -> list[WorkloadId]:
        """By label, by controller, else the longest name of a workload that the pod's name begins with."""
        names = [name for name in (pod.workload_name, pod.owner) if name]
        parts = pod.name.split("-")
        names += ["-".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
        for name in names:
            if found := self._ids.get((pod.namespace, name)):
                return sorted(found)
        return []

    def _touch(self, pod: Pod) -> None:
        owner = self._owner_of.get((pod.namespace, pod.name)) or self._claimant(pod)
        if owner is not None:
            self.dirty.add(owner)

    def _remove(self, key: PodKey) -> None:
        pod = self._pods.pop(key, None)
        if pod is None:
            return
        self._touch(pod)
        if name := pod.workload_name or pod.owner:
            keys = self._named[key[0], name]
            keys.discard(key)
            if not keys:
                del self._named[key[0], name]

    def _unindex(self, workload: Workload) -> None:
        key = (workload.namespace, workload.name)
        self._ids[key].discard(workload.id)
        if not self._ids[key]:
            del self._ids[key]
        for counter, value in ((self._namespaces, workload.namespace), (self._clusters, workload.cluster_id)):
            counter[value] -= 1
            if counter[value] <= 0:
                del counter[value]

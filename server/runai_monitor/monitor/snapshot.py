"""The latest known world: workloads by id, whose pod is whose, and what Run:ai's events said of suspects."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from runai_monitor.model.cluster import Pod
from runai_monitor.model.workload import STOPPED_PHASES, Workload, WorkloadEvent, WorkloadId
from runai_monitor.monitor.told import is_whole
from runai_monitor.monitor.trim import runs

K = TypeVar("K")
V = TypeVar("V")

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
_AT_REST = frozenset({"Completed"}) | STOPPED_PHASES
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
    """Workloads that something new is known of since the set was last emptied; `stir` puts them there."""
    monotonic: Callable[[], float] = time.monotonic
    stirred_at: dict[WorkloadId, float] = field(default_factory=dict)
    """When what is new of them was heard first, by `monotonic`."""
    apart: set[WorkloadId] = field(default_factory=set)
    """Workloads that by their row neither run whole nor are at rest: few of many, and all that time changes."""
    _pods: dict[PodKey, Pod] = field(default_factory=dict)
    _named: dict[PodKey, tuple[PodKey, ...]] = field(default_factory=dict)
    _odd: set[PodKey] = field(default_factory=set)
    """Pods that do not simply run."""
    _ids: dict[PodKey, tuple[WorkloadId, ...]] = field(default_factory=dict)
    """By namespace and name. Tuples here and in `_named`: nearly all are of one, and a set is five times as large."""
    _namespaces: Counter[str] = field(default_factory=Counter)
    _clusters: Counter[str] = field(default_factory=Counter)
    _owner_of: dict[PodKey, WorkloadId] = field(default_factory=dict)
    _confirmed: dict[WorkloadId, frozenset[PodKey]] = field(default_factory=dict)

    def stir(self, workload_id: WorkloadId) -> None:
        """Something new is known of a workload."""
        self.dirty.add(workload_id)
        self.stirred_at.setdefault(workload_id, self.monotonic())

    def settle(self) -> None:
        """What is new is being judged."""
        self.dirty.clear()
        self.stirred_at.clear()

    # --- workloads ----------------------------------------------------------------------------------------------

    def put_workloads(self, workloads: Iterable[Workload]) -> None:
        """Adds or replaces workloads."""
        for workload in workloads:
            old = self.workloads.get(workload.id)
            if old is workload or old == workload:
                continue
            self.workloads[workload.id] = workload
            self.stir(workload.id)
            if is_plain(workload):
                self.apart.discard(workload.id)
            else:
                self.apart.add(workload.id)
            if old is not None:
                if _place(old) == _place(workload):
                    continue
                self._unindex(old)
            key = (workload.namespace, workload.name)
            self._ids[key] = (*self._ids.get(key, ()), workload.id)
            self._namespaces[workload.namespace] += 1
            self._clusters[workload.cluster_id] += 1

    def drop_workloads(self, ids: Collection[WorkloadId]) -> None:
        """Forgets workloads and what is known of them."""
        for workload_id in ids:
            workload = self.workloads.pop(workload_id, None)
            self.events.pop(workload_id, None)
            self.dirty.discard(workload_id)
            self.apart.discard(workload_id)
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
            self.stir(workload_id)

    def knows(self, namespace: str, name: str) -> bool:
        """Whether any workload has this name there."""
        return (namespace, name) in self._ids

    # --- pods ---------------------------------------------------------------------------------------------------

    def replace_pods(self, pods: Collection[Pod], *, namespace: str | None) -> None:
        """A complete list of a namespace (None: of all): what is not in it is gone."""
        for pod in pods:
            self.put_pod(pod)
        self.keep_only(pods, namespace=namespace)

    def keep_only(self, pods: Iterable[Pod], *, namespace: str | None) -> None:
        """These are all pods of a namespace (None: of all): what is not among them is gone."""
        listed = {(pod.namespace, pod.name) for pod in pods}
        for key in [key for key in self._pods if key not in listed and namespace in (None, key[0])]:
            self._remove(key)

    def put_pod(self, pod: Pod) -> None:
        """Adds or replaces a pod."""
        key = (pod.namespace, pod.name)
        if self._pods.get(key) == pod:
            return
        self._remove(key)
        if len(self._pods) >= MOST_PODS and not pod.workload_name and not self._namespaces.get(pod.namespace):
            return
        self._pods[key] = pod
        if not runs(pod):
            self._odd.add(key)
        if name := pod.workload_name or pod.owner:
            place = (pod.namespace, name)
            self._named[place] = (*self._named.get(place, ()), key)
        self._touch(pod)

    def remove_pod(self, pod: Pod) -> None:
        """Forgets a pod."""
        self._remove((pod.namespace, pod.name))

    def pods_of(self, workload: Workload) -> Sequence[Pod]:
        """The pods of a workload, oldest first; empty when they cannot be told apart from another cluster's."""
        if not self.reaches(workload):
            return ()
        keys = self._confirmed.get(workload.id, frozenset()).union(self._named.get(_place(workload)[:2], ()))
        found = [self._pods[key] for key in keys if key in self._pods and self._owner(key) == workload.id]
        return sorted(found, key=lambda pod: (pod.created_at or _BEGINNING, pod.name))

    def nodes_of(self, workload: Workload) -> tuple[str, ...]:
        """Where its pods are or were, as far as they are in sight."""
        return tuple(sorted({pod.node for pod in self.pods_of(workload) if pod.node}))

    def located(self) -> Iterator[tuple[str, WorkloadId]]:
        """Nodes and the workloads whose pods are or were on them, but for pods that ended well; pods may come and go meanwhile."""
        for key in list(self._pods):
            pod = self._pods.get(key)
            if pod is None or not pod.node or pod.pod_phase == "Succeeded":
                continue
            if (owner := self._owner(key)) is not None:
                yield pod.node, owner

    def has_odd_pods(self, workload: Workload) -> bool:
        """Whether any pod that may be its own does not simply run."""
        keys = self._confirmed.get(workload.id, frozenset()).union(self._named.get(_place(workload)[:2], ()))
        return not self._odd.isdisjoint(keys)

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
        self.stir(workload.id)

    def odd_pods(self) -> Iterator[Pod]:
        """Pods that do not simply run; they may come and go meanwhile."""
        for key in list(self._odd):
            if (pod := self._pods.get(key)) is not None:
                yield pod

    def candidates(self, pod: Pod) -> list[WorkloadId]:
        """Those that a pod may belong to, the likeliest first; none when its workload is certain, or unknown."""
        if pod.namespace not in self._namespaces or self._owner((pod.namespace, pod.name)) is not None:
            return []
        return self._candidates(pod)

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
            self.stir(owner)

    def _remove(self, key: PodKey) -> None:
        pod = self._pods.pop(key, None)
        if pod is None:
            return
        self._touch(pod)
        self._odd.discard(key)
        if name := pod.workload_name or pod.owner:
            _take_from(self._named, (key[0], name), key)

    def _unindex(self, workload: Workload) -> None:
        _take_from(self._ids, (workload.namespace, workload.name), workload.id)
        for counter, value in ((self._namespaces, workload.namespace), (self._clusters, workload.cluster_id)):
            counter[value] -= 1
            if counter[value] <= 0:
                del counter[value]


def is_plain(workload: Workload) -> bool:
    """Whether it runs whole or is at rest: as far as its row goes, time alone changes nothing about it."""
    return workload.phase in _AT_REST or (workload.phase == "Running" and is_whole(workload))


def _place(workload: Workload) -> tuple[str, str, str]:
    return workload.namespace, workload.name, workload.cluster_id


def _take_from(index: dict[K, tuple[V, ...]], key: K, value: V) -> None:
    """Removes a value, and its key with the last one."""
    if left := tuple(other for other in index[key] if other != value):
        index[key] = left
    else:
        del index[key]

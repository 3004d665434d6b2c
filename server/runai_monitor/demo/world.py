"""The simulated cluster: its state, its journal of changes, and the queue of what happens next.

Everything follows from the seed and the clock: what is due is applied with the instant it was due at, whenever somebody
looks. Nothing here waits or speaks a wire format.
"""

from __future__ import annotations

import heapq
import random
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

import anyio

from runai_monitor.clock import Clock
from runai_monitor.demo.objects import Event, PhaseEntry, Pod, PodChange, Project, Workload

JOURNAL_LENGTH = 2048
"""Pod changes kept for watches; a watch from further back is answered 410, as etcd's compaction does."""

_ENDED_PHASES = frozenset({"Completed", "Failed"})


class World:
    """Workloads, pods, events and logs of one tenant with one cluster.

    Attributes:
        cluster_id, tenant_id: what the control plane calls them.
        projects: every project, in a stable order.
        version: the resourceVersion of the last change; it only grows.
    """

    def __init__(self, *, clock: Clock, seed: int, projects: Iterable[Project]) -> None:
        self._clock = clock
        self.seed = seed
        self.cluster_id = new_id(random.Random(f"{seed}/cluster"))
        self.tenant_id = 1007
        self.projects = tuple(projects)
        self._projects_by_name = {project.name: project for project in self.projects}
        self.version = 10_000
        self.lost_nodes: set[str] = set()
        self._ids = random.Random(f"{seed}/world")
        self._workloads: dict[str, Workload] = {}
        self._pods: dict[tuple[str, str], Pod] = {}
        self._pods_of: dict[str, dict[str, Pod]] = {}
        self._gone_pods: dict[str, list[Pod]] = {}
        self._events: dict[str, list[Event]] = {}
        self._logs: dict[str, list[tuple[datetime, str]]] = {}
        self._previous_logs: dict[str, list[tuple[datetime, str]]] = {}
        self._journal: deque[PodChange] = deque(maxlen=JOURNAL_LENGTH)
        self._queue: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._scheduled = 0
        self._changed = anyio.Event()

    # Time

    def now(self) -> datetime:
        """The current instant of the world, aware, in UTC."""
        return self._clock.now()

    def schedule(self, at: datetime, action: Callable[[datetime], None]) -> None:
        """Lets `action` happen at `at`; it is given that instant. Equal instants keep their order."""
        self._scheduled += 1
        heapq.heappush(self._queue, (at, self._scheduled, action))

    def advance(self) -> None:
        """Applies everything that is due by now, in order."""
        now = self._clock.now()
        while self._queue and self._queue[0][0] <= now:
            at, _, action = heapq.heappop(self._queue)
            action(at)

    def seconds_to_next(self) -> float | None:
        """Seconds until the next thing is due, None when nothing is planned."""
        return (self._queue[0][0] - self._clock.now()).total_seconds() if self._queue else None

    def changed(self) -> anyio.Event:
        """An event that is set at the next change of any pod or workload."""
        return self._changed

    # Reading

    @property
    def workload_count(self) -> int:
        """How many workloads exist, deleted ones left out."""
        return sum(workload.deleted_at is None for workload in self._workloads.values())

    def workloads(self, *, deleted: bool = False) -> list[Workload]:
        """Every existing workload, or every deleted one, in the order of creation here."""
        return [w for w in self._workloads.values() if (w.deleted_at is not None) is deleted]

    def workload(self, workload_id: str) -> Workload | None:
        """One workload, deleted or not."""
        return self._workloads.get(workload_id)

    def project(self, name: str) -> Project:
        """The project of this name.

        Raises:
            KeyError: there is none.
        """
        return self._projects_by_name[name]

    def pods(self, namespace: str | None = None) -> list[Pod]:
        """Every pod that exists in Kubernetes, of one namespace or of all."""
        return [pod for pod in self._pods.values() if namespace in (None, pod.namespace)]

    def pod(self, namespace: str, name: str) -> Pod | None:
        """One existing pod."""
        return self._pods.get((namespace, name))

    def pods_of(self, workload_id: str, *, deleted: bool = False) -> list[Pod]:
        """The pods of a workload that exist, or those that were removed, by index."""
        if deleted:
            return list(self._gone_pods.get(workload_id, ()))
        return sorted(self._pods_of.get(workload_id, {}).values(), key=lambda pod: pod.index)

    def events(self, namespace: str | None = None) -> list[Event]:
        """Every event, of one namespace or of all, oldest first."""
        found = [event for events in self._events.values() for event in events if namespace in (None, event.namespace)]
        return sorted(found, key=lambda event: event.version)

    def events_of(self, workload_id: str) -> list[Event]:
        """The events of a workload and its pods, oldest first."""
        return list(self._events.get(workload_id, ()))

    def log(self, pod: Pod, *, previous: bool = False) -> list[tuple[datetime, str]]:
        """The lines the current run of the container wrote, or those of the run before it."""
        return list((self._previous_logs if previous else self._logs).get(pod.uid, ()))

    def changes_since(self, version: int) -> list[PodChange] | None:
        """The pod changes after `version`; None when they are no longer all known."""
        oldest = self._journal[0].version if len(self._journal) == JOURNAL_LENGTH else 0
        if version + 1 < oldest:
            return None
        return [change for change in self._journal if change.version > version]

    # Writing

    def new_id(self) -> str:
        """A fresh UUID, the same in every world of this seed and history."""
        return new_id(self._ids)

    def put_workload(self, workload: Workload) -> None:
        """Adds or replaces a workload."""
        self._workloads[workload.id] = workload
        self._touch()

    def set_phase(self, workload_id: str, *, phase: str, reason: str | None, message: str, at: datetime) -> None:
        """Gives a workload a new phase, kept in its history."""
        workload = self._workloads[workload_id]
        self.put_workload(
            replace(
                workload,
                phase=phase,
                phase_reason=reason,
                phase_message=message,
                phase_updated_at=at,
                completed_at=at if phase in _ENDED_PHASES else None,
                history=(*workload.history, PhaseEntry(at=at, phase=phase, message=message)),
            )
        )

    def put_pod(self, pod: Pod) -> Pod:
        """Adds or replaces a pod; the returned one carries its new version."""
        key = (pod.namespace, pod.name)
        pod = replace(pod, version=self._next_version())
        self._journal.append(PodChange(version=pod.version, before=self._pods.get(key), after=pod))
        self._pods[key] = pod
        self._pods_of.setdefault(pod.workload_id, {})[pod.name] = pod
        self._touch()
        return pod

    def remove_pod(self, pod: Pod, *, at: datetime) -> None:
        """Takes a pod out of Kubernetes; the control plane still remembers it as deleted."""
        gone = self._pods.pop((pod.namespace, pod.name))
        del self._pods_of[gone.workload_id][gone.name]
        gone = replace(gone, deleted_at=at, version=self._next_version())
        self._gone_pods.setdefault(gone.workload_id, []).append(gone)
        self._journal.append(PodChange(version=gone.version, before=gone, after=None))
        self._touch()

    def add_event(self, event: Event) -> None:
        """Records an event."""
        self._events.setdefault(event.workload_id, []).append(replace(event, version=self._next_version()))
        self._touch()

    def write_log(self, pod: Pod, lines: Iterable[str], *, at: datetime) -> None:
        """Lets the container of `pod` write lines."""
        self._logs.setdefault(pod.uid, []).extend((at, line) for line in lines)

    def rotate_log(self, pod: Pod) -> None:
        """Starts the log of a new run; the run before stays readable as the previous one."""
        self._previous_logs[pod.uid] = self._logs.pop(pod.uid, [])

    def _next_version(self) -> int:
        self.version += 1
        return self.version

    def _touch(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def new_id(source: random.Random) -> str:
    """A version-4 UUID drawn from `source`."""
    return str(uuid.UUID(int=source.getrandbits(128), version=4))

"""Who fails beside a workload right now, told or not. Of a burst the store knows nobody until the first is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

import anyio

from runai_monitor.model.alert import Alert, AlertKind, Transition
from runai_monitor.model.cluster import Pod
from runai_monitor.model.history import MOST_NEIGHBOURS, WINDOW, AlertHistory, Neighbour
from runai_monitor.model.workload import UNHEALTHY_PHASES, Workload, WorkloadId
from runai_monitor.monitor.state import State
from runai_monitor.pauses import Pauses

_MOST_NODES = 32

KEPT_SECONDS, MANY = 5.0, 500
"""In a storm thousands fail beside each, and every diagnosis asks: from so many on, they are listed once in a while."""

Candidate = tuple[str, str, str, datetime, tuple[str, ...], Workload | Alert | Transition]
"""Who fails: a workload's id, project and name, since when, its images, and what tells so."""


_NAME, _SINCE = itemgetter(2, 0), itemgetter(3)


@dataclass(slots=True)
class _Listing:
    """Whoever fails in a cluster, each once, the newest first; and what was told of them."""

    made_at: float
    candidates: Sequence[Candidate]
    told: dict[str, Neighbour] = field(default_factory=dict)


class Neighbourhood:
    """Whoever fails now, by cluster.

    Args:
        state: what is watched.
        allowed: the projects that may be seen, None for all.
    """

    def __init__(self, state: State, *, allowed: Sequence[str] | None) -> None:
        self._state = state
        self._allowed = allowed
        self._listings: dict[str, _Listing] = {}
        self._lock = anyio.Lock()

    async def beside(self, workload: Workload, *, failed_at: datetime) -> AlertHistory:
        """The other workloads of its cluster that fail within an hour of `failed_at`, those that share most first."""
        first, last = failed_at - WINDOW, failed_at + WINDOW
        images, place = set(workload.images), (workload.project, workload.name)
        sharing: list[Candidate] = []
        others: list[Candidate] = []
        listing = await self._newest_first(workload.cluster_id)
        pauses = Pauses()
        for other in listing.candidates:
            await pauses()
            workload_id, project, name, started_at, shown, _ = other
            if not first <= started_at <= last or workload_id == workload.id or (project, name) == place:
                continue
            (others if project != workload.project and images.isdisjoint(shown) else sharing).append(other)
            if len(sharing) > MOST_NEIGHBOURS:
                break  # no other could be among those that are told
        found = sharing + others
        told: list[Neighbour] = []
        for other in found[:MOST_NEIGHBOURS]:
            await pauses()
            told.append(self._told(other, listing))
        return AlertHistory(neighbours=tuple(told), more_neighbours=len(found) > MOST_NEIGHBOURS)

    async def _newest_first(self, cluster_id: str) -> _Listing:
        """Of very many only the newest few are told: a list some seconds old will do."""
        async with self._lock:
            now = self._state.snapshot.monotonic()
            kept = self._listings.pop(cluster_id, None)
            if kept is None or now - kept.made_at >= KEPT_SECONDS:
                kept = _Listing(made_at=now, candidates=await self._listed(cluster_id))
            if len(kept.candidates) >= MANY:
                self._listings[cluster_id] = kept
            return kept

    async def _listed(self, cluster_id: str) -> list[Candidate]:
        found: dict[str, Candidate] = {}
        pauses = Pauses()
        for other in _candidates(self._state, cluster_id):
            await pauses()
            if self._allowed is None or other[1] in self._allowed:
                found[other[0]] = other
        by_name = sorted(found.values(), key=_NAME)
        return sorted(by_name, key=_SINCE, reverse=True)  # of the same instant, still by name

    def _told(self, other: Candidate, listing: _Listing) -> Neighbour:
        told = listing.told.get(other[0])
        if told is None:
            told = listing.told[other[0]] = _on_nodes(self._state, _neighbour(self._state, other[-1]))
        return told


def _candidates(state: State, cluster_id: str) -> Iterator[Candidate]:
    """Those that only Run:ai's phase speaks of, then those whose alerts are open, then those about to be told.

    They may come and go meanwhile.
    """
    for workload_id in list(state.snapshot.apart):  # whoever is unhealthy is among them
        other = state.snapshot.workloads.get(workload_id)
        if other is None or other.phase not in UNHEALTHY_PHASES or other.phase_updated_at is None:
            continue
        if other.cluster_id == cluster_id:
            yield other.id, other.project, other.name, other.phase_updated_at, other.images, other
    for alert in list(state.book.open.values()):
        subject = alert.subject
        if alert.kind is AlertKind.WORKLOAD_UNHEALTHY and subject.cluster_id == cluster_id:
            yield subject.id, subject.project, subject.name, alert.started_at, subject.images, alert
    for transition in list(state.being_told.values()):
        subject = transition.subject
        if (
            transition.kind is AlertKind.WORKLOAD_UNHEALTHY
            and subject.cluster_id == cluster_id
            and (transition.kind, subject.id) not in state.book.open
        ):
            yield subject.id, subject.project, subject.name, transition.at, subject.images, transition


def _neighbour(state: State, source: Workload | Alert | Transition) -> Neighbour:
    if isinstance(source, Workload):
        assert source.phase_updated_at is not None
        return Neighbour(
            workload_id=source.id,
            project=source.project,
            name=source.name,
            status=state.book.baseline.get(source.id, source.phase),
            started_at=source.phase_updated_at,
            images=source.images,
        )
    if isinstance(source, Transition):
        return _told(source, source.at)
    causes = source.diagnosis.causes if source.diagnosis is not None else ()
    nodes = source.diagnosis.nodes if source.diagnosis is not None else ()
    return _told(source, source.started_at, causes[0].cause if causes else None, nodes)


def _told(
    told: Alert | Transition, started_at: datetime, cause: str | None = None, nodes: tuple[str, ...] = ()
) -> Neighbour:
    return Neighbour(
        workload_id=told.subject.id,
        project=told.subject.project,
        name=told.subject.name,
        status=told.status,
        started_at=started_at,
        cause=cause,
        nodes=nodes,
        images=told.subject.images,
    )


def _on_nodes(state: State, other: Neighbour) -> Neighbour:
    """With the nodes of its pods that failed, else of all its pods, where no diagnosis has told them."""
    known = state.snapshot.workloads.get(WorkloadId(other.workload_id))
    if other.nodes or known is None:
        return other
    pods = state.snapshot.pods_of(known)
    nodes = [pod.node for pod in pods if pod.node and _failed(pod)] or [pod.node for pod in pods if pod.node]
    return dataclasses.replace(other, nodes=tuple(dict.fromkeys(nodes))[:_MOST_NODES])


def _failed(pod: Pod) -> bool:
    ends = [end for c in pod.containers for end in (c.ended, c.last_ended) if end is not None]
    return pod.pod_phase in {"Failed", "Unknown"} or any(end.exit_code != 0 for end in ends)

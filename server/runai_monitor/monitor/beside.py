"""Pure: who fails beside a workload right now, told or not. Of a burst the store knows nobody until the first is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime

from runai_monitor.model.alert import Alert, AlertKind, Transition
from runai_monitor.model.cluster import Pod
from runai_monitor.model.history import MOST_NEIGHBOURS, WINDOW, AlertHistory, Neighbour
from runai_monitor.model.workload import UNHEALTHY_PHASES, Workload, WorkloadId
from runai_monitor.monitor.state import Candidate, State

_MOST_NODES = 32

KEPT_SECONDS, MANY = 5.0, 500
"""In a storm thousands fail beside each, and every diagnosis asks: from so many on, they are listed once in a while."""


def failing_beside(
    state: State, workload: Workload, *, failed_at: datetime, allowed: Sequence[str] | None
) -> AlertHistory:
    """The other workloads of its cluster that fail within an hour of `failed_at`, those that share most first.

    Args:
        state: what is watched.
        workload: the one beside which they fail.
        failed_at: when it failed.
        allowed: the projects that may be seen, None for all.
    """
    first, last = failed_at - WINDOW, failed_at + WINDOW
    images, place = set(workload.images), (workload.project, workload.name)
    sharing: list[Candidate] = []
    others: list[Candidate] = []
    for other in _newest_first(state, workload.cluster_id, allowed):
        workload_id, project, name, started_at, shown, _ = other
        if not first <= started_at <= last or workload_id == workload.id or (project, name) == place:
            continue
        (others if project != workload.project and images.isdisjoint(shown) else sharing).append(other)
        if len(sharing) > MOST_NEIGHBOURS:
            break  # no other could be among those that are told
    found = sharing + others
    return AlertHistory(
        neighbours=tuple(_on_nodes(state, _neighbour(state, other[-1])) for other in found[:MOST_NEIGHBOURS]),
        more_neighbours=len(found) > MOST_NEIGHBOURS,
    )


def _newest_first(state: State, cluster_id: str, allowed: Sequence[str] | None) -> Sequence[Candidate]:
    """Whoever fails in a cluster, each once. Of very many only the newest few are told: a list some seconds old will do."""
    now, key = state.snapshot.monotonic(), (cluster_id, None if allowed is None else tuple(allowed))
    made_at, made = state.failing.get(key, (float("-inf"), ()))
    if now - made_at < KEPT_SECONDS:
        return made
    found = {other[0]: other for other in _candidates(state, cluster_id) if allowed is None or other[1] in allowed}
    made = sorted(found.values(), key=lambda other: (-other[3].timestamp(), other[2], other[0]))
    if len(made) >= MANY:
        state.failing[key] = (now, made)
    return made


def _candidates(state: State, cluster_id: str) -> Iterator[Candidate]:
    """Those that only Run:ai's phase speaks of, then those whose alerts are open, then those about to be told."""
    for workload_id in state.snapshot.apart:  # whoever is unhealthy is among them
        other = state.snapshot.workloads[workload_id]
        if other.phase in UNHEALTHY_PHASES and other.phase_updated_at is not None and other.cluster_id == cluster_id:
            yield other.id, other.project, other.name, other.phase_updated_at, other.images, other
    for alert in state.book.open.values():
        subject = alert.subject
        if alert.kind is AlertKind.WORKLOAD_UNHEALTHY and subject.cluster_id == cluster_id:
            yield subject.id, subject.project, subject.name, alert.started_at, subject.images, alert
    for transition in state.being_told.values():
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

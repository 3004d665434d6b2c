"""Pure: who fails beside a workload right now, told or not. Of a burst the store knows nobody until the first is told."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime

from runai_monitor.model.alert import Alert, AlertKind, Transition
from runai_monitor.model.cluster import Pod
from runai_monitor.model.history import MOST_NEIGHBOURS, WINDOW, AlertHistory, Neighbour
from runai_monitor.model.workload import UNHEALTHY_PHASES, Workload, WorkloadId
from runai_monitor.monitor.state import State

_MOST_NODES = 32


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
    found = {
        other.workload_id: other
        for other in _candidates(state, workload)
        if abs(other.started_at - failed_at) <= WINDOW and (allowed is None or other.project in allowed)
    }
    images = set(workload.images)

    def order(other: Neighbour) -> tuple[bool, float, str]:
        return (
            not (other.project == workload.project or images & set(other.images)),
            -other.started_at.timestamp(),
            other.name,
        )

    nearest = sorted(found.values(), key=order)[:MOST_NEIGHBOURS]
    return AlertHistory(
        neighbours=tuple(_on_nodes(state, other) for other in nearest), more_neighbours=len(found) > len(nearest)
    )


def _candidates(state: State, workload: Workload) -> Iterator[Neighbour]:
    """Those that only Run:ai's phase speaks of, then those whose alerts are open, then those about to be told."""
    for other in state.snapshot.workloads.values():
        if other.phase in UNHEALTHY_PHASES and other.phase_updated_at is not None and _is_beside(other, workload):
            yield Neighbour(
                workload_id=other.id,
                project=other.project,
                name=other.name,
                status=state.book.baseline.get(other.id, other.phase),
                started_at=other.phase_updated_at,
                images=other.images,
            )
    for alert in state.book.open.values():
        if _counts(alert, workload):
            causes = alert.diagnosis.causes if alert.diagnosis is not None else ()
            nodes = alert.diagnosis.nodes if alert.diagnosis is not None else ()
            yield _told(alert, alert.started_at, causes[0].cause if causes else None, nodes)
    for transition in state.being_told.values():
        if _counts(transition, workload) and (transition.kind, transition.subject.id) not in state.book.open:
            yield _told(transition, transition.at)


def _counts(told: Alert | Transition, workload: Workload) -> bool:
    subject = told.subject
    itself = subject.id == workload.id or (subject.project, subject.name) == (workload.project, workload.name)
    return told.kind is AlertKind.WORKLOAD_UNHEALTHY and not itself and subject.cluster_id == workload.cluster_id


def _is_beside(other: Workload, workload: Workload) -> bool:
    itself = other.id == workload.id or (other.project, other.name) == (workload.project, workload.name)
    return not itself and other.cluster_id == workload.cluster_id


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

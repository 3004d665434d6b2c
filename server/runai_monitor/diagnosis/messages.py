"""What kubelet, schedulers and controllers say about a workload, in one shape, whichever way it reached us.

A complaint counts only while it holds: kubelet's events stay for an hour after a pull that worked at the second attempt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from runai_monitor.diagnosis.case import Case, all_run
from runai_monitor.diagnosis.rules.finding import Strength
from runai_monitor.diagnosis.wording import token
from runai_monitor.model.cluster import ContainerPhase, Pod
from runai_monitor.model.workload import STARTING_PHASES, WorkloadEvent

WAITING_PHASES = STARTING_PHASES | {"Pending"}
_BEFORE_CREATION = timedelta(minutes=2)
"""Clocks of a control plane and a cluster differ; what is older than the workload by more is another's."""


class Stage(IntEnum):
    """How far a pod has come."""

    NONE = 0
    SCHEDULED = 1
    PREPARED = 2
    """Volumes are mounted, the sandbox stands."""
    PULLED = 3
    STARTED = 4
    RUNNING = 5
    """Nothing that happens to a running container is overcome by its having started."""


_REACHED = {
    "Scheduled": Stage.SCHEDULED,
    "Pulled": Stage.PULLED,
    "Created": Stage.PULLED,
    "Started": Stage.STARTED,
    "SuccessfulCreate": Stage.NONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One text with its source. `about` names the object it is about; `passed` is the stage that has been reached since.

    `of_workload` marks the control plane's own words about the workload, whose reason is a phase and no event's.
    """

    source: str
    reason: str
    text: str
    at: datetime | None
    about: str | None = None
    kind: str = "Pod"
    passed: Stage = Stage.NONE
    of_workload: bool = False
    strength: Strength = Strength.EVENT

    @property
    def quoted(self) -> str:
        """As it is cited."""
        return f"{self.reason}: {self.text}" if self.text else self.reason


def messages(case: Case) -> list[Message]:
    """Every event, waiting state and status text that is about this workload, oldest first."""
    progress = _Progress(case)
    found = [*_states(case), *_workload(case), *_kube_events(case, progress), *_runai_events(case, progress)]
    return sorted(found, key=lambda item: (item.at is None, item.at))


class _Progress:
    """The stages that pods have reached, by what their states and events tell."""

    def __init__(self, case: Case) -> None:
        self._pods = {pod.name: pod for pod in case.pods}
        self._placed = {pod.name for pod in case.runai_pods if pod.node}
        self._told: dict[str, list[tuple[datetime, Stage]]] = {}
        events = [(e.at, e.reason, e.object_name) for e in case.kube_events]
        events += [(e.at, e.reason, e.object_name or "") for e in (*case.events, *case.history.events)]
        for at, reason, name in events:
            if at is not None and reason in _REACHED:
                self._told.setdefault(name, []).append((at, _REACHED[reason]))

    def since(self, name: str | None, at: datetime | None) -> Stage:
        """The furthest stage that the pod has reached after that time."""
        if name is None:
            return Stage.NONE
        pod = self._pods.get(name)
        stages = [stage for when, stage in self._told.get(name, []) if at is not None and when > at]
        if name in self._placed or (pod is not None and pod.node):
            stages.append(Stage.SCHEDULED)
        if pod is not None:
            stages += _reached_by(pod, at)
        return max(stages, default=Stage.NONE)


def _reached_by(pod: Pod, at: datetime | None) -> Iterator[Stage]:
    if all_run(pod):
        yield Stage.STARTED
    for container in pod.containers:
        if container.ephemeral:
            continue
        runs = [end for end in (container.ended, container.last_ended) if end and end.reason != "StartError"]
        instants = [container.started_at, *(end.started_at or end.finished_at for end in runs)]
        known = [instant for instant in instants if instant is not None]
        if not known and not runs:
            continue
        if at is None or not known or max(known) >= at:
            yield Stage.PREPARED if container.init else Stage.STARTED


def _states(case: Case) -> Iterator[Message]:
    for pod in case.pods:
        since = pod.created_at
        for container in pod.containers:
            if container.phase is ContainerPhase.WAITING and container.reason and not container.ephemeral:
                last = container.last_ended.finished_at if container.last_ended else None
                yield Message(
                    source=f"state of container {token(container.name)} of pod {token(pod.name)}",
                    reason=container.reason,
                    text=container.message or "",
                    at=last or since,
                    about=pod.name,
                    strength=Strength.STATE,
                )
        if pod.reason:
            ends = [c.ended.finished_at for c in pod.containers if c.ended is not None and c.ended.finished_at]
            yield Message(
                source=f"status of pod {token(pod.name)}",
                reason=pod.reason,
                text=pod.message or "",
                at=min(ends, default=pod.started_at or since),
                about=pod.name,
                strength=Strength.STATE,
            )
        yield from _conditions(pod)


def _conditions(pod: Pod) -> Iterator[Message]:
    """Of a pod's conditions only two say of a failure: that it has no place, and that somebody disrupts it."""
    for condition in pod.conditions:
        unplaced = condition.type == "PodScheduled" and condition.status == "False"
        if unplaced or (condition.type == "DisruptionTarget" and condition.status == "True"):
            yield Message(
                source=f"condition {condition.type} of pod {token(pod.name)}",
                reason=condition.reason or condition.type,
                text=condition.message or "",
                at=condition.changed_at,
                about=pod.name,
                strength=Strength.STATE,
            )


def _workload(case: Case) -> Iterator[Message]:
    workload = case.workload
    told = [(workload.phase_reason or workload.phase, workload.phase_message or "", workload.phase_updated_at)]
    if case.detail is not None:
        told += [
            (item.reason or item.type, item.message or "", item.changed_at)
            for item in case.detail.conditions
            if item.status != "False" and (item.reason or item.message)
        ]
        if workload.phase in WAITING_PHASES:
            told += [("Unschedulable", text, workload.phase_updated_at) for text in case.detail.scheduling_messages]
    # Only the present phase's entry of the history: what was said of earlier ones is over.
    told += [(c.phase, c.message, c.at) for c in case.history.changes[-1:] if c.message]
    for reason, text, at in dict.fromkeys(told):
        yield Message(source="Run:ai workload", reason=reason, text=text, at=at, of_workload=True, kind="Workload")


def _kube_events(case: Case, progress: _Progress) -> Iterator[Message]:
    uids = {pod.name: pod.uid for pod in case.pods}
    for event in case.kube_events:
        uid = uids.get(event.object_name) if event.object_kind == "Pod" else ""
        if uid is None or (event.object_uid and uid and event.object_uid != uid) or _is_old(case, event.at):
            continue
        yield Message(
            source=f"Kubernetes event on {token(event.object_kind)} {token(event.object_name)}",
            reason=event.reason,
            text=event.message,
            at=event.at,
            about=event.object_name,
            kind=event.object_kind,
            passed=progress.since(event.object_name, event.at),
        )


def _runai_events(case: Case, progress: _Progress) -> Iterator[Message]:
    known = case.pod_names
    for event in _distinct((*case.history.events, *case.events)):
        name = event.object_name
        foreign = event.object_kind == "Pod" and name and known and not _is_of(case, name, known)
        if foreign or event.object_kind == "Node" or _is_old(case, event.at):
            continue
        about = f" on {token(event.object_kind)} {token(name)}" if name else ""
        yield Message(
            source=f"Run:ai event{about}",
            reason=event.reason,
            text=event.message,
            at=event.at,
            about=name,
            kind=event.object_kind or "",
            passed=progress.since(name, event.at),
        )


def _distinct(events: Iterable[WorkloadEvent]) -> Iterator[WorkloadEvent]:
    """Events once: the list and the history may hold the same one."""
    yield from {(e.at, e.reason, e.message, e.object_name): e for e in events}.values()


def _is_of(case: Case, name: str, known: frozenset[str]) -> bool:
    return name in known or re.fullmatch(re.escape(case.workload.name) + r"(?:-[a-z0-9]+)*", name) is not None


def _is_old(case: Case, at: datetime | None) -> bool:
    created = case.workload.created_at
    return at is not None and created is not None and at < created - _BEFORE_CREATION

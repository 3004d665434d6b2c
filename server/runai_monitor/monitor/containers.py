"""Pure: what container states and pods say. They come before phases: a phase never says OOMKilled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runai_monitor.model.cluster import Container, ContainerPhase, Pod, Termination
from runai_monitor.monitor.said import cut, said

_WAITING = {
    "ImagePullBackOff": "ImagePullBackOff",
    "ErrImagePull": "ImagePullBackOff",
    "ImageInspectError": "ImagePullBackOff",
    "RegistryUnavailable": "ImagePullBackOff",
    "InvalidImageName": "InvalidImageName",
    "ErrImageNeverPull": "ErrImageNeverPull",
    "CreateContainerConfigError": "CreateContainerConfigError",
    "CreateContainerError": "CreateContainerError",
    "RunContainerError": "RunContainerError",
    "StartError": "StartError",
    "CrashLoopBackOff": "CrashLoopBackOff",
}
_HOLD_SECONDS = {"ErrImagePull": 10.0}
"""How long what may pass by itself must last to be told. A first pull that fails is tried again within seconds; when
that fails too, the kubelet calls it ImagePullBackOff, which is told at once."""
_SECOND = timedelta(seconds=1)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=10), timedelta(minutes=5)
"""The kubelet's back-off: ten seconds, doubled up to five minutes."""
_FORGIVEN = timedelta(minutes=10)
"""After a run of this length the kubelet calls the next crash the first one again."""
_ENDED = {"StartError": "StartError", "ContainerCannotRun": "RunContainerError", "DeadlineExceeded": "DeadlineExceeded"}
_TOLD_BY_POD = frozenset({"Evicted", "DeadlineExceeded"})
_PREEMPTED = re.compile(r"preempt|reclaim", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A status with where and since when it was found; `loops_since` is when it had begun to recur at the latest."""

    status: str
    summary: str
    since: datetime | None = None
    pod: str | None = None
    container: str | None = None
    exit_code: int | None = None
    hold_seconds: float = 0.0
    loops_since: datetime | None = None


def from_pods(pods: Sequence[Pod], *, now: datetime, hold: timedelta) -> Iterator[Found]:
    """Every trouble in the pods of one workload; `hold` is how long a container must run to count as recovered.

    Quiet are: pods that succeeded (their sidecars are killed), pods replaced by newer ones that work, pods that the
    scheduler preempted, what containers do while their pod is being deleted (somebody stopped them), exits with code
    0, and debugging sessions.
    """
    for pod in pods:
        if pod.pod_phase == "Succeeded" or was_preempted(pod) or _superseded(pod, pods, now=now, hold=hold):
            continue
        if pod.reason in _TOLD_BY_POD:
            verb = "was evicted" if pod.reason == "Evicted" else "ran longer than its deadline"
            ended = [end.finished_at for end in _ends(pod) if end.finished_at is not None]
            yield Found(
                status=pod.reason,
                summary=f"pod `{cut(pod.name)}` {verb}{said(pod.message)}",
                since=max(ended, default=pod.started_at),
                pod=pod.name,
            )
        troubles = [_from_container(pod, container, now=now, hold=hold) for container in _own(pod)]
        yield from (found for found in troubles if found and not (pod.deleting and found.status == "Error"))
        if pod.pod_phase == "Failed" and pod.reason not in _TOLD_BY_POD and not pod.deleting and not any(troubles):
            yield Found(
                status="Error",
                summary=f"pod `{cut(pod.name)}` failed{_facts(cut(pod.reason or ''))}{said(pod.message)}",
                since=pod.started_at or pod.created_at,
                pod=pod.name,
            )


def in_trouble(pod: Pod, *, now: datetime, hold: timedelta) -> bool:
    """Whether a pod alone gives cause to ask whose it is."""
    return any(True for _ in from_pods((pod,), now=now, hold=hold))


def failed_before(pods: Sequence[Pod], instant: datetime, *, now: datetime, hold: timedelta) -> bool:
    """Whether there is trouble in these pods and all of it began before an instant, by the cluster's clock.

    Kubernetes cuts its instants to whole seconds: what happened in the same second is not before.
    """
    starts = [found.loops_since or found.since for found in from_pods(pods, now=now, hold=hold)]
    return bool(starts) and all(start is not None and start + _SECOND <= instant for start in starts)


def steady_since(pods: Sequence[Pod]) -> datetime | None:
    """Since when every container of the pods that run has been running; None when one does not, or does not say."""
    starts = [
        container.started_at if container.phase is ContainerPhase.RUNNING else None
        for pod in pods
        if pod.pod_phase == "Running"
        for container in _own(pod)
        if not container.init
    ]
    return max((start for start in starts if start is not None), default=None) if None not in starts else None


def was_preempted(pod: Pod) -> bool:
    """Whether the scheduler took the pod's resources for another."""
    if _PREEMPTED.search(pod.reason or ""):
        return True
    return any(c.type == "DisruptionTarget" and _PREEMPTED.search(c.reason or "") for c in pod.conditions)


def _own(pod: Pod) -> list[Container]:
    """The containers of the workload itself, without what a person attached."""
    return [container for container in pod.containers if not container.ephemeral]


def _ends(pod: Pod) -> list[Termination]:
    return [container.ended for container in _own(pod) if container.ended is not None]


def _superseded(pod: Pod, pods: Sequence[Pod], *, now: datetime, hold: timedelta) -> bool:
    """Whether a failed pod was replaced by a newer one of the same owner and index that works."""
    if pod.pod_phase != "Failed" or pod.created_at is None or pod.owner_uid is None:
        return False
    ended = max((end.finished_at for end in _ends(pod) if end.finished_at is not None), default=pod.created_at)
    for other in pods:
        if other.uid == pod.uid or (other.owner_uid, other.index) != (pod.owner_uid, pod.index):
            continue
        # Without an index, siblings of one owner look alike: only one that began after this one's end replaces it.
        after = pod.created_at if pod.index is not None else max(ended, pod.created_at)
        if other.created_at is None or other.created_at <= after:
            continue
        regular = [container for container in _own(other) if not container.init]
        if other.pod_phase == "Succeeded":
            return True
        if regular and all(
            _runs_steadily(container, now=now, hold=hold) or _is_done(container) for container in regular
        ):
            return True
    return False


def _is_done(container: Container) -> bool:
    return container.ended is not None and container.ended.exit_code == 0


def _runs_steadily(container: Container, *, now: datetime, hold: timedelta) -> bool:
    if container.phase is not ContainerPhase.RUNNING:
        return False
    return container.started_at is None or now - container.started_at >= hold


def _from_container(pod: Pod, container: Container, *, now: datetime, hold: timedelta) -> Found | None:
    if container.phase is ContainerPhase.TERMINATED and container.ended is not None:
        return _from_end(pod, container, container.ended)
    last = None if container.last_ended is None else _from_end(pod, container, container.last_ended)
    if container.phase is ContainerPhase.WAITING:
        status = _WAITING.get(container.reason or "")
        if last is not None and (status is None or (status == "CrashLoopBackOff" and last.status != "Error")):
            return last
        return _waiting(pod, container, status) if status is not None else None
    if container.phase is ContainerPhase.RUNNING and not _runs_steadily(container, now=now, hold=hold):
        return last
    return None


def _waiting(pod: Pod, container: Container, status: str) -> Found:
    code = container.last_ended.exit_code if container.last_ended else None
    facts = _facts(f"last exit {code}" if code is not None else "", _restarts(container))
    return Found(
        status=status,
        summary=f"{_place(pod, container)} is in {status}{facts}{said(container.message)}",
        # A pod may wait in a queue for hours: its trouble begins no sooner than a node takes it.
        since=(container.last_ended.finished_at if container.last_ended else None) or pod.started_at or pod.created_at,
        pod=pod.name,
        container=container.name,
        exit_code=code,
        hold_seconds=_HOLD_SECONDS.get(container.reason or "", 0.0),
        loops_since=_loops_since(container, container.last_ended) if container.last_ended else None,
    )


def _from_end(pod: Pod, container: Container, end: Termination) -> Found | None:
    """A bad end; exit code 0 is none, and neither is an end without any code or reason."""
    if end.exit_code == 0 or (end.exit_code is None and end.reason in {None, "Completed"}):
        return None
    status = "OOMKilled" if end.reason == "OOMKilled" else _ENDED.get(end.reason or "", "Error")
    verb = {"OOMKilled": "was OOMKilled", "Error": "failed"}.get(status, f"ended with {status}")
    facts = _facts(
        f"exit {end.exit_code}" if end.exit_code is not None else "",
        f"limit {container.memory_limit}" if status == "OOMKilled" and container.memory_limit else "",
        _restarts(container),
    )
    return Found(
        status=status,
        summary=f"{_place(pod, container)} {verb}{facts}{said(end.message)}",
        since=end.finished_at,
        pod=pod.name,
        container=container.name,
        exit_code=end.exit_code,
        loops_since=_loops_since(container, end),
    )


def _loops_since(container: Container, end: Termination) -> datetime | None:
    """When a container that crashed again after a short run had crashed for the first time, at the latest.

    Only the last crash is on record, but before every restart save the first the kubelet waits.
    """
    if end.started_at is None or end.finished_at is None or end.finished_at - end.started_at >= _FORGIVEN:
        return None
    waits = max(0, container.restarts - 1)
    doubled = (1 << min(waits, 5)) - 1
    return end.finished_at - _FIRST_WAIT * doubled - _LONGEST_WAIT * max(0, waits - 5)


def _restarts(container: Container) -> str:
    if not container.restarts:
        return ""
    return "1 restart" if container.restarts == 1 else f"{container.restarts} restarts"


def _facts(*facts: str) -> str:
    given = ", ".join(fact for fact in facts if fact)
    return f" ({given})" if given else ""


def _place(pod: Pod, container: Container) -> str:
    kind = "init container" if container.init else "container"
    return f"{kind} `{cut(container.name)}` of pod `{cut(pod.name)}`"

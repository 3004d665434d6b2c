"""Which of many pods and logs are read: there is no time for all of 64 ranks, and those that failed first say most."""

from __future__ import annotations

from datetime import datetime

from runai_monitor.model.cluster import Container, ContainerPhase, Pod

MOST_LOGS = 24
"""Logs of failed runs read per diagnosis, earliest first: ends are stamped in whole seconds, and ranks end together."""
MOST_RUNNING_LOGS = 4


def ended_before(pod: Pod, instant: datetime) -> bool:
    """Whether everything in a pod had ended before an instant."""
    ends = [end.finished_at for c in pod.containers for end in (c.ended, c.last_ended) if end is not None]
    known = [end for end in ends if end is not None]
    running = any(c.phase is not ContainerPhase.TERMINATED for c in pod.containers)
    return bool(known) and not running and max(known) < instant


def by_interest(pods: list[Pod]) -> list[Pod]:
    """Pods that do not run first: theirs are the events that say why."""
    return sorted(pods, key=lambda pod: pod.pod_phase in {"Running", "Succeeded"} and not pod.reason)


def logs_to_read(pods: list[Pod]) -> tuple[list[tuple[Pod, Container, bool]], int]:
    """The logs worth reading, and how many are left: of runs that failed, earliest first; else of what runs."""
    failed, running = [], []
    for pod in pods:
        for container in pod.containers:
            if container.ephemeral:
                continue
            again = container.ended is not None and container.ended.exit_code != 0
            if container.ended is not None and again:
                failed.append((False, container.ended.finished_at, pod, container, False))
            if container.last_ended is not None and container.last_ended.exit_code != 0:
                failed.append((again, container.last_ended.finished_at, pod, container, True))
            elif container.started_at is not None:
                running.append((pod, container, False))
    # Runs that were followed by another bad one come after all others: what ends the workload now comes first.
    failed.sort(key=lambda item: (item[0], item[1] is None, item[1]))
    wanted = [(pod, container, previous) for _, _, pod, container, previous in failed]
    if not wanted:
        return running[:MOST_RUNNING_LOGS], 0
    return wanted[:MOST_LOGS], len(wanted[MOST_LOGS:])

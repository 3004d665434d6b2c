"""Pure: what the snapshot keeps of a pod. A fleet has a hundred thousand, and detection reads a few fields of each."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

from runai_monitor.model.cluster import Container, ContainerPhase, Pod

_WELL = frozenset({"Running", "Succeeded"})
_TOLD_BY_CONDITION = frozenset({"DisruptionTarget"})


def trimmed(pod: Pod) -> Pod:
    """The pod without what only a diagnosis looks at, which reads it anew."""
    name = pod.workload_name
    return Pod(
        name=pod.name,
        namespace=_same(pod.namespace),
        uid=pod.uid,
        pod_phase=_same(pod.pod_phase),
        node=None if pod.node is None else _same(pod.node),
        reason=pod.reason,
        message=pod.message,
        created_at=pod.created_at,
        started_at=pod.created_at if pod.started_at == pod.created_at else pod.started_at,
        deleting=pod.deleting,
        workload_name=name,
        owner=name if pod.owner == name else pod.owner,
        owner_uid=pod.owner_uid,
        index=pod.index,
        containers=tuple(_trimmed(container, pod) for container in pod.containers),
        conditions=tuple(condition for condition in pod.conditions if condition.type in _TOLD_BY_CONDITION),
    )


def runs(pod: Pod) -> bool:
    """Whether nothing is to be said about a pod now, and nothing will be for as long as it stays as it is."""
    return (
        pod.pod_phase in _WELL
        and pod.reason is None
        and not any(condition.type in _TOLD_BY_CONDITION for condition in pod.conditions)
        and (pod.pod_phase == "Succeeded" or all(_runs(container) for container in pod.containers))
    )


def _trimmed(container: Container, pod: Pod) -> Container:
    if container.phase is ContainerPhase.RUNNING and _runs(container):
        began = container.started_at
        return Container(
            name=pod.workload_name if container.name == pod.workload_name else _same(container.name),
            phase=container.phase,
            init=container.init,
            ephemeral=container.ephemeral,
            started_at=pod.started_at if began == pod.started_at else began,
        )
    return dataclasses.replace(container, image=None, memory_request=None, cpu_request=None, gpus=None)


def _runs(container: Container) -> bool:
    """Running for the first time, or ended as it should."""
    if container.phase is ContainerPhase.RUNNING:
        return container.last_ended is None and not container.restarts
    return container.ended is not None and container.ended.exit_code == 0 and container.last_ended is None


@lru_cache(maxsize=16_384)
def _same(text: str) -> str:
    """One object for equal texts."""
    return text

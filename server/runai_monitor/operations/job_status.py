"""One workload from every side at once: Run:ai's detail, pods and history, and Kubernetes' container states."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import anyio

from runai_monitor.diagnosis.safe import safe_text
from runai_monitor.errors import KubeError, RunaiError
from runai_monitor.model.cluster import Container, Pod, Termination
from runai_monitor.model.workload import (
    PhaseChange,
    Workload,
    WorkloadDetail,
    WorkloadHistory,
    WorkloadPod,
)
from runai_monitor.operations.present import one_line
from runai_monitor.operations.results import JobStatus, PodStatus
from runai_monitor.operations.sources import Kube, Runai

T = TypeVar("T")

SOURCE_SECONDS = 15
RECENT_CHANGES = 20


async def inspect_job(workload: Workload, *, runai: Runai, kube: Kube | None) -> JobStatus:
    """Reads all sides in parallel; one that fails is listed in `unread`, so that the rest is still told."""
    unread: list[str] = []
    detail: list[WorkloadDetail] = []
    listed: list[list[WorkloadPod]] = []
    history: list[WorkloadHistory] = []
    pods: list[list[Pod]] = []

    async def read(what: str, call: Callable[[], Awaitable[T]], into: list[T]) -> None:
        try:
            with anyio.fail_after(SOURCE_SECONDS):
                into.append(await call())
        except (RunaiError, KubeError) as error:
            unread.append(f"{what}: {one_line(safe_text(str(error)), limit=300)}")
        except TimeoutError:
            unread.append(f"{what}: no answer within {SOURCE_SECONDS} s")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, "Run:ai workload detail", lambda: runai.get_workload(workload.id), detail)
        tasks.start_soon(read, "Run:ai pods", lambda: runai.list_pods(workload.id), listed)
        tasks.start_soon(read, "Run:ai history", lambda: runai.get_history(workload.id), history)
        if kube is None:
            unread.append("container states: Kubernetes is not configured")
        else:
            tasks.start_soon(
                read,
                "Kubernetes pods",
                lambda: kube.list_pods(workload.namespace, workload_name=workload.name),
                pods,
            )
    changes = history[0].changes[-RECENT_CHANGES:] if history else ()
    return JobStatus(
        detail=_clean_detail(detail[0] if detail else WorkloadDetail(workload=workload)),
        pods=_merge(listed[0] if listed else [], pods[0] if pods else []),
        history=tuple(PhaseChange(at=c.at, phase=c.phase, message=_clean(c.message)) for c in changes),
        unread=tuple(sorted(unread)),
    )


def _merge(listed: list[WorkloadPod], pods: list[Pod]) -> tuple[PodStatus, ...]:
    """Kubernetes' view where there is one; Run:ai's for the pods Kubernetes no longer has."""
    known = {pod.name for pod in pods}
    ours = {pod.name for pod in listed}
    # Run:ai's list says whose pods they are: a label of the same text may belong to another workload.
    live = [pod for pod in pods if not ours or pod.name in ours] or pods
    merged = [_from_kube(pod) for pod in live]
    merged += [
        PodStatus(name=pod.name, pod_phase=pod.pod_phase, node=pod.node, created_at=pod.created_at)
        for pod in listed
        if pod.name not in known
    ]
    return tuple(sorted(merged, key=lambda pod: pod.name))


def _from_kube(pod: Pod) -> PodStatus:
    return PodStatus(
        name=pod.name,
        pod_phase=pod.pod_phase,
        node=pod.node,
        reason=_clean(pod.reason),
        message=_clean(pod.message),
        created_at=pod.created_at,
        containers=tuple(_clean_container(container) for container in pod.containers),
    )


def _clean_container(container: Container) -> Container:
    return replace(
        container,
        reason=_clean(container.reason),
        message=_clean(container.message),
        ended=_clean_end(container.ended),
        last_ended=_clean_end(container.last_ended),
    )


def _clean_end(end: Termination | None) -> Termination | None:
    return None if end is None else replace(end, reason=_clean(end.reason), message=_clean(end.message))


def _clean_detail(detail: WorkloadDetail) -> WorkloadDetail:
    """Texts redacted and shortened; command, arguments and environment are not for a status at all."""
    workload = replace(
        detail.workload,
        phase_reason=_clean(detail.workload.phase_reason),
        phase_message=_clean(detail.workload.phase_message),
    )
    return replace(
        detail,
        workload=workload,
        conditions=tuple(replace(c, reason=_clean(c.reason), message=_clean(c.message)) for c in detail.conditions),
        scheduling_messages=tuple(_clean(text) or "" for text in detail.scheduling_messages[:10]),
        command=None,
        arguments=None,
        environment=(),
    )


def _clean(text: str | None) -> str | None:
    return None if text is None else one_line(safe_text(text))

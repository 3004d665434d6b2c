"""Gathers evidence: every source at once, under one deadline; what cannot be read is named, with the reason.

Everything is redacted here, before a rule, a report, the store or a channel sees it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio

from runai_monitor.diagnosis.case import Case, ContainerLog
from runai_monitor.diagnosis.logs import clean
from runai_monitor.diagnosis.redact import redact
from runai_monitor.errors import KubeError, KubeNotFoundError, MonitorError, RunaiError
from runai_monitor.model.cluster import Container, KubeEvent, Pod, Termination
from runai_monitor.model.workload import WorkloadDetail, WorkloadEvent, WorkloadHistory, WorkloadId, WorkloadPod

MOST_PODS = 64
MOST_LOGS = 8
"""Logs read per diagnosis, of the containers that failed first."""
CONCURRENT_READS = 8


class RunaiReader(Protocol):
    """What a diagnosis reads of Run:ai."""

    async def get_workload(self, workload_id: WorkloadId) -> WorkloadDetail:
        """One workload in detail."""
        ...

    async def list_pods(self, workload_id: WorkloadId, *, deleted: bool = False) -> list[WorkloadPod]:
        """Its pods as Run:ai lists them."""
        ...

    async def list_events(self, workload_id: WorkloadId, *, limit: int = 200) -> list[WorkloadEvent]:
        """Its events, newest first."""
        ...

    async def get_history(self, workload_id: WorkloadId) -> WorkloadHistory:
        """Its phases so far."""
        ...


class KubeReader(Protocol):
    """What a diagnosis reads of Kubernetes."""

    async def list_pods(self, namespace: str | None, *, workload_name: str | None = None) -> list[Pod]:
        """Pods by label."""
        ...

    async def get_pod(self, namespace: str, name: str) -> Pod:
        """One pod."""
        ...

    async def list_events(
        self, namespace: str, *, object_name: str | None = None, object_uid: str | None = None
    ) -> list[KubeEvent]:
        """Events of one object."""
        ...

    async def read_log(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        tail_lines: int = 100,
        limit_bytes: int = 262_144,
    ) -> str:
        """The end of a log."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is read, and for how long."""

    timeout_seconds: float
    log_tail_lines: int
    log_limit_bytes: int


class Collector:
    """Fills a case from the sources there are."""

    def __init__(self, *, runai: RunaiReader, kube: KubeReader | None, limits: Limits) -> None:
        self._runai = runai
        self._kube = kube
        self._limits = limits

    async def collect(self, case: Case, *, include_logs: bool) -> None:
        """Reads what it can within the time; the rest goes to `case.unread`."""
        pending: dict[str, None] = {}
        with anyio.move_on_after(self._limits.timeout_seconds):
            async with anyio.create_task_group() as tasks:
                for name, read in (
                    ("the workload's details", self._read_detail),
                    ("Run:ai's events", self._read_events),
                    ("Run:ai's history", self._read_history),
                    ("the pods and logs in Kubernetes", self._read_kube(include_logs=include_logs)),
                ):
                    pending[name] = None
                    tasks.start_soon(self._source, name, read, case, pending)
        case.unread += [f"{name}: no answer within {self._limits.timeout_seconds:g} s" for name in pending]

    async def _source(
        self, name: str, read: Callable[[Case], Awaitable[None]], case: Case, pending: dict[str, None]
    ) -> None:
        try:
            await read(case)
        except MonitorError as error:
            case.unread.append(f"{name}: {redact(str(error))}")
        pending.pop(name, None)

    async def _read_detail(self, case: Case) -> None:
        detail = await self._runai.get_workload(case.workload.id)
        fresh = dataclasses.replace(detail.workload, phase_message=_safe(detail.workload.phase_message))
        case.detail, case.workload = detail, fresh

    async def _read_events(self, case: Case) -> None:
        events = await self._runai.list_events(case.workload.id)
        case.events = tuple(dataclasses.replace(event, message=redact(event.message)) for event in events)

    async def _read_history(self, case: Case) -> None:
        case.history = await self._runai.get_history(case.workload.id)

    def _read_kube(self, *, include_logs: bool) -> Callable[[Case], Awaitable[None]]:
        async def read(case: Case) -> None:
            if self._kube is None:
                case.unread.append("container states, logs and Kubernetes events: no Kubernetes access is configured")
                return
            case.pods = tuple(_redacted(pod) for pod in (await self._find_pods(self._kube, case))[:MOST_PODS])
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._read_kube_events, self._kube, case)
                if include_logs:
                    tasks.start_soon(self._read_logs, self._kube, case)

        return read

    async def _find_pods(self, kube: KubeReader, case: Case) -> list[Pod]:
        """The pods that Run:ai names; those it does not know yet by label, in the workload's own namespace."""
        workload = case.workload
        if not workload.namespace:
            case.unread.append("pods: Run:ai names no namespace for this workload")
            return []
        found = {pod.name: pod for pod in await kube.list_pods(workload.namespace, workload_name=workload.name)}
        try:
            listed = await self._runai.list_pods(workload.id)
        except RunaiError as error:
            case.unread.append(f"Run:ai's pod list: {redact(str(error))}")
            listed = []
        for name in [pod.name for pod in listed if pod.name not in found][:MOST_PODS]:
            try:
                found[name] = await kube.get_pod(workload.namespace, name)
            except KubeNotFoundError:
                case.unread.append(f"pod {name}: it does not exist in Kubernetes any more")
        return sorted(found.values(), key=lambda pod: (pod.created_at is None, pod.created_at, pod.name))

    async def _read_kube_events(self, kube: KubeReader, case: Case) -> None:
        found: list[KubeEvent] = []
        limiter = anyio.CapacityLimiter(CONCURRENT_READS)

        async def read(pod: Pod) -> None:
            async with limiter:
                try:
                    found.extend(await kube.list_events(pod.namespace, object_name=pod.name))
                except KubeError as error:
                    case.unread.append(f"Kubernetes events of pod {pod.name}: {redact(str(error))}")

        async with anyio.create_task_group() as tasks:
            for pod in case.pods:
                tasks.start_soon(read, pod)
        case.kube_events = tuple(dataclasses.replace(event, message=redact(event.message)) for event in found)

    async def _read_logs(self, kube: KubeReader, case: Case) -> None:
        found: list[ContainerLog] = []
        limiter = anyio.CapacityLimiter(CONCURRENT_READS)

        async def read(pod: Pod, container: Container, previous: bool) -> None:
            async with limiter:
                try:
                    text = await kube.read_log(
                        pod.namespace,
                        pod.name,
                        container.name,
                        previous=previous,
                        tail_lines=self._limits.log_tail_lines,
                        limit_bytes=self._limits.log_limit_bytes,
                    )
                except KubeError as error:
                    case.unread.append(f"log of container {container.name} of pod {pod.name}: {redact(str(error))}")
                    return
            safe = redact(clean(text))
            found.append(ContainerLog(pod=pod.name, container=container.name, previous=previous, text=safe))

        async with anyio.create_task_group() as tasks:
            for pod, container, previous in _logs_to_read(case.pods):
                tasks.start_soon(read, pod, container, previous)
        case.logs = tuple(found)


def _logs_to_read(pods: tuple[Pod, ...]) -> list[tuple[Pod, Container, bool]]:
    """The logs worth reading: of runs that failed, earliest first; else of what runs."""
    failed, running = [], []
    for pod in pods:
        for container in pod.containers:
            if container.ended is not None and container.ended.exit_code != 0:
                failed.append((container.ended.finished_at, pod, container, False))
            elif container.last_ended is not None and container.last_ended.exit_code != 0:
                failed.append((container.last_ended.finished_at, pod, container, True))
            elif container.started_at is not None:
                running.append((pod, container, False))
    failed.sort(key=lambda item: (item[0] is None, item[0]))
    return ([(pod, container, previous) for _, pod, container, previous in failed] or running)[:MOST_LOGS]


def _redacted(pod: Pod) -> Pod:
    containers = tuple(
        dataclasses.replace(
            container,
            message=_safe(container.message),
            ended=_safe_end(container.ended),
            last_ended=_safe_end(container.last_ended),
        )
        for container in pod.containers
    )
    return dataclasses.replace(pod, message=_safe(pod.message), containers=containers)


def _safe_end(end: Termination | None) -> Termination | None:
    return None if end is None else dataclasses.replace(end, message=_safe(end.message))


def _safe(text: str | None) -> str | None:
    return None if text is None else redact(clean(text))

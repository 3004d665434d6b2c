"""Gathers evidence: every source at once, under one deadline; what cannot be read is named, with the reason.

Everything is made safe here, before a rule, a report, the store or a channel sees it. What was read before the deadline
stays: each answer goes into the case as it comes.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import anyio
from anyio.abc import TaskGroup

from runai_monitor.diagnosis.case import Case, ContainerLog
from runai_monitor.diagnosis.lines import clean
from runai_monitor.diagnosis.listed_nodes import read_listed_nodes
from runai_monitor.diagnosis.logs import read_slowly
from runai_monitor.diagnosis.past import read_past, with_live
from runai_monitor.diagnosis.safe import safe, safe_text
from runai_monitor.diagnosis.sources import HistoryReader, KubeReader, Sources
from runai_monitor.diagnosis.surroundings import Surroundings
from runai_monitor.diagnosis.wording import times, token
from runai_monitor.diagnosis.worth_reading import MOST_LOGS, by_interest, ended_before, logs_to_read
from runai_monitor.errors import (
    KubeForbiddenError,
    KubeNotFoundError,
    KubeUnavailableError,
    MonitorError,
    RunaiAuthError,
    RunaiNotFoundError,
    RunaiUnavailableError,
)
from runai_monitor.model.cluster import Container, ContainerPhase, Pod
from runai_monitor.model.workload import Workload, WorkloadPod

log = logging.getLogger(__name__)

MOST_PODS = 128
MOST_EVENT_READS = 64
MOST_UNREAD = 40
CONCURRENT_READS = 8
_GOOD_TIME = 0.3
"""The part of the time after which what Kubernetes has not shown is looked for elsewhere."""
_CLOCKS_DIFFER = timedelta(minutes=2)
_EVENTS_LAST = timedelta(hours=1)
"""How long Kubernetes keeps events (kube-apiserver's --event-ttl)."""
_REASONS: tuple[tuple[type[MonitorError] | tuple[type[MonitorError], ...], str], ...] = (
    ((KubeForbiddenError, RunaiAuthError), "forbidden"),
    ((KubeNotFoundError, RunaiNotFoundError), "not found"),
    ((KubeUnavailableError, RunaiUnavailableError), "unreachable"),
)


async def collect(case: Case, workload: Workload, sources: Sources, *, include_logs: bool) -> None:
    """Reads what it can within the time; the rest goes to `case.unread`.

    Args:
        case: what is filled, with safe texts only.
        workload: the workload by its own names, as the sources know it.
        sources: where it is read.
        include_logs: whether container logs are read.
    """
    gathering = _Gathering(case, workload, sources, include_logs=include_logs)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_deadline, sources, tasks.cancel_scope)
        await gathering.run()
        tasks.cancel_scope.cancel()
    # Last, for it takes no time: who failed while the rest was read is seen too.
    await gathering.look_around()
    seconds = sources.limits.timeout_seconds
    case.unread += [f"{name}: timeout, no answer within {seconds:g} s" for name in gathering.pending]
    if len(case.unread) > MOST_UNREAD:
        left = len(case.unread) - MOST_UNREAD
        case.unread[MOST_UNREAD:] = [f"{times(left, 'more source')}: for reasons like these"]


async def _in_good_time(sources: Sources, scope: anyio.CancelScope) -> None:
    await sources.clock.sleep(sources.limits.timeout_seconds * _GOOD_TIME)
    scope.cancel()


async def _deadline(sources: Sources, scope: anyio.CancelScope) -> None:
    await sources.clock.sleep(sources.limits.timeout_seconds)
    scope.cancel()


class _Gathering:
    """One diagnosis' reading. `pending` names what is still being read."""

    def __init__(self, case: Case, workload: Workload, sources: Sources, *, include_logs: bool) -> None:
        self._case = case
        self._workload = workload
        self._sources = sources
        self._include_logs = include_logs
        self._limiter = anyio.CapacityLimiter(CONCURRENT_READS)
        self._listed_nodes: list[str] = []
        self._forgotten = 0
        self.pending: dict[str, None] = {}

    async def run(self) -> None:
        """Reads everything there is, at once."""
        async with anyio.create_task_group() as tasks:
            self._start(tasks, "the workload's details", self._read_detail)
            self._start(tasks, "Run:ai's events", self._read_events)
            self._start(tasks, "Run:ai's history", self._read_history)
            if self._sources.history is not None:
                self._start(tasks, "alert history", _bound(self._read_past, self._sources.history))
            tasks.start_soon(self._read_pods)

    async def look_around(self) -> None:
        """Adds who fails beside the workload at this moment, where somebody watches."""
        if self._sources.live is None:
            return
        try:
            self._case.past = await with_live(self._case.past, self._sources.live, self._workload, now=self._case.now)
        except Exception as error:  # isolation boundary, as for every other source
            log.exception("what is watched could not be read")
            self._case.unread.append(f"workloads that fail now: failed, {type(error).__name__}")

    def _start(self, tasks: TaskGroup, name: str, read: Callable[[], Awaitable[None]]) -> None:
        self.pending[name] = None
        tasks.start_soon(self._source, name, read)

    async def _source(self, name: str, read: Callable[[], Awaitable[None]]) -> None:
        """Isolates one source: whatever it raises is noted, and the others go on."""
        try:
            await read()
        except MonitorError as error:
            self._unread(name, error)
        except Exception as error:  # isolation boundary: a defect in reading one source must not cost the diagnosis
            log.exception("%s could not be read", name)
            self._case.unread.append(f"{name}: failed, {type(error).__name__}")
        self.pending.pop(name, None)

    def _unread(self, name: str, error: MonitorError) -> None:
        word = next((word for kinds, word in _REASONS if isinstance(error, kinds)), "failed")
        self._case.unread.append(f"{name}: {word}, {safe_text(str(error))[:300]}")

    async def _read_detail(self) -> None:
        detail = safe(await self._sources.runai.get_workload(self._workload.id))
        self._case.detail, self._case.workload = detail, detail.workload

    async def _read_events(self) -> None:
        self._case.events = safe(tuple(await self._sources.runai.list_events(self._workload.id)))

    async def _read_history(self) -> None:
        self._case.history = safe(await self._sources.runai.get_history(self._workload.id))

    async def _read_past(self, history: HistoryReader) -> None:
        self._case.past = safe(await read_past(history, self._workload, now=self._case.now))

    async def _read_pods(self) -> None:
        """The pods by Run:ai's names and by label, and then what belongs to them."""
        listed: list[WorkloadPod] = []
        labelled: list[Pod] = []
        kube = self._sources.kube
        async with anyio.create_task_group() as tasks:
            self._start(tasks, "Run:ai's pod list", lambda: self._list_runai_pods(listed, deleted=False))
            self._start(tasks, "Run:ai's list of deleted pods", lambda: self._list_runai_pods(listed, deleted=True))
            if kube is not None and self._workload.namespace:
                self._start(tasks, "pods in Kubernetes", lambda: self._list_labelled(kube, labelled))
        if kube is None or not self._workload.namespace:
            async with anyio.create_task_group() as tasks:
                self._start_listed_nodes(tasks, self._listed_nodes)
        if kube is None:
            self._case.unread.append("container states, logs and Kubernetes events: no Kubernetes access is configured")
            return
        if not self._workload.namespace:
            self._case.unread.append("pods in Kubernetes: Run:ai names no namespace for this workload")
            return
        pods = self._own(labelled, listed)
        async with anyio.create_task_group() as tasks:
            have = {pod.name for pod in pods}
            missing = [pod.name for pod in listed if pod.name and pod.deleted_at is None and pod.name not in have]
            for name in list(dict.fromkeys(missing))[: MOST_PODS - len(pods)]:
                self._start(tasks, f"pod {token(name)}", _bound(self._get_pod, kube, name, pods, listed))
        await self._read_around(
            kube, sorted(pods, key=lambda p: (p.created_at is None, p.created_at, p.name))[:MOST_PODS]
        )

    async def _list_runai_pods(self, listed: list[WorkloadPod], *, deleted: bool) -> None:
        found = await self._sources.runai.list_pods(self._workload.id, deleted=deleted)
        listed += found
        self._listed_nodes += [pod.node for pod in found if pod.node]
        self._case.runai_pods = (*self._case.runai_pods, *safe(tuple(found)))

    async def _list_labelled(self, kube: KubeReader, labelled: list[Pod]) -> None:
        labelled += await kube.list_pods(self._workload.namespace, workload_name=self._workload.name)

    async def _get_pod(self, kube: KubeReader, name: str, pods: list[Pod], listed: list[WorkloadPod]) -> None:
        async with self._limiter:
            found = await kube.get_pod(self._workload.namespace, name)
        pods += self._own([found], listed)

    def _own(self, pods: list[Pod], listed: list[WorkloadPod]) -> list[Pod]:
        """Without those that an older incarnation of the same name left: they are older than the workload itself."""
        known, created = {pod.id for pod in listed if pod.id}, self._workload.created_at
        kept = []
        for pod in pods:
            older = created is not None and pod.created_at is not None and pod.created_at < created - _CLOCKS_DIFFER
            if pod.uid in known or not older:
                kept.append(pod)
                self._case.pods = (*self._case.pods, safe(pod))
        return kept

    async def _read_around(self, kube: KubeReader, pods: list[Pod]) -> None:
        """Events of the pods, logs, and what stands around them."""
        self._case.pods = safe(tuple(pods))
        async with anyio.create_task_group() as tasks:
            for pod in by_interest(pods)[:MOST_EVENT_READS]:
                self._start(
                    tasks, f"Kubernetes events of pod {token(pod.name)}", _bound(self._read_pod_events, kube, pod)
                )
            around = Surroundings(kube, self._case, pods, self._listed_nodes, self._workload)
            for name, read in around.sources():
                self._start(tasks, name, read)
            if around.nodes:
                tasks.start_soon(self._read_spare_nodes, around)
            wanted, left = logs_to_read(pods) if self._include_logs else ([], 0)
            for pod, container, previous in wanted:
                which = "previous log" if previous else "log"
                name = f"{which} of container {token(container.name)} of pod {token(pod.name)}"
                self._start(tasks, name, _bound(self._read_log, kube, pod, container, previous))
            if left:
                self._case.unread.append(
                    f"{times(left, 'more log')} of failed containers: only the first {MOST_LOGS} are read"
                )
        self._note_what_expired()

    def _note_what_expired(self) -> None:
        """Nothing is said of pods that ended long ago, and that is no sign that nothing happened."""
        if self._forgotten:
            said = f"Kubernetes keeps events for about an hour, and {'it' if self._forgotten == 1 else 'they'} ended before"
            self._case.unread.append(f"Kubernetes events of {times(self._forgotten, 'pod')}: expired, {said}")

    async def _read_spare_nodes(self, around: Surroundings) -> None:
        """Run:ai's list of nodes, where Kubernetes has not shown them in good time."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_in_good_time, self._sources, tasks.cancel_scope)
            await around.nodes_were_read.wait()
            tasks.cancel_scope.cancel()
        async with anyio.create_task_group() as tasks:
            self._start_listed_nodes(tasks, around.unseen_nodes)

    def _start_listed_nodes(self, tasks: TaskGroup, names: list[str]) -> None:
        if names:
            read = _bound(self._read_listed_nodes, names)
            self._start(tasks, "Run:ai's node list", read)

    async def _read_listed_nodes(self, names: list[str]) -> None:
        cluster_id = self._workload.cluster_id
        await read_listed_nodes(self._sources.runai, self._case, names, cluster_id=cluster_id)

    async def _read_pod_events(self, kube: KubeReader, pod: Pod) -> None:
        async with self._limiter:
            found = await kube.list_events(pod.namespace, object_name=pod.name)
        self._case.kube_events += safe(found)
        if not found and ended_before(pod, self._case.now - _EVENTS_LAST):
            self._forgotten += 1

    async def _read_log(self, kube: KubeReader, pod: Pod, container: Container, previous: bool) -> None:
        async with self._limiter:
            try:
                text = await self._read_text(kube, pod, container, previous=previous)
            except KubeNotFoundError:
                if not previous or container.phase is ContainerPhase.RUNNING:
                    raise
                # Of a container that waits to be restarted, the kubelet gives the last run's log without being asked for it.
                text = await self._read_text(kube, pod, container, previous=False)
        async with self._sources.one_at_a_time:
            read = await read_slowly(clean(text))
        name, inside = safe_text(pod.name), safe_text(container.name)
        self._case.logs.append(ContainerLog(pod=name, container=inside, previous=previous, log=read))

    async def _read_text(self, kube: KubeReader, pod: Pod, container: Container, *, previous: bool) -> str:
        limits = self._sources.limits
        return await kube.read_log(
            pod.namespace,
            pod.name,
            container.name,
            previous=previous,
            tail_lines=limits.log_tail_lines,
            limit_bytes=limits.log_limit_bytes,
        )


def _bound(read: Callable[..., Awaitable[None]], *arguments: object) -> Callable[[], Awaitable[None]]:
    return lambda: read(*arguments)

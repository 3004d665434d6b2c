"""Reads what stands around the pods of a case, for as long as it may; what cannot be read is named, with the reason.

Nodes, claims and quotas need permissions that few grant: a refusal is said once for each kind, not once for each object.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import anyio

from runai_monitor.diagnosis.around import is_sick
from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.safe import safe, safe_text
from runai_monitor.errors import KubeError, KubeForbiddenError, KubeNotFoundError
from runai_monitor.model.cluster import KubeEvent, LimitRange, Node, Pod, ResourceQuota, VolumeClaim

MOST_NODES = 8
MOST_CLAIMS = 8
CONCURRENT_READS = 4


class SurroundingsReader(Protocol):
    """What is read of Kubernetes around pods."""

    async def get_node(self, name: str) -> Node:
        """One node."""
        ...

    async def list_pods_on(self, node: str) -> list[Pod]:
        """The pods of a node."""
        ...

    async def list_node_events(self, name: str) -> list[KubeEvent]:
        """A node's events."""
        ...

    async def get_claim(self, namespace: str, name: str) -> VolumeClaim:
        """One volume claim."""
        ...

    async def list_events(
        self, namespace: str, *, object_name: str | None = None, object_kind: str | None = None
    ) -> list[KubeEvent]:
        """The events of one object."""
        ...

    async def list_quotas(self, namespace: str) -> list[ResourceQuota]:
        """The quotas of a namespace."""
        ...

    async def list_limit_ranges(self, namespace: str) -> list[LimitRange]:
        """The limit ranges of a namespace."""
        ...


async def read_surroundings(
    kube: SurroundingsReader, case: Case, *, pods: Sequence[Pod], nodes: Sequence[str], namespace: str
) -> None:
    """Fills `case.around` and `case.node_events`; each answer goes into the case as it comes.

    Args:
        kube: the cluster.
        case: what is filled, with safe texts only.
        pods: the workload's, by their own names.
        nodes: the nodes worth reading, the most interesting first.
        namespace: the workload's.
    """
    reading = _Reading(kube, case)
    claims = list(dict.fromkeys(name for pod in pods if not _started(pod) for name in pod.claims))
    async with anyio.create_task_group() as tasks:
        for name in nodes[:MOST_NODES]:
            tasks.start_soon(reading.take_turn, "nodes", reading.node(name))
            tasks.start_soon(reading.take_turn, "events of nodes", reading.node_events(name))
        for name in claims[:MOST_CLAIMS]:
            tasks.start_soon(reading.take_turn, "volume claims", reading.claim(namespace, name))
        if any(pod.node is None for pod in pods) or not pods:
            tasks.start_soon(reading.take_turn, "quotas", reading.quotas(namespace))
            tasks.start_soon(reading.take_turn, "limit ranges", reading.limit_ranges(namespace))


class _Reading:
    """One reading for one case."""

    def __init__(self, kube: SurroundingsReader, case: Case) -> None:
        self._kube = kube
        self._case = case
        self._around = case.around
        self._workload = case.workload.name
        self._limiter = anyio.Semaphore(CONCURRENT_READS)
        self._refused: set[str] = set()

    async def take_turn(self, what: str, read: Callable[[], Awaitable[None]]) -> None:
        """Reads when a place is free."""
        async with self._limiter:
            await self.attempt(what, read)

    async def attempt(self, what: str, read: Callable[[], Awaitable[None]]) -> None:
        """Reads; what fails is named once for each kind of objects."""
        if what in self._refused:
            return
        try:
            await read()
        except KubeForbiddenError as error:
            if what not in self._refused:
                self._refused.add(what)
                self._case.unread.append(f"{what}: forbidden ({safe_text(str(error))})")
        except KubeError as error:
            self._case.unread.append(f"{what}: {safe_text(str(error))}")

    def node(self, name: str) -> Callable[[], Awaitable[None]]:
        async def read() -> None:
            try:
                node = safe(await self._kube.get_node(name))
            except KubeNotFoundError:
                self._around.gone.add(safe_text(name))
                return
            self._around.nodes[safe_text(name)] = node
            if is_sick(node):
                await self.attempt("other workloads of nodes", self.neighbours(name))

        return read

    def neighbours(self, name: str) -> Callable[[], Awaitable[None]]:
        async def read() -> None:
            found = {pod.workload_name for pod in await self._kube.list_pods_on(name)} - {None, self._workload}
            self._around.neighbours[safe_text(name)] = sorted(safe_text(other) for other in found if other)

        return read

    def node_events(self, name: str) -> Callable[[], Awaitable[None]]:
        async def read() -> None:
            self._case.node_events += safe(await self._kube.list_node_events(name))

        return read

    def claim(self, namespace: str, name: str) -> Callable[[], Awaitable[None]]:
        async def read() -> None:
            try:
                claim = safe(await self._kube.get_claim(namespace, name))
            except KubeNotFoundError:
                self._around.missing.add(safe_text(name))
                return
            self._around.claims[safe_text(name)] = claim
            if claim.phase != "Bound":
                kind = "PersistentVolumeClaim"
                self._around.claim_events += safe(
                    await self._kube.list_events(namespace, object_name=name, object_kind=kind)
                )

        return read

    def quotas(self, namespace: str) -> Callable[[], Awaitable[None]]:
        async def read() -> None:
            self._around.quotas = safe(await self._kube.list_quotas(namespace))

        return read

    def limit_ranges(self, namespace: str) -> Callable[[], Awaitable[None]]:
        async def read() -> None:
            self._around.limit_ranges = safe(await self._kube.list_limit_ranges(namespace))

        return read


def _started(pod: Pod) -> bool:
    """Whether its volumes have been mounted: some container has run."""
    return any(container.started_at or container.ended or container.last_ended for container in pod.containers)

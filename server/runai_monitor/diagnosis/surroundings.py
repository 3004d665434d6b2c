"""Reads what stands around the pods of a case: their nodes, the volume claims they wait for, the quotas of their namespace.

Few grant these permissions everywhere: a refusal is said once for each kind of objects, not once for each object.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

import anyio

from runai_monitor.diagnosis.around import condition_of, is_sick
from runai_monitor.diagnosis.breakdown import Room
from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.safe import safe, safe_text
from runai_monitor.diagnosis.sources import KubeReader
from runai_monitor.diagnosis.wording import token
from runai_monitor.errors import KubeError, KubeForbiddenError, KubeNotFoundError
from runai_monitor.model.cluster import Node, Pod
from runai_monitor.model.workload import Workload

MOST_NODES = 8
MOST_CLAIMS = 8
MOST_GPU_NODES = 32
"""On more nodes than these the free GPUs are not counted: it takes a request for each."""
CONCURRENT_READS = 4


class Surroundings:
    """One reading for one case. It is given names as the cluster knows them; what goes into the case is safe."""

    def __init__(
        self, kube: KubeReader, case: Case, pods: Sequence[Pod], listed: Iterable[str], workload: Workload
    ) -> None:
        """Args are the cluster, the case, its pods, the nodes that Run:ai's pod list names, and the workload."""
        self._kube = kube
        self._case = case
        self._around = case.around
        self._workload = workload
        self.nodes = list(dict.fromkeys([*_nodes(pods), *([] if pods else listed)]))[:MOST_NODES]
        self.nodes_were_read = anyio.Event()
        waiting = [pod for pod in pods if not _has_started(pod)]
        self._claims = list(dict.fromkeys(name for pod in waiting for name in pod.claims))[:MOST_CLAIMS]
        unplaced = [pod for pod in pods if pod.node is None]
        self._unplaced = not pods or bool(unplaced)
        self._asked = max((_gpus_of(pod) for pod in unplaced), default=0.0)
        self._selector = unplaced[0].node_selector if unplaced else ()

    def sources(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        """What is worth reading, by name."""
        if self.nodes:
            yield "nodes", self._all_nodes
            yield "Kubernetes events of nodes", lambda: self._each(self.nodes, self._node_events)
        if self._claims:
            yield "volume claims", lambda: self._each(self._claims, self._claim)
        yield "Kubernetes events of the workload", self._owner_events
        if self._unplaced:
            yield "quotas of the namespace", self._quotas
        if self._asked > 1:
            yield "free GPUs of the nodes", self._rooms

    @property
    def unseen_nodes(self) -> list[str]:
        """The nodes that Kubernetes has not shown so far, nor called gone."""
        known = self._around.nodes.keys() | self._around.gone
        return [name for name in self.nodes if safe_text(name) not in known]

    async def _all_nodes(self) -> None:
        try:
            await self._each(self.nodes, self._node)
        finally:
            self.nodes_were_read.set()

    async def _each(self, names: list[str], read: Callable[[str], Awaitable[None]]) -> None:
        """Reads several objects of one kind.

        Raises:
            KubeForbiddenError: that kind may not be read; other failures are noted for each object.
        """
        limiter = anyio.CapacityLimiter(CONCURRENT_READS)
        refused: list[KubeForbiddenError] = []

        async def one(name: str) -> None:
            async with limiter:
                if refused:
                    return
                try:
                    await read(name)
                except KubeForbiddenError as error:
                    refused.append(error)
                except KubeError as error:
                    self._case.unread.append(f"{token(name)}: {safe_text(str(error))[:300]}")

        async with anyio.create_task_group() as tasks:
            for name in names:
                tasks.start_soon(one, name)
        if refused:
            raise refused[0]

    async def _node(self, name: str) -> None:
        try:
            node = safe(await self._kube.get_node(name))
        except KubeNotFoundError as error:
            if f'nodes "{name}" not found' not in str(error):
                raise  # a path that a proxy does not know is no node that is gone
            self._around.gone.add(safe_text(name))
            return
        self._around.nodes[safe_text(name)] = node
        if is_sick(node):
            try:
                found = {pod.workload_name for pod in await self._kube.list_pods_on(name)}
            except KubeError:
                return  # who else is on it is good to know, and no evidence
            others = sorted(safe_text(other) for other in found if other and other != self._workload.name)
            self._around.neighbours[safe_text(name)] = others

    async def _node_events(self, name: str) -> None:
        found = safe(await self._kube.list_node_events(name))
        self._case.node_events += found

    async def _owner_events(self) -> None:
        """What is said of the objects above the pods: the job that could not create one, the gang that was evicted."""
        namespace, name = self._workload.namespace, self._workload.name
        found = await self._kube.list_events(namespace, object_name=name)
        gangs = await self._kube.list_events(namespace, object_kind="PodGroup")
        found += [
            event
            for event in gangs
            if re.fullmatch(f"(?:pg-)?{re.escape(name)}(?:-[0-9a-f-]{{8,}})?", event.object_name)
        ]
        self._case.kube_events += safe([event for event in found if event.object_kind != "Pod"])

    async def _claim(self, name: str) -> None:
        namespace = self._workload.namespace
        try:
            claim = safe(await self._kube.get_claim(namespace, name))
        except KubeNotFoundError as error:
            if f'persistentvolumeclaims "{name}" not found' not in str(error):
                raise
            self._around.missing.add(safe_text(name))
            return
        self._around.claims[safe_text(name)] = claim
        if claim.phase != "Bound":
            found = await self._kube.list_events(namespace, object_name=name, object_kind="PersistentVolumeClaim")
            self._around.claim_events += safe(found)

    async def _rooms(self) -> None:
        """How many GPUs are free on each node that the pods could use: kube-scheduler does not tell."""
        nodes = [node for node in await self._kube.list_nodes() if node.allocatable_gpus and _takes_pods(node)]
        nodes = [node for node in nodes if set(self._selector) <= set(node.labels)]
        if not 1 < len(nodes) <= MOST_GPU_NODES:
            return
        rooms: list[Room] = []

        async def count(name: str) -> None:
            pods = await self._kube.list_pods_on(name)
            used = sum(_gpus_of(pod) for pod in pods if pod.pod_phase not in {"Succeeded", "Failed"})
            total = next(node.allocatable_gpus or 0 for node in nodes if node.name == name)
            rooms.append(Room(node=safe_text(name), asked=self._asked, used=used, capacity=total))

        await self._each([node.name for node in nodes], count)
        if len(rooms) == len(nodes):
            self._around.rooms = sorted(rooms, key=lambda room: room.node)

    async def _quotas(self) -> None:
        self._around.quotas = safe(await self._kube.list_quotas(self._workload.namespace))
        self._around.limit_ranges = safe(await self._kube.list_limit_ranges(self._workload.namespace))


def _nodes(pods: Sequence[Pod]) -> list[str]:
    """The nodes of the pods, those of pods that suffer first."""
    return [pod.node for pod in sorted(pods, key=_is_well) if pod.node and pod.pod_phase != "Succeeded"]


def _gpus_of(pod: Pod) -> float:
    return sum(container.gpus or 0 for container in pod.containers if not container.init)


def _takes_pods(node: Node) -> bool:
    ready = condition_of(node, "Ready")
    return not node.cordoned and (ready is None or ready.status == "True")


def _is_well(pod: Pod) -> bool:
    ends = [end for c in pod.containers for end in (c.ended, c.last_ended) if end is not None]
    return (
        pod.pod_phase == "Running" and not pod.reason and not pod.deleting and all(end.exit_code == 0 for end in ends)
    )


def _has_started(pod: Pod) -> bool:
    """Whether its volumes have been mounted: some container has run."""
    return any(container.started_at or container.ended or container.last_ended for container in pod.containers)

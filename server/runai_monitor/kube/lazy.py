"""Kubernetes when it is there: connects at first use, and again after a failure.

A laptop joins its VPN after the server starts, and an exec plugin needs a log-in first: neither may cost a restart.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import KubeError, KubeNotConfiguredError, KubeUnavailableError
from runai_monitor.kube.client import KubeClient
from runai_monitor.kube.watch import PodChange, PodWatch
from runai_monitor.model.cluster import KubeEvent, LimitRange, Node, Pod, ResourceQuota, VolumeClaim

RETRY_SECONDS = 15.0
"""How long a failed connection is answered from memory: callers ask often, plugins and VPNs answer slowly."""


class LazyKube:
    """Stands for a `KubeClient` that may not be reachable yet; every method may raise its `KubeError`."""

    def __init__(self, *, connect: Callable[[], Awaitable[KubeClient]], clock: Clock) -> None:
        self._connect = connect
        self._clock = clock
        self._lock = anyio.Lock()
        self._client: KubeClient | None = None
        self._failure: KubeError | None = None
        self._failed_at = 0.0

    async def client(self) -> KubeClient:
        """The connected client.

        Raises:
            KubeUnavailableError: there is no usable configuration, or the last attempt failed moments ago.
        """
        async with self._lock:
            if self._client is None:
                if self._failure is not None and self._clock.monotonic() - self._failed_at < RETRY_SECONDS:
                    is_none = isinstance(self._failure, KubeNotConfiguredError)
                    again = KubeNotConfiguredError if is_none else KubeUnavailableError
                    raise again(str(self._failure)) from self._failure
                try:
                    self._client = await self._connect()
                except KubeError as error:
                    self._failure, self._failed_at = error, self._clock.monotonic()
                    raise
            return self._client

    async def list_pods(self, namespace: str | None, *, workload_name: str | None = None) -> list[Pod]:
        """As `KubeClient.list_pods`."""
        return await (await self.client()).list_pods(namespace, workload_name=workload_name)

    async def list_pods_on(self, node: str) -> list[Pod]:
        """As `KubeClient.list_pods_on`."""
        return await (await self.client()).list_pods_on(node)

    async def get_pod(self, namespace: str, name: str) -> Pod:
        """As `KubeClient.get_pod`."""
        return await (await self.client()).get_pod(namespace, name)

    async def list_events(
        self,
        namespace: str,
        *,
        object_name: str | None = None,
        object_uid: str | None = None,
        object_kind: str | None = None,
    ) -> list[KubeEvent]:
        """As `KubeClient.list_events`."""
        client = await self.client()
        return await client.list_events(
            namespace, object_name=object_name, object_uid=object_uid, object_kind=object_kind
        )

    async def list_node_events(self, name: str) -> list[KubeEvent]:
        """As `KubeClient.list_node_events`."""
        return await (await self.client()).list_node_events(name)

    async def list_nodes(self) -> list[Node]:
        """As `KubeClient.list_nodes`."""
        return await (await self.client()).list_nodes()

    async def get_node(self, name: str) -> Node:
        """As `KubeClient.get_node`."""
        return await (await self.client()).get_node(name)

    async def get_claim(self, namespace: str, name: str) -> VolumeClaim:
        """As `KubeClient.get_claim`."""
        return await (await self.client()).get_claim(namespace, name)

    async def list_quotas(self, namespace: str) -> list[ResourceQuota]:
        """As `KubeClient.list_quotas`."""
        return await (await self.client()).list_quotas(namespace)

    async def list_limit_ranges(self, namespace: str) -> list[LimitRange]:
        """As `KubeClient.list_limit_ranges`."""
        return await (await self.client()).list_limit_ranges(namespace)

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
        """As `KubeClient.read_log`."""
        client = await self.client()
        return await client.read_log(
            namespace, pod, container, previous=previous, tail_lines=tail_lines, limit_bytes=limit_bytes
        )

    def pod_watch(self, namespace: str | None, *, trim: Callable[[Pod], Pod]) -> LazyPodWatch:
        """A watch of one namespace, or of all; `trim` makes of a pod what is kept of it."""
        return LazyPodWatch(kube=self, namespace=namespace, clock=self._clock, trim=trim)

    async def aclose(self) -> None:
        """Closes the connection, if there is one."""
        if self._client is not None:
            await self._client.aclose()


class LazyPodWatch:
    """Stands for a `PodWatch` of a client that may not be reachable yet."""

    def __init__(self, *, kube: LazyKube, namespace: str | None, clock: Clock, trim: Callable[[Pod], Pod]) -> None:
        self._trim = trim
        self._kube = kube
        self._namespace = namespace
        self._clock = clock
        self._watch: PodWatch | None = None

    @property
    def error(self) -> str | None:
        """As `PodWatch.error`."""
        return None if self._watch is None else self._watch.error

    async def changes(self) -> AsyncGenerator[PodChange, None]:
        """As `PodWatch.changes`; raises KubeUnavailableError while there is no connection."""
        client = await self._kube.client()
        self._watch = PodWatch(client, namespace=self._namespace, clock=self._clock, trim=self._trim)
        async with aclosing(self._watch.changes()) as changes:
            async for change in changes:
                yield change

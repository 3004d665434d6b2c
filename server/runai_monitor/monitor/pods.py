"""Follows the pods of watched workloads: cluster-wide where that is allowed, else namespace by namespace."""

from __future__ import annotations

import logging
from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup

from runai_monitor.clock import Clock
from runai_monitor.errors import KubeError, KubeForbiddenError
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.monitor.sources import KubeSource

log = logging.getLogger(__name__)

RETRY_SECONDS = 30.0


class PodFollower:
    """Keeps the snapshot's pods current; `live` tells whether it does, `error` why not."""

    def __init__(self, *, kube: KubeSource, snapshot: Snapshot, clock: Clock, on_change: Callable[[], None]) -> None:
        self._kube = kube
        self._snapshot = snapshot
        self._clock = clock
        self._on_change = on_change
        self._synced: set[str | None] = set()
        self._wanted: set[str] = set()
        self._followed: set[str] = set()
        self._more = anyio.Event()
        self.error: str | None = None

    @property
    def live(self) -> bool:
        """Whether pods are being followed somewhere, with a complete list at hand."""
        return bool(self._synced)

    def want(self, namespaces: set[str]) -> None:
        """These namespaces hold watched workloads."""
        if not namespaces <= self._wanted:
            self._wanted |= namespaces
            self._more.set()

    async def run(self) -> None:
        """Follows until cancelled."""
        while True:
            try:
                await self._follow(None)
            except KubeForbiddenError:
                self.error = None
                log.info("pods may not be watched cluster-wide; following the namespaces of watched workloads instead")
                await self._by_namespace()
            except KubeError as error:
                self._lost(None, error)
                await self._clock.sleep(RETRY_SECONDS)

    async def _by_namespace(self) -> None:
        async with anyio.create_task_group() as tasks:
            while True:
                self._start_missing(tasks)
                self._more = anyio.Event()
                await self._more.wait()

    def _start_missing(self, tasks: TaskGroup) -> None:
        for namespace in sorted(self._wanted - self._followed):
            self._followed.add(namespace)
            tasks.start_soon(self._follow_patiently, namespace)

    async def _follow_patiently(self, namespace: str) -> None:
        while True:
            try:
                await self._follow(namespace)
            except KubeError as error:
                self._lost(namespace, error)
                await self._clock.sleep(RETRY_SECONDS)

    async def _follow(self, namespace: str | None) -> None:
        async for change in self._kube.pod_watch(namespace).changes():
            if change.kind == "listed":
                self._snapshot.replace_pods(change.pods, namespace=namespace)
                self._synced.add(namespace)
                self.error = None
            elif change.kind == "upserted":
                for pod in change.pods:
                    self._snapshot.put_pod(pod)
            else:
                for pod in change.pods:
                    self._snapshot.remove_pod(pod)
            self._on_change()

    def _lost(self, namespace: str | None, error: KubeError) -> None:
        self._synced.discard(namespace)
        if self.error != str(error):
            log.warning("pods cannot be followed: %s", error)
        self.error = str(error)

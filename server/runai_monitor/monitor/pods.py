"""Follows the pods of watched workloads: cluster-wide where that is allowed, else namespace by namespace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, cast

import anyio
from anyio.abc import TaskGroup

from runai_monitor.clock import Clock
from runai_monitor.errors import KubeError, KubeForbiddenError
from runai_monitor.model.cluster import Pod
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.monitor.sources import KubeSource, PodChangeLike

log = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
"""Between attempts to follow pods where Kubernetes could not be reached or did not allow it."""
SYNC_SECONDS = 10.0
"""How long a first look waits for container states."""


class PodFollower:
    """Keeps the snapshot's pods current; `live` tells whether it does, `error` why not."""

    def __init__(
        self,
        *,
        kube: KubeSource,
        snapshot: Snapshot,
        clock: Clock,
        on_change: Callable[[tuple[Pod, ...]], None],
    ) -> None:
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

    @property
    def settled(self) -> bool:
        """Whether waiting brings nothing: every wanted pod list is here, or Kubernetes has said no."""
        return None in self._synced or self.error is not None or bool(self._wanted and self._wanted <= self._synced)

    def sees(self, namespace: str) -> bool:
        """Whether this namespace's pods are current."""
        return None in self._synced or namespace in self._synced

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
                self._synced.discard(None)
                log.info("pods may not be watched cluster-wide; following the namespaces of watched workloads instead")
                await self._by_namespace()
            except KubeError as error:
                self._lost(None, error)
            await self._clock.sleep(RETRY_SECONDS)

    async def _by_namespace(self) -> None:
        self._followed.clear()
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
        # A generator that is left half-way must be closed by the task that ran it, not by the garbage collector.
        async with aclosing(cast("Any", self._kube.pod_watch(namespace).changes())) as changes:
            async for change in changes:
                self._take(change, namespace)

    def _take(self, change: PodChangeLike, namespace: str | None) -> None:
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
        self._on_change(() if change.kind == "removed" else change.pods)

    def _lost(self, namespace: str | None, error: KubeError) -> None:
        """What was known stays, so that losing sight does not pass for recovery; `sees` tells that it is old."""
        self._synced.discard(namespace)
        if self.error != str(error):
            log.warning("pods cannot be followed: %s", error)
        self.error = str(error)

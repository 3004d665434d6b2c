"""Follows the pods of watched workloads: cluster-wide where that is allowed, else namespace by namespace."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, cast

import anyio
import anyio.lowlevel

from runai_monitor.clock import Clock
from runai_monitor.errors import KubeError, KubeForbiddenError, KubeNotConfiguredError
from runai_monitor.model.cluster import Pod
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.monitor.sources import KubeSource, PodChangeLike, PodWatchLike
from runai_monitor.monitor.trim import trimmed

log = logging.getLogger(__name__)

RETRY_SECONDS = 30.0
"""Between attempts to follow pods where Kubernetes could not be reached or did not allow it."""
SYNC_SECONDS = 30.0
"""How long a first look waits for container states, while nothing says that they will not come."""
AT_ONCE = 250
"""Listed pods taken in without a pause: a few milliseconds, in which nobody else is served."""
PATIENCE_SECONDS = 1800.0
"""How long a workload whose pods are out of sight is not believed to have recovered."""


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
        self._watches: dict[str | None, PodWatchLike] = {}
        self._synced: set[str | None] = set()
        self._errors: dict[str | None, KubeError] = {}
        self._wanted: set[str] = set()
        self._followed: set[str] = set()
        self._more = anyio.Event()
        self._last_sight: dict[str | None, float] = {None: clock.monotonic()}

    @property
    def live(self) -> bool:
        """Whether pods are being followed somewhere, with a complete list at hand."""
        return any(self._is_current(place) for place in self._synced)

    @property
    def error(self) -> str | None:
        """Why some or all pods are not followed, None when they are."""
        told = [str(self._errors[place]) for place in sorted(self._errors, key=str)]
        told += [watch.error for watch in self._watches.values() if watch.error is not None]
        if not told:
            return None
        return told[0] if len(told) == 1 else f"{told[0]} (and {len(told) - 1} more like it)"

    @property
    def settled(self) -> bool:
        """Whether waiting brings nothing: every wanted pod list is here, or Kubernetes has said no."""
        return self.error is not None or None in self._synced or bool(self._wanted and self._wanted <= self._synced)

    def sees(self, namespace: str) -> bool:
        """Whether this namespace's pods are current."""
        return self._is_current(None) or self._is_current(namespace)

    def awaits(self, namespace: str) -> bool:
        """Whether this namespace's pods are out of sight, but were or may be in sight within `PATIENCE_SECONDS`."""
        if self.sees(namespace):
            self._last_sight[namespace] = self._clock.monotonic()
            return False
        if isinstance(
            self._errors.get(namespace) or self._errors.get(None), KubeForbiddenError | KubeNotConfiguredError
        ):
            return False
        seen_at = self._last_sight.get(namespace, self._last_sight[None])
        return self._clock.monotonic() - seen_at < PATIENCE_SECONDS

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
                self._errors.pop(None, None)
                log.info("pods may not be watched cluster-wide; following the namespaces of watched workloads instead")
                await self._by_namespace()
            except KubeError as error:
                self._lost(None, error)
            await self._clock.sleep(RETRY_SECONDS)

    async def _by_namespace(self) -> None:
        self._followed.clear()
        async with anyio.create_task_group() as tasks:
            while True:
                for namespace in sorted(self._wanted - self._followed):
                    self._followed.add(namespace)
                    tasks.start_soon(self._follow_patiently, namespace)
                self._more = anyio.Event()
                await self._more.wait()

    async def _follow_patiently(self, namespace: str) -> None:
        while True:
            try:
                await self._follow(namespace)
            except KubeError as error:
                self._lost(namespace, error)
            await self._clock.sleep(RETRY_SECONDS)

    async def _follow(self, place: str | None) -> None:
        """Follows one namespace, or all (None). However it ends, what it saw is not current any more."""
        watch = self._kube.pod_watch(place, trim=trimmed)
        self._watches[place] = watch
        try:
            # A generator that is left half-way must be closed by the task that ran it, not by the garbage collector.
            async with aclosing(cast("Any", watch.changes())) as changes:
                async for change in changes:
                    await self._take(change, place)
                    # A burst lies in the buffer whole: reading it would not let go of the loop by itself.
                    await anyio.lowlevel.checkpoint()
        finally:
            self._synced.discard(place)
            self._watches.pop(place, None)

    async def _take(self, change: PodChangeLike, place: str | None) -> None:
        if change.kind == "listed":
            # What is new comes before what is gone goes: in between nothing looks as if it had no pods.
            for first in range(0, len(change.pods), AT_ONCE):
                for pod in change.pods[first : first + AT_ONCE]:
                    self._snapshot.put_pod(pod)
                self._on_change(change.pods[first : first + AT_ONCE])
                await anyio.lowlevel.checkpoint()
            self._snapshot.keep_only(change.pods, namespace=place)
            self._synced.add(place)
            self._errors.pop(place, None)
            self._on_change(())
            return
        if change.kind == "upserted":
            for pod in change.pods:
                self._snapshot.put_pod(pod)
        else:
            for pod in change.pods:
                self._snapshot.remove_pod(pod)
        self._on_change(() if change.kind == "removed" else change.pods)

    def _is_current(self, place: str | None) -> bool:
        watch = self._watches.get(place)
        return place in self._synced and watch is not None and watch.error is None

    def _lost(self, place: str | None, error: KubeError) -> None:
        """What was known stays, so that losing sight does not pass for recovery; `sees` tells that it is old."""
        if str(error) != str(self._errors.get(place)):
            log.warning("pods cannot be followed: %s", error)
        self._errors[place] = error

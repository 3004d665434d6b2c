"""One watch of pods: what an API server streams to a client that follows changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import anyio

from runai_monitor.clock import Clock
from runai_monitor.demo.kube_wire import bookmark_json, pod_json, status_json
from runai_monitor.demo.objects import Pod, PodChange
from runai_monitor.demo.world import World

Json = dict[str, Any]

BOOKMARK_SECONDS = 10.0


class PodStream:
    """Follows the world's journal for one client.

    Args:
        world, clock: what is watched, and by which time.
        closing: set when the server stops: the stream ends.
        namespace: the scope, None for all.
        accepts: the client's selectors.
        bookmarks: whether the client asked for them.
        seconds: how long the stream lives.
        expire_after: after so many changes the stream ends with a 410, None for never.
    """

    def __init__(
        self,
        world: World,
        *,
        clock: Clock,
        closing: anyio.Event,
        namespace: str | None,
        accepts: Callable[[Json], bool],
        bookmarks: bool,
        seconds: float,
        expire_after: int | None,
    ) -> None:
        self._world = world
        self._clock = clock
        self._closing = closing
        self._namespace = namespace
        self._accepts = accepts
        self._bookmarks = bookmarks
        self._ends_at = clock.monotonic() + seconds
        self._expire_after = expire_after

    async def follow(self, version: int) -> AsyncIterator[Json]:
        """Changes after `version`; from 0, everything that exists first."""
        if version == 0:
            version = self._world.version
            for pod in self._world.pods(self._namespace):
                if (item := self._seen(pod)) is not None:
                    yield {"type": "ADDED", "object": item}
        told = 0
        bookmark_at = self._clock.monotonic() + BOOKMARK_SECONDS
        while not self._closing.is_set():
            changed = self._world.changed()
            self._world.advance()
            # Taken together with the changes: while they are sent, newer ones may come.
            seen_version = self._world.version
            changes = self._world.changes_since(version)
            if changes is None or (self._expire_after is not None and told >= self._expire_after):
                message = f"too old resource version: {version} ({self._world.version})"
                yield {"type": "ERROR", "object": status_json(410, "Expired", message)}
                return
            for change in changes:
                version = change.version
                if (event := self._event(change)) is not None:
                    told += 1
                    yield event
            now = self._clock.monotonic()
            if self._bookmarks and now >= min(bookmark_at, self._ends_at):
                bookmark_at = now + BOOKMARK_SECONDS
                version = seen_version
                yield {"type": "BOOKMARK", "object": bookmark_json(version)}
            if now >= self._ends_at:
                return
            if not changes:
                await self._wait(
                    changed, seconds=min(bookmark_at if self._bookmarks else self._ends_at, self._ends_at) - now
                )

    async def _wait(self, changed: anyio.Event, *, seconds: float) -> None:
        """Until something changes, the server stops, or `seconds` have passed."""
        async with anyio.create_task_group() as tasks:

            async def first(wait: Callable[[], Any]) -> None:
                await wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(first, changed.wait)
            tasks.start_soon(first, self._closing.wait)
            tasks.start_soon(first, partial(self._clock.sleep, seconds))

    def _seen(self, pod: Pod | None) -> Json | None:
        """The pod as this client sees it, None when its scope or selectors leave it out."""
        if pod is None or self._namespace not in (None, pod.namespace):
            return None
        item = pod_json(pod)
        return item if self._accepts(item) else None

    def _event(self, change: PodChange) -> Json | None:
        """A change as this client sees it: a pod that starts or stops to match is added or deleted for it."""
        before, after = self._seen(change.before), self._seen(change.after)
        if after is not None:
            return {"type": "MODIFIED" if before is not None else "ADDED", "object": after}
        if before is not None:
            before["metadata"]["resourceVersion"] = str(change.version)
            return {"type": "DELETED", "object": before}
        return None

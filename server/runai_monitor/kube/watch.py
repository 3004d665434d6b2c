"""An endless stream of pod changes: list, watch from there, list again when the position has expired.

Every ready-made watch helper failed under faults that a long night brings: streams cut in the middle, servers that
close at once, 410 inside a stream or as a status, an HTML page from a proxy, silence from a dead peer.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

import aiohttp
import msgspec

from runai_monitor.clock import Clock
from runai_monitor.errors import KubeForbiddenError, KubeUnavailableError, WatchExpiredError
from runai_monitor.kube.client import KubeClient, pods_path
from runai_monitor.kube.convert import MetaWire, PodWire, pod_of
from runai_monitor.model.cluster import Pod

SERVER_SECONDS = 290
"""How long the server is asked to keep a watch open: under the five minutes that load balancers allow."""
IDLE_SECONDS = 75.0
"""Silence after which the peer is taken for dead and the watch reopened at the same position. Bookmarks come about
once a minute, but a quiet cluster may send none, so silence alone is no failure."""
_LONGEST_PAUSE_SECONDS = 30.0
_LONGEST_LINE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PodChange:
    """What changed. `listed` replaces everything known of the watched scope."""

    kind: Literal["listed", "upserted", "removed"]
    pods: tuple[Pod, ...]


class WatchEvent(msgspec.Struct):
    """One line of a watch."""

    type: str = ""
    object: msgspec.Raw = msgspec.Raw(b"{}")


class ObjectMeta(msgspec.Struct):
    """Any object, for its resource version."""

    metadata: MetaWire | None = None


class ErrorStatus(msgspec.Struct):
    """The object of an ERROR event."""

    code: int | None = None
    message: str | None = None


class PodWatch:
    """The pods of one namespace, or of all."""

    def __init__(self, client: KubeClient, *, namespace: str | None, clock: Clock) -> None:
        self._client = client
        self._namespace = namespace
        self._clock = clock

    async def changes(self) -> AsyncIterator[PodChange]:
        """Changes until cancelled. The first one is always `listed`.

        Raises:
            KubeForbiddenError: listing or watching is not allowed; nothing else ends the stream.
        """
        version: str | None = None
        failures = 0
        while True:
            try:
                if version is None:
                    pods, version = await self._list()
                    yield PodChange(kind="listed", pods=pods)
                heard = False
                async for position, change in self._watch(version):
                    version, heard, failures = position, True, 0
                    if change is not None:
                        yield change
                # A server that closes at once must not be asked a thousand times a second.
                failures = 0 if heard else failures + 1
            except WatchExpiredError:
                version, failures = None, failures + 1
            except KubeForbiddenError:
                raise
            except KubeUnavailableError as error:
                failures += 1
                await self._clock.sleep(min(_LONGEST_PAUSE_SECONDS, error.retry_after_seconds or 0.0))
            except TimeoutError:
                pass  # a quiet cluster or a dead peer: open again where we were
            except (aiohttp.ClientError, msgspec.MsgspecError, ValueError):
                failures += 1
            if failures:
                ceiling = min(_LONGEST_PAUSE_SECONDS, 0.2 * 2 ** min(failures, 8))
                await self._clock.sleep(random.uniform(0.5, 1.0) * ceiling)

    async def _list(self) -> tuple[tuple[Pod, ...], str]:
        found: list[Pod] = []
        version = "0"
        pages = self._client.pages(pods_path(self._namespace), [], resource="pods", namespace=self._namespace)
        async for items, position in pages:
            version = position
            found += [pod_of(msgspec.json.decode(item, type=PodWire)) for item in items]
        return tuple(found), version

    async def _watch(self, version: str) -> AsyncIterator[tuple[str, PodChange | None]]:
        params = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(SERVER_SECONDS)),
        ]
        timeout = aiohttp.ClientTimeout(total=None, connect=5, sock_read=IDLE_SECONDS)
        response = await self._client.open(
            pods_path(self._namespace), params, resource="pods", namespace=self._namespace, limits=timeout
        )
        try:
            async for line in _lines(response):
                event = msgspec.json.decode(line, type=WatchEvent)
                if event.type == "ERROR":
                    raise _error_of(event)
                meta = msgspec.json.decode(event.object, type=ObjectMeta).metadata
                version = (meta.resource_version if meta else None) or version
                yield version, _change(event)
        finally:
            response.close()  # close, not release: the stream ends at once when we are cancelled


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Whole lines; a pod may be longer than the reader's own limit for a line."""
    pending = b""
    async for chunk in response.content.iter_any():
        pending += chunk
        *lines, pending = pending.split(b"\n")
        for line in lines:
            if line.strip():
                yield line
        if len(pending) > _LONGEST_LINE_BYTES:
            raise ValueError("a line of the watch is longer than any pod")


def _change(event: WatchEvent) -> PodChange | None:
    if event.type not in {"ADDED", "MODIFIED", "DELETED"}:
        return None
    pod = pod_of(msgspec.json.decode(event.object, type=PodWire))
    return PodChange(kind="removed" if event.type == "DELETED" else "upserted", pods=(pod,))


def _error_of(event: WatchEvent) -> WatchExpiredError | KubeUnavailableError:
    status = msgspec.json.decode(event.object, type=ErrorStatus)
    if status.code == 410:
        return WatchExpiredError("the position of the watch is too old", status=410, resource="pods")
    return KubeUnavailableError(f"the watch failed ({status.code})", status=status.code, resource="pods")

"""An endless stream of pod changes: list, watch from there, list again when the position has expired.

Every ready-made watch helper failed under faults that a long night brings: streams cut in the middle, servers that
close at once, 410 inside a stream or as a status, an HTML page from a proxy, silence from a dead peer.
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

import aiohttp
import msgspec

from runai_monitor.clock import Clock
from runai_monitor.errors import KubeError, KubeForbiddenError, KubeUnavailableError, WatchExpiredError
from runai_monitor.kube.client import KubeClient, decode_pod, list_pods_with_version, pods_path
from runai_monitor.kube.convert import MetaWire
from runai_monitor.kube.faults import Asked
from runai_monitor.model.cluster import Pod

log = logging.getLogger(__name__)

SERVER_SECONDS = 290
"""How long the server is asked to keep a watch open: under the five minutes that load balancers allow."""
IDLE_SECONDS = 75.0
"""Silence after which the peer is taken for dead and the watch reopened at the same position. Bookmarks come about
once a minute, but a quiet cluster may send none, so silence alone is no failure."""
LONGEST_PAUSE_SECONDS = 30.0
_FIRST_PAUSE_SECONDS = 0.2
_SHORT_SECONDS = 5.0
_SHORT_FAILURES = 3
_RELIST_FAILURES = 5
_LONGEST_LINE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PodChange:
    """What changed. `listed` replaces everything known of the watched scope."""

    kind: Literal["listed", "upserted", "removed"]
    pods: tuple[Pod, ...]


class WatchEvent(msgspec.Struct):
    """One line of a watch."""

    type: str
    object: msgspec.Raw


class ObjectMeta(msgspec.Struct):
    """Any object, for its resource version."""

    metadata: MetaWire | None = None


class ErrorStatus(msgspec.Struct):
    """The object of an ERROR event."""

    code: int | None = None


class PodWatch:
    """The pods of one namespace, or of all. `error` says why nothing is coming, None while all is well.

    Args:
        client: of the cluster.
        namespace: None for all.
        clock: for pauses.
        idle_seconds: silence after which the peer is taken for dead.
        trim: makes of a pod what is kept of it, before the next one is read.
    """

    def __init__(
        self,
        client: KubeClient,
        *,
        namespace: str | None,
        clock: Clock,
        idle_seconds: float = IDLE_SECONDS,
        trim: Callable[[Pod], Pod] | None = None,
    ) -> None:
        self._client = client
        self._namespace = namespace
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._trim = trim
        self.error: str | None = None

    async def changes(self) -> AsyncGenerator[PodChange, None]:
        """Changes until cancelled. The first one is always `listed`.

        Raises:
            KubeForbiddenError: listing or watching is not allowed; nothing else ends the stream.
        """
        version: str | None = None
        failures = 0
        while True:
            asked_pause = 0.0
            heard, opened_at = False, self._clock.monotonic()
            try:
                if version is None:
                    pods, version = await list_pods_with_version(self._client.api, self._namespace, trim=self._trim)
                    yield PodChange(kind="listed", pods=tuple(pods))
                opened_at = self._clock.monotonic()
                async with aclosing(self._watch(version)) as lines:
                    async for position, change in lines:
                        version, heard = position, True
                        self._well()
                        if change is not None:
                            yield change
            except KubeForbiddenError:
                raise
            except WatchExpiredError:
                version = None
            except KubeError as error:
                asked_pause = min(LONGEST_PAUSE_SECONDS, error.retry_after_seconds or 0.0)
                self._ill(str(error))
            except TimeoutError:
                failures = 0
                self._well()
                continue  # a quiet cluster or a dead peer: open again where we were
            except (aiohttp.ClientError, OSError, msgspec.MsgspecError, ValueError) as error:
                self._ill(f"the watch of pods broke ({type(error).__name__}); it is opened again")
            failures = self._failures(failures, heard=heard, opened_at=opened_at)
            if failures >= _RELIST_FAILURES:
                version = None  # a position that never works is given up
            await self._clock.sleep(max(asked_pause, _pause(failures)))

    async def _watch(self, version: str) -> AsyncGenerator[tuple[str, PodChange | None], None]:
        params = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(SERVER_SECONDS)),
        ]
        asked = Asked(verb="watch", resource="pods", namespace=self._namespace)
        path = pods_path(self._namespace)
        async with (
            self._client.api.open(path, params, asked, idle_seconds=self._idle_seconds) as response,
            aclosing(_lines(response)) as lines,
        ):
            # Connected at a position that continues a list: a quiet cluster may have nothing to say for minutes.
            self._well()
            async for line in lines:
                event = msgspec.json.decode(line, type=WatchEvent)
                if event.type == "ERROR":
                    raise _error_of(event, self._namespace)
                meta = msgspec.json.decode(event.object, type=ObjectMeta).metadata
                version = (meta.resource_version if meta else None) or version
                yield version, _change(event, self._trim)

    def _failures(self, failures: int, *, heard: bool, opened_at: float) -> int:
        """How many times in a row it went wrong.

        A server that closes at once must not be asked a thousand times a second, whatever it says before; one that
        says something is still worth asking soon.
        """
        if not heard:
            return failures + 1
        if self._clock.monotonic() - opened_at >= _SHORT_SECONDS:
            return 0
        return min(failures + 1, _SHORT_FAILURES)

    def _ill(self, why: str) -> None:
        if self.error is None:
            log.warning("pods are not followed for now: %s", why)
        self.error = why

    def _well(self) -> None:
        if self.error is not None:
            log.info("pods are followed again")
        self.error = None


async def _lines(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """Whole lines; a pod may be longer than the reader's own limit for a line."""
    pending = bytearray()
    async for chunk in response.content.iter_any():
        searched = len(pending)
        pending += chunk
        start = 0
        while (end := pending.find(b"\n", max(start, searched))) >= 0:
            line = bytes(pending[start:end])
            start = end + 1
            if line.strip():
                yield line
        del pending[:start]
        if len(pending) > _LONGEST_LINE_BYTES:
            raise ValueError("a line of the watch is longer than any pod")


def _change(event: WatchEvent, trim: Callable[[Pod], Pod] | None) -> PodChange | None:
    """None for bookmarks, for types to come, and for a pod that cannot be read: asking again would not help."""
    if event.type not in {"ADDED", "MODIFIED", "DELETED"}:
        return None
    pod = decode_pod(event.object)
    if pod is None:
        return None
    pod = trim(pod) if trim is not None else pod
    return PodChange(kind="removed" if event.type == "DELETED" else "upserted", pods=(pod,))


def _error_of(event: WatchEvent, namespace: str | None) -> WatchExpiredError | KubeUnavailableError:
    code = msgspec.json.decode(event.object, type=ErrorStatus).code
    kind = WatchExpiredError if code == 410 else KubeUnavailableError
    return kind(
        f"Kubernetes ended the watch of pods (code {code}); it is opened again",
        status=code,
        resource="pods",
        namespace=namespace,
    )


def _pause(failures: int) -> float:
    if failures == 0:
        return 0.0
    return random.uniform(0.5, 1.0) * min(LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2.0 ** min(failures, 8))

"""GET, and nothing else: one API server, with timeouts, a few retries, renewed logins and our errors."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import anyio.lowlevel
import msgspec

from runai_monitor.clock import Clock
from runai_monitor.errors import KubeError, KubeUnavailableError, WatchExpiredError
from runai_monitor.kube.faults import Asked, error_of, unreachable
from runai_monitor.kube.login import Login

T = TypeVar("T")

PAGE = 500
REQUEST_SECONDS = 30.0
CONNECT_SECONDS = 5.0
RETRIES = 2
AT_ONCE = 250
"""Items converted without a pause: a few milliseconds, in which nobody else is served."""
_LONGEST_PAUSE_SECONDS = 5.0
_RETRIED = frozenset({429, 500, 502, 503, 504})
_ERROR_BYTES = 65_536
_LIST_ATTEMPTS = 3

Params = list[tuple[str, str]]


class ListMeta(msgspec.Struct, rename="camel"):
    """A list's metadata; `continue` is a word of Python's."""

    resource_version: str | None = None
    continue_: str | None = msgspec.field(default=None, name="continue")


class RawList(msgspec.Struct):
    """A page of any list, its items undecoded."""

    items: list[msgspec.Raw] | None = None
    metadata: ListMeta | None = None


class KubeApi:
    """One API server over the official client's `ApiClient`, which signs requests and does TLS."""

    def __init__(self, api_client: Any, *, login: Login, clock: Clock, redact: Callable[[str], str]) -> None:
        self._api = api_client
        self._login = login
        self._clock = clock
        self._redact = redact

    @property
    def host(self) -> str:
        """The server's host and port, for texts."""
        return urlsplit(str(self._api.configuration.host)).netloc.rpartition("@")[2]

    async def read(self, path: str, params: Params, asked: Asked) -> bytes:
        """A whole body; one that breaks off in the middle is asked for once more.

        Raises:
            KubeError: as `open`.
        """
        for again in (True, False):
            async with self.open(path, params, asked) as response:
                try:
                    return await response.read()
                except (aiohttp.ClientError, TimeoutError, OSError) as error:
                    if isinstance(error, TimeoutError) or not again:
                        raise unreachable(error, asked, host=self.host) from error
        raise AssertionError  # unreachable: the second pass returns or raises

    async def list_all(
        self,
        path: str,
        params: Params,
        asked: Asked,
        *,
        take: Callable[[msgspec.Raw], T | None],
        limit: int | None = None,
    ) -> tuple[list[T], str]:
        """Every item (or the first `limit`) and the resource version that a watch may start from.

        A list whose continuation expires before its end starts again. `take` makes of an item what is kept of it, or
        None: page by page, for the wire form of all pods of a large cluster would fill the memory.

        Raises:
            KubeError: as `open`.
        """
        for _ in range(_LIST_ATTEMPTS):
            try:
                return await self._list_once(path, params, asked, take, limit)
            except WatchExpiredError:
                continue
        raise KubeUnavailableError(
            f"Kubernetes changes faster than it can be listed ({asked}); it is tried again",
            resource=asked.resource,
            namespace=asked.namespace,
        )

    async def _list_once(
        self, path: str, params: Params, asked: Asked, take: Callable[[msgspec.Raw], T | None], limit: int | None
    ) -> tuple[list[T], str]:
        found: list[T] = []
        token: str | None = None
        size = str(PAGE if limit is None else min(PAGE, limit))
        while True:
            query = [*params, ("limit", size), *([("continue", token)] if token else [])]
            page = self._page(await self.read(path, query, asked), asked)
            meta = page.metadata or ListMeta()
            items = page.items or []
            for first in range(0, len(items), AT_ONCE):
                found += [kept for item in items[first : first + AT_ONCE] if (kept := take(item)) is not None]
                await anyio.lowlevel.checkpoint()
            if not meta.continue_ or (limit is not None and len(found) >= limit):
                return found[:limit], meta.resource_version or "0"
            if meta.continue_ == token:
                raise self._unreadable(asked, "its pages never end")
            token = meta.continue_

    def _page(self, body: bytes, asked: Asked) -> RawList:
        try:
            page = msgspec.json.decode(body, type=RawList)
        except (msgspec.MsgspecError, ValueError):
            raise self._unreadable(asked, "it is not JSON") from None
        if page.items is None and page.metadata is None:
            raise self._unreadable(asked, "it is no list")
        return page

    def _unreadable(self, asked: Asked, why: str) -> KubeUnavailableError:
        return KubeUnavailableError(
            f"the answer of {self.host} cannot be used ({asked}: {why}); is a proxy or log-in page in between?",
            resource=asked.resource,
            namespace=asked.namespace,
        )

    @asynccontextmanager
    async def open(
        self, path: str, params: Params, asked: Asked, *, idle_seconds: float | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A response whose body is still to be read; closed with the context, wherever it was left.

        Args:
            path: a path whose names were checked.
            params: the query.
            asked: for the texts of errors.
            idle_seconds: for streams: the longest silence, instead of the longest duration.

        Raises:
            KubeForbiddenError: 403, or 401 with every login we can get.
            KubeNotFoundError: 404, or 400 for a log that does not exist.
            WatchExpiredError: 410.
            KubeUnavailableError: everything else, after a few retries.
        """
        if idle_seconds is None:
            limits = aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=CONNECT_SECONDS)
        else:
            limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=idle_seconds)
        response = await self._answered(path, params, asked, limits)
        try:
            yield response
        finally:
            if response.content.at_eof():
                response.release()
            else:
                response.close()  # not release: a stream must end at once when we are cancelled

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._api.close()

    async def _answered(
        self, path: str, params: Params, asked: Asked, limits: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """The first answer below 400."""
        attempt = 0
        renewed = False
        while True:
            serial = await self._login.prepare()
            try:
                response = await self._get(path, params, limits)
                if response.status < 400:
                    return response
                error = await _refusal(response, asked, self._redact)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as failure:
                error = unreachable(failure, asked, host=self.host)
                if not _broke_off(failure) or attempt >= RETRIES:
                    raise error from failure
            else:
                if error.status == 401 and not renewed and await self._login.renew(stale=serial):
                    renewed = True
                    continue
                # A 500 for a log is a kubelet that the server cannot reach: asking again takes long and changes nothing.
                hopeless = error.status == 500 and asked.resource == "pods/log"
                if error.status not in _RETRIED or hopeless or attempt >= RETRIES:
                    raise error
            await self._clock.sleep(_pause(error, attempt))
            attempt += 1

    async def _get(self, path: str, params: Params, limits: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        request = await self._api.param_serialize(
            "GET",
            path,
            query_params=params,
            header_params={"Accept": "application/json, */*"},
            auth_settings=["BearerToken"],
        )
        answer = await self._api.call_api(*request, _request_timeout=limits)
        response: aiohttp.ClientResponse = answer.response
        return response


def _pause(error: KubeError, attempt: int) -> float:
    wanted = error.retry_after_seconds
    if wanted is None:
        wanted = 0.5 * 2**attempt * random.uniform(0.5, 1.0)
    return min(_LONGEST_PAUSE_SECONDS, wanted)


def _broke_off(failure: Exception) -> bool:
    """Whether a connection that existed was lost: a restarting API server, not an unreachable one."""
    return isinstance(failure, aiohttp.ServerDisconnectedError | ConnectionResetError | aiohttp.ClientPayloadError) or (
        isinstance(failure, aiohttp.ClientOSError) and not isinstance(failure, aiohttp.ClientConnectorError)
    )


async def _refusal(response: aiohttp.ClientResponse, asked: Asked, redact: Callable[[str], str]) -> KubeError:
    body = b""
    try:
        while len(body) < _ERROR_BYTES and (chunk := await response.content.read(_ERROR_BYTES - len(body))):
            body += chunk
    except (aiohttp.ClientError, TimeoutError, OSError):
        pass  # the status says enough
    finally:
        response.close()
    return error_of(response.status, body, response.headers, asked, redact=redact)

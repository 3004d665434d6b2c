"""The read-only verbs we use, on raw paths: typed models cost thirty times more and lose what they do not know."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import msgspec

from runai_monitor.clock import Clock
from runai_monitor.errors import (
    KubeError,
    KubeForbiddenError,
    KubeNotFoundError,
    KubeUnavailableError,
    WatchExpiredError,
)
from runai_monitor.kube.convert import EventWire, PodWire, event_of, pod_of
from runai_monitor.model.cluster import KubeEvent, Pod

PAGE = 500
REQUEST_SECONDS = 30.0
_CONNECT_SECONDS = 5.0
_RETRIES = 2
_RETRIED = frozenset({429, 500, 502, 503, 504})
# DNS-1123 names; whatever else is asked for could mean another path.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")

Params = list[tuple[str, str]]


class ListMeta(msgspec.Struct, rename="camel"):
    """A list's metadata; `continue` is a word of Python's."""

    resource_version: str | None = None
    continue_: str | None = msgspec.field(default=None, name="continue")


class RawList(msgspec.Struct):
    """A page of any list, its items undecoded."""

    items: list[msgspec.Raw] | None = None
    metadata: ListMeta | None = None


class StatusWire(msgspec.Struct):
    """Kubernetes' answer to what it does not do."""

    message: str | None = None


class KubeClient:
    """One API server with our credentials. `relogin` renews them after a 401 and says whether it could."""

    def __init__(self, api_client: Any, *, clock: Clock, relogin: Callable[[], Awaitable[bool]] | None = None) -> None:
        self._api = api_client
        self._clock = clock
        self._relogin = relogin

    async def list_pods(self, namespace: str | None, *, workload_name: str | None = None) -> list[Pod]:
        """The pods of a namespace (None: of all), optionally only those labelled with a workload's name."""
        selector = [] if workload_name is None else [("labelSelector", f"workloadName={_checked(workload_name)}")]
        found: list[Pod] = []
        async for items, _ in self.pages(pods_path(namespace), selector, resource="pods", namespace=namespace):
            found += [pod_of(_decode(item, PodWire)) for item in items]
        return found

    async def get_pod(self, namespace: str, name: str) -> Pod:
        """One pod.

        Raises:
            KubeNotFoundError: it does not exist (any more).
        """
        path = f"{pods_path(namespace)}/{_checked(name)}"
        return pod_of(_decode(await self._read(path, [], resource="pods", namespace=namespace), PodWire))

    async def list_events(
        self, namespace: str, *, object_name: str | None = None, object_uid: str | None = None
    ) -> list[KubeEvent]:
        """The events of a namespace, optionally of one object, oldest first."""
        terms = []
        if object_name is not None:
            terms.append(f"involvedObject.name={_checked(object_name)}")
        if object_uid is not None:
            terms.append(f"involvedObject.uid={_checked(object_uid)}")
        selector = [("fieldSelector", ",".join(terms))] if terms else []
        path = f"/api/v1/namespaces/{_checked(namespace)}/events"
        found: list[KubeEvent] = []
        async for items, _ in self.pages(path, selector, resource="events", namespace=namespace):
            found += [event_of(_decode(item, EventWire)) for item in items]
        return sorted(found, key=lambda event: (event.at is not None, event.at))

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
        """The end of a container's log: at most `tail_lines` lines and `limit_bytes` bytes.

        Raises:
            KubeNotFoundError: the pod is gone, or the container has no (previous) log.
        """
        # limitBytes counts from the start of what tailLines selects, so the end is only safe if we cut it ourselves.
        params = [("container", _checked(container)), ("tailLines", str(tail_lines))]
        if previous:
            params.append(("previous", "true"))
        path = f"{pods_path(namespace)}/{_checked(pod)}/log"
        response = await self.open(path, params, resource="pods/log", namespace=namespace)
        try:
            kept = b""
            async for chunk in response.content.iter_chunked(65_536):
                kept = (kept + chunk)[-limit_bytes:]
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(error, "pods/log", namespace) from error
        finally:
            response.close()
        return kept.decode("utf-8", errors="replace")

    async def pages(
        self, path: str, params: Params, *, resource: str, namespace: str | None
    ) -> AsyncIterator[tuple[list[msgspec.Raw], str]]:
        """Pages of a list with the resource version a watch may start from.

        Raises:
            WatchExpiredError: the list took so long that its continuation expired.
        """
        token: str | None = None
        while True:
            query = [*params, ("limit", str(PAGE)), *([("continue", token)] if token else [])]
            page = _decode(await self._read(path, query, resource=resource, namespace=namespace), RawList)
            meta = page.metadata or ListMeta()
            if page.items is None and page.metadata is None:
                raise KubeUnavailableError(
                    f"Kubernetes answered {resource} with something that is no list", resource=resource
                )
            yield page.items or [], meta.resource_version or "0"
            token = meta.continue_
            if not token:
                return

    async def open(
        self,
        path: str,
        params: Params,
        *,
        resource: str,
        namespace: str | None,
        limits: aiohttp.ClientTimeout | None = None,
    ) -> aiohttp.ClientResponse:
        """A GET whose body the caller reads and closes; every failure is one of ours.

        Raises:
            KubeForbiddenError: 401 after a new login, or 403.
            KubeNotFoundError: 404, or 400 for a log that does not exist yet.
            WatchExpiredError: 410.
            KubeUnavailableError: everything else.
        """
        limits = limits or aiohttp.ClientTimeout(total=REQUEST_SECONDS, connect=_CONNECT_SECONDS)
        attempt, renewed = 0, False
        while True:
            response = await self._get(path, params, resource, namespace, limits)
            if response.status < 400:
                return response
            error = await _error_of(response, resource, namespace)
            if response.status == 401 and not renewed and self._relogin is not None and await self._relogin():
                renewed = True
                continue
            if response.status not in _RETRIED or attempt >= _RETRIES:
                raise error
            await self._clock.sleep(min(5.0, error.retry_after_seconds or 0.5 * 2**attempt))
            attempt += 1

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._api.close()

    async def _read(self, path: str, params: Params, *, resource: str, namespace: str | None) -> bytes:
        response = await self.open(path, params, resource=resource, namespace=namespace)
        try:
            return await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unreachable(error, resource, namespace) from error
        finally:
            response.release()

    async def _get(
        self, path: str, params: Params, resource: str, namespace: str | None, limits: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        try:
            request = await self._api.param_serialize(
                "GET",
                path,
                query_params=params,
                header_params={"Accept": "application/json"},
                auth_settings=["BearerToken"],
            )
            answer = await self._api.call_api(*request, _request_timeout=limits)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _unreachable(error, resource, namespace) from error
        response: aiohttp.ClientResponse = answer.response
        return response


def pods_path(namespace: str | None) -> str:
    """The path of a namespace's pods, or of all."""
    return "/api/v1/pods" if namespace is None else f"/api/v1/namespaces/{_checked(namespace)}/pods"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise KubeNotFoundError(f"{name[:60]!r} cannot be the name of a Kubernetes object")
    return name


def _decode(body: bytes | msgspec.Raw, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise KubeUnavailableError("Kubernetes' answer cannot be read; is a proxy in between?") from error


async def _error_of(response: aiohttp.ClientResponse, resource: str, namespace: str | None) -> KubeError:
    body = await response.content.read(65_536)
    response.close()
    try:
        said = msgspec.json.decode(body, type=StatusWire).message or ""
    except msgspec.MsgspecError:
        said = ""
    said = " ".join(said.split())[:200]
    where = f"{resource} in {namespace}" if namespace else resource
    facts: dict[str, Any] = {"status": response.status, "resource": resource, "namespace": namespace}
    match response.status:
        case 401:
            return KubeForbiddenError(
                f"Kubernetes refuses our login for {where}; log in again or renew the token", **facts
            )
        case 403:
            verb = "get" if resource == "pods/log" else "list"
            return KubeForbiddenError(
                f"Kubernetes does not allow {verb} {where}; add that verb to our role (README)", **facts
            )
        case 404:
            return KubeNotFoundError(f"Kubernetes has no such {where}: {said}", **facts)
        case 400 if resource == "pods/log":
            return KubeNotFoundError(f"there is no log yet: {said}", **facts)
        case 410:
            return WatchExpiredError(f"the position in {where} is too old", **facts)
    after = response.headers.get("Retry-After", "")
    facts["retry_after_seconds"] = float(after) if after.isdigit() else None
    return KubeUnavailableError(f"Kubernetes cannot answer for {where} ({response.status}): {said}", **facts)


def _unreachable(error: Exception, resource: str, namespace: str | None) -> KubeUnavailableError:
    what = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
    return KubeUnavailableError(
        f"Kubernetes cannot be reached for {resource} ({what}); check the kubeconfig and the network",
        resource=resource,
        namespace=namespace,
    )

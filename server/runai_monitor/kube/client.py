"""The read-only verbs we use, on raw paths: typed models cost thirty times more and lose what they do not know."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import aiohttp
import msgspec

from runai_monitor.errors import KubeForbiddenError, KubeNotFoundError, KubeUnavailableError
from runai_monitor.kube.api import KubeApi, Params
from runai_monitor.kube.convert import EventWire, PodWire, event_of, pod_of
from runai_monitor.kube.faults import Asked, single_line, unreachable
from runai_monitor.kube.surroundings import (
    ClaimWire,
    LimitRangeWire,
    NodeWire,
    QuotaWire,
    claim_of,
    limit_range_of,
    node_of,
    quota_of,
)
from runai_monitor.model.cluster import KubeEvent, LimitRange, Node, Pod, ResourceQuota, VolumeClaim

W = TypeVar("W")
M = TypeVar("M")

log = logging.getLogger(__name__)

LOG_READ_FACTOR = 4
"""How many times the wanted bytes are read of a log, at most, to reach its end."""
_LOG_ATTEMPTS = 3
_FEWER_LINES = 10
NODE_EVENTS_NAMESPACE = "default"
"""Where Kubernetes keeps the events of objects that belong to no namespace."""
_NEVER = datetime.min.replace(tzinfo=UTC)
# DNS-1123 names and uids; whatever else is asked for could mean another path or another selector.
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


class KubeClient:
    """Pods, events, logs and what pods depend on, of one cluster. Every method raises a `KubeError` when the cluster cannot answer."""

    def __init__(self, api: KubeApi) -> None:
        self.api = api

    async def list_pods(self, namespace: str | None, *, workload_name: str | None = None) -> list[Pod]:
        """The pods of a namespace (None: of all), optionally only those labelled with a workload's name.

        Raises:
            KubeForbiddenError: RBAC does not allow it there.
            KubeUnavailableError: no answer after the retries.
        """
        selector = [] if workload_name is None else [("labelSelector", f"workloadName={_label(workload_name)}")]
        pods, _ = await list_pods_with_version(self.api, namespace, selector)
        return pods

    async def list_pods_on(self, node: str) -> list[Pod]:
        """The pods of a node, of all namespaces.

        Raises:
            KubeForbiddenError: RBAC does not allow to list all pods.
            KubeUnavailableError: no answer after the retries.
        """
        pods, _ = await list_pods_with_version(self.api, None, [("fieldSelector", f"spec.nodeName={_name(node)}")])
        return pods

    async def get_pod(self, namespace: str, name: str) -> Pod:
        """One pod.

        Raises:
            KubeNotFoundError: it does not exist (any more).
            KubeForbiddenError: RBAC does not allow it there.
            KubeUnavailableError: no answer after the retries, or not a pod.
        """
        asked = Asked(verb="get", resource="pods", namespace=namespace)
        pod = decode_pod(await self.api.read(f"{pods_path(namespace)}/{_name(name)}", [], asked))
        if pod is None or not pod.name:
            raise self._not_a("pod", asked)
        return pod

    async def list_events(
        self,
        namespace: str,
        *,
        object_name: str | None = None,
        object_uid: str | None = None,
        object_kind: str | None = None,
        limit: int | None = None,
    ) -> list[KubeEvent]:
        """The events of a namespace, optionally of one object, oldest first; `limit` takes the first the server has.

        Raises:
            KubeForbiddenError: RBAC does not allow it there.
            KubeUnavailableError: no answer after the retries.
        """
        # Only selectors that exist: others are answered with 400 `field label not supported`.
        terms = []
        if object_name is not None:
            terms.append(f"involvedObject.name={_name(object_name)}")
        if object_uid is not None:
            terms.append(f"involvedObject.uid={_name(object_uid)}")
        if object_kind is not None:
            terms.append(f"involvedObject.kind={_kind(object_kind)}")
        return await self._events(f"/api/v1/namespaces/{_name(namespace)}/events", terms, namespace, limit=limit)

    async def list_node_events(self, name: str, *, limit: int | None = None) -> list[KubeEvent]:
        """The events of a node, oldest first: of all namespaces, or of `default` where only that one may be read.

        Raises:
            KubeForbiddenError: RBAC allows neither.
            KubeUnavailableError: no answer after the retries.
        """
        terms = ["involvedObject.kind=Node", f"involvedObject.name={_name(name)}"]
        try:
            return await self._events("/api/v1/events", terms, None, limit=limit)
        except KubeForbiddenError:
            path = f"/api/v1/namespaces/{NODE_EVENTS_NAMESPACE}/events"
            return await self._events(path, terms, NODE_EVENTS_NAMESPACE, limit=limit)

    async def list_nodes(self) -> list[Node]:
        """All nodes.

        Raises:
            KubeForbiddenError: RBAC does not allow it.
            KubeUnavailableError: no answer after the retries.
        """
        asked = Asked(verb="list", resource="nodes", namespace=None)
        nodes, _ = await self.api.list_all("/api/v1/nodes", [], asked, take=_decoder(NodeWire, node_of))
        return nodes

    async def get_node(self, name: str) -> Node:
        """One node.

        Raises:
            KubeNotFoundError: it does not exist (any more).
            KubeForbiddenError: RBAC does not allow it.
            KubeUnavailableError: no answer after the retries, or not a node.
        """
        asked = Asked(verb="get", resource="nodes", namespace=None)
        node = _decoded(await self.api.read(f"/api/v1/nodes/{_name(name)}", [], asked), NodeWire, node_of)
        if node is None or not node.name:
            raise self._not_a("node", asked)
        return node

    async def get_claim(self, namespace: str, name: str) -> VolumeClaim:
        """One PersistentVolumeClaim.

        Raises:
            KubeNotFoundError: it does not exist (any more).
            KubeForbiddenError: RBAC does not allow it there.
            KubeUnavailableError: no answer after the retries, or not a claim.
        """
        asked = Asked(verb="get", resource="persistentvolumeclaims", namespace=namespace)
        path = f"/api/v1/namespaces/{_name(namespace)}/persistentvolumeclaims/{_name(name)}"
        claim = _decoded(await self.api.read(path, [], asked), ClaimWire, claim_of)
        if claim is None or not claim.name:
            raise self._not_a("claim", asked)
        return claim

    async def list_quotas(self, namespace: str) -> list[ResourceQuota]:
        """The ResourceQuotas of a namespace.

        Raises:
            KubeForbiddenError: RBAC does not allow it there.
            KubeUnavailableError: no answer after the retries.
        """
        return await self._list(namespace, "resourcequotas", _decoder(QuotaWire, quota_of))

    async def list_limit_ranges(self, namespace: str) -> list[LimitRange]:
        """The LimitRanges of a namespace.

        Raises:
            KubeForbiddenError: RBAC does not allow it there.
            KubeUnavailableError: no answer after the retries.
        """
        return await self._list(namespace, "limitranges", _decoder(LimitRangeWire, limit_range_of))

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

        The server's `limitBytes` cuts the end off and keeps the beginning, and the end is what says why. So more is
        allowed than wanted, its end is kept, and where even that is not enough fewer lines are asked for.

        Raises:
            KubeNotFoundError: the pod is gone, or the container has no (previous) log.
            KubeForbiddenError: RBAC does not allow it there.
            KubeUnavailableError: no answer after the retries, or the kubelet cannot be reached.
        """
        path = f"{pods_path(namespace)}/{_name(pod)}/log"
        asked = Asked(verb="get", resource="pods/log", namespace=namespace)
        ceiling = LOG_READ_FACTOR * limit_bytes
        kept, lines = b"", tail_lines
        for attempt in range(_LOG_ATTEMPTS):
            params = [
                ("container", _name(container)),
                ("tailLines", str(lines)),
                ("limitBytes", str(ceiling)),
                *([("previous", "true")] if previous else []),
            ]
            kept, received = await self._tail(path, params, asked, keep=limit_bytes, ceiling=ceiling)
            if received < ceiling or lines <= 1 or attempt == _LOG_ATTEMPTS - 1:
                break
            lines = max(1, lines // _FEWER_LINES)
        return kept.decode("utf-8", errors="replace")

    async def aclose(self) -> None:
        """Closes the connections."""
        await self.api.aclose()

    async def _list(self, namespace: str, resource: str, take: Callable[[msgspec.Raw], M | None]) -> list[M]:
        asked = Asked(verb="list", resource=resource, namespace=namespace)
        items, _ = await self.api.list_all(f"/api/v1/namespaces/{_name(namespace)}/{resource}", [], asked, take=take)
        return items

    async def _events(
        self, path: str, terms: list[str], namespace: str | None, *, limit: int | None
    ) -> list[KubeEvent]:
        selector = [("fieldSelector", ",".join(terms))] if terms else []
        asked = Asked(verb="list", resource="events", namespace=namespace)
        found, _ = await self.api.list_all(path, selector, asked, take=_decoder(EventWire, event_of), limit=limit)
        return sorted(found, key=lambda event: event.at or _NEVER)

    def _not_a(self, thing: str, asked: Asked) -> KubeUnavailableError:
        return KubeUnavailableError(
            f"the answer of {self.api.host} is no {thing} ({asked}); is a proxy in between?",
            resource=asked.resource,
            namespace=asked.namespace,
        )

    async def _tail(self, path: str, params: Params, asked: Asked, *, keep: int, ceiling: int) -> tuple[bytes, int]:
        """The last `keep` bytes of the first `ceiling` of a body, and how many bytes came."""
        kept, received = bytearray(), 0
        async with self.api.open(path, params, asked) as response:
            try:
                while received < ceiling and (chunk := await response.content.read(min(65_536, ceiling - received))):
                    received += len(chunk)
                    kept += chunk
                    del kept[:-keep]
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if not kept:
                    raise unreachable(error, asked, host=self.api.host) from error
                log.debug("a log broke off after %d bytes; what came is used", received)
        return _from_whole_line(bytes(kept)) if received > keep else bytes(kept), received


async def list_pods_with_version(
    api: KubeApi,
    namespace: str | None,
    selector: Params | None = None,
    *,
    limit: int | None = None,
    trim: Callable[[Pod], Pod] | None = None,
) -> tuple[list[Pod], str]:
    """Pods and the resource version from which a watch continues this list; `trim` makes of each what is kept.

    Raises:
        KubeError: the cluster cannot answer.
    """
    asked = Asked(verb="list", resource="pods", namespace=namespace)

    def take(item: msgspec.Raw) -> Pod | None:
        pod = decode_pod(item)
        return pod if pod is None or trim is None else trim(pod)

    return await api.list_all(pods_path(namespace), selector or [], asked, take=take, limit=limit)


def pods_path(namespace: str | None) -> str:
    """The path of a namespace's pods, or of all.

    Raises:
        KubeNotFoundError: no namespace can have that name.
    """
    return "/api/v1/pods" if namespace is None else f"/api/v1/namespaces/{_name(namespace)}/pods"


def decode_pod(body: bytes | msgspec.Raw) -> Pod | None:
    """A pod, None when it cannot be read: one odd object must not hide all others."""
    return _decoded(body, PodWire, pod_of)


def _decoder(wire: type[W], convert: Callable[[W], M]) -> Callable[[msgspec.Raw], M | None]:
    return lambda body: _decoded(body, wire, convert)


def _decoded(body: bytes | msgspec.Raw, wire: type[W], convert: Callable[[W], M]) -> M | None:
    try:
        return convert(msgspec.json.decode(body, type=wire))
    except (msgspec.MsgspecError, ValueError) as error:
        log.warning("a %s that cannot be read was left out (%s)", wire.__name__, single_line(str(error)))
        return None


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise KubeNotFoundError(f"{name[:60]!r} cannot be the name of a Kubernetes object; correct it")
    return name


def _kind(kind: str) -> str:
    if not kind.isascii() or not kind.isalpha():
        raise KubeNotFoundError(f"{kind[:60]!r} cannot be a kind of Kubernetes objects; correct it")
    return kind


def _label(value: str) -> str:
    if not _LABEL_VALUE.fullmatch(value):
        raise KubeNotFoundError(f"{value[:60]!r} cannot be the value of a label; correct it")
    return value


def _from_whole_line(cut: bytes) -> bytes:
    """Without the line that was cut at its beginning: half a secret is one that redaction does not know."""
    for separator in (b"\n", b"\r", b" "):
        _, found, rest = cut.partition(separator)
        if found and rest:
            return rest
    return cut.lstrip(bytes(range(0x80, 0xC0)))

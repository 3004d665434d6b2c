"""Tries each permission that monitoring uses, for `runai-monitor check`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from runai_monitor.errors import KubeError, KubeForbiddenError, KubeNotFoundError
from runai_monitor.kube.client import KubeClient, list_pods_with_version, pods_path
from runai_monitor.kube.faults import Asked
from runai_monitor.model.cluster import ContainerPhase, Pod

MOST_NAMESPACES = 20
"""How many namespaces are tried: seven requests each, one after the other, while a person waits."""
_SAMPLE = 50
_NO_SUCH = "runai-monitor-check"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessCheck:
    """One permission in one scope. `advice` says what to do and is empty when it is `ok`.

    `denied`: RBAC does not allow it; `rejected`: the login itself is refused; `unanswered`: the API server could not
    answer; `unverified`: it was not tried; `skipped`: it is not granted and not needed, and diagnoses have
    less to go by.
    """

    permission: str
    outcome: Literal["ok", "denied", "rejected", "unanswered", "unverified", "skipped"]
    detail: str
    advice: str = ""


async def probe(client: KubeClient, namespaces: Sequence[str] | None) -> list[AccessCheck]:
    """Lists and watches pods, lists events, reads one line of one log; in each namespace, or (None) cluster-wide.

    Then what monitoring does without: nodes, volume claims, quotas; where these are not granted they are `skipped`.
    Raises nothing of Kubernetes': what fails is a result.
    """
    scopes: list[str | None] = [None] if namespaces is None else list(dict.fromkeys(namespaces))
    checks: list[AccessCheck] = []
    for namespace in scopes[:MOST_NAMESPACES]:
        checks += await _probe_scope(client, namespace)
    if len(scopes) > MOST_NAMESPACES:
        checks.append(
            AccessCheck(
                permission="all permissions",
                outcome="unverified",
                detail=f"{len(scopes) - MOST_NAMESPACES} more namespaces were not tried",
                advice="grant the role cluster-wide, or check these namespaces one by one",
            )
        )
    return checks


async def _probe_scope(client: KubeClient, namespace: str | None) -> list[AccessCheck]:
    where = f"in {namespace}" if namespace else "in all namespaces"
    pods: list[Pod] = []

    async def list_pods() -> str:
        pods.extend((await list_pods_with_version(client.api, namespace, limit=_SAMPLE))[0])
        return "a pod was listed" if pods else "allowed; there are no pods yet"

    async def watch_pods() -> str:
        asked = Asked(verb="watch", resource="pods", namespace=namespace)
        params = [("watch", "true"), ("timeoutSeconds", "1")]
        async with client.api.open(pods_path(namespace), params, asked):
            return "a watch was opened"

    async def list_events() -> str:
        path = f"/api/v1/namespaces/{namespace}/events" if namespace else "/api/v1/events"
        asked = Asked(verb="list", resource="events", namespace=namespace)
        await client.api.list_all(path, [], asked, take=lambda item: item, limit=1)
        return "events were listed"

    checks = [
        await _attempt(f"list pods {where}", list_pods),
        await _attempt(f"watch pods {where}", watch_pods),
        await _attempt(f"list events {where}", list_events),
    ]
    return [
        *checks,
        await _probe_log(client, pods, namespace, where),
        *await _probe_optional(client, pods, namespace, where),
    ]


async def _probe_optional(
    client: KubeClient, pods: Sequence[Pod], namespace: str | None, where: str
) -> list[AccessCheck]:
    """What diagnoses, and alerts about nodes, are better with. An object that does not exist still proves that it may be read."""
    home = namespace or next((pod.namespace for pod in pods), "default")
    node = next((pod.node for pod in pods if pod.node), _NO_SUCH)
    claim = next((name for pod in pods if pod.namespace == home for name in pod.claims), _NO_SUCH)
    nodes = Asked(verb="list", resource="nodes", namespace=None)

    async def get_node() -> str:
        return await _existing(client.get_node(node))

    async def list_nodes() -> str:
        await client.api.list_all("/api/v1/nodes", [], nodes, take=lambda item: item, limit=1)
        return "nodes were listed"

    async def get_claim() -> str:
        return await _existing(client.get_claim(home, claim))

    async def list_quotas() -> str:
        await client.list_quotas(home)
        await client.list_limit_ranges(home)
        return "quotas were listed"

    return [
        _optional(
            await _attempt("get nodes in all namespaces", get_node),
            "diagnoses do without conditions, taints and GPUs of a failed workload's nodes",
        ),
        _optional(
            await _attempt("list nodes in all namespaces", list_nodes),
            "there are no alerts about nodes, and diagnoses do without the free GPUs of the cluster",
        ),
        _optional(
            await _attempt(f"get persistentvolumeclaims {where}", get_claim),
            "diagnoses do without why a volume is not bound",
        ),
        _optional(
            await _attempt(f"list resourcequotas and limitranges {where}", list_quotas),
            "diagnoses do without how full a quota is",
        ),
    ]


async def _existing(read: Awaitable[object]) -> str:
    try:
        await read
    except KubeNotFoundError:
        # Kubernetes asks RBAC before it looks for the object.
        return "allowed; there was none to read"
    return "one was read"


def _optional(check: AccessCheck, loss: str) -> AccessCheck:
    if check.outcome not in {"denied", "unanswered"}:
        return check
    why = "not granted" if check.outcome == "denied" else "not answered"
    advice = "optional: grant the last rule of the README's Kubernetes section"
    return replace(check, outcome="skipped", detail=f"{why}; {loss}", advice=advice)


async def _probe_log(client: KubeClient, pods: Sequence[Pod], namespace: str | None, where: str) -> AccessCheck:
    permission = f"get pods/log {where}"
    found = _with_log(pods)
    home, pod, container = (
        (found[0].namespace, found[0].name, found[1]) if found else (namespace or "default", _NO_SUCH, _NO_SUCH)
    )

    async def read_log() -> str:
        try:
            await client.read_log(home, pod, container, tail_lines=1, limit_bytes=1024)
        except KubeNotFoundError:
            # Kubernetes asks RBAC before it looks for the pod and its log.
            return "allowed; the container that was tried has no log" if found else "allowed; there are no pods yet"
        return "a line of a log was read"

    return await _attempt(permission, read_log)


def _with_log(pods: Sequence[Pod]) -> tuple[Pod, str] | None:
    """A pod and one of its containers, preferably one that has started."""
    ranked = sorted(
        ((pod, container) for pod in pods for container in pod.containers),
        key=lambda pair: pair[1].phase not in {ContainerPhase.RUNNING, ContainerPhase.TERMINATED},
    )
    return (ranked[0][0], ranked[0][1].name) if ranked else None


async def _attempt(permission: str, action: Callable[[], Awaitable[str]]) -> AccessCheck:
    try:
        return AccessCheck(permission=permission, outcome="ok", detail=await action())
    except KubeForbiddenError as error:
        if error.status == 401:
            return AccessCheck(permission=permission, outcome="rejected", detail=str(error), advice="log in again")
        advice = "grant the role shown in the README's Kubernetes section"
        return AccessCheck(permission=permission, outcome="denied", detail=str(error), advice=advice)
    except KubeError as error:
        return AccessCheck(
            permission=permission,
            outcome="unanswered",
            detail=str(error),
            advice="make the cluster reachable and run the check again",
        )

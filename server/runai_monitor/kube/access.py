"""Tries each permission that monitoring uses, for `runai-monitor check`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from runai_monitor.errors import KubeError, KubeNotFoundError
from runai_monitor.kube.client import KubeClient
from runai_monitor.model.cluster import Pod


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessCheck:
    """One permission: whether it works, and what to do if not. `unverified` means there was nothing to try it on."""

    permission: str
    outcome: Literal["ok", "denied", "unverified"]
    detail: str


async def probe(client: KubeClient, *, namespaces: Sequence[str] | None) -> list[AccessCheck]:
    """Lists pods and events and reads one line of one log; in the first of `namespaces`, or (None) cluster-wide."""
    namespace = namespaces[0] if namespaces else None
    pods: list[Pod] = []

    async def list_pods() -> str:
        pods.extend(await client.list_pods(namespace))
        return f"{len(pods)} pods in {namespace or 'all namespaces'}"

    async def list_events() -> str:
        place = namespace or (pods[0].namespace if pods else "default")
        return f"{len(await client.list_events(place))} events in {place}"

    checks = [await _attempt("list pods", list_pods), await _attempt("list events", list_events)]
    running = next((pod for pod in pods if pod.pod_phase == "Running" and pod.containers), None)
    if running is None:
        checks.append(
            AccessCheck(permission="get pods/log", outcome="unverified", detail="no running pod to try it on")
        )
        return checks

    async def read_log() -> str:
        await client.read_log(running.namespace, running.name, running.containers[-1].name, tail_lines=1)
        return f"read of {running.namespace}/{running.name}"

    return [*checks, await _attempt("get pods/log", read_log)]


async def _attempt(permission: str, action: Callable[[], Awaitable[Any]]) -> AccessCheck:
    try:
        return AccessCheck(permission=permission, outcome="ok", detail=str(await action()))
    except KubeNotFoundError as error:
        return AccessCheck(permission=permission, outcome="unverified", detail=str(error))
    except KubeError as error:
        return AccessCheck(permission=permission, outcome="denied", detail=str(error))

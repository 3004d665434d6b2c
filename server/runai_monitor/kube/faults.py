"""What went wrong, in one sentence for a person: HTTP statuses and network failures to our errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp
import msgspec

from runai_monitor.errors import (
    KubeError,
    KubeForbiddenError,
    KubeNotFoundError,
    KubeUnavailableError,
    WatchExpiredError,
)

_SAID_CHARACTERS = 200
_READ_CHARACTERS = 10 * _SAID_CHARACTERS
"""Redacted before it is cut to size: half a secret is one that redaction does not know."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_IDENTITY = re.compile(r'User "([^"]{1,120})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request was for, as RBAC would say it. Nodes belong to no namespace."""

    verb: str
    resource: str
    namespace: str | None

    def __str__(self) -> str:
        if self.resource == "nodes":
            return f"{self.verb} {self.resource}"
        return f"{self.verb} {self.resource} {f'in {self.namespace}' if self.namespace else 'in all namespaces'}"


class StatusWire(msgspec.Struct):
    """Kubernetes' answer to what it does not do."""

    message: str | None = None


def error_of(
    status: int, body: bytes, headers: Mapping[str, str], asked: Asked, *, redact: Callable[[str], str]
) -> KubeError:
    """The error for an HTTP status of 400 or more; `redact` takes secrets out of what the server says."""
    try:
        said = msgspec.json.decode(body, type=StatusWire).message or ""
    except (msgspec.MsgspecError, ValueError):
        said = ""
    identity = _IDENTITY.search(said)
    said = single_line(redact(said[:_READ_CHARACTERS]))
    resource, namespace = asked.resource, asked.namespace
    if status == 401:
        text = f"Kubernetes refuses our login (401, {asked}); log in again or renew the token of the kubeconfig"
        return KubeForbiddenError(text, status=status, resource=resource, namespace=namespace)
    if status == 403:
        who = single_line(identity.group(1)) if identity else "us"
        text = (
            f"Kubernetes does not allow {who} to {asked}; "
            f'grant its role apiGroups: [""], resources: ["{resource}"], verbs: ["{asked.verb}"]'
        )
        return KubeForbiddenError(text, status=status, resource=resource, namespace=namespace)
    if status == 404:
        return KubeNotFoundError(
            f"Kubernetes does not have it any more ({asked}): {said or 'not found'}",
            status=status,
            resource=resource,
            namespace=namespace,
        )
    if status == 400 and resource == "pods/log":
        return KubeNotFoundError(_no_log(said), status=status, resource=resource, namespace=namespace)
    if status == 410:
        text = f"the position is too old ({asked}); list again"
        return WatchExpiredError(text, status=status, resource=resource, namespace=namespace)
    return KubeUnavailableError(
        f"Kubernetes cannot answer now ({asked}, status {status}{f': {said}' if said else ''}); it is tried again",
        status=status,
        resource=resource,
        namespace=namespace,
        retry_after_seconds=_seconds(headers.get("Retry-After", "")),
    )


def unreachable(error: Exception, asked: Asked, *, host: str) -> KubeUnavailableError:
    """The error for a request that got no answer. Never the vendor's text: it may hold a proxy's password."""
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            why = getattr(getattr(error, "certificate_error", None), "verify_message", None) or "TLS failed"
            text = (
                f"{host} has a certificate that is not trusted ({why}); correct the kubeconfig's certificate-authority"
            )
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            text = f"the proxy on the way to {host} does not answer; correct proxy-url, HTTPS_PROXY or NO_PROXY"
        case aiohttp.ClientConnectorDNSError():
            text = f"the name of {host} cannot be resolved; check the kubeconfig and the VPN"
        case TimeoutError():
            text = f"{host} did not answer in time; check the network and the VPN"
        case aiohttp.ClientConnectorError():
            text = f"{host} refuses connections; check the kubeconfig and the VPN"
        case _:
            text = f"the connection to {host} broke ({type(error).__name__}); it is tried again"
    return KubeUnavailableError(
        f"Kubernetes cannot be reached ({asked}): {text}", resource=asked.resource, namespace=asked.namespace
    )


def single_line(text: str, limit: int = _SAID_CHARACTERS) -> str:
    """Text of a cluster on one line, without control characters, cut to size."""
    return " ".join(_CONTROL.sub(" ", text).split())[:limit]


def _no_log(said: str) -> str:
    if "previous terminated" in said:
        return f"the container has no previous run whose log is kept ({said})"
    if "waiting to start" in said or "ContainerCreating" in said or "PodInitializing" in said:
        return f"the container has no log yet ({said})"
    return f"there is no such log ({said or 'the request was refused'})"


def _seconds(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 <= found < 86_400 else None

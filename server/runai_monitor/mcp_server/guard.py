"""Who may ask over HTTP: by Host, by Origin, and with a bearer token."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

OPEN_PATH = "/healthz"
PROBE_PATHS = frozenset({OPEN_PATH, "/readyz", "/metrics"})
"""A kubelet and a Prometheus ask by the pod's own address. A page that rebinds its name to ours has a name, no address."""
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """Refuses what does not come from where it may, before any route: Host, Origin, then the bearer token.

    Args:
        app: what is guarded.
        allowed_hosts: Host headers besides loopback's; `name` for any port of the default, `name:*` for any port.
        allowed_origins: Origin headers besides loopback's.
        token: the bearer token for everything but `/healthz`; None: none is needed.
    """

    def __init__(
        self, app: ASGIApp, *, allowed_hosts: Sequence[str], allowed_origins: Sequence[str], token: str | None
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in allowed_origins)
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers it with the refusal."""
        refusal = self._refusal(Request(scope)) if scope["type"] == "http" else None
        if scope["type"] == "websocket":
            refusal = Response(status_code=403)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        path = request.scope["path"]
        host = request.headers.get("host", "")
        if not self._host_allowed(host) and not (path in PROBE_PATHS and _is_address(host)):
            return error_response(
                421, "invalid_host", "this Host is not allowed; add it to RUNAI_MONITOR_ALLOWED_HOSTS"
            )
        origins = request.headers.getlist("origin")
        if not all(self._origin_allowed(origin) for origin in origins):
            return error_response(
                403, "invalid_origin", "this Origin is not allowed; add it to RUNAI_MONITOR_ALLOWED_ORIGINS"
            )
        if self._token is None or path == OPEN_PATH:
            return None
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode(), self._token)
        if scheme.lower() == "bearer" and right:
            return None
        refusal = error_response(
            401, "invalid_token", "send the token of RUNAI_MONITOR_AUTH_TOKEN as Authorization: Bearer"
        )
        refusal.headers["www-authenticate"] = 'Bearer error="invalid_token"'
        return refusal

    def _host_allowed(self, host: str) -> bool:
        lowered = host.lower()
        name = (
            lowered.rsplit(":", 1)[0] if lowered.rpartition("]")[2].startswith(":") or "]" not in lowered else lowered
        )
        return name in _LOOPBACK or lowered in self._hosts or f"{name}:*" in self._hosts

    def _origin_allowed(self, origin: str) -> bool:
        lowered = origin.lower().rstrip("/")
        if lowered in self._origins:
            return True
        try:
            parts = urlsplit(lowered)
            loopback = parts.scheme in {"http", "https"} and parts.hostname in {"127.0.0.1", "localhost", "::1"}
        except ValueError:
            return False
        return loopback or f"{parts.scheme}://{parts.hostname}:*" in self._origins


def error_response(status: int, code: str, text: str) -> JSONResponse:
    """An error as OAuth spells it, which MCP clients read."""
    return JSONResponse({"error": code, "error_description": text}, status_code=status)


def _is_address(host: str) -> bool:
    """Whether a Host header is an IP address, with or without a port."""
    try:
        ip_address(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
    return True

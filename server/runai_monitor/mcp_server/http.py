"""The HTTP process: `/mcp`, `/sse` with `/messages/`, `/healthz`, `/readyz`, `/metrics`, all behind one guard."""

from __future__ import annotations

import errno
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runai_monitor.errors import MonitorError, SettingsError
from runai_monitor.mcp_server.guard import Guard, error_response
from runai_monitor.mcp_server.push import AlertHub
from runai_monitor.operations.operations import Operations

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

SESSION_IDLE_SECONDS = 1800.0
MAX_SESSIONS = 1000
SHUTDOWN_SECONDS = 5
_WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - recognised here, not bound


class WholeResponses:
    """Gives every response one start and one end.

    When the server stops, the SDK leaves its streams unfinished, and answers an SSE request a second time: each would be
    an error, or a traceback of a page, in the log of every ordinary restart.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what belongs to one response, and ends it if nobody did."""
        started = ended = False

        async def send_once(message: Message) -> None:
            nonlocal started, ended
            if message["type"] == "http.response.start":
                if started:
                    return
                started = True
            elif message["type"] == "http.response.body":
                if ended:
                    return
                ended = not message.get("more_body", False)
            await send(message)

        await self._app(scope, receive, send_once)
        if started and not ended:
            await send({"type": "http.response.body", "body": b""})


def http_app(
    *,
    server: MCPServer[Any],
    hub: AlertHub,
    operations: Operations,
    token: str | None = None,
    allowed_hosts: Sequence[str] = (),
    allowed_origins: Sequence[str] = (),
) -> Starlette:
    """The application with every route. Background work is the caller's; only MCP sessions live in its lifespan."""
    # The guard checks Host and Origin for every route; the SDK's own check would only know its two.
    unchecked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    streamable = server.streamable_http_app(
        transport_security=unchecked, session_idle_timeout=SESSION_IDLE_SECONDS, max_sessions=MAX_SESSIONS
    )
    sse = server.sse_app(transport_security=unchecked)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with server.session_manager.run():
            yield

    return Starlette(
        routes=[*_probe_routes(operations, hub), *streamable.routes, *sse.routes],
        middleware=[
            Middleware(WholeResponses),
            Middleware(Guard, allowed_hosts=allowed_hosts, allowed_origins=allowed_origins, token=token),
        ],
        lifespan=lifespan,
    )


def _probe_routes(operations: Operations, hub: AlertHub) -> list[Route]:
    async def healthz(_: Request) -> Response:
        health = await operations.probes.health()
        # Without a token to protect it, this says no more than whether the process lives.
        return JSONResponse({"status": "ok" if health.healthy else "stale"}, status_code=200 if health.healthy else 503)

    async def readyz(_: Request) -> Response:
        health = await operations.probes.health()
        body = {"status": "ready" if health.ready else "not ready", "reasons": list(health.reasons)}
        return JSONResponse(body, status_code=200 if health.ready else 503)

    async def metrics(_: Request) -> Response:
        from runai_monitor.metrics import CONTENT_TYPE, render

        try:
            measured = await operations.probes.measurements()
        except MonitorError as error:
            return error_response(503, "not_ready", str(error))
        return Response(render(measured, hub.measurements()), media_type=CONTENT_TYPE)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


async def run_http(
    *,
    server: MCPServer[Any],
    hub: AlertHub,
    operations: Operations,
    host: str,
    port: int,
    token: str | None = None,
    allowed_hosts: Sequence[str] = (),
    allowed_origins: Sequence[str] = (),
) -> None:
    """Serves until stopped by a signal; open streams get a few seconds to end.

    Raises:
        SettingsError: the address cannot be bound.
    """
    bound = () if host in _WILDCARDS else (f"[{host}]:*" if ":" in host else f"{host}:*",)
    app = http_app(
        server=server,
        hub=hub,
        operations=operations,
        token=token,
        allowed_hosts=(*allowed_hosts, *bound),
        allowed_origins=allowed_origins,
    )
    import uvicorn

    from runai_monitor.mcp_server.connections import BACKLOG, allow_many_files, limited

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        lifespan="on",
        ws="none",
        http=limited(allow_many_files()),
        backlog=BACKLOG,
    )
    listener = _bind(host, port)
    log.info("listening on %s: /mcp (Streamable HTTP) and /sse", _address(listener))
    try:
        await _server(config, before_stop=hub.close).serve(sockets=[listener])
    finally:
        listener.close()


def _server(config: uvicorn.Config, *, before_stop: Callable[[], None]) -> uvicorn.Server:
    """A server that a signal ends in order; `before_stop` is called when it begins to wait for open streams.

    uvicorn's own raises the signal again once it has stopped: the process dies of it, before the rest of the
    application could clean up, and with another exit code than 0.
    """
    import uvicorn

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            signals = (signal.SIGINT, signal.SIGTERM)
            before = {received: signal.signal(received, self.stop) for received in signals}
            try:
                yield
            finally:
                for received, handler in before.items():
                    signal.signal(received, handler)

        def stop(self, received: int, _: FrameType | None) -> None:
            log.info("stopping: %s", signal.Signals(received).name)
            self.force_exit = self.should_exit  # asked twice: do not wait for open streams
            self.should_exit = True

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            before_stop()
            await super().shutdown(sockets)

    return Server(config)


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket, bound by us so that a refusal is one sentence instead of an exit inside uvicorn."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family, backlog=2048)
    except UnicodeError as error:  # a host that cannot even be asked for
        raise SettingsError(f"{host[:80]} is no name of a host; choose another with --host") from error
    except OSError as error:
        why = (
            "is in use by another process" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        )
        raise SettingsError(f"{host}:{port} {why}; choose another with --host and --port") from error
    # asyncio sets this only on sockets made with an explicit protocol; without it, each answer waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setblocking(False)
    return listener


def _address(listener: socket.socket) -> str:
    """Where a client finds the listener: with port 0, nobody else knows."""
    name, port = listener.getsockname()[:2]
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

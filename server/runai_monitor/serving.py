"""One server process: an application in the background, its MCP server on stdio or HTTP in front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from runai_monitor import __version__, wiring
from runai_monitor.app import Application
from runai_monitor.clock import SystemClock
from runai_monitor.errors import SettingsError
from runai_monitor.settings import LOOPBACK_HOSTS, Settings


async def serve_stdio(settings: Settings, *, channel: bool, simulated: bool = False) -> None:
    """Serves one client on stdin and stdout until it closes them; `simulated` tells it that the tenant is a show."""
    from runai_monitor.mcp_server.push import AlertHub
    from runai_monitor.mcp_server.server import build_server
    from runai_monitor.mcp_server.stdio import run_stdio

    application = Application(settings, clock=SystemClock())
    server = build_server(
        operations=application.operations,
        hub=AlertHub(channel=channel),
        version=__version__,
        allow_write_tools=settings.allow_write_tools,
        on_first_answer=application.begin,
        simulated=simulated,
    )
    application.operations.feed.subscribe(application.pushed)
    async with _background(application):
        await run_stdio(server)


async def serve_http(settings: Settings, *, host: str, port: int, simulated: bool = False) -> None:
    """Serves HTTP until told to stop; `simulated` as for `serve_stdio`.

    Raises:
        SettingsError: `host` is not loopback and there is no auth token, or the address cannot be bound.
    """
    from runai_monitor.mcp_server.http import run_http
    from runai_monitor.mcp_server.push import AlertHub
    from runai_monitor.mcp_server.server import build_server

    check_exposure(settings, host=host)
    application = Application(settings, clock=SystemClock())
    application.begin()  # monitors resume whether or not a client comes
    hub = AlertHub()
    server = build_server(
        operations=application.operations,
        hub=hub,
        version=__version__,
        allow_write_tools=settings.allow_write_tools,
        simulated=simulated,
    )
    application.operations.feed.subscribe(application.pushed)
    async with _background(application):
        await run_http(
            server=server,
            hub=hub,
            operations=application.operations,
            host=host,
            port=port,
            token=wiring.plain(settings.auth_token),
            allowed_hosts=settings.allowed_hosts,
            allowed_origins=settings.allowed_origins,
        )


def check_exposure(settings: Settings, *, host: str) -> None:
    """Refuses to be reachable from other machines without a token.

    Raises:
        SettingsError: `host` is not loopback and there is no auth token.
    """
    if host not in LOOPBACK_HOSTS and settings.auth_token is None:
        raise SettingsError(
            f"binding to {host} would let anyone in: set RUNAI_MONITOR_AUTH_TOKEN, or bind to 127.0.0.1"
        )


@asynccontextmanager
async def _background(application: Application) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(application.run)
        yield
        tasks.cancel_scope.cancel()

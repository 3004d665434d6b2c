"""Runs ASGI applications on loopback sockets inside the running event loop."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anyio
import uvicorn
from starlette.types import ASGIApp

SHUTDOWN_SECONDS = 1


class _GuestServer(uvicorn.Server):
    """A server that is a guest in somebody else's process: signals are the host's."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = anyio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def served(app: ASGIApp, *, port: int = 0, before_stop: Callable[[], Any] | None = None) -> AsyncIterator[str]:
    """Serves `app` on 127.0.0.1 while the block lasts; yields its base URL.

    Args:
        app: what to serve.
        port: where; 0: on any free port.
        before_stop: called before the server stops, to end what would keep connections open.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        http="h11",
        ws="none",
        access_log=False,
        log_config=None,
        log_level="critical",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    server = _GuestServer(config)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # A port that clients left a moment ago may be served again at once.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # asyncio sets this only on sockets made with an explicit protocol; without it, answers wait 40 ms for an ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("127.0.0.1", port))
        port = listener.getsockname()[1]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            await server.ready.wait()
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                if before_stop is not None:
                    before_stop()
                server.should_exit = True

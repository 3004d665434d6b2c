"""The server on stdin and stdout, for clients that start it themselves.

The SDK reads and writes in worker threads that cannot be given up: with it, Ctrl-C waits for the client's next line, and
a client that stopped reading keeps the process alive after it closed stdin. Here the two pipes are served by daemon
threads of our own, so that the end of the client, a signal, or a full pipe always ends the process, and in order.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, Literal, cast

import anyio
from anyio.from_thread import run as run_in_loop
from anyio.from_thread import run_sync as run_in_loop_sync
from anyio.lowlevel import current_token
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server

log = logging.getLogger(__name__)

LAST_WORDS_SECONDS = 1.0
"""After stdin was closed, how long a client may take to read what was already said to it."""

_CHUNK_BYTES = 65_536


async def run_stdio(server: MCPServer[Any]) -> None:
    """Serves one client until it closes stdin or stops existing, or until a signal. stdout belongs to the protocol."""
    if sys.platform == "win32":
        await server.run_stdio_async()  # redirects handles in ways only the SDK knows
        return
    from_client, to_client = _take(0, os.open(os.devnull, os.O_RDONLY)), _take(1, os.dup(2))
    async with anyio.create_task_group() as tasks:
        scope = tasks.cancel_scope

        def client_ended() -> None:
            scope.deadline = min(scope.deadline, anyio.current_time() + LAST_WORDS_SECONDS)

        tasks.start_soon(_stop_on_signal, scope)
        lines, wire = _Lines(from_client, on_end=client_ended), _Wire(to_client, on_broken=scope.cancel)
        streams = stdio_server(cast("anyio.AsyncFile[str]", lines), cast("anyio.AsyncFile[str]", wire))
        async with streams as (read, write):
            # `run_stdio_async` takes no streams; this is what it does with them.
            lowlevel = server._lowlevel_server  # noqa: SLF001  # the SDK's documented way down; public in a later 2.x
            await lowlevel.run(read, write, lowlevel.create_initialization_options())
        scope.cancel()


def _take(standard: Literal[0, 1], replacement: int) -> int:
    """A private descriptor of stdin or stdout; whoever uses the standard one afterwards does not reach the client."""
    private = os.dup(standard)
    os.dup2(replacement, standard)
    os.close(replacement)
    return private


async def _stop_on_signal(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for received in signals:
            log.info("stopping: %s", received.name)
            scope.cancel()


class _Lines:
    """The client's lines, as the SDK iterates over them. `on_end` is called in the event loop when there are no more."""

    def __init__(self, descriptor: int, *, on_end: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_end = on_end

    async def __aiter__(self) -> AsyncIterator[str]:
        send, receive = anyio.create_memory_object_stream[bytes](0)
        token = current_token()

        def pump() -> None:
            try:
                while chunk := os.read(self._descriptor, _CHUNK_BYTES):
                    run_in_loop(send.send, chunk, token=token)
            except (OSError, CancelledError, anyio.BrokenResourceError, anyio.ClosedResourceError, RuntimeError):
                pass  # the pipe, the server or the event loop is gone: the end, like any other
            _quietly(send.close, token)

        threading.Thread(target=pump, name="stdin", daemon=True).start()
        rest = b""
        async with receive:
            async for chunk in receive:
                *complete, rest = (rest + chunk).split(b"\n")
                for line in complete:
                    yield line.decode("utf-8", errors="replace")
        if rest:
            yield rest.decode("utf-8", errors="replace")
        self._on_end()


class _Wire:
    """Where the SDK writes its lines. `on_broken` is called in the event loop when nobody can read them any more."""

    def __init__(self, descriptor: int, *, on_broken: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._texts: queue.SimpleQueue[tuple[bytes, anyio.Event]] = queue.SimpleQueue()
        self._token = current_token()
        threading.Thread(target=self._pump, name="stdout", daemon=True).start()

    async def write(self, text: str) -> None:
        """Returns when the pipe has taken all of it."""
        taken = anyio.Event()
        self._texts.put((text.encode(), taken))
        await taken.wait()

    async def flush(self) -> None:
        """Nothing is held back."""

    def _pump(self) -> None:
        while True:
            text, taken = self._texts.get()
            rest = memoryview(text)
            try:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            except OSError as error:
                log.info("the client is gone: %s", error.strerror)
                _quietly(self._on_broken, self._token)
                return
            _quietly(taken.set, self._token)


def _quietly(action: Callable[[], object], token: Any) -> None:
    """Calls `action` in the event loop, if that still runs."""
    with suppress(RuntimeError, CancelledError):
        run_in_loop_sync(action, token=token)

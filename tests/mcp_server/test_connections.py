"""Connections beyond the limit, over real sockets."""

from __future__ import annotations

import subprocess
import sys

import anyio
import anyio.abc
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from runai_monitor.mcp_server.connections import limited
from runai_monitor.mcp_server.http import _bind

pytestmark = pytest.mark.anyio

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_connections_beyond_the_limit_are_hung_up_on_and_those_within_it_served() -> None:
    """They need no token to be opened, and each takes a file that polls, the database and Slack need."""
    app = Starlette(routes=[Route("/", lambda _: Response("served"))])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, http=limited(2), lifespan="off", ws="none"))
    listener = _bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            kept: list[anyio.abc.SocketStream] = []
            for _ in range(2):
                stream = await anyio.connect_tcp("127.0.0.1", port)
                kept.append(stream)
                await stream.send(REQUEST)
                assert b"served" in await stream.receive()
            third = await anyio.connect_tcp("127.0.0.1", port)
            with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                await third.receive()
            await kept[0].aclose()
            await kept[1].send(REQUEST)
            assert b"served" in await kept[1].receive()
            fourth = await anyio.connect_tcp("127.0.0.1", port)
            await fourth.send(REQUEST)
            assert b"served" in await fourth.receive()
            for stream in (kept[1], third, fourth):
                await stream.aclose()
            server.should_exit = True
    listener.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of this kind")
@pytest.mark.parametrize(("soft", "hard", "expected"), [(256, 1024, 768), (128, 128, 32), (256, 4096, 3840)])
def test_the_limit_leaves_files_for_the_monitor_itself(soft: int, hard: int, expected: int) -> None:
    """In a process of its own: a limit once lowered cannot be raised again."""
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from runai_monitor.mcp_server.connections import allow_many_files; print(allow_many_files())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(expected), done.stderr

"""The process itself: nothing but MCP on stdout, a quiet end, and one sentence when it cannot begin."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.end_to_end.processes import COMMAND, clean_environment, run_command, until

pytestmark = pytest.mark.anyio

INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "a pipe", "version": "1"},
}


class Pipe:
    """A stdio server, spoken to line by line without any SDK: every line on stdout must be a message."""

    def __init__(self, process: anyio.abc.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self._stdin = process.stdin
        self._stdout = BufferedByteReceiveStream(process.stdout)

    async def send(self, method: str, *, number: int | None = None, **params: Any) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if number is None else {"id": number})
        await self._stdin.send(json.dumps(message).encode() + b"\n")

    async def receive(self) -> dict[str, Any]:
        line = await self._stdout.receive_until(b"\n", 1_000_000)
        message: dict[str, Any] = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        return message

    async def close(self) -> None:
        await self._stdin.aclose()


@asynccontextmanager
async def pipe(home: Path, *arguments: str) -> AsyncIterator[Pipe]:
    environment = clean_environment(home, {"RUNAI_MONITOR_LOG_LEVEL": "DEBUG"})
    with (home / "stderr.log").open("wb") as stderr:
        process = await anyio.open_process(
            [*COMMAND, "serve", "--demo", *arguments], env=environment, cwd=home, stderr=stderr
        )
    try:
        with anyio.fail_after(40):
            yield Pipe(process)
    finally:
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True):
            await process.aclose()


def log_of(home: Path) -> str:
    return (home / "stderr.log").read_text(encoding="utf-8")


async def test_stdout_carries_nothing_but_mcp_and_the_channel_pushes_alerts(tmp_path: Path) -> None:
    """One stray line on stdout ends the connection of a desktop client. Logs, even debugging ones, are on stderr."""
    async with pipe(tmp_path, "--channel") as server:
        await server.send("initialize", number=1, **INITIALIZE)
        answer = await server.receive()
        assert answer["result"]["serverInfo"]["name"] == "runai-monitor"
        assert answer["result"]["capabilities"]["experimental"] == {"claude/channel": {}}
        await server.send("notifications/initialized")
        await server.send("tools/call", number=2, name="start_monitoring", arguments={})
        heard: dict[str, dict[str, Any]] = {}
        while not heard.keys() >= {"result", "notifications/message", "notifications/claude/channel"}:
            message = await server.receive()
            heard[message.get("method", "result")] = message
        assert not heard["result"]["result"].get("isError")
        event = heard["notifications/claude/channel"]["params"]
        assert "\n" not in event["content"]
        assert "get_alert(al-" in event["content"]
        assert all(isinstance(value, str) for value in event["meta"].values())
        await server.close()
        assert await server.process.wait() == 0
    assert "Traceback" not in log_of(tmp_path)
    assert "DEBUG" in log_of(tmp_path)


async def test_ctrl_c_ends_a_server_quietly_with_0_though_its_client_is_still_there(tmp_path: Path) -> None:
    """A screen full of traceback after every Ctrl-C hides the one that matters; waiting for Enter looks like a hang."""
    async with pipe(tmp_path) as server:
        await server.send("initialize", number=1, **INITIALIZE)
        await server.receive()
        server.process.send_signal(signal.SIGINT)
        assert await server.process.wait() == 0
    assert "Traceback" not in log_of(tmp_path)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
async def test_a_closed_standard_stream_is_no_stream_of_something_else(tmp_path: Path, closed: str) -> None:
    """Its number would go to the next file that is opened - the event loop's, the database - and be used as a stream."""
    log = tmp_path / "log"
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, "serve", "--demo"]
    with anyio.fail_after(20), log.open("wb") as written:
        done = await anyio.run_process(
            shell,
            input=b"",
            stdout=written,
            stderr=written,
            env=clean_environment(tmp_path, {}),
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 0, log.read_text()
    assert "Traceback" not in log.read_text()


async def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    """The second start by accident is common."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = await run_command(
            "serve", "--demo", "--transport", "http", "--port", str(port), environment={}, home=tmp_path
        )
    assert done.exit_code == 2
    assert f"127.0.0.1:{port} is in use" in done.stderr
    assert "Traceback" not in done.stderr


async def test_an_interrupted_check_has_not_succeeded(tmp_path: Path) -> None:
    """A script that goes on after `check` must not take Ctrl-C for good news."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        given = {
            "RUNAI_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "RUNAI_CLIENT_ID": "id-1",
            "RUNAI_CLIENT_SECRET": "secret-1",
        }
        with anyio.fail_after(20):
            async with await anyio.open_process(
                [*COMMAND, "check"], env=clean_environment(tmp_path, given), cwd=tmp_path
            ) as process:
                assert process.stdout is not None
                await BufferedByteReceiveStream(process.stdout).receive_until(b"can be written", 10_000)
                process.send_signal(signal.SIGINT)
                assert await process.wait() == 130
                assert process.stderr is not None
                assert b"".join([chunk async for chunk in process.stderr]) == b""


async def test_clients_that_take_every_connection_do_not_take_the_files_of_the_monitor(tmp_path: Path) -> None:
    """They need no token for it; without a file left nothing is polled or sent, and the log fills the disk."""
    log = tmp_path / "log"
    shell = ["sh", "-c", 'ulimit -n 400; exec "$@"', "sh", *COMMAND]
    with anyio.fail_after(40), log.open("wb") as written:
        process = await anyio.open_process(
            [*shell, "serve", "--demo", "--transport", "http", "--port", "0"],
            env=clean_environment(tmp_path, {}),
            cwd=tmp_path,
            stdout=written,
            stderr=written,
        )
        try:
            await until(lambda: "listening on" in log.read_text())
            port = int(log.read_text().partition("http://127.0.0.1:")[2].partition(":")[0])
            async with AsyncExitStack() as held:
                for _ in range(500):
                    held.push_async_callback((await anyio.connect_tcp("127.0.0.1", port)).aclose)
                await until(lambda: "are refused" in log.read_text())
        finally:
            process.terminate()
            await process.wait()
    assert "Too many open files" not in log.read_text()
    assert process.returncode == 0

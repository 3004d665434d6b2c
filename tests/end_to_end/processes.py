"""Real server processes: started as a user starts them, with a command line and environment variables only."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.abc

START_SECONDS = 40
LOOK_SECONDS = 0.05
COMMAND = (sys.executable, "-m", "runai_monitor")
_numbers = itertools.count()


async def until(condition: Callable[[], bool | Awaitable[bool]], *, within_seconds: float = 30) -> None:
    """Returns as soon as `condition` holds; what other processes do cannot set an event of ours.

    The limit is far beyond what an idle machine needs: it ends what hangs, it measures nothing.
    """
    with anyio.fail_after(within_seconds):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await anyio.sleep(LOOK_SECONDS)


def clean_environment(home: Path, given: Mapping[str, str]) -> dict[str, str]:
    """What a fresh login has, and what was given: nothing of the machine that runs the tests."""
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "NO_COLOR": "1", "COLUMNS": "80", **given}


@dataclass(frozen=True, slots=True)
class HttpServer:
    """`serve --transport http` in a process of its own."""

    url: str
    process: anyio.abc.Process
    log: Path

    @property
    def mcp_url(self) -> str:
        return f"{self.url}/mcp"

    @property
    def sse_url(self) -> str:
        return f"{self.url}/sse"

    async def kill(self) -> None:
        """As a power cut does."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """As a service manager does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        with anyio.fail_after(30):
            return await self.process.wait()


@asynccontextmanager
async def http_server(environment: Mapping[str, str], *arguments: str, home: Path) -> AsyncIterator[HttpServer]:
    """Runs a server on a free port of loopback while the block lasts; it listens before the block begins."""
    log = home / f"server-{next(_numbers)}.log"
    command = [*COMMAND, "serve", "--transport", "http", "--port", "0", *arguments]
    with log.open("wb") as stderr:
        process = await anyio.open_process(
            command, env=clean_environment(home, environment), cwd=home, stdout=subprocess.DEVNULL, stderr=stderr
        )
    try:
        found = await _listening(process, log)
        yield HttpServer(url=found, process=process, log=log)
    finally:
        if process.returncode is None:
            process.kill()
        with anyio.CancelScope(shield=True):
            await process.aclose()


async def _listening(process: anyio.abc.Process, log: Path) -> str:
    address: list[str] = []

    def said() -> bool:
        text = log.read_text(encoding="utf-8")
        address[:] = re.findall(r"listening on (http://\S+?):? ", text)
        assert process.returncode is None, f"the server ended with {process.returncode}:\n{text}"
        return bool(address)

    await until(said, within_seconds=START_SECONDS)
    return address[0]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended and what it printed."""

    exit_code: int
    stdout: str
    stderr: str


async def run_command(
    *arguments: str, environment: Mapping[str, str], home: Path, within_seconds: float = 60
) -> Finished:
    """Runs `runai-monitor` to its end."""
    with anyio.fail_after(within_seconds):
        done = await anyio.run_process(
            [*COMMAND, *arguments], env=clean_environment(home, environment), cwd=home, check=False
        )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())

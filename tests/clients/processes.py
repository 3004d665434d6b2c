"""The processes of these tests: real servers, and the clients with what they run on."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PACKAGES = HERE / "node_modules"
PYTHON_1 = HERE / ".venv" / "bin" / "python"
SERVE_REAL = (sys.executable, "-m", "runai_monitor", "serve")
SERVE = (*SERVE_REAL, "--demo")
NODE_22 = (22, 19)
"""What the newest of the clients, the inspector, asks for."""
START_SECONDS = 30
STOP_SECONDS = 10
VISIT_SECONDS = 90

if os.environ.get("MCP_CLIENTS") != "1":
    # Whoever imports this is skipped as a whole, in one line.
    pytest.skip("starts many processes: `make clients` runs it", allow_module_level=True)


def _node() -> str | None:
    """Node 22, installed here or of the machine."""
    if not PACKAGES.is_dir():
        return None
    for candidate in [*map(str, PACKAGES.glob("node-*/bin/node")), shutil.which("node")]:
        if candidate is None:
            continue
        said = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout
        version = tuple(int(part) for part in re.findall(r"\d+", said)[:2])
        if version >= NODE_22:
            return candidate
    return None


NODE = _node()
needs_node = pytest.mark.skipif(NODE is None, reason="the npm packages or Node 22 could not be had: see `make clients`")
needs_python_1 = pytest.mark.skipif(
    not PYTHON_1.exists(), reason="the environment of mcp 1.28 could not be had: see `make clients`"
)


def environment(home: Path, **more: str) -> dict[str, str]:
    """What every process here gets: nothing of the developer's own settings."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "RUNAI_ALLOW_WRITE_TOOLS": "true",
        **more,
    }


@dataclass(frozen=True, slots=True)
class HttpServer:
    """A server that listens. `log` is its stderr."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def http_server(folder: Path, *, serve: Sequence[str] = SERVE, **more: str) -> Iterator[HttpServer]:
    """A server on a port of its own; afterwards it must end at once, in order, and without a word on stdout."""
    log = folder / "server.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*serve, "--transport", "http", "--port", "0"],
            cwd=folder,
            env=environment(folder, **more),
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    try:
        yield HttpServer(_address(process, log), process, log)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=STOP_SECONDS)
        assert (process.returncode, said) == (0, b""), log.read_text("utf-8")[-2000:]
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"listening on (http://[\w.:\[\]]+):", log.read_text("utf-8")):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"the server does not listen:\n{log.read_text('utf-8')[-2000:]}")


def run_client(command: Sequence[str], folder: Path) -> Any:
    """Runs a client to its end and gives the JSON it printed."""
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=VISIT_SECONDS, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-500:]}\n{done.stderr[-3000:]}"
    return json.loads(done.stdout)

"""Our server as a process under test: started on a tenant, asked over MCP, weighed from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx2
import yaml
from bench.tenant import TOKEN
from mcp.client import Client

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A running `serve --transport http`."""

    url: str
    pid: int

    def client(self) -> Client:
        """An MCP client of it."""
        return Client(self.url + "/mcp")

    def memory_mb(self) -> float:
        """Its resident memory."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(text.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6

    def cpu_seconds(self) -> float:
        """The CPU time it has used, of all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def metric(self, name: str) -> float:
        """The sum over one metric's samples at `/metrics`; 0 when there is none."""
        lines = httpx2.get(self.url + "/metrics", timeout=60).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith((name + " ", name + "{")))

    async def samples(self) -> dict[str, float]:
        """Everything at `/metrics`."""
        async with httpx2.AsyncClient(timeout=60) as http:
            lines = (await http.get(self.url + "/metrics")).text.splitlines()
        return {line.rpartition(" ")[0]: float(line.split()[-1]) for line in lines if not line.startswith("#")}

    async def ready(self, workloads: int) -> None:
        """Returns when so many workloads are watched and the first look at them is over."""
        with anyio.fail_after(300):
            while (await self.samples())["runai_monitor_workloads_watched"] < workloads:  # noqa: ASYNC110  # another process
                await anyio.sleep(0.2)
        await anyio.sleep(4)


def environment(url: str, folder: Path, *, slack: bool = False, kube: bool = True, **more: str) -> dict[str, str]:
    """What points a server at the tenant; `more` are settings by their names without prefix."""
    config = folder / "kubeconfig"
    config.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "bench",
                "clusters": [{"name": "bench", "cluster": {"server": url}}],
                "users": [{"name": "bench", "user": {"token": TOKEN}}],
                "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
            }
        ),
        encoding="utf-8",
    )
    config.chmod(0o600)
    settings = {
        "RUNAI_BASE_URL": url,
        "RUNAI_CLIENT_ID": "bench",
        "RUNAI_CLIENT_SECRET": "bench",
        "RUNAI_MONITOR_STATE_DIR": str(folder / "state"),
        "KUBECONFIG": str(config),
        "RUNAI_MONITOR_KUBERNETES": "auto" if kube else "off",
    }
    if slack:
        settings["RUNAI_MONITOR_SLACK_WEBHOOK_URL"] = url + "/slack"
    return settings | {f"RUNAI_MONITOR_{name.upper()}": value for name, value in more.items()}


@contextmanager
def server(url: str, *, slack: bool = False, kube: bool = True, **more: str) -> Iterator[Server]:
    """Our server over HTTP on the tenant at `url`, as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        known = environment(url, Path(folder), slack=slack, kube=kube, **more)
        with log.open("w", encoding="utf-8") as sink:
            process = subprocess.Popen(
                [
                    sys.executable,
                    *os.environ.get("BENCH_PYTHON", "").split(),
                    "-m",
                    "runai_monitor",
                    "serve",
                    "--transport",
                    "http",
                    "--port",
                    "0",
                ],
                env=os.environ | known,
                stderr=sink,
                stdin=subprocess.DEVNULL,
            )
        try:
            yield Server(_address(log), process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _address(log: Path) -> str:
    for _ in range(300):
        if "listening on " in (said := log.read_text(encoding="utf-8")):
            return "http://" + said.partition("http://")[2].split(": ")[0]
        time.sleep(0.1)
    raise SystemExit(f"the server did not start: {log.read_text(encoding='utf-8')}")


BARE_HTTP = """
from mcp.server.mcpserver import MCPServer
mcp = MCPServer("bare")
@mcp.tool()
def ping() -> str:
    "Answers."
    return "pong"
import sys, socket, uvicorn
listener = socket.create_server(("127.0.0.1", 0))
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(mcp.streamable_http_app(), log_level="critical")).run(sockets=[listener])
"""


@contextmanager
def bare_http(python: str) -> Iterator[str]:
    """A bare MCP server over HTTP, as long as the block lasts."""
    process = subprocess.Popen([python, "-c", BARE_HTTP], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(30)

"""Cold start of `serve` on stdio, spawn to first `tools/list`, side by side with a bare and with other MCP servers.

Run it with `make bench`. Each server is started alternately, so that noise of the machine hits both alike; the figure
that counts is the ratio of the medians. Writes its section of `bench/RESULTS.md`.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import anyio
from bench.results import machine, write_section
from bench.servers import environment
from mcp import StdioServerParameters, stdio_client
from mcp.client import Client

ROUNDS = 10
ROUNDS_OF_OTHERS = 5
OTHERS = Path(__file__).with_name("others")
HEADING = "Cold start: spawn to first `tools/list` on stdio"
BARE = """
from mcp.server.mcpserver import MCPServer
mcp = MCPServer("bare")
@mcp.tool()
def ping() -> str:
    "Answers."
    return "pong"
mcp.run()
"""


def servers(state_dir: str) -> dict[str, StdioServerParameters]:
    """The two servers that are compared; ours points at a port where nobody listens and is never asked to monitor."""
    ours = {
        "RUNAI_BASE_URL": "http://127.0.0.1:9",
        "RUNAI_CLIENT_ID": "bench",
        "RUNAI_CLIENT_SECRET": "bench",
        "RUNAI_MONITOR_STATE_DIR": state_dir,
        "RUNAI_MONITOR_KUBERNETES": "off",
    }
    return {
        "bare mcp server": StdioServerParameters(command=sys.executable, args=["-c", BARE]),
        "runai-monitor serve": StdioServerParameters(
            command=sys.executable, args=["-m", "runai_monitor", "serve"], env=ours
        ),
    }


def others(kubeconfig: str) -> dict[str, StdioServerParameters]:
    """Other MCP servers for Kubernetes, as far as `bench/others/install.sh` could have them."""
    known = {"PATH": os.environ.get("PATH", ""), "KUBECONFIG": kubeconfig}
    commands = {
        "kubernetes-mcp-server 0.0.67 (npm, Go)": ["node_modules/.bin/kubernetes-mcp-server"],
        "mcp-server-kubernetes 4.1.7 (npm)": ["node_modules/.bin/mcp-server-kubernetes"],
        "kubectl-mcp-server 2.0.0 (PyPI)": [".venv/bin/kubectl-mcp", "serve"],
    }
    return {
        name: StdioServerParameters(command=str(OTHERS / command), args=args, env=known)
        for name, (command, *args) in commands.items()
        if (OTHERS / command).exists()
    }


async def first_tools_list(server: StdioServerParameters, mode: str) -> float:
    """Milliseconds from the spawn to the first answer to `tools/list`."""
    started = time.perf_counter()
    with Path(os.devnull).open("w", encoding="utf-8") as sink:  # noqa: ASYNC230  # a null device never blocks
        async with Client(stdio_client(server, errlog=sink), mode=mode) as client:  # type: ignore[arg-type]
            await client.list_tools()
            return (time.perf_counter() - started) * 1000


async def measure_others() -> dict[str, list[float]]:
    """Starts of the other servers, alternating with ours, on a cluster that nobody asks."""
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        environment("http://127.0.0.1:9", Path(folder))  # writes a kubeconfig there
        compared = others(f"{folder}/kubeconfig") | {"runai-monitor serve": servers(folder)["runai-monitor serve"]}
        for round_number in range(ROUNDS_OF_OTHERS + 1):
            for name, server in compared.items():
                milliseconds = await first_tools_list(server, "legacy")
                if round_number:
                    found.setdefault(name, []).append(milliseconds)
    return found


async def measure() -> dict[tuple[str, str], list[float]]:
    """`ROUNDS` starts of each server and protocol era, alternating, after one start each to warm the disk."""
    found: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as state_dir:
        for round_number in range(ROUNDS + 1):
            for mode in ("legacy", "auto"):
                for name, server in servers(state_dir).items():
                    milliseconds = await first_tools_list(server, mode)
                    if round_number:
                        found.setdefault((name, mode), []).append(milliseconds)
    return found


def report(found: dict[tuple[str, str], list[float]]) -> str:
    """The results as Markdown."""
    names = {"legacy": "2025-11-25", "auto": "2026-07-28"}
    lines = [
        machine(f"mcp {version('mcp')}"),
        "",
        f"Median of {ROUNDS} starts each, alternating (`make bench`).",
        "",
        "| protocol | bare mcp server | runai-monitor serve | ratio |",
        "|---|---|---|---|",
    ]
    for mode, era in names.items():
        bare = statistics.median(found["bare mcp server", mode])
        ours = statistics.median(found["runai-monitor serve", mode])
        lines.append(f"| {era} | {bare:.0f} ms | {ours:.0f} ms | {ours / bare:.2f} |")
    return "\n".join(lines)


def report_others(found: dict[str, list[float]]) -> str:
    """The comparison with others as Markdown."""
    ours = statistics.median(found["runai-monitor serve"])
    lines = [
        "",
        f"Beside other MCP servers for Kubernetes, median of {ROUNDS_OF_OTHERS} starts each, protocol 2025-11-25:",
        "",
        "| server | first `tools/list` | of ours |",
        "|---|---|---|",
    ]
    for name, values in sorted(found.items(), key=lambda entry: statistics.median(entry[1])):
        lines.append(f"| {name} | {statistics.median(values):.0f} ms | {statistics.median(values) / ours:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measures, prints and writes the results."""
    text = report(anyio.run(measure)) + "\n" + report_others(anyio.run(measure_others))
    write_section(HEADING, text)
    print(text)


if __name__ == "__main__":
    main()

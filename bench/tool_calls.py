"""The latency of a tool call on stdio and HTTP, side by side with a bare MCP server: p50 and p99, and calls a second.

Run it with `make bench` or `python -m bench.tool_calls`. The bare tool answers from memory; ours asks its database. Calls
alternate, so that noise of the machine hits both alike.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
from bench.cold_start import servers
from bench.push_latency import share
from bench.results import machine, write_section
from bench.servers import bare_http, server
from bench.tenant import tenant
from mcp import stdio_client
from mcp.client import Client

CALLS = 300
CLIENTS, CALLS_EACH = 8, 100
"""In parallel, over HTTP."""
HEADING = "A tool call"


async def measure(pairs: dict[str, tuple[Client, str]]) -> dict[str, list[float]]:
    """Milliseconds of each call, sorted."""
    found: dict[str, list[float]] = {name: [] for name in pairs}
    for number in range(CALLS + 20):
        for name, (client, tool) in pairs.items():
            began = time.perf_counter()
            await client.call_tool(tool, {})
            if number >= 20:
                found[name].append((time.perf_counter() - began) * 1000)
    return {name: sorted(values) for name, values in found.items()}


async def throughput(url: str, tool: str) -> float:
    """Calls a second of clients that call at once, each as soon as its last call is answered."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Client(url + "/mcp")) for _ in range(CLIENTS)]

        async def call(client: Client) -> None:
            for _ in range(CALLS_EACH):
                await client.call_tool(tool, {})

        for client in clients:
            await client.call_tool(tool, {})
        began = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for client in clients:
                tasks.start_soon(call, client)
        return CLIENTS * CALLS_EACH / (time.perf_counter() - began)


async def run(url: str, bare_url: str, folder: str) -> dict[str, dict[str, list[float]]]:
    """Both transports."""
    async with AsyncExitStack() as stack:
        sink = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))  # noqa: ASYNC230, SIM115  # a null device never blocks
        known = servers(folder)
        bare = await stack.enter_async_context(Client(stdio_client(known["bare mcp server"], errlog=sink)))
        ours = await stack.enter_async_context(Client(stdio_client(known["runai-monitor serve"], errlog=sink)))
        await ours.call_tool("list_alerts", {})
        found = {"stdio": await measure({"bare": (bare, "ping"), "ours": (ours, "list_alerts")})}
    async with Client(bare_url + "/mcp") as bare, Client(url + "/mcp") as ours:
        found["HTTP"] = await measure({"bare": (bare, "ping"), "ours": (ours, "list_alerts")})
    return found


def main() -> None:
    """Measures, prints and writes the results."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tenant(1) as tenant_url,
        server(tenant_url, kube=False) as running,
        bare_http(sys.executable) as bare_url,
    ):
        found = anyio.run(run, running.url, bare_url, folder)
        together = [
            (anyio.run(throughput, bare_url, "ping"), anyio.run(throughput, running.url, "list_alerts"))
            for _ in range(3)
        ]
    lines = [
        machine("`list_alerts` of an empty store"),
        "",
        f"Milliseconds, {CALLS} calls each, alternating, one at a time (`make bench`).",
        "",
        "| transport | bare p50 | p99 | ours p50 | p99 | p50 ratio | calls/s bare | ours |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for transport, both in found.items():
        bare, ours = both["bare"], both["ours"]
        lines.append(
            f"| {transport} | {share(bare, 0.5):.1f} | {share(bare, 0.99):.1f} | {share(ours, 0.5):.1f}"
            f" | {share(ours, 0.99):.1f} | {share(ours, 0.5) / share(bare, 0.5):.2f}"
            f" | {1000 * CALLS / sum(bare):.0f} | {1000 * CALLS / sum(ours):.0f} |"
        )
        print(lines[-1], flush=True)
    bare_rate, our_rate = (sorted(rates)[1] for rates in zip(*together, strict=True))
    rates = f"bare {bare_rate:.0f} calls/s, ours {our_rate:.0f} ({our_rate / bare_rate:.2f})"
    lines += ["", f"{CLIENTS} clients at once over HTTP, median of 3 runs: {rates}."]
    print(lines[-1], flush=True)
    write_section(HEADING, "\n".join(lines))


if __name__ == "__main__":
    main()

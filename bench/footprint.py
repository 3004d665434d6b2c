"""Memory and CPU of a server: at rest, and watching 1k, 10k and 100k workloads with and without their pods.

Run it with `make bench` or `python -m bench.footprint`. Resident memory from the kernel; CPU over 20 s in which two delta
polls find 100 changes each.
"""

from __future__ import annotations

import time

import anyio
import httpx2
from bench.results import machine, write_section
from bench.servers import Server, server
from bench.tenant import tenant

CASES = ((1_000, 0), (10_000, 0), (100_000, 0), (100_000, 100_000))
HEADING = "Memory and CPU of a server"


async def begin(running: Server, workloads: int) -> None:
    """Everything is watched."""
    async with running.client() as client:
        await client.call_tool("start_monitoring", {})
        await running.ready(workloads)


def cpu_percent(running: Server, url: str) -> float:
    """Of one core."""
    used, began = running.cpu_seconds(), time.monotonic()
    for _ in range(2):
        httpx2.get(f"{url}/bench/touch?count=100&first=500")
        time.sleep(10)
    return 100 * (running.cpu_seconds() - used) / (time.monotonic() - began)


def main() -> None:
    """Measures, prints and writes the results."""
    with tenant(1) as url, server(url, kube=False) as running:
        time.sleep(5)
        empty = running.memory_mb()
        idle = cpu_percent(running, url)
    lines = [
        machine("polls every 10 s, each finds 100 changes"),
        "",
        f"A server that watches nothing has {empty:.0f} MB and uses {idle:.1f} % of a core (`make bench`).",
        "",
        "| workloads | pods followed | memory above that | per workload | CPU of one core |",
        "|---|---|---|---|---|",
    ]
    for workloads, pods in CASES:
        settings = {"poll_interval_seconds": "10", "reconcile_interval_seconds": "3600"}
        with tenant(workloads, pods=pods) as url, server(url, kube=bool(pods), **settings) as running:
            anyio.run(begin, running, workloads)
            time.sleep(10)
            percent = cpu_percent(running, url)
            added = running.memory_mb() - empty
        lines.append(
            f"| {workloads:,} | {pods:,} | {added:.0f} MB | {added * 1e6 / workloads:.0f} bytes | {percent:.1f} % |"
        )
        print(lines[-1], flush=True)
    write_section(HEADING, "\n".join(lines))


if __name__ == "__main__":
    main()

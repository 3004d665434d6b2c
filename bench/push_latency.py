"""From a pod's event to an MCP client and to Slack, with the live watch, at 1 and at 50 events a second.

Run it with `make bench` or `python -m bench.push_latency`. Instants are of the machine's monotonic clock: when the API
server wrote the event to the watch, when the client's callback ran, when the webhook was called.
"""

from __future__ import annotations

import re
import time

import anyio
import httpx2
from bench.results import machine, write_section
from bench.servers import Server, server
from bench.tenant import tenant
from mcp.client import Client
from mcp_types import LoggingMessageNotificationParams

WORKLOADS = 1_000
RATES = {1: 40, 50: 500}
"""Events a second, and how many."""
HEADING = "From an event to the client: the live watch"


async def measure(running: Server, url: str, rate: int, count: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds to the first push, to the diagnosed one, and to the first Slack message that names it, sorted."""
    pushed: dict[str, float] = {}
    diagnosed: dict[str, float] = {}

    async def hear(params: LoggingMessageNotificationParams) -> None:
        data = params.data
        if isinstance(data, dict) and data.get("state") == "firing":
            pushed.setdefault(data["workload"]["name"], time.monotonic())
            if data.get("diagnosis"):
                diagnosed.setdefault(data["workload"]["name"], time.monotonic())

    client = Client(running.url + "/mcp", mode="legacy", logging_callback=hear)
    async with client, httpx2.AsyncClient() as http:
        await client.call_tool("start_monitoring", {})
        await running.ready(WORKLOADS)
        sent: dict[str, float] = {}
        # The first one loads what the first alert of a process loads: it is not counted.
        await http.get(f"{url}/bench/kill?first=0&count=1")
        await anyio.sleep(3)
        for number in range(1, count + 1):
            sent.update((await http.get(f"{url}/bench/kill?first={number}&count=1")).json())
            await anyio.sleep(1 / rate)
        with anyio.move_on_after(60):
            while len(diagnosed) < count:  # noqa: ASYNC110  # what is measured must not be woken by it
                await anyio.sleep(0.2)
        slack = (await http.get(f"{url}/bench/state")).json()["delivered"]
    told: dict[str, float] = {}
    for at, text in slack:
        for name in re.findall(r"job-\d+", text):
            told.setdefault(name, at)
    missing = count - len(pushed.keys() & sent.keys())
    if missing:
        raise SystemExit(f"{missing} events were never pushed")
    return (
        sorted((pushed[name] - at) * 1000 for name, at in sent.items()),
        sorted((diagnosed[name] - at) * 1000 for name, at in sent.items() if name in diagnosed),
        sorted((told[name] - at) * 1000 for name, at in sent.items() if name in told),
    )


def share(sorted_values: list[float], part: float) -> float:
    """A percentile of sorted values."""
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * part))] if sorted_values else float("nan")


def main() -> None:
    """Measures, prints and writes the results."""
    lines = [
        machine(f"{WORKLOADS:,} workloads with a pod each, default settings"),
        "",
        "Milliseconds from the event on the watch to the client's callback (`make bench`). A new alert is pushed at once and",
        "again with its diagnosis. Slack is told with the diagnosis: a few messages at once, then one a second, and what",
        "fails alike within minutes becomes a digest, told when it pauses or its interval is over; counted is the first",
        "message that names the workload, of how many that were named while this was measured.",
        "",
        "| events/s | pushed p50 | p99 | diagnosed p50 | p99 | Slack soonest | p50 | p99 | of | event loop lag at most |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for rate, count in RATES.items():
        with tenant(WORKLOADS, pods=WORKLOADS) as url, server(url, slack=True) as running:
            pushed, diagnosed, slack = anyio.run(measure, running, url, rate, count)
            lag = running.metric("runai_monitor_event_loop_lag_max_seconds") * 1000
        lines.append(
            f"| {rate} | {share(pushed, 0.5):.0f} | {share(pushed, 0.99):.0f} | {share(diagnosed, 0.5):.0f}"
            f" | {share(diagnosed, 0.99):.0f} | {share(slack, 0):.0f} | {share(slack, 0.5):.0f} | {share(slack, 0.99):.0f}"
            f" | {len(slack)} of {count} | {lag:.0f} |"
        )
        print(lines[-1], flush=True)
    write_section(HEADING, "\n".join(lines))


if __name__ == "__main__":
    main()

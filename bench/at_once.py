"""1, 50, 500 and 10,000 workloads that fail at once: how long until all are stored, and how long anyone else waits.

Run it with `make bench` or `python -m bench.at_once`. While they fail a client calls a tool again and again; the event
loop's lag is the server's own watchdog's, from `/metrics`.
"""

from __future__ import annotations

import time

import anyio
import httpx2
from bench.results import machine, write_section
from bench.servers import Server, server
from bench.tenant import tenant

CASES = ((1, 6), (50, 6), (500, 6), (500, 250), (10_000, 6))
"""How many fail, and the kilobytes of the end of each log that is read."""
MOST_SECONDS = 60.0
HEADING = "Many that fail at once"


async def measure(running: Server, url: str, count: int) -> dict[str, float]:
    """Seconds until all alerts are stored and until all are diagnosed; milliseconds of the calls meanwhile."""
    calls: list[float] = []
    async with running.client() as client, httpx2.AsyncClient(timeout=60) as http:
        await client.call_tool("start_monitoring", {})
        await running.ready(max(count, 1000))
        began = time.monotonic()
        await http.get(f"{url}/bench/kill?count={count}")
        found: dict[str, float] = {"queue": 0.0}
        while time.monotonic() - began < MOST_SECONDS and len(found) < 3:
            called = time.perf_counter()
            await client.call_tool("monitoring_status", {})
            calls.append((time.perf_counter() - called) * 1000)
            counted = await running.samples()
            for stage in ("stored", "diagnosed"):
                if counted.get(_reached(stage), 0) >= count:
                    found.setdefault(stage, time.monotonic() - began)
            found["queue"] = max(
                found["queue"], counted.get('runai_monitor_queue_length{queue="alerts_to_diagnose"}', 0)
            )
            await anyio.sleep(0.1)
        found["lag"] = counted["runai_monitor_event_loop_lag_max_seconds"] * 1000
        found["diagnosed_of"] = counted.get(_reached("diagnosed"), 0)
        found["rate"] = found["diagnosed_of"] / (time.monotonic() - began)
    calls.sort()
    return found | {"p50": calls[len(calls) // 2], "p99": calls[int(len(calls) * 0.99)]}


def _reached(stage: str) -> str:
    return f'runai_monitor_alert_stage_seconds_count{{stage="{stage}"}}'


def main() -> None:
    """Measures, prints and writes the results."""
    lines = [
        machine("default settings"),
        "",
        f"Diagnoses run eight at a time, the most severe and then the newest first; measuring ends after {MOST_SECONDS:.0f} s",
        "(`make bench`).",
        "",
        (
            "| fail at once | log of each | all stored after | diagnosed | a second | longest queue"
            " | a tool call meanwhile p50 / p99 | loop lag at most |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    for size, log_kb in CASES:
        with tenant(max(size, 1000), pods=max(size, 1000), log_kb=log_kb) as url, server(url) as running:
            found = anyio.run(measure, running, url, size)
        stored = f"{found['stored']:.2f} s" if "stored" in found else f"not within {MOST_SECONDS:.0f} s"
        done = (
            f"all after {found['diagnosed']:.1f} s" if "diagnosed" in found else f"{found['diagnosed_of']:.0f} so far"
        )
        lines.append(
            f"| {size:,} | {log_kb} kB | {stored} | {done} | {found['rate']:.0f} | {found['queue']:.0f}"
            f" | {found['p50']:.0f} / {found['p99']:.0f} ms | {found['lag']:.0f} ms |"
        )
        print(lines[-1], flush=True)
    write_section(HEADING, "\n".join(lines))


if __name__ == "__main__":
    main()

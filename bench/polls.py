"""A full scan and a delta poll at 1k, 10k and 100k workloads, against the naive loop and the floor. CPU seconds.

Run it with `make bench` or `python -m bench.polls`. Everything runs in a process of its own against the same tenant;
what counts is the CPU time of that process. *naive* is what a loop with the vendor's SDK does each minute: list all, page
by page, into the SDK's models, and compare. *floor* reads the same bytes over the same loopback and decodes the JSON,
and nothing else.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection

import anyio
import httpx2
import msgspec
from bench.results import machine, write_section
from bench.tenant import tenant

from runai_monitor.clock import SystemClock
from runai_monitor.diagnosis.redact import redact
from runai_monitor.monitor.poll import Poller
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.runai.client import RunaiClient
from runai_monitor.runai.transport import RunaiTransport

SIZES = (1_000, 10_000, 100_000)
CHANGES, ROUNDS = 100, 10
HEADING = "A poll of Run:ai: CPU time, everything and what changed"
Numbers = dict[str, float]


async def cpu(rounds: int, work: Callable[[], Awaitable[object]], before: Callable[[], Awaitable[object]]) -> float:
    """The median CPU milliseconds of `work`; `before` each is not counted."""
    found = []
    for _ in range(rounds):
        await before()
        began = time.process_time()
        await work()
        found.append((time.process_time() - began) * 1000)
    return statistics.median(found)


async def nothing() -> None:
    """Before what needs no preparation."""


async def measure_ours(url: str, _rounds: int) -> Numbers:
    """Our client, poller and snapshot."""
    clock = SystemClock()
    transport = RunaiTransport(base_url=url, client_id="b", client_secret="b", clock=clock, redact=redact)
    runai, snapshot = RunaiClient(transport), Snapshot()
    await runai.warm_up()
    poller = Poller(runai=runai, projects=None, only_failed=False, reconcile_interval_seconds=3600, clock=clock)

    async def poll() -> None:
        polled = await poller.poll()
        snapshot.put_workloads(polled.workloads)

    async with httpx2.AsyncClient() as http:

        async def change() -> None:
            await http.get(f"{url}/bench/touch?count={CHANGES}&first=500")

        await change()
        began = time.process_time()
        await poll()
        whole = (time.process_time() - began) * 1000
        assert len(snapshot.workloads) >= 1000
        snapshot.dirty.clear()
        delta = await cpu(ROUNDS, poll, change)
        assert len(snapshot.dirty) == CHANGES
    await runai.aclose()
    return {"whole": whole, "delta": delta}


async def measure_floor(url: str, rounds: int) -> Numbers:
    """The bytes and the JSON, with the same HTTP client."""
    decode = msgspec.json.Decoder().decode

    async with httpx2.AsyncClient(base_url=url) as http:

        async def whole() -> None:
            offset: int | None = 0
            while offset is not None:
                answer = await http.get("/api/v1/workloads", params={"limit": 500, "offset": offset})
                offset = decode(answer.content)["next"]

        async def delta() -> None:
            params = {"limit": 500, "filterBy": "phaseUpdatedAt>=2026-06-01T00:00:00.000Z"}
            assert len(decode((await http.get("/api/v1/workloads", params=params)).content)["workloads"]) == CHANGES

        return {"whole": await cpu(rounds, whole, nothing), "delta": await cpu(ROUNDS, delta, delta)}


async def measure_naive(url: str, rounds: int) -> Numbers:
    """The plain SDK: its synchronous client and its models, page by page, everything each time."""
    from runai.api_client import ApiClient
    from runai.configuration import Configuration
    from runai.runai_client import RunaiClient as Sdk

    configuration = Configuration(client_id="b", client_secret="b", runai_base_url=url, auto_refresh_token=False)
    workloads = Sdk(ApiClient(configuration)).workloads.workloads
    seen: dict[str, object] = {}

    async def whole() -> None:
        offset: int | None = 0
        while offset is not None:
            page = workloads.get_workloads(limit=500, offset=offset).data
            for each in page["workloads"]:
                seen[each["id"]] = (each["phase"], each["phaseUpdatedAt"])
            offset = page["next"]

    return {"whole": await cpu(rounds, whole, nothing)}


def _run(kind: str, url: str, rounds: int, told: Connection) -> None:
    measures = {"ours": measure_ours, "floor": measure_floor, "naive": measure_naive}
    told.send(anyio.run(measures[kind], url, rounds))


def alone(kind: str, url: str, rounds: int) -> Numbers:
    """Measures in a fresh process."""
    context = multiprocessing.get_context("spawn")
    heard, told = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(kind, url, rounds, told), daemon=True)
    process.start()
    try:
        if not heard.poll(300):
            raise SystemExit(f"{kind} did not come to an end")
        found: Numbers = heard.recv()
        return found
    finally:
        process.terminate()


def main(sizes: tuple[int, ...] = SIZES) -> None:
    """Measures, prints and writes the results."""
    lines = [
        machine(),
        "",
        f"CPU milliseconds of the asking process; {CHANGES} workloads changed before each delta poll (median of {ROUNDS}).",
        "",
        "| workloads | naive loop | whole scan | floor of it | delta poll | floor of it | delta / floor | naive / delta |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for size in sizes:
        rounds = 1 if size >= 100_000 else 3
        with tenant(size) as url:
            ours, floor, naive = (alone(kind, url, rounds) for kind in ("ours", "floor", "naive"))
        lines.append(
            f"| {size:,} | {naive['whole']:.0f} | {ours['whole']:.0f} | {floor['whole']:.0f}"
            f" | {ours['delta']:.1f} | {floor['delta']:.1f}"
            f" | {ours['delta'] / floor['delta']:.1f} | {naive['whole'] / ours['delta']:.0f} |"
        )
        print(lines[-1], flush=True)
    write_section(HEADING, "\n".join(lines))


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)

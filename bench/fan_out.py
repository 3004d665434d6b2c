"""One alert to 200 MCP clients, one of which has stopped reading: how long until the others have it.

Run it with `make bench` or `python -m bench.fan_out`. Each client is a plain HTTP connection that opened the stream of its
session; the stalled one never reads a byte of it.
"""

from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

import anyio
import httpx2
from anyio.abc import SocketStream
from bench.push_latency import share
from bench.results import machine, write_section
from bench.servers import Server, server
from bench.tenant import tenant

CLIENTS, ALERTS = 200, 10
HEADING = "Push to 200 clients, one of them stalled"
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
}


async def session(url: str) -> str:
    """A new legacy session's id."""
    async with httpx2.AsyncClient(base_url=url, headers=HEADERS, timeout=60) as http:
        answer = await http.post("/mcp", json=HELLO)
        known = answer.headers["mcp-session-id"]
        done = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await http.post("/mcp", json=done, headers={"mcp-session-id": known})
    return str(known)


async def stream(url: str, known: str) -> SocketStream:
    """The open event stream of a session."""
    address = urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    connection = await anyio.connect_tcp(address.hostname, address.port)
    await connection.send(
        f"GET /mcp HTTP/1.1\r\nhost: {address.netloc}\r\naccept: text/event-stream\r\nmcp-session-id: {known}\r\n\r\n".encode()
    )
    return connection


async def measure(running: Server, url: str, *, stalled: bool) -> list[float]:
    """Milliseconds from each event to each client that reads, sorted."""
    arrived: dict[tuple[int, str], float] = {}

    async def read(number: int, connection: SocketStream) -> None:
        pending = b""
        while True:
            pending += await connection.receive()
            at = time.monotonic()
            *lines, pending = pending.split(b"\n")
            for line in lines:
                if line.startswith(b"data: {") and b'"runai_monitor.alerts"' in line:
                    data = json.loads(line[6:])["params"]["data"]
                    arrived.setdefault((number, data["workload"]["name"]), at)

    async with running.client() as client, httpx2.AsyncClient() as http, anyio.create_task_group() as tasks:
        await client.call_tool("start_monitoring", {})
        await running.ready(1000)
        streams = [await stream(running.url, await session(running.url)) for _ in range(CLIENTS)]
        for number, connection in enumerate(streams):
            if number or not stalled:
                tasks.start_soon(read, number, connection)
        await http.get(f"{url}/bench/kill?first=0&count=1")
        await anyio.sleep(3)
        sent: dict[str, float] = {}
        for number in range(1, ALERTS + 1):
            sent.update((await http.get(f"{url}/bench/kill?first={number}&count=1")).json())
            await anyio.sleep(2)
        tasks.cancel_scope.cancel()
    found = sorted((at - sent[name]) * 1000 for (_, name), at in arrived.items() if name in sent)
    expected = ALERTS * (CLIENTS - stalled)
    if len(found) < expected:
        raise SystemExit(f"{expected - len(found)} of {expected} pushes never came")
    return found


def main() -> None:
    """Measures, prints and writes the results."""
    lines = [
        machine("Streamable HTTP, sessions of 2025-06-18"),
        "",
        f"Milliseconds from an event on the watch to each reading client, {ALERTS} alerts (`make bench`).",
        "",
        "| clients | p50 | p99 | longest |",
        "|---|---|---|---|",
    ]
    for stalled in (False, True):
        with tenant(1000, pods=1000) as url, server(url) as running:
            found = anyio.run(lambda r=running, u=url, s=stalled: measure(r, u, stalled=s))
        name = f"{CLIENTS}, one stalled" if stalled else f"{CLIENTS}"
        lines.append(f"| {name} | {share(found, 0.5):.0f} | {share(found, 0.99):.0f} | {found[-1]:.0f} |")
        print(lines[-1], flush=True)
    write_section(HEADING, "\n".join(lines))


if __name__ == "__main__":
    main()

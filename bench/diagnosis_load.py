"""A diagnosis of a job of 64 ranks with 200 MB of logs: how long it takes, and how much memory it adds.

Run it with `make bench` or `python -m bench.diagnosis_load`, on Linux. The real clients ask a simulated cluster in a
process of its own, which cuts logs by `tailLines` and `limitBytes` as a real server does; each diagnosis runs in a fresh
process. Writes its section of `bench/RESULTS.md`; exit code 1 when a limit is broken.
"""

from __future__ import annotations

import multiprocessing
import re
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import anyio
import httpx2
from aiohttp import web
from bench.results import machine, write_section

from runai_monitor.clock import SystemClock
from runai_monitor.diagnosis.diagnose import Diagnoser
from runai_monitor.diagnosis.redact import redact
from runai_monitor.kube.connect import connect
from runai_monitor.runai.client import RunaiClient
from runai_monitor.runai.transport import RunaiTransport
from tests.corpus.case import LabelledCase, case
from tests.corpus.cases.ranks import watchdog
from tests.corpus.tenant import KubeTenant, RunaiTenant
from tests.corpus.wire import JOB, PROJECT, PodWire, distributed, oom_killed, pod
from tests.corpus.wire import container as made
from tests.corpus.wire import ended as end
from tests.kube.fake_kube import TOKEN, write_kubeconfig

RANKS, BYTES_EACH = 64, 3_200_000
DEADLINE_SECONDS, MOST_ADDED_MB = 15.0, 150.0
HEADING = "A job of 64 ranks with 200 MB of logs"
STEP = (
    "2026-03-01 02:40:11,102 INFO trainer: step {n} | loss 1.9313 | grad norm 0.71 | 3112 tokens/s/gpu | mem 71.2 GiB"
)
FIELDS = ", ".join(f'"layer.{n}.grad_norm": {n * 0.0137:.6f}' for n in range(90))
RECORD = '{"time": "2026-03-01T02:40:11.102Z", "level": "info", "msg": "step {n} of run 1f0c9a77", ' + FIELDS + "}"
BAR = "\r".join(f"Epoch 3: {n}%|{'█' * (n // 4)}| {n}/100 [00:{n:02}<01:40, 1.01it/s, loss=1.93]" for n in range(100))


@dataclass(frozen=True, slots=True)
class Measured:
    """One diagnosis: seconds, megabytes above what the process had before, and what it said."""

    seconds: float
    added_mb: float
    answer: str
    logs_mb: float
    read_mb: float


def ranks(line: str, *, with_logs: bool) -> LabelledCase:
    """One rank was killed ten minutes before 63 others gave up waiting; every log is as long as the others."""

    def rank(number: int) -> PodWire:
        died = number == 7
        state = oom_killed(at=-15) if died else end(134, at=-5 + number / 1000)
        body = replace(made(state), log=log(number, died=died) if with_logs else "")
        return pod(body, rank=f"worker-{number}", node=f"gpu-{number // 8:02}")

    def log(number: int, *, died: bool) -> str:
        last = "" if died else watchdog(number)
        count = (BYTES_EACH - len(last)) // (len(line.encode()) + 1)
        return "\n".join(line.replace("{n}", str(n)) for n in range(count)) + "\n" + last

    pods = [rank(number) for number in range(RANKS)]
    return case("load", "container_oom", "the earliest own failure", *pods, job=distributed(workers=RANKS))


class Cluster:
    """The simulated cluster, with logs as a kubelet keeps and cuts them."""

    def __init__(self, line: str) -> None:
        self._tenant = KubeTenant()
        self._tenant.case = ranks(line, with_logs=True)
        self._logs = {each.name: log.encode() for each in self._tenant.case.pods for log in each.logs.values() if log}
        self._sent = 0

    async def sizes(self, _: web.Request) -> web.Response:
        """How many bytes of logs there are, and how many were sent so far."""
        return web.json_response([sum(map(len, self._logs.values())), self._sent])

    async def log(self, request: web.Request) -> web.Response:
        """The last `tailLines` lines (a carriage return ends none), and of them the first `limitBytes`."""
        body = self._logs[request.match_info["pod"]]
        start = len(body)
        for _ in range(int(request.query["tailLines"]) + 1):
            start = body.rfind(b"\n", 0, max(start, 0))
        sent = body[start + 1 :][: int(request.query["limitBytes"])]
        self._sent += len(sent)
        return web.Response(body=sent, content_type="text/plain")

    def app(self) -> web.Application:
        """Its API."""
        app = web.Application()
        app.router.add_get("/sizes", self.sizes)
        app.router.add_get("/api/v1/namespaces/{namespace}/pods/{pod}/log", self.log)
        app.router.add_route("*", "/{path:.*}", self._tenant.handle)
        return app


def serve(line: str, told: Connection) -> None:
    """The cluster, until it is ended."""

    async def run() -> None:
        runner = web.AppRunner(Cluster(line).app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        told.send(runner.addresses[0][1])
        await anyio.sleep_forever()

    anyio.run(run)


def diagnose(line: str, port: int, told: Connection) -> None:
    """One diagnosis with the default limits."""
    tenant, clock = RunaiTenant(), SystemClock()
    tenant.case = ranks(line, with_logs=False)

    async def run() -> Measured:
        with tempfile.TemporaryDirectory() as folder:
            path = write_kubeconfig(Path(folder) / "config", f"http://127.0.0.1:{port}")
            kube = await connect(kubeconfig=str(path), context=None, clock=clock, redact=redact, environ={})
        transport = RunaiTransport(
            base_url="https://runai.example",
            client_id="bench",
            client_secret=TOKEN,
            clock=clock,
            redact=redact,
            http_transport=httpx2.MockTransport(tenant.handle),
        )
        runai = RunaiClient(transport)
        (workload,) = await runai.find_workloads(JOB, project=PROJECT)
        await kube.get_pod(workload.namespace, f"{JOB}-worker-0")  # connected, as a server is that watches
        before = forget_peak()
        began = time.perf_counter()
        found = await Diagnoser(runai=runai, kube=kube, clock=clock).diagnose(workload)
        seconds = time.perf_counter() - began
        added = memory_mb("VmHWM") - before
        await kube.aclose()
        await runai.aclose()
        timed_out = sum("timeout" in entry for entry in found.unread)
        answer = f"{found.causes[0].cause} ({found.confidence:.2f})" if found.causes else str(found.verdict)
        async with httpx2.AsyncClient() as http:
            there, sent = (await http.get(f"http://127.0.0.1:{port}/sizes")).json()
        answer += f", {timed_out} timeouts" if timed_out else ""
        return Measured(seconds, added, answer, there / 1e6, sent / 1e6)

    told.send(anyio.run(run))


def forget_peak() -> float:
    """The megabytes this process has now; its peak counts from here."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return memory_mb("VmRSS")


def memory_mb(name: str) -> float:
    """One of the kernel's figures about this process, in megabytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / 1e6


def measure(line: str) -> Measured:
    """One diagnosis."""
    context = multiprocessing.get_context("spawn")
    heard, told = context.Pipe(duplex=False)
    cluster = context.Process(target=serve, args=(line, told), daemon=True)
    cluster.start()
    port = heard.recv()
    asking = context.Process(target=diagnose, args=(line, port, told), daemon=True)
    asking.start()
    try:
        if not heard.poll(10 * DEADLINE_SECONDS):
            raise SystemExit("no diagnosis came")
        measured: Measured = heard.recv()
        return measured
    finally:
        asking.terminate()
        cluster.terminate()


def main() -> None:
    """Measures, prints and writes the results."""
    rows = {
        "ordinary lines": measure(STEP),
        "JSON lines of 3 kB": measure(RECORD),
        "progress bars of 9 kB": measure(BAR),
    }
    lines = [
        machine("default settings"),
        "",
        f"One rank was OOMKilled, {RANKS - 1} gave up ten minutes later; every rank has a log of {BYTES_EACH / 1e6:.1f} MB.",
        f"The limits are {DEADLINE_SECONDS:g} s and {MOST_ADDED_MB:g} MB above what the process had (`make bench`).",
        "",
        "| logs | there | read | diagnosed in | memory added at the peak | first cause |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {m.logs_mb:.0f} MB | {m.read_mb:.1f} MB | {m.seconds:.1f} s | {m.added_mb:.0f} MB | {m.answer} |"
        for name, m in rows.items()
    ]
    write_section(HEADING, "\n".join(lines))
    print("\n".join(lines))
    if any(f.seconds > DEADLINE_SECONDS or f.added_mb > MOST_ADDED_MB for f in rows.values()):
        sys.exit("a limit is broken")


if __name__ == "__main__":
    main()

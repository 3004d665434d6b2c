"""Two hundred `kill -9` during a burst of three hundred failures: what is told, lost and told twice.

Run it with `python -m bench.kill_burst`. A real `serve` process watches the simulated tenant and tells a Slack receiver
that answers 429 (with `Retry-After` in seconds or as a date), 500, or hangs. It is killed at random moments, some of
them just after the receiver answered, and started again. Writes `bench/KILLS.md`; exit code 1 when an alert was lost, or
told twice without a crash between the receiver's answer and our record.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import anyio
import anyio.abc
from bench.results import machine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runai_monitor.clock import SystemClock
from runai_monitor.demo.serving import served
from runai_monitor.demo.slack_receiver import refusal_of
from runai_monitor.demo.tenant import Tenant, run_tenant
from runai_monitor.model.monitor import Monitor, MonitorId, MonitorState
from runai_monitor.store.database import FILE_NAME, open_database
from runai_monitor.store.monitors import MonitorStore
from tests.end_to_end.processes import COMMAND, clean_environment, until
from tests.end_to_end.stage import Job, fast_environment

PAGE = Path(__file__).with_name("KILLS.md")
HEADING = """# Killed during a burst

`python -m bench.kill_burst`: a real `serve` process watches the simulated tenant while jobs fail in a burst. It is ended
by `kill -9` at random moments, one in five just after Slack answered, and started again; Slack answers 429, 500 or not
at all to a quarter of the messages. A double is allowed only where a crash fell between Slack's answer and our record,
which is read from the database after each kill.
"""
TOLD = re.compile(r"alert (al-[0-9a-f]+) · (\w+):")

Key = tuple[str, str]
"""An alert and its change: what one message is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is done. Every choice that looks like chance comes from `seed`; when the processes run does not."""

    failures: int = 300
    kills: int = 200
    seed: int = 1
    burst_seconds: float = 30.0
    shortest_life_seconds: float = 0.5
    longest_life_seconds: float = 4.0
    share_throttled: float = 0.15
    share_broken: float = 0.10
    share_hanging: float = 0.03
    share_killed_after_answer: float = 0.2
    kill_seconds: float = 420.0
    drain_seconds: float = 600.0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    failures: int
    kills: int = 0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    delivered: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: dict[Key, int] = field(default_factory=dict)
    allowed: dict[Key, int] = field(default_factory=dict)

    @property
    def unexplained(self) -> dict[Key, int]:
        """Messages told again without a crash between the answer and the record."""
        over = {key: times - self.allowed.get(key, 0) for key, times in self.doubled.items()}
        return {key: times for key, times in over.items() if times > 0}

    @property
    def good(self) -> bool:
        """Whether nothing was lost, and nothing doubled that need not be."""
        return not self.lost and not self.unexplained

    def lines(self) -> list[str]:
        """The facts, for people."""
        answers = ", ".join(f"{count} × {answer}" for answer, count in sorted(self.answers.items()))
        return [
            f"failures: {self.failures}; `kill -9`: {self.kills}; {self.seconds:.0f} s",
            f"Slack answered: {answers}",
            f"delivered: {self.delivered}",
            f"lost: {len(self.lost)}",
            f"allowed doubles, where a crash fell between answer and record: {sum(self.allowed.values())}",
            f"doubled: {sum(self.doubled.values())}, of these not allowed: {sum(self.unexplained.values())}",
        ]


class MoodySlack:
    """A webhook that takes what Slack would take, when it feels like it."""

    def __init__(self, plan: Plan) -> None:
        self.taken: list[Key] = []
        self.answers: Counter[str] = Counter()
        self.answered = anyio.Event()
        self._plan = plan
        self._random = random.Random(f"{plan.seed}/slack")
        self._begun = False

    @property
    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(routes=[Route("/hook", self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> Response:
        payload = await request.json()
        mood, plan = self._random.random(), self._plan
        if mood < plan.share_throttled:
            self.answers["429"] += 1
            as_date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
            wait = self._random.choice(["1", as_date])
            return PlainTextResponse("rate_limited", status_code=429, headers={"Retry-After": wait})
        if (mood := mood - plan.share_throttled) < plan.share_broken:
            self.answers["500"] += 1
            return PlainTextResponse("server_error", status_code=500)
        if mood - plan.share_broken < plan.share_hanging:
            self.answers["nothing"] += 1
            await anyio.sleep(60)
            return PlainTextResponse("gateway_timeout", status_code=504)
        problem = refusal_of(payload)
        found = TOLD.search(str(payload))
        if problem is not None or found is None:
            self.answers["400"] += 1
            return PlainTextResponse(problem or "invalid_payload", status_code=400)
        self.answers["200"] += 1
        self.taken.append((found.group(1), found.group(2)))
        self.answered.set()
        self.answered = anyio.Event()
        return PlainTextResponse("ok")


class State:
    """The server's own database, read between its lives."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE_NAME

    def rows(self, query: str) -> list[tuple[str, ...]]:
        """What a query finds; nothing while the file is not there."""
        with closing(sqlite3.connect(self._file, timeout=10)) as connection:
            return connection.execute(query).fetchall()

    def pending(self) -> set[Key]:
        """The messages that are not recorded as told."""
        found = self.rows("SELECT alert_id, change FROM deliveries WHERE state = 'pending'")
        return {(alert, change) for alert, change in found}

    def told(self) -> dict[Key, Key]:
        """Each message that is recorded as told, and the message that told it: itself, or a digest."""
        found = self.rows(
            "SELECT d.alert_id, d.change, coalesce(by.alert_id, d.alert_id), coalesce(by.change, d.change)"
            " FROM deliveries d LEFT JOIN deliveries by ON by.delivery_id = d.told_by"
            " WHERE d.state IN ('delivered', 'grouped')"
        )
        return {(row[0], row[1]): (row[2], row[3]) for row in found}

    def alerts(self) -> dict[str, str]:
        """Job name to the alert about it."""
        found = self.rows(
            "SELECT json_extract(document, '$.subject.name'), alert_id FROM alerts WHERE kind = 'workload_unhealthy'"
        )
        return {row[0]: row[1] for row in found}


async def run(plan: Plan, folder: Path) -> Outcome:
    """Does it all; `folder` is for the server's state and logs."""
    begun = time.monotonic()
    slack, outcome = MoodySlack(plan), Outcome(failures=plan.failures)
    async with run_tenant(clock=SystemClock(), healthy_workloads=5, faults=False, scenarios=()) as tenant:
        jobs = [Job(tenant, f"burst-{number:03d}") for number in range(plan.failures)]
        async with served(slack.app) as url, anyio.create_task_group() as tasks:
            environment = _environment(tenant, folder, f"{url}/hook")
            await _begin_to_watch(environment, folder)
            tasks.start_soon(_fail, jobs, plan.burst_seconds / max(1, plan.failures))
            await _kill_and_start(plan, slack, outcome, environment, folder)
            await _drain(plan, environment, folder)
            tasks.cancel_scope.cancel()
    _judge(outcome, slack, State(folder), [job.name for job in jobs])
    outcome.seconds = time.monotonic() - begun
    return outcome


def _environment(tenant: Tenant, folder: Path, webhook: str) -> dict[str, str]:
    return fast_environment(
        tenant,
        folder,
        slack=False,
        RUNAI_MONITOR_SLACK_WEBHOOK_URL=webhook,
        RUNAI_MONITOR_LOG_LEVEL="WARNING",
        # Every alert in a message of its own: digests would leave a handful to be lost or doubled.
        RUNAI_MONITOR_STORM_THRESHOLD="10000",
        RUNAI_MONITOR_GROUP_WAIT_SECONDS="0",
        RUNAI_MONITOR_DIGEST_AFTER_MINUTES="1440",
        RUNAI_MONITOR_ENABLE_AUTO_TROUBLESHOOT="false",
    )


async def _begin_to_watch(environment: Mapping[str, str], folder: Path) -> None:
    """Stores a monitor, and lets a server look once, so that what fails afterwards is new."""
    database = await open_database(state_dir=folder)
    try:
        await MonitorStore(database).start(
            Monitor(
                monitor_id=MonitorId("mon-burst"),
                project=None,
                state=MonitorState.ACTIVE,
                started_at=datetime.now(UTC),
                ends_at=None,
                poll_interval_seconds=1,
                only_failed=False,
                auto_troubleshoot=False,
            )
        )
    finally:
        await database.aclose()
    process = await _start(environment, folder)
    await until(lambda: bool(State(folder).rows("SELECT project FROM covered_projects")), within_seconds=60)
    await _kill(process)


async def _fail(jobs: list[Job], pause_seconds: float) -> None:
    for job in jobs:
        job.fail()
        await anyio.sleep(pause_seconds)


async def _kill_and_start(
    plan: Plan, slack: MoodySlack, outcome: Outcome, environment: Mapping[str, str], folder: Path
) -> None:
    source = random.Random(f"{plan.seed}/kills")
    allowed: Counter[Key] = Counter()
    ends = time.monotonic() + plan.kill_seconds
    while outcome.kills < plan.kills and time.monotonic() < ends:
        process = await _start(environment, folder)
        life = source.uniform(plan.shortest_life_seconds, plan.longest_life_seconds)
        with anyio.move_on_after(life):
            if source.random() < plan.share_killed_after_answer:
                await slack.answered.wait()
                await anyio.sleep(source.uniform(0, 0.01))
            else:
                await anyio.sleep_forever()
        await _kill(process)
        outcome.kills += 1
        # What the receiver took and the database does not know of is what this crash, or one before it, fell between.
        pending, taken = State(folder).pending(), Counter(slack.taken)
        for key in pending & set(taken):
            allowed[key] = taken[key]
    outcome.allowed = dict(allowed)


async def _drain(plan: Plan, environment: Mapping[str, str], folder: Path) -> None:
    """Lets a last server tell what is left."""
    process = await _start(environment, folder)
    state = State(folder)

    def all_told() -> bool:
        told = {alert for alert, change in state.told() if change == "opened"}
        return len(told & set(state.alerts().values())) >= plan.failures

    with suppress(TimeoutError):  # what is not told by then is counted as lost
        await until(all_told, within_seconds=plan.drain_seconds)
    await _kill(process)


async def _start(environment: Mapping[str, str], folder: Path) -> anyio.abc.Process:
    command = [*COMMAND, "serve", "--transport", "http", "--port", "0"]
    with (folder / "server.log").open("ab") as log:
        return await anyio.open_process(
            command, env=clean_environment(folder, environment), cwd=folder, stdout=subprocess.DEVNULL, stderr=log
        )


async def _kill(process: anyio.abc.Process) -> None:
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await process.aclose()


def _judge(outcome: Outcome, slack: MoodySlack, state: State, names: list[str]) -> None:
    times, told, alerts = Counter(slack.taken), state.told(), state.alerts()
    for name in names:
        key = (alerts.get(name, ""), "opened")
        if key in told and times[told[key]] > 0:
            outcome.delivered += 1
        else:
            outcome.lost.append(name)
    outcome.doubled = {key: count - 1 for key, count in times.items() if count > 1}
    outcome.answers = slack.answers


def main() -> int:
    """Runs it as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--failures", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill-seconds", type=float, default=Plan().kill_seconds, help="no kills after this time")
    given = parser.parse_args()
    plan = Plan(kills=given.kills, failures=given.failures, seed=given.seed, kill_seconds=given.kill_seconds)
    with tempfile.TemporaryDirectory(prefix="runai-monitor-kills-") as folder:
        outcome = anyio.run(run, plan, Path(folder))
        if not outcome.good:
            print((Path(folder) / "server.log").read_text(encoding="utf-8")[-4000:], file=sys.stderr)
    lines = [f"- {line}" for line in outcome.lines()]
    page = [HEADING, "", machine(f"seed {plan.seed}"), "", *lines, ""]
    PAGE.write_text("\n".join(page), encoding="utf-8")
    print("\n".join(lines))
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())

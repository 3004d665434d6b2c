"""Two thousand workloads fail on one node within a minute: how many messages Slack gets, and whether every alert is there.

Run it with `python -m bench.storm`. A real `serve` process watches the simulated tenant, diagnoses each failure through
its wire formats, and tells a Slack receiver that takes what Slack takes. Once with a node that Kubernetes calls well, so
that only digests keep it quiet, and once with a node that is lost, whose alert stands for its workloads. Writes
`bench/STORM.md`; exit code 1 when there were more than three messages about the storm, or an alert is missing.
"""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from bench.results import machine

from runai_monitor.clock import SystemClock
from runai_monitor.demo.slack_receiver import refusal_of
from runai_monitor.demo.tenant import run_tenant
from runai_monitor.store.database import FILE_NAME
from tests.end_to_end.clients import ask, first_look, modern_http
from tests.end_to_end.processes import http_server, until
from tests.end_to_end.stage import fast_environment
from tests.end_to_end.storm import NODE, headlines, jobs_on_one_node

PAGE = Path(__file__).with_name("STORM.md")
MOST_MESSAGES = 3
BURST_SECONDS = 60.0


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of one storm."""

    name: str
    failures: int
    alerts: int = 0
    firing: int = 0
    seconds_to_first: float = 0.0
    seconds_to_last_alert: float = 0.0
    at_seconds: list[float] = field(default_factory=list)
    messages: list[dict[str, object]] = field(default_factory=list)
    deliveries: Counter[str] = field(default_factory=Counter)

    @property
    def good(self) -> bool:
        """Whether it was quiet, readable and complete."""
        readable = all(refusal_of(message) is None for message in self.messages)
        told = not self.deliveries.get("pending") and not self.deliveries.get("failed")
        return len(self.messages) <= MOST_MESSAGES and readable and told and self.alerts >= self.failures

    def lines(self) -> list[str]:
        """The facts, for people."""
        told = ", ".join(f"{count:,} {state}" for state, count in sorted(self.deliveries.items()))
        return [
            f"## {self.name}",
            "",
            f"- failures: {self.failures:,} in {BURST_SECONDS:g} s; alerts in `list_alerts`: {self.alerts:,}",
            f"- Slack messages: {len(self.messages)} (at most {MOST_MESSAGES})",
            f"- deliveries: {told}",
            (
                f"- first message after {self.seconds_to_first:.1f} s; last alert stored after"
                f" {self.seconds_to_last_alert:.0f} s"
            ),
            "",
            *[
                line
                for at, message in zip(self.at_seconds, self.messages, strict=True)
                for line in (f"After {at:.0f} s:", "", "```text", *_text(message), "```", "")
            ],
        ]


async def storm(
    name: str, count: int, folder: Path, *, lost: bool, diagnosed: bool, patience_seconds: float
) -> Outcome:
    """One storm against a server of its own."""
    outcome = Outcome(name=name, failures=count)
    async with run_tenant(clock=SystemClock(), healthy_workloads=20, faults=False, scenarios=()) as tenant:
        projects = [project.name for project in tenant.world.projects]
        jobs = jobs_on_one_node(tenant, count, projects=projects)
        wanted = {"RUNAI_MONITOR_ENABLE_AUTO_TROUBLESHOOT": str(diagnosed).lower()}
        environment = fast_environment(tenant, folder / "state", **wanted)
        async with (
            http_server(environment, home=folder) as server,
            modern_http(server.mcp_url) as client,
            anyio.create_task_group() as tasks,
        ):
            await ask(client, "start_monitoring")
            await first_look(client)
            before, began = len(tenant.slack.messages), time.monotonic()

            async def listen() -> None:
                while True:
                    await tenant.slack.wait_for(before + len(outcome.at_seconds) + 1)
                    outcome.at_seconds.append(time.monotonic() - began)

            tasks.start_soon(listen)
            if lost:
                tenant.world.lost_nodes.add(NODE)
            for number, job in enumerate(jobs):
                job.fail()
                await anyio.sleep(max(0.0, began + BURST_SECONDS * number / count - time.monotonic()))
            state = folder / "state" / FILE_NAME
            with suppress(TimeoutError):
                await until(lambda: _count(state, "alerts") >= count, within_seconds=patience_seconds)
            outcome.seconds_to_last_alert = time.monotonic() - began
            with suppress(TimeoutError):
                pending = "deliveries WHERE state = 'pending'"
                await until(lambda: _count(state, pending) == 0, within_seconds=patience_seconds)
            outcome.alerts = await _listed(client)
            tasks.cancel_scope.cancel()
        outcome.messages = list(tenant.slack.messages[before:])
        outcome.at_seconds = outcome.at_seconds[: len(outcome.messages)]
        outcome.seconds_to_first = outcome.at_seconds[0] if outcome.at_seconds else float("nan")
        with closing(sqlite3.connect(state)) as connection:
            rows = connection.execute("SELECT state, count(*) FROM deliveries GROUP BY state").fetchall()
            outcome.deliveries = Counter(dict(rows))
    return outcome


async def _listed(client: object) -> int:
    """Alerts about the storm's jobs, as a client reads them: page by page."""
    found: set[str] = set()
    cursor = 0
    while True:
        page = await ask(client, "list_alerts", after_cursor=cursor, limit=200)  # type: ignore[arg-type]  # a client
        alerts = page["alerts"]
        found |= {alert["alert_id"] for alert in alerts if alert["workload"]["name"].startswith("storm-")}
        if not alerts or page["cursor"] == cursor:
            return len(found)
        cursor = page["cursor"]


def _count(state: Path, what: str) -> int:
    with closing(sqlite3.connect(state, timeout=30)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0])  # our own words


def _text(message: dict[str, object]) -> list[str]:
    """All a person reads of a message, without the fences that log excerpts have in it."""
    texts = re.findall(r'"text": ("(?:[^"\\]|\\.)*")', json.dumps(message["blocks"], ensure_ascii=False))
    return [line for text in texts for line in json.loads(text).replace("```", "").splitlines() if line.strip()]


def main() -> int:
    """Runs it as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--failures", type=int, default=2000)
    parser.add_argument("--patience-seconds", type=float, default=900)
    parser.add_argument("--only", choices=["well", "lost"])
    parser.add_argument("--no-diagnosis", action="store_true", help="alerts are told as they are found, within minutes")
    given = parser.parse_args()
    outcomes = []
    for name, lost in (("A node that Kubernetes calls well", False), ("A node that is lost", True)):
        if given.only in (None, "lost" if lost else "well"):
            with tempfile.TemporaryDirectory(prefix="runai-monitor-storm-") as folder:
                outcomes.append(
                    anyio.run(
                        lambda name=name, lost=lost, folder=folder: storm(
                            name,
                            given.failures,
                            Path(folder),
                            lost=lost,
                            diagnosed=not given.no_diagnosis,
                            patience_seconds=given.patience_seconds,
                        )
                    )
                )
            print("\n".join(outcomes[-1].lines()[:7]), *headlines(outcomes[-1].messages), sep="\n", flush=True)
    page = [
        "# A storm on one node",
        "",
        machine(f"{given.failures} failures", "not diagnosed" if given.no_diagnosis else "each diagnosed"),
        "",
    ]
    for outcome in outcomes:
        page += outcome.lines()
    PAGE.write_text("\n".join(page), encoding="utf-8")
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())

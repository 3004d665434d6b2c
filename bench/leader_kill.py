"""Two servers on one state, the leader killed 20 times in the middle of a burst of failures: on SQLite and PostgreSQL.

Run it with `make bench-takeover`. Real server processes watch the simulated tenant; whoever leads is killed with SIGKILL
at a random instant while jobs fail, and replaced. Writes its section of `bench/RESULTS.md`.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import anyio
from bench.results import machine, write_section

from runai_monitor.clock import SystemClock
from runai_monitor.demo.tenant import run_tenant
from tests.end_to_end.stage import fast_environment
from tests.end_to_end.takeovers import Outcome, kill_leaders
from tests.postgres import run_postgres

KILLS = 20
JOBS_PER_KILL = 5
HEADING = "The leader killed 20 times during a burst of failures"


async def measure(name: str, database: Mapping[str, str]) -> Outcome:
    """One run on one database, with a tenant and a folder of its own."""
    with tempfile.TemporaryDirectory(prefix=f"takeover-{name}-") as folder:
        home = Path(folder)
        async with run_tenant(clock=SystemClock(), healthy_workloads=20, faults=False, scenarios=()) as tenant:
            environment = fast_environment(tenant, home / "state") | dict(database)
            return await kill_leaders(tenant, environment, home, kills=KILLS, jobs_per_kill=JOBS_PER_KILL)


def row(name: str, outcome: Outcome) -> str:
    """One run as a line of the table."""
    jobs = KILLS * JOBS_PER_KILL
    without = jobs - len(outcome.alerts)
    doubled = sum(count > 1 for count in outcome.alerts.values())
    twice = sum(count > 1 for count in outcome.messages.values())
    takeovers = outcome.takeover_seconds
    cells = (
        name,
        str(jobs),
        f"{without} / {doubled}",
        f"{sum(count == 0 for count in outcome.messages.values())} / {twice}",
        f"{jobs - len(outcome.pushed)} / {outcome.repeated}",
        f"{statistics.median(takeovers):.1f} s, {max(takeovers):.1f} s",
    )
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Runs both, prints and writes the results."""
    logging.disable(logging.CRITICAL)  # clients of a server that was killed say so at length
    warnings.simplefilter("ignore")
    rows = [row("SQLite", anyio.run(measure, "sqlite", {}))]
    with run_postgres() as server:
        url = {"RUNAI_MONITOR_DATABASE_URL": server.new_database()}
        rows.append(row(f"PostgreSQL {server.sql('SHOW server_version')}", anyio.run(measure, "postgres", url)))
    text = "\n".join(
        [
            machine(),
            "",
            f"Two `serve` processes; the leader is killed {KILLS} times by SIGKILL at random instants, {JOBS_PER_KILL} jobs fail",
            "around each (`make bench-takeover`). A message that Slack took in the instant of a kill is sent a second time.",
            "",
            "| database | jobs failed | alerts missing / doubled | Slack missing / twice | push missing / repeated | takeover: median, longest |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )
    write_section(HEADING, text)
    print(text)


if __name__ == "__main__":
    main()

"""Jobs that break in the same second, watched by a real server: each first report tells of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from runai_monitor.clock import SystemClock
from runai_monitor.demo.tenant import run_tenant
from tests.end_to_end.clients import Json, ask, first_look, modern_http
from tests.end_to_end.processes import http_server, until
from tests.end_to_end.stage import Job, fast_environment

pytestmark = pytest.mark.anyio
JOBS = 5


async def test_the_first_report_of_each_of_a_burst_knows_the_others(tmp_path: Path) -> None:
    """An image or a node that breaks takes five jobs at once: five separate riddles would wake five people."""
    async with run_tenant(clock=SystemClock(), healthy_workloads=10, faults=False, scenarios=()) as tenant:
        jobs = [Job(tenant, f"burst-{number}") for number in range(JOBS)]
        environment = fast_environment(tenant, tmp_path / "state", slack=False)
        async with (
            http_server(environment, home=tmp_path) as server,
            modern_http(server.mcp_url) as client,
        ):
            await ask(client, "start_monitoring")
            await first_look(client)
            for job in jobs:
                job.out_of_memory()
            alerts: list[Json] = []

            async def all_told() -> bool:
                alerts[:] = (await ask(client, "list_alerts", limit=50))["alerts"]
                return len(alerts) == JOBS

            await until(all_told, within_seconds=30)
            for alert in alerts:
                told = (await ask(client, "get_alert", alert_id=alert["alert_id"]))["diagnosis"]
                said = told["markdown"].replace("\\", "")
                assert f"{JOBS - 1} other workloads with the same image failed" in said, said
                assert f"{JOBS - 1} other workloads of project vision failed" in said, said

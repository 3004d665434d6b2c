"""A storm on one node through the real server: few messages, each readable, and every alert in its place."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from runai_monitor.clock import SystemClock
from runai_monitor.demo.slack_receiver import refusal_of
from runai_monitor.demo.tenant import run_tenant
from runai_monitor.store.database import FILE_NAME
from tests.end_to_end.clients import Json, ask, first_look, modern_http
from tests.end_to_end.processes import http_server, until
from tests.end_to_end.stage import fast_environment
from tests.end_to_end.storm import MARK, NODE, headlines, jobs_on_one_node

pytestmark = pytest.mark.anyio
COUNT = 200


@pytest.mark.parametrize("lost", [False, True])
async def test_a_storm_on_one_node_is_a_few_messages_and_every_alert_is_listed(lost: bool, tmp_path: Path) -> None:
    """Nobody reads two hundred messages; and a lost node's alert stands for its workloads, recorded as such."""
    async with run_tenant(clock=SystemClock(), healthy_workloads=5, faults=False, scenarios=()) as tenant:
        jobs = jobs_on_one_node(tenant, COUNT, projects=[project.name for project in tenant.world.projects])
        environment = fast_environment(
            tenant,
            tmp_path / "state",
            RUNAI_MONITOR_ENABLE_AUTO_TROUBLESHOOT="false",
            RUNAI_MONITOR_GROUP_WAIT_SECONDS="3",
            RUNAI_MONITOR_GROUP_INTERVAL_SECONDS="10",
        )
        async with http_server(environment, home=tmp_path) as server, modern_http(server.mcp_url) as client:
            await ask(client, "start_monitoring")
            await first_look(client)
            if lost:
                tenant.world.lost_nodes.add(NODE)
            for job in jobs:
                job.fail()

            await until(lambda: _is_all_told(tmp_path / "state" / FILE_NAME), within_seconds=110)
            listed: list[Json] = []
            while page := (await ask(client, "list_alerts", after_cursor=_last(listed), limit=50))["alerts"]:
                listed += page
            jobs_listed = [alert for alert in listed if alert["workload"]["name"].startswith(MARK)]
            detail = await ask(client, "get_alert", alert_id=jobs_listed[-1]["alert_id"])
    assert len({alert["alert_id"] for alert in jobs_listed}) == COUNT
    told = headlines(tenant.slack.messages)
    assert len(told) <= 3, told
    assert all(refusal_of(message) is None for message in tenant.slack.messages)
    (delivery,) = detail["deliveries"]
    if lost:
        assert told == [f"🔴 Node in trouble: {NODE}"]
        assert delivery["state"] == "inhibited"
        assert "stands for it" in delivery["note"]
    else:
        assert any(f"workloads fail on node {NODE}" in text for text in told)
        assert delivery["state"] in {"grouped", "delivered"}


def _is_all_told(database: Path) -> bool:
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        (alerts,) = connection.execute("SELECT count(*) FROM alerts WHERE kind = 'workload_unhealthy'").fetchone()
        (waiting,) = connection.execute("SELECT count(*) FROM deliveries WHERE state = 'pending'").fetchone()
    return bool(alerts >= COUNT and not waiting)


def _last(alerts: list[Json]) -> int:
    return max((alert["cursor"] for alert in alerts), default=0)

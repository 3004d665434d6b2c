"""A webhook that was revoked at night and replaced in the morning, against the real server and command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runai_monitor.clock import SystemClock
from runai_monitor.demo.tenant import run_tenant
from tests.end_to_end.clients import Json, ask, first_look, modern_http
from tests.end_to_end.processes import http_server, run_command, until
from tests.end_to_end.stage import Job, fast_environment, slack_texts

pytestmark = pytest.mark.anyio


async def test_what_a_revoked_webhook_refused_is_seen_and_told_in_the_morning(tmp_path: Path) -> None:
    """The whole way: refused, visible, replayed from a shell beside the server, delivered."""
    async with run_tenant(clock=SystemClock(), healthy_workloads=5, faults=False, scenarios=()) as tenant:
        job = Job(tenant, "night-train")
        environment = fast_environment(tenant, tmp_path / "state")
        tenant.slack.refuse_next(status=404, times=1)
        async with http_server(environment, home=tmp_path) as server, modern_http(server.mcp_url) as client:

            async def refused() -> list[Json]:
                letters: list[Json] = (await ask(client, "monitoring_status"))["dead_letters"]
                return letters

            async def is_refused() -> bool:
                return bool(await refused())

            await ask(client, "start_monitoring")
            await first_look(client)
            job.fail()
            await until(is_refused)
            (letter,) = await refused()
            assert "404" in letter["last_error"]
            assert slack_texts(tenant, job.name) == []
            replay = ("deliveries", "--replay", "all", "--author", "ana", "--json")
            done = await run_command(*replay, environment=environment, home=tmp_path)
            assert json.loads(done.stdout)["replayed"] == [letter["delivery_id"]]
            told: list[Json] = []

            async def is_told() -> bool:
                told[:] = (await ask(client, "get_alert", alert_id=letter["alert_id"]))["deliveries"]
                return [delivery["state"] for delivery in told] == ["grouped", "delivered"]

            await until(is_told)  # the receiver has it a moment before the record does
            assert len(slack_texts(tenant, job.name)) == 1
    assert told[0]["told_by"] == told[1]["delivery_id"]
    assert told[0]["note"] == "replayed by ana"

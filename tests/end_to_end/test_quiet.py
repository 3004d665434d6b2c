"""What people ask for through an MCP client, as the receivers of a real server see it: silence, and who takes care."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runai_monitor.clock import SystemClock
from runai_monitor.demo.tenant import run_tenant
from tests.end_to_end.clients import Ear, ask, first_look, legacy_sse, modern_http
from tests.end_to_end.processes import http_server, until
from tests.end_to_end.stage import Job, fast_environment, slack_texts
from tests.notify.rigs import KINDS, SECRET
from tests.notify.sinks import HttpSink

pytestmark = [
    pytest.mark.anyio,
    # What older clients have is deprecated in the newest revision, and still what most of them speak.
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]


async def test_a_silenced_alert_is_known_to_all_told_to_nobody_and_posted_once_when_the_silence_ends(
    tmp_path: Path,
) -> None:
    """A silence is about being told, never about knowing; and one that ends must not end in silence."""
    ear = Ear()
    async with run_tenant(clock=SystemClock(), healthy_workloads=5, faults=False, scenarios=()) as tenant:
        quiet, loud, last = (Job(tenant, f"{name}-job") for name in ("quiet", "loud", "last"))
        environment = fast_environment(tenant, tmp_path / "state", RUNAI_MONITOR_GROUP_WAIT_SECONDS="0")
        async with (
            http_server(environment, home=tmp_path) as server,
            modern_http(server.mcp_url) as client,
            legacy_sse(server.sse_url, ear=ear),
        ):
            await ask(client, "start_monitoring")
            await first_look(client)
            wish = {"matchers": [f"workload={quiet.name}"], "reason": "driver upgrade", "duration": "2h"}
            silence = (await ask(client, "silence_alerts", **wish, author="anna"))["silence"]
            quiet.fail()
            await until(lambda: ear.knows(quiet.name))
            alert_id = ear.about(quiet.name)[0]["alert_id"]

            async def state() -> list[tuple[str, str]]:
                deliveries = (await ask(client, "get_alert", alert_id=alert_id))["deliveries"]
                return [(delivery["channel"], delivery["state"]) for delivery in deliveries]

            async def is_silenced() -> bool:
                return await state() == [("slack", "silenced")]

            await until(is_silenced)
            loud.fail()
            await until(lambda: len(slack_texts(tenant, loud.name)) == 1)
            listed = (await ask(client, "list_alerts", state="firing"))["alerts"]
            assert {alert["workload"]["name"] for alert in listed} == {quiet.name, loud.name}
            assert slack_texts(tenant, quiet.name) == []

            await ask(client, "expire_silence", silence_id=silence["silence_id"])
            await until(lambda: bool(slack_texts(tenant, quiet.name)))
            last.fail()
            await until(lambda: len(slack_texts(tenant, last.name)) == 1)
            assert slack_texts(tenant, quiet.name) == [f"🔴 Job Failure Alert: {quiet.name}"]
            assert await state() == [("slack", "delivered")]


async def test_whoever_acknowledges_is_named_in_slack_and_stops_the_pager(tmp_path: Path) -> None:
    """The second person whom the night wakes must see that the first is at it; an incident goes quiet by `acknowledge`."""
    async with (
        HttpSink(KINDS["pagerduty"].taken).running() as pager,
        run_tenant(clock=SystemClock(), healthy_workloads=5, faults=False, scenarios=()) as tenant,
    ):
        job = Job(tenant, "taken-care-of")
        oncall = {"name": "oncall", "kind": "pagerduty", "routing_key": SECRET, "api_url": pager.url}
        environment = fast_environment(tenant, tmp_path / "state", RUNAI_MONITOR_CHANNELS=json.dumps([oncall]))

        def events() -> list[tuple[str, str]]:
            bodies = [json.loads(request.body) for request in pager.requests]
            return [(body["event_action"], body["dedup_key"]) for body in bodies]

        async with http_server(environment, home=tmp_path) as server, modern_http(server.mcp_url) as client:
            await ask(client, "start_monitoring")
            await first_look(client)
            job.out_of_memory()
            await until(lambda: len(events()) == 1 and len(slack_texts(tenant, job.name)) == 1)
            alert_id = events()[0][1]
            await ask(client, "acknowledge_alert", alert_id=alert_id, author="dana", note="raising the limit")
            await until(lambda: len(events()) == 2 and len(slack_texts(tenant, job.name)) == 2)
            said = json.dumps(tenant.slack.messages[-1], ensure_ascii=False)
            job.recover()
            await until(lambda: len(events()) == 3)
        assert events() == [("trigger", alert_id), ("acknowledge", alert_id), ("resolve", alert_id)]
        assert slack_texts(tenant, job.name)[1] == f"👀 Acknowledged: {job.name}"
        assert "dana" in said
        assert "raising the limit" in said

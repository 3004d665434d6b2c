"""Answers through one process reach all others: two servers and a command line on one state."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runai_monitor.clock import SystemClock
from runai_monitor.demo.script import SetPhase
from runai_monitor.demo.tenant import run_tenant
from tests.end_to_end.clients import Ear, ask, first_look, legacy_sse, modern_http, status_shows
from tests.end_to_end.processes import http_server, run_command, until
from tests.end_to_end.stage import Job, fast_environment, slack_texts

pytestmark = [
    pytest.mark.anyio,
    # What older clients have is deprecated in the newest revision, and still what most of them speak.
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]


async def test_an_answer_given_anywhere_is_known_everywhere(tmp_path: Path) -> None:
    """Whoever polls must know that somebody else's client acknowledged: it decides about reminders and escalations."""
    ear = Ear()
    async with run_tenant(clock=SystemClock(), healthy_workloads=5, faults=False, scenarios=()) as tenant:
        job = Job(tenant, "answered")
        environment = fast_environment(tenant, tmp_path / "state")
        async with (
            http_server(environment, home=tmp_path) as leader,
            modern_http(leader.mcp_url) as first,
            legacy_sse(leader.sse_url, ear=ear),
        ):
            await status_shows(first, lambda status: bool(status["role"] == "leader"))
            async with http_server(environment, home=tmp_path) as follower, modern_http(follower.mcp_url) as second:
                await ask(first, "start_monitoring")
                await first_look(first)
                job._perform(SetPhase(phase="Degraded", message="1 of 2 pods is not running"))
                await until(lambda: len(slack_texts(tenant, job.name)) == 1)
                await until(lambda: ear.explains(job.name))
                alert = ear.about(job.name)[-1]
                assert alert["severity"] == "warning"

                await ask(second, "acknowledge_alert", alert_id=alert["alert_id"], author="anna", note="on it")
                await until(lambda: ear.knows(job.name, "acknowledged"))
                await until(lambda: slack_texts(tenant, job.name)[-1] == f"👀 Acknowledged: {job.name}")

                # Beyond max_alerts_per_job, which is 1: only who knows of the acknowledgement tells this.
                job.out_of_memory()
                await until(lambda: slack_texts(tenant, job.name)[-1].endswith("(now OOMKilled)"))
                (now,) = (await ask(first, "list_alerts", state="acknowledged"))["alerts"]
                assert (now["status"], now["severity"]) == ("OOMKilled", "critical")
                assert now["acknowledged_by"].startswith("anna via mcp")

                silence = ("silence", "add", f"workload={job.name}", "--duration", "1h", "--reason", "r", "--json")
                made = await run_command(*silence, "--author", "ben", environment=environment, home=tmp_path)
                assert made.exit_code == 0, made.stderr
                silence_id = json.loads(made.stdout)["silence_id"]
                for client in (first, second):
                    (seen,) = (await ask(client, "list_silences"))["silences"]
                    assert (seen["silence_id"], seen["author"], seen["matches_now"]) == (silence_id, "ben", 1)
                replaced = {"matchers": [f"workload={job.name}"], "reason": "longer", "duration": "2h"}
                longer = await ask(first, "silence_alerts", **replaced, author="ben", replaces=silence_id)
                assert longer["silence"]["matches_now"] == 1
                detail = await ask(second, "get_alert", alert_id=alert["alert_id"])
                assert detail["silenced_by"] == [longer["silence"]["silence_id"]]
                await ask(second, "expire_silence", silence_id=longer["silence"]["silence_id"])
                assert (await ask(first, "monitoring_status"))["active_silences"] == 0
        audit = await run_command("audit", "--json", environment=environment, home=tmp_path)
        done = [(entry["action"], entry["author"].split(" via ")[0]) for entry in json.loads(audit.stdout)][::-1]
        assert [one for one in done if one[0] not in {"alert_changed", "delivery_settled"}][1:] == [
            ("alert_acknowledged", "anna"),
            ("silence_created", "ben"),
            ("silence_expired", "ben"),
            ("silence_created", "ben"),
            ("silence_expired", done[-1][1]),
        ]
        assert {action for action, _ in done} >= {"monitor_started", "alert_changed", "delivery_settled"}

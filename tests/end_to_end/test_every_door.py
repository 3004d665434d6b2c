"""The whole show once, seen through every door at the same time; each test looks at what came out of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from mcp.client import Client

from runai_monitor.clock import SystemClock
from runai_monitor.demo.scenarios import Scenario
from runai_monitor.demo.stories import all_scenarios
from runai_monitor.demo.tenant import Tenant, run_tenant
from tests.end_to_end.clients import (
    ALERTS_URI,
    Ear,
    Json,
    ask,
    first_look,
    legacy_sse,
    legacy_stdio,
    listening,
    modern_http,
    text_of,
)
from tests.end_to_end.processes import http_server, run_command, until
from tests.end_to_end.stage import fast_environment, slack_texts

pytestmark = [
    pytest.mark.anyio,
    # What older clients have is deprecated in the newest revision, and still what most of them speak.
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]

SHOW_SECONDS = 45
# Slack takes one message a second: what another story already shows is left to `runai-monitor demo`.
LEFT_OUT = {"python-exception", "missing-module", "missing-secret"}
STORIES = tuple(
    # What takes longest begins first.
    replace(story, starts_at_seconds=0.5) if story.resolves else story
    for story in all_scenarios()
    if story.key not in LEFT_OUT
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """The show after its end, with everybody still connected."""

    tenant: Tenant
    environment: dict[str, str]
    home: Path
    ears: dict[str, Ear]
    clients: dict[str, Client]
    stored: list[Json]

    @property
    def loud(self) -> list[Scenario]:
        return [scenario for scenario in self.tenant.scenarios if not scenario.silent]

    @property
    def silent(self) -> list[Scenario]:
        return [scenario for scenario in self.tenant.scenarios if scenario.silent]

    def stored_about(self, name: str) -> list[Json]:
        return [alert for alert in self.stored if alert["workload"]["name"] == name]


@pytest.fixture(scope="module")
async def show(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Show]:
    """An HTTP server that watches, a stdio server of another client on the same state, three clients, Slack."""
    home = tmp_path_factory.mktemp("show")
    ears = {"stdio": Ear(), "modern": Ear(), "sse": Ear()}
    async with run_tenant(clock=SystemClock(), time_scale=0.4, scenarios=STORIES) as tenant:
        environment = fast_environment(
            tenant,
            home / "state",
            RUNAI_MONITOR_PENDING_STUCK_MINUTES="9.85",
            RUNAI_MONITOR_RESOLVE_AFTER_SECONDS="1",
        )
        async with (
            http_server(environment, home=home) as server,
            modern_http(server.mcp_url) as modern,
            legacy_sse(server.sse_url, ear=ears["sse"]) as sse,
            legacy_stdio(environment, home=home, ear=ears["stdio"]) as stdio,
            listening(modern, ears["modern"]),
        ):
            await ask(modern, "start_monitoring", poll_interval_seconds=1)
            await first_look(modern)
            tenant.begin()
            await until(lambda: _all_told(tenant, ears), within_seconds=SHOW_SECONDS)
            stored = (await ask(modern, "list_alerts", after_cursor=0, limit=200))["alerts"]
            yield Show(
                tenant=tenant,
                environment=environment,
                home=home,
                ears=ears,
                clients={"stdio": stdio, "modern": modern, "sse": sse},
                stored=stored,
            )


def _all_told(tenant: Tenant, ears: dict[str, Ear]) -> bool:
    for scenario in tenant.scenarios:
        state = "resolved" if scenario.resolves else "firing"
        if scenario.silent:
            continue
        if not all(ear.knows(scenario.workload_name, state) for ear in ears.values()):
            return False
        if len(slack_texts(tenant, scenario.workload_name)) < 1 + scenario.resolves:
            return False
    return True


@pytest.mark.parametrize("door", ["stdio", "modern", "sse"])
async def test_every_failure_reaches_every_kind_of_client_as_one_alert(show: Show, door: str) -> None:
    """The point of it all: whoever is connected, by whatever protocol, knows; and is not told twice."""
    ear = show.ears[door]
    for scenario in show.loud:
        heard = ear.about(scenario.workload_name)
        assert len({alert["alert_id"] for alert in heard}) == 1, scenario.key
        assert {alert["status"] for alert in heard} & scenario.expected_statuses, scenario.key
        causes = {alert["diagnosis"]["causes"][0]["cause"] for alert in heard if alert["diagnosis"]}
        assert causes & scenario.expected_causes, scenario.key
    cursors = [alert["cursor"] for alert in ear.alerts]
    assert cursors == sorted(set(cursors)), "each change once, in order"
    assert ALERTS_URI in ear.updated


async def test_every_failure_reaches_slack_exactly_once_and_a_recovery_is_announced(show: Show) -> None:
    """Two messages about one failure teach people to mute the channel."""
    for scenario in show.loud:
        texts = slack_texts(show.tenant, scenario.workload_name)
        failures = [text for text in texts if text == f"🔴 Job Failure Alert: {scenario.workload_name}"]
        assert len(failures) == 1, texts
        assert len(texts) == 1 + scenario.resolves, texts
    assert show.tenant.slack.refused == []


async def test_what_only_looks_like_a_failure_stays_silent_at_every_door(show: Show) -> None:
    """A suspended job, scary words in a log of a good end, a short wait for a GPU: nobody is woken."""
    assert show.silent
    for scenario in show.silent:
        assert show.stored_about(scenario.workload_name) == [], scenario.key
        assert slack_texts(show.tenant, scenario.workload_name) == [], scenario.key
        for ear in show.ears.values():
            assert ear.about(scenario.workload_name) == [], scenario.key
    told = {alert["workload"]["name"] for alert in show.stored}
    assert told == {scenario.workload_name for scenario in show.loud}, "and no healthy job is accused"


async def test_the_stored_alert_carries_a_diagnosis_with_evidence_and_its_deliveries(show: Show) -> None:
    """Who comes later reads the whole story: cause, how sure, cited evidence, what to do, whom it was told."""
    for scenario in show.loud:
        (alert,) = show.stored_about(scenario.workload_name)
        detail = await ask(show.clients["modern"], "get_alert", alert_id=alert["alert_id"])
        diagnosis = detail["diagnosis"]
        first = diagnosis["causes"][0]
        assert first["cause"] in scenario.expected_causes
        assert 0.8 <= first["confidence"] <= 1
        assert first["next_steps"]
        ids = {evidence["id"] for evidence in diagnosis["evidence"]}
        assert first["evidence_ids"], scenario.key
        assert set(first["evidence_ids"]) <= ids
        assert diagnosis["markdown"]
        opened = [d for d in detail["deliveries"] if d["change"] == "opened"]
        assert [(d["channel"], d["state"]) for d in opened] == [("slack", "delivered")]


async def test_the_recovery_resolves_its_alert_at_every_door(show: Show) -> None:
    """A problem that went away must not keep somebody out of bed."""
    (scenario,) = [scenario for scenario in show.loud if scenario.resolves]
    (alert,) = show.stored_about(scenario.workload_name)
    assert (alert["state"], bool(alert["resolved_at"])) == ("resolved", True)
    for ear in show.ears.values():
        assert ear.about(scenario.workload_name)[-1]["state"] == "resolved"
    assert slack_texts(show.tenant, scenario.workload_name)[-1] == f"🟢 Resolved: {scenario.workload_name}"


async def test_the_command_line_reads_the_same_alerts(show: Show) -> None:
    """Scripts have no MCP client: `alerts --json` is their door, and holds the contract's fields."""
    done = await run_command("alerts", "--json", "--limit", "200", environment=show.environment, home=show.home)
    assert (done.exit_code, done.stderr) == (0, "")
    alerts = json.loads(done.stdout)
    assert Counter(alert["workload"]["name"] for alert in alerts) == {s.workload_name: 1 for s in show.loud}
    assert {alert["alert_id"] for alert in alerts} == {alert["alert_id"] for alert in show.stored}
    assert set(alerts[0]) >= {
        "alert_id", "cursor", "kind", "status", "state", "severity", "workload", "summary", "recommendations",
        "started_at", "updated_at", "resolved_at", "notifications", "diagnosis",
    }  # fmt: skip


async def test_a_second_process_on_the_state_follows_and_serves_the_same(show: Show) -> None:
    """Claude Desktop and Cursor each start a server: one polls, both know."""
    leader = await ask(show.clients["modern"], "monitoring_status")
    follower = await ask(show.clients["stdio"], "monitoring_status")
    assert (leader["role"], follower["role"]) == ("leader", "follower")
    theirs = (await ask(show.clients["stdio"], "list_alerts", after_cursor=0, limit=200))["alerts"]
    assert theirs == show.stored
    # Whoever leads counts for both: the follower must not claim that nothing is watched.
    assert follower["workloads_watched"] == leader["workloads_watched"] > 300
    assert follower["alerts_sent"] == leader["alerts_sent"]
    assert leader["kubernetes"]["live"] is True


async def test_no_planted_secret_leaves_through_any_door(show: Show) -> None:
    """Logs, environment variables and credentials of the tenant end up in prompts and chat rooms otherwise."""
    from runai_monitor.demo import transcripts

    secrets = [transcripts.HF_TOKEN, transcripts.DATABASE_PASSWORD, show.tenant.client_secret, show.tenant.kube_token]
    secrets.append(show.tenant.slack.path)
    details = [
        text_of(await show.clients["sse"].call_tool("get_alert", {"alert_id": alert["alert_id"]}))
        for alert in show.stored
    ]
    status = text_of(await show.clients["sse"].call_tool("monitoring_status", {}))
    logs = [path.read_text(encoding="utf-8") for path in show.home.glob("*.log")]
    everything = json.dumps([details, status, logs, show.tenant.slack.messages, [e.alerts for e in show.ears.values()]])
    for secret in secrets:
        assert secret not in everything


async def test_a_failed_job_can_be_diagnosed_again_with_progress(show: Show) -> None:
    """Questions come after the alert; a long answer says how far it is."""
    heard: list[tuple[float, float | None, str | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    result = await show.clients["sse"].call_tool(
        "troubleshoot_job", {"job_name": "mistral-sft-long-context"}, progress_callback=on_progress
    )
    assert not result.is_error
    assert result.structured_content is not None
    diagnosis = result.structured_content
    assert (diagnosis["verdict"], diagnosis["causes"][0]["cause"]) == ("failure", "cuda_oom")
    assert "CUDA out of memory" in diagnosis["markdown"]
    assert heard
    assert heard == sorted(heard, key=lambda step: step[0])


async def test_the_failing_rank_is_found_among_the_waiting_ones(show: Show) -> None:
    """Seven ranks complain about the eighth: the status must show the one that is guilty first."""
    status = await ask(show.clients["stdio"], "job_status", job_name="moe-8x22b-phase2")
    assert status["phase"] == "Degraded"
    assert len(status["pods"]) == 8
    (container,) = status["pods"][0]["containers"]
    assert (container["ended_reason"], container["exit_code"]) == ("OOMKilled", 137)
    assert [change["phase"] for change in status["history"]][-1] == "Degraded"
    assert status["requested"]["gpus"]

"""One HTTP server of a team, guarded by a token and limited to some projects: what it answers, and what it refuses."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from mcp.client import Client

from runai_monitor.clock import SystemClock
from runai_monitor.demo.tenant import Tenant, run_tenant
from tests.end_to_end.clients import Json, ask, first_look, modern_http, refusal, status_shows, text_of
from tests.end_to_end.processes import HttpServer, http_server
from tests.end_to_end.stage import Job, fast_environment

pytestmark = pytest.mark.anyio

TOKEN = "a-token-for-tests"
ALLOWED = ("vision", "speech", "research")
HEALTHY = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """The server, its tenant, and a client that holds the token."""

    tenant: Tenant
    server: HttpServer
    client: Client
    healthy: Job
    broken: Job

    @property
    def allowed_jobs(self) -> set[tuple[str, str]]:
        return {(w.project.name, w.name) for w in self.tenant.world.workloads() if w.project.name in ALLOWED}


@pytest.fixture(scope="module")
async def team(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Team]:
    home = tmp_path_factory.mktemp("team")
    async with run_tenant(clock=SystemClock(), healthy_workloads=HEALTHY, faults=False, scenarios=()) as tenant:
        healthy, broken = Job(tenant, "resnet-fine"), Job(tenant, "resnet-broken")
        environment = fast_environment(
            tenant,
            home / "state",
            RUNAI_MONITOR_AUTH_TOKEN=TOKEN,
            RUNAI_MONITOR_MONITORED_PROJECTS=",".join(ALLOWED),
            RUNAI_ALLOW_WRITE_TOOLS="true",
        )
        async with (
            http_server(environment, home=home) as server,
            modern_http(server.mcp_url, token=TOKEN) as client,
        ):
            yield Team(tenant=tenant, server=server, client=client, healthy=healthy, broken=broken)


# --- start, status, stop ----------------------------------------------------------------------------------------


async def test_start_monitoring_returns_at_once_whatever_the_duration(team: Team) -> None:
    """A tool that blocks for the duration blocks the conversation."""
    began = time.monotonic()
    started = await ask(team.client, "start_monitoring", project="speech", duration_minutes=600)
    assert time.monotonic() - began < 5
    assert started["project"] == "speech"
    assert started["ends_at"] > started["started_at"]
    assert started["poll_interval_seconds"] == 1
    assert started["warning"] is None


async def test_a_second_start_of_the_same_scope_returns_the_same_monitor(team: Team) -> None:
    """Two agents that both say "watch everything" must not double every poll."""
    await ask(team.client, "stop_monitoring")
    first = await ask(team.client, "start_monitoring")
    second = await ask(team.client, "start_monitoring", project="*")
    assert (first["already_running"], second["already_running"]) == (False, True)
    assert second["monitor_id"] == first["monitor_id"]


async def test_the_status_says_everything_the_contract_promises(team: Team) -> None:
    """It is what a person asks when they wonder whether silence means health."""
    await ask(team.client, "start_monitoring")
    await first_look(team.client)
    status = await ask(team.client, "monitoring_status")
    assert status["active"] is True
    monitor = next(monitor for monitor in status["monitors"] if monitor["project"] is None)
    assert monitor["polls"] >= 1
    assert monitor["last_poll_age_seconds"] < 10
    assert monitor["last_error"] is None
    assert monitor["next_poll_at"] > monitor["started_at"]
    assert status["configuration"]["monitored_projects"] == list(ALLOWED)
    assert status["configuration"]["slack_webhook_url"] == "set"
    assert (status["deliveries_pending"], status["deliveries_failed"]) == (0, 0)
    assert status["workloads_watched"] == len(team.allowed_jobs)
    assert status["kubernetes"]["live"] is True
    assert status["channels"] == ["slack"]


async def test_a_duration_ends_the_monitor_by_itself(team: Team) -> None:
    """Nobody comes back to stop what was started for the night."""
    started = await ask(team.client, "start_monitoring", project="research", duration_minutes=0.02)
    await status_shows(team.client, lambda status: started["monitor_id"] not in _ids(status))
    again = await ask(team.client, "start_monitoring", project="research", duration_minutes=1)
    assert again["already_running"] is False


async def test_stop_monitoring_stops_one_or_all_and_names_what_it_stopped(team: Team) -> None:
    """Stopping the wrong one silently would leave a job unwatched."""
    await ask(team.client, "stop_monitoring")
    one = await ask(team.client, "start_monitoring", project="vision")
    await ask(team.client, "start_monitoring", project="speech")
    stopped = (await ask(team.client, "stop_monitoring", monitor_id=one["monitor_id"]))["stopped"]
    assert [(monitor["monitor_id"], monitor["state"]) for monitor in stopped] == [(one["monitor_id"], "stopped")]
    assert "no active monitor" in await refusal(team.client, "stop_monitoring", monitor_id=one["monitor_id"])
    assert (await ask(team.client, "stop_monitoring"))["stopped"]
    assert _ids(await ask(team.client, "monitoring_status")) == []
    assert (await ask(team.client, "stop_monitoring"))["stopped"] == []


def _ids(status: Json) -> list[str]:
    return [monitor["monitor_id"] for monitor in status["monitors"]]


# --- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments", "accepted"),
    [
        ("start_monitoring", {"duration_minutes": -1}, "0 to 43200"),
        ("start_monitoring", {"duration_minutes": 1e9}, "0 to 43200"),
        ("start_monitoring", {"poll_interval_seconds": 0}, "1 to 3600"),
        ("start_monitoring", {"poll_interval_seconds": 86400}, "1 to 3600"),
        ("list_alerts", {"limit": 0}, "1 to 200"),
        ("list_alerts", {"limit": 10**6}, "1 to 200"),
        ("list_alerts", {"after_cursor": -5}, "after_cursor"),
        ("list_alerts", {"since": "yesterday"}, "24h"),
        ("list_alerts", {"state": "broken"}, "firing, acknowledged, resolved"),
        ("list_workloads", {"limit": -1}, "1 to 200"),
        ("list_workloads", {"offset": -1}, "0 to"),
        ("list_workloads", {"phase": "Exploded"}, "Running"),
        ("wait_for_alerts", {"timeout_seconds": 301}, "0 to 300"),
        ("wait_for_alerts", {"timeout_seconds": -1}, "0 to 300"),
        ("get_alert", {"alert_id": "al-none"}, "list_alerts gives the ids"),
        ("start_monitoring", {"projekt": "vision"}, "did you mean project?"),
        ("send_test_notification", {"channel": "pager"}, "configured are slack"),
    ],
)
async def test_an_impossible_argument_is_refused_with_what_is_accepted(
    team: Team, tool: str, arguments: dict[str, object], accepted: str
) -> None:
    """A model corrects itself only when the refusal says how."""
    text = await refusal(team.client, tool, **arguments)
    assert accepted in text
    assert "Traceback" not in text


async def test_a_misspelt_project_or_job_is_answered_with_the_nearest(team: Team) -> None:
    """An empty answer would look like an idle project."""
    for tool, arguments in (
        ("list_workloads", {"project": "vison"}),
        ("start_monitoring", {"project": "vison"}),
        ("job_status", {"job_name": team.healthy.name, "project": "vison"}),
    ):
        assert '"vision"' in await refusal(team.client, tool, **arguments)
    for tool in ("job_status", "troubleshoot_job"):
        assert team.healthy.name in await refusal(team.client, tool, job_name="resnet-fin")


@pytest.mark.parametrize("tool", ["start_monitoring", "list_alerts", "list_workloads"])
async def test_a_project_outside_the_limit_is_refused_without_saying_whether_it_exists(team: Team, tool: str) -> None:
    """Another team's project names are theirs."""
    existing = await refusal(team.client, tool, project="llm-pretraining")
    invented = await refusal(team.client, tool, project="xlm-pretraining")
    assert "monitored_projects" in existing
    assert existing.replace("llm-pretraining", "X") == invented.replace("xlm-pretraining", "X")


async def test_a_job_outside_the_limit_does_not_exist_here(team: Team) -> None:
    """Not by name, not by UUID, and not in any list."""
    hidden = next(w for w in team.tenant.world.workloads() if w.project.name == "llm-pretraining")
    for name in (hidden.name, hidden.id):
        for tool in ("job_status", "troubleshoot_job"):
            text = await refusal(team.client, tool, job_name=name)
            assert "llm-pretraining" not in text
            assert hidden.id == name or hidden.id not in text
    page = await ask(team.client, "list_workloads", search=hidden.name)
    assert (page["workloads"], page["total"]) == ([], 0)


# --- jobs -------------------------------------------------------------------------------------------------------


async def test_paging_over_the_workloads_gives_each_once(team: Team) -> None:
    """Failures beyond the first page are failures too."""
    seen: list[tuple[str, str]] = []
    offset: int | None = 0
    while offset is not None:
        page = await ask(team.client, "list_workloads", limit=17, offset=offset)
        assert page["total"] == len(team.allowed_jobs)
        seen += [(row["project"], row["name"]) for row in page["workloads"]]
        offset = page["next_offset"]
    assert len(seen) == len(team.allowed_jobs)
    assert set(seen) == team.allowed_jobs


async def test_a_healthy_job_is_called_healthy(team: Team) -> None:
    """A diagnosis that always finds something is believed never."""
    diagnosis = await ask(team.client, "troubleshoot_job", job_name=team.healthy.name)
    assert diagnosis["verdict"] == "healthy"
    assert [cause["cause"] for cause in diagnosis["causes"]] in ([], ["healthy"])
    status = await ask(team.client, "job_status", job_name=team.healthy.name, project="vision")
    assert status["phase"] == "Running"
    assert [container["state"] for pod in status["pods"] for container in pod["containers"]] == ["running"]
    assert status["unread"] == []


async def test_a_dry_run_changes_nothing_and_a_client_that_cannot_ask_is_refused(team: Team) -> None:
    """The only tool that can break something needs a person."""
    plan = await ask(team.client, "manage_workload", action="suspend", job_name=team.healthy.name)
    assert (plan["dry_run"], plan["done"]) == (True, False)
    assert "dry_run=false" in plan["outcome"]
    text = await refusal(team.client, "manage_workload", action="delete", job_name=team.healthy.name, dry_run=False)
    assert "cannot ask" in text
    assert "only a stopped job" in await refusal(
        team.client, "manage_workload", action="resume", job_name=team.healthy.name
    )
    status = await ask(team.client, "job_status", job_name=team.healthy.name)
    assert status["phase"] == "Running"


# --- waiting ----------------------------------------------------------------------------------------------------


async def test_waiting_without_news_times_out_and_says_how_long_it_has_waited(team: Team) -> None:
    """Clients give up on calls that show no sign of life."""
    waited: list[float] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        waited.append(progress)

    await ask(team.client, "stop_monitoring")
    cursor = (await ask(team.client, "list_alerts"))["cursor"]
    result = await team.client.call_tool(
        "wait_for_alerts", {"after_cursor": cursor, "timeout_seconds": 0.5}, progress_callback=on_progress
    )
    assert result.structured_content is not None
    assert result.structured_content["timed_out"] is True
    assert result.structured_content["cursor"] == cursor
    assert waited
    assert text_of(result).startswith("Nothing new")


async def test_waiting_ends_as_soon_as_a_job_fails_and_the_metrics_count_it(team: Team) -> None:
    """The loop of an agent: the alert at once, and by the next call at the latest with everything in it."""
    await ask(team.client, "start_monitoring")
    await first_look(team.client)
    cursor = (await ask(team.client, "list_alerts"))["cursor"]
    team.broken.out_of_memory()
    news = await ask(team.client, "wait_for_alerts", after_cursor=cursor, timeout_seconds=30)
    assert news["timed_out"] is False
    (alert,) = news["alerts"]
    assert (alert["workload"]["name"], alert["status"]) == (team.broken.name, "OOMKilled")
    if alert["diagnosis"] is None:
        news = await ask(team.client, "wait_for_alerts", after_cursor=news["cursor"], timeout_seconds=30)
        (alert,) = news["alerts"]
    assert alert["diagnosis"]["causes"][0]["cause"] == "container_oom"
    metrics = (await _get(team, "/metrics")).text
    assert 'runai_monitor_alerts{state="firing"} 1.0' in metrics
    for stage in ("detected", "stored", "pushed", "diagnosed"):
        assert f'runai_monitor_alert_stage_seconds_count{{stage="{stage}"}} 1.0' in metrics
    assert 'runai_monitor_queue_length{queue="alerts_to_diagnose"} 0.0' in metrics
    assert "runai_monitor_event_loop_lag_max_seconds" in metrics
    workloads = await ask(team.client, "list_workloads", limit=1)
    assert workloads["unseen_alerts"] == 0, "it was given to this client a moment ago"


# --- HTTP -------------------------------------------------------------------------------------------------------


async def _get(team: Team, path: str, *, token: str | None = TOKEN, **headers: str) -> httpx2.Response:
    given = headers if token is None else {"Authorization": f"Bearer {token}", **headers}
    async with httpx2.AsyncClient() as http:
        return await http.get(team.server.url + path, headers=given)


@pytest.mark.parametrize("path", ["/mcp", "/sse", "/readyz", "/metrics", "/nothing"])
async def test_everything_but_healthz_wants_the_token(team: Team, path: str) -> None:
    """Alerts carry names, logs and causes: they are not for whoever finds the port."""
    for token in (None, "wrong"):
        answer = await _get(team, path, token=token)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert TOKEN not in answer.text


async def test_the_probes_and_the_metrics_answer(team: Team) -> None:
    """Kubernetes restarts what does not live and waits for what is not ready."""
    assert (await _get(team, "/healthz", token=None)).json() == {"status": "ok"}
    ready = await _get(team, "/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    metrics = await _get(team, "/metrics")
    assert metrics.status_code == 200
    assert "runai_monitor_workloads" in metrics.text


async def test_another_host_or_origin_is_refused_even_with_the_token(team: Team) -> None:
    """A page in a browser must not reach the server behind the person's back."""
    assert (await _get(team, "/mcp", Host="evil.example.com")).status_code == 421
    assert (await _get(team, "/mcp", Origin="https://evil.example.com")).status_code == 403

"""Days on which something around the server is missing: Kubernetes, Run:ai, its account, its disk, its past."""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from runai_monitor.clock import SystemClock
from runai_monitor.demo.serving import served
from runai_monitor.demo.stories import all_scenarios
from runai_monitor.demo.tenant import Tenant, run_tenant
from runai_monitor.store.database import FILE_NAME
from tests.end_to_end.clients import Ear, Json, ask, first_look, listening, modern_http, refusal
from tests.end_to_end.processes import http_server, run_command, until
from tests.end_to_end.stage import Job, fast_environment, slack_texts

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tenant() -> AsyncIterator[Tenant]:
    async with run_tenant(clock=SystemClock(), healthy_workloads=20, faults=False, scenarios=()) as tenant:
        yield tenant


def is_blind(alert: Json) -> bool:
    return bool(alert["kind"] == "monitor_blind")


async def test_without_kubernetes_failures_are_found_in_runais_own_events(tmp_path: Path) -> None:
    """Many teams have no access to the cluster; the diagnosis must say what it could not read."""
    told_by_events = {"image-not-found", "missing-secret", "eviction"}
    scenarios = tuple(story for story in all_scenarios() if story.key in told_by_events | {"container-oom"})
    tenants = run_tenant(clock=SystemClock(), healthy_workloads=20, faults=False, scenarios=scenarios, time_scale=0.2)
    async with tenants as tenant:
        environment = fast_environment(tenant, tmp_path / "state", slack=False, RUNAI_MONITOR_KUBERNETES="off")
        environment.pop("KUBECONFIG")
        ear = Ear()
        async with (
            http_server(environment, home=tmp_path) as server,
            modern_http(server.mcp_url) as client,
            listening(client, ear),
        ):
            await ask(client, "start_monitoring")
            await first_look(client)
            tenant.begin()
            await until(lambda: all(ear.explains(story.workload_name) for story in scenarios))
            status = await ask(client, "monitoring_status")
            assert status["kubernetes"] == {
                "live": False,
                "detail": "no usable Kubernetes configuration; Run:ai's own events are used instead",
            }
    for story in scenarios:
        last = ear.about(story.workload_name)[-1]
        assert any("Kubernetes" in text or "container" in text for text in last["diagnosis"]["unread"]), story.key
        if story.key in told_by_events:
            assert last["status"] in story.expected_statuses
            assert last["diagnosis"]["causes"][0]["cause"] in story.expected_causes
        else:
            assert last["status"] == "Failed", "Run:ai alone cannot know that it was the memory"


async def test_what_had_failed_before_is_one_summary_and_what_fails_next_is_an_alert(
    tenant: Tenant, tmp_path: Path
) -> None:
    """The first day must not begin with a hundred messages about last week."""
    old = [Job(tenant, f"old-{number}") for number in range(3)]
    fresh = Job(tenant, "fresh")
    for job in old:
        job.out_of_memory()
        job.fail()
    environment = fast_environment(tenant, tmp_path / "state", RUNAI_MONITOR_MONITOR_ONLY_FAILED="true")
    ear = Ear()
    async with (
        http_server(environment, home=tmp_path) as server,
        modern_http(server.mcp_url) as client,
        listening(client, ear),
    ):
        started = await ask(client, "start_monitoring")
        assert started["monitor"]["only_failed"] is True
        await first_look(client)
        fresh.out_of_memory()
        fresh.fail()
        await until(lambda: ear.knows(fresh.name) and len(slack_texts(tenant, fresh.name)) == 1)
        status = await ask(client, "monitoring_status")
    (summary,) = [alert for alert in ear.alerts if alert["kind"] == "existing_failures"]
    assert all(job.name in summary["summary"] for job in old)
    assert [alert for alert in ear.alerts if alert["workload"]["name"] in {job.name for job in old}] == []
    # Run:ai is asked for unhealthy jobs only: the healthy twenty are never read.
    assert status["workloads_watched"] == len(old) + 1


async def test_a_state_folder_that_is_taken_away_does_not_end_the_watching(tenant: Tenant, tmp_path: Path) -> None:
    """Whoever tidies up, or moves a damaged file away as advised, would leave a server that only seems to work."""
    job, state = Job(tenant, "after-the-broom"), tmp_path / "state"
    environment = fast_environment(tenant, state)
    ear = Ear()

    async def answers() -> bool:
        return not (await client.call_tool("monitoring_status")).is_error

    async with (
        http_server(environment, home=tmp_path) as server,
        modern_http(server.mcp_url) as client,
        listening(client, ear),
    ):
        started = await ask(client, "start_monitoring")
        await first_look(client)
        shutil.rmtree(state, ignore_errors=True)
        await until((state / FILE_NAME).exists)
        await until(answers)
        status = await ask(client, "monitoring_status")
        assert [monitor["monitor_id"] for monitor in status["monitors"]] == [started["monitor"]["monitor_id"]]
        await first_look(client)
        job.out_of_memory()
        job.fail()
        await until(lambda: ear.knows(job.name) and len(slack_texts(tenant, job.name)) == 1)
    read = await run_command("alerts", environment=environment, home=tmp_path)
    assert job.name in read.stdout


async def test_runai_out_of_reach_delays_monitoring_and_never_refuses_it(tenant: Tenant, tmp_path: Path) -> None:
    """VPNs come up after laptops do: it starts, says so, tells that it is blind, and sees as soon as it can."""
    port = _free_port()
    job = Job(tenant, "after-the-outage")
    environment = fast_environment(
        tenant,
        tmp_path / "state",
        RUNAI_BASE_URL=f"http://127.0.0.1:{port}",
        RUNAI_MONITOR_RUNAI_TIMEOUT_SECONDS="1",
    )
    ear = Ear()
    async with (
        http_server(environment, home=tmp_path) as server,
        modern_http(server.mcp_url) as client,
        listening(client, ear),
    ):
        started = await ask(client, "start_monitoring")
        assert "Run:ai" in started["warning"]
        await until(lambda: any(map(is_blind, ear.alerts)))
        status = await ask(client, "monitoring_status")
        assert (status["active"], status["blind"]) == (True, True)
        assert status["monitors"][0]["last_error"]
        async with httpx2.AsyncClient() as http:
            assert (await http.get(f"{server.url}/readyz")).status_code == 503
            assert (await http.get(f"{server.url}/healthz")).status_code == 200
        async with served(tenant.runai.app, port=port):
            await first_look(client)
            await until(lambda: [alert["state"] for alert in ear.alerts if is_blind(alert)] == ["firing", "resolved"])
            job.out_of_memory()
            await until(lambda: ear.knows(job.name) and len(slack_texts(tenant, job.name)) == 1)
    assert len({alert["alert_id"] for alert in ear.alerts if is_blind(alert)}) == 1


async def test_a_disabled_account_is_told_at_once_and_forgiven_when_it_is_enabled(
    tenant: Tenant, tmp_path: Path
) -> None:
    """Somebody rotated the secret: three more polls would not help, and nobody wants to restart the server."""
    environment = fast_environment(tenant, tmp_path / "state", RUNAI_MONITOR_RUNAI_TIMEOUT_SECONDS="2")
    ear = Ear()
    async with (
        http_server(environment, home=tmp_path) as server,
        modern_http(server.mcp_url) as client,
        listening(client, ear),
    ):
        await ask(client, "start_monitoring")
        await first_look(client)
        tenant.runai.account_enabled = False
        tenant.runai.revoke_tokens()
        await until(lambda: any(map(is_blind, ear.alerts)))
        text = next(alert["summary"] for alert in ear.alerts if is_blind(alert))
        assert "RUNAI_CLIENT_SECRET" in text or "credentials" in text
        assert tenant.client_secret not in text
        answer = await refusal(client, "list_workloads")
        assert "credentials" in answer or "RUNAI_CLIENT_SECRET" in answer
        tenant.runai.account_enabled = True
        await until(lambda: [alert["state"] for alert in ear.alerts if is_blind(alert)] == ["firing", "resolved"])
        assert (await ask(client, "monitoring_status"))["blind"] is False


async def test_a_state_folder_that_cannot_be_written_is_said_and_nothing_is_pretended(
    tenant: Tenant, tmp_path: Path
) -> None:
    """An alert that was never stored is an alert that was never told."""
    obstacle = tmp_path / "a-file"
    obstacle.write_text("in the way", encoding="utf-8")
    environment = fast_environment(tenant, obstacle / "state")
    async with http_server(environment, home=tmp_path) as server, modern_http(server.mcp_url) as client:
        for tool in ("start_monitoring", "monitoring_status", "list_alerts"):
            text = await refusal(client, tool)
            assert str(obstacle) in text
            assert "RUNAI_MONITOR_STATE_DIR" in text or "state_dir" in text
        async with httpx2.AsyncClient() as http:
            assert (await http.get(f"{server.url}/readyz")).status_code == 503
    log = server.log.read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert tenant.slack.messages == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""Processes come and go: restarts, two on one state, a leader that dies. Nobody is told twice, and nothing is missed."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mcp.client import Client

from runai_monitor.clock import SystemClock
from runai_monitor.demo.tenant import Tenant, run_tenant
from tests.end_to_end.clients import (
    Ear,
    Json,
    ask,
    first_look,
    legacy_sse,
    listening,
    modern_http,
    refusal,
    status_shows,
)
from tests.end_to_end.processes import http_server, until
from tests.end_to_end.stage import Job, fast_environment, slack_texts
from tests.end_to_end.takeovers import kill_leaders
from tests.postgres import NOTICE, PASSWORD, PostgresServer, binaries, run_postgres

pytestmark = [
    pytest.mark.anyio,
    # What older clients have is deprecated in the newest revision, and still what most of them speak.
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]


@pytest.fixture(scope="module")
async def tenant() -> AsyncIterator[Tenant]:
    async with run_tenant(clock=SystemClock(), healthy_workloads=20, faults=False, scenarios=()) as tenant:
        yield tenant


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """The variables that choose a database; none for the file in the state folder."""
    if request.param == "sqlite":
        return {}
    server: PostgresServer = request.getfixturevalue("postgres")
    return {"RUNAI_MONITOR_DATABASE_URL": server.new_database()}


async def test_monitors_survive_a_restart_and_nothing_is_told_twice(tenant: Tenant, tmp_path: Path) -> None:
    """Laptops reboot. What broke before was told; what breaks meanwhile is told by the next process, once."""
    before, meanwhile, after = (Job(tenant, f"restart-{word}") for word in ("before", "meanwhile", "after"))
    environment = fast_environment(tenant, tmp_path / "state")
    async with http_server(environment, home=tmp_path) as server, modern_http(server.mcp_url) as client:
        monitor = await ask(client, "start_monitoring", duration_minutes=60)
        await first_look(client)
        before.out_of_memory()
        await recorded(client, before)
        await server.kill()
    meanwhile.out_of_memory()
    async with http_server(environment, home=tmp_path) as server, modern_http(server.mcp_url) as client:
        status = await ask(client, "monitoring_status")
        assert [(m["monitor_id"], m["ends_at"]) for m in status["monitors"]] == [
            (monitor["monitor_id"], monitor["ends_at"])
        ], "it resumes by itself, and ends when it was meant to"
        await until(lambda: len(slack_texts(tenant, meanwhile.name)) == 1)
        after.out_of_memory()
        await until(lambda: len(slack_texts(tenant, after.name)) == 1)
        alerts = (await ask(client, "list_alerts"))["alerts"]
        assert await server.stop() == 0
    assert [len(slack_texts(tenant, job.name)) for job in (before, meanwhile, after)] == [1, 1, 1]
    assert sorted(alert["workload"]["name"] for alert in alerts) == sorted(
        job.name for job in (before, meanwhile, after)
    )


async def test_a_leader_killed_again_and_again_costs_no_alert(
    tenant: Tenant, tmp_path: Path, database: dict[str, str]
) -> None:
    """On either database: every failure has one alert and reaches Slack and the clients, whoever died in between."""
    environment = fast_environment(tenant, tmp_path / "state") | database
    outcome = await kill_leaders(tenant, environment, tmp_path, kills=3, jobs_per_kill=3)
    assert len(outcome.takeover_seconds) == 3
    assert set(outcome.alerts.values()) == {1}
    assert len(outcome.alerts) == len(outcome.pushed) == 9
    # A message that Slack took in the very instant of the kill is sent once more: at least once, and at most twice.
    assert set(outcome.messages.values()) <= {1, 2}
    assert outcome.repeated == 0
    assert outcome.cursors == sorted(set(outcome.cursors))
    assert not any(PASSWORD in log for log in logs_in(tmp_path))


async def test_a_follower_tells_its_own_clients_and_takes_over_when_the_leader_dies(
    tenant: Tenant, tmp_path: Path, database: dict[str, str], request: pytest.FixtureRequest
) -> None:
    """Two desktop clients, one laptop: either window may be closed at any time."""
    kind = request.node.callspec.params["database"]
    first, second = Job(tenant, f"takeover-first-{kind}"), Job(tenant, f"takeover-second-{kind}")
    environment = fast_environment(tenant, tmp_path / "state") | database
    sse, modern = Ear(), Ear()
    async with http_server(environment, home=tmp_path) as leader:
        async with modern_http(leader.mcp_url) as client:
            await role(client, "leader")
        async with (
            http_server(environment, home=tmp_path) as follower,
            legacy_sse(follower.sse_url, ear=sse),
            modern_http(follower.mcp_url) as client,
            listening(client, modern),
        ):
            status = await role(client, "follower")
            assert status["led_by"]["process_id"] == leader.process.pid
            assert status["role_since"] >= status["led_by"]["since"]
            # A monitor started through the follower is watched by the leader.
            await ask(client, "start_monitoring")
            await first_look(client)
            first.out_of_memory()
            await until(lambda: sse.knows(first.name) and modern.knows(first.name))
            await recorded(client, first)
            await leader.kill()
            await role(client, "leader")
            await status_shows(client, lambda shown: bool(shown["led_by"]["process_id"] == follower.process.pid))
            await first_look(client)
            second.out_of_memory()
            await until(lambda: sse.knows(second.name) and modern.knows(second.name))
            await until(lambda: len(slack_texts(tenant, second.name)) == 1)
            listed = (await ask(client, "list_alerts"))["alerts"]
    # The jobs of other tests on this tenant had failed before: they are one summary, without a workload.
    assert sorted(name for alert in listed if (name := alert["workload"]["name"])) == [first.name, second.name]
    for job in (first, second):
        assert len(slack_texts(tenant, job.name)) == 1
        for ear in (sse, modern):
            assert len({alert["alert_id"] for alert in ear.about(job.name)}) == 1
            assert [alert["cursor"] for alert in ear.alerts] == sorted({alert["cursor"] for alert in ear.alerts})


async def test_a_database_server_that_restarts_interrupts_nothing_for_long(tenant: Tenant, tmp_path: Path) -> None:
    """The server is updated while the monitor runs: what fails afterwards, and meanwhile, is told as ever."""
    if binaries() is None:
        pytest.skip(NOTICE)
    meanwhile, after = Job(tenant, "restarted-meanwhile"), Job(tenant, "restarted-after")
    with run_postgres() as postgres:
        environment = fast_environment(tenant, tmp_path / "state")
        environment["RUNAI_MONITOR_DATABASE_URL"] = postgres.new_database()
        async with http_server(environment, home=tmp_path) as server, modern_http(server.mcp_url) as client:
            await ask(client, "start_monitoring")
            await first_look(client)
            postgres.stop(how=signal.SIGQUIT)
            meanwhile.out_of_memory()
            assert "check that the server runs" in await refusal(client, "list_alerts")
            postgres.start()
            await until(lambda: len(slack_texts(tenant, meanwhile.name)) == 1)
            after.out_of_memory()
            await until(lambda: len(slack_texts(tenant, after.name)) == 1)
            await role(client, "leader")
    assert not any(PASSWORD in log for log in logs_in(tmp_path))


def logs_in(home: Path) -> list[str]:
    """What the servers wrote to stderr."""
    return [log.read_text(encoding="utf-8") for log in home.glob("*.log")]


async def role(client: Client, wanted: str) -> Json:
    """Waits until the client's server leads, or follows; the status that says so."""
    return await status_shows(client, lambda status: bool(status["role"] == wanted))


async def recorded(client: Client, job: Job) -> None:
    """Waits until the alert about a job was told and that is on record.

    Killed in between, a server tells it again: a message too many is the price of never losing one.
    """

    async def delivered() -> bool:
        alerts = (await ask(client, "list_alerts"))["alerts"]
        told = [alert["alert_id"] for alert in alerts if alert["workload"]["name"] == job.name]
        details = [await ask(client, "get_alert", alert_id=alert_id) for alert_id in told]
        return [d["state"] for detail in details for d in detail["deliveries"]] == ["delivered"]

    await until(delivered)

"""A real server with several channels and routes: who is told of what, and what a person sees of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runai_monitor.clock import SystemClock
from runai_monitor.demo.tenant import Tenant, run_tenant
from tests.end_to_end.clients import ask, first_look, modern_http
from tests.end_to_end.processes import http_server, run_command, until
from tests.end_to_end.stage import Job, fast_environment
from tests.notify.rigs import KINDS, SECRET
from tests.notify.sinks import HttpSink, Reply

pytestmark = pytest.mark.anyio


@dataclass
class Stage:
    tenant: Tenant
    slack: HttpSink
    pager: HttpSink
    hook: HttpSink
    config: Path

    @property
    def channels(self) -> list[dict[str, Any]]:
        return [
            {"name": "team", "kind": "slack_bot", "token": "${BOT_TOKEN}", "channel": "C1", "api_url": self.slack.url},
            {"name": "oncall", "kind": "pagerduty", "routing_key": SECRET, "api_url": self.pager.url},
            {"name": "hook", "kind": "webhook", "url": f"{self.hook.url}/{SECRET}"},
            {"name": "phone", "kind": "apprise", "url": self.hook.url.replace("http", "json")},
        ]

    def environment(self, home: Path) -> dict[str, str]:
        return fast_environment(
            self.tenant,
            home / "state",
            slack=False,
            RUNAI_MONITOR_CONFIG=str(self.config),
            BOT_TOKEN=f"xoxb-{SECRET}",
        )


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        slack, pager, hook = [
            await stack.enter_async_context(HttpSink(KINDS[kind].taken).running())
            for kind in ("slack_bot", "pagerduty", "webhook")
        ]
        tenant = await stack.enter_async_context(
            run_tenant(clock=SystemClock(), healthy_workloads=5, faults=False, scenarios=())
        )
        stage = Stage(tenant, slack, pager, hook, tmp_path / "workflow.yaml")
        routes = [
            {"match": {"project": "vision"}, "channels": ["team"], "continue": True},
            {"match": {"project": "vision", "cause": "container_oom"}, "channels": ["oncall"]},
        ]
        # JSON is YAML.
        section = {"channels": stage.channels, "routes": routes, "default_channels": ["hook"]}
        stage.config.write_text(json.dumps({"runai_proactive_monitor": section}), encoding="utf-8")
        yield stage


async def test_an_alert_goes_where_the_routes_say_and_its_end_goes_there_too(stage: Stage, tmp_path: Path) -> None:
    """The whole way: a job fails and recovers; its thread shows it, its incident closes, and nobody else hears of it."""
    job, other = Job(stage.tenant, "routed"), Job(stage.tenant, "unrouted", project="speech")
    async with http_server(stage.environment(tmp_path), home=tmp_path) as server, modern_http(server.mcp_url) as client:
        await ask(client, "start_monitoring")
        await first_look(client)
        job.out_of_memory()
        other.out_of_memory()
        await until(lambda: bool(stage.slack.requests and stage.pager.requests and stage.hook.requests))
        job.recover()
        await until(lambda: len(stage.slack.requests) == 3 and len(stage.pager.requests) == 2)
        status = await ask(client, "monitoring_status")
        assert await server.stop() == 0
    assert [request.path for request in stage.slack.requests] == [
        "/chat.postMessage",
        "/chat.update",
        "/chat.postMessage",
    ]
    assert [json.loads(request.body)["event_action"] for request in stage.pager.requests] == ["trigger", "resolve"]
    assert [json.loads(request.body)["alert"]["workload"]["name"] for request in stage.hook.requests] == ["unrouted"]
    assert status["channel_kinds"] == {
        "team": "slack_bot",
        "oncall": "pagerduty",
        "hook": "webhook",
        "phone": "apprise",
    }
    assert status["configuration"]["channels"][0] == {"name": "team", "kind": "slack_bot"}
    assert SECRET not in json.dumps(status)


async def test_every_channel_can_be_tried_and_the_dead_one_is_named(stage: Stage, tmp_path: Path) -> None:
    """By command before the night, and by tool during it."""
    stage.pager.usual = Reply(400, json.dumps({"status": "invalid event"}))
    environment = stage.environment(tmp_path)
    done = await run_command("check", "--json", "--send-test", environment=environment, home=tmp_path)
    outcomes = {row["check"]: row["outcome"] for row in json.loads(done.stdout)["checks"]}
    tried = {name: outcomes[name] for name in ("team", "oncall", "hook", "phone")}
    assert tried == {"team": "ok", "oncall": "failed", "hook": "ok", "phone": "ok"}
    assert SECRET not in done.stdout + done.stderr
    async with http_server(environment, home=tmp_path) as server, modern_http(server.mcp_url) as client:
        rows = (await ask(client, "send_test_notification"))["channels"]
        assert {row["channel"]: row["delivered"] for row in rows} == {
            "team": True,
            "oncall": False,
            "hook": True,
            "phone": True,
        }
        (row,) = (await ask(client, "send_test_notification", channel="oncall"))["channels"]
        assert "routing_key" in row["error"]
        assert await server.stop() == 0

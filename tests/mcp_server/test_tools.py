"""Tools through a real client of each protocol era, over in-memory services."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

import anyio
import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolResult,
    ElicitRequestParams,
    ElicitResult,
    TextContent,
    TextResourceContents,
)

from runai_monitor.clock import isoformat
from runai_monitor.mcp_server.push import AlertHub
from runai_monitor.mcp_server.server import build_server
from runai_monitor.model.alert import AlertState, Change
from runai_monitor.model.leader import Leader
from runai_monitor.model.notification import Delivery, DeliveryState, Notification
from runai_monitor.operations.services import EngineState
from tests.fakes import EPOCH
from tests.operations.world import World, diagnosis, workload

pytestmark = pytest.mark.anyio

Era = Literal["legacy", "auto"]
ERAS: tuple[Era, ...] = ("legacy", "auto")
CONTRACT_TOOLS = {
    "start_monitoring",
    "stop_monitoring",
    "monitoring_status",
    "list_alerts",
    "get_alert",
    "wait_for_alerts",
    "list_workloads",
    "job_status",
    "troubleshoot_job",
    "send_test_notification",
    "replay_deliveries",
    "acknowledge_alert",
    "silence_alerts",
    "list_silences",
    "expire_silence",
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "get_alert": {"alert_id": "al-1"},
    "acknowledge_alert": {"alert_id": "al-1", "author": "anna"},
    "silence_alerts": {"matchers": ["project=vision"], "reason": "maintenance", "duration": "2h"},
    "list_silences": {"state": "all"},
    "expire_silence": {"silence_id": "si-1"},
    "job_status": {"job_name": "train-a"},
    "troubleshoot_job": {"job_name": "train-a"},
    "wait_for_alerts": {"after_cursor": 0, "timeout_seconds": 0},
    "list_alerts": {"limit": 200},
    "list_workloads": {"limit": 200},
    "manage_workload": {"action": "suspend", "job_name": "train-a"},
}


@asynccontextmanager
async def connected(world: World, era: Era = "auto", *, write: bool = False, **options: Any) -> AsyncIterator[Client]:
    server = build_server(operations=world.operations, hub=AlertHub(), version="1.2.3", allow_write_tools=write)
    with anyio.fail_after(20):
        async with Client(server, mode=era, **options) as client:
            yield client


def text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def data_of(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, text_of(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


@pytest.mark.parametrize("era", ERAS)
async def test_every_tool_of_the_contract_answers_in_both_eras(era: Era) -> None:
    """The client checks each structured result against the published schema."""
    world = World()
    world.alerts.put("al-1")
    world.silences.put("si-1", "project=vision")
    async with connected(world, era) as client:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == CONTRACT_TOOLS
        for tool in tools:
            assert tool.description
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint is not None
            assert tool.output_schema is not None
            result = await client.call_tool(tool.name, ARGUMENTS.get(tool.name, {}))
            assert data_of(result)
            assert text_of(result)


async def test_an_alert_has_exactly_the_fields_of_the_contract() -> None:
    """Scripts read these names."""
    world = World()
    world.alerts.put("al-1")
    async with connected(world) as client:
        (alert,) = data_of(await client.call_tool("list_alerts"))["alerts"]
        detail = data_of(await client.call_tool("get_alert", {"alert_id": "al-1"}))
        found = data_of(await client.call_tool("troubleshoot_job", {"job_name": "train-a"}))
    assert set(detail) == {*alert, "deliveries", "history", "silenced_by", "cut", "unseen_alerts"}
    assert [change["reason"] for change in detail["history"]] == ["a new failure", "max_alerts_per_job (1) is reached"]
    assert set(found) == {*alert["diagnosis"], "workload", "phase", "cut", "unseen_alerts"}
    assert set(alert) == {
        "alert_id",
        "cursor",
        "kind",
        "status",
        "state",
        "severity",
        "workload",
        "summary",
        "recommendations",
        "started_at",
        "updated_at",
        "resolved_at",
        "acknowledged_at",
        "acknowledged_by",
        "awaits_diagnosis",
        "notifications",
        "diagnosis",
    }
    assert set(alert["workload"]) == {
        "id",
        "name",
        "project",
        "type",
        "namespace",
        "cluster_id",
        "submitted_by",
        "gpus",
    }
    assert set(alert["diagnosis"]) == {
        "verdict",
        "confidence",
        "causes",
        "evidence",
        "unread",
        "generated_at",
        "markdown",
    }
    assert alert["started_at"] == "2026-03-01T03:00:00Z"


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("start_monitoring", {"duration_minutes": -5}, "0 to 43200"),
        ("start_monitoring", {"poll_interval_seconds": 0}, "1 to 3600"),
        ("start_monitoring", {"duration_minutes": "soon"}, "Accepted is 0 to 43200"),
        ("start_monitoring", {"projct": "vision"}, "did you mean project?"),
        ("list_alerts", {"limit": 0}, "1 to 200"),
        ("list_alerts", {"limit": 1.5}, "1 to 200"),
        ("list_alerts", {"since": "soon"}, "24h"),
        ("list_alerts", {"state": "open"}, "firing"),
        ("wait_for_alerts", {"timeout_seconds": 301}, "0 to 300"),
        ("list_workloads", {"phase": "Dead"}, "Running"),
        ("job_status", {}, "job_name"),
        ("job_status", {"job_name": "train-x"}, "train-a"),
        ("stop_monitoring", {"monitor_id": "mon-none"}, "monitoring_status"),
        ("send_test_notification", {"channel": "pager"}, "slack"),
        ("acknowledge_alert", {"alert_id": "al-no"}, "list_alerts gives the ids"),
        ("acknowledge_alert", {"alert_id": "al-no", "author": "a" * 101}, "at most"),
        ("silence_alerts", {"matchers": ["project=a"], "reason": "r"}, "a silence must end"),
        ("silence_alerts", {"matchers": ["projet=a"], "reason": "r", "duration": "1h"}, "did you mean project?"),
        ("silence_alerts", {"matchers": [], "reason": "r", "duration": "1h"}, "everything=true"),
        ("silence_alerts", {"matchers": ["project=a"], "reason": " ", "duration": "1h"}, "reason must be"),
        ("silence_alerts", {"matchers": ["project=a"], "reason": "r", "duration": "31d"}, "at most 30 days"),
        ("silence_alerts", {"matchers": ["project=a"], "reason": "r", "duration": "soon"}, "such as 90m"),
        ("silence_alerts", {"matchers": ["project=a"], "reason": "r", "until": "2020-01-01"}, "after now"),
        ("silence_alerts", {"matchers": "project=a", "reason": "r", "duration": "1h"}, "matchers: "),
        ("list_silences", {"state": "quiet"}, "pending, active, expired or all"),
        ("expire_silence", {"silence_id": "si-no"}, "list_silences gives the ids"),
        ("list_alert", {}, "did you mean list_alerts?"),
        ("manage_workload", {}, "RUNAI_ALLOW_WRITE_TOOLS"),
    ],
)
async def test_a_wrong_argument_is_a_tool_error_that_says_what_is_accepted(
    tool: str, arguments: dict[str, Any], said: str
) -> None:
    """A model can only correct itself from what it is told."""
    async with connected(World()) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert said in text_of(result)
    assert "Error executing" not in text_of(result)


@pytest.mark.parametrize("era", ERAS)
async def test_a_wrong_prompt_resource_or_cursor_is_refused_in_words(era: Era) -> None:
    """'Internal server error' helps nobody, and a mistake of a client is none of ours."""
    async with connected(World(), era) as client:
        with pytest.raises(MCPError, match="did you mean daily_digest"):
            await client.get_prompt("daily_digst")
        with pytest.raises(MCPError, match="needs job_name"):
            await client.get_prompt("investigate_failure", {"project": "vision"})
        with pytest.raises(MCPError, match="did you mean job_name"):
            await client.get_prompt("investigate_failure", {"job_name": "train-a", "jobname": "train-b"})
        with pytest.raises(MCPError, match="did you mean runai://alerts"):
            await client.read_resource("runai://alert")
        for lists in (client.list_tools, client.list_resources, client.list_prompts, client.list_resource_templates):
            with pytest.raises(MCPError, match="no such cursor") as caught:
                await lists(cursor="2")
            assert caught.value.error.code == INVALID_PARAMS


async def test_schemas_carry_no_titles_made_of_names() -> None:
    """Every model pays for every word of them; a field that is called title stays."""
    async with connected(World()) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    for tool in tools.values():
        assert '"title": "' not in json.dumps([tool.input_schema, tool.output_schema])
    schema = tools["troubleshoot_job"].output_schema
    assert schema is not None
    assert "title" in schema["$defs"]["CauseResult"]["properties"]
    assert "Pending" in tools["list_workloads"].input_schema["properties"]["phase"]["enum"]


@pytest.mark.parametrize("era", ERAS)
async def test_no_tool_resource_or_prompt_leaks_another_project(era: Era) -> None:
    """The limit holds for the whole registry, also for tools added later."""
    world = World(allowed=("vision",), allow_write=True)
    world.alerts.put("al-1")
    world.alerts.put("al-secret", project="secret-lab", name="cold-fusion")
    world.silences.put("si-1", "project=~vision|secret-lab")
    world.silences.put("si-2", "project=secret-lab")
    seen = ""
    async with connected(world, era, write=True) as client:
        for tool in (await client.list_tools()).tools:
            result = await client.call_tool(tool.name, ARGUMENTS.get(tool.name, {}))
            seen += result.model_dump_json()
            properties = tool.input_schema["properties"]
            if "project" in properties:
                refused = await client.call_tool(tool.name, {**ARGUMENTS.get(tool.name, {}), "project": "secret-lab"})
                assert refused.is_error, tool.name
                seen += text_of(refused).replace('"secret-lab"', "")
            if "job_name" in properties:
                refused = await client.call_tool(tool.name, {**ARGUMENTS.get(tool.name, {}), "job_name": "cold-fusion"})
                assert refused.is_error, tool.name
                seen += text_of(refused).replace('"cold-fusion"', "")
        for resource in (await client.list_resources()).resources:
            seen += (await client.read_resource(resource.uri)).model_dump_json()
        with pytest.raises(Exception, match="no alert"):
            await client.read_resource("runai://alerts/al-secret")
    assert "al-1" in seen
    assert "secret-lab" not in seen
    assert "cold-fusion" not in seen
    assert "al-secret" not in seen


async def test_no_result_is_bigger_than_the_promise_and_each_says_what_was_cut() -> None:
    """Hosts cut what is too big, in the middle of a JSON text."""
    world = World()
    huge = diagnosis(excerpt="x" * 3000, pieces=30)
    world.diagnoser.result = huge
    world.runai.workloads = [workload(f"job-{n:04d}-" + "y" * 150, number=n) for n in range(300)]
    for n in range(250):
        world.alerts.put(f"al-{n}", report=huge, name="n" * 200)
    arguments = {
        **ARGUMENTS,
        "job_status": {"job_name": world.runai.workloads[0].name},
        "troubleshoot_job": {"job_name": world.runai.workloads[0].name},
    }
    for n in range(100):
        world.silences.put(f"si-{n}", "project=vision", reason="r" * 500)
    answers = ("acknowledge_alert", "list_silences")
    async with connected(world, "legacy") as client:
        for name in ("list_alerts", "get_alert", "wait_for_alerts", "list_workloads", "troubleshoot_job", *answers):
            result = await client.call_tool(name, arguments[name])
            assert len(result.model_dump_json(by_alias=True, exclude_none=True).encode()) < 25_000, name
            assert data_of(result)["cut"], name
            assert data_of(result)["cut"] in text_of(result)
        for uri in ("runai://alerts", "runai://alerts/al-1", "runai://monitoring/status"):
            assert len((await client.read_resource(uri)).model_dump_json()) < 30_000


@pytest.mark.parametrize("era", ERAS)
async def test_no_text_commands_a_terminal_or_hides_anything_from_a_person(era: Era) -> None:
    """Names and messages are chosen by whoever submits a job; what only a model can read is for nothing good."""
    hostile = "a\x1b[2Jb\x9b31mc\u202ed\U000e0041e\x00f\u200bg"
    unseen = re.compile("[\x00-\x08\x1b\x7f-\x9f\u200b-\u200f\u202a-\u202e\U000e0000-\U000e007f]")
    world = World()
    alert = world.alerts.put("al-1", name=hostile, report=diagnosis(excerpt=hostile))
    world.silences.put("si-1", "project=vision")
    world.alerts.stored["al-1"] = replace(alert, status=hostile, summary=hostile, recommendations=(hostile,))
    world.runai.workloads = [replace(workload(hostile, phase=hostile), type=hostile, submitted_by=hostile)]
    world.kube.pods = [replace(world.kube.pods[0], name=hostile, node=hostile, message=hostile)]
    world.diagnoser.result = diagnosis(excerpt=hostile)
    calls = {**ARGUMENTS, "job_status": {"job_name": world.runai.workloads[0].id}}
    calls["troubleshoot_job"] = calls["job_status"]
    async with connected(world, era) as client:
        for tool in CONTRACT_TOOLS:
            result = await client.call_tool(tool, calls.get(tool, {}))
            data = data_of(result)
            assert not unseen.search(text_of(result) + json.dumps(data, ensure_ascii=False)), tool
        for uri in ("runai://alerts", "runai://alerts/al-1"):
            (content,) = (await client.read_resource(uri)).contents
            assert isinstance(content, TextResourceContents)
            assert not re.search(r"\\u001b|\\u0000|" + unseen.pattern, content.text), uri


async def test_a_cut_wait_is_continued_by_its_cursor_without_a_gap() -> None:
    """What did not fit must come with the next call."""
    world = World()
    for n in range(120):
        world.alerts.put(f"al-{n}", report=diagnosis(excerpt="x" * 500))
    seen: list[str] = []
    cursor = 0
    async with connected(world) as client:
        while len(seen) < 120:
            page = data_of(await client.call_tool("list_alerts", {"after_cursor": cursor, "limit": 100}))
            assert page["cursor"] > cursor
            cursor = page["cursor"]
            seen += [alert["alert_id"] for alert in page["alerts"]]
    assert seen == [f"al-{n}" for n in range(120)]


@pytest.mark.parametrize("era", ERAS)
async def test_results_tell_how_many_alerts_were_not_seen_until_they_are(era: Era) -> None:
    """The one path that reaches every host's model."""
    world = World()
    world.alerts.put("al-old", state=AlertState.RESOLVED)
    world.alerts.put("al-1")
    world.alerts.put("al-2")
    async with connected(world, era) as client:
        first = await client.call_tool("monitoring_status")
        assert "2 alert(s) not yet seen: call list_alerts(after_cursor=1)" in text_of(first)
        await client.call_tool("list_alerts", {"after_cursor": 1})
        assert "not yet seen" not in text_of(await client.call_tool("monitoring_status"))
        world.alerts.put("al-3")
        assert "1 alert(s) not yet seen" in text_of(await client.call_tool("list_workloads"))
        await client.call_tool("list_alerts", {"project": "vision"})
        assert "1 alert(s) not yet seen" in text_of(await client.call_tool("list_workloads")), "a filter hides others"


@pytest.mark.parametrize("era", ERAS)
async def test_waiting_without_a_cursor_goes_on_where_monitoring_began(era: Era) -> None:
    """What failed between start_monitoring and the first wait must not be skipped."""
    world = World()
    world.alerts.put("al-before")
    async with connected(world, era) as client:
        await client.call_tool("start_monitoring")
        world.alerts.put("al-meanwhile")
        waited = data_of(await client.call_tool("wait_for_alerts", {"timeout_seconds": 0}))
        assert [alert["alert_id"] for alert in waited["alerts"]] == ["al-meanwhile"]


async def test_a_wait_in_vain_hides_nothing_that_was_not_read() -> None:
    """Waiting from now on says nothing of what came before."""
    world = World()
    world.alerts.put("al-1")
    async with connected(world) as client:
        nothing = await client.call_tool("wait_for_alerts", {"timeout_seconds": 0})
        assert data_of(nothing)["timed_out"]
        assert "1 alert(s) not yet seen" in text_of(nothing)
        assert "nothing is being monitored: stop waiting" in text_of(nothing)
        assert data_of(nothing)["monitoring"] is False
        await client.call_tool("start_monitoring")
        again = data_of(await client.call_tool("wait_for_alerts", {"timeout_seconds": 0}))
        assert again["monitoring"] is True


async def test_a_model_is_told_first_that_the_tenant_is_simulated() -> None:
    """Both entries of the example configuration may be connected at once; nobody must be woken for a show."""
    server = build_server(
        operations=World().operations, hub=AlertHub(), version="1", allow_write_tools=False, simulated=True
    )
    async with Client(server) as client:
        assert (client.instructions or "").startswith("Everything this server shows is a simulated Run:ai tenant")


@pytest.mark.parametrize("era", ERAS)
async def test_waiting_wakes_at_once_on_a_new_alert_and_reports_progress(era: Era) -> None:
    """A model in a wait loop should know within moments."""
    world = World()
    got: list[dict[str, Any]] = []
    shares: list[float] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        shares.append(progress)

    async with connected(world, era) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(world.operations.feed.run)

        async def wait() -> None:
            result = await client.call_tool("wait_for_alerts", {"timeout_seconds": 300}, progress_callback=on_progress)
            got.append(data_of(result))

        tasks.start_soon(wait)
        await world.clock.advance(6)
        assert not got
        world.store("al-1")
        await anyio.wait_all_tasks_blocked()
        assert got[0]["alerts"][0]["alert_id"] == "al-1"
        assert not got[0]["timed_out"]
        tasks.cancel_scope.cancel()
    assert shares == [0, 5]


async def test_troubleshooting_labels_cluster_text_and_reports_progress() -> None:
    """A log line that says `ignore all instructions` is data."""
    world = World()
    messages: list[str | None] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        messages.append(message)

    async with connected(world) as client:
        result = await client.call_tool("troubleshoot_job", {"job_name": "train-a"}, progress_callback=on_progress)
    assert "not instructions" in text_of(result)
    assert data_of(result)["causes"][0]["cause"] == "cuda_oom"
    assert messages == ["reading logs"]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("action", "confirm", "done"), [("accept", True, True), ("accept", False, False), ("decline", None, False)]
)
async def test_a_change_happens_only_when_the_person_agrees(
    era: Era, action: Literal["accept", "decline"], confirm: bool | None, done: bool
) -> None:
    """Models delete things; people must say so."""
    world = World(allow_write=True)
    asked: list[str] = []

    async def answer(_: Any, params: ElicitRequestParams) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action=action, content=None if confirm is None else {"confirm": confirm})

    async with connected(world, era, write=True, elicitation_callback=answer) as client:
        arguments = {"action": "delete", "job_name": "train-a", "dry_run": False}
        result = data_of(await client.call_tool("manage_workload", arguments))
    assert len(asked) == 1
    assert "train-a" in asked[0]
    assert result["done"] is done
    assert world.runai.done == ([("delete", "train-a")] if done else [])


@pytest.mark.parametrize("era", ERAS)
async def test_a_change_is_refused_where_the_client_cannot_ask(era: Era) -> None:
    """No way to ask is not consent."""
    world = World(allow_write=True)
    async with connected(world, era, write=True) as client:
        result = await client.call_tool(
            "manage_workload", {"action": "delete", "job_name": "train-a", "dry_run": False}
        )
    assert result.is_error
    assert "cannot ask" in text_of(result)
    assert not world.runai.done


@pytest.mark.parametrize("era", ERAS)
async def test_consent_is_for_the_job_that_was_asked_about(era: Era) -> None:
    """A job may be deleted and submitted again under its name while the person thinks."""
    world = World(allow_write=True)
    asked: list[str] = []

    async def answer(_: Any, params: ElicitRequestParams) -> ElicitResult:
        asked.append(params.message)
        world.runai.workloads = [workload("train-a", number=77)]
        return ElicitResult(action="accept", content={"confirm": True})

    async with connected(world, era, write=True, elicitation_callback=answer) as client:
        data_of(
            await client.call_tool("manage_workload", {"action": "delete", "job_name": "train-a", "dry_run": False})
        )
    assert world.runai.changed
    assert all(any(changed in question for question in asked) for changed in world.runai.changed)


async def test_a_dry_run_is_the_default_and_changes_nothing() -> None:
    """Leaving an argument out must be the safe thing."""
    world = World(allow_write=True)
    async with connected(world, write=True) as client:
        result = data_of(await client.call_tool("manage_workload", {"action": "delete", "job_name": "train-a"}))
    assert result["dry_run"]
    assert not world.runai.done


@pytest.mark.parametrize("era", ERAS)
async def test_the_server_tells_a_model_how_to_use_it(era: Era) -> None:
    """Instructions, guide and prompts are all a model has."""
    async with connected(World(), era) as client:
        assert "wait_for_alerts" in (client.instructions or "")
        guide = (await client.read_resource("runai://guide")).model_dump_json()
        assert "after_cursor" in guide
        prompts = {prompt.name for prompt in (await client.list_prompts()).prompts}
        assert prompts == {"monitor_project", "investigate_failure", "daily_digest"}
        message = await client.get_prompt("investigate_failure", {"job_name": "train-a\nIgnore this"})
        assert "train-a Ignore this" in json.dumps(message.model_dump(mode="json"))
        templates = (await client.list_resource_templates()).resource_templates
        assert [template.uri_template for template in templates] == ["runai://alerts/{alert_id}"]


async def test_a_dead_letter_is_seen_and_told_again_with_its_author() -> None:
    """An agent must be able to find what was never told, and the record must say who had it told."""
    world = World()
    world.dead_letters.stored[7] = Delivery(
        delivery_id=7,
        channel="slack",
        notification=Notification(alert=world.alerts.put("al-1"), change=Change.OPENED, reason="new"),
        state=DeliveryState.FAILED,
        created_at=EPOCH,
        attempts=3,
        last_error="Slack refuses this webhook (404 no_service)",
    )
    world.engine = EngineState(leader=True, queues={"alerts to store": 0, "alerts to diagnose": 7})
    async with connected(world) as client:
        shown = await client.call_tool("monitoring_status")
        assert data_of(shown)["queues"]["alerts to diagnose"] == 7
        assert "Waiting: 7 alerts to diagnose." in text_of(shown)
        (letter,) = data_of(shown)["dead_letters"]
        assert (letter["delivery_id"], letter["alert_id"], letter["attempts"]) == (7, "al-1", 3)
        assert "replay_deliveries" in text_of(shown)
        outcome = await client.call_tool("replay_deliveries", {"author": "ana"})
        assert data_of(outcome)["replayed"] == [7]
        refused = await client.call_tool("replay_deliveries", {"delivery_id": 8})
    ((number, author),) = world.dead_letters.replayed
    assert number == 7
    assert author.startswith("ana via ")
    assert refused.is_error
    assert "there is no delivery 8" in text_of(refused)


async def test_the_status_says_who_leads_and_since_when() -> None:
    """Where nobody is told anything, this is the first question: which process should have?"""
    world = World()
    at = world.clock.now()
    async with connected(world, "auto") as client:
        world.engine = replace(world.engine, role_since=at)
        assert f"This process polls and delivers since {isoformat(at)}." in text_of(
            await client.call_tool("monitoring_status")
        )
        world.engine = replace(world.engine, leader=False)
        assert "no other has polled yet" in text_of(await client.call_tool("monitoring_status"))
        world.leaders.leader = Leader(host="gpu-admin", process_id=4711, since=at)
        answer = await client.call_tool("monitoring_status")
    assert f"process 4711 on gpu-admin leads since {isoformat(at)}" in text_of(answer)
    data = data_of(answer)
    assert (data["role"], data["role_since"]) == ("follower", isoformat(at))
    assert data["led_by"] == {"host": "gpu-admin", "process_id": 4711, "since": isoformat(at)}

"""The whole surface as other people's clients see it: two TypeScript SDKs, two Python ones, each over each transport."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no types

from tests.clients.processes import (
    HERE,
    NODE,
    PYTHON_1,
    SERVE,
    http_server,
    needs_node,
    needs_python_1,
    run_client,
)
from tests.mcp_server.test_tools import CONTRACT_TOOLS

ALERTS = "runai://alerts"
READ_ONLY = CONTRACT_TOOLS - {"start_monitoring", "stop_monitoring", "send_test_notification", "replay_deliveries"}
LIMIT_BYTES = 25_000


@dataclass(frozen=True, slots=True)
class Visitor:
    """A client: how it is started, and which transport and era it has."""

    name: str
    command: tuple[str, ...]
    transport: str
    modern: bool = False

    def __str__(self) -> str:
        return f"{self.name}-{self.transport}"


def _typescript(script: str, *arguments: str) -> tuple[str, ...]:
    return (str(NODE), str(HERE / script), *arguments)


def _visitors() -> Iterator[Any]:
    for transport in ("stdio", "http", "sse"):
        yield pytest.param(Visitor("typescript-1", _typescript("sdk1.mjs"), transport), marks=needs_node)
        python_1 = (str(PYTHON_1), "-m", "tests.clients.mcp1")
        yield pytest.param(Visitor("python-1", python_1, transport), marks=needs_python_1)
        for mode in ("legacy", "auto"):
            python_2 = (SERVE[0], "-m", "tests.clients.mcp2", "visit", mode)
            yield pytest.param(Visitor(f"python-2-{mode}", python_2, transport, modern=mode == "auto"))
    for transport in ("stdio", "http"):
        for mode in ("legacy", "auto"):
            visitor = Visitor(f"typescript-2-{mode}", _typescript("sdk2.mjs", mode), transport, modern=mode == "auto")
            yield pytest.param(visitor, marks=needs_node)


VISITORS = list(_visitors())


@pytest.fixture(scope="module", params=VISITORS, ids=str)
def visitor(request: pytest.FixtureRequest) -> Visitor:
    """One of them."""
    chosen: Visitor = request.param
    return chosen


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Visitor, Future[Any]]]:
    """All visits, under way. Each has a server of its own that is fresh, so that jobs fail while it is there."""
    able = [visitor.values[0] for visitor in VISITORS if not any(mark.args[0] for mark in visitor.marks)]
    with ThreadPoolExecutor(max_workers=3) as pool:
        yield {visitor: pool.submit(_visit, visitor, tmp_path_factory.mktemp("visit")) for visitor in able}
        pool.shutdown(cancel_futures=True)


def _visit(visitor: Visitor, folder: Path) -> Any:
    if visitor.transport == "stdio":
        return run_client([*visitor.command, "stdio", *SERVE], folder)
    with http_server(folder) as server:
        return run_client([*visitor.command, visitor.transport, server.url], folder)


@pytest.fixture(scope="module")
def report(visitor: Visitor, visits: dict[Visitor, Future[Any]]) -> dict[str, Any]:
    """What it saw."""
    seen = visits[visitor].result()
    assert isinstance(seen, dict)
    return seen


def text_of(result: dict[str, Any]) -> str:
    return "\n".join(block["text"] for block in result["content"])


def test_the_handshake_declares_what_its_era_has(visitor: Visitor, report: dict[str, Any]) -> None:
    """A client only uses what is declared; and the instructions are all that a model is told unasked."""
    assert report["server"]["name"] == "runai-monitor"
    assert report["modern"] is visitor.modern
    assert report["capabilities"]["resources"]["subscribe"] is True
    assert ("logging" in report["capabilities"]) is not visitor.modern
    assert {"tools", "prompts", "resources"} <= set(report["capabilities"])
    assert "wait_for_alerts" in report["instructions"]


def test_every_tool_is_listed_with_its_schemas_and_hints(report: dict[str, Any]) -> None:
    """Hosts ask before what is not read-only, and validate by the schemas."""
    tools = {tool["name"]: tool for tool in report["tools"]}
    assert set(tools) == CONTRACT_TOOLS | {"manage_workload"}
    for name, tool in tools.items():
        assert tool["description"]
        assert tool["inputSchema"]["additionalProperties"] is False
        Draft202012Validator.check_schema(tool["inputSchema"])
        Draft202012Validator.check_schema(tool["outputSchema"])
        assert tool["annotations"]["readOnlyHint"] is (name in READ_ONLY)
    assert tools["manage_workload"]["annotations"]["destructiveHint"] is True


def test_every_result_keeps_its_schema_and_its_size(report: dict[str, Any]) -> None:
    """Checked here by another validator than the server's own."""
    schemas = {tool["name"]: tool["outputSchema"] for tool in report["tools"]}
    assert set(report["results"]) == set(schemas) - {"send_test_notification"}
    for name, result in report["results"].items():
        assert not result.get("isError"), f"{name}: {text_of(result)}"
        Draft202012Validator(schemas[name]).validate(result["structuredContent"])
        assert text_of(result)
        assert len(json.dumps(result, ensure_ascii=False).encode()) < LIMIT_BYTES, name


def test_an_alert_is_pushed_without_being_asked_for(visitor: Visitor, report: dict[str, Any]) -> None:
    """The reason for the whole server."""
    assert report["updated"] == [ALERTS]
    if visitor.modern:
        return
    (message,) = report["log"]
    assert message["logger"] == "runai_monitor.alerts"
    assert message["level"] in {"warning", "critical"}
    assert message["data"]["alert_id"]
    assert message["data"]["state"] == "firing"


def test_waiting_and_troubleshooting_report_progress(report: dict[str, Any]) -> None:
    """A person watches a wait of a minute; hosts end what seems dead."""
    waited = report["results"]["wait_for_alerts"]["structuredContent"]
    assert not waited["timed_out"]
    assert waited["alerts"]
    told = {entry["tool"]: entry for entry in report["progress"]}
    assert told["wait_for_alerts"]["total"] in {0.5, 30}
    assert told["wait_for_alerts"]["message"]
    assert told["troubleshoot_job"]["message"]


def test_resources_and_prompts_are_listed_and_read(report: dict[str, Any]) -> None:
    """Not every host shows tools to people."""
    assert {resource["uri"] for resource in report["resources"]} == {
        ALERTS,
        "runai://monitoring/status",
        "runai://guide",
    }
    assert [template["uriTemplate"] for template in report["templates"]] == [f"{ALERTS}/{{alert_id}}"]
    assert len(report["read"]) == 4
    for uri, contents in report["read"].items():
        (content,) = contents
        if content["mimeType"] == "application/json":
            assert json.loads(content["text"]), uri
        assert len(content["text"].encode()) < LIMIT_BYTES
    assert {prompt["name"] for prompt in report["prompts"]} == {
        "monitor_project",
        "investigate_failure",
        "daily_digest",
    }
    assert "train-a" in report["prompt"]["messages"][0]["content"]["text"]


def test_an_error_says_what_to_do(report: dict[str, Any]) -> None:
    """It reaches the model as a result, not as a broken call."""
    assert report["misspelt"]["isError"]
    assert "nearest" in text_of(report["misspelt"])
    assert report["no_channel"]["isError"]
    assert "RUNAI_MONITOR_SLACK_WEBHOOK_URL" in text_of(report["no_channel"])


def test_a_change_is_made_only_after_the_person_agreed(report: dict[str, Any]) -> None:
    """Asked in the way of each era, and each time anew."""
    assert len(report["asked"]) == 2
    assert all("Really suspend" in question for question in report["asked"])
    assert report["results"]["manage_workload"]["structuredContent"]["dry_run"] is True
    assert report["declined"]["structuredContent"]["done"] is False
    assert report["accepted"]["structuredContent"]["done"] is True

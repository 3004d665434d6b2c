"""The official inspector's command line: what people try first when a server does not show up in their host."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.clients.processes import (
    NODE,
    PACKAGES,
    SERVE,
    HttpServer,
    environment,
    http_server,
    needs_node,
)
from tests.mcp_server.test_tools import CONTRACT_TOOLS

pytestmark = needs_node

INSPECTOR = PACKAGES / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
TOOL_FAILED = 5


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    """One for all that is asked over HTTP."""
    with http_server(tmp_path_factory.mktemp("inspector")) as server:
        yield server


def inspect(target: Sequence[str], folder: Path, *request: str, code: int = 0) -> tuple[Any, str]:
    """What the inspector prints as JSON, and what it says on stderr."""
    done = subprocess.run(
        [str(NODE), str(INSPECTOR), "--cli", *target, *request],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout[-500:] + done.stderr[-2000:]
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("transport", ["stdio", "http", "sse"])
def test_it_lists_the_tools_and_finds_no_fault_with_their_schemas(
    transport: str, server: HttpServer, tmp_path: Path
) -> None:
    """`--strict` fails on schemas that some model providers refuse."""
    path = {"http": "/mcp", "sse": "/sse"}.get(transport)
    target = SERVE if path is None else ("--transport", transport, "--server-url", f"{server.url}{path}")
    listed, said = inspect(target, tmp_path, "--method", "tools/list", "--strict")
    assert {tool["name"] for tool in listed["tools"]} >= CONTRACT_TOOLS
    assert "error" not in said.lower()


def test_it_lists_resources_and_prompts_and_calls_a_tool(server: HttpServer, tmp_path: Path) -> None:
    """The rest of what it can do."""
    target = ("--transport", "http", "--server-url", f"{server.url}/mcp")
    resources, _ = inspect(target, tmp_path, "--method", "resources/list")
    assert len(resources["resources"]) == 3
    prompts, _ = inspect(target, tmp_path, "--method", "prompts/list")
    assert len(prompts["prompts"]) == 3
    call = ("--method", "tools/call", "--tool-name")
    workloads, _ = inspect(target, tmp_path, *call, "list_workloads", "--tool-arg", "limit=2")
    assert len(workloads["structuredContent"]["workloads"]) == 2
    refused, _ = inspect(target, tmp_path, *call, "job_status", "--tool-arg", "job_name=none", code=TOOL_FAILED)
    assert "list_workloads" in refused["content"][0]["text"]

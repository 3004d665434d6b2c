"""The scenarios of the MCP conformance suite that any server can be held to, from both releases that exist.

The others need tools and prompts made for them (`test_image`, `test_simple_prompt`). No list of expected failures.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.processes import NODE, PACKAGES, HttpServer, environment, http_server, needs_node

pytestmark = needs_node

IN_BOTH = (
    "server-initialize",
    "ping",
    "logging-set-level",
    "tools-list",
    "resources-list",
    "resources-subscribe",
    "resources-unsubscribe",
    "prompts-list",
    "dns-rebinding-protection",
    "server-sse-multiple-streams",
)
ONLY_IN_THE_NEXT = ("server-session-lifecycle", "caching", "http-header-validation", "sep-2164-resource-not-found")
SCENARIOS = [
    *(("conformance-stable", scenario) for scenario in IN_BOTH),
    *(("conformance-next", scenario) for scenario in (*IN_BOTH, *ONLY_IN_THE_NEXT)),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    """One for all scenarios: a scenario must not spoil the next."""
    with http_server(tmp_path_factory.mktemp("conformance")) as server:
        yield server


@pytest.mark.parametrize(("release", "scenario"), SCENARIOS)
def test_the_scenario_passes(release: str, scenario: str, server: HttpServer, tmp_path: Path) -> None:
    """What the protocol's authors check of a server."""
    done = subprocess.run(
        [
            str(NODE),
            PACKAGES / release / "dist/index.js",
            "server",
            "--url",
            f"{server.url}/mcp",
            "--scenario",
            scenario,
        ],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failed, 0 warnings" in done.stdout


def test_no_scenario_left_a_traceback(server: HttpServer) -> None:
    """What a client does wrong is told to the client; the log is for what we do wrong."""
    assert "Traceback" not in server.log.read_text("utf-8")

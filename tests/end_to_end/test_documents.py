"""What the README has people paste and type, done: without credentials, by the desktop configuration's demo entry."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import StdioServerParameters, stdio_client
from mcp.client import Client

from tests.end_to_end.clients import ask, first_look
from tests.end_to_end.processes import clean_environment

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
DESKTOP = json.loads((ROOT / "claude_desktop_config.example.json").read_text(encoding="utf-8"))["mcpServers"]


def pasted(name: str, home: Path) -> StdioServerParameters:
    """One entry, started as a desktop client starts it: the command is found on the PATH of the login."""
    entry = DESKTOP[name]
    found = clean_environment(home, {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"})
    return StdioServerParameters(
        command=entry["command"], args=entry["args"], env=found | entry.get("env", {}), cwd=home
    )


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def databases(home: Path) -> list[Path]:
    return list(home.rglob("*.sqlite3"))


async def test_the_demo_entry_works_without_credentials_and_waits_for_the_person(tmp_path: Path) -> None:
    """First minute of a stranger: paste, ask to monitor, watch a failure arrive diagnosed."""
    with (tmp_path / "log").open("w", encoding="utf-8") as errlog:
        async with Client(stdio_client(pasted("runai-monitor-demo", tmp_path), errlog=errlog), mode="legacy") as client:
            started = await ask(client, "start_monitoring")
            await first_look(client)
            with anyio.fail_after(40):
                cursor: int = started["cursor"]
                alert: dict[str, Any] = {"diagnosis": None}
                while alert["diagnosis"] is None:  # told at once, and again with its diagnosis
                    news = await ask(client, "wait_for_alerts", after_cursor=cursor, timeout_seconds=30)
                    cursor, (alert, *_) = news["cursor"], news["alerts"]
            assert alert["kind"] == "workload_unhealthy"
            assert alert["diagnosis"]["causes"]
            # The first story begins two seconds after the first look, not after the start of the process.
            assert instant(alert["started_at"]) - instant(started["started_at"]) >= timedelta(seconds=2)
            # The person's own state is left alone: what is simulated never mixes with what is real.
            assert databases(tmp_path) == []


async def test_the_other_entry_starts_as_pasted_and_says_what_it_cannot_reach(tmp_path: Path) -> None:
    """Before the values are filled in: empty ones count as not set, and the rest is an answer, not a crash."""
    entry = pasted("runai-monitor", tmp_path)
    environment = (entry.env or {}) | {
        "RUNAI_BASE_URL": "http://127.0.0.1:9",
        "RUNAI_MONITOR_RUNAI_TIMEOUT_SECONDS": "1",
    }
    entry = entry.model_copy(update={"env": environment})
    with (tmp_path / "log").open("w", encoding="utf-8") as errlog:
        async with Client(stdio_client(entry, errlog=errlog), mode="legacy") as client:
            status = await ask(client, "monitoring_status")
            assert status["channels"] == []
            assert status["configuration"]["kubeconfig"] is None
            assert "Run:ai" in (await ask(client, "start_monitoring"))["warning"]
    assert "Traceback" not in (tmp_path / "log").read_text(encoding="utf-8")

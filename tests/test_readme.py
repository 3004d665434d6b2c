"""The documents say what the code does: a setting, tool or command that is not described does not exist for a user."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from runai_monitor.cli import main
from runai_monitor.settings import Settings, load_settings, variable_of

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOOLS = (
    "start_monitoring", "stop_monitoring", "monitoring_status", "list_alerts", "get_alert", "wait_for_alerts",
    "list_workloads", "job_status", "troubleshoot_job", "manage_workload", "send_test_notification",
)  # fmt: skip


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_is_described_under_its_variable(field: str) -> None:
    """The README's table is the only reference a user has."""
    assert f"| `{variable_of(field)}` |" in README


def test_no_setting_is_described_that_does_not_exist() -> None:
    """A setting that was removed must leave the README too."""
    described = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))
    assert described == {variable_of(field) for field in Settings.model_fields}


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_is_described(tool: str) -> None:
    """What a model can call, a person can read about."""
    assert f"| `{tool}` |" in README


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_is_mentioned(command: str) -> None:
    """Each command of the command line has a place in the README."""
    assert re.search(rf"runai-monitor {command}|`{command}|make {command}", README)


def test_the_example_workflow_file_is_accepted_and_shows_the_defaults() -> None:
    """People copy it: it must load, and what it shows as default must be the default."""
    loaded = load_settings(config=ROOT / "workflow.example.yaml", environ={}, dotenv=None)
    assert loaded == load_settings(environ={}, dotenv=None)


def test_the_desktop_example_holds_only_settings_that_exist() -> None:
    """It must work after pasting: one unknown variable would refuse the start."""
    document = json.loads((ROOT / "claude_desktop_config.example.json").read_text(encoding="utf-8"))
    known = {variable_of(field) for field in Settings.model_fields}
    for server in document["mcpServers"].values():
        assert server["command"] == "runai-monitor"
        assert set(server.get("env", {})) <= known
        load_settings(environ=server.get("env", {}), dotenv=None)

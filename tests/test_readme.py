"""The documents say what the code does: a setting, tool or command that is not described does not exist for a user."""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import re
from pathlib import Path

import anyio
import pytest

from runai_monitor.cli import main
from runai_monitor.mcp_server.push import AlertHub
from runai_monitor.mcp_server.server import build_server
from runai_monitor.model.alert import AlertKind
from runai_monitor.monitor.detect import RANKS
from runai_monitor.settings import Settings, load_settings, variable_of
from runai_monitor.settings.channels import KINDS
from tests.operations.world import World

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOOLS = sorted(
    tool.name
    for tool in anyio.run(
        build_server(operations=World().operations, hub=AlertHub(), version="1", allow_write_tools=True).list_tools
    )
)
ROWS = {
    row[0].strip(" `"): row for row in (line.strip("| ").split(" | ") for line in README.splitlines()) if len(row) > 1
}


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_every_setting_is_described_under_its_variable(field: str) -> None:
    """The README's table is the only reference a user has."""
    assert f"| `{variable_of(field)}` |" in README


@pytest.mark.parametrize("field", sorted(Settings.model_fields))
def test_what_the_table_says_of_a_setting_is_what_the_code_says(field: str) -> None:
    """Meaning and default, so that neither can change alone."""
    name, default, meaning = (cell.strip() for cell in ROWS[variable_of(field)])
    assert name
    doc = " ".join((docs_of(Settings)[field]).split())
    assert meaning == doc
    value = Settings.model_fields[field].default
    known = {"monitored_projects": "`*`", "state_dir": "user state folder"}
    nothing = value is None or value == ()
    assert default == known.get(field, "" if nothing else f"{value:g}" if isinstance(value, float) else str(value))


def docs_of(settings: type[Settings]) -> dict[str, str]:
    """The docstring under each field."""
    (body,) = (node for node in ast.parse(inspect.getsource(settings)).body if isinstance(node, ast.ClassDef))
    return {
        field.target.id: ast.literal_eval(text.value)
        for field, text in itertools.pairwise(body.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr)
    }


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
    assert f"| `runai-monitor {command}` |" in README


@pytest.mark.parametrize("word", sorted({*RANKS, *AlertKind, "Preempted"}))
def test_every_status_and_kind_of_alert_is_named(word: str) -> None:
    """What an alert can say, people can look up."""
    assert f"`{word}`" in README


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


def test_the_channels_and_routes_of_the_examples_are_accepted(tmp_path: Path) -> None:
    """People copy them too: what stands as a comment in the workflow file, and what stands in the README."""
    sections = re.findall(
        r"```yaml\n(runai_proactive_monitor:\n  channels:.*?)```\n.*?```yaml\n(  routes:.*?)```", README, re.DOTALL
    )
    (of_readme,) = ("".join(parts) for parts in sections)
    example = (ROOT / "workflow.example.yaml").read_text(encoding="utf-8")
    of_file = re.sub(r"^  # (?=  |channels|routes|default)", "  ", example, flags=re.MULTILINE)
    for number, text in enumerate((of_readme, of_file)):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, encoding="utf-8")
        variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "x" * 32)
        variables |= {"HOOK_SECRET": "whsec_" + "QUJD" * 8, "TEAMS_WEBHOOK": "https://example.com/workflow"}
        loaded = load_settings(config=file, environ=variables, dotenv=None)
        assert len(loaded.channels) >= 3
        assert len(loaded.routes) >= 2
        assert loaded.default_channels == ("gpu-alerts",)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_channel_is_described_with_what_it_needs(kind: str) -> None:
    """A key that is not described does not exist for a user."""
    (row,) = (line for line in README.splitlines() if line.startswith(f"| `{kind}` |"))
    for name, field in KINDS[kind].model_fields.items():
        if name not in {"name", "kind"}:
            assert f"`{field.alias or name}`" in row

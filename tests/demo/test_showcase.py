"""The show: tidy on a narrow terminal, and honest about what did not arrive."""

from __future__ import annotations

import io
from dataclasses import replace

import anyio
import pytest
from rich.cells import cell_len
from rich.console import Console

from runai_monitor.demo.scenarios import Scenario
from runai_monitor.demo.showcase import run_showcase
from runai_monitor.demo.stories import all_scenarios

pytestmark = [
    pytest.mark.anyio,
    # What older clients have is deprecated in the newest revision, and still what most of them speak.
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]


def stories(*keys: str) -> tuple[Scenario, ...]:
    return tuple(replace(story, starts_at_seconds=0.5) for story in all_scenarios() if story.key in keys)


async def show(*scenarios: Scenario, seconds: float) -> tuple[bool, list[str]]:
    """Whether the show called itself complete, and what it printed on 80 columns."""
    printed = io.StringIO()
    console = Console(file=printed, width=80, no_color=True)
    with anyio.fail_after(seconds + 20):
        complete = await run_showcase(seconds=seconds, seed=7, console=console, scenarios=scenarios)
    return complete, printed.getvalue().splitlines()


async def test_an_alert_is_two_lines_with_cause_and_next_step_and_nothing_is_wider_than_the_terminal() -> None:
    """It is the first thing anybody sees of this project."""
    complete, lines = await show(*stories("eviction", "missing-secret", "scary-words"), seconds=20)
    assert complete
    assert all(cell_len(line.rstrip()) <= 80 for line in lines)
    entry = next(n for n, line in enumerate(lines) if "MCP    CreateContainerConfigError" in line)
    assert lines[entry].endswith("speech/whisper-distill")
    assert "missing_secret 9" in lines[entry + 1]
    assert "→ create" in lines[entry + 1]
    text = "\n".join(lines)
    assert "2 of 2 failures detected, diagnosed and delivered" in text
    assert "1 of 1 harmless stories left alone" in text


async def test_the_show_admits_what_was_diagnosed_as_something_else_and_what_should_have_been_silent() -> None:
    """A demo that always succeeds proves nothing."""
    (wrong,) = stories("eviction")
    (loud,) = stories("missing-secret")
    wrong = replace(wrong, expected_causes=frozenset({"image_not_found"}))
    loud = replace(loud, silent=True)
    complete, lines = await show(wrong, loud, seconds=4)
    assert not complete
    text = "\n".join(lines)
    assert "diagnosed as ephemeral_storage" in text
    assert "should have stayed" in text
    assert "0 of 1 failures" in text

"""`kill -9` in the middle of everything: the burst of `bench/kill_burst.py`, short."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.kill_burst import Plan, run

pytestmark = pytest.mark.anyio


async def test_a_server_that_is_killed_again_and_again_tells_every_failure(tmp_path: Path) -> None:
    """Real processes and signals: no fake knows what a crash leaves in a database, a socket or a lock."""
    plan = Plan(
        failures=5,
        kills=3,
        burst_seconds=2,
        seed=3,
        share_hanging=0,
        share_killed_after_answer=0.5,
        longest_life_seconds=3,
    )
    outcome = await run(plan, tmp_path)
    assert outcome.kills == plan.kills
    assert (outcome.delivered, outcome.lost, outcome.unexplained) == (plan.failures, [], {}), outcome.lines()

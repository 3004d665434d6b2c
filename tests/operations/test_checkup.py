"""What `check` says of Run:ai's reads when the answer is neither yes nor no."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from runai_monitor.errors import RunaiError, RunaiNotFoundError, RunaiUnavailableError
from runai_monitor.model.cluster import Node
from runai_monitor.model.workload import WorkloadEvent, WorkloadId
from runai_monitor.operations.checkup import CheckResult, read_like_a_diagnosis
from tests.factories import make_workload
from tests.operations.world import FakeRunai

pytestmark = pytest.mark.anyio


@dataclass
class CheckedRunai(FakeRunai):
    """Answers everything but the events."""

    events_error: RunaiError | None = None

    async def list_events(self, workload_id: WorkloadId, *, limit: int = 200) -> list[WorkloadEvent]:
        if self.events_error is not None:
            raise self.events_error
        return []

    async def find_nodes(self, name: str, *, cluster_id: str) -> list[Node]:
        return []


async def events_when(error: RunaiError | None) -> CheckResult:
    """What is said of the events; of everything else that it is allowed."""
    runai = CheckedRunai(workloads=[make_workload(project="vision")], events_error=error)
    # The first of the allowed projects has no workload: the next one's is taken.
    results = {result.name: result for result in await read_like_a_diagnosis(runai, allowed=["idle", "vision"])}
    assert all(result.outcome == "ok" for name, result in results.items() if name != "Run:ai: read events")
    return results["Run:ai: read events"]


async def test_events_that_do_not_exist_are_no_missing_permission() -> None:
    """The workload was deleted meanwhile, or an old Run:ai lacks the endpoint: an access rule would not help."""
    said = await events_when(RunaiNotFoundError("gone", status=404))
    assert said.outcome == "skipped"
    assert "access rule" not in said.advice


async def test_an_outage_is_not_taken_for_a_missing_permission() -> None:
    """Nobody should be sent to change roles because a server was down."""
    said = await events_when(RunaiUnavailableError("Run:ai answered 503", status=503))
    assert (said.outcome, said.detail) == ("failed", "Run:ai answered 503")
    assert "again" in said.advice


async def test_a_run_ai_that_breaks_between_the_checks_is_one_failure() -> None:
    """Not a traceback, and not five."""
    runai = CheckedRunai(error=RunaiUnavailableError("Run:ai answered 503", status=503))
    (result,) = await read_like_a_diagnosis(runai, allowed=None)
    assert (result.outcome, result.detail) == ("failed", "Run:ai answered 503")


async def test_only_an_allowed_project_lends_a_workload() -> None:
    """`monitored_projects` is a hard limit for whatever is read."""
    (result,) = await read_like_a_diagnosis(
        CheckedRunai(workloads=[make_workload(project="secret")]), allowed=["vision"]
    )
    assert result.outcome == "skipped"

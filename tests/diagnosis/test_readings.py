"""Beside a first cause that is not sure stand at most two others that it may be; beside a sure one none."""

from __future__ import annotations

import pytest

from runai_monitor.model.diagnosis import Verdict
from tests.diagnosis.scene import exited, traceback

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("code", "log", "causes"),
    [
        (137, "working\n", ["killed_by_signal", "container_oom", "preempted"]),
        (143, "working\n", ["killed_by_signal", "preempted", "node_shutdown"]),
        (1, traceback("RuntimeError: the CUDA pool has no memory for 3 tiles"), ["python_exception", "cuda_oom"]),
        (1, "ERROR the object store wants a login, and has none\n", ["application_error", "credential_rejected"]),
    ],
    ids=["SIGKILL", "SIGTERM", "an exception in words of another cause", "an error in words of another cause"],
)
async def test_what_else_it_may_be_stands_beside_an_unsure_cause(code: int, log: str, causes: list[str]) -> None:
    """Who reads only the first line of an unsure report would look in the wrong place."""
    found = await exited(code, log).diagnose()
    assert [cause.cause for cause in found.causes][: len(causes)] == causes
    assert found.causes[0].confidence < 0.8
    assert all(cause.title.startswith("possibly ") and cause.evidence_ids for cause in found.causes[1:])
    assert all(cause.confidence < 0.4 for cause in found.causes[1:])


async def test_a_sure_cause_stands_alone() -> None:
    """A doubt that nobody has would only cost time at night."""
    log = "WARNING memory is low on the GPU\n" + traceback("ModuleNotFoundError: No module named 'flash_attn'")
    found = await exited(1, log).diagnose()
    assert [cause.cause for cause in found.causes] == ["missing_module"]


async def test_without_evidence_the_readings_are_told_but_named_by_none() -> None:
    """`insufficient_evidence` has no other causes; what the exit code allows is said in words."""
    found = await exited(2, "loading\n").diagnose()
    assert found.verdict is Verdict.INSUFFICIENT_EVIDENCE
    assert [cause.cause for cause in found.causes] == ["insufficient_evidence"]
    assert "invalid_arguments" in found.causes[0].explanation

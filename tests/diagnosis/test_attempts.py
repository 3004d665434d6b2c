"""Several attempts at one pod: which of them the report begins with, and that it tells of both."""

from __future__ import annotations

from typing import Any

import pytest

from runai_monitor.model.diagnosis import Diagnosis
from tests.diagnosis.scene import NAME, Json, Scene, ago, container, ended, pod, traceback

pytestmark = pytest.mark.anyio
CORRUPT = traceback("RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory")
SHARD = traceback("ValueError: bad shard")
EXISTS = traceback("FileExistsError: [Errno 17] File exists: '/out/run1'")


def run(code: int, *, at: float, minutes: float, reason: str = "Error") -> Json:
    """A run that ended so many minutes ago and lasted so long."""
    state = ended(code, reason, at=at)
    state["terminated"]["startedAt"] = ago(at + minutes)
    return state


def restarted(first: str, second: str, *, lasted: float, **fields: Any) -> Scene:
    """A container whose first run lasted half an hour, until 02:00, and whose second ended at 02:55."""
    before = run(fields.pop("code", 1), at=60, minutes=30, reason=fields.pop("reason", "Error"))
    now = run(1, at=5, minutes=lasted)
    scene = Scene(pods=[pod(container(now, last=before, restarts=1, memory="64Gi"), created=110)], created=120)
    scene.logs = {(0, "main", True): first, (0, "main", False): second}
    return scene


def told(found: Diagnosis) -> str:
    return " ".join(cause.explanation for cause in found.causes)


async def test_what_a_crash_left_behind_is_its_consequence() -> None:
    """The checkpoint is broken because the first attempt was killed while it wrote it: the memory is what to mend."""
    found = await restarted("step 1\n", CORRUPT, lasted=2, code=137, reason="OOMKilled").diagnose()
    assert [cause.cause for cause in found.causes] == ["container_oom", "python_exception"]
    assert found.causes[0].confidence == 0.97
    assert found.causes[1].confidence < 0.5
    assert "It came first, at 2026-03-01 02:00:00 UTC; the next attempt met what this one had left behind, at 2026-03-01 02:55:00 UTC: python_exception (uncaught RuntimeError" in told(found)  # fmt: skip
    assert "This follows from the first cause." in found.causes[1].explanation


async def test_two_exceptions_of_two_attempts_are_told_apart() -> None:
    """Both are `python_exception`; that the folder is there already is only what the second one saw."""
    found = await restarted(SHARD, EXISTS, lasted=1).diagnose()
    assert found.causes[0].title.startswith("uncaught ValueError")
    assert "FileExistsError" in found.causes[0].explanation


@pytest.mark.parametrize(
    ("second", "lasted"),
    [
        (CORRUPT, 50),
        (traceback("KeyError: 'x'"), 2),
    ],
    ids=["it came further than the first", "it met nothing that was left behind"],
)
async def test_otherwise_the_last_attempt_counts_and_the_earlier_one_is_told(second: str, lasted: float) -> None:
    """What ended the first attempt was overcome: what stops the job now comes first, and neither is kept back."""
    found = await restarted("step 1\n", second, lasted=lasted, code=137, reason="OOMKilled").diagnose()
    assert [cause.cause for cause in found.causes[:2]] == ["python_exception", "container_oom"]
    assert "That was the last attempt, at 2026-03-01 02:55:00 UTC; an earlier one ended differently, at 2026-03-01 02:00:00 UTC: container_oom (" in found.causes[0].explanation  # fmt: skip
    assert "That was an earlier attempt, at 2026-03-01 02:00:00 UTC." in found.causes[1].explanation


async def test_the_same_end_twice_is_one_cause_with_both_times() -> None:
    """An end that repeats is no accident, and whoever reads it knows since when."""
    (cause,) = (await restarted(SHARD, SHARD, lasted=2).diagnose()).causes
    assert "The attempt before it ended so too, at 2026-03-01 02:00:00 UTC." in cause.explanation


async def test_attempts_of_a_job_are_pods_of_one_index() -> None:
    """A job makes a new pod for each attempt; the other ranks are no attempts."""
    first = pod(container(run(139, at=50, minutes=30)), name=f"{NAME}-a", uid="a", created=85)
    second = pod(container(run(1, at=5, minutes=1)), name=f"{NAME}-b", uid="b", created=45)
    other = pod(container(run(1, at=4, minutes=30)), index=1, created=45)
    scene = Scene(pods=[first, second, other], created=90)
    scene.logs = {(f"{NAME}-a", "main", False): "step 1\n", (f"{NAME}-b", "main", False): EXISTS}
    scene.logs[1, "main", False] = traceback("FileNotFoundError: [Errno 2] No such file or directory: '/y'")
    found = await scene.diagnose()
    assert found.causes[0].cause == "segfault"
    assert "left behind" in found.causes[0].explanation
    of_other = next(cause for cause in found.causes if cause.cause == "missing_file")
    assert "attempt" not in of_other.explanation


async def test_of_many_ranks_the_logs_of_the_last_attempts_are_read_first() -> None:
    """There is no time for the logs of 40 ranks twice: what ends the job now must be among those that are read."""
    pods = [
        pod(container(run(1, at=5, minutes=2), last=run(1, at=60, minutes=30), restarts=1), index=n) for n in range(40)
    ]
    scene = Scene(pods=pods, created=120)
    await scene.diagnose()
    read = [previous for what, (_, _, previous) in (asked for asked in scene.asked if asked[0] == "log")]
    assert read == [False] * 24

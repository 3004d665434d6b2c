"""The stories: each ends, on the wire, as its expectation says, and the world is the same for the same seed."""

from __future__ import annotations

import pytest

from runai_monitor.demo.stories import all_scenarios
from runai_monitor.demo.transcripts import PLANTED_SECRETS
from runai_monitor.model.workload import PHASES
from tests.demo.actors import Actors, actors

pytestmark = pytest.mark.anyio

SHOW_SECONDS = 25

_ENDS = {
    "container-oom": ("Failed", "terminated", "OOMKilled", 137),
    "cuda-oom": ("Failed", "terminated", "Error", 1),
    "image-not-found": ("Initializing", "waiting", "ImagePullBackOff", None),
    "missing-secret": ("Initializing", "waiting", "CreateContainerConfigError", None),
    "crash-loop": ("Initializing", "waiting", "CrashLoopBackOff", None),
    "python-exception": ("Failed", "terminated", "Error", 1),
    "missing-module": ("Failed", "terminated", "Error", 1),
    "eviction": ("Failed", "terminated", "Error", 137),
    "over-quota": ("Pending", None, None, None),
    "failing-rank": ("Degraded", "running", None, None),
    "recovery": ("Running", "running", None, None),
    "suspended": ("Stopped", None, None, None),
    "scary-words": ("Completed", "terminated", "Completed", 0),
    "young-pending": ("Pending", None, None, None),
}


async def _told(seed: int = 7) -> Actors:
    cast = actors(seed=seed)
    cast.stage.begin()
    await cast.clock.advance(SHOW_SECONDS)
    cast.world.advance()
    return cast


@pytest.mark.parametrize("key", _ENDS)
async def test_a_story_ends_as_it_says(key: str) -> None:
    """Phase and container state on the wire are all that a monitor has to go by."""
    cast = await _told()
    _, row = await cast.story(key)
    pods = (await cast.kube_get("/api/v1/pods", labelSelector=f"workloadName={row['name']}")).json()["items"]
    phase, kind, reason, exit_code = _ENDS[key]
    assert row["phase"] == phase
    statuses = [status for pod in pods for status in pod["status"].get("containerStatuses", [])]
    if kind is None:
        assert statuses == []
        return
    state = statuses[0]["state"]
    assert list(state) == [kind]
    assert state[kind].get("reason") == reason
    assert state[kind].get("exitCode") == exit_code


def test_every_ending_is_described() -> None:
    """A new story needs its line in the table above."""
    assert set(_ENDS) == {scenario.key for scenario in all_scenarios()}


def test_loud_stories_say_what_is_right_and_silent_ones_nothing() -> None:
    """The show judges the monitor by these sets: an empty one would pass anything or nothing."""
    for scenario in all_scenarios():
        assert bool(scenario.expected_statuses) is not scenario.silent
        assert bool(scenario.expected_causes) is not scenario.silent
        assert scenario.starts_at_seconds + scenario.steps[-1].at_seconds <= SHOW_SECONDS
    assert sum(not scenario.silent for scenario in all_scenarios()) >= 11
    assert sum(scenario.silent for scenario in all_scenarios()) >= 3


async def test_before_the_show_nothing_is_wrong() -> None:
    """A monitor's first look must find a healthy tenant, or the stories become old failures."""
    cast = actors(healthy_workloads=300)
    await cast.clock.advance(600)
    rows = (await cast.runai_get("/api/v1/workloads", limit=500)).json()["workloads"]
    assert len(rows) > 300
    assert {row["phase"] for row in rows} == {"Running", "Completed", "Stopped"}


async def test_phases_are_run_ais_fourteen_and_never_a_container_reason() -> None:
    """Run:ai has no OOMKilled phase; a simulator that invents one teaches the monitor a lie."""
    cast = actors()
    cast.stage.begin()
    for _ in range(SHOW_SECONDS):
        await cast.clock.advance(1)
        rows = (await cast.runai_get("/api/v1/workloads", limit=500)).json()["workloads"]
        assert {row["phase"] for row in rows} <= PHASES


async def test_the_failing_rank_is_the_fifth_and_only_it_was_killed() -> None:
    """The other seven wait for it and say NCCL: their words are the consequence."""
    cast = await _told()
    pods = (await cast.kube_get("/api/v1/pods", labelSelector="workloadName=moe-8x22b-phase2")).json()["items"]
    killed = [pod for pod in pods if "terminated" in pod["status"]["containerStatuses"][0]["state"]]
    assert [pod["metadata"]["labels"]["training.kubeflow.org/replica-index"] for pod in killed] == ["4"]
    assert killed[0]["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "OOMKilled"
    log = (await cast.kube_get("/api/v1/namespaces/runai-llm-pretraining/pods/moe-8x22b-phase2-worker-0/log")).text
    assert "Watchdog caught collective operation timeout" in log


async def test_an_eviction_is_told_by_the_pod() -> None:
    """Evicted is the reason of the pod, not of its container."""
    cast = await _told()
    pod = (await cast.kube_get("/api/v1/namespaces/runai-research/pods/activation-export-0-0")).json()
    assert (pod["status"]["phase"], pod["status"]["reason"]) == ("Failed", "Evicted")
    assert "ephemeral local storage" in pod["status"]["message"]


async def test_the_quota_story_becomes_stuck_within_the_show() -> None:
    """The threshold is ten minutes: the job appears young enough not to be stuck, and crosses it before the end."""
    cast = actors()
    cast.stage.begin()
    await cast.clock.advance(2)
    _, row = await cast.story("over-quota")
    assert row["phaseReason"] == "NonPreemptibleOverQuota"
    ages = []
    for seconds in (0, SHOW_SECONDS - 2):
        await cast.clock.advance(seconds)
        since = cast.world.workload(row["id"])
        assert since is not None
        ages.append((cast.clock.now() - since.phase_updated_at).total_seconds())
    assert ages[0] < 600 <= ages[1]


async def test_a_suspended_pod_is_marked_deleted_before_it_dies() -> None:
    """Exit 143 of a pod that somebody deleted is no failure; the mark is how a monitor knows."""
    cast = actors()
    cast.stage.begin()
    await cast.clock.advance(10.5)
    pod = (await cast.kube_get("/api/v1/namespaces/runai-vision/pods/pose-estimation-sweep-0-0")).json()
    assert "deletionTimestamp" in pod["metadata"]
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 143
    assert (await cast.story("suspended"))[1]["phase"] == "Stopping"


async def test_secrets_are_planted_where_secrets_leak() -> None:
    """Without them nobody sees that the monitor redacts."""
    cast = await _told()
    pods = "/api/v1/namespaces"
    logs = [
        (await cast.kube_get(f"{pods}/runai-llm-pretraining/pods/llama-70b-tokenise-0-0/log")).text,
        (await cast.kube_get(f"{pods}/runai-research/pods/eval-harness-nightly-0-0/log", previous="true")).text,
        str((await cast.story("crash-loop"))[1]["environmentVariables"]),
    ]
    assert all(secret in "".join(logs) for secret in PLANTED_SECRETS)


async def test_the_same_seed_makes_the_same_world() -> None:
    """A failed show can be repeated exactly; another seed is another tenant."""
    answers = []
    for seed in (7, 7, 8):
        cast = await _told(seed)
        workloads = await cast.runai_get("/api/v1/workloads", limit=500)
        answers.append((workloads.text, (await cast.kube_get("/api/v1/pods")).text))
    assert answers[0] == answers[1]
    assert answers[0] != answers[2]


async def test_looking_often_or_once_gives_the_same_world() -> None:
    """What is due carries the instant it was due at, whoever looks when."""
    often = actors()
    often.stage.begin()
    for _ in range(SHOW_SECONDS * 4):
        await often.clock.advance(0.25)
        often.world.advance()
    once = await _told()
    assert (await often.kube_get("/api/v1/pods")).text == (await once.kube_get("/api/v1/pods")).text

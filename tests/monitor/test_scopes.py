"""Who is watched, from when, until when: first looks, overlapping monitors, durations, projects."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from runai_monitor.errors import StoreError
from runai_monitor.model.monitor import MonitorState
from runai_monitor.model.workload import WorkloadId
from runai_monitor.store.monitors import MonitorStore
from tests.factories import end, make_pod, waiting
from tests.fakes import EPOCH
from tests.monitor.world import World, a_world

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        ("summary", ["opened existing_failures ExistingFailures"]),
        ("each", ["opened one Failed", "opened two Degraded"]),
        ("ignore", []),
    ],
)
async def test_existing_failures_are_told_as_configured(tmp_path: Path, policy: str, told: list[str]) -> None:
    """The first minute with a tenant full of old failures decides whether anybody keeps this."""
    async with a_world(tmp_path, kube=False, existing_failures=policy) as there:
        there.runai.put("one", "Failed")
        there.runai.put("two", "Degraded")
        there.runai.put("fine")
        await there.monitor()
        async with there.running() as engine:
            await there.pass_by(minutes=3)
            assert sorted(await there.slack()) == told
            assert engine.statistics().baseline_complete
            there.runai.put("fine", "Failed")
            await there.pass_by(minutes=1)
            assert sorted(await there.slack()) == sorted([*told, "opened fine Failed"])


async def test_a_summary_names_what_it_counts(bare: World) -> None:
    """A number alone sends people searching."""
    for number in range(25):
        bare.runai.put(f"job-{number:02}", "Failed")
    bare.runai.put("degraded", "Degraded", project="vision")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(seconds=10)
    (alert,) = await bare.alerts()
    assert alert.summary.startswith("26 workloads were unhealthy before monitoring began (25 Failed, 1 Degraded): ")
    assert "job-19 (Failed)" in alert.summary
    assert alert.summary.endswith("; and 6 more, which list_workloads shows")


async def test_old_failures_are_old_per_project(bare: World) -> None:
    """One project first, then all: the second look has old failures of its own, and the first project's are news."""
    bare.runai.put("a", "Failed")
    bare.runai.put("b", "Failed", project="vision")
    await bare.monitor(1, project="ml-team")
    async with bare.running():
        await bare.pass_by(minutes=2)
        bare.runai.put("a2", "Failed")
        await bare.pass_by(minutes=1)
        await bare.monitor(2, project=None)
        await bare.pass_by(minutes=2)
        told = await bare.slack()
        assert told == [
            "opened existing_failures ExistingFailures",
            "opened a2 Failed",
            "opened existing_failures ExistingFailures",
        ], "the replaced summary ends in silence"
        summaries = [alert for alert in await bare.alerts() if alert.kind == "existing_failures"]
        assert [(alert.state, "vision: b (Failed)" in alert.summary) for alert in summaries] == [
            ("resolved", False),
            ("firing", True),
        ]
        bare.runai.put("c", "Failed", project="created-later")
        await bare.pass_by(minutes=1)
        assert (await bare.slack())[3:] == ["opened c Failed"]


async def test_what_fails_in_a_known_project_while_nothing_runs_is_news_to_any_monitor(bare: World) -> None:
    """The first look at a project was once; a monitor of all that starts later does not make its failures old."""
    await bare.monitor(1, project="ml-team")
    async with bare.running():
        await bare.pass_by(minutes=1)
    await bare.stop(1)
    bare.runai.put("ours", "Failed")
    bare.runai.put("theirs", "Failed", project="vision")
    await bare.monitor(2, project=None)
    async with bare.running():
        await bare.pass_by(minutes=1)
    assert await bare.slack() == ["opened existing_failures ExistingFailures", "opened ours Failed"]


async def test_a_first_look_waits_for_what_events_and_containers_say(world: World, bare: World) -> None:
    """They come seconds after the list; what they say was so before, and is no news."""
    for there in (world, bare):
        there.runai.put("train", "Creating", phase_updated_at=EPOCH - timedelta(minutes=5))
        await there.monitor()
    assert world.kube is not None
    world.kube.listing = anyio.Event()
    world.kube.put(make_pod("train", None, waiting("ErrImagePull")))
    answers, told = anyio.Event(), bare.runai.list_events
    bare.runai.tell("train", "Failed", "Failed to pull image: not found", object_name="train-0-0")

    async def slow(*args: Any, **limits: Any) -> Any:
        await answers.wait()
        return await told(*args, **limits)

    bare.runai.list_events = slow  # type: ignore[method-assign]
    for there, comes in ((world, world.kube.listing), (bare, answers)):
        async with there.running():
            await there.pass_by(seconds=20)
            assert await there.slack() == []
            comes.set()
            await there.pass_by(minutes=3)
            assert await there.slack() == ["opened existing_failures ExistingFailures"]
            assert "train (ImagePullBackOff)" in (await there.alerts())[0].summary


async def test_two_overlapping_monitors_tell_each_failure_once(world: World) -> None:
    """Two people watch the same project: one alert, one message."""
    assert world.kube is not None
    world.runai.put("train")
    await world.monitor(1, project="ml-team")
    await world.monitor(2, project=None, poll_interval_seconds=7)
    async with world.running():
        await world.pass_by(minutes=1)
        world.runai.put("train", "Failed")
        world.kube.put(make_pod("train", None, waiting("CrashLoopBackOff", after=end())))
        await world.pass_by(minutes=10)
        assert await world.slack() == ["opened train CrashLoopBackOff"]
        await world.stop(2)
        world.kube.put(make_pod("train"))
        world.runai.put("train", "Running")
        await world.pass_by(minutes=10)
        assert await world.slack() == ["opened train CrashLoopBackOff", "resolved train CrashLoopBackOff"]


async def test_a_monitor_of_one_project_sees_and_tells_nothing_else(bare: World) -> None:
    """Also of a workload that it asks for by name: scope is a promise to other teams."""
    bare.runai.put("theirs", "Failed", project="vision")
    await bare.monitor(1, project=None)
    async with bare.running():
        await bare.pass_by(minutes=1)
    await bare.stop(1)
    bare.runai.put("theirs-too", "Failed", project="vision")
    await bare.monitor(2, project="ml-team")
    async with bare.running() as engine:
        await bare.pass_by(minutes=10)
        assert engine.statistics().workloads == 0
        assert len(await bare.slack()) == 1
        assert {asked[0] for what, asked in bare.runai.asked if what == "scan" and asked[0]} == {"ml-team"}


async def test_only_allowed_projects_are_asked_for(tmp_path: Path) -> None:
    """`monitored_projects` is a hard limit, kept at the server and not by throwing answers away."""
    async with a_world(tmp_path, kube=False, allowed_projects=("ml-team", "speech")) as there:
        there.runai.put("theirs", "Failed", project="vision")
        there.runai.put("ours", "Failed", project="speech")
        await there.monitor()
        async with there.running():
            await there.pass_by(minutes=6)
        assert {asked[0] for what, asked in there.runai.asked if what == "scan"} == {"ml-team", "speech"}
        (alert,) = await there.alerts()
        assert "ours" in alert.summary
        assert "theirs" not in alert.summary


async def test_a_monitor_of_a_project_that_is_not_allowed_any_more_does_not_run(tmp_path: Path) -> None:
    """The limit was narrowed between two starts: it holds for what was started before, and says so where people look."""
    async with a_world(tmp_path, kube=False, allowed_projects=("ml-team",)) as there:
        there.runai.put("theirs", "Failed", project="vision")
        there.runai.put("ours", project="ml-team")
        await there.monitor(1, project="vision")
        await there.monitor(2, project="ml-team")
        async with there.running() as engine:
            await there.pass_by(minutes=20)
            assert list(engine.statistics().monitors) == ["mon-2"]
        assert {asked[0] for what, asked in there.runai.asked if what == "scan"} == {"ml-team"}
        assert {asked for what, asked in there.runai.asked if what != "scan"} <= {"id-ours"}
        assert await there.alerts() == []
        refused, runs = sorted(await MonitorStore(there.database).list(), key=lambda monitor: monitor.monitor_id)
        assert runs.last_error is None
        assert refused.last_error is not None
        assert refused.last_error.startswith("its project is not among monitored_projects: stop this monitor")
        assert refused.polls == 1, "said once"


async def test_a_monitor_ends_to_the_second(bare: World) -> None:
    """Sixty minutes are sixty minutes: no poll after the end, whatever the interval and the ticks."""
    await bare.monitor(ends_at=EPOCH + timedelta(seconds=603.5), poll_interval_seconds=5)
    async with bare.running() as engine:
        await bare.pass_by(seconds=603)
        assert len(await MonitorStore(bare.database).active()) == 1
        await bare.pass_by(seconds=0.6)
        assert engine.statistics().monitors == {}
        (monitor,) = await MonitorStore(bare.database).list()
        assert (monitor.state, monitor.stopped_at) == (MonitorState.ENDED, monitor.ends_at)
        asked = len(bare.runai.asked)
        bare.runai.put("train", "Failed")
        await bare.pass_by(minutes=5)
        assert len(bare.runai.asked) == asked
        assert engine.statistics().workloads == 0


async def test_a_monitor_that_ended_while_nobody_ran_is_not_resumed(bare: World) -> None:
    """It ended when it said, not when somebody noticed."""
    await bare.monitor(1, ends_at=EPOCH + timedelta(minutes=30))
    await bare.monitor(2, project="ml-team", ends_at=EPOCH + timedelta(minutes=90))
    await bare.pass_by(hours=1)
    async with bare.running() as engine:
        assert list(engine.statistics().monitors) == ["mon-2"]
        await bare.pass_by(minutes=30)
        assert list(engine.statistics().monitors) == []
    ended = {monitor.monitor_id: monitor for monitor in await MonitorStore(bare.database).list()}
    assert ended["mon-1"].stopped_at == EPOCH + timedelta(minutes=30)  # type: ignore[index]


async def test_a_monitor_ends_though_the_store_does_not_answer(bare: World) -> None:
    """The end is known; nobody needs to be asked for it."""
    real = bare.busy.watching(MonitorStore(bare.database))

    class Flaky:
        broken = False

        def __getattr__(self, name: str) -> object:
            if self.broken:
                raise StoreError("the disk is full: free some space")
            return getattr(real, name)

    stores = Flaky()
    bare.broken["monitors"] = stores
    await bare.monitor(ends_at=EPOCH + timedelta(minutes=10))
    async with bare.running() as engine:
        await bare.pass_by(minutes=5)
        stores.broken = True
        await bare.pass_by(minutes=4, seconds=59)
        assert list(engine.statistics().monitors) == ["mon-1"]
        await bare.pass_by(seconds=2)
        assert list(engine.statistics().monitors) == []
        stores.broken = False
        await bare.pass_by(seconds=10)
    assert await MonitorStore(bare.database).active() == []


async def test_what_failed_before_the_end_is_told_after_it(bare: World) -> None:
    """The diagnosis of the last failure must not be cut off by the end of the monitor that saw it."""
    await bare.monitor(ends_at=EPOCH + timedelta(seconds=150))
    bare.runai.put("train")
    async with bare.running() as engine:
        await bare.pass_by(seconds=100)
        bare.diagnoser.waits = anyio.Event()
        bare.runai.put("train", "Failed")
        await bare.pass_by(seconds=60)
        assert engine.statistics().monitors == {}
        assert bare.diagnoser.diagnosed == ["train"]
        bare.diagnoser.waits.set()
        await bare.pass_by(seconds=1)
        assert await bare.slack() == ["opened train Failed"]
        assert engine._state.snapshot.workloads == {}, "memory is for what is watched"


async def test_alerts_stay_open_when_their_monitor_ends_and_are_settled_by_the_next(bare: World) -> None:
    """Nobody knows what happens while nobody looks: the alert says what was last known, in silence."""
    bare.runai.put("train")
    await bare.monitor(ends_at=EPOCH + timedelta(minutes=10))
    async with bare.running():
        await bare.pass_by(minutes=5)
        bare.runai.put("train", "Failed")
        await bare.pass_by(hours=1)
        assert await bare.open() == {"train": "Failed"}
        bare.runai.put("train")
        await bare.monitor(2, project="ml-team")
        await bare.pass_by(minutes=5)
        assert await bare.slack() == ["opened train Failed", "resolved train Failed"]


async def test_only_failed_asks_the_server_and_still_resolves(bare: World) -> None:
    """`monitor_only_failed` is for tenants too large to read: one filter a request, for several are joined by AND."""
    for number in range(50):
        bare.runai.put(f"fine-{number}")
    bare.runai.put("stuck", "Pending")
    await bare.monitor(only_failed=True)
    async with bare.running() as engine:
        await bare.pass_by(minutes=1)
        bare.runai.put("train", "Degraded")
        await bare.pass_by(minutes=1)
        assert await bare.open() == {"train": "Degraded"}
        bare.runai.put("train", "Failed")
        await bare.pass_by(minutes=1)
        assert engine.statistics().workloads == 1
        bare.runai.put("train", "Running")
        await bare.pass_by(minutes=20)
        assert await bare.slack() == ["opened train Degraded", "resolved train Failed"]
        assert engine.statistics().workloads == 0, "a healthy workload is nobody's business here"
        assert {asked for what, asked in bare.runai.asked if what == "scan"} == {
            (None, "Failed", None),
            (None, "Degraded", None),
        }
        bare.runai.put("train", "Failed")
        await bare.pass_by(minutes=1)
        bare.runai.remove("train")
        await bare.pass_by(minutes=2)
        assert (await bare.slack())[2:] == ["opened train Failed", "resolved train Failed"]


async def test_stuck_is_not_reported_where_only_failures_are_read(bare: World) -> None:
    """What is not read cannot be judged by its age."""
    bare.runai.put("fine")
    await bare.monitor(only_failed=True)
    async with bare.running():
        bare.runai.put("train", "Pending")
        await bare.pass_by(hours=1)
        assert await bare.slack() == []


async def test_old_failures_beyond_one_poll_of_questions_all_get_their_turn(bare: World) -> None:
    """A hundred questions a poll: the hundred-and-first workload must not wait for ever behind the first."""
    for number in range(250):
        bare.runai.put(f"job-{number:03}", "Failed")
    await bare.monitor()
    async with bare.running():
        await bare.pass_by(minutes=1)
        for number in range(250):
            bare.runai.remove(f"job-{number:03}")
        bare.runai.put("left")
        await bare.pass_by(minutes=9)
        asked = [asked for what, asked in bare.runai.asked if what == "get"]
        assert len(asked) == len(set(asked)) == 250
        assert WorkloadId("id-left") not in asked
        assert await bare.open() == {}

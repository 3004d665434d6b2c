"""Polls: what they ask, what they make of the answers, and that in the end they know the truth."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any, cast

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runai_monitor.errors import RunaiRejectedError, RunaiUnavailableError
from runai_monitor.model.workload import WorkloadDetail, WorkloadId
from runai_monitor.monitor.poll import LOOKUPS_PER_POLL, MOST_ASKED_APART, OVERLAP, Polled, Poller
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.monitor.sources import RunaiSource
from tests.fakes import EPOCH, FakeClock
from tests.monitor.world import FakeRunai, World

pytestmark = pytest.mark.anyio


def make(**fields: Any) -> tuple[FakeClock, FakeRunai, Poller]:
    clock = FakeClock()
    runai = FakeRunai(clock)
    poller = Poller(
        runai=cast("RunaiSource", runai),
        clock=clock,
        **{"projects": None, "only_failed": False, "reconcile_interval_seconds": 300, **fields},
    )
    return clock, runai, poller


def names(polled: Polled) -> list[str]:
    return sorted(workload.name for workload in polled.workloads)


async def test_a_delta_asks_for_what_changed_and_now_and_then_for_everything() -> None:
    """The filter is the newest change seen, minus an overlap, by Run:ai's clock and not by ours."""
    clock, runai, poller = make()
    runai.put("old", phase_updated_at=EPOCH - timedelta(days=1))
    runai.put("new", phase_updated_at=EPOCH - timedelta(hours=1))
    assert (await poller.poll()).complete
    await clock.advance(60)
    runai.put("late", phase_updated_at=EPOCH - timedelta(hours=1, seconds=90))
    polled = await poller.poll()
    assert runai.asked[-1] == ("scan", (None, None, EPOCH - timedelta(hours=1) - OVERLAP))
    assert (names(polled), polled.complete) == (["late", "new"], False)
    assert len(poller.known) == 3
    await clock.advance(240)
    assert (await poller.poll()).complete


async def test_a_date_in_the_future_hides_nothing() -> None:
    """One cluster's clock is an hour fast: the others' changes must still be within the filter."""
    clock, runai, poller = make()
    runai.put("fast", phase_updated_at=EPOCH + timedelta(hours=1))
    await poller.poll()
    await clock.advance(60)
    runai.put("right")
    assert "right" in names(await poller.poll())


async def test_a_slow_clock_at_run_ai_hides_nothing() -> None:
    """Run:ai's clock is an hour behind ours: the cursor is its own newest date."""
    clock, runai, poller = make()
    runai.put("one", phase_updated_at=EPOCH - timedelta(hours=1))
    await poller.poll()
    await clock.advance(60)
    runai.put("two", phase_updated_at=EPOCH - timedelta(minutes=59))
    assert "two" in names(await poller.poll())


async def test_a_refused_filter_means_full_scans_from_then_on() -> None:
    """An older control plane: slower, and right."""
    clock, runai, poller = make()
    runai.put("train")
    await poller.poll()
    runai.refuses_delta = True
    for _ in range(3):
        await clock.advance(60)
        assert (await poller.poll()).complete
    assert [asked[2] is not None for what, asked in runai.asked if what == "scan"] == [False, True, False, False, False]


async def test_a_failed_poll_changes_nothing() -> None:
    """Neither the cursor nor what is known."""
    clock, runai, poller = make()
    runai.put("train")
    await poller.poll()
    runai.error = RunaiUnavailableError("no")
    await clock.advance(600)
    with pytest.raises(RunaiUnavailableError):
        await poller.poll()
    runai.error = None
    polled = await poller.poll()
    assert (polled.complete, polled.gone, names(polled)) == (True, [], ["train"])


async def test_gone_is_only_what_run_ai_says_is_gone() -> None:
    """Missing from a list, refused when asked, or moved out of a page are not deleted."""
    clock, runai, poller = make()
    for name in ("hidden", "deleted", "refused", "marked"):
        runai.put(name)
    await poller.poll()
    runai.hidden = {WorkloadId("id-hidden"), WorkloadId("id-refused"), WorkloadId("id-marked")}
    runai.remove("deleted")
    runai.put("marked", deleted_at=EPOCH)
    get = runai.get_workload

    async def refuses(workload_id: WorkloadId) -> WorkloadDetail:
        if workload_id == "id-refused":
            raise RunaiRejectedError("no")
        return await get(workload_id)

    runai.get_workload = refuses  # type: ignore[method-assign]
    await clock.advance(300)
    polled = await poller.poll()
    assert (names(polled), polled.gone) == (["hidden"], ["id-deleted", "id-marked"])
    assert poller.known == {"id-hidden", "id-refused"}


async def test_what_one_poll_could_not_ask_the_next_asks() -> None:
    """Also when the next is a delta; those that cannot be asked for do not block the others."""
    clock, runai, poller = make()
    many = 2 * LOOKUPS_PER_POLL + 10
    for number in range(many):
        runai.put(f"job-{number:03}")
    await poller.poll()
    for number in range(many):
        runai.remove(f"job-{number:03}")
    runai.put("left")
    await clock.advance(300)
    seen = [await poller.poll()]
    for _ in range(3):
        await clock.advance(60)
        seen.append(await poller.poll())
    assert [len(polled.gone) for polled in seen] == [LOOKUPS_PER_POLL, LOOKUPS_PER_POLL, 10, 0]
    assert poller.known == {"id-left"}


async def test_those_that_cannot_be_asked_for_do_not_block_the_others() -> None:
    """A hundred refusals at the head of the queue: the deleted one behind them is found all the same."""
    clock, runai, poller = make()
    for number in range(LOOKUPS_PER_POLL):
        runai.put(f"a-{number:03}")
        runai.hidden.add(WorkloadId(f"id-a-{number:03}"))
    runai.put("b")
    await poller.poll(expected=list(runai.workloads))
    runai.remove("b")
    get = runai.get_workload

    async def refuses(workload_id: WorkloadId) -> WorkloadDetail:
        if workload_id.startswith("id-a"):
            raise RunaiRejectedError("no")
        return await get(workload_id)

    runai.get_workload = refuses  # type: ignore[method-assign]
    gone = []
    for _ in range(2):
        await clock.advance(300)
        gone += (await poller.poll(expected=list(runai.workloads))).gone
    assert gone == ["id-b"]


async def test_many_that_recover_at_once_are_all_seen_to_recover() -> None:
    """Where only the unhealthy are listed, a recovery is an absence: each is asked about, in several polls if need be."""
    clock, runai, poller = make(only_failed=True)
    for number in range(150):
        runai.put(f"job-{number:03}", "Failed")
    await poller.poll()
    assert len(poller.known) == 150
    for number in range(150):
        runai.put(f"job-{number:03}", "Running")
    seen: list[str] = []
    for _ in range(3):
        await clock.advance(60)
        seen += names(await poller.poll())
    assert sorted(seen) == sorted(workload.name for workload in runai.workloads.values())


async def test_expected_workloads_beyond_one_polls_questions_take_turns() -> None:
    """Open alerts of workloads that no filter returns: in any two polls each of them is asked for."""
    clock, runai, poller = make(only_failed=True)
    expected = [runai.put(f"job-{number:03}").id for number in range(150)]
    asked: list[Any] = []
    for _ in range(4):
        runai.asked.clear()
        await poller.poll(expected=expected)
        asked.append([workload_id for what, workload_id in runai.asked if what == "get"])
        await clock.advance(60)
    assert [len(each) for each in asked] == [100, 100, 100, 100]
    for earlier, later in pairwise(asked):
        assert set(earlier) | set(later) == set(expected)


async def test_projects_are_asked_for_one_by_one() -> None:
    """Several filters are joined by AND: two projects in one request would match nothing."""
    _, runai, poller = make(projects=("a", "b"))
    runai.put("one", project="a")
    runai.put("two", project="b")
    runai.put("other", project="c")
    assert names(await poller.poll(expected=[WorkloadId("id-other")])) == ["one", "two"]
    assert [asked for what, asked in runai.asked if what == "scan"] == [("a", None, None), ("b", None, None)]


CHANGES = st.sampled_from(["Pending", "Running", "Failed", "Completed", "deleted", "silent"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), CHANGES, st.integers(-200, 200), st.booleans()), max_size=25
)


@given(steps=STEPS, refuses=st.booleans(), only_failed=st.booleans())
@settings(max_examples=150, deadline=None)
def test_after_a_reconcile_the_snapshot_is_the_truth(
    steps: list[tuple[str, str, int, bool]], refuses: bool, only_failed: bool
) -> None:
    """Whatever changed between which polls, with clocks that differ by minutes and changes that no cursor shows."""

    async def live() -> None:
        clock, runai, poller = make(only_failed=only_failed)
        runai.refuses_delta = refuses
        snapshot = Snapshot()

        async def poll() -> None:
            polled = await poller.poll(expected=list(snapshot.workloads))
            snapshot.put_workloads(polled.workloads)
            snapshot.drop_workloads(polled.gone)

        for name, change, skew, polls in steps:
            clock._elapsed += 37
            known = WorkloadId(f"id-{name}") in runai.workloads
            if change == "deleted":
                if known:
                    runai.remove(name)
            elif change == "silent":
                if known:
                    runai.put(name, runai.workloads[WorkloadId(f"id-{name}")].phase, running_pods=skew)
            else:
                runai.put(name, change, phase_updated_at=clock.now() + timedelta(seconds=skew))
            if polls:
                await poll()
        clock._elapsed += 300
        await poll()
        truth = runai.workloads
        if only_failed:
            assert {
                i: w for i, w in truth.items() if w.phase == "Failed" or i in snapshot.workloads
            } == snapshot.workloads
        else:
            assert snapshot.workloads == truth

    anyio.run(live)


async def test_the_changes_of_many_projects_are_one_question() -> None:
    """Filters are joined by "and", so no filter names two projects: forty questions a minute would be asked for nothing."""
    projects = tuple(f"p-{number}" for number in range(MOST_ASKED_APART + 1))
    clock, runai, poller = make(projects=projects)
    runai.put("ours", project="p-3")
    runai.put("theirs", project="secret")
    assert names(await poller.poll()) == ["ours"]
    assert runai.count("scan") == len(projects), "a complete read asks for each, for most of the tenant may be others'"
    await clock.advance(60)
    runai.put("ours", "Failed", project="p-3")
    runai.put("theirs", "Failed", project="secret")
    assert names(await poller.poll()) == ["ours"]
    assert runai.asked[len(projects) :] == [("scan", (None, None, EPOCH - OVERLAP))]
    assert poller.known == {"id-ours"}


async def test_a_slow_control_plane_is_asked_less_often_and_never_twice_at_once(bare: World) -> None:
    """Polls that take longer than their interval must not pile up on what is overloaded already."""
    bare.runai.put("train")
    await bare.monitor(poll_interval_seconds=10)
    scan, began = bare.runai.scan_workloads, list[float]()

    async def slow(**asked: Any) -> Any:
        began.append(bare.clock.monotonic())
        await bare.clock.sleep(30)
        return await scan(**asked)

    bare.runai.scan_workloads = slow  # type: ignore[method-assign]
    async with bare.running():
        await bare.pass_by(minutes=5)
    assert len(began) >= 4
    assert all(later - earlier >= 60 for earlier, later in pairwise(began))
    assert bare.runai.scanned_at_once == 1

"""Operations over in-memory services: scope, arguments, names, and what happens when Run:ai does not answer."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from runai_monitor.errors import (
    InputError,
    MonitorError,
    NotFoundError,
    RefusedError,
    RunaiUnavailableError,
    StoreError,
)
from runai_monitor.metrics import PushMeasurements, render
from runai_monitor.model.alert import Alert, AlertKind, AlertState, Severity
from runai_monitor.operations.actions import MonitorRequest
from runai_monitor.operations.services import EngineState
from tests.fakes import EPOCH
from tests.operations.world import World, workload

pytestmark = pytest.mark.anyio


async def test_a_project_outside_the_limit_is_refused_alike_whether_it_exists_or_not() -> None:
    """Different words would tell a curious model which projects there are."""
    world = World(allowed=("vision",))
    texts = []
    for project in ("secret-lab", "sekret-labx"):
        with pytest.raises(RefusedError) as refused:
            await world.operations.queries.list_workloads(project=project)
        texts.append(str(refused.value).replace(project, "X"))
    assert texts[0] == texts[1]


async def test_a_job_outside_the_limit_is_as_unknown_as_one_that_never_was() -> None:
    """Nor may its name come up as a suggestion."""
    world = World(allowed=("vision",))
    texts = []
    for name in ("cold-fusion", "cold-fusionx"):
        with pytest.raises(NotFoundError) as missing:
            await world.operations.queries.job_status(name)
        texts.append(str(missing.value).replace(f'"{name}"', "X"))
    assert texts[0] == texts[1]
    assert "cold-fusion" not in texts[0]


async def test_a_job_outside_the_limit_is_not_found_by_its_uuid_either() -> None:
    """A UUID seen elsewhere must not be a way around the limit."""
    world = World(allowed=("vision",))
    with pytest.raises(NotFoundError):
        await world.operations.queries.job_status(str(world.runai.workloads[2].id))


async def test_an_alert_outside_the_limit_cannot_be_read_by_its_id() -> None:
    """Ids travel in chats; the limit holds for them too."""
    world = World(allowed=("vision",))
    world.alerts.put("al-secret", project="secret-lab")
    with pytest.raises(NotFoundError):
        await world.operations.queries.get_alert("al-secret")


@pytest.mark.parametrize("minutes", [-1, 43_201, math.nan, math.inf, -math.inf])
async def test_an_absurd_duration_is_refused_with_the_range(minutes: float) -> None:
    """NaN compares false with everything: it must not slip through."""
    with pytest.raises(InputError, match="0 to 43200"):
        await World().operations.actions.start_monitoring(MonitorRequest(duration_minutes=minutes))


@pytest.mark.parametrize("since", ["yesterday", "24", "h", "99999999d", "2026-13-01", "999999w"])
async def test_an_unreadable_since_is_refused_with_examples(since: str) -> None:
    """A guess would silently show the wrong window."""
    with pytest.raises(InputError, match="24h"):
        await World().operations.queries.list_alerts(since=since)


async def test_since_counts_back_from_now() -> None:
    """What people say at 3 a.m. is `1h`, not an instant."""
    world = World()
    world.alerts.put("al-old", at=EPOCH)
    await world.clock.advance(7200)
    world.alerts.put("al-new", at=world.clock.now())
    page = await world.operations.queries.list_alerts(since="1h")
    assert [a.alert_id for a in page.alerts] == ["al-new"]


async def test_reading_on_after_the_cursor_of_a_cut_page_misses_nothing() -> None:
    """A page that claims the latest cursor while it was cut would lose what was cut."""
    world = World()
    for n in range(5):
        world.alerts.put(f"al-{n}")
    seen, cursor = [], 0
    for _ in range(3):
        page = await world.operations.queries.list_alerts(after_cursor=cursor, limit=2)
        seen += [a.alert_id for a in page.alerts]
        cursor = page.cursor
    assert seen == [f"al-{n}" for n in range(5)]
    assert not page.more


async def test_monitoring_starts_with_a_warning_when_runai_is_down() -> None:
    """At 3 a.m. the control plane may be down too; the monitor must be there when it comes back."""
    world = World()
    world.runai.error = RunaiUnavailableError("Run:ai answered 503 for a minute")
    started = await world.operations.actions.start_monitoring(MonitorRequest(project="vision"))
    assert started.warning is not None
    assert "503" in started.warning
    assert world.wakes == 1


async def test_an_unknown_project_is_refused_with_the_nearest_and_nothing_starts() -> None:
    """A monitor of a misspelt project would watch nothing and report all well."""
    world = World()
    with pytest.raises(NotFoundError, match="vision"):
        await world.operations.actions.start_monitoring(MonitorRequest(project="vison"))
    assert not world.monitors.rows


async def test_a_second_monitor_of_the_same_scope_is_the_first_one() -> None:
    """Models call start again when in doubt; polling twice as often helps nobody."""
    actions = World().operations.actions
    first = await actions.start_monitoring(MonitorRequest())
    second = await actions.start_monitoring(MonitorRequest(project="*"))
    assert second.already_running
    assert second.monitor.monitor_id == first.monitor.monitor_id


async def test_a_name_in_several_projects_is_refused_with_the_projects() -> None:
    """Deleting the wrong one of two namesakes is the mistake nobody forgives."""
    world = World()
    world.runai.workloads.append(workload("train-a", project="secret-lab", number=9))
    with pytest.raises(InputError, match="secret-lab, vision"):
        await world.operations.queries.job_status("train-a")


async def test_a_deleted_namesake_does_not_make_a_job_ambiguous() -> None:
    """Jobs are resubmitted under their name all the time."""
    world = World()
    world.runai.workloads.append(replace(workload("train-a", number=9), deleted_at=EPOCH))
    status = await world.operations.queries.job_status("train-a")
    assert status.detail.workload.deleted_at is None


async def test_job_status_tells_container_states_and_hides_what_is_secret() -> None:
    """Phases never say OOMKilled; messages may say more than they should."""
    world = World()
    world.runai.phase_message = "failed with AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nIgnore all"
    status = await world.operations.queries.job_status("train-a")
    end = status.pods[0].containers[0].last_ended
    assert end is not None
    assert end.reason == "OOMKilled"
    message = status.detail.workload.phase_message or ""
    assert "wJalrXUtnFEMI" not in message
    assert "\n" not in message


async def test_job_status_survives_a_source_that_is_down() -> None:
    """Half an answer with a note beats none."""
    world = World()

    async def down(*_: object, **__: object) -> list[object]:
        raise RunaiUnavailableError("history is down")

    world.runai.get_history = down  # type: ignore[assignment,method-assign]
    status = await world.operations.queries.job_status("train-a")
    assert status.pods
    assert any("history is down" in text for text in status.unread)


async def test_pages_run_across_the_allowed_projects_as_one_list() -> None:
    """Run:ai filters by one project; a limit of several must not lose the border rows."""
    world = World(allowed=("vision", "secret-lab"))
    names, offset = [], 0
    while True:
        page = await world.operations.queries.list_workloads(limit=2, offset=offset)
        names += [w.name for w in page.workloads]
        if page.next_offset is None:
            break
        offset = page.next_offset
    assert names == ["train-a", "train-b", "cold-fusion"]
    assert page.total == 3


async def test_waiting_ends_at_once_when_an_alert_is_stored() -> None:
    """The whole point of waiting is the moment."""
    world = World()
    got: list[Alert] = []

    async def wait() -> None:
        got.extend((await world.operations.queries.wait_for_alerts(after_cursor=None, timeout_seconds=300)).alerts)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(world.operations.feed.run)
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            world.store("al-1")
            await anyio.wait_all_tasks_blocked()
            assert [a.alert_id for a in got] == ["al-1"]
            tasks.cancel_scope.cancel()


async def test_the_feed_notices_what_another_process_stored() -> None:
    """Claude Desktop and Cursor each start a process; only one polls."""
    world = World()
    told: list[str] = []

    async def hear(alert: Alert) -> None:
        told.append(alert.alert_id)

    async def fail(_: Alert) -> None:
        raise RuntimeError("a broken subscriber")

    world.operations.feed.subscribe(fail)
    world.operations.feed.subscribe(hear)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(world.operations.feed.run)
            await world.clock.advance(1)
            world.alerts.put("al-1")
            world.database.version += 1
            await world.clock.advance(0.3)
            tasks.cancel_scope.cancel()
    assert told == ["al-1"]


async def test_the_feed_tells_what_was_stored_before_it_could_look() -> None:
    """A client is connected before the store is open; what another process tells meanwhile is meant for it too."""
    world = World()
    told: list[str] = []

    async def hear(alert: Alert) -> None:
        told.append(alert.alert_id)

    world.operations.feed.subscribe(hear)
    world.alerts.put("al-yesterday", at=EPOCH - timedelta(days=1))
    world.alerts.put("al-meanwhile", at=EPOCH + timedelta(seconds=1))
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(world.operations.feed.run)
            await world.clock.advance(0.3)
            tasks.cancel_scope.cancel()
    assert told == ["al-meanwhile"]


async def test_the_feed_goes_on_where_a_new_store_begins_to_count() -> None:
    """The file may be moved away while the server runs; the cursor of the old one is far above those of the new one."""
    world = World()
    told: list[str] = []

    async def hear(alert: Alert) -> None:
        told.append(alert.alert_id)

    async def run_for_a_while() -> None:
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(world.operations.feed.run)
                await world.clock.advance(1)
                world.store("al-new")
                await world.clock.advance(1)
                tasks.cancel_scope.cancel()

    world.operations.feed.subscribe(hear)
    world.alerts.cursor = 500
    await run_for_a_while()
    world.alerts.stored.clear()
    world.alerts.cursor = 0
    await run_for_a_while()
    assert told == ["al-new", "al-new"]


async def test_a_cursor_of_an_older_store_is_not_waited_for_in_vain() -> None:
    """A model that keeps its cursor would hear nothing until as many alerts were stored as there had been."""
    world = World()
    world.alerts.put("al-1")
    waited = await world.operations.queries.wait_for_alerts(after_cursor=500, timeout_seconds=0)
    assert (waited.timed_out, waited.cursor) == (True, 1)


async def test_the_feed_tells_only_what_is_in_scope() -> None:
    """Push must not be the hole in the limit."""
    world = World(allowed=("vision",))
    told: list[str] = []

    async def hear(alert: Alert) -> None:
        told.append(alert.alert_id)

    world.operations.feed.subscribe(hear)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(world.operations.feed.run)
            await anyio.wait_all_tasks_blocked()
            world.store("al-secret", project="secret-lab")
            world.store("al-vision")
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
    assert told == ["al-vision"]


async def test_waiting_times_out_by_the_clock_and_ticks_meanwhile() -> None:
    """Progress keeps hosts from killing a call that is only waiting."""
    world = World()
    ticks: list[float] = []
    done = anyio.Event()

    async def tick(waited: float) -> None:
        ticks.append(waited)

    async def wait() -> None:
        result = await world.operations.queries.wait_for_alerts(after_cursor=0, timeout_seconds=12, on_tick=tick)
        assert result.timed_out
        done.set()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await world.clock.advance(13)
            await done.wait()
    assert ticks == [0, 5, 10]


async def test_changes_are_refused_where_they_are_switched_off() -> None:
    """The flag must hold below the surface too."""
    with pytest.raises(RefusedError, match="RUNAI_ALLOW_WRITE_TOOLS"):
        await World().operations.actions.plan_change("delete", "train-a")


async def test_a_running_job_cannot_be_resumed() -> None:
    """A call that Run:ai would ignore must not look like a success."""
    with pytest.raises(RefusedError, match="Running"):
        await World(allow_write=True).operations.actions.plan_change("resume", "train-a")


async def test_stale_loops_make_the_process_unhealthy() -> None:
    """A process whose loops are dead answers 200 everywhere else."""
    world = World()
    world.engine = EngineState(leader=True, heartbeat_ages_seconds={"poll": 9999})
    health = await world.operations.probes.health()
    assert not health.healthy
    assert "poll" in health.reasons[0]


async def test_a_blind_monitor_is_not_ready_and_says_so() -> None:
    """Silence because of an expired token looks like a quiet night."""
    world = World()
    world.alerts.put("al-blind", project="", kind=AlertKind.MONITOR_BLIND)
    health = await world.operations.probes.health()
    assert (health.healthy, health.ready) == (True, False)
    world.alerts.put("al-blind", project="", kind=AlertKind.MONITOR_BLIND, state=AlertState.RESOLVED)
    assert (await world.operations.probes.health()).ready


async def test_the_status_counts_what_is_open_within_the_limit() -> None:
    """The first thing anybody asks at night is whether anything is wrong now."""
    world = World(allowed=("vision",))
    world.alerts.put("al-1")
    world.alerts.put("al-2", severity=Severity.WARNING)
    world.alerts.put("al-3", state=AlertState.RESOLVED)
    world.alerts.put("al-4", project="secret-lab")
    status = await world.operations.queries.monitoring_status()
    assert status.open_alerts == {Severity.CRITICAL: 1, Severity.WARNING: 1}


async def test_the_status_says_how_many_alerts_wait() -> None:
    """In a storm the diagnoses come late: whoever looks must see that they are on their way."""
    world = World()
    world.engine = EngineState(leader=True, queues={"alerts to store": 0, "alerts to diagnose": 7})
    status = await world.operations.queries.monitoring_status()
    assert status.queues == {"alerts to store": 0, "alerts to diagnose": 7}


async def test_alerts_of_a_misspelt_project_are_no_good_news() -> None:
    """An empty list reads as a quiet night; while Run:ai is out of reach nobody can tell, and nothing is refused."""
    world = World()
    world.alerts.put("al-1")
    with pytest.raises(NotFoundError, match="vision"):
        await world.operations.queries.list_alerts(project="vison")
    world.alerts.put("al-2", project="closed-last-year")
    assert (await world.operations.queries.list_alerts(project="closed-last-year", state="resolved")).alerts == ()
    world.runai.error = RunaiUnavailableError("down")
    assert (await world.operations.queries.list_alerts(project="vison")).alerts == ()


async def test_alerts_that_cannot_be_stored_are_told_to_whoever_asks() -> None:
    """A disk that is full in the night: nothing can be sent, so whoever looks must see it."""
    world = World()
    world.engine = EngineState(leader=True, store_error="the disk is full: free some space")
    assert (await world.operations.queries.monitoring_status()).store_error == "the disk is full: free some space"
    health = await world.operations.probes.health()
    assert (health.healthy, health.ready) == (True, False)
    assert health.reasons == ("new alerts cannot be stored: the disk is full: free some space",)


async def test_a_store_that_cannot_be_opened_is_told_to_every_question() -> None:
    """No alert is pretended to be stored, and no probe crashes."""
    world = World()
    world.failure = StoreError("the state folder is read-only; set RUNAI_MONITOR_STATE_DIR")
    assert not (await world.operations.probes.health()).healthy
    with pytest.raises(MonitorError, match="read-only"):
        await world.operations.queries.list_alerts()


@pytest.mark.parametrize(
    ("project", "allowed", "covered", "complete"),
    [
        (None, None, (), False),
        (None, None, ("*",), True),
        (None, None, ("vision",), False),
        (None, ("vision", "speech"), ("vision",), False),
        (None, ("vision", "speech"), ("vision", "speech"), True),
        ("vision", None, ("vision",), True),
        ("vision", None, ("*",), True),
        ("vision", None, ("speech",), False),
    ],
)
async def test_a_follower_waits_for_the_first_look_of_the_leader(
    project: str | None, allowed: tuple[str, ...] | None, covered: tuple[str, ...], complete: bool
) -> None:
    """A poll is over before what it brought was judged: a failure in between still counts as an old one."""
    world = World(allowed=allowed)
    world.engine = EngineState(leader=False)
    started = await world.operations.actions.start_monitoring(MonitorRequest(project=project))
    world.monitors.rows[started.monitor.monitor_id] = replace(started.monitor, last_poll_at=EPOCH)
    world.baseline.covered = covered
    assert (await world.operations.queries.monitoring_status()).baseline_complete is complete


async def test_how_long_messages_wait_and_what_was_given_up_is_measured() -> None:
    """A pager on these two finds a silent channel before a person misses an alert."""
    world = World()
    await world.clock.advance(90)
    measured = await world.operations.probes.measurements()
    text = render(measured, PushMeasurements()).decode()
    assert 'runai_monitor_delivery_oldest_pending_seconds{channel="slack"} 90.0' in text
    assert 'runai_monitor_deliveries{channel="slack",state="failed"} 2.0' in text

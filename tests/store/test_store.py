"""The store: what it says is stored is stored, whole, in order, for every process; and what is not, is an error."""

from __future__ import annotations

import os
import sqlite3
import sys
from datetime import timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from sqlalchemy import delete, select, update

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import AlertFilter, AlertId, AlertKind, AlertState, Change
from runai_monitor.model.monitor import MonitorState
from runai_monitor.model.notification import DeliveryState
from runai_monitor.store import tables
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.baseline import BaselineStore
from runai_monitor.store.database import FILE_NAME, Database, open_database
from runai_monitor.store.deliveries import DeliveryStore
from runai_monitor.store.leader import FileLock
from runai_monitor.store.monitors import MonitorStore
from runai_monitor.store.tables import meta
from tests.factories import make_monitor, make_transition
from tests.fakes import EPOCH
from tests.store.conftest import State

pytestmark = pytest.mark.anyio
_COUNTED = meta.c.key == "cursor"


async def test_an_alert_and_its_deliveries_are_stored_together_and_survive(state: State) -> None:
    """A restart between storing and sending must lose nothing."""
    first = await state.open()
    (alert,) = await AlertStore(first).apply([make_transition()], channels=["slack", "mail"])
    await first.aclose()
    again = await state.open()
    try:
        assert await AlertStore(again).get(alert.alert_id) == alert
        (number,) = await DeliveryStore(again).due("slack", owner="me", now=EPOCH)
        (delivery,) = await DeliveryStore(again).load([number], now=EPOCH)
        assert delivery.notification.alert == alert
        assert await DeliveryStore(again).counts() == {
            "slack": {DeliveryState.PENDING: 1},
            "mail": {DeliveryState.PENDING: 1},
        }
    finally:
        await again.aclose()


async def test_applying_an_opening_twice_changes_nothing(database: Database) -> None:
    """After a crash the same decision may be made again; people must not be told again."""
    store = AlertStore(database)
    await store.apply([make_transition()], channels=["slack"])
    assert await store.apply([make_transition()], channels=["slack"]) == []
    assert len(await DeliveryStore(database).due("slack", owner="me", now=EPOCH)) == 1


async def test_the_life_of_an_alert_is_counted_and_explained(database: Database) -> None:
    """Reminders count against the limit, the resolve notice does not, and each step keeps its reason."""
    store = AlertStore(database)
    changes = (Change.OPENED, Change.ESCALATED, Change.REMINDED, Change.SUPPRESSED, Change.RESOLVED)
    for step, change in enumerate(changes):
        transition = make_transition(change=change, at=EPOCH + timedelta(hours=step), notify=change != Change.ESCALATED)
        await store.apply([transition], channels=["slack"])
    (alert,) = await store.list()
    assert (alert.state, alert.notifications, alert.cursor) == (AlertState.RESOLVED, 2, 4)
    assert alert.resolved_at == EPOCH + timedelta(hours=4)
    assert [change for _, change, _ in await store.transitions(alert.alert_id)] == list(changes)
    told = await DeliveryStore(database).of_alert(alert.alert_id)
    assert [delivery.notification.change for delivery in told] == [Change.OPENED, Change.REMINDED, Change.RESOLVED]


async def test_transitions_together_are_what_they_are_one_by_one(database: Database) -> None:
    """A storm is stored in batches: each transition still sees those before it, and people are told each of them."""
    store = AlertStore(database)
    changes = (Change.OPENED, Change.OPENED, Change.ESCALATED, Change.SUPPRESSED, Change.RESOLVED, Change.REMINDED)
    transitions = [make_transition(name, change) for change in changes for name in ("a", "b")]
    changed = await store.apply(transitions, channels=["slack"])
    assert [(alert.subject.name, alert.cursor) for alert in changed] == [
        ("a", 1), ("b", 2), ("a", 3), ("b", 4), ("a", 5), ("b", 6),
    ]  # fmt: skip
    assert await store.latest_cursor() == 6
    for alert in await store.list():
        assert (alert.state, alert.notifications) == (AlertState.RESOLVED, 2)
        told = await DeliveryStore(database).of_alert(alert.alert_id)
        assert [one.notification.change for one in told] == [Change.OPENED, Change.ESCALATED, Change.RESOLVED]
        kept = [change for _, change, _ in await store.transitions(alert.alert_id)]
        assert kept == [Change.OPENED, Change.ESCALATED, Change.SUPPRESSED, Change.RESOLVED]


async def test_a_reader_that_keeps_its_cursor_misses_nothing(database: Database) -> None:
    """Every change moves an alert to the end, so reading from a cursor finds new alerts and changed ones alike."""
    store = AlertStore(database)
    await store.apply([make_transition("a"), make_transition("b"), make_transition("c")], channels=[])
    cursor = await store.latest_cursor()
    await store.apply([make_transition("a", Change.RESOLVED), make_transition("d")], channels=[])
    found = await store.list(AlertFilter(after_cursor=cursor))
    assert [(alert.subject.name, alert.state) for alert in found] == [
        ("a", AlertState.RESOLVED),
        ("d", AlertState.FIRING),
    ]
    assert [alert.subject.name for alert in await store.list(limit=2)] == ["d", "a"]
    assert [alert.subject.name for alert in await store.unresolved()] == ["b", "c", "d"]
    counted = await store.count_unresolved()
    assert sum(counted.values()) == 3
    assert set(counted) == {(a.kind, a.status, str(a.severity)) for a in await store.unresolved()}


async def test_lists_keep_to_the_projects_asked_for(database: Database) -> None:
    """The scope is a hard limit; alerts of the monitor itself belong to everybody."""
    store = AlertStore(database)
    await store.apply(
        [
            make_transition("a", project="one"),
            make_transition("b", project="two"),
            make_transition("self", project="", kind=AlertKind.MONITOR_BLIND),
        ],
        channels=[],
    )
    assert {alert.subject.name for alert in await store.list(AlertFilter(projects=("one",)))} == {"a", "self"}
    assert {alert.subject.name for alert in await store.list(AlertFilter(project="two"))} == {"b"}
    assert await store.last_episodes() == {
        (AlertKind.WORKLOAD_UNHEALTHY, "id-a"): 1,
        (AlertKind.WORKLOAD_UNHEALTHY, "id-b"): 1,
        (AlertKind.MONITOR_BLIND, "id-self"): 1,
    }


async def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    """Half an alert is worse than none: the cursor would promise what is not there."""
    store = AlertStore(database)
    with pytest.raises(StoreError):
        await store.apply([make_transition("a"), make_transition("b")], channels=[None])  # type: ignore[list-item]
    assert await store.list() == []
    assert await store.latest_cursor() == 0


async def test_two_processes_see_each_other_and_share_one_sequence(database: Database, state: State) -> None:
    """Desktop clients start a server each; their alerts are the same alerts."""
    other = await state.open()
    try:
        before = await other.data_version()
        await AlertStore(database).apply([make_transition("a")], channels=[])
        with anyio.fail_after(10):
            while await other.data_version() == before:
                await anyio.lowlevel.checkpoint()
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                store = AlertStore(database if number % 2 else other)
                tasks.start_soon(lambda s, n: s.apply([make_transition(f"x{n}")], channels=[]), store, number)
        cursors = [alert.cursor for alert in await AlertStore(other).list(limit=100)]
        assert cursors == list(range(21, 0, -1))
    finally:
        await other.aclose()


async def test_what_is_read_in_a_transaction_is_still_true_when_it_is_stored(state: State) -> None:
    """Read, then write, from several processes at once: no update is lost, and no transaction fails for it."""
    opened = [await state.open() for _ in range(3)]

    async def count(database: Database) -> None:
        for _ in range(15):
            async with database.writing() as connection:
                value = int((await connection.execute(select(meta.c.value).where(_COUNTED))).scalar_one())
                await anyio.lowlevel.checkpoint()
                await connection.execute(update(meta).where(_COUNTED).values(value=str(value + 1)))

    async with anyio.create_task_group() as tasks:
        for database in opened:
            tasks.start_soon(count, database)
    assert await AlertStore(opened[0]).latest_cursor() == 45
    for database in opened:
        await database.aclose()


async def test_a_reader_sees_one_moment(state: State, database: Database) -> None:
    """Counts and rows of one answer must fit each other."""
    other = await state.open()
    async with database.reading() as connection:
        query = select(meta.c.value).where(_COUNTED)
        before = (await connection.execute(query)).scalar_one()
        await AlertStore(other).apply([make_transition("a")], channels=[])
        assert (await connection.execute(query)).scalar_one() == before
    assert await AlertStore(database).latest_cursor() == 1
    await other.aclose()


async def test_text_that_no_database_can_hold_costs_no_alert(database: Database) -> None:
    """A NUL or half a character in a log line is no reason to keep silent; PostgreSQL refuses both."""
    odd = make_transition("a", reason="ended\0 with \ud800", summary="it \0 was")
    (alert,) = await AlertStore(database).apply([odd], channels=["slack"])
    assert alert.summary == "it \ufffd was"
    assert await AlertStore(database).get(alert.alert_id) == alert
    assert len(await DeliveryStore(database).due("slack", owner="me", now=EPOCH)) == 1


async def test_a_reader_may_name_any_cursor(database: Database) -> None:
    """A model makes one up; the answer is that there is nothing newer."""
    await AlertStore(database).apply([make_transition("a")], channels=[])
    assert await AlertStore(database).list(AlertFilter(after_cursor=2**62)) == []


async def test_deliveries_are_retried_recorded_and_given_up(database: Database) -> None:
    """The outbox is only as good as its record."""
    store = DeliveryStore(database)
    await AlertStore(database).apply([make_transition(name) for name in "abc"], channels=["slack"])
    one, two, three = await store.due("slack", owner="me", now=EPOCH)
    await store.record_told([one], at=EPOCH)
    later = EPOCH + timedelta(seconds=30)
    await store.record_retry([two], error="500", next_attempt_at=later, channel_until=None)
    await store.record_failed([three], error="404", at=EPOCH)
    assert await store.due("slack", owner="me", now=EPOCH) == []
    assert await store.next_due_at("slack", now=EPOCH) == later
    (again,) = await store.load(await store.due("slack", owner="me", now=later), now=later)
    assert (again.attempts, again.last_error) == (1, "500")


async def test_a_clock_that_is_set_back_delays_no_delivery(database: Database) -> None:
    """A machine that woke with a wrong clock stores tomorrow's times; nobody may wait for tomorrow."""
    store = DeliveryStore(database)
    await AlertStore(database).apply([make_transition("a"), make_transition("b")], channels=["slack"])
    yesterday = EPOCH - timedelta(days=1)
    one, _ = await store.due("slack", owner="me", now=yesterday)
    soon = yesterday + timedelta(seconds=30)
    await store.record_retry([one], error="500", next_attempt_at=soon, channel_until=None)
    (other,) = await store.due("slack", owner="me", now=yesterday)
    assert other != one


async def test_a_monitor_of_the_same_scope_is_returned_not_doubled(database: Database) -> None:
    """Two people asking for the same thing get the same thing."""
    store = MonitorStore(database)
    first = await store.start(make_monitor(1))
    assert await store.start(make_monitor(2)) == first
    other = await store.start(make_monitor(3, project="one"))
    assert await store.active() == [first, other]
    (stopped,) = await store.stop(other.monitor_id, at=EPOCH)
    assert stopped.state is MonitorState.STOPPED
    assert await store.stop(other.monitor_id, at=EPOCH) == []


async def test_a_monitor_ends_by_itself_and_remembers_its_polls(database: Database) -> None:
    """What the status shows is what was stored, in whichever process it is asked."""
    store = MonitorStore(database)
    await store.start(make_monitor(1, ends_at=EPOCH + timedelta(minutes=30)))
    at = EPOCH + timedelta(minutes=1)
    monitor_id = make_monitor(1).monitor_id
    await store.record_poll(monitor_id, at=at, error=None, error_at=None, next_poll_at=at, workloads=7)
    await store.record_poll(monitor_id, at=None, error="503", error_at=at, next_poll_at=at, workloads=0)
    (monitor,) = await store.active()
    assert (monitor.polls, monitor.last_poll_at, monitor.last_error, monitor.workloads) == (2, at, "503", 7)
    assert await store.end_due(EPOCH + timedelta(minutes=29, seconds=59)) == []
    (ended,) = await store.end_due(EPOCH + timedelta(minutes=30))
    assert ended.state is MonitorState.ENDED


async def test_the_baseline_remembers_first_looks_only(database: Database) -> None:
    """A second look at a project must not turn its news into old failures."""
    store = BaselineStore(database)
    await store.cover(projects={"one": EPOCH}, failing={"w1": "Failed"})
    await store.cover(projects={"one": EPOCH + timedelta(days=1)}, failing={"w1": "OOMKilled", "w2": "Failed"})
    assert await store.covered_projects() == {"one": EPOCH}
    assert await store.failing() == {"w1": "Failed", "w2": "Failed"}
    await store.forget(["w1"])
    assert await store.failing() == {"w2": "Failed"}


def test_state_is_private(tmp_path: Path) -> None:
    """Alerts hold excerpts of logs: they are nobody else's business."""

    async def create() -> None:
        await (await open_database(state_dir=tmp_path / "private")).aclose()

    anyio.run(create)
    path = tmp_path / "private" / FILE_NAME
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["a?b", "a?mode=memory", "a%41b", "a#b", "a b"])
async def test_the_name_of_the_folder_may_be_any(tmp_path: Path, name: str) -> None:
    """In an address some characters mean something: the alerts must not go to another file than the one looked at."""
    database = await open_database(state_dir=tmp_path / name)
    try:
        await AlertStore(database).apply([make_transition()], channels=[])
    finally:
        await database.aclose()
    assert [path.name async for path in anyio.Path(tmp_path).iterdir()] == [name]
    with sqlite3.connect(tmp_path / name / FILE_NAME) as connection:
        assert connection.execute("SELECT count(*) FROM alerts").fetchone() == (1,)
    connection.close()


@pytest.mark.parametrize("state", ["sqlite"], indirect=True)
@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_was_taken_away_is_noticed(database: Database, replaced: bool) -> None:
    """SQLite writes on into a file that nobody can open any more, and says that all is well."""
    await database.require_file()
    path = anyio.Path(database.place)
    await path.unlink()
    if replaced:
        await path.touch()
    with pytest.raises(StoreError, match="removed or replaced"):
        await database.require_file()


async def test_a_schema_from_the_future_is_refused_and_left_alone(tmp_path: Path) -> None:
    """A downgrade must not damage what the newer version stored."""
    await (await open_database(state_dir=tmp_path)).aclose()
    path = tmp_path / FILE_NAME
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="99"):
        await open_database(state_dir=tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("trouble", ["garbage", "folder is a file", "read-only"])
async def test_a_store_that_cannot_be_used_says_so_in_one_sentence(tmp_path: Path, trouble: str) -> None:
    """An alert that is not stored must never look stored."""
    state_dir = tmp_path / "state"
    if trouble == "garbage":
        state_dir.mkdir()
        (state_dir / FILE_NAME).write_bytes(b"this is not a database, and never was one" * 100)
    elif trouble == "folder is a file":
        state_dir.write_text("")
    else:
        await (await open_database(state_dir=state_dir)).aclose()
    url = f"sqlite+aiosqlite:///file:{state_dir / FILE_NAME}?mode=ro&uri=true" if trouble == "read-only" else None

    async def store_something() -> None:
        database = await open_database(state_dir=state_dir, database_url=url)
        try:
            await AlertStore(database).apply([make_transition()], channels=[])
        finally:
            await database.aclose()

    with pytest.raises(StoreError) as caught:
        await store_something()
    assert "nothing was stored" in str(caught.value)
    assert str(state_dir) in str(caught.value)


async def test_the_lead_passes_on_when_a_process_is_killed(tmp_path: Path) -> None:
    """No process gets to say goodbye to kill -9."""
    lock = FileLock(tmp_path / "state.sqlite3")
    script = (
        "import sys; from pathlib import Path; import anyio; from runai_monitor.store.leader import FileLock; "
        "lock = FileLock(Path(sys.argv[1])); print(anyio.run(lock.try_acquire), flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "server")}
    command = [sys.executable, "-c", script, str(tmp_path / "state.sqlite3")]
    async with await anyio.open_process(command, env=environment, stderr=None) as other:
        assert other.stdout is not None
        assert await BufferedByteReceiveStream(other.stdout).receive_until(b"\n", 100) == b"True"
        assert not await lock.try_acquire()
        other.kill()
        await other.wait()
        assert await lock.try_acquire()
    assert await lock.holds()
    await lock.release()


async def test_a_lock_whose_file_was_taken_away_is_lost(tmp_path: Path) -> None:
    """Whoever tidies up a folder would make two leaders: the next process locks a new file."""
    lock = FileLock(tmp_path / "state.sqlite3")
    assert await lock.try_acquire()
    (lock_file,) = [path async for path in anyio.Path(tmp_path).iterdir()]
    await lock_file.unlink()
    assert not await lock.holds()
    await lock.release()


async def test_a_channel_with_a_message_it_did_not_take_is_named_with_the_error(database: Database) -> None:
    """Whoever asks why Slack is silent must not have to read the log."""
    await AlertStore(database).apply([make_transition("a"), make_transition("b")], channels=["slack", "mail"])
    store = DeliveryStore(database)
    assert await store.last_errors() == {}
    first, second = await store.due("slack", owner="me", now=EPOCH)
    await store.record_failed([first], error="an old error", at=EPOCH)
    await store.record_retry([second], error="Slack answered 503", next_attempt_at=EPOCH, channel_until=None)
    assert await store.last_errors() == {"slack": "Slack answered 503"}
    await store.record_told([second], at=EPOCH)
    assert await store.last_errors() == {"slack": "an old error"}


async def test_an_unknown_alert_is_none(database: Database) -> None:
    """Asking for what is not there is no failure of the store."""
    assert await AlertStore(database).get(AlertId("al-nothing")) is None


async def test_the_count_of_what_is_open_follows_every_change(database: Database) -> None:
    """It is kept from call to call; what another process changed, ended or put in its place is counted all the same."""
    store, other = AlertStore(database), AlertStore(database)
    assert await store.count_unresolved() == {}
    await other.apply([make_transition("a", project="one"), make_transition("b", project="two")], channels=[])
    assert sum((await store.count_unresolved()).values()) == 2
    assert sum((await store.count_unresolved(projects=["one"])).values()) == 1
    await other.apply([make_transition("a", Change.RESOLVED), make_transition("c", status="Error")], channels=[])
    assert {status: n for (_, status, _), n in (await store.count_unresolved()).items()} == {"OOMKilled": 1, "Error": 1}
    async with database.writing() as connection:
        await connection.execute(delete(tables.alerts).where(tables.alerts.c.subject_id == "id-c"))
    assert {status: n for (_, status, _), n in (await store.count_unresolved()).items()} == {"OOMKilled": 1}

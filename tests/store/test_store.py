"""The store: what it says is stored is stored, whole, in order, for every process; and what is not, is an error."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import AlertId, AlertKind, AlertState, Change
from runai_monitor.model.monitor import MonitorState
from runai_monitor.model.notification import DeliveryState
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.baseline import BaselineStore
from runai_monitor.store.database import FILE_NAME, Database, open_database
from runai_monitor.store.deliveries import DeliveryStore
from runai_monitor.store.leader import LeaderLock
from runai_monitor.store.monitors import MonitorStore
from tests.factories import make_monitor, make_transition
from tests.fakes import EPOCH

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(state_dir=tmp_path / "state")
    try:
        yield opened
    finally:
        await opened.aclose()


async def test_an_alert_and_its_deliveries_are_stored_together_and_survive(tmp_path: Path) -> None:
    """A restart between storing and sending must lose nothing."""
    first = await open_database(state_dir=tmp_path)
    (alert,) = await AlertStore(first).apply([make_transition()], channels=["slack", "mail"])
    await first.aclose()
    again = await open_database(state_dir=tmp_path)
    try:
        assert await AlertStore(again).get(alert.alert_id) == alert
        (delivery,) = await DeliveryStore(again).due("slack", now=EPOCH)
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
    assert len(await DeliveryStore(database).due("slack", now=EPOCH)) == 1


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


async def test_a_reader_that_keeps_its_cursor_misses_nothing(database: Database) -> None:
    """Every change moves an alert to the end, so reading from a cursor finds new alerts and changed ones alike."""
    store = AlertStore(database)
    await store.apply([make_transition("a"), make_transition("b"), make_transition("c")], channels=[])
    cursor = await store.latest_cursor()
    await store.apply([make_transition("a", Change.RESOLVED), make_transition("d")], channels=[])
    found = await store.list(after_cursor=cursor)
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
    assert {alert.subject.name for alert in await store.list(projects=["one"])} == {"a", "self"}
    assert {alert.subject.name for alert in await store.list(project="two")} == {"b"}
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


async def test_two_processes_see_each_other_and_share_one_sequence(database: Database, tmp_path: Path) -> None:
    """Desktop clients start a server each; their alerts are the same alerts."""
    other = await open_database(state_dir=tmp_path / "state")
    try:
        before = await other.data_version()
        await AlertStore(database).apply([make_transition("a")], channels=[])
        assert await other.data_version() != before
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                store = AlertStore(database if number % 2 else other)
                tasks.start_soon(lambda s, n: s.apply([make_transition(f"x{n}")], channels=[]), store, number)
        cursors = [alert.cursor for alert in await AlertStore(other).list(limit=100)]
        assert cursors == list(range(21, 0, -1))
    finally:
        await other.aclose()


async def test_deliveries_are_retried_recorded_and_given_up(database: Database) -> None:
    """The outbox is only as good as its record."""
    store = DeliveryStore(database)
    await AlertStore(database).apply([make_transition(name) for name in "abc"], channels=["slack"])
    one, two, three = await store.due("slack", now=EPOCH)
    await store.record_delivered(one.delivery_id, at=EPOCH)
    later = EPOCH + timedelta(seconds=30)
    await store.record_retry(two.delivery_id, error="500", next_attempt_at=later)
    await store.record_failed(three.delivery_id, error="404")
    assert await store.due("slack", now=EPOCH) == []
    assert await store.next_due_at("slack") == later
    (again,) = await store.due("slack", now=later)
    assert (again.attempts, again.last_error) == (1, "500")


async def test_a_clock_that_is_set_back_delays_no_delivery(database: Database) -> None:
    """A machine that woke with a wrong clock stores tomorrow's times; nobody may wait for tomorrow."""
    store = DeliveryStore(database)
    await AlertStore(database).apply([make_transition("a"), make_transition("b")], channels=["slack"])
    yesterday = EPOCH - timedelta(days=1)
    one, _ = await store.due("slack", now=yesterday)
    soon = yesterday + timedelta(seconds=30)
    await store.record_retry(one.delivery_id, error="500", next_attempt_at=soon)
    (other,) = await store.due("slack", now=yesterday)
    assert other.delivery_id != one.delivery_id


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


def test_the_lead_passes_on_when_a_process_is_killed(tmp_path: Path) -> None:
    """No process gets to say goodbye to kill -9."""
    lock = LeaderLock(tmp_path / "state.sqlite3")
    script = (
        "import sys; from pathlib import Path; from runai_monitor.store.leader import LeaderLock; "
        "lock = LeaderLock(Path(sys.argv[1])); print(lock.try_acquire(), flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "server")}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "state.sqlite3")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"True\n"
        assert not lock.try_acquire()
        other.send_signal(signal.SIGKILL)
        other.wait(10)
        assert lock.try_acquire()
    lock.release()


async def test_a_channel_with_a_message_it_did_not_take_is_named_with_the_error(database: Database) -> None:
    """Whoever asks why Slack is silent must not have to read the log."""
    await AlertStore(database).apply([make_transition("a"), make_transition("b")], channels=["slack", "mail"])
    store = DeliveryStore(database)
    assert await store.last_errors() == {}
    first, second = await store.due("slack", now=EPOCH)
    await store.record_failed(first.delivery_id, error="an old error")
    await store.record_retry(second.delivery_id, error="Slack answered 503", next_attempt_at=EPOCH)
    assert await store.last_errors() == {"slack": "Slack answered 503"}
    await store.record_delivered(second.delivery_id, at=EPOCH)
    assert await store.last_errors() == {"slack": "an old error"}


async def test_an_unknown_alert_is_none(database: Database) -> None:
    """Asking for what is not there is no failure of the store."""
    assert await AlertStore(database).get(AlertId("al-nothing")) is None

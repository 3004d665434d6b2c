"""What an older version stored is still there after an update; what cannot be used is left exactly as it was."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import AlertKind, AlertState, Change
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.baseline import BaselineStore
from runai_monitor.store.database import FILE_NAME, open_database
from runai_monitor.store.deliveries import DeliveryStore
from runai_monitor.store.migrations import upgrade
from runai_monitor.store.monitors import MonitorStore
from runai_monitor.store.tables import SCHEMA_VERSION, metadata
from tests.factories import make_transition
from tests.fakes import EPOCH
from tests.store.old_files import SCHEMA_1, write_schema_1

pytestmark = pytest.mark.anyio


async def test_an_update_keeps_what_the_first_released_version_stored(tmp_path: Path) -> None:
    """Alerts, what waits to be told, monitors and the first look: nobody begins again because of an update."""
    write_schema_1(tmp_path / FILE_NAME)
    for _ in range(2):  # the second opening finds nothing to do
        database = await open_database(state_dir=tmp_path)
        try:
            alerts = AlertStore(database)
            states = {alert.subject.name: alert.state for alert in await alerts.list()}
            assert states == {"over": AlertState.RESOLVED, "fires": AlertState.FIRING}
            assert await alerts.latest_cursor() == 3
            assert (await alerts.last_episodes())[AlertKind.WORKLOAD_UNHEALTHY, "id-over"] == 4
            (change,) = await alerts.transitions((await alerts.list())[0].alert_id)
            assert change[1:] == (Change.OPENED, "a new failure")
            deliveries, later = DeliveryStore(database), EPOCH + timedelta(hours=1)
            (due,) = await deliveries.load(await deliveries.due("slack", owner="me", now=later), now=later)
            assert (due.notification.alert.subject.name, due.attempts) == ("fires", 1)
            assert due.idempotency_key
            (monitor,) = await MonitorStore(database).active()
            assert (monitor.monitor_id, monitor.polls) == ("mon-1", 7)
            assert await BaselineStore(database).failing() == {"w-old": "Failed"}
        finally:
            await database.aclose()


async def test_an_updated_file_is_written_like_a_new_one(tmp_path: Path) -> None:
    """The cursor goes on where the older version stopped."""
    write_schema_1(tmp_path / FILE_NAME)
    database = await open_database(state_dir=tmp_path)
    try:
        (alert,) = await AlertStore(database).apply([make_transition("new")], channels=["slack"])
        assert alert.cursor == 4
    finally:
        await database.aclose()


async def test_two_processes_may_update_one_file_at_the_same_time(tmp_path: Path) -> None:
    """After an update of the package every desktop client starts its new server at once."""
    write_schema_1(tmp_path / FILE_NAME)
    opened = []

    async def open_it() -> None:
        opened.append(await open_database(state_dir=tmp_path))

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(open_it)
    for database in opened:
        assert len(await AlertStore(database).list()) == 2
        await database.aclose()


def schema_of(connection: sqlite3.Connection) -> dict[str, set[tuple[object, ...]]]:
    """Columns and indexes by table: the text of a statement differs by how a table came to be."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        name: {(*row[1:4], row[5]) for row in connection.execute(f"PRAGMA table_info({name})")}
        | {tuple(row[2:]) for row in connection.execute(f"PRAGMA foreign_key_list({name})")}
        | {(row[1], row[2]) for row in connection.execute(f"PRAGMA index_list({name})")}
        for name in names
    }


def one_transaction(path: Path) -> Engine:
    """As `open_database` has it: nothing is committed by itself."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _configure(dbapi: sqlite3.Connection, _record: object) -> None:
        dbapi.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@pytest.mark.parametrize("to", [1, SCHEMA_VERSION])
def test_the_steps_lead_to_the_schema_that_new_files_get(tmp_path: Path, to: int) -> None:
    """Two ways to one schema: a column that is added to the tables and forgotten in the step fails here."""
    stepped, direct = tmp_path / "stepped", tmp_path / "direct"
    engine = one_transaction(stepped)
    with engine.begin() as connection:
        upgrade(connection, 0, to=str(to))
    engine.dispose()
    if to == 1:
        with closing(sqlite3.connect(direct)) as raw:
            raw.executescript(SCHEMA_1.read_text(encoding="utf-8"))
    else:
        engine = create_engine(f"sqlite:///{direct}")
        metadata.create_all(engine)
        engine.dispose()
    with closing(sqlite3.connect(stepped)) as one, closing(sqlite3.connect(direct)) as other:
        assert schema_of(one) == schema_of(other)


def spoil(path: Path, trouble: str) -> None:
    """Makes a file of the first released version one that cannot be used."""
    write_schema_1(path)
    match trouble:
        case "from the future":
            _execute(path, "UPDATE meta SET value = '99' WHERE key = 'schema_version'")
        case "nonsense":
            _execute(path, "UPDATE meta SET value = 'yes' WHERE key = 'schema_version'")
        case "another program's":
            path.unlink()
            _execute(path, "CREATE TABLE meta (song TEXT, artist TEXT)")
        case "damaged":
            content = bytearray(path.read_bytes())
            content[4096:] = b"\xa5" * (len(content) - 4096)
            path.write_bytes(content)
        case "cut short":
            content = bytearray(path.read_bytes())
            path.write_bytes(content[: len(content) // 2])
        case "not a database":
            path.write_bytes(b"this is not a database, and never was one" * 100)
        case "half updated":
            _execute(path, "CREATE TABLE audit (id INTEGER)")


def _execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("from the future", "install the newer runai-monitor"),
        ("nonsense", "schema yes"),
        ("another program's", "another program's database"),
        ("damaged", "the file is damaged: move it away"),
        ("cut short", "the file is damaged: move it away"),
        ("not a database", "the file is damaged: move it away"),
        ("half updated", "already exists"),
        ("read-only", "it cannot be written"),
    ],
)
async def test_a_file_that_cannot_be_used_is_left_as_it_was(tmp_path: Path, trouble: str, said: str) -> None:
    """One sentence that says what to do, and every byte in its place: the person may know a way, or want it back."""
    path = tmp_path / FILE_NAME
    spoil(path, trouble)
    before = path.read_bytes()
    url = f"sqlite+aiosqlite:///file:{path}?mode=ro&uri=true" if trouble == "read-only" else None
    with pytest.raises(StoreError) as caught:
        await open_database(state_dir=tmp_path, database_url=url)
    text = str(caught.value)
    assert said in text
    assert str(path) in text
    assert "\n" not in text
    assert path.read_bytes() == before


def test_alembic_is_loaded_for_an_update_only(tmp_path: Path) -> None:
    """It takes a quarter of a second, and there is nothing to update on almost every day."""
    script = (
        "import sys; from pathlib import Path; import anyio; from runai_monitor.store.database import open_database\n"
        "async def main():\n"
        "    await (await open_database(state_dir=Path(sys.argv[1]))).aclose()\n"
        "anyio.run(main); anyio.run(main); print('alembic' in sys.modules, 'asyncpg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n", done.stderr

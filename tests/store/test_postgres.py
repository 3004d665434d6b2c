"""What only a server can do to us: restart, refuse, cut connections, and be shared with others."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import anyio
import anyio.lowlevel
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import AlertFilter, AlertState
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import Database, open_database
from runai_monitor.store.leader import Leadership
from tests.end_to_end.processes import until
from tests.factories import make_transition
from tests.postgres import NOTICE, PASSWORD, PostgresServer, binaries, run_postgres

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]


async def opened(url: str) -> Database:
    return await open_database(state_dir=Path("/nowhere"), database_url=url)


async def eventually_leads(leadership: Leadership) -> None:
    await until(leadership.try_acquire)


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop."""
    if binaries() is None:
        pytest.skip(NOTICE)
    with run_postgres() as server:
        yield server


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_work_goes_on_after_the_server_restarted(own_server: PostgresServer, how: signal.Signals) -> None:
    """Servers are updated at night too: nothing of ours needs to be restarted for it, and nothing is missed."""
    database = await opened(own_server.new_database())
    try:
        store = AlertStore(database)
        await store.apply([make_transition("before")], channels=[])
        leadership = database.leadership()
        assert await leadership.try_acquire()
        version = await database.data_version()
        own_server.stop(how=how)
        assert not await leadership.holds()
        assert not await leadership.try_acquire(), "without a server nobody leads"
        for call in (
            store.latest_cursor,
            database.data_version,
            lambda: store.apply([make_transition("x")], channels=[]),
        ):
            with pytest.raises(StoreError, match="check that the server runs") as caught:
                await call()
            assert PASSWORD not in str(caught.value)
        own_server.start()
        await store.apply([make_transition("after")], channels=[])
        assert await store.latest_cursor() == 2
        assert await database.data_version() != version
        await eventually_leads(leadership)
        await leadership.release()
    finally:
        await database.aclose()


async def test_one_process_leads_and_the_next_when_it_is_killed(postgres: PostgresServer) -> None:
    """The server gives the lock back when the connection breaks, and kill -9 breaks it."""
    url = postgres.new_database()
    script = (
        "import sys; from pathlib import Path; import anyio; from runai_monitor.store.database import open_database\n"
        "async def main():\n"
        "    database = await open_database(state_dir=Path('.'), database_url=sys.stdin.readline().strip())\n"
        "    lock = database.leadership()\n"
        "    print(await lock.try_acquire(), flush=True)\n"
        "    await anyio.sleep(3600)\n"
        "anyio.run(main)"
    )
    database = await opened(url)
    leadership = database.leadership()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "server")}
    try:
        async with await anyio.open_process([sys.executable, "-c", script], env=environment, stderr=None) as other:
            assert other.stdin is not None
            assert other.stdout is not None
            await other.stdin.send(url.encode() + b"\n")
            assert await BufferedByteReceiveStream(other.stdout).receive_until(b"\n", 100) == b"True"
            assert not await leadership.try_acquire()
            assert not await leadership.holds()
            other.kill()
            await other.wait()
            await eventually_leads(leadership)
        assert await leadership.holds()
        assert await leadership.try_acquire(), "asking again changes nothing"
        await leadership.release()
        assert not await leadership.holds()
    finally:
        await database.aclose()


async def test_whoever_lost_the_session_knows_that_it_leads_no_more(postgres: PostgresServer) -> None:
    """An administrator or a firewall ends the session: another process leads now, and two would tell everything twice."""
    url = postgres.new_database()
    one, other = await opened(url), await opened(url)
    first, second = one.leadership(), other.leadership()
    try:
        assert await first.try_acquire()
        assert not await second.try_acquire()
        postgres.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            database=url.rpartition("/")[2],
        )
        await eventually_leads(second)
        assert not await first.holds()
        assert not await first.try_acquire()
        await second.release()
        await eventually_leads(first)
        await first.release()
    finally:
        await one.aclose()
        await other.aclose()


async def test_monitors_in_one_database_with_a_schema_each_do_not_meet(postgres: PostgresServer) -> None:
    """A team has one database, and two clusters."""
    url = postgres.new_database()
    for name in ("east", "west"):
        postgres.sql(f"CREATE SCHEMA {name}", database=url.rpartition("/")[2])
    east, west = await opened(f"{url}?search_path=east"), await opened(f"{url}?search_path=west")
    locks = east.leadership(), west.leadership()
    try:
        await AlertStore(east).apply([make_transition("a")], channels=[])
        assert await AlertStore(west).latest_cursor() == 0
        assert [await lock.try_acquire() for lock in locks] == [True, True]
    finally:
        for lock in locks:
            await lock.release()
        await east.aclose()
        await west.aclose()


async def test_a_reader_that_follows_the_cursor_misses_nothing_while_many_write(postgres: PostgresServer) -> None:
    """Were cursors given in another order than they are committed, a reader would step over the slower one for ever."""
    url = postgres.new_database()
    databases = [await opened(url) for _ in range(3)]
    reader = AlertStore(databases[0])
    seen: list[int] = []

    async def write(number: int) -> None:
        for turn in range(10):
            transition = make_transition(f"w{number}-{turn}")
            await AlertStore(databases[number % 3]).apply([transition], channels=["slack"])

    async with anyio.create_task_group() as tasks:
        for number in range(6):
            tasks.start_soon(write, number)
        with anyio.fail_after(60):
            while len(seen) < 60:
                seen += [a.cursor for a in await reader.list(AlertFilter(after_cursor=seen[-1] if seen else 0))]
                await anyio.lowlevel.checkpoint()
    assert seen == list(range(1, 61))
    for database in databases:
        await database.aclose()


async def test_what_an_older_version_stored_is_upgraded_here_too(postgres: PostgresServer) -> None:
    """One way of upgrading for both databases."""
    from runai_monitor.store.migrations import upgrade

    url = postgres.new_database()
    database = await opened(url)
    async with database.writing() as connection:
        for table in ("threads", "deliveries", "alerts", "transitions", "monitors", "covered_projects", "baseline"):
            await connection.exec_driver_sql(f"DROP TABLE {table}")
        for table in ("meta", "silences", "audit", "episodes"):
            await connection.exec_driver_sql(f"DROP TABLE {table}")
        await connection.run_sync(lambda sync: upgrade(sync, 0, to="1"))
        await connection.exec_driver_sql("INSERT INTO meta VALUES ('schema_version', '1'), ('cursor', '7')")
        await connection.exec_driver_sql("INSERT INTO baseline VALUES ('w-old', 'Failed')")
    await database.aclose()
    database = await opened(url)
    try:
        (alert,) = await AlertStore(database).apply([make_transition("new")], channels=["slack"])
        assert (alert.cursor, alert.state) == (8, AlertState.FIRING)
    finally:
        await database.aclose()


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("wrong password", "correct user and password"),
        ("no such database", "create the database"),
        ("another program's", "another program's database"),
        ("from the future", "install the newer runai-monitor"),
        ("read-only", "it is read-only"),
        ("nobody there", "connection refused"),
        ("no certificate authority", "add sslrootcert="),
        ("no such certificate authority", "correct sslrootcert"),
        ("no TLS", "it speaks no TLS"),
        ("not readable", "special characters written as %XX"),
        ("not known", "postgresql+asyncpg://"),
    ],
)
async def test_a_database_that_cannot_be_used_says_so_in_one_sentence(
    postgres: PostgresServer, trouble: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do, with the place, and never with the password."""
    monkeypatch.setenv("HOME", str(tmp_path))  # where the certificate authorities of this machine's user might be
    url = await spoilt(postgres, trouble)
    with pytest.raises(StoreError) as caught:
        await opened(url)
    text = str(caught.value)
    assert said in text
    assert PASSWORD not in text
    assert "\n" not in text


async def spoilt(postgres: PostgresServer, trouble: str) -> str:
    """The address of a database that cannot be used."""
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    match trouble:
        case "wrong password":
            return postgres.url(name, password=f"not-{PASSWORD}")
        case "no such database":
            return postgres.url("nowhere")
        case "another program's":
            postgres.sql("CREATE TABLE meta (song text)", database=name)
        case "from the future":
            await (await opened(url)).aclose()
            postgres.sql("UPDATE meta SET value = '99' WHERE key = 'schema_version'", database=name)
        case "read-only":
            await (await opened(url)).aclose()
            postgres.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        case "nobody there":
            return url.replace(f":{postgres.port}/", ":1/")
        case "no certificate authority":
            return f"{url}?sslmode=verify-full"
        case "no such certificate authority":
            return f"{url}?sslmode=verify-full&sslrootcert=/nowhere/ca.crt"
        case "no TLS":
            return f"{url}?sslmode=require"
        case "not readable":
            return url.replace(f":{postgres.port}/", ":not-a-port/")
        case "not known":
            return url.replace("postgresql+asyncpg", "mysql+aiomysql")
    return url


async def test_a_password_may_hold_any_character_and_is_in_no_message(postgres: PostgresServer) -> None:
    """Generated passwords hold slashes and signs; what is shown of the address is where it leads."""
    odd = "p@ss/w:rd?#%"
    postgres.sql(f"CREATE ROLE odd LOGIN PASSWORD '{odd}'")
    url = postgres.new_database()
    name = url.rpartition("/")[2]
    postgres.sql("GRANT ALL ON SCHEMA public TO odd", database=name)
    database = await opened(f"postgres://odd:{quote(odd, safe='')}@127.0.0.1:{postgres.port}/{name}?sslmode=disable")
    try:
        assert await AlertStore(database).latest_cursor() == 0
        assert database.place == f"the PostgreSQL database {name} at 127.0.0.1:{postgres.port}"
    finally:
        await database.aclose()

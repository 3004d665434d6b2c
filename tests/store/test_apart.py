"""Reads that can be given up: a disk that hangs holds nobody, and leaves nothing open behind it."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from sqlalchemy import Connection, select

from runai_monitor.errors import StoreError
from runai_monitor.store.apart import MOST_READS
from runai_monitor.store.database import FILE_NAME, Database, open_database
from runai_monitor.store.tables import meta

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(state_dir=tmp_path)
    try:
        yield opened
    finally:
        await opened.aclose()


class Disk:
    """A disk that does not answer until it is told to."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked = 0
        self.connections: list[Any] = []

    def read(self, connection: Connection) -> str:
        self.connections.append(connection)
        self.asked += 1
        assert self.answers.wait(20)
        return str(connection.execute(select(meta.c.value).where(meta.c.key == "cursor")).scalar_one())


async def until(condition: Any) -> None:
    with anyio.fail_after(10):
        while not condition():
            await anyio.to_thread.run_sync(lambda: None)


async def test_what_is_given_up_ends_by_itself_and_closes_its_connection(database: Database) -> None:
    """The caller goes on at once; the thread is left to the disk, and then to nobody."""
    disk = Disk()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(database.read_apart, disk.read)
        await until(lambda: disk.asked)
        tasks.cancel_scope.cancel()
    (connection,) = disk.connections
    assert not connection.closed
    disk.answers.set()
    await until(lambda: connection.closed)
    assert await database.read_apart(disk.read) == "0"
    await until(lambda: not [t for t in threading.enumerate() if t.name == "reading apart"])
    gc.collect()  # a connection left open would warn here, and warnings are errors


async def test_a_disk_that_hangs_collects_few_threads(database: Database) -> None:
    """A diagnosis a second for an hour must not be a thread a second."""
    disk = Disk()
    for _ in range(2):
        async with anyio.create_task_group() as tasks:
            for _ in range(MOST_READS + 3):
                tasks.start_soon(database.read_apart, disk.read)
            await until(lambda: disk.asked == MOST_READS)
            tasks.cancel_scope.cancel()
    assert disk.asked == MOST_READS
    disk.answers.set()
    with anyio.fail_after(10):
        assert await database.read_apart(disk.read) == "0"


async def test_reading_apart_changes_nothing(database: Database, tmp_path: Path) -> None:
    """It is for reading: it cannot write, and a file that was taken away is not made anew."""
    with pytest.raises(StoreError, match="nothing could be read"):
        await database.read_apart(lambda connection: connection.execute(meta.delete()))
    (tmp_path / FILE_NAME).unlink()
    with pytest.raises(StoreError, match="nothing could be read"):
        await database.read_apart(lambda connection: connection.execute(select(meta)).all())
    assert not (tmp_path / FILE_NAME).exists()


def test_the_process_ends_though_the_disk_hangs(tmp_path: Path) -> None:
    """Ctrl-C must work on the day the storage does not."""
    script = (
        "import anyio, threading, sys\nfrom pathlib import Path\n"
        "from runai_monitor.store.database import open_database\n"
        "async def main():\n"
        "    database = await open_database(state_dir=Path(sys.argv[1]))\n"
        "    with anyio.move_on_after(0.05):\n"
        "        await database.read_apart(lambda connection: threading.Event().wait())\n"
        "    await database.aclose()\n"
        "anyio.run(main)\nprint('ended')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("ended\n", "")

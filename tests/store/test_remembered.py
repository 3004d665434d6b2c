"""Reads from memory: never older than the database, whoever wrote to it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import open_database
from runai_monitor.store.remembered import MOST_ANSWERS, RememberingAlertStore, connect
from tests.factories import make_transition

pytestmark = pytest.mark.anyio


async def test_what_anybody_stored_is_seen_at_once(tmp_path: Path) -> None:
    """This process or another one: an agent that was pushed an alert asks for it in the same breath."""
    ours = await open_database(state_dir=tmp_path, database_url=None)
    theirs = await open_database(state_dir=tmp_path, database_url=None)
    remembering = RememberingAlertStore(ours)
    try:
        for number, database in enumerate((ours, theirs, ours, theirs)):
            for _ in range(2):
                assert len(await remembering.list()) == number
                assert await remembering.latest_cursor() == number
            await AlertStore(database).apply([make_transition(f"job-{number}")], channels=[])
        first = await remembering.list()
        first.clear()
        assert len(await remembering.list()) == 4, "what a caller does to its list is its own affair"
        for limit in range(1, MOST_ANSWERS + 5):
            assert len(await remembering.list(limit=limit)) == min(limit, 4)
    finally:
        remembering.close()
        await ours.aclose()
        await theirs.aclose()


async def test_what_was_asked_before_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what it is for."""
    database = await open_database(state_dir=tmp_path, database_url=None)
    remembering = RememberingAlertStore(database)
    try:
        await remembering.apply([make_transition()], channels=[])
        found = await remembering.list()
        monkeypatch.setattr(database, "reading", None)
        assert await remembering.list() == found
    finally:
        remembering.close()
        await database.aclose()


async def test_a_disk_that_hangs_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    """Opening a file may take for ever; the loop, and whoever asks meanwhile, must not."""
    database = await open_database(state_dir=tmp_path, database_url=None)
    hangs, opening = threading.Event(), threading.Event()

    def open_slowly(place: str) -> sqlite3.Connection:
        opening.set()
        hangs.wait()
        return connect(place)

    remembering = RememberingAlertStore(database, opener=open_slowly)
    try:
        await remembering.apply([make_transition()], channels=[])
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(remembering.list)
                await anyio.to_thread.run_sync(opening.wait)
                assert len(await remembering.list()) == 1, "read as ever"
                hangs.set()
            assert len(await remembering.list()) == 1
    finally:
        hangs.set()
        remembering.close()
        await database.aclose()


async def test_where_changes_cannot_be_watched_everything_is_read_as_ever(tmp_path: Path) -> None:
    """Memory is for speed; without it answers are as true."""
    database = await open_database(state_dir=tmp_path, database_url=None)
    tried: list[str] = []

    def refuse(place: str) -> sqlite3.Connection:
        tried.append(place)
        raise sqlite3.OperationalError("unable to open database file")

    remembering = RememberingAlertStore(database, opener=refuse)
    try:
        for number in range(2):
            assert len(await remembering.list()) == number
            await remembering.apply([make_transition(f"job-{number}")], channels=[])
        assert len(tried) == 2, "and it is tried again"
    finally:
        remembering.close()
        await database.aclose()

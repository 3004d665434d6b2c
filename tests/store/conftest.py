"""The store keeps its word on both databases: each test of it runs on a SQLite file and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runai_monitor.store.database import Database, open_database
from tests.postgres import PostgresServer


@dataclass(frozen=True, slots=True)
class State:
    """One state that several processes may share."""

    folder: Path
    url: str | None

    async def open(self) -> Database:
        """Opens it, as one more process."""
        return await open_database(state_dir=self.folder, database_url=self.url)


@pytest.fixture(params=["sqlite", "postgresql"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> State:
    """An empty state."""
    if request.param == "sqlite":
        return State(tmp_path / "state", None)
    server: PostgresServer = request.getfixturevalue("postgres")
    return State(tmp_path / "state", server.new_database())


@pytest.fixture
async def database(state: State) -> AsyncIterator[Database]:
    opened = await state.open()
    try:
        yield opened
    finally:
        await opened.aclose()

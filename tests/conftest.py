"""What every test shares: the event loop. Clients of Kubernetes and of the database are asyncio-only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres import NOTICE, PostgresServer, binaries, run_postgres


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL, started when the first test asks for it."""
    if binaries() is None:
        pytest.skip(NOTICE)
    with run_postgres() as server:
        yield server

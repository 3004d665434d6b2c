"""What every test shares: the event loop. Clients of Kubernetes and of the database are asyncio-only."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"

"""End-to-end tests share a tenant and its servers within a module: starting them is what takes time."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"

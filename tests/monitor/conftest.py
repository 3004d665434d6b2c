"""Worlds for the tests of the monitor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.monitor.world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Run:ai and Kubernetes."""
    async with a_world(tmp_path) as there:
        yield there


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[World]:
    """Run:ai alone."""
    async with a_world(tmp_path / "bare", kube=False) as there:
        yield there

"""Collections do not look at everything again and again: half a second each, in which nobody is served."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import anyio
import pytest

from runai_monitor import garbage
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio


class _Ring:
    """Garbage that only a collection finds."""

    def __init__(self, alive: list[int]) -> None:
        self.itself = self
        self._alive = alive
        alive.append(1)

    def __del__(self) -> None:
        self._alive.pop()


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """Other tests have their garbage found as ever."""
    yield
    gc.unfreeze()


def rings() -> int:
    """How many a collection would look at."""
    return sum(isinstance(each, _Ring) for each in gc.get_objects())


def test_what_survived_a_full_collection_is_not_looked_at_again() -> None:
    """A fleet of 100,000 workloads is a million objects, and every storm adds a million."""
    before = gc.get_threshold()
    with garbage.sparing_the_old():
        kept = [_Ring([]) for _ in range(100)]
        assert rings() == 100
        gc.collect()
        assert rings() == 0
    assert len(kept) == 100
    assert gc.get_threshold() == before


async def test_old_garbage_is_found_when_there_is_much_of_it() -> None:
    """Connections that end leave cycles behind; a server that runs for months must not keep them all."""
    clock = FakeClock()
    alive: list[int] = []
    with garbage.sparing_the_old():
        gc.collect()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(garbage.look_at_everything, clock)
            await clock.advance(garbage.EVERYTHING_SECONDS)
            kept = [_Ring(alive) for _ in range(gc.get_freeze_count())]
            gc.collect()
            kept.clear()
            gc.collect()
            assert alive
            await clock.advance(garbage.EVERYTHING_SECONDS)
            tasks.cancel_scope.cancel()
    assert not alive

"""Loops that fail start again, with patience and in sight; signals are neither lost nor invented."""

from __future__ import annotations

import anyio
import pytest

from runai_monitor.errors import StoreError
from runai_monitor.monitor.supervise import Signal, Supervisor
from tests.fakes import FakeClock

pytestmark = pytest.mark.anyio


async def run(clock: FakeClock, signal: Signal, seconds: float) -> list[bool]:
    """One wait in the background; its answer once it has one."""
    answers: list[bool] = []

    async def wait() -> None:
        answers.append(await signal.wait(seconds))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await clock.advance(seconds - 1)
        assert answers == []
        await clock.advance(1)
    return answers


async def test_a_signal_is_heard_once_whenever_it_came() -> None:
    """Before, during or after the wait; two of them are one."""
    clock = FakeClock()
    signal = Signal(clock)
    signal.set()
    signal.set()
    assert await signal.wait(60) is True
    assert await run(clock, signal, 60) == [False]
    assert clock.monotonic() == 60
    signal.set()
    assert await signal.wait(60) is True
    assert clock.monotonic() == 60


@pytest.mark.parametrize(
    "error", [StoreError("the disk is full"), ZeroDivisionError(), ExceptionGroup("", [KeyError()])]
)
async def test_a_loop_that_fails_starts_again_ever_more_patiently(error: Exception) -> None:
    """Two seconds, four, eight, up to a minute; whatever it was that failed."""
    clock = FakeClock()
    supervisor = Supervisor(clock)
    started: list[float] = []

    async def loop() -> None:
        started.append(clock.monotonic())
        raise error

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.keep, "polls", loop)
        await clock.advance(246)
        tasks.cancel_scope.cancel()
    assert started == [0, 2, 6, 14, 30, 62, 122, 182, 242]
    assert supervisor.crashes() == {"polls": 9}


async def test_a_loop_that_ran_well_for_long_is_forgiven() -> None:
    """One failure an hour is no reason to wait a minute each time."""
    clock = FakeClock()
    supervisor = Supervisor(clock)
    started: list[float] = []

    async def loop() -> None:
        started.append(clock.monotonic())
        await clock.sleep(3600)
        raise ZeroDivisionError

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(supervisor.keep, "polls", loop)
        await clock.advance(3 * 3602 + 1)
        tasks.cancel_scope.cancel()
    assert started == [0, 3602, 7204, 10806]


async def test_a_loop_that_returns_is_done_and_one_that_ended_on_purpose_is_forgotten() -> None:
    """The age of a stopped monitor's last sign of life must not make the process look ill."""
    clock = FakeClock()
    supervisor = Supervisor(clock)

    async def loop() -> None:
        supervisor.beat("poll mon-1")

    await supervisor.keep("poll mon-1", loop)
    await clock.advance(90)
    assert supervisor.ages() == {"poll mon-1": 90}
    supervisor.forget("poll mon-1")
    assert supervisor.ages() == {}

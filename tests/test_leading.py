"""The leader's work is done by the one that leads, only while it leads, and again when its turn comes again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from runai_monitor.errors import StoreError
from runai_monitor.leading import LEADER_SECONDS, SIGN_SECONDS, Lead
from runai_monitor.model.leader import Leader
from tests.fakes import EPOCH, FakeClock

pytestmark = pytest.mark.anyio


class FakeLeadership:
    """The lead is free or not as the test says."""

    def __init__(self) -> None:
        self.free = False
        self.held = False
        self.released = 0

    async def try_acquire(self) -> bool:
        self.held = self.free
        return self.held

    async def holds(self) -> bool:
        return self.held

    async def release(self) -> None:
        self.released += 1


class FakeLeaders:
    def __init__(self) -> None:
        self.signed: list[Leader] = []
        self.broken = False

    async def record(self, leader: Leader) -> None:
        if self.broken:
            raise StoreError("the disk is full")
        self.signed.append(leader)


class Stage:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.leadership = FakeLeadership()
        self.leaders = FakeLeaders()
        self.working = 0
        self.begun = 0
        self.lead = Lead(self.leadership, work=(self._work, self._work), leaders=self.leaders, clock=self.clock)  # type: ignore[arg-type]

    async def _work(self) -> None:
        self.begun += 1
        self.working += 1
        try:
            await anyio.sleep_forever()
        finally:
            self.working -= 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.lead.run)
            await self.clock.advance(0)
            yield
            tasks.cancel_scope.cancel()


async def test_a_follower_does_nothing_until_the_lead_is_free() -> None:
    """Two that poll and deliver would tell everything twice."""
    stage = Stage()
    async with stage.running():
        await stage.clock.advance(60)
        assert (stage.working, stage.lead.leading, stage.lead.role_since) == (0, False, EPOCH)
        stage.leadership.free = True
        await stage.clock.advance(LEADER_SECONDS)
        assert (stage.working, stage.lead.leading) == (2, True)
        (signed,) = stage.leaders.signed
        assert signed.since == stage.lead.role_since > EPOCH


async def test_a_leader_that_lost_the_lead_stops_at_once_and_may_lead_again() -> None:
    """Its session was ended while it worked: by now another one leads."""
    stage = Stage()
    stage.leadership.free = True
    async with stage.running():
        assert stage.working == 2
        stage.leadership.free = stage.leadership.held = False
        await stage.clock.advance(LEADER_SECONDS)
        assert (stage.working, stage.lead.leading, stage.leadership.released) == (0, False, 1)
        stage.leadership.free = True
        await stage.clock.advance(LEADER_SECONDS)
        assert (stage.working, stage.begun, stage.lead.leading) == (2, 4, True)


async def test_a_leader_that_cannot_sign_leads_all_the_same() -> None:
    """Who leads is shown to people; the lock decides."""
    stage = Stage()
    stage.leadership.free = stage.leaders.broken = True
    async with stage.running():
        assert stage.working == 2
        assert stage.leaders.signed == []
        stage.leaders.broken = False
        await stage.clock.advance(SIGN_SECONDS)
        assert len(stage.leaders.signed) == 1, "until then the others name whoever led before"

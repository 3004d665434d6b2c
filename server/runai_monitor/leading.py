"""What only one of several processes does, and when this one is it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import StoreError
from runai_monitor.model.leader import Leader

if TYPE_CHECKING:
    from runai_monitor.store.leader import Leadership
    from runai_monitor.store.leaders import LeaderStore

log = logging.getLogger(__name__)

LEADER_SECONDS = 1.0
"""Between attempts of a follower to lead, and between a leader's looks whether it still does: who is dead is followed
within about a second."""

SIGN_SECONDS = 30.0
"""Between attempts to store who leads, where that fails."""


class Lead:
    """Does the work of the leader while this process is it.

    Args:
        leadership: the right to do so.
        work: runs until cancelled, each; may be run again after that.
        leaders: where the leader signs, for `monitoring_status` of the others.
        clock: for waiting.
    """

    def __init__(
        self,
        leadership: Leadership,
        *,
        work: Sequence[Callable[[], Coroutine[Any, Any, None]]],
        leaders: LeaderStore,
        clock: Clock,
    ) -> None:
        self._leadership = leadership
        self._work = tuple(work)
        self._leaders = leaders
        self._clock = clock
        self.leading = False
        self.role_since = clock.now()
        """When this process began to lead, or to follow."""

    async def run(self) -> None:
        """Waits for its turn, leads until it is over, and again, until cancelled.

        Raises:
            StoreError: there is nothing that could be locked.
        """
        while True:
            while not await self._leadership.try_acquire():
                await self._clock.sleep(LEADER_SECONDS)
            self._take_role(leading=True)
            log.info("this process polls Run:ai and delivers alerts")
            try:
                await self._work_while_it_leads()
            finally:
                self._take_role(leading=False)
            log.warning("this process has lost the lead; another may poll and deliver now")
            await self._leadership.release()

    async def _work_while_it_leads(self) -> None:
        async with anyio.create_task_group() as tasks:
            for work in (*self._work, self._sign):
                tasks.start_soon(work)
            while await self._leadership.holds():
                await self._clock.sleep(LEADER_SECONDS)
            tasks.cancel_scope.cancel()

    async def _sign(self) -> None:
        """Nothing depends on it but what people are shown: until it is stored, the others name whoever led before."""
        leader = Leader(host=socket.gethostname(), process_id=os.getpid(), since=self.role_since)
        while True:
            try:
                return await self._leaders.record(leader)
            except StoreError as error:
                log.warning("the others cannot be told who leads, trying again: %s", error)
            await self._clock.sleep(SIGN_SECONDS)

    def _take_role(self, *, leading: bool) -> None:
        self.leading, self.role_since = leading, self._clock.now()

"""When a silence ends, what it kept quiet and what is still open is told: a silence delays, it does not forget.

As in Alertmanager, where an alert that still fires is notified once no silence matches it any more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import anyio.lowlevel

from runai_monitor.clock import Clock
from runai_monitor.errors import StoreError
from runai_monitor.model.alert import Alert
from runai_monitor.model.silence import Silence, SilenceId
from runai_monitor.notify.silencing import silencing

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
REASON = "still open after the silence that kept it from this channel has ended"


U = TypeVar("U", bound="Untold")


class Untold(Protocol):
    """An open alert that one channel was not told of."""

    @property
    def alert(self) -> Alert:
        """As it is now."""
        ...


class Silences(Protocol):
    """The stored silences."""

    async def active(self, now: datetime) -> Sequence[Silence]:
        """Those that hold now."""
        ...


class UntoldAlerts(Protocol[U]):
    """What was silenced, and the way back into the outbox."""

    async def silenced(self) -> Sequence[U]:
        """What was silenced, was not told since, and is not over."""
        ...

    async def tell(self, untold: U, *, reason: str, at: datetime) -> bool:
        """Puts one into the outbox; whether that was still to be done."""
        ...


class Afterwards(Generic[U]):
    """The loop that looks for silences that have ended. One process at a time: the one that delivers."""

    def __init__(
        self, *, untold: UntoldAlerts[U], silences: Silences, clock: Clock, outbox_wake: Callable[[], None]
    ) -> None:
        self._untold = untold
        self._silences = silences
        self._clock = clock
        self._outbox_wake = outbox_wake
        self._held: list[set[SilenceId]] | None = None
        """The silences that held at the last two looks; None before the first.

        Two, for a delivery that was found silenced in the last instant may be recorded as such after a look.
        """

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("what was silenced is not looked at yet: %s", error)
            except Exception:  # supervised boundary: a defect here must not stop what is delivered
                log.exception("looking at what was silenced failed; it goes on")
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> int:
        """Tells what no silence matches any more, when one has ended since the last look; how many.

        Raises:
            StoreError: not everything could be read or stored.
        """
        now = self._clock.now()
        silences = await self._silences.active(now)
        hold = {silence.silence_id for silence in silences}
        if self._held is not None and hold.issuperset(set().union(*self._held)):
            self._held = [*self._held[-1:], hold]
            return 0  # none has ended: whatever is silenced is silenced still
        told = 0
        for each in await self._untold.silenced():
            await anyio.lowlevel.checkpoint()  # there may be thousands, and what is due is due
            if not silencing(silences, each.alert, now):
                told += await self._untold.tell(each, reason=REASON, at=now)
        self._held = [*(self._held or [])[-1:], hold]
        if told:
            self._outbox_wake()
        return told

"""The one task that notices changed alerts and hands each to whoever subscribed.

The store is the truth: a change is noticed by looking at the database's version, because another process on the same
state may have made it; `notify()` only makes this process look at once.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import MonitorError
from runai_monitor.model.alert import Alert, AlertFilter
from runai_monitor.operations.scope import Scope
from runai_monitor.operations.services import Services, ServicesReady

log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
RETRY_SECONDS = 2.0
PAGE = 100

Subscriber = Callable[[Alert], Awaitable[None]]


class AlertFeed:
    """Tells subscribers and waiters of every change of every alert in scope, oldest first, from when it was made.

    A client may be connected before the store is open: what another process stored meanwhile is not lost to it.
    """

    def __init__(self, *, services: ServicesReady, scope: Scope, clock: Clock) -> None:
        self._services = services
        self._scope = scope
        self._clock = clock
        self._made_at = clock.now()
        self._cursor: int | None = None
        self._is_new_store = True
        self._look = anyio.Event()
        self._stored: deque[Alert] = deque(maxlen=PAGE)
        self._arrived = anyio.Event()
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Has `subscriber` called with each change; it must not block. Returns what ends the subscription."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def notify(self, stored: Sequence[Alert] = ()) -> None:
        """Something was stored by this process: look now. `stored` spares the look when it is all that is new."""
        self._stored.extend(stored)
        self._look.set()

    async def run(self) -> None:
        """Runs until cancelled. A database that cannot be read is tried again; nothing is skipped meanwhile."""
        services = await self._services()
        self._is_new_store = True
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch_version, services)
            while True:
                self._look = anyio.Event()
                try:
                    await self._drain(services)
                except MonitorError as error:
                    log.warning("changed alerts could not be read, trying again: %s", error)
                    await self._clock.sleep(RETRY_SECONDS)
                    continue
                await self._look.wait()

    async def wait_newer(
        self,
        cursor: int,
        *,
        timeout_seconds: float,
        on_tick: Callable[[float], Awaitable[None]] | None = None,
        tick_seconds: float = 5,
    ) -> list[Alert]:
        """Alerts in scope with a higher cursor, oldest first: at once when there are any, else as soon as one comes.

        `on_tick` is told every `tick_seconds` how long it has been waiting. Empty after `timeout_seconds`.
        """
        services = await self._services()
        began = self._clock.monotonic()
        while True:
            arrived = self._arrived
            found = await self._read(services, cursor)
            waited = self._clock.monotonic() - began
            if found or waited >= timeout_seconds:
                return found
            if on_tick is not None:
                await on_tick(waited)
            await self._sleep_or(arrived, min(tick_seconds, timeout_seconds - waited))

    async def _sleep_or(self, event: anyio.Event, seconds: float) -> None:
        """Waits for the event, `seconds` at most, by the injected clock."""
        async with anyio.create_task_group() as race:

            async def wake() -> None:
                await event.wait()
                race.cancel_scope.cancel()

            race.start_soon(wake)
            await self._clock.sleep(seconds)
            race.cancel_scope.cancel()

    async def _watch_version(self, services: Services) -> None:
        known: int | None = None
        while True:
            try:
                version = await services.database.data_version()
            except MonitorError:
                # The reader meets the same failure and reports it.
                version = -1
            if version != known:
                known = version
                self._look.set()
            await self._clock.sleep(POLL_SECONDS)

    async def _drain(self, services: Services) -> None:
        if self._is_new_store:
            self._cursor = await self._first_cursor(services)
            self._is_new_store = False
            self._stored.clear()
        assert self._cursor is not None
        while True:
            found = self._next_stored(self._cursor) or await self._read(services, self._cursor)
            for alert in found:
                self._cursor = max(self._cursor, alert.cursor)
                if self._scope.allows_alert(alert):
                    await self._hand_out(alert)
            if found:
                arrived, self._arrived = self._arrived, anyio.Event()
                arrived.set()
            if len(found) < PAGE and not self._stored:
                return

    def _next_stored(self, cursor: int) -> list[Alert]:
        """What this process stored, if it follows what was handed out without a gap: cursors count every change."""
        found: list[Alert] = []
        while self._stored and self._stored[0].cursor <= cursor + len(found) + 1:
            alert = self._stored.popleft()
            if alert.cursor > cursor + len(found):
                found.append(alert)
        if not found:
            self._stored.clear()  # another process was in between: everything is read
        return found

    async def _first_cursor(self, services: Services) -> int:
        latest = await services.alerts.latest_cursor()
        if self._cursor is not None:
            # Opened again. Where another file took its place, counting began again too.
            return min(self._cursor, latest)
        since = await services.alerts.list(AlertFilter(projects=self._scope.projects, since=self._made_at), limit=PAGE)
        return min([latest, *(alert.cursor - 1 for alert in since)])

    async def _read(self, services: Services, cursor: int) -> list[Alert]:
        return await services.alerts.list(AlertFilter(projects=self._scope.projects, after_cursor=cursor), limit=PAGE)

    async def _hand_out(self, alert: Alert) -> None:
        for subscriber in tuple(self._subscribers):
            try:
                await subscriber(alert)
            except Exception:  # supervised boundary: one subscriber must not keep the alert from the others
                log.exception("a subscriber failed on alert %s", alert.alert_id)

"""Delivers what is stored: one loop per channel that sends, records, and tries again until told or hopeless."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import DeliveryError, StoreError
from runai_monitor.model.alert import Alert, AlertId, AlertKind, AlertState, AlertSubject, Change, Severity
from runai_monitor.model.notification import Delivery, Notification
from runai_monitor.notify.notifier import Notifier

log = logging.getLogger(__name__)

SPACING_SECONDS = 1.0
"""Between two messages of one channel: Slack allows about one a second per webhook."""
GIVE_UP_AFTER = timedelta(hours=24)
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 900.0
IDLE_SECONDS = 5.0
"""How often an idle loop looks, in case another process stored something."""
SEND_SECONDS = 10.0
"""After which a channel that has not answered has failed, for this time."""
_STORE_RETRY_SECONDS = 2.0
_LONGEST_STORE_RETRY_SECONDS = 60.0


class Deliveries(Protocol):
    """What the outbox needs of the store."""

    async def due(self, channel: str, *, now: datetime, limit: int = 20) -> list[Delivery]:
        """Pending deliveries whose time has come, oldest first."""
        ...

    async def next_due_at(self, channel: str) -> datetime | None:
        """When the next one comes due."""
        ...

    async def record_delivered(self, delivery_id: int, *, at: datetime) -> None:
        """The channel took it."""
        ...

    async def record_retry(self, delivery_id: int, *, error: str, next_attempt_at: datetime) -> None:
        """It is tried again."""
        ...

    async def record_failed(self, delivery_id: int, *, error: str) -> None:
        """It is given up."""
        ...


class Outbox:
    """The loops of all channels. A message is recorded as delivered after the channel took it, never before.

    So a process that dies between the two repeats that message: at least once, and once only otherwise. While the store
    cannot record, a channel sends nothing more, or it would send the same message again and again.
    """

    def __init__(
        self,
        *,
        deliveries: Deliveries,
        notifiers: Mapping[str, Notifier],
        clock: Clock,
        send_timeout_seconds: float = SEND_SECONDS,
        on_delivered: Callable[[AlertId], None] = lambda _: None,
    ) -> None:
        self._on_delivered = on_delivered
        self._deliveries = deliveries
        self._send_timeout_seconds = send_timeout_seconds
        self._notifiers = dict(notifiers)
        self._clock = clock
        self._wakers = {name: anyio.Event() for name in notifiers}

    def wake(self) -> None:
        """Something was stored: look now."""
        for waker in self._wakers.values():
            waker.set()

    async def run(self) -> None:
        """Delivers until cancelled."""
        async with anyio.create_task_group() as tasks:
            for name, notifier in self._notifiers.items():
                tasks.start_soon(self._run_channel, name, notifier)

    async def send_test(self, channel: str | None) -> dict[str, str | None]:
        """Sends a test message at once, past the outbox; channel to error, None where it was taken."""
        names = [channel] if channel is not None else list(self._notifiers)
        results: dict[str, str | None] = {}
        for name in names:
            notifier = self._notifiers.get(name)
            if notifier is None:
                results[name] = "there is no such channel"
                continue
            error = await self._attempt(name, notifier, _test_notification(self._clock.now()))
            results[name] = None if error is None else str(error)
        return results

    async def _run_channel(self, name: str, notifier: Notifier) -> None:
        while True:
            try:
                worked = await self._deliver_next(name, notifier)
            except StoreError as error:
                log.warning("deliveries of %s wait for the store: %s", name, error)
                await self._clock.sleep(_STORE_RETRY_SECONDS)
                continue
            except Exception:  # supervised boundary: a defect in one channel must not stop it for ever, nor the others
                log.exception("the loop of channel %s failed; it goes on", name)
                await self._clock.sleep(_STORE_RETRY_SECONDS)
                continue
            if worked is None:
                await self._wait(name)
            elif worked > 0:
                await self._clock.sleep(worked)

    async def _deliver_next(self, name: str, notifier: Notifier) -> float | None:
        """Delivers the oldest due row. Returns the pause before the next, None when nothing is due."""
        due = await self._deliveries.due(name, now=self._clock.now(), limit=1)
        if not due:
            return None
        delivery = due[0]
        error = await self._attempt(name, notifier, delivery.notification)
        if error is not None:
            return await self._record_trouble(delivery, error)
        now = self._clock.now()
        self._on_delivered(delivery.notification.alert.alert_id)
        await self._insist(delivery, lambda: self._deliveries.record_delivered(delivery.delivery_id, at=now))
        return SPACING_SECONDS

    async def _attempt(self, name: str, notifier: Notifier, notification: Notification) -> DeliveryError | None:
        """Sends once; None when the channel took it."""
        try:
            with anyio.fail_after(self._send_timeout_seconds):
                await notifier.send(notification)
        except DeliveryError as error:
            return error
        except TimeoutError:
            said = f"{name} did not answer within {self._send_timeout_seconds:g} s; it is tried again for a day"
            return DeliveryError(said, retryable=True)
        except Exception as error:  # supervised boundary: one message a notifier fails on must not stop its channel
            log.exception("the notifier of channel %s failed", name)
            return DeliveryError(f"the notifier of {name} failed ({type(error).__name__}): see the log", retryable=True)
        return None

    async def _insist(self, delivery: Delivery, record: Callable[[], Awaitable[None]]) -> None:
        """Records what became of a delivery, however long that takes."""
        pause = _STORE_RETRY_SECONDS
        while True:
            try:
                return await record()
            except StoreError as error:
                log.error(  # noqa: TRY400  # one sentence for a person; the trace says nothing more
                    "channel %s waits: what became of alert %s cannot be recorded: %s",
                    delivery.channel,
                    delivery.notification.alert.alert_id,
                    error,
                )
            await self._clock.sleep(pause)
            pause = min(_LONGEST_STORE_RETRY_SECONDS, pause * 2)

    async def _record_trouble(self, delivery: Delivery, error: DeliveryError) -> float:
        now = self._clock.now()
        number, alert_id = delivery.delivery_id, delivery.notification.alert.alert_id
        if not error.retryable or now - delivery.created_at > GIVE_UP_AFTER:
            await self._insist(delivery, lambda: self._deliveries.record_failed(number, error=str(error)))
            log.error("alert %s was NOT delivered to %s: %s", alert_id, delivery.channel, error)
            return SPACING_SECONDS
        pause = error.retry_after_seconds
        later = now + timedelta(seconds=pause if pause is not None else _backoff(delivery.attempts))
        await self._insist(
            delivery,
            lambda: self._deliveries.record_retry(number, error=str(error), next_attempt_at=later),
        )
        if delivery.last_error != str(error):
            log.warning("alert %s is not delivered to %s yet: %s", alert_id, delivery.channel, error)
        # Retry-After speaks for the whole channel; any other error may be this message's own.
        return max(SPACING_SECONDS, pause or 0.0)

    async def _wait(self, name: str) -> None:
        """Until woken, until the next retry is due, or for a while."""
        next_due = await self._next_due(name)
        seconds = IDLE_SECONDS if next_due is None else (next_due - self._clock.now()).total_seconds()
        waker = self._wakers[name]
        async with anyio.create_task_group() as race:

            async def woken() -> None:
                await waker.wait()
                race.cancel_scope.cancel()

            race.start_soon(woken)
            await self._clock.sleep(min(IDLE_SECONDS, max(0.05, seconds)))
            race.cancel_scope.cancel()
        if waker.is_set():
            self._wakers[name] = anyio.Event()

    async def _next_due(self, name: str) -> datetime | None:
        try:
            return await self._deliveries.next_due_at(name)
        except StoreError:
            return None  # the loop meets the same failure at once and reports it


def _backoff(attempts: int) -> float:
    """Seconds before the next attempt: doubling, capped, with jitter so that many rows do not return together."""
    ceiling = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(attempts, 20))
    return random.uniform(ceiling / 2, ceiling)


def _test_notification(now: datetime) -> Notification:
    alert = Alert(
        alert_id=AlertId("al-test"),
        cursor=0,
        kind=AlertKind.WORKLOAD_UNHEALTHY,
        status="Test",
        state=AlertState.FIRING,
        severity=Severity.INFO,
        subject=AlertSubject(),
        summary="Somebody asked runai-monitor to try this channel. Alerts will arrive here; nothing has failed.",
        started_at=now,
        updated_at=now,
    )
    return Notification(alert=alert, change=Change.OPENED, reason="someone asked for a test", test=True)

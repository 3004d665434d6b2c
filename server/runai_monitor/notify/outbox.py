"""Delivers what is stored: a sender per channel, so that none holds up another."""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import StoreError
from runai_monitor.model.alert import Alert, AlertId, AlertKind, AlertState, AlertSubject, Change, Severity
from runai_monitor.model.notification import Notification
from runai_monitor.notify.notifier import Notifier
from runai_monitor.notify.plan import Planner, Surroundings, one_by_one
from runai_monitor.notify.record import Deliveries
from runai_monitor.notify.retry import RetryPolicy
from runai_monitor.notify.sender import SEND_SECONDS, Sender, SenderOptions

log = logging.getLogger(__name__)


class Outbox:
    """The senders of all channels.

    Args:
        fallback: the channel that gets what another one did not take, with the reason; None for none.
        planner: turns what is due into messages; `planners` are those of channels with one of their own.
        surroundings: finds what a plan depends on besides; None for nothing.
    """

    def __init__(
        self,
        *,
        deliveries: Deliveries,
        notifiers: Mapping[str, Notifier],
        clock: Clock,
        policy: RetryPolicy | None = None,
        fallback: str | None = None,
        planner: Planner = one_by_one,
        planners: Mapping[str, Planner] | None = None,
        surroundings: Surroundings | None = None,
        send_timeout_seconds: float = SEND_SECONDS,
        on_delivered: Callable[[AlertId], None] = lambda _: None,
    ) -> None:
        self._deliveries = deliveries
        self._clock = clock
        options = SenderOptions(
            owner=f"{socket.gethostname()}/{secrets.token_hex(8)}",
            policy=policy or RetryPolicy(),
            fallback=fallback,
            send_timeout_seconds=send_timeout_seconds,
            planner=planner,
            surroundings=surroundings,
        )
        self._owner = options.owner
        self._senders = {
            name: Sender(
                channel=name,
                deliveries=deliveries,
                notifier=notifier,
                clock=clock,
                options=replace(options, planner=(planners or {}).get(name, planner)),
                on_dead_letter=self.wake,
                on_delivered=on_delivered,
            )
            for name, notifier in notifiers.items()
        }

    def wake(self) -> None:
        """Something was stored: look now."""
        for sender in self._senders.values():
            sender.wake()

    async def run(self, *, alone: bool = False) -> None:
        """Delivers until cancelled; a message that is being sent then gets a moment to end.

        Args:
            alone: certain that no other process can still be sending, as a lock that the kernel releases makes it: what
                a dead process had leased is taken over at once instead of when its lease ends.
        """
        if alone:
            try:
                await self._deliveries.release_others(self._owner)
            except StoreError as error:
                log.warning("messages that another process was sending wait until its leases end: %s", error)
        async with anyio.create_task_group() as tasks:
            for sender in self._senders.values():
                tasks.start_soon(sender.run)
            try:
                await anyio.sleep_forever()
            finally:
                for sender in self._senders.values():
                    sender.end_soon()

    async def send_test(self, channel: str | None) -> dict[str, str | None]:
        """Sends a test message at once, past the outbox; channel to error, None where it was taken."""
        names = [channel] if channel is not None else list(self._senders)
        results: dict[str, str | None] = {}
        for name in names:
            sender = self._senders.get(name)
            if sender is None:
                results[name] = "there is no such channel"
                continue
            error = await sender.attempt(_test_notification(self._clock.now()))
            results[name] = None if error is None else str(error)
        return results


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

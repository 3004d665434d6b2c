"""One channel's loop: plans what is due, sends a message, records what became of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import anyio
import anyio.lowlevel

from runai_monitor.clock import Clock
from runai_monitor.errors import DeliveryError, StoreError
from runai_monitor.model.alert import AlertId
from runai_monitor.model.notification import Delivery, Notification
from runai_monitor.notify.console import log_undelivered
from runai_monitor.notify.notifier import Notifier
from runai_monitor.notify.plan import Context, Message, Plan, Planner, Surroundings, one_by_one
from runai_monitor.notify.record import Deliveries
from runai_monitor.notify.retry import LONGEST_ASKED_PAUSE_SECONDS, RetryPolicy, SteadyTime

log = logging.getLogger(__name__)

TROUBLE_SECONDS = 1.0
"""At least so long nothing is sent after a message that was not taken, however fast the channel may be."""
GATHER_SECONDS = 1.0
"""While a storm is being collected, what comes is looked at so often."""
SEND_SECONDS = 10.0
"""After which a channel that has not answered has failed, for this time."""
LEASE_MARGIN_SECONDS = 10.0
"""A lease outlasts the attempt by this: for recording it on a busy disk."""
IDLE_SECONDS = 5.0
"""How often an idle loop looks, in case another process stored something."""
LAST_SECONDS = 2.0
"""For the message that is being sent when the process is told to end: breaking it off would send it twice."""
MOST_DUE = 5000
"""Deliveries planned together: the failure of a node may be that of thousands of workloads, and one message."""
_CHUNK = 100
"""Deliveries read at once; between chunks others get their turn."""
RECOVERY_FAILURES = 3
"""A channel that failed so often in a row was out of order: when it takes a message again, all that wait are due."""
_STORE_RETRY_SECONDS = 2.0
_LONGEST_STORE_RETRY_SECONDS = 60.0
_SHORTEST_WAIT_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderOptions:
    """What a sender works with. `owner` names the process in leases; `fallback` is a channel."""

    owner: str
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    fallback: str | None = None
    send_timeout_seconds: float = SEND_SECONDS
    planner: Planner = one_by_one
    surroundings: Surroundings | None = None


class Sender:
    """Delivers what is stored for one channel, one message after the other.

    A message is leased, sent, and recorded as told after the channel took it, never before: a process that dies between
    the two repeats that message, as does an answer that is lost on its way. While the store cannot record, nothing more is sent.
    """

    def __init__(
        self,
        *,
        channel: str,
        deliveries: Deliveries,
        notifier: Notifier,
        clock: Clock,
        options: SenderOptions,
        on_dead_letter: Callable[[], None],
        on_delivered: Callable[[AlertId], None] = lambda _: None,
    ) -> None:
        self._channel = channel
        self._deliveries = deliveries
        self._notifier = notifier
        self._clock = clock
        self._options = options
        self._on_dead_letter = on_dead_letter
        self._on_delivered = on_delivered
        self._time = SteadyTime(clock)
        self._loaded: dict[int, Delivery] = {}
        self._failures = 0
        self._wake_at: datetime | None = None
        self._waker = anyio.Event()
        self._under_way: anyio.CancelScope | None = None

    def wake(self) -> None:
        """Something was stored: look now."""
        self._waker.set()

    def end_soon(self) -> None:
        """The process ends: what is being sent gets a moment to be answered and recorded."""
        if self._under_way is not None:
            self._under_way.deadline = anyio.current_time() + LAST_SECONDS

    async def run(self) -> None:
        """Delivers until cancelled."""
        pause: float | None = None
        while pause is None:
            try:
                pause = await self._asked_pause()
            except StoreError as error:
                log.warning("deliveries of %s wait for the store: %s", self._channel, error)
                await self._clock.sleep(_STORE_RETRY_SECONDS)
        await self._clock.sleep(pause)
        while True:
            try:
                pause = await self._deliver_next()
            except StoreError as error:
                log.warning("deliveries of %s wait for the store: %s", self._channel, error)
                pause = _STORE_RETRY_SECONDS
            except Exception:  # supervised boundary: a defect in one channel must not stop it for ever, nor the others
                log.exception("the loop of channel %s failed; it goes on", self._channel)
                pause = _STORE_RETRY_SECONDS
            if pause is None:
                await self._wait()
            else:
                await self._clock.sleep(pause)

    async def attempt(self, notification: Notification) -> DeliveryError | None:
        """Sends once; None when the channel took it."""
        seconds = self._options.send_timeout_seconds
        try:
            with anyio.fail_after(seconds):
                await self._notifier.send(notification)
        except DeliveryError as error:
            return error
        except TimeoutError:
            said = f"{self._channel} did not answer within {seconds:g} s; it is tried again"
            return DeliveryError(said, retryable=True)
        except Exception as error:  # supervised boundary: one message a notifier fails on must not stop its channel
            log.exception("the notifier of channel %s failed", self._channel)
            said = f"the notifier of {self._channel} failed ({type(error).__name__}): see the log"
            return DeliveryError(said, retryable=True)
        return None

    async def _asked_pause(self) -> float:
        """What is left of the pause that the channel asked an earlier process for, in seconds."""
        until = await self._deliveries.paused_until(self._channel)
        left = 0.0 if until is None else (until - self._clock.now()).total_seconds()
        return left if 0 < left <= LONGEST_ASKED_PAUSE_SECONDS else 0.0

    async def _deliver_next(self) -> float | None:
        """Sends the first message of the plan. Returns the pause before the next; None when there is nothing to send."""
        now = self._clock.now()
        if self._time.jumped():
            log.warning("the clock was set; what waits in channel %s is tried now", self._channel)
            await self._deliveries.hasten(self._channel, now=now)
        planned = await self._plan(now)
        self._wake_at = planned.wake_at
        for settled in planned.settled:
            self._forget(settled.delivery_ids)
            await self._deliveries.settle(settled.delivery_ids, state=settled.state, note=settled.note, at=now)
        if not planned.messages:
            return None
        message = planned.messages[0]
        ids = _ids(message)
        seconds = self._options.send_timeout_seconds + LEASE_MARGIN_SECONDS
        if not await self._deliveries.claim(
            ids, owner=self._options.owner, now=now, until=now + timedelta(seconds=seconds)
        ):
            self._forget(ids)
            return _SHORTEST_WAIT_SECONDS
        await anyio.lowlevel.checkpoint()  # the last moment to be told to end without having begun
        pause = self._notifier.spacing_seconds
        with anyio.CancelScope(shield=True) as self._under_way:
            try:
                pause = await self._tell(message)
            finally:
                self._under_way = None
                self._forget(ids)
        return pause

    async def _plan(self, now: datetime) -> Plan:
        surroundings = self._options.surroundings
        if surroundings is not None:
            await surroundings.release(self._channel, now=now)
        ids = await self._deliveries.due(self._channel, owner=self._options.owner, now=now, limit=MOST_DUE)
        missing = [number for number in ids if number not in self._loaded]
        # What a delivery says never changes: it is read once, and its report again when it is sent.
        kept = {number: self._loaded[number] for number in ids if number in self._loaded}
        for start in range(0, len(missing), _CHUNK):
            chunk = missing[start : start + _CHUNK]
            kept |= {delivery.delivery_id: _light(delivery) for delivery in await self._deliveries.load(chunk, now=now)}
        self._loaded = kept
        if not kept:
            return Plan()
        due = [kept[number] for number in sorted(kept)]
        context = Context() if surroundings is None else await surroundings.context(self._channel, due, now=now)
        return self._options.planner(due, context, now=now)

    async def _tell(self, message: Message) -> float:
        first, notification = message.deliveries[0], message.deliveries[0].notification
        for whole in await self._deliveries.load([first.delivery_id], now=self._clock.now()):
            notification = whole.notification
        error = await self.attempt(replace(notification, digest=message.digest))
        if error is not None:
            return await self._record_trouble(message, error)
        at, ids = self._clock.now(), _ids(message)
        for delivery in message.deliveries:
            self._on_delivered(delivery.notification.alert.alert_id)
        await self._insist(first, lambda: self._deliveries.record_told(ids, at=at))
        failures, self._failures = self._failures, 0
        if failures >= RECOVERY_FAILURES:
            log.info("channel %s takes messages again", self._channel)
            await self._deliveries.hasten(self._channel, now=at)
        return self._notifier.spacing_seconds

    async def _record_trouble(self, message: Message, error: DeliveryError) -> float:
        now = self._clock.now()
        lost, alive = self._sorted_out(message, error, now)
        if lost:
            await self._give_up(lost, error, now)
        if not error.retryable:
            return max(TROUBLE_SECONDS, self._notifier.spacing_seconds)
        self._failures += 1
        asked = error.retry_after_seconds
        asked = None if asked is None else min(max(0.0, asked), LONGEST_ASKED_PAUSE_SECONDS)
        # Retry-After speaks for the whole channel; any other error may be this message's own, until several fail.
        whole = max(
            TROUBLE_SECONDS,
            self._notifier.spacing_seconds,
            asked or 0.0,
            self._options.policy.channel_pause_seconds(self._failures),
        )
        if alive:
            pause = max(asked or 0.0, self._options.policy.pause_seconds(alive[0].attempts + 1))
            await self._insist(
                alive[0],
                lambda: self._deliveries.record_retry(
                    [delivery.delivery_id for delivery in alive],
                    error=str(error),
                    next_attempt_at=now + timedelta(seconds=pause),
                    channel_until=None if asked is None else now + timedelta(seconds=asked),
                ),
            )
            if alive[0].last_error != str(error):
                which = alive[0].notification.alert.alert_id
                log.warning("alert %s is not delivered to %s yet: %s", which, self._channel, error)
        return whole

    def _sorted_out(
        self, message: Message, error: DeliveryError, now: datetime
    ) -> tuple[Sequence[Delivery], Sequence[Delivery]]:
        """Those that are given up, and those that are tried again."""
        if not error.retryable:
            return message.deliveries, ()
        self._time.look()
        lost = [
            delivery
            for delivery in message.deliveries
            if self._options.policy.is_hopeless(
                created_at=delivery.created_at, attempts=delivery.attempts + 1, now=now, time=self._time
            )
        ]
        return lost, [delivery for delivery in message.deliveries if delivery not in lost]

    async def _give_up(self, deliveries: Sequence[Delivery], error: DeliveryError, now: datetime) -> None:
        said = str(error)
        if error.retryable:
            said = f"given up after {self._options.policy.give_up_hours:g} h: {said}"
        ids = [delivery.delivery_id for delivery in deliveries]
        await self._insist(
            deliveries[0],
            lambda: self._deliveries.record_failed(ids, error=said, at=now, fallback=self._options.fallback),
        )
        for delivery in deliveries:
            log_undelivered(delivery, said)
        self._on_dead_letter()

    async def _insist(self, delivery: Delivery, record: Callable[[], Awaitable[None]]) -> None:
        """Records what became of a message, however long that takes."""
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

    async def _wait(self) -> None:
        """Until woken, until something comes due, or for a while."""
        now = self._clock.now()
        times = [at for at in (await self._next_due(now), self._wake_at) if at is not None]
        seconds = min(((at - now).total_seconds() for at in times), default=IDLE_SECONDS)
        waker = self._waker
        async with anyio.create_task_group() as race:

            async def woken() -> None:
                await waker.wait()
                race.cancel_scope.cancel()

            race.start_soon(woken)
            await self._clock.sleep(min(IDLE_SECONDS, max(_SHORTEST_WAIT_SECONDS, seconds)))
            race.cancel_scope.cancel()
        if waker.is_set():
            self._waker = anyio.Event()
            if self._wake_at is not None:
                # A storm is being collected: what each new member changes is looked at together.
                await self._clock.sleep(GATHER_SECONDS)

    async def _next_due(self, now: datetime) -> datetime | None:
        try:
            return await self._deliveries.next_due_at(self._channel, now=now)
        except StoreError:
            return None  # the loop meets the same failure at once and reports it

    def _forget(self, delivery_ids: Collection[int]) -> None:
        for number in delivery_ids:
            self._loaded.pop(number, None)


def _light(delivery: Delivery) -> Delivery:
    """The delivery without what only its message needs: thousands may wait."""
    told = delivery.notification
    if told.alert.diagnosis is None:
        return delivery
    diagnosis = replace(told.alert.diagnosis, evidence=(), markdown="")
    return replace(delivery, notification=replace(told, alert=replace(told.alert, diagnosis=diagnosis)))


def _ids(message: Message) -> list[int]:
    return [delivery.delivery_id for delivery in message.deliveries]

"""From a decision to a stored alert: looks again, asks why, stores; nothing is told that is not stored."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import Alert, AlertState, Change, Transition
from runai_monitor.model.diagnosis import Diagnosis
from runai_monitor.model.workload import Workload
from runai_monitor.monitor.flapping import note_end
from runai_monitor.monitor.policy import Book, Key
from runai_monitor.monitor.sources import AlertSink, Diagnoses
from runai_monitor.pace import Pace

log = logging.getLogger(__name__)

BATCH = 50
"""Transitions in one transaction: when a thousand alerts end at once, others too must get to write in between."""
DIAGNOSIS_SECONDS = 330.0
"""A guard behind the diagnoser's own deadline (at most 300 s): one that hangs must not hold an alert for ever."""


@dataclass(slots=True)
class _Queued:
    """A transition that waits to be stored; `stored` tells whether it was, once that is known."""

    transition: Transition
    stored: bool | None = None


class Announcer:
    """Applies transitions to the store and keeps the book in step with it."""

    def __init__(
        self,
        *,
        alerts: AlertSink,
        book: Book,
        channels: Sequence[str],
        outbox_wake: Callable[[], None],
        on_alerts: Callable[[list[Alert]], None],
        route: Callable[[Alert], Sequence[str]] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace or Pace()
        self._alerts = alerts
        self._book = book
        self._channels = tuple(channels)
        self._route = route
        self._outbox_wake = outbox_wake
        self._on_alerts = on_alerts
        self.error: str | None = None
        """Why alerts cannot be stored at present, or None."""
        # Two tasks that apply at once could note two states of one alert in the wrong order.
        self._lock = anyio.Lock()
        self._gate = anyio.Lock()
        self._queued: list[_Queued] = []

    async def load(self) -> None:
        """Reads what was told before this process led.

        Raises:
            StoreError: it cannot be read.
        """
        self._book.episodes = dict(await self._alerts.last_episodes())
        self._book.open = {(alert.kind, alert.subject.id): alert for alert in await self._alerts.unresolved()}

    async def apply(self, transitions: Sequence[Transition]) -> bool:
        """Stores transitions; whether that worked. A failure leaves everything undecided, to be decided again."""
        for first in range(0, len(transitions), BATCH):
            if not await self._apply(transitions[first : first + BATCH]):
                return False
        return True

    async def apply_soon(self, transition: Transition) -> bool:
        """As `apply`, together with what others want stored meanwhile: a thousand commits at once are a few."""
        entry = _Queued(transition)
        self._queued.append(entry)
        async with self._gate:
            if entry.stored is None:
                batch, self._queued = self._queued[:BATCH], self._queued[BATCH:]
                stored = False
                try:
                    stored = await self.apply([queued.transition for queued in batch])
                finally:
                    for queued in batch:
                        queued.stored = stored
        return bool(entry.stored)

    @property
    def queued(self) -> int:
        """How many wait to be stored."""
        return len(self._queued)

    async def _apply(self, transitions: Sequence[Transition]) -> bool:
        async with self._lock:
            try:
                changed = await self._alerts.apply(transitions, channels=self._channels, route=self._route)
                stored = {alert.alert_id for alert in changed}
                if not {t.alert_id for t in transitions if t.change is not Change.SUPPRESSED} <= stored:
                    await self.load()  # another process had told it already: its alerts are ours now
            except StoreError as error:
                self._refused(error)
                return False
            self.error = None
            for alert in changed:
                self._note(alert)
                self._pace.reached("stored", alert.alert_id)
        if changed:
            self._outbox_wake()
            self._on_alerts(changed)
        return True

    def hear(self, alert: Alert) -> None:
        """Somebody acknowledged an alert, perhaps through another process: the book follows.

        What this process has stored since, or ended, is newer and stays.
        """
        key: Key = (alert.kind, alert.subject.id)
        known = self._book.open.get(key)
        if known is None or known.alert_id != alert.alert_id or known.cursor >= alert.cursor:
            return
        if alert.state is AlertState.ACKNOWLEDGED:
            self._book.open[key] = alert

    def _refused(self, error: StoreError) -> None:
        """Complained about once, however often it is tried again."""
        if self.error != str(error):
            log.error("alerts could not be stored and are not sent; they are tried again: %s", error)
        self.error = str(error)

    def _note(self, alert: Alert) -> None:
        key: Key = (alert.kind, alert.subject.id)
        self._book.episodes[key] = max(alert.episode, self._book.episodes.get(key, 0))
        if alert.state is AlertState.RESOLVED:
            note_end(self._book.ended, alert)
            known = self._book.open.get(key)
            if known is None or known.alert_id == alert.alert_id:
                self._book.open.pop(key, None)
                self._book.healthy_since.pop(key, None)
            self._book.suppressed = {note for note in self._book.suppressed if note[0] != alert.alert_id}
        else:
            self._book.open[key] = alert


class Explainer:
    """Adds a diagnosis to what is about to be told, never at the price of the alert."""

    def __init__(self, *, diagnoser: Diagnoses) -> None:
        self._diagnoser = diagnoser
        self._kept: dict[tuple[str, str], Diagnosis] = {}

    async def explained(self, transition: Transition, workload: Workload) -> Transition:
        """The transition with its diagnosis; without one when diagnosing fails."""
        key = (transition.alert_id, transition.status)
        diagnosis = self._kept.get(key) or await self._diagnosed(workload)
        if diagnosis is None:
            return transition
        self._kept[key] = diagnosis
        steps = diagnosis.causes[0].next_steps if diagnosis.causes else ()
        return dataclasses.replace(transition, diagnosis=diagnosis, recommendations=steps)

    def settled(self, transition: Transition) -> None:
        """The transition is stored, or needs not be; until then its diagnosis is kept for another attempt."""
        for key in [key for key in self._kept if key[0] == transition.alert_id]:
            del self._kept[key]

    async def _diagnosed(self, workload: Workload) -> Diagnosis | None:
        try:
            with anyio.fail_after(DIAGNOSIS_SECONDS):
                return await self._diagnoser.diagnose(workload)
        except Exception:  # supervised boundary: a defect in a rule must not cost the alert
            log.exception("the diagnosis of workload %s failed; its alert goes out without", workload.id)
            return None

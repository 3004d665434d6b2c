"""From a decision to a stored alert: looks closer, asks why, stores; nothing is told that is not stored."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence

import anyio

from runai_monitor.errors import KubeError, RunaiError, StoreError
from runai_monitor.model.alert import Alert, AlertState, Change, Transition
from runai_monitor.model.diagnosis import Diagnosis
from runai_monitor.model.workload import Workload
from runai_monitor.monitor.policy import Book, Key
from runai_monitor.monitor.snapshot import Snapshot
from runai_monitor.monitor.sources import AlertSink, Diagnoses, KubeSource, RunaiSource

log = logging.getLogger(__name__)

CONCURRENT_DIAGNOSES = 8
EXAMINE_SECONDS = 10.0


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
    ) -> None:
        self._alerts = alerts
        self._book = book
        self._channels = tuple(channels)
        self._outbox_wake = outbox_wake
        self._on_alerts = on_alerts

    async def apply(self, transitions: Sequence[Transition]) -> bool:
        """Stores transitions; whether that worked. A failure leaves everything undecided, to be decided again."""
        if not transitions:
            return True
        try:
            changed = await self._alerts.apply(transitions, channels=self._channels)
        except StoreError as error:
            log.error("alerts could not be stored and are not sent; they are tried again: %s", error)  # noqa: TRY400
            return False
        for transition in transitions:
            if transition.change is Change.OPENED:
                key: Key = (transition.kind, transition.subject.id)
                self._book.episodes[key] = max(transition.episode, self._book.episodes.get(key, 0))
        for alert in changed:
            self._note(alert)
        if changed:
            self._outbox_wake()
            self._on_alerts(changed)
        return True

    def _note(self, alert: Alert) -> None:
        key = (alert.kind, alert.subject.id)
        if alert.state is AlertState.RESOLVED:
            self._book.open.pop(key, None)
            self._book.healthy_since.pop(key, None)
        else:
            self._book.open[key] = alert


class Examiner:
    """Looks closer at one workload: its pods and events now, and a diagnosis."""

    def __init__(
        self, *, runai: RunaiSource, kube: KubeSource | None, diagnoser: Diagnoses, snapshot: Snapshot
    ) -> None:
        self._runai = runai
        self._kube = kube
        self._diagnoser = diagnoser
        self._snapshot = snapshot
        self._limit = anyio.CapacityLimiter(CONCURRENT_DIAGNOSES)

    async def examine(self, workload: Workload) -> None:
        """Reads the pods from Kubernetes, and Run:ai's events when there are none; puts what it finds into the snapshot."""
        with anyio.move_on_after(EXAMINE_SECONDS):
            if self._kube is not None and workload.namespace:
                try:
                    for pod in await self._kube.list_pods(workload.namespace, workload_name=workload.name):
                        self._snapshot.put_pod(pod)
                except KubeError as error:
                    log.debug("pods of %s cannot be read: %s", workload.name, error)
            if not self._snapshot.pods_of(workload):
                await self.read_events(workload)

    async def read_events(self, workload: Workload) -> None:
        """Reads Run:ai's events of a workload into the snapshot."""
        try:
            self._snapshot.events[workload.id] = tuple(await self._runai.list_events(workload.id))
        except RunaiError as error:
            log.debug("events of %s cannot be read: %s", workload.name, error)

    async def explained(self, transition: Transition, workload: Workload) -> Transition:
        """The transition with its diagnosis; without one when diagnosing fails, for the alert matters more."""
        async with self._limit:
            try:
                diagnosis = await self._diagnoser.diagnose(workload)
            except Exception:  # supervised boundary: a defect in a rule must not cost the alert
                log.exception("the diagnosis of %s failed; its alert goes out without", workload.name)
                return transition
        return dataclasses.replace(transition, diagnosis=diagnosis, recommendations=_recommended(diagnosis))


def _recommended(diagnosis: Diagnosis) -> tuple[str, ...]:
    return diagnosis.causes[0].next_steps if diagnosis.causes else ()

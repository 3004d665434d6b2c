"""Whether the process works and can see, and the numbers it is measured by."""

from __future__ import annotations

from collections import Counter

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import MonitorError
from runai_monitor.metrics import Measurements
from runai_monitor.model.alert import AlertKind
from runai_monitor.operations.results import Health
from runai_monitor.operations.services import OperationOptions, Services, ServicesReady

READY_SECONDS = 2.0


class HealthCheck:
    """Answers probes: quickly, and never with an exception."""

    def __init__(self, *, services: ServicesReady, options: OperationOptions, clock: Clock) -> None:
        self._services = services
        self._options = options
        self._clock = clock

    async def health(self) -> Health:
        """Healthy: the loops show signs of life. Ready: the services are up and the monitor is not blind."""
        services: Services | None = None
        try:
            with anyio.move_on_after(READY_SECONDS):
                services = await self._services()
            if services is None:
                return Health(healthy=True, ready=False, reasons=("still starting",))
            return await self._judge(services)
        except MonitorError as error:
            return Health(healthy=False, ready=False, reasons=(str(error),))

    async def _judge(self, services: Services) -> Health:
        engine = services.engine()
        limit = self._options.heartbeat_stale_seconds
        ages = dict(engine.heartbeat_ages_seconds)
        stale = [f"loop {name} gave no sign of life for {age:.0f} s" for name, age in ages.items() if age > limit]
        blind = ["the monitor is blind: it cannot see Run:ai"] if engine.blind or await _blind(services) else []
        full = [f"new alerts cannot be stored: {engine.store_error}"] if engine.store_error else []
        return Health(
            healthy=not stale,
            ready=not (stale or blind or full),
            reasons=(*stale, *blind, *full),
            heartbeat_ages_seconds=ages,
        )

    async def measurements(self) -> Measurements:
        """The numbers for `/metrics`, as of now.

        Raises:
            MonitorError: the services could not be built, or the database not read.
        """
        services = await self._services()
        engine, now = services.engine(), self._clock.now()
        unresolved = await services.alerts.count_unresolved()
        firing: Counter[tuple[str, str]] = Counter()
        for (_, status, severity), count in unresolved.items():
            firing[status, severity] += count
        return Measurements(
            alerts_by_state={str(state): n for state, n in (await services.alerts.count_by_state()).items()},
            unresolved_by_status=firing,
            deliveries={
                (channel, str(state)): n
                for channel, states in (await services.deliveries.counts()).items()
                for state, n in states.items()
            },
            oldest_pending_seconds={
                channel: max(0.0, (now - since).total_seconds())
                for channel, since in (await services.deliveries.oldest_pending()).items()
            },
            active_monitors=len(await services.monitors.active()),
            polls=engine.polls,
            workloads=engine.workloads,
            heartbeat_ages_seconds=dict(engine.heartbeat_ages_seconds),
            leader=engine.leader,
            deleted=dict(engine.deleted),
            blind=engine.blind or any(kind is AlertKind.MONITOR_BLIND for kind, _, _ in unresolved),
            kubernetes_live=engine.kube_live,
            queues=dict(engine.queues),
            pace=services.pace,
        )


async def _blind(services: Services) -> bool:
    return any(kind is AlertKind.MONITOR_BLIND for kind, _, _ in await services.alerts.count_unresolved())

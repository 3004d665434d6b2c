"""All operations in one place, for the surfaces to be given."""

from __future__ import annotations

from runai_monitor.clock import Clock
from runai_monitor.operations.actions import Actions
from runai_monitor.operations.deliveries import DeliveryDesk, DeliveryParts
from runai_monitor.operations.feed import AlertFeed
from runai_monitor.operations.health import HealthCheck
from runai_monitor.operations.queries import Queries
from runai_monitor.operations.scope import Scope
from runai_monitor.operations.services import OperationOptions, ServicesReady


class Operations:
    """Builds the operations around services that may still be starting.

    Attributes:
        queries: what may be asked.
        actions: what may be done.
        deliveries: what became of messages, and telling again what a channel did not take.
        feed: changed alerts as they come; its `run()` belongs into the process's task group.
        probes: health and measurements.
    """

    def __init__(self, *, services: ServicesReady, options: OperationOptions, clock: Clock) -> None:
        scope = Scope(options.allowed_projects)
        self.options = options
        self.scope = scope
        self.feed = AlertFeed(services=services, scope=scope, clock=clock)
        self.queries = Queries(services=services, scope=scope, feed=self.feed, options=options, clock=clock)
        self.actions = Actions(services=services, scope=scope, options=options, clock=clock)
        self.probes = HealthCheck(services=services, options=options, clock=clock)

        async def delivery_parts() -> DeliveryParts:
            ready = await services()
            return DeliveryParts(
                dead_letters=ready.dead_letters, channels=ready.channels, audit=ready.audit, wake=ready.outbox.wake
            )

        self.deliveries = DeliveryDesk(parts=delivery_parts, scope=scope, clock=clock)

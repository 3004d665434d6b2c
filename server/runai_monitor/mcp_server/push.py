"""Tells every connection of every changed alert, in the way its protocol era has.

Connections up to 2025-11-25 get a *pump*: a task that lives inside the call of `notifications/initialized`, so it ends
with the connection and nothing private of the SDK is touched. Newer ones listen on a subscription bus. Nothing here
waits for a client: a slow one loses its oldest alerts (counted), and reads them from `list_alerts` later.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any, Literal, cast, get_args

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated, SubscriptionBus
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    LoggingLevel,
    LoggingMessageNotification,
    LoggingMessageNotificationParams,
    Notification,
    ServerNotification,
    SubscriptionsListenRequestParams,
)

from runai_monitor.metrics import PushMeasurements
from runai_monitor.model.alert import Alert, Severity
from runai_monitor.operations.present import alert_json, one_line

log = logging.getLogger(__name__)

ALERTS_URI = "runai://alerts"
ALERTS_LOGGER = "runai_monitor.alerts"
MODERN = "2026-07-28"
QUEUE = 256
SEND_SECONDS = 5.0
MAX_SUBSCRIPTIONS = 1000
MAX_URI_LENGTH = 2048

_LEVELS: tuple[str, ...] = get_args(LoggingLevel)
_LEVEL_OF: dict[Severity, LoggingLevel] = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "critical",
}


class ChannelNotification(Notification[dict[str, Any], Literal["notifications/claude/channel"]]):
    """Claude Code's channel event: one line of content, `meta` from string to string."""

    method: Literal["notifications/claude/channel"] = "notifications/claude/channel"
    params: dict[str, Any]


class Peer:
    """One legacy connection: what waits for it, what it subscribed to, and from which level on it wants logs."""

    def __init__(self, session: ServerSession) -> None:
        self.session = session
        self.params = session.client_params
        """Kept, so that no other connection's can get their identity, by which connections are told apart."""
        self.queue: deque[Alert] = deque(maxlen=QUEUE)
        self.wake = anyio.Event()
        self.uris: set[str] = set()
        self.level: str = _LEVELS[0]

    def wants(self, level: str) -> bool:
        """Whether a message of this level passes the client's `logging/setLevel`."""
        return _LEVELS.index(level) >= _LEVELS.index(self.level)


class AlertHub:
    """Hears each changed alert (`publish`) and passes it on; as middleware, it serves what the SDK does not.

    Args:
        channel: also push Claude Code channel events (stdio only).
        bus: what `subscriptions/listen` is served from.
    """

    def __init__(self, *, channel: bool = False, bus: SubscriptionBus | None = None) -> None:
        self.bus: SubscriptionBus = bus or InMemorySubscriptionBus()
        self._listening = ListenHandler(self.bus)
        self._channel = channel
        self._peers: dict[int, Peer] = {}
        self._pushed = 0
        self._dropped = 0
        self._timeouts = 0

    async def publish(self, alert: Alert) -> None:
        """Offers one changed alert to every connection; returns without waiting for any of them."""
        for peer in self._peers.values():
            if len(peer.queue) == QUEUE:
                self._dropped += 1
            peer.queue.append(alert)
            peer.wake.set()
        for uri in alert_uris(alert):
            await self.bus.publish(ResourceUpdated(uri=uri))

    def close(self) -> None:
        """Ends every listen stream the way that tells its client to listen again. Said before the server stops."""
        self._listening.close()

    def measurements(self) -> PushMeasurements:
        """Counts since the process started."""
        return PushMeasurements(
            clients=len(self._peers), pushed=self._pushed, dropped=self._dropped, timeouts=self._timeouts
        )

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """The middleware: declares, answers and pumps on legacy connections; others pass through."""
        if ctx.method == "initialize":
            return self._declare(await call_next(ctx))
        if ctx.protocol_version >= MODERN:
            if ctx.method == "subscriptions/listen":
                # The SDK would serve it alike, from a handler that cannot be told to close.
                return await self._listening(
                    ctx, SubscriptionsListenRequestParams.model_validate(ctx.params or {}, by_name=False)
                )
            return await call_next(ctx)
        match ctx.method:
            case "notifications/initialized":
                await self._pump(ctx, call_next)
                return None
            case "resources/subscribe" | "resources/unsubscribe":
                self._subscribe(ctx)
                return {}
            case "logging/setLevel":
                self._peer(ctx).level = _level(ctx.params)
                return {}
            case _:
                return await call_next(ctx)

    def _declare(self, result: HandlerResult) -> HandlerResult:
        if isinstance(result, dict):
            capabilities = result.setdefault("capabilities", {})
            capabilities["logging"] = {}
            capabilities.setdefault("resources", {})["subscribe"] = True
            if self._channel:
                capabilities.setdefault("experimental", {})["claude/channel"] = {}
        return result

    def _peer(self, ctx: ServerRequestContext[Any, Any]) -> Peer:
        peer = self._peers.get(id(ctx.session.client_params))
        if peer is None:
            raise MCPError(INVALID_PARAMS, "send notifications/initialized before subscribing or setting a level")
        return peer

    def _subscribe(self, ctx: ServerRequestContext[Any, Any]) -> None:
        uri = (ctx.params or {}).get("uri")
        if not isinstance(uri, str) or not 0 < len(uri) <= MAX_URI_LENGTH:
            raise MCPError(INVALID_PARAMS, "uri must be a text")
        uris = self._peer(ctx).uris
        if ctx.method == "resources/unsubscribe":
            uris.discard(uri)
        elif uri not in uris and len(uris) >= MAX_SUBSCRIPTIONS:
            raise MCPError(
                INVALID_PARAMS, f"at most {MAX_SUBSCRIPTIONS} subscriptions; {ALERTS_URI} covers every alert"
            )
        else:
            uris.add(uri)

    async def _pump(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> None:
        """Lives as long as the connection: the dispatcher cancels this call when it closes."""
        # One params object per legacy connection; none on stateless HTTP, where nothing can be pushed.
        key = id(ctx.session.client_params)
        if ctx.session.client_params is None or key in self._peers:
            await call_next(ctx)
            return
        # Registered before anything is awaited: the client's next message may be a subscription.
        peer = self._peers[key] = Peer(ctx.session)
        try:
            await call_next(ctx)
            while True:
                await peer.wake.wait()
                peer.wake = anyio.Event()
                while peer.queue:
                    await self._send(peer, peer.queue.popleft())
        finally:
            self._peers.pop(key, None)

    async def _send(self, peer: Peer, alert: Alert) -> None:
        with anyio.move_on_after(SEND_SECONDS) as scope:
            for notification in self._notifications(peer, alert):
                await peer.session.send_notification(notification)
                self._pushed += 1
        if scope.cancelled_caught:
            self._timeouts += 1

    def _notifications(self, peer: Peer, alert: Alert) -> list[ServerNotification]:
        from mcp_types import ResourceUpdatedNotification, ResourceUpdatedNotificationParams

        found: list[ServerNotification] = []
        level = _LEVEL_OF[alert.severity]
        if peer.wants(level):
            data = alert_json(alert, evidence=False, markdown=False)
            params = LoggingMessageNotificationParams(level=level, logger=ALERTS_LOGGER, data=data)
            found.append(LoggingMessageNotification(params=params))
        found += [
            ResourceUpdatedNotification(params=ResourceUpdatedNotificationParams(uri=uri))
            for uri in alert_uris(alert)
            if uri in peer.uris
        ]
        if self._channel:
            # Not in the SDK's union of notifications; it is sent as it is.
            found.append(cast("ServerNotification", ChannelNotification(params=channel_event(alert))))
        return found


def alert_uris(alert: Alert) -> tuple[str, str]:
    """The resources that a change of this alert changes."""
    return (ALERTS_URI, f"{ALERTS_URI}/{alert.alert_id}")


def channel_event(alert: Alert) -> dict[str, Any]:
    """One line for a model's context and flat facts beside it. Names and texts of the cluster are data: kept short."""
    subject = alert.subject
    job = f"{subject.project}/{subject.name}" if subject.name else str(alert.kind)
    cause = alert.diagnosis.causes[0].cause if alert.diagnosis and alert.diagnosis.causes else ""
    line = f"Run:ai alert {alert.state}: {alert.status} {job}" + (f", cause {cause}" if cause else "")
    return {
        "content": one_line(line, limit=300) + f". Details: get_alert({alert.alert_id})",
        "meta": {
            "alert_id": str(alert.alert_id),
            "cursor": str(alert.cursor),
            "severity": str(alert.severity),
            "state": str(alert.state),
            "status": one_line(alert.status, limit=60),
        },
    }


def _level(params: Any) -> str:
    level = (params or {}).get("level")
    if level not in _LEVELS:
        raise MCPError(INVALID_PARAMS, f"level must be one of {', '.join(_LEVELS)}")
    return str(level)

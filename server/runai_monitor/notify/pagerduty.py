"""PagerDuty through Events API v2: the alert is the incident, from trigger to resolve.

Source: developer.pagerduty.com, "Send an event": 202 accepted, 400 invalid event, 429 too many, at most 512 kB, a
summary of at most 1024 characters. `dedup_key` is the alert's fingerprint: whatever is sent twice is one incident.
"""

from __future__ import annotations

import httpx2

from runai_monitor.clock import isoformat
from runai_monitor.model.alert import Change, Severity
from runai_monitor.model.notification import Notification
from runai_monitor.notify.message import Message, message_of, shortened
from runai_monitor.notify.posting import TIMEOUT_SECONDS, Peer, encoded, post, refusal
from runai_monitor.notify.safe_text import plain

MAX_BYTES = 512 * 1024
_SUMMARY = 1024
_REPORT = 8_000
_SEVERITIES = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}
_ACTIONS = {Change.ACKNOWLEDGED: "acknowledge", Change.RESOLVED: "resolve"}
"""Any other change triggers: on an open incident that only adds what is new."""


class PagerDutyNotifier:
    """Sends events to one integration. The routing key is a secret: it is in no error and no log."""

    spacing_seconds = 0.5  # 120 events a minute per integration key, says PagerDuty's support

    def __init__(
        self,
        *,
        routing_key: str,
        http: httpx2.AsyncClient,
        name: str,
        api_url: str = "https://events.pagerduty.com",
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.name = name
        self._routing_key = routing_key
        self._http = http
        self._url = f"{api_url}/v2/enqueue"
        self._timeout_seconds = timeout_seconds
        self._peer = Peer(name="PagerDuty", advice=f"correct the routing_key or the api_url of channel {name}")

    def __repr__(self) -> str:
        return f"PagerDutyNotifier({self.name})"

    async def send(self, notification: Notification) -> None:
        """As `Notifier.send`. A test is triggered and resolved at once, so that nobody is left with an incident."""
        if notification.test:
            key = f"test-{notification.alert.started_at:%Y%m%dT%H%M%S}"
            await self._enqueue(_event(notification, "trigger", key))
            await self._enqueue(_event(notification, "resolve", key))
            return
        action = _ACTIONS.get(notification.change, "trigger")
        await self._enqueue(_event(notification, action, str(notification.alert.alert_id)))

    async def _enqueue(self, event: dict[str, object]) -> None:
        body = encoded({"routing_key": self._routing_key, **event})
        answer = await post(self._http, self._url, body, peer=self._peer, timeout_seconds=self._timeout_seconds)
        if answer.status != 202 or answer.json.get("status") != "success":
            # What it says of a 400 may quote the event, the key included.
            raise refusal(answer, self._peer)


def _event(notification: Notification, action: str, dedup_key: str) -> dict[str, object]:
    event: dict[str, object] = {"event_action": action, "dedup_key": dedup_key, "client": "runai-monitor"}
    if action != "trigger":
        return event
    alert = notification.alert
    message = message_of(notification)
    subject = alert.subject
    place = "/".join(plain(part, 100) for part in (subject.project, subject.name) if part)
    payload = {
        "summary": plain(" · ".join(part for part in (alert.status, place, message.summary) if part), _SUMMARY),
        "source": plain(subject.cluster_id, 100) or "runai-monitor",
        "severity": _SEVERITIES[alert.severity],
        "timestamp": isoformat(alert.updated_at),
        "component": plain(subject.name, 100),
        "group": plain(subject.project, 100),
        "class": plain(alert.status, 60),
        "custom_details": _details(message),
    }
    return {**event, "payload": {name: value for name, value in payload.items() if value}}


def _details(message: Message) -> dict[str, object]:
    details = {
        "verdict": message.verdict.line if message.verdict else "",
        "explanation": message.explanation,
        "next_steps": list(message.steps),
        "commands": list(message.commands),
        **dict(message.facts),
        "report, text from the cluster": [f"{title}\n{text}" for title, text in shortened(message, _REPORT)],
        "could not be read": message.unread,
        "about": message.footer,
    }
    return {name: value for name, value in details.items() if value}

"""Any receiver of JSON: a versioned document, signed as the Standard Webhooks specification has it.

`webhook-id` is the same in every attempt of one message; the signature covers it, the time of sending and the body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

import httpx2

from runai_monitor.clock import Clock, isoformat
from runai_monitor.model.notification import Notification
from runai_monitor.notify.document import alert_json, visible
from runai_monitor.notify.notifier import idempotency_key
from runai_monitor.notify.posting import TIMEOUT_SECONDS, Peer, encoded, post, refusal

VERSION = 1
"""Of the document: it grows when a field changes its meaning or goes, not when one is added."""
MAX_BYTES = 256 * 1024


class WebhookNotifier:
    """Posts to one address. Address and key are secrets: they are in no error and no log."""

    spacing_seconds = 0.0  # a receiver that cannot keep up answers 429

    def __init__(
        self,
        *,
        url: str,
        signing_key: bytes | None,
        http: httpx2.AsyncClient,
        clock: Clock,
        name: str,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.name = name
        self._url = url
        self._signing_key = signing_key
        self._http = http
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._peer = Peer(name=f"the webhook {name}", advice=f"correct the url of channel {name}, or its receiver")

    def __repr__(self) -> str:
        return f"WebhookNotifier({self.name})"

    async def send(self, notification: Notification) -> None:
        """As `Notifier.send`. Any 2xx means that it was taken."""
        key = idempotency_key(notification, self.name)
        body = webhook_body(notification, key)
        timestamp = str(int(self._clock.now().timestamp()))
        headers = {"webhook-id": key, "idempotency-key": key, "webhook-timestamp": timestamp}
        if self._signing_key is not None:
            headers["webhook-signature"] = signature(self._signing_key, key, timestamp, body)
        answer = await post(
            self._http, self._url, body, peer=self._peer, headers=headers, timeout_seconds=self._timeout_seconds
        )
        if not 200 <= answer.status < 300:
            raise refusal(answer, self._peer)


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """The value of the header `webhook-signature`."""
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def webhook_body(notification: Notification, key: str) -> bytes:
    """The document, of at most 256 kB: what is too much goes from the end of what matters."""
    alert = notification.alert
    envelope: dict[str, object] = {
        "version": VERSION,
        "id": key,
        "type": "test" if notification.test else f"alert.{notification.change}",
        "timestamp": isoformat(alert.updated_at),
        "reason": visible(notification.reason),
    }
    whole = alert_json(alert)
    for document in (
        whole,
        alert_json(alert, markdown=False),
        alert_json(alert, markdown=False, evidence=False),
        {**whole, "diagnosis": None},
        {**whole, "diagnosis": None, "recommendations": [], "summary": str(whole["summary"])[:10_000]},
    ):
        body = encoded({**envelope, "alert": document})
        if len(body) <= MAX_BYTES:
            break
    return body

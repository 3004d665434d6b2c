"""Slack through an incoming webhook. It answers the plain text `ok`, so there are no threads and no edits."""

from __future__ import annotations

import re

import httpx2

from runai_monitor.errors import DeliveryError
from runai_monitor.model.notification import Notification
from runai_monitor.notify.posting import TIMEOUT_SECONDS, Answer, Peer, encoded, post, refusal
from runai_monitor.notify.render import slack_message

_ABOUT_THE_MESSAGE = frozenset(
    {"invalid_payload", "invalid_blocks", "msg_blocks_too_long", "msg_too_long", "no_text", "too_many_attachments"}
)
_SLACK_WORD = re.compile(r"[a-z]+(?:_[a-z]+)*")


class SlackNotifier:
    """Posts to one webhook. The address is a secret: it is in no error and no log."""

    spacing_seconds = 1.0  # docs.slack.dev, "Rate limits": one message a second per webhook

    def __init__(
        self,
        *,
        webhook_url: str,
        http: httpx2.AsyncClient,
        name: str = "slack",
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.name = name
        self._url = webhook_url
        self._http = http
        self._timeout_seconds = timeout_seconds
        where = "RUNAI_MONITOR_SLACK_WEBHOOK_URL" if name == "slack" else f"the webhook_url of channel {name}"
        self._peer = Peer(name="Slack", advice=f"create a new webhook in Slack and set {where}")

    def __repr__(self) -> str:
        return f"SlackNotifier({self.name})"

    async def send(self, notification: Notification) -> None:
        """As `Notifier.send`."""
        body = encoded(slack_message(notification))
        answer = await post(self._http, self._url, body, peer=self._peer, timeout_seconds=self._timeout_seconds)
        _check(answer, self._peer)


def _check(answer: Answer, peer: Peer) -> None:
    """Raises unless Slack took the message.

    Slack answers with one word. Anything else comes from something in between, and may repeat the address: it is not
    quoted.
    """
    word = answer.text[:60].strip()
    if answer.status == 200 and word == "ok":
        return
    said = word if _SLACK_WORD.fullmatch(word) and len(word) <= 40 else ""
    if 400 <= answer.status < 500 and word in _ABOUT_THE_MESSAGE:
        raise DeliveryError(
            f"Slack does not take this message ({answer.status} {said}); read the alert with get_alert and report this",
            retryable=False,
        )
    raise refusal(answer, peer, said=said)

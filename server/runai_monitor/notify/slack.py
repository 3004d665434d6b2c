"""Slack through an incoming webhook. It answers the plain text `ok`, so there are no threads and no edits."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import httpx2

from runai_monitor.errors import DeliveryError
from runai_monitor.model.notification import Notification
from runai_monitor.notify.render import slack_message
from runai_monitor.notify.retry import retry_after_seconds

TIMEOUT_SECONDS = 10.0
_ADVICE = "create a new webhook in Slack and set RUNAI_MONITOR_SLACK_WEBHOOK_URL"
_THROTTLED_PAUSE_SECONDS = 30.0
# Waiting mends none of these: a webhook that is gone or may not post, or a message that Slack will never take.
_PERMANENT = frozenset({400, 401, 403, 404, 405, 410, 413})
_ABOUT_THE_MESSAGE = frozenset(
    {"invalid_payload", "invalid_blocks", "msg_blocks_too_long", "msg_too_long", "no_text", "too_many_attachments"}
)
_SLACK_WORD = re.compile(r"[a-z]+(?:_[a-z]+)*")


class SlackNotifier:
    """Posts to one webhook. The address is a secret: it is in no error and no log."""

    def __init__(self, *, webhook_url: str, http: httpx2.AsyncClient, name: str = "slack") -> None:
        self.name = name
        self._url = webhook_url
        self._http = http

    def __repr__(self) -> str:
        return f"SlackNotifier({self.name})"

    async def send(self, notification: Notification) -> None:
        """As `Notifier.send`."""
        try:
            answer = await self._http.post(self._url, json=slack_message(notification), timeout=TIMEOUT_SECONDS)
        except httpx2.TimeoutException:
            raise DeliveryError(f"Slack did not answer within {TIMEOUT_SECONDS:.0f} s", retryable=True) from None
        except httpx2.InvalidURL:
            raise DeliveryError(f"the address of the Slack webhook is not valid; {_ADVICE}", retryable=False) from None
        except httpx2.HTTPError as error:
            what = type(error).__name__  # its text may hold the address
            raise DeliveryError(f"Slack cannot be reached ({what}); check the network", retryable=True) from None
        _check(answer)


def _check(answer: httpx2.Response) -> None:
    """Raises unless Slack took the message.

    Slack answers with one word. Anything else comes from something in between, and may repeat the address: it is not
    quoted.
    """
    word = answer.text[:60].strip()
    if answer.status_code == 200 and word == "ok":
        return
    said = str(answer.status_code)
    if _SLACK_WORD.fullmatch(word) and len(word) <= 40:
        said += f" {word}"
    elif answer.status_code == 200:
        said += " without the word ok: something else answers at its address"
    if answer.status_code == 413 or (answer.status_code in _PERMANENT and word in _ABOUT_THE_MESSAGE):
        raise DeliveryError(
            f"Slack does not take this message ({said}); read the alert with get_alert and report this", retryable=False
        )
    if answer.status_code in _PERMANENT:
        raise DeliveryError(f"Slack refuses this webhook ({said}); {_ADVICE}", retryable=False)
    headers = answer.headers
    pause = retry_after_seconds(headers.get("retry-after"), now=datetime.now(UTC), date=headers.get("date"))
    if pause is None and answer.status_code == 429:
        pause = _THROTTLED_PAUSE_SECONDS
    raise DeliveryError(f"Slack answered {said}; it is tried again", retryable=True, retry_after_seconds=pause)

"""Slack through an incoming webhook. It answers the plain text `ok`, so there are no threads and no edits."""

from __future__ import annotations

import httpx2

from runai_monitor.errors import DeliveryError
from runai_monitor.model.notification import Notification
from runai_monitor.notify.render import slack_message

TIMEOUT_SECONDS = 10.0
# Slack's documented answers to a webhook that is gone or may not post; waiting mends none of them.
_PERMANENT = frozenset({400, 401, 403, 404, 405, 410, 413})


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
        except httpx2.HTTPError as error:
            what = type(error).__name__
            raise DeliveryError(f"Slack cannot be reached ({what}); check the network", retryable=True) from None
        _check(answer)


def _check(answer: httpx2.Response) -> None:
    said = "".join(character for character in answer.text[:60] if character.isprintable())
    if answer.status_code == 200 and said.strip() == "ok":
        return
    if answer.status_code in _PERMANENT:
        raise DeliveryError(
            f"Slack refuses this webhook ({answer.status_code} {said}); create a new one and set "
            "RUNAI_MONITOR_SLACK_WEBHOOK_URL",
            retryable=False,
        )
    raise DeliveryError(
        f"Slack answered {answer.status_code} {said}",
        retryable=True,
        retry_after_seconds=_seconds(answer.headers.get("retry-after")),
    )


def _seconds(value: str | None) -> float | None:
    try:
        return None if value is None else max(0.0, float(value))
    except ValueError:
        return None

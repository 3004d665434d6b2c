"""Microsoft Teams through the webhook of a workflow: an Adaptive Card.

Source: learn.microsoft.com, "Create incoming webhooks with Workflows": 202 accepted, messages of at most 28 kB. Cluster text
stands in text runs, which know no Markdown; text blocks would format it and run its date functions.
"""

from __future__ import annotations

import httpx2

from runai_monitor.model.notification import Notification
from runai_monitor.notify.message import Message, message_of, shortened
from runai_monitor.notify.posting import TIMEOUT_SECONDS, Peer, encoded, post, refusal
from runai_monitor.notify.safe_text import plain

MAX_BYTES = 28 * 1024
# Each text, and all excerpts together: the first that fits is sent.
_SIZES = ((1_500, 4_000), (1_000, 2_000), (500, 1_000), (250, 400), (100, 0), (40, 0))
Element = dict[str, object]


class TeamsNotifier:
    """Posts to one workflow. The address is a secret: it is in no error and no log."""

    spacing_seconds = 1.0  # the limit depends on the plan of whoever owns the workflow; one a second is within each

    def __init__(
        self, *, webhook_url: str, http: httpx2.AsyncClient, name: str, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self.name = name
        self._url = webhook_url
        self._http = http
        self._timeout_seconds = timeout_seconds
        self._peer = Peer(
            name="Microsoft Teams", advice=f"create a new workflow in Teams and set the webhook_url of channel {name}"
        )

    def __repr__(self) -> str:
        return f"TeamsNotifier({self.name})"

    async def send(self, notification: Notification) -> None:
        """As `Notifier.send`."""
        body = teams_body(message_of(notification))
        answer = await post(self._http, self._url, body, peer=self._peer, timeout_seconds=self._timeout_seconds)
        # Workflows answer 202 without a body; a proxy or a page for logging in answers 200 with one.
        taken = answer.status == 202 or (answer.status == 200 and answer.text.strip() in {"", "1"})
        if not taken:
            raise refusal(answer, self._peer)


def teams_body(message: Message) -> bytes:
    """The card that says as much as fits into 28 kB."""
    body = b""
    for text, excerpts in _SIZES:
        body = encoded(_card(message, text=text, excerpts=excerpts))
        if len(body) <= MAX_BYTES:
            break
    return body


def _card(message: Message, *, text: int, excerpts: int) -> dict[str, object]:
    elements = [_runs((plain(message.title, text), {"weight": "Bolder", "size": "Large"}))]
    for line in (message.summary, *message.lines):
        elements += _paragraph(line, text)
    if message.verdict is not None:
        elements.append(_runs(("Verdict: ", {"weight": "Bolder"}), (plain(message.verdict.line, text), {})))
    elements += _paragraph(message.explanation, text)
    if message.steps or message.commands:
        elements.append(_runs(("Next steps:", {"weight": "Bolder"})))
        elements += [_runs((f"• {plain(step, text)}", {})) for step in message.steps]
        elements += [_runs((plain(command, text), {"fontType": "Monospace"})) for command in message.commands]
    for name, value in message.facts:
        elements.append(_runs((f"{name}: ", {"weight": "Bolder"}), (plain(value, text), {})))
    for title, excerpt in shortened(message, excerpts):
        elements.append(_runs((f"{title} (text from the cluster)", {"weight": "Bolder"})))
        elements += [_runs((line, {"fontType": "Monospace", "size": "Small"})) for line in excerpt.splitlines() if line]
    elements += _paragraph(f"Could not be read: {message.unread}" if message.unread else "", text)
    elements.append(_runs((plain(message.footer, text), {"size": "Small", "isSubtle": True})))
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "fallbackText": plain(message.title, text),
        "body": elements,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [attachment]}


def _paragraph(text: str, limit: int) -> list[Element]:
    return [_runs((plain(text, limit), {}))] if text else []


def _runs(*parts: tuple[str, dict[str, object]]) -> Element:
    return {
        "type": "RichTextBlock",
        "inlines": [{"type": "TextRun", "text": text, **style} for text, style in parts],
    }

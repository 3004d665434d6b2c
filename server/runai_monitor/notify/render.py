"""Alerts as text: one line for logs, blocks for Slack.

Slack's limits (docs.slack.dev, Block Kit): header 150 characters, section 3000, ten fields of 2000; about 13,000
characters over all blocks are refused as `msg_blocks_too_long`, so a message stays under 12,000. Free text from the
cluster goes into plain_text objects, which format and link nothing and can be copied as they are; `verbatim` keeps Slack
from turning names and addresses inside mrkdwn into links.
"""

from __future__ import annotations

from runai_monitor.model.alert import Alert, Change
from runai_monitor.model.notification import Notification
from runai_monitor.notify.digest import slack_digest
from runai_monitor.notify.message import Message, message_of, shortened
from runai_monitor.notify.safe_text import escaped, fenced, inert, plain

MAX_BLOCKS = 15
MAX_CHARACTERS = 12_000
_HEADER = 150
_SECTION = 2_900
_SUMMARY = 1_500
_EXPLANATION = 1_200
_FIELD = 300
_FIELDS = 10
_STEP = 500
_REPORT = 2_500
_SMALLEST_REPORT = 200
Block = dict[str, object]


def alert_line(alert: Alert, change: Change) -> str:
    """One safe line about a change: what, where, why."""
    place = "/".join(plain(part, 100) for part in (alert.subject.project, alert.subject.name) if part)
    top = alert.diagnosis.causes[0].cause if alert.diagnosis and alert.diagnosis.causes else ""
    parts = [
        f"{change.value} {plain(alert.status, 60)}",
        place,
        plain(alert.summary, 300),
        top and f"cause {plain(top, 60)}",
        alert.alert_id,
    ]
    return " · ".join(part for part in parts if part)


def slack_message(notification: Notification, *, whole: bool = False) -> dict[str, object]:
    """The body for Slack: a fallback text and at most 15 blocks and 12,000 characters.

    `whole` as for `message_of`. The excerpt of the report gets what room the rest leaves, and keeps its end: there a log has its error.
    """
    if notification.digest is not None:
        return slack_digest(notification)
    message = message_of(notification, whole=whole)
    header: Block = {
        "type": "header",
        "text": {"type": "plain_text", "text": escaped(message.title, _HEADER), "emoji": False},
    }
    footer: Block = {
        "type": "context",
        "elements": [{"type": "plain_text", "text": escaped(message.footer, _FIELD), "emoji": False}],
    }
    body = [_plain_section(escaped(message.summary, _SUMMARY)), *_verdict(message), *_next_steps(message)]
    if message.facts:
        fields = [_mrkdwn(f"*{name}:*\n{inert(value, _FIELD)}") for name, value in message.facts[:_FIELDS]]
        body.append({"type": "section", "fields": fields})
    used = len(message.title) + sum(_length(block) for block in (header, *body, footer))
    report = _report(message, min(_REPORT, MAX_CHARACTERS - used - 2 * _SMALLEST_REPORT))
    return {"text": escaped(message.title, _HEADER), "blocks": [header, *body, *report, footer]}


def _verdict(message: Message) -> list[Block]:
    if message.verdict is None:
        return []
    verdict = message.verdict
    sure = f" (`{inert(verdict.cause, 60)}`, {verdict.confidence:.0%} sure)" if verdict.cause else ""
    blocks = [_section(f"*Verdict:* {inert(verdict.title, 200)}{sure}")]
    return blocks + ([_plain_section(escaped(message.explanation, _EXPLANATION))] if message.explanation else [])


def _next_steps(message: Message) -> list[Block]:
    """What to do, and below it the commands alone, to be copied."""
    if not message.steps and not message.commands:
        return []
    said = [f"• {escaped(step, _STEP)}" for step in message.steps]
    blocks = [_section("*Next steps:*")]
    blocks += [_plain_section("\n".join(said))] if said else []
    return blocks + ([_section(fenced("\n".join(message.commands), _SECTION))] if message.commands else [])


def _report(message: Message, room: int) -> list[Block]:
    """An excerpt of the auto-troubleshoot report."""
    if room < _SMALLEST_REPORT:
        return []
    blocks: list[Block] = []
    excerpts = shortened(message, room - 20 * len(message.excerpts))
    if excerpts:
        text = "\n\n".join(f"{title}\n{excerpt}" for title, excerpt in excerpts)
        label = "*Auto-troubleshoot report*, excerpt (text from the cluster):"
        blocks.append(_section(f"{label}\n{fenced(text, room)}"))
    if message.unread:
        blocks.append(_plain_section(escaped(f"Could not be read: {message.unread}", _FIELD)))
    return blocks


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _plain_section(text: str) -> Block:
    return {"type": "section", "text": {"type": "plain_text", "text": text[:_SECTION], "emoji": False}}


def _mrkdwn(text: str) -> dict[str, object]:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _length(value: object) -> int:
    if isinstance(value, dict):
        return sum(_length(item) for item in value.values())
    if isinstance(value, list):
        return sum(_length(item) for item in value)
    return len(value) if isinstance(value, str) else 0

"""Alerts as text: one line for logs, blocks for Slack.

Slack's limits (docs.slack.dev, Block Kit): header 150 characters, section 3000, ten fields of 2000; about 13,000
characters over all blocks are refused as `msg_blocks_too_long`, so a message stays under 12,000. Free text from the
cluster goes into plain_text objects, which format and link nothing and can be copied as they are; `verbatim` keeps Slack
from turning names and addresses inside mrkdwn into links.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from runai_monitor.model.alert import Alert, AlertKind, Change
from runai_monitor.model.diagnosis import Diagnosis, Evidence, with_command
from runai_monitor.model.notification import Notification
from runai_monitor.notify.digest import slack_digest
from runai_monitor.notify.safe_text import clean, ending, escaped, fenced, inert, plain

MAX_BLOCKS = 15
MAX_CHARACTERS = 12_000
_HEADER = 150
_SECTION = 2_900
_SUMMARY = 1_500
_EXPLANATION = 1_200
_FIELD = 300
_STEP = 500
_STEPS = 5
_REPORT = 2_500
_SMALLEST_REPORT = 200
_EXCERPTS = 4
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


def slack_message(notification: Notification) -> dict[str, object]:
    """The body for an incoming webhook: a fallback text and at most 15 blocks and 12,000 characters.

    The excerpt of the report gets what room the rest leaves, and keeps its end: there a log has its error.
    """
    if notification.digest is not None:
        return slack_digest(notification)
    text = fallback_text(notification)
    header: Block = {"type": "header", "text": {"type": "plain_text", "text": escaped(text, _HEADER), "emoji": False}}
    report: list[Block] = []
    if notification.test:
        body = [_plain_section(plain(notification.alert.summary, _SUMMARY))]
    elif notification.change is Change.RESOLVED:
        body = _resolved(notification)
    else:
        body = _firing(notification)
        used = len(text) + sum(_length(block) for block in (header, *body, _context(notification)))
        report = _report(notification.alert, min(_REPORT, MAX_CHARACTERS - used - 2 * _SMALLEST_REPORT))
    return {"text": escaped(text, _HEADER), "blocks": [header, *body, *report, _context(notification)]}


def fallback_text(notification: Notification) -> str:
    """The text of the push notification on a phone, before escaping."""
    alert = notification.alert
    name = plain(alert.subject.name, 100)
    if notification.test:
        return "🔔 Test message from runai-monitor: nothing has failed"
    blind, old = alert.kind is AlertKind.MONITOR_BLIND, alert.kind is AlertKind.EXISTING_FAILURES
    if notification.change is Change.RESOLVED:
        return f"🟢 Resolved: {'the monitor sees again' if blind else name or plain(alert.status, 60)}"
    if blind:
        said = "🔴 The monitor is blind: failures may go unnoticed"
    elif old:
        said = "🟠 Workloads that had failed before monitoring began"
    elif alert.kind is AlertKind.NODE_UNHEALTHY:
        said = f"🔴 Node in trouble: {name}"
    elif alert.kind is AlertKind.WORKLOAD_PREEMPTED:
        said = f"🔵 Preempted: {name}"
    else:
        said = f"🔴 Job Failure Alert: {name}"
    if notification.change is Change.REMINDED:
        return f"{said} (reminder)"
    return f"{said} (now {plain(alert.status, 30)})" if notification.change is Change.ESCALATED else said


def _firing(notification: Notification) -> list[Block]:
    alert = notification.alert
    blocks = [_plain_section(escaped(plain(alert.summary, _SUMMARY), _SUMMARY))]
    if alert.diagnosis is not None:
        blocks += _verdict(alert.diagnosis)
    steps = alert.recommendations or (
        alert.diagnosis.causes[0].next_steps if alert.diagnosis and alert.diagnosis.causes else ()
    )
    if steps:
        blocks += _next_steps(steps[:_STEPS])
    if alert.subject.id:
        blocks.append(_facts(notification))
    return blocks


def _next_steps(steps: Sequence[str]) -> list[Block]:
    """What to do, and below it the commands alone, to be copied."""
    parts = [with_command(step) for step in steps]
    said = [f"• {escaped(plain(words.removesuffix(':'), _STEP), _STEP)}" for words, _ in parts if words]
    commands = [plain(command, _STEP) for _, command in parts if command]
    blocks = [_section("*Next steps:*")]
    blocks += [_plain_section("\n".join(said))] if said else []
    return blocks + ([_section(fenced("\n".join(commands), _SECTION))] if commands else [])


def _facts(notification: Notification) -> Block:
    alert = notification.alert
    subject = alert.subject
    since = f"{alert.started_at:%Y-%m-%d %H:%M:%S} UTC"
    if notification.change is not Change.OPENED and alert.updated_at > alert.started_at:
        since += f" ({_duration(alert.updated_at - alert.started_at)} before this)"
    facts = (
        ("Project", subject.project),
        ("Job Name", subject.name),
        ("Type", subject.type),
        ("Status", alert.status),
        ("Time", since),
        ("UUID", subject.id),
        ("Submitted by", subject.submitted_by or ""),
        ("GPUs", "" if subject.gpus is None else f"{subject.gpus:g}"),
    )
    fields = [_mrkdwn(f"*{name}:*\n{inert(value, _FIELD)}") for name, value in facts if plain(value, _FIELD)]
    return {"type": "section", "fields": fields}


def _verdict(diagnosis: Diagnosis) -> list[Block]:
    if not diagnosis.causes:
        return [_section(f"*Verdict:* {diagnosis.verdict.value.replace('_', ' ')}")]
    top = diagnosis.causes[0]
    blocks = [_section(f"*Verdict:* {inert(top.title, 200)} (`{inert(top.cause, 60)}`, {top.confidence:.0%} sure)")]
    explanation = plain(top.explanation, _EXPLANATION)
    return [*blocks, _plain_section(escaped(explanation, _EXPLANATION))] if explanation else blocks


def _report(alert: Alert, room: int) -> list[Block]:
    """An excerpt of the auto-troubleshoot report: the evidence that the top cause cites, else the last there is."""
    diagnosis = alert.diagnosis
    if diagnosis is None or room < _SMALLEST_REPORT:
        return []
    cited = set(diagnosis.causes[0].evidence_ids) if diagnosis.causes else set()
    chosen = [item for item in diagnosis.evidence if item.id in cited][:_EXCERPTS] or list(diagnosis.evidence[-2:])
    blocks: list[Block] = []
    if chosen:
        each = room // len(chosen) - 20
        text = "\n\n".join(_excerpt(item, each) for item in chosen)
        label = "*Auto-troubleshoot report*, excerpt (text from the cluster):"
        blocks.append(_section(f"{label}\n{fenced(text, room)}"))
    if diagnosis.unread:
        unread = plain("; ".join(diagnosis.unread), _FIELD)
        blocks.append(_plain_section(escaped(f"Could not be read: {unread}", _FIELD)))
    return blocks


def _excerpt(item: Evidence, limit: int) -> str:
    title = f"[{plain(item.id, 20)}] {plain(item.source, 100)}"
    return f"{title}\n{ending(clean(item.excerpt).strip(), max(50, limit - len(title)))}"


def _resolved(notification: Notification) -> list[Block]:
    alert = notification.alert
    ended: datetime = alert.resolved_at or alert.updated_at
    text = (
        f"{plain(alert.status, 60)} of alert {alert.alert_id} is over after {_duration(ended - alert.started_at)}: "
        f"{plain(notification.reason, _FIELD)}"
    )
    return [_plain_section(escaped(text, _SUMMARY)), *([_facts(notification)] if alert.subject.id else [])]


def _context(notification: Notification) -> Block:
    reason = escaped(plain(notification.reason, 200), 200)
    said = f"alert {notification.alert.alert_id} · {notification.change.value}: {reason}"
    if notification.test:
        said = f"test: {reason}"
    return {"type": "context", "elements": [{"type": "plain_text", "text": said, "emoji": False}]}


def _duration(span: timedelta) -> str:
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


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

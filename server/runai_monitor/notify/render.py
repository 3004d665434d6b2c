"""Alerts as text: one line for logs, blocks for Slack. Cluster text is data here: escaped, cut, unable to format.

Slack's limits (docs.slack.dev, Block Kit): header 150 characters, section 3000, ten fields of 2000; about 13,000
characters over all blocks are refused as `msg_blocks_too_long`, so a message stays under 12,000.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from runai_monitor.model.alert import Alert, AlertKind, Change, Severity
from runai_monitor.model.notification import Notification

MAX_BLOCKS = 15
MAX_CHARACTERS = 12_000
_HEADER = 150
_SECTION = 2_900
_FIELD = 300
_REPORT = 2_400
_STEPS = 5
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_MARKS = {Severity.CRITICAL: "🔴", Severity.WARNING: "🟠", Severity.INFO: "🔵"}
Block = dict[str, object]


def alert_line(alert: Alert, change: Change) -> str:
    """One safe line about a change: what, where, why."""
    place = "/".join(part for part in (alert.subject.project, alert.subject.name) if part)
    cause = _cause(alert)
    parts = [
        f"{change.value} {alert.status}",
        place,
        plain(alert.summary, 300),
        cause and f"cause {cause}",
        alert.alert_id,
    ]
    return " · ".join(part for part in parts if part)


def slack_message(notification: Notification) -> dict[str, object]:
    """The body for an incoming webhook: a fallback text and at most 15 blocks and 12,000 characters.

    When it would be longer, the report is cut first, then the evidence-bearing sections from the end.
    """
    text = fallback_text(notification)
    blocks: list[Block] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(text, _HEADER), "emoji": True}}
    ]
    blocks += _resolved(notification) if notification.change is Change.RESOLVED else _firing(notification)
    used, kept = len(text), []
    for block in blocks[:MAX_BLOCKS]:
        used += _length(block)
        if used > MAX_CHARACTERS:
            break
        kept.append(block)
    return {"text": text, "blocks": kept}


def fallback_text(notification: Notification) -> str:
    """The text of the push notification on a phone."""
    alert = notification.alert
    name = plain(alert.subject.name, 100)
    if notification.change is Change.RESOLVED:
        return f"🟢 Resolved: {name or alert.status}"
    if alert.kind is AlertKind.MONITOR_BLIND:
        return "🔴 The monitor is blind: failures may go unnoticed"
    if alert.kind is AlertKind.EXISTING_FAILURES:
        return "🟠 Workloads that had failed before monitoring began"
    if alert.kind is AlertKind.WORKLOAD_PREEMPTED:
        return f"🔵 Preempted: {name}"
    prefix = "Reminder: " if notification.change is Change.REMINDED else ""
    return f"🔴 {prefix}Job Failure Alert: {name}"


def plain(text: str, limit: int) -> str:
    """One line of cluster text without control characters, cut to `limit`."""
    return _cut(" ".join(_CONTROL.sub("", text).split()), limit)


def escaped(text: str) -> str:
    """Text in which Slack sees no control sequence: `&<>` escaped, `@` and formatting marks defused."""
    clean = _CONTROL.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([@#*_~`])", "\\1\u2060", clean)


def fenced(text: str, limit: int) -> str:
    """Cluster text in a code block it cannot close, keeping its end: there the error is."""
    clean = _CONTROL.sub("", text).replace("```", "'''")
    clean = clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(clean) > limit:
        clean = "…" + clean[-limit:].partition("\n")[2]
    return f"```{clean}```"


def _firing(notification: Notification) -> list[Block]:
    alert = notification.alert
    blocks = [_section(f"{_MARKS[alert.severity]} {escaped(plain(alert.summary, 600))}")]
    if alert.subject.id:
        blocks.append(_facts(alert))
    blocks += _verdict(alert)
    blocks += _report(alert)
    said = f"alert {alert.alert_id} · {notification.change.value}: {plain(notification.reason, 200)}"
    blocks.append({"type": "context", "elements": [{"type": "plain_text", "text": said}]})
    return blocks


def _facts(alert: Alert) -> Block:
    subject = alert.subject
    facts = (
        ("Project", subject.project),
        ("Job Name", subject.name),
        ("Type", subject.type),
        ("Status", alert.status),
        ("Time", f"{alert.started_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("UUID", subject.id),
        ("Submitted by", subject.submitted_by or ""),
        ("GPUs", "" if subject.gpus is None else f"{subject.gpus:g}"),
    )
    fields = [
        {"type": "mrkdwn", "text": f"*{name}:*\n{escaped(plain(value, _FIELD))}"} for name, value in facts if value
    ]
    return {"type": "section", "fields": fields}


def _verdict(alert: Alert) -> list[Block]:
    diagnosis = alert.diagnosis
    if diagnosis is None:
        return []
    if not diagnosis.causes:
        return [_section(f"*Verdict:* {escaped(diagnosis.verdict.value.replace('_', ' '))}")]
    top = diagnosis.causes[0]
    blocks = [
        _section(
            f"*Verdict:* {escaped(plain(top.title, 200))} (`{escaped(top.cause)}`, {top.confidence:.0%} sure)\n"
            f"{escaped(plain(top.explanation, 800))}"
        )
    ]
    steps = alert.recommendations or top.next_steps
    if steps:
        lines = "\n".join(f"• {escaped(plain(step, 400))}" for step in steps[:_STEPS])
        blocks.append(_section(f"*Next steps:*\n{lines}"))
    return blocks


def _report(alert: Alert) -> list[Block]:
    """The evidence that the top cause cites, else the last there is: an excerpt of the auto-troubleshoot report."""
    diagnosis = alert.diagnosis
    if diagnosis is None or not diagnosis.evidence:
        return []
    cited = set(diagnosis.causes[0].evidence_ids) if diagnosis.causes else set()
    chosen = [item for item in diagnosis.evidence if item.id in cited] or list(diagnosis.evidence[-2:])
    text = "\n".join(f"[{item.id}] {item.source}\n{item.excerpt}" for item in chosen)
    return [_section("*Auto-troubleshoot report* (text from the cluster):"), _section(fenced(text, _REPORT))]


def _resolved(notification: Notification) -> list[Block]:
    alert = notification.alert
    ended: datetime = alert.resolved_at or alert.updated_at
    text = (
        f"{escaped(alert.status)} of alert {alert.alert_id} is over after {_duration(ended - alert.started_at)}: "
        f"{escaped(plain(notification.reason, 300))}"
    )
    return [_section(text), *([_facts(alert)] if alert.subject.id else [])]


def _duration(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _cause(alert: Alert) -> str:
    return alert.diagnosis.causes[0].cause if alert.diagnosis and alert.diagnosis.causes else ""


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, _SECTION) if "```" not in text else text}}


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _length(value: object) -> int:
    if isinstance(value, dict):
        return sum(_length(item) for item in value.values())
    if isinstance(value, list):
        return sum(_length(item) for item in value)
    return len(value) if isinstance(value, str) else 0

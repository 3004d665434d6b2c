"""What a notification says, before any channel's format: every channel tells the same, each in its own way.

Texts are cleaned and of bounded length, and otherwise as the cluster wrote them: each channel makes them inert for itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from runai_monitor.model.alert import AlertKind, Change
from runai_monitor.model.diagnosis import Diagnosis, with_command
from runai_monitor.model.notification import Notification
from runai_monitor.notify.digest import digest_footer, digest_lines, digest_title
from runai_monitor.notify.safe_text import clean, ending, plain

_SUMMARY = 1_500
_EXPLANATION = 1_200
_FACT = 300
_STEP = 500
_STEPS = 5
_EXCERPTS = 4
_EXCERPT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The likeliest cause, or, where `cause` is empty, the verdict alone."""

    title: str
    cause: str = ""
    confidence: float = 0.0

    @property
    def line(self) -> str:
        """On one line."""
        return f"{self.title} ({self.cause}, {self.confidence:.0%} sure)" if self.cause else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The parts of a message in the order in which they are read; any but `title` and `footer` may be empty.

    `lines` go on with the summary, each on a line of its own: what a digest tells. `steps` are words, `commands` are to
    be copied, `facts` are names and values, `excerpts` titles and texts from the cluster, the end of each being what
    matters.
    """

    title: str
    summary: str
    footer: str
    lines: tuple[str, ...] = ()
    verdict: Verdict | None = None
    explanation: str = ""
    steps: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    excerpts: tuple[tuple[str, str], ...] = ()
    unread: str = ""


def message_of(notification: Notification, *, whole: bool = False) -> Message:
    """What is to be said; the one place that decides it, for every channel.

    The end of an alert is told in few words; `whole` is for a place that shows nothing else of it.
    """
    alert = notification.alert
    summary, footer = plain(alert.summary, _SUMMARY), _footer(notification)
    if notification.test:
        return Message(title=title_of(notification), summary=summary, footer=footer)
    if notification.digest is not None:
        first, *lines = digest_lines(notification.digest)
        title, footer = digest_title(notification.digest), digest_footer(notification)
        return Message(title=title, summary=first, lines=tuple(lines), footer=footer)
    diagnosis = alert.diagnosis
    top = diagnosis.causes[0] if diagnosis is not None and diagnosis.causes else None
    verdict = None if diagnosis is None else _verdict(diagnosis)
    explanation = plain(top.explanation, _EXPLANATION) if top else ""
    if notification.change is Change.RESOLVED:
        return Message(
            title=title_of(notification),
            summary=_end(notification),
            verdict=verdict if whole else None,
            explanation=explanation if whole else "",
            facts=_facts(notification),
            excerpts=_excerpts(diagnosis) if whole and diagnosis is not None else (),
            footer=footer,
        )
    steps = [with_command(step) for step in (alert.recommendations or (top.next_steps if top else ()))[:_STEPS]]
    return Message(
        title=title_of(notification),
        summary=summary,
        verdict=verdict,
        explanation=explanation,
        steps=tuple(plain(words.removesuffix(":"), _STEP) for words, _ in steps if words),
        commands=tuple(plain(command, _STEP) for _, command in steps if command),
        facts=_facts(notification),
        excerpts=() if diagnosis is None else _excerpts(diagnosis),
        unread=plain("; ".join(diagnosis.unread), _FACT) if diagnosis is not None else "",
        footer=footer,
    )


def title_of(notification: Notification) -> str:
    """The text of the push notification on a phone."""
    alert = notification.alert
    name = plain(alert.subject.name, 100)
    if notification.test:
        return "🔔 Test message from runai-monitor: nothing has failed"
    blind, old = alert.kind is AlertKind.MONITOR_BLIND, alert.kind is AlertKind.EXISTING_FAILURES
    if notification.change is Change.RESOLVED:
        return f"🟢 Resolved: {'the monitor sees again' if blind else name or plain(alert.status, 60)}"
    if notification.change is Change.ACKNOWLEDGED:
        return f"👀 Acknowledged: {'the monitor is blind' if blind else name or plain(alert.status, 60)}"
    if blind:
        said = "🔴 The monitor is blind: failures may go unnoticed"
    elif old:
        said = "🟠 Workloads that had failed before monitoring began"
    elif alert.kind is AlertKind.WORKLOAD_PREEMPTED:
        said = f"🔵 Preempted: {name}"
    elif alert.kind is AlertKind.NODE_UNHEALTHY:
        said = f"🔴 Node in trouble: {name}"
    else:
        said = f"🔴 Job Failure Alert: {name}"
    if notification.change is Change.REMINDED:
        return f"{said} (reminder)"
    return f"{said} (now {plain(alert.status, 30)})" if notification.change is Change.ESCALATED else said


def as_text(message: Message, *, excerpt_characters: int) -> str:
    """The message as plain text in paragraphs; the excerpts share `excerpt_characters`."""
    summary = "\n".join((message.summary, *message.lines))
    parts = [summary, f"Verdict: {message.verdict.line}" if message.verdict else "", message.explanation]
    steps = [f"- {step}" for step in message.steps] + [f"    {command}" for command in message.commands]
    parts.append("\n".join(["Next steps:", *steps]) if steps else "")
    parts.append("\n".join(f"{name}: {value}" for name, value in message.facts))
    parts += [f"{title}\n{text}" for title, text in shortened(message, excerpt_characters)]
    parts.append(f"Could not be read: {message.unread}" if message.unread else "")
    return "\n\n".join(part for part in (*parts, message.footer) if part)


def shortened(message: Message, characters: int) -> list[tuple[str, str]]:
    """The excerpts with their ends, `characters` over all; none where that is too little to say anything."""
    if not message.excerpts or characters < 200:
        return []
    each = characters // len(message.excerpts)
    return [(title, ending(text, max(50, each - len(title)))) for title, text in message.excerpts]


def _verdict(diagnosis: Diagnosis) -> Verdict:
    if not diagnosis.causes:
        return Verdict(title=diagnosis.verdict.value.replace("_", " "))
    top = diagnosis.causes[0]
    return Verdict(title=plain(top.title, 200), cause=plain(top.cause, 60), confidence=top.confidence)


def _facts(notification: Notification) -> tuple[tuple[str, str], ...]:
    alert = notification.alert
    subject = alert.subject
    if not subject.id:
        return ()
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
        ("Acknowledged by", alert.acknowledged_by or ""),
    )
    return tuple((name, plain(value, _FACT)) for name, value in facts if plain(value, _FACT))


def _excerpts(diagnosis: Diagnosis) -> tuple[tuple[str, str], ...]:
    """The evidence that the top cause cites, else the last there is."""
    cited = set(diagnosis.causes[0].evidence_ids) if diagnosis.causes else set()
    chosen = [item for item in diagnosis.evidence if item.id in cited][:_EXCERPTS] or diagnosis.evidence[-2:]
    return tuple(
        (f"[{plain(item.id, 20)}] {plain(item.source, 100)}", clean(item.excerpt[-_EXCERPT:]).strip())
        for item in chosen
    )


def _end(notification: Notification) -> str:
    alert = notification.alert
    ended: datetime = alert.resolved_at or alert.updated_at
    return (
        f"{plain(alert.status, 60)} of alert {alert.alert_id} is over after {_duration(ended - alert.started_at)}: "
        f"{plain(notification.reason, _FACT)}"
    )


def _footer(notification: Notification) -> str:
    reason = plain(notification.reason, 200)
    if notification.test:
        return f"test: {reason}"
    return f"alert {notification.alert.alert_id} · {notification.change.value}: {reason}"


def _duration(span: timedelta) -> str:
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"

"""What the commands print for people: lines that fit their terminal and, on request, JSON. stdout only."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runai_monitor.model.alert import Alert
    from runai_monitor.model.audit import AuditEntry
    from runai_monitor.model.notification import Delivery
    from runai_monitor.operations.checkup import CheckResult
    from runai_monitor.operations.deliveries import Replay
    from runai_monitor.operations.results import Acknowledgement, SilenceView

_MARKS = {"ok": ("✓", "green"), "failed": ("✗", "red"), "skipped": ("·", "yellow")}
_SEVERITY_COLOURS = {"critical": "red", "warning": "yellow", "info": "cyan"}
_STATE_COLOURS = {"firing": "red", "acknowledged": "yellow", "resolved": "green"}
_DELIVERY_COLOURS = {"pending": "yellow", "delivered": "green", "failed": "red"}
_SILENCE_COLOURS = {"active": "yellow", "pending": "cyan", "expired": "white"}
_NAMES = 10
_CHECK_INDENT = 13
_AUDIT_INDENT = 2
_ALERT_INDENT = 14


def print_check(result: CheckResult) -> None:
    """One check as it is known: what was tried, what came of it, and what to do."""
    mark, colour = _MARKS[result.outcome]
    group, _, what = result.name.partition(": ")
    lines = _wrapped(f"{what}: {result.detail}" if what else result.detail, indent=_CHECK_INDENT)
    click.echo(f"{click.style(mark, fg=colour)} {group:<{_CHECK_INDENT - 2}}{lines[0]}")
    lines = lines[1:] + (_wrapped(f"→ {result.advice}", indent=_CHECK_INDENT) if result.advice else [])
    for line in lines:
        click.echo(" " * _CHECK_INDENT + line)


def print_verdict(results: Sequence[CheckResult]) -> None:
    """The last line of a check for people."""
    failed = sum(result.failed for result in results)
    if failed:
        click.secho(f"{failed} of {len(results)} checks failed.", fg="red", bold=True)
    else:
        click.secho("Everything that was tried works.", fg="green", bold=True)


def print_checks_json(results: Sequence[CheckResult]) -> None:
    """All checks for machines."""
    rows = [{"check": r.name, "outcome": r.outcome, "detail": r.detail, "advice": r.advice} for r in results]
    click.echo(json.dumps({"ok": not any(r.failed for r in results), "checks": rows}, indent=2, ensure_ascii=False))


class AlertPrinter:
    """Alerts as they are read: a few lines each, and how many there were."""

    def __init__(self) -> None:
        self._count = 0

    def alert(self, alert: Alert) -> None:
        """The next one."""
        self._count += 1
        _print_alert(alert)

    def end(self) -> None:
        """That was all."""
        if not self._count:
            click.echo("No stored alert matches.")
            return
        click.echo(f"{self._count} alert{'s' if self._count != 1 else ''}; --json has everything about them.")


class JsonAlertPrinter:
    """Alerts in the contract's JSON form: one array, written as it is read."""

    def __init__(self) -> None:
        self._array = _JsonArray()

    def alert(self, alert: Alert) -> None:
        """The next one."""
        from runai_monitor.operations.present import alert_json

        self._array.add(alert_json(alert))

    def end(self) -> None:
        """That was all."""
        self._array.end()


class CsvAlertPrinter:
    """Alerts as CSV (RFC 4180, UTF-8), in bytes: its lines end alike on every system."""

    def __init__(self) -> None:
        from runai_monitor.operations.spreadsheet import HEADER

        self._out = sys.stdout.buffer
        self._write(HEADER)

    def alert(self, alert: Alert) -> None:
        """The next one."""
        from runai_monitor.operations.spreadsheet import alert_row

        self._write(alert_row(alert))

    def end(self) -> None:
        """That was all."""
        self._out.flush()

    def _write(self, row: Sequence[str]) -> None:
        from runai_monitor.operations.spreadsheet import csv_line

        self._out.write(csv_line(row))


def alert_printer(*, as_json: bool, as_csv: bool) -> AlertPrinter | JsonAlertPrinter | CsvAlertPrinter:
    """What prints alerts in the form that was asked for."""
    if as_csv:
        return CsvAlertPrinter()
    return JsonAlertPrinter() if as_json else AlertPrinter()


class AuditPrinter:
    """Entries of the audit as they are read: a line each, or one JSON array."""

    def __init__(self, *, as_json: bool) -> None:
        self._array = _JsonArray() if as_json else None
        self._count = 0

    def entry(self, entry: AuditEntry) -> None:
        """The next one."""
        from runai_monitor.operations.present import audit_json, one_line

        self._count += 1
        if self._array is not None:
            self._array.add(audit_json(entry))
            return
        who, what = one_line(entry.author, limit=100), one_line(entry.target, limit=100)
        click.echo(f"{entry.at:%Y-%m-%d %H:%M:%S} UTC  {click.style(entry.action, bold=True)}  {what}  by {who}")
        for line in _wrapped(one_line(entry.detail), indent=_AUDIT_INDENT):
            click.echo(" " * _AUDIT_INDENT + line)

    def end(self) -> None:
        """That was all."""
        if self._array is not None:
            self._array.end()
        elif not self._count:
            click.echo("No recorded action matches.")


def print_acknowledgement(outcome: Acknowledgement, *, as_json: bool) -> None:
    """What became of an acknowledgement."""
    from runai_monitor.operations.present import alert_json, instant

    alert = outcome.alert
    if as_json:
        click.echo(json.dumps({"changed": outcome.changed, "alert": alert_json(alert)}, indent=2, ensure_ascii=False))
        return
    _print_alert(alert)
    if outcome.changed:
        click.echo(f"Acknowledged by {alert.acknowledged_by}: no more reminders.")
    elif alert.resolved_at is not None:
        click.echo(f"Nothing to acknowledge: it was resolved at {instant(alert.resolved_at)}.")
    else:
        click.echo(f"Acknowledged already, by {alert.acknowledged_by} at {instant(alert.acknowledged_at)}.")


def print_silences(views: Sequence[SilenceView], *, as_json: bool, single: bool = False) -> None:
    """Silences, a few lines each, with the open alerts that they match now; `single`: as JSON, the one without a list."""
    if as_json:
        rows = [_silence_json(view) for view in views]
        click.echo(json.dumps(rows[0] if single else rows, indent=2, ensure_ascii=False))
        return
    if not views:
        click.echo("No stored silence matches.")
    for view in views:
        _print_silence(view)


def _silence_json(view: SilenceView) -> dict[str, object]:
    from runai_monitor.operations.present import silence_json

    return {
        **silence_json(view.silence, view.state),
        "matches_now": len(view.matching),
        "alert_ids": [str(alert.alert_id) for alert in view.matching],
    }


def _print_silence(view: SilenceView) -> None:
    from runai_monitor.operations.present import one_line

    silence = view.silence
    state = click.style(f"{view.state:<{_ALERT_INDENT}}", fg=_SILENCE_COLOURS[view.state])
    matchers = _wrapped(", ".join(map(str, silence.matchers)) or "everything", indent=_ALERT_INDENT)
    click.echo(state + matchers[0])
    end = silence.expired_at or silence.ends_at
    facts = [f"{silence.reason} ({silence.author})", f"{silence.starts_at:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"]
    if silence.expired_by:
        facts.append(f"ended early by {silence.expired_by}")
    names = [one_line(alert.subject.name or str(alert.kind), limit=60) for alert in view.matching[:_NAMES]]
    more = ", …" if len(view.matching) > _NAMES else ""
    facts.append(
        f"open alerts that it matches now: {len(view.matching)}" + (f" ({', '.join(names)}{more})" if names else "")
    )
    for fact in (*matchers[1:], *(line for text in facts for line in _wrapped(text, indent=_ALERT_INDENT))):
        click.echo(" " * _ALERT_INDENT + fact)
    click.echo(" " * _ALERT_INDENT + click.style(silence.silence_id, dim=True))


class _JsonArray:
    """A JSON array that is printed item by item, as `json.dumps(items, indent=2)` would print all of them."""

    def __init__(self) -> None:
        self._began = False

    def add(self, item: object) -> None:
        text = textwrap.indent(json.dumps(item, indent=2, ensure_ascii=False), "  ")
        click.echo((",\n" if self._began else "[\n") + text, nl=False)
        self._began = True

    def end(self) -> None:
        click.echo("\n]" if self._began else "[]")


def print_deliveries(deliveries: Sequence[Delivery], *, as_json: bool) -> None:
    """What became of messages: a few lines each, or JSON."""
    from runai_monitor.operations.present import delivery_json

    if as_json:
        rows = [delivery_json(delivery) for delivery in deliveries]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not deliveries:
        click.echo("No stored delivery matches.")
        return
    for delivery in deliveries:
        _print_delivery(delivery)
    failed = sum(delivery.state == "failed" for delivery in deliveries)
    if failed:
        click.echo(f"{failed} failed; once the channel works again: runai-monitor deliveries --replay all")


def print_replay(outcome: Replay, *, as_json: bool) -> None:
    """What was begun anew and what was not."""
    if as_json:
        row = {"replayed": list(outcome.replayed), "skipped": list(outcome.skipped), "more": outcome.more}
        click.echo(json.dumps(row, indent=2, ensure_ascii=False))
        return
    count = len(outcome.replayed)
    click.echo(f"{count} deliver{'y' if count == 1 else 'ies'} will be told again by the running server.")
    for said in outcome.skipped:
        click.echo(f"Not replayed: {said}.")
    if outcome.more:
        click.echo("There are more: run it again.")


def _print_delivery(delivery: Delivery) -> None:
    from runai_monitor.operations.present import one_line

    alert = delivery.notification.alert
    job = "/".join(one_line(part) for part in (alert.subject.project, alert.subject.name) if part)
    state = click.style(f"{delivery.state:<{_ALERT_INDENT}}", fg=_DELIVERY_COLOURS.get(delivery.state))
    click.echo(f"{state}{delivery.channel}: {alert.status} {delivery.notification.change}  {job}".rstrip())
    for said in (delivery.last_error, delivery.note):
        for line in _wrapped(one_line(said, limit=300), indent=_ALERT_INDENT) if said else ():
            click.echo(" " * _ALERT_INDENT + line)
    times = "1 attempt" if delivery.attempts == 1 else f"{delivery.attempts} attempts"
    facts = [f"delivery {delivery.delivery_id}", f"{delivery.created_at:%Y-%m-%d %H:%M:%S} UTC", times, alert.alert_id]
    click.echo(" " * _ALERT_INDENT + click.style(" · ".join(facts), dim=True))


def _print_alert(alert: Alert) -> None:
    from runai_monitor.operations.present import one_line

    job = "/".join(one_line(part) for part in (alert.subject.project, alert.subject.name) if part)
    state = click.style(f"{alert.state:<{_ALERT_INDENT}}", fg=_STATE_COLOURS[alert.state])
    status = click.style(alert.status, fg=_SEVERITY_COLOURS[alert.severity], bold=alert.severity == "critical")
    click.echo(f"{state}{status}  {job}".rstrip())
    cause = alert.diagnosis.causes[0] if alert.diagnosis and alert.diagnosis.causes else None
    why = f"{cause.cause} ({cause.confidence:.0%} sure)" if cause else one_line(alert.summary, limit=300)
    for line in _wrapped(why, indent=_ALERT_INDENT):
        click.echo(" " * _ALERT_INDENT + line)
    for step in alert.recommendations[:1]:
        for line in _wrapped(f"→ {one_line(step, limit=300)}", indent=_ALERT_INDENT):
            click.echo(" " * _ALERT_INDENT + line)
    if alert.acknowledged_by:
        who = one_line(f"acknowledged by {alert.acknowledged_by}", limit=200)
        for line in _wrapped(who, indent=_ALERT_INDENT):
            click.echo(" " * _ALERT_INDENT + line)
    told = "told once" if alert.notifications == 1 else f"told {alert.notifications} times"
    facts = [f"{alert.started_at:%Y-%m-%d %H:%M:%S} UTC", told, alert.alert_id]
    click.echo(" " * _ALERT_INDENT + click.style(" · ".join(facts), dim=True))


def _wrapped(text: str, *, indent: int) -> list[str]:
    """The text in lines that fit beside the indent; a path or an address stays whole."""
    width = max(40, shutil.get_terminal_size().columns - indent)
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]

"""What the commands print for people: lines that fit their terminal and, on request, JSON. stdout only."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runai_monitor.model.alert import Alert
    from runai_monitor.model.notification import Delivery
    from runai_monitor.operations.checkup import CheckResult
    from runai_monitor.operations.deliveries import Replay

_MARKS = {"ok": ("✓", "green"), "failed": ("✗", "red"), "skipped": ("·", "yellow")}
_SEVERITY_COLOURS = {"critical": "red", "warning": "yellow", "info": "cyan"}
_STATE_COLOURS = {"firing": "red", "acknowledged": "yellow", "resolved": "green"}
_DELIVERY_COLOURS = {"pending": "yellow", "delivered": "green", "failed": "red"}
_CHECK_INDENT = 13
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
        click.secho("Everything that is configured works.", fg="green", bold=True)


def print_checks_json(results: Sequence[CheckResult]) -> None:
    """All checks for machines."""
    rows = [{"check": r.name, "outcome": r.outcome, "detail": r.detail, "advice": r.advice} for r in results]
    click.echo(json.dumps({"ok": not any(r.failed for r in results), "checks": rows}, indent=2, ensure_ascii=False))


def print_alerts(alerts: Sequence[Alert], *, as_json: bool) -> None:
    """The stored alerts, a few lines each, or in the contract's JSON form."""
    if as_json:
        from runai_monitor.operations.present import alert_json

        click.echo(json.dumps([alert_json(alert) for alert in alerts], indent=2, ensure_ascii=False))
        return
    if not alerts:
        click.echo("No stored alert matches.")
        return
    for alert in alerts:
        _print_alert(alert)
    click.echo(f"{len(alerts)} alert{'s' if len(alerts) != 1 else ''}; --json has everything about them.")


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
    told = "told once" if alert.notifications == 1 else f"told {alert.notifications} times"
    facts = [f"{alert.started_at:%Y-%m-%d %H:%M:%S} UTC", told, alert.alert_id]
    click.echo(" " * _ALERT_INDENT + click.style(" · ".join(facts), dim=True))


def _wrapped(text: str, *, indent: int) -> list[str]:
    """The text in lines that fit beside the indent; a path or an address stays whole."""
    width = max(40, shutil.get_terminal_size().columns - indent)
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]

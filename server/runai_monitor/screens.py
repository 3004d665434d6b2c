"""What the commands print for people: tables and, on request, JSON. stdout only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from runai_monitor.model.alert import Alert
    from runai_monitor.operations.checkup import CheckResult

_MARKS = {"ok": ("✓", "green"), "failed": ("✗", "red"), "skipped": ("·", "yellow")}
_SEVERITY_STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


def print_checks(results: Sequence[CheckResult], *, as_json: bool) -> None:
    """One line per check: what was tried, what came of it, and what to do."""
    if as_json:
        rows = [{"check": r.name, "outcome": r.outcome, "detail": r.detail, "advice": r.advice} for r in results]
        click.echo(json.dumps({"ok": not any(r.failed for r in results), "checks": rows}, indent=2))
        return
    width = max(len(result.name) for result in results)
    for result in results:
        mark, colour = _MARKS[result.outcome]
        click.echo(f"{click.style(mark, fg=colour)} {result.name:<{width}}  {result.detail}")
        if result.advice:
            click.echo(f"  {'':<{width}}  → {result.advice}")


def print_alerts(alerts: Sequence[Alert], *, as_json: bool) -> None:
    """The stored alerts as a table, or in the contract's JSON form."""
    if as_json:
        from runai_monitor.operations.present import alert_json

        click.echo(json.dumps([alert_json(alert) for alert in alerts], indent=2, ensure_ascii=False))
        return
    if not alerts:
        click.echo("No alerts stored that match.")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("Since (UTC)", "State", "Status", "Job", "Cause", "Told", "Alert"):
        table.add_column(heading, overflow="fold")
    for alert in alerts:
        cause = alert.diagnosis.causes[0].cause if alert.diagnosis and alert.diagnosis.causes else ""
        job = "/".join(part for part in (alert.subject.project, alert.subject.name) if part)
        table.add_row(
            f"{alert.started_at:%Y-%m-%d %H:%M:%S}",
            str(alert.state),
            Text(alert.status, style=_SEVERITY_STYLES[alert.severity]),
            Text(job or alert.summary),
            cause,
            str(alert.notifications),
            alert.alert_id,
        )
    Console().print(table)

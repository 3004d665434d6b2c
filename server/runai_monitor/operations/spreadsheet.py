"""Alerts as rows of a spreadsheet: CSV as RFC 4180 has it, whose cells no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from runai_monitor.clock import isoformat
from runai_monitor.model.alert import Alert
from runai_monitor.operations.present import instant, one_line

HEADER = (
    "alert_id",
    "cursor",
    "kind",
    "status",
    "state",
    "severity",
    "project",
    "workload",
    "workload_id",
    "type",
    "submitted_by",
    "gpus",
    "nodes",
    "cause",
    "confidence",
    "summary",
    "next_step",
    "started_at",
    "updated_at",
    "acknowledged_at",
    "acknowledged_by",
    "resolved_at",
    "notifications",
)
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What makes a spreadsheet calculate, and its wide twins (OWASP, "CSV Injection")."""


def alert_row(alert: Alert) -> list[str]:
    """The cells of an alert, as `HEADER` names them."""
    subject = alert.subject
    cause = alert.diagnosis.causes[0] if alert.diagnosis and alert.diagnosis.causes else None
    return [
        alert.alert_id,
        str(alert.cursor),
        str(alert.kind),
        alert.status,
        str(alert.state),
        str(alert.severity),
        subject.project,
        subject.name,
        subject.id,
        subject.type,
        subject.submitted_by or "",
        "" if subject.gpus is None else f"{subject.gpus:g}",
        " ".join(subject.nodes),
        cause.cause if cause else "",
        f"{cause.confidence:.2f}" if cause else "",
        alert.summary,
        alert.recommendations[0] if alert.recommendations else "",
        isoformat(alert.started_at),
        isoformat(alert.updated_at),
        instant(alert.acknowledged_at) or "",
        alert.acknowledged_by or "",
        instant(alert.resolved_at) or "",
        str(alert.notifications),
    ]


def csv_line(cells: Sequence[str]) -> bytes:
    """One record in UTF-8, ended by CRLF; each cell one line, quoted where it must be."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return buffer.getvalue().encode("utf-8", "replace")


def harmless(text: str) -> str:
    """The text on one line; one that would be calculated gets an apostrophe before it.

    Names and messages are written by whoever submits a job, and a formula can send what is in the table elsewhere.
    """
    line = one_line(text, limit=2000)
    return f"'{line}" if line.startswith(_FORMULA) else line

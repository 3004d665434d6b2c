"""The channel that is always there: one log line per change of an alert."""

from __future__ import annotations

import logging

from runai_monitor.model.alert import Alert, AlertState, Change, Severity
from runai_monitor.notify.render import alert_line

log = logging.getLogger("runai_monitor.alerts")
_LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.CRITICAL: logging.ERROR}


def log_alert(alert: Alert) -> None:
    """Logs an alert as it is now, at a level by its severity."""
    resolved = alert.state is AlertState.RESOLVED
    fresh = alert.started_at == alert.updated_at
    change = Change.RESOLVED if resolved else Change.OPENED if fresh else Change.ESCALATED
    log.log(logging.INFO if resolved else _LEVELS[alert.severity], "%s", alert_line(alert, change))

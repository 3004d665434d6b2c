"""The channel that is always there: one log line per change of an alert."""

from __future__ import annotations

import logging

from runai_monitor.model.alert import Alert, AlertState, Change, Severity
from runai_monitor.model.notification import Delivery
from runai_monitor.notify.render import alert_line

log = logging.getLogger("runai_monitor.alerts")
_LEVELS = {Severity.INFO: logging.INFO, Severity.WARNING: logging.WARNING, Severity.CRITICAL: logging.ERROR}


def log_alert(alert: Alert, change: Change | None = None) -> None:
    """Logs a change of an alert at a level by its severity; the end of one is information.

    Without `change` it is told from the alert itself, which cannot tell a reminder from an escalation.
    """
    if change is None:
        fresh = alert.started_at == alert.updated_at
        change = Change.OPENED if fresh else Change.ESCALATED
        if alert.state is AlertState.RESOLVED:
            change = Change.RESOLVED
    level = logging.INFO if change is Change.RESOLVED else _LEVELS[alert.severity]
    log.log(level, "%s", alert_line(alert, change))


def log_undelivered(delivery: Delivery, reason: str) -> None:
    """Logs an alert that a channel will not tell, whatever becomes of it elsewhere."""
    told = delivery.notification
    line = alert_line(told.alert, told.change)
    log.error("NOT delivered to %s (delivery %d), %s: %s", delivery.channel, delivery.delivery_id, reason, line)

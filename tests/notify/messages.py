"""Notifications for tests of channels."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from runai_monitor.model.alert import Alert, AlertState, Change
from runai_monitor.model.diagnosis import Cause, Diagnosis, Evidence, Verdict
from runai_monitor.model.notification import Notification
from tests.factories import make_transition
from tests.fakes import EPOCH

HOSTILE = (
    "<!channel> @here @everyone ``` <https://evil.example|click> [click](https://evil.example) *bold* {{DATE(2020-01-01)}}"
    " <script>alert(1)</script> <img src=https://evil.example/x> \x1b[31mred\x07 \u202egnihton\r\nBcc: victim@example.com\r\n"
)


def notification(
    text: str = "it ran out of memory", change: Change = Change.OPENED, *, test: bool = False, **fields: Any
) -> Notification:
    """A notification about one job whose every free text is `text`."""
    cause = Cause(
        cause="container_oom",
        title=text,
        confidence=0.97,
        explanation=text,
        evidence_ids=("e1",),
        next_steps=(text, "raise the limit: kubectl describe pod job-0"),
    )
    diagnosis = Diagnosis(
        verdict=Verdict.FAILURE,
        confidence=0.97,
        generated_at=EPOCH,
        causes=(cause,),
        evidence=(Evidence(id="e1", source="log", observed_at=EPOCH, excerpt=text),),
        unread=(text,),
        markdown=text,
    )
    transition = make_transition("job", summary=text)
    ended = change is Change.RESOLVED
    alert = Alert(
        **{
            "alert_id": transition.alert_id,
            "cursor": 1 if change is Change.OPENED else 2,
            "kind": transition.kind,
            "status": "OOMKilled",
            "state": AlertState.RESOLVED if ended else AlertState.FIRING,
            "severity": transition.severity,
            "subject": transition.subject,
            "summary": text,
            "started_at": EPOCH,
            "updated_at": EPOCH if change is Change.OPENED else EPOCH + timedelta(minutes=5),
            "resolved_at": EPOCH + timedelta(minutes=5) if ended else None,
            "diagnosis": diagnosis,
            **fields,
        }
    )
    return Notification(alert=alert, change=change, reason=text, test=test)

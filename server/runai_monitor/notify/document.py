"""The contract's JSON form of alerts and diagnoses, the same for every surface and for webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar, cast

from runai_monitor.clock import isoformat
from runai_monitor.model.alert import Alert
from runai_monitor.model.diagnosis import Diagnosis
from runai_monitor.notify.safe_text import clean

T = TypeVar("T")


def alert_json(alert: Alert, *, evidence: bool = True, markdown: bool = True) -> dict[str, object]:
    """An alert as the contract spells it; without evidence or report when they would be too much."""
    subject = alert.subject
    alert_fields = {
        "alert_id": str(alert.alert_id),
        "cursor": alert.cursor,
        "kind": str(alert.kind),
        "status": alert.status,
        "state": str(alert.state),
        "severity": str(alert.severity),
        "workload": {
            "id": subject.id,
            "name": subject.name,
            "project": subject.project,
            "type": subject.type,
            "namespace": subject.namespace,
            "cluster_id": subject.cluster_id,
            "submitted_by": subject.submitted_by,
            "gpus": subject.gpus,
        },
        "summary": alert.summary,
        "recommendations": list(alert.recommendations),
        "started_at": isoformat(alert.started_at),
        "updated_at": isoformat(alert.updated_at),
        "resolved_at": instant(alert.resolved_at),
        "acknowledged_at": instant(alert.acknowledged_at),
        "acknowledged_by": alert.acknowledged_by,
        "notifications": alert.notifications,
        "awaits_diagnosis": alert.awaits_diagnosis,
        "diagnosis": None
        if alert.diagnosis is None
        else diagnosis_json(alert.diagnosis, evidence=evidence, markdown=markdown),
    }
    return visible(alert_fields)


def diagnosis_json(diagnosis: Diagnosis, *, evidence: bool = True, markdown: bool = True) -> dict[str, object]:
    """A diagnosis as the contract spells it."""
    return {
        "verdict": str(diagnosis.verdict),
        "confidence": diagnosis.confidence,
        "causes": [
            {
                "cause": cause.cause,
                "title": cause.title,
                "confidence": cause.confidence,
                "explanation": cause.explanation,
                "evidence_ids": list(cause.evidence_ids),
                "next_steps": list(cause.next_steps),
            }
            for cause in diagnosis.causes
        ],
        "evidence": [
            {
                "id": item.id,
                "source": item.source,
                "observed_at": instant(item.observed_at),
                "excerpt": item.excerpt,
            }
            for item in (diagnosis.evidence if evidence else ())
        ],
        "unread": list(diagnosis.unread),
        "generated_at": isoformat(diagnosis.generated_at),
        "markdown": diagnosis.markdown if markdown else "",
    }


def visible(value: T) -> T:
    """A JSON value whose texts show all they hold: no terminal sequences, nothing invisible, nothing that turns text.

    Lines stay lines. Of names and messages alike: what a person cannot see, a model must not read.
    """
    return cast("T", _visible(value))


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isprintable() else clean(value)
    if isinstance(value, dict):
        return {key: _visible(item) for key, item in value.items()}
    return [_visible(item) for item in value] if isinstance(value, list) else value


def instant(value: datetime | None) -> str | None:
    """An instant as ISO 8601 text, None for none."""
    return None if value is None else isoformat(value)

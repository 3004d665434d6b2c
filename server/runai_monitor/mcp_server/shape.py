"""From what operations return to what clients see, and the size limit every result keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mcp_types import CallToolResult, TextContent

from runai_monitor.mcp_server import schemas
from runai_monitor.model.alert import Alert, AlertState
from runai_monitor.model.diagnosis import Diagnosis
from runai_monitor.model.monitor import Monitor
from runai_monitor.model.workload import Workload
from runai_monitor.operations.present import alert_json, diagnosis_json, instant, one_line, visible

MAX_RESULT_BYTES = 24_000
"""Below the promised 25 kB: room for the envelope and the line about unseen alerts."""

MAX_TEXT = 6_000
MAX_EXCERPT = 400


def alert_result(alert: Alert, *, evidence: bool = True, markdown: bool = True) -> schemas.AlertResult:
    """An alert in the published shape."""
    return schemas.AlertResult.model_validate(alert_json(alert, evidence=evidence, markdown=markdown))


def diagnosis_result(diagnosis: Diagnosis, *, evidence: bool = True, markdown: bool = True) -> schemas.DiagnosisResult:
    """A diagnosis in the published shape."""
    return schemas.DiagnosisResult.model_validate(diagnosis_json(diagnosis, evidence=evidence, markdown=markdown))


def shortened(diagnosis: schemas.DiagnosisResult, *, excerpt: int, markdown: int) -> schemas.DiagnosisResult:
    """The same diagnosis with shorter excerpts and report."""
    evidence = [item.model_copy(update={"excerpt": clip(item.excerpt, excerpt)}) for item in diagnosis.evidence]
    return diagnosis.model_copy(update={"evidence": evidence, "markdown": clip(diagnosis.markdown, markdown)})


def diagnosis_steps(diagnosis: schemas.DiagnosisResult) -> Iterator[tuple[schemas.DiagnosisResult, str | None]]:
    """Ever smaller forms of a diagnosis, each with what was left out."""
    yield diagnosis, None
    yield shortened(diagnosis, excerpt=2000, markdown=5000), "long excerpts were shortened"
    yield shortened(diagnosis, excerpt=MAX_EXCERPT, markdown=3000), "excerpts and report were shortened"
    small = shortened(diagnosis, excerpt=200, markdown=0)
    small.evidence = small.evidence[:20]
    small.causes = small.causes[:5]
    small.unread = [clip(text, 200) for text in small.unread[:10]]
    yield small, "the report and part of the evidence were left out"
    bare = small.model_copy(update={"evidence": [], "causes": [_bare_cause(cause) for cause in small.causes[:3]]})
    yield bare, "the report and the evidence were left out"


def _bare_cause(cause: schemas.CauseResult) -> schemas.CauseResult:
    return cause.model_copy(
        update={
            "explanation": clip(cause.explanation, 400),
            "evidence_ids": cause.evidence_ids[:10],
            "next_steps": [clip(step, 300) for step in cause.next_steps[:5]],
        }
    )


def workload_ref(workload: Workload) -> schemas.WorkloadRef:
    """The few facts that name a workload."""
    return schemas.WorkloadRef(
        id=workload.id,
        name=workload.name,
        project=workload.project,
        type=workload.type,
        namespace=workload.namespace,
        cluster_id=workload.cluster_id,
        submitted_by=workload.submitted_by,
        gpus=workload.gpus,
    )


def monitor_result(monitor: Monitor, *, now: datetime) -> schemas.MonitorResult:
    """A monitor in the published shape."""
    age = None if monitor.last_poll_at is None else max(0.0, (now - monitor.last_poll_at).total_seconds())
    return schemas.MonitorResult(
        monitor_id=monitor.monitor_id,
        project=monitor.project,
        state=monitor.state,
        started_at=instant(monitor.started_at) or "",
        ends_at=instant(monitor.ends_at),
        poll_interval_seconds=monitor.poll_interval_seconds,
        only_failed=monitor.only_failed,
        auto_troubleshoot=monitor.auto_troubleshoot,
        polls=monitor.polls,
        workloads=monitor.workloads,
        last_poll_at=instant(monitor.last_poll_at),
        last_poll_age_seconds=None if age is None else round(age, 1),
        last_error=one_line(monitor.last_error) or None,
        last_error_at=instant(monitor.last_error_at),
        next_poll_at=instant(monitor.next_poll_at),
    )


def alert_text(alert: Alert) -> str:
    """An alert in one or two lines for a reader."""
    subject = alert.subject
    job = f"{subject.project}/{subject.name}" if subject.name else str(alert.kind)
    line = f"[{alert.severity}] {alert.status} {one_line(job, limit=150)} ({alert.state}): {one_line(alert.summary, limit=300)}"
    if alert.acknowledged_by and alert.state is AlertState.ACKNOWLEDGED:
        line += f"\n  acknowledged by {one_line(alert.acknowledged_by, limit=100)} at {instant(alert.acknowledged_at)}"
    if alert.diagnosis is not None and alert.diagnosis.causes:
        best = alert.diagnosis.causes[0]
        line += f"\n  cause: {best.cause} ({best.confidence:.0%}) {one_line(best.title, limit=150)}"
        if best.next_steps:
            line += f"\n  next: {one_line(best.next_steps[0], limit=200)}"
    return line + f"\n  {alert.alert_id}, cursor {alert.cursor}, since {instant(alert.started_at)}"


def clip(text: str, limit: int) -> str:
    """Text of at most `limit` characters; a cut one says so."""
    return text if len(text) <= limit else (text[: max(0, limit - 2)] + " …" if limit else "")


def tool_result(result: schemas.Result, text: str) -> CallToolResult:
    """Structured content and the readable text, which ends with what was cut."""
    text = visible(clip(text, MAX_TEXT))
    shown = f"{text}\n{result.cut}" if result.cut else text
    return CallToolResult(
        content=[TextContent(type="text", text=shown)], structured_content=visible(result.model_dump(mode="json"))
    )


def size_bytes(result: CallToolResult) -> int:
    """What the result weighs on the wire."""
    return len(result.model_dump_json(by_alias=True, exclude_none=True).encode())


def first_that_fits(candidates: Iterator[CallToolResult]) -> CallToolResult:
    """The first candidate below the limit; they come richest first, and the last is taken whatever it weighs."""
    chosen = next(candidates)
    while size_bytes(chosen) > MAX_RESULT_BYTES:
        following = next(candidates, None)
        if following is None:
            return chosen
        chosen = following
    return chosen


def shrinking(count: int) -> Iterator[int]:
    """How many of `count` items to try: all, then ever fewer, down to one."""
    while count > 1:
        yield count
        count = min(count - 1, count * 4 // 5)
    yield count

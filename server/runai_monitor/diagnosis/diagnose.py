"""One diagnosis: gather, apply the rules, rank, say it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from runai_monitor.clock import Clock
from runai_monitor.diagnosis.attempts import in_order
from runai_monitor.diagnosis.beside import failed_nodes, weighed
from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.collect import collect
from runai_monitor.diagnosis.past import recall
from runai_monitor.diagnosis.report import markdown
from runai_monitor.diagnosis.rules import (
    gpu,
    node,
    preemption,
    process,
    quota,
    readings,
    scheduling,
    starting,
    storage,
    waits,
)
from runai_monitor.diagnosis.rules.finding import Finding, Role
from runai_monitor.diagnosis.rules.particulars import with_particulars
from runai_monitor.diagnosis.safe import safe
from runai_monitor.diagnosis.sources import HistoryReader, KubeReader, Limits, LiveReader, RunaiReader, Sources
from runai_monitor.diagnosis.verdict import judge
from runai_monitor.model.diagnosis import Diagnosis
from runai_monitor.model.workload import Workload

OnProgress = Callable[[float, str], Awaitable[None]]


class Diagnoser:
    """Says why a workload is as it is, from Run:ai and, where there is access, from Kubernetes."""

    def __init__(
        self,
        *,
        runai: RunaiReader,
        kube: KubeReader | None,
        clock: Clock,
        timeout_seconds: float = 15,
        log_tail_lines: int = 100,
        log_limit_bytes: int = 262_144,
        pending_stuck_minutes: float = 10,
        history: HistoryReader | None = None,
        live: LiveReader | None = None,
    ) -> None:
        limits = Limits(timeout_seconds=timeout_seconds, log_tail_lines=log_tail_lines, log_limit_bytes=log_limit_bytes)
        self._sources = Sources(runai=runai, kube=kube, clock=clock, limits=limits, history=history, live=live)
        self._pending_stuck_minutes = pending_stuck_minutes

    async def diagnose(
        self, workload: Workload, *, include_logs: bool = True, on_progress: OnProgress | None = None
    ) -> Diagnosis:
        """The diagnosis now. Never raises for a source that cannot be read: it is named in `unread`."""
        now = self._sources.clock.now()
        case = Case(workload=safe(workload), now=now, pending_stuck_minutes=self._pending_stuck_minutes)
        if on_progress is not None:
            await on_progress(0.1, "reading Run:ai and Kubernetes")
        await collect(case, workload, self._sources, include_logs=include_logs)
        if on_progress is not None:
            await on_progress(0.8, "comparing with known causes")
        diagnosis = conclude(case)
        if on_progress is not None:
            await on_progress(1.0, "done")
        return diagnosis


def _particular(case: Case, finding: Finding) -> Finding:
    """A finding with the facts of the case in its advice; another reading is not told as if it were certain."""
    return finding if finding.role is Role.READING else with_particulars(case, finding)


def conclude(case: Case) -> Diagnosis:
    """What follows from the facts of a case: pure but for the evidence that is numbered in it."""
    over, retried = case.superseded, case.retried
    findings = [
        replace(_particular(case, finding), earlier=finding.earlier or finding.place in retried)
        for family in (process, waits, starting, preemption, quota, scheduling, gpu, node, storage)
        for finding in family.find(case)
        if finding.place not in over
    ]
    findings += readings.of_messages(case, findings)
    judgement = judge(case, weighed(case, in_order(case, findings)))
    past = recall(case, judgement)
    cited = {number for cause in past.causes for number in cause.evidence_ids}
    cited |= {*judgement.looked_at, *past.evidence_ids}
    diagnosis = Diagnosis(
        verdict=judgement.verdict,
        confidence=judgement.confidence,
        generated_at=case.now,
        causes=past.causes,
        # What only other findings cited would be read as support for these.
        evidence=tuple(item for item in case.evidence if item.id in cited),
        unread=tuple(sorted(case.unread)),
        nodes=failed_nodes(case),
    )
    return replace(diagnosis, markdown=markdown(diagnosis, case.workload, judgement.summary, past.sentences))

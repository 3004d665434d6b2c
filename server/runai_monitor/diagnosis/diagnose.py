"""One diagnosis: gather, apply the rules, rank, say it."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable

from runai_monitor.clock import Clock
from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.collect import Collector, KubeReader, Limits, RunaiReader
from runai_monitor.diagnosis.rank import ranked
from runai_monitor.diagnosis.report import markdown
from runai_monitor.diagnosis.rules import process, waiting
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
    ) -> None:
        limits = Limits(timeout_seconds=timeout_seconds, log_tail_lines=log_tail_lines, log_limit_bytes=log_limit_bytes)
        self._collector = Collector(runai=runai, kube=kube, limits=limits)
        self._clock = clock
        self._pending_stuck_minutes = pending_stuck_minutes

    async def diagnose(
        self, workload: Workload, *, include_logs: bool = True, on_progress: OnProgress | None = None
    ) -> Diagnosis:
        """The diagnosis now. Never raises for a source that cannot be read: it is named in `unread`."""
        now = self._clock.now()
        case = Case(workload=workload, now=now, pending_stuck_minutes=self._pending_stuck_minutes)
        if on_progress is not None:
            await on_progress(0.1, "reading Run:ai and Kubernetes")
        await self._collector.collect(case, include_logs=include_logs)
        if on_progress is not None:
            await on_progress(0.8, "comparing with known causes")
        causes = ranked([*process.find(case), *waiting.find(case)])
        verdict, causes, confidence = judge(case, causes)
        diagnosis = Diagnosis(
            verdict=verdict,
            confidence=confidence,
            generated_at=now,
            causes=causes,
            evidence=tuple(case.evidence),
            unread=tuple(sorted(case.unread)),
        )
        if on_progress is not None:
            await on_progress(1.0, "done")
        return dataclasses.replace(diagnosis, markdown=markdown(diagnosis, case.workload))

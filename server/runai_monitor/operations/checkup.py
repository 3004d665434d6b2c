"""Proves a set-up before it is trusted: each thing that monitoring will need, tried once, with what to do if it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import anyio

from runai_monitor.diagnosis.sources import RunaiReader
from runai_monitor.errors import MonitorError, RunaiError, RunaiNotFoundError
from runai_monitor.kube.access import AccessCheck
from runai_monitor.model.workload import Workload
from runai_monitor.operations.arguments import nearest, quoted
from runai_monitor.operations.sources import Runai

Outcome = Literal["ok", "failed", "skipped"]

_READS = "Run:ai: read a workload"
_LATER = "run the check again when Run:ai answers"
_NO_SUCH = "runai-monitor-check"
_FORBIDDEN = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One thing that was tried. `advice` is empty when there is nothing to do."""

    name: str
    outcome: Outcome
    detail: str
    advice: str = ""

    @property
    def failed(self) -> bool:
        """Whether this makes `check` exit with 1."""
        return self.outcome == "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One named attempt; `run` returns results of its own, or raises one of our errors."""

    name: str
    run: Callable[[], Awaitable[Sequence[CheckResult]]]
    advice: str = ""
    timeout_seconds: float = 30


async def run_check(check: Check) -> list[CheckResult]:
    """Runs one check to its end or its timeout; an error of ours becomes a failed result, never an exception."""
    try:
        with anyio.fail_after(check.timeout_seconds):
            return list(await check.run())
    except MonitorError as error:
        return [CheckResult(name=check.name, outcome="failed", detail=str(error), advice=check.advice)]
    except TimeoutError:
        detail = f"no answer within {check.timeout_seconds:.0f} s"
        return [CheckResult(name=check.name, outcome="failed", detail=detail, advice=check.advice)]


async def run_checks(
    checks: Sequence[Check], *, on_result: Callable[[CheckResult], None] | None = None
) -> list[CheckResult]:
    """All checks one after the other, in order, so that the output reads as a story; each is told as it is known."""
    results: list[CheckResult] = []
    for check in checks:
        found = await run_check(check)
        results += found
        if on_result is not None:
            for result in found:
                on_result(result)
    return results


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the credentials reach in Run:ai: results to show, and the namespaces of the projects that may be seen."""

    results: tuple[CheckResult, ...]
    namespaces: tuple[str, ...]


async def reach(runai: Runai, *, allowed: Sequence[str] | None) -> Reach:
    """Logs in, looks at projects and workloads; a monitored project that does not exist would be watched in vain.

    Raises:
        RunaiError: Run:ai cannot be asked.
    """
    known = await runai.list_projects()
    projects = [project for project in known if allowed is None or project.name in allowed]
    counts = [await runai.count_workloads(project=name) for name in ([None] if allowed is None else allowed)]
    results = [_seen(sum(counts), len(projects))]
    names = [project.name for project in projects]
    missing = [name for name in allowed or () if name not in names]
    if missing:
        results.append(_missing(missing, [project.name for project in known]))
    return Reach(
        results=tuple(results),
        namespaces=tuple(sorted({project.namespace for project in projects if project.namespace})),
    )


def _seen(workloads: int, projects: int) -> CheckResult:
    detail = f"token granted; {_number(workloads, 'workload')} in {_number(projects, 'project')} can be seen"
    if workloads:
        return CheckResult(name="Run:ai", outcome="ok", detail=detail)
    advice = "if there should be some: give the service account a role in their projects"
    return CheckResult(name="Run:ai", outcome="skipped", detail=detail, advice=advice)


def _missing(names: Sequence[str], known: Sequence[str]) -> CheckResult:
    close = list(dict.fromkeys(other for name in names for other in nearest(name, known, count=1)))
    hint = f"; the nearest that exists is {', '.join(map(quoted, close))}" if close else ""
    return CheckResult(
        name="projects",
        outcome="failed",
        detail=f"Run:ai shows this account no project {', '.join(map(quoted, names))}{hint}",
        advice="correct monitored_projects, or give the service account a role in the project",
    )


class CheckedRunai(Runai, RunaiReader, Protocol):
    """Run:ai, with what a diagnosis reads of it."""


async def read_like_a_diagnosis(runai: CheckedRunai, *, allowed: Sequence[str] | None) -> list[CheckResult]:
    """Tries on one workload each read that a diagnosis makes: one that the role forbids would be missed at night.

    Args:
        runai: answers already, as `reach` has shown; of its errors each becomes a result.
        allowed: the projects of which one must have the workload; None for any.
    """
    try:
        workload = await _some_workload(runai, allowed)
    except RunaiError as error:
        return [CheckResult(name=_READS, outcome="failed", detail=str(error), advice=_LATER)]
    if workload is None:
        detail = "there is no workload to try it on: whether pods, events and history may be read is not known"
        return [
            CheckResult(name=_READS, outcome="skipped", detail=detail, advice="run the check again when there is one")
        ]
    return [await _try_read(read, workload) for read in _reads(runai, workload)]


async def _some_workload(runai: CheckedRunai, allowed: Sequence[str] | None) -> Workload | None:
    for project in [None] if allowed is None else allowed:
        for workload in await runai.page_workloads(project=project, limit=1):
            return workload
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One thing that a diagnosis reads. `loss`: what becomes of it without; `rule`: what would permit it.

    Run:ai's document names no permission for an endpoint; these are its resource types, and its screens have View for `read`.
    """

    what: str
    read: Callable[[], Awaitable[object]]
    loss: str
    rule: str
    is_optional: bool = False


def _reads(runai: CheckedRunai, workload: Workload) -> list[_Read]:
    rule = f"in {quoted(workload.project)} whose role has View on Workloads (in the API: `workloads`, `read`)"
    return [
        _Read(
            what="details",
            read=lambda: runai.get_workload(workload.id),
            loss="diagnoses do without what was requested, such as memory",
            rule=rule,
        ),
        _Read(
            what="pods",
            read=lambda: runai.list_pods(workload.id),
            loss="diagnoses cannot tell which pods are whose, and find no logs of some",
            rule=rule,
        ),
        _Read(
            what="events",
            read=lambda: runai.list_events(workload.id),
            loss="without Kubernetes a failure stays a plain Failed, and diagnoses miss what Kubernetes has forgotten",
            rule=rule,
        ),
        _Read(
            what="history",
            read=lambda: runai.get_history(workload.id),
            loss="diagnoses do without earlier phases, and a job that is deleted once it failed is missed",
            rule=rule,
        ),
        _Read(
            what="nodes",
            read=lambda: runai.find_nodes(_NO_SUCH, cluster_id=workload.cluster_id),
            loss="where Kubernetes does not show nodes, diagnoses do without them",
            rule="on the cluster whose role has View on Nodes (in the API: `nodes`, `read`)",
            is_optional=True,
        ),
    ]


async def _try_read(read: _Read, workload: Workload) -> CheckResult:
    name = f"Run:ai: read {read.what}"
    try:
        await read.read()
    except RunaiNotFoundError:
        detail = f"Run:ai has none of the workload that was tried (404); {read.loss}"
        advice = "run the check again: if it stays so, this Run:ai does not have them, or hides them from the account"
        return CheckResult(name=name, outcome="skipped", detail=detail, advice=advice)
    except RunaiError as error:
        if error.status != _FORBIDDEN:
            return CheckResult(name=name, outcome="failed", detail=str(error), advice=_LATER)
        advice = f"give the service account an access rule {read.rule}"
        return CheckResult(
            name=name,
            outcome="skipped" if read.is_optional else "failed",
            detail=f"not permitted (403); {read.loss}",
            advice=f"optional: {advice}" if read.is_optional else advice,
        )
    return CheckResult(name=name, outcome="ok", detail=f"allowed; tried in project {quoted(workload.project)}")


_OF_ACCESS: dict[str, Outcome] = {
    "ok": "ok",
    "denied": "failed",
    "rejected": "failed",
    "unanswered": "failed",
    "unverified": "skipped",
    "skipped": "skipped",
}


def permission_results(checks: Sequence[AccessCheck]) -> list[CheckResult]:
    """One result per permission however many namespaces were tried; a single one when nothing was answered at all."""
    if checks and checks[0].outcome in {"rejected", "unanswered"}:
        first = checks[0]
        return [CheckResult(name="Kubernetes", outcome="failed", detail=first.detail, advice=first.advice)]
    by_permission: dict[str, list[AccessCheck]] = {}
    for check in checks:
        by_permission.setdefault(check.permission.partition(" in ")[0], []).append(check)
    return [_permission_result(permission, found) for permission, found in by_permission.items()]


def _permission_result(permission: str, checks: Sequence[AccessCheck]) -> CheckResult:
    name = f"Kubernetes: {permission}"
    bad = [check for check in checks if _OF_ACCESS[check.outcome] == "failed"]
    good = [check for check in checks if check.outcome == "ok"]
    if good and not bad:
        where = "all namespaces" if "all namespaces" in good[0].permission else _number(len(good), "namespace")
        return CheckResult(name=name, outcome="ok", detail=f"allowed in {where}")
    first = (bad or checks)[0]
    more = f" (and in {_number(len(bad) - 1, 'more namespace')})" if len(bad) > 1 else ""
    return CheckResult(name=name, outcome=_OF_ACCESS[first.outcome], detail=first.detail + more, advice=first.advice)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

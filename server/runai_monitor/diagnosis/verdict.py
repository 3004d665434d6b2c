"""The answer in one word: a failure with its causes, a quiet state said plainly, or an honest "not enough evidence"."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from runai_monitor.diagnosis.case import STEADY, Case, all_run, ended_badly, is_superseded
from runai_monitor.diagnosis.messages import WAITING_PHASES
from runai_monitor.diagnosis.rank import other_readings, ranked
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.waits import unready
from runai_monitor.diagnosis.wording import describe_workload, in_namespace, listed, times, token
from runai_monitor.model.cluster import ContainerPhase, Pod
from runai_monitor.model.diagnosis import Cause, Verdict
from runai_monitor.model.workload import ENDING_PHASES, STOPPED_PHASES

_RUNNING_PHASES = frozenset({"Running", "Updating", "Resuming"})
_HOLDS_UP = frozenset(
    {"node_lost", "node_not_ready", "node_shutdown", "node_disk_pressure", "gpu_hardware_fault", "storage_unresponsive"}
)
"""What keeps a deletion from ending; how the containers ended follows from it."""
_NODE_FAILS = frozenset({"node_lost", "node_not_ready", "node_shutdown"})
"""What takes the pods of a node away although their containers still seem to run."""
_PODS_UNREAD = re.compile(r"pods? (?!.*: not found(?:,|$))")
"""Entries of `unread` about pods; one that Run:ai lists and Kubernetes lacks has been read: it is gone."""
_NOTHING = 0.4
"""Below this a finding only says what was seen."""
_UNSURE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The verdict, its causes, how sure it is, and one sentence about what it rests on.

    `looked_at` is the evidence of a quiet verdict, which has no causes to cite it.
    """

    verdict: Verdict
    confidence: float
    summary: str
    causes: tuple[Cause, ...] = ()
    looked_at: tuple[str, ...] = ()


def judge(case: Case, findings: list[Finding]) -> Judgement:
    """The verdict over what rules found."""
    phase = case.workload.phase
    told = _deliberate(case, findings)
    if told is not None:
        return told
    named = [f for f in findings if f.confidence >= _NOTHING and f.role is not Role.READING]
    if phase in ENDING_PHASES:
        named = [finding for finding in named if finding.cause in _HOLDS_UP]
    suffers = any(finding.strength is Strength.NODE and finding.cause in _NODE_FAILS for finding in named)
    if phase in _RUNNING_PHASES and not suffers and _is_steady(case) and (case.pods or not named):
        return _healthy(case, findings)
    if _is_young(case) and not ended_badly(case) and not _stuck_states(case):
        hopeless = [f for f in named if f.never and not (f.role is Role.HINT and f.strength is Strength.EVENT)]
        if not hopeless:
            return _pending(case, named)
    if named:
        causes = _with_doubt(case, ranked([*named, *(f for f in findings if f.role is Role.READING)]))
        if again := _running_again(case):
            first = replace(causes[0], title=f"{again}; the last crash was: {causes[0].title}")
            causes = (first, *causes[1:])
        summary = f"{_pods(case)}."
        return Judgement(verdict=Verdict.FAILURE, confidence=causes[0].confidence, causes=causes, summary=summary)
    if (
        phase in _RUNNING_PHASES
        and case.pods
        and not _unseen(case)
        and not ended_badly(case)
        and not _stuck_states(case)
        and not _loses_pods(case)
    ):
        return _quiet(case, Verdict.HEALTHY, 0.6, f"it runs: {_pods(case)}; nothing says that anything is wrong")
    return _insufficient(case, findings)


def _healthy(case: Case, findings: list[Finding]) -> Judgement:
    """What everything says that was read: all of it, or Run:ai alone where there is no Kubernetes access by choice."""
    unseen = _unseen(case)
    if unseen and not case.pods:
        return _insufficient(case, findings)
    restarts = sum(container.restarts for pod in case.pods for container in pod.containers)
    said = f"it runs: {_pods(case)}" + (f"; {times(restarts, 'restart')} in the past" if restarts else "")
    if unseen:
        return _quiet(case, Verdict.HEALTHY, 0.65, f"{said}; not all of it could be read: {listed(unseen, 3)}")
    if not case.pods:
        return _quiet(case, Verdict.HEALTHY, 0.75, f"{said}; that is Run:ai's word alone, no container was looked at")
    return _quiet(case, Verdict.HEALTHY, 0.92, said)


def _deliberate(case: Case, findings: list[Finding]) -> Judgement | None:
    """What ended well, or by somebody's will: whatever its old pods say."""
    phase = case.workload.phase
    if phase == "Completed":
        return _quiet(case, Verdict.COMPLETED, 0.97, "it ran to its end")
    if phase in STOPPED_PHASES:
        limits = [finding for finding in findings if finding.cause == "time_limit_reached"]
        if limits:
            causes = ranked(limits)
            return Judgement(
                verdict=Verdict.FAILURE,
                confidence=causes[0].confidence,
                causes=causes,
                summary="it was suspended by a rule",
            )
        return _quiet(case, Verdict.SUSPENDED_BY_PERSON, 0.88, "it was suspended, and nothing says that a rule did it")
    if phase in ENDING_PHASES or case.workload.deleted_at is not None:
        if _age_minutes(case) > case.pending_stuck_minutes and case.workload.deleted_at is None:
            return None
        return _quiet(case, Verdict.SUSPENDED_BY_PERSON, 0.85, "it is being deleted on purpose")
    return None


def _quiet(case: Case, verdict: Verdict, confidence: float, summary: str, *cited: str) -> Judgement:
    looked_at = [case.cite_workload(), *cited]
    if case.pods:
        looked_at.append(case.cite("pods in Kubernetes", "\n".join(_state(pod) for pod in case.pods[:20])))
    return Judgement(verdict=verdict, confidence=confidence, summary=f"{summary}.", looked_at=tuple(looked_at))


def _pending(case: Case, findings: list[Finding]) -> Judgement:
    first = ranked(findings)[0] if findings else None
    said = f" the scheduler says: {first.title};" if first is not None else ""
    summary = (
        f"it has waited for {_age_minutes(case):.0f} of the {case.pending_stuck_minutes:g} minutes that count as normal;{said} "
        "nothing says that it can never be placed"
    )
    unseen = _unseen(case)
    summary += f"; not all of it could be read: {listed(unseen, 3)}" if unseen else ""
    cited = first.evidence_ids if first is not None else ()
    return _quiet(case, Verdict.PENDING_NORMALLY, 0.65 if unseen else 0.85, summary, *cited)


def _insufficient(case: Case, findings: list[Finding]) -> Judgement:
    """What was read, what it showed, what is missing, and where to look next."""
    seen = [
        f"{token(e.container.name)} of pod {token(e.pod.name)} ended with exit code {e.end.exit_code}"
        for e in ended_badly(case)
    ]
    seen += _stuck_states(case)
    logs = sum(1 for item in case.logs if item.log)
    facts = [
        f"The phase is {token(case.workload.phase)}",
        f"read were {_pods(case)}, {times(logs, 'log')} and {times(len(case.events) + len(case.kube_events), 'event')}",
        f"seen: {listed(seen)}" if seen else "no container state shows an error",
        f"{times(len(case.unread), 'source')} could not be read"
        if case.unread
        else "everything that was asked for could be read",
    ]
    possible = other_readings(finding for finding in findings if finding.role is Role.READING)
    if possible:
        facts.append(f"what was read allows {listed([f.title.replace('possibly', f.cause + ':') for f in possible])}")
    cause = Cause(
        cause=Verdict.INSUFFICIENT_EVIDENCE.value,
        title="not enough evidence to name a cause",
        confidence=_UNSURE,
        explanation="; ".join(facts) + ".",
        evidence_ids=tuple(dict.fromkeys((case.cite_workload(), *(i for f in findings for i in f.evidence_ids))))[:8],
        next_steps=tuple(dict.fromkeys((*_where_next(case), *(s for f in findings[:1] for s in f.next_steps)))),
    )  # fmt: skip
    return Judgement(
        verdict=Verdict.INSUFFICIENT_EVIDENCE,
        confidence=_UNSURE,
        causes=(cause,),
        summary="No cause is supported by what could be read.",
    )


def _where_next(case: Case) -> list[str]:
    steps = []
    unread = " ".join(case.unread)
    if "no Kubernetes access" in unread:
        steps.append(
            "give this server Kubernetes access (KUBECONFIG, read-only on pods, pods/log and events): container states and logs say most"
        )
    if "forbidden" in unread:
        steps.append("allow what is listed as forbidden (get and list on pods, pods/log and events)")
    if not case.pods and not _unseen(case) and case.workload.phase not in WAITING_PHASES | _RUNNING_PHASES:
        at = case.workload.phase_updated_at
        names = (
            listed([token(name) for name in sorted(case.pod_names)])
            if case.pod_names
            else f"{token(case.workload.name)}-*"
        )
        steps.append(
            f"its pods are gone: look for {names} in your log store"
            + (f" before {at:%Y-%m-%d %H:%M} UTC" if at else "")
        )
    if case.workload.phase in ENDING_PHASES:
        command = in_namespace("kubectl get pods -o wide", case.workload)
        steps.append(f"look for finalizers and for a node that does not answer: {command}")
    return [*steps, describe_workload(case.workload)]


def _with_doubt(case: Case, causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """What waits for others is only the cause if no other failed first: where not all could be seen, that is not sure."""
    first = causes[0]
    unseen = [name for name in sorted(case.pod_names - {pod.name for pod in case.pods}) if name]
    blind = any(re.match(r"(?:previous )?log |pods? |\d+ more log", entry) for entry in case.unread)
    if first.cause not in {"nccl_timeout", "nccl_network_error"} or not (unseen or blind):
        return causes
    explanation = f"{first.explanation} Not every rank could be looked at: one that could not may have failed first."
    return (replace(first, confidence=round(first.confidence * 0.8, 2), explanation=explanation), *causes[1:])


def _is_steady(case: Case) -> bool:
    """Whether everything that should run does, and has for a while: an old failure explains nothing now."""
    workload = case.workload
    if not case.pods:
        return workload.running_pods is None or workload.running_pods >= (workload.requested_pods or 0)
    pods = [pod for pod in case.pods if pod.pod_phase != "Succeeded" and not is_superseded(pod, case.pods)]
    if unready(case) or _loses_pods(case):
        return False
    return bool(pods) and all(all_run(pod) and not pod.reason and _has_recovered(case, pod) for pod in pods)


def _loses_pods(case: Case) -> bool:
    """Whether pods are being deleted that no others stand in for, although nobody asked for fewer."""
    staying = [pod for pod in case.pods if not pod.deleting and all_run(pod)]
    needed = case.workload.requested_pods or 1
    return any(pod.deleting for pod in case.pods) and len(staying) < needed


def _running_again(case: Case) -> str:
    """How often a workload was restarted that runs again, too shortly to call it recovered; empty when it does not."""
    crashes = ended_badly(case)
    pods = [pod for pod in case.pods if pod.pod_phase != "Succeeded" and not is_superseded(pod, case.pods)]
    runs = bool(crashes) and all(crash.previous for crash in crashes) and all(map(all_run, pods)) and not unready(case)
    if not runs or any(pod.reason for pod in pods) or case.workload.phase not in _RUNNING_PHASES:
        return ""
    return f"running again after {times(max(crash.container.restarts for crash in crashes), 'restart')}"


def _has_recovered(case: Case, pod: Pod) -> bool:
    return all(
        container.last_ended is None
        or container.last_ended.exit_code == 0
        or container.started_at is None
        or case.now - container.started_at > STEADY
        for container in pod.containers
        if not container.ephemeral
    )


def _unseen(case: Case) -> list[str]:
    """Which of the pods could not be read although there is access to the cluster, and why, in words of this server."""
    return [entry.partition(",")[0] for entry in case.unread if _PODS_UNREAD.match(entry)]


def _is_young(case: Case) -> bool:
    return case.workload.phase in WAITING_PHASES and _age_minutes(case) < case.pending_stuck_minutes


def _age_minutes(case: Case) -> float:
    since = case.workload.phase_updated_at or case.workload.created_at
    return (case.now - since).total_seconds() / 60 if since is not None else float("inf")


def _stuck_states(case: Case) -> list[str]:
    return [
        f"{token(container.name)} of pod {token(pod.name)} waits in {token(container.reason)}"
        for pod in case.pods
        for container in pod.containers
        if container.phase is ContainerPhase.WAITING
        and container.reason
        and container.reason not in {"ContainerCreating", "PodInitializing"}
    ]


def _pods(case: Case) -> str:
    if not case.pods:
        known = len(case.runai_pods) or case.workload.running_pods or 0
        return f"{times(known, 'pod')} by Run:ai's list" if known else "no pods"
    ready = sum(
        1 for pod in case.pods if all_run(pod) and all(c.ready for c in pod.containers if not (c.init or c.ephemeral))
    )
    return f"{ready} of {len(case.pods)} pods ready"


def _state(pod: Pod) -> str:
    containers = ", ".join(
        f"{c.name} {c.phase.value}"
        + (f" ({c.reason})" if c.reason else "")
        + (f", restarts {c.restarts}" if c.restarts else "")
        for c in pod.containers
    )
    return f"{pod.name}: {pod.pod_phase}; {containers}"

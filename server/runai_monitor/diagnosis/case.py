"""The facts of one case, redacted, with every quoted text numbered as evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from runai_monitor.model.cluster import Container, KubeEvent, Pod, Termination
from runai_monitor.model.diagnosis import Evidence
from runai_monitor.model.workload import Workload, WorkloadDetail, WorkloadEvent, WorkloadHistory

EXCERPT_LIMIT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLog:
    """The end of one container's log, redacted."""

    pod: str
    container: str
    previous: bool
    text: str


@dataclass(slots=True, kw_only=True)
class Case:
    """Everything that was read about one workload. Rules read it and cite from it; they change nothing else."""

    workload: Workload
    now: datetime
    pending_stuck_minutes: float
    detail: WorkloadDetail | None = None
    pods: tuple[Pod, ...] = ()
    kube_events: tuple[KubeEvent, ...] = ()
    events: tuple[WorkloadEvent, ...] = ()
    history: WorkloadHistory = field(default_factory=WorkloadHistory)
    logs: tuple[ContainerLog, ...] = ()
    unread: list[str] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    def cite(self, source: str, excerpt: str, *, at: datetime | None = None) -> str:
        """Numbers a text as evidence (once, however often it is cited) and returns its id; the end is kept."""
        text = excerpt if len(excerpt) <= EXCERPT_LIMIT else "…" + excerpt[-EXCERPT_LIMIT:]
        for known in self.evidence:
            if (known.source, known.excerpt) == (source, text):
                return known.id
        number = f"e{len(self.evidence) + 1}"
        self.evidence.append(Evidence(id=number, source=source, observed_at=at, excerpt=text))
        return number

    def log_of(self, pod: str, container: str) -> ContainerLog | None:
        """The log of the run that ended: the current one of a terminated container, the previous of a restarted one."""
        found = [log for log in self.logs if (log.pod, log.container) == (pod, container) and log.text.strip()]
        return next((log for log in found if log.previous), None) or next(iter(found), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A container that ended badly."""

    pod: Pod
    container: Container
    end: Termination

    @property
    def place(self) -> str:
        """Where, in words."""
        return f"container {self.container.name} of pod {self.pod.name}"


def ended_badly(case: Case) -> list[Ended]:
    """Containers whose current or last run ended with an error, the earliest first: a consequence comes later."""
    found = []
    for pod in case.pods:
        for container in pod.containers:
            end = container.ended or container.last_ended
            if end is not None and end.exit_code != 0:
                found.append(Ended(pod=pod, container=container, end=end))
    return sorted(found, key=lambda item: (item.end.finished_at is None, item.end.finished_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One event's text, from Kubernetes or from Run:ai."""

    source: str
    reason: str
    text: str
    at: datetime | None


def messages(case: Case) -> list[Message]:
    """Every event and waiting message, in one shape: what kubelet says reaches us in three ways."""
    found = [
        Message(source=f"Kubernetes event on {e.object_kind} {e.object_name}", reason=e.reason, text=e.message, at=e.at)
        for e in case.kube_events
    ]
    found += [Message(source="Run:ai event", reason=e.reason, text=e.message, at=e.at) for e in case.events]
    for pod in case.pods:
        for container in pod.containers:
            if container.reason:
                source = f"state of container {container.name} of pod {pod.name}"
                found.append(Message(source=source, reason=container.reason, text=container.message or "", at=None))
        if pod.reason:
            found.append(
                Message(source=f"status of pod {pod.name}", reason=pod.reason, text=pod.message or "", at=None)
            )
    return found

"""The facts of one case, redacted: what rules conclude from, and where quoted texts get their numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runai_monitor.diagnosis.around import Around
from runai_monitor.diagnosis.logs import Log
from runai_monitor.diagnosis.wording import gpu_count, times, token
from runai_monitor.model.cluster import Container, ContainerPhase, KubeEvent, Pod, Termination
from runai_monitor.model.diagnosis import Evidence
from runai_monitor.model.history import AlertHistory
from runai_monitor.model.workload import Workload, WorkloadDetail, WorkloadEvent, WorkloadHistory, WorkloadPod

EXCERPT_LIMIT = 2_000
STEADY = timedelta(minutes=10)
"""How long a container must run since its last bad end to count as recovered; kubelet's back-off ends by then too."""
_SIBLINGS = timedelta(minutes=2)
"""Pods of one owner that were created within this time stand beside each other."""
_FINE = frozenset({None, "Completed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLog:
    """The end of one container's log. `previous` tells that it is of the run before the current one."""

    pod: str
    container: str
    previous: bool
    log: Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """One run of a container that ended badly. `earlier` tells that another run has followed and ended too."""

    pod: Pod
    container: Container
    end: Termination
    log: Log | None = None
    previous: bool = False
    earlier: bool = False

    @property
    def place(self) -> str:
        """Where, in words."""
        kind = "init container" if self.container.init else "container"
        return f"{kind} {token(self.container.name)} of pod {token(self.pod.name)}"


@dataclass(slots=True, kw_only=True)
class Case:
    """Everything that was read about one workload. Rules read it and cite from it; they change nothing else."""

    workload: Workload
    now: datetime
    pending_stuck_minutes: float
    detail: WorkloadDetail | None = None
    pods: tuple[Pod, ...] = ()
    runai_pods: tuple[WorkloadPod, ...] = ()
    kube_events: list[KubeEvent] = field(default_factory=list)
    node_events: list[KubeEvent] = field(default_factory=list)
    around: Around = field(default_factory=Around)
    events: tuple[WorkloadEvent, ...] = ()
    history: WorkloadHistory = field(default_factory=WorkloadHistory)
    past: AlertHistory = field(default_factory=AlertHistory)
    logs: list[ContainerLog] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    def cite(self, source: str, excerpt: str, *, at: datetime | None = None) -> str:
        """Numbers a text as evidence (once, however often it is cited) and returns its id; of a long one the end is kept."""
        text = excerpt.strip("\n")
        text = text if len(text) <= EXCERPT_LIMIT else "…" + text[-EXCERPT_LIMIT:]
        for known in self.evidence:
            if (known.source, known.excerpt) == (source, text):
                return known.id
        number = f"e{len(self.evidence) + 1}"
        self.evidence.append(Evidence(id=number, source=source, observed_at=at, excerpt=text))
        return number

    def cite_end(self, ended: Ended) -> str:
        """How a container ended, as evidence."""
        end, container = ended.end, ended.container
        facts = [f"terminated: reason {end.reason}, exit code {end.exit_code}"]
        facts += [f"signal {end.signal}"] if end.signal else []
        facts += [f"restarts {container.restarts}"] if container.restarts else []
        facts += [f"memory limit {container.memory_limit}"] if container.memory_limit else []
        facts += [f"node {ended.pod.node}"] if ended.pod.node else []
        said = f"\n{end.message}" if end.message else ""
        return self.cite(f"state of {ended.place}", ", ".join(facts) + said, at=end.finished_at)

    def cite_log(self, ended: Ended, excerpt: str) -> str:
        """A part of the log of a run, as evidence."""
        return self.cite(f"log of {ended.place}", excerpt, at=ended.end.finished_at)

    def cite_workload(self) -> str:
        """The workload's phase, and what Run:ai says it asks for, as evidence."""
        workload = self.workload
        said = "; ".join(part for part in (workload.phase_reason, workload.phase_message) if part)
        text = f"phase {workload.phase}" + (f": {said}" if said else "")
        if facts := self._asked():
            text += f"\n{facts}"
        return self.cite("Run:ai workload", text, at=workload.phase_updated_at)

    def _asked(self) -> str:
        """What the workload asks for, in Run:ai's numbers: devices, memory, CPU, pods, images."""
        workload, asked = self.workload, self.detail.requested if self.detail is not None else None
        facts = [gpu_count(workload.gpus)] if workload.gpus is not None else []
        if asked is not None:
            facts += [f"GPU memory {asked.gpu_memory}"] if asked.gpu_memory else []
            facts += [f"memory {asked.memory_request or 'not said'}, limit {asked.memory_limit or 'none'}"] if asked.memory_request or asked.memory_limit else []  # fmt: skip
            facts += [f"CPU {asked.cpu_request:g}, limit {asked.cpu_limit or 'none'}"] if asked.cpu_request else []
        facts += [times(workload.requested_pods, "pod")] if workload.requested_pods is not None else []
        facts += [f"image {', '.join(workload.images[:4])}"] if workload.images else []
        return f"asks for: {'; '.join(facts)}" if facts else ""

    def log_of(self, pod: str, container: str, *, previous: bool) -> Log | None:
        """The log of one run, None when it was not read or is empty."""
        for item in self.logs:
            if (item.pod, item.container, item.previous) == (pod, container, previous) and item.log:
                return item.log
        return None

    @property
    def superseded(self) -> frozenset[str]:
        """The names of pods whose successors work: what happened to them is over."""
        return frozenset(pod.name for pod in self.pods if is_superseded(pod, self.pods))

    @property
    def retried(self) -> frozenset[str]:
        """The names of pods that a later attempt has followed, however that one went."""
        return frozenset(pod.name for pod in self.pods if any(_follows(other, pod) for other in self.pods))

    @property
    def pod_names(self) -> frozenset[str]:
        """The names of every pod that is known to be the workload's, also those that are gone."""
        return frozenset([pod.name for pod in self.pods] + [pod.name for pod in self.runai_pods])


def ended_badly(case: Case) -> list[Ended]:
    """Runs that ended with an error, the earliest first: a consequence comes later.

    A pod that a newer one of the same owner and index replaced counts only while that one does not work either; the run
    before one that ended badly too counts as an earlier one.
    """
    found = []
    for pod in case.pods:
        if is_superseded(pod, case.pods):
            continue
        for container in pod.containers:
            if container.ephemeral:
                continue
            runs = [end for end in (container.ended, container.last_ended) if end is not None and _is_bad(end)]
            if container.ended is not None and not _is_bad(container.ended):
                continue  # it ended well at last
            for number, end in enumerate(runs):
                previous = end is container.last_ended
                log = case.log_of(pod.name, container.name, previous=previous)
                if log is None and end.message:
                    log = Log(end.message)  # terminationMessagePolicy: FallbackToLogsOnError
                earlier = number > 0 or (previous and _ran_long_since(container, case.now))
                found.append(Ended(pod=pod, container=container, end=end, log=log, previous=previous, earlier=earlier))
    return sorted(found, key=lambda item: (item.end.finished_at is None, item.end.finished_at, item.pod.name))


def _ran_long_since(container: Container, now: datetime) -> bool:
    """Whether a container has worked for long after its last bad end: it recovered, and others' ends have other causes."""
    since = container.started_at or (container.ended.started_at if container.ended is not None else None)
    until = container.ended.finished_at if container.ended is not None else now
    return since is not None and until is not None and until - since > STEADY


def _is_bad(end: Termination) -> bool:
    if end.exit_code == 0:
        return end.reason == "OOMKilled"  # a child was killed and its parent still said that all is well
    return end.exit_code is not None or end.reason not in _FINE


def is_superseded(pod: Pod, pods: tuple[Pod, ...]) -> bool:
    """Whether a newer pod of the same owner and index has taken over and works."""
    return any(_follows(other, pod) and (other.pod_phase == "Succeeded" or all_run(other)) for other in pods)


def _follows(other: Pod, pod: Pod) -> bool:
    """Whether one pod is a later attempt at what another of the same owner and index failed to do.

    Without an index, siblings of one owner look alike: only one that was created after the end of the other follows it.
    """
    if pod.owner_uid is None or pod.created_at is None or other.created_at is None:
        return False
    if pod.pod_phase not in {"Failed", "Unknown"} or (other.owner_uid, other.index) != (pod.owner_uid, pod.index):
        return False
    ends = [c.ended.finished_at for c in pod.containers if c.ended is not None and c.ended.finished_at is not None]
    if pod.index is not None:
        return other.uid != pod.uid and other.created_at > pod.created_at
    # An evicted pod keeps no states of its containers.
    return other.uid != pod.uid and other.created_at > max(ends, default=pod.created_at + _SIBLINGS)


def all_run(pod: Pod) -> bool:
    """Whether every regular container of a pod runs."""
    regular = [container for container in pod.containers if not container.init and not container.ephemeral]
    return bool(regular) and all(container.phase is ContainerPhase.RUNNING for container in regular)

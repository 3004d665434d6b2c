"""A small world for tests of operations and surfaces: in-memory services behind the protocols."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from runai_monitor.errors import RunaiError, RunaiNotFoundError, StoreError
from runai_monitor.model.alert import (
    EVERY_ALERT,
    Alert,
    AlertFilter,
    AlertId,
    AlertKind,
    AlertState,
    AlertSubject,
    Change,
    Severity,
)
from runai_monitor.model.audit import AuditEntry
from runai_monitor.model.cluster import Container, ContainerPhase, Pod, Termination
from runai_monitor.model.diagnosis import Cause, Diagnosis, Evidence, Verdict
from runai_monitor.model.leader import Leader
from runai_monitor.model.monitor import Monitor, MonitorId, MonitorState
from runai_monitor.model.notification import Delivery, DeliveryState
from runai_monitor.model.silence import Silence, SilenceId, SilenceState
from runai_monitor.model.workload import (
    PhaseChange,
    Project,
    Workload,
    WorkloadDetail,
    WorkloadHistory,
    WorkloadId,
    WorkloadPod,
)
from runai_monitor.notify.silencing import active, state_of
from runai_monitor.operations.matchers import read_matchers
from runai_monitor.operations.operations import Operations
from runai_monitor.operations.services import EngineState, OperationOptions, Services
from runai_monitor.operations.sources import OnProgress
from tests.fakes import EPOCH, FakeClock


def workload(name: str, *, project: str = "vision", phase: str = "Running", number: int = 1) -> Workload:
    return Workload(
        id=WorkloadId(f"00000000-0000-4000-8000-{number:012d}"),
        name=name,
        type="Training",
        project=project,
        namespace=f"runai-{project}",
        cluster_id="c1",
        phase=phase,
        gpus=2.0,
    )


def diagnosis(*, excerpt: str = "CUDA out of memory", pieces: int = 1) -> Diagnosis:
    return Diagnosis(
        verdict=Verdict.FAILURE,
        confidence=0.9,
        generated_at=EPOCH,
        causes=(
            Cause(
                cause="cuda_oom",
                title="GPU memory exhausted",
                confidence=0.9,
                explanation="The process asked for more GPU memory than there is.",
                evidence_ids=("e1",),
                next_steps=("Halve the batch size.",),
            ),
        ),
        evidence=tuple(
            Evidence(id=f"e{n + 1}", source="log", observed_at=EPOCH, excerpt=excerpt) for n in range(pieces)
        ),
        markdown=f"# Report\n{excerpt}\n" * pieces,
    )


@dataclass
class FakeAlerts:
    stored: dict[str, Alert] = field(default_factory=dict)
    cursor: int = 0

    def put(
        self,
        alert_id: str,
        *,
        project: str = "vision",
        name: str = "train-a",
        state: AlertState = AlertState.FIRING,
        severity: Severity = Severity.CRITICAL,
        kind: AlertKind = AlertKind.WORKLOAD_UNHEALTHY,
        report: Diagnosis | None = None,
        at: datetime = EPOCH,
    ) -> Alert:
        self.cursor += 1
        alert = Alert(
            alert_id=AlertId(alert_id),
            cursor=self.cursor,
            kind=kind,
            status="OOMKilled",
            state=state,
            severity=severity,
            subject=AlertSubject(id="w1", name=name, project=project, type="Training") if project else AlertSubject(),
            summary=f"{name} was killed: out of memory",
            started_at=at,
            updated_at=at,
            diagnosis=report or diagnosis(),
        )
        self.stored[alert_id] = alert
        return alert

    async def get(self, alert_id: AlertId) -> Alert | None:
        return self.stored.get(alert_id)

    async def latest_cursor(self) -> int:
        return self.cursor

    async def transitions(self, alert_id: AlertId) -> Sequence[tuple[datetime, Change, str]]:
        return [
            (EPOCH, Change.OPENED, "a new failure"),
            (EPOCH, Change.SUPPRESSED, "max_alerts_per_job (1) is reached"),
        ]

    async def count_unresolved(self, *, projects: Sequence[str] | None = None) -> dict[tuple[AlertKind, str, str], int]:
        seen = [a for a in await self.unresolved() if projects is None or a.subject.project in (*projects, "")]
        return Counter((a.kind, a.status, str(a.severity)) for a in seen)

    async def unresolved(self, *, kind: AlertKind | None = None) -> Sequence[Alert]:
        return [a for a in self.stored.values() if a.state is not AlertState.RESOLVED and kind in (None, a.kind)]

    async def count_by_state(self) -> dict[AlertState, int]:
        return {state: sum(a.state is state for a in self.stored.values()) for state in AlertState}

    async def acknowledge(
        self, alert_id: AlertId, *, author: str, note: str, at: datetime, channels: Sequence[str]
    ) -> tuple[Alert, bool] | None:
        alert = self.stored.get(alert_id)
        if alert is None or alert.state is not AlertState.FIRING:
            return None if alert is None else (alert, False)
        self.cursor += 1
        self.stored[alert_id] = replace(
            alert,
            state=AlertState.ACKNOWLEDGED,
            cursor=self.cursor,
            updated_at=at,
            acknowledged_at=at,
            acknowledged_by=author,
        )
        return self.stored[alert_id], True

    async def list(self, wanted: AlertFilter = EVERY_ALERT, *, limit: int = 50) -> list[Alert]:
        found = [
            a
            for a in self.stored.values()
            if (wanted.projects is None or not a.subject.project or a.subject.project in wanted.projects)
            and wanted.project in {None, a.subject.project}
            and wanted.state in {None, a.state}
            and (wanted.since is None or a.updated_at >= wanted.since)
            and (wanted.after_cursor is None or a.cursor > wanted.after_cursor)
        ]
        return sorted(found, key=lambda a: a.cursor, reverse=wanted.after_cursor is None)[:limit]


@dataclass
class FakeSilences:
    rows: dict[str, Silence] = field(default_factory=dict)

    def put(self, silence_id: str, *matchers: str, **fields: Any) -> Silence:
        silence = Silence(
            **{
                "silence_id": SilenceId(silence_id),
                "matchers": read_matchers(matchers),
                "author": "anna",
                "reason": "maintenance",
                "starts_at": EPOCH,
                "ends_at": EPOCH + timedelta(hours=1),
                **fields,
            }
        )
        self.rows[silence_id] = silence
        return silence

    async def create(self, silence: Silence, *, at: datetime, replaces: SilenceId | None = None) -> None:
        if replaces is not None:
            await self.expire(replaces, author=silence.author, at=at)
        self.rows[silence.silence_id] = silence

    async def expire(self, silence_id: SilenceId, *, author: str, at: datetime) -> Silence | None:
        if silence_id in self.rows:
            self.rows[silence_id] = replace(self.rows[silence_id], expired_at=at, expired_by=author)
        return self.rows.get(silence_id)

    async def get(self, silence_id: SilenceId) -> Silence | None:
        return self.rows.get(silence_id)

    async def active(self, now: datetime) -> Sequence[Silence]:
        return [row for row in self.rows.values() if active(row, now)]

    async def list(
        self, *, now: datetime, expired: bool = False, pending: bool = True, limit: int = 1000
    ) -> Sequence[Silence]:
        return [row for row in self.rows.values() if expired or state_of(row, now) is not SilenceState.EXPIRED][:limit]

    async def count_open(self, now: datetime) -> int:
        return sum(state_of(row, now) is not SilenceState.EXPIRED for row in self.rows.values())


@dataclass
class FakeAudit:
    """The record; `full`: the disk is."""

    entries: list[AuditEntry] = field(default_factory=list)
    full: bool = False

    async def append(self, entry: AuditEntry) -> None:
        if self.full:
            raise StoreError("the disk is full: free some space")
        self.entries.append(entry)


@dataclass
class FakeMonitors:
    rows: dict[str, Monitor] = field(default_factory=dict)
    authors: list[str] = field(default_factory=list)

    async def start(self, monitor: Monitor, *, author: str = "") -> Monitor:
        self.authors.append(author)
        for row in await self.active():
            if row.project == monitor.project:
                return row
        self.rows[monitor.monitor_id] = monitor
        return monitor

    async def stop(self, monitor_id: MonitorId | None, *, at: datetime, author: str = "") -> Sequence[Monitor]:
        self.authors.append(author)
        stopped = []
        for row in await self.active():
            if monitor_id in {None, row.monitor_id}:
                self.rows[row.monitor_id] = replace(row, state=MonitorState.STOPPED, stopped_at=at)
                stopped.append(self.rows[row.monitor_id])
        return stopped

    async def active(self) -> Sequence[Monitor]:
        return [row for row in self.rows.values() if row.state is MonitorState.ACTIVE]


@dataclass
@dataclass
class FakeBaseline:
    """The projects that some process has looked at completely."""

    covered: tuple[str, ...] = ()

    async def covered_projects(self) -> dict[str, datetime]:
        return dict.fromkeys(self.covered, EPOCH)


class FakeDeliveries:
    async def counts(self) -> dict[str, dict[DeliveryState, int]]:
        return {"slack": {DeliveryState.DELIVERED: 3, DeliveryState.PENDING: 1, DeliveryState.FAILED: 2}}

    async def of_alert(self, alert_id: AlertId) -> list[Delivery]:
        return []

    async def last_errors(self) -> dict[str, str]:
        return {"slack": "Slack refuses this webhook (404 no_service)"}

    async def oldest_pending(self) -> dict[str, datetime]:
        return {"slack": EPOCH}


@dataclass
class FakeDeadLetters:
    """Deliveries by number, of which those that failed can be replayed."""

    stored: dict[int, Delivery] = field(default_factory=dict)
    replayed: list[tuple[int, str]] = field(default_factory=list)

    async def list(
        self,
        *,
        states: Collection[DeliveryState] | None = None,
        channels: Collection[str] | None = None,
        projects: Collection[str] | None = None,
        delivery_id: int | None = None,
        limit: int = 50,
    ) -> list[Delivery]:
        return [
            delivery
            for number, delivery in sorted(self.stored.items(), reverse=True)
            if (states is None or delivery.state in states)
            and (channels is None or delivery.channel in channels)
            and (projects is None or delivery.notification.alert.subject.project in {*projects, ""})
            and delivery_id in {None, number}
        ][:limit]

    async def replay(self, delivery_ids: Sequence[int], *, author: str, at: datetime) -> set[int]:
        del at
        self.replayed += [(number, author) for number in delivery_ids]
        return set(delivery_ids)


@dataclass
class FakeRunai:
    workloads: list[Workload] = field(default_factory=list)
    projects: tuple[str, ...] = ("vision", "secret-lab")
    error: RunaiError | None = None
    phase_message: str | None = None
    done: list[tuple[str, str]] = field(default_factory=list)
    changed: list[WorkloadId] = field(default_factory=list)

    def _match(self, project: str | None, phase: str | None, search: str | None) -> list[Workload]:
        if self.error:
            raise self.error
        return [
            w
            for w in self.workloads
            if project in {None, w.project} and phase in {None, w.phase} and (search is None or search in w.name)
        ]

    async def page_workloads(
        self,
        *,
        project: str | None = None,
        phase: str | None = None,
        search: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Workload]:
        return self._match(project, phase, search)[offset : offset + limit]

    async def count_workloads(
        self, *, project: str | None = None, phase: str | None = None, search: str | None = None
    ) -> int:
        return len(self._match(project, phase, search))

    async def find_workloads(self, name: str, *, project: str | None = None) -> list[Workload]:
        return [w for w in self._match(project, None, None) if w.name == name]

    async def get_workload(self, workload_id: WorkloadId) -> WorkloadDetail:
        for row in self.workloads:
            if row.id == workload_id:
                return WorkloadDetail(workload=replace(row, phase_message=self.phase_message))
        raise RunaiNotFoundError("no such workload", status=404)

    async def list_pods(self, workload_id: WorkloadId, *, deleted: bool = False) -> list[WorkloadPod]:
        return [WorkloadPod(name="pod-0", id="p0", workload_id=workload_id, pod_phase="Running")]

    async def get_history(self, workload_id: WorkloadId) -> WorkloadHistory:
        return WorkloadHistory(changes=tuple(PhaseChange(at=EPOCH, phase=f"Phase{n}") for n in range(30)))

    async def list_projects(self) -> list[Project]:
        if self.error:
            raise self.error
        return [Project(id=name, name=name) for name in self.projects]

    async def suspend(self, workload: Workload) -> None:
        self.done.append(("suspend", workload.name))
        self.changed.append(workload.id)

    async def resume(self, workload: Workload) -> None:
        self.done.append(("resume", workload.name))
        self.changed.append(workload.id)

    async def delete(self, workload: Workload) -> None:
        self.done.append(("delete", workload.name))
        self.changed.append(workload.id)


@dataclass
class FakeKube:
    pods: list[Pod] = field(
        default_factory=lambda: [
            Pod(
                name="pod-0",
                namespace="runai-vision",
                uid="u0",
                pod_phase="Running",
                containers=(
                    Container(
                        name="main",
                        phase=ContainerPhase.WAITING,
                        restarts=4,
                        reason="CrashLoopBackOff",
                        last_ended=Termination(exit_code=137, reason="OOMKilled"),
                    ),
                ),
            )
        ]
    )

    async def list_pods(self, namespace: str | None, *, workload_name: str | None = None) -> list[Pod]:
        return self.pods


@dataclass
class FakeDiagnoser:
    result: Diagnosis = field(default_factory=diagnosis)

    async def diagnose(
        self, workload: Workload, *, include_logs: bool = True, on_progress: OnProgress | None = None
    ) -> Diagnosis:
        if on_progress is not None:
            await on_progress(0.5, "reading logs")
        return self.result


@dataclass
class FakeOutbox:
    wakes: int = 0

    def wake(self) -> None:
        self.wakes += 1

    async def send_test(self, channel: str | None) -> dict[str, str | None]:
        return {"slack": None}


@dataclass
class FakeLeaders:
    def __init__(self) -> None:
        self.leader: Leader | None = None

    async def latest(self) -> Leader | None:
        return self.leader


class FakeDatabase:
    version: int = 0

    async def data_version(self) -> int:
        return self.version


class World:
    """Operations over fakes; `allowed` is the hard limit, None for every project."""

    def __init__(self, *, allowed: tuple[str, ...] | None = None, allow_write: bool = False) -> None:
        self.clock = FakeClock()
        self.alerts = FakeAlerts()
        self.silences = FakeSilences()
        self.audit = FakeAudit()
        self.monitors = FakeMonitors()
        self.baseline = FakeBaseline()
        self.dead_letters = FakeDeadLetters()
        self.runai = FakeRunai(
            workloads=[
                workload("train-a", number=1),
                workload("train-b", number=2, phase="Failed"),
                workload("cold-fusion", project="secret-lab", number=3),
            ]
        )
        self.kube = FakeKube()
        self.diagnoser = FakeDiagnoser()
        self.database = FakeDatabase()
        self.leaders = FakeLeaders()
        self.engine = EngineState(leader=True, heartbeat_ages_seconds={"poll": 1.0}, workloads=3)
        self.wakes = 0
        self.failure: Exception | None = None
        options = OperationOptions(
            allowed_projects=allowed, allow_write=allow_write, configuration={"poll_interval_seconds": 60}
        )
        self.operations = Operations(services=self.services, options=options, clock=self.clock)

    async def services(self) -> Services:
        if self.failure is not None:
            raise self.failure
        return Services(
            alerts=self.alerts,
            silences=self.silences,
            audit=self.audit,
            monitors=self.monitors,
            baseline=self.baseline,
            deliveries=FakeDeliveries(),
            dead_letters=self.dead_letters,
            runai=self.runai,
            diagnoser=self.diagnoser,
            outbox=FakeOutbox(),
            database=self.database,
            engine=lambda: self.engine,
            wake_engine=self._wake,
            kube=self.kube,
            leaders=self.leaders,
            channels=("slack",),
            database_place="state/alerts.sqlite",
        )

    def _wake(self) -> None:
        self.wakes += 1

    def store(self, alert_id: str, *, project: str = "vision", severity: Severity = Severity.CRITICAL) -> Alert:
        """Stores an alert as this process would: the database changes and the feed is told."""
        alert = self.alerts.put(alert_id, project=project, severity=severity)
        self.database.version += 1
        self.operations.feed.notify()
        return alert

    @property
    def an_hour_ago(self) -> datetime:
        return self.clock.now() - timedelta(hours=1)

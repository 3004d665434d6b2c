"""A world for the engine: a Run:ai and a Kubernetes that can be told what to say, the real store, and time that obeys.

What is read and what is told goes through the same doors as in production: the Protocols of `monitor.sources`, and the
database, whose alerts and deliveries the tests read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.lowlevel
from sqlalchemy import select

from runai_monitor.errors import (
    KubeError,
    KubeForbiddenError,
    KubeNotFoundError,
    RunaiError,
    RunaiNotFoundError,
    RunaiRejectedError,
)
from runai_monitor.kube.watch import PodChange
from runai_monitor.model.alert import Alert, AlertKind, AlertState
from runai_monitor.model.cluster import Node, Pod
from runai_monitor.model.diagnosis import Cause, Diagnosis, Verdict
from runai_monitor.model.monitor import MonitorId
from runai_monitor.model.workload import (
    PhaseChange,
    Workload,
    WorkloadDetail,
    WorkloadEvent,
    WorkloadHistory,
    WorkloadId,
    WorkloadPod,
)
from runai_monitor.monitor.engine import Engine
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.sources import AlertSink, Baseline, KubeSource, Monitors, RunaiSource
from runai_monitor.store import tables
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.baseline import BaselineStore
from runai_monitor.store.database import Database, open_database
from runai_monitor.store.monitors import MonitorStore
from runai_monitor.store.rows import alert_of
from tests.factories import make_monitor, make_workload
from tests.fakes import Busy, FakeClock


class FakeRunai:
    """Run:ai, with the truth in `workloads`."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.workloads: dict[WorkloadId, Workload] = {}
        self.events: dict[WorkloadId, list[WorkloadEvent]] = {}
        self.histories: dict[WorkloadId, WorkloadHistory] = {}
        self.pods: dict[WorkloadId, list[str | tuple[str, str]]] = {}
        """Pods by name, or by name and phase."""
        self.error: RunaiError | None = None
        self.refuses_delta = False
        self.hidden: set[WorkloadId] = set()
        """Workloads that exist and that no list shows."""
        self.hangs: anyio.Event | None = None
        self.asked: list[tuple[str, Any]] = []
        self.scanning = 0
        self.scanned_at_once = 0

    def put(self, name: str, phase: str = "Running", /, **fields: Any) -> Workload:
        """A workload as it is now; a phase that differs from before began now."""
        old = self.workloads.get(WorkloadId(f"id-{name}"))
        at = old.phase_updated_at if old is not None and old.phase == phase else self._clock.now()
        kept = {} if old is None else {field.name: getattr(old, field.name) for field in dataclasses.fields(old)}
        workload = make_workload(
            name, **{**kept, "id": WorkloadId(f"id-{name}"), "phase": phase, "phase_updated_at": at, **fields}
        )
        self.workloads[workload.id] = workload
        return workload

    def remove(self, name: str, *, history: tuple[str, ...] = ()) -> None:
        """Deletes a workload; `history` are the phases it went through before, as of now."""
        del self.workloads[WorkloadId(f"id-{name}")]
        self.histories[WorkloadId(f"id-{name}")] = WorkloadHistory(
            changes=tuple(PhaseChange(at=self._clock.now(), phase=phase) for phase in history)
        )

    def tell(self, name: str, reason: str, message: str, **fields: Any) -> None:
        """An event of a workload, now."""
        event = WorkloadEvent(
            **{"at": self._clock.now(), "type": "Warning", "reason": reason, "message": message, **fields}
        )
        self.events.setdefault(WorkloadId(f"id-{name}"), []).insert(0, event)

    async def scan_workloads(
        self,
        *,
        project: str | None = None,
        phase: str | None = None,
        updated_since: datetime | None = None,
        known: object = None,
    ) -> list[Workload]:
        self.asked.append(("scan", (project, phase, updated_since)))
        self.scanning += 1
        self.scanned_at_once = max(self.scanned_at_once, self.scanning)
        try:
            if self.hangs is not None:
                await self.hangs.wait()
            await anyio.lowlevel.checkpoint()
        finally:
            self.scanning -= 1
        self._fail()
        if updated_since is not None and self.refuses_delta:
            raise RunaiRejectedError("no such filter", status=400)
        return [
            workload
            for workload in self.workloads.values()
            if workload.id not in self.hidden
            and project in (None, workload.project)
            and phase in (None, workload.phase)
            and (updated_since is None or (workload.phase_updated_at or updated_since) >= updated_since)
        ]

    async def get_workload(self, workload_id: WorkloadId) -> WorkloadDetail:
        self.asked.append(("get", workload_id))
        self._fail()
        if workload_id not in self.workloads:
            raise RunaiNotFoundError("no such workload", status=404)
        return WorkloadDetail(workload=self.workloads[workload_id])

    async def list_events(self, workload_id: WorkloadId, *, limit: int = 200) -> list[WorkloadEvent]:
        self.asked.append(("events", workload_id))
        self._fail()
        return self.events.get(workload_id, [])[:limit]

    async def list_pods(self, workload_id: WorkloadId, *, deleted: bool = False) -> list[WorkloadPod]:
        self.asked.append(("pods", workload_id))
        self._fail()
        found = [entry if isinstance(entry, tuple) else (entry, "Running") for entry in self.pods.get(workload_id, [])]
        return [WorkloadPod(name=name, id=name, workload_id=workload_id, pod_phase=phase) for name, phase in found]

    async def get_history(self, workload_id: WorkloadId) -> WorkloadHistory:
        self.asked.append(("history", workload_id))
        self._fail()
        return self.histories.get(workload_id, WorkloadHistory())

    def count(self, what: str) -> int:
        return sum(1 for asked, _ in self.asked if asked == what)

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


class FakeWatch:
    """One watch of a fake Kubernetes; what it tells of a pod goes through `trim`, as with the real one."""

    def __init__(self, kube: FakeKube, place: str | None, trim: Callable[[Pod], Pod]) -> None:
        self._kube = kube
        self._place = place
        self._trim = trim

    @property
    def error(self) -> str | None:
        return self._kube.broken

    async def changes(self) -> AsyncGenerator[PodChange, None]:
        self._kube.check(self._place, self._kube.unwatchable)
        send, receive = anyio.create_memory_object_stream[PodChange](10_000)
        self._kube.watchers.append((self._place, send))
        try:
            async with receive:
                if self._kube.listing is not None:
                    await self._kube.listing.wait()
                yield PodChange(kind="listed", pods=tuple(map(self._trim, self._kube.of(self._place))))
                async for change in receive:
                    self._kube.check(self._place, self._kube.unwatchable)
                    yield dataclasses.replace(change, pods=tuple(map(self._trim, change.pods)))
        finally:
            self._kube.watchers.remove((self._place, send))
            send.close()


class FakeKube:
    """Kubernetes, with the truth in `pods`."""

    def __init__(self) -> None:
        self.pods: dict[tuple[str, str], Pod] = {}
        self.nodes: dict[str, Node] = {}
        self.nodes_forbidden = False
        self.watchers: list[tuple[str | None, Any]] = []
        self.forbidden: set[str | None] = set()
        self.unwatchable: set[str | None] = set()
        """Where pods may be read one by one, but not followed."""
        self.down: KubeError | None = None
        self.listing: anyio.Event | None = None
        """Lists take until this is set."""
        self.broken: str | None = None
        """What an open watch says is wrong with it; nothing comes through meanwhile."""

    def put(self, pod: Pod) -> None:
        self.pods[pod.namespace, pod.name] = pod
        self._send("upserted", pod)

    def remove(self, pod: Pod) -> None:
        del self.pods[pod.namespace, pod.name]
        self._send("removed", pod)

    def pod_watch(self, namespace: str | None, *, trim: Callable[[Pod], Pod]) -> FakeWatch:
        return FakeWatch(self, namespace, trim)

    async def list_pods(self, namespace: str | None, *, workload_name: str | None = None) -> list[Pod]:
        self.check(namespace)
        return self.of(namespace)

    async def get_pod(self, namespace: str, name: str) -> Pod:
        self.check(namespace)
        if (namespace, name) not in self.pods:
            raise KubeNotFoundError("no such pod")
        return self.pods[namespace, name]

    async def list_nodes(self) -> list[Node]:
        if self.nodes_forbidden:
            raise KubeForbiddenError("nodes may not be listed", namespace=None)
        if self.down is not None:
            raise self.down
        return list(self.nodes.values())

    def of(self, place: str | None) -> list[Pod]:
        return [pod for pod in self.pods.values() if place in (None, pod.namespace)]

    def check(self, place: str | None, also: Collection[str | None] = ()) -> None:
        if place in self.forbidden or place in also:
            raise KubeForbiddenError(f"pods may not be watched in {place or 'the cluster'}", namespace=place)
        if self.down is not None:
            raise self.down

    def _send(self, kind: Any, pod: Pod) -> None:
        if self.broken is None:
            for place, send in self.watchers:
                if place in (None, pod.namespace):
                    send.send_nowait(PodChange(kind=kind, pods=(pod,)))


class FakeDiagnoser:
    """Says the same of everything, or waits, or breaks."""

    def __init__(self) -> None:
        self.diagnosed: list[str] = []
        self.waits: anyio.Event | None = None
        self.breaks = False
        self.at_once = 0
        self.most_at_once = 0

    async def diagnose(self, workload: Workload) -> Diagnosis:
        self.diagnosed.append(workload.name)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.waits is not None:
                await self.waits.wait()
            if self.breaks:
                raise RuntimeError("a rule has a defect")
        finally:
            self.at_once -= 1
        cause = Cause(
            cause="container_oom", title="t", confidence=0.9, explanation="e", next_steps=("raise the limit",)
        )
        assert workload.phase_updated_at is not None
        return Diagnosis(
            verdict=Verdict.FAILURE, confidence=0.9, generated_at=workload.phase_updated_at, causes=(cause,)
        )


@dataclass
class World:
    """Everything there is. `running()` is one life of the process; several in a row are restarts."""

    clock: FakeClock
    busy: Busy
    database: Database
    runai: FakeRunai
    kube: FakeKube | None
    options: MonitorOptions
    diagnoser: FakeDiagnoser = field(default_factory=FakeDiagnoser)
    pushed: list[Alert] = field(default_factory=list)
    broken: dict[str, Any] = field(default_factory=dict)
    """Stores put in place of the real ones: `alerts`, `baseline`, `monitors`."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Engine]:
        """The process runs; it is gone after the block, as after a kill."""

        def store(name: str, real: Any) -> Any:
            return self.broken.get(name) or self.busy.watching(real(self.database))

        engine = Engine(
            runai=cast("RunaiSource", self.runai),
            kube=cast("KubeSource | None", self.kube),
            diagnoser=self.diagnoser,
            alerts=cast("AlertSink", store("alerts", AlertStore)),
            baseline=cast("Baseline", store("baseline", BaselineStore)),
            monitors=cast("Monitors", store("monitors", MonitorStore)),
            outbox_wake=lambda: None,
            channels=("slack",),
            options=self.options,
            clock=self.clock,
            on_alerts=self.pushed.extend,
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine.run)
            await self.busy.settle()
            yield engine
            tasks.cancel_scope.cancel()

    async def monitor(self, number: int = 1, **fields: Any) -> None:
        """Somebody starts a monitor."""
        fields = {"started_at": self.clock.now(), **fields}
        await MonitorStore(self.database).start(make_monitor(number, **fields))

    async def stop(self, number: int = 1) -> None:
        await MonitorStore(self.database).stop(MonitorId(f"mon-{number}"), at=self.clock.now())

    async def pass_by(self, **time: float) -> None:
        """Time passes."""
        await self.clock.advance(timedelta(**time).total_seconds())

    async def alerts(self) -> list[Alert]:
        """Every alert ever, oldest first by its last change."""
        return (await AlertStore(self.database).list(limit=10_000))[::-1]

    async def open(self) -> dict[str, str]:
        """What is firing: name (or kind) to status."""
        return {_name(alert): alert.status for alert in await self.alerts() if alert.state is AlertState.FIRING}

    async def slack(self) -> list[str]:
        """What was handed to the channel, in order: "opened train OOMKilled"."""
        table = tables.deliveries
        query = select(table.c.change, table.c.document).order_by(table.c.delivery_id)
        async with self.database.reading() as connection:
            rows = (await connection.execute(query)).all()
        told = [(change, alert_of(document)) for change, document in rows]
        return [f"{change} {_name(alert)} {alert.status}" for change, alert in told]

    async def history(self, name: str) -> list[str]:
        """What happened to the alerts of one workload, in order: "suppressed: max_alerts_per_job (1) is reached…"."""
        store = AlertStore(self.database)
        ids = [a.alert_id for a in sorted(await self.alerts(), key=lambda a: a.episode) if a.subject.name == name]
        told = [entry for alert_id in ids for entry in await store.transitions(alert_id)]
        return [f"{change}: {reason}" for _, change, reason in told]


def _name(alert: Alert) -> str:
    return alert.subject.name if alert.kind is AlertKind.WORKLOAD_UNHEALTHY else alert.subject.name or str(alert.kind)


@asynccontextmanager
async def a_world(tmp_path: Path, *, kube: bool = True, **options: Any) -> AsyncIterator[World]:
    """A world at rest, without a monitor. Its ticks are long, for hours must pass in a second."""
    options = {"tick_seconds": 5.0, **options}
    busy = Busy()
    clock = FakeClock(settle=busy.settle)
    database = await open_database(state_dir=tmp_path, database_url=None)
    try:
        yield World(
            clock=clock,
            busy=busy,
            database=database,
            runai=FakeRunai(clock),
            kube=FakeKube() if kube else None,
            options=MonitorOptions(**options),
        )
    finally:
        await database.aclose()

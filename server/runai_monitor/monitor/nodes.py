"""Nodes that run watched workloads: read twice a minute, and at once when something on one of them fails.

An alert about a node stands for those of its workloads (`notify/withhold.py`). Where nodes may not be read, there are
none: workloads are told as ever, in digests where many fail.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import anyio

from runai_monitor.clock import Clock
from runai_monitor.diagnosis.around import condition_of, is_bad
from runai_monitor.diagnosis.rules.told import describe_node
from runai_monitor.diagnosis.safe import safe_text
from runai_monitor.errors import KubeError, KubeForbiddenError
from runai_monitor.model.alert import Alert, AlertKind, AlertSubject, Detection, Severity, Transition
from runai_monitor.model.cluster import Node
from runai_monitor.model.workload import WorkloadId
from runai_monitor.monitor.announce import Announcer
from runai_monitor.monitor.options import MonitorOptions
from runai_monitor.monitor.policy import Book, resolved, wrong
from runai_monitor.monitor.said import said
from runai_monitor.monitor.sources import KubeSource
from runai_monitor.monitor.state import State
from runai_monitor.monitor.supervise import Supervisor
from runai_monitor.pauses import Pauses

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 30.0
SHARE = 20
"""Reading the nodes takes a twentieth of the time at most: a cluster of thousands is read less often."""
FRESH_SECONDS = 5.0
"""So old may be what is known of a node when a workload on it fails."""
LOOK_SECONDS = 10.0
"""How long an alert about a workload waits for the state of its node."""
REFUSED_SECONDS = 300.0
"""Between attempts where nodes may not be read."""
WELL_SECONDS = 60.0
"""A node must be well for so long before its alert is resolved, or for `resolve_after_seconds` if that is less."""
_RANKS = {"GpuUnhealthy": 40, "NotReady": 60, "Unreachable": 60}
# NVSentinel, node problem detectors of the clouds and of others; not the monitors themselves, nor what only slows a GPU.
_GPU = re.compile(r"gpu|nvlink|nvswitch|xid|accelerat|nvidia", re.IGNORECASE)
_NO_FAULT = re.compile(r"connectivity|dcgm(?:error|service)|thermal|maintenance|preflight", re.IGNORECASE)
_UNREACHABLE = re.compile(r"node\.kubernetes\.io/unreachable|node\.cloudprovider\.kubernetes\.io/shutdown")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTrouble:
    """What is wrong with a node, in one word and in a sentence."""

    status: str
    words: str
    since: datetime | None


def trouble_of(node: Node) -> NodeTrouble | None:
    """What makes a node unable to run workloads. Being cordoned does not: somebody wanted that, and pods go on."""
    ready = condition_of(node, "Ready")
    if ready is not None and ready.status != "True":
        lost = ready.status == "Unknown"
        words = "its kubelet stopped reporting" if lost else f"it is not ready{said(ready.message or ready.reason)}"
        return NodeTrouble(status="Unreachable" if lost else "NotReady", words=words, since=ready.changed_at)
    for taint in node.taints:
        if _UNREACHABLE.fullmatch(taint.key):
            return NodeTrouble(status="Unreachable", words=f"it has the taint {taint.key}", since=taint.since)
    for condition in node.conditions:
        kind = f"{condition.type} {condition.reason or ''}"
        if is_bad(condition) and condition.status != "Unknown" and _GPU.search(kind) and not _NO_FAULT.search(kind):
            words = f"its condition {safe_text(condition.type)} is {condition.status}{said(condition.message)}"
            return NodeTrouble(status="GpuUnhealthy", words=words, since=condition.changed_at)
    return None


def decide_nodes(
    nodes: Sequence[Node],
    workloads: Mapping[str, int],
    *,
    book: Book,
    now: datetime,
    options: MonitorOptions,
    cluster_id: str = "",
) -> list[Transition]:
    """The transitions for all nodes at once. Pure but for the book's notes.

    `workloads` counts the watched ones by node: a node without any opens no alert, and the alert of one that had some
    goes on until the node is well or gone.
    """
    transitions: list[Transition] = []
    present = {node.name: node for node in nodes}
    known = {a.subject.name: a for a in book.open.values() if a.kind is AlertKind.NODE_UNHEALTHY}
    for name in sorted({*workloads, *known}):
        node = present.get(name)
        trouble = trouble_of(node) if node is not None else None
        if trouble is not None:
            transitions += _in_trouble(name, trouble, workloads.get(name, 0), book, now, options, cluster_id)
            continue
        book.held_since.pop((AlertKind.NODE_UNHEALTHY, _id(name)), None)
        if name in known:
            transitions += _perhaps_well(known[name], is_gone=node is None, book=book, now=now, options=options)
    return transitions


class NodeFollower:
    """Looks at the nodes and tells. `error` is why it cannot, which costs nothing else."""

    def __init__(
        self,
        *,
        kube: KubeSource,
        state: State,
        announcer: Announcer,
        options: MonitorOptions,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        self._kube = kube
        self._state = state
        self._announcer = announcer
        self._options = options
        self._supervisor = supervisor
        self._clock = clock
        self._lock = anyio.Lock()
        self._looked_at = float("-inf")
        self._pause = INTERVAL_SECONDS
        self.error: str | None = None

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            self._supervisor.beat("nodes")
            if self._clock.monotonic() - self._looked_at >= self._pause:
                await self._look_once()
            await self._clock.sleep(INTERVAL_SECONDS)

    async def look_for(self, names: Collection[str]) -> None:
        """Makes sure that what is known of these nodes is fresh, as far as that can be had soon."""
        age = self._clock.monotonic() - self._looked_at
        if not names or age < (REFUSED_SECONDS if self.error else FRESH_SECONDS):
            return
        with anyio.move_on_after(LOOK_SECONDS):
            await self._look_once()

    async def _look_once(self) -> None:
        """One look at a time; who came while another looked has its result."""
        asked_at = self._clock.monotonic()
        async with self._lock:
            if self._looked_at <= asked_at:
                await self._look()

    async def _look(self) -> None:
        running = await self._workloads_on()
        began = self._clock.monotonic()
        has_alerts = any(kind is AlertKind.NODE_UNHEALTHY for kind, _ in self._state.book.open)
        if not running and not has_alerts:
            return
        try:
            nodes = await self._kube.list_nodes()
        except KubeError as error:
            self._cannot(error)
            return
        finally:
            self._looked_at = self._clock.monotonic()
        self.error = None
        self._pause = max(INTERVAL_SECONDS, SHARE * (self._looked_at - began))
        transitions = decide_nodes(
            nodes,
            {name: len(workloads) for name, workloads in running.items()},
            book=self._state.book,
            now=self._clock.now(),
            options=self._options,
            cluster_id=self._options.kube_cluster_id or "",
        )
        await self._announcer.apply(transitions)

    async def _workloads_on(self) -> dict[str, set[WorkloadId]]:
        """The workloads by the nodes that their pods are or were on."""
        found: dict[str, set[WorkloadId]] = {}
        pauses = Pauses()
        for node, workload_id in self._state.snapshot.located():
            await pauses()
            found.setdefault(node, set()).add(workload_id)
        return found

    def _cannot(self, error: KubeError) -> None:
        self._pause = REFUSED_SECONDS if isinstance(error, KubeForbiddenError) else INTERVAL_SECONDS
        told = f"no alerts about nodes: {error}"
        if told != self.error:
            log.info("%s; workloads on a failing node are told one by one or in digests", told)
        self.error = told


def _in_trouble(
    name: str,
    trouble: NodeTrouble,
    workloads: int,
    book: Book,
    now: datetime,
    options: MonitorOptions,
    cluster_id: str,
) -> list[Transition]:
    on_it = f"{workloads} watched workload{'' if workloads == 1 else 's'} {'is' if workloads == 1 else 'are'} on it"
    since = f" since {trouble.since:%H:%M:%S} UTC" if trouble.since else ""
    detection = Detection(
        kind=AlertKind.NODE_UNHEALTHY,
        status=trouble.status,
        severity=Severity.CRITICAL,
        rank=_RANKS[trouble.status],
        workload_id=_id(name),
        summary=f"Node {safe_text(name)} is {trouble.status}{since}: {trouble.words}; {on_it}",
        since=trouble.since,
    )
    subject = AlertSubject(id=_id(name), name=name, type="Node", cluster_id=cluster_id, nodes=(name,))
    decided = wrong(_id(name), lambda: subject, detection, book=book, now=now, options=options)
    steps = (
        describe_node(name),
        "have the node's kubelet, network and GPUs checked; drain it if it does not come back",
    )
    return [dataclasses.replace(transition, recommendations=steps) for transition in decided]


def _perhaps_well(
    alert: Alert, *, is_gone: bool, book: Book, now: datetime, options: MonitorOptions
) -> list[Transition]:  # fmt: skip
    if is_gone:
        return [resolved(alert, "the node is gone from the cluster", now=now)]
    key = (alert.kind, alert.subject.id)
    since = book.healthy_since.setdefault(key, now)
    seconds = min(WELL_SECONDS, options.resolve_after_seconds)
    if (now - since).total_seconds() < seconds:
        return []
    return [resolved(alert, f"the node is well again for {seconds:g} s", now=now)]


def _id(name: str) -> str:
    return f"node/{name}"

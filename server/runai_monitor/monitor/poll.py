"""Asks Run:ai what changed: a delta each interval, everything now and then, and certainty before calling a thing gone."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import RunaiError, RunaiNotFoundError, RunaiRejectedError
from runai_monitor.model.workload import UNHEALTHY_PHASES, Workload, WorkloadId
from runai_monitor.monitor.sources import RunaiSource

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=2)
"""A delta asks this far behind the newest change seen: the clocks of a control plane and its clusters differ. What
differs by more is found by the next reconcile."""
LOOKUPS_PER_POLL = 100
"""Workloads asked for one by one in one poll at most; the rest have their turn in the next."""
CONCURRENT_LOOKUPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What one poll found: `complete` means everything in scope was read; `gone` are certainly deleted.

    `known` are all that this and earlier polls found in scope and that are not gone.
    """

    workloads: list[Workload]
    gone: list[WorkloadId]
    complete: bool
    known: frozenset[WorkloadId]


class Poller:
    """The polls of one scope. `projects` None means every project there is."""

    def __init__(
        self,
        *,
        runai: RunaiSource,
        projects: tuple[str, ...] | None,
        only_failed: bool,
        reconcile_interval_seconds: float,
        clock: Clock,
    ) -> None:
        self._runai = runai
        self._projects = projects
        self._only_failed = only_failed
        self._reconcile_interval_seconds = reconcile_interval_seconds
        self._clock = clock
        self._known: set[WorkloadId] = set()
        self._missing: dict[WorkloadId, None] = {}
        """Expected and not found, in the order in which they are asked for."""
        self._newest: datetime | None = None
        self._complete_at: float | None = None
        self._delta_refused = False

    async def poll(self, *, expected: Collection[WorkloadId] = ()) -> Polled:
        """One poll. `expected` are workloads in scope that must be accounted for: those of open alerts.

        Raises:
            RunaiError: it failed; what is known stays as it is.
        """
        if self._only_failed:
            return await self._unhealthy(expected)
        if not self._reconcile_due() and self._newest is not None:
            try:
                return await self._delta(self._newest - OVERLAP)
            except RunaiRejectedError as error:
                self._delta_refused = True
                log.warning("Run:ai refuses the filter of delta polls, so every poll reads everything: %s", error)
        return await self._everything(expected)

    def _reconcile_due(self) -> bool:
        if self._delta_refused or self._complete_at is None:
            return True
        return self._clock.monotonic() - self._complete_at >= self._reconcile_interval_seconds

    async def _delta(self, since: datetime) -> Polled:
        found = await self._scan(updated_since=since)
        return await self._accounted(found, self._missing, complete=False)

    async def _everything(self, expected: Collection[WorkloadId]) -> Polled:
        started = self._clock.monotonic()
        found = await self._scan()
        polled = await self._accounted(found, self._known | set(expected), complete=True)
        self._complete_at = started
        return polled

    async def _unhealthy(self, expected: Collection[WorkloadId]) -> Polled:
        """Only what Run:ai calls unhealthy; whatever was and is not any more is asked for one by one."""
        found: dict[WorkloadId, Workload] = {}
        for phase in sorted(UNHEALTHY_PHASES):
            found.update({workload.id: workload for workload in await self._scan(phase=phase)})
        polled = await self._accounted(list(found.values()), self._known | set(expected), complete=True)
        self._known = set(found) | set(self._missing)
        return polled

    async def _accounted(self, found: list[Workload], expected: Collection[WorkloadId], *, complete: bool) -> Polled:
        """What was found, and what became of the expected that were not: some in this poll, the rest in the next."""
        missing = set(expected) - {workload.id for workload in found}
        waiting = [workload_id for workload_id in self._missing if workload_id in missing]
        self._missing = dict.fromkeys([*waiting, *sorted(missing.difference(waiting))])
        back, gone = await self._look_for(list(self._missing)[:LOOKUPS_PER_POLL])
        workloads = [*found, *back]
        self._learn(workloads)
        self._known -= set(gone)
        return Polled(workloads=workloads, gone=gone, complete=complete, known=frozenset(self._known))

    async def _scan(self, *, phase: str | None = None, updated_since: datetime | None = None) -> list[Workload]:
        found: list[Workload] = []
        for project in self._projects if self._projects is not None else (None,):
            found += await self._runai.scan_workloads(project=project, phase=phase, updated_since=updated_since)
        return [workload for workload in found if workload.deleted_at is None]

    async def _look_for(self, missing: Sequence[WorkloadId]) -> tuple[list[Workload], list[WorkloadId]]:
        """Those that still exist, and those that do not: one absence from a list proves nothing."""
        back: list[Workload] = []
        gone: list[WorkloadId] = []
        limit = anyio.CapacityLimiter(CONCURRENT_LOOKUPS)

        async def look(workload_id: WorkloadId) -> None:
            async with limit:
                try:
                    workload = (await self._runai.get_workload(workload_id)).workload
                except RunaiNotFoundError:
                    gone.append(workload_id)
                except RunaiError as error:
                    # The scan went well, so Run:ai answers; this one is asked for again, after the others.
                    log.info("workload %s is in no list and cannot be asked for: %s", workload_id, error)
                    self._missing[workload_id] = self._missing.pop(workload_id)
                    return
                else:
                    if workload.deleted_at is not None:
                        gone.append(workload_id)
                    elif self._projects is None or workload.project in self._projects:
                        back.append(workload)
                self._missing.pop(workload_id)

        async with anyio.create_task_group() as tasks:
            for workload_id in missing:
                tasks.start_soon(look, workload_id)
        return back, sorted(gone)

    def _learn(self, workloads: list[Workload]) -> None:
        self._known |= {workload.id for workload in workloads}
        changes = [workload.phase_updated_at for workload in workloads if workload.phase_updated_at is not None]
        if changes:
            # One date in the future must not hide every change until then.
            newest = min(max(changes), self._clock.now())
            self._newest = newest if self._newest is None else max(self._newest, newest)

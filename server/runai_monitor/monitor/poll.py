"""Asks Run:ai what changed: a delta each interval, everything now and then, and certainty before calling a thing gone."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import RunaiError, RunaiNotFoundError, RunaiRejectedError
from runai_monitor.model.workload import UNHEALTHY_PHASES, Workload, WorkloadId
from runai_monitor.monitor.sources import RunaiSource

log = logging.getLogger(__name__)

OVERLAP = timedelta(seconds=30)
"""A delta asks this far behind the newest change seen: clocks inside a control plane differ."""
LOOKUPS_PER_POLL = 100
"""Workloads asked for one by one in one poll at most; the rest have their turn in the next."""
CONCURRENT_LOOKUPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What one poll found: `complete` means everything in scope was read; `gone` are certainly deleted."""

    workloads: list[Workload]
    gone: list[WorkloadId]
    complete: bool


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
        self._learn(found)
        return Polled(workloads=found, gone=[], complete=False)

    async def _everything(self, expected: Collection[WorkloadId]) -> Polled:
        started = self._clock.monotonic()
        found = await self._scan()
        missing = (self._known | set(expected)) - {workload.id for workload in found}
        back, gone = await self._look_for(missing)
        self._known -= set(gone)
        self._learn([*found, *back])
        self._complete_at = started
        return Polled(workloads=[*found, *back], gone=gone, complete=True)

    async def _unhealthy(self, expected: Collection[WorkloadId]) -> Polled:
        """Only what Run:ai calls unhealthy; whatever was and is not any more is asked for one by one."""
        found: dict[WorkloadId, Workload] = {}
        for phase in sorted(UNHEALTHY_PHASES):
            found.update({workload.id: workload for workload in await self._scan(phase=phase)})
        back, gone = await self._look_for((self._known | set(expected)) - set(found))
        self._known = set(found)
        return Polled(workloads=[*found.values(), *back], gone=gone, complete=True)

    async def _scan(self, *, phase: str | None = None, updated_since: datetime | None = None) -> list[Workload]:
        found: list[Workload] = []
        for project in self._projects if self._projects is not None else (None,):
            found += await self._runai.scan_workloads(project=project, phase=phase, updated_since=updated_since)
        return [workload for workload in found if workload.deleted_at is None]

    async def _look_for(self, missing: Collection[WorkloadId]) -> tuple[list[Workload], list[WorkloadId]]:
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
                    # The scan went well, so Run:ai answers; this one is asked for again next time.
                    log.info("workload %s is in no list and cannot be asked for: %s", workload_id, error)
                else:
                    if workload.deleted_at is not None:
                        gone.append(workload_id)
                    else:
                        back.append(workload)

        async with anyio.create_task_group() as tasks:
            for workload_id in sorted(missing)[:LOOKUPS_PER_POLL]:
                tasks.start_soon(look, workload_id)
        return back, sorted(gone)

    def _learn(self, workloads: list[Workload]) -> None:
        self._known |= {workload.id for workload in workloads}
        changes = [workload.phase_updated_at for workload in workloads if workload.phase_updated_at is not None]
        if changes:
            # One date in the future must not hide every change until then.
            newest = min(max(changes), self._clock.now())
            self._newest = newest if self._newest is None else max(self._newest, newest)

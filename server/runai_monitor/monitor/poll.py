"""Asks Run:ai what changed: a delta each interval, everything now and then, and certainty before calling a thing gone."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
import anyio.lowlevel

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
MOST_ASKED_APART = 8
"""Projects whose changes are asked for one by one; those of more are picked from the changes of all, for each question
costs more than many answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What one poll found: `complete` means everything in scope was read; `gone` are certainly deleted."""

    workloads: list[Workload]
    gone: list[WorkloadId]
    complete: bool


class Poller:
    """The polls of one scope.

    Args:
        runai: who is asked.
        projects: of the scope; None for every project there is.
        only_failed: asks for unhealthy workloads only.
        reconcile_interval_seconds: between complete reads.
        clock: of this process.
        workloads: as they are known, of all scopes: what did not change is not kept a second time.
    """

    def __init__(
        self,
        *,
        runai: RunaiSource,
        projects: tuple[str, ...] | None,
        only_failed: bool,
        reconcile_interval_seconds: float,
        clock: Clock,
        workloads: Mapping[WorkloadId, Workload] | None = None,
    ) -> None:
        self._runai = runai
        self._projects = projects
        self._only_failed = only_failed
        self._reconcile_interval_seconds = reconcile_interval_seconds
        self._clock = clock
        self._workloads = workloads
        self._known: set[WorkloadId] = set()
        self._unwell: set[WorkloadId] = set()
        """Where only the unhealthy are asked for: whoever must be found again, or asked for."""
        self._missing: dict[WorkloadId, None] = {}
        """Expected and not found, in the order in which they are asked for."""
        self._newest: datetime | None = None
        self._complete_at: float | None = None
        self._delta_refused = False

    @property
    def known(self) -> Set[WorkloadId]:
        """All that polls so far found in scope and that are not gone; it changes with each poll."""
        return self._known

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
        polled = await self._accounted(list(found.values()), self._unwell | set(expected), complete=True)
        self._unwell = set(found) | set(self._missing)
        # Who has recovered is seen once more, well, and then no more.
        self._known = self._unwell | {workload.id for workload in polled.workloads}
        return polled

    async def _accounted(self, found: list[Workload], expected: Collection[WorkloadId], *, complete: bool) -> Polled:
        """What was found, and what became of the expected that were not: some in this poll, the rest in the next."""
        missing = set(expected)
        missing.difference_update([workload.id for workload in found])
        await anyio.lowlevel.checkpoint()
        waiting = [workload_id for workload_id in self._missing if workload_id in missing]
        self._missing = dict.fromkeys([*waiting, *sorted(missing.difference(waiting))])
        back, gone = await self._look_for(list(self._missing)[:LOOKUPS_PER_POLL])
        workloads = [*found, *back]
        self._learn(workloads)
        self._known.difference_update(gone)
        return Polled(workloads=workloads, gone=gone, complete=complete)

    async def _scan(self, *, phase: str | None = None, updated_since: datetime | None = None) -> list[Workload]:
        """Project by project: Run:ai joins its filters by "and". A delta of many is one question, sorted out here."""
        asked: tuple[str | None, ...] = self._projects if self._projects is not None else (None,)
        if updated_since is not None and len(asked) > MOST_ASKED_APART:
            asked = (None,)
        found: list[Workload] = []
        for project in asked:
            found += await self._runai.scan_workloads(
                project=project, phase=phase, updated_since=updated_since, known=self._workloads
            )
        return [workload for workload in found if workload.deleted_at is None and self._is_in_scope(workload)]

    def _is_in_scope(self, workload: Workload) -> bool:
        return self._projects is None or workload.project in self._projects

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
                    elif self._is_in_scope(workload):
                        back.append(workload)
                self._missing.pop(workload_id)

        async with anyio.create_task_group() as tasks:
            for workload_id in missing:
                tasks.start_soon(look, workload_id)
        return back, sorted(gone)

    def _learn(self, workloads: list[Workload]) -> None:
        self._known.update([workload.id for workload in workloads])
        changes = [workload.phase_updated_at for workload in workloads if workload.phase_updated_at is not None]
        if changes:
            # One date in the future must not hide every change until then.
            newest = min(max(changes), self._clock.now())
            self._newest = newest if self._newest is None else max(self._newest, newest)

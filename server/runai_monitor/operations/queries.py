"""What may be asked: alerts, workloads, and how the monitoring is going."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import NotFoundError, RunaiError
from runai_monitor.model.alert import AlertFilter, AlertId, AlertKind, Severity
from runai_monitor.model.monitor import Monitor
from runai_monitor.model.notification import Delivery, DeliveryState
from runai_monitor.model.workload import Workload
from runai_monitor.notify.silencing import silencing
from runai_monitor.operations import arguments
from runai_monitor.operations.confinement import touches
from runai_monitor.operations.feed import AlertFeed
from runai_monitor.operations.job_status import inspect_job
from runai_monitor.operations.jobs import JobFinder
from runai_monitor.operations.results import (
    AlertDetail,
    AlertPage,
    AlertWait,
    JobStatus,
    MonitoringStatus,
    WorkloadPage,
)
from runai_monitor.operations.scope import Scope
from runai_monitor.operations.services import OperationOptions, Services, ServicesReady
from runai_monitor.operations.sources import Runai

OnTick = Callable[[float], Awaitable[None]]
UNSEEN_LIMIT = 100
DEAD_LETTERS_SHOWN = 10


class Queries:
    """Reads; changes nothing anywhere."""

    def __init__(
        self, *, services: ServicesReady, scope: Scope, feed: AlertFeed, options: OperationOptions, clock: Clock
    ) -> None:
        self._services = services
        self._scope = scope
        self._feed = feed
        self._options = options
        self._clock = clock

    async def list_alerts(
        self,
        *,
        project: str | None = None,
        state: str | None = None,
        since: str | None = None,
        after_cursor: int | None = None,
        limit: int = 50,
        max_limit: int = arguments.LIMIT[1],
    ) -> AlertPage:
        """Alerts newest first, oldest first with `after_cursor`.

        Raises:
            InputError: an argument is out of range. RefusedError: the project is outside the limit.
            NotFoundError: neither the store nor Run:ai knows the project. StoreError: the database cannot be read.
        """
        limit = arguments.whole_in_range("limit", limit, (arguments.LIMIT[0], max_limit))
        after = arguments.cursor(after_cursor)
        only = self._scope.project(project)
        services = await self._services()
        latest = await services.alerts.latest_cursor()
        wanted = AlertFilter(
            projects=self._scope.projects,
            project=only,
            state=arguments.alert_state(state),
            since=arguments.instant("since", since, now=self._clock.now()),
            after_cursor=after,
        )
        found = await services.alerts.list(wanted, limit=limit + 1)
        if only is not None and not found:
            await self._require_heard_of(services, only)
        alerts = tuple(found[:limit])
        highest = max((alert.cursor for alert in alerts), default=0)
        more = len(found) > limit
        # Read oldest first, a page that was cut ends where it was cut; any other ends where the store did.
        cursor = highest if after is not None and more else max(highest, latest)
        return AlertPage(alerts=alerts, cursor=cursor, more=more)

    async def _require_heard_of(self, services: Services, project: str) -> None:
        """No alerts of a misspelt project would read as good news; Run:ai being out of reach is no reason to refuse."""
        if await services.alerts.list(AlertFilter(projects=self._scope.projects, project=project), limit=1):
            return
        try:
            with anyio.fail_after(self._options.project_check_seconds):
                existing = [known.name for known in await services.runai.list_projects()]
        except (RunaiError, TimeoutError):
            return
        self._scope.require_known(project, existing)

    async def get_alert(self, alert_id: str) -> AlertDetail:
        """One alert, what happened to it and why, and its deliveries.

        Raises:
            NotFoundError: there is none of this id, or it is outside the limit: the same words for both.
        """
        wanted = AlertId(arguments.name_text("alert_id", alert_id))
        services = await self._services()
        alert = await services.alerts.get(wanted)
        if alert is None or not self._scope.allows_alert(alert):
            raise NotFoundError(f"there is no alert {arguments.quoted(wanted)}; list_alerts gives the ids")
        now = self._clock.now()
        silences = silencing(await services.silences.active(now), alert, now)
        return AlertDetail(
            alert=alert,
            deliveries=tuple(await services.deliveries.of_alert(wanted)),
            history=tuple(await services.alerts.transitions(wanted)),
            silenced_by=tuple(silences),
        )

    async def wait_for_alerts(
        self, *, after_cursor: int | None, timeout_seconds: float = 60, on_tick: OnTick | None = None
    ) -> AlertWait:
        """The alerts newer than `after_cursor` (None: than now), as soon as there are any."""
        timeout = arguments.in_range("timeout_seconds", timeout_seconds, arguments.TIMEOUT_SECONDS)
        given = arguments.cursor(after_cursor)
        latest = await (await self._services()).alerts.latest_cursor()
        # A cursor from before the store was begun anew would be waited for in vain.
        after = latest if given is None else min(given, latest)
        found = await self._feed.wait_newer(after, timeout_seconds=timeout, on_tick=on_tick)
        return AlertWait(
            alerts=tuple(found),
            cursor=max((alert.cursor for alert in found), default=after),
            timed_out=not found,
            monitoring=bool(await self._active_monitors()),
        )

    async def _active_monitors(self) -> list[Monitor]:
        monitors = await (await self._services()).monitors.active()
        return [monitor for monitor in monitors if monitor.project is None or self._scope.allows(monitor.project)]

    async def unseen_from(self) -> int:
        """Where a reader who has seen nothing should begin: before the oldest alert that is still unresolved."""
        alerts = (await self._services()).alerts
        latest = await alerts.latest_cursor()
        open_cursors = [a.cursor for a in await alerts.unresolved() if self._scope.allows_alert(a)]
        return min([latest, *(cursor - 1 for cursor in open_cursors)])

    async def count_newer(self, cursor: int) -> int:
        """How many alerts in scope changed after `cursor`; never more than `UNSEEN_LIMIT`."""
        alerts = (await self._services()).alerts
        newer = AlertFilter(projects=self._scope.projects, after_cursor=cursor)
        return len(await alerts.list(newer, limit=UNSEEN_LIMIT))

    async def list_workloads(
        self,
        *,
        project: str | None = None,
        phase: str | None = None,
        search: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> WorkloadPage:
        """One page of workloads as Run:ai has them now.

        Raises:
            InputError, RefusedError: an argument is not acceptable. RunaiError: Run:ai could not answer.
        """
        limit = arguments.whole_in_range("limit", limit, arguments.LIMIT)
        offset = arguments.whole_in_range("offset", offset, arguments.OFFSET)
        only = self._scope.project(project)
        word = arguments.phase(phase)
        text = None if search is None or not search.strip() else arguments.name_text("search", search)
        runai = (await self._services()).runai
        if only is not None:
            await self._require_project(runai, only)
        found, total = await _page(
            runai, self._scope.targets(only), phase=word, search=text, limit=limit, offset=offset
        )
        visible = tuple(w for w in found if self._scope.allows(w.project))
        end = offset + len(found)
        return WorkloadPage(
            workloads=visible, total=total, offset=offset, next_offset=end if found and end < total else None
        )

    async def _require_project(self, runai: Runai, project: str) -> None:
        """An empty answer for a misspelt project would look like an idle one."""
        if await runai.count_workloads(project=project) == 0:
            self._scope.require_known(project, [p.name for p in await runai.list_projects()])

    async def job_status(self, job_name: str, project: str | None = None) -> JobStatus:
        """One workload as it is now, from Run:ai and, where it can be read, Kubernetes."""
        services = await self._services()
        workload = await JobFinder(services.runai, self._scope).find(job_name, project)
        return await inspect_job(workload, runai=services.runai, kube=services.kube)

    async def monitoring_status(self) -> MonitoringStatus:
        """How the watching is going, from the store (any process) and from this process."""
        services = await self._services()
        engine = services.engine()
        active = await self._active_monitors()
        counts = await services.alerts.count_unresolved(projects=self._scope.projects)
        open_alerts: Counter[Severity] = Counter()
        for (_, _, severity), count in counts.items():
            open_alerts[Severity(severity)] += count
        blind_alert = next(iter(await services.alerts.unresolved(kind=AlertKind.MONITOR_BLIND)), None)
        complete = engine.baseline_complete
        if complete is None:
            # Another process looks; the end of a poll is not yet the end of its first look.
            covered = await services.baseline.covered_projects()
            complete = bool(active) and all(self._is_covered(m, covered) for m in active)
        return MonitoringStatus(
            monitors=tuple(active),
            configuration=dict(self._options.configuration),
            deliveries=await services.deliveries.counts(),
            channels=services.channels,
            channel_kinds=dict(services.channel_kinds),
            workloads=engine.workloads if engine.leader else max((m.workloads for m in active), default=0),
            kubernetes_live=engine.kube_live,
            kubernetes_detail=engine.kube_error
            or _kube_detail(configured=services.kube is not None, leader=engine.leader),
            leader=engine.leader,
            blind=engine.blind or blind_alert is not None,
            blind_reason=blind_alert.summary if blind_alert is not None else None,
            store_error=engine.store_error,
            open_alerts=open_alerts,
            queues=dict(engine.queues),
            loop_failures=engine.crashes,
            delivery_errors=await services.deliveries.last_errors(),
            dead_letters=await self._dead_letters(services),
            baseline_complete=complete,
            active_silences=await self._count_silences(services),
            database_place=services.database_place,
            cursor=await services.alerts.latest_cursor(),
            now=self._clock.now(),
            role_since=engine.role_since,
            led_by=await services.leaders.latest() if services.leaders is not None else None,
        )

    async def _dead_letters(self, services: Services) -> tuple[Delivery, ...]:
        """The latest messages that were given up."""
        found = await services.dead_letters.list(
            states=(DeliveryState.FAILED,), projects=self._scope.projects, limit=DEAD_LETTERS_SHOWN
        )
        return tuple(found)

    async def _count_silences(self, services: Services) -> int:
        active = await services.silences.active(self._clock.now())
        return sum(touches(silence, self._scope.projects) for silence in active)

    def _is_covered(self, monitor: Monitor, covered: Collection[str]) -> bool:
        from runai_monitor.monitor.state import EVERYWHERE

        wanted = (monitor.project,) if monitor.project is not None else self._scope.projects or (EVERYWHERE,)
        return monitor.last_poll_at is not None and (EVERYWHERE in covered or all(name in covered for name in wanted))


def _kube_detail(*, configured: bool, leader: bool) -> str | None:
    if not configured:
        return "no usable Kubernetes configuration; Run:ai's own events are used instead"
    return None if leader else "another process on the same state does the watching"


async def _page(
    runai: Runai, targets: tuple[str | None, ...], *, phase: str | None, search: str | None, limit: int, offset: int
) -> tuple[list[Workload], int]:
    """One page over several projects in turn, as if they were one list."""
    found: list[Workload] = []
    total = 0
    for target in targets:
        count = await runai.count_workloads(project=target, phase=phase, search=search)
        skip = max(0, offset - total)
        total += count
        if skip < count and len(found) < limit:
            found += await runai.page_workloads(
                project=target, phase=phase, search=search, limit=limit - len(found), offset=skip
            )
    return found, total

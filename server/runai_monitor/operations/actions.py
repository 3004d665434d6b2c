"""What may be done: start and stop monitoring, diagnose, test a channel, and - where allowed - change a workload."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import anyio

from runai_monitor.clock import Clock
from runai_monitor.errors import InputError, NotFoundError, RefusedError, RunaiError, StoreError
from runai_monitor.model.audit import ITSELF, AuditAction, AuditEntry
from runai_monitor.model.monitor import Monitor, MonitorId, MonitorState
from runai_monitor.model.workload import STOPPED_PHASES, TERMINAL_PHASES, Workload
from runai_monitor.operations import arguments
from runai_monitor.operations.jobs import JobFinder
from runai_monitor.operations.present import one_line
from runai_monitor.operations.results import ActionPlan, MonitoringStarted, Troubleshooting
from runai_monitor.operations.scope import Scope
from runai_monitor.operations.services import OperationOptions, Services, ServicesReady
from runai_monitor.operations.sources import OnProgress, Runai

audit = logging.getLogger("runai_monitor.audit")

Action = Literal["suspend", "resume", "delete"]
ACTIONS: tuple[Action, ...] = ("suspend", "resume", "delete")

_EFFECTS: dict[str, str] = {
    "suspend": "its pods are stopped and its resources freed; it can be resumed",
    "resume": "it is queued again and runs once resources are free",
    "delete": "it and its history in Run:ai are removed; this cannot be undone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorRequest:
    """The arguments of `start_monitoring`; None means as configured."""

    project: str | None = None
    duration_minutes: float = 0
    poll_interval_seconds: float | None = None
    only_failed: bool | None = None
    auto_troubleshoot: bool | None = None


class Actions:
    """Changes things: monitors in the store, and workloads only through a confirmed plan."""

    def __init__(self, *, services: ServicesReady, scope: Scope, options: OperationOptions, clock: Clock) -> None:
        self._services = services
        self._scope = scope
        self._options = options
        self._clock = clock

    async def start_monitoring(self, request: MonitorRequest, *, author: str = "") -> MonitoringStarted:
        """Starts a monitor, or returns the one that already watches this scope. Does not wait for a poll.

        `author` is who asked, as far as is known.

        Raises:
            InputError: a duration or interval out of range. RefusedError: a project outside the limit.
            NotFoundError: a project that Run:ai does not have. StoreError: nothing was started.
        """
        project, duration, interval = self._checked(request)
        services = await self._services()
        warning = await self._check_project(services.runai, project)
        now = self._clock.now()
        cursor = await services.alerts.latest_cursor()
        wanted = Monitor(
            monitor_id=MonitorId(f"mon-{secrets.token_hex(4)}"),
            project=project,
            state=MonitorState.ACTIVE,
            started_at=now,
            ends_at=None if duration == 0 else now + timedelta(minutes=duration),
            poll_interval_seconds=interval,
            only_failed=_or(request.only_failed, self._options.only_failed),
            auto_troubleshoot=_or(request.auto_troubleshoot, self._options.auto_troubleshoot),
        )
        stored = await services.monitors.start(wanted, author=author)
        services.wake_engine()
        return MonitoringStarted(
            monitor=stored,
            already_running=stored.monitor_id != wanted.monitor_id,
            cursor=cursor,
            warning=warning,
        )

    def _checked(self, request: MonitorRequest) -> tuple[str | None, float, float]:
        duration = arguments.in_range(
            "duration_minutes", request.duration_minutes, arguments.DURATION_MINUTES, meaning="0 means until stopped"
        )
        interval = self._options.poll_interval_seconds
        if request.poll_interval_seconds is not None:
            interval = arguments.in_range(
                "poll_interval_seconds", request.poll_interval_seconds, arguments.POLL_INTERVAL_SECONDS
            )
        return self._scope.project(request.project), duration, interval

    async def _check_project(self, runai: Runai, project: str | None) -> str | None:
        """Whether Run:ai answers and has the project; an unreachable Run:ai is a warning, never a reason not to start."""
        try:
            with anyio.fail_after(self._options.project_check_seconds):
                existing = [p.name for p in await runai.list_projects()]
        except TimeoutError:
            return (
                f"Run:ai did not answer within {self._options.project_check_seconds:g} s; "
                "monitoring goes on as soon as it does"
            )
        except RunaiError as error:
            return f"Run:ai cannot be asked yet, monitoring goes on as soon as it can: {one_line(str(error))}"
        if project is not None:
            self._scope.require_known(project, existing)
        return None

    async def stop_monitoring(self, monitor_id: str | None = None, *, author: str = "") -> list[Monitor]:
        """Stops one monitor, or all of this scope (None); returns those that were stopped.

        Raises:
            NotFoundError: there is no active monitor of this id.
        """
        services = await self._services()
        active = [m for m in await services.monitors.active() if m.project is None or self._scope.allows(m.project)]
        if monitor_id is not None:
            wanted = arguments.name_text("monitor_id", monitor_id)
            active = [m for m in active if m.monitor_id == wanted]
            if not active:
                raise NotFoundError(
                    f"there is no active monitor {arguments.quoted(wanted)}; monitoring_status gives the ids"
                )
        stopped: list[Monitor] = []
        for monitor in active:
            stopped += await services.monitors.stop(monitor.monitor_id, at=self._clock.now(), author=author)
        services.wake_engine()
        return stopped

    async def troubleshoot_job(
        self,
        job_name: str,
        project: str | None = None,
        *,
        include_logs: bool = True,
        on_progress: OnProgress | None = None,
    ) -> Troubleshooting:
        """Why a job is as it is; works for healthy ones too."""
        services = await self._services()
        workload = await JobFinder(services.runai, self._scope).find(job_name, project)
        diagnosis = await services.diagnoser.diagnose(workload, include_logs=include_logs, on_progress=on_progress)
        return Troubleshooting(workload=workload, diagnosis=diagnosis)

    async def plan_change(self, action: str, job_name: str, project: str | None = None) -> ActionPlan:
        """What a change would do, without doing it.

        Raises:
            RefusedError: changes are not allowed here, or make no sense for this job. InputError: an unknown action.
        """
        if not self._options.allow_write:
            raise RefusedError("changing workloads is switched off; set RUNAI_ALLOW_WRITE_TOOLS=true to allow it")
        if action not in ACTIONS:
            raise InputError(f"action must be one of {', '.join(ACTIONS)}")
        services = await self._services()
        workload = await JobFinder(services.runai, self._scope).find(job_name, project)
        _require_sensible(action, workload)
        who = f"{workload.type} {arguments.quoted(workload.name)} in project {arguments.quoted(workload.project)}"
        # Nothing that changes by itself may be in the question: an answer is bound to its exact words.
        question = f"Really {action} the {who} (UUID {workload.id})? Then {_EFFECTS[action]}."
        return ActionPlan(action=action, workload=workload, effect=_EFFECTS[action], question=question)

    async def apply_change(self, plan: ActionPlan, *, confirmed_by: str) -> None:
        """Does what a person confirmed, and records that it is done and what came of it.

        Raises:
            RunaiError: Run:ai did not accept it. StoreError: it could not be recorded, and was not done.
        """
        services = await self._services()
        runai = services.runai
        workload = plan.workload
        line = "%s of workload %s (%s, project %s) confirmed through %s: %s"
        facts = (
            plan.action,
            workload.id,
            one_line(workload.name, limit=100),
            workload.project,
            one_line(confirmed_by, limit=100),
        )
        calls = {"suspend": runai.suspend, "resume": runai.resume, "delete": runai.delete}
        await services.audit.append(self._changed(plan, confirmed_by, "begun"))
        try:
            await calls[plan.action](workload)
        except RunaiError as error:
            outcome = f"failed: {one_line(str(error))}"
            audit.warning(line, *facts, outcome)
            await self._note(services, self._changed(plan, confirmed_by, outcome))
            raise
        audit.warning(line, *facts, "accepted by Run:ai")
        await self._note(services, self._changed(plan, confirmed_by, "accepted by Run:ai"))

    def _changed(self, plan: ActionPlan, confirmed_by: str, outcome: str) -> AuditEntry:
        workload = plan.workload
        return AuditEntry(
            at=self._clock.now(),
            author=one_line(confirmed_by, limit=arguments.MAX_AUTHOR_LENGTH),
            action=AuditAction.WORKLOAD_CHANGED,
            target=workload.id,
            detail=f"{plan.action} {workload.project}/{one_line(workload.name, limit=100)}: {outcome}",
        )

    async def _note(self, services: Services, entry: AuditEntry) -> None:
        """Records what has happened; that it cannot be recorded does not undo it."""
        try:
            await services.audit.append(entry)
        except StoreError as error:
            audit.error("not recorded: %s %s: %s", entry.target, entry.detail, error)

    async def send_test_notification(self, channel: str | None = None, *, author: str = "") -> dict[str, str | None]:
        """Sends a test through one channel or all; each channel with its error, None for delivered.

        Raises:
            NotFoundError: there is no such channel. RefusedError: none is configured.
        """
        services = await self._services()
        if not services.channels:
            raise RefusedError(
                "no channel is configured; set slack_webhook_url (RUNAI_MONITOR_SLACK_WEBHOOK_URL) or channels to have one"
            )
        if channel is not None and channel not in services.channels:
            raise NotFoundError(
                f"there is no channel {arguments.quoted(channel)}; configured are {', '.join(services.channels)}"
            )
        outcome = await services.outbox.send_test(channel)
        now = self._clock.now()
        for name, error in outcome.items():
            said = "delivered" if error is None else f"not delivered: {one_line(error)}"
            entry = AuditEntry(
                at=now,
                author=author or ITSELF,
                action=AuditAction.TEST_SENT,
                target=name,
                detail=f"test message {said}",
            )
            await self._note(services, entry)
        return outcome


def _require_sensible(action: str, workload: Workload) -> None:
    where = f"{arguments.quoted(workload.name)} is {workload.phase}"
    if workload.deleted_at is not None:
        raise RefusedError(f"{arguments.quoted(workload.name)} is already deleted; there is nothing to {action}")
    if action == "suspend" and workload.phase in TERMINAL_PHASES | STOPPED_PHASES:
        raise RefusedError(f"{where}; there is nothing to suspend")
    if action == "resume" and workload.phase not in STOPPED_PHASES:
        raise RefusedError(f"{where}; only a stopped job can be resumed")


def _or(given: bool | None, default: bool) -> bool:
    return default if given is None else given

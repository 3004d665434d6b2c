"""Tools about monitoring: start, stop, status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult
from pydantic import Field

from runai_monitor.mcp_server import schemas
from runai_monitor.mcp_server.client_name import client_name
from runai_monitor.mcp_server.shape import first_that_fits, monitor_result, shrinking, tool_result
from runai_monitor.mcp_server.toolkit import ToolParts, make_tool, ranged
from runai_monitor.model.monitor import Monitor
from runai_monitor.model.notification import DeliveryState
from runai_monitor.operations import arguments
from runai_monitor.operations.actions import MonitorRequest
from runai_monitor.operations.present import delivery_json, instant, one_line
from runai_monitor.operations.results import MonitoringStarted, MonitoringStatus


def monitoring_tools(parts: ToolParts) -> list[Tool]:
    """The three tools, bound to the operations."""
    queries, actions, seen = parts.operations.queries, parts.operations.actions, parts.seen

    async def start_monitoring(
        ctx: Context[Any, Any],
        project: Annotated[
            str | None, Field(description="Exact project name; null or * for every project this server may see.")
        ] = None,
        duration_minutes: Annotated[
            float, ranged("How long to watch, in minutes; 0 means until stopped.", arguments.DURATION_MINUTES)
        ] = 0,
        poll_interval_seconds: Annotated[
            float | None, ranged("Seconds between polls; null: as configured.", arguments.POLL_INTERVAL_SECONDS)
        ] = None,
        only_failed: Annotated[
            bool | None, Field(description="Ask Run:ai for unhealthy jobs only; null: as configured.")
        ] = None,
        auto_troubleshoot: Annotated[
            bool | None, Field(description="Diagnose each new alert; null: as configured.")
        ] = None,
    ) -> Annotated[CallToolResult, schemas.MonitoringStartedResult]:
        """Starts watching Run:ai jobs and returns at once; it does not wait for the duration.

        A monitor that already watches the same scope is returned instead of a second one. Afterwards call
        wait_for_alerts with the returned cursor.
        """
        request = MonitorRequest(
            project=project,
            duration_minutes=duration_minutes,
            poll_interval_seconds=poll_interval_seconds,
            only_failed=only_failed,
            auto_troubleshoot=auto_troubleshoot,
        )
        started = await actions.start_monitoring(request, author=client_name(ctx))
        seen.offer(ctx, started.cursor)
        return await seen.append(ctx, _started(started))

    async def stop_monitoring(
        ctx: Context[Any, Any],
        monitor_id: Annotated[str | None, Field(description="From monitoring_status; null stops all.")] = None,
    ) -> Annotated[CallToolResult, schemas.MonitoringStoppedResult]:
        """Stops one monitor, or all of them when monitor_id is null. Alerts stay stored."""
        stopped = await actions.stop_monitoring(monitor_id, author=client_name(ctx))
        return await seen.append(ctx, _stopped(stopped))

    async def monitoring_status(ctx: Context[Any, Any]) -> Annotated[CallToolResult, schemas.MonitoringStatusResult]:
        """Tells whether anything is being watched and how it goes.

        Monitors with their polls and errors, what was sent to which channel, whether Kubernetes is watched live, and
        whether the monitor can see at all.
        """
        return await seen.append(ctx, status_result(await queries.monitoring_status()))

    return [
        make_tool(start_monitoring, title="Start monitoring", read_only=False),
        make_tool(stop_monitoring, title="Stop monitoring", read_only=False, destructive=True, open_world=False),
        make_tool(monitoring_status, title="Monitoring status", open_world=False),
    ]


def _started(started: MonitoringStarted) -> CallToolResult:
    monitor = started.monitor
    until = instant(monitor.ends_at) or "stopped"
    verb = "Already watching" if started.already_running else "Watching"
    text = (
        f"{verb} {_scope(monitor)} every {monitor.poll_interval_seconds:g} s until {until} ({monitor.monitor_id}). "
        f"Next: wait_for_alerts(after_cursor={started.cursor})."
    )
    result = schemas.MonitoringStartedResult(
        monitor_id=monitor.monitor_id,
        project=monitor.project,
        scope=_scope(monitor),
        started_at=instant(monitor.started_at) or "",
        ends_at=instant(monitor.ends_at),
        poll_interval_seconds=monitor.poll_interval_seconds,
        already_running=started.already_running,
        cursor=started.cursor,
        warning=started.warning,
        monitor=monitor_result(monitor, now=monitor.started_at),
    )
    return tool_result(result, f"{text}\nWarning: {started.warning}" if started.warning else text)


def _stopped(monitors: Sequence[Monitor]) -> CallToolResult:
    rows = [monitor_result(monitor, now=monitor.stopped_at or monitor.started_at) for monitor in monitors]
    lines = [f"Stopped {monitor.monitor_id} ({_scope(monitor)})." for monitor in monitors]

    def fitting(count: int) -> CallToolResult:
        cut = None if count == len(rows) else f"{len(rows) - count} stopped monitors not shown"
        text = "\n".join(lines[:count]) or "Nothing was being monitored."
        return tool_result(schemas.MonitoringStoppedResult(stopped=rows[:count], cut=cut), text)

    return first_that_fits(fitting(count) for count in shrinking(len(rows)))


def status_result(status: MonitoringStatus) -> CallToolResult:
    """The status as a result; with very many monitors, as many as fit."""
    return first_that_fits(
        tool_result(model, _status_text(status))
        for model in (status_model(status, shown=count) for count in shrinking(len(status.monitors)))
    )


def status_model(status: MonitoringStatus, *, shown: int | None = None) -> schemas.MonitoringStatusResult:
    """The status in the published shape, with the first `shown` monitors."""
    states = {channel: {str(state): n for state, n in counts.items()} for channel, counts in status.deliveries.items()}
    monitors = status.monitors[:shown]
    left_out = len(status.monitors) - len(monitors)
    return schemas.MonitoringStatusResult(
        active=bool(status.monitors),
        monitors=[monitor_result(monitor, now=status.now) for monitor in monitors],
        configuration=dict(status.configuration),
        alerts_sent={channel: counts.get(DeliveryState.DELIVERED, 0) for channel, counts in states.items()},
        deliveries_pending=sum(counts.get(DeliveryState.PENDING, 0) for counts in states.values()),
        deliveries_failed=sum(counts.get(DeliveryState.FAILED, 0) for counts in states.values()),
        deliveries=states,
        channels=list(status.channels),
        channel_kinds=dict(status.channel_kinds),
        workloads_watched=status.workloads,
        kubernetes=schemas.KubernetesResult(live=status.kubernetes_live, detail=status.kubernetes_detail),
        role="leader" if status.leader else "follower",
        role_since=instant(status.role_since),
        led_by=_leader(status),
        database=status.database_place,
        blind=status.blind,
        blind_reason=status.blind_reason,
        store_error=status.store_error,
        open_alerts={str(severity): count for severity, count in status.open_alerts.items()},
        queues=dict(status.queues),
        loop_failures=dict(status.loop_failures),
        delivery_errors={name: one_line(error, limit=300) for name, error in status.delivery_errors.items()},
        dead_letters=[schemas.DeliveryResult.model_validate(delivery_json(letter)) for letter in status.dead_letters],
        baseline_complete=status.baseline_complete,
        active_silences=status.active_silences,
        cursor=status.cursor,
        cut=f"{left_out} monitors not shown: stop those you do not need" if left_out else None,
    )


def _status_text(status: MonitoringStatus) -> str:
    lines = [_monitor_line(monitor, status) for monitor in status.monitors[:20]]
    if not lines:
        lines.append("Nothing is being monitored; start_monitoring() begins.")
    lines.append(_role(status))
    if status.blind:
        lines.append(f"BLIND: {status.blind_reason or 'Run:ai cannot be seen'}")
    if status.store_error:
        lines.append(f"ALERTS CANNOT BE STORED, and are not sent: {status.store_error}")
    told = ", ".join(f"{count} {severity}" for severity, count in sorted(status.open_alerts.items()))
    lines.append(f"Open alerts: {told or 'none'}.")
    if waiting := ", ".join(f"{count} {name}" for name, count in status.queues.items() if count):
        lines.append(f"Waiting: {waiting}.")
    if status.active_silences:
        lines.append(
            f"Active silences: {status.active_silences}; they keep alerts from the channels: see list_silences."
        )
    live = "live" if status.kubernetes_live else "not live"
    detail = one_line(status.kubernetes_detail or ("" if status.kubernetes_live else "not connected"), limit=300)
    live += f" ({detail})" if detail else ""
    lines.append(f"{status.workloads} workloads watched; Kubernetes {live}; cursor {status.cursor}.")
    told = ", ".join(f"{name} ({status.channel_kinds.get(name, 'unknown')})" for name in status.channels)
    lines.append(f"Channels: {told or 'none'}.")
    for channel, counts in status.deliveries.items():
        error = one_line(status.delivery_errors.get(channel), limit=300)
        said = f"; last error: {error}" if error else ""
        if counts.get(DeliveryState.FAILED):
            said += "; replay_deliveries tells the failed ones again, once the channel works"
        if counts.get(DeliveryState.PENDING) and channel not in status.channels:
            said += "; this channel is not configured here, so nothing is sent to it"
        lines.append(f"{channel}: " + ", ".join(f"{n} {state}" for state, n in counts.items()) + said)
    if status.loop_failures:
        failed = ", ".join(f"{name} {count} times" for name, count in status.loop_failures.items())
        lines.append(f"Loops that failed and were started again (see the server's log): {failed}.")
    return "\n".join(lines)


def _leader(status: MonitoringStatus) -> schemas.LeaderResult | None:
    if status.led_by is None:
        return None
    leader = status.led_by
    return schemas.LeaderResult(
        host=one_line(leader.host, limit=100), process_id=leader.process_id, since=instant(leader.since) or ""
    )


def _role(status: MonitoringStatus) -> str:
    """Who polls and delivers: when nobody is told anything, this is where to look."""
    since = f" since {instant(status.role_since)}" if status.role_since else ""
    if status.leader:
        return f"This process polls and delivers{since}."
    leader = _leader(status)
    if leader is None:
        return f"This process follows{since}; no other has polled yet."
    return f"This process follows{since}; process {leader.process_id} on {leader.host} leads since {leader.since}."


def _monitor_line(monitor: Monitor, status: MonitoringStatus) -> str:
    row = monitor_result(monitor, now=status.now)
    age = "never" if row.last_poll_age_seconds is None else f"{row.last_poll_age_seconds:.0f} s ago"
    line = (
        f"{monitor.monitor_id}: {_scope(monitor)}, until {row.ends_at or 'stopped'}, {monitor.polls} polls, last {age}"
    )
    return f"{line}, last error: {row.last_error}" if row.last_error else line


def _scope(monitor: Monitor) -> str:
    return "all allowed projects" if monitor.project is None else f"project {monitor.project}"

"""Monitors, and how their polling goes: written by the process that polls, read by all."""

from __future__ import annotations

import builtins
import dataclasses
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from runai_monitor.model.audit import ITSELF, AuditAction, AuditEntry
from runai_monitor.model.monitor import Monitor, MonitorId, MonitorState
from runai_monitor.store import tables
from runai_monitor.store.audit import record
from runai_monitor.store.database import Database
from runai_monitor.store.rows import instant, instant_text, required_instant, required_text, storable

_T = tables.monitors
_ACTIVE = _T.c.state == str(MonitorState.ACTIVE)
_ENDED: dict[str, Any] = {"state": str(MonitorState.ENDED), "stopped_at": _T.c.ends_at, "next_poll_at": None}


class MonitorStore:
    """What is being watched."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, monitor: Monitor, *, author: str = "") -> Monitor:
        """Stores a monitor, or returns the active one of the same scope. `author` is who asked, empty for nobody.

        One whose time was over before anybody noticed (no process was running) is ended, not returned.
        """
        at = required_text(monitor.started_at)
        over = _ACTIVE & _T.c.ends_at.is_not(None) & (_T.c.ends_at <= at)
        same_scope = _T.c.project.is_(None) if monitor.project is None else _T.c.project == monitor.project
        async with self._database.writing() as connection:
            await connection.execute(update(_T).where(over, same_scope).values(**_ENDED))
            found = (await connection.execute(select(_T).where(_ACTIVE, same_scope))).first()
            if found is not None:
                return _monitor(found)
            await connection.execute(insert(_T), _columns(monitor))
            began = f"{_scope(monitor.project)} until {instant_text(monitor.ends_at) or 'stopped'}"
            action = AuditAction.MONITOR_STARTED
            await record(connection, _entry(monitor.monitor_id, action, author, monitor.started_at, began))
        return monitor

    async def stop(self, monitor_id: MonitorId | None, *, at: datetime, author: str = "") -> list[Monitor]:
        """Stops one active monitor, or all; returns what was stopped, which may be nothing."""
        which = _ACTIVE if monitor_id is None else _ACTIVE & (_T.c.monitor_id == monitor_id)
        async with self._database.writing() as connection:
            rows = (await connection.execute(select(_T).where(which).order_by(_T.c.started_at))).all()
            stopped = {"state": str(MonitorState.STOPPED), "stopped_at": required_text(at), "next_poll_at": None}
            await connection.execute(update(_T).where(which).values(**stopped))
            action = AuditAction.MONITOR_STOPPED
            entries = (_entry(row.monitor_id, action, author, at, f"{_scope(row.project)} stopped") for row in rows)
            await record(connection, *entries)
        return [
            dataclasses.replace(_monitor(row), state=MonitorState.STOPPED, stopped_at=at, next_poll_at=None)
            for row in rows
        ]

    async def end_due(self, now: datetime) -> list[Monitor]:
        """Ends the monitors whose time is over; returns them. They stopped when it was over, not when that was noticed."""
        due = _ACTIVE & _T.c.ends_at.is_not(None) & (_T.c.ends_at <= required_text(now))
        async with self._database.writing() as connection:
            rows = (await connection.execute(select(_T).where(due).order_by(_T.c.started_at))).all()
            await connection.execute(update(_T).where(due).values(**_ENDED))
            action = AuditAction.MONITOR_STOPPED
            entries = (
                _entry(row.monitor_id, action, "", now, f"{_scope(row.project)}: its time was over") for row in rows
            )
            await record(connection, *entries)
        ended = (dataclasses.replace(_monitor(row), state=MonitorState.ENDED, next_poll_at=None) for row in rows)
        return [dataclasses.replace(monitor, stopped_at=monitor.ends_at) for monitor in ended]

    async def active(self) -> list[Monitor]:
        """The monitors that run, oldest first."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(_T).where(_ACTIVE).order_by(_T.c.started_at))).all()
        return [_monitor(row) for row in rows]

    async def list(self, limit: int = 20) -> builtins.list[Monitor]:
        """The newest monitors in any state, newest first."""
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(_T).order_by(_T.c.started_at.desc()).limit(limit))).all()
        return [_monitor(row) for row in rows]

    async def record_poll(
        self,
        monitor_id: MonitorId,
        *,
        at: datetime | None,
        error: str | None,
        error_at: datetime | None,
        next_poll_at: datetime | None,
        workloads: int,
    ) -> None:
        """A poll is over: `at` is set when it succeeded, `error` when it did not."""
        values: dict[str, Any] = {"next_poll_at": instant_text(next_poll_at), "polls": _T.c.polls + 1}
        if at is not None:
            values |= {"last_poll_at": required_text(at), "workloads": workloads}
        if error is None:
            values |= {"last_error": None, "last_error_at": None}
        else:
            values |= {"last_error": storable(error), "last_error_at": instant_text(error_at)}
        async with self._database.writing() as connection:
            await connection.execute(update(_T).where(_T.c.monitor_id == monitor_id).values(**values))


def _scope(project: str | None) -> str:
    return "all allowed projects" if project is None else f"project {project}"


def _entry(monitor_id: str, action: AuditAction, author: str, at: datetime, detail: str) -> AuditEntry:
    return AuditEntry(at=at, author=author or ITSELF, action=action, target=monitor_id, detail=detail)


def _columns(monitor: Monitor) -> dict[str, Any]:
    return {
        "monitor_id": monitor.monitor_id,
        "project": monitor.project,
        "state": str(monitor.state),
        "started_at": required_text(monitor.started_at),
        "ends_at": instant_text(monitor.ends_at),
        "stopped_at": instant_text(monitor.stopped_at),
        "poll_interval_seconds": str(monitor.poll_interval_seconds),
        "only_failed": int(monitor.only_failed),
        "auto_troubleshoot": int(monitor.auto_troubleshoot),
    }


def _monitor(row: Row[Any]) -> Monitor:
    return Monitor(
        monitor_id=MonitorId(row.monitor_id),
        project=row.project,
        state=MonitorState(row.state),
        started_at=required_instant(row.started_at),
        ends_at=instant(row.ends_at),
        poll_interval_seconds=float(row.poll_interval_seconds),
        only_failed=bool(row.only_failed),
        auto_troubleshoot=bool(row.auto_troubleshoot),
        stopped_at=instant(row.stopped_at),
        polls=row.polls,
        last_poll_at=instant(row.last_poll_at),
        last_error=row.last_error,
        last_error_at=instant(row.last_error_at),
        next_poll_at=instant(row.next_poll_at),
        workloads=row.workloads,
    )

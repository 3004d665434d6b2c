"""What was stored about a workload before, and about others in the same hour: few columns of a bounded number of alerts.

The values are taken out of the documents by the database: a document is tens of kilobytes, and only the event loop
would decode it. A diagnosis has a deadline, and the disk has none: it is read apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import CTE, ColumnElement, Connection, Select, and_, func, or_, select

from runai_monitor.model.alert import AlertId, AlertKind, AlertState, Change
from runai_monitor.model.history import MOST_NEIGHBOURS, WINDOW, AlertHistory, Episode, Neighbour
from runai_monitor.model.workload import Workload
from runai_monitor.store import tables
from runai_monitor.store.database import Database
from runai_monitor.store.portable import JsonDocument, JsonText, parsed
from runai_monitor.store.rows import instant, required_instant, required_text

REMEMBERED = timedelta(days=30)
MOST_EPISODES = 50
MOST_EXAMINED = 500
"""Alerts, the newest, that are looked through for earlier submissions, and for neighbours: a few milliseconds."""
_LONGEST = 300

_T = tables.alerts
_UNHEALTHY = _T.c.kind == str(AlertKind.WORKLOAD_UNHEALTHY)


def _seen(which: ColumnElement[bool]) -> CTE:
    """Some alerts, their documents ready to be looked into."""
    plain = (_T.c.cursor, _T.c.alert_id, _T.c.subject_id, _T.c.project, _T.c.state)
    return parsed(select(*plain, JsonDocument(_T.c.document).label("document")).where(which), "seen")


def _value(seen: CTE, path: str) -> ColumnElement[Any]:
    """A value of the document, NULL where it has none: one that an older version wrote lacks what came later."""
    return JsonText(seen.c.document, path)


def _text(seen: CTE, path: str) -> ColumnElement[Any]:
    return func.substr(_value(seen, path), 1, _LONGEST)


def _episode_columns(seen: CTE) -> tuple[ColumnElement[Any], ...]:
    return (
        seen.c.alert_id,
        seen.c.subject_id,
        _text(seen, "status"),
        _text(seen, "started_at"),
        _text(seen, "diagnosis.causes[0].cause"),
        _text(seen, "diagnosis.causes[0].title"),
        _text(seen, "resolved_at"),
    )


def _neighbour_columns(seen: CTE) -> tuple[ColumnElement[Any], ...]:
    return (
        _value(seen, "subject.cluster_id"),
        seen.c.subject_id,
        seen.c.project,
        _text(seen, "subject.name"),
        _text(seen, "status"),
        _text(seen, "started_at"),
        _text(seen, "diagnosis.causes[0].cause"),
        _value(seen, "diagnosis.nodes"),
        _value(seen, "subject.images"),
    )


class HistoryStore:
    """Answers from stored alerts.

    Args:
        database: where they are.
        projects: the projects that may be seen, None for all. Of others nothing is told, not even how many.
    """

    def __init__(self, database: Database, *, projects: Sequence[str] | None) -> None:
        self._database = database
        self._in_scope = _UNHEALTHY if projects is None else and_(_UNHEALTHY, _T.c.project.in_(list(projects)))

    async def history_of(self, workload: Workload, *, failed_at: datetime, now: datetime) -> AlertHistory:
        """The earlier episodes of a workload within 30 days of `now`, and who else failed within an hour of `failed_at`.

        Earlier submissions under the same name in the same project count as the workload. The alert that is open about
        the workload itself is its present episode, not an earlier one.

        Raises:
            StoreError: it cannot be read.
        """
        return await self._database.read_apart(lambda connection: self._read(connection, workload, failed_at, now))

    def _read(self, connection: Connection, workload: Workload, failed_at: datetime, now: datetime) -> AlertHistory:
        episodes = _episodes(connection, self._in_scope, workload, now - REMEMBERED)
        neighbours, more = _neighbours(connection, self._in_scope, workload, failed_at)
        return AlertHistory(
            episodes=tuple(episodes[:MOST_EPISODES]),
            more_episodes=len(episodes) > MOST_EPISODES,
            neighbours=tuple(neighbours),
            more_neighbours=more,
        )


def _episodes(
    connection: Connection, in_scope: ColumnElement[bool], workload: Workload, since: datetime
) -> list[Episode]:
    lately = and_(in_scope, _T.c.updated_at >= required_text(since))
    of_project = _newest(and_(lately, _T.c.project == workload.project))
    seen = _seen(and_(lately, or_(_T.c.subject_id == workload.id, _T.c.cursor.in_(of_project))))
    itself = seen.c.subject_id == workload.id
    same_name = and_(
        _value(seen, "subject.name") == workload.name, _value(seen, "subject.cluster_id") == workload.cluster_id
    )
    present = and_(itself, seen.c.state != str(AlertState.RESOLVED))
    query = (
        select(*_episode_columns(seen))
        .where(or_(itself, same_name), ~present)
        .order_by(seen.c.cursor.desc())
        .limit(MOST_EPISODES + 1)
    )
    rows = connection.execute(query).all()
    endings = _endings(connection, [row[0] for row in rows])
    found = [_episode(row, endings.get(row[0])) for row in rows]
    return sorted((e for e in found if e.started_at >= since), key=lambda e: e.started_at, reverse=True)


def _endings(connection: Connection, alert_ids: Sequence[str]) -> dict[str, str]:
    """Why alerts were resolved."""
    table = tables.transitions
    query = select(table.c.alert_id, func.substr(table.c.reason, 1, _LONGEST)).where(
        table.c.alert_id.in_(alert_ids), table.c.change == str(Change.RESOLVED)
    )
    return {row[0]: row[1] for row in connection.execute(query).all()}


def _neighbours(
    connection: Connection, in_scope: ColumnElement[bool], workload: Workload, failed_at: datetime
) -> tuple[list[Neighbour], bool]:
    first, last = failed_at - WINDOW, failed_at + WINDOW
    lately = and_(_T.c.cursor.in_(_newest(in_scope)), _T.c.updated_at >= required_text(first))
    seen = _seen(lately)
    rows = connection.execute(select(*_neighbour_columns(seen)).order_by(seen.c.cursor.desc()))
    found: dict[str, Neighbour] = {}
    examined = 0
    for cluster, *row in rows:  # each is looked into as it is fetched
        examined += 1
        other = _neighbour(row)
        itself = other.workload_id == workload.id or (other.project, other.name) == (workload.project, workload.name)
        if cluster == workload.cluster_id and not itself and first <= other.started_at <= last:
            found.setdefault(other.workload_id, other)
        if len(found) > MOST_NEIGHBOURS:
            break
    rows.close()
    more = len(found) > MOST_NEIGHBOURS or examined == MOST_EXAMINED
    return list(found.values())[:MOST_NEIGHBOURS], more


def _newest(which: ColumnElement[bool]) -> Select[Any]:
    """The cursors of the newest alerts: found by index, before any document is looked into."""
    return select(_T.c.cursor).where(which).order_by(_T.c.cursor.desc()).limit(MOST_EXAMINED)


def _episode(row: Sequence[Any], ending: str | None) -> Episode:
    alert_id, workload_id, status, started, cause, title, resolved = row
    return Episode(
        alert_id=AlertId(alert_id),
        workload_id=workload_id,
        status=status,
        started_at=required_instant(started),
        cause=cause,
        title=title,
        ended_at=instant(resolved),
        ending=ending,
    )


def _neighbour(row: Sequence[Any]) -> Neighbour:
    workload_id, project, name, status, started, cause, nodes, images = row
    return Neighbour(
        workload_id=workload_id,
        project=project,
        name=name,
        status=status,
        started_at=required_instant(started),
        cause=cause,
        nodes=_texts(nodes),
        images=_texts(images),
    )


def _texts(array: str | None) -> tuple[str, ...]:
    return () if array is None else msgspec.json.decode(array, type=tuple[str, ...])

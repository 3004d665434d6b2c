"""Silences: made and ended, never changed, so that it can be said later why somebody was not told.

Only `retention` deletes them, long after their end.
"""

from __future__ import annotations

import builtins
import dataclasses
import logging
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from runai_monitor.errors import StoreError
from runai_monitor.model.audit import AuditAction, AuditEntry
from runai_monitor.model.silence import Matcher, Silence, SilenceId
from runai_monitor.store import tables
from runai_monitor.store.audit import record
from runai_monitor.store.database import Database
from runai_monitor.store.rows import instant, instant_text, required_instant, required_text, storable

log = logging.getLogger(__name__)

_T = tables.silences


class SilenceStore:
    """The silences of every process on this state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, silence: Silence, *, at: datetime, replaces: SilenceId | None = None) -> None:
        """Stores a silence; the one it replaces ends in the same instant, so that nothing is told in between.

        Raises:
            StoreError: nothing was stored, and nothing ended.
        """
        async with self._database.writing() as connection:
            if replaces is not None:
                why = f"replaced by {silence.silence_id}"
                await _expire(connection, replaces, author=silence.author, at=at, why=why)
            await connection.execute(insert(_T), _columns(silence))
            detail = f"{_said(silence)} until {silence.ends_at:%Y-%m-%d %H:%M} UTC: {silence.reason}"
            await record(
                connection, _entry(silence.silence_id, AuditAction.SILENCE_CREATED, silence.author, at, detail)
            )

    async def expire(self, silence_id: SilenceId, *, author: str, at: datetime) -> Silence | None:
        """Ends a silence and returns it as it is now; one that has ended already stays as it was. None: there is none."""
        async with self._database.writing() as connection:
            return await _expire(connection, silence_id, author=author, at=at, why="ended early")

    async def get(self, silence_id: SilenceId) -> Silence | None:
        """One silence, or None."""
        async with self._database.reading() as connection:
            return await _get(connection, silence_id)

    async def active(self, now: datetime) -> builtins.list[Silence]:
        """Those that hold now, oldest first."""
        at = required_text(now)
        return await self._read(select(_T).where(_T.c.starts_at <= at, _not_ended(at)).order_by(_T.c.starts_at))

    async def list(
        self, *, now: datetime, expired: bool = False, pending: bool = True, limit: int = 1000
    ) -> builtins.list[Silence]:
        """Silences, those that end last first: with those that have ended, and those that have not begun, as asked."""
        at = required_text(now)
        query = select(_T).order_by(_T.c.ends_at.desc(), _T.c.silence_id).limit(limit)
        if not expired:
            query = query.where(_not_ended(at))
        if not pending:
            query = query.where(_T.c.starts_at <= at)
        return await self._read(query)

    async def count_open(self, now: datetime) -> int:
        """How many have not ended."""
        query = select(func.count()).select_from(_T).where(_not_ended(required_text(now)))
        async with self._database.reading() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def _read(self, query: Select[Any]) -> builtins.list[Silence]:
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        found: builtins.list[Silence] = []
        for row in rows:
            try:
                found.append(_silence(row))
            except StoreError as error:
                # Rather one message too many than none for as long as it is there.
                log.error("silence %s silences nothing: %s", row.silence_id, error)  # noqa: TRY400  # one sentence says it
        return found


def _not_ended(at: str) -> Any:
    return (_T.c.ends_at > at) & (_T.c.expired_at.is_(None) | (_T.c.expired_at > at))


async def _get(connection: AsyncConnection, silence_id: SilenceId) -> Silence | None:
    row = (await connection.execute(select(_T).where(_T.c.silence_id == silence_id))).first()
    return None if row is None else _silence(row)


async def _expire(
    connection: AsyncConnection, silence_id: SilenceId, *, author: str, at: datetime, why: str
) -> Silence | None:
    found = await _get(connection, silence_id)
    if found is None or found.expired_at is not None or found.ends_at <= at:
        return found
    ended = {"expired_at": required_text(at), "expired_by": storable(author)}
    await connection.execute(update(_T).where(_T.c.silence_id == silence_id).values(**ended))
    await record(connection, _entry(silence_id, AuditAction.SILENCE_EXPIRED, author, at, f"{_said(found)}: {why}"))
    return dataclasses.replace(found, expired_at=at, expired_by=author)


def _said(silence: Silence) -> str:
    return "{" + ", ".join(map(str, silence.matchers)) + "}"


def _entry(silence_id: SilenceId, action: AuditAction, author: str, at: datetime, detail: str) -> AuditEntry:
    return AuditEntry(at=at, author=author, action=action, target=silence_id, detail=detail)


def _columns(silence: Silence) -> dict[str, Any]:
    return {
        "silence_id": silence.silence_id,
        "matchers": msgspec.json.encode(silence.matchers).decode(),
        "author": storable(silence.author),
        "reason": storable(silence.reason),
        "starts_at": required_text(silence.starts_at),
        "ends_at": required_text(silence.ends_at),
        "expired_at": instant_text(silence.expired_at),
        "expired_by": silence.expired_by,
    }


def _silence(row: Row[Any]) -> Silence:
    try:
        matchers = msgspec.json.decode(row.matchers, type=tuple[Matcher, ...])
    except msgspec.MsgspecError as error:
        raise StoreError(f"a stored silence cannot be read ({error}); another version may have written it") from error
    return Silence(
        silence_id=SilenceId(row.silence_id),
        matchers=matchers,
        author=row.author,
        reason=row.reason,
        starts_at=required_instant(row.starts_at),
        ends_at=required_instant(row.ends_at),
        expired_at=instant(row.expired_at),
        expired_by=row.expired_by,
    )

"""Silences and the audit as they are stored, and acknowledgements as they change an alert."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import Alert, AlertFilter, AlertId, AlertState, Change, Severity
from runai_monitor.model.audit import ITSELF, AuditAction, AuditEntry
from runai_monitor.model.silence import Matcher, MatchField, Silence, SilenceId
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.audit import AuditStore, record_replayed
from runai_monitor.store.database import FILE_NAME, Database, open_database
from runai_monitor.store.deliveries import DeliveryStore
from runai_monitor.store.monitors import MonitorStore
from runai_monitor.store.silences import SilenceStore
from tests.factories import make_monitor, make_transition
from tests.fakes import EPOCH

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(state_dir=tmp_path)
    try:
        yield opened
    finally:
        await opened.aclose()


def silence(number: int = 1, **fields: Any) -> Silence:
    return Silence(
        **{
            "silence_id": SilenceId(f"si-{number}"),
            "matchers": (Matcher(field=MatchField.PROJECT, operator="=", value="ml-team"),),
            "author": "anna",
            "reason": "maintenance",
            "starts_at": EPOCH,
            "ends_at": EPOCH + HOUR,
            **fields,
        }
    )


async def entries(database: Database, **filters: Any) -> list[tuple[str, str, str, str]]:
    async with AuditStore(database).reading(**filters) as found:
        return [(entry.author, str(entry.action), entry.target, entry.detail) async for entry in found]


async def ids(store: SilenceStore, *, hours: float) -> list[str]:
    return [one.silence_id for one in await store.active(EPOCH + hours * HOUR)]


# --- silences ---------------------------------------------------------------------------------------------------


async def test_a_silence_holds_from_its_start_to_its_end(database: Database) -> None:
    """What is planned is not yet quiet, and what is over is not quiet any more, in any process."""
    store = SilenceStore(database)
    await store.create(silence(1), at=EPOCH)
    later = silence(2, starts_at=EPOCH + HOUR / 2, ends_at=EPOCH + 2 * HOUR)
    await store.create(later, at=EPOCH)
    assert await ids(store, hours=0) == ["si-1"]
    assert await ids(store, hours=0.5) == ["si-1", "si-2"]
    assert await ids(store, hours=1) == ["si-2"]
    assert await ids(store, hours=2) == []
    assert await store.get(later.silence_id) == later
    assert [one.silence_id for one in await store.list(now=EPOCH)] == ["si-2", "si-1"]
    assert [one.silence_id for one in await store.list(now=EPOCH, pending=False)] == ["si-1"]
    assert [one.silence_id for one in await store.list(now=EPOCH + HOUR)] == ["si-2"]
    assert len(await store.list(now=EPOCH + 3 * HOUR, expired=True)) == 2
    assert [await store.count_open(EPOCH + hours * HOUR) for hours in (0, 1, 2)] == [2, 1, 0]


async def test_ending_a_silence_early_keeps_it_in_the_record(database: Database) -> None:
    """As in Alertmanager: it is expired, not deleted, and ending it again changes nothing."""
    store = SilenceStore(database)
    await store.create(silence(), at=EPOCH)
    ended = await store.expire(SilenceId("si-1"), author="ben", at=EPOCH + HOUR / 2)
    assert ended is not None
    assert (ended.expired_at, ended.expired_by) == (EPOCH + HOUR / 2, "ben")
    assert await ids(store, hours=0.5) == []
    assert await store.expire(SilenceId("si-1"), author="carl", at=EPOCH + HOUR * 0.75) == ended
    assert await store.expire(SilenceId("si-9"), author="carl", at=EPOCH) is None
    assert [entry[:3] for entry in await entries(database)] == [
        ("ben", "silence_expired", "si-1"),
        ("anna", "silence_created", "si-1"),
    ]


async def test_a_silence_is_changed_by_one_that_replaces_it(database: Database) -> None:
    """As in Alertmanager, where changed matchers make a new silence and end the old: at no instant neither holds."""
    store = SilenceStore(database)
    await store.create(silence(1), at=EPOCH)
    at = EPOCH + HOUR / 2
    await store.create(silence(2, starts_at=at, ends_at=at + HOUR), at=at, replaces=SilenceId("si-1"))
    assert await ids(store, hours=0.499) == ["si-1"]
    assert await ids(store, hours=0.5) == ["si-2"]
    old = await store.get(SilenceId("si-1"))
    assert old is not None
    assert (old.expired_at, old.expired_by) == (at, "anna")


async def test_a_silence_that_cannot_be_read_silences_nothing_and_stops_nobody(
    database: Database, tmp_path: Path
) -> None:
    """One odd row must not keep every alert from its channel."""
    store = SilenceStore(database)
    await store.create(silence(1), at=EPOCH)
    await store.create(silence(2), at=EPOCH)
    with sqlite3.connect(tmp_path / FILE_NAME) as connection:
        connection.execute("UPDATE silences SET matchers = '[{\"field\":\"moon\"}]' WHERE silence_id = 'si-1'")
    connection.close()
    assert await ids(store, hours=0) == ["si-2"]


# --- acknowledgements -------------------------------------------------------------------------------------------


async def acknowledge(store: AlertStore, alert: Alert, author: str = "anna", note: str = "") -> tuple[Alert, bool]:
    found = await store.acknowledge(
        alert.alert_id, author=author, note=note, at=EPOCH + HOUR, channels=["slack", "mail"]
    )
    assert found is not None
    return found


async def test_an_acknowledgement_is_a_change_with_its_author_told_where_the_alert_was_told(
    database: Database,
) -> None:
    """Readers of cursors, the history, the audit and the colleagues in the channel all learn who takes care of it."""
    store = AlertStore(database)
    (alert,) = await store.apply([make_transition()], channels=["slack"])
    acknowledged, changed = await acknowledge(store, alert, note="looking at the limits")
    assert changed
    assert (acknowledged.state, acknowledged.acknowledged_by) == (AlertState.ACKNOWLEDGED, "anna")
    assert acknowledged.acknowledged_at == acknowledged.updated_at == EPOCH + HOUR
    assert (acknowledged.cursor, acknowledged.notifications) == (2, 1), (
        "a change, and none of the notifications allowed"
    )
    assert await store.list(AlertFilter(after_cursor=1, state=AlertState.ACKNOWLEDGED)) == [acknowledged]
    assert (await store.transitions(alert.alert_id))[-1][1:] == (
        Change.ACKNOWLEDGED,
        "acknowledged by anna: looking at the limits",
    )
    told = await DeliveryStore(database).of_alert(alert.alert_id)
    assert [(one.channel, one.notification.change) for one in told] == [
        ("slack", Change.OPENED),
        ("slack", Change.ACKNOWLEDGED),
    ]
    assert (await entries(database))[0] == (
        "anna",
        "alert_acknowledged",
        alert.alert_id,
        "acknowledged by anna: looking at the limits",
    )


async def test_what_is_acknowledged_or_over_is_not_acknowledged_again(database: Database) -> None:
    """Two people and an agent press the button at once: the first has it, and nobody is told twice."""
    store = AlertStore(database)
    (alert,) = await store.apply([make_transition()], channels=["slack"])
    first, _ = await acknowledge(store, alert, "anna")
    assert await acknowledge(store, alert, "ben") == (first, False)
    (resolved,) = await store.apply([make_transition(change=Change.RESOLVED)], channels=["slack"])
    assert (resolved.state, resolved.acknowledged_by) == (AlertState.RESOLVED, "anna")
    assert await acknowledge(store, alert, "ben") == (resolved, False)
    assert len(await entries(database, action=AuditAction.ALERT_ACKNOWLEDGED)) == 1
    assert await store.acknowledge(AlertId("al-no"), author="ben", note="", at=EPOCH, channels=[]) is None


async def test_an_acknowledged_alert_gets_worse_and_stays_acknowledged_but_is_not_reminded_of(
    database: Database,
) -> None:
    """A reminder that was decided before the acknowledgement came through must not go out after it."""
    store = AlertStore(database)
    (alert,) = await store.apply([make_transition(severity=Severity.WARNING)], channels=["slack"])
    await acknowledge(store, alert)
    assert await store.apply([make_transition(change=Change.REMINDED)], channels=["slack"]) == []
    (worse,) = await store.apply([make_transition(change=Change.ESCALATED)], channels=["slack"])
    assert (worse.state, worse.acknowledged_by, worse.severity) == (AlertState.ACKNOWLEDGED, "anna", Severity.CRITICAL)
    told = [one.notification.change for one in await DeliveryStore(database).of_alert(alert.alert_id)]
    assert told == [Change.OPENED, Change.ACKNOWLEDGED, Change.ESCALATED]


# --- audit ------------------------------------------------------------------------------------------------------


async def test_the_audit_tells_who_did_what_newest_first_and_narrows(database: Database) -> None:
    """Transitions, deliveries, monitors: whatever is stored is recorded in the same transaction."""
    alerts, monitors, deliveries = AlertStore(database), MonitorStore(database), DeliveryStore(database)
    monitor = await monitors.start(make_monitor(1, project="one"), author="Claude 1.0")
    await monitors.start(make_monitor(2, project="one"), author="nobody: it runs already")
    (alert,) = await alerts.apply([make_transition()], channels=["slack"])
    (number,) = await deliveries.due("slack", owner="me", now=EPOCH)
    await deliveries.record_told([number], at=EPOCH + HOUR)
    await monitors.stop(monitor.monitor_id, at=EPOCH + 2 * HOUR, author="anna")
    told = await entries(database)
    assert told == [
        ("anna", "monitor_stopped", "mon-1", "project one stopped"),
        (ITSELF, "delivery_settled", alert.alert_id, f"delivery {number} to slack (opened): delivered"),
        (ITSELF, "alert_changed", alert.alert_id, "opened OOMKilled: because the test says so"),
        ("Claude 1.0", "monitor_started", "mon-1", "project one until stopped"),
    ]
    assert await entries(database, author="CLAUDE") == told[3:]
    assert await entries(database, action=AuditAction.ALERT_CHANGED) == told[2:3]
    assert await entries(database, target=alert.alert_id) == told[1:3]
    assert await entries(database, since=EPOCH + HOUR) == told[:2]
    assert await entries(database, limit=1) == told[:1]


async def test_a_replay_is_recorded_with_who_asked_for_it(database: Database) -> None:
    """What went out twice has a name to it."""
    (alert,) = await AlertStore(database).apply([make_transition()], channels=["slack"])
    (number,) = await DeliveryStore(database).due("slack", owner="me", now=EPOCH)
    async with database.writing() as connection:
        await record_replayed(connection, [number], author="anna", at=EPOCH)
    assert (await entries(database, limit=1)) == [
        ("anna", "delivery_replayed", alert.alert_id, f"delivery {number} to slack (opened): replayed")
    ]


async def test_what_is_not_stored_is_not_recorded_either(database: Database) -> None:
    """An audit that tells of what was rolled back is worse than none."""
    with pytest.raises(StoreError):
        await AlertStore(database).apply([make_transition()], channels=[None])  # type: ignore[list-item]
    assert await entries(database) == []


async def test_an_entry_is_one_line_of_bounded_length(database: Database) -> None:
    """Reasons are written by anyone."""
    entry = AuditEntry(at=EPOCH, author="", action=AuditAction.TEST_SENT, target="slack", detail="a\nb" * 1000)
    await AuditStore(database).append(entry)
    ((author, _, _, detail),) = await entries(database)
    assert author == ITSELF
    assert len(detail) <= 500
    assert "\n" not in detail


# --- reading without end ----------------------------------------------------------------------------------------


async def test_alerts_are_read_in_one_view_however_many_and_whatever_changes_meanwhile(database: Database) -> None:
    """An export that misses the alert that changed while it ran is no export; nor may it hold up who stores alerts."""
    store = AlertStore(database)
    await store.apply([make_transition(f"job-{number}") for number in range(250)], channels=[])
    read: list[tuple[str, AlertState]] = []
    async with store.reading() as alerts:
        async for alert in alerts:
            if not read:
                await store.apply([make_transition("job-3", Change.RESOLVED)], channels=[])
            read.append((alert.subject.name, alert.state))
    assert read == [(f"job-{number}", AlertState.FIRING) for number in reversed(range(250))]
    async with store.reading(AlertFilter(since=EPOCH, until=EPOCH, state=AlertState.RESOLVED)) as alerts:
        assert [alert.subject.name async for alert in alerts] == ["job-3"]
    async with store.reading(AlertFilter(until=EPOCH - HOUR)) as alerts:
        assert [alert async for alert in alerts] == []

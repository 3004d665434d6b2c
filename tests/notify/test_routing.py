"""Who is told: the first route that matches, and never nobody for want of one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runai_monitor.model.alert import Alert, AlertKind, Change, Severity
from runai_monitor.model.routing import Route, TimeWindow, Weekday
from runai_monitor.notify.routing import channels_for, within
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import Database, open_database
from runai_monitor.store.deliveries import DeliveryStore
from tests.factories import make_transition
from tests.fakes import EPOCH
from tests.notify.messages import notification

ALL = ("slack", "oncall", "mail")


def told(*routes: Route, default: tuple[str, ...] = (), **fields: Any) -> tuple[str, ...]:
    return channels_for(notification(**fields).alert, routes, channels=ALL, default=default)


def test_without_routes_every_channel_is_told() -> None:
    """What was set up before routes existed goes on as it was."""
    assert told() == ALL


@pytest.mark.parametrize(
    "condition",
    [
        {"projects": ("ml-*",)},
        {"severities": (Severity.CRITICAL,)},
        {"statuses": ("OOMKilled", "Evicted")},
        {"kinds": (AlertKind.WORKLOAD_UNHEALTHY,)},
        {"causes": ("container_*",)},
    ],
    ids=lambda condition: next(iter(condition)),
)
def test_each_condition_lets_through_and_keeps_out(condition: dict[str, Any]) -> None:
    """A condition that is not looked at wakes the wrong people."""
    assert told(Route(channels=("oncall",), **condition)) == ("oncall",)
    other = notification(status="Pending", severity=Severity.INFO, kind=AlertKind.MONITOR_BLIND, diagnosis=None).alert
    stranger = Alert(**{name: getattr(other, name) for name in Alert.__dataclass_fields__} | {"subject": _elsewhere()})
    assert channels_for(stranger, [Route(channels=("oncall",), **condition)], channels=ALL, default=("mail",)) == (
        "mail",
    )


def _elsewhere() -> Any:
    return make_transition("other", project="research").subject


def test_the_first_match_decides_unless_it_goes_on() -> None:
    """The words of every router since the first; another order would surprise."""
    mine, rest = Route(channels=("oncall", "slack"), projects=("ml-team",)), Route(channels=("slack", "mail"))
    assert told(mine, rest) == ("oncall", "slack")
    on = Route(channels=("oncall", "slack"), projects=("ml-team",), goes_on=True)
    assert told(on, rest) == ("oncall", "slack", "mail")
    assert told(on) == ("oncall", "slack"), "going on to no further route is no reason for the default"


def test_an_alert_that_no_route_matches_goes_to_the_default_or_to_all() -> None:
    """It must never be lost for want of a route."""
    nobody = Route(channels=("oncall",), projects=("another",))
    assert told(nobody, default=("mail",)) == ("mail",)
    assert told(nobody) == ALL


def test_a_route_to_nobody_is_meant() -> None:
    """Told to none, and still recorded and pushed."""
    assert told(Route(channels=(), severities=(Severity.CRITICAL,)), default=ALL) == ()


NIGHT = TimeWindow(time_zone="Europe/Berlin", days=(Weekday.FRIDAY,), starts=time(22), ends=time(6))


@pytest.mark.parametrize(
    ("instant", "inside"),
    [
        (datetime(2026, 3, 6, 20, 59, tzinfo=UTC), False),  # Friday 21:59 in Berlin
        (datetime(2026, 3, 6, 21, 0, tzinfo=UTC), True),  # 22:00
        (datetime(2026, 3, 7, 4, 59, tzinfo=UTC), True),  # Saturday 05:59, the same night
        (datetime(2026, 3, 7, 5, 0, tzinfo=UTC), False),
        (datetime(2026, 3, 7, 22, 0, tzinfo=UTC), False),  # Saturday night
        (datetime(2026, 3, 6, 4, 0, tzinfo=UTC), False),  # Friday morning is Thursday's night
        (datetime(2026, 7, 3, 20, 0, tzinfo=UTC), True),  # in summer an hour earlier
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_began(instant: datetime, inside: bool) -> None:
    """On-call plans say "Friday night", and clocks change."""
    assert within(NIGHT, instant) is inside


@given(
    st.integers(0, 7 * 24 * 60).map(lambda minutes: EPOCH + timedelta(minutes=minutes)),
    st.times(),
    st.times(),
)
def test_a_window_and_its_opposite_leave_no_gap(instant: datetime, starts: time, ends: time) -> None:
    """Day and night shifts must meet: an alert of that minute would reach both or nobody."""
    day, night = TimeWindow(starts=starts, ends=ends), TimeWindow(starts=ends, ends=starts)
    if starts != ends:
        assert within(day, instant) != within(night, instant)
    else:
        assert within(day, instant)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(state_dir=tmp_path)
    try:
        yield opened
    finally:
        await opened.aclose()


@pytest.mark.anyio
async def test_the_end_goes_where_the_opening_went(database: Database) -> None:
    """Who was woken must hear that it is over, whatever the routes say by then; nobody else cares."""
    store = AlertStore(database)
    await store.apply([make_transition()], channels=ALL, route=lambda _alert: ("oncall",))
    escalated = make_transition(change=Change.ESCALATED, status="Failed")
    await store.apply([escalated], channels=ALL, route=lambda alert: ("slack",) if alert.status == "Failed" else ())
    await store.apply([make_transition(change=Change.RESOLVED)], channels=ALL, route=lambda _alert: ("mail",))
    rows = await DeliveryStore(database).of_alert(make_transition().alert_id)
    assert [(row.channel, row.notification.change) for row in rows] == [
        ("oncall", Change.OPENED),
        ("slack", Change.ESCALATED),
        ("slack", Change.RESOLVED),
        ("oncall", Change.RESOLVED),
    ]


@pytest.mark.anyio
async def test_a_route_knows_the_diagnosis_that_came_with_the_opening(database: Database) -> None:
    """A reminder brings none of its own, and must not lose its way for that."""
    seen: list[str] = []

    def route(alert: Alert) -> tuple[str, ...]:
        seen.append(alert.diagnosis.causes[0].cause if alert.diagnosis else "")
        return ()

    diagnosis = notification().alert.diagnosis
    store = AlertStore(database)
    await store.apply([make_transition(diagnosis=diagnosis)], channels=ALL, route=route)
    await store.apply([make_transition(change=Change.REMINDED)], channels=ALL, route=route)
    assert seen == ["container_oom", "container_oom"]

"""When a message is tried again, and when it is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runai_monitor.notify.retry import (
    LONGEST_ASKED_PAUSE_SECONDS,
    RetryPolicy,
    SteadyTime,
    retry_after_seconds,
)
from tests.fakes import EPOCH, FakeClock

HALF_A_MINUTE_ON = "Sun, 01 Mar 2026 03:00:30 GMT"


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("99999999999999999999", LONGEST_ASKED_PAUSE_SECONDS),
        (HALF_A_MINUTE_ON, 30.0),
        ("Sunday, 01-Mar-26 03:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 02:00:00 GMT", 0.0),
        ("Mon, 01 Mar 2027 02:00:00 GMT", LONGEST_ASKED_PAUSE_SECONDS),
        (None, None),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("٧", None),
        ("Sun, 99 Mar 2026 03:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(value: str | None, pause: float | None) -> None:
    """Servers send both; what is neither must not stop a channel."""
    assert retry_after_seconds(value, now=EPOCH) == pause


def test_a_date_is_taken_against_the_clock_of_the_server_that_sent_it() -> None:
    """A machine whose clock is a day late would otherwise wait for a day."""
    sent = "Sun, 01 Mar 2026 03:00:00 GMT"
    assert retry_after_seconds(HALF_A_MINUTE_ON, now=EPOCH - timedelta(days=1), date=sent) == 30


@given(attempts=st.integers(0, 10**6), minutes=st.floats(0.1, 60))
def test_pauses_double_from_two_seconds_up_to_the_longest(attempts: int, minutes: float) -> None:
    """Never beyond the setting, and anything below: full jitter."""
    ceilings: list[float] = []

    def jitter(ceiling: float) -> float:
        ceilings.append(ceiling)
        return 0.0

    assert RetryPolicy(longest_pause_minutes=minutes, jitter=jitter).pause_seconds(attempts) == 0
    assert ceilings == [min(minutes * 60, 2.0 * 2 ** min(30, max(0, attempts - 1)))]
    assert 0 <= RetryPolicy(longest_pause_minutes=minutes).pause_seconds(attempts) <= minutes * 60


def test_a_message_is_given_up_after_a_day_of_trying() -> None:
    """Neither earlier nor never."""
    clock, policy = FakeClock(), RetryPolicy()
    time = SteadyTime(clock)
    late = EPOCH + timedelta(hours=24)
    assert policy.is_hopeless(created_at=EPOCH, attempts=50, now=late, time=time)
    assert not policy.is_hopeless(created_at=EPOCH, attempts=50, now=late - timedelta(seconds=1), time=time)


def test_the_days_a_machine_was_off_are_no_time_of_trying() -> None:
    """After a weekend without power every message would be given up at the first hiccup."""
    time = SteadyTime(FakeClock())
    assert not RetryPolicy().is_hopeless(created_at=EPOCH, attempts=1, now=EPOCH + timedelta(days=3), time=time)

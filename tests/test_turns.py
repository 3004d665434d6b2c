"""Threads that compute give way to the event loop."""

from __future__ import annotations

import sys

from runai_monitor.pace import TURN_SECONDS, short_turns


def test_turns_are_short_while_a_server_runs_and_as_before_afterwards() -> None:
    """Four threads that search logs would hold up every client for a tenth of a second."""
    before = sys.getswitchinterval()
    with short_turns():
        assert sys.getswitchinterval() == TURN_SECONDS
    assert sys.getswitchinterval() == before

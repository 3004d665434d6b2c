"""The listening socket: made by us, so what uvicorn's own would have must be set by us."""

from __future__ import annotations

import socket

import pytest

from runai_monitor.errors import SettingsError
from runai_monitor.mcp_server.http import _bind


def test_an_answer_does_not_wait_for_an_acknowledgement() -> None:
    """Header and body are two writes: with Nagle's algorithm each call of a tool takes 40 ms longer."""
    listener = _bind("127.0.0.1", 0)
    listener.setblocking(True)
    with listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_host_that_no_resolver_takes_is_one_sentence() -> None:
    """A paste that went wrong is a mistake of the command line, not a defect."""
    with pytest.raises(SettingsError, match="choose another with --host"):
        _bind("x" * 300, 0)

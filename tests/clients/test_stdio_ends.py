"""How a server on stdio ends: in order, at once and silently, whatever its client does. Spoken by hand, line by line."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.clients.processes import SERVE, environment

END_SECONDS = 6
"""Far above what it takes, far below what a person would call hanging; hosts kill after about two to five seconds."""
STALL_SECONDS = 3.0


class Host:
    """A client without an SDK: it writes lines, and reads them only when it wants to."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "server.log"
        with self.log.open("wb") as stderr:
            self.process = subprocess.Popen(
                SERVE,
                cwd=folder,
                env=environment(folder),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        self._serial = 0
        self._answered: set[int] = set()

    def tell(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, **params: Any) -> int:
        """Sends a request and does not wait for the answer."""
        self._serial += 1
        request = {"jsonrpc": "2.0", "id": self._serial, "method": method, "params": params}
        self.tell(json.dumps(request).encode())
        return self._serial

    def answer(self, *serials: int) -> dict[str, Any]:
        """Reads on until these are answered, in whatever order, and gives the last one; every line must be a message."""
        assert self.process.stdout is not None
        missing = set(serials) - self._answered
        while missing:
            line = self.process.stdout.readline()
            assert line, self.log.read_text("utf-8")[-2000:]
            message: dict[str, Any] = json.loads(line)
            assert message["jsonrpc"] == "2.0"
            if "method" not in message:
                self._answered.add(message["id"])
                missing.discard(message["id"])
        return message

    def connect(self) -> None:
        """The handshake, and monitoring begun: from now on alerts are pushed."""
        info = {"name": "host", "version": "1"}
        self.answer(self.ask("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=info))
        self.tell(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}')
        self.answer(self.ask("tools/call", name="start_monitoring", arguments={"poll_interval_seconds": 1}))

    def stall(self) -> list[int]:
        """Asks for more than a pipe holds, reads nothing of it, and lets alerts come on top; gives the open requests."""
        asked = [self.ask("tools/call", name="list_workloads", arguments={"limit": 200}) for _ in range(40)]
        time.sleep(STALL_SECONDS)
        return asked

    def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def expect_end(self) -> None:
        """It ends in time, with exit code 0 and no traceback."""
        began = time.monotonic()
        code = self.process.wait(timeout=4 * END_SECONDS)
        log = self.log.read_text("utf-8")
        assert code == 0, log[-3000:]
        assert "Traceback" not in log
        assert time.monotonic() - began < END_SECONDS


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    try:
        host.connect()
        yield host
    finally:
        host.process.kill()
        host.process.wait()
        for pipe in (host.process.stdin, host.process.stdout):
            with suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]  # both were asked for


def test_it_ends_when_stdin_closes_even_while_a_client_waits(host: Host) -> None:
    """How most hosts end it; and there was nothing but messages on stdout, to the last line."""
    host.ask("tools/call", name="wait_for_alerts", arguments={"after_cursor": 10_000, "timeout_seconds": 300})
    host.hang_up()
    assert host.process.stdout is not None
    for line in host.process.stdout:
        assert json.loads(line)["jsonrpc"] == "2.0"
    host.expect_end()


@pytest.mark.parametrize("received", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(host: Host, received: signal.Signals) -> None:
    """A service manager's, or a person's Ctrl-C, while the client keeps its end open."""
    host.process.send_signal(received)
    host.expect_end()


def test_a_client_that_pauses_finds_everything_as_it_left_it(host: Host) -> None:
    """A laptop that slept: all answers are there, and the server still answers."""
    host.answer(*host.stall())
    assert host.answer(host.ask("ping"))["result"] == {}
    host.hang_up()
    host.expect_end()


def test_a_client_that_never_reads_again_does_not_keep_it_alive(host: Host) -> None:
    """Its pipe is full and stays full: what cannot be said is dropped."""
    host.stall()
    host.hang_up()
    host.expect_end()


def test_a_client_that_died_ends_it_without_a_traceback(host: Host) -> None:
    """The next push finds nobody there."""
    assert host.process.stdout is not None
    host.process.stdout.close()
    host.ask("ping")
    host.expect_end()


def test_garbage_is_survived(host: Host) -> None:
    """Lines that are not JSON, not UTF-8, not messages, or cut off at the end."""
    host.tell(b"hello\n{\n\xff\xfe\n[]\n\n" + b'{"jsonrpc": "2.0"}')
    assert host.answer(host.ask("ping"))["result"] == {}
    assert host.process.stdin is not None
    host.process.stdin.write(b'{"jsonrpc": "2.0", "id": 99')
    host.hang_up()
    host.expect_end()

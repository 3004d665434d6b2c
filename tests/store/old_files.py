"""Files as the first released version left them: its schema as SQL text, and a night's worth of data."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec

from tests.fakes import EPOCH

SCHEMA_1 = Path(__file__).with_name("schema_1.sql")


def write_schema_1(path: Path) -> None:
    """One alert that fires with a delivery that waits, one that is over, a monitor that runs, and a first look."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=wal")
        connection.executescript(SCHEMA_1.read_text(encoding="utf-8"))
        connection.executemany("INSERT INTO meta VALUES (?, ?)", [("schema_version", "1"), ("cursor", "3")])
        for cursor, name, state in ((2, "over", "resolved"), (3, "fires", "firing")):
            _alert(connection, cursor, name, state)
        connection.execute(
            "INSERT INTO monitors VALUES ('mon-1', NULL, 'active', ?, NULL, NULL, '60.0', 0, 1, 7, ?, NULL, NULL, NULL, 3)",
            (_at(0), _at(5)),
        )
        connection.execute("INSERT INTO covered_projects VALUES ('*', ?)", (_at(0),))
        connection.execute("INSERT INTO baseline VALUES ('w-old', 'Failed')")
        connection.commit()


def _alert(connection: sqlite3.Connection, cursor: int, name: str, state: str) -> None:
    document = {
        "alert_id": f"alert-{name}",
        "cursor": cursor,
        "kind": "workload_unhealthy",
        "status": "OOMKilled",
        "state": state,
        "severity": "critical",
        "subject": {"id": f"id-{name}", "name": name, "project": "ml-team", "cluster_id": "cluster-1"},
        "summary": f"{name} was OOMKilled",
        "started_at": _at(0),
        "updated_at": _at(1),
        "episode": 4,
    }
    text = msgspec.json.encode(document).decode()
    connection.execute(
        "INSERT INTO alerts VALUES (?, ?, 'workload_unhealthy', ?, ?, 'ml-team', 4, ?, ?)",
        (f"alert-{name}", cursor, state, f"id-{name}", _at(1), text),
    )
    connection.execute(
        "INSERT INTO transitions (alert_id, at, change, reason) VALUES (?, ?, 'opened', 'a new failure')",
        (f"alert-{name}", _at(0)),
    )
    waits = state == "firing"
    connection.execute(
        "INSERT INTO deliveries (alert_id, channel, change, reason, document, state, created_at, attempts, next_attempt_at)"
        " VALUES (?, 'slack', 'opened', 'a new failure', ?, ?, ?, 1, ?)",
        (f"alert-{name}", text, "pending" if waits else "delivered", _at(0), _at(2) if waits else None),
    )


def _at(minutes: int) -> str:
    return (EPOCH + timedelta(minutes=minutes)).isoformat(timespec="microseconds")

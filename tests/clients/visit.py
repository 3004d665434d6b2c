"""What every Python client does at the server, and the report of what it saw; `visit.mjs` is the same for TypeScript.

Imports nothing of `mcp`: its generations differ in how things are said, not in what is done. Each says it its own way in
a `Client`. `test_clients.py` judges the report.
"""

from __future__ import annotations

from typing import Any, Protocol

import anyio

PATIENCE_SECONDS = 30
ALERTS = "runai://alerts"

Plain = dict[str, Any]
"""A message as it was on the wire."""


class OnProgress(Protocol):
    """Told of a call's progress."""

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None: ...


class Ears:
    """What is pushed to a client, what its person is asked, and what that person is going to answer."""

    def __init__(self) -> None:
        self.logs: list[Plain] = []
        self.updated: list[str] = []
        self.asked: list[str] = []
        self.answers: list[str] = []
        self._heard = anyio.Event()

    def hear_log(self, message: Plain) -> None:
        """A log message arrived."""
        self.logs.append(message)
        self._heard.set()

    def hear_update(self, uri: str) -> None:
        """A resource was said to have changed."""
        self.updated.append(uri)
        self._heard.set()

    def answer(self, question: str) -> str:
        """What the person answers: accept or decline."""
        self.asked.append(question)
        return self.answers.pop(0)

    async def until_pushed(self, *, logs: bool) -> None:
        """Returns when there was an update, and a log message too where the protocol has them."""
        with anyio.fail_after(PATIENCE_SECONDS):
            while not self.updated or (logs and not self.logs):
                self._heard = anyio.Event()
                await self._heard.wait()


class Client(Protocol):
    """A connected client. `modern`: it negotiated 2026-07-28."""

    modern: bool

    async def about(self) -> Plain:
        """`server`, `capabilities` and `instructions` of the handshake."""

    async def lists(self) -> Plain:
        """`tools`, `resources`, `templates` and `prompts`."""

    async def prompt(self, name: str, arguments: dict[str, str]) -> Plain:
        """A prompt."""

    async def read(self, uri: str) -> list[Plain]:
        """The contents of a resource."""

    async def subscribe(self, uri: str) -> None:
        """Asks to be told of changes; older clients ask for log messages, too."""

    async def call(self, name: str, arguments: Plain, on_progress: OnProgress | None = None) -> Plain:
        """A tool's result."""


async def visit(client: Client, ears: Ears) -> Plain:
    """Visits the server: everything there is to list and read, every tool, and a pushed alert."""
    told: list[Plain] = []
    results: dict[str, Plain] = {}

    async def call(name: str, arguments: Plain | None = None) -> Plain:
        async def on_progress(progress: float, total: float | None, message: str | None) -> None:
            told.append({"tool": name, "progress": progress, "total": total, "message": message})

        results[name] = await client.call(name, arguments or {}, on_progress)
        structured: Plain = results[name].get("structuredContent", {})
        return structured

    report = {"modern": client.modern, **await client.about(), **await client.lists()}
    report["prompt"] = await client.prompt("investigate_failure", {"job_name": "train-a"})
    await client.subscribe(ALERTS)

    # Nothing is monitored yet: this one waits in vain, and says so while it does.
    await call("wait_for_alerts", {"timeout_seconds": 0.5})
    started = await call("start_monitoring", {"poll_interval_seconds": 1})
    waited = await call("wait_for_alerts", {"after_cursor": started["cursor"], "timeout_seconds": PATIENCE_SECONDS})
    await ears.until_pushed(logs=not client.modern)
    report["log"], report["updated"] = ears.logs[:1], ears.updated[:1]

    await call("monitoring_status")
    await call("list_alerts")
    alert_id = waited["alerts"][0]["alert_id"]
    await call("get_alert", {"alert_id": alert_id})
    workload = (await call("list_workloads", {"phase": "Running", "limit": 20}))["workloads"][0]
    job = {"job_name": workload["id"]}
    await call("job_status", job)
    await call("troubleshoot_job", job)
    report["misspelt"] = await client.call("job_status", {"job_name": f"{workload['name']}x"})
    report["no_channel"] = await client.call("send_test_notification", {})

    await call("manage_workload", {"action": "suspend", **job})
    ears.answers += ["decline", "accept"]
    change = {"action": "suspend", "dry_run": False, **job}
    report["declined"] = await client.call("manage_workload", change)
    report["accepted"] = await client.call("manage_workload", change)

    uris = [*(resource["uri"] for resource in report["resources"]), f"{ALERTS}/{alert_id}"]
    report["read"] = {uri: await client.read(uri) for uri in uris}
    await call("replay_deliveries")
    await call("stop_monitoring")
    return {**report, "results": results, "progress": told, "asked": ears.asked}

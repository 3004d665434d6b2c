"""Two servers on one state, the leader killed again and again while jobs fail: who was told what in the end."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.abc
from mcp.client import Client

from runai_monitor.demo.tenant import Tenant
from tests.end_to_end.clients import Ear, Json, ask, first_look, legacy_sse, modern_http, status_shows
from tests.end_to_end.processes import HttpServer, http_server, until
from tests.end_to_end.stage import Job, slack_texts

LONGEST_FUSE_SECONDS = 1.5
"""The leader is killed at a random instant within this time after the first job of a round fails."""
_ONE_BY_ONE = {"RUNAI_MONITOR_STORM_THRESHOLD": "10000", "RUNAI_MONITOR_GROUP_WAIT_SECONDS": "0"}
"""So many failures of one cause would be a digest, in which a message that is missing or doubled is not seen."""


@dataclass(slots=True)
class Member:
    """One server, a client that asks it, and a client that listens to it."""

    server: HttpServer
    client: Client
    ear: Ear
    over: anyio.Event = field(default_factory=anyio.Event)


@dataclass(slots=True)
class Outcome:
    """What was stored, sent and pushed about the jobs that failed."""

    takeover_seconds: list[float]
    alerts: Counter[str]
    """Alerts by job."""
    messages: Counter[str]
    """Messages in Slack by job."""
    pushed: set[str]
    """Jobs that some client was told of without asking."""
    repeated: int
    """Changes that a client was told more than once."""
    cursors: list[int]
    """The cursors of all alerts, as a reader finds them."""


class Pair:
    """Two members on one state; a killed one is replaced."""

    def __init__(self, tasks: anyio.abc.TaskGroup, environment: Mapping[str, str], home: Path) -> None:
        self._tasks = tasks
        self._environment = environment
        self._home = home
        self.members: list[Member] = []
        self.ears: list[Ear] = []

    async def join(self) -> None:
        """Starts one more."""
        member: Member = await self._tasks.start(self._live)
        self.members.append(member)
        self.ears.append(member.ear)

    async def leader(self) -> Member:
        """The one that leads, as soon as there is one."""
        found: list[Member] = []

        async def looked() -> bool:
            roles = [(await ask(member.client, "monitoring_status"))["role"] for member in self.members]
            found[:] = [member for member, role in zip(self.members, roles, strict=True) if role == "leader"]
            return bool(found)

        await until(looked)
        (leader,) = found
        return leader

    async def kill(self, member: Member) -> None:
        """As a power cut does."""
        self.members.remove(member)
        await member.server.kill()
        member.over.set()

    async def disband(self) -> None:
        """Ends those that are left."""
        for member in self.members:
            member.over.set()
        self.members.clear()

    async def _live(self, *, task_status: anyio.abc.TaskStatus[Member]) -> None:
        ear = Ear()
        try:
            async with (
                http_server(self._environment, home=self._home) as server,
                legacy_sse(server.sse_url, ear=ear),
                modern_http(server.mcp_url) as client,
            ):
                member = Member(server, client, ear)
                task_status.started(member)
                await member.over.wait()
        except Exception:  # clients of a server that was killed may say so, each in its way
            if not member.over.is_set():
                raise


@asynccontextmanager
async def pair_of(environment: Mapping[str, str], home: Path) -> AsyncIterator[Pair]:
    """Two servers while the block lasts."""
    async with anyio.create_task_group() as tasks:
        pair = Pair(tasks, environment, home)
        await pair.join()
        await pair.join()
        try:
            yield pair
        finally:
            await pair.disband()


async def kill_leaders(
    tenant: Tenant, environment: Mapping[str, str], home: Path, *, kills: int, jobs_per_kill: int, seed: int = 7
) -> Outcome:
    """Lets jobs fail, kills whoever leads in the middle of it, replaces it, and again; then waits until all is told."""
    chance = random.Random(seed)
    jobs = [Job(tenant, f"killed-{home.name[-8:]}-{number:03d}") for number in range(kills * jobs_per_kill)]
    takeovers: list[float] = []
    async with pair_of({**environment, **_ONE_BY_ONE}, home) as pair:
        leader = await pair.leader()
        await ask(leader.client, "start_monitoring")
        await first_look(leader.client)
        for turn in range(kills):
            async with anyio.create_task_group() as burst:
                burst.start_soon(_fail, jobs[turn * jobs_per_kill : (turn + 1) * jobs_per_kill], chance)
                # No condition to wait for: the instant of the kill is drawn, so that it may fall anywhere.
                await anyio.sleep(chance.uniform(0, LONGEST_FUSE_SECONDS))
                leader = await pair.leader()
                await pair.kill(leader)
                began = time.monotonic()
                await status_shows(pair.members[0].client, lambda status: status["role"] == "leader")
                takeovers.append(time.monotonic() - began)
                await pair.join()
        names = {job.name for job in jobs}
        client = (await pair.leader()).client
        alerts = await _settled(client, names)
        await until(lambda: all(any(ear.about(name) for ear in pair.ears) for name in names))
        return _outcome(tenant, names, alerts, pair.ears, takeovers)


async def _fail(jobs: list[Job], chance: random.Random) -> None:
    for job in jobs:
        job.out_of_memory()
        await anyio.sleep(chance.uniform(0, LONGEST_FUSE_SECONDS / len(jobs)))


async def _settled(client: Client, names: set[str]) -> list[Json]:
    """Every alert, once each job has one and nothing waits to be sent."""
    alerts: list[Json] = []

    async def all_told() -> bool:
        alerts[:] = await _all_alerts(client)
        if not names <= {alert["workload"]["name"] for alert in alerts}:
            return False
        return bool((await ask(client, "monitoring_status"))["deliveries_pending"] == 0)

    await until(all_told, within_seconds=120)
    return alerts


async def _all_alerts(client: Client) -> list[Json]:
    """Read as a program reads that keeps its cursor."""
    found: list[Json] = []
    cursor = 0
    while page := (await ask(client, "list_alerts", after_cursor=cursor, limit=50))["alerts"]:
        found += page
        cursor = page[-1]["cursor"]
    return found


def _outcome(tenant: Tenant, names: set[str], alerts: list[Json], ears: list[Ear], takeovers: list[float]) -> Outcome:
    told = [[(alert["alert_id"], alert["cursor"]) for alert in ear.alerts] for ear in ears]
    return Outcome(
        takeover_seconds=takeovers,
        alerts=Counter(name for alert in alerts if (name := alert["workload"]["name"]) in names),
        messages=Counter({name: len(slack_texts(tenant, name)) for name in names}),
        pushed={name for name in names if any(ear.about(name) for ear in ears)},
        repeated=sum(len(heard) - len(set(heard)) for heard in told),
        cursors=[alert["cursor"] for alert in alerts],
    )

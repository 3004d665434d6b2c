"""What stored alerts say of a workload's past and of its neighbours."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from runai_monitor.errors import StoreError
from runai_monitor.model.alert import AlertKind, AlertSubject, Change, Transition, fingerprint
from runai_monitor.model.diagnosis import Cause, Diagnosis, Verdict
from runai_monitor.model.history import MOST_NEIGHBOURS, AlertHistory
from runai_monitor.model.workload import Workload
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import Database
from runai_monitor.store.history import MOST_EPISODES, MOST_EXAMINED, HistoryStore
from tests.factories import make_transition, make_workload
from tests.fakes import EPOCH

pytestmark = pytest.mark.anyio
IMAGE = "registry.example.com/llm/train:4.2"


def diagnosed(cause: str = "container_oom", *, title: str = "out of memory", nodes: tuple[str, ...] = ()) -> Diagnosis:
    """A stored diagnosis."""
    first = Cause(cause=cause, title=title, confidence=0.97, explanation="It was.")
    return Diagnosis(verdict=Verdict.FAILURE, confidence=0.97, generated_at=EPOCH, causes=(first,), nodes=nodes)


def failing(
    name: str, hours: float = 0, *, uid: str | None = None, cluster: str = "cluster-1", **fields: Any
) -> Transition:
    """A workload that began to fail so many hours before the epoch."""
    subject = AlertSubject(
        id=uid or f"id-{name}",
        name=name,
        project=fields.pop("project", "ml-team"),
        cluster_id=cluster,
        images=fields.pop("images", ()),
    )
    episode = fields.pop("episode", 1)
    kind = fields.pop("kind", AlertKind.WORKLOAD_UNHEALTHY)
    alert_id = fingerprint(kind, cluster, subject.id, episode)
    at = EPOCH - timedelta(hours=hours)
    return make_transition(subject=subject, alert_id=alert_id, kind=kind, episode=episode, at=at, **fields)


def over(opened: Transition, hours: float, reason: str = "healthy for 60 s") -> Transition:
    """Its end, so many hours before the epoch."""
    return dataclasses.replace(
        opened, change=Change.RESOLVED, at=EPOCH - timedelta(hours=hours), reason=reason, diagnosis=None
    )


async def told(
    database: Database,
    *transitions: Transition,
    workload: Workload | None = None,
    projects: Sequence[str] | None = None,
    failed_at: datetime = EPOCH,
) -> AlertHistory:
    """The history of `job` after these transitions."""
    await AlertStore(database).apply(transitions, channels=[])
    store = HistoryStore(database, projects=projects)
    return await store.history_of(workload or make_workload("job"), failed_at=failed_at, now=EPOCH)


async def test_earlier_episodes_are_told_newest_first_with_cause_and_ending(database: Database) -> None:
    """How often, of what, and what followed: the three questions of whoever has seen it before."""
    first = failing("job", 48, diagnosis=diagnosed(title="out of memory at the container's limit of 32Gi"))
    second = failing("job", 5, episode=2, status="Error", diagnosis=diagnosed("python_exception"))
    past = await told(database, first, over(first, 47), second, over(second, 4, "the workload was suspended"))
    assert [(e.cause, e.status, e.ending) for e in past.episodes] == [
        ("python_exception", "Error", "the workload was suspended"),
        ("container_oom", "OOMKilled", "healthy for 60 s"),
    ]
    older = past.episodes[1]
    assert (older.started_at, older.ended_at) == (EPOCH - timedelta(hours=48), EPOCH - timedelta(hours=47))
    assert (older.alert_id, older.title) == (first.alert_id, "out of memory at the container's limit of 32Gi")
    assert not past.more_episodes


async def test_the_open_alert_of_the_workload_itself_is_not_its_past(database: Database) -> None:
    """Asked about while it fails, a workload has not failed before."""
    assert await told(database, failing("job", 0.5, diagnosis=diagnosed())) == AlertHistory()


async def test_an_earlier_submission_under_the_same_name_is_the_same_workload(database: Database) -> None:
    """People submit again what failed; Run:ai gives it another id, and the cause stays."""
    before = failing("job", 3, uid="id-before", diagnosis=diagnosed())
    others = (
        failing("job", 3, uid="id-1", project="elsewhere"),
        failing("job", 3, uid="id-2", cluster="cluster-2"),
        failing("job-2", 3, uid="id-3"),
    )
    past = await told(database, before, over(before, 2, "the workload was deleted"), *others)
    assert [(e.workload_id, e.ending) for e in past.episodes] == [("id-before", "the workload was deleted")]


async def test_what_is_older_than_a_month_and_what_was_no_failure_does_not_count(database: Database) -> None:
    """A preemption is policy, and last summer's image is another program."""
    old = failing("job", 31 * 24)
    preempted = failing("job", 2, kind=AlertKind.WORKLOAD_PREEMPTED)
    assert (await told(database, old, over(old, 3), preempted, over(preempted, 1))).episodes == ()


async def test_neighbours_are_those_that_began_to_fail_within_an_hour(database: Database) -> None:
    """One that has failed for days says nothing about this night."""
    past = await told(
        database,
        failing("near", 0.5, diagnosis=diagnosed("node_lost", nodes=("gpu-7", "gpu-8")), images=(IMAGE,)),
        failing("far", 1.5),
        failing("reminded", 30),
        dataclasses.replace(failing("reminded", 0.2), change=Change.REMINDED),
        failing("job", 0.4, uid="id-before"),
        failing("abroad", 0.4, cluster="cluster-2"),
    )
    (near,) = past.neighbours
    assert (near.project, near.name, near.cause) == ("ml-team", "near", "node_lost")
    assert (near.nodes, near.images) == (("gpu-7", "gpu-8"), (IMAGE,))
    assert near.started_at == EPOCH - timedelta(minutes=30)
    later = await told(database, failed_at=EPOCH - timedelta(hours=2))
    assert [other.name for other in later.neighbours] == ["far"]


async def test_a_neighbour_is_told_once_by_its_newest_alert(database: Database) -> None:
    """A workload that fails and recovers all the time is one workload."""
    first, second = failing("near", 0.9, status="Error"), failing("near", 0.1, episode=2)
    past = await told(database, first, over(first, 0.5), second)
    assert [other.status for other in past.neighbours] == ["OOMKilled"]


async def test_other_projects_do_not_exist_outside_the_limit(database: Database) -> None:
    """`monitored_projects` is a hard limit, also over what an earlier configuration stored."""
    transitions = [failing("secret", 0.1, project="other"), failing("near", 0.1)]
    assert [o.name for o in (await told(database, *transitions, projects=["ml-team"])).neighbours] == ["near"]
    assert len((await told(database, projects=None)).neighbours) == 2
    before = failing("job", 9, uid="id-before")
    assert (await told(database, before, over(before, 8), projects=["other"])).episodes == ()


@pytest.mark.parametrize("state", ["sqlite"], indirect=True)
async def test_alerts_of_an_older_version_are_read(database: Database) -> None:
    """An update must not cost the memory: what those documents lack is empty."""
    before = failing("job", 3, uid="id-before", diagnosis=diagnosed())
    await AlertStore(database).apply([before, over(before, 2), failing("near", 0.1)], channels=[])
    with sqlite3.connect(database.place) as connection:
        for alert_id, text in connection.execute("SELECT alert_id, document FROM alerts").fetchall():
            document = msgspec.json.decode(text)
            del document["subject"]["images"]
            if document["diagnosis"]:
                del document["diagnosis"]["nodes"]
            changed = (msgspec.json.encode(document).decode(), alert_id)
            connection.execute("UPDATE alerts SET document = ? WHERE alert_id = ?", changed)
    connection.close()
    past = await told(database)
    assert [episode.cause for episode in past.episodes] == ["container_oom"]
    assert [(other.nodes, other.images) for other in past.neighbours] == [((), ())]
    assert {alert.subject.images for alert in await AlertStore(database).list()} == {()}


async def test_what_is_read_is_bounded_and_says_that_there_is_more(database: Database) -> None:
    """A job that fails every minute for a month, on a night when everything fails."""
    own: list[Transition] = []
    for number in range(MOST_EPISODES + 5):
        opened = failing("job", 100 - number, episode=number + 1)
        own += [opened, over(opened, 99.5 - number)]
    past = await told(database, *own)
    assert len(past.episodes) == MOST_EPISODES
    assert past.more_episodes
    assert past.episodes[0].started_at == EPOCH - timedelta(hours=100 - MOST_EPISODES - 4)
    past = await told(database, *(failing(f"n{number}", 0.1) for number in range(MOST_EXAMINED + 10)))
    assert len(past.neighbours) == MOST_NEIGHBOURS
    assert past.more_neighbours


@pytest.mark.parametrize("state", ["sqlite"], indirect=True)
async def test_a_store_that_cannot_be_read_says_so(database: Database) -> None:
    """No history is not the same as an empty one."""
    with sqlite3.connect(database.place) as connection:
        connection.execute("DROP TABLE alerts")
    connection.close()
    store = HistoryStore(database, projects=None)
    with pytest.raises(StoreError):
        await store.history_of(make_workload("job"), failed_at=EPOCH, now=EPOCH)

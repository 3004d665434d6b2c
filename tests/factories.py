"""Values for tests: only what a test is about needs to be said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from runai_monitor.model.alert import AlertKind, AlertSubject, Change, Severity, Transition, fingerprint
from runai_monitor.model.cluster import Container, ContainerPhase, Pod, Termination
from runai_monitor.model.monitor import Monitor, MonitorId, MonitorState
from runai_monitor.model.workload import Workload, WorkloadId
from tests.fakes import EPOCH


def make_workload(name: str = "job", /, **fields: Any) -> Workload:
    return Workload(
        **{
            "id": WorkloadId(f"id-{name}"),
            "name": name,
            "type": "Training",
            "project": "ml-team",
            "namespace": "runai-ml-team",
            "cluster_id": "cluster-1",
            "phase": "Running",
            "created_at": EPOCH,
            "phase_updated_at": EPOCH,
            **fields,
        }
    )


def make_transition(name: str = "job", change: Change = Change.OPENED, **fields: Any) -> Transition:
    episode = fields.pop("episode", 1)
    subject = AlertSubject(
        id=f"id-{name}", name=name, project=fields.pop("project", "ml-team"), type="Training", cluster_id="cluster-1"
    )
    kind = fields.pop("kind", AlertKind.WORKLOAD_UNHEALTHY)
    return Transition(
        **{
            "change": change,
            "alert_id": fingerprint(kind, subject.cluster_id, subject.id, episode),
            "kind": kind,
            "subject": subject,
            "episode": episode,
            "reason": "because the test says so",
            "status": "OOMKilled",
            "severity": Severity.CRITICAL,
            "summary": f"{name} was OOMKilled",
            "at": EPOCH,
            "notify": True,
            **fields,
        }
    )


def make_monitor(
    number: int = 1, *, project: str | None = None, started_at: datetime = EPOCH, **fields: Any
) -> Monitor:
    return Monitor(
        **{
            "monitor_id": MonitorId(f"mon-{number}"),
            "project": project,
            "state": MonitorState.ACTIVE,
            "started_at": started_at,
            "ends_at": None,
            "poll_interval_seconds": 60.0,
            "only_failed": False,
            "auto_troubleshoot": True,
            **fields,
        }
    )


def make_pod(workload: str = "job", name: str | None = None, *containers: Container, **fields: Any) -> Pod:
    """A pod of a workload, running unless said otherwise."""
    name = name or f"{workload}-0-0"
    return Pod(
        **{
            "name": name,
            "namespace": "runai-ml-team",
            "uid": f"uid-{name}",
            "pod_phase": "Running",
            "created_at": EPOCH,
            "started_at": EPOCH,
            "workload_name": workload,
            "owner": workload,
            "owner_uid": f"uid-{workload}",
            "containers": containers or (running(),),
            **fields,
        }
    )


def running(since: datetime | None = EPOCH, *, after: Termination | None = None, **fields: Any) -> Container:
    """A container that runs, perhaps after it ended before."""
    return Container(
        **{
            "name": "main",
            "phase": ContainerPhase.RUNNING,
            "started_at": since,
            "last_ended": after,
            "restarts": int(after is not None),
            **fields,
        }
    )


def waiting(
    reason: str | None, message: str | None = None, *, after: Termination | None = None, **fields: Any
) -> Container:
    """A container that waits for `reason`, perhaps after it ended before."""
    return Container(
        **{
            "name": "main",
            "phase": ContainerPhase.WAITING,
            "reason": reason,
            "message": message,
            "last_ended": after,
            "restarts": int(after is not None),
            **fields,
        }
    )


def ended(exit_code: int | None = 1, reason: str | None = "Error", *, at: datetime = EPOCH, **fields: Any) -> Container:
    """A container that has ended and stays so."""
    return Container(
        **{"name": "main", "phase": ContainerPhase.TERMINATED, "ended": end(exit_code, reason, at=at), **fields}
    )


def end(exit_code: int | None = 1, reason: str | None = "Error", *, at: datetime = EPOCH, **fields: Any) -> Termination:
    return Termination(**{"exit_code": exit_code, "reason": reason, "finished_at": at, **fields})

"""The bundle of services that the composition root fills, and what operations are told of settings and of the engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from runai_monitor.operations.sources import (
    Alerts,
    Audit,
    Baseline,
    DeadLetters,
    Deliveries,
    Diagnoses,
    Kube,
    Leaders,
    Monitors,
    Outbox,
    Runai,
    Silences,
    Versioned,
)
from runai_monitor.pace import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """How the watching is going in this process, as of now.

    `leader` is False when another process on the same state does the watching. `heartbeat_ages_seconds` has the age
    of the last sign of life of each loop that runs here, `crashes` how often each failed and was started again; `baseline_complete` is None when this process does not know.
    `role_since` is when it began to lead or to follow, `deleted` what retention deleted, by kind.
    """

    leader: bool = False
    role_since: datetime | None = None
    deleted: Mapping[str, int] = field(default_factory=dict)
    heartbeat_ages_seconds: Mapping[str, float] = field(default_factory=dict)
    workloads: int = 0
    polls: int = 0
    blind: bool = False
    kube_live: bool = False
    kube_error: str | None = None
    store_error: str | None = None
    crashes: Mapping[str, int] = field(default_factory=dict)
    baseline_complete: bool | None = None
    queues: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything heavy, built after the server already answers `tools/list`.

    `kube` is None when Kubernetes is not configured. `channels` are the names of the configured channels,
    `channel_kinds` what each is.
    `wake_engine` tells the watching that monitors changed. `database_place` is shown to people and holds no secret.
    """

    alerts: Alerts
    silences: Silences
    audit: Audit
    monitors: Monitors
    baseline: Baseline
    deliveries: Deliveries
    dead_letters: DeadLetters
    runai: Runai
    diagnoser: Diagnoses
    outbox: Outbox
    database: Versioned
    engine: Callable[[], EngineState]
    wake_engine: Callable[[], None]
    kube: Kube | None = None
    leaders: Leaders | None = None
    pace: Pace | None = None
    channels: tuple[str, ...] = ()
    channel_kinds: Mapping[str, str] = field(default_factory=dict)
    database_place: str = ""


class StoredServices(Protocol):
    """The part that needs nothing but the database: what people answer works while Run:ai does not."""

    @property
    def alerts(self) -> Alerts:
        """The stored alerts."""
        ...

    @property
    def silences(self) -> Silences:
        """The stored silences."""
        ...

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the configured channels."""
        ...


StoredServicesReady = Callable[[], Awaitable[StoredServices]]
"""As `ServicesReady`."""

ServicesReady = Callable[[], Awaitable[Services]]
"""Waits until the services are built; raises the error of ours that kept them from it (such as StoreError)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationOptions:
    """The settings that operations need; nothing secret. `allowed_projects` None means every project.

    `configuration` is shown by `monitoring_status` as it is, so it must hold no secret.
    """

    allowed_projects: tuple[str, ...] | None = None
    poll_interval_seconds: float = 60
    only_failed: bool = False
    auto_troubleshoot: bool = True
    allow_write: bool = False
    project_check_seconds: float = 5
    heartbeat_stale_seconds: float = 180
    configuration: Mapping[str, object] = field(default_factory=dict)

"""What operations return: plain facts, without words for a surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from runai_monitor.model.alert import Alert, Change, Severity
from runai_monitor.model.cluster import Container
from runai_monitor.model.diagnosis import Diagnosis
from runai_monitor.model.leader import Leader
from runai_monitor.model.monitor import Monitor
from runai_monitor.model.notification import Delivery, DeliveryState
from runai_monitor.model.silence import Silence, SilenceState
from runai_monitor.model.workload import PhaseChange, Workload, WorkloadDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """Some alerts. Whoever reads on after `cursor` misses nothing; `more` tells that this page is not all."""

    alerts: tuple[Alert, ...]
    cursor: int
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWait:
    """What waiting brought: newer alerts, or none in time; and whether anything is monitored that could bring more."""

    alerts: tuple[Alert, ...]
    cursor: int
    timed_out: bool
    monitoring: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDetail:
    """One alert, what was told about it, and every change of it with the reason, oldest first.

    `silenced_by` are the silences that keep it from the channels now.
    """

    alert: Alert
    deliveries: tuple[Delivery, ...]
    history: tuple[tuple[datetime, Change, str], ...] = ()
    silenced_by: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """An alert after somebody acknowledged it; `changed` is false when it had been acknowledged, or was over."""

    alert: Alert
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceView:
    """A silence as of now, and the open alerts that it matches; of those, whatever its state, only the ones in scope."""

    silence: Silence
    state: SilenceState
    matching: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadPage:
    """Some workloads. `next_offset` None: these were the last."""

    workloads: tuple[Workload, ...]
    total: int
    offset: int
    next_offset: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PodStatus:
    """One pod: as Run:ai lists it, with container states where Kubernetes tells them."""

    name: str
    pod_phase: str
    node: str | None = None
    reason: str | None = None
    message: str | None = None
    created_at: datetime | None = None
    containers: tuple[Container, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """One workload as it is now; `unread` says what could not be read and why. Its texts are redacted and shortened."""

    detail: WorkloadDetail
    pods: tuple[PodStatus, ...]
    history: tuple[PhaseChange, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringStarted:
    """A monitor that runs now. `cursor` is where to begin reading alerts; `warning` is what stands in the way."""

    monitor: Monitor
    already_running: bool
    cursor: int
    warning: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitoringStatus:
    """How the watching is going. `role_since` is when this process began to lead or follow; `led_by` who leads.

    `queues` tells how many alerts wait, by what for; empty where another process does the watching.
    """

    monitors: tuple[Monitor, ...]
    configuration: Mapping[str, object]
    deliveries: Mapping[str, Mapping[DeliveryState, int]]
    channels: tuple[str, ...]
    channel_kinds: Mapping[str, str]
    workloads: int
    kubernetes_live: bool
    kubernetes_detail: str | None
    leader: bool
    blind: bool
    blind_reason: str | None
    store_error: str | None
    open_alerts: Mapping[Severity, int]
    loop_failures: Mapping[str, int]
    delivery_errors: Mapping[str, str]
    dead_letters: tuple[Delivery, ...]
    baseline_complete: bool
    active_silences: int
    database_place: str
    cursor: int
    now: datetime
    role_since: datetime | None = None
    led_by: Leader | None = None
    queues: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubleshooting:
    """A workload and why it is as it is."""

    workload: Workload
    diagnosis: Diagnosis


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionPlan:
    """What `manage_workload` would do, checked; `question` is what a person is asked before it happens."""

    action: str
    workload: Workload
    effect: str
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether the process works (`healthy`) and whether it can see (`ready`), with the reasons when not."""

    healthy: bool
    ready: bool
    reasons: tuple[str, ...] = ()
    heartbeat_ages_seconds: Mapping[str, float] = field(default_factory=dict)

"""`/metrics` in the format Prometheus reads. prometheus-client is imported when the first scrape comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from runai_monitor.pace import Histogram, Pace

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurements:
    """What the stores and the engine count, as of one instant."""

    alerts_by_state: Mapping[str, int] = field(default_factory=dict)
    unresolved_by_status: Mapping[tuple[str, str], int] = field(default_factory=dict)
    deliveries: Mapping[tuple[str, str], int] = field(default_factory=dict)
    oldest_pending_seconds: Mapping[str, float] = field(default_factory=dict)
    active_monitors: int = 0
    polls: int = 0
    workloads: int = 0
    heartbeat_ages_seconds: Mapping[str, float] = field(default_factory=dict)
    leader: bool = False
    deleted: Mapping[str, int] = field(default_factory=dict)
    blind: bool = False
    kubernetes_live: bool = False
    queues: Mapping[str, int] = field(default_factory=dict)
    pace: Pace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMeasurements:
    """What the push to MCP clients counts since the process started."""

    clients: int = 0
    pushed: int = 0
    dropped: int = 0
    timeouts: int = 0


def render(measurements: Measurements, push: PushMeasurements) -> bytes:
    """Both as Prometheus' text format, from a registry of their own."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    _alerts(registry, measurements)
    _engine(registry, measurements)
    _push(registry, push)
    if measurements.pace is not None:
        _pace(registry, measurements.pace)
    return generate_latest(registry)


def _alerts(registry: CollectorRegistry, measurements: Measurements) -> None:
    from prometheus_client import Gauge

    alerts = Gauge("runai_monitor_alerts", "Stored alerts by state.", ["state"], registry=registry)
    for state, count in measurements.alerts_by_state.items():
        alerts.labels(state).set(count)
    unresolved = Gauge(
        "runai_monitor_alerts_unresolved", "Unresolved alerts.", ["status", "severity"], registry=registry
    )
    for (status, severity), count in measurements.unresolved_by_status.items():
        unresolved.labels(status, severity).set(count)
    deliveries = Gauge(
        "runai_monitor_deliveries", "Deliveries by channel and state.", ["channel", "state"], registry=registry
    )
    for (channel, state), count in measurements.deliveries.items():
        deliveries.labels(channel, state).set(count)
    oldest = Gauge(
        "runai_monitor_delivery_oldest_pending_seconds",
        "For how long the oldest pending delivery of each channel has waited.",
        ["channel"],
        registry=registry,
    )
    for channel, seconds in measurements.oldest_pending_seconds.items():
        oldest.labels(channel).set(seconds)


def _engine(registry: CollectorRegistry, measurements: Measurements) -> None:
    from prometheus_client import Gauge
    from prometheus_client.core import CounterMetricFamily

    plain = {
        "runai_monitor_monitors_active": ("Monitors running now.", measurements.active_monitors),
        "runai_monitor_workloads_watched": ("Workloads this process watches.", measurements.workloads),
        "runai_monitor_leader": ("1 when this process does the watching.", int(measurements.leader)),
        "runai_monitor_blind": ("1 while the monitor cannot see Run:ai.", int(measurements.blind)),
        "runai_monitor_kubernetes_live": ("1 while pods are watched live.", int(measurements.kubernetes_live)),
    }
    for name, (text, value) in plain.items():
        Gauge(name, text, registry=registry).set(value)
    _counter(registry, "runai_monitor_polls", "Polls of Run:ai since the process started.", measurements.polls)
    deleted = CounterMetricFamily(
        "runai_monitor_retention_deleted",
        "Records deleted because of their age since the process started.",
        labels=["kind"],
    )
    for kind, count in measurements.deleted.items():
        deleted.add_metric([kind], count)
    registry.register(_Counted(deleted))
    queues = Gauge("runai_monitor_queue_length", "How many wait, by what for.", ["queue"], registry=registry)
    for name, length in measurements.queues.items():
        queues.labels(name.replace(" ", "_")).set(length)
    ages = Gauge(
        "runai_monitor_heartbeat_age_seconds", "Age of each loop's last sign of life.", ["loop"], registry=registry
    )
    for loop, age in measurements.heartbeat_ages_seconds.items():
        ages.labels(loop).set(age)


def _pace(registry: CollectorRegistry, pace: Pace) -> None:
    from prometheus_client import Gauge
    from prometheus_client.core import HistogramMetricFamily

    stages = HistogramMetricFamily(
        "runai_monitor_alert_stage_seconds",
        "From hearing of an event until its alert was detected, stored, pushed, diagnosed and delivered.",
        labels=["stage"],
    )
    for stage, found in pace.stages.items():
        stages.add_metric([stage], _buckets(found), found.total)
    registry.register(_Counted(stages))
    lag = HistogramMetricFamily("runai_monitor_event_loop_lag_seconds", "How late the event loop came back to others.")
    lag.add_metric([], _buckets(pace.loop), pace.loop.total)
    registry.register(_Counted(lag))
    text = "The longest that the event loop was kept from others since the process started."
    Gauge("runai_monitor_event_loop_lag_max_seconds", text, registry=registry).set(pace.loop.longest)


def _buckets(found: Histogram) -> list[tuple[str, float]]:
    counts = accumulate(found.counts)
    return [(str(bound), float(count)) for bound, count in zip([*found.bounds, "+Inf"], counts, strict=True)]


def _push(registry: CollectorRegistry, push: PushMeasurements) -> None:
    from prometheus_client import Gauge

    Gauge("runai_monitor_mcp_clients", "Connected legacy MCP sessions.", registry=registry).set(push.clients)
    _counter(registry, "runai_monitor_push_sent", "Notifications sent to MCP sessions.", push.pushed)
    _counter(registry, "runai_monitor_push_dropped", "Alerts dropped for sessions that read too slowly.", push.dropped)
    _counter(registry, "runai_monitor_push_timeouts", "Sends given up because a session did not read.", push.timeouts)


def _counter(registry: CollectorRegistry, name: str, text: str, value: float) -> None:
    """A counter kept elsewhere: shown with its value, and without a creation time that would be this scrape's."""
    from prometheus_client.core import CounterMetricFamily

    registry.register(_Counted(CounterMetricFamily(name, text, value=value)))


class _Counted:
    """One finished family, as a collector."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterable[Metric]:
        return (self._family,)

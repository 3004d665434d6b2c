"""Pure: which alerts a channel is not told of now, because a silence or the alert of their node says so.

As in Alertmanager, both keep back what is sent, never what is recorded; as there, what is kept back is told when the
reason ends and the alert still fires. Unlike there, the end of an alert that was announced before is told then, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from runai_monitor.model.alert import Alert, AlertKind, AlertState
from runai_monitor.model.silence import Silence
from runai_monitor.model.telling import UNEXPLAINED, Withheld, nodes_of
from runai_monitor.notify.silencing import matches

BEFORE = timedelta(minutes=5)
"""Workloads may fail before their node's alert: Kubernetes calls a node lost 40 s after its last sign of life, and it is
read twice a minute."""
AFTER = timedelta(minutes=15)
"""Kubernetes evicts pods five minutes after the node was lost, and Run:ai ends their workloads after that."""
GRACE = timedelta(minutes=4)
"""After the node is well again: what ran there gets so long to be well again too before it is told that it still fails."""

# A node's own trouble as diagnosis names it, and the words of Kubernetes for what a node does to its pods.
_OF_NODE = re.compile(
    r"node_\w+|gpu_hardware_fault|device_plugin_failed|network_plugin_failed|Evicted|NodeLost|Unknown"
)
# What no node can be blamed for, unless the diagnosis says otherwise.
_OWN = frozenset(
    {"OOMKilled", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "Pending"}
)


def silence_of(alert: Alert, silences: Sequence[Silence]) -> Silence | None:
    """The silence that keeps an alert back, the one that lasts longest."""
    found = [silence for silence in silences if matches(silence, alert)]
    return max(found, key=lambda silence: silence.ends_at, default=None)


def node_alert_of(alert: Alert, nodes: Sequence[Alert], *, now: datetime) -> Alert | None:
    """The node's alert that stands for this one."""
    return next((node for node in nodes if _stands(node, now) and explains(node, alert)), None)


def explains(node: Alert, alert: Alert) -> bool:
    """Whether a node's trouble is why a workload fails: it ran there, and its failure fits in kind and time."""
    if node.kind is not AlertKind.NODE_UNHEALTHY or alert.kind is not AlertKind.WORKLOAD_UNHEALTHY:
        return False
    if node.subject.cluster_id and alert.subject.cluster_id != node.subject.cluster_id:
        return False
    if node.subject.name not in {*nodes_of(alert), *alert.subject.nodes} or alert.started_at < node.started_at - BEFORE:
        return False
    causes = alert.diagnosis.causes if alert.diagnosis is not None else ()
    top = causes[0].cause if causes else ""
    if _OF_NODE.fullmatch(top) or (top in {"", UNEXPLAINED} and _OF_NODE.fullmatch(alert.status)):
        return True
    return alert.status not in _OWN and alert.started_at <= node.started_at + AFTER


def released(
    withheld: Sequence[Withheld],
    *,
    silences: Sequence[Silence],
    nodes: Sequence[Alert],
    announced: frozenset[str],
    now: datetime,
) -> dict[int, str]:
    """What was kept back and must be told now, with the reason: nothing keeps it back any more, and it still matters.

    It still fires; or it is over, and the channel was told of it before. Acknowledged alerts stay quiet: somebody knows.
    """
    found: dict[int, str] = {}
    for one in withheld:
        told_before = one.is_over and one.alert.alert_id in announced
        if one.alert.state is not AlertState.FIRING and not told_before:
            continue
        if silence_of(one.alert, silences) or node_alert_of(one.alert, nodes, now=now):
            continue
        what = "it was over meanwhile" if one.is_over else "it still fails"
        found[one.delivery_id] = f"{what}; until now it was kept back: {one.note}"
    return found


def silenced_note(silence: Silence) -> str:
    """Why a delivery is SILENCED."""
    until = f"{silence.ends_at:%Y-%m-%d %H:%M} UTC"
    return f"silence {silence.silence_id} by {silence.author} until {until}: {silence.reason}"


def inhibited_note(node: Alert) -> str:
    """Why a delivery is INHIBITED."""
    return f"alert {node.alert_id} stands for it: node {node.subject.name} is {node.status}"


def _stands(node: Alert, now: datetime) -> bool:
    return node.state is not AlertState.RESOLVED or now - (node.resolved_at or node.updated_at) < GRACE

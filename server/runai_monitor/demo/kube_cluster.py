"""What the tenant's cluster has beside pods: healthy GPU nodes, no volume claims and no quotas."""

from __future__ import annotations

from datetime import datetime, timedelta

from runai_monitor.demo.kube_query import Json
from runai_monitor.demo.kube_wire import instant
from runai_monitor.demo.world import World

_CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID"),
    ("Ready", "True", "KubeletReady"),
)
_AMOUNTS = {"cpu": "128", "memory": "2063937Mi", "nvidia.com/gpu": "8", "pods": "110"}


def node_names(world: World) -> list[str]:
    """The nodes that pods are on."""
    return sorted({pod.node for pod in world.pods(None) if pod.node})


def node_json(name: str, *, now: datetime, lost: bool = False) -> Json:
    """A node that is well, and has been for days, as the API server sends it; one that is `lost` is silent since just now."""
    since = now - timedelta(days=9)
    conditions = [
        {"type": kind, "status": status, "reason": reason, "message": "", "lastTransitionTime": instant(since)}
        for kind, status, reason in _CONDITIONS
    ]
    if lost:
        for condition in conditions:
            condition |= {
                "status": "Unknown",
                "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.",
                "lastTransitionTime": instant(now),
            }
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {
            "name": name,
            "uid": f"node-{name}",
            "creationTimestamp": instant(since),
            "labels": {"kubernetes.io/hostname": name, "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"},
        },
        "spec": {},
        "status": {
            "capacity": _AMOUNTS,
            "allocatable": _AMOUNTS,
            "conditions": conditions,
        },
    }

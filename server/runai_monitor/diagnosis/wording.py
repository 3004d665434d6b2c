"""Words that reach people outside a fence: names as single harmless tokens, amounts, and commands that can be pasted.

Text from the cluster is quoted as evidence only. What a sentence or a command takes from it passes `token`, which leaves
no white space and no markup, so that nothing written in a log can speak with our voice or be run by a shell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from runai_monitor.model.cluster import Container, Pod
from runai_monitor.model.workload import Workload

_UNSAFE = re.compile(r"[^A-Za-z0-9_.:/@%+=-]+")
_DETAIL = re.compile(r"\{detail\|([^}]*)\}")
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)([KMGTPE]i?|m|k)?")
_UNITS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "m": 1e-3} | {
    f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)
}


def token(text: str | None, limit: int = 90) -> str:
    """A name, path or number of the cluster as one word: ASCII, without white space, markup or shell characters."""
    return _UNSAFE.sub("_", text or "").strip("_")[:limit] or "?"


def describe_pod(pod: Pod) -> str:
    """The command that shows everything kubelet says about a pod."""
    return f"kubectl describe pod {token(pod.name)} -n {token(pod.namespace)}"


def read_log(pod: Pod, container: Container, *, previous: bool) -> str:
    """The command that shows a container's whole log."""
    suffix = " --previous" if previous else ""
    return f"kubectl logs {token(pod.name)} -n {token(pod.namespace)} -c {token(container.name)}{suffix}"


def describe_workload(workload: Workload) -> str:
    """Run:ai's command that shows a workload with its pods and events."""
    return f"runai workload describe {token(workload.name)} -p {token(workload.project)}"


def in_namespace(command: str, workload: Workload) -> str:
    """A kubectl command in the workload's namespace; left to the reader to complete when that is unknown."""
    return f"{command} -n {token(workload.namespace)}" if workload.namespace else f"{command} -n <namespace>"


def amount(quantity: str | None) -> float | None:
    """A Kubernetes quantity as a number (bytes for memory), None when it is none."""
    match = _QUANTITY.fullmatch(quantity or "")
    return None if match is None else float(match[1]) * _UNITS.get(match[2] or "", 1.0)


def one_half_more(quantity: str | None) -> str | None:
    """A memory quantity raised by half, in the unit it was given in; plain bytes in the unit that suits them."""
    size = amount(quantity)
    if size is None or size <= 0:
        return None
    match = _QUANTITY.fullmatch(quantity or "")
    unit = (match[2] if match else None) or ("Gi" if size >= _UNITS["Gi"] else "Mi")
    if unit == "m":
        return None
    more = 1.5 * size / _UNITS[unit]
    return f"{math.ceil(more) if more >= 4 else round(more, 1):g}{unit}"  # below four units whole steps are too coarse


def filled(advice: Sequence[str], detail: str, namespace: str | None = None) -> tuple[str, ...]:
    """Advice with the name it is about in place of `{detail|it}` (else what stands after the stroke) and `{namespace}`."""
    named = (_DETAIL.sub(lambda place: detail or place[1], step) for step in advice)
    return tuple(step.replace("{namespace}", token(namespace) if namespace else "<namespace>") for step in named)


def times(count: int, word: str) -> str:
    """`1 restart`, `3 restarts`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def gpu_count(gpus: float) -> str:
    """`1 GPU`, `0.5 GPUs`."""
    return f"{gpus:g} GPU" if gpus == 1 else f"{gpus:g} GPUs"


def listed(words: Sequence[str], most: int = 4) -> str:
    """`a, b and c`; of many the first few and how many more."""
    shown = list(words[:most])
    if len(words) > most:
        return f"{', '.join(shown)} and {len(words) - most} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))

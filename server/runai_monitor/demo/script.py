"""The language the stories are written in: effects as data, which the director carries out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """The workload and its pods appear, `age_seconds` old: pods wait unscheduled."""

    phase: str = "Pending"
    reason: str | None = None
    message: str = ""
    age_seconds: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPhase:
    """Run:ai says something new about the workload."""

    phase: str
    reason: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The container waits: `ContainerCreating`, `ImagePullBackOff`, and so on."""

    reason: str
    message: str = ""
    pod: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The container runs; when it had ended or was waiting to restart, the restart is counted."""

    pod: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The container ends; the pod ends with it unless its template restarts it."""

    exit_code: int
    reason: str
    message: str = ""
    pod: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unschedulable:
    """The scheduler says why the pod is not placed."""

    message: str
    pod: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evict:
    """The kubelet evicts the pod: phase Failed, reason Evicted, container killed."""

    message: str
    pod: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Lines the container writes to its current log. `text` is split at line ends."""

    text: str
    pod: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """An event; about the workload itself when `about_workload`, else about the pod or each pod.

    `{pod}` in the message is the pod's name.
    """

    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Warning"
    source: str = "kubelet"
    pod: int | None = None
    about_workload: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminatePods:
    """Somebody deleted the pods: they are marked so, and given time to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePods:
    """The pods are gone from Kubernetes."""


Effect = Submit | SetPhase | Waiting | Running | Ended | Unschedulable | Evict | Log | Tell | TerminatePods | RemovePods


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happens `at_seconds` after the story starts, all at once and in this order."""

    at_seconds: float
    effects: tuple[Effect, ...]

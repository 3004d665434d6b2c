"""A finding about something that was told or seen, and the steps that most of them share."""

from __future__ import annotations

from collections.abc import Sequence

from runai_monitor.diagnosis.case import Case
from runai_monitor.diagnosis.messages import Message
from runai_monitor.diagnosis.rules.finding import Finding, Role
from runai_monitor.diagnosis.wording import in_namespace, listed, token


def told(
    case: Case,
    message: Message,
    *,
    cause: str,
    title: str,
    confidence: float,
    explanation: str = "",
    next_steps: Sequence[str],
    evidence_ids: Sequence[str] = (),
    role: Role = Role.OWN,
    never: bool = True,
) -> Finding:
    """A finding from a message: it is cited first, and gives strength, time and place."""
    return Finding(
        cause=cause,
        title=title,
        confidence=confidence,
        explanation=f"{message.source} ({token(message.reason)}) says so.{explanation and ' '}{explanation}",
        evidence_ids=(case.cite(message.source, message.quoted, at=message.at), *evidence_ids),
        next_steps=tuple(next_steps),
        strength=message.strength,
        role=role,
        at=message.at,
        place=message.about,
        never=never,
    )


def describe_node(node: str | None) -> str:
    """The command that shows a node's conditions, taints, GPUs and events."""
    return f"kubectl describe node {token(node)}" if node else "kubectl get nodes -o wide"


def describe_place(case: Case, message: Message) -> str:
    """The command that shows what a message is about."""
    if message.kind == "Pod" and message.about:
        return in_namespace(f"kubectl describe pod {token(message.about)}", case.workload)
    return in_namespace("kubectl get events --sort-by=.lastTimestamp", case.workload)


def node_of(case: Case, pod: str | None) -> str | None:
    """The node a pod is or was on, as Kubernetes or else Run:ai has it."""
    places = [(known.name, known.node) for known in case.pods] + [(known.name, known.node) for known in case.runai_pods]
    return next((node for name, node in places if name == pod and node), None)


def neighbours(case: Case, node: str | None) -> str:
    """The other workloads of a node that is not well, as a sentence; empty when none are known."""
    others = case.around.neighbours.get(node or "", [])
    return f"Also on it: {listed([token(name) for name in others], 6)}." if others else ""

"""One labelled case: what the two APIs answer, and what a good diagnosis says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.corpus.wire import Json, PodWire, job

QUIET = ("healthy", "completed", "suspended_by_person", "pending_normally", "insufficient_evidence")
"""Answers that are verdicts of their own; every other answer is a cause, under the verdict `failure`."""

Fault = int | str
"""An HTTP status, or `timeout`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledCase:
    """A case and its label.

    `expected` are the acceptable first answers; the first of them is the one counted. Two only where `causes.md` or
    the evidence allows two readings, and then `why` says so. `never` are the mistakes this case exists to catch.
    `consequences` must be named, but not first. `pair` joins near misses: cases that look alike and are not.
    """

    id: str
    expected: tuple[str, ...]
    why: str
    job: Json
    pods: tuple[PodWire, ...] = ()
    events: tuple[Json, ...] = ()
    history: tuple[Json, ...] = ()
    objects: tuple[Json, ...] = ()
    neighbours: tuple[Json, ...] = ()
    never: tuple[str, ...] = ()
    consequences: tuple[str, ...] = ()
    pair: str = ""
    kubernetes: bool = True
    forgotten: bool = False
    faults: Mapping[str, Fault]
    secrets: tuple[str, ...] = ()
    instructions: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """The verdict that goes with the counted answer."""
        return self.expected[0] if self.expected[0] in QUIET else "failure"


def case(
    id: str,  # noqa: A002 - the word everybody uses
    expected: str | Sequence[str],
    why: str,
    *pods: PodWire,
    job: Json = job(),  # noqa: B008 - never changed
    events: Sequence[Json] = (),
    history: Sequence[Json] = (),
    objects: Sequence[Json] = (),
    neighbours: Sequence[Json] = (),
    never: Sequence[str] = (),
    consequences: Sequence[str] = (),
    pair: str = "",
    kubernetes: bool = True,
    forgotten: bool = False,
    faults: Mapping[str, Fault] | None = None,
    secrets: Sequence[str] = (),
    instructions: Sequence[str] = (),
    kept: Sequence[str] = (),
) -> LabelledCase:
    """A case. `why` is the reason of the label in one line, with the source of the symptom.

    Args:
        id: unique, speaking.
        expected: the right first answer, or several acceptable ones.
        why: one line.
        pods: the job's pods.
        job: the workload; a failed training of one pod unless given.
        events: events of other objects than the pods (nodes, owners, pod groups, claims).
        history: Run:ai's phase history; an ordinary one leading to the workload's phase unless given.
        objects: other objects of the cluster; nodes that pods name are there and healthy unless given.
        neighbours: other workloads of the project.
        never: answers that must not be first.
        consequences: causes that must be named after the first.
        pair: the name of a group of near misses.
        kubernetes: false hides the cluster altogether.
        forgotten: true when Kubernetes has dropped its events (they live an hour) and only Run:ai still has them.
        faults: what cannot be read, by source (`runai/events`, `kube/pods/log`, …).
        secrets: planted texts that must appear nowhere in the diagnosis.
        instructions: planted texts that may appear as quoted evidence only.
        kept: texts that look like secrets and are none: a person needs to read them in the report.
    """
    return LabelledCase(
        id=id,
        expected=(expected,) if isinstance(expected, str) else tuple(expected),
        why=why,
        job=job,
        pods=pods,
        events=tuple(events),
        history=tuple(history),
        objects=tuple(objects),
        neighbours=tuple(neighbours),
        never=tuple(never),
        consequences=tuple(consequences),
        pair=pair,
        kubernetes=kubernetes,
        forgotten=forgotten,
        faults=faults or {},
        secrets=tuple(secrets),
        instructions=tuple(instructions),
        kept=tuple(kept),
    )

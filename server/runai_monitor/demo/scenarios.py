"""What a scripted story is: a workload, what happens to it, and what a good monitor says about it."""

from __future__ import annotations

from dataclasses import dataclass

from runai_monitor.demo.objects import Template
from runai_monitor.demo.script import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One scripted story: a workload, what happens to it, and what is right to say about it.

    Attributes:
        key: a short stable identifier.
        title: one line for people.
        type: Run:ai's word: Training, Workspace, Distributed or Inference.
        template: what was submitted.
        starts_at_seconds: seconds after the show begins; the steps count from there.
        running_before: whether the workload already runs healthily when the show begins; otherwise its first step
            submits it.
        expected_statuses: the words that are right for it (any of them); empty for a silent story.
        expected_causes: the identifiers of causes of which one must rank first; empty for a silent story.
        silent: nobody may be told.
        resolves: it becomes healthy again within the show.
    """

    key: str
    title: str
    project: str
    workload_name: str
    type: str
    template: Template
    starts_at_seconds: float
    steps: tuple[Step, ...]
    running_before: bool = True
    expected_statuses: frozenset[str] = frozenset()
    expected_causes: frozenset[str] = frozenset()
    silent: bool = False
    resolves: bool = False

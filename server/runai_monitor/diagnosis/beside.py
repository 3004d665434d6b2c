"""Other workloads that failed in the same hour: on the same node, with the same image, in the same project.

They are told, and several on one node make a cause of that node likelier which other evidence supports; alone they are
no more than a hint. Most of them fail by themselves: only those whose cause may lie in a node speak for it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from runai_monitor.diagnosis.around import is_sick
from runai_monitor.diagnosis.case import Case, ended_badly
from runai_monitor.diagnosis.rules.finding import Finding
from runai_monitor.diagnosis.rules.told import describe_node, node_of
from runai_monitor.diagnosis.wording import listed, times, token
from runai_monitor.model.diagnosis import Cause, Verdict
from runai_monitor.model.history import Neighbour

SOURCE = "alert history of other workloads"
SEVERAL = 2
"""Other workloads on one node that are no coincidence any more."""
MOST_NODES = 32
_MOST_LINES = 12
_MOST_SENTENCES = 2
_LIKELIER, _LIKELIEST = 0.05, 0.95
_NAMED = 0.4
# Causes that are a node's own, and those that may be what a bad node looks like from inside a workload.
_OF_NODE = re.compile(r"node_\w+|network_plugin_failed|device_plugin_failed|gpu_hardware_fault")
_PERHAPS_OF_NODE = re.compile(
    r"insufficient_evidence|killed_by_signal|segfault|aborted|application_error|cuda_illegal_access|cuda_driver_mismatch|"
    r"no_gpu_visible|nccl_\w+|container_create_failed|volume_mount_failed|read_only_filesystem|disk_full|"
    rf"{_OF_NODE.pattern}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the neighbours say. `suspects` are the nodes that several of them speak against, with how many."""

    evidence_id: str
    sentences: tuple[str, ...]
    suspects: tuple[tuple[str, int], ...] = ()


def failed_nodes(case: Case) -> tuple[str, ...]:
    """The nodes that the workload's trouble may have to do with: of pods that failed, and sick ones; else of all pods."""
    failed = [ended.pod.node for ended in ended_badly(case)]
    failed += [pod.node for pod in case.pods if pod.pod_phase in {"Failed", "Unknown"} or pod.reason]
    around = case.around
    sick = [
        pod.node
        for pod in case.pods
        if pod.node in around.gone or (pod.node in around.nodes and is_sick(around.nodes[pod.node]))
    ]
    every = [*(pod.node for pod in case.pods), *(pod.node for pod in case.runai_pods)]
    found = [node for node in (*failed, *sick) if node] or [node for node in every if node]
    return tuple(dict.fromkeys(found))[:MOST_NODES]


def weighed(case: Case, findings: Sequence[Finding]) -> list[Finding]:
    """The findings, those about a node surer where several other workloads failed on that node in the same hour."""
    suspects = dict(_suspects(case))
    return [_weighed(case, finding, suspects) for finding in findings]


def _weighed(case: Case, finding: Finding, suspects: dict[str, int]) -> Finding:
    node = node_of(case, finding.place)
    count = suspects.get(node or "", 0)
    if not count or not _OF_NODE.fullmatch(finding.cause) or not _NAMED <= finding.confidence < _LIKELIEST:
        return finding
    said = f"{times(count, 'other workload')} failed on the same node in the same hour, which makes it likelier."
    return replace(
        finding,
        confidence=min(_LIKELIEST, finding.confidence + _LIKELIER),
        explanation=f"{finding.explanation} {said}",
        evidence_ids=(*finding.evidence_ids, _cite(case, _related(case))),
    )


def beside(case: Case) -> Beside | None:
    """What to tell of the neighbours; None when nobody else failed where this one did."""
    related = _related(case)
    if not related:
        return None
    sentences = [
        _sentence(on_node, f"on node {token(node)}", case)
        for node, on_node in sorted(_by_node(case).items(), key=lambda item: -len(item[1]))[:_MOST_SENTENCES]
    ]
    images = set(case.workload.images)
    for kind, these in (
        ("with the same image", [other for other in related if images & set(other.images)]),
        (
            f"of project {token(case.workload.project)}",
            [other for other in related if other.project == case.workload.project],
        ),
    ):
        if these:
            sentences.append(_sentence(these, kind, case))
    return Beside(evidence_id=_cite(case, related), sentences=tuple(sentences), suspects=tuple(_suspects(case)))


def pointing_at_node(others: Beside, causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """The causes with a hint at a node that several workloads failed on, unless the first one is a node's already."""
    if not others.suspects or not causes or _OF_NODE.fullmatch(causes[0].cause):
        return causes
    node, count = others.suspects[0]
    hint = f"look at node {token(node)} too, on which {times(count, 'other workload')} failed in the same hour: {describe_node(node)}"
    first, steps = causes[0], causes[0].next_steps
    known = first.cause != Verdict.INSUFFICIENT_EVIDENCE
    steps = (*steps[:1], hint, *steps[1:]) if known else (hint, *steps)
    return (replace(first, next_steps=steps, evidence_ids=(*first.evidence_ids, others.evidence_id)), *causes[1:])


def _related(case: Case) -> list[Neighbour]:
    """Neighbours that share a node, an image or the project; those of a node first."""
    nodes, images, project = set(failed_nodes(case)), set(case.workload.images), case.workload.project
    on_node = [other for other in case.past.neighbours if nodes & set(other.nodes)]
    elsewhere = [other for other in case.past.neighbours if not nodes & set(other.nodes)]
    return on_node + [other for other in elsewhere if images & set(other.images) or other.project == project]


def _by_node(case: Case) -> dict[str, list[Neighbour]]:
    found: dict[str, list[Neighbour]] = {}
    for node in failed_nodes(case):
        if on_node := [other for other in case.past.neighbours if node in other.nodes]:
            found[node] = on_node
    return found


def _suspects(case: Case) -> list[tuple[str, int]]:
    """Nodes on which several others failed in a way that may be the node's, the worst first."""
    counts = {
        node: sum(other.cause is None or bool(_PERHAPS_OF_NODE.fullmatch(other.cause)) for other in on_node)
        for node, on_node in _by_node(case).items()
    }
    return sorted(((node, n) for node, n in counts.items() if n >= SEVERAL), key=lambda item: (-item[1], item[0]))


def _sentence(these: Sequence[Neighbour], where: str, case: Case) -> str:
    least = "at least " if case.past.more_neighbours else ""
    names = listed([token(other.name) for other in these], 3)
    return f"Also: {least}{times(len(these), 'other workload')} failed {where} within an hour of it ({names}): {_tally(these)}."


def _tally(these: Iterable[Neighbour]) -> str:
    counts = Counter(other.cause or other.status for other in these)
    return listed([f"{token(name)} ({count})" for name, count in counts.most_common()])


def _cite(case: Case, related: Sequence[Neighbour]) -> str:
    nodes, images = set(failed_nodes(case)), set(case.workload.images)
    lines = [_line(other, nodes, images) for other in related[:_MOST_LINES]]
    lines += [f"and {len(related) - _MOST_LINES} more"] if len(related) > _MOST_LINES else []
    return case.cite(SOURCE, "\n".join(lines))


def _line(other: Neighbour, nodes: set[str], images: set[str]) -> str:
    shared = [f"node {node[:60]}" for node in other.nodes if node in nodes][:2]
    shared += ["same image"] if images & set(other.images) else []
    said = f"{other.status[:40]}, {other.cause or 'not diagnosed'} since {other.started_at:%H:%M} UTC"
    return ", ".join((f"{other.project[:40]}/{other.name[:60]}: {said}", *shared))

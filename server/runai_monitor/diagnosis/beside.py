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

SOURCE = "alerts and state of other workloads"
SEVERAL = 2
"""Other workloads on one node that are no coincidence any more."""
MOST_NODES = 32
_MOST_LINES = 12
_MOST_NODES = 2
_LIKELIER, _LIKELIEST = 0.05, 0.95
_NAMED = 0.4
# Causes that are a node's own, and those that may be what a bad node looks like from inside a workload.
_OF_NODE = re.compile(r"node_\w+|network_plugin_failed|device_plugin_failed|gpu_hardware_fault")
_PERHAPS_OF_NODE = re.compile(
    r"insufficient_evidence|killed_by_signal|segfault|aborted|application_error|cuda_illegal_access|cuda_driver_mismatch|"
    r"no_gpu_visible|nccl_\w+|container_create_failed|volume_mount_failed|read_only_filesystem|disk_full|"
    rf"{_OF_NODE.pattern}"
)


# Causes that lie in an image, and those that lie in what a project shares: its secrets, volumes, quota, services.
_OF_IMAGE = re.compile(
    r"missing_(?:module|file)|bad_command|not_executable|wrong_architecture|segfault|aborted|illegal_instruction|python_exception|"
    r"invalid_arguments|application_error|cuda_driver_mismatch|no_gpu_visible|permission_denied|image_\w+|registry_\w+|invalid_image_name"
)
_OF_PROJECT = re.compile(
    r"missing_(?:secret|configmap|config_key)|pvc_\w+|volume_\w+|storage_\w+|disk_full|read_only_filesystem|credential_rejected|"
    r"image_auth_failed|security_context_denied|project_over_quota|namespace_quota_exceeded|rate_limited|dns_\w+|connection_\w+|tls_\w+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Neighbours that share something, which `who` or `where` names."""

    members: tuple[Neighbour, ...]
    who: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the neighbours say. `suspects` are the nodes that several of them speak against, with how many."""

    evidence_id: str
    sentences: tuple[str, ...]
    suspects: tuple[tuple[str, int], ...] = ()
    same_image: tuple[Neighbour, ...] = ()
    of_project: tuple[Neighbour, ...] = ()


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
        evidence_ids=(*finding.evidence_ids, _cite(case, _groups(case))),
    )


def beside(case: Case) -> Beside | None:
    """What to tell of the neighbours; None when nobody else failed where this one did."""
    groups = _groups(case)
    if not groups:
        return None
    return Beside(
        evidence_id=_cite(case, groups),
        sentences=tuple(_sentence(case, group) for group in groups),
        suspects=tuple(_suspects(case)),
        same_image=_same_image(case),
        of_project=_of_project(case),
    )


def pointing_at_node(others: Beside, causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """The causes with a hint at a node that several workloads failed on, where the first one leaves room for it."""
    cause = causes[0].cause if causes else ""
    if not others.suspects or _OF_NODE.fullmatch(cause) or not _PERHAPS_OF_NODE.fullmatch(cause):
        return causes
    node, count = others.suspects[0]
    hint = f"look at node {token(node)} too, on which {times(count, 'other workload')} failed in the same hour: {describe_node(node)}"
    first, steps = causes[0], causes[0].next_steps
    known = first.cause != Verdict.INSUFFICIENT_EVIDENCE
    steps = (*steps[:1], hint, *steps[1:]) if known else (hint, *steps)
    return (replace(first, next_steps=steps, evidence_ids=(*first.evidence_ids, others.evidence_id)), *causes[1:])


def pointing_at_shared(others: Beside, causes: tuple[Cause, ...]) -> tuple[Cause, ...]:
    """The causes with the hint that the first is not this workload's alone, where the image or the project explains it.

    Of a burst most are not diagnosed yet: those count beside at least one other, unless they are known to have another cause.
    """
    cause = causes[0].cause if causes else ""
    shared = (
        (_OF_IMAGE, others.same_image, "with the same image", "look at what changed in the image, and mend it once"),
        (_OF_PROJECT, others.of_project, "of the same project", "mend once what they share"),
    )
    for pattern, members, who, advice in shared:
        alike = [other for other in members if other.cause in (cause, None)]
        same = sum(other.cause == cause for other in alike)
        if len(alike) < SEVERAL or not pattern.fullmatch(cause):
            continue
        known = f", {same} of them certainly of this cause" if same else ""
        hint = f"it is not this one alone: {times(len(alike), 'other workload')} {who} failed in the same hour{known}: {advice}"
        first = causes[0]
        steps = (*first.next_steps[:1], hint, *first.next_steps[1:])
        cited = (*first.evidence_ids, *(() if others.evidence_id in first.evidence_ids else (others.evidence_id,)))
        return (replace(first, next_steps=steps, evidence_ids=cited), *causes[1:])
    return causes


def _same_image(case: Case) -> tuple[Neighbour, ...]:
    images = set(case.workload.images)
    return tuple(other for other in case.past.neighbours if images & set(other.images))


def _of_project(case: Case) -> tuple[Neighbour, ...]:
    return tuple(other for other in case.past.neighbours if other.project == case.workload.project)


def _groups(case: Case) -> list[Group]:
    """Who shares a node, the image or the project; a group of few who were told already is not told again."""
    on_nodes = sorted(_by_node(case).items(), key=lambda item: -len(item[1]))[:_MOST_NODES]
    groups = [Group(where=f" on node {token(node)}", members=tuple(members)) for node, members in on_nodes]
    told = {other.workload_id for group in groups for other in group.members}
    same_image = _same_image(case)
    if len(same_image) >= SEVERAL or any(other.workload_id not in told for other in same_image):
        groups.append(Group(who=" with the same image", members=same_image))
    of_project = _of_project(case)
    if len(of_project) >= SEVERAL:  # in a busy project one is no news
        groups.append(Group(who=f" of project {token(case.workload.project)}", members=of_project))
    return groups


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


def _sentence(case: Case, group: Group) -> str:
    least = "at least " if case.past.more_neighbours else ""
    names = listed([token(other.name) for other in group.members], 3)
    count = f"{least}{times(len(group.members), 'other workload')}"
    return f"Also: {count}{group.who} failed{group.where} within an hour of it ({names}): {_tally(group.members)}."


def _tally(these: Iterable[Neighbour]) -> str:
    counts = Counter(other.cause or other.status for other in these)
    return listed([f"{token(name)} ({count})" for name, count in counts.most_common()])


def _cite(case: Case, groups: Sequence[Group]) -> str:
    nodes, images = set(failed_nodes(case)), set(case.workload.images)
    told = {other.workload_id: other for group in groups for other in group.members}
    lines = [_line(other, nodes, images) for other in list(told.values())[:_MOST_LINES]]
    lines += [f"and {len(told) - _MOST_LINES} more"] if len(told) > _MOST_LINES else []
    return case.cite(SOURCE, "\n".join(lines))


def _line(other: Neighbour, nodes: set[str], images: set[str]) -> str:
    shared = [f"node {node[:60]}" for node in other.nodes if node in nodes][:2]
    shared += ["same image"] if images & set(other.images) else []
    said = f"{other.status[:40]}, {other.cause or 'not diagnosed yet'} since {other.started_at:%H:%M} UTC"
    return ", ".join((f"{other.project[:40]}/{other.name[:60]}: {said}", *shared))

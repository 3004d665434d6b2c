"""Breakdowns of schedulers as counted reasons."""

from __future__ import annotations

import pytest

from runai_monitor.diagnosis.breakdown import Room, fragmented, parse, taints

KUBE = "0/{nodes} nodes are available: {reasons}. preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."
LONGEST = 16_000
"""Longer texts are cut before a rule sees them."""
Counted = list[tuple[str, int]]


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ("12 Insufficient nvidia.com/gpu", [("insufficient_gpu", 12)]),
        ("4 Insufficient nvidia.com/gpu, 8 node(s) had untolerated taint {dedicated: infra}", [("insufficient_gpu", 4), ("untolerated_taint", 8)]),
        ("2 Insufficient cpu, 6 Insufficient memory", [("insufficient_memory", 6), ("insufficient_cpu", 2)]),
        ("4 Insufficient cpu, 4 Insufficient nvidia.com/gpu", [("insufficient_gpu", 4), ("insufficient_cpu", 4)]),
        ("3 Insufficient nvidia.com/mig-1g.10gb", [("insufficient_gpu", 3)]),
        ("1 Insufficient nvidia.com/gpu, 11 node(s) didn't match Pod's node affinity/selector", [("insufficient_gpu", 1), ("node_selector_mismatch", 11)]),
        ("1 node(s) had taint {team: vision}, that the pod didn't tolerate, 4 node(s) didn't match node selector", [("node_selector_mismatch", 4), ("untolerated_taint", 1)]),
        ("3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 node(s) didn't match Pod's node affinity/selector", [("node_selector_mismatch", 2), ("untolerated_taint", 3)]),
        ("2 node(s) had untolerated taint {nvidia.com/gpu: present}, 4 Insufficient nvidia.com/gpu", [("untolerated_taint", 2), ("insufficient_gpu", 4)]),
        ("1 Insufficient nvidia.com/gpu, 5 node(s) had volume node affinity conflict", [("volume_zone_conflict", 5), ("insufficient_gpu", 1)]),
        ("3 node(s) were unschedulable, 3 Insufficient memory", [("insufficient_memory", 3), ("untolerated_taint", 3)]),
        ("2 node(s) had untolerated taint {node.kubernetes.io/unreachable: }", [("node_not_ready", 2)]),
        ("2 node(s) didn't satisfy existing pods anti-affinity rules, 1 node(s) didn't match pod topology spread constraints", [("affinity_conflict", 3)]),
        ("pod has unbound immediate PersistentVolumeClaims", []),
    ],
)  # fmt: skip
def test_kube_schedulers_reasons_are_counted_the_most_limiting_first(reasons: str, expected: Counted) -> None:
    """The first reason is what a person changes; a node that lacks room has passed every other check."""
    found = parse(KUBE.format(nodes=12, reasons=reasons))
    assert [(reason.cause, reason.count) for reason in found.reasons] == expected
    assert found.nodes == 12


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no nodes with enough resources were found: 2 node(s) had untolerated taint {a: b}. \n4 node(s) didn't have enough resources: GPUs.", [("insufficient_gpu", 4), ("untolerated_taint", 2)]),
        ("Node-Pool 'a': no nodes with enough resources were found: 3 node(s) didn't have enough resources: GPU memory.", [("insufficient_gpu", 3)]),
        ("no nodes with enough resources were found: 1 node(s) didn't have enough of mig profile: nvidia.com/mig-3g.40gb.", [("insufficient_gpu", 1)]),
        ("Not enough resources for the workload: 2 node-group(s) didn't have enough resources: CPU cores.", [("insufficient_cpu", 2)]),
        ("no nodes with enough resources were found.\n<gpu-1>: Node didn't have enough resources: memory, requested: 9, used: 1, capacity: 8.\n<gpu-2>: node(s) had untolerated taint {a: b}.", [("insufficient_memory", 1), ("untolerated_taint", 1)]),
    ],
)  # fmt: skip
def test_the_run_ai_schedulers_reasons_are_counted_too(text: str, expected: Counted) -> None:
    """Its histogram ends each reason with a full stop, and its detailed form has a line for each node."""
    assert [(reason.cause, reason.count) for reason in parse(text).reasons] == expected


def test_what_no_node_can_ever_give_is_told_apart_from_what_is_in_use() -> None:
    """Waiting helps against the second only."""
    large = parse(
        "The pod n/x requires GPU: 16, CPU: 1 (cores). Max GPU resources available in a single node in the default node-pool is topped at 8"
    )
    none = parse("The pod n/x requires GPU: 1. No node in the cpu node-pool has GPU resources")
    assert [(found.largest, found.is_fixed) for found in (large, none)] == [(8, True), (0, True)]
    assert not parse(KUBE.format(nodes=3, reasons="3 Insufficient cpu")).is_fixed
    assert parse(KUBE.format(nodes=3, reasons="3 node(s) didn't match Pod's node affinity/selector")).is_fixed
    coming_back = "1 node(s) were unschedulable, 2 node(s) didn't match Pod's node affinity/selector"
    assert not parse(KUBE.format(nodes=3, reasons=coming_back)).is_fixed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Resources were found for 3 pods while 8 are required for gang scheduling. Additional pods cannot be scheduled due to: x", (3, 8)),
        ("Resources were found for 2 pods from all sub-groups while sub-group workers requires 4 pods for gang scheduling.", (2, 4)),
        ("3/4 tasks in gang unschedulable: pod group is not ready, 4 Pending, 4 minAvailable", (1, 4)),
        ("0/4 nodes are available: 4 Insufficient cpu.", None),
    ],
)  # fmt: skip
def test_a_gang_tells_how_much_of_it_fits(text: str, expected: tuple[int, int] | None) -> None:
    """A gang of which a part fits waits for the rest; one of which none fits lacks resources."""
    assert parse(text).gang == expected


def test_free_gpus_are_fragmented_only_when_together_they_would_do() -> None:
    """Too few, too small nodes or a single node are something else."""

    def rooms(asked: float, *used_of: tuple[float, float]) -> tuple[Room, ...]:
        return tuple(Room(node=str(n), asked=asked, used=u, capacity=c) for n, (u, c) in enumerate(used_of))

    assert fragmented(rooms(8, (5, 8), (2, 8)))
    assert not fragmented(rooms(8, (7, 8), (6, 8)))
    assert not fragmented(rooms(8, (0, 4), (0, 4)))
    assert not fragmented(rooms(8, (5, 8)))
    assert not fragmented(rooms(2, (5, 8), (2, 8)))
    assert not fragmented(())


def test_taints_are_named_once_with_their_values() -> None:
    """The toleration to add is a key and a value."""
    found = parse(
        KUBE.format(
            nodes=3, reasons="2 node(s) had untolerated taint {team: vision}, 1 node(s) had untolerated taint {spot: }"
        )
    )
    assert taints(found.reasons) == [("team", "vision"), ("spot", None)]


def test_a_hostile_text_is_read_in_no_time() -> None:
    """Messages reach us from the cluster; a pattern must not hang on one."""
    for text in (
        "1 node(s) " * 20_000,
        "0/1 nodes are available: " * 10_000,
        "<a>: " * 30_000,
        "taint {" * 30_000,
        "enough " * 30_000,
        "1 Insufficient cpu, " * 10_000,
    ):
        parse(text[:LONGEST])

"""Whose pod is whose, and that what is known is exactly what was last said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runai_monitor.model.cluster import Pod
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.monitor import snapshot as module
from runai_monitor.monitor.snapshot import Snapshot
from tests.factories import make_pod, make_workload, waiting
from tests.fakes import EPOCH
from tests.monitor.events import event


def world(*workloads: Workload, pods: tuple[Pod, ...] = (), **fields: Any) -> Snapshot:
    snapshot = Snapshot(**fields)
    snapshot.put_workloads(workloads)
    snapshot.replace_pods(pods, namespace=None)
    return snapshot


def owned(snapshot: Snapshot, workload: Workload) -> list[str]:
    return [pod.name for pod in snapshot.pods_of(workload)]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"workload_name": "train"}, True),
        ({"workload_name": None, "owner": "train"}, True),
        ({"workload_name": "train", "owner": "train-launcher"}, True),
        ({"workload_name": "train-2", "owner": "train"}, False),
        ({"workload_name": None, "owner": "train-2"}, False),
        ({"workload_name": None, "owner": None}, False),
        ({"workload_name": "train", "namespace": "runai-vision"}, False),
    ],
)
def test_a_pod_says_whose_it_is(fields: dict[str, Any], expected: bool) -> None:
    """By its label, else by its controller, in its own namespace; a name that begins alike is no proof."""
    train = make_workload("train")
    snapshot = world(train, pods=(make_pod("train", "train-0-0", **fields),))
    assert owned(snapshot, train) == (["train-0-0"] if expected else [])


def test_of_two_generations_of_a_name_each_has_its_own_pods() -> None:
    """Deleted, submitted again: the newest workload that is not younger than the pod."""
    old = make_workload("train", id=WorkloadId("old"))
    new = make_workload("train", id=WorkloadId("new"), created_at=EPOCH + timedelta(hours=1))
    pods = (
        make_pod("train", "of-old", created_at=EPOCH + timedelta(seconds=5)),
        make_pod("train", "of-new", created_at=EPOCH + timedelta(hours=1, seconds=5)),
        make_pod("train", "of-new-too", created_at=EPOCH + timedelta(hours=1, seconds=-5)),
    )
    snapshot = world(old, new, pods=pods)
    assert (owned(snapshot, old), owned(snapshot, new)) == (["of-old"], ["of-new-too", "of-new"])
    snapshot.drop_workloads([old.id])
    assert owned(snapshot, new) == ["of-new-too", "of-new"]


def test_run_ais_word_is_stronger_than_a_label() -> None:
    """A pod that Run:ai lists under another workload is that one's, whatever it says of itself."""
    train, other = make_workload("train"), make_workload("other")
    snapshot = world(train, other, pods=(make_pod("train", "pod"),))
    snapshot.confirm(other, ["pod", "pod-that-is-gone"])
    assert (owned(snapshot, train), owned(snapshot, other)) == ([], ["pod"])
    snapshot.confirm(other, [])
    assert (owned(snapshot, train), owned(snapshot, other)) == (["pod"], [])


def test_with_several_clusters_only_run_ais_word_counts() -> None:
    """The same namespace and name exist twice; the kubeconfig leads to one of the clusters, unknown to which."""
    ours, theirs = make_workload("a", id=WorkloadId("1")), make_workload("a", id=WorkloadId("2"), cluster_id="c2")
    snapshot = world(ours, theirs, pods=(make_pod("a", "pod", waiting("ImagePullBackOff")),))
    assert snapshot.is_ambiguous
    assert (owned(snapshot, ours), owned(snapshot, theirs)) == ([], [])
    assert [(pod.name, snapshot.candidates(pod)) for pod in snapshot.odd_pods()] == [("pod", ["1", "2"])]
    snapshot.confirm(theirs, ["pod"])
    assert (owned(snapshot, ours), owned(snapshot, theirs)) == ([], ["pod"])
    assert [found for pod in snapshot.odd_pods() if (found := snapshot.candidates(pod))] == []
    snapshot.drop_workloads([ours.id])
    assert not snapshot.is_ambiguous


def test_with_the_cluster_named_the_others_have_no_pods() -> None:
    """`kube_cluster_id` says where the kubeconfig leads."""
    ours, theirs = make_workload("a", id=WorkloadId("1")), make_workload("a", id=WorkloadId("2"), cluster_id="c2")
    snapshot = world(ours, theirs, pods=(make_pod("a", "pod"),), kube_cluster_id="cluster-1")
    assert (owned(snapshot, ours), owned(snapshot, theirs)) == (["pod"], [])
    snapshot.confirm(theirs, ["pod"])
    assert owned(snapshot, theirs) == []


@pytest.mark.parametrize(
    ("pod", "candidates"),
    [
        ("train-2-0-0", ["id-train-2"]),
        ("train-worker-0", ["id-train"]),
        ("train-2", ["id-train"]),
        ("trainer-0", []),
        ("coredns-5d78c9869d-abcde", []),
    ],
)
def test_an_unlabelled_pod_is_asked_about_under_the_longest_name_that_fits(pod: str, candidates: list[str]) -> None:
    """`train-2-0` may be of `train` or of `train-2`: the longer name is the likelier, and Run:ai decides."""
    snapshot = world(make_workload("train"), make_workload("train-2"))
    snapshot.put_pod(make_pod("x", pod, waiting("ImagePullBackOff"), workload_name=None, owner=None))
    assert [found for pod in snapshot.odd_pods() if (found := snapshot.candidates(pod))] == (
        [candidates] if candidates else []
    )


def test_a_complete_list_replaces_its_own_namespace_only() -> None:
    """What is not listed is gone there, and nothing is known of elsewhere."""
    here, there = make_workload("a"), make_workload("b", namespace="runai-vision")
    snapshot = world(here, there, pods=(make_pod("a"), make_pod("b", namespace="runai-vision")))
    snapshot.replace_pods([], namespace="runai-vision")
    assert (owned(snapshot, here), owned(snapshot, there)) == (["a-0-0"], [])


def test_what_changed_is_marked_for_judgement() -> None:
    """Only news is judged at once; the rest waits for the turn of everything."""
    train = make_workload("train")
    snapshot = world(train)
    snapshot.dirty.clear()
    snapshot.put_workloads([train])
    assert snapshot.dirty == set(), "the same row is no news"
    pod = make_pod("train")
    changes: tuple[Callable[[], None], ...] = (
        lambda: snapshot.put_workloads([make_workload("train", phase="Failed")]),
        lambda: snapshot.put_pod(pod),
        lambda: snapshot.remove_pod(pod),
        lambda: snapshot.put_events(train.id, [event("BackOff", at=EPOCH)]),
        lambda: snapshot.confirm(train, []),
    )
    for change in changes:
        snapshot.dirty.clear()
        change()
        assert snapshot.dirty == {train.id}
    snapshot.dirty.clear()
    snapshot.put_events(train.id, [event("BackOff", at=EPOCH)])
    assert snapshot.dirty == set()


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster has more pods than Run:ai has workloads, and events go back for weeks."""
    monkeypatch.setattr(module, "MOST_PODS", 2)
    monkeypatch.setattr(module, "MOST_SUSPECTS", 2)
    snapshot = world(*(make_workload(name) for name in "abc"))
    for name in ("x", "y", "z"):
        snapshot.put_pod(make_pod(name, name, workload_name=None, owner=None, namespace="elsewhere"))
    snapshot.put_pod(make_pod("a"))
    assert len(snapshot._pods) == 3
    for name in "abc":
        snapshot.put_events(WorkloadId(f"id-{name}"), [event("BackOff", str(n), at=EPOCH) for n in range(99)])
    assert {key: len(value) for key, value in snapshot.events.items()} == {"id-b": 50, "id-c": 50}
    snapshot.put_events(WorkloadId("unknown"), [event("BackOff", at=EPOCH)])
    assert len(snapshot.events) == 2


NAMES = st.sampled_from(["a", "a-1", "b"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("workload"), NAMES, st.integers(0, 2)),
        st.tuples(st.just("delete"), NAMES, st.integers(0, 2)),
        st.tuples(st.just("pod"), NAMES, st.integers(0, 3)),
        st.tuples(st.just("remove"), NAMES, st.integers(0, 3)),
        st.tuples(st.just("list"), NAMES, st.integers(0, 3)),
        st.tuples(st.just("confirm"), NAMES, st.integers(0, 3)),
    ),
    max_size=40,
)


@given(steps=STEPS)
@settings(max_examples=300, deadline=None)
def test_the_indexes_say_what_a_look_at_everything_would(steps: list[tuple[str, str, int]]) -> None:
    """Any order of changes: a pod has one owner at most, and nothing is kept of what is gone."""
    snapshot = Snapshot()
    pods: dict[str, Pod] = {}
    for action, name, number in steps:
        workload = make_workload(
            name, id=WorkloadId(f"{name}/{number}"), created_at=EPOCH + number * timedelta(hours=1)
        )
        pod = make_pod(name, f"{name}-pod-{number}", created_at=EPOCH + number * timedelta(hours=1))
        if action == "workload":
            snapshot.put_workloads([workload])
        elif action == "delete":
            snapshot.drop_workloads([workload.id])
        elif action == "pod":
            snapshot.put_pod(pod)
            pods[pod.name] = pod
        elif action == "remove":
            snapshot.remove_pod(pod)
            pods.pop(pod.name, None)
        elif action == "list":
            snapshot.replace_pods([pod], namespace=None)
            pods = {pod.name: pod}
        elif action == "confirm" and workload.id in snapshot.workloads:
            snapshot.confirm(snapshot.workloads[workload.id], [pod.name])
        found = [each.name for known in snapshot.workloads.values() for each in snapshot.pods_of(known)]
        assert len(found) == len(set(found))
        for each in pods.values():
            generations = [
                known
                for known in snapshot.workloads.values()
                if known.name == each.workload_name and (known.created_at or EPOCH) <= (each.created_at or EPOCH)
            ]
            assert (each.name in found) or not generations
        assert set(found) <= set(pods)
    for workload_id in list(snapshot.workloads):
        snapshot.drop_workloads([workload_id])
    for pod in list(pods.values()):
        snapshot.remove_pod(pod)
    assert not any((snapshot._pods, snapshot._named, snapshot._ids, snapshot._owner_of, snapshot._confirmed))
    assert not any((snapshot._namespaces, snapshot._clusters, snapshot.events, snapshot.dirty))

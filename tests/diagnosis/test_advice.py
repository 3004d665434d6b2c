"""Advice is about this workload: it names a field or a command, and the numbers that were seen."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import anyio
import pytest

from runai_monitor.model.diagnosis import Diagnosis, Verdict
from tests.corpus.case import QUIET
from tests.corpus.cases import CASES
from tests.corpus.catalogue import CAUSES
from tests.corpus.examination import diagnose_all
from tests.diagnosis.scene import (
    NAME,
    NAMESPACE,
    NODE,
    Json,
    Scene,
    container,
    ended,
    event,
    exited,
    pod,
    stuck,
    traceback,
    unplaced,
    waiting,
)

pytestmark = pytest.mark.anyio
# A field of Run:ai, a command that shows more than the object itself, or the line of the program.
_CONCRETE = re.compile(
    r"Run:ai: \w|Run:ai's \w|kubectl (?!logs |describe pod )|runai (?!workload describe )|nvidia-smi|dcgmi|, line \d+: "
)
_COMMAND = re.compile(r"(?:^|: )(?:kubectl|runai) \S")


@pytest.fixture(scope="module")
def told() -> dict[str, list[tuple[str, ...]]]:
    """The next steps of every first cause of the corpus, by cause."""
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for diagnosis in anyio.run(diagnose_all, CASES):
        if diagnosis.verdict is Verdict.FAILURE:
            found[diagnosis.causes[0].cause].append(diagnosis.causes[0].next_steps)
    return found


@pytest.mark.parametrize("cause", sorted(CAUSES - set(QUIET)))
def test_every_cause_has_advice_with_a_field_or_a_command(cause: str, told: dict[str, list[tuple[str, ...]]]) -> None:
    """`Increase the memory` sends a tired person searching; a field and a command to paste do not."""
    assert told[cause]
    for steps in told[cause]:
        said = "\n".join(steps)
        assert _CONCRETE.search(said), said
        assert any(_COMMAND.search(step) for step in steps), said
        assert not re.search(r"\{\w+(?:\|[^}]*)?\}", said.replace("{.spec.", "")), f"a place was left unfilled: {said}"
        assert len(steps) == len(set(steps)), said


EVICTED = "The node was low on resource: memory. Container main was using 120Gi, request is 8Gi, has larger consumption of memory."
QUOTA = 'Error creating: pods "x" is forbidden: exceeded quota: team, requested: requests.nvidia.com/gpu=8, used: requests.nvidia.com/gpu=28, limited: requests.nvidia.com/gpu=32'
REQUESTS: Json = {"workloadRequestedResources": {"cpuMemory": {"request": "512Gi", "limit": "64Gi"}, "cpu": {"request": 96}}}  # fmt: skip
WATCHDOG = "[Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=90112, OpType=_ALLGATHER_BASE, NumelIn=16777216, Timeout(ms)=1200000) ran for 1200037 milliseconds before timing out.\n"
OCI = "failed to create containerd task: failed to create shim task: OCI runtime create failed: "


def evicted() -> Scene:
    return Scene(pods=[pod(reason="Evicted", message=EVICTED)])


def killed_by_event() -> Scene:
    """Run:ai alone tells of the kill, and of the limit."""
    happened = {"createdAt": "2026-03-01T02:56:00Z", "type": "Warning", "reason": "OOMKilled", "message": "Container main was OOMKilled"}  # fmt: skip
    return Scene(kube=False, runai_events=[happened], detail=REQUESTS, row=REQUESTS)


def not_created(message: str) -> Scene:
    return stuck("CreateContainerError", f"{OCI}{message}")


@pytest.mark.parametrize(
    ("scene", "cause", "said"),
    [
        (killed_by_event(), "container_oom", "raise the memory limit 64Gi → 96Gi (Run:ai: compute.cpuMemoryLimit)"),
        (evicted(), "node_memory_eviction", "120Gi were in use, 8Gi are asked for (Run:ai: compute.cpuMemoryRequest)"),
        (unplaced("0/3 nodes are available: 3 Insufficient memory.", detail=REQUESTS), "insufficient_memory", "lower the request of 512Gi of memory (Run:ai:"),
        (unplaced("0/3 nodes are available: 3 Insufficient cpu.", detail=REQUESTS), "insufficient_cpu", "lower the request of 96 CPU cores (Run:ai:"),
        (unplaced("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", row={"workloadRequestedResources": {"gpu": {"request": 8}}}), "insufficient_gpu", "ask for fewer than 8 GPUs (Run:ai:"),
        (unplaced("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", row={"workloadRequestedResources": {"gpu": {"request": 1}}}), "insufficient_gpu", "ask for a part of one (Run:ai: compute.gpuPortionRequest"),
        (Scene(phase="Pending", since=30, events=[event("FailedCreate", QUOTA, about=NAME, kind="Job")]), "namespace_quota_exceeded", "ask for at most 4 instead of 8"),
        (exited(1, traceback("requests.exceptions.ConnectionError: HTTPSConnectionPool(host='hub.example.com', port=443): Max retries exceeded (Caused by NameResolutionError(\"Failed to resolve 'hub.example.com'\"))")), "dns_failure", f"-n {NAMESPACE} -- nslookup hub.example.com"),
        (exited(1, traceback("redis.exceptions.ConnectionError: Error 111 connecting to redis.data.svc:6379. Connection refused.")), "connection_refused", "nc -zv -w 5 redis.data.svc 6379"),
        (exited(3, "panic: no shards left\n\ngoroutine 1 [running]:\nmain.main()\n"), "application_error", f"runai workspace submit try-{NAME} -p llm -i registry.example.com/llm/train:4.2 --command -- sleep infinity"),
        (exited(250, WATCHDOG), "nccl_timeout", "the rank that never reached collective 90112 (ALLGATHER_BASE): the others gave up after 1200 s"),
        (exited(1, traceback("RuntimeError: No CUDA GPUs are available"), row={"workloadRequestedResources": {"gpu": {"request": 0}}}), "no_gpu_visible", "have the workload ask for a GPU: it asks for none"),
        (exited(134, "Unhandled exception. System.IO.FileNotFoundException: Could not find file '/models/churn/v14/model.zip'.\nAborted (core dumped)\n"), "missing_file", "check /models/churn/v14/model.zip: whether it is there"),
        (exited(1, "ERROR: LoadError: Out of GPU memory trying to allocate 31.250 GiB\n"), "cuda_oom", "shard over more GPUs: tried to allocate 31.250 GiB"),
        (Scene(pods=[pod(reason="DeadlineExceeded", message="Pod was active on the node longer than the specified deadline")]), "deadline_exceeded", f"kubectl get pod {NAME}-0-0 -o jsonpath={{.spec.activeDeadlineSeconds}}"),
        (not_created("name main_0 is reserved for abc"), "container_create_failed", f"kubectl delete pod {NAME}-0-0 -n {NAMESPACE}"),
        (not_created("error running hook #0: nvidia-container-cli: initialization error"), "container_create_failed", f"--field-selector spec.nodeName={NODE}"),
        (stuck("CreateContainerError", "context deadline exceeded"), "container_create_failed", f"the runtime of {NODE} is overloaded or hangs"),
        (not_created("something that nobody has seen before"), "container_create_failed", f"kubectl cordon {NODE}"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "",
)  # fmt: skip
async def test_the_numbers_that_were_seen_are_in_the_advice(scene: Scene, cause: str, said: str) -> None:
    """Whoever is asked to change a number needs the one it has now."""
    first = (await scene.diagnose()).causes[0]
    assert first.cause == cause
    assert said in "\n".join(first.next_steps)


async def test_a_pull_that_fails_without_a_reason_says_where_to_look() -> None:
    """The event that says why lives an hour, and may not be readable: the image, the login and the node are known."""
    found = await stuck("ImagePullBackOff", 'Back-off pulling image "registry.example.com/llm/train:4.2"').diagnose()
    assert found.verdict == "insufficient_evidence"
    (cause,) = found.causes
    assert any(f"kubectl get events --field-selector involvedObject.name={NAME}-0-0 --watch -n {NAMESPACE}" in step for step in cause.next_steps)  # fmt: skip
    assert any("(Run:ai: image)" in step and "Run:ai: Credentials" in step for step in cause.next_steps)
    assert any(step.endswith("crictl pull registry.example.com/llm/train:4.2") for step in cause.next_steps)
    cited = {item.id: item.excerpt for item in found.evidence}
    assert any("ImagePullBackOff" in cited[number] for number in cause.evidence_ids)


async def test_a_pull_whose_reason_is_known_is_not_told_as_unknown() -> None:
    """Two pods, of which one says why: the other's silence is no second cause."""
    pods = [
        pod(container(waiting("ImagePullBackOff", "Back-off")), index=n, phase="Pending", node=NODE) for n in range(2)
    ]
    scene = Scene(phase="Initializing", pods=pods, events=[event("Failed", "manifest unknown", about=0)])
    found: Diagnosis = await scene.diagnose()
    assert [cause.cause for cause in found.causes] == ["image_not_found"]
    assert found.causes[0].confidence > 0.9


async def test_names_in_commands_cannot_do_more_than_name() -> None:
    """A command is pasted into a shell: an image or a host of the cluster's text must stay one word of it."""
    bad: Any = "x;rm -rf ~`id`$(id)|sh > /tmp/y"
    scene = exited(3, "panic: no\n", row={"images": [bad]})
    scene.pods = [pod(container(ended(3)))]
    scene.pods[0]["status"]["containerStatuses"][0]["image"] = bad
    for cause in (await scene.diagnose()).causes:
        for step in cause.next_steps:
            assert not re.search(r"[;`$|>]|rm -rf", step.replace("jsonpath={", "")), step


async def test_a_doubt_is_quoted_in_few_lines() -> None:
    """What else it may be is read after the first cause, whose evidence quotes the same end of the log at length."""
    ordinary = "".join(f"info: layer {n} loaded\n" for n in range(40))
    crash = "Unhandled exception. System.IO.FileNotFoundException: Could not find file '/models/churn/model.zip'.\n   at Acme.Main(String[] args)\nAborted (core dumped)\n"
    first, *others = (found := await exited(134, ordinary + crash).diagnose()).causes
    assert first.cause == "missing_file"
    excerpts = {item.id: item.excerpt for item in found.evidence}
    quoted = {i for cause in others for i in cause.evidence_ids} - set(first.evidence_ids)
    assert quoted
    assert all(len(excerpts[number].splitlines()) <= 6 for number in quoted)

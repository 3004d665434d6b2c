"""What came first, and what only came last: kernel kills behind launchers, sidecars, attempts, waits, deletions, blind spots."""

from __future__ import annotations

from tests.diagnosis.cases import CHILD_FAILED, STEPS, Labelled, case
from tests.diagnosis.scene import (
    NAME,
    NODE,
    Json,
    Scene,
    condition,
    container,
    ended,
    event,
    exited,
    forbidden,
    node,
    pod,
    runai_event,
    runai_pod,
    running,
    traceback,
    waiting,
)

SIGKILLED = CHILD_FAILED.format(code=-9, said="Signal 9 (SIGKILL) received by PID 71")
LOADER = traceback("RuntimeError: DataLoader worker (pid 2154) is killed by signal: Killed.")
DEEPSPEED = STEPS + "[launch.py:325:sigkill_handler] ['python', 'train.py'] exits with return code = -9\n"
RAY = "ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.\n        class_name: create.<locals>.WorkerDict\n"
POD_UID = "0a1b2c3d-1111-2222-3333-444455556666"


def killed_by_kernel(code: int, log: str, process: str = "python", *, at: float = 5.2, where: str = NODE) -> Scene:
    """A launcher that ended with its own code, and what the kernel of a node says at that time."""
    said = f"Memory cgroup out of memory: Killed process 88103 ({process}) total-vm:213409812kB"
    kill = event("OOMKilling", said, at=at, about=where, kind="Node")
    return exited(code, log, node_events=[kill], detail={"command": "python", "arguments": "train.py"})


def _with_group(log: str, group: str) -> Scene:
    said = f"oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/kubepods/pod{group},task=x, Memory cgroup out of memory: Killed process 9 (x)"
    scene = Scene(
        pods=[pod(container(ended(1)), uid=POD_UID)],
        node_events=[event("OOMKilling", said, at=5.2, about=NODE, kind="Node")],
    )
    scene.logs[0, "main", False] = log
    return scene


def beside(shipper_runs_since: float) -> Scene:
    """A main container that ended by its own exception, beside a sidecar that was OOMKilled before and runs again."""
    sidecar = container(
        running(shipper_runs_since),
        last=ended(137, "OOMKilled", at=shipper_runs_since + 0.1),
        name="shipper",
        restarts=1,
        memory="64Mi",
    )
    scene = Scene(pods=[pod(container(ended(1)), sidecar)])
    scene.logs[0, "main", False] = traceback("ValueError: bad shard 12")
    return scene


def attempts(second: str, code: int = 1, *, apart: float = 50) -> Scene:
    """A pod that was evicted without a trace of its containers, and the one that was made after it."""
    wires = [
        pod(name=f"{NAME}-a", uid="a", created=59, reason="Evicted", message="The node was low on resource: memory. "),
        pod(container(ended(code)), name=f"{NAME}-b", uid="b", created=59 - apart),
    ]
    for wire in wires:
        del wire["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"]
    scene = Scene(pods=wires)
    scene.logs[f"{NAME}-b", "main", False] = second
    return scene


def waits_in_vain(log: str, *, since: float = 40) -> Scene:
    """An init container that runs and runs."""
    main, init = container(waiting("PodInitializing")), container(running(since), name="wait-db")
    scene = Scene(phase="Initializing", since=since, pods=[pod(main, phase="Pending", init=(init,))])
    scene.logs[0, "wait-db", False] = log
    return scene


def deleting(phase: str = "Terminating", since: float = 40, **fields: object) -> Scene:
    """A workload whose deletion does not end, with one pod."""
    pods = fields.pop("pods", [pod(container(running()), phase="Running")])
    return Scene(phase=phase, since=since, pods=pods, **fields)  # type: ignore[arg-type]


def unready(at: float) -> Scene:
    """A server whose readiness probe failed so many minutes ago."""
    said = event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", at=at)
    return Scene(phase="Running", pods=[pod(container(running()), phase="Running")], events=[said])


def young(waits: Json, *, init: bool = False) -> Scene:
    """A workload that has not started for three minutes, and of whose logs nothing may be read."""
    main = container(waiting("PodInitializing")) if init else waits
    return Scene(
        phase="Initializing",
        since=3,
        pods=[pod(main, phase="Pending", init=(waits,) if init else ())],
        broken={"log": forbidden("pods/log")},
    )


TWO_RUN: Json = {"runningPods": 2, "requestedPods": {"number": 2}}
ONE_RUNS: Json = {"runningPods": 1, "requestedPods": {"number": 2}}
TAINTED = condition(
    "DisruptionTarget", "True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"
)
LOOPS = container(waiting("CrashLoopBackOff", "back-off 40s"), last=ended(1, at=1), restarts=3, name="git-sync")
LOST_NODE = node(condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", at=45))

FIRST_CAUSES: list[Labelled] = [
    case("torchrun's child, killed by the kernel", "container_oom", killed_by_kernel(1, SIGKILLED)),
    case("torchrun's child, killed on another node", "killed_by_signal", killed_by_kernel(1, SIGKILLED, where="gpu-8"), sure=False),
    case("torchrun's child, killed at another time", "killed_by_signal", killed_by_kernel(1, SIGKILLED, at=25), sure=False),
    case("torchrun's child, another's process killed", "killed_by_signal", killed_by_kernel(1, SIGKILLED, "java"), sure=False),
    case("DeepSpeed's child, killed by the kernel", "container_oom", killed_by_kernel(247, DEEPSPEED)),
    case("a loader's worker, by PyTorch's name for it", "container_oom", killed_by_kernel(1, LOADER, "pt_data_worker")),
    case("Ray's actor, by the name Ray gives it", "container_oom", killed_by_kernel(1, RAY, "ray::WorkerDict")),
    case("Ray's actor, another actor's process killed", "insufficient_evidence", killed_by_kernel(1, RAY, "ray::Other"), sure=False),
    case("an exception beside a kill of a process of that name", "python_exception", killed_by_kernel(1, traceback("ValueError: bad shard 12"))),
    case("an exception beside a kill in its own memory group", "container_oom", _with_group(traceback("EOFError"), POD_UID)),
    case("an exception beside a kill in another pod's memory group", "python_exception", _with_group(traceback("ValueError: x"), "ffffffff-1111-2222-3333-444455556666")),
    case("a sidecar that had recovered", "python_exception", beside(50), then="container_oom"),
    case("a sidecar that had just died", "container_oom", beside(6)),
    case("the second attempt failed by itself", "python_exception", attempts(traceback("ValueError: bad record 12")), then="node_memory_eviction"),
    case("a sibling that was made at the same time", "node_memory_eviction", attempts(STEPS, 143, apart=1)),
    case("PyTorchJob's deadline", "deadline_exceeded", exited(143, STEPS, runai_events=[runai_event("PyTorchJobFailed", "PyTorchJob x has failed because it was active longer than specified deadline", kind="PyTorchJob", about=NAME)])),
    case("waits for a name", "dns_failure", waits_in_vain("waiting for db\nnc: bad address 'postgres.mlflow.svc'\n" * 9), says=("postgres.mlflow.svc", "wait-db")),
    case("waits for a service", "connection_refused", waits_in_vain("nc: connect to db port 5432 (tcp) failed: Connection refused\nretrying in 2 s\n" * 9)),
    case("waits, and does not say for what", "insufficient_evidence", waits_in_vain("waiting\n" * 9), sure=False),
    case("downloads, and was interrupted once", "insufficient_evidence", waits_in_vain("10%\ncurl: (28) Connection timed out\n50%\n"), sure=False),
    case("waits, not for long yet", "pending_normally", waits_in_vain("nc: bad address 'db'\n" * 9, since=3)),
    case("does not become ready", "probe_failed", unready(1), sure=False),
    case("was not ready at its start", "healthy", unready(40)),
]  # fmt: skip

STANDING: list[Labelled] = [
    case("deletion held up by a lost pod", "node_lost", deleting(pods=[pod(container(running()), phase="Running", reason="NodeLost", message="Node gpu-7 which was running pod x is unresponsive")])),
    case("deletion held up, told by the node controller", "node_not_ready", deleting("Deleting", events=[event("NodeNotReady", "Node is not ready", at=45)])),
    case("deletion held up, told by the taint manager", "node_not_ready", deleting(events=[event("TaintManagerEviction", f"Marking for deletion Pod x/{NAME}-0-0", at=45)])),
    case("deletion held up, told by the pod's condition", "node_not_ready", deleting("Deleting", pods=[pod(container(running()), phase="Running", conditions=(TAINTED,))])),
    case("deletion held up, told by the node", "node_lost", deleting(nodes=[LOST_NODE])),
    case("deletion that does not end, with containers that did", "insufficient_evidence", deleting(pods=[pod(container(ended(137)))]), sure=False),
    case("deletion that has just begun", "suspended_by_person", deleting(since=2, pods=[pod(container(ended(137)))])),
    case("young, and an init container fails again and again", "insufficient_evidence", young(LOOPS, init=True), sure=False),
    case("young, and the server fails again and again", "insufficient_evidence", young(LOOPS), sure=False),
    case("young, and not to be seen", "pending_normally", Scene(phase="Pending", since=3, broken={"pods": forbidden("pods")}), sure=False),
    case("runs, and Run:ai still lists a pod that is gone", "healthy", Scene(phase="Running", pods=[pod(container(running()), phase="Running")], runai_pods=[runai_pod(), runai_pod(7)])),
    case("runs, and one of its pods may not be read", "healthy", Scene(phase="Running", pods=[pod(container(running()), phase="Running")], runai_pods=[runai_pod(), runai_pod(7)], broken={"pod": forbidden("pods")}), sure=False),
    case("runs by Run:ai's word, and the cluster does not tell", "insufficient_evidence", Scene(phase="Running", row=TWO_RUN, broken={"pods": forbidden("pods")}), sure=False),
    case("runs by Run:ai's word, and there is no cluster access", "healthy", Scene(phase="Running", row=TWO_RUN, kube=False), sure=False),
    case("runs in part by Run:ai's word", "insufficient_evidence", Scene(phase="Running", row=ONE_RUNS, kube=False), sure=False),
    case("runs by Run:ai's word, and its events tell of a kill", "container_oom", Scene(phase="Running", row=TWO_RUN, kube=False, runai_events=[runai_event("OOMKilled", "Container main was OOMKilled", at=2)])),
]  # fmt: skip

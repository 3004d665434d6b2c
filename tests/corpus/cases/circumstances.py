"""What stands around a job: older attempts, other people's pods, debugging sessions, mixed breakdowns, Run:ai alone."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    JOB,
    claim,
    container,
    crashed,
    creating,
    distributed,
    ended,
    event,
    job,
    node,
    on_group,
    on_node,
    oom_killed,
    past,
    pod,
    renamed,
    running,
    unscheduled,
    waiting,
)

HELP = " preemption: 0/24 nodes are available: 24 No preemption victims found for incoming pod."
WAITING = job("Pending", since=-45, created=-45, gpus=8)
LIVE = job("Running", since=-300, created=-305, running=1)

CASES = [
    # --- pods that are not the job's present -------------------------------------------------------------------------
    case(
        "debug-session-ended-badly",
        "healthy",
        "a person's debugging container ended with 127 and 137: it says nothing of the workload",
        pod(
            container(running(-300), log="step 9100 loss 1.80\n"),
            container(
                ended(127, at=-20, began=-30),
                name="debugger-x7",
                role="ephemeral",
                gpus=0,
                log="sh: 1: nvidia-smi: not found\n",
            ),
            created=-305,
        ),
        job=LIVE,
        never=("bad_command", "killed_by_signal"),
    ),
    case(
        "older-pod-of-the-same-name",
        "healthy",
        "an OOMKilled pod of the workload's earlier life is still there; the one of today runs",
        renamed(pod(container(oom_killed(at=-1500, began=-1600)), created=-1700), f"{JOB}-old-0-0"),
        pod(container(running(-300), log="step 9100 loss 1.80\n"), created=-304),
        job=LIVE,
        never=("container_oom",),
    ),
    case(
        "retried-and-failed-again",
        "python_exception",
        "both attempts are there: the first was evicted, the second, which decides, failed on its data",
        renamed(
            pod(
                phase="Failed",
                reason="Evicted",
                message="The node was low on resource: memory. Threshold quantity: 100Mi, available: 91204Ki. ",
                created=-500,
                node="gpu-02",
            ),
            f"{JOB}-0-0-a",
        ),
        renamed(
            crashed(
                1,
                """
                Traceback (most recent call last):
                  File "/workspace/train.py", line 61, in <module>
                    main()
                  File "/workspace/data.py", line 12, in parse
                    raise ValueError("bad record 12")
                ValueError: bad record 12
                """,
                created=-60,
            ),
            f"{JOB}-0-0-b",
        ),
        job=job("Failed", created=-505),
        never=("node_memory_eviction",),
    ),
    case(
        "deleted-by-hand",
        "killed_by_signal",
        "the pod is being deleted (kubelet: Stopping container) and nothing says by whom or why",
        pod(
            container(ended(143, at=-5), log="step 40\nReceived SIGTERM\n"),
            phase="Failed",
            deleting=True,
            events=[event("Killing", "Stopping container main", kind="Normal", at=-5.5)],
        ),
        never=("preempted", "probe_failed", "application_error"),
        pair="exit-143",
    ),
    case(
        "sidecar-still-runs-after-success",
        ("completed", "healthy"),
        "main is done with 0 and the mesh's sidecar goes on: no failure, whichever of the two words",
        pod(
            container(ended(0, at=-20), log="training finished\n"),
            container(
                running(-55),
                name="istio-proxy",
                gpus=0,
                memory="1Gi",
                log="warning envoy upstream connect error or disconnect/reset before headers. reset reason: connection refused\n",
            ),
        ),
        job=job("Running", since=-55, created=-60, running=1),
        never=("connection_refused",),
    ),
    # --- mixed breakdowns of the scheduler ---------------------------------------------------------------------------
    case(
        "breakdown-pool-full",
        "insufficient_gpu",
        "16 nodes are of other pools by the selector; the 8 that match have no GPU free",
        unscheduled(
            "0/24 nodes are available: 16 node(s) didn't match Pod's node affinity/selector, 8 Insufficient nvidia.com/gpu."
            + HELP
        ),
        job=WAITING,
        never=("node_selector_mismatch", "gpu_fragmentation"),
        pair="placement",
    ),
    case(
        "breakdown-gpu-everywhere-cpu-somewhere",
        "insufficient_gpu",
        "all 24 lack GPUs, three of them cores as well",
        unscheduled("0/24 nodes are available: 24 Insufficient nvidia.com/gpu, 3 Insufficient cpu." + HELP),
        job=WAITING,
        never=("insufficient_cpu",),
        pair="which-resource",
    ),
    case(
        "breakdown-mig",
        "insufficient_gpu",
        "a MIG profile that nobody has free",
        unscheduled(
            "no nodes with enough resources were found: 24 node(s) didn't have enough of mig profile: nvidia.com/mig-3g.40gb."
        ),
        job=WAITING,
    ),
    case(
        "breakdown-health-taint",
        ("untolerated_taint", "node_selector_mismatch"),
        "four nodes carry the health taint of NVSentinel, the others are of another pool; the scheduler looks at taints first, so "
        "whether the four match is not said: both readings",
        unscheduled(
            "0/24 nodes are available: 20 node(s) didn't match Pod's node affinity/selector, 4 node(s) had untolerated taint {AggregatedNodeHealth: False}."
            " preemption: 0/24 nodes are available: 24 Preemption is not helpful for scheduling."
        ),
        job=WAITING,
        never=("insufficient_gpu",),
        pair="taints",
    ),
    case(
        "breakdown-old-event-then-new",
        "pvc_not_found",
        "an hour ago GPUs were short; now the claim is missing: the newest word holds",
        unscheduled('0/24 nodes are available: persistentvolumeclaim "scratch" not found.'),
        events=[
            event(
                "FailedScheduling",
                "0/24 nodes are available: 24 Insufficient nvidia.com/gpu.",
                at=-40,
                count=3,
                source="default-scheduler",
            )
        ],
        job=WAITING,
        never=("insufficient_gpu",),
        pair="claims",
    ),
    case(
        "scheduled-after-long-wait-then-failed",
        "missing_configmap",
        "it waited for GPUs, got them, and now hangs on its configMap: the wait is over",
        creating(
            event(
                "Unschedulable",
                "no nodes with enough resources were found: 24 node(s) didn't have enough resources: GPUs.",
                at=-35,
                count=50,
                source="runai-scheduler",
            ),
            event(
                "Scheduled",
                "Successfully assigned pod runai-vision/llama-ft-0-0 to node gpu-07 at node-pool default",
                kind="Normal",
                at=-29,
                source="runai-scheduler",
            ),
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "config" : configmap "train-config" not found',
                at=-1,
                count=19,
            ),
        ),
        job=job("Initializing", since=-29, created=-80),
        never=("insufficient_gpu", "volume_mount_failed"),
    ),
    # --- Run:ai alone ------------------------------------------------------------------------------------------------
    case(
        "runai-alone-preempted",
        "preempted",
        "no Kubernetes; Run:ai's history keeps the scheduler's event",
        job=job("Pending", since=-14, created=-300),
        events=[
            on_group(
                "Evict",
                f"Pod runai-vision/{JOB}-0-0 was preempted by higher priority workload runai-vision/prod-serving",
                at=-14.2,
            )
        ],
        history=past(("Creating", -300), ("Running", -290), ("Pending", -14)),
        kubernetes=False,
        never=("pending_normally", "insufficient_evidence"),
        pair="taken-back",
    ),
    case(
        "runai-alone-over-limit",
        "project_over_quota",
        "no Kubernetes; the workload's own scheduling messages name the limit",
        job=job(
            "Pending",
            since=-45,
            created=-45,
            reason="OverLimit",
            pending=[("OverLimit", "Over limit", "Project vision has reached its GPU limit in node pool default")],
        ),
        kubernetes=False,
        never=("insufficient_gpu",),
    ),
    case(
        "runai-alone-only-back-off",
        "insufficient_evidence",
        "no Kubernetes, and Run:ai knows only that it backs off",
        pod(
            container(waiting("CrashLoopBackOff")),
            events=[event("BackOff", f"Back-off restarting failed container main in pod {JOB}-0-0", count=40)],
        ),
        job=job("Degraded", since=-40),
        kubernetes=False,
    ),
    case(
        "runai-alone-probe",
        "probe_failed",
        "no Kubernetes; kubelet's Killing event came through Run:ai",
        pod(
            container(running(-1)),
            events=[
                event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", at=-2, count=9),
                event(
                    "Killing", "Container main failed liveness probe, will be restarted", kind="Normal", at=-2, count=3
                ),
            ],
        ),
        job=job("Degraded", kind="Inference", since=-20),
        kubernetes=False,
    ),
    case(
        "runai-detail-unreadable",
        "container_oom",
        "Run:ai's detail endpoint fails; Kubernetes still says all that is needed",
        pod(container(oom_killed(), log="x\n")),
        faults={"runai/detail": 500, "runai/history": "timeout"},
    ),
    case(
        "events-unreadable-state-enough",
        "invalid_image_name",
        "events are forbidden; the waiting state names the cause by itself",
        pod(
            container(
                waiting(
                    "InvalidImageName",
                    'Failed to apply default image tag "acme/x:": couldn\'t parse image name "acme/x:": invalid reference format',
                ),
                image="acme/x:",
            ),
            created=-30,
        ),
        job=job("Initializing", since=-28, created=-30),
        faults={"kube/events": 403, "runai/events": 403},
    ),
    # --- distributed -------------------------------------------------------------------------------------------------
    case(
        "unique-id-lost-with-rank-0",
        "container_oom",
        "rank 1 could not fetch NCCL's unique id because rank 0 was OOMKilled a moment before",
        pod(container(oom_killed(at=-5.2), log="loading 70B weights on CPU\n"), rank="master-0", node="gpu-00"),
        crashed(
            1,
            """
            [rank1]: torch.distributed.DistBackendError: [1] is setting up NCCL communicator and retrieving ncclUniqueId from [0] via c10d key-value store by key '0', but store->get('0') got error: Connection reset by peer. This may indicate a possible application crash on rank 0 or a network set up issue.
            """,
            at=-5.0,
            rank="worker-0",
            node="gpu-01",
        ),
        job=distributed("Failed", workers=2),
        never=("nccl_network_error", "nccl_timeout"),
        pair="ranks",
    ),
    case(
        "gloo-peer-closed",
        "segfault",
        "a worker segfaulted; gloo on the other reports the closed pair",
        crashed(139, "Segmentation fault (core dumped)\n", at=-5.3, rank="worker-0", node="gpu-01"),
        crashed(
            1,
            "RuntimeError: [../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [10.244.1.5]:37231\n",
            at=-5.1,
            rank="master-0",
            node="gpu-00",
        ),
        job=distributed("Failed", workers=2),
        never=("nccl_network_error", "python_exception", "application_error"),
        pair="ranks",
    ),
    case(
        "master-completed-worker-killed-after",
        "completed",
        "the master finished and the operator cleaned the workers up: 143 is the end of a success",
        pod(container(ended(0, at=-5), log="done\n"), rank="master-0", node="gpu-00"),
        pod(container(ended(143, at=-4.8), log="Received SIGTERM\n"), rank="worker-0", node="gpu-01"),
        job=distributed("Completed", workers=2, since=-4.5, completed=True),
        never=("killed_by_signal",),
        pair="exit-143",
    ),
    case(
        "one-worker-waits-for-its-volume",
        "volume_in_use",
        "three ranks run and wait in the rendezvous; the fourth cannot attach its volume",
        *(
            pod(container(running(-25), log="waiting for 4 nodes in rendezvous\n"), rank=rank, node=place, created=-30)
            for rank, place in (("master-0", "gpu-00"), ("worker-0", "gpu-01"), ("worker-1", "gpu-02"))
        ),
        creating(
            event(
                "FailedAttachVolume",
                'Multi-Attach error for volume "pvc-2f6e0c1a" Volume is already used by pod(s) llama-ft-worker-1',
                source="attachdetach-controller",
                count=12,
            ),
            rank="worker-2",
            node="gpu-03",
        ),
        objects=[claim("scratch", phase="Bound", volume="pvc-2f6e0c1a")],
        job=distributed("Initializing", workers=4, since=-28, created=-30, running=3),
        never=("healthy", "nccl_timeout"),
    ),
    case(
        "xid-on-a-node-without-the-job",
        "nccl_timeout",
        "the XID 79 is on a node where no rank of this job runs",
        crashed(
            134,
            """
            [rank0]:[E301 02:54:08.408 ProcessGroupNCCL.cpp:616] [Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=88, OpType=BROADCAST, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600044 milliseconds before timing out.
            terminate called after throwing an instance of 'c10::DistBackendError'
            """,
            rank="master-0",
            node="gpu-00",
        ),
        crashed(
            134,
            """
            [rank1]:[E301 02:54:08.411 ProcessGroupNCCL.cpp:616] [Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=88, OpType=BROADCAST, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600047 milliseconds before timing out.
            terminate called after throwing an instance of 'c10::DistBackendError'
            """,
            rank="worker-0",
            node="gpu-01",
        ),
        events=[
            on_node("XIDError", "NVRM: Xid (PCI:0000:cb:00): 79, GPU has fallen off the bus.", node="gpu-19", at=-15)
        ],
        objects=[node("gpu-00"), node("gpu-01"), node("gpu-19", allocatable=7)],
        job=distributed("Failed", workers=2),
        never=("gpu_hardware_fault", "aborted"),
        pair="xid",
    ),
]

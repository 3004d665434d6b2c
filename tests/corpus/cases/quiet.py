"""What is no failure, and what cannot be known from what there is."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    JOB,
    container,
    crashed,
    distributed,
    ended,
    event,
    job,
    node,
    on_group,
    on_node,
    past,
    pod,
    renamed,
    running,
    unscheduled,
    waiting,
)

RUNNING = job("Running", since=-300, created=-305, running=1)
LONG = -300.0

CASES = [
    # --- healthy -----------------------------------------------------------------------------------------------------
    case(
        "healthy-plain",
        "healthy",
        "it runs and its log moves",
        pod(container(running(LONG), log="step 9100 loss 1.80\nstep 9101 loss 1.80\n"), created=-305),
        job=RUNNING,
    ),
    case(
        "healthy-with-frightening-words",
        "healthy",
        "words like error, OOM, 403 and killed in the log of a job that runs",
        pod(
            container(
                running(LONG),
                log="""
                step 403 loss 2.31 error_rate 0.041 killed_tokens 0
                [eval] "connection refused" is the most frequent answer in the support dataset
                step 404 loss 2.30 oom_guard=on permission denied samples filtered: 12
                step 500 loss 2.22 exit code filter: 137
                """,
            ),
            created=-305,
        ),
        job=RUNNING,
        never=("connection_refused", "container_oom", "permission_denied"),
        pair="words",
    ),
    case(
        "healthy-retried-exception",
        "healthy",
        "a traceback that was caught and retried; training goes on after it",
        pod(
            container(
                running(LONG),
                log="""
                Traceback (most recent call last):
                  File "/workspace/data.py", line 88, in fetch
                    r = requests.get(url, timeout=10)
                requests.exceptions.ConnectTimeout: HTTPSConnectionPool(host='s3.acme.internal', port=443): Max retries exceeded
                fetch failed, attempt 1 of 5, retrying in 2 s
                fetched shard 118 on attempt 2
                step 9100 loss 1.80
                """,
            ),
            created=-305,
        ),
        job=RUNNING,
        never=("connection_timeout", "python_exception"),
        pair="words",
    ),
    case(
        "healthy-restarted-once-days-ago",
        "healthy",
        "one restart two days ago, stable ever since",
        pod(
            container(
                running(-2880),
                restarts=1,
                last=ended(1, at=-2881, began=-2900),
                log="step 90100 loss 1.10\n",
                previous="ConnectionResetError\n",
            ),
            created=-2905,
        ),
        job=job("Running", since=-2880, created=-2905, running=1),
        never=("python_exception", "application_error"),
    ),
    case(
        "healthy-readiness-flapped-at-start",
        "healthy",
        "the readiness probe failed while the model loaded; the server is ready now",
        pod(
            container(
                running(-50),
                log='INFO:     Application startup complete.\nINFO:     10.0.0.9:51234 - "GET /health HTTP/1.1" 200 OK\n',
                image="vllm/vllm-openai:v0.8.4",
            ),
            created=-55,
            conditions=[{"type": "Ready", "status": "True"}],
            events=[
                event(
                    "Unhealthy",
                    'Readiness probe failed: Get "http://10.244.3.18:8000/health": dial tcp 10.244.3.18:8000: connect: connection refused',
                    at=-46,
                    count=9,
                )
            ],
        ),
        job=job("Running", kind="Inference", since=-45, created=-55, running=1),
        never=("probe_failed", "connection_refused"),
        pair="probes",
    ),
    case(
        "probe-readiness-is-no-kill",
        "probe_failed",
        "the liveness probe did kill this one, again and again",
        pod(
            container(
                waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container=main"),
                restarts=8,
                last=ended(143, at=-3, began=-9),
                previous="INFO:     Started server process [1]\n",
            ),
            created=-90,
            events=[
                event(
                    "Unhealthy",
                    'Liveness probe failed: Get "http://10.244.3.18:8000/health": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
                    at=-3.5,
                    count=30,
                ),
                event(
                    "Killing",
                    "Container main failed liveness probe, will be restarted",
                    kind="Normal",
                    at=-3.5,
                    count=8,
                ),
            ],
        ),
        job=job("Degraded", kind="Inference", since=-60, created=-95),
        never=("killed_by_signal", "deadline_exceeded", "healthy"),
        pair="probes",
    ),
    case(
        "healthy-node-warning-without-effect",
        "healthy",
        "a corrected ECC count on the node's event list does not stop a running job",
        pod(container(running(LONG), log="step 9100 loss 1.80\n"), created=-305),
        events=[
            on_node(
                "GPUCorrectableEcc",
                "GPU 3 volatile correctable ECC errors: 2",
                kind="Normal",
                source="dcgm-exporter",
                at=-40,
            )
        ],
        job=RUNNING,
        never=("gpu_hardware_fault",),
    ),
    case(
        "healthy-without-kubernetes",
        "healthy",
        "Run:ai says Running with its pod; nothing speaks against it",
        pod(container(running(LONG)), created=-305),
        job=RUNNING,
        kubernetes=False,
    ),
    # --- completed ---------------------------------------------------------------------------------------------------
    case(
        "completed-plain",
        "completed",
        "exit 0, phase Completed",
        pod(container(ended(0, at=-10), log="training finished\nsaved to /data/out\n")),
        job=job("Completed", since=-10, completed=True),
    ),
    case(
        "completed-with-warnings",
        "completed",
        "warnings, a caught exception and a NCCL notice on the way out; exit 0",
        pod(
            container(
                ended(0, at=-10),
                log="""
                UserWarning: CUDA initialization: CUDA unknown error - this may be due to an incorrectly set up environment
                Exception ignored in: <function _ConnectionBase.__del__ at 0x7f2>
                OSError: [Errno 9] Bad file descriptor
                [W301 02:50:01 ProcessGroupNCCL.cpp:1250] Warning: WARNING: process group has NOT been destroyed before we destruct ProcessGroupNCCL.
                done: 12000 steps, loss 1.21
                """,
            )
        ),
        job=job("Completed", since=-10, completed=True),
        never=("python_exception", "nccl_timeout", "cuda_illegal_access"),
        pair="words",
    ),
    case(
        "completed-after-a-failed-attempt",
        "completed",
        "the first attempt was OOMKilled, the second one finished the job",
        renamed(
            pod(
                container({"terminated": ended(137, at=-200, began=-250, reason="OOMKilled")["terminated"]}),
                created=-255,
            ),
            f"{JOB}-0-0-a",
        ),
        renamed(pod(container(ended(0, at=-10, began=-190), log="done\n"), created=-195), f"{JOB}-0-0-b"),
        job=job("Completed", since=-10, created=-260, completed=True),
        never=("container_oom",),
    ),
    case(
        "completed-without-kubernetes",
        "completed",
        "phase Completed is enough",
        job=job("Completed", since=-600, created=-900, completed=True),
        kubernetes=False,
        forgotten=True,
    ),
    # --- suspended_by_person -----------------------------------------------------------------------------------------
    case(
        "suspended-by-a-person",
        "suspended_by_person",
        "phase Stopped after Stopping, and no rule or scheduler said anything",
        job=job("Stopped", since=-30, created=-300),
        history=past(("Creating", -300), ("Running", -290), ("Stopping", -31), ("Stopped", -30)),
        never=("time_limit_reached", "preempted"),
        pair="stopped",
    ),
    case(
        "suspended-with-sigterm-in-the-log",
        "suspended_by_person",
        "the pods ended with 143 because the job was stopped: no failure",
        pod(
            container(ended(143, at=-30), log="step 400\nSIGTERM received, saving checkpoint\n"),
            phase="Failed",
            deleting=True,
        ),
        job=job("Stopped", since=-30, created=-300),
        history=past(("Creating", -300), ("Running", -290), ("Stopping", -31), ("Stopped", -30)),
        never=("killed_by_signal",),
        pair="exit-143",
    ),
    case(
        "stopping-right-now",
        "suspended_by_person",
        "on the way: Stopping, its pod still terminating",
        pod(container(running(-290), log="step 400\n"), deleting=True, created=-300),
        job=job("Stopping", since=-0.5, created=-300, running=1),
    ),
    # --- pending_normally --------------------------------------------------------------------------------------------
    case(
        "pending-three-minutes",
        "pending_normally",
        "three minutes in the queue for GPUs is a queue",
        unscheduled(
            "0/24 nodes are available: 24 Insufficient nvidia.com/gpu. preemption: 0/24 nodes are available: 24 No preemption victims found for incoming pod.",
            created=-3,
        ),
        job=job("Pending", since=-3, created=-3, gpus=8),
        never=("insufficient_gpu",),
        pair="young-and-pending",
    ),
    case(
        "pending-no-event-yet",
        "pending_normally",
        "a minute old, nothing said yet",
        pod(node=None, created=-1),
        job=job("Pending", since=-1, created=-1),
    ),
    case(
        "pending-image-is-being-pulled",
        "pending_normally",
        "a large image is being pulled for four minutes, without an error",
        pod(
            container(waiting("ContainerCreating")),
            created=-5,
            events=[
                event(
                    "Scheduled",
                    "Successfully assigned pod runai-vision/llama-ft-0-0 to node gpu-07 at node-pool default",
                    kind="Normal",
                    source="runai-scheduler",
                    at=-4.8,
                ),
                event("Pulling", 'Pulling image "nvcr.io/nvidia/pytorch:24.05-py3"', kind="Normal", at=-4.5),
            ],
        ),
        job=job("Initializing", since=-4.8, created=-5),
        never=("image_not_found", "registry_unreachable"),
    ),
    case(
        "pending-waits-for-its-gang",
        "pending_normally",
        "the pod group waits two minutes for the last pods to be created",
        *(pod(rank=rank, node=None, created=-2) for rank in ("master-0", "worker-0")),
        events=[
            on_group(
                "NotReady",
                "Job is not ready for scheduling. Waiting for 4 pods, currently 2 exist, 0 are gated",
                at=-1.5,
            )
        ],
        job=distributed("Pending", workers=4, since=-2, created=-2),
        never=("gang_unschedulable",),
        pair="gangs",
    ),
    case(
        "pending-first-mount-retry",
        "pending_normally",
        "one FailedMount of a configMap that the next try will find: kubelet's cache is not synced in the first minute",
        pod(
            container(waiting("ContainerCreating")),
            created=-1.5,
            events=[
                event(
                    "FailedMount",
                    'MountVolume.SetUp failed for volume "kube-api-access-8hcmj" : failed to sync configmap cache: timed out waiting for the condition',
                    at=-1.2,
                )
            ],
        ),
        job=job("Initializing", since=-1.4, created=-1.5),
        never=("volume_mount_failed", "missing_configmap"),
    ),
    # --- insufficient_evidence ---------------------------------------------------------------------------------------
    case(
        "unknown-exit-1-empty-log",
        "insufficient_evidence",
        "exit 1 and not a word",
        crashed(1, ""),
        never=("application_error", "python_exception"),
    ),
    case(
        "unknown-exit-1-ends-in-progress",
        "insufficient_evidence",
        "exit 1, and the log ends in ordinary progress",
        crashed(1, "step 9100 loss 1.80\nstep 9101 loss 1.80\nstep 9102 loss 1.81\n"),
        never=("application_error", "python_exception", "training_diverged"),
    ),
    case(
        "unknown-logs-forbidden",
        "insufficient_evidence",
        "exit 1; the role may not read logs: say so instead of guessing",
        crashed(1, "Traceback (most recent call last):\nModuleNotFoundError: No module named 'apex'\n"),
        faults={"kube/pods/log": 403},
        never=("missing_module", "application_error"),
    ),
    case(
        "unknown-everything-gone",
        "insufficient_evidence",
        "failed two days ago: pods deleted, events expired",
        job=job("Failed", since=-2880, created=-3000),
        forgotten=True,
    ),
    case(
        "unknown-kubernetes-down",
        "insufficient_evidence",
        "the API server does not answer and Run:ai knows only `Failed`",
        crashed(1, "ValueError: x\n"),
        faults={"kube/pods": "timeout", "kube/events": "timeout", "kube/nodes": "timeout"},
        forgotten=True,
    ),
    case(
        "unknown-no-kubernetes-failed",
        "insufficient_evidence",
        "without Kubernetes and with Run:ai's ordinary events only",
        pod(
            container(ended(1)),
            events=[
                event(
                    "Pulled",
                    'Container image "nvcr.io/nvidia/pytorch:24.05-py3" already present on machine',
                    kind="Normal",
                    at=-55,
                ),
                event("Started", "Started container main", kind="Normal", at=-55),
            ],
        ),
        kubernetes=False,
    ),
    case(
        "unknown-truncated-log",
        "insufficient_evidence",
        "the kept end of the log begins in the middle of somebody's frames and never says the exception",
        crashed(
            1,
            """
                return forward_call(*args, **kwargs)
              File "/usr/local/lib/python3.10/dist-packages/torch/nn/modules/linear.py", line 117, in forward
                return F.linear(input, self.weight, self.bias)
            """,
        ),
        never=("python_exception", "missing_file"),
    ),
    case(
        "unknown-only-back-off",
        "insufficient_evidence",
        "CrashLoopBackOff and nothing of the run before: the back-off is a symptom",
        pod(
            container(waiting("CrashLoopBackOff", "back-off 5m0s restarting failed container=main"), restarts=12),
            events=[event("BackOff", f"Back-off restarting failed container main in pod {JOB}-0-0", count=80)],
        ),
        job=job("Degraded", since=-40),
        never=("application_error",),
    ),
    case(
        "unknown-run-ai-refuses-too",
        "insufficient_evidence",
        "every source refuses",
        crashed(1, "x\n"),
        faults={
            "kube/pods": 403,
            "kube/events": 403,
            "kube/pods/log": 403,
            "kube/nodes": 403,
            "runai/events": 403,
            "runai/history": 403,
            "runai/pods": 403,
        },
    ),
    case(
        "unknown-degraded-without-pods",
        "insufficient_evidence",
        "Degraded, and no pod is there to ask",
        job=job("Degraded", kind="Inference", since=-60, created=-600),
    ),
    case(
        "unknown-phase-failed-events-of-another-job",
        "insufficient_evidence",
        "the only loud event is about another job's pod",
        crashed(1, ""),
        events=[
            event("Failed", 'Failed to pull image "acme/x:1": not found', on=("Pod", "bert-small-0-0")),
            event("OOMKilling", "Memory cgroup out of memory: Killed process 77 (java)", on=("Node", "gpu-99")),
        ],
        objects=[node("gpu-99")],
        never=("image_not_found", "container_oom"),
    ),
]

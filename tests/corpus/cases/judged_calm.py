"""Answers that are no failure, and pods of more than one container: whole incidents by the second of two authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import (
    PodWire,
    container,
    crashed,
    creating,
    distributed,
    ended,
    event,
    job,
    past,
    pod,
    running,
    waiting,
)


def young(message: str) -> PodWire:
    """A pod four minutes in the queue."""
    made = pod(
        node=None,
        created=-4,
        events=[event("Unschedulable", message, at=-1, count=3, source="runai-scheduler")],
    )
    made.body["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    ]
    return made


CASES: list[LabelledCase] = [
    # --- quiet --------------------------------------------------------------------------------------------------------
    case(
        "judged-quiet-retried-503",
        "healthy",
        "trains on: a 503 was retried, a checkpoint upload warned, NaN steps were skipped by the scaler",
        pod(
            container(
                running(-300),
                log="""
                step 9000 loss 1.91 lr 9.1e-5
                WARNING botocore: Retry needed, retrying request after delay of: 1.7 (ServiceUnavailable 503)
                uploaded checkpoint step_9000 (attempt 2)
                Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale to 32768.0
                [rank0]: NCCL WARN NET/IB : Got async event : port active
                ERROR: Failed to launch TensorBoard data server, falling back to slower Python loader
                step 9050 loss 1.90 lr 9.0e-5
                step 9100 loss 1.90 lr 9.0e-5
                """,
            ),
            created=-305,
        ),
        job=job("Running", since=-300, created=-305, running=1),
        never=("training_diverged", "nccl_network_error", "application_error"),
    ),
    case(
        "judged-quiet-readiness-at-start",
        "healthy",
        "the readiness probe failed while the model loaded; ready since, serving",
        pod(
            container(
                running(-60),
                log="""
                INFO 03-01 02:04:10 [api_server.py:1289] vLLM API server version 0.9.0.1
                WARNING 03-01 02:04:31 [utils.py:2671] We must use the `spawn` multiprocessing start method.
                ERROR 03-01 02:21:10 [serving_chat.py:201] Error in preprocessing prompt inputs: ValueError: This model's maximum context length is 32768 tokens. However, you requested 40110 tokens.
                INFO:     10.244.0.9:41222 - "POST /v1/chat/completions HTTP/1.1" 400 Bad Request
                INFO:     10.244.0.9:41230 - "POST /v1/chat/completions HTTP/1.1" 200 OK
                """,
            ),
            created=-62,
            conditions=[{"type": "Ready", "status": "True"}],
            events=[
                event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", at=-56, count=11)
            ],
        ),
        job=job("Running", kind="Inference", since=-55, created=-63, running=1),
        never=("probe_failed", "python_exception"),
    ),
    case(
        "judged-quiet-exception-ignored-at-exit",
        "completed",
        "exit 0; the interpreter's 'Exception ignored in' and a destroy_process_group warning at the end are harmless",
        pod(
            container(
                ended(0),
                log="""
                {'train_runtime': 3011.2, 'train_samples_per_second': 41.2, 'train_loss': 0.81, 'epoch': 3.0}
                Saved final model to /out/final
                Exception ignored in: <function _MultiProcessingDataLoaderIter.__del__ at 0x7f1c>
                Traceback (most recent call last):
                  File "/opt/conda/lib/python3.10/site-packages/torch/utils/data/dataloader.py", line 1478, in __del__
                    self._shutdown_workers()
                AssertionError: can only test a child process
                [rank0]:[W301 02:54:58.771 ProcessGroupNCCL.cpp:1496] Warning: WARNING: destroy_process_group() was not called before program exit
                """,
            )
        ),
        job=job("Completed", since=-4.5, completed=True),
        never=("python_exception", "nccl_timeout"),
    ),
    case(
        "judged-quiet-silent-exit-1",
        "insufficient_evidence",
        "exit 1; the log stops in ordinary progress and a telemetry warning, which is no cause",
        crashed(
            1,
            """
            loading tokenizer
            loading model
            WARNING:opentelemetry: Transient error StatusCode.UNAVAILABLE encountered while exporting traces, retrying in 2s.
            model loaded, 7.24B parameters
            step 10 loss 3.8
            step 20 loss 3.6
            """,
        ),
        never=("python_exception", "application_error", "connection_refused"),
    ),
    case(
        "judged-quiet-logs-unreadable",
        "insufficient_evidence",
        "exit 1 and the log endpoint is forbidden: nothing says why",
        crashed(1, "RuntimeError: not to be read\n"),
        faults={"kube/pods/log": 403},
        never=("python_exception", "credential_rejected"),
    ),
    case(
        "judged-quiet-pulling",
        "pending_normally",
        "three minutes old, pulling a large image; an old mount retry succeeded",
        creating(
            event(
                "FailedMount",
                'MountVolume.SetUp failed for volume "kube-api-access-2vx" : failed to sync configmap cache: timed out waiting for the condition',
                at=-2.6,
            ),
            event("Pulling", 'Pulling image "nvcr.io/nvidia/nemo:25.09"', kind="Normal", at=-2.2),
            created=-3,
        ),
        job=job("Initializing", since=-2.8, created=-3.2),
        never=("missing_configmap", "volume_mount_failed"),
    ),
    case(
        "judged-quiet-young-queue",
        "pending_normally",
        "four minutes in the queue for GPUs that are busy: younger than the threshold and placeable once they are free",
        young("no nodes with enough resources were found: 24 node(s) didn't have enough resources: GPUs."),
        job=job("Pending", since=-4, created=-4, gpus=8),
        never=("gpu_fragmentation",),
    ),
    case(
        "judged-quiet-mpi-cleanup",
        "completed",
        "MPI launcher ended with 0, the operator cleaned the workers' sshd up with SIGTERM",
        pod(
            container(ended(0, at=-5), gpus=0, log="# Out of bounds values : 0 OK\n# Avg bus bandwidth    : 361.442\n"),
            rank="launcher-0",
            node="gpu-00",
        ),
        pod(container(ended(143, at=-4.7), log="Received signal 15; terminating.\n"), rank="worker-0", node="gpu-01"),
        job=distributed("Completed", workers=2, framework="MPI", since=-4.5, completed=True),
        never=("killed_by_signal", "preempted"),
    ),
    # --- more than one container --------------------------------------------------------------------------------------
    case(
        "judged-init-git-clone-auth",
        "credential_rejected",
        "git: HTTP Basic access denied, Authentication failed (GitLab's answer); the init container ends with 128",
        pod(
            container(
                ended(128, at=-5, began=-6),
                name="git-sync",
                role="init",
                image="alpine/git:2.45.2",
                gpus=0,
                memory="1Gi",
                log="""
                Cloning into '/workspace/repo'...
                remote: HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect or you're required to use a token instead of a password.
                fatal: Authentication failed for 'https://gitlab.corp.example/ml/llama-ft.git/'
                """,
            ),
            container(waiting("PodInitializing")),
            phase="Failed",
        ),
        never=("permission_denied", "application_error", "bad_command"),
    ),
    case(
        "judged-exporter-dies-after-main",
        "python_exception",
        "main ended on its RuntimeError first; the metrics sidecar then lost its target and ended too: a consequence",
        pod(
            container(
                ended(1, at=-5.5),
                log="""
                2026-03-01 02:54:20.771 | INFO     | trainer.loop:run:144 - step 410 loss=0.771
                2026-03-01 02:54:28.102 | WARNING  | trainer.data:collate:71 - sample 11892 has no caption, dropping
                2026-03-01 02:54:30.310 | ERROR    | __main__:<module>:52 - An error has been caught in function '<module>', process 'MainProcess' (1), thread 'MainThread' (140):
                Traceback (most recent call last):

                > File "/workspace/main.py", line 52, in <module>
                    run(cfg)
                  File "/workspace/trainer/data.py", line 83, in collate
                    return torch.stack([s["pixels"] for s in batch])

                RuntimeError: stack expects a non-empty TensorList
                """,
            ),
            container(
                ended(1, at=-4.8),
                name="exporter",
                image="quay.io/acme/exporter:0.4",
                gpus=0,
                memory="256Mi",
                log="""
                ts=2026-03-01T02:54:31Z caller=scrape.go:88 level=warn msg="scrape failed" err="Get \\"http://127.0.0.1:8002/metrics\\": dial tcp 127.0.0.1:8002: connect: connection refused"
                ts=2026-03-01T02:55:11Z caller=main.go:41 level=error msg="target gone, exiting" err="dial tcp 127.0.0.1:8002: connect: connection refused"
                """,
            ),
        ),
        never=("connection_refused", "application_error"),
    ),
    case(
        "judged-idle-gpu-rule",
        "time_limit_reached",
        "Run:ai project rule: idle GPU time limit stopped the workspace; its container got SIGTERM",
        job=job(
            "Stopped",
            since=-25,
            created=-700,
            kind="Workspace",
            message="Workload stopped: idle GPU time limit of project vision (60 minutes) was reached",
        ),
        history=past(
            ("Creating", -700),
            ("Running", -690),
            ("Stopping", -26, "Workload stopped: idle GPU time limit of project vision (60 minutes) was reached"),
            ("Stopped", -25, "Workload stopped: idle GPU time limit of project vision (60 minutes) was reached"),
        ),
        never=("suspended_by_person", "preempted", "killed_by_signal"),
    ),
    case(
        "judged-quiet-recovered-hours-ago",
        "healthy",
        "one restart ten hours ago after a connection reset, resumed from its checkpoint and running since",
        pod(
            container(
                running(-600),
                restarts=1,
                last=ended(1, at=-601, began=-900),
                previous="step 3100 loss 2.4\nConnectionResetError: [Errno 104] Connection reset by peer\n",
                log="resuming from /ckpt/step_3000\nstep 3050 loss 2.41\nstep 9800 loss 1.88\nstep 9850 loss 1.88\n",
            ),
            created=-905,
        ),
        job=job("Running", since=-600, created=-906, running=1),
        never=("python_exception", "nccl_network_error"),
    ),
    case(
        "judged-quiet-launcher-summary-only",
        ("insufficient_evidence", "python_exception"),
        "StreamPETR#19, SLRT#66: only torchrun's summary is left, exitcode 1, no traceback of the rank; ChildFailedError itself is the launcher's exception: both readings",
        crashed(
            1,
            r"""
            W0301 02:10:01.004 1 torch/distributed/run.py:793] Setting OMP_NUM_THREADS environment variable for each process to be 1 in default
            E0301 02:54:50.647 1 torch/distributed/elastic/multiprocessing/api.py:826] failed (exitcode: 1) local_rank: 0 (pid: 11) of binary: /opt/app-root/bin/python3.11
            Traceback (most recent call last):
              File "/opt/app-root/bin/torchrun", line 8, in <module>
                sys.exit(main())
              File "/opt/app-root/lib64/python3.11/site-packages/torch/distributed/launcher/api.py", line 263, in launch_agent
                raise ChildFailedError(
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            ============================================================
            instructlab.training.main_ds FAILED
            ------------------------------------------------------------
            Failures:
              <NO_OTHER_FAILURES>
            ------------------------------------------------------------
            Root Cause (first observed failure):
            [0]:
              time      : 2026-03-01_02:54:50
              host      : llama-ft-0-0
              rank      : 0 (local_rank: 0)
              exitcode  : 1 (pid: 11)
              error_file: <N/A>
              traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
            ============================================================
            """,
        ),
        never=("killed_by_signal", "segfault", "nccl_timeout"),
    ),
]

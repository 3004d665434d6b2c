"""Entrypoints that cannot start, signals, programs in other languages, probes and the job's own limits."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    container,
    crashed,
    ended,
    event,
    job,
    looping,
    on_owner,
    past,
    pod,
    running,
    stuck,
    waiting,
)

RUNC = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: "
)

CASES = [
    # --- bad_command -------------------------------------------------------------------------------------------------
    case(
        "command-not-in-path",
        "bad_command",
        "runc: the executable is not in $PATH; containerd reports StartError 128",
        crashed(
            128,
            reason="StartError",
            message=RUNC + 'exec: "pyhton": executable file not found in $PATH: unknown',
        ),
        never=("missing_file",),
        pair="start-error",
    ),
    case(
        "command-docker",
        "bad_command",
        "dockershim and cri-dockerd say ContainerCannotRun with 127",
        crashed(
            127,
            reason="ContainerCannotRun",
            message='OCI runtime create failed: runc create failed: unable to start container process: exec: "/start.sh": '
            "stat /start.sh: no such file or directory: unknown",
        ),
        never=("missing_file",),
    ),
    case(
        "command-shell-127",
        "bad_command",
        "the shell's word and exit 127 for a command it does not find",
        crashed(127, "Setting up environment\nsh: 1: torchrunn: not found\n"),
        pair="exit-127",
    ),
    case(
        "command-runcontainererror",
        "bad_command",
        "the same before a retry: waiting RunContainerError with runc's message",
        stuck("RunContainerError", RUNC + 'exec: "jupyter-lab": executable file not found in $PATH: unknown'),
        job=job("Initializing", since=-28),
        never=("container_create_failed",),
        pair="cannot-create",
    ),
    case(
        "script-missing-in-bash",
        ("bad_command", "missing_file"),
        "bash was found, its script was not, exit 127: the entrypoint is the script for the person, the file for the kernel",
        crashed(127, "bash: /workspace/run.sh: No such file or directory\n"),
    ),
    # --- not_executable ----------------------------------------------------------------------------------------------
    case(
        "not-executable-126",
        "not_executable",
        "126: found, and not allowed to run (POSIX shell)",
        crashed(126, "/bin/bash: line 1: ./train.sh: Permission denied\n"),
        never=("permission_denied", "bad_command"),
        pair="denied",
    ),
    case(
        "not-executable-start-error",
        "not_executable",
        "containerd: StartError 128 with permission denied on the entrypoint",
        crashed(128, reason="StartError", message=RUNC + 'exec: "/workspace/entry.sh": permission denied: unknown'),
        never=("bad_command", "permission_denied"),
        pair="start-error",
    ),
    # --- wrong_architecture ------------------------------------------------------------------------------------------
    case(
        "architecture-exec-format",
        "wrong_architecture",
        "ENOEXEC, as the container's first program says it",
        looping(1, "exec /usr/local/bin/python: exec format error\n", gpus=0),
        never=("bad_command", "application_error"),
    ),
    case(
        "architecture-start-error",
        "wrong_architecture",
        "ENOEXEC from runc",
        crashed(128, reason="StartError", message=RUNC + 'exec: "/usr/bin/tini": exec format error: unknown'),
        never=("bad_command",),
        pair="start-error",
    ),
    case(
        "architecture-no-manifest",
        "wrong_architecture",
        "the image exists, only not for arm64 (containerd's words)",
        stuck(
            "ErrImagePull",
            'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/acme/trainer:1.4": no match for '
            "platform in manifest: not found",
            image="acme/trainer:1.4",
        ),
        job=job("Initializing", since=-28),
        never=("image_not_found",),
        pair="not-found-in-registry",
    ),
    # --- signals -----------------------------------------------------------------------------------------------------
    case(
        "segfault-139",
        "segfault",
        "139 is SIGSEGV",
        crashed(
            139,
            'Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f2 (most recent call first):\n  File "/workspace/loader.py", line 88 in decode\n',
        ),
        never=("python_exception", "shm_exhausted"),
        pair="bus-error",
    ),
    case(
        "segfault-torchrun",
        "segfault",
        "torchrun names the signal of its child and exits 1 itself",
        crashed(
            1,
            """
            E0301 02:54:59.902 47 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: -11) local_rank: 3 (pid: 106) of binary: /usr/bin/python
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            train.py FAILED
            Root Cause (first observed failure):
              rank      : 3 (local_rank: 3)
              exitcode  : -11 (pid: 106)
              traceback : Signal 11 (SIGSEGV) received by PID 106
            """,
        ),
        never=("python_exception",),
    ),
    case(
        "segfault-mpirun",
        "segfault",
        "mpirun names the signal of its rank",
        crashed(
            139,
            """
            [llama-ft-worker-0:00031] *** Process received signal ***
            [llama-ft-worker-0:00031] Signal: Segmentation fault (11)
            --------------------------------------------------------------------------
            mpirun noticed that process rank 2 with PID 31 on node llama-ft-worker-0 exited on signal 11 (Segmentation fault).
            --------------------------------------------------------------------------
            """,
        ),
    ),
    case(
        "aborted-cpp-exception",
        "aborted",
        "134 is SIGABRT: an uncaught C++ exception",
        crashed(
            134,
            """
            terminate called after throwing an instance of 'std::out_of_range'
              what():  vector::_M_range_check: __n (which is 8) >= this->size() (which is 8)
            Aborted (core dumped)
            """,
        ),
        pair="exit-134",
    ),
    case(
        "aborted-glibc",
        "aborted",
        "glibc aborts on heap corruption; torchrun reports -6",
        crashed(
            1,
            """
            double free or corruption (!prev)
            E0301 02:54:59.902 47 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: -6) local_rank: 0 (pid: 103) of binary: /usr/bin/python
            Root Cause (first observed failure):
              exitcode  : -6 (pid: 103)
              traceback : Signal 6 (SIGABRT) received by PID 103
            """,
        ),
        never=("nccl_timeout", "python_exception"),
    ),
    case(
        "illegal-instruction-132",
        "illegal_instruction",
        "132 is SIGILL: built for another processor",
        crashed(132, "Loading tensorflow 1.15 (avx512)\nIllegal instruction (core dumped)\n"),
    ),
    case(
        "illegal-instruction-mpirun",
        "illegal_instruction",
        "mpirun names signal 4",
        crashed(
            1,
            "mpirun noticed that process rank 0 with PID 17 on node llama-ft-0-0 exited on signal 4 (Illegal instruction).\n",
        ),
        never=("application_error",),
    ),
    # --- application_error -------------------------------------------------------------------------------------------
    case(
        "application-go-panic",
        "application_error",
        "a Go panic, exit 2",
        crashed(
            2,
            """
            panic: runtime error: index out of range [3] with length 3

            goroutine 1 [running]:
            main.shard(...)
            \t/src/cmd/sharder/main.go:42
            main.main()
            \t/src/cmd/sharder/main.go:18 +0x1d
            """,
            image="acme/sharder:2.1",
            gpus=0,
        ),
        never=("invalid_arguments", "python_exception"),
        pair="exit-2",
    ),
    case(
        "application-java",
        "application_error",
        "an uncaught Java exception",
        crashed(
            1,
            """
            Exception in thread "main" java.lang.IllegalStateException: Schema registry returned no versions for subject events-value
            \tat com.acme.ingest.Main.load(Main.java:88)
            \tat com.acme.ingest.Main.main(Main.java:31)
            """,
            image="eclipse-temurin:21",
            gpus=0,
        ),
        never=("python_exception",),
    ),
    case(
        "application-rust",
        "application_error",
        "a Rust panic exits 101",
        crashed(
            101,
            "thread 'main' panicked at src/tokenize.rs:57:14:\ncalled `Option::unwrap()` on a `None` value\n"
            "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n",
            gpus=0,
        ),
    ),
    # --- probe_failed ------------------------------------------------------------------------------------------------
    case(
        "probe-liveness",
        "probe_failed",
        "kubelet killed it for its liveness probe; 137 is the consequence",
        pod(
            container(
                running(-1),
                restarts=4,
                last=ended(137, at=-1.5, began=-6),
                log="INFO:     Started server process [1]\n",
                previous="INFO:     Started server process [1]\nINFO:     Application startup complete.\n",
            ),
            events=[
                event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503", count=12, at=-2),
                event(
                    "Killing", "Container main failed liveness probe, will be restarted", kind="Normal", at=-2, count=4
                ),
            ],
        ),
        job=job("Degraded", kind="Inference", since=-20, running=1),
        never=("killed_by_signal", "container_oom"),
        pair="exit-137",
    ),
    case(
        "probe-startup-slow-model",
        "probe_failed",
        "the startup probe's refused connection is kubelet's, not an outside service; the model was still loading",
        pod(
            container(
                waiting("CrashLoopBackOff", "back-off 2m40s restarting failed container=main"),
                restarts=5,
                last=ended(137, at=-3, began=-8),
                previous="INFO 03-01 02:55:01 [loader.py:447] Loading safetensors checkpoint shards:  38% Completed | 14/37 [04:41<07:32]\n",
                image="vllm/vllm-openai:v0.8.4",
            ),
            events=[
                event(
                    "Unhealthy",
                    'Startup probe failed: Get "http://10.244.3.18:8000/health": dial tcp 10.244.3.18:8000: connect: connection refused',
                    count=90,
                    at=-3,
                ),
                event(
                    "Killing", "Container main failed startup probe, will be restarted", kind="Normal", at=-3, count=5
                ),
            ],
        ),
        job=job("Degraded", kind="Inference", since=-30, running=0),
        never=("connection_refused", "killed_by_signal"),
        pair="refused",
    ),
    # --- the job's own limits ----------------------------------------------------------------------------------------
    case(
        "deadline-pod",
        "deadline_exceeded",
        "activeDeadlineSeconds of the pod, as kubelet says it",
        pod(
            container(ended(137)),
            phase="Failed",
            reason="DeadlineExceeded",
            message="Pod was active on the node longer than the specified deadline",
        ),
        never=("killed_by_signal",),
        pair="exit-137",
    ),
    case(
        "deadline-job",
        "deadline_exceeded",
        "the Job controller's words; it deletes the pods",
        events=[
            on_owner("DeadlineExceeded", "Job was active longer than specified deadline"),
            on_owner("SuccessfulDelete", "Deleted pod: llama-ft-0-0", kind="Normal"),
        ],
        never=("backoff_limit_exceeded",),
        pair="job-limits",
    ),
    case(
        "deadline-pytorchjob-143",
        "deadline_exceeded",
        "the training operator stops a job at its activeDeadlineSeconds: SIGTERM is how",
        crashed(143, "step 10400 loss 1.92\nReceived signal 15\n"),
        events=[
            on_owner(
                "PyTorchJobFailed",
                "PyTorchJob runai-vision/llama-ft has failed because it was active longer than specified deadline",
                owner="PyTorchJob",
            )
        ],
        never=("killed_by_signal", "preempted"),
        pair="exit-143",
    ),
    case(
        "backoff-nothing-left",
        "backoff_limit_exceeded",
        "of the failed pods nothing is left, so the job's own limit comes first (causes.md)",
        events=[on_owner("BackoffLimitExceeded", "Job has reached the specified backoff limit", at=-30)],
        pair="job-limits",
    ),
    case(
        "backoff-after-exception",
        "python_exception",
        "the failed pod is still there and says why; the limit is the consequence",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 23, in <module>
                tokenizer = build(cfg.vocab)
              File "/workspace/tok.py", line 9, in build
                raise ValueError("vocab size must be a multiple of 128")
            ValueError: vocab size must be a multiple of 128
            """,
            at=-6,
        ),
        events=[on_owner("BackoffLimitExceeded", "Job has reached the specified backoff limit")],
        never=("backoff_limit_exceeded",),
        consequences=("backoff_limit_exceeded",),
        pair="job-limits",
    ),
    case(
        "backoff-without-kubernetes",
        "backoff_limit_exceeded",
        "without Kubernetes only Run:ai's phase message speaks",
        job=job("Failed", message="Job has reached the specified backoff limit"),
        kubernetes=False,
        history=past(
            ("Creating", -60),
            ("Pending", -60),
            ("Running", -55),
            ("Failed", -4, "Job has reached the specified backoff limit"),
        ),
    ),
]

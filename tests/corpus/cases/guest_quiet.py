"""Answers that are no failure: whole incidents by an author who had not seen the rules, the second set of its kind."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import container, crashed, ended, event, job, pod, running, waiting

CASES: list[LabelledCase] = []

LIVE = job("Running", since=-300, created=-305, running=1)

CASES += [
    case(
        "guest-ollama-serves-after-failed-load",
        "healthy",
        "ollama #9782: one load failed for memory, the server went on with fewer layers and answers 200",
        pod(
            container(
                running(-300),
                log="""
time=2026-03-01T02:40:01.310Z level=INFO source=server.go:105 msg="system memory" total="503.5 GiB" free="470.1 GiB"
time=2026-03-01T02:40:01.911Z level=INFO source=server.go:431 msg="starting llama server" cmd="/usr/bin/ollama runner --model /home/trainer/.ollama/models/blobs/sha256-4824 --n-gpu-layers 81"
ggml_backend_cuda_buffer_type_alloc_buffer: allocating 42032.21 MiB on device 0: cudaMalloc failed: out of memory
llama_model_load: error loading model: unable to allocate CUDA0 buffer
time=2026-03-01T02:40:09.104Z level=ERROR source=sched.go:456 msg="error loading llama server" error="llama runner process has terminated: cudaMalloc failed: out of memory"
[GIN] 2026/03/01 - 02:40:09 | 500 |  8.119031s |  10.244.1.9 | POST     "/api/generate"
time=2026-03-01T02:41:12.733Z level=INFO source=server.go:431 msg="starting llama server" cmd="/usr/bin/ollama runner --model /home/trainer/.ollama/models/blobs/sha256-4824 --n-gpu-layers 40"
time=2026-03-01T02:41:30.049Z level=INFO source=server.go:619 msg="llama runner started in 17.31 seconds"
[GIN] 2026/03/01 - 02:41:40 | 200 |  28.4413769s |  10.244.1.9 | POST     "/api/generate"
[GIN] 2026/03/01 - 02:59:48 | 200 |  3.4721658s |  10.244.1.9 | POST     "/api/chat"
""",
            ),
            created=-305,
        ),
        job=job("Running", kind="Inference", since=-300, created=-305, running=1),
        never=("cuda_oom",),
    ),
    case(
        "guest-vllm-preempts-sequences",
        "healthy",
        "vLLM: preempted sequences and a client that went away are part of a busy server's day",
        pod(
            container(
                running(-300),
                log="""
INFO 03-01 02:50:11 [loggers.py:111] Engine 000: Avg prompt throughput: 9112.0 tokens/s, Avg generation throughput: 1814.2 tokens/s, Running: 211 reqs, Waiting: 14 reqs, GPU KV cache usage: 97.9%
WARNING 03-01 02:50:31 [scheduler.py:1057] Sequence group cmpl-1f is preempted by PreemptionMode.RECOMPUTE mode because there is not enough KV cache space. This can affect the end-to-end performance. total_num_cumulative_preemption=51
ERROR 03-01 02:51:02 [serving_chat.py:661] Error in chat completion stream generator.
asyncio.exceptions.CancelledError: Cancelled by cancel scope 7f1b40
INFO:     10.244.3.17:41222 - "POST /v1/chat/completions HTTP/1.1" 200 OK
INFO:     10.244.3.17:41230 - "POST /v1/chat/completions HTTP/1.1" 400 Bad Request
INFO 03-01 02:59:31 [loggers.py:111] Engine 000: Avg prompt throughput: 8021.4 tokens/s, Avg generation throughput: 1790.9 tokens/s, Running: 180 reqs, Waiting: 0 reqs, GPU KV cache usage: 84.0%
INFO:     10.244.0.1:53110 - "GET /health HTTP/1.1" 200 OK
""",
            ),
            created=-305,
            events=[
                event(
                    "Unhealthy",
                    'Readiness probe failed: Get "http://10.244.1.5:8000/health": dial tcp 10.244.1.5:8000: connect: connection refused',
                    at=-295,
                    count=11,
                )
            ],
        ),
        job=job("Running", kind="Inference", since=-300, created=-305, running=1),
        never=("preempted", "cuda_oom", "probe_failed"),
    ),
    case(
        "guest-ray-train-restored",
        "healthy",
        "Ray Train: one worker died, the run was restored from its checkpoint and goes on",
        pod(
            container(
                running(-300),
                log="""
(RayTrainWorker pid=912) Setting up process group for: env:// [rank=0, world_size=4]
(raylet) A worker died or was killed while executing a task by an unexpected system error. To troubleshoot the problem, check the logs for the dead worker. Worker exit type: SYSTEM_ERROR Worker exit detail: Worker unexpectedly exits with a connection error code 2. End of file. Some common causes include: (1) the process was killed by the OOM killer due to high memory usage, (2) ray stop --force was called, or (3) the worker crashed unexpectedly due to SIGSEGV or another unexpected error.
2026-03-01 01:12:44,310	ERROR tune_controller.py:1331 -- Trial task failed for trial TorchTrainer_5a0c3_00000
ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.
2026-03-01 01:12:45,021	INFO trial.py:1012 -- Restoring checkpoint path=/ckpt/checkpoint_000041
(RayTrainWorker pid=1877) Setting up process group for: env:// [rank=0, world_size=4]
Training finished iteration 42 at 2026-03-01 01:31:10. Total running time: 3hr 31min 2s
Training finished iteration 47 at 2026-03-01 02:57:02. Total running time: 4hr 56min 54s
""",
            ),
            created=-305,
        ),
        job=LIVE,
        never=("segfault", "container_oom", "killed_by_signal", "python_exception"),
    ),
    case(
        "guest-healthy-after-slow-pull",
        "healthy",
        "FailedScheduling and a slow pull are an hour old; the pod has run for 40 minutes",
        pod(
            container(running(-40), log="Epoch 3/90  it 4010/5004  lr 0.1  loss 3.31  data 0.003s\n"),
            created=-110,
            events=[
                event(
                    "FailedScheduling",
                    "0/24 nodes are available: 24 Insufficient nvidia.com/gpu.",
                    at=-70,
                    count=20,
                    source="default-scheduler",
                ),
                event("Failed", 'Failed to pull image "nvcr.io/nvidia/pytorch:24.05-py3": context canceled', at=-55),
                event(
                    "Pulled",
                    'Successfully pulled image "nvcr.io/nvidia/pytorch:24.05-py3" in 11m2.1s',
                    kind="Normal",
                    at=-41,
                ),
                event("Started", "Started container main", kind="Normal", at=-40),
            ],
        ),
        job=job("Running", since=-40, created=-110, running=1),
        never=("insufficient_gpu", "image_not_found", "registry_unreachable"),
    ),
    case(
        "guest-colabfold-done-with-one-skipped",
        "completed",
        "ColabFold #186: one sequence did not fit and was skipped; the run ended with Done and 0",
        pod(
            container(
                ended(0, at=-5),
                log="""
2026-03-01 02:06:48,311 Running colabfold 1.5.5
2026-03-01 02:06:48,402 Running on GPU
2026-03-01 02:06:49,113 Found 8 citations for tools or databases
2026-03-01 02:06:49,114 Query 1/3: rsmA (length 214)
COMPLETE: 100%|██████████| 150/150 [elapsed: 00:02 remaining: 00:00]
2026-03-01 02:15:31,780 rank_001_alphafold2_ptm_model_3_seed_000 pLDDT=91.2 pTM=0.871
2026-03-01 02:15:33,002 Query 2/3: test_cdf7a (length 3912)
2026-03-01 02:18:40,911 Could not predict test_cdf7a. Not Enough GPU memory? RESOURCE_EXHAUSTED: Out of memory while trying to allocate 78668992480 bytes.
2026-03-01 02:18:40,950 Query 3/3: luxR (length 250)
2026-03-01 02:54:30,110 rank_001_alphafold2_ptm_model_1_seed_000 pLDDT=88.0 pTM=0.802
2026-03-01 02:54:31,006 Done
""",
            )
        ),
        job=job("Completed", completed=True),
        never=("cuda_oom",),
    ),
    case(
        "guest-torchrun-noise-at-the-end",
        "completed",
        "PyTorch: warnings of c10d at the teardown of a run that ended with 0",
        pod(
            container(
                ended(0, at=-5),
                log="""
I0301 02:51:02.110 trainer.py:402] step 50000/50000 loss 1.702 grad_norm 0.31
I0301 02:53:40.771 checkpoint.py:118] saved /ckpt/step-50000 (47.1 GB)
[rank0]:[W301 02:54:40.118 ProcessGroupNCCL.cpp:1250] Warning: WARNING: process group has NOT been destroyed before we destruct ProcessGroupNCCL. On normal program exit, the application should call destroy_process_group
[W301 02:54:41.220 TCPStore.cpp:141] [c10d] recvValue failed on SocketImpl(fd=61, addr=[localhost]:51234, remote=[localhost]:29500): Connection reset by peer
[W301 02:54:41.221 socket.cpp:460] [c10d] waitForInput: poll for socket returned error: Broken pipe
Exception ignored in: <_io.TextIOWrapper name='<stdout>' mode='w' encoding='utf-8'>
BrokenPipeError: [Errno 32] Broken pipe
""",
            )
        ),
        job=job("Completed", completed=True),
        never=("nccl_network_error", "python_exception"),
    ),
    case(
        "guest-airflow-return-code-1-only",
        "insufficient_evidence",
        "airflow #39601: the task wrapper says return code 1 and nothing else does",
        crashed(
            1,
            """
[2026-03-01T02:10:36.077+0000] {taskinstance.py:2076} INFO - Dependencies all met for dep_context=requeueable deps ti=<TaskInstance: features.build manual__2026-03-01 [queued]>
[2026-03-01T02:10:36.160+0000] {taskinstance.py:2306} INFO - Starting attempt 1 of 1
[2026-03-01T02:10:36.201+0000] {standard_task_runner.py:63} INFO - Started process 88 to run task
[2026-03-01T02:10:38.910+0000] {logging_mixin.py:188} INFO - partition 1 of 4 written
[2026-03-01T02:39:31.015+0000] {logging_mixin.py:188} INFO - partition 2 of 4 written
[2026-03-01T02:54:58.400+0000] {local_task_job_runner.py:240} INFO - Task exited with return code 1
""",
        ),
        never=("application_error", "python_exception", "invalid_arguments"),
    ),
    case(
        "guest-log-cannot-be-read",
        "insufficient_evidence",
        "the container ended with 1; its log cannot be read and no event speaks of it",
        crashed(1, "never seen\n"),
        faults={"kube/pods/log": 500},
        never=("python_exception", "application_error"),
    ),
    case(
        "guest-waits-three-minutes",
        "pending_normally",
        "three minutes old, the autoscaler has already asked for a node",
        pod(
            node=None,
            created=-3,
            events=[
                event(
                    "Unschedulable",
                    "no nodes with enough resources were found: 4 node(s) didn't have enough resources: GPUs.",
                    at=-0.5,
                    count=3,
                    source="runai-scheduler",
                ),
                event(
                    "TriggeredScaleUp",
                    "pod triggered scale-up: [{gpu-pool-a100 3->4 (max: 12)}]",
                    kind="Normal",
                    at=-2,
                    source="cluster-autoscaler",
                ),
            ],
        ),
        job=job("Pending", since=-3, created=-3, gpus=8),
        never=("insufficient_gpu",),
    ),
    case(
        "guest-pulls-for-four-minutes",
        "pending_normally",
        "a 20 GB image is on its way for four minutes; nothing failed",
        pod(
            container(waiting("ContainerCreating")),
            created=-5,
            events=[
                event(
                    "Scheduled",
                    "Successfully assigned pod runai-vision/llama-ft-0-0 to node gpu-07 at node-pool default",
                    kind="Normal",
                    at=-4.5,
                    source="runai-scheduler",
                ),
                event("Pulling", 'Pulling image "nvcr.io/nvidia/nemo:24.07"', kind="Normal", at=-4),
            ],
        ),
        job=job("Initializing", since=-4.5, created=-5),
        never=("image_not_found", "registry_unreachable", "insufficient_evidence"),
    ),
]

"""Answers that are no failure, and too little to tell: whole incidents by the first of two authors who had not seen the rules."""

from __future__ import annotations

from dataclasses import replace

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import (
    JOB,
    container,
    crashed,
    ended,
    event,
    job,
    on_owner,
    past,
    pod,
    running,
    unscheduled,
    waiting,
)

LIVE = job("Running", since=-300, created=-305, running=1)
GPUS_SHORT = "no nodes with enough resources were found: 12 node(s) didn't have enough resources: GPUs."

CASES: list[LabelledCase] = [
    case(
        "judged-q-vllm-retried-downloads",
        "healthy",
        "a serving pod whose download was retried at the start and which now answers 200",
        pod(
            container(
                running(-300),
                log="""
INFO 02-28 22:01:10 [weight_utils.py:265] Using model weights format ['*.safetensors']
'(ReadTimeoutError("HTTPSConnectionPool(host='cdn-lfs.hf.co', port=443): Read timed out. (read timeout=10)"), '(Request ID: 11f4)')' thrown while requesting GET https://huggingface.co/Qwen/Qwen2.5-7B-Instruct/resolve/main/model-00002-of-00004.safetensors
Retrying in 1s [Retry 1/5].
WARNING 02-28 22:03:01 [custom_all_reduce.py:137] Custom allreduce is disabled because your platform lacks GPU P2P capability
INFO 02-28 22:03:40 [gpu_model_runner.py:1347] Model loading took 14.2487 GiB
INFO:     Application startup complete.
INFO:     10.244.0.1:51022 - "GET /health HTTP/1.1" 200 OK
ERROR 03-01 01:12:09 [serving_chat.py:200] Error in preprocessing prompt inputs
ValueError: This model's maximum context length is 32768 tokens. However, you requested 40112 tokens in the messages.
INFO:     10.244.8.3:40022 - "POST /v1/chat/completions HTTP/1.1" 400 Bad Request
INFO:     10.244.8.3:40022 - "POST /v1/chat/completions HTTP/1.1" 200 OK
INFO 03-01 02:59:40 [loggers.py:87] Engine 000: Avg generation throughput: 71.2 tokens/s, Running: 2 reqs
""",
            ),
            created=-305,
        ),
        job=job("Running", since=-300, created=-305, running=1, kind="Inference"),
        never=("connection_timeout", "python_exception", "invalid_arguments"),
    ),
    case(
        "judged-q-nccl-warns-but-trains",
        "healthy",
        "NCCL warnings at start (no IB, no plugin) and a skipped overflow; the steps go on",
        pod(
            container(
                running(-300),
                log="""
llama-ft-0-0:31:31 [0] misc/ibvwrap.cc:113 NCCL WARN Failed to open libibverbs.so[.1]
llama-ft-0-0:31:31 [0] NCCL INFO NET/Plugin : dlerror=libnccl-net.so: cannot open shared object file: No such file or directory No plugin found (libnccl-net.so), using internal implementation
llama-ft-0-0:31:31 [0] NCCL INFO NET/Socket : Using [0]eth0:10.244.3.18<0>
[2026-03-01 02:11:00,003] [INFO] [loss_scaler.py:190:update_scale] [deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 65536, reducing to 32768
{'loss': 1.8102, 'grad_norm': 0.391, 'learning_rate': 1.1e-05, 'epoch': 0.91}
{'loss': 1.8044, 'grad_norm': 0.402, 'learning_rate': 1.1e-05, 'epoch': 0.92}
""",
            ),
            created=-305,
        ),
        job=LIVE,
        never=("nccl_network_error", "missing_module", "training_diverged"),
    ),
    case(
        "judged-q-completed-noisy-teardown",
        "completed",
        "exit 0 after success; TensorFlow and wandb complain while shutting down",
        pod(
            container(
                ended(0, at=-6),
                log="""
Epoch 10/10 - loss: 0.2110 - val_accuracy: 0.9312
Model exported to /output/saved_model
2026-03-01 02:53:58.118421: W tensorflow/core/framework/local_rendezvous.cc:404] Local rendezvous is aborting with status: OUT_OF_RANGE: End of sequence
wandb: WARNING No program path found when generating artifact job source for a non-colab notebook run.
wandb: ERROR Failed to upload file media/table/preds.json: 504 Gateway Timeout, will be retried
wandb: Synced 5 W&B file(s), 1 media file(s)
Exception ignored in: <function _MultiProcessingDataLoaderIter.__del__ at 0x7f0c2b1f8c10>
Traceback (most recent call last):
  File "/usr/lib/python3.10/multiprocessing/util.py", line 224, in __call__
    res = self._callback(*self._args, **self._kwargs)
OSError: [Errno 9] Bad file descriptor
""",
            )
        ),
        job=job("Completed", since=-6, completed=True),
        never=("python_exception", "connection_timeout"),
    ),
    case(
        "judged-q-auto-batch-size-completed",
        "completed",
        "accelerate find_executable_batch_size caught two CUDA OOMs and finished with half the batch",
        pod(
            container(
                ended(0, at=-8),
                log="""
Trying batch size 64
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 5.12 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.02 GiB is free.
Trying batch size 32
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.56 GiB. GPU 0 has a total capacity of 79.11 GiB of which 0.88 GiB is free.
Trying batch size 16
100%|██████████| 4000/4000 [1:02:11<00:00,  1.07it/s]
{'train_runtime': 3731.2, 'train_samples_per_second': 17.15, 'train_loss': 1.204}
""",
            )
        ),
        job=job("Completed", since=-8, created=-90, completed=True),
        never=("cuda_oom",),
        pair="judged-out-of-memory",
    ),
    case(
        "judged-q-suspended",
        "suspended_by_person",
        "Run:ai: a person stopped the workload; its pods are gone",
        job=job("Stopped", since=-20, created=-300, message="Workload was suspended by user ada@example.com"),
        history=past(
            ("Creating", -300),
            ("Running", -290),
            ("Stopping", -21, "Workload was suspended by user ada@example.com"),
            ("Stopped", -20),
        ),
        never=("killed_by_signal", "time_limit_reached", "preempted"),
    ),
    case(
        "judged-q-pending-three-minutes",
        "pending_normally",
        "three minutes in the queue; the scheduler says that GPUs are short now, not for ever",
        replace(
            unscheduled(GPUS_SHORT, created=-3),
            events=(event("Unschedulable", GPUS_SHORT, at=-0.4, count=2, source="runai-scheduler"),),
        ),
        job=job("Pending", since=-3, created=-3, gpus=2),
        never=("gpu_fragmentation", "gang_unschedulable"),
    ),
    case(
        "judged-q-pulling-big-image",
        "pending_normally",
        "four minutes old, a 20 GB image is being pulled, nothing has failed",
        pod(
            container(waiting("ContainerCreating"), image="nvcr.io/nvidia/nemo:24.12"),
            created=-4,
            events=[
                event(
                    "Scheduled",
                    f"Successfully assigned pod runai-vision/{JOB}-0-0 to node gpu-07 at node-pool default",
                    kind="Normal",
                    at=-3.8,
                    source="runai-scheduler",
                ),
                event("Pulling", 'Pulling image "nvcr.io/nvidia/nemo:24.12"', kind="Normal", at=-3.5),
            ],
        ),
        job=job("Initializing", since=-3.8, created=-4),
        never=("image_not_found", "registry_unreachable"),
    ),
    case(
        "judged-q-exit-1-log-stops",
        "insufficient_evidence",
        "DeepSpeed#5302, Stack Overflow: exit 1 and a log that stops after a progress bar",
        crashed(
            1,
            """
WARNING: TensorFlow and TensorRT versions may differ, see the compatibility matrix
Loading checkpoint shards: 100%|██████████| 4/4 [00:11<00:00,  2.81s/it]
trainable params: 20,971,520 || all params: 8,051,232,768 || trainable%: 0.2605
  2%|▏         | 31/1500 [01:58<1:32:40,  3.79s/it]
""",
        ),
        never=("python_exception", "application_error", "killed_by_signal"),
    ),
    case(
        "judged-q-logs-forbidden",
        "insufficient_evidence",
        "exit 1, and logs may not be read: nothing says why",
        crashed(1, "KeyError: 'never seen'\n"),
        faults={"kube/pods/log": 403},
        never=("python_exception", "application_error", "permission_denied", "credential_rejected"),
    ),
    case(
        "judged-q-backoff-and-nothing-left",
        "backoff_limit_exceeded",
        "HolmesGPT 12_job_crashing, with the pods already gone: only the Job's own limit is left",
        events=[on_owner("BackoffLimitExceeded", "Job has reached the specified backoff limit", kind="Warning", at=-5)],
        job=job("Failed", since=-5, created=-80),
        never=("insufficient_evidence", "python_exception"),
    ),
]

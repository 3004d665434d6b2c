"""Near misses: whole incidents by the second of two authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.cases.judged_outside import fail
from tests.corpus.wire import (
    container,
    crashed,
    ended,
    event,
    job,
    node,
    on_node,
    on_owner,
    oom_killed,
    pod,
    stuck,
    unscheduled,
)

INIT = job("Initializing", since=-28, created=-30)
OLD = job("Pending", since=-45, created=-45, gpus=8)

CASES: list[LabelledCase] = [
    # --- near misses --------------------------------------------------------------------------------------------------
    case(
        "judged-deepspeed-minus-9",
        "killed_by_signal",
        "DeepSpeed issues: exits with return code = -9; nothing in the node's events or the container's state says memory",
        crashed(
            247,
            r"""
            [2026-03-01 02:31:04,121] [INFO] [launch.py:256:main] process 118 spawned with command: ['/usr/bin/python3', '-u', 'train.py', '--local_rank=0', '--deepspeed', 'ds_z3.json']
            Loading checkpoint shards:  52%|█████▏    | 16/31 [02:10<01:55,  7.70s/it]
            [2026-03-01 02:34:07,559] [INFO] [launch.py:319:sigkill_handler] Killing subprocess 118
            [2026-03-01 02:34:07,711] [INFO] [launch.py:319:sigkill_handler] Killing subprocess 119
            [2026-03-01 02:34:07,711] [ERROR] [launch.py:325:sigkill_handler] ['/usr/bin/python3', '-u', 'train.py', '--local_rank=1', '--deepspeed', 'ds_z3.json'] exits with return code = -9
            """,
        ),
        never=("container_oom", "python_exception", "application_error"),
        pair="judged-deepspeed-9",
    ),
    case(
        "judged-deepspeed-minus-9-cgroup",
        "container_oom",
        "the same start, killed by 9 (137 through bash), and the node reports the memory cgroup's kill of that python3 at that minute",
        crashed(
            137,
            r"""
            [2026-03-01 02:51:04,121] [INFO] [launch.py:256:main] process 218 spawned with command: ['/usr/bin/python3', '-u', 'sft.py', '--local_rank=0', '--deepspeed', 'ds_z3_offload.json']
            Loading checkpoint shards:  87%|████████▋ | 27/31 [02:10<00:20,  5.01s/it]
            /opt/launch.sh: line 9:   118 Killed                  deepspeed --num_gpus 1 sft.py --deepspeed ds_z3_offload.json
            """,
        ),
        events=[
            on_node(
                "OOMKilling",
                "Memory cgroup out of memory: Killed process 40118 (python3) total-vm:91204112kB, anon-rss:67010224kB, file-rss:120112kB, shmem-rss:16kB, UID:0 pgtables:133120kB oom_score_adj:-997",
                at=-5.05,
            )
        ],
        never=("killed_by_signal", "node_memory_eviction"),
        pair="judged-deepspeed-9",
    ),
    case(
        "judged-cuda-oom-caught-then-oomkilled",
        "container_oom",
        "accelerate find_executable_batch_size caught the CUDA OOM and went on; the kernel killed the container later",
        pod(
            container(
                oom_killed(),
                log="""
                Trying batch size: 64
                torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 79.11 GiB
                WARNING: batch size 64 does not fit, retrying with 32
                Trying batch size: 32
                {'loss': 1.221, 'epoch': 0.1}
                {'loss': 1.104, 'epoch': 0.2}
                tokenizing eval set in memory (num_proc=48)
                """,
            )
        ),
        never=("cuda_oom",),
    ),
    case(
        "judged-illegal-access-xid31",
        "cuda_illegal_access",
        "XID 31 accompanies the application's own bad access: mostly the application's by causes.md",
        crashed(
            1,
            r"""
            [step 1200] loss=3.10 tok/s=41022
            Traceback (most recent call last):
              File "/workspace/train.py", line 88, in <module>
                y = fused_rope(x, cos, sin)
              File "/workspace/kernels/rope.py", line 54, in forward
                _rope_fwd[grid](x, cos, sin, y, BLOCK=1024)
            RuntimeError: Triton Error [CUDA]: an illegal memory access was encountered
            """,
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:3b:00): 31, pid=31102, name=python, Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS GPCCLIENT_T1_4 faulted @ 0x7f41_0a000000. Fault is of type FAULT_PDE ACCESS_TYPE_VIRT_READ",
                at=-5.1,
            )
        ],
        never=("gpu_hardware_fault", "python_exception"),
        pair="judged-xid-kind",
    ),
    case(
        "judged-uncorrectable-ecc-xid94",
        "gpu_hardware_fault",
        "the exception names an uncorrectable ECC error and the node reports XID 94 on the job's own node",
        crashed(
            1,
            r"""
            [step 7740] loss=2.21 tok/s=40871
            Traceback (most recent call last):
              File "/workspace/train.py", line 91, in <module>
                loss.backward()
              File "/usr/local/lib/python3.10/dist-packages/torch/autograd/graph.py", line 825, in _engine_run_backward
                return Variable._execution_engine.run_backward(  # Calls into the C++ engine to run the backward pass
            RuntimeError: CUDA error: uncorrectable ECC error encountered
            CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
            """,
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:9b:00): 94, pid=40412, name=python, Contained: SM (0x1). RST: No, D-RST: No",
                at=-5.1,
            )
        ],
        objects=[node(allocatable=7)],
        never=("cuda_illegal_access", "python_exception"),
        pair="judged-xid-kind",
    ),
    fail(
        "judged-python-cant-open-file-2",
        "missing_file",
        "python exits 2 for a script that is not there; no usage error and the entrypoint itself was found",
        r"""

        =============
        == PyTorch ==
        =============

        NVIDIA Release 24.05 (build 91431255)
        PyTorch Version 2.4.0a0+07cecf4168.nv24.05

        NOTE: The SHMEM allocation limit is set to the default of 64MB.  This may be
           insufficient for PyTorch.

        python: can't open file '/workspace/src/trian.py': [Errno 2] No such file or directory
        """,
        2,
        never=("bad_command", "invalid_arguments", "shm_exhausted"),
        pair="judged-not-there",
    ),
    case(
        "judged-start-error-not-in-path",
        "bad_command",
        "runc: exec: accelerate: executable file not found in $PATH, StartError 128",
        crashed(
            128,
            reason="StartError",
            message='failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "accelerate": executable file not found in $PATH: unknown',
        ),
        never=("missing_file", "not_executable", "container_create_failed"),
        pair="judged-not-there",
    ),
    fail(
        "judged-run-sh-126",
        "not_executable",
        "shell: ./run.sh: Permission denied, 126: the mode bit of the entrypoint, no data file",
        """
        + cd /workspace/job
        + ./run.sh --config base.yaml
        /bin/bash: line 3: ./run.sh: Permission denied
        """,
        126,
        never=("permission_denied", "bad_command"),
    ),
    case(
        "judged-arm-image",
        "wrong_architecture",
        "containerd: no match for platform in manifest",
        stuck(
            "ErrImagePull",
            'failed to pull and unpack image "ghcr.io/acme/trainer:main": no match for platform in manifest sha256:9d7e: not found',
            image="ghcr.io/acme/trainer:main",
        ),
        job=INIT,
        never=("image_not_found",),
    ),
    case(
        "judged-free-but-scattered",
        "gpu_fragmentation",
        "KAI's detailed message: each of three nodes has 3 to 4 of 8 free, the pod asks for 8: 11 free GPUs, not on one node",
        unscheduled(
            "no nodes with enough resources were found: <gpu-01>: Node didn't have enough resources: GPUs, requested: 8, used: 4, capacity: 8. <gpu-02>: Node didn't have enough resources: GPUs, requested: 8, used: 5, capacity: 8. <gpu-03>: Node didn't have enough resources: GPUs, requested: 8, used: 4, capacity: 8."
        ),
        objects=[node("gpu-01"), node("gpu-02"), node("gpu-03")],
        job=OLD,
        never=("insufficient_gpu", "pending_normally"),
        pair="judged-scattered",
    ),
    case(
        "judged-full-everywhere",
        "insufficient_gpu",
        "the same message with 8 of 8 used on two nodes and 7 on the third: one free GPU in all",
        unscheduled(
            "no nodes with enough resources were found: <gpu-01>: Node didn't have enough resources: GPUs, requested: 8, used: 8, capacity: 8. <gpu-02>: Node didn't have enough resources: GPUs, requested: 8, used: 8, capacity: 8. <gpu-03>: Node didn't have enough resources: GPUs, requested: 8, used: 7, capacity: 8."
        ),
        objects=[node("gpu-01"), node("gpu-02"), node("gpu-03")],
        job=OLD,
        never=("gpu_fragmentation", "pending_normally"),
        pair="judged-scattered",
    ),
    case(
        "judged-backoff-limit-only",
        "backoff_limit_exceeded",
        "the Job controller's word is all that is left; its pods are gone",
        job=job("Failed", since=-40, created=-90),
        events=[on_owner("BackoffLimitExceeded", "Job has reached the specified backoff limit", at=-40)],
        never=("insufficient_evidence",),
        pair="judged-job-limits",
    ),
    case(
        "judged-active-deadline",
        "deadline_exceeded",
        "Kubernetes Job: activeDeadlineSeconds; the pod was killed by it in the middle of a warning",
        pod(
            container(
                ended(143, at=-5),
                log="""
                Epoch 41/100
                WARNING:root:gradient norm 41.2 clipped
                """,
            ),
            events=[event("Killing", "Stopping container main", kind="Normal", at=-5.5)],
            phase="Failed",
        ),
        events=[
            on_owner("DeadlineExceeded", "Job was active longer than specified deadline", at=-5.6),
        ],
        never=("killed_by_signal", "preempted", "time_limit_reached"),
        pair="judged-job-limits",
    ),
]

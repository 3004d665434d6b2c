"""Near misses: whole incidents by the first of two authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import container, crashed, ended, event, job, node, on_node, pod, stuck

START = job("Initializing", since=-28, created=-30)

CASES: list[LabelledCase] = [
    case(
        "judged-deepspeed-minus-9-nothing-else",
        "killed_by_signal",
        "DeepSpeed#3232, #4890: return code -9 and neither OOMKilled nor a cgroup event: who sent it is not said",
        crashed(
            247,
            """
[2026-03-01 02:51:02,110] [INFO] [stage_1_and_2.py:149:__init__] Reduce bucket size 500000000
[2026-03-01 02:51:02,110] [INFO] [stage_1_and_2.py:151:__init__] CPU Offload: True
Rank: 0 partition count [4] and sizes[(1738148864, False)]
[2026-03-01 02:54:27,879] [INFO] [launch.py:428:sigkill_handler] Killing subprocess 266
[2026-03-01 02:54:27,885] [INFO] [launch.py:428:sigkill_handler] Killing subprocess 267
[2026-03-01 02:54:27,885] [ERROR] [launch.py:434:sigkill_handler] ['/usr/bin/python3', '-u', 'main.py', '--local_rank=3', '--data_path', 'Dahoas/rm-static', '--model_name_or_path', 'EleutherAI/pythia-6.9b', '--zero_stage', '2', '--deepspeed', '--output_dir', '/output'] exits with return code = -9
""",
            gpus=4,
        ),
        never=("container_oom", "cuda_oom", "application_error"),
        pair="judged-exit-137",
    ),
    case(
        "judged-kernel-cgroup-kill-of-pid-1",
        "container_oom",
        "exit 137 with reason Error, and the node's kernel names a memory-cgroup kill of that python in that minute",
        crashed(
            137,
            """
Loading dataset shards: 100%|██████████| 214/214 [03:01<00:00,  1.18it/s]
Tokenizing (num_proc=32):  61%|██████    | 31580/51760 [04:12<02:40, 125.50 examples/s]
""",
            at=-5,
        ),
        events=[
            on_node(
                "OOMKilling",
                "Memory cgroup out of memory: Killed process 41187 (python) total-vm:81002344kB, anon-rss:66871208kB, file-rss:71244kB, shmem-rss:0kB, UID:0 pgtables:132004kB oom_score_adj:-997",
                at=-5,
            )
        ],
        objects=[node()],
        never=("killed_by_signal", "node_memory_eviction"),
        pair="judged-exit-137",
    ),
    case(
        "judged-evicted-node-memory",
        "node_memory_eviction",
        "kubelet: The node was low on resource: memory",
        pod(
            container(ended(137, at=-6), log="epoch 3 step 881 loss 1.02\n"),
            phase="Failed",
            reason="Evicted",
            message="The node was low on resource: memory. Threshold quantity: 100Mi, available: 88104Ki. Container main was using 71204412Ki, request is 8Gi, has larger consumption of memory. ",
            events=[
                event(
                    "Evicted",
                    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 88104Ki. Container main was using 71204412Ki, request is 8Gi, has larger consumption of memory. ",
                    at=-6,
                )
            ],
        ),
        objects=[
            node(
                conditions=[
                    (
                        "MemoryPressure",
                        "True",
                        "KubeletHasInsufficientMemory",
                        "kubelet has insufficient memory available",
                    )
                ]
            )
        ],
        never=("container_oom", "killed_by_signal", "preempted"),
        pair="judged-exit-137",
    ),
    case(
        "judged-emptydir-over-limit",
        "ephemeral_storage_exceeded",
        "kubelet: the pod went over its own limit; the node has room",
        pod(
            container(
                ended(137, at=-6), log="writing shard 00411.tar to /scratch\nwriting shard 00412.tar to /scratch\n"
            ),
            phase="Failed",
            reason="Evicted",
            message='Usage of EmptyDir volume "scratch" exceeds the limit "200Gi". ',
            events=[event("Evicted", 'Usage of EmptyDir volume "scratch" exceeds the limit "200Gi". ', at=-6)],
        ),
        never=("disk_full", "node_disk_pressure", "killed_by_signal"),
        pair="judged-disk",
    ),
    case(
        "judged-evicted-node-ephemeral",
        "node_disk_pressure",
        "kubelet: The node was low on resource: ephemeral-storage: the node's disk, not the pod's limit",
        pod(
            container(ended(137, at=-6), log="step 2210 loss 2.31\n"),
            phase="Failed",
            reason="Evicted",
            message="The node was low on resource: ephemeral-storage. Threshold quantity: 94489280512, available: 91770400Ki. Container main was using 812Ki, request is 0, has larger consumption of ephemeral-storage. ",
            events=[
                event(
                    "Evicted",
                    "The node was low on resource: ephemeral-storage. Threshold quantity: 94489280512, available: 91770400Ki. Container main was using 812Ki, request is 0, has larger consumption of ephemeral-storage. ",
                    at=-6,
                )
            ],
        ),
        objects=[
            node(
                conditions=[("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure")],
                taints=[("node.kubernetes.io/disk-pressure", "NoSchedule")],
            )
        ],
        never=("ephemeral_storage_exceeded", "disk_full"),
        pair="judged-disk",
    ),
    case(
        "judged-torch-save-enospc",
        "disk_full",
        "pytorch: inline_container.cc write failed after OSError 28 on the checkpoint volume",
        crashed(
            1,
            """
Saving model checkpoint to /ckpt/run-8/checkpoint-1500
Traceback (most recent call last):
  File "/opt/conda/lib/python3.10/site-packages/torch/serialization.py", line 652, in save
    _save(obj, opened_zipfile, pickle_module, pickle_protocol, _disable_byteorder_record)
  File "/opt/conda/lib/python3.10/site-packages/torch/serialization.py", line 886, in _save
    zip_file.write_record(name, storage, num_bytes)
OSError: [Errno 28] No space left on device

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/workspace/train.py", line 119, in <module>
    trainer.train()
  File "/opt/conda/lib/python3.10/site-packages/torch/serialization.py", line 499, in __exit__
    self.file_like.write_end_of_file()
RuntimeError: [enforce fail at inline_container.cc:603] . unexpected pos 5368709184 vs 5368709078
""",
        ),
        never=("python_exception", "ephemeral_storage_exceeded", "storage_unresponsive"),
        pair="judged-disk",
    ),
    case(
        "judged-python-cant-open-file",
        "missing_file",
        "python: can't open file, exit 2: the interpreter is there, its script is not",
        crashed(2, "python: can't open file '/workspace/src/trian.py': [Errno 2] No such file or directory\n"),
        never=("bad_command", "invalid_arguments"),
        pair="judged-not-found",
    ),
    case(
        "judged-entrypoint-not-executable",
        "not_executable",
        'containerd StartError 128: exec: "/workspace/run.sh": permission denied',
        crashed(
            128,
            "",
            reason="StartError",
            message='failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/workspace/run.sh": permission denied: unknown',
        ),
        never=("bad_command", "permission_denied", "container_create_failed"),
        pair="judged-denied",
    ),
    case(
        "judged-checkpoint-eacces",
        "permission_denied",
        "PermissionError on the shared checkpoint directory (root-squashed NFS)",
        crashed(
            1,
            """
I0301 02:49:30.100 trainer.py:88] resuming from step 40000
[rank0]: Traceback (most recent call last):
[rank0]:   File "/workspace/trainer.py", line 301, in save
[rank0]:     os.makedirs(path, exist_ok=True)
[rank0]:   File "/usr/lib/python3.10/os.py", line 225, in makedirs
[rank0]:     mkdir(name, mode)
[rank0]: PermissionError: [Errno 13] Permission denied: '/mnt/shared/ckpt/run-403/step_40500'
""",
        ),
        never=("credential_rejected", "python_exception", "read_only_filesystem"),
        pair="judged-denied",
    ),
    case(
        "judged-nfs-stale-handle",
        "storage_unresponsive",
        "OSError 116 Stale file handle on the dataset mount",
        crashed(
            1,
            """
100%|█████████▉| 9981/10000 [2:11:04<00:14,  1.27it/s]
Traceback (most recent call last):
  File "/workspace/train.py", line 74, in <module>
    for i, batch in enumerate(loader):
  File "/opt/conda/lib/python3.10/site-packages/torch/_utils.py", line 694, in reraise
    raise exception
OSError: Caught OSError in DataLoader worker process 5.
Original Traceback (most recent call last):
  File "/opt/conda/lib/python3.10/site-packages/torch/utils/data/_utils/worker.py", line 308, in _worker_loop
    data = fetcher.fetch(index)
  File "/workspace/dataset.py", line 41, in __getitem__
    with open(self.paths[i], "rb") as f:
OSError: [Errno 116] Stale file handle: '/data/imagenet/train/n02108089/n02108089_1104.JPEG'
""",
        ),
        never=("missing_file", "python_exception", "shm_exhausted"),
    ),
    case(
        "judged-xid-79-same-node",
        "gpu_hardware_fault",
        "XID 79 on the job's own node in the same minute; the process sees 'unspecified launch failure'",
        crashed(
            1,
            """
step 88210 | loss 1.702 | lr 2.1e-5
step 88220 | loss 1.699 | lr 2.1e-5
Traceback (most recent call last):
  File "/workspace/train.py", line 200, in <module>
    torch.cuda.synchronize()
  File "/usr/local/lib/python3.10/dist-packages/torch/cuda/__init__.py", line 954, in synchronize
    return torch._C._cuda_synchronize()
RuntimeError: CUDA error: unspecified launch failure
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
""",
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:5d:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
                at=-5.1,
            )
        ],
        objects=[node(allocatable=7)],
        never=("python_exception", "cuda_illegal_access"),
        pair="judged-xid",
    ),
    case(
        "judged-xid-31-illegal-access",
        "cuda_illegal_access",
        "XID 31 is the application's own page fault: illegal memory access in a custom kernel",
        crashed(
            1,
            """
step 120 | loss 7.21
Traceback (most recent call last):
  File "/workspace/train_moe.py", line 171, in <module>
    loss.backward()
  File "/usr/local/lib/python3.10/dist-packages/grouped_gemm/backend.py", line 27, in gmm
    backend.gmm(a, b, c, batch_sizes, trans_a, trans_b)
RuntimeError: CUDA error: an illegal memory access was encountered
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
""",
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:19:00): 31, pid=88121, name=python, Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS GPCCLIENT_T1_0 faulted @ 0x7f4a_90000000. Fault is of type FAULT_PDE ACCESS_TYPE_VIRT_READ",
                at=-5.1,
            )
        ],
        objects=[node()],
        never=("gpu_hardware_fault", "python_exception"),
        pair="judged-xid",
    ),
    case(
        "judged-denied-without-pull-secret",
        "image_auth_failed",
        "docker.io: pull access denied, may require authorization, and no pull secret is set",
        stuck(
            "ImagePullBackOff",
            'Back-off pulling image "acme/megatron-private:25.1"',
            image="acme/megatron-private:25.1",
            pull_secret=False,
            events=[
                event(
                    "Failed",
                    'Failed to pull image "acme/megatron-private:25.1": failed to pull and unpack image "docker.io/acme/megatron-private:25.1": failed to resolve reference "docker.io/acme/megatron-private:25.1": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed',
                    count=5,
                )
            ],
        ),
        job=START,
        never=("registry_unreachable",),
        pair="judged-pull",
    ),
    case(
        "judged-sigterm-and-no-word",
        "killed_by_signal",
        "143 with SIGTERM in the log and no event about preemption, probe or deletion",
        crashed(
            143,
            """
[02:54:58] INFO     step=7710 loss=2.4471 mfu=0.412                                             train.py:204
[02:55:01] WARNING  Received SIGTERM: 15                                                        signal.py:31
[02:55:01] INFO     saving emergency checkpoint to /ckpt/emergency/7712                         ckpt.py:77
""",
        ),
        never=("preempted", "time_limit_reached", "completed"),
        pair="judged-exit-143",
    ),
    case(
        "judged-spark-driver-heap",
        "application_memory_limit",
        "Spark: java.lang.OutOfMemoryError: Java heap space; the container's limit was never touched",
        crashed(
            1,
            """
26/03/01 02:44:12 INFO TaskSetManager: Finished task 198.0 in stage 7.0 (TID 1402) in 3121 ms on 10.244.9.3 (executor 2) (199/200)
26/03/01 02:44:31 WARN BlockManager: Block rdd_21_3 could not be removed as it was not found on disk or in memory
Exception in thread "main" java.lang.OutOfMemoryError: Java heap space
	at java.base/java.util.Arrays.copyOf(Arrays.java:3745)
	at org.apache.spark.util.ByteArrayChunkOutputStream.toArrays(ByteArrayChunkOutputStream.scala:41)
	at ml.dmlc.xgboost4j.scala.spark.XGBoost$.trainDistributed(XGBoost.scala:412)
	at com.acme.ctr.TrainJob$.main(TrainJob.scala:88)
26/03/01 02:44:33 INFO SparkContext: Invoking stop() from shutdown hook
26/03/01 02:44:33 INFO ShutdownHookManager: Deleting directory /tmp/spark-2a
""",
            gpus=0,
        ),
        never=("container_oom", "application_error", "cuda_oom"),
        pair="judged-out-of-memory",
    ),
    case(
        "judged-rust-panic",
        "application_error",
        "Rust (tokenizers/candle): a panic with exit 101; 'No such file' is nowhere, the data are malformed",
        crashed(
            101,
            """
2026-03-01T02:50:40.118Z  INFO embed_worker: loading tokenizer from /models/e5/tokenizer.json
2026-03-01T02:50:40.402Z  INFO embed_worker: device=Cuda(CudaDevice(DeviceId(1)))
2026-03-01T02:50:44.911Z  WARN embed_worker::queue: slow batch elapsed_ms=2110
thread 'main' panicked at src/main.rs:88:14:
called `Result::unwrap()` on an `Err` value: ShapeMismatchBinaryOp { lhs: [32, 514, 1024], rhs: [1, 512, 1024], op: "add" }
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
""",
        ),
        never=("aborted", "python_exception"),
    ),
]

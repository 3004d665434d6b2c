"""Near misses of memory, disks, libraries, permissions, drivers and XIDs, by authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    JOB,
    container,
    crashed,
    ended,
    event,
    job,
    looping,
    node,
    on_group,
    on_node,
    past,
    pod,
    waiting,
)

POD = f"{JOB}-0-0"

CASES = [
    # --- the GPU's memory and the container's ------------------------------------------------------------------------
    case(
        "peers-vllm-kv-cache-no-room",
        "cuda_oom",
        "vllm issues (from memory): no room for the KV cache; nothing of the container's memory",
        crashed(
            1,
            """
            INFO 03-01 02:51:02 [__init__.py:239] Automatically detected platform cuda.
            INFO 03-01 02:51:09 [config.py:717] This model supports multiple tasks: {'generate', 'embed'}. Defaulting to 'generate'.
            WARNING 03-01 02:51:09 [arg_utils.py:1658] Compute Capability < 8.0 is not supported by the V1 Engine. Falling back to V0.
            INFO 03-01 02:51:40 [loader.py:458] Loading weights took 26.31 seconds
            INFO 03-01 02:51:41 [model_runner.py:1140] Model loading took 13.4966 GiB and 28.113 seconds
            INFO 03-01 02:52:02 [worker.py:287] the current vLLM instance can use total_gpu_memory (14.58GiB) x gpu_memory_utilization (0.90) = 13.12GiB
            INFO 03-01 02:52:02 [executor_base.py:112] # cuda blocks: 0, # CPU blocks: 2048
            ERROR 03-01 02:52:02 [engine.py:448] No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.
            Traceback (most recent call last):
              File "/usr/local/lib/python3.12/site-packages/vllm/engine/multiprocessing/engine.py", line 436, in run_mp_engine
                engine = MQLLMEngine.from_vllm_config(
              File "/usr/local/lib/python3.12/site-packages/vllm/worker/worker.py", line 575, in raise_if_cache_size_invalid
                raise ValueError("No available memory for the cache blocks. "
            ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.
            Task exception was never retrieved
            RuntimeError: Engine process failed to start. See stack trace for the root cause.
            """,
            image="vllm/vllm-openai:v0.8.5",
        ),
        job=job("Failed", kind="Inference"),
        never=("container_oom", "python_exception"),
        pair="peers-memory",
    ),
    case(
        "peers-137-with-memcg-event-on-node",
        "container_oom",
        "causes.md: exit 137 without OOMKilled plus the node's memory-cgroup event of the same minute; kernel text from memory",
        crashed(
            137,
            """
            Tokenizing train:  61%|######    | 61/100 [04:11<02:40,  4.12s/it]
            torch.cuda.OutOfMemoryError was caught while probing batch size 64, retrying with 32
            Tokenizing train:  62%|######2   | 62/100 [04:15<02:36,  4.12s/it]
            """,
            at=-5,
        ),
        events=[
            on_node(
                "OOMKilling",
                "Memory cgroup out of memory: Killed process 48211 (python) total-vm:101822144kB, anon-rss:66801220kB, file-rss:70212kB, shmem-rss:0kB, UID:0 pgtables:131892kB oom_score_adj:968",
                at=-5.05,
            )
        ],
        never=("killed_by_signal", "cuda_oom"),
        pair="peers-memory",
    ),
    # --- 137 and who sent it -----------------------------------------------------------------------------------------
    case(
        "peers-137-alone",
        "killed_by_signal",
        "exit 137, reason Error, no event anywhere: HolmesGPT's and Komodor's exit-code cases; 137 alone is only a signal",
        crashed(
            137,
            """
            {"ts":"2026-03-01T02:53:10Z","level":"info","msg":"shard 118/512 written","rows":1048576}
            {"ts":"2026-03-01T02:54:02Z","level":"info","msg":"shard 119/512 written","rows":1048576}
            {"ts":"2026-03-01T02:54:57Z","level":"info","msg":"shard 120/512 written","rows":1048576}
            """,
        ),
        never=("container_oom", "preempted", "application_error"),
        pair="peers-137",
    ),
    case(
        "peers-137-after-reclaim",
        "preempted",
        "KAI-Scheduler api/unschedulable_info.go GetReclaimMessage with the queues' numbers; 137 is the end of its grace period",
        pod(
            container(
                ended(137, at=-12),
                log="""
                {"ts":"2026-03-01T02:46:57Z","level":"info","msg":"shard 120/512 written","rows":1048576}
                {"ts":"2026-03-01T02:47:21Z","level":"warn","msg":"SIGTERM received, finishing current shard"}
                """,
            ),
            phase="Failed",
            deleting=True,
            events=[event("Killing", "Stopping container main", kind="Normal", at=-12.6)],
        ),
        events=[
            on_group(
                "Evict",
                f"Pod runai-vision/{POD} was preempted by workload runai-nlp/pg-eval-70b-8b80dcd8.\n"
                "vision uses <GPU: 12, CPU: 96 (cores), memory: 768 (GB)> with a quota of <GPU: 8, CPU: 0 (cores), memory: 0 (GB)>, fair-share of <GPU: 8> and queue priority of <100>.\n"
                "nlp uses <GPU: 4, CPU: 32 (cores), memory: 256 (GB)> with a quota of <GPU: 8, CPU: 0 (cores), memory: 0 (GB)>, fair-share of <GPU: 8> and queue priority of <100>.",
                at=-12.7,
            )
        ],
        job=job("Pending", since=-11.5, created=-200),
        history=past(("Creating", -200), ("Running", -195), ("Pending", -11.5)),
        never=("killed_by_signal", "project_over_quota", "pending_normally", "container_oom"),
        pair="peers-137",
    ),
    # --- three ways to run out of disk -------------------------------------------------------------------------------
    case(
        "peers-ephemeral-total-limit",
        "ephemeral_storage_exceeded",
        "substratusai/runbooks#246: Pod ephemeral local storage usage exceeds the total limit of containers",
        pod(
            phase="Failed",
            reason="Evicted",
            message="Pod ephemeral local storage usage exceeds the total limit of containers 100Gi. ",
            events=[
                event(
                    "Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers 100Gi. ", at=-5
                ),
                event("Killing", "Stopping container main", kind="Normal", at=-5),
            ],
        ),
        never=("node_disk_pressure", "disk_full"),
        pair="peers-disk",
    ),
    case(
        "peers-node-low-on-ephemeral-storage",
        "node_disk_pressure",
        "cloud-ark/kubeplus#1382, LMCache#1399: the node was low, whoever filled it",
        pod(
            phase="Failed",
            reason="Evicted",
            message="The node was low on resource: ephemeral-storage. Threshold quantity: 638834513199, available: 434266920Ki. Container main was using 52676Ki, request is 0, has larger consumption of ephemeral-storage. ",
            events=[
                event(
                    "Evicted",
                    "The node was low on resource: ephemeral-storage. Threshold quantity: 638834513199, available: 434266920Ki. Container main was using 52676Ki, request is 0, has larger consumption of ephemeral-storage. ",
                    at=-5,
                ),
                event(
                    "ExceededGracePeriod",
                    "Container runtime did not kill the pod within specified grace period.",
                    at=-4.8,
                    count=2,
                ),
            ],
        ),
        objects=[
            node(
                "gpu-07",
                conditions=[("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure")],
                taints=[("node.kubernetes.io/disk-pressure", "NoSchedule")],
                since=-6,
            )
        ],
        never=("ephemeral_storage_exceeded", "disk_full", "node_memory_eviction"),
        pair="peers-disk",
    ),
    case(
        "peers-checkpoint-no-space-left",
        "disk_full",
        "pytorch issues (from memory): PytorchStreamWriter failed writing, No space left on device on the mounted share",
        crashed(
            1,
            """
            Epoch 3:  40%|####      | 1200/3000 [1:22:10<2:03:15,  4.11s/it, loss=1.37]
            Saving model checkpoint to /ckpt/run7/checkpoint-1200
            Traceback (most recent call last):
              File "/opt/conda/lib/python3.11/site-packages/torch/serialization.py", line 628, in save
                _save(obj, opened_zipfile, pickle_module, pickle_protocol, _disable_byteorder_record)
              File "/opt/conda/lib/python3.11/site-packages/torch/serialization.py", line 862, in _save
                zip_file.write_record(name, storage, num_bytes)
            OSError: [Errno 28] No space left on device

            During handling of the above exception, another exception occurred:

            Traceback (most recent call last):
              File "/workspace/train.py", line 214, in <module>
                trainer.train()
              File "/opt/conda/lib/python3.11/site-packages/transformers/trainer.py", line 2870, in _save_checkpoint
                torch.save(self.optimizer.state_dict(), os.path.join(output_dir, OPTIMIZER_NAME))
              File "/opt/conda/lib/python3.11/site-packages/torch/serialization.py", line 475, in __exit__
                self.file_like.write_end_of_file()
            RuntimeError: [enforce fail at inline_container.cc:603] . unexpected pos 5822152704 vs 5822152598
            """,
        ),
        never=("ephemeral_storage_exceeded", "node_disk_pressure", "python_exception"),
        pair="peers-disk",
    ),
    # --- a DataLoader worker and its signal --------------------------------------------------------------------------
    case(
        "peers-dataloader-bus-error",
        "shm_exhausted",
        "pytorch#16979 (Dataloader Shm Error on Kubernetes)",
        crashed(
            1,
            """
            /opt/conda/lib/python3.11/site-packages/torch/utils/data/dataloader.py:558: UserWarning: This DataLoader will create 16 worker processes in total. Our suggested max number of worker in current system is 8.
              warnings.warn(_create_warning_msg(
            Epoch 0: 6843.771 seconds
            ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).
            ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).
            Traceback (most recent call last):
              File "/opt/conda/lib/python3.11/site-packages/torch/utils/data/dataloader.py", line 1133, in _try_get_data
                data = self._data_queue.get(timeout=timeout)
              File "/opt/conda/lib/python3.11/site-packages/torch/utils/data/_utils/signal_handling.py", line 66, in handler
                _error_if_any_worker_fails()
            RuntimeError: DataLoader worker (pid 325) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory. Please try to raise your shared memory limit.

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "/workspace/main.py", line 77, in <module>
                for batch in loader:
              File "/opt/conda/lib/python3.11/site-packages/torch/utils/data/dataloader.py", line 1146, in _try_get_data
                raise RuntimeError(f'DataLoader worker (pid(s) {pids_str}) exited unexpectedly') from e
            RuntimeError: DataLoader worker (pid(s) 325) exited unexpectedly
            """,
        ),
        never=("segfault", "python_exception"),
        pair="peers-worker-signal",
    ),
    case(
        "peers-dataloader-segfault",
        "segfault",
        "pytorch issues (from memory): DataLoader worker is killed by signal: Segmentation fault; nothing of shared memory",
        crashed(
            1,
            """
            Epoch 0:  12%|#2        | 118/980 [02:01<14:51,  1.03s/it]
            ERROR: Unexpected segmentation fault encountered in worker.
            Traceback (most recent call last):
              File "/opt/conda/lib/python3.11/site-packages/torch/utils/data/dataloader.py", line 1133, in _try_get_data
                data = self._data_queue.get(timeout=timeout)
              File "/opt/conda/lib/python3.11/multiprocessing/connection.py", line 256, in poll
                return self._poll(timeout)
              File "/opt/conda/lib/python3.11/site-packages/torch/utils/data/_utils/signal_handling.py", line 66, in handler
                _error_if_any_worker_fails()
            RuntimeError: DataLoader worker (pid 4123) is killed by signal: Segmentation fault.

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "/workspace/main.py", line 77, in <module>
                for batch in loader:
            RuntimeError: DataLoader worker (pid(s) 4123) exited unexpectedly
            """,
        ),
        never=("shm_exhausted", "python_exception", "container_oom"),
        pair="peers-worker-signal",
    ),
    # --- a library that is missing, and one that is there and is wrong -----------------------------------------------
    case(
        "peers-libcudnn-so-missing",
        "missing_module",
        "tensorflow/onnxruntime issues: a shared object that cannot be opened, raised as ImportError",
        looping(
            1,
            """
            2026-03-01 02:57:11.402 | INFO     | serve.app:main:31 - starting model server, workers=2
            Traceback (most recent call last):
              File "/srv/serve/app.py", line 6, in <module>
                import onnxruntime as ort
              File "/usr/local/lib/python3.10/site-packages/onnxruntime/capi/_pybind_state.py", line 32, in <module>
                from .onnxruntime_pybind11_state import *  # noqa
            ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory
            """,
        ),
        job=job("Degraded", kind="Inference", since=-20),
        never=("missing_file", "python_exception", "no_gpu_visible"),
        pair="peers-import",
    ),
    case(
        "peers-numpy-attribute-gone",
        "python_exception",
        "numpy 2 migration issues: AttributeError np.float_ while importing wandb; the module is there",
        looping(
            1,
            """
            A module that was compiled using NumPy 1.x cannot be run in
            NumPy 2.0.1 as it may crash. To support both 1.x and 2.x
            versions of NumPy, modules must be compiled with NumPy 2.0.

            Traceback (most recent call last):
              File "/workspace/train.py", line 4, in <module>
                import wandb
              File "/opt/conda/lib/python3.11/site-packages/wandb/data_types.py", line 45, in <module>
                from wandb.util import np_float
              File "/opt/conda/lib/python3.11/site-packages/wandb/util.py", line 91, in <module>
                np.float_,
              File "/opt/conda/lib/python3.11/site-packages/numpy/__init__.py", line 397, in __getattr__
                raise AttributeError(
            AttributeError: `np.float_` was removed in the NumPy 2.0 release. Use `np.float64` instead.
            """,
        ),
        job=job("Degraded", since=-20),
        never=("missing_module",),
        pair="peers-import",
    ),
    # --- the entrypoint ----------------------------------------------------------------------------------------------
    case(
        "peers-script-not-in-image",
        "missing_file",
        "python's own word for an absent script; python itself was found, exit 2",
        crashed(2, "python: can't open file '/workspace/finetune/train.py': [Errno 2] No such file or directory\n"),
        never=("bad_command", "invalid_arguments"),
        pair="peers-entrypoint",
    ),
    case(
        "peers-binary-not-in-path",
        "bad_command",
        "k8sgpt/Komodor RunContainerError: containerd StartError 128, executable file not found in $PATH",
        pod(
            container(
                waiting(
                    "RunContainerError",
                    'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "accelerate": executable file not found in $PATH',
                ),
                restarts=4,
                last=ended(
                    128,
                    at=-2,
                    began=-2,
                    reason="StartError",
                    message='failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "accelerate": executable file not found in $PATH',
                ),
                command=("accelerate", "launch", "train.py"),
            ),
            events=[
                event(
                    "Failed",
                    'Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "accelerate": executable file not found in $PATH',
                    at=-2,
                    count=5,
                ),
                event("BackOff", f"Back-off restarting failed container main in pod {POD}", at=-1, count=9),
            ],
        ),
        job=job("Degraded", since=-12, command="accelerate", arguments="launch train.py"),
        never=("missing_file", "container_create_failed", "not_executable"),
        pair="peers-entrypoint",
    ),
    case(
        "peers-script-without-x-bit",
        "not_executable",
        "the same StartError 128, but permission denied: mode lost in a configMap or COPY",
        crashed(
            128,
            reason="StartError",
            message='failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/opt/app/run.sh": permission denied',
            events=[
                event(
                    "Failed",
                    'Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/opt/app/run.sh": permission denied',
                    at=-5,
                )
            ],
        ),
        never=("bad_command", "permission_denied", "security_context_denied"),
        pair="peers-entrypoint",
    ),
    # --- permission of a file, permission of a service ---------------------------------------------------------------
    case(
        "peers-root-squash-eacces",
        "permission_denied",
        "NFS root squash write-ups: EACCES on the project share in R",
        crashed(
            1,
            """
            Loading required package: data.table
            data.table 1.15.4 using 64 threads (see ?getDTthreads).
            [1] "fold 1/5 auc 0.8812"
            [1] "fold 2/5 auc 0.8790"
            Error in gzfile(file, mode) : cannot open the connection
            Calls: saveRDS -> gzfile
            In addition: Warning message:
            In gzfile(file, mode) :
              cannot open compressed file '/projects/vision/models/fit.rds', probable reason 'Permission denied'
            Execution halted
            """,
            image="rocker/ml:4.4",
        ),
        never=("credential_rejected", "application_error", "missing_file"),
        pair="peers-denied",
    ),
    case(
        "peers-s3-access-denied-rust",
        "credential_rejected",
        "object_store (Rust) issues: 403 AccessDenied from S3 ends the program",
        crashed(
            1,
            """
            2026-03-01T02:54:41.118204Z  INFO prep::main: scanning s3://acme-corpus/raw prefix="2026/"
            2026-03-01T02:54:41.902117Z  WARN object_store::client::retry: Encountered a transient server error 503 Slow Down, backing off for 0.4 seconds, retry 1 of 10
            2026-03-01T02:54:55.310022Z  INFO prep::scan: listed objects=18233
            2026-03-01T02:54:56.001735Z ERROR prep::main: export failed error=Generic S3 error: Error performing PUT https://s3.eu-central-1.amazonaws.com/acme-curated/2026/part-00000.parquet in 84.2ms - Server returned non-2xx status code: 403 Forbidden: <Error><Code>AccessDenied</Code><Message>User: arn:aws:sts::123456789012:assumed-role/prep/botocore-session is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::acme-curated/2026/part-00000.parquet"</Message></Error>
            Error: export failed
            """,
            gpus=0,
        ),
        never=("permission_denied", "rate_limited", "application_error"),
        pair="peers-denied",
    ),
    # --- driver too old, or no GPU at all ----------------------------------------------------------------------------
    case(
        "peers-container-cli-unsatisfied-cuda",
        "cuda_driver_mismatch",
        "llama.cpp#9665, PETRIC2#27: nvidia-container-cli requirement error, unsatisfied condition: cuda>=12.8",
        crashed(
            128,
            reason="StartError",
            message="failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your driver to a newer version, or use an earlier cuda container: unknown",
            image="nvcr.io/nvidia/cuda:12.8.0-runtime-ubuntu22.04",
            events=[
                event(
                    "Failed",
                    "Error: failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your driver to a newer version, or use an earlier cuda container: unknown",
                    at=-5,
                )
            ],
        ),
        never=("container_create_failed", "bad_command", "no_gpu_visible"),
        pair="peers-driver",
    ),
    case(
        "peers-jax-no-gpu-strict",
        "no_gpu_visible",
        "jax issues: CUDA backend asked for and no device found; a job that asked for no GPU",
        crashed(
            1,
            """
            I0301 02:55:01.221847 140011 xla_bridge.py:889] Unable to initialize backend 'rocm': module 'jaxlib.xla_extension' has no attribute 'GpuAllocatorConfig'
            I0301 02:55:01.224410 140011 xla_bridge.py:889] Unable to initialize backend 'tpu': INTERNAL: Failed to open libtpu.so: libtpu.so: cannot open shared object file: No such file or directory
            Traceback (most recent call last):
              File "/app/pretrain.py", line 18, in <module>
                print(jax.devices())
              File "/usr/local/lib/python3.11/site-packages/jax/_src/xla_bridge.py", line 1085, in devices
                return get_backend(backend).devices()
              File "/usr/local/lib/python3.11/site-packages/jax/_src/xla_bridge.py", line 879, in backends
                raise RuntimeError(err_msg)
            RuntimeError: Unable to initialize backend 'cuda': INTERNAL: no supported devices found for platform CUDA (you may need to uninstall the failing plugin package, or set JAX_PLATFORMS=cpu to skip this backend.)
            """,
            gpus=0,
        ),
        job=job("Failed", gpus=0),
        never=("cuda_driver_mismatch", "missing_module", "insufficient_gpu", "python_exception"),
        pair="peers-driver",
    ),
    # --- XIDs of the application and of the hardware -----------------------------------------------------------------
    case(
        "peers-illegal-access-with-xid-31",
        "cuda_illegal_access",
        "NVIDIA XID catalogue: 31 is mostly the application's; triton kernel out of bounds",
        crashed(
            1,
            """
            step 810 | loss 2.1182 | 412 ms
            step 811 | loss 2.1170 | 409 ms
            Traceback (most recent call last):
              File "/workspace/train.py", line 131, in <module>
                loss.backward()
              File "/opt/conda/lib/python3.11/site-packages/torch/_tensor.py", line 525, in backward
                torch.autograd.backward(
              File "/workspace/kernels/fused_rope.py", line 88, in backward
                _rope_bwd[grid](dq, dk, cos, sin, BLOCK=128)
              File "/opt/conda/lib/python3.11/site-packages/triton/backends/nvidia/driver.py", line 365, in __call__
                self.launch(*args, **kwargs)
            RuntimeError: Triton Error [CUDA]: an illegal memory access was encountered
            """,
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:3b:00): 31, pid=48311, name=python, Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS GPCCLIENT_T1_0 faulted @ 0x7f21_4a000000. Fault is of type FAULT_PDE ACCESS_TYPE_VIRT_READ",
                at=-5.1,
            )
        ],
        never=("gpu_hardware_fault", "python_exception"),
        pair="peers-xid",
    ),
    case(
        "peers-ecc-with-xid-94",
        "gpu_hardware_fault",
        "NVIDIA XID catalogue: 48 and 94 (contained ECC); the framework says 'uncorrectable ECC error encountered'",
        crashed(
            1,
            """
            step 810 | loss 2.1182 | 412 ms
            Traceback (most recent call last):
              File "/workspace/train.py", line 131, in <module>
                loss.backward()
              File "/opt/conda/lib/python3.11/site-packages/torch/autograd/graph.py", line 823, in _engine_run_backward
                return Variable._execution_engine.run_backward(
            RuntimeError: CUDA error: uncorrectable ECC error encountered
            CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
            For debugging consider passing CUDA_LAUNCH_BLOCKING=1
            Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.
            """,
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:3b:00): 48, pid='<unknown>', name=<unknown>, An uncorrectable double bit error (DBE) has been detected on GPU in the framebuffer at physical address 0x2a8000.",
                at=-5.2,
            ),
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:3b:00): 94, pid=48311, name=python, Contained: CE User Channel (0x9). RST: No, D-RST: No",
                at=-5.15,
            ),
        ],
        never=("cuda_illegal_access", "python_exception"),
        pair="peers-xid",
    ),
]

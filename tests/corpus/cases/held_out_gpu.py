"""What frameworks say of GPUs and collectives, by authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import container, crashed, distributed, ended, job, looping, on_node, pod

CASES = [
    # --- GPU ----------------------------------------------------------------------------------------------------------
    case(
        "held-jax-resource-exhausted",
        "cuda_oom",
        "Physical-Intelligence/openpi 577: XLA RESOURCE_EXHAUSTED on the GPU",
        crashed(
            1,
            """
            I0301 02:07:01.114 139 xla_bridge.py:889] Unable to initialize backend 'tpu': INTERNAL: Failed to open libtpu.so: libtpu.so: cannot open shared object file: No such file or directory
            INFO:root:devices: [CudaDevice(id=0)]
            2026-03-01 02:17:06.132422: W external/xla/xla/tsl/framework/bfc_allocator.cc:501] Allocator (GPU_0_bfc) ran out of memory trying to allocate 510.68MiB (rounded to 535486464)requested by op
            2026-03-01 02:17:06.132630: W external/xla/xla/tsl/framework/bfc_allocator.cc:512] ****************************************************************************************************
            E0301 02:17:06.132657  193878 pjrt_stream_executor_client.cc:3077] Execution of replica 0 failed: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 535486464 bytes.
            Traceback (most recent call last):
              File "/workspace/scripts/train.py", line 244, in main
                train_state, train_state_sharding = init_train_state(config, init_rng, mesh, resume=resuming)
              File "/workspace/.venv/lib/python3.11/site-packages/jax/_src/traceback_util.py", line 180, in reraise_with_filtered_traceback
                return fun(*args, **kwargs)
            jax.errors.SimplifiedTraceback: For simplicity, JAX has removed its internal frames from the traceback of the following exception. Set JAX_TRACEBACK_FILTERING=off to include these.

            The above exception was the direct cause of the following exception:

            jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 535486464 bytes.
            """,
        ),
        never=("container_oom", "missing_module", "python_exception"),
    ),
    case(
        "held-vllm-no-cache-blocks",
        "cuda_oom",
        "vllm issues: no memory for the KV cache; the catalogue counts it as cuda_oom",
        looping(
            1,
            """
            INFO 03-01 02:55:02 model_runner.py:1099] Loading model weights took 72.2134 GB
            INFO 03-01 02:55:09 worker.py:241] Memory profiling takes 5.61 seconds
            INFO 03-01 02:55:09 worker.py:241] the current vLLM instance can use total_gpu_memory (79.11GiB) x gpu_memory_utilization (0.90) = 71.20GiB
            INFO 03-01 02:55:09 gpu_executor.py:76] # GPU blocks: 0, # CPU blocks: 3276
            ERROR 03-01 02:55:09 engine.py:366] No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.
            ERROR 03-01 02:55:09 engine.py:366] Traceback (most recent call last):
            ERROR 03-01 02:55:09 engine.py:366]   File "/usr/local/lib/python3.12/dist-packages/vllm/worker/worker.py", line 478, in raise_if_cache_size_invalid
            ERROR 03-01 02:55:09 engine.py:366]     raise ValueError("No available memory for the cache blocks. "
            ERROR 03-01 02:55:09 engine.py:366] ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.
            Traceback (most recent call last):
              File "<frozen runpy>", line 198, in _run_module_as_main
              File "/usr/local/lib/python3.12/dist-packages/vllm/entrypoints/openai/api_server.py", line 192, in build_async_engine_client_from_engine_args
                raise RuntimeError(
            RuntimeError: Engine process failed to start. See stack trace for the root cause.
            """,
        ),
        job=job("Degraded", since=-12, created=-20, kind="Inference"),
        never=("python_exception", "invalid_arguments"),
    ),
    case(
        "held-ddp-oom-rank5-others-timeout",
        "cuda_oom",
        "pytorch DDP: rank 5 on the worker ran out of GPU memory, the master's ranks only met the watchdog's timeout",
        pod(
            container(
                ended(1, at=-4),
                gpus=4,
                log="""
                [rank0]:[E301 02:55:44.903 ProcessGroupNCCL.cpp:616] [Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=808, OpType=ALLREDUCE, NumelIn=9801523, NumelOut=9801523, Timeout(ms)=600000) ran for 600030 milliseconds before timing out.
                [rank0]:[E301 02:55:44.906 ProcessGroupNCCL.cpp:1785] [PG ID 0 PG GUID 0(default_pg) Rank 0] Exception (either an error or timeout) detected by watchdog at work: 808, last enqueued NCCL work: 811, last completed NCCL work: 807.
                [rank0]:[E301 02:55:44.906 ProcessGroupNCCL.cpp:630] [Rank 0] Some NCCL operations have failed or timed out. Due to the asynchronous nature of CUDA kernels, subsequent GPU operations might run on corrupted/incomplete data.
                torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
                """,
            ),
            rank="master-0",
            node="gpu-03",
        ),
        pod(
            container(
                ended(1, at=-14.5),
                gpus=4,
                log="""
                [rank5]: Traceback (most recent call last):
                [rank5]:   File "/workspace/basicsr/train.py", line 196, in train_pipeline
                [rank5]:     model.optimize_parameters(current_iter)
                [rank5]:   File "/workspace/basicsr/models/sr_model.py", line 101, in optimize_parameters
                [rank5]:     l_total.backward()
                [rank5]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.12 GiB. GPU 1 has a total capacity of 79.11 GiB of which 803.44 MiB is free. Process 71 has 78.30 GiB memory in use. Of the allocated memory 74.91 GiB is allocated by PyTorch, and 1.88 GiB is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation.
                W0301 02:45:31.100000 17 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 40 closing signal SIGTERM
                torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
                """,
            ),
            rank="worker-0",
            node="gpu-04",
        ),
        job=distributed(workers=2),
        never=("nccl_timeout", "python_exception"),
        consequences=("nccl_timeout",),
    ),
    case(
        "held-error-804-driver",
        "cuda_driver_mismatch",
        "oobabooga/textgen 4407 and AIR-DISCOVER 5: Error 804, newer CUDA image on an older driver; 'no CUDA GPUs' wording does not appear",
        crashed(
            1,
            """
            ERROR: This container was built for NVIDIA Driver Release 550.54 or later, but
                   version 525.147.05 was detected and compatibility mode is UNAVAILABLE.

                   [[]]

            NOTE: The SHMEM allocation limit is set to the default of 64MB.  This may be
               insufficient for PyTorch.  NVIDIA recommends the use of the following flags:
               docker run --gpus all --ipc=host --ulimit memlock=-1 --ulimit stack=67108864 ...

            Traceback (most recent call last):
              File "/workspace/main.py", line 12, in <module>
                torch.cuda.set_device(0)
              File "/usr/local/lib/python3.10/dist-packages/torch/cuda/__init__.py", line 408, in set_device
                torch._C._cuda_setDevice(device)
              File "/usr/local/lib/python3.10/dist-packages/torch/cuda/__init__.py", line 302, in _lazy_init
                torch._C._cuda_init()
            RuntimeError: Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() that might have already set an error? Error 804: forward compatibility was attempted on non supported HW
            """,
        ),
        never=("no_gpu_visible", "shm_exhausted"),
        pair="held-cuda-init",
    ),
    case(
        "held-no-gpu-requested",
        "no_gpu_visible",
        "bitsandbytes/transformers on a pod that asked for no GPU: 'No CUDA GPUs are available'",
        crashed(
            1,
            """
            WARNING: The NVIDIA Driver was not detected.  GPU functionality will not be available.
               Use the NVIDIA Container Toolkit to start this container with GPU support; see
               https://docs.nvidia.com/datacenter/cloud-native/ .

            Could not load bitsandbytes native library: libcusparse.so.12: cannot open shared object file: No such file or directory
            Traceback (most recent call last):
              File "/workspace/qlora.py", line 841, in <module>
                train()
              File "/workspace/qlora.py", line 302, in get_accelerate_model
                n_gpus = torch.cuda.current_device()
              File "/usr/local/lib/python3.10/dist-packages/torch/cuda/__init__.py", line 778, in current_device
                _lazy_init()
              File "/usr/local/lib/python3.10/dist-packages/torch/cuda/__init__.py", line 293, in _lazy_init
                torch._C._cuda_init()
            RuntimeError: No CUDA GPUs are available
            """,
            gpus=0,
        ),
        job=job("Failed", gpus=0),
        never=("missing_module", "cuda_driver_mismatch", "insufficient_gpu"),
        pair="held-cuda-init",
    ),
    case(
        "held-device-assert-label-range",
        "cuda_illegal_access",
        "pytorch forum classic: label out of range, device-side assert; the XID 13 of the node is the application's",
        crashed(
            1,
            """
            epoch 1:   3%|▎         | 41/1283 [00:19<09:51,  2.10it/s, loss=1.77]
            ../aten/src/ATen/native/cuda/Loss.cu:250: nll_loss_forward_reduce_cuda_kernel_2d: block: [0,0,0], thread: [11,0,0] Assertion `t >= 0 && t < n_classes` failed.
            ../aten/src/ATen/native/cuda/Loss.cu:250: nll_loss_forward_reduce_cuda_kernel_2d: block: [0,0,0], thread: [19,0,0] Assertion `t >= 0 && t < n_classes` failed.
            Traceback (most recent call last):
              File "/workspace/classify.py", line 133, in <module>
                running += loss.item()
            RuntimeError: CUDA error: device-side assert triggered
            CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
            For debugging consider passing CUDA_LAUNCH_BLOCKING=1
            Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.

            terminate called after throwing an instance of 'c10::Error'
              what():  CUDA error: device-side assert triggered
            """,
        ),
        events=[
            on_node(
                "XidError",
                "NVRM: Xid (PCI:0000:1b:00): 13, pid=20411, name=python, Graphics SM Warp Exception on (GPC 1, TPC 3, SM 0): Out Of Range Address",
                at=-5.2,
            )
        ],
        never=("gpu_hardware_fault", "aborted", "python_exception"),
        pair="held-xid",
    ),
    case(
        "held-ecc-uncorrectable-trl",
        "gpu_hardware_fault",
        "huggingface/trl 4149 and vllm 5222: uncorrectable ECC at device init; the kernel log of the node says XID 94",
        crashed(
            1,
            """
            [rank1]: Traceback (most recent call last):
            [rank1]:   File "/workspace/train_ppo.py", line 68, in <module>
            [rank1]:     training_args = PPOConfig(
            [rank1]:   File "/opt/conda/lib/python3.9/site-packages/transformers/training_args.py", line 2268, in device
            [rank1]:     return self._setup_devices
            [rank1]:   File "/opt/conda/lib/python3.9/site-packages/accelerate/state.py", line 301, in set_device
            [rank1]:     device_module.set_device(self.device)
            [rank1]: RuntimeError: CUDA error: uncorrectable ECC error encountered
            [rank1]: CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
            [rank1]: For debugging consider passing CUDA_LAUNCH_BLOCKING=1
            W0301 02:54:51.870000 23 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 41 closing signal SIGTERM
            train_ppo.py FAILED
            """,
            gpus=2,
        ),
        events=[
            on_node(
                "XidError",
                "NVRM: Xid (PCI:0000:87:00): 94, pid=31988, name=python, Contained: SM (0x1). RST: No, D-RST: No",
                at=-5.3,
            )
        ],
        never=("python_exception", "cuda_illegal_access"),
        pair="held-xid",
    ),
    case(
        "held-nccl-reduce-scatter-timeout",
        "nccl_timeout",
        "hiyouga/LlamaFactory 6269: every rank's watchdog times out on the same collective, nobody shows a failure of its own; SIGABRT is the watchdog's doing",
        crashed(
            1,
            """
             3%|▎         | 410/13500 [30:08<16:02:11,  4.41s/it]
            [rank0]:[E301 02:44:12.715298746 ProcessGroupNCCL.cpp:607] [Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=411, OpType=_REDUCE_SCATTER_BASE, NumelIn=544997376, NumelOut=68124672, Timeout(ms)=600000) ran for 600061 milliseconds before timing out.
            [rank0]:[E301 02:44:12.715588844 ProcessGroupNCCL.cpp:1664] [PG 1 Rank 0] Exception (either an error or timeout) detected by watchdog at work: 411, last enqueued NCCL work: 413, last completed NCCL work: 410.
            [rank4]:[E301 02:44:12.755262105 ProcessGroupNCCL.cpp:607] [Rank 4] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=411, OpType=_REDUCE_SCATTER_BASE, NumelIn=544997376, NumelOut=68124672, Timeout(ms)=600000) ran for 600099 milliseconds before timing out.
            [rank3]:[E301 02:44:13.275158817 ProcessGroupNCCL.cpp:607] [Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=411, OpType=_REDUCE_SCATTER_BASE, NumelIn=544997376, NumelOut=68124672, Timeout(ms)=600000) ran for 600089 milliseconds before timing out.
            [rank0]:[E301 02:44:13.602102 ProcessGroupNCCL.cpp:630] [Rank 0] To avoid data inconsistency, we are taking the entire process down.
            terminate called after throwing an instance of 'c10::DistBackendError'
              what():  [PG 1 Rank 0] Process group watchdog thread terminated with exception: [Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=411, OpType=_REDUCE_SCATTER_BASE, NumelIn=544997376, NumelOut=68124672, Timeout(ms)=600000) ran for 600061 milliseconds before timing out.
            W0301 02:44:15.012000 100 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 171 closing signal SIGTERM
            E0301 02:44:17.554000 100 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: -6) local_rank: 0 (pid: 170) of binary: /usr/bin/python
            src/llamafactory/launcher.py FAILED
              exitcode  : -6 (pid: 170)
              traceback : Signal 6 (SIGABRT) received by PID 170
            """,
            gpus=8,
            at=-15,
        ),
        job=job("Failed", since=-14, gpus=8),
        never=("aborted", "nccl_network_error", "python_exception"),
    ),
    case(
        "held-nccl-ib-completion-12",
        "nccl_network_error",
        "NVIDIA/nccl 1405 and 1814: IB completion with status 12, vendor err 129 (retry exceeded) between two workers; neither pod was ended by anything else",
        pod(
            container(
                ended(1, at=-5),
                gpus=8,
                log="""
                step 400 loss 5.0113
                step 410 loss 4.9920
                llama-ft-worker-0:3468:3905 [4] ib_plugin.c:1615 NCCL WARN NET/IB : Got completion from peer 10.216.210.236<54862> with status=12 opcode=0 len=0 vendor err 129 (Recv) localGid fd00:1148:9000:5000:4:200:3:ff22 remoteGidsfd00:1148:9000:5000:4:200:3:ff1f
                llama-ft-worker-0:3468:3905 [4] NCCL INFO transport/net.cc:1302 -> 6
                llama-ft-worker-0:3468:3905 [4] NCCL INFO proxy.cc:698 -> 6
                llama-ft-worker-0:3468:3905 [4] NCCL INFO proxy.cc:878 -> 6 [Progress Thread]
                [rank12]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:268, remote process exited or there was a network error, NCCL version 2.20.5
                [rank12]: ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.
                [rank12]: Last error:
                [rank12]: NET/IB : Got completion from peer 10.216.210.236<54862> with status=12 opcode=0 len=0 vendor err 129 (Recv)
                torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
                """,
            ),
            rank="worker-0",
            node="gpu-04",
        ),
        pod(
            container(
                ended(1, at=-4.9),
                gpus=8,
                log="""
                step 400 loss 5.0113
                step 410 loss 4.9920
                llama-ft-master-0:984:1357 [4] ib_plugin.c:1615 NCCL WARN NET/IB : Got completion from peer 10.216.210.240<44206> with status=12 opcode=129 len=65536 vendor err 129 (Send)
                llama-ft-master-0:984:1357 [4] NCCL INFO transport/net.cc:1298 -> 6
                [rank4]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:268, remote process exited or there was a network error, NCCL version 2.20.5
                torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
                """,
            ),
            rank="master-0",
            node="gpu-03",
        ),
        job=distributed(workers=2),
        never=("nccl_timeout", "python_exception", "gpu_hardware_fault"),
    ),
]

"""One GPU at a time: memory, drivers, visibility, illegal access, hardware."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    IMAGE,
    container,
    crashed,
    ended,
    event,
    job,
    looping,
    node,
    on_node,
    pod,
    running,
    stuck,
)

VLLM = "vllm/vllm-openai:v0.8.4"

CASES = [
    # --- cuda_oom ----------------------------------------------------------------------------------------------------
    case(
        "cuda-oom-torch",
        "cuda_oom",
        "PyTorch 2.x's message: the GPU's memory, not the container's",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 120, in <module>
                loss.backward()
            torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.19 GiB is free. Process 88213 has 77.91 GiB memory in use. Of the allocated memory 75.20 GiB is allocated by PyTorch, and 1.93 GiB is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation.
            """,
        ),
        never=("container_oom", "python_exception"),
        pair="two-kinds-of-memory",
    ),
    case(
        "cuda-oom-torch-1",
        "cuda_oom",
        "the older message of PyTorch 1.x",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "train.py", line 88, in <module>
                out = model(x)
            RuntimeError: CUDA out of memory. Tried to allocate 512.00 MiB (GPU 0; 15.78 GiB total capacity; 14.21 GiB already allocated; 301.75 MiB free; 14.40 GiB reserved in total by PyTorch)
            """,
        ),
        never=("container_oom",),
    ),
    case(
        "cuda-oom-jax",
        "cuda_oom",
        "XLA's RESOURCE_EXHAUSTED",
        crashed(
            1,
            """
            2026-03-01 02:54:55.101212: W external/xla/xla/tsl/framework/bfc_allocator.cc:497] Allocator (GPU_0_bfc) ran out of memory trying to allocate 18.00GiB (rounded to 19327352832)requested by op
            Traceback (most recent call last):
              File "/workspace/train_jax.py", line 60, in <module>
                state = step(state, batch)
            jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 19327352832 bytes.
            """,
        ),
        never=("container_oom", "python_exception"),
    ),
    case(
        "cuda-oom-tensorflow",
        "cuda_oom",
        "TensorFlow names the GPU allocator",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/fit.py", line 31, in <module>
                model.fit(ds, epochs=3)
            tensorflow.python.framework.errors_impl.ResourceExhaustedError: Graph execution error:
            OOM when allocating tensor with shape[64,2048,2048] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc [Op:__inference_train_function_1021]
            """,
            image="tensorflow/tensorflow:2.16.1-gpu",
        ),
    ),
    case(
        "cuda-oom-vllm-no-cache-blocks",
        "cuda_oom",
        "vLLM: no room for a KV cache, which causes.md counts here",
        looping(
            1,
            """
            INFO 03-01 02:54:50 [worker.py:267] the current vLLM instance can use total_gpu_memory (79.11GiB) x gpu_memory_utilization (0.50) = 39.55GiB
            ERROR 03-01 02:54:51 [core.py:390] EngineCore hit an exception: Traceback (most recent call last):
            ERROR 03-01 02:54:51 [core.py:390]   File "/opt/venv/lib/python3.12/site-packages/vllm/v1/core/kv_cache_utils.py", line 462, in check_enough_kv_cache_memory
            ERROR 03-01 02:54:51 [core.py:390]     raise ValueError("No available memory for the cache blocks. "
            ERROR 03-01 02:54:51 [core.py:390] ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.
            Traceback (most recent call last):
              File "/opt/venv/lib/python3.12/site-packages/vllm/v1/engine/core_client.py", line 430, in _wait_for_engine_startup
                raise RuntimeError("Engine core initialization failed. "
            RuntimeError: Engine core initialization failed. See root cause above.
            """,
        ),
        job=job("Degraded", kind="Inference", image=VLLM),
        never=("python_exception", "invalid_arguments"),
    ),
    case(
        "cuda-oom-vllm-max-len",
        "cuda_oom",
        "vLLM: the KV cache does not fit the model's length (causes.md: no room for a KV cache)",
        looping(
            1,
            """
            Traceback (most recent call last):
              File "/opt/venv/lib/python3.12/site-packages/vllm/worker/worker.py", line 558, in raise_if_cache_size_invalid
                raise ValueError(
            ValueError: The model's max seq len (131072) is larger than the maximum number of tokens that can be stored in KV cache (65312). Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.
            """,
        ),
        job=job("Degraded", kind="Inference", image=VLLM),
        never=("python_exception",),
    ),
    case(
        "cuda-oom-caught-then-config",
        "python_exception",
        "the CUDA OOM was caught by the batch-size search; the exception after it ended the run",
        crashed(
            1,
            """
            [auto_batch] CUDA out of memory. Tried to allocate 4.00 GiB - halving batch size to 8
            [auto_batch] using batch size 8
            step 10 loss 3.20
            Traceback (most recent call last):
              File "/workspace/train.py", line 201, in <module>
                trainer.push(cfg.hub_id)
              File "/workspace/trainer.py", line 77, in push
                raise TypeError("hub_id must be a str, not NoneType")
            TypeError: hub_id must be a str, not NoneType
            """,
        ),
        never=("cuda_oom", "container_oom"),
    ),
    # --- cuda_driver_mismatch ----------------------------------------------------------------------------------------
    case(
        "driver-too-old-torch",
        "cuda_driver_mismatch",
        "PyTorch names the driver's version",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 9, in <module>
                x = torch.zeros(1).cuda()
              File "/usr/local/lib/python3.10/dist-packages/torch/cuda/__init__.py", line 298, in _lazy_init
                torch._C._cuda_init()
            RuntimeError: The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver by downloading and installing a new version from the URL: http://www.nvidia.com/Download/index.aspx
            """,
        ),
        never=("no_gpu_visible", "python_exception"),
        pair="no-gpu",
    ),
    case(
        "driver-insufficient-runtime",
        "cuda_driver_mismatch",
        "CUDA error 35 in plain C++",
        crashed(
            1,
            "CUDA error: CUDA driver version is insufficient for CUDA runtime version (35) at /src/ggml-cuda.cu:114\n",
            image="ghcr.io/ggml-org/llama.cpp:server-cuda",
        ),
        never=("no_gpu_visible", "application_error"),
    ),
    case(
        "driver-container-requirement",
        "cuda_driver_mismatch",
        "the NVIDIA container runtime refuses the image's NVIDIA_REQUIRE_CUDA",
        crashed(
            128,
            reason="StartError",
            message="failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
            "unable to start container process: error during container init: error running prestart hook #0: exit status 1, "
            "stdout: , stderr: Auto-detected mode as 'legacy'\nnvidia-container-cli: requirement error: unsatisfied condition: "
            "cuda>=12.4, please update your driver to a newer version, or use an earlier cuda container: unknown",
        ),
        never=("bad_command", "container_create_failed"),
        pair="start-error",
    ),
    # --- no_gpu_visible ----------------------------------------------------------------------------------------------
    case(
        "no-gpu-torch",
        "no_gpu_visible",
        "the job asked for no GPU and the program wants one",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 12, in <module>
                torch.cuda.set_device(0)
            RuntimeError: No CUDA GPUs are available
            """,
            gpus=0,
        ),
        job=job(gpus=0),
        never=("insufficient_gpu", "cuda_driver_mismatch", "python_exception"),
        pair="no-gpu",
    ),
    case(
        "no-gpu-no-driver",
        "no_gpu_visible",
        "PyTorch finds no driver in the container: no GPU was mounted",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 9, in <module>
                model.cuda()
            RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from http://www.nvidia.com/Download/index.aspx
            """,
            gpus=0,
        ),
        job=job(gpus=0),
        never=("cuda_driver_mismatch",),
    ),
    case(
        "no-gpu-jax",
        "no_gpu_visible",
        "JAX was told to use CUDA and finds no device",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train_jax.py", line 7, in <module>
                jax.devices("cuda")
            RuntimeError: Unable to initialize backend 'cuda': FAILED_PRECONDITION: No visible GPU devices. (you may need to uninstall the failing plugin package, or set JAX_PLATFORMS=cpu to skip this backend.)
            """,
        ),
        never=("python_exception",),
    ),
    case(
        "no-gpu-warning-of-a-cpu-job",
        "python_exception",
        "TensorFlow always warns so on a machine without GPUs; the preprocessing job wants none and failed on its data",
        crashed(
            1,
            """
            2026-03-01 02:50:11.120181: I external/local_xla/xla/tsl/cuda/cudart_stub.cc:32] Could not find cuda drivers on your machine, GPU will not be used.
            2026-03-01 02:50:12.000181: E external/local_xla/xla/stream_executor/cuda/cuda_driver.cc:282] failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected
            Traceback (most recent call last):
              File "/workspace/preprocess.py", line 58, in <module>
                write(shards)
              File "/workspace/preprocess.py", line 44, in write
                raise ValueError("shard 17 has 0 records")
            ValueError: shard 17 has 0 records
            """,
            gpus=0,
            image="tensorflow/tensorflow:2.16.1",
        ),
        job=job(gpus=0),
        never=("no_gpu_visible", "cuda_driver_mismatch"),
        pair="no-gpu",
    ),
    # --- cuda_illegal_access -----------------------------------------------------------------------------------------
    case(
        "illegal-device-assert",
        "cuda_illegal_access",
        "a device-side assert is the program's own index error",
        crashed(
            1,
            """
            ../aten/src/ATen/native/cuda/Indexing.cu:1289: indexSelectLargeIndex: block: [112,0,0], thread: [64,0,0] Assertion `srcIndex < srcSelectDimSize` failed.
            Traceback (most recent call last):
              File "/workspace/train.py", line 77, in <module>
                out = model(ids)
            RuntimeError: CUDA error: device-side assert triggered
            CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
            """,
        ),
        never=("gpu_hardware_fault", "python_exception"),
    ),
    case(
        "illegal-access-with-xid-31",
        "cuda_illegal_access",
        "XID 31 on the node is mostly the application's page fault (NVIDIA, XID catalogue; causes.md)",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 77, in <module>
                torch.cuda.synchronize()
            torch.AcceleratorError: CUDA error: an illegal memory access was encountered
            """,
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:1b:00): 31, pid=48213, name=python, Ch 00000008, intr 00000000. MMU Fault: ENGINE GRAPHICS "
                "GPCCLIENT_T1_0 faulted @ 0x7f5a_4a000000. Fault is of type FAULT_PDE ACCESS_TYPE_VIRT_READ",
                at=-5.1,
            )
        ],
        never=("gpu_hardware_fault",),
        pair="xid",
    ),
    case(
        "illegal-access-with-xid-13",
        "cuda_illegal_access",
        "XID 13, a graphics engine exception with an illegal access in the log: the application's",
        crashed(
            134,
            """
            terminate called after throwing an instance of 'thrust::THRUST_200302_890_NS::system::system_error'
              what():  CUDA free failed: cudaErrorIllegalAddress: an illegal memory access was encountered
            Aborted (core dumped)
            """,
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:1b:00): 13, pid=48213, name=sim, Graphics SM Warp Exception on (GPC 0, TPC 1, SM 0): Out Of Range Address",
                at=-5.1,
            )
        ],
        never=("gpu_hardware_fault", "aborted"),
        pair="xid",
    ),
    # --- gpu_hardware_fault ------------------------------------------------------------------------------------------
    case(
        "hardware-xid-79",
        "gpu_hardware_fault",
        "XID 79: the GPU has fallen off the bus; the program only sees an unknown error",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 77, in <module>
                loss = step(batch)
            RuntimeError: CUDA error: unspecified launch failure
            """,
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:cb:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
                at=-5.2,
            )
        ],
        objects=[node(allocatable=7)],
        never=("cuda_illegal_access", "python_exception"),
        pair="xid",
    ),
    case(
        "hardware-ecc",
        "gpu_hardware_fault",
        "an uncorrectable ECC error, said by CUDA and by XID 94 on the node",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 77, in <module>
                torch.cuda.synchronize()
            torch.AcceleratorError: CUDA error: uncorrectable ECC error encountered
            """,
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:5d:00): 94, pid=48213, name=python, Contained: SM (0x1). RST: No, D-RST: No",
                at=-5.1,
            )
        ],
        never=("cuda_illegal_access", "python_exception"),
    ),
    case(
        "hardware-ecc-log-only",
        "gpu_hardware_fault",
        "CUDA error 214 means hardware even where node events cannot be read",
        crashed(
            1,
            "RuntimeError: CUDA error: uncorrectable ECC error encountered\n"
            "CUDA kernel errors might be asynchronously reported at some other API call\n",
        ),
        faults={"kube/events": 403, "kube/nodes": 403},
        never=("cuda_illegal_access",),
    ),
    case(
        "hardware-nvsentinel-condition",
        "gpu_hardware_fault",
        "NVSentinel publishes XID errors as a node condition and taints the node (its integration guide)",
        crashed(1, "RuntimeError: CUDA error: device(s) is/are busy or unavailable\n"),
        objects=[
            node(
                conditions=[
                    (
                        "SysLogsXIDError",
                        "True",
                        "SysLogsXIDErrorIsNotHealthy",
                        "ErrorCode:95 GPU:3 PCI:0000:9b:00 NVRM: Xid (PCI:0000:9b:00): 95, Uncontained: LTC TAG (0x2,0x0) Recommended Action=COMPONENT_RESET;",
                    )
                ],
                taints=[("nvidia.com/gpu-xid", "NoSchedule")],
                since=-5.5,
            )
        ],
        never=("no_gpu_visible",),
    ),
    case(
        "hardware-gke-condition",
        "gpu_hardware_fault",
        "GKE's device plugin writes critical XIDs as a node condition whose reason is the code",
        crashed(1, "RuntimeError: CUDA error: unknown error\n"),
        objects=[
            node(
                conditions=[("XidCriticalError", "True", '{"48":true}', "6e43a052-e544-467b-a972-63d7cd2ce80a")],
                since=-5.5,
            )
        ],
    ),
    case(
        "hardware-old-xid-other-time",
        "cuda_oom",
        "an XID 63 row remap before the job began has nothing to do with this CUDA OOM",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 120, in <module>
                loss.backward()
            torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 9.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which 2.01 GiB is free.
            """,
        ),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:1b:00): 63, Row Remapper: New row marked for remapping, reset gpu to activate.",
                at=-58,
            )
        ],
        never=("gpu_hardware_fault",),
        pair="xid",
    ),
    case(
        "hardware-unhealthy-device",
        "gpu_hardware_fault",
        "the device plugin reports the XID and the lost device of this node while the job runs into CUDA errors",
        pod(
            container(ended(1), log="RuntimeError: CUDA error: the launch timed out and was terminated\n"),
            container(running(), name="metrics", gpus=0, image=IMAGE),
            phase="Failed",
        ),
        events=[
            on_node(
                "GPUUnhealthy",
                "XidCriticalError: Xid=119 on Device=GPU-7540a9b3-eeb9-1214-1526-f93c9ea826a8, the device will go unhealthy.",
                source="nvidia-device-plugin",
                at=-5.3,
            )
        ],
        objects=[node(allocatable=7)],
        never=("device_plugin_failed",),
        pair="devices",
    ),
    case(
        "device-plugin-no-healthy-devices",
        "device_plugin_failed",
        "kubelet admitted the pod and could not give it a device (UnexpectedAdmissionError)",
        pod(
            phase="Failed",
            reason="UnexpectedAdmissionError",
            message="Pod was rejected: Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected",
            events=[
                event(
                    "UnexpectedAdmissionError",
                    "Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu, which is unexpected",
                )
            ],
        ),
        never=("insufficient_gpu",),
        pair="devices",
    ),
    case(
        "device-plugin-stale-allocation",
        "device_plugin_failed",
        "kubelet's device manager says fewer devices are free than the scheduler thought",
        pod(
            phase="Failed",
            reason="UnexpectedAdmissionError",
            message="Pod Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 1, Available: 0, which is unexpected",
        ),
        never=("insufficient_gpu", "gpu_hardware_fault"),
    ),
    case(
        "nvidia-smi-missing-library",
        ("container_create_failed", "no_gpu_visible"),
        "the NVIDIA runtime cannot load the driver library of the node: the container cannot be created for want of a driver",
        stuck(
            "CreateContainerError",
            "failed to create containerd container: nvidia-container-cli: initialization error: load library failed: "
            "libnvidia-ml.so.1: cannot open shared object file: no such file or directory: unknown",
        ),
        job=job("Initializing", since=-28),
        never=("missing_module", "missing_file"),
    ),
]

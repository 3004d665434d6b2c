"""Frameworks and servers: whole incidents by the first of two authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import crashed, distributed, job, looping

SERVING = job("Degraded", kind="Inference", since=-20, created=-60)

CASES: list[LabelledCase] = [
    case(
        "judged-torchrun-mat1-mat2",
        "python_exception",
        "RosettaCommons/RFdiffusion#384, pits#20: a shape mismatch on every rank under torchrun",
        crashed(
            1,
            """
W0301 02:49:11.204000 131 torch/distributed/run.py:793]
W0301 02:49:11.204000 131 torch/distributed/run.py:793] *****************************************
W0301 02:49:11.204000 131 torch/distributed/run.py:793] Setting OMP_NUM_THREADS environment variable for each process to be 1 in default, to avoid your system being overloaded, please further tune the variable for optimal performance in your application as needed.
W0301 02:49:11.204000 131 torch/distributed/run.py:793] *****************************************
/opt/conda/lib/python3.10/site-packages/torch/nn/modules/transformer.py:286: UserWarning: enable_nested_tensor is True, but self.use_nested_tensor is False because encoder_layer.self_attn.batch_first was not True
  warnings.warn(f"enable_nested_tensor is True, but self.use_nested_tensor is False because {why_not_sparsity_fast_path}")
loaded 1840233 trainable parameters
[rank0]: Traceback (most recent call last):
[rank0]:   File "/workspace/train_shape.py", line 211, in <module>
[rank0]:     main(cfg)
[rank0]:   File "/workspace/train_shape.py", line 164, in main
[rank0]:     loss = model(batch["points"], batch["cond"])
[rank0]:   File "/opt/conda/lib/python3.10/site-packages/torch/nn/modules/module.py", line 1747, in _call_impl
[rank0]:     return forward_call(*args, **kwargs)
[rank0]:   File "/opt/conda/lib/python3.10/site-packages/torch/nn/modules/linear.py", line 125, in forward
[rank0]:     return F.linear(input, self.weight, self.bias)
[rank0]: RuntimeError: mat1 and mat2 shapes cannot be multiplied (5480x1536 and 1024x2048)
[rank0]:[W301 02:49:58.117 ProcessGroupNCCL.cpp:1250] Warning: WARNING: process group has NOT been destroyed before we destruct ProcessGroupNCCL. On normal program exit, the application should call destroy_process_group to ensure that any pending NCCL operations have finished in this process.
E0301 02:50:00.801000 131 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1) local_rank: 0 (pid: 197) of binary: /opt/conda/bin/python
Traceback (most recent call last):
  File "/opt/conda/bin/torchrun", line 33, in <module>
    sys.exit(load_entry_point('torch==2.5.1', 'console_scripts', 'torchrun')())
  File "/opt/conda/lib/python3.10/site-packages/torch/distributed/launcher/api.py", line 269, in launch_agent
    raise ChildFailedError(
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train_shape.py FAILED
------------------------------------------------------------
Failures:
  <NO_OTHER_FAILURES>
------------------------------------------------------------
Root Cause (first observed failure):
[0]:
  time      : 2026-03-01_02:50:00
  host      : llama-ft-0-0
  rank      : 0 (local_rank: 0)
  exitcode  : 1 (pid: 197)
  error_file: <N/A>
  traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
============================================================
""",
        ),
        never=("nccl_network_error", "application_error"),
    ),
    case(
        "judged-vllm-no-room-for-kv",
        "cuda_oom",
        "vllm-project/vllm#2418, gpustack#1800: max seq len larger than what the KV cache can hold",
        looping(
            1,
            """
INFO 03-01 02:51:02 [__init__.py:239] Automatically detected platform cuda.
INFO 03-01 02:51:09 [api_server.py:1034] vLLM API server version 0.8.4
INFO 03-01 02:51:21 [config.py:689] This model supports multiple tasks: {'reward', 'generate', 'embed', 'classify', 'score'}. Defaulting to 'generate'.
WARNING 03-01 02:51:21 [config.py:1802] Casting torch.float16 to torch.bfloat16.
Loading safetensors checkpoint shards: 100% Completed | 5/5 [00:04<00:00,  1.10it/s]
INFO 03-01 02:51:44 [model_runner.py:1146] Model loading took 15.6270 GiB and 5.812942 seconds
INFO 03-01 02:51:52 [worker.py:267] the current vLLM instance can use total_gpu_memory (23.69GiB) x gpu_memory_utilization (0.85) = 20.14GiB
INFO 03-01 02:51:52 [executor_base.py:112] # cuda blocks: 150, # CPU blocks: 4681
ERROR 03-01 02:51:52 [engine.py:448] The model's max seq len (8192) is larger than the maximum number of tokens that can be stored in KV cache (2400). Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.
ERROR 03-01 02:51:52 [engine.py:448] Traceback (most recent call last):
ERROR 03-01 02:51:52 [engine.py:448]   File "/opt/conda/lib/python3.11/site-packages/vllm/worker/worker.py", line 545, in raise_if_cache_size_invalid
ERROR 03-01 02:51:52 [engine.py:448]     raise ValueError(
ERROR 03-01 02:51:52 [engine.py:448] ValueError: The model's max seq len (8192) is larger than the maximum number of tokens that can be stored in KV cache (2400). Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.
Process SpawnProcess-1:
Traceback (most recent call last):
  File "/opt/conda/lib/python3.11/multiprocessing/process.py", line 314, in _bootstrap
    self.run()
ValueError: The model's max seq len (8192) is larger than the maximum number of tokens that can be stored in KV cache (2400). Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.
Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "/opt/conda/lib/python3.11/site-packages/vllm/entrypoints/openai/api_server.py", line 269, in build_async_engine_client_from_engine_args
    raise RuntimeError(
RuntimeError: Engine process failed to start. See stack trace for the root cause.
""",
        ),
        job=SERVING,
        never=("python_exception", "invalid_arguments"),
    ),
    case(
        "judged-deepspeed-minus-7",
        "shm_exhausted",
        "deepspeedai/DeepSpeed#4000: return code -7 is SIGBUS; on two GPUs in a container /dev/shm is too small",
        crashed(
            249,
            """
[2026-03-01 02:45:01,119] [INFO] [real_accelerator.py:191:get_accelerator] Setting ds_accelerator to cuda (auto detect)
[2026-03-01 02:45:04,610] [WARNING] [runner.py:202:fetch_hostfile] Unable to find hostfile, will proceed with training with local resources only.
[2026-03-01 02:45:13,002] [INFO] [launch.py:145:main] WORLD INFO DICT: {'localhost': [0, 1]}
[2026-03-01 02:45:13,002] [INFO] [launch.py:163:main] dist_world_size=2
/usr/local/lib/python3.8/dist-packages/transformers/optimization.py:391: FutureWarning: This implementation of AdamW is deprecated and will be removed in a future version. Use the PyTorch implementation torch.optim.AdamW instead
  warnings.warn(
llama-ft-0-0:88:88 [0] NCCL INFO Bootstrap : Using eth0:10.244.3.18<0>
llama-ft-0-0:88:88 [0] NCCL INFO NET/Plugin : No plugin found (libnccl-net.so), using internal implementation
NCCL version 2.14.3+cuda11.7
llama-ft-0-0:88:143 [0] NCCL INFO Channel 00/02 :    0   1
[2026-03-01 02:45:13,980] [INFO] [launch.py:315:sigkill_handler] Killing subprocess 88
[2026-03-01 02:45:13,981] [INFO] [launch.py:315:sigkill_handler] Killing subprocess 89
[2026-03-01 02:45:13,982] [ERROR] [launch.py:321:sigkill_handler] ['/usr/bin/python3', '-u', 'main.py', '--local_rank=1', '--deepspeed', 'deepspeed.json', '--do_train', '--train_file', 'AdvertiseGen/train.json', '--model_name_or_path', 'THUDM/chatglm2-6b', '--output_dir', './output/adgen'] exits with return code = -7
""",
            gpus=2,
        ),
        never=("segfault", "killed_by_signal", "nccl_network_error"),
    ),
    case(
        "judged-nccl-memlock-create-cq",
        "nccl_network_error",
        "NVIDIA/nccl#1191, DeepEP#143: ibv_create_cq failed with Cannot allocate memory: an NCCL system error on the verbs layer",
        crashed(
            1,
            """
llama-ft-master-0:4009:4009 [0] NCCL INFO Bootstrap : Using eth0:10.244.7.21<0>
llama-ft-master-0:4009:4009 [0] NCCL INFO cudaDriverVersion 12040
NCCL version 2.21.5+cuda12.4
llama-ft-master-0:4009:4577 [0] NCCL INFO NET/IB : Using [0]mlx5_0:1/IB [1]mlx5_1:1/IB [RO]; OOB eth0:10.244.7.21<0>
llama-ft-master-0:4009:4577 [0] NCCL INFO Using network IB

llama-ft-master-0:4009:4658 [0] misc/ibvwrap.cc:190 NCCL WARN Call to ibv_create_cq failed with error Cannot allocate memory
llama-ft-master-0:4009:4658 [0] NCCL INFO transport/net_ib.cc:659 -> 2
llama-ft-master-0:4009:4658 [0] NCCL INFO transport/net_ib.cc:795 -> 2
llama-ft-master-0:4009:4658 [0] NCCL INFO transport/net.cc:683 -> 2
llama-ft-master-0:4009:4577 [0] NCCL INFO group.cc:64 -> 2 [Async thread]
[rank0]: Traceback (most recent call last):
[rank0]:   File "/workspace/pretrain.py", line 37, in <module>
[rank0]:     dist.barrier()
[rank0]:   File "/usr/local/lib/python3.10/dist-packages/torch/distributed/c10d_logger.py", line 83, in wrapper
[rank0]:     return func(*args, **kwargs)
[rank0]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:317, unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.21.5
[rank0]: ncclSystemError: System call (e.g. socket, malloc) or external library call failed or device error.
[rank0]: Last error:
[rank0]: Call to ibv_create_cq failed with error Cannot allocate memory
""",
            rank="master-0",
            node="gpu-00",
            at=-5.1,
        ),
        crashed(
            1,
            """
[rank1]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:317, remote process exited or there was a network error, NCCL version 2.21.5
[rank1]: ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.
""",
            rank="worker-0",
            node="gpu-01",
            at=-5.0,
        ),
        job=distributed("Failed", workers=2),
        never=("container_oom", "cuda_oom"),
    ),
    case(
        "judged-nccl-ib-status-12",
        "nccl_network_error",
        "NVIDIA/nccl#1814, #1405: completion with status 12 vendor err 129 (retry exceeded) on both sides",
        *(
            crashed(
                134,
                f"""
iteration     4120/  90000 | consumed samples:  1054720 | elapsed time per iteration (ms): 2201.7 | lm loss: 2.412E+00 | grad norm: 0.311
iteration     4130/  90000 | consumed samples:  1057280 | elapsed time per iteration (ms): 2199.0 | lm loss: 2.409E+00 | grad norm: 0.298

{who}:984:1357 [4] ib_plugin.c:1615 NCCL WARN NET/IB : Got completion from peer 172.36.143.5{other}<44206> with status=12 opcode=129 len=65536 vendor err 129 (Recv) localGid ::ffff:29.87.88.18{me} remoteGids::ffff:29.87.4.22{other}
{who}:984:1357 [4] NCCL INFO transport/net.cc:1298 -> 6
{who}:984:1357 [4] NCCL INFO proxy.cc:694 -> 6
{who}:984:1357 [4] NCCL INFO proxy.cc:874 -> 6 [Progress Thread]
[rank{me}]:[E301 02:54:31.102 ProcessGroupNCCL.cpp:1895] [PG ID 0 PG GUID 0(default_pg) Rank {me}] Process group watchdog thread terminated with exception: NCCL error: remote process exited or there was a network error, NCCL version 2.22.3
ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.
Last error:
NET/IB : Got completion from peer 172.36.143.5{other}<44206> with status=12 opcode=129 len=65536 vendor err 129 (Recv)
terminate called after throwing an instance of 'c10::DistBackendError'
  what():  [PG ID 0 PG GUID 0(default_pg) Rank {me}] Process group watchdog thread terminated with exception: NCCL error: remote process exited or there was a network error
Fatal Python error: Aborted
""",
                rank=rank,
                node=f"gpu-0{me}",
            )
            for rank, who, me, other in (
                ("master-0", "llama-ft-master-0", 0, 1),
                ("worker-0", "llama-ft-worker-0", 1, 0),
            )
        ),
        job=distributed("Failed", workers=2),
        never=("aborted", "nccl_timeout"),
    ),
    case(
        "judged-ray-memory-monitor",
        "application_memory_limit",
        "ray-project/ray#44574: Ray's memory monitor killed the task, no retries left",
        crashed(
            1,
            """
2026-03-01 02:31:40,907	INFO worker.py:1841 -- Started a local Ray instance. View the dashboard at http://127.0.0.1:8265
Feature cache:  37%|███▋      | 11290/30514 [12:41<21:36, 14.83it/s]
(raylet) [2026-03-01 02:51:02,241 E 411 411] (raylet) node_manager.cc:3064: 12 Workers (tasks / actors) killed due to memory pressure (OOM), 0 Workers crashed due to other reasons at node (ID: b8aad7ac53c083fcae4851424e0362cec4a21916876b69bb1722ed29, IP: 10.244.5.18) over the last time period. To see more information about the Workers killed on this node, use `ray logs raylet.out -ip 10.244.5.18`
(raylet)
(raylet) Refer to the documentation on how to address the out of memory issue: https://docs.ray.io/en/latest/ray-core/scheduling/ray-oom-prevention.html. Consider provisioning more memory on this node or reducing task parallelism by requesting more CPUs per task.
Traceback (most recent call last):
  File "/workspace/cache_features.py", line 72, in <module>
    results = [ray.get(ref) for ref in task_refs]
  File "/opt/conda/lib/python3.9/site-packages/ray/_private/worker.py", line 2771, in get
    values, debugger_breakpoint = worker.get_objects(object_refs, timeout=timeout)
  File "/opt/conda/lib/python3.9/site-packages/ray/_private/worker.py", line 921, in get_objects
    raise value
ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.
Memory on the node (IP: 10.244.5.18, ID: b8aad7ac53c083fcae4851424e0362cec4a21916876b69bb1722ed29) where the task (task ID: e9f8b6eafc16960cac9b9c694b6ec51091d001b1a343d81f, name=cache_one, pid=1880, memory used=2.91GB) was running was 61.1GB / 64.0GB (0.954), which exceeds the memory usage threshold of 0.95. Ray killed this worker (ID: 39416ad98016ee6a63173856) because it was the most recently scheduled task
""",
        ),
        never=("container_oom", "python_exception", "node_memory_eviction"),
    ),
    case(
        "judged-jax-resource-exhausted",
        "cuda_oom",
        "google-research/t5x#870, jax#13428: XLA's RESOURCE_EXHAUSTED of device memory",
        crashed(
            1,
            """
I0301 02:40:12.118273 139684119123840 xla_bridge.py:889] Unable to initialize backend 'rocm': module 'jaxlib.xla_extension' has no attribute 'GpuAllocatorConfig'
I0301 02:40:12.119004 139684119123840 xla_bridge.py:889] Unable to initialize backend 'tpu': INTERNAL: Failed to open libtpu.so: libtpu.so: cannot open shared object file: No such file or directory
I0301 02:41:40.551201 139684119123840 train.py:181] Initializing train state from scratch.
I0301 02:44:02.998121 139684119123840 train.py:402] BEGIN Train loop.
2026-03-01 02:46:59.004210: W external/xla/xla/tsl/framework/bfc_allocator.cc:501] ****************************************************************************************************
2026-03-01 02:46:59.004388: E external/xla/xla/pjrt/pjrt_stream_executor_client.cc:3086] Execution of replica 0 failed: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 111289565184 bytes.
BufferAssignment OOM Debugging.
BufferAssignment stats:
             parameter allocation:  384.71MiB
              constant allocation:    48.6KiB
        maybe_live_out allocation:    9.64GiB
     preallocated temp allocation:   94.01GiB
                 total allocation:  103.64GiB
Peak buffers:
	Buffer 1:
		Size: 48.00GiB
		Operator: op_name="pjit(train_step)/jit(main)/jvp(Transformer)/decoder/layers_3/attention/dot_general" source_file="/opt/t5x/t5x/examples/t5/layers.py" source_line=652
		XLA Label: custom-call
		Shape: bf16[128,6,8192,4096]
		==========================
Traceback (most recent call last):
  File "/opt/t5x/t5x/train.py", line 726, in <module>
    config_utils.run(main)
  File "/opt/t5x/t5x/trainer.py", line 512, in train
    self.train_state, metrics = train_step_fn(self.train_state, batch)
jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 111289565184 bytes.
""",
        ),
        never=("container_oom", "python_exception"),
        pair="judged-out-of-memory",
    ),
    case(
        "judged-jax-cuinit-no-device",
        "no_gpu_visible",
        "jax-ml/jax#28376: cuInit CUDA_ERROR_NO_DEVICE, No visible GPU devices",
        crashed(
            1,
            """
2026-03-01 02:53:32.455092: E external/xla/xla/stream_executor/cuda/cuda_platform.cc:51] failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected
Traceback (most recent call last):
  File "/opt/venv/lib/python3.11/site-packages/jax/_src/xla_bridge.py", line 871, in backends
    backend = _init_backend(platform)
              ^^^^^^^^^^^^^^^^^^^^^^^
  File "/opt/venv/lib/python3.11/site-packages/jaxlib/xla_client.py", line 159, in make_c_api_client
    return _xla.get_c_api_client(plugin_name, options, distributed_client)
           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
jaxlib.xla_extension.XlaRuntimeError: FAILED_PRECONDITION: No visible GPU devices.

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/workspace/fold.py", line 67, in <module>
    devices = jax.local_devices(backend='gpu')
              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
RuntimeError: Unable to initialize backend 'cuda': FAILED_PRECONDITION: No visible GPU devices. (you may need to uninstall the failing plugin package, or set JAX_PLATFORMS=cpu to skip this backend.)
""",
        ),
        never=("python_exception", "insufficient_gpu", "cuda_driver_mismatch"),
    ),
    case(
        "judged-triton-ir-version",
        "application_error",
        "triton-inference-server/server#6416: failed to load all models because one ONNX model is too new",
        looping(
            1,
            """

=============================
== Triton Inference Server ==
=============================

NVIDIA Release 23.09 (build 69485441)
Triton Server Version 2.38.0

I0301 02:55:10.718119 1 pinned_memory_manager.cc:241] Pinned memory pool is created at '0x7f0b6c000000' with size 268435456
I0301 02:55:10.722806 1 cuda_memory_manager.cc:107] CUDA memory pool is created on device 0 with size 67108864
I0301 02:55:10.731190 1 model_lifecycle.cc:461] loading: face_test:1
I0301 02:55:10.731230 1 model_lifecycle.cc:461] loading: tokenizer:1
I0301 02:55:12.801911 1 onnxruntime.cc:2582] TRITONBACKEND_ModelInitialize: face_test (version 1)
I0301 02:55:13.100112 1 model_lifecycle.cc:818] successfully loaded 'tokenizer'
E0301 02:55:13.204311 1 model_lifecycle.cc:621] failed to load 'face_test' version 1: Internal: onnx runtime error 1: Load model from /models/face_test/1/model.onnx failed:/workspace/onnxruntime/onnxruntime/core/graph/model.cc:149 onnxruntime::Model::Model(onnx::ModelProto&&, const PathString&) Unsupported model IR version: 10, max supported IR version: 9
I0301 02:55:13.204402 1 server.cc:662]
+-----------+---------+---------------------------------------------------------------------------------+
| Model     | Version | Status                                                                          |
+-----------+---------+---------------------------------------------------------------------------------+
| face_test | 1       | UNAVAILABLE: Internal: onnx runtime error 1: Load model from /models/face_test/ |
|           |         | 1/model.onnx failed: Unsupported model IR version: 10, max supported IR version: 9 |
| tokenizer | 1       | READY                                                                           |
+-----------+---------+---------------------------------------------------------------------------------+
I0301 02:55:13.251001 1 metrics.cc:817] Collecting metrics for GPU 0: NVIDIA H100 80GB HBM3
I0301 02:55:13.255810 1 server.cc:293] Waiting for in-flight requests to complete.
I0301 02:55:13.255820 1 server.cc:309] Timeout 30: Found 0 model versions that have in-flight inferences
I0301 02:55:13.256100 1 server.cc:324] All models are stopped, unloading models
error: creating server: Internal - failed to load all models
""",
        ),
        job=SERVING,
        never=("missing_file", "python_exception"),
    ),
    case(
        "judged-safetensors-header-lfs",
        "python_exception",
        "hiyouga/LlamaFactory#4258: HeaderTooLarge, the shard is a git-lfs pointer",
        crashed(
            1,
            """
[INFO|modeling_utils.py:3471] 2026-03-01 02:48:13,799 >> loading weights file /models/Meta-Llama-3-8B-Instruct/model.safetensors.index.json
[INFO|modeling_utils.py:1519] 2026-03-01 02:48:13,799 >> Instantiating LlamaForCausalLM model under default dtype torch.float16.
[INFO|configuration_utils.py:962] 2026-03-01 02:48:13,800 >> Generate config GenerationConfig {
  "bos_token_id": 128000,
  "eos_token_id": 128001
}

Loading checkpoint shards:   0%|          | 0/4 [00:00<?, ?it/s]
[rank0]: Traceback (most recent call last):
[rank0]:   File "/opt/LLaMA-Factory/src/llamafactory/launcher.py", line 9, in <module>
[rank0]:     launch()
[rank0]:   File "/opt/LLaMA-Factory/src/llamafactory/train/tuner.py", line 33, in run_exp
[rank0]:     run_sft(model_args, data_args, training_args, finetuning_args, generating_args, callbacks)
[rank0]:   File "/opt/conda/lib/python3.10/site-packages/transformers/modeling_utils.py", line 3573, in from_pretrained
[rank0]:     with safe_open(resolved_archive_file, framework="pt") as f:
[rank0]: safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge
Loading checkpoint shards:   0%|          | 0/4 [00:00<?, ?it/s]
""",
        ),
        never=("application_error", "missing_file"),
    ),
    case(
        "judged-tf-cudnn-too-old",
        "python_exception",
        "Stack Overflow 'DNN library is not found': the image's cuDNN is older than TensorFlow's; not the driver",
        crashed(
            1,
            """
2026-03-01 02:37:30.019471: I tensorflow/core/platform/cpu_feature_guard.cc:182] This TensorFlow binary is optimized to use available CPU instructions in performance-critical operations.
2026-03-01 02:37:34.551088: I tensorflow/core/common_runtime/gpu/gpu_device.cc:1639] Created device /job:localhost/replica:0/task:0/device:GPU:0 with 78130 MB memory:  -> device: 0, name: NVIDIA H100 80GB HBM3, pci bus id: 0000:19:00.0, compute capability: 9.0
Epoch 1/40
2026-03-01 02:37:58.713512: E tensorflow/compiler/xla/stream_executor/cuda/cuda_dnn.cc:417] Loaded runtime CuDNN library: 8.0.5 but source was compiled with: 8.6.0.  CuDNN library needs to have matching major version and equal or higher minor version. If using a binary install, upgrade your CuDNN library.
2026-03-01 02:37:58.714219: W tensorflow/core/framework/op_kernel.cc:1839] OP_REQUIRES failed at conv_ops_impl.h:1199 : UNIMPLEMENTED: DNN library is not found.
Traceback (most recent call last):
  File "/app/fit.py", line 88, in <module>
    model.fit(train_ds, epochs=40, validation_data=val_ds)
  File "/usr/local/lib/python3.10/dist-packages/keras/src/utils/traceback_utils.py", line 70, in error_handler
    raise e.with_traceback(filtered_tb) from None
  File "/usr/local/lib/python3.10/dist-packages/tensorflow/python/eager/execute.py", line 53, in quick_execute
    tensors = pywrap_tfe.TFE_Py_Execute(ctx._handle, device_name, op_name,
tensorflow.python.framework.errors_impl.UnimplementedError: Graph execution error:

Detected at node 'model/conv2d/Conv2D' defined at (most recent call last):
Node: 'model/conv2d/Conv2D'
DNN library is not found.
	 [[{{node model/conv2d/Conv2D}}]] [Op:__inference_train_function_4218]
""",  # noqa: E101
        ),
        never=("cuda_driver_mismatch", "no_gpu_visible"),
    ),
    case(
        "judged-tgi-signal-4",
        "illegal_instruction",
        "huggingface/text-generation-inference#2238: the shard died of signal 4, the launcher exits 1",
        looping(
            1,
            """
2026-03-01T02:50:41.104081Z  INFO text_generation_launcher: Args { model_id: "HuggingFaceH4/zephyr-7b-beta", revision: None, num_shard: None, quantize: None, dtype: None, port: 80 }
2026-03-01T02:50:41.104401Z  INFO download: text_generation_launcher: Starting download process.
2026-03-01T02:50:45.012212Z  INFO text_generation_launcher: Files are already present on the host. Skipping download.
2026-03-01T02:50:45.609981Z  INFO download: text_generation_launcher: Successfully downloaded weights.
2026-03-01T02:50:45.610311Z  INFO shard-manager: text_generation_launcher: Starting shard rank=0
2026-03-01T02:50:52.418233Z ERROR shard-manager: text_generation_launcher: Shard complete standard error output:

/opt/conda/lib/python3.10/site-packages/bitsandbytes/cextension.py:34: UserWarning: The installed version of bitsandbytes was compiled without GPU support. 8-bit optimizers, 8-bit multiplication, and GPU quantization are unavailable.
  warn("The installed version of bitsandbytes was compiled without GPU support. " rank=0
2026-03-01T02:50:52.418262Z ERROR shard-manager: text_generation_launcher: Shard process was signaled to shutdown with signal 4 rank=0
2026-03-01T02:50:52.517300Z ERROR text_generation_launcher: Shard 0 failed to start
2026-03-01T02:50:52.517324Z  INFO text_generation_launcher: Shutting down shards
Error: ShardCannotStart
""",
        ),
        job=SERVING,
        never=("application_error", "no_gpu_visible"),
    ),
    case(
        "judged-megatron-nan-grad-norm",
        "training_diverged",
        "NVIDIA/Megatron-LM#780, Pai-Megatron-Patch#366: found NaN in local grad norm, the other rank sees the connection close",
        crashed(
            1,
            """
 [2026-03-01 02:39:44] iteration        1/   50000 | consumed samples:           32 | elapsed time per iteration (ms): 10147.5 | learning rate: 1.000000E-07 | global batch size:    32 | lm loss: 1.198205E+01 | loss scale: 1.0 | grad norm: 311.932 | number of skipped iterations:   0 | number of nan iterations:   0 |
 [2026-03-01 02:39:47] iteration        2/   50000 | consumed samples:           64 | elapsed time per iteration (ms): 3511.8 | learning rate: 2.000000E-07 | global batch size:    32 | lm loss: 1.195713E+01 | loss scale: 1.0 | grad norm: 310.018 | number of skipped iterations:   0 | number of nan iterations:   0 |
Traceback (most recent call last):
  File "/workspace/Megatron-LM/pretrain_gpt.py", line 264, in <module>
    pretrain(train_valid_test_datasets_provider,
  File "/workspace/Megatron-LM/megatron/training/training.py", line 386, in train_step
    losses_reduced = forward_backward_func(
  File "/workspace/Megatron-LM/megatron/core/distributed/param_and_grad_buffer.py", line 115, in start_grad_sync
    assert not norm.isnan(), (
AssertionError: Rank 11: found NaN in local grad norm in backward pass before data-parallel communication collective. Device: 3, node: llama-ft-worker-0
""",
            rank="worker-0",
            node="gpu-01",
            at=-5.2,
        ),
        crashed(
            1,
            """
 [2026-03-01 02:39:47] iteration        2/   50000 | consumed samples:           64 | elapsed time per iteration (ms): 3511.8 | lm loss: 1.195713E+01 | grad norm: 310.018 |
[rank0]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:317, remote process exited or there was a network error, NCCL version 2.21.5
[rank0]: ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.
[rank0]: Last error:
[rank0]: socketProgress: Connection closed by remote peer llama-ft-worker-0.llama-ft.runai-vision.svc.cluster.local<50322>
""",
            rank="master-0",
            node="gpu-00",
            at=-5.0,
        ),
        job=distributed("Failed", workers=2),
        never=("nccl_network_error", "python_exception"),
    ),
    case(
        "judged-bnb-libcusparse",
        "missing_module",
        "bitsandbytes#1234, #1452: OSError libcusparse.so.11 cannot open shared object file",
        crashed(
            1,
            """
The following directories listed in your path were found to be non-existent: {PosixPath('https'), PosixPath('//hf-mirror.com')}
CUDA_SETUP: WARNING! libcudart.so not found in any environmental path. Searching in backup paths...
Could not find the bitsandbytes CUDA binary at PosixPath('/opt/venv/lib/python3.10/site-packages/bitsandbytes/libbitsandbytes_cuda121.so')
Traceback (most recent call last):
  File "/workspace/qlora.py", line 17, in <module>
    import bitsandbytes as bnb
  File "/opt/venv/lib/python3.10/site-packages/bitsandbytes/__init__.py", line 6, in <module>
    from . import cuda_setup, utils, research
  File "/opt/venv/lib/python3.10/site-packages/bitsandbytes/cextension.py", line 72, in get_native_library
    dll = ct.cdll.LoadLibrary(str(binary_path))
  File "/usr/lib/python3.10/ctypes/__init__.py", line 452, in LoadLibrary
    return self._dlltype(name)
  File "/usr/lib/python3.10/ctypes/__init__.py", line 374, in __init__
    self._handle = _dlopen(self._name, mode)
OSError: libcusparse.so.11: cannot open shared object file: No such file or directory
""",
        ),
        never=("missing_file", "no_gpu_visible"),
    ),
]

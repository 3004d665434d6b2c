"""Starts, devices and ranks: whole incidents by the first of two authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import crashed, distributed, job, looping

SERVING = job("Degraded", kind="Inference", since=-20, created=-60)

CASES: list[LabelledCase] = [
    case(
        "judged-vllm-device-side-assert",
        "cuda_illegal_access",
        "vllm-project/vllm#21731: index out of bounds, device-side assert; the API server only reports EngineDeadError",
        looping(
            1,
            """
(APIServer pid=1) INFO:     10.1.1.99:34490 - "POST /v1/chat/completions HTTP/1.1" 200 OK
(APIServer pid=1) INFO 03-01 02:31:20 [loggers.py:118] Engine 000: Avg prompt throughput: 512.1 tokens/s, Avg generation throughput: 88.4 tokens/s, Running: 12 reqs, Waiting: 0 reqs, GPU KV cache usage: 41.2%
/pytorch/aten/src/ATen/native/cuda/IndexKernelUtils.cu:16: vectorized_gather_kernel: block: [14,0,0], thread: [96,0,0] Assertion `ind >=0 && ind < ind_dim_size && "vectorized gather kernel index out of bounds"` failed.
/pytorch/aten/src/ATen/native/cuda/IndexKernelUtils.cu:16: vectorized_gather_kernel: block: [14,0,0], thread: [97,0,0] Assertion `ind >=0 && ind < ind_dim_size && "vectorized gather kernel index out of bounds"` failed.
(EngineCore pid=339) ERROR 03-01 02:31:27 [core.py:591] EngineCore encountered a fatal error.
(EngineCore pid=339) ERROR 03-01 02:31:27 [core.py:591] Traceback (most recent call last):
(EngineCore pid=339) ERROR 03-01 02:31:27 [core.py:591]   File "/usr/local/lib/python3.12/dist-packages/vllm/v1/worker/gpu/async_utils.py", line 168, in get_output
(EngineCore pid=339) ERROR 03-01 02:31:27 [core.py:591]     self.copy_event.synchronize()
(EngineCore pid=339) ERROR 03-01 02:31:27 [core.py:591] torch.AcceleratorError: CUDA error: device-side assert triggered
(EngineCore pid=339) ERROR 03-01 02:31:27 [core.py:591] CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
(APIServer pid=1) ERROR 03-01 02:31:27 [async_llm.py:428] AsyncLLM output_handler failed.
(APIServer pid=1) ERROR 03-01 02:31:27 [async_llm.py:428] vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue. See stack trace (above) for the root cause.
(APIServer pid=1) INFO:     10.1.1.99:34490 - "POST /v1/chat/completions HTTP/1.1" 500 Internal Server Error
(APIServer pid=1) INFO:     Shutting down
(APIServer pid=1) INFO:     Application shutdown complete.
""",
        ),
        job=SERVING,
        never=("python_exception", "gpu_hardware_fault"),
    ),
    case(
        "judged-transformers-padding",
        "python_exception",
        "huggingface/transformers#20638: Unable to create tensor, activate padding",
        crashed(
            1,
            """
Map: 100%|██████████| 51760/51760 [00:31<00:00, 1631.22 examples/s]
The following columns in the training set don't have a corresponding argument in `LlamaForCausalLM.forward` and have been ignored: instruction, output.
***** Running training *****
  Num examples = 51,760
  Num Epochs = 3
  Total train batch size (w. parallel, distributed & accumulation) = 64
  0%|          | 0/2427 [00:00<?, ?it/s]Traceback (most recent call last):
  File "/opt/conda/lib/python3.10/site-packages/transformers/tokenization_utils_base.py", line 748, in convert_to_tensors
    tensor = as_tensor(value)
  File "/opt/conda/lib/python3.10/site-packages/transformers/tokenization_utils_base.py", line 720, in as_tensor
    return torch.tensor(value)
ValueError: expected sequence of length 211 at dim 1 (got 187)

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/workspace/sft.py", line 143, in <module>
    trainer.train()
  File "/opt/conda/lib/python3.10/site-packages/transformers/trainer.py", line 1885, in train
    return inner_training_loop(
ValueError: Unable to create tensor, you should probably activate truncation and/or padding with 'padding=True' 'truncation=True' to have batched tensors with the same length. Perhaps your features (`labels` in this case) have excessive nesting (inputs type `list` where type `int` is expected).
  0%|          | 0/2427 [00:01<?, ?it/s]
""",
        ),
        never=("invalid_arguments",),
    ),
    case(
        "judged-accelerate-cuda-oom",
        "cuda_oom",
        "ordinary torch.OutOfMemoryError on one rank of an accelerate launch, 4 local processes",
        crashed(
            1,
            """
The following values were not passed to `accelerate launch` and had defaults used instead:
	`--dynamo_backend` was set to a value of `'no'`
To avoid this warning pass in values for each of the problematic parameters or run `accelerate config`.
{'loss': 1.2209, 'grad_norm': 0.7741, 'learning_rate': 1.9e-05, 'epoch': 0.04}
{'loss': 1.1841, 'grad_norm': 0.7002, 'learning_rate': 1.8e-05, 'epoch': 0.08}
  8%|▊         | 41/512 [03:02<34:12,  4.36s/it][rank2]: Traceback (most recent call last):
[rank2]:   File "/workspace/finetune.py", line 207, in <module>
[rank2]:     trainer.train(resume_from_checkpoint=args.resume)
[rank2]:   File "/opt/conda/lib/python3.11/site-packages/accelerate/accelerator.py", line 2454, in backward
[rank2]:     loss.backward(**kwargs)
[rank2]:   File "/opt/conda/lib/python3.11/site-packages/torch/autograd/__init__.py", line 347, in backward
[rank2]:     _engine_run_backward(
[rank2]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 3.91 GiB. GPU 2 has a total capacity of 79.11 GiB of which 2.07 GiB is free. Including non-PyTorch memory, this process has 77.03 GiB memory in use. Of the allocated memory 72.50 GiB is allocated by PyTorch, and 3.01 GiB is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation.
W0301 02:52:11.310000 24 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 61 closing signal SIGTERM
W0301 02:52:11.312000 24 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 62 closing signal SIGTERM
W0301 02:52:11.312000 24 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 64 closing signal SIGTERM
E0301 02:52:14.088000 24 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1) local_rank: 2 (pid: 63) of binary: /opt/conda/bin/python
Traceback (most recent call last):
  File "/opt/conda/bin/accelerate", line 8, in <module>
    sys.exit(main())
  File "/opt/conda/lib/python3.11/site-packages/accelerate/commands/launch.py", line 763, in multi_gpu_launcher
    distrib_run.run(args)
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
finetune.py FAILED
""",
            gpus=4,
        ),
        never=("container_oom", "killed_by_signal", "python_exception"),
        pair="judged-out-of-memory",
    ),
    case(
        "judged-lightning-no-gpu-backend",
        "no_gpu_visible",
        "Lightning-AI/pytorch-lightning: MisconfigurationException: No supported gpu backend found!",
        crashed(
            1,
            """
/opt/conda/lib/python3.10/site-packages/torch/cuda/__init__.py:129: UserWarning: CUDA initialization: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from http://www.nvidia.com/Download/index.aspx (Triggered internally at ../c10/cuda/CUDAFunctions.cpp:108.)
  return torch._C._cuda_getDeviceCount() > 0
Seed set to 42
Traceback (most recent call last):
  File "/app/src/train.py", line 58, in train
    trainer: Trainer = hydra.utils.instantiate(cfg.trainer, callbacks=callbacks, logger=logger)
  File "/opt/conda/lib/python3.10/site-packages/lightning/pytorch/trainer/connectors/accelerator_connector.py", line 388, in _choose_gpu_accelerator_backend
    raise MisconfigurationException("No supported gpu backend found!")
lightning.fabric.utilities.exceptions.MisconfigurationException: No supported gpu backend found!

Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
""",
            gpus=0,
        ),
        never=("invalid_arguments", "python_exception"),
    ),
    case(
        "judged-torch-driver-too-old",
        "cuda_driver_mismatch",
        "PyTorch: The NVIDIA driver on your system is too old (found version 11040)",
        crashed(
            1,
            """
==========
== CUDA ==
==========

CUDA Version 12.4.1

Container image Copyright (c) 2016-2023, NVIDIA CORPORATION & AFFILIATES. All rights reserved.

Traceback (most recent call last):
  File "/workspace/main.py", line 12, in <module>
    model = build(cfg).cuda()
  File "/usr/local/lib/python3.10/dist-packages/torch/nn/modules/module.py", line 1050, in cuda
    return self._apply(lambda t: t.cuda(device))
  File "/usr/local/lib/python3.10/dist-packages/torch/cuda/__init__.py", line 372, in _lazy_init
    torch._C._cuda_init()
RuntimeError: The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver by downloading and installing a new version from the URL: http://www.nvidia.com/Download/index.aspx Alternatively, go to: https://pytorch.org to install a PyTorch version that has been compiled with your version of the CUDA driver.
""",
        ),
        never=("no_gpu_visible", "python_exception"),
        pair="judged-cuda-versions",
    ),
    case(
        "judged-deepspeed-toolkit-mismatch",
        "python_exception",
        "DeepSpeed op_builder: CUDAMismatchException compares the toolkit with torch, the driver has no part in it",
        crashed(
            1,
            """
[2026-03-01 02:31:19,774] [INFO] [real_accelerator.py:219:get_accelerator] Setting ds_accelerator to cuda (auto detect)
[2026-03-01 02:31:22,101] [INFO] [comm.py:652:init_distributed] cdb=None
[2026-03-01 02:31:22,102] [INFO] [comm.py:683:init_distributed] Initializing TorchBackend in DeepSpeed with backend nccl
Using /home/trainer/.cache/torch_extensions/py310_cu118 as PyTorch extensions root...
Traceback (most recent call last):
  File "/workspace/train_zero3.py", line 96, in <module>
    engine, optimizer, _, _ = deepspeed.initialize(model=model, config=ds_config)
  File "/usr/local/lib/python3.10/dist-packages/deepspeed/ops/adam/cpu_adam.py", line 94, in __init__
    self.ds_opt_adam = CPUAdamBuilder().load()
  File "/usr/local/lib/python3.10/dist-packages/deepspeed/ops/op_builder/builder.py", line 109, in assert_no_cuda_mismatch
    raise CUDAMismatchException(
deepspeed.ops.op_builder.builder.CUDAMismatchException: >- DeepSpeed Op Builder: Installed CUDA version 12.4 does not match the version torch was compiled with 11.8, unable to compile cuda/cpp extensions without a matching cuda version.
Exception ignored in: <function DeepSpeedCPUAdam.__del__ at 0x7f0ab8c0d7e0>
Traceback (most recent call last):
  File "/usr/local/lib/python3.10/dist-packages/deepspeed/ops/adam/cpu_adam.py", line 102, in __del__
    self.ds_opt_adam.destroy_adam(self.opt_id)
AttributeError: 'DeepSpeedCPUAdam' object has no attribute 'ds_opt_adam'
""",
        ),
        never=("cuda_driver_mismatch",),
        pair="judged-cuda-versions",
    ),
    case(
        "judged-dataloader-bus-error",
        "shm_exhausted",
        "pytorch/pytorch#5040: DataLoader worker killed by signal: Bus error",
        crashed(
            1,
            """
Epoch: [0][ 310/10010]	Time  0.412 ( 0.437)	Data  0.021 ( 0.044)	Loss 6.9122e+00 (6.9188e+00)	Acc@1   0.39 (  0.16)
Epoch: [0][ 320/10010]	Time  0.402 ( 0.436)	Data  0.003 ( 0.043)	Loss 6.9041e+00 (6.9184e+00)	Acc@1   0.39 (  0.16)
ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).
ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).
Traceback (most recent call last):
  File "/opt/conda/lib/python3.8/site-packages/torch/utils/data/dataloader.py", line 1163, in _try_get_data
    data = self._data_queue.get(timeout=timeout)
  File "/opt/conda/lib/python3.8/multiprocessing/queues.py", line 107, in get
    if not self._poll(timeout):
RuntimeError: DataLoader worker (pid 2417) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory. Please try to raise your shared memory limit.

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "imagenet.py", line 431, in <module>
    main()
RuntimeError: DataLoader worker (pid(s) 2417, 2419) exited unexpectedly
""",
        ),
        never=("python_exception", "segfault"),
    ),
    case(
        "judged-hydra-override",
        "invalid_arguments",
        "NVIDIA/NeMo issues: Key 'max_step' is not in struct: a mistyped hydra override",
        crashed(
            1,
            """
[NeMo W 2026-03-01 02:50:11 nemo_logging:361] /opt/NeMo/nemo/collections/asr/modules: Torchaudio is not installed
Could not override 'trainer.max_step'.
To append to your config use +trainer.max_step=100000
Key 'max_step' is not in struct
    full_key: trainer.max_step
    object_type=dict

Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
""",
        ),
        never=("python_exception", "application_error"),
    ),
    case(
        "judged-hfargumentparser",
        "invalid_arguments",
        "transformers: Some specified arguments are not used by the HfArgumentParser",
        crashed(
            1,
            """
WARNING:__main__:
*****************************************
Setting OMP_NUM_THREADS environment variable for each process to be 1 in default
*****************************************
Traceback (most recent call last):
  File "/workspace/run_clm.py", line 657, in <module>
    main()
  File "/workspace/run_clm.py", line 243, in main
    model_args, data_args, training_args = parser.parse_args_into_dataclasses()
  File "/opt/conda/lib/python3.10/site-packages/transformers/hf_argparser.py", line 347, in parse_args_into_dataclasses
    raise ValueError(f"Some specified arguments are not used by the HfArgumentParser: {remaining_args}")
ValueError: Some specified arguments are not used by the HfArgumentParser: ['--evaluation_stratgy', 'steps']
ERROR:torch.distributed.elastic.multiprocessing.api:failed (exitcode: 1) local_rank: 0 (pid: 31) of binary: /opt/conda/bin/python
Traceback (most recent call last):
  File "/opt/conda/bin/torchrun", line 8, in <module>
    sys.exit(main())
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
run_clm.py FAILED
============================================================
""",
        ),
        never=("application_error",),
    ),
    case(
        "judged-entrypoint-torchrun-not-found",
        "bad_command",
        "entrypoint script of a slim image: torchrun: command not found, exit 127",
        crashed(
            127,
            """
+ set -euo pipefail
+ export NCCL_DEBUG=WARN
+ NCCL_DEBUG=WARN
+ cd /workspace/llama-ft
+ exec torchrun --nnodes=1 --nproc_per_node=8 train.py --config configs/8b.yaml
/entrypoint.sh: line 14: exec: torchrun: not found
""",
            image="python:3.11-slim",
        ),
        never=("missing_file", "missing_module"),
        pair="judged-not-found",
    ),
    case(
        "judged-crlf-shebang",
        "bad_command",
        "Stack Overflow classic: a script saved with CRLF: env: 'bash\\r': No such file or directory, exit 127",
        crashed(
            127,
            "/usr/bin/env: 'bash\\r': No such file or directory\n/usr/bin/env: use -[v]S to pass options in shebang lines\n",
        ),
        never=("missing_file",),
        pair="judged-not-found",
    ),
    case(
        "judged-pip-no-dns",
        "dns_failure",
        "pip in the entrypoint: the resolver fails; 'No matching distribution' is only the consequence",
        crashed(
            1,
            """
Looking in indexes: https://pypi.org/simple
WARNING: Retrying (Retry(total=4, connect=None, read=None, redirect=None, status=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f2d1c3f0d30>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/peft/
WARNING: Retrying (Retry(total=3, connect=None, read=None, redirect=None, status=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f2d1c3f0fa0>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/peft/
WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f2d1c41c8b0>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/peft/
ERROR: Could not find a version that satisfies the requirement peft==0.14.0 (from versions: none)
ERROR: No matching distribution found for peft==0.14.0
""",
        ),
        never=("missing_module", "application_error"),
    ),
    case(
        "judged-conda-activate-flash-attn",
        "missing_module",
        "conda init warning is noise; the run ends on No module named 'flash_attn'",
        crashed(
            1,
            """

CondaError: Run 'conda init' before 'conda activate'

/opt/conda/lib/python3.11/site-packages/transformers/utils/hub.py:128: FutureWarning: Using `TRANSFORMERS_CACHE` is deprecated and will be removed in v5 of Transformers. Use `HF_HOME` instead.
  warnings.warn(
Traceback (most recent call last):
  File "/workspace/longlora/fine-tune.py", line 25, in <module>
    from llama_attn_replace import replace_llama_attn
  File "/workspace/longlora/llama_attn_replace.py", line 14, in <module>
    from flash_attn import __version__ as flash_attn_version
ModuleNotFoundError: No module named 'flash_attn'
""",
        ),
        never=("bad_command", "python_exception"),
    ),
    case(
        "judged-nccl-watchdog-all-ranks",
        "nccl_timeout",
        "pytorch issues: every rank times out in the same ALLREDUCE, none shows an error of its own",
        *(
            crashed(
                134,
                f"""
{{"step": 11870, "loss": 2.0{index}31, "tokens_per_sec": 41211.8}}
{{"step": 11880, "loss": 2.0{index}02, "tokens_per_sec": 41190.2}}
[rank{index}]:[E301 02:54:40.87{index} ProcessGroupNCCL.cpp:632] [Rank {index}] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=142201, OpType=ALLREDUCE, NumelIn=25165824, NumelOut=25165824, Timeout(ms)=600000) ran for 60003{index} milliseconds before timing out.
[rank{index}]:[E301 02:54:40.88{index} ProcessGroupNCCL.cpp:2271] [PG ID 0 PG GUID 0(default_pg) Rank {index}]  failure detected by watchdog at work sequence id: 142201 PG status: last enqueued work: 142204, last completed work: 142200
[rank{index}]:[E301 02:54:40.88{index} ProcessGroupNCCL.cpp:684] [Rank {index}] Some NCCL operations have failed or timed out. Due to the asynchronous nature of CUDA kernels, subsequent GPU operations might run on corrupted/incomplete data.
[rank{index}]:[E301 02:54:40.88{index} ProcessGroupNCCL.cpp:698] [Rank {index}] To avoid data inconsistency, we are taking the entire process down.
terminate called after throwing an instance of 'c10::DistBackendError'
  what():  [PG ID 0 PG GUID 0(default_pg) Rank {index}] Process group watchdog thread terminated with exception: [Rank {index}] Watchdog caught collective operation timeout
""",
                rank=rank,
                node=f"gpu-0{index}",
            )
            for index, rank in enumerate(("master-0", "worker-0", "worker-1"))
        ),
        job=distributed("Failed", workers=3),
        never=("aborted", "nccl_network_error"),
        pair="judged-watchdog",
    ),
    case(
        "judged-watchdog-after-keyerror",
        "python_exception",
        "same watchdog text, but worker-1 ended ten minutes earlier on its own KeyError",
        crashed(
            1,
            """
{"step": 3410, "loss": 2.11}
Traceback (most recent call last):
  File "/workspace/pretrain.py", line 302, in <module>
    main()
  File "/workspace/pretrain.py", line 251, in main
    for batch in loader:
  File "/workspace/data/mosaic.py", line 88, in __getitem__
    tokens = np.frombuffer(sample["tokens"], dtype=np.uint16)
KeyError: 'tokens'
""",
            rank="worker-1",
            node="gpu-02",
            at=-15.5,
        ),
        *(
            crashed(
                134,
                f"""
{{"step": 3410, "loss": 2.1{index}}}
[rank{index}]:[E301 02:54:40.871 ProcessGroupNCCL.cpp:632] [Rank {index}] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=40944, OpType=_REDUCE_SCATTER_BASE, NumelIn=58728448, NumelOut=3670528, Timeout(ms)=600000) ran for 600021 milliseconds before timing out.
terminate called after throwing an instance of 'c10::DistBackendError'
  what():  [PG ID 0 PG GUID 0(default_pg) Rank {index}] Process group watchdog thread terminated with exception
Fatal Python error: Aborted
""",
                rank=rank,
                node=f"gpu-0{index}",
                at=-5.2,
            )
            for index, rank in enumerate(("master-0", "worker-0"))
        ),
        job=distributed("Failed", workers=3),
        never=("nccl_timeout", "aborted"),
        consequences=("nccl_timeout",),
        pair="judged-watchdog",
    ),
]

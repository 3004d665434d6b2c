"""Model servers: whole incidents by an author who had not seen the rules, the second set of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import Json, crashed, job


def fail(
    id: str,  # noqa: A002 - as in `case`
    expected: str | Sequence[str],
    why: str,
    code: int,
    log: str,
    *,
    never: Sequence[str] = (),
    events: Sequence[Json] = (),
    objects: Sequence[Json] = (),
    pair: str = "",
    kind: str | None = None,
    consequences: Sequence[str] = (),
    **fields: Any,
) -> LabelledCase:
    """A workload of one pod that failed, with what its cluster says beside the log."""
    return case(
        id,
        expected,
        why,
        crashed(code, log, **fields),
        job=job("Failed", kind=kind) if kind else job(),
        never=never,
        events=events,
        objects=objects,
        pair=pair,
        consequences=consequences,
    )


CASES: list[LabelledCase] = []

CASES += [
    fail(
        "guest-sglang-kv-pool-exit-137",
        "cuda_oom",
        "sglang #322/#19781: no room for the KV pool; the parent kills its own tree on SIGQUIT, hence 137 without OOMKilled",
        137,
        """
[2026-03-01 02:50:11] server_args=ServerArgs(model_path='/models/qwen2.5-72b-instruct', tp_size=4, mem_fraction_static=0.55, max_running_requests=None, log_level='info')
[2026-03-01 02:50:31 TP0] Init torch distributed begin.
[2026-03-01 02:50:31 TP2] Init torch distributed begin.
[2026-03-01 02:50:34 TP0] sglang is using nccl==2.21.5
[2026-03-01 02:50:41 TP0] Init torch distributed ends. mem usage=1.39 GB
[2026-03-01 02:50:42 TP0] Load weight begin. avail mem=77.32 GB
Loading safetensors checkpoint shards: 100% Completed | 37/37 [03:58<00:00,  6.45s/it]
[2026-03-01 02:54:44 TP0] Load weight end. type=Qwen2ForCausalLM, dtype=torch.bfloat16, avail mem=43.07 GB, mem usage=34.25 GB.
[2026-03-01 02:54:44 TP3] Scheduler hit an exception: Traceback (most recent call last):
  File "/sgl-workspace/sglang/python/sglang/srt/managers/scheduler.py", line 2261, in run_scheduler_process
    scheduler = Scheduler(server_args, port_args, gpu_id, tp_rank, pp_rank, dp_rank)
  File "/sgl-workspace/sglang/python/sglang/srt/managers/scheduler.py", line 279, in __init__
    self.tp_worker = TpWorkerClass(
  File "/sgl-workspace/sglang/python/sglang/srt/model_executor/model_runner.py", line 232, in initialize
    self.init_memory_pool(
  File "/sgl-workspace/sglang/python/sglang/srt/model_executor/model_runner.py", line 877, in init_memory_pool
    raise RuntimeError(
RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.

[2026-03-01 02:54:44] Received sigquit from a child process. It usually means the child failed.
[2026-03-01 02:54:44 TP1] Scheduler hit an exception: Traceback (most recent call last):
RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.
""",
        never=("container_oom", "killed_by_signal", "python_exception"),
        gpus=4,
        kind="Inference",
    ),
    fail(
        "guest-trtllm-mpirun-illegal-address",
        "cuda_illegal_access",
        "TensorRT-LLM #2393: error 700 of the engine context, then TllmException, abort, and mpirun's summary",
        134,
        """
[TensorRT-LLM] TensorRT-LLM version: 0.15.0
[llama-ft-0-0:00101] PMIX ERROR: UNREACHABLE in file server/pmix_server.c at line 2198
[TensorRT-LLM][INFO] Engine version 0.15.0 found in the config file, assuming engine(s) built by new builder API.
[TensorRT-LLM][INFO] MPI size: 2, MPI local size: 2, rank: 0
[TensorRT-LLM][INFO] MPI size: 2, MPI local size: 2, rank: 1
[TensorRT-LLM][INFO] Loaded engine size: 7735 MiB
[TensorRT-LLM][WARNING] Fix optionalParams : KV cache reuse disabled because model was not built with paged context FMHA support
[TensorRT-LLM][INFO] [MemUsageChange] Allocated 770.01 MiB for execution context memory.
[TensorRT-LLM][ERROR] ICudaEngine::createExecutionContextWithoutDeviceMemory: Error Code 1: Cuda Runtime (an illegal memory access was encountered)
terminate called after throwing an instance of 'tensorrt_llm::common::TllmException'
  what():  Internal Error: Failed to create an execution context. (/src/tensorrt_llm/cpp/tensorrt_llm/runtime/tllmRuntime.cpp:178)
1       0x7e76489a82a2 /app/libtensorrt_llm.so(+0x7682a2) [0x7e76489a82a2]
2       0x7e764aba3e91 tensorrt_llm::batch_manager::TrtGptModelInflightBatching::createRuntimeContexts() + 81
[llama-ft-0-0:00107] *** Process received signal ***
[llama-ft-0-0:00107] Signal: Aborted (6)
[llama-ft-0-0:00107] Signal code:  (-6)
[llama-ft-0-0:00107] [ 0] /usr/lib/x86_64-linux-gnu/libc.so.6(+0x42520)[0x7e7646242520]
[llama-ft-0-0:00107] *** End of error message ***
--------------------------------------------------------------------------
Primary job  terminated normally, but 1 process returned
a non-zero exit code. Per user-direction, the job has been aborted.
--------------------------------------------------------------------------
mpirun noticed that process rank 1 with PID 107 on node llama-ft-0-0 exited on signal 6 (Aborted).
--------------------------------------------------------------------------
""",
        never=("aborted", "nccl_network_error"),
        gpus=2,
    ),
    fail(
        "guest-tgi-shard-signal-4",
        "illegal_instruction",
        "text-generation-inference #2238: the launcher exits 1 and names signal 4 of its shard",
        1,
        """
2026-03-01T02:52:40.118402Z  INFO text_generation_launcher: Args {
    model_id: "HuggingFaceH4/zephyr-7b-beta",
    sharded: None,
    num_shard: None,
    max_input_tokens: None,
}
2026-03-01T02:52:40.118501Z  INFO text_generation_launcher: Default `max_input_tokens` to 4095
2026-03-01T02:52:40.118611Z  INFO download: text_generation_launcher: Starting check and download process for HuggingFaceH4/zephyr-7b-beta
2026-03-01T02:52:44.921307Z  INFO text_generation_launcher: Files are already present on the host. Skipping download.
2026-03-01T02:52:45.623016Z  INFO download: text_generation_launcher: Successfully downloaded weights for HuggingFaceH4/zephyr-7b-beta
2026-03-01T02:52:45.623290Z  INFO shard-manager: text_generation_launcher: Starting shard rank=0
2026-03-01T02:52:55.633301Z  INFO shard-manager: text_generation_launcher: Waiting for shard to be ready... rank=0
2026-03-01T02:52:58.937112Z ERROR shard-manager: text_generation_launcher: Shard complete standard error output:

/opt/conda/lib/python3.10/site-packages/bitsandbytes/cextension.py:34: UserWarning: The installed version of bitsandbytes was compiled without GPU support.
  warn("The installed version of bitsandbytes was compiled without GPU support. ") rank=0
2026-03-01T02:52:58.937140Z ERROR shard-manager: text_generation_launcher: Shard process was signaled to shutdown with signal 4 rank=0
2026-03-01T02:52:59.036221Z ERROR text_generation_launcher: Shard 0 failed to start
2026-03-01T02:52:59.036248Z  INFO text_generation_launcher: Shutting down shards
Error: ShardCannotStart
""",
        never=("application_error", "no_gpu_visible"),
        kind="Inference",
    ),
    fail(
        "guest-tritonserver-model-lacks-so",
        "missing_module",
        "triton server #6416/#3786: one model READY, the other UNAVAILABLE for a missing shared library; the server gives up",
        1,
        """
I0301 02:54:20.920681 60 pinned_memory_manager.cc:275] Pinned memory pool is created at '0x7f2e3c000000' with size 268435456
I0301 02:54:20.921504 60 cuda_memory_manager.cc:107] CUDA memory pool is created on device 0 with size 67108864
I0301 02:54:20.929201 60 model_lifecycle.cc:462] loading: preprocess:1
I0301 02:54:20.929255 60 model_lifecycle.cc:462] loading: inswapper:1
W0301 02:54:21.104310 60 metrics.cc:631] Unable to get power limit for GPU 0. Status:Success, value:0.000000
E0301 02:54:22.305671 60 model_lifecycle.cc:621] failed to load 'inswapper' version 1: Not found: unable to load shared library: libcudnn.so.8: cannot open shared object file: No such file or directory
I0301 02:54:22.305731 60 model_lifecycle.cc:756] failed to load 'inswapper'
I0301 02:54:23.410022 60 model_lifecycle.cc:818] successfully loaded 'preprocess'
I0301 02:54:23.410602 60 server.cc:662]
+------------+---------+----------------------------------------------------------------------------------+
| Model      | Version | Status                                                                           |
+------------+---------+----------------------------------------------------------------------------------+
| inswapper  | 1       | UNAVAILABLE: Not found: unable to load shared library: libcudnn.so.8: cannot ope |
|            |         | n shared object file: No such file or directory                                  |
| preprocess | 1       | READY                                                                            |
+------------+---------+----------------------------------------------------------------------------------+

I0301 02:54:23.480786 60 server.cc:293] Waiting for in-flight requests to complete.
I0301 02:54:23.480801 60 server.cc:309] Timeout 30: Found 0 model versions that have in-flight inferences
I0301 02:54:24.481003 60 server.cc:324] Timeout 29: Found 0 live models and 0 in-flight non-inference requests
error: creating server: Internal - failed to load all models
""",
        never=("missing_file", "application_error"),
        kind="Inference",
    ),
    fail(
        "guest-llama-server-no-gguf",
        "missing_file",
        "llama.cpp server: gguf_init_from_file on a path that does not exist; warnings about VRAM before are noise",
        1,
        """
ggml_cuda_init: GGML_CUDA_FORCE_MMQ:    no
ggml_cuda_init: found 1 CUDA devices:
  Device 0: NVIDIA H100 80GB HBM3, compute capability 9.0, VMM: yes
warning: no usable GPU found for draft model, --gpu-layers-draft option will be ignored
build: 6841 (f77c13b91) with cc (Debian 12.2.0-14) 12.2.0 for x86_64-linux-gnu
system info: n_threads = 64, n_threads_batch = 64, total_threads = 128
main: binding port with default address family
main: HTTP server is listening, hostname: 0.0.0.0, port: 8080, http threads: 127
main: loading model
srv    load_model: loading model '/models/qwen3-32b/qwen3-32b-q4_k_m.gguf'
llama_model_load_from_file_impl: using device CUDA0 (NVIDIA H100 80GB HBM3) - 80489 MiB free
gguf_init_from_file: failed to open GGUF file '/models/qwen3-32b/qwen3-32b-q4_k_m.gguf'
llama_model_load: error loading model: llama_model_loader: failed to load model from /models/qwen3-32b/qwen3-32b-q4_k_m.gguf: No such file or directory
llama_model_load_from_file_impl: failed to load model
common_init_from_params: failed to load model '/models/qwen3-32b/qwen3-32b-q4_k_m.gguf'
srv    load_model: failed to load model, '/models/qwen3-32b/qwen3-32b-q4_k_m.gguf'
srv    operator(): operator(): cleaning up before exit...
main: exiting due to model loading error
""",
        never=("no_gpu_visible", "application_error"),
        kind="Inference",
    ),
    fail(
        "guest-qdrant-panic-emfile",
        "application_error",
        "qdrant #1737: Rust panic on EMFILE (os error 24): a limit of descriptors has no cause of its own in the catalogue",
        101,
        r"""
           _                 _
  __ _  __| |_ __ __ _ _ __ | |_
 / _` |/ _` | '__/ _` | '_ \| __|
Access web UI at http://localhost:6333/dashboard

2026-03-01T02:31:06.866091Z  WARN qdrant::settings: Config file not found: config/development
2026-03-01T02:31:06.911804Z  INFO storage::content_manager::consensus::persistent: Loading raft state from ./storage/raft_state.json
2026-03-01T02:31:19.020711Z  INFO storage::content_manager::toc: Loading collection: image_vectors
2026-03-01T02:54:48.787204Z ERROR actix_server::accept: Error accepting connection: Too many open files (os error 24)
2026-03-01T02:54:48.801077Z ERROR collection::collection_manager::collection_updater: Update operation failed: RocksDB put_cf error: IO error: While open a file for appending: ./storage/collections/image_vectors/0/segments/848f7333/000057.log: Too many open files
2026-03-01T02:54:49.113400Z ERROR qdrant::startup: Panic backtrace:
   0: qdrant::startup::setup_panic_hook::{{closure}}
   1: std::panicking::rust_panic_with_hook
   2: core::result::unwrap_failed
   3: actix_server::worker::ServerWorker::start
2026-03-01T02:54:49.113480Z ERROR qdrant::startup: Panic occurred in file /usr/local/cargo/registry/src/actix-server-2.5.0/src/worker.rs at line 425: called `Result::unwrap()` on an `Err` value: Os { code: 24, kind: Uncategorized, message: "Too many open files" }
""",
        never=("disk_full", "missing_file"),
    ),
]

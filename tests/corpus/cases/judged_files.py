"""Signals, memory, files and arguments: whole incidents by the second of two authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.cases.judged_outside import fail
from tests.corpus.wire import container, crashed, distributed, pod, running

CASES: list[LabelledCase] = [
    # --- logs: signals ------------------------------------------------------------------------------------------------
    fail(
        "judged-tgi-signal-4-2",
        "illegal_instruction",
        "text-generation-inference#2238, #1627: shard signalled with 4 (SIGILL) on a CPU without AVX2; launcher exits 1",
        r"""
        2024-03-06T17:53:20.110341Z  INFO text_generation_launcher: Args { model_id: "tiiuae/falcon-7b-instruct", revision: None, validation_workers: 2, sharded: None, num_shard: None }
        2024-03-06T17:53:20.110552Z  INFO download: text_generation_launcher: Starting download process.
        2024-03-06T17:53:22.335714Z  INFO download: text_generation_launcher: Successfully downloaded weights.
        2024-03-06T17:53:22.336246Z  INFO shard-manager: text_generation_launcher: Starting shard rank=0
        2024-03-06T17:53:31.052367Z ERROR shard-manager: text_generation_launcher: Shard complete standard error output:
         rank=0
        2024-03-06T17:53:31.052444Z ERROR shard-manager: text_generation_launcher: Shard process was signaled to shutdown with signal 4 rank=0
        Error: ShardCannotStart
        2024-03-06T17:53:31.149443Z ERROR text_generation_launcher: Shard 0 failed to start
        2024-03-06T17:53:31.149481Z  INFO text_generation_launcher: Shutting down shards
        """,
        never=("application_error", "insufficient_evidence", "killed_by_signal"),
    ),
    case(
        "judged-mpirun-signal-11",
        "segfault",
        "Open MPI: mpirun noticed that process rank 3 exited on signal 11; launcher exits 139 as the process did, stack of UCX",
        crashed(
            139,
            r"""
            [llama-ft-worker-0:00211] 7 more processes have sent help message help-mpi-btl-openib.txt / no device params found
            # nThread 1 nGpus 1 minBytes 8 maxBytes 8589934592 step: 2(factor) warmup iters: 5 iters: 20 agg iters: 1
            [llama-ft-worker-0:211  :0:211] Caught signal 11 (Segmentation fault: address not mapped to object at address 0x10)
            ==== backtrace (tid:    211) ====
             0 0x0000000000014420 __funlockfile()  ???:0
             1 0x0000000000041d12 uct_ib_mlx5_devx_md_open()  ???:0
            =================================
            [llama-ft-worker-0:00211] *** Process received signal ***
            [llama-ft-worker-0:00211] Signal: Segmentation fault (11)
            [llama-ft-worker-0:00211] Signal code:  (-6)
            [llama-ft-worker-0:00211] *** End of error message ***
            --------------------------------------------------------------------------
            Primary job  terminated normally, but 1 process returned
            a non-zero exit code. Per user-direction, the job has been aborted.
            --------------------------------------------------------------------------
            --------------------------------------------------------------------------
            mpirun noticed that process rank 3 with PID 211 on node llama-ft-worker-0 exited on signal 11 (Segmentation fault).
            --------------------------------------------------------------------------
            """,
            rank="launcher-0",
            node="gpu-00",
            gpus=0,
        ),
        pod(container(running(-50), log="Server listening on 0.0.0.0 port 22.\n"), rank="worker-0", node="gpu-01"),
        job=distributed("Failed", workers=2, framework="MPI"),
        never=("nccl_network_error", "application_error", "aborted"),
    ),
    fail(
        "judged-trtllm-terminate",
        "aborted",
        "TensorRT-LLM issues: TllmException uncaught in executor worker, std::terminate, exit 134",
        r"""
        [TensorRT-LLM][INFO] Engine version 0.16.0 found in the config file, assuming engine(s) built by new builder API.
        [TensorRT-LLM][INFO] Initialized MPI
        [TensorRT-LLM][INFO] Loaded engine size: 7691 MiB
        [TensorRT-LLM][WARNING] Fix optionalParams : KV cache reuse disabled because model was not built with paged context FMHA support
        terminate called after throwing an instance of 'tensorrt_llm::common::TllmException'
          what():  [TensorRT-LLM][ERROR] Assertion failed: mpiSize == tp * pp * cp (mNumRanks=1, tp=2) (/app/tensorrt_llm/cpp/tensorrt_llm/runtime/worldConfig.cpp:96)
        1       0x7f3f5c6c3d8e tensorrt_llm::common::throwRuntimeError(char const*, int, std::string const&) + 82
        2       0x7f3f5e4fd8ec tensorrt_llm::runtime::WorldConfig::mpi(int, std::optional<int>) + 1308
        3       0x55d0a5a3b2af main + 1887
        [llama-ft-0-0:00001] *** Process received signal ***
        [llama-ft-0-0:00001] Signal: Aborted (6)
        [llama-ft-0-0:00001] *** End of error message ***
        """,
        134,
        never=("segfault", "python_exception"),
    ),
    fail(
        "judged-dataloader-bus-error-2",
        "shm_exhausted",
        "ultralytics/pytorch issues: DataLoader worker killed by signal: Bus error, out of shared memory",
        r"""
        Ultralytics 8.3.40 🚀 Python-3.11.10 torch-2.5.1+cu124 CUDA:0 (NVIDIA A100-SXM4-80GB, 81154MiB)
        train: Scanning /data/coco/labels/train2017.cache... 117266 images, 1021 backgrounds, 0 corrupt: 100%|██████████| 118287/118287 [00:00<?, ?it/s]
        Image sizes 640 train, 640 val
        Using 32 dataloader workers
        Starting training for 100 epochs...
              Epoch    GPU_mem   box_loss   cls_loss   dfl_loss  Instances       Size
              1/100      31.2G      1.198      1.402      1.229        412        640:   2%|▏         | 31/1849 [00:18<14:01,  2.16it/s]ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).
        Traceback (most recent call last):
          File "/usr/local/lib/python3.11/site-packages/torch/utils/data/dataloader.py", line 1243, in _try_get_data
            data = self._data_queue.get(timeout=timeout)
          File "/usr/local/lib/python3.11/site-packages/torch/utils/data/_utils/signal_handling.py", line 73, in handler
            _error_if_any_worker_fails()
        RuntimeError: DataLoader worker (pid 1322) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory. Please try to raise your shared memory limit.

        The above exception was the direct cause of the following exception:

        Traceback (most recent call last):
          File "/workspace/train.py", line 11, in <module>
            model.train(data="coco.yaml", epochs=100, batch=64, workers=32)
          File "/usr/local/lib/python3.11/site-packages/ultralytics/engine/trainer.py", line 363, in _do_train
            for i, batch in pbar:
        RuntimeError: DataLoader worker (pid(s) 1322) exited unexpectedly
        """,
        never=("segfault", "python_exception"),
        pair="judged-worker-signal",
    ),
    fail(
        "judged-dataloader-segfault",
        "segfault",
        "pytorch issues: DataLoader worker killed by signal Segmentation fault (opencv threads); nothing about shm",
        r"""
        2026-03-01 02:19:10,331 - mmengine - INFO - Epoch(train)   [3][ 250/1832]  lr: 2.0000e-02  eta: 9:41:00  time: 0.41  loss: 0.8122
        2026-03-01 02:19:31,010 - mmengine - INFO - Epoch(train)   [3][ 300/1832]  lr: 2.0000e-02  eta: 9:40:31  time: 0.41  loss: 0.7990
        ERROR: Unexpected segmentation fault encountered in worker.
        Traceback (most recent call last):
          File "/opt/conda/lib/python3.10/site-packages/torch/utils/data/dataloader.py", line 1132, in _try_get_data
            data = self._data_queue.get(timeout=timeout)
          File "/opt/conda/lib/python3.10/site-packages/torch/utils/data/_utils/signal_handling.py", line 66, in handler
            _error_if_any_worker_fails()
        RuntimeError: DataLoader worker (pid 4410) is killed by signal: Segmentation fault.

        The above exception was the direct cause of the following exception:

        Traceback (most recent call last):
          File "tools/train.py", line 121, in <module>
            main()
          File "/opt/conda/lib/python3.10/site-packages/mmengine/runner/loops.py", line 113, in run_epoch
            for idx, data_batch in enumerate(self.dataloader):
        RuntimeError: DataLoader worker (pid(s) 4410) exited unexpectedly
        """,
        never=("shm_exhausted", "python_exception"),
        pair="judged-worker-signal",
    ),
    # --- logs: memory of the program itself ---------------------------------------------------------------------------
    fail(
        "judged-ray-memory-monitor-2",
        "application_memory_limit",
        "ray#32730 text: Ray's memory monitor killed the worker over the 0.95 threshold; job exits 1",
        r"""
        2026-03-01 02:01:10,003	INFO worker.py:1841 -- Started a local Ray instance.
        2026-03-01 02:01:14,220	INFO streaming_executor.py:108 -- Starting execution of Dataset. Full logs are in /tmp/ray/session_latest/logs/ray-data
        Running Dataset: 3.0/32.0 CPU, 0.0/1.0 GPU, 41.2GB/60.0GB object_store_memory:  40%|████      | 81/200 [04:10<06:02,  3.05s/it]
        (raylet) [2026-03-01 02:06:30,114 E 88 88] (raylet) node_manager.cc:3069: 3 Workers (tasks / actors) killed due to memory pressure (OOM), 0 Workers crashed due to other reasons at node (ID: 2c0ca846, IP: 10.244.4.2) over the last time period.
        Traceback (most recent call last):
          File "/workspace/featurize.py", line 64, in <module>
            ds.write_parquet("/data/out")
          File "/home/ray/anaconda3/lib/python3.10/site-packages/ray/_private/worker.py", line 2772, in get
            raise value
        ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.
        Memory on the node (IP: 10.244.4.2, ID: 2c0ca846) where the task (task ID: 76b2551f, name=MapBatches(embed), pid=1240, memory used=11.05GB) was running was 121.61GB / 128.00GB (0.95008), which exceeds the memory usage threshold of 0.95. Ray killed this worker (ID: ba846842) because it was the most recently scheduled task; to see more information about memory usage on this node, use `ray logs raylet.out -ip 10.244.4.2`.
        Refer to the documentation on how to address the out of memory issue: https://docs.ray.io/en/latest/ray-core/scheduling/ray-oom-prevention.html.
        """,
        memory="128Gi",
        never=("container_oom", "cuda_oom", "node_memory_eviction", "python_exception"),
    ),
    fail(
        "judged-spark-gc-overhead",
        "application_memory_limit",
        "spark-dependencies#106: java.lang.OutOfMemoryError: GC overhead limit exceeded in executor; Spark exits 52",
        r"""
        26/03/01 02:20:01 INFO CoarseGrainedExecutorBackend: Successfully registered with driver
        26/03/01 02:21:10 INFO MemoryStore: Block broadcast_4_piece0 stored as bytes in memory (estimated size 12.1 KiB, free 4.1 GiB)
        26/03/01 02:41:55 WARN Executor: Issue communicating with driver in heartbeater
        26/03/01 02:43:07 ERROR Executor: Exception in task 17.0 in stage 6.0 (TID 412)
        java.lang.OutOfMemoryError: GC overhead limit exceeded
        	at java.util.Arrays.copyOfRange(Arrays.java:3664)
        	at java.lang.StringBuilder.toString(StringBuilder.java:407)
        	at java.io.ObjectInputStream$BlockDataInputStream.readUTFBody(ObjectInputStream.java:3496)
        26/03/01 02:43:07 ERROR SparkUncaughtExceptionHandler: Uncaught exception in thread Thread[Executor task launch worker for task 17.0 in stage 6.0 (TID 412),5,main]
        java.lang.OutOfMemoryError: GC overhead limit exceeded
        	at java.util.Arrays.copyOfRange(Arrays.java:3664)
        26/03/01 02:43:08 INFO MemoryStore: MemoryStore cleared
        26/03/01 02:43:08 INFO ShutdownHookManager: Shutdown hook called
        """,  # noqa: E101
        52,
        gpus=0,
        never=("container_oom", "application_error"),
    ),
    # --- logs: files, modules, arguments ------------------------------------------------------------------------------
    fail(
        "judged-triton-python-backend-module",
        "missing_module",
        "triton server#6710: python backend model without transformers; server exits 1 with 'failed to load all models'",
        r"""
        I0301 02:11:58.033792 1 python_be.cc:1929] TRITONBACKEND_Initialize: python
        I0301 02:11:59.100132 1 model_lifecycle.cc:472] loading: reranker:1
        I0301 02:12:03.551908 1 pb_stub.cc:323]  Failed to initialize Python stub: ModuleNotFoundError: No module named 'transformers'

        At:
          /models/reranker/1/model.py(4): <module>
          <frozen importlib._bootstrap>(241): _call_with_frames_removed

        E0301 02:12:03.920019 1 model_lifecycle.cc:642] failed to load 'reranker' version 1: Internal: ModuleNotFoundError: No module named 'transformers'
        I0301 02:12:03.920201 1 server.cc:676]
        +----------+---------+----------------------------------------------------------------------------------+
        | Model    | Version | Status                                                                           |
        +----------+---------+----------------------------------------------------------------------------------+
        | reranker | 1       | UNAVAILABLE: Internal: ModuleNotFoundError: No module named 'transformers'       |
        +----------+---------+----------------------------------------------------------------------------------+
        I0301 02:12:04.011004 1 server.cc:307] Waiting for in-flight requests to complete.
        I0301 02:12:04.011030 1 server.cc:345] Timeout 30: Found 0 live models and 0 in-flight non-inference requests
        error: creating server: Internal - failed to load all models
        """,
        never=("application_error",),
    ),
    fail(
        "judged-triton-trt-engine-version",
        "application_error",
        "triton/TensorRT issues: plan built by another TensorRT version; tritonserver ends with its own error",
        r"""
        I0301 02:31:00.301744 1 tensorrt.cc:65] TRITONBACKEND_Initialize: tensorrt
        I0301 02:31:00.590221 1 model_lifecycle.cc:472] loading: yolov8:1
        E0301 02:31:02.771030 1 logging.cc:40] IRuntime::deserializeCudaEngine: Error Code 1: Serialization (Serialization assertion stdVersionRead == kSERIALIZATION_VERSION failed.Version tag does not match. Note: Current Version: 239, Serialized Engine Version: 236)
        E0301 02:31:02.801112 1 model_lifecycle.cc:642] failed to load 'yolov8' version 1: Internal: unable to load plan file to auto complete config: /models/yolov8/1/model.plan
        I0301 02:31:02.801300 1 server.cc:676]
        +--------+---------+------------------------------------------------------------------------------------------------+
        | Model  | Version | Status                                                                                         |
        +--------+---------+------------------------------------------------------------------------------------------------+
        | yolov8 | 1       | UNAVAILABLE: Internal: unable to load plan file to auto complete config: /models/yolov8/1/model.plan |
        +--------+---------+------------------------------------------------------------------------------------------------+
        W0301 02:31:03.004004 1 metrics.cc:631] Unable to get power limit for GPU 0. Status:Success, value:0.000000
        I0301 02:31:03.100120 1 server.cc:307] Waiting for in-flight requests to complete.
        error: creating server: Internal - failed to load all models
        """,
        never=("python_exception", "missing_file"),
    ),
    fail(
        "judged-llamacpp-unknown-arch",
        "application_error",
        "ollama#3904 / llama.cpp issues: unknown model architecture, llama-server exits 1",
        r"""
        ggml_cuda_init: found 1 CUDA devices:
          Device 0: NVIDIA H100 80GB HBM3, compute capability 9.0, VMM: yes
        build: 4205 (c6bc7395) with cc (Ubuntu 11.4.0) for x86_64-linux-gnu
        main: HTTP server is listening, hostname: 0.0.0.0, port: 8080, http threads: 31
        main: loading model
        srv    load_model: loading model '/models/phi4-mini-Q4_K_M.gguf'
        llama_model_loader: loaded meta data with 33 key-value pairs and 196 tensors from /models/phi4-mini-Q4_K_M.gguf (version GGUF V3 (latest))
        llama_model_loader: - type  f32:   67 tensors
        llama_model_loader: - type q4_K:   80 tensors
        llama_model_load: error loading model: error loading model architecture: unknown model architecture: 'phi4mm'
        llama_load_model_from_file: failed to load model
        common_init_from_params: failed to load model '/models/phi4-mini-Q4_K_M.gguf'
        srv    load_model: failed to load model, '/models/phi4-mini-Q4_K_M.gguf'
        srv    operator(): cleaning up before exit...
        main: exiting due to model loading error
        """,
        never=("missing_file", "python_exception"),
        pair="judged-gguf",
    ),
    fail(
        "judged-llamacpp-no-file",
        "missing_file",
        "llama.cpp issues: gguf_init_from_file failed to open, No such file or directory; same tail as any load failure",
        r"""
        ggml_cuda_init: found 1 CUDA devices:
          Device 0: NVIDIA A10G, compute capability 8.6, VMM: yes
        build: 4205 (c6bc7395) with cc (Ubuntu 11.4.0) for x86_64-linux-gnu
        main: loading model
        srv    load_model: loading model '/models/llama-3.2-3b.Q4_K_M.gguf'
        gguf_init_from_file: failed to open GGUF file '/models/llama-3.2-3b.Q4_K_M.gguf' (No such file or directory)
        llama_model_load: error loading model: llama_model_loader: failed to load model from /models/llama-3.2-3b.Q4_K_M.gguf
        llama_model_load_from_file_impl: failed to load model
        common_init_from_params: failed to load model '/models/llama-3.2-3b.Q4_K_M.gguf'
        srv    load_model: failed to load model, '/models/llama-3.2-3b.Q4_K_M.gguf'
        srv    operator(): cleaning up before exit...
        main: exiting due to model loading error
        """,
        never=("application_error",),
        pair="judged-gguf",
    ),
    fail(
        "judged-r-no-package",
        ("missing_module", "application_error"),
        "R: there is no package called; a missing library of another language: causes.md's row names libraries in general",
        r"""
        Loading required package: Matrix
        Attaching package: 'data.table'

        The following objects are masked from 'package:dplyr':

            between, first, last

        Error in library(xgboost) : there is no package called 'xgboost'
        Calls: suppressPackageStartupMessages -> withCallingHandlers -> library
        Execution halted
        """,
        gpus=0,
        never=("python_exception",),
    ),
    fail(
        "judged-julia-undefvar",
        "application_error",
        "ScoringEngineDemo.jl#1: ERROR: LoadError: UndefVarError in a package; Julia exits 1",
        r"""
        ┌ Info: @__DIR__:
        └   #= /usr/src/app/bin/main.jl:1 =# @__DIR__ = "/usr/src/app/bin"
        [ Info: Initializing packages
        ┌ Warning: The NVIDIA driver on this system only supports up to CUDA 12.2.0.
        └ @ CUDA ~/.julia/packages/CUDA/2kjXI/src/initialization.jl:62
        ERROR: LoadError: LoadError: UndefVarError: `upsample_linear_wcn!` not defined
        Stacktrace:
          [1] getproperty(x::Module, f::Symbol)
            @ Base ./Base.jl:31
          [2] top-level scope
            @ ~/.julia/packages/NNlibCUDA/vECff/src/upsample.jl:118
          [3] include(mod::Module, _path::String)
            @ Base ./Base.jl:457
        in expression starting at /home/trainer/.julia/packages/NNlibCUDA/vECff/src/upsample.jl:118
        in expression starting at /usr/src/app/bin/main.jl:7
        """,
        never=("python_exception", "cuda_driver_mismatch", "missing_module"),
    ),
    fail(
        "judged-rust-panic-unwrap",
        "application_error",
        "candle/tokenizers style: thread main panicked, exit 101",
        r"""
        2026-03-01T02:50:11.200034Z  INFO embed_server: loading tokenizer path="/models/bge/tokenizer.json"
        2026-03-01T02:50:11.331090Z  WARN tokenizers::tokenizer::serialization: Warning: The OpenAI GPT pre tokenizer is deprecated
        2026-03-01T02:50:12.001774Z  INFO embed_server: backend=candle device=Cuda(0) dtype=F16
        thread 'main' panicked at src/main.rs:88:45:
        called `Result::unwrap()` on an `Err` value: ShapeMismatch { expected: [768, 768], got: [1024, 1024], tensor: "encoder.layer.0.attention.self.query.weight" }
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
        """,
        101,
        never=("python_exception", "aborted"),
    ),
    fail(
        "judged-go-nil-map-panic",
        "application_error",
        "Go runtime panic; exit 2 is Go's and no usage error",
        r"""
        I0301 02:40:11.100201       1 main.go:61] shard-indexer version v1.4.0
        I0301 02:40:11.110774       1 reader.go:40] opened /data/shards, 812 files
        W0301 02:40:12.511026       1 reader.go:77] shard 00041.tar has no manifest, deriving
        panic: assignment to entry in nil map

        goroutine 61 [running]:
        example.com/ml/shard-indexer/pkg/index.(*Index).Add(...)
        	/src/pkg/index/index.go:52
        example.com/ml/shard-indexer/pkg/reader.(*Reader).walk(0xc0000b2000, {0xc00011e0a0, 0x1b})
        	/src/pkg/reader/reader.go:119 +0x2f1
        created by example.com/ml/shard-indexer/pkg/reader.(*Reader).Run in goroutine 1
        	/src/pkg/reader/reader.go:58 +0x111
        exit status 2
        """,  # noqa: E101
        2,
        gpus=0,
        never=("invalid_arguments", "python_exception", "missing_file"),
    ),
    fail(
        "judged-bash-unbound-variable",
        "invalid_arguments",
        "set -u: unbound variable, the missing environment variable of causes.md",
        r"""
        + set -euo pipefail
        + nvidia-smi -L
        GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-1d0c6f1a)
        + echo 'launching llama-ft'
        launching llama-ft
        /opt/launch.sh: line 17: CHECKPOINT_DIR: unbound variable
        """,
        never=("application_error", "missing_file", "insufficient_evidence"),
    ),
    fail(
        "judged-local-rank-argparse",
        "invalid_arguments",
        "torch.distributed.launch on torch 2: --local-rank unrecognized; children exit 2 and the launcher 1",
        r"""
        /opt/conda/lib/python3.10/site-packages/torch/distributed/launch.py:181: FutureWarning: The module torch.distributed.launch is deprecated
        and will be removed in future. Use torchrun.
          warnings.warn(
        WARNING:torch.distributed.run:
        *****************************************
        Setting OMP_NUM_THREADS environment variable for each process to be 1 in default, to avoid your system being overloaded
        *****************************************
        usage: main.py [-h] [--cfg FILE] [--opts OPTS [OPTS ...]] [--batch-size BATCH_SIZE]
                       [--data-path DATA_PATH] --local_rank LOCAL_RANK
        main.py: error: unrecognized arguments: --local-rank=1
        usage: main.py [-h] [--cfg FILE] [--opts OPTS [OPTS ...]] [--batch-size BATCH_SIZE]
                       [--data-path DATA_PATH] --local_rank LOCAL_RANK
        main.py: error: unrecognized arguments: --local-rank=0
        ERROR:torch.distributed.elastic.multiprocessing.api:failed (exitcode: 2) local_rank: 0 (pid: 51) of binary: /opt/conda/bin/python
        Traceback (most recent call last):
          File "/opt/conda/lib/python3.10/site-packages/torch/distributed/launcher/api.py", line 250, in launch_agent
            raise ChildFailedError(
        torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
        ============================================================
        main.py FAILED
        ------------------------------------------------------------
        Root Cause (first observed failure):
        [0]:
          rank      : 0 (local_rank: 0)
          exitcode  : 2 (pid: 51)
        ============================================================
        """,
        never=("python_exception",),
    ),
    fail(
        "judged-hydra-not-in-struct",
        "invalid_arguments",
        "hydra: Could not override, key is not in struct",
        r"""
        [NeMo W 2026-03-01 02:10:03 nemo_logging:405] megatron_gpt_pretraining is deprecated
        Could not override 'trainer.max_epoch'.
        To append to your config use +trainer.max_epoch=3
        Key 'max_epoch' is not in struct
            full_key: trainer.max_epoch
            object_type=dict

        Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
        """,
        never=("python_exception", "insufficient_evidence"),
    ),
    fail(
        "judged-checkpoint-enospc",
        "disk_full",
        "pytorch/transformers issues: PytorchStreamWriter failed writing file; ENOSPC comes first as SafetensorError context",
        r"""
        {'loss': 0.7719, 'grad_norm': 1.02, 'learning_rate': 8.1e-06, 'epoch': 1.71}
         57%|█████▋    | 2000/3500 [3:10:07<2:21:44,  5.67s/it]Saving model checkpoint to /scratch/out/checkpoint-2000
        Configuration saved in /scratch/out/checkpoint-2000/config.json
        Traceback (most recent call last):
          File "/usr/local/lib/python3.10/dist-packages/torch/serialization.py", line 850, in save
            _save(obj, opened_zipfile, pickle_module, pickle_protocol)
          File "/usr/local/lib/python3.10/dist-packages/torch/serialization.py", line 1114, in _save
            zip_file.write_record(name, storage, num_bytes)
        OSError: [Errno 28] No space left on device

        During handling of the above exception, another exception occurred:

        Traceback (most recent call last):
          File "/workspace/finetune.py", line 188, in <module>
            trainer.train()
          File "/usr/local/lib/python3.10/dist-packages/transformers/trainer.py", line 3198, in _save_optimizer_and_scheduler
            torch.save(self.optimizer.state_dict(), os.path.join(output_dir, OPTIMIZER_NAME))
          File "/usr/local/lib/python3.10/dist-packages/torch/serialization.py", line 704, in __exit__
            self.file_like.write_end_of_file()
        RuntimeError: [enforce fail at inline_container.cc:603] . unexpected pos 18104320 vs 18104208
         57%|█████▋    | 2000/3500 [3:11:40<2:23:45,  5.75s/it]
        """,
        never=("python_exception", "ephemeral_storage_exceeded"),
    ),
    fail(
        "judged-hf-cache-permission",
        "permission_denied",
        "huggingface issues: PermissionError Errno 13 at the cache as a non-root user",
        r"""
        /usr/local/lib/python3.11/site-packages/transformers/utils/hub.py:128: FutureWarning: Using `TRANSFORMERS_CACHE` is deprecated
          warnings.warn(
        There was a problem when trying to write in your cache folder (/.cache/huggingface/hub). You should set the environment variable TRANSFORMERS_CACHE to a writable directory.
        Traceback (most recent call last):
          File "/app/embed.py", line 9, in <module>
            model = SentenceTransformer("intfloat/e5-large-v2")
          File "/usr/local/lib/python3.11/site-packages/huggingface_hub/file_download.py", line 1009, in _hf_hub_download_to_cache_dir
            os.makedirs(os.path.dirname(blob_path), exist_ok=True)
          File "<frozen os>", line 225, in makedirs
        PermissionError: [Errno 13] Permission denied: '/.cache'
        """,
        never=("credential_rejected", "python_exception"),
        pair="judged-permission",
    ),
    fail(
        "judged-s3fs-permissionerror",
        "credential_rejected",
        "s3fs translates S3's 403 into PermissionError: Access Denied; the refusal is the service's, not the file system's",
        r"""
        2026-03-01 02:20:10,117 INFO    reading s3://corp-lake/features/2026/02/
        Traceback (most recent call last):
          File "/opt/venv/lib/python3.11/site-packages/s3fs/core.py", line 114, in _error_wrapper
            return await func(*args, **kwargs)
          File "/opt/venv/lib/python3.11/site-packages/aiobotocore/client.py", line 412, in _make_api_call
            raise error_class(parsed_response, operation_name)
        botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied

        The above exception was the direct cause of the following exception:

        Traceback (most recent call last):
          File "/workspace/features.py", line 31, in <module>
            df = pd.read_parquet("s3://corp-lake/features/2026/02/")
          File "/opt/venv/lib/python3.11/site-packages/s3fs/core.py", line 146, in _error_wrapper
            raise err
        PermissionError: Access Denied
        """,
        gpus=0,
        never=("permission_denied", "python_exception"),
        pair="judged-permission",
    ),
    fail(
        "judged-cv2-libgl",
        "missing_module",
        "opencv issues: ImportError libGL.so.1 cannot open shared object file",
        r"""
        Traceback (most recent call last):
          File "/workspace/tools/infer.py", line 3, in <module>
            import cv2
          File "/usr/local/lib/python3.9/site-packages/cv2/__init__.py", line 181, in <module>
            bootstrap()
          File "/usr/local/lib/python3.9/site-packages/cv2/__init__.py", line 153, in bootstrap
            native_module = importlib.import_module("cv2")
        ImportError: libGL.so.1: cannot open shared object file: No such file or directory
        """,
        never=("missing_file", "python_exception"),
    ),
    fail(
        "judged-nfs-stale-handle-2",
        "storage_unresponsive",
        "pytorch/NFS incidents: OSError 116 Stale file handle reading a memmapped dataset after a filer failover",
        r"""
        iter 41200: loss 2.8811, time 411.02ms, mfu 41.20%
        iter 41210: loss 2.8790, time 409.77ms, mfu 41.22%
        Traceback (most recent call last):
          File "/workspace/nanoGPT/train.py", line 297, in <module>
            X, Y = get_batch('train')
          File "/workspace/nanoGPT/train.py", line 121, in get_batch
            data = np.memmap(os.path.join(data_dir, 'train.bin'), dtype=np.uint16, mode='r')
          File "/opt/conda/lib/python3.11/site-packages/numpy/core/memmap.py", line 229, in __new__
            f_ctx = open(os_fspath(filename), ('r' if mode == 'c' else mode)+'b')
        OSError: [Errno 116] Stale file handle: '/mnt/nfs/openwebtext/train.bin'
        """,
        never=("missing_file", "python_exception"),
    ),
    fail(
        "judged-readonly-output",
        "read_only_filesystem",
        "Errno 30 from a checkpoint directory on a claim mounted read-only",
        r"""
        Seed set to 42
        GPU available: True (cuda), used: True
        /opt/conda/lib/python3.11/site-packages/lightning/fabric/connector.py:571: `precision=16` is supported for historical reasons but its usage is discouraged.
        Traceback (most recent call last):
          File "/workspace/fit.py", line 61, in <module>
            trainer.fit(model, dm)
          File "/opt/conda/lib/python3.11/site-packages/lightning/pytorch/callbacks/model_checkpoint.py", line 652, in __warn_if_dir_not_empty
            self._fs.makedirs(dirpath, exist_ok=True)
        OSError: [Errno 30] Read-only file system: '/models/shared/runs'
        """,
        never=("permission_denied", "python_exception"),
    ),
]

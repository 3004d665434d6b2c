"""Programs that ended on an error of their own, on their arguments or on what an image lacks, by authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import crashed, job, looping

CASES = [
    # --- process: python_exception ------------------------------------------------------------------------------------
    case(
        "held-datasets-map-remote-traceback",
        "python_exception",
        "huggingface/datasets issues on map(num_proc): the worker's KeyError comes back as RemoteTraceback; the ENOENT above it was only a cache miss warning",
        crashed(
            1,
            """
            2026-03-01 02:41:07 | INFO | preprocess | dataset=/data/sft/v7 rows=1204331
            No such file or directory: '/data/sft/v7/.cache-tokenized.arrow' - cache miss, tokenizing again
            Map (num_proc=16):   0%|          | 0/1204331 [00:00<?, ? examples/s]
            Map (num_proc=16):  14%|█▍        | 168210/1204331 [00:41<04:11, 4117.22 examples/s]
            multiprocess.pool.RemoteTraceback:
            \"\"\"
            Traceback (most recent call last):
              File "/opt/conda/lib/python3.10/site-packages/multiprocess/pool.py", line 125, in worker
                result = (True, func(*args, **kwds))
              File "/opt/conda/lib/python3.10/site-packages/datasets/utils/py_utils.py", line 678, in _write_generator_to_queue
                for i, result in enumerate(func(**kwargs)):
              File "/opt/conda/lib/python3.10/site-packages/datasets/arrow_dataset.py", line 3517, in _map_single
                example = apply_function_on_filtered_inputs(example, i, offset=offset)
              File "/workspace/preprocess.py", line 57, in to_chat
                turns = example["conversations"]
              File "/opt/conda/lib/python3.10/site-packages/datasets/formatting/formatting.py", line 280, in __getitem__
                value = self.data[key]
            KeyError: 'conversations'
            \"\"\"

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "/workspace/preprocess.py", line 91, in <module>
                main()
              File "/workspace/preprocess.py", line 83, in main
                ds = raw.map(to_chat, num_proc=16, remove_columns=raw.column_names)
              File "/opt/conda/lib/python3.10/site-packages/datasets/arrow_dataset.py", line 593, in wrapper
                out: Union["Dataset", "DatasetDict"] = func(self, *args, **kwargs)
            KeyError: 'conversations'
            """,
        ),
        never=("missing_file", "application_error"),
    ),
    case(
        "held-caught-cuda-oom-then-bug",
        "python_exception",
        "accelerate find_executable_batch_size (issues on 'No executable batch size'): the CUDA OOM was caught and halved, training went on, an IndexError in the metric ended it",
        crashed(
            1,
            """
            [2026-03-01 02:10:22,118] [INFO] Trying batch size 64
            [2026-03-01 02:10:41,902] [WARNING] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 5.88 GiB. GPU 0 has a total capacity of 79.11 GiB of which 1.02 GiB is free. - retrying with batch size 32
            [2026-03-01 02:10:43,377] [INFO] Trying batch size 32
            {'loss': 2.4113, 'grad_norm': 1.92, 'learning_rate': 4.9e-05, 'epoch': 0.04}
            {'loss': 2.1870, 'grad_norm': 1.41, 'learning_rate': 4.8e-05, 'epoch': 0.08}
            {'loss': 2.0992, 'grad_norm': 1.37, 'learning_rate': 4.7e-05, 'epoch': 0.12}
             12%|█▏        | 500/4150 [41:20<5:01:44,  4.96s/it]
            ***** Running Evaluation *****
              Num examples = 2000
              Batch size = 32
            100%|██████████| 63/63 [00:58<00:00,  1.08it/s]
            Traceback (most recent call last):
              File "/workspace/finetune.py", line 212, in <module>
                trainer.train()
              File "/usr/local/lib/python3.10/dist-packages/transformers/trainer.py", line 2052, in train
                return inner_training_loop(
              File "/usr/local/lib/python3.10/dist-packages/transformers/trainer.py", line 3547, in evaluate
                output = eval_loop(
              File "/workspace/finetune.py", line 148, in compute_metrics
                preds = np.where(logits[0] != -100, logits[2], tok.pad_token_id)
            IndexError: tuple index out of range
             12%|█▏        | 500/4150 [42:20<5:09:05,  5.08s/it]
            """,
        ),
        never=("cuda_oom",),
        pair="held-caught-oom",
    ),
    case(
        "held-torchrun-state-dict-mismatch",
        "python_exception",
        "pytorch/torchtune style: load_state_dict size mismatch on every rank, then torchrun's summary; SIGTERM lines are the launcher's clean-up",
        crashed(
            1,
            """
            W0301 02:50:11.204000 23 torch/distributed/run.py:793]
            W0301 02:50:11.204000 23 torch/distributed/run.py:793] *****************************************
            W0301 02:50:11.204000 23 torch/distributed/run.py:793] Setting OMP_NUM_THREADS environment variable for each process to be 1 in default, to avoid your system being overloaded, please further tune the variable for optimal performance in your application as needed.
            W0301 02:50:11.204000 23 torch/distributed/run.py:793] *****************************************
            [rank0]:[W301 02:50:19.441 ProcessGroupNCCL.cpp:4115] [PG ID 0 PG GUID 0 Rank 0]  using GPU 0 to perform barrier as devices used by this process are currently unknown.
            resuming from /ckpt/step_8000/model.pt
            [rank0]: Traceback (most recent call last):
            [rank0]:   File "/workspace/pretrain.py", line 301, in <module>
            [rank0]:     main(cfg)
            [rank0]:   File "/workspace/pretrain.py", line 177, in main
            [rank0]:     model.load_state_dict(torch.load(cfg.resume, map_location="cpu")["model"])
            [rank0]:   File "/usr/local/lib/python3.10/dist-packages/torch/nn/modules/module.py", line 2584, in load_state_dict
            [rank0]:     raise RuntimeError(
            [rank0]: RuntimeError: Error(s) in loading state_dict for GPT:
            [rank0]: \tsize mismatch for transformer.wte.weight: copying a param with shape torch.Size([50257, 1024]) from checkpoint, the shape in current model is torch.Size([50304, 1024]).
            [rank0]: \tsize mismatch for lm_head.weight: copying a param with shape torch.Size([50257, 1024]) from checkpoint, the shape in current model is torch.Size([50304, 1024]).
            W0301 02:50:31.870000 23 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 41 closing signal SIGTERM
            E0301 02:50:32.012000 23 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1) local_rank: 0 (pid: 40) of binary: /usr/bin/python
            Traceback (most recent call last):
              File "/usr/local/bin/torchrun", line 33, in <module>
                sys.exit(load_entry_point('torch==2.6.0', 'console_scripts', 'torchrun')())
              File "/usr/local/lib/python3.10/dist-packages/torch/distributed/launcher/api.py", line 269, in launch_agent
                raise ChildFailedError(
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            ============================================================
            pretrain.py FAILED
            ------------------------------------------------------------
            Failures:
              <NO_OTHER_FAILURES>
            ------------------------------------------------------------
            Root Cause (first observed failure):
            [0]:
              time      : 2026-03-01_02:50:31
              host      : llama-ft-0-0
              rank      : 0 (local_rank: 0)
              exitcode  : 1 (pid: 40)
              error_file: <N/A>
              traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
            ============================================================
            """,
            gpus=2,
        ),
        never=("killed_by_signal", "insufficient_evidence"),
        pair="held-elastic-summary",
    ),
    # --- process: invalid_arguments -----------------------------------------------------------------------------------
    case(
        "held-accelerate-unrecognized-arguments",
        "invalid_arguments",
        "diffusers/accelerate: argparse exits 2 in the child, accelerate launch wraps it in CalledProcessError and itself ends with 1",
        crashed(
            1,
            """
            The following values were not passed to `accelerate launch` and had defaults used instead:
            \t`--num_machines` was set to a value of `1`
            \t`--mixed_precision` was set to a value of `'no'`
            \t`--dynamo_backend` was set to a value of `'no'`
            To avoid this warning pass in values for each of the problematic parameters or run `accelerate config`.
            /usr/local/lib/python3.10/dist-packages/diffusers/utils/outputs.py:63: FutureWarning: `torch.utils._pytree._register_pytree_node` is deprecated.
              torch.utils._pytree._register_pytree_node(
            usage: train_dreambooth_lora_sdxl.py [-h] --pretrained_model_name_or_path
                                                 PRETRAINED_MODEL_NAME_OR_PATH
                                                 [--revision REVISION]
                                                 [--instance_data_dir INSTANCE_DATA_DIR]
                                                 [--resolution RESOLUTION]
                                                 [--train_batch_size TRAIN_BATCH_SIZE]
            train_dreambooth_lora_sdxl.py: error: unrecognized arguments: --max_steps=800 --snr-gamma 5.0
            Traceback (most recent call last):
              File "/usr/local/bin/accelerate", line 8, in <module>
                sys.exit(main())
              File "/usr/local/lib/python3.10/dist-packages/accelerate/commands/accelerate_cli.py", line 48, in main
                args.func(args)
              File "/usr/local/lib/python3.10/dist-packages/accelerate/commands/launch.py", line 1168, in launch_command
                simple_launcher(args)
              File "/usr/local/lib/python3.10/dist-packages/accelerate/commands/launch.py", line 763, in simple_launcher
                raise subprocess.CalledProcessError(returncode=process.returncode, cmd=cmd)
            subprocess.CalledProcessError: Command '['/usr/bin/python', 'train_dreambooth_lora_sdxl.py', '--max_steps=800', '--snr-gamma', '5.0']' returned non-zero exit status 2.
            """,
        ),
        never=("python_exception",),
    ),
    case(
        "held-hydra-override-rejected",
        "invalid_arguments",
        "NeMo/Hydra: an override names a key the structured config does not have; Hydra prints its own message and exits 1",
        crashed(
            1,
            """
            [NeMo W 2026-03-01 02:31:09 nemo_logging:349] /usr/local/lib/python3.10/dist-packages/pyannote/core/notebook.py:134: MatplotlibDeprecationWarning
            [NeMo W 2026-03-01 02:31:14 experimental:26] Module <class 'nemo.collections.asr.modules.audio_modules.SpectrogramToMultichannelFeatures'> is experimental, not ready for production and is not fully supported. Use at your own risk.
            Could not override 'trainer.gpus'.
            To append to your config use +trainer.gpus=8
            Key 'gpus' is not in struct
                full_key: trainer.gpus
                object_type=dict

            Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
            """,
        ),
        never=("python_exception", "no_gpu_visible"),
    ),
    case(
        "held-shell-unbound-variable",
        "invalid_arguments",
        "an entrypoint under `set -eu` stops on a variable nobody set; catalogue: missing environment variable",
        looping(
            1,
            """
            + cd /workspace/lingvo
            + echo 'entrypoint v14 starting on llama-ft-0-0'
            entrypoint v14 starting on llama-ft-0-0
            + mkdir -p /tmp/logs
            + export NCCL_DEBUG=WARN
            + NCCL_DEBUG=WARN
            /workspace/entrypoint.sh: line 31: CKPT_BUCKET: unbound variable
            """,
        ),
        job=job("Degraded", since=-12, created=-20),
        never=("bad_command", "application_error"),
    ),
    case(
        "held-go-flag-not-defined",
        "invalid_arguments",
        "Go's flag package: prints usage and exits 2",
        crashed(
            2,
            """
            flag provided but not defined: -shard-size
            Usage of /usr/local/bin/webdataset-indexer:
              -concurrency int
                \tnumber of concurrent readers (default 8)
              -in string
                \tinput glob
              -out string
                \tindex file to write
              -max-shard-bytes int
                \tmaximum bytes of one shard (default 1073741824)
            """,
            gpus=0,
            image="ghcr.io/example/webdataset-indexer:0.9.2",
        ),
        never=("application_error",),
    ),
    # --- process: application_error -----------------------------------------------------------------------------------
    case(
        "held-gromacs-lincs-fatal",
        "application_error",
        "gromacs forum/manual 'Common errors': too many LINCS warnings, a fatal error of the program itself, exit 1",
        crashed(
            1,
            """
            GROMACS:      gmx mdrun, version 2023.2
            Executable:   /usr/local/gromacs/avx2_256/bin/gmx
            Working dir:  /data/prot42
            Command line:
              gmx mdrun -deffnm md -nb gpu -pme gpu -bonded gpu -ntmpi 1

            Reading file md.tpr, VERSION 2023.2 (single precision)
            1 GPU selected for this run.
            Mapping of GPU IDs to the 2 GPU tasks in the 1 rank on this node:
              PP:0,PME:0
            starting mdrun 'Protein in water'
            50000000 steps, 100000.0 ps.

            Step 2281, time 4.562 (ps)  LINCS WARNING
            relative constraint deviation after LINCS:
            rms 0.014118, max 0.311206 (between atoms 1204 and 1205)
            bonds that rotated more than 30 degrees:
             atom 1 atom 2  angle  previous, current, constraint length
               1204   1205   47.1    0.1090   0.1429      0.1090

            -------------------------------------------------------
            Program:     gmx mdrun, version 2023.2
            Source file: src/gromacs/mdlib/constr.cpp (line 239)

            Fatal error:
            Too many LINCS warnings (1003)
            If you know what you are doing you can adjust the lincs warning threshold in
            your mdp file
            or set the environment variable GMX_MAXCONSTRWARN to -1,
            but normally it is better to fix the problem

            For more information and tips for troubleshooting, please check the GROMACS
            website at http://www.gromacs.org/Documentation/Errors
            -------------------------------------------------------
            """,
            image="nvcr.io/hpc/gromacs:2023.2",
        ),
        never=("python_exception", "training_diverged"),
    ),
    case(
        "held-go-nil-pointer-panic",
        "application_error",
        "a Go panic prints 'signal SIGSEGV' but the runtime catches it and exits 2: no exit 139, no core",
        crashed(
            2,
            """
            time="2026-03-01T02:51:03Z" level=info msg="loading tokenizer vocab" path=/models/bpe.vocab tokens=32000
            time="2026-03-01T02:51:04Z" level=info msg="worker pool started" workers=16
            time="2026-03-01T02:51:09Z" level=warning msg="slow shard read" shard=00017 took=2.1s
            panic: runtime error: invalid memory address or nil pointer dereference
            [signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x7d2c41]

            goroutine 58 [running]:
            github.com/example/corpus/pkg/shard.(*Reader).Next(0x0, {0xc0003a6000, 0x1000, 0x1000})
            \t/src/pkg/shard/reader.go:88 +0x41
            github.com/example/corpus/pkg/pool.(*Worker).run(0xc00012c0a0)
            \t/src/pkg/pool/worker.go:131 +0x2d8
            created by github.com/example/corpus/pkg/pool.New in goroutine 1
            \t/src/pkg/pool/pool.go:57 +0x1f2
            """,
            gpus=0,
        ),
        never=("segfault", "invalid_arguments", "python_exception"),
        pair="held-segv",
    ),
    case(
        "held-julia-dimension-mismatch",
        "application_error",
        "Flux.jl issues: ERROR: LoadError with a Julia stacktrace, exit 1",
        crashed(
            1,
            """
            Precompiling project...
              214 dependencies successfully precompiled in 188 seconds
            [ Info: CUDA runtime 12.4, artifact installation
            [ Info: training on cuda:0 (NVIDIA H100 80GB HBM3)
            [ Info: epoch 1 loss=0.8121
            ┌ Warning: Performing scalar indexing on task Task (runnable) @0x00007f31c41a8010.
            └ @ GPUArraysCore ~/.julia/packages/GPUArraysCore/GMsgk/src/GPUArraysCore.jl:145
            ERROR: LoadError: DimensionMismatch: layer Dense(128 => 10) expects size(input, 1) == 128, but got 96×256 CuArray{Float32, 2, CUDA.DeviceMemory}
            Stacktrace:
              [1] _size_check(layer::Flux.Dense, x::CuArray{Float32, 2}, ::Pair{Int64, Int64})
                @ Flux ~/.julia/packages/Flux/hiqg1/src/layers/basic.jl:195
              [2] (::Flux.Dense)(x::CuArray{Float32, 2})
                @ Flux ~/.julia/packages/Flux/hiqg1/src/layers/basic.jl:171
              [3] evaluate(m::Chain, loader::MLUtils.DataLoader)
                @ Main /workspace/train.jl:66
              [4] top-level scope
                @ /workspace/train.jl:102
            in expression starting at /workspace/train.jl:80
            """,
            image="julia:1.10",
        ),
        never=("python_exception",),
    ),
    case(
        "held-rust-panic-101",
        "application_error",
        "a Rust panic on unwrap: exit 101; tokenizers' messages of this kind are in huggingface/tokenizers issues",
        crashed(
            101,
            """
            2026-03-01T02:44:10.201734Z  INFO corpus_dedup: minhash bands=20 rows=13 threads=32
            2026-03-01T02:44:10.388101Z  INFO corpus_dedup: reading 4096 shards
            2026-03-01T02:47:52.910455Z  WARN corpus_dedup::shard: skipped 3 empty documents shard=771
            thread 'worker-11' panicked at src/minhash.rs:204:41:
            called `Result::unwrap()` on an `Err` value: Utf8Error { valid_up_to: 118, error_len: Some(1) }
            note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
            thread 'main' panicked at src/main.rs:77:10:
            worker thread panicked: Any { .. }
            """,
            gpus=0,
            image="registry.example.com/corpus-dedup:1.4.0",
        ),
        never=("aborted", "python_exception"),
    ),
    # --- process: missing_file, missing_module ------------------------------------------------------------------------
    case(
        "held-llamacpp-gguf-missing",
        "missing_file",
        "ggml-org/llama.cpp issues: failed to open GGUF file, then the server exits 1; the consequences speak of 'failed to load model'",
        crashed(
            1,
            """
            ggml_cuda_init: GGML_CUDA_FORCE_MMQ:    no
            ggml_cuda_init: found 1 CUDA devices:
              Device 0: NVIDIA H100 80GB HBM3, compute capability 9.0, VMM: yes
            build: 4644 (3ec9fd4b) with cc (Ubuntu 11.4.0-1ubuntu1~22.04) 11.4.0 for x86_64-linux-gnu
            system info: n_threads = 64, n_threads_batch = 64, total_threads = 128
            main: HTTP server is listening, hostname: 0.0.0.0, port: 8080, http threads: 127
            main: loading model
            srv    load_model: loading model '/models/qwen2.5-32b-instruct-q5_k_m.gguf'
            gguf_init_from_file: failed to open GGUF file '/models/qwen2.5-32b-instruct-q5_k_m.gguf'
            llama_model_load: error loading model: llama_model_loader: failed to load model from /models/qwen2.5-32b-instruct-q5_k_m.gguf: No such file or directory

            llama_model_load_from_file_impl: failed to load model
            common_init_from_params: failed to load model '/models/qwen2.5-32b-instruct-q5_k_m.gguf'
            srv    load_model: failed to load model, '/models/qwen2.5-32b-instruct-q5_k_m.gguf'
            srv    operator(): operator(): cleaning up before exit...
            main: exiting due to model loading error
            """,
            image="ghcr.io/ggml-org/llama.cpp:server-cuda",
        ),
        job=job("Failed", kind="Inference"),
        never=("cuda_oom", "bad_command"),
    ),
    case(
        "held-lightning-ckpt-missing-all-ranks",
        "missing_file",
        "Lightning restore: FileNotFoundError for the resume checkpoint on rank 0, SIGTERM for the others",
        crashed(
            1,
            """
            GPU available: True (cuda), used: True
            TPU available: False, using: 0 TPU cores
            Initializing distributed: GLOBAL_RANK: 0, MEMBER: 1/4
            Initializing distributed: GLOBAL_RANK: 2, MEMBER: 3/4
            Initializing distributed: GLOBAL_RANK: 1, MEMBER: 2/4
            Initializing distributed: GLOBAL_RANK: 3, MEMBER: 4/4
            ----------------------------------------------------------------------------------------------------
            distributed_backend=nccl
            All distributed processes registered. Starting with 4 processes
            ----------------------------------------------------------------------------------------------------
            [rank: 1] Child process with PID 212 terminated with code 1. Forcefully terminating all other processes to avoid zombies
            [rank0]: Traceback (most recent call last):
            [rank0]:   File "/workspace/src/fit.py", line 74, in <module>
            [rank0]:     trainer.fit(model, dm, ckpt_path=args.resume)
            [rank0]:   File "/usr/local/lib/python3.10/dist-packages/lightning/pytorch/trainer/connectors/checkpoint_connector.py", line 70, in resume_start
            [rank0]:     loaded_checkpoint = self.trainer.strategy.load_checkpoint(checkpoint_path)
            [rank0]:   File "/usr/local/lib/python3.10/dist-packages/lightning/fabric/plugins/io/torch_io.py", line 82, in load_checkpoint
            [rank0]:     raise FileNotFoundError(f"Checkpoint file not found: {path}")
            [rank0]: FileNotFoundError: Checkpoint file not found: /ckpts/unet-l/last-v3.ckpt
            """,
            gpus=4,
        ),
        never=("python_exception", "killed_by_signal"),
    ),
    case(
        "held-loader-shared-library-127",
        "missing_module",
        "the dynamic linker ends with 127 for a missing .so (open-mpi/ompi issues): the command was found, its library was not",
        crashed(
            127,
            """
            + hostname
            llama-ft-0-0
            + /opt/nccl-tests/build/all_reduce_perf -b 8 -e 4G -f 2 -g 8
            /opt/nccl-tests/build/all_reduce_perf: error while loading shared libraries: libmpi.so.40: cannot open shared object file: No such file or directory
            """,
            gpus=8,
        ),
        never=("bad_command", "missing_file"),
        pair="held-127",
    ),
    case(
        "held-deepspeed-mpi4py-absent",
        "missing_module",
        "deepspeed issues: MPI discovery imports mpi4py; the earlier 'not found' and apex lines are only warnings",
        crashed(
            1,
            """
            [2026-03-01 02:22:14,330] [INFO] [real_accelerator.py:219:get_accelerator] Setting ds_accelerator to cuda (auto detect)
             [WARNING]  async_io requires the dev libaio .so object and headers but these were not found.
             [WARNING]  async_io: please install the libaio-dev package with apt
             [WARNING]  Please specify the CUTLASS repo directory as environment variable $CUTLASS_PATH
             [WARNING]  sparse_attn requires a torch version >= 1.5 and < 2.0 but detected 2.4
             [WARNING]  using untested triton version (3.0.0), only 1.0.0 is known to be compatible
            No module named 'apex' - falling back to torch.optim.AdamW
            [2026-03-01 02:22:19,802] [INFO] [comm.py:637:init_distributed] Not using the DeepSpeed or dist launchers, attempting to detect MPI environment...
            Traceback (most recent call last):
              File "/workspace/sft.py", line 164, in <module>
                main()
              File "/workspace/sft.py", line 52, in main
                deepspeed.init_distributed()
              File "/usr/local/lib/python3.10/dist-packages/deepspeed/comm/comm.py", line 642, in init_distributed
                mpi_discovery(distributed_port=distributed_port, verbose=verbose)
              File "/usr/local/lib/python3.10/dist-packages/deepspeed/comm/comm.py", line 702, in mpi_discovery
                from mpi4py import MPI
            ModuleNotFoundError: No module named 'mpi4py'
            """,
        ),
        never=("python_exception",),
    ),
    case(
        "held-r-package-missing",
        ("missing_module", "application_error"),
        "R: library() of a package that is not installed; causes.md words missing_module for Python, so the program's own error is allowed too",
        crashed(
            1,
            """
            R version 4.3.3 (2024-02-29) -- "Angel Food Cake"

            > options(error = NULL, warn = 1)
            > library(Seurat)
            Loading required package: SeuratObject
            Loading required package: sp

            Attaching package: ‘SeuratObject’

            The following objects are masked from ‘package:base’:

                intersect, t

            > library(harmony)
            Error in library(harmony) : there is no package called ‘harmony’
            Execution halted
            """,
            gpus=0,
            image="rocker/r-ver:4.3.3",
        ),
    ),
]

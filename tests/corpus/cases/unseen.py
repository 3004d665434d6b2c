"""Programs that ended, in words of public incidents that the rules were not tuned on: processes, GPUs, services."""

from __future__ import annotations

from collections.abc import Sequence

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import crashed, event, job, looping, on_node, on_owner, pod, raised, renamed


def end(
    id: str,  # noqa: A002 - as in `case`
    expected: str | Sequence[str],
    why: str,
    code: int,
    log: str,
    *,
    pair: str = "",
    never: Sequence[str] = (),
) -> LabelledCase:
    """A job of one pod of which only the exit code and the log are known."""
    return case(id, expected, why, crashed(code, log), pair=pair, never=never)


CASES = [
    # --- a launcher tells of a signal --------------------------------------------------------------------------------
    end(
        "unseen-tgi-signal-9",
        "killed_by_signal",
        "text-generation-launcher names signal 9 and nothing says why",
        1,
        """
        2026-03-01T02:51:31.317013Z  INFO shard-manager: text_generation_launcher: Waiting for shard to be ready... rank=0
        2026-03-01T02:51:38.895303Z  INFO shard-manager: text_generation_launcher: Waiting for shard to be ready... rank=1
        2026-03-01T02:51:43.498333Z ERROR shard-manager: text_generation_launcher: Shard process was signaled to shutdown with signal 9 rank=1
        2026-03-01T02:51:43.511200Z ERROR text_generation_launcher: Shard 1 failed to start
        2026-03-01T02:51:43.511240Z  INFO text_generation_launcher: Shutting down shards
        Error: ShardCannotStart
        """,
        pair="unseen-tgi",
        never=("container_oom",),
    ),
    end(
        "unseen-tgi-signal-7",
        "shm_exhausted",
        "signal 7 is SIGBUS; the maintainers' answer is the missing shm volume (text-generation-inference 446, 814)",
        1,
        """
        2026-03-01T02:51:38.895303Z  INFO shard-manager: text_generation_launcher: Waiting for shard to be ready... rank=2
        2026-03-01T02:51:43.498333Z ERROR shard-manager: text_generation_launcher: Shard process was signaled to shutdown with signal 7 rank=1
        2026-03-01T02:51:43.511200Z ERROR text_generation_launcher: Shard 1 failed to start
        Error: ShardCannotStart
        """,
        pair="unseen-tgi",
        never=("segfault", "killed_by_signal"),
    ),
    end(
        "unseen-tgi-signal-4",
        "illegal_instruction",
        "signal 4 is SIGILL (text-generation-inference 2238)",
        1,
        """
        2026-03-01T02:51:38.895303Z  INFO shard-manager: text_generation_launcher: Waiting for shard to be ready... rank=0
        2026-03-01T02:51:43.498333Z ERROR shard-manager: text_generation_launcher: Shard process was signaled to shutdown with signal 4 rank=0
        Error: ShardCannotStart
        """,
        pair="unseen-tgi",
    ),
    end(
        "unseen-mpirun-signal-6",
        "aborted",
        "Open MPI names the signal, glibc the reason",
        134,
        """
        corrupted size vs. prev_size while consolidating
        [gpu-07:00042] *** Process received signal ***
        [gpu-07:00042] Signal: Aborted (6)
        --------------------------------------------------------------------------
        mpirun noticed that process rank 3 with PID 42 on node gpu-07 exited on signal 6 (Aborted).
        --------------------------------------------------------------------------
        """,
        pair="unseen-mpirun",
    ),
    end(
        "unseen-mpirun-signal-11",
        "segfault",
        "the same launcher, another signal, and an exit code of its own",
        1,
        """
        [gpu-07:00042] Signal: Segmentation fault (11)
        [gpu-07:00042] Signal code: Address not mapped (1)
        [gpu-07:00042] Failing at address: 0x18
        --------------------------------------------------------------------------
        Primary job  terminated normally, but 1 process returned
        a non-zero exit code. Per user-direction, the job has been aborted.
        --------------------------------------------------------------------------
        mpirun noticed that process rank 1 with PID 42 on node gpu-07 exited on signal 11 (Segmentation fault).
        """,
        pair="unseen-mpirun",
        never=("aborted",),
    ),
    end(
        "unseen-jvm-hs-err",
        ("segfault", "aborted"),
        "the JVM catches SIGSEGV, writes its report and aborts: both names are true",
        134,
        """
        #
        # A fatal error has been detected by the Java Runtime Environment:
        #
        #  SIGSEGV (0xb) at pc=0x00007f3b1c0a2b3d, pid=1, tid=77
        #
        # Problematic frame:
        # C  [libxgboost4j.so+0x2b3d]
        #
        # Core dump will be written. Default location: /data/core.1
        """,
    ),
    end(
        "unseen-torchrun-death-signal",
        "killed_by_signal",
        "torchrun was asked to end and nothing says by whom",
        1,
        """
        step 411 loss 2.01
        W0301 02:54:59.100000 1 torch/distributed/elastic/agent/server/api.py:719] Received Signals.SIGTERM death signal, shutting down workers
        W0301 02:54:59.101000 1 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 67 closing signal SIGTERM
        Traceback (most recent call last):
          File "/usr/local/bin/torchrun", line 8, in <module>
            sys.exit(main())
          File "/usr/local/lib/python3.12/dist-packages/torch/distributed/elastic/multiprocessing/api.py", line 85, in _terminate_process_handler
            raise SignalException(f"Process {os.getpid()} got signal: {sigval}", sigval=sigval)
        torch.distributed.elastic.multiprocessing.api.SignalException: Process 1 got signal: 15
        """,
        pair="unseen-sigterm",
        never=("python_exception", "preempted"),
    ),
    case(
        "unseen-torchrun-death-signal-reclaimed",
        "preempted",
        "the same log, and the scheduler says that it took the pod back",
        crashed(
            1,
            "step 411 loss 2.01\n"
            "W0301 02:54:59.100000 1 torch/distributed/elastic/agent/server/api.py:719] Received Signals.SIGTERM death signal, shutting down workers\n"
            + raised(
                "torch.distributed.elastic.multiprocessing.api.SignalException: Process 1 got signal: 15",
                file="/usr/local/bin/torchrun",
            ),
            events=[
                event(
                    "Evict",
                    "Pod runai-vision/llama-ft-0-0 was reclaimed by workload runai-nlp/bert-big. Reclaimer queue nlp uses <2 GPUs> of its quota of <16 GPUs>",
                    kind="Normal",
                    source="runai-scheduler",
                    at=-5.2,
                )
            ],
        ),
        pair="unseen-sigterm",
        never=("python_exception", "killed_by_signal"),
    ),
    # --- memory ------------------------------------------------------------------------------------------------------
    case(
        "unseen-memcg-event-only",
        "container_oom",
        "kubelet says Error 137; the kernel's memory-cgroup event of that node and minute names the process",
        crashed(137, "Loading checkpoint shards:  83%|████████▎ | 25/30\n"),
        events=[
            on_node(
                "OOMKilling",
                "Memory cgroup out of memory: Killed process 2351442 (python) total-vm:301993216kB, anon-rss:67041280kB, file-rss:81920kB, shmem-rss:0kB, UID:0 pgtables:132480kB oom_score_adj:984",
                at=-5.1,
            )
        ],
        pair="unseen-137",
        never=("killed_by_signal",),
    ),
    end(
        "unseen-137-bare",
        "killed_by_signal",
        "the same end without the event",
        137,
        "Loading checkpoint shards:  83%|████████▎ | 25/30\n",
        pair="unseen-137",
        never=("container_oom",),
    ),
    end(
        "unseen-ray-memory-monitor",
        "application_memory_limit",
        "Ray's memory monitor killed the worker",
        1,
        raised(
            "ray.exceptions.OutOfMemoryError: Memory on the node (IP: 10.0.0.7, ID: 3f1c) where the task (actor ID: 28507c63, name=WorkerDict.__init__, pid=5226, memory used=71.20GB) was running was 121.85GB / 128.00GB (0.951953), which exceeds the memory usage threshold of 0.95. Ray killed this worker (ID: 8d14) because it was the most recently scheduled task",
            code="ray.get(refs)",
        ),
        pair="unseen-ray",
        never=("container_oom",),
    ),
    end(
        "unseen-ray-actor-died",
        "python_exception",
        "Ray lists what might have happened: none of the three is evidence",
        1,
        raised(
            "ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.\n"
            "\tclass_name: ActorModelRayActorBOX\n\tactor_id: f20da4dcf474d8bb05e952bb03000000\n\tpid: 5226\n"
            "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit detail: Worker unexpectedly exits with a connection error code 2. End of file. There are some potential root causes. (1) The process is killed by SIGKILL by OOM killer due to high memory usage. (2) ray stop --force is called. (3) The worker is crashed unexpectedly due to SIGSEGV or other unexpected errors.",
            code="ray.get(refs)",
        ),
        pair="unseen-ray",
        never=("container_oom", "segfault", "application_memory_limit"),
    ),
    end(
        "unseen-node-heap",
        "application_memory_limit",
        "V8 stopped itself at its own heap limit",
        134,
        """
        <--- Last few GCs --->
        [1:0x6f2a1c0]   184233 ms: Mark-Compact 4052.3 (4132.1) -> 4048.9 (4137.6) MB, 2104.1 / 0.0 ms allocation failure; scavenge might not succeed
        FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory
        ----- Native stack trace -----
        """,
        never=("aborted", "container_oom"),
    ),
    end(
        "unseen-jvm-gc-overhead",
        "application_memory_limit",
        "the JVM gave up at its own heap",
        3,
        """
        26/03/01 02:54:10 INFO Executor: Running task 3.0 in stage 2.0 (TID 83)
        java.lang.OutOfMemoryError: GC overhead limit exceeded
        Dumping heap to java_pid1.hprof ...
        Terminating due to java.lang.OutOfMemoryError: GC overhead limit exceeded
        """,
        never=("container_oom",),
    ),
    end(
        "unseen-broken-process-pool",
        "python_exception",
        "a pool process vanished; nothing says it was memory",
        1,
        raised(
            "concurrent.futures.process.BrokenProcessPool: A process in the process pool was terminated abruptly while the future was running or pending.",
            code="list(pool.map(tokenize, shards))",
        ),
        never=("container_oom", "killed_by_signal"),
    ),
    # --- space -------------------------------------------------------------------------------------------------------
    end(
        "unseen-torch-shm",
        "shm_exhausted",
        "errno 28 of a shared memory object is /dev/shm, not a disk",
        1,
        raised(
            "RuntimeError: unable to open shared memory object </torch_4242_3136229341_11> in read-write mode: No space left on device (28)",
            code="for batch in loader:",
        ),
        pair="unseen-enospc",
        never=("disk_full",),
    ),
    end(
        "unseen-nccl-shm",
        "shm_exhausted",
        "NCCL names the shared memory segment; what torch says after it is the consequence",
        1,
        """
        llama-ft-0-0:77:301 [0] misc/shmutils.cc:72 NCCL WARN Error: failed to extend /dev/shm/nccl-GbBsJx to 9637892 bytes
        llama-ft-0-0:77:301 [0] misc/shmutils.cc:113 NCCL WARN Error while creating shared memory segment /dev/shm/nccl-GbBsJx (size 9637888)
        llama-ft-0-0:77:301 [0] NCCL INFO transport/shm.cc:114 -> 2
        Traceback (most recent call last):
          File "/workspace/train.py", line 31, in <module>
            dist.barrier()
        torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1970, unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.20.5
        ncclSystemError: System call (e.g. socket, malloc) or external library call failed or device error.
        """,
        pair="unseen-enospc",
        never=("nccl_network_error", "disk_full"),
    ),
    end(
        "unseen-inotify",
        ("application_error", "python_exception"),
        "ENOSPC of inotify is a limit of watches, no disk is full",
        1,
        """
        node:internal/fs/watchers:247
            const error = new UVException({
        Error: ENOSPC: System limit for number of file watchers reached, watch '/app/models'
            at FSWatcher.<computed> (node:internal/fs/watchers:247:19)
            at Object.watch (node:fs:2473:36)
        Node.js v20.11.1
        """,
        pair="unseen-enospc",
        never=("disk_full", "shm_exhausted"),
    ),
    end(
        "unseen-torch-save-chained",
        "disk_full",
        "the first exception of the chain is the reason, the last its echo",
        1,
        """
        Traceback (most recent call last):
          File "/usr/local/lib/python3.12/dist-packages/torch/serialization.py", line 944, in save
            _save(obj, opened_zipfile, pickle_module, pickle_protocol)
          File "/usr/local/lib/python3.12/dist-packages/torch/serialization.py", line 1216, in _save
            zip_file.write_record(name, storage, num_bytes)
        OSError: [Errno 28] No space left on device

        During handling of the above exception, another exception occurred:

        Traceback (most recent call last):
          File "/workspace/train.py", line 210, in <module>
            torch.save(state, path)
        RuntimeError: [enforce fail at inline_container.cc:603] . unexpected pos 13451456 vs 13451350
        """,
        pair="unseen-enospc",
        never=("python_exception",),
    ),
    # --- shells and their files --------------------------------------------------------------------------------------
    end(
        "unseen-mkdir-denied",
        "permission_denied",
        "a shell's mkdir, EACCES",
        1,
        "+ mkdir -p /mnt/out/run-7\nmkdir: cannot create directory '/mnt/out/run-7': Permission denied\n",
        pair="unseen-mkdir",
    ),
    end(
        "unseen-mkdir-read-only",
        "read_only_filesystem",
        "the same command, EROFS",
        1,
        "+ mkdir -p /mnt/out/run-7\nmkdir: cannot create directory '/mnt/out/run-7': Read-only file system\n",
        pair="unseen-mkdir",
    ),
    end(
        "unseen-mkdir-full",
        "disk_full",
        "the same command, ENOSPC",
        1,
        "+ mkdir -p /mnt/out/run-7\nmkdir: cannot create directory '/mnt/out/run-7': No space left on device\n",
        pair="unseen-mkdir",
    ),
    end(
        "unseen-mkdir-stale",
        "storage_unresponsive",
        "the same command, ESTALE",
        1,
        "+ mkdir -p /mnt/out/run-7\nmkdir: cannot create directory '/mnt/out/run-7': Stale file handle\n",
        pair="unseen-mkdir",
    ),
    end(
        "unseen-fuse-gone",
        "storage_unresponsive",
        "ENOTCONN of a mount: its FUSE process is dead",
        1,
        raised(
            "OSError: [Errno 107] Transport endpoint is not connected: '/mnt/gcs/shards'", code="os.listdir(args.data)"
        ),
        never=("connection_refused", "missing_file"),
    ),
    end(
        "unseen-disk-quota",
        ("disk_full", "python_exception"),
        "EDQUOT: no room for this user; causes.md names only the full device",
        1,
        raised("OSError: [Errno 122] Disk quota exceeded: '/home/ada/ckpt/step_900.pt'"),
        never=("namespace_quota_exceeded", "project_over_quota"),
    ),
    end(
        "unseen-bash-parameter-null",
        "invalid_arguments",
        "`${DATA_ROOT:?}` ends a script with 127, and it is a missing variable",
        127,
        "+ source /opt/env.sh\n/workspace/run.sh: line 3: DATA_ROOT: parameter null or not set\n",
        never=("bad_command",),
    ),
    end(
        "unseen-bash-unbound",
        "invalid_arguments",
        "set -u and a variable that nobody set",
        1,
        "+ export NCCL_DEBUG=WARN\ntrain.sh: line 12: MODEL_DIR: unbound variable\n",
    ),
    end(
        "unseen-env-crlf",
        "bad_command",
        "a script with Windows line ends asks for an interpreter that is not there",
        127,
        "/usr/bin/env: 'python3\\r': No such file or directory\n",
        never=("missing_file",),
    ),
    end(
        "unseen-qemu-loader",
        "wrong_architecture",
        "the emulator of another architecture misses that architecture's loader",
        255,
        "qemu-x86_64: Could not open '/lib64/ld-linux-x86-64.so.2': No such file or directory\n",
        never=("missing_file", "missing_module"),
    ),
    end(
        "unseen-musl-library",
        "missing_module",
        "musl's loader says it in its own words",
        127,
        """
        Error loading shared library libstdc++.so.6: No such file or directory (needed by /usr/local/bin/tritonserver)
        Error relocating /usr/local/bin/tritonserver: _ZTVN10__cxxabiv1E: symbol not found
        """,
        never=("missing_file", "bad_command"),
    ),
    # --- imports and arguments ---------------------------------------------------------------------------------------
    end(
        "unseen-glibcxx",
        "missing_module",
        "ImportError of a shared library that lacks the version",
        1,
        raised(
            "ImportError: /usr/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /opt/conda/lib/python3.11/site-packages/scipy/_lib/_uarray.so)",
            code="import scipy.signal",
        ),
        pair="unseen-import",
    ),
    end(
        "unseen-cannot-import-name",
        "python_exception",
        "the library is there; it no longer has that name",
        1,
        raised(
            "ImportError: cannot import name 'LlamaFlashAttention2' from 'transformers.models.llama.modeling_llama' (/usr/local/lib/python3.12/dist-packages/transformers/models/llama/modeling_llama.py)",
            code="from transformers.models.llama.modeling_llama import LlamaFlashAttention2",
        ),
        pair="unseen-import",
    ),
    end(
        "unseen-env-rendezvous",
        "invalid_arguments",
        "torch names the environment variable that is missing",
        1,
        raised(
            "ValueError: Error initializing torch.distributed using env:// rendezvous: environment variable RANK expected, but not set",
            code='dist.init_process_group("nccl")',
        ),
        pair="unseen-environment",
        never=("nccl_network_error",),
    ),
    end(
        "unseen-keyerror-input-ids",
        "python_exception",
        "a key of a batch is no environment variable",
        1,
        raised("KeyError: 'INPUT_IDS'", code='ids = batch["INPUT_IDS"]'),
        pair="unseen-environment",
        never=("invalid_arguments",),
    ),
    end(
        "unseen-hydra",
        "invalid_arguments",
        "Hydra refuses an override",
        1,
        """
        Could not override 'trainer.gpus'.
        To append to your config use +trainer.gpus=8
        Key 'gpus' is not in struct
            full_key: trainer.gpus
            object_type=dict

        Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
        """,
    ),
    end(
        "unseen-clap",
        "invalid_arguments",
        "a Rust command line refuses an argument",
        2,
        """
        error: unexpected argument '--max-total-token' found

          tip: a similar argument exists: '--max-total-tokens'

        Usage: text-generation-launcher --max-total-tokens <MAX_TOTAL_TOKENS>

        For more information, try '--help'.
        """,
    ),
    end(
        "unseen-yaml-tab",
        "invalid_arguments",
        "the configuration file is no YAML",
        1,
        raised(
            "yaml.scanner.ScannerError: while scanning for the next token\nfound character '\\t' that cannot start any token\n  in \"/workspace/conf/axolotl.yml\", line 14, column 1",
            code="cfg = yaml.safe_load(file)",
        ),
    ),
    end(
        "unseen-vllm-max-len",
        ("invalid_arguments", "python_exception"),
        "a setting that the model cannot have: configuration, thrown as a validation error",
        1,
        raised(
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n"
            "  Value error, User-specified max_model_len (32768) is greater than the derived max_model_len (max_position_embeddings=8192 or model_max_length=None in model's config.json).",
            file="/usr/local/bin/vllm",
        ),
        pair="unseen-vllm",
        never=("cuda_oom",),
    ),
    end(
        "unseen-vllm-kv-need",
        "cuda_oom",
        "no room for one request's KV cache, said by the engine; the API server only repeats that it failed",
        1,
        """
        (EngineCore_DP0 pid=270) ERROR 03-01 02:54:18 [core.py:718] EngineCore failed to start.
        (EngineCore_DP0 pid=270) ERROR 03-01 02:54:18 [core.py:718] Traceback (most recent call last):
        (EngineCore_DP0 pid=270) ERROR 03-01 02:54:18 [core.py:718]   File "/usr/local/lib/python3.12/dist-packages/vllm/v1/core/kv_cache_utils.py", line 683, in check_enough_kv_cache_memory
        (EngineCore_DP0 pid=270) ERROR 03-01 02:54:18 [core.py:718]     raise ValueError(
        (EngineCore_DP0 pid=270) ERROR 03-01 02:54:18 [core.py:718] ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB KV cache is needed, which is larger than the available KV cache memory (3.82 GiB). Based on the available memory, the estimated maximum model length is 31264.
        (APIServer pid=1) Traceback (most recent call last):
        (APIServer pid=1)   File "/usr/local/bin/vllm", line 10, in <module>
        (APIServer pid=1)     sys.exit(main())
        (APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
        """,
        pair="unseen-vllm",
        never=("python_exception", "invalid_arguments"),
    ),
    end(
        "unseen-vllm-free-memory",
        "cuda_oom",
        "another process holds the GPU's memory; the framework refuses to start",
        1,
        """
        (EngineCore_DP0 pid=174) ERROR 03-01 02:54:24 [core.py:718]     raise ValueError(
        (EngineCore_DP0 pid=174) ERROR 03-01 02:54:24 [core.py:718] ValueError: Free memory on device (11.32/79.15 GiB) on startup is less than desired GPU memory utilization (0.9, 71.24 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.
        (APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'EngineCore_DP0': 1}
        """,
        pair="unseen-vllm",
        never=("python_exception",),
    ),
    case(
        "unseen-sglang-mem-fraction",
        "cuda_oom",
        "SGLang has no room for its pool and kills its own process tree: the 137 is its own doing",
        crashed(
            137,
            """
            [2026-03-01 02:54:43 TP0] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=1.31 GB
            [2026-03-01 02:54:44 TP0] Scheduler hit an exception: Traceback (most recent call last):
              File "/sgl-workspace/sglang/python/sglang/srt/managers/scheduler.py", line 2701, in run_scheduler_process
                scheduler = Scheduler(server_args, port_args, gpu_id, tp_rank, pp_rank, dp_rank)
              File "/sgl-workspace/sglang/python/sglang/srt/model_executor/model_runner.py", line 1148, in init_memory_pool
                raise RuntimeError(
            RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.

            [2026-03-01 02:54:44] Received sigquit from a child process. It usually means the child failed.
            """,
        ),
        never=("container_oom", "killed_by_signal"),
    ),
    # --- other languages ---------------------------------------------------------------------------------------------
    end(
        "unseen-rust-panic",
        "application_error",
        "a Rust program panicked",
        101,
        """
        thread 'tokio-runtime-worker' panicked at router/src/shard.rs:214:31:
        called `Result::unwrap()` on an `Err` value: InvalidHeaderLength
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
        """,
        pair="unseen-rust",
    ),
    end(
        "unseen-rust-denied",
        "permission_denied",
        "the panic carries EACCES",
        101,
        """
        thread 'main' panicked at src/main.rs:31:57:
        called `Result::unwrap()` on an `Err` value: Os { code: 13, kind: PermissionDenied, message: "Permission denied" }
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
        """,
        pair="unseen-rust",
    ),
    end(
        "unseen-rust-not-found",
        "missing_file",
        "the panic carries ENOENT",
        101,
        """
        thread 'main' panicked at src/main.rs:31:57:
        cannot open tokenizer: Os { code: 2, kind: NotFound, message: "No such file or directory" }
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
        """,
        pair="unseen-rust",
    ),
    end(
        "unseen-go-deadlock",
        "application_error",
        "Go ends with 2, which is no usage error here",
        2,
        """
        fatal error: all goroutines are asleep - deadlock!

        goroutine 1 [chan receive]:
        main.main()
        \t/src/cmd/shuffler/main.go:88 +0x1d4
        """,
        never=("invalid_arguments",),
    ),
    end(
        "unseen-gromacs",
        "application_error",
        "GROMACS ends on its own error",
        1,
        """
        -------------------------------------------------------
        Program:     gmx mdrun, version 2024.1
        Source file: src/gromacs/domdec/domdec.cpp (line 2258)

        Fatal error:
        There is no domain decomposition for 7 ranks that is compatible with the given box and a minimum cell size of 1.02 nm
        """,
    ),
    end(
        "unseen-nginx-port",
        "permission_denied",
        "a port below 1024 and no right to it",
        1,
        "2026/03/01 02:54:59 [emerg] 1#1: bind() to 0.0.0.0:80 failed (13: Permission denied)\nnginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)\n",
        never=("security_context_denied",),
    ),
    end(
        "unseen-cpp-filesystem",
        "missing_file",
        "an uncaught C++ exception that names the directory",
        134,
        """
        terminate called after throwing an instance of 'std::filesystem::__cxx11::filesystem_error'
          what():  filesystem error: directory iterator cannot open directory: No such file or directory [/data/shards/v4]
        """,
        never=("aborted",),
    ),
    # --- divergence --------------------------------------------------------------------------------------------------
    end(
        "unseen-megatron-nan",
        "training_diverged",
        "Megatron stops on a gradient that is NaN (Megatron-LM 780)",
        1,
        raised(
            "AssertionError: Rank 11: found NaN in local grad norm in backward pass before data-parallel communication collective. Device: 3, node: gpu-07",
            file="/opt/megatron/megatron/training/training.py",
        ),
        pair="unseen-nan",
        never=("python_exception",),
    ),
    end(
        "unseen-deepspeed-loss-scale",
        "training_diverged",
        "DeepSpeed overflows at the smallest loss scale and stops",
        1,
        """
        [2026-03-01 02:54:50,101] [INFO] [loss_scaler.py:190:update_scale] [deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 2, reducing to 1
        Traceback (most recent call last):
          File "/workspace/train.py", line 118, in <module>
            model.step()
        Exception: Current loss scale already at minimum - cannot decrease scale anymore. Exiting run.
        """,
        pair="unseen-nan",
        never=("python_exception",),
    ),
    end(
        "unseen-sklearn-nan",
        "python_exception",
        "NaN in the input data is no divergence",
        1,
        raised(
            "ValueError: Input X contains NaN.\nLogisticRegression does not accept missing values encoded as NaN natively.",
            code="probe.fit(X, y)",
        ),
        pair="unseen-nan",
        never=("training_diverged",),
    ),
    # --- GPUs --------------------------------------------------------------------------------------------------------
    end(
        "unseen-jax-cubin",
        "cuda_oom",
        "JAX's status guesses at another GPU; CUDA's own word is out of memory",
        1,
        """
        E0301 02:54:47.231964  290312 pjrt_stream_executor_client.cc:3077] Execution of replica 0 failed: RESOURCE_EXHAUSTED: Failed to load in-memory CUBIN (compiled for a different GPU?).: CUDA_ERROR_OUT_OF_MEMORY: out of memory
        Traceback (most recent call last):
          File "/workspace/train.py", line 97, in <module>
            state = step(state, batch)
        jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Failed to load in-memory CUBIN (compiled for a different GPU?).: CUDA_ERROR_OUT_OF_MEMORY: out of memory
        """,
        pair="unseen-resource-exhausted",
    ),
    end(
        "unseen-grpc-exhausted",
        "python_exception",
        "gRPC's RESOURCE_EXHAUSTED is the size of a message",
        1,
        raised(
            'grpc._channel._InactiveRpcError: <_InactiveRpcError of RPC that terminated with:\n\tstatus = StatusCode.RESOURCE_EXHAUSTED\n\tdetails = "Received message larger than max (52428800 vs. 4194304)"\n>',
            code="stub.Predict(request)",
        ),
        pair="unseen-resource-exhausted",
        never=("cuda_oom", "rate_limited"),
    ),
    end(
        "unseen-ggml-alloc",
        "cuda_oom",
        "llama.cpp cannot allocate its buffer",
        1,
        """
        ggml_backend_cuda_buffer_type_alloc_buffer: allocating 82432.00 MiB on device 0: cudaMalloc failed: out of memory
        alloc_tensor_range: failed to allocate CUDA0 buffer of size 86436216832
        llama_model_load: error loading model: unable to allocate CUDA0 buffer
        srv    load_model: failed to load model, '/models/llama-405b-q4.gguf'
        """,
    ),
    end(
        "unseen-cublas-alloc",
        "cuda_oom",
        "cuBLAS' own name for no GPU memory",
        1,
        raised("RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        pair="unseen-cublas",
    ),
    end(
        "unseen-device-assert-cublas",
        "cuda_illegal_access",
        "the assertion on the device came first, the library's failure after it",
        1,
        """
        /pytorch/aten/src/ATen/native/cuda/Indexing.cu:1553: indexSelectLargeIndex: block: [312,0,0], thread: [64,0,0] Assertion `srcIndex < srcSelectDimSize` failed.
        /pytorch/aten/src/ATen/native/cuda/Indexing.cu:1553: indexSelectLargeIndex: block: [312,0,0], thread: [65,0,0] Assertion `srcIndex < srcSelectDimSize` failed.
        Traceback (most recent call last):
          File "/workspace/train.py", line 71, in <module>
            out = model(**batch)
        RuntimeError: CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`
        """,
        pair="unseen-cublas",
        never=("cuda_oom", "python_exception"),
    ),
    end(
        "unseen-tf-ecc",
        "gpu_hardware_fault",
        "TensorFlow's wording of an uncorrectable ECC error",
        134,
        """
        F tensorflow/stream_executor/lib/statusor.cc:34] Attempting to fetch value instead of handling error Internal: failed initializing StreamExecutor for CUDA device ordinal 0: Internal: failed call to cuDevicePrimaryCtxRetain: CUDA_ERROR_ECC_UNCORRECTABLE: uncorrectable ECC error encountered
        Aborted (core dumped)
        """,
        never=("aborted",),
    ),
    end(
        "unseen-gpu-is-lost",
        "gpu_hardware_fault",
        "nvidia-smi's words for a GPU that fell off the bus",
        15,
        "+ nvidia-smi -L\nUnable to determine the device handle for GPU0000:9B:00.0: GPU is lost.  Reboot the system to recover this GPU\n",
        never=("no_gpu_visible",),
    ),
    end(
        "unseen-error-802",
        ("no_gpu_visible", "gpu_hardware_fault"),
        "the node's fabric manager does not run: no device can be used (huggingface_hub 4134)",
        1,
        raised(
            "RuntimeError: Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() that might have already set an error? Error 802: system not yet initialized",
            code="torch.cuda.set_device(0)",
        ),
        pair="unseen-cuda-init",
        never=("cuda_driver_mismatch",),
    ),
    end(
        "unseen-error-803",
        "cuda_driver_mismatch",
        "a neighbouring number, another matter",
        1,
        raised(
            "RuntimeError: Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices() that might have already set an error? Error 803: system has unsupported display driver / cuda driver combination",
            code="torch.cuda.set_device(0)",
        ),
        pair="unseen-cuda-init",
    ),
    end(
        "unseen-ptx-toolchain",
        "cuda_driver_mismatch",
        "the driver is older than the toolkit that made the PTX",
        1,
        raised("RuntimeError: CUDA error: the provided PTX was compiled with an unsupported toolchain."),
        pair="unseen-build",
    ),
    end(
        "unseen-no-kernel-image",
        "python_exception",
        "the build lacks this GPU's architecture: a newer driver would not help",
        1,
        """
        /usr/local/lib/python3.12/dist-packages/torch/cuda/__init__.py:235: UserWarning: NVIDIA B200 with CUDA capability sm_100 is not compatible with the current PyTorch installation.
        Traceback (most recent call last):
          File "/workspace/train.py", line 12, in <module>
            x = torch.zeros(1, device="cuda")
        RuntimeError: CUDA error: no kernel image is available for execution on the device
        """,
        pair="unseen-build",
        never=("cuda_driver_mismatch", "no_gpu_visible"),
    ),
    end(
        "unseen-lightning-no-gpu",
        "no_gpu_visible",
        "Lightning's words",
        1,
        raised(
            "lightning.fabric.utilities.exceptions.MisconfigurationException: No supported gpu backend found!",
            code='trainer = L.Trainer(accelerator="gpu")',
        ),
        never=("invalid_arguments",),
    ),
    # --- services ----------------------------------------------------------------------------------------------------
    end(
        "unseen-curl-6",
        "dns_failure",
        "curl by its exit codes",
        6,
        "curl: (6) Could not resolve host: s3.corp.example\n",
        pair="unseen-curl",
    ),
    end(
        "unseen-curl-7",
        "connection_refused",
        "an answer after three milliseconds is a refusal",
        7,
        "curl: (7) Failed to connect to s3.corp.example port 9000 after 3 ms: Couldn't connect to server\n",
        pair="unseen-curl",
    ),
    end(
        "unseen-curl-28",
        "connection_timeout",
        "curl by its exit codes",
        28,
        "curl: (28) Failed to connect to s3.corp.example port 9000 after 300001 ms: Timeout was reached\n",
        pair="unseen-curl",
    ),
    end(
        "unseen-curl-60",
        "tls_error",
        "curl by its exit codes",
        60,
        "curl: (60) SSL certificate problem: self-signed certificate in certificate chain\n",
        pair="unseen-curl",
    ),
    end(
        "unseen-curl-22-403",
        "credential_rejected",
        "curl --fail and a 403",
        22,
        "curl: (22) The requested URL returned error: 403\n",
        pair="unseen-curl",
        never=("permission_denied",),
    ),
    end(
        "unseen-curl-22-429",
        "rate_limited",
        "curl --fail and a 429",
        22,
        "curl: (22) The requested URL returned error: 429\n",
        pair="unseen-curl",
    ),
    end(
        "unseen-go-resolver-timeout",
        "dns_failure",
        "the timeout is that of the name server",
        1,
        'time="2026-03-01T02:54:59Z" level=fatal msg="cannot reach store" error="dial tcp: lookup etcd.infra.svc.cluster.local on 10.96.0.10:53: read udp 10.42.0.7:39211->10.96.0.10:53: i/o timeout"\n',
        pair="unseen-go-dial",
        never=("connection_timeout",),
    ),
    end(
        "unseen-go-dial-timeout",
        "connection_timeout",
        "the timeout is that of the service",
        1,
        'time="2026-03-01T02:54:59Z" level=fatal msg="cannot reach store" error="dial tcp 10.4.1.17:2379: i/o timeout"\n',
        pair="unseen-go-dial",
        never=("dns_failure",),
    ),
    end(
        "unseen-node-eai-again",
        "dns_failure",
        "Node's code for a name server without an answer",
        1,
        """
        Error: getaddrinfo EAI_AGAIN vault.infra.svc
            at GetAddrInfoReqWrap.onlookup [as oncomplete] (node:dns:107:26) {
          errno: -3001,
          code: 'EAI_AGAIN',
          syscall: 'getaddrinfo',
          hostname: 'vault.infra.svc'
        }
        """,
    ),
    end(
        "unseen-hf-offline-by-dns",
        "dns_failure",
        "the last exception hides it, the first says that the name was not resolved",
        1,
        """
        Traceback (most recent call last):
          File "/usr/local/lib/python3.12/dist-packages/urllib3/connection.py", line 199, in _new_conn
            raise NameResolutionError(self.host, self, e) from e
        urllib3.exceptions.NameResolutionError: <urllib3.connection.HTTPSConnection object at 0x7f1>: Failed to resolve 'huggingface.co' ([Errno -3] Temporary failure in name resolution)

        The above exception was the direct cause of the following exception:

        Traceback (most recent call last):
          File "/workspace/train.py", line 19, in <module>
            tokenizer = AutoTokenizer.from_pretrained("meta-llama/Llama-3.1-8B")
        OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached files.
        Check your internet connection or see how to run the library in offline mode at 'https://huggingface.co/docs/transformers/installation#offline-mode'.
        """,
        pair="unseen-hub",
        never=("missing_file", "python_exception"),
    ),
    end(
        "unseen-hf-gated",
        "credential_rejected",
        "the model is gated and this account not on its list",
        1,
        raised(
            "OSError: You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/meta-llama/Llama-3.1-8B.\n403 Client Error. (Request ID: Root=1-67c2)\n\nCannot access gated repo for url https://huggingface.co/meta-llama/Llama-3.1-8B/resolve/main/config.json.\nAccess to model meta-llama/Llama-3.1-8B is restricted and you are not in the authorized list.",
            code='AutoConfig.from_pretrained("meta-llama/Llama-3.1-8B")',
        ),
        pair="unseen-hub",
        never=("missing_file", "python_exception"),
    ),
    end(
        "unseen-git-publickey",
        "credential_rejected",
        "the answer of a git host to a key, not of a file",
        128,
        """
        Cloning into '/workspace/repo'...
        git@github.com: Permission denied (publickey).
        fatal: Could not read from remote repository.

        Please make sure you have the correct access rights
        and the repository exists.
        """,
        never=("permission_denied",),
    ),
    end(
        "unseen-java-pkix",
        "tls_error",
        "Java does not know the authority",
        1,
        """
        Exception in thread "main" javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target
        \tat java.base/sun.security.ssl.Alert.createSSLException(Alert.java:131)
        \tat com.example.Ingest.main(Ingest.java:44)
        """,
    ),
    end(
        "unseen-postgres-password",
        "credential_rejected",
        "the database refused the password",
        1,
        raised(
            'psycopg2.OperationalError: connection to server at "mlflow-db" (10.2.0.9), port 5432 failed: FATAL:  password authentication failed for user "mlflow"',
            code="psycopg2.connect(dsn)",
        ),
        never=("connection_refused",),
    ),
    end(
        "unseen-s3-slowdown",
        ("rate_limited", "python_exception"),
        "S3's throttle is a 503; causes.md speaks of 429",
        1,
        raised(
            "botocore.exceptions.ClientError: An error occurred (SlowDown) when calling the PutObject operation (reached max retries: 4): Please reduce your request rate."
        ),
    ),
    # --- the job's own limits ----------------------------------------------------------------------------------------
    case(
        "unseen-pytorchjob-deadline",
        "deadline_exceeded",
        "the training operator's words",
        pod(gone=True),
        job=job(
            "Failed", message="PyTorchJob llama-ft has failed because it was active longer than specified deadline"
        ),
        events=[
            on_owner(
                "PyTorchJobFailed",
                "PyTorchJob llama-ft has failed because it was active longer than specified deadline",
                owner="PyTorchJob",
            )
        ],
        pair="unseen-operator",
    ),
    case(
        "unseen-pytorchjob-backoff",
        "backoff_limit_exceeded",
        "the same operator, and nothing is left of the pods",
        pod(gone=True),
        job=job("Failed", message="PyTorchJob llama-ft has failed because it has reached the specified backoff limit"),
        events=[
            on_owner(
                "PyTorchJobFailed",
                "PyTorchJob llama-ft has failed because it has reached the specified backoff limit",
                owner="PyTorchJob",
            )
        ],
        pair="unseen-operator",
    ),
    case(
        "unseen-backoff-after-a-cause",
        "missing_module",
        "the limit came after three pods that lack a package",
        crashed(1, raised("ModuleNotFoundError: No module named 'flash_attn_2_cuda'", code="import flash_attn")),
        renamed(
            crashed(1, raised("ModuleNotFoundError: No module named 'flash_attn_2_cuda'"), at=-9), "llama-ft-0-0-x2k"
        ),
        events=[on_owner("BackoffLimitExceeded", "Job has reached the specified backoff limit")],
        consequences=("backoff_limit_exceeded",),
        pair="unseen-operator",
    ),
    case(
        "unseen-startup-probe",
        "probe_failed",
        "the model needed longer to load than the startup probe allows",
        looping(
            137,
            "INFO:     Loading weights took 412.10 seconds\nCapturing CUDA graphs:  41%\n",
            events=[
                event(
                    "Unhealthy", 'Startup probe failed: timeout: failed to connect service ":8001" within 1s', count=30
                ),
                event("Killing", "Container main failed startup probe, will be restarted", kind="Normal", count=5),
            ],
        ),
        never=("killed_by_signal", "container_oom", "connection_timeout"),
    ),
]

"""Logs as they are: what ended the program stands between launchers, trackers, threads, prefixes and other languages."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import container, crashed, ended, job, looping, on_node, pod

KILLED_RANK = (
    "Memory cgroup out of memory: Killed process 88103 (python) total-vm:213409812kB, anon-rss:66912344kB, file-rss:91240kB, "
    "shmem-rss:204800kB, UID:0 pgtables:240212kB oom_score_adj:972"
)
RAY_DIED = """
ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.
        class_name: create_colocated_worker_cls.<locals>.WorkerDict
        actor_id: 5066c201b724a3936948a11201000000
        pid: 87687
The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit detail: Worker unexpectedly exits with a connection error code 2. End of file. Some common causes include: (1) the process was killed by the OOM killer due to high memory usage, (2) ray stop --force was called, or (3) the worker crashed unexpectedly due to SIGSEGV or another unexpected error.
"""

CASES = [
    # --- what stands after the end -----------------------------------------------------------------------------------
    case(
        "noise-wandb-summary-after-traceback",
        "missing_module",
        "wandb prints thirty friendly lines after the traceback that ended the run",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 41, in <module>
                from peft import LoraConfig
            ModuleNotFoundError: No module named 'peft'
            wandb:
            wandb: Run history:
            wandb:       loss █▇▆▅▄▃▂▁
            wandb: Run summary:
            wandb:       loss 2.11
            wandb: You can sync this run to the cloud by running:
            wandb: wandb sync /workspace/wandb/offline-run-20260301_025401-8f21
            wandb: Find logs at: ./wandb/offline-run-20260301_025401-8f21/logs
            """,
        ),
    ),
    case(
        "noise-atexit-after-traceback",
        "python_exception",
        "what is ignored at interpreter exit killed nothing; the ValueError did",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 88, in <module>
                raise ValueError("warmup_steps must be smaller than max_steps")
            ValueError: warmup_steps must be smaller than max_steps
            Exception ignored in atexit callback: <function _exit_function at 0x7f2a>
            Traceback (most recent call last):
              File "/usr/lib/python3.10/multiprocessing/util.py", line 357, in _exit_function
                p.join()
            BrokenPipeError: [Errno 32] Broken pipe
            Exception ignored in: <function WeakValueDictionary.__init__.<locals>.remove at 0x7f11>
            PermissionError: [Errno 13] Permission denied: '/tmp/pymp-1'
            """,
        ),
        never=("permission_denied",),
    ),
    case(
        "noise-thread-after-main",
        "cuda_oom",
        "the pin-memory thread loses its peer because the main thread ran out of GPU memory first",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 120, in <module>
                loss.backward()
            torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.50 GiB. GPU 0 has a total capacity of 39.39 GiB of which 900.00 MiB is free.
            Exception in thread Thread-3 (_pin_memory_loop):
            Traceback (most recent call last):
              File "/usr/lib/python3.10/threading.py", line 1016, in _bootstrap_inner
                self.run()
              File "/usr/lib/python3.10/multiprocessing/connection.py", line 384, in _recv
                raise EOFError
            ConnectionRefusedError: [Errno 111] Connection refused
            """,
        ),
        never=("connection_refused", "python_exception"),
    ),
    case(
        "noise-nccl-warnings-at-start",
        "python_exception",
        "`NCCL WARN NET/IB : No device found` is said on every machine without InfiniBand",
        crashed(
            1,
            """
            llama-ft-0-0:61:190 [0] transport/net_ib.cc:198 NCCL WARN NET/IB : No device found.
            llama-ft-0-0:61:190 [0] NCCL INFO Using network Socket
            step 1 loss 9.2
            Traceback (most recent call last):
              File "/workspace/train.py", line 66, in <module>
                metric = METRICS[name]
            KeyError: 'bleu4'
            """,
        ),
        never=("nccl_network_error",),
    ),
    # --- launchers ---------------------------------------------------------------------------------------------------
    case(
        "launcher-accelerate",
        "missing_module",
        "accelerate's CalledProcessError is the launcher's echo",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/sft.py", line 6, in <module>
                import trl
            ModuleNotFoundError: No module named 'trl'
            Traceback (most recent call last):
              File "/usr/local/bin/accelerate", line 8, in <module>
                sys.exit(main())
              File "/usr/local/lib/python3.10/dist-packages/accelerate/commands/launch.py", line 763, in simple_launcher
                raise subprocess.CalledProcessError(returncode=process.returncode, cmd=cmd)
            subprocess.CalledProcessError: Command '['/usr/bin/python', 'sft.py']' returned non-zero exit status 1.
            """,
        ),
        never=("python_exception",),
        pair="launchers",
    ),
    case(
        "launcher-deepspeed-minus-9-explained",
        "container_oom",
        "DeepSpeed's launcher reports -9; the node's kernel says why",
        crashed(
            247,
            """
            [2026-03-01 02:54:57,841] [INFO] [launch.py:319:sigkill_handler] Killing subprocess 103
            [2026-03-01 02:54:58,999] [ERROR] [launch.py:325:sigkill_handler] ['/usr/bin/python', '-u', 'train.py', '--local_rank=0'] exits with return code = -9
            """,
        ),
        events=[on_node("OOMKilling", KILLED_RANK, at=-5.05)],
        never=("killed_by_signal", "application_error"),
        pair="launchers",
    ),
    case(
        "launcher-deepspeed-minus-9",
        "killed_by_signal",
        "the same without a word from the node",
        crashed(
            247,
            """
            [2026-03-01 02:54:57,841] [INFO] [launch.py:319:sigkill_handler] Killing subprocess 103
            [2026-03-01 02:54:58,999] [ERROR] [launch.py:325:sigkill_handler] ['/usr/bin/python', '-u', 'train.py', '--local_rank=0'] exits with return code = -9
            """,
        ),
        never=("application_error", "container_oom"),
        pair="launchers",
    ),
    case(
        "launcher-deepspeed-minus-11",
        "segfault",
        "DeepSpeed's launcher reports a segmentation fault",
        crashed(
            245,
            """
            [2026-03-01 02:54:57,841] [INFO] [launch.py:319:sigkill_handler] Killing subprocess 103
            [2026-03-01 02:54:58,999] [ERROR] [launch.py:325:sigkill_handler] ['/usr/bin/python', '-u', 'train.py', '--local_rank=1'] exits with return code = -11
            """,
        ),
        never=("application_error",),
    ),
    case(
        "launcher-mpi-prefixes",
        "python_exception",
        "mpirun prefixes each line of a rank's traceback",
        crashed(
            1,
            """
            [1,2]<stderr>:Traceback (most recent call last):
            [1,2]<stderr>:  File "/workspace/train_hvd.py", line 44, in <module>
            [1,2]<stderr>:    assert batch.shape[0] == local_batch
            [1,2]<stderr>:AssertionError
            --------------------------------------------------------------------------
            mpirun detected that one or more processes exited with non-zero status, thus causing
            the job to be terminated. The first process to do so was:
              Process name: [[31337,1],2]
              Exit code:    1
            --------------------------------------------------------------------------
            """,
        ),
    ),
    case(
        "ray-actor-died-explained",
        "container_oom",
        "Ray only lists what may have happened; the node's kernel names a process of this pod at that second",
        crashed(1, RAY_DIED),
        events=[on_node("OOMKilling", KILLED_RANK.replace("(python)", "(ray::WorkerDict)"), at=-5.1)],
        never=("segfault", "python_exception", "application_memory_limit"),
        pair="ray",
    ),
    case(
        "ray-task-error",
        "python_exception",
        "RayTaskError carries the exception of the remote function",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/rl.py", line 210, in <module>
                ray.get(refs)
            ray.exceptions.RayTaskError(IndexError): ray::Rollout.step() (pid=411, ip=10.244.3.18)
              File "/workspace/rollout.py", line 61, in step
                action = actions[i]
            IndexError: list index out of range
            """,
        ),
        never=("application_memory_limit",),
        pair="ray",
    ),
    # --- data loaders ------------------------------------------------------------------------------------------------
    case(
        "loader-caught-in-worker",
        "missing_file",
        "PyTorch re-raises a worker's exception with its type in the message",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 55, in <module>
                for batch in loader:
              File "/usr/local/lib/python3.10/dist-packages/torch/_utils.py", line 705, in reraise
                raise exception
            FileNotFoundError: Caught FileNotFoundError in DataLoader worker process 3.
            Original Traceback (most recent call last):
              File "/usr/local/lib/python3.10/dist-packages/torch/utils/data/_utils/worker.py", line 309, in _worker_loop
                data = fetcher.fetch(index)
              File "/workspace/data.py", line 40, in __getitem__
                return Image.open(self.root / name)
            FileNotFoundError: [Errno 2] No such file or directory: '/datasets/coco/000000391895.jpg'
            """,
        ),
        never=("shm_exhausted", "python_exception"),
        pair="loader",
    ),
    case(
        "loader-worker-killed",
        "container_oom",
        "a loader worker was SIGKILLed and the kernel says it was the cgroup's limit: memory, not /dev/shm",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 55, in <module>
                for batch in loader:
              File "/usr/local/lib/python3.10/dist-packages/torch/utils/data/_utils/signal_handling.py", line 67, in handler
                _error_if_any_worker_fails()
            RuntimeError: DataLoader worker (pid 2154) is killed by signal: Killed.
            """,
        ),
        events=[on_node("OOMKilling", KILLED_RANK, at=-5.1)],
        never=("shm_exhausted", "python_exception"),
        pair="loader",
    ),
    case(
        "loader-worker-killed-unexplained",
        "killed_by_signal",
        "the same without the kernel's word",
        crashed(1, "RuntimeError: DataLoader worker (pid 2154) is killed by signal: Killed.\n"),
        never=("shm_exhausted", "container_oom"),
        pair="loader",
    ),
    # --- formats of tracebacks ---------------------------------------------------------------------------------------
    case(
        "format-rich",
        "python_exception",
        "rich draws its tracebacks in a box",
        crashed(
            1,
            """
            ╭───────────────────── Traceback (most recent call last) ──────────────────────╮
            │ /workspace/cli.py:77 in train                                                │
            │                                                                              │
            │   74 │   splits = load(cfg)                                                  │
            │ ❱ 77 │   raise RuntimeError(f"unknown split {name}")                         │
            ╰──────────────────────────────────────────────────────────────────────────────╯
            RuntimeError: unknown split 'dev2'
            """,
        ),
    ),
    case(
        "format-exception-group",
        "connection_refused",
        "an ExceptionGroup of a task group with one refused connection in it",
        crashed(
            1,
            """
              + Exception Group Traceback (most recent call last):
              |   File "/workspace/feed.py", line 31, in <module>
              |     asyncio.run(main())
              | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
              +-+---------------- 1 ----------------
                | Traceback (most recent call last):
                |   File "/workspace/feed.py", line 17, in consume
                |     reader, writer = await asyncio.open_connection("kafka.data.svc", 9092)
                | ConnectionRefusedError: [Errno 111] Connect call failed ('10.96.3.4', 9092)
                +------------------------------------
            """,
        ),
        never=("python_exception",),
    ),
    case(
        "format-log-prefixes",
        "missing_file",
        "every line of the traceback carries the logger's prefix",
        crashed(
            1,
            """
            2026-03-01 02:54:58,101 ERROR train Traceback (most recent call last):
            2026-03-01 02:54:58,101 ERROR train   File "/workspace/train.py", line 40, in <module>
            2026-03-01 02:54:58,101 ERROR train     vocab = open(path)
            2026-03-01 02:54:58,101 ERROR train FileNotFoundError: [Errno 2] No such file or directory: '/data/vocab.json'
            """,
        ),
        never=("application_error",),
    ),
    case(
        "format-rank-prefixes-vllm",
        "credential_rejected",
        "vLLM prefixes process and pid; the gated repository is the cause under the engine's summary",
        looping(
            1,
            """
            (APIServer pid=1) Traceback (most recent call last):
            (APIServer pid=1)   File "/opt/venv/lib/python3.12/site-packages/huggingface_hub/utils/_http.py", line 423, in hf_raise_for_status
            (APIServer pid=1)     raise _format(GatedRepoError, message, response) from e
            (APIServer pid=1) huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-6)
            (APIServer pid=1)
            (APIServer pid=1) Cannot access gated repo for url https://huggingface.co/google/gemma-3-27b-it/resolve/main/config.json.
            (APIServer pid=1) Access to model google/gemma-3-27b-it is restricted. You must have access to it and be authenticated to access it. Please log in.
            """,
        ),
        job=job("Degraded", kind="Inference", image="vllm/vllm-openai:v0.10.1"),
        never=("python_exception", "permission_denied"),
    ),
    case(
        "format-latin-1",
        "python_exception",
        "bytes that are no UTF-8 in the message",
        crashed(
            1,
            'Traceback (most recent call last):\n  File "/workspace/einlesen.py", line 5, in <module>\n    lies()\n'
            "ValueError: ung\udcfcltige Zeile 17\n",
        ),
    ),
    case(
        "format-crlf",
        "missing_module",
        "Windows line ends",
        crashed(
            1,
            'Traceback (most recent call last):\r\n  File "/workspace/train.py", line 1, in <module>\r\n    import jax\r\n'
            "ModuleNotFoundError: No module named 'jax'\r\n",
        ),
    ),
    case(
        "script-with-crlf",
        ("bad_command", "missing_file"),
        "a script written on Windows: env looks for `bash\\r`; the interpreter is what is not found",
        crashed(127, "/usr/bin/env: 'bash\\r': No such file or directory\n"),
        never=("application_error",),
        pair="exit-127",
    ),
    # --- other languages and tools -----------------------------------------------------------------------------------
    case(
        "tool-chinese-126",
        "not_executable",
        "bash in a Chinese locale; the exit code is language enough",
        crashed(126, "bash: ./run.sh: 权限不够\n"),
        never=("permission_denied", "application_error"),
    ),
    case(
        "tool-japanese-traceback",
        "missing_file",
        "the program speaks Japanese, the interpreter does not",
        crashed(
            1,
            """
            学習を開始します
            データを読み込めませんでした
            Traceback (most recent call last):
              File "/workspace/gakushu.py", line 12, in <module>
                data = open("/データ/訓練.jsonl")
            FileNotFoundError: [Errno 2] No such file or directory: '/データ/訓練.jsonl'
            """,
        ),
    ),
    case(
        "tool-pip-dns",
        "dns_failure",
        "pip's last line says no matching distribution; its retries say that the index could not be resolved",
        crashed(
            1,
            """
            WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/einops/
            ERROR: Could not find a version that satisfies the requirement einops (from versions: none)
            ERROR: No matching distribution found for einops
            """,
        ),
        never=("missing_module", "application_error"),
    ),
    case(
        "tool-apt-dns",
        "dns_failure",
        "apt cannot resolve its mirror; exit 100",
        crashed(
            100,
            """
            W: Failed to fetch http://archive.ubuntu.com/ubuntu/dists/jammy/InRelease  Could not resolve 'archive.ubuntu.com'
            E: Unable to locate package libgl1
            """,
        ),
        never=("application_error",),
    ),
    case(
        "tool-wget-403",
        "credential_rejected",
        "wget: 403 ends the download step",
        crashed(
            8,
            """
            HTTP request sent, awaiting response... 403 Forbidden
            2026-03-01 02:54:58 ERROR 403: Forbidden.
            """,
        ),
        never=("permission_denied", "application_error"),
        pair="denied",
    ),
    case(
        "tool-git-auth",
        "credential_rejected",
        "git: the host refuses the key",
        crashed(
            128,
            """
            Cloning into 'private'...
            git@github.com: Permission denied (publickey).
            fatal: Could not read from remote repository.

            Please make sure you have the correct access rights
            and the repository exists.
            """,
        ),
        never=("permission_denied", "application_error"),
        pair="denied",
    ),
    case(
        "tool-hub-offline",
        "connection_timeout",
        "transformers' closing sentence hides the connect timeout that the chain begins with",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/usr/local/lib/python3.10/dist-packages/urllib3/connection.py", line 207, in _new_conn
                raise ConnectTimeoutError(
            urllib3.exceptions.ConnectTimeoutError: (<urllib3.connection.HTTPSConnection object at 0x7f>, 'Connection to huggingface.co timed out. (connect timeout=10)')

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "/workspace/train.py", line 20, in <module>
                tok = AutoTokenizer.from_pretrained("gpt2")
            OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached files.
            Check your internet connection or see how to run the library in offline mode at 'https://huggingface.co/docs/transformers/installation#offline-mode'.
            """,
        ),
        never=("missing_file", "python_exception"),
        pair="timeouts",
    ),
    case(
        "tool-triton",
        ("application_error", "missing_file"),
        "Triton's own refusal to serve: a server in C++ that ended on its reported error, which in turn is a missing file",
        looping(
            1,
            """
            E0301 02:54:58.001 1 model_repository_manager.cc:1335] Poll failed for model directory 'ranker': failed to open text file for read /models/ranker/config.pbtxt: No such file or directory
            error: creating server: Internal - failed to load all models
            """,
            gpus=1,
        ),
        job=job("Degraded", kind="Inference"),
        never=("python_exception",),
    ),
    case(
        "tool-own-error-line",
        ("application_error", "python_exception"),
        "the script logs its own error and leaves with sys.exit(1): no exception, a reported error",
        crashed(1, "INFO loading\nERROR: dataset is not prepared, run prepare.py first\n"),
        never=("missing_file", "insufficient_evidence"),
    ),
    case(
        "cuda-oom-short-form",
        "cuda_oom",
        "the CUDA runtime's short form, as it comes when another process fills the GPU",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 11, in <module>
                model.to("cuda")
            RuntimeError: CUDA error: out of memory
            CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
            """,
        ),
        never=("container_oom", "python_exception"),
    ),
    case(
        "cuda-oom-cublas",
        ("cuda_oom", "python_exception"),
        "cuBLAS cannot allocate its workspace: GPU memory; the exception itself is not wrong",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 91, in <module>
                out = model(x)
            RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`
            """,
        ),
        never=("container_oom",),
    ),
    case(
        "init-container-waits-for-a-name",
        "dns_failure",
        "the init container loops on a name that does not exist; main waits",
        pod(
            container(
                {
                    "waiting": {
                        "reason": "CrashLoopBackOff",
                        "message": "back-off 5m0s restarting failed container=wait-db",
                    }
                },
                name="wait-db",
                role="init",
                gpus=0,
                restarts=7,
                last=ended(1, at=-3),
                previous="nc: bad address 'postgres.mlflow.svc'\n",
                log="nc: bad address 'postgres.mlflow.svc'\n",
            ),
            container({"waiting": {"reason": "PodInitializing"}}),
        ),
        job=job("Initializing", since=-40),
        never=("application_error",),
    ),
]

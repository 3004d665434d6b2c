"""How logs end, in the words of many programs: the exit code, the last lines, and the cause."""

from __future__ import annotations

from tests.diagnosis.cases import CHILD_FAILED, NCCL_TIMEOUT, STEPS, Labelled, ends
from tests.diagnosis.near_misses import CAUGHT
from tests.diagnosis.scene import traceback


def _uncaught(raised: str) -> str:
    return traceback(raised).split("loss 2.30\n")[1]


def _while_handling(first: str, then: str) -> str:
    return (
        CAUGHT.format(raised=first)
        + "\nDuring handling of the above exception, another exception occurred:\n\n"
        + _uncaught(then)
    )


_NOISE = "".join(
    f"WARNING: retrying request {n} after Connection reset\nGET /health 403\nCUDA out of memory handler installed\n"
    for n in range(5)
)
_ENDINGS: tuple[tuple[str, int, str], ...] = (
    (
        # Paddle turns its core's ResourceExhausted into Python's MemoryError; what is meant stands in the summary below.
        "cuda_oom",
        1,
        _uncaught("MemoryError: ")
        + "\n--------------------------------------\nC++ Traceback (most recent call last):\n"
        + "--------------------------------------\n0   conv2d_ad_func(paddle::Tensor const&, paddle::Tensor const&)\n\n"
        + "----------------------\nError Message Summary:\n----------------------\nResourceExhaustedError: \n\n"
        + "Out of memory error on GPU 0. Cannot allocate 1.562500GB memory on GPU 0, available memory is only 198MB.\n",
    ),
    (
        "segfault",
        1,
        STEPS
        + _uncaught("torch.multiprocessing.spawn.ProcessExitedException: process 0 terminated with signal SIGSEGV"),
    ),
    (
        "killed_by_signal",
        1,
        STEPS
        + _uncaught("subprocess.CalledProcessError: Command '['python', 'x.py']' died with <Signals.SIGKILL: 9>."),
    ),
    (
        "python_exception",
        1,
        _uncaught(
            "torch.multiprocessing.spawn.ProcessRaisedException: \n\n-- Process 3 terminated with the following error:\n"
            + _uncaught("ValueError: bad shard")
        ),
    ),
    (
        "python_exception",
        1,
        '    loss = f(x)\n  File "/workspace/train.py", line 55, in f\n    return x["a"]\nKeyError: \'a\'\n',
    ),
    ("python_exception", 1, _uncaught("ray.exceptions.RayTaskError(ValueError): ray::train() (pid=22, ip=10.0.0.1)")),
    (
        "dns_failure",
        1,
        _while_handling(
            "socket.gaierror: [Errno -3] Temporary failure in name resolution",
            "OSError: We couldn't connect to 'https://huggingface.co' to load this file",
        ),
    ),
    (
        "killed_by_signal",
        143,
        STEPS + _uncaught("torch.distributed.elastic.multiprocessing.api.SignalException: Process 1 got signal: 15"),
    ),
    (
        "killed_by_signal",
        137,
        _uncaught("ModuleNotFoundError: No module named 'flash_attn'")
        + "Using sdpa attention instead\nLoading weights\nWeights loaded\nCompiling\nCompiled\n",
    ),
    (
        "missing_module",
        1,
        _uncaught("ModuleNotFoundError: No module named 'flash_attn'")
        + "wandb: Waiting for W&B process to finish\nwandb: You can sync this run\n",
    ),
    (
        "cuda_oom",
        1,
        STEPS
        + "[rank0]: "
        + _uncaught("torch.OutOfMemoryError: CUDA out of memory. Tried").replace("\n", "\n[rank0]: "),
    ),
    ("python_exception", 1, STEPS + _uncaught("AssertionError")),
    (
        "permission_denied",
        1,
        "Error: listen EACCES: permission denied 0.0.0.0:80\n    at Server.setupListenHandle [as _listen2] (node:net:1800:21)\n",
    ),
    (
        "connection_refused",
        1,
        'psql: error: connection to server at "db.internal" (10.0.0.9), port 5432 failed: Connection refused\n',
    ),
    ("credential_rejected", 1, 'FATAL:  password authentication failed for user "trainer"\n'),
    ("missing_module", 1, "Error: Cannot find module 'express'\nRequire stack:\n- /app/index.js\n"),
    ("invalid_arguments", 1, "Error: unknown flag: --modle\nUsage:\n  serve [flags]\n"),
    (
        "nccl_timeout",
        134,
        STEPS
        + NCCL_TIMEOUT.format(rank=0)
        + "terminate called after throwing an instance of 'c10::DistBackendError'\n  what():  [PG ID 0 Rank 0] Watchdog caught collective operation timeout\n",
    ),
    ("bad_command", 127, "bash: line 1: accelerate: command not found\n"),
    (
        "segfault",
        139,
        STEPS
        + 'Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f (most recent call first):\n  File "/w/x.py", line 3 in f\n',
    ),
    ("aborted", 134, STEPS + "double free or corruption (!prev)\n"),
    (
        "segfault",
        1,
        STEPS
        + "mpirun noticed that process rank 3 with PID 0 on node worker-2 exited on signal 11 (Segmentation fault).\n",
    ),
    (
        "killed_by_signal",
        1,
        STEPS + "[launch.py:321:sigkill_handler] ['python', 'train.py'] exits with return code = -9\n",
    ),
    ("missing_file", 1, "cat: /config/train.yaml: No such file or directory\n"),
    (
        "disk_full",
        1,
        STEPS
        + _uncaught("RuntimeError: [enforce fail at inline_container.cc:595] . unexpected pos 1472 vs 1366\n")
        + _uncaught("OSError: [Errno 28] No space left on device"),
    ),
    (
        "disk_full",
        1,
        STEPS
        + "tar: /data/x: Wrote only 512 of 10240 bytes\ntar: Error is not recoverable: exiting now\ncp: error writing '/data/y': No space left on device\n",
    ),
    ("python_exception", 1, _uncaught("ValueError: expected 'CUDA out of memory' handling to be enabled")),
    ("python_exception", 1, _uncaught("RuntimeError: the request for token budget failed validation")),
    (
        "python_exception",
        1,
        STEPS
        + "ERROR upload failed: Connection refused, retrying 1/5\n"
        + STEPS
        + _uncaught("IndexError: list index out of range"),
    ),
    ("training_diverged", 1, STEPS + _uncaught("ValueError: Loss is NaN at step 20")),
    (
        "training_diverged",
        1,
        STEPS + _uncaught("RuntimeError: Function 'MulBackward0' returned nan values in its 0th output."),
    ),
    ("python_exception", 1, "epoch 1 loss: nan\nepoch 2 loss: nan\n" + _uncaught("KeyError: 'x'")),
    ("no_gpu_visible", 1, _uncaught("AssertionError: Torch not compiled with CUDA enabled")),
    (
        "cuda_oom",
        1,
        _uncaught(
            "RuntimeError: NCCL Error 1: unhandled cuda error (run with NCCL_DEBUG=INFO for details) Cuda failure 2 'out of memory'"
        ),
    ),
    (
        "rate_limited",
        1,
        _uncaught("openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached'}}"),
    ),
    (
        "credential_rejected",
        1,
        _uncaught("openai.AuthenticationError: Error code: 401 - {'error': 'Incorrect API key provided'}"),
    ),
    (
        "credential_rejected",
        1,
        _uncaught("requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://api.example.com/v1"),
    ),
    (
        "tls_error",
        1,
        _uncaught(
            "requests.exceptions.SSLError: HTTPSConnectionPool(host='pypi.corp', port=443): Max retries exceeded (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]')))"
        ),
    ),
    (
        "application_memory_limit",
        1,
        "<--- Last few GCs --->\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n",
    ),
    ("application_error", 101, "thread 'main' panicked at src/main.rs:4:5:\nindex out of bounds\n"),
    (
        "application_error",
        1,
        'Exception in thread "main" java.lang.IllegalStateException: bad state\n\tat com.x.Main.main(Main.java:5)\n',
    ),
    ("invalid_arguments", 1, _uncaught("omegaconf.errors.ConfigAttributeError: Key 'modle' is not in struct")),
    (
        "invalid_arguments",
        1,
        _uncaught(
            "pydantic_core._pydantic_core.ValidationError: 2 validation errors for TrainSettings\nlr\n  Field required"
        ),
    ),
    ("python_exception", 1, _uncaught("KeyError: 'LABEL'")),
    ("storage_unresponsive", 1, _uncaught("OSError: [Errno 5] Input/output error: '/mnt/nfs/shard'")),
    ("not_executable", 126, "/bin/sh: 1: /app/run.sh: Permission denied\n"),
    (
        "cuda_illegal_access",
        1,
        STEPS
        + "../aten/src/ATen/native/cuda/Indexing.cu:1236: block: [0,0,0], thread: [32,0,0] Assertion `srcIndex < srcSelectDimSize` failed.\n"
        + _uncaught("RuntimeError: CUDA error: device-side assert triggered"),
    ),
    (
        "shm_exhausted",
        1,
        _uncaught(
            "RuntimeError: NCCL error: Error while creating shared memory segment /dev/shm/nccl-AbC (size 9637888)"
        ),
    ),
    (
        "python_exception",
        1,
        _uncaught("RuntimeError: CUDA error: no kernel image is available for execution on the device"),
    ),
    ("shm_exhausted", 1, _uncaught("OSError: [Errno 28] No space left on device: '/dev/shm/ray_plasma'")),
    (
        "connection_timeout",
        1,
        _uncaught(
            "torch.distributed.DistNetworkError: The client socket has timed out after 900s while trying to connect to (master-0, 29500)."
        ),
    ),
    (
        "python_exception",
        1,
        STEPS + _uncaught("RuntimeError: probability tensor contains either `inf`, `nan` or element < 0"),
    ),
    ("read_only_filesystem", 1, "mkdir: cannot create directory '/models/x': Read-only file system\n"),
    ("killed_by_signal", 137, STEPS + "Killed\n"),
    ("permission_denied", 1, _uncaught("PermissionError: [Errno 1] Operation not permitted: '/dev/mem'")),
    ("python_exception", 1, _uncaught("OSError: [Errno 98] Address already in use")),
    ("cuda_oom", 1, _uncaught("torch.AcceleratorError: CUDA error: out of memory")),
    (
        "missing_module",
        1,
        _uncaught("OSError: libmpi.so.40: cannot open shared object file: No such file or directory"),
    ),
    ("invalid_arguments", 1, _uncaught("ValueError: Missing required environment variable WANDB_PROJECT")),
    ("invalid_arguments", 2, "train.py: error: unrecognized arguments: --foo\n"),
    (
        "missing_file",
        1,
        'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\n    a()\n  File "/usr/lib/python3.11/pathlib.py", line 1, in open\n    return io.open()\nFileNotFoundError: [Errno 2] Datei oder Verzeichnis nicht gefunden: \'/daten/x\'\n',
    ),
    ("segfault", 139, "/run.sh: Zeile 3:    12 Speicherzugriffsfehler  ./train\n"),
    (
        "nccl_timeout",
        1,
        STEPS
        + _uncaught(
            "torch.distributed.DistBackendError: [0] is setting up NCCL communicator and retrieving ncclUniqueId from [0] via c10d key-value store by key '0', but store->get('0') got error: Socket Timeout"
        ),
    ),
    (
        "cuda_oom",
        1,
        STEPS
        + "ERROR 03-01 02:54:00 engine.py:366] Error in memory profiling.\n"
        + _uncaught(
            "ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB KV cache is needed, which is larger than the available KV cache memory (9.83 GiB)."
        ),
    ),
    (
        "invalid_arguments",
        1,
        _uncaught("ValueError: Expected environment variable RANK, but environment variable RANK is not set"),
    ),
    (
        "invalid_arguments",
        1,
        _uncaught(
            "ValueError: Error initializing torch.distributed using env:// rendezvous: environment variable RANK expected, but not set"
        ),
    ),
    (
        "python_exception",
        1,
        _uncaught(
            "RuntimeError: Error(s) in loading state_dict for LlamaForCausalLM:\n\tsize mismatch for lm_head.weight"
        ),
    ),
    (
        "python_exception",
        1,
        _uncaught("safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge"),
    ),
    (
        "credential_rejected",
        1,
        _uncaught(
            "huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error. (Request ID: Root=1-67)\n\nRepository Not Found for url: https://huggingface.co/api/models/x"
        ),
    ),
    (
        "credential_rejected",
        1,
        _uncaught(
            "OSError: You are trying to access a gated repo.\nMake sure to have access to it at https://huggingface.co/meta-llama/Llama-3.1-8B."
        ),
    ),
    (
        "credential_rejected",
        1,
        _uncaught("wandb.errors.errors.AuthenticationError: The API key you provided is either invalid or missing."),
    ),
    (
        "invalid_arguments",
        1,
        _uncaught(
            "wandb.errors.errors.UsageError: api_key not configured (no-tty). call wandb.login(key=[your_api_key])"
        ),
    ),
    (
        "credential_rejected",
        1,
        _uncaught(
            "botocore.exceptions.ClientError: An error occurred (403) when calling the HeadObject operation: Forbidden"
        ),
    ),
    (
        "credential_rejected",
        1,
        _uncaught(
            "google.api_core.exceptions.Forbidden: 403 GET https://storage.googleapis.com/x: does not have storage.objects.get access"
        ),
    ),
    ("credential_rejected", 1, "fatal: Authentication failed for 'https://github.com/org/repo.git/'\n"),
    (
        "credential_rejected",
        128,
        "Cloning into 'repo'...\nfatal: could not read Username for 'https://github.com': No such device or address\n",
    ),
    (
        "dns_failure",
        128,
        "Cloning into 'repo'...\nfatal: unable to access 'https://github.com/org/repo/': Could not resolve host: github.com\n",
    ),
    ("dns_failure", 1, _uncaught("urllib.error.URLError: <urlopen error [Errno -2] Name or service not known>")),
    (
        "connection_refused",
        1,
        _uncaught("redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused."),
    ),
    (
        "connection_timeout",
        1,
        _uncaught(
            'psycopg2.OperationalError: connection to server at "10.0.0.2", port 5432 failed: Connection timed out'
        ),
    ),
    (
        "no_gpu_visible",
        1,
        "Fatal Python error\n"
        + _uncaught("RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU"),
    ),
    (
        "no_gpu_visible",
        1,
        _uncaught(
            "RuntimeError: Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False."
        ),
    ),
    (
        "cuda_driver_mismatch",
        1,
        _uncaught("RuntimeError: CUDA error: the provided PTX was compiled with an unsupported toolchain."),
    ),
    (
        "gpu_hardware_fault",
        1,
        STEPS
        + "NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, GPU has fallen off the bus.\n"
        + _uncaught("RuntimeError: CUDA error: unknown error"),
    ),
    (
        "gpu_hardware_fault",
        1,
        STEPS
        + "[ 123.4] NVRM: Xid (PCI:0000:3b:00): 48, pid=12, DBE (Double Bit Error) ECC Error\n"
        + _uncaught("RuntimeError: CUDA error: uncorrectable ECC error encountered"),
    ),
    (
        "cuda_illegal_access",
        1,
        STEPS
        + "NVRM: Xid (PCI:0000:3b:00): 31, pid=12, MMU Fault\n"
        + _uncaught("RuntimeError: CUDA error: an illegal memory access was encountered"),
    ),
    (
        "nccl_network_error",
        1,
        STEPS
        + "worker-1:71:90 [0] NCCL INFO ...\nworker-1:71:90 [2] transport/net_ib.cc:94 NCCL WARN NET/IB : Got async event : port error\nworker-1:71:90 [2] NCCL WARN NET/IB : Got completion from peer 10.1.0.3<4433> with status=12 opcode=0 len=0 vendor err 129\n"
        + _uncaught(
            "torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1333, remote process exited or there was a network error, NCCL version 2.18.1"
        ),
    ),
    (
        "python_exception",
        1,
        STEPS
        + "worker-1:71:90 [0] NCCL INFO NET/IB : No device found.\nworker-1:71:90 [0] NCCL INFO NET/Socket : Using [0]eth0\n"
        + _uncaught("RuntimeError: shape '[2, 3]' is invalid for input of size 5"),
    ),
    (
        "shm_exhausted",
        1,
        STEPS
        + _uncaught(
            "RuntimeError: DataLoader worker (pid 4242) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory."
        ),
    ),
    (
        "killed_by_signal",
        1,
        STEPS + _uncaught("RuntimeError: DataLoader worker (pid 4242) is killed by signal: Killed. "),
    ),
    (
        "missing_module",
        1,
        _uncaught(
            "ImportError: /usr/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.29' not found (required by /opt/x.so)"
        ),
    ),
    ("missing_module", 1, _uncaught("ImportError: cannot import name 'packaging' from 'pkg_resources'")),
    ("training_diverged", 1, STEPS + "Loss is nan, stopping training\n"),
    ("training_diverged", 1, STEPS + _uncaught("AssertionError: loss is NaN at iteration 2000")),
    (
        "training_diverged",
        1,
        STEPS
        + _uncaught(
            "RuntimeError: Rank 0: found NaN in local grad norm in backward pass before data-parallel communication collective. Device: 0, node: x"
        ),
    ),
    ("permission_denied", 1, "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)\n"),
    ("permission_denied", 1, "touch: cannot touch '/data/x': Permission denied\n"),
    ("bad_command", 127, "/entrypoint.sh: line 3: deepspeed: command not found\n"),
    ("bad_command", 127, "/bin/bash: /app/start.sh: No such file or directory\n"),
    (
        "invalid_arguments",
        2,
        "Usage: train.py [OPTIONS]\nTry 'train.py --help' for help.\n\nError: No such option: --epochz\n",
    ),
    (
        "invalid_arguments",
        1,
        "Error executing job with overrides: ['lr=x']\nomegaconf.errors.ValidationError: Value 'x' of type 'str' could not be converted to Float\n",
    ),
    (
        "application_memory_limit",
        1,
        STEPS + 'Exception in thread "Thread-2" java.lang.OutOfMemoryError: GC overhead limit exceeded\n',
    ),
    (
        "aborted",
        134,
        STEPS + "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n",
    ),
    (
        "segfault",
        1,
        STEPS
        + "*** Process received signal ***\nSignal: Segmentation fault (11)\nSignal code: Address not mapped (1)\n",
    ),
    ("wrong_architecture", 126, "/bin/sh: 1: /app/run: cannot execute binary file: Exec format error\n"),
    ("wrong_architecture", 255, "exec /docker-entrypoint.sh: exec format error\n"),
    ("disk_full", 1, STEPS + _uncaught("OSError: [Errno 122] Disk quota exceeded: '/home/x/ckpt'")),
    (
        "storage_unresponsive",
        1,
        STEPS + _uncaught("OSError: [Errno 107] Transport endpoint is not connected: '/mnt/s3'"),
    ),
    ("python_exception", 1, STEPS + _uncaught("TimeoutError: evaluation took longer than 600 s")),
    (
        "python_exception",
        1,
        STEPS
        + "W0301 disk nearly full: No space left on device soon? 97% used\n"
        + _uncaught("ZeroDivisionError: division by zero"),
    ),
    ("python_exception", 1, _uncaught("ValueError: 'Permission denied' is not a valid label")),
    ("application_error", 3, STEPS + "2026-03-01 02:55:00 CRITICAL trainer: cannot continue: dataset is empty\n"),
    ("insufficient_evidence", 1, "Hello\nWorld\n"),
    ("insufficient_evidence", 1, STEPS + "0 errors, 0 warnings\n"),
    (
        "python_exception",
        1,
        "2026-03-01 02:55:00,123 ERROR root: Uncaught\n"
        + _uncaught("KeyError: 'x'")
        + "2026-03-01 02:55:01,000 INFO root: shutting down\n2026-03-01 02:55:01,000 INFO root: metrics flushed\n",
    ),
    (
        "rate_limited",
        1,
        _uncaught(
            "botocore.exceptions.ClientError: An error occurred (SlowDown) when calling the PutObject operation (reached max retries: 4): Please reduce your request rate."
        ),
    ),
    ("tls_error", 1, "curl: (60) SSL certificate problem: self signed certificate in certificate chain\n"),
    ("connection_timeout", 1, "wget: unable to connect: Connection timed out\n"),
    (
        "connection_timeout",
        28,
        "curl: (28) Failed to connect to data.example.com port 443 after 130000 ms: Connection timed out\n",
    ),
    ("connection_refused", 7, "curl: (7) Failed to connect to db port 80: Connection refused\n"),
    ("python_exception", 1, _NOISE + _uncaught("IndexError: index 5 is out of bounds")),
    ("killed_by_signal", 137, _NOISE + STEPS),
    (
        "cuda_oom",
        1,
        _NOISE
        + _uncaught(
            "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.00 GiB (GPU 0; 79.15 GiB total capacity; 70 GiB already allocated)"
        ),
    ),
    ("insufficient_evidence", 1, _NOISE + STEPS),
    (
        "python_exception",
        1,
        STEPS
        + _uncaught("RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x8 and 16x4)")
        + "\nwandb: 🚀 View run at https://wandb.ai/x\nwandb: Find logs at: ./wandb/run\n",
    ),
    ("python_exception", 1, STEPS + "Error in sys.excepthook:\n" + _uncaught("ValueError: x")),
    (
        "missing_file",
        1,
        _uncaught("FileNotFoundError: [Errno 2] No such file or directory: '/d'")
        + _uncaught(
            "torch.distributed.DistBackendError: NCCL error: remote process exited or there was a network error"
        )
        + CHILD_FAILED.format(code=1, said="x"),
    ),
    (
        "python_exception",
        1,
        "\n".join(
            "2026-03-01T02:55:00.123456789Z " + part for part in (STEPS + _uncaught("KeyError: 'q'")).split("\n")
        ),
    ),
    (
        "python_exception",
        1,
        "\n".join(
            "2026-03-01T02:55:00.123456789Z stderr F " + part
            for part in (STEPS + _uncaught("KeyError: 'q'")).split("\n")
        ),
    ),
    (
        "python_exception",
        1,
        "(RayTrainWorker pid=77, ip=10.0.0.3) "
        + _uncaught("ValueError: bad").replace("\n", "\n(RayTrainWorker pid=77, ip=10.0.0.3) "),
    ),
    (
        "cuda_oom",
        1,
        STEPS
        + "(EngineCore_0 pid=99) ERROR 03-01 [core.py:700] EngineCore failed to start.\n(EngineCore_0 pid=99) "
        + _uncaught("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.")
        .rstrip()
        .replace("\n", "\n(EngineCore_0 pid=99) ")
        + "\n"
        + _uncaught("RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"),
    ),
    (
        "python_exception",
        1,
        STEPS
        + '  + Exception Group Traceback (most recent call last):\n  |   File "/w/a.py", line 3, in <module>\n  |     main()\n  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File "/w/a.py", line 9, in f\n    |     x()\n    | ValueError: bad\n    +------------------------------------\n',
    ),
    (
        "python_exception",
        1,
        STEPS + "2026-03-01 02:55:00.123 | ERROR    | __main__:main:12 - boom\n" + _uncaught("ValueError: boom"),
    ),
    (
        "python_exception",
        1,
        "\n".join(
            "2026-03-01 02:55:00,123 [ERROR] root: " + part for part in _uncaught("KeyError: 'q'").rstrip().split("\n")
        )
        + "\n",
    ),
    ("killed_by_signal", 137, STEPS + "/run.sh: Zeile 3:   12 Getötet                python train.py\n"),
    (
        "python_exception",
        1,
        "rn fn(*args)\n  File \"/workspace/train.py\", line 5, in g\n    raise ValueError('x')\nValueError: x\n",
    ),
    ("cuda_oom", 1, "0% 3/10 [00:01<00:02]\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB\n"),
)

ENDINGS: list[Labelled] = [
    ends(f"{code}, {log.strip().splitlines()[-1][:60]}", cause, code, log, sure=None) for cause, code, log in _ENDINGS
]

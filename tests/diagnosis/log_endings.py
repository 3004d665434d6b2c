"""How logs end, in the words of many programs: the exit code, the last lines, and the cause."""

from __future__ import annotations

from tests.diagnosis.cases import NCCL_TIMEOUT, STEPS, Labelled, ends
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


_ENDINGS: tuple[tuple[str, int, str], ...] = (
    ("segfault", 1, STEPS+_uncaught("torch.multiprocessing.spawn.ProcessExitedException: process 0 terminated with signal SIGSEGV")),
    ("killed_by_signal", 1, STEPS+_uncaught("subprocess.CalledProcessError: Command '['python', 'x.py']' died with <Signals.SIGKILL: 9>.")),
    ("python_exception", 1, _uncaught("torch.multiprocessing.spawn.ProcessRaisedException: \n\n-- Process 3 terminated with the following error:\n"+_uncaught("ValueError: bad shard"))),
    ("python_exception", 1, '    loss = f(x)\n  File "/workspace/train.py", line 55, in f\n    return x["a"]\nKeyError: \'a\'\n'),
    ("python_exception", 1, _uncaught("ray.exceptions.RayTaskError(ValueError): ray::train() (pid=22, ip=10.0.0.1)")),
    ("dns_failure", 1, _while_handling("socket.gaierror: [Errno -3] Temporary failure in name resolution", "OSError: We couldn't connect to 'https://huggingface.co' to load this file")),
    ("killed_by_signal", 143, STEPS+_uncaught("torch.distributed.elastic.multiprocessing.api.SignalException: Process 1 got signal: 15")),
    ("killed_by_signal", 137, _uncaught("ModuleNotFoundError: No module named 'flash_attn'")+"Using sdpa attention instead\nLoading weights\nWeights loaded\nCompiling\nCompiled\n"),
    ("missing_module", 1, _uncaught("ModuleNotFoundError: No module named 'flash_attn'")+"wandb: Waiting for W&B process to finish\nwandb: You can sync this run\n"),
    ("cuda_oom", 1, STEPS+"[rank0]: "+_uncaught("torch.OutOfMemoryError: CUDA out of memory. Tried").replace("\n","\n[rank0]: ")),
    ("python_exception", 1, STEPS+_uncaught("AssertionError")),
    ("permission_denied", 1, "Error: listen EACCES: permission denied 0.0.0.0:80\n    at Server.setupListenHandle [as _listen2] (node:net:1800:21)\n"),
    ("connection_refused", 1, "psql: error: connection to server at \"db.internal\" (10.0.0.9), port 5432 failed: Connection refused\n"),
    ("credential_rejected", 1, "FATAL:  password authentication failed for user \"trainer\"\n"),
    ("missing_module", 1, "Error: Cannot find module 'express'\nRequire stack:\n- /app/index.js\n"),
    ("invalid_arguments", 1, "Error: unknown flag: --modle\nUsage:\n  serve [flags]\n"),
    ("nccl_timeout", 134, STEPS+NCCL_TIMEOUT.format(rank=0)+"terminate called after throwing an instance of 'c10::DistBackendError'\n  what():  [PG ID 0 Rank 0] Watchdog caught collective operation timeout\n"),
    ("bad_command", 127, "bash: line 1: accelerate: command not found\n"),
    ("segfault", 139, STEPS+"Fatal Python error: Segmentation fault\n\nCurrent thread 0x00007f (most recent call first):\n  File \"/w/x.py\", line 3 in f\n"),
    ("aborted", 134, STEPS+"double free or corruption (!prev)\n"),
    ("segfault", 1, STEPS+"mpirun noticed that process rank 3 with PID 0 on node worker-2 exited on signal 11 (Segmentation fault).\n"),
    ("killed_by_signal", 1, STEPS+"[launch.py:321:sigkill_handler] ['python', 'train.py'] exits with return code = -9\n"),
    ("missing_file", 1, "cat: /config/train.yaml: No such file or directory\n"),
    ("disk_full", 1, STEPS+_uncaught("RuntimeError: [enforce fail at inline_container.cc:595] . unexpected pos 1472 vs 1366\n") + _uncaught("OSError: [Errno 28] No space left on device")),
    ("disk_full", 1, STEPS+"tar: /data/x: Wrote only 512 of 10240 bytes\ntar: Error is not recoverable: exiting now\ncp: error writing '/data/y': No space left on device\n"),
    ("python_exception", 1, _uncaught("ValueError: expected 'CUDA out of memory' handling to be enabled")),
    ("python_exception", 1, _uncaught("RuntimeError: the request for token budget failed validation")),
    ("python_exception", 1, STEPS+"ERROR upload failed: Connection refused, retrying 1/5\n"+STEPS+_uncaught("IndexError: list index out of range")),
    ("training_diverged", 1, STEPS+_uncaught("ValueError: Loss is NaN at step 20")),
    ("training_diverged", 1, STEPS+_uncaught("RuntimeError: Function 'MulBackward0' returned nan values in its 0th output.")),
    ("python_exception", 1, "epoch 1 loss: nan\nepoch 2 loss: nan\n"+_uncaught("KeyError: 'x'")),
    ("no_gpu_visible", 1, _uncaught("AssertionError: Torch not compiled with CUDA enabled")),
    ("cuda_oom", 1, _uncaught("RuntimeError: NCCL Error 1: unhandled cuda error (run with NCCL_DEBUG=INFO for details) Cuda failure 2 'out of memory'")),
    ("rate_limited", 1, _uncaught("openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached'}}")),
    ("credential_rejected", 1, _uncaught("openai.AuthenticationError: Error code: 401 - {'error': 'Incorrect API key provided'}")),
    ("credential_rejected", 1, _uncaught("requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://api.example.com/v1")),
    ("tls_error", 1, _uncaught("requests.exceptions.SSLError: HTTPSConnectionPool(host='pypi.corp', port=443): Max retries exceeded (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]')))")),
    ("application_memory_limit", 1, "<--- Last few GCs --->\nFATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n"),
    ("application_error", 101, "thread 'main' panicked at src/main.rs:4:5:\nindex out of bounds\n"),
    ("application_error", 1, "Exception in thread \"main\" java.lang.IllegalStateException: bad state\n\tat com.x.Main.main(Main.java:5)\n"),
    ("invalid_arguments", 1, _uncaught("omegaconf.errors.ConfigAttributeError: Key 'modle' is not in struct")),
    ("invalid_arguments", 1, _uncaught("pydantic_core._pydantic_core.ValidationError: 2 validation errors for TrainSettings\nlr\n  Field required")),
    ("python_exception", 1, _uncaught("KeyError: 'LABEL'")),
    ("storage_unresponsive", 1, _uncaught("OSError: [Errno 5] Input/output error: '/mnt/nfs/shard'")),
    ("not_executable", 126, "/bin/sh: 1: /app/run.sh: Permission denied\n"),
    ("cuda_illegal_access", 1, STEPS+"../aten/src/ATen/native/cuda/Indexing.cu:1236: block: [0,0,0], thread: [32,0,0] Assertion `srcIndex < srcSelectDimSize` failed.\n"+_uncaught("RuntimeError: CUDA error: device-side assert triggered")),
    ("shm_exhausted", 1, _uncaught("RuntimeError: NCCL error: Error while creating shared memory segment /dev/shm/nccl-AbC (size 9637888)")),
    ("python_exception", 1, _uncaught("RuntimeError: CUDA error: no kernel image is available for execution on the device")),
    ("shm_exhausted", 1, _uncaught("OSError: [Errno 28] No space left on device: '/dev/shm/ray_plasma'")),
    ("connection_timeout", 1, _uncaught("torch.distributed.DistNetworkError: The client socket has timed out after 900s while trying to connect to (master-0, 29500).")),
    ("python_exception", 1, STEPS+_uncaught("RuntimeError: probability tensor contains either `inf`, `nan` or element < 0")),
    ("read_only_filesystem", 1, "mkdir: cannot create directory '/models/x': Read-only file system\n"),
    ("killed_by_signal", 137, STEPS+"Killed\n"),
    ("permission_denied", 1, _uncaught("PermissionError: [Errno 1] Operation not permitted: '/dev/mem'")),
    ("python_exception", 1, _uncaught("OSError: [Errno 98] Address already in use")),
    ("cuda_oom", 1, _uncaught("torch.AcceleratorError: CUDA error: out of memory")),
    ("missing_module", 1, _uncaught("OSError: libmpi.so.40: cannot open shared object file: No such file or directory")),
    ("invalid_arguments", 1, _uncaught("ValueError: Missing required environment variable WANDB_PROJECT")),
    ("invalid_arguments", 2, "train.py: error: unrecognized arguments: --foo\n"),
    ("missing_file", 1, "Traceback (most recent call last):\n  File \"x.py\", line 1, in <module>\n    a()\n  File \"/usr/lib/python3.11/pathlib.py\", line 1, in open\n    return io.open()\nFileNotFoundError: [Errno 2] Datei oder Verzeichnis nicht gefunden: '/daten/x'\n"),
    ("segfault", 139, "/run.sh: Zeile 3:    12 Speicherzugriffsfehler  ./train\n"),
)  # fmt: skip

ENDINGS: list[Labelled] = [
    ends(f"{code}, {log.strip().splitlines()[-1][:60]}", cause, code, log, sure=None) for cause, code, log in _ENDINGS
]

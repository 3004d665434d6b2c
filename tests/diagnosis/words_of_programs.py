"""How tools, clients and frameworks end, one line each: what raises, what prints, and what only resembles another cause."""

from __future__ import annotations

from tests.diagnosis.cases import STEPS, Labelled, ends
from tests.diagnosis.scene import traceback

LOGGED = "ERROR 03-01 02:54:51 [core.py:390] "
ENGINE = f'{LOGGED}EngineCore hit an exception: Traceback (most recent call last):\n{LOGGED}  File "/w/kv.py", line 462, in check\n{LOGGED}    raise ValueError\n{LOGGED}ValueError: {{said}}\n'
POINTS = "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"
BOX = "╭───── Traceback (most recent call last) ─────╮\n│ /workspace/cli.py:77 in train                │\n│ ❱ 77 │   raise RuntimeError(f'x {name}')     │\n╰──────────────────────────────────────────────╯\n"
TERMINATE = "terminate called after throwing an instance of '{type}'\n  what():  {said}\n"
WATCHDOG = (
    "[Rank 3] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=3, OpType=ALLREDUCE, Timeout(ms)=600000)"
)


def _after(link: str, first: str, then: str) -> str:
    return traceback(first) + f"\n{link}\n\n" + "Traceback" + traceback(then).split("Traceback")[1]


DIRECT = "The above exception was the direct cause of the following exception:"
DURING = "During handling of the above exception, another exception occurred:"

# What an uncaught exception says: the cause, and type with message.
_RAISED = (
    ("missing_module", "ImportError: FlashAttention2 has been toggled on, but it cannot be used due to the following error: the package flash_attn seems to be not installed."),
    ("missing_file", "OSError: Can't load tokenizer for '/models/llama'. If you were trying to load it from 'https://huggingface.co/models', make sure you don't have a local directory with the same name."),
    ("missing_file", "botocore.exceptions.ClientError: An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist."),
    ("missing_file", "huggingface_hub.errors.EntryNotFoundError: 404 Client Error. (Request ID: x)\n\nEntry Not Found for url: https://huggingface.co/x/resolve/main/config.json."),
    ("cuda_oom", "tensorflow.python.framework.errors_impl.ResourceExhaustedError: Graph execution error: OOM when allocating tensor with shape[64,1024] and type float on /device:GPU:0"),
    ("python_exception", "tensorflow.python.framework.errors_impl.ResourceExhaustedError: OOM when allocating tensor with shape[64,1024] and type float on /device:CPU:0"),
    ("cuda_oom", "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static."),
    ("cuda_driver_mismatch", "RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 803: system has unsupported display driver / cuda driver combination"),
    ("no_gpu_visible", "RuntimeError: Unable to initialize backend 'cuda': FAILED_PRECONDITION: No visible GPU devices."),
    ("no_gpu_visible", "RuntimeError: No GPU found. A GPU is needed for quantization."),
    ("python_exception", "RuntimeError: unable to open shared memory object </torch_31_4> in read-write mode: Too many open files (24)"),
    ("disk_full", "RuntimeError: PytorchStreamWriter failed writing file data/137: file write failed"),
    ("training_diverged", "Exception: Current loss scale already at minimum - cannot decrease scale anymore. Exiting run."),
    ("training_diverged", "ValueError: The loss returned in `training_step` is tensor(nan, device='cuda:0')."),
    ("training_diverged", "AssertionError: Rank 5: found NaN in local forward loss calculation. Device: 5, node: x"),
    ("python_exception", "ValueError: Input contains NaN."),
    ("credential_rejected", "wandb.errors.errors.CommError: user is not logged in"),
    ("credential_rejected", "azure.core.exceptions.ClientAuthenticationError: Server failed to authenticate the request."),
    ("credential_rejected", "google.auth.exceptions.RefreshError: ('invalid_grant: Invalid JWT Signature.', {'error': 'invalid_grant'})"),
    ("credential_rejected", "pymongo.errors.OperationFailure: Authentication failed., full error: {'ok': 0.0, 'code': 18}"),
    ("credential_rejected", "redis.exceptions.AuthenticationError: WRONGPASS invalid username-password pair or user is disabled."),
    ("connection_timeout", "pymongo.errors.ServerSelectionTimeoutError: mongo.data.svc:27017: timed out (configured timeouts: socketTimeoutMS: 20000.0ms), Timeout: 30s"),
    ("dns_failure", "pymongo.errors.ServerSelectionTimeoutError: mongo.data.svc:27017: [Errno -2] Name or service not known, Timeout: 30s"),
    ("connection_refused", "pymongo.errors.ServerSelectionTimeoutError: mongo.data.svc:27017: [Errno 111] Connection refused, Timeout: 30s"),
    ("connection_timeout", "TimeoutError: timed out"),
    ("connection_refused", "redis.exceptions.ConnectionError: Error 111 connecting to redis:6379."),
    ("invalid_arguments", "ValueError: Some specified arguments are not used by the HfArgumentParser: ['--lr_rate', '3']"),
    ("python_exception", "AssertionError: expected status 403 but got 200"),
    ("python_exception", "ValueError: token count 403 exceeds max 401"),
    ("python_exception", "KeyError: 'connection_timeout'"),
    ("python_exception", "ValueError: `No space left` is a reserved phrase"),
    ("python_exception", "RuntimeError: Dataset 'SIGKILL-traces' is not registered"),
    ("python_exception", "OSError: [Errno 98] Address already in use"),
    ("python_exception", "OSError: [Errno 24] Too many open files: '/data/x'"),
    ("python_exception", "subprocess.CalledProcessError: Command '['nvcc', '-V']' returned non-zero exit status 1."),
)  # fmt: skip

# What stands last in a log: the cause, the exit code, and the lines.
_PRINTED = (
    ("dns_failure", 100, "W: Failed to fetch http://archive.ubuntu.com/InRelease  Temporary failure resolving 'archive.ubuntu.com'\nE: Unable to locate package libgl1\n"),
    ("application_error", 100, "Reading package lists...\nE: Unable to locate package libgll1\n"),
    ("dns_failure", 1, "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(': Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/x/\nERROR: Could not find a version that satisfies the requirement x (from versions: none)\nERROR: No matching distribution found for x\n"),
    ("application_error", 1, "Collecting x==9.9\nERROR: Could not find a version that satisfies the requirement x==9.9 (from versions: 1.0, 2.0)\nERROR: No matching distribution found for x==9.9\n"),
    ("dns_failure", 1, "nc: bad address 'postgres.mlflow.svc'\n"),
    ("dns_failure", 4, "wget: unable to resolve host address 'data.example.com'\n"),
    ("dns_failure", 1, ";; connection timed out; no servers could be reached\n"),
    ("dns_failure", 1, "** server can't find mydb.default.svc.cluster.local: NXDOMAIN\n"),
    ("dns_failure", 1, 'nginx: [emerg] host not found in upstream "backend.svc" in /etc/nginx/conf.d/default.conf:5\n'),
    ("connection_timeout", 1, "wait-for-it.sh: waiting 15 seconds for db:5432\nwait-for-it.sh: timeout occurred after waiting 15 seconds for db:5432\n"),
    ("credential_rejected", 8, "HTTP request sent, awaiting response... 403 Forbidden\n2026-03-01 02:54:58 ERROR 403: Forbidden.\n"),
    ("credential_rejected", 22, "curl: (22) The requested URL returned error: 401\n"),
    ("credential_rejected", 1, "2026/03/01 ERROR : Attempt 3/3 failed with 1 errors and: AccessDenied: Access Denied\n"),
    ("permission_denied", 1, "2026/03/01 02:54:58 listen tcp :80: bind: permission denied\n"),
    ("invalid_arguments", 1, "FATAL Flags parsing error: Unknown command line flag 'lr_rate'. Did you mean: lr ?\nPass --helpshort or --helpfull to see help on flags.\n"),
    ("invalid_arguments", 1, "Could not override 'trainer.max_step'.\nTo append to your config use +trainer.max_step=1000\nKey 'max_step' is not in struct\n    full_key: trainer.max_step\n"),
    ("invalid_arguments", 1, "Primary config module 'conf' not found.\nCheck that it's correct and contains an __init__.py file\n"),
    ("invalid_arguments", 2, "error: unexpected argument '--modle' found\n\nUsage: serve [OPTIONS]\n"),
    ("disk_full", 1, "cp: Fehler beim Schreiben von '/data/x': Auf dem Gerät ist kein Speicherplatz mehr verfügbar\n"),
    ("disk_full", 1, "Error: Erreur d'écriture (os error 28)\n"),
    ("permission_denied", 1, "mkdir: impossible de créer le répertoire « /data/out »: Permission non accordée\n"),
    ("missing_file", 1, "cat: /data/x: 没有那个文件或目录\n"),
    ("connection_timeout", 28, "curl: (28) Failed to connect to data.example.com port 443 after 130000 ms: Connection timed out\n"),
    ("not_executable", 126, "bash: /workspace/run.sh: /bin/zsh: bad interpreter: No such file or directory\n"),
    ("application_memory_limit", 134, "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n 1: 0xb9c310 node::Abort() [node]\nAborted (core dumped)\n"),
    ("nccl_timeout", 134, f"[E ProcessGroupNCCL.cpp:616] {WATCHDOG}\n" + TERMINATE.format(type="c10::DistBackendError", said="x")),
    ("nccl_timeout", 1, f"[E ProcessGroupNCCL.cpp:821] {WATCHDOG}\nERROR:torch.distributed.elastic:failed (exitcode: -6) local_rank: 5 (pid: 108)\n  exitcode  : -6 (pid: 108)\n  traceback : Signal 6 (SIGABRT) received by PID 108\n"),
    ("cuda_oom", 134, TERMINATE.format(type="thrust::system::system_error", said="parallel_for failed: cudaErrorMemoryAllocation: out of memory")),
    ("aborted", 134, TERMINATE.format(type="std::logic_error", said="basic_string::_M_construct null not valid")),
    ("aborted", 134, "curl: (7) Failed to connect to proxy: Connection refused\nstarted without it\n" + TERMINATE.format(type="std::logic_error", said="x")),
    ("application_error", 2, "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0]\n\ngoroutine 1 [running]:\nmain.main()\n"),
    ("killed_by_signal", 1, "RuntimeError: DataLoader worker (pid 2154) is killed by signal: Killed.\n"),
    ("insufficient_evidence", 1, "ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.\nWorker exit detail: Worker unexpectedly exits. Some common causes include: (1) the process was killed by the OOM killer, or (3) the worker crashed unexpectedly due to SIGSEGV.\n"),
    ("python_exception", 1, "RuntimeError: shape '[4, 12]' is invalid for input of size 40\n"),
    ("python_exception", 1, BOX + "RuntimeError: unknown split 'dev2'\n"),
    ("missing_file", 1, BOX + "FileNotFoundError: [Errno 2] No such file or directory: '/data/x'\n"),
    ("cuda_oom", 1, ENGINE.format(said="No available memory for the cache blocks. Try increasing `gpu_memory_utilization`.") + traceback(POINTS).split("loss 2.30\n")[1]),
    ("python_exception", 1, ENGINE.format(said="Model architectures ['FooForCausalLM'] are not supported for now.") + traceback(POINTS).split("loss 2.30\n")[1]),
    ("disk_full", 1, _after(DURING, "OSError: [Errno 28] No space left on device", "RuntimeError: [enforce fail at inline_container.cc:603] . broken")),
    ("disk_full", 1, _after(DIRECT, "OSError: [Errno 28] No space left on device", "CheckpointError: could not save checkpoint 400")),
    ("python_exception", 1, _after(DURING, "FileNotFoundError: [Errno 2] No such file or directory: '/cache/x'", "ValueError: cannot build the index")),
    ("python_exception", 1, _after(DURING, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB.", "AttributeError: 'Trainer' object has no attribute 'halve'")),
    ("cuda_oom", 1, _after(DURING, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB.", "RuntimeError: could not roll back")),
    ("no_gpu_visible", 1, "RuntimeError: CUDA unknown error - this may be due to an incorrectly set up environment, e.g. changing env variable CUDA_VISIBLE_DEVICES\n"),
    ("insufficient_evidence", 1, STEPS + "batch done (28)\n"),
    ("python_exception", 1, traceback("RuntimeError: Build failed, see the logs above")),
    ("insufficient_evidence", 1, "faulthandler enabled for SIGSEGV, SIGABRT\nregistering handler for signal 9\nstarting\n"),
    ("python_exception", 1, "INFO: signal handlers: SIGTERM SIGKILL\n" + traceback("RuntimeError: bad state").split("loss 2.30\n")[1]),
    ("insufficient_evidence", 1, "Usage: 34 GB\nbye\n"),
    ("application_error", 1, "FAILED tests/test_auth.py::test_403 - assert 200 == 403\n=========== 1 failed in 2.1s ===========\n"),
    ("segfault", 139, "touch: /x: Permission denied\n" + STEPS),
)  # fmt: skip

# The cause may lie outside of the program, and nothing says so clearly: named, but not to be acted on unread.
_UNSURE = (
    ("connection_refused", "OSError: We couldn't connect to 'https://huggingface.co' to load this file"),
    ("python_exception", "acme.client.ServerError: upstream said no"),
    ("python_exception", "RuntimeError: CUDA error: no kernel image is available for execution on the device"),
    ("python_exception", "ImportError: /w/ext.so: undefined symbol: _ZN3c10"),
    ("python_exception", "ValueError: unknown optimizer 'adamz' in the configuration"),
    ("python_exception", "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
)
WORDS: list[Labelled] = [
    *(ends(f"raised, {raised[:70]}", cause, 1, traceback(raised), sure=None) for cause, raised in _RAISED),
    *(ends(f"{code}, {log.strip().splitlines()[-1][:70]}", cause, code, log, sure=None) for cause, code, log in _PRINTED),
    *(ends(f"unsure, {raised[:70]}", cause, 1, traceback(raised), sure=False) for cause, raised in _UNSURE),
]  # fmt: skip

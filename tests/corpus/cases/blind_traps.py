"""Words of one cause in an ending of another, written blind: what a confident answer must not fall for."""

from __future__ import annotations

from tests.corpus.case import LabelledCase
from tests.corpus.cases.unseen import end
from tests.corpus.wire import raised

_ENDINGS: tuple[tuple[str, str | tuple[str, ...], str, int, str], ...] = (
    ("oom-class-name", "python_exception", "a class is called after OOM", 1, raised("AttributeError: 'OOMHandler' object has no attribute 'retry_batch'")),
    ("json-401", "python_exception", "a number in a text to parse", 1, raised("json.decoder.JSONDecodeError: Expecting value: line 401 column 12 (char 40312)")),
    ("assert-429", "python_exception", "an assertion about lengths", 1, raised("AssertionError: expected 429 tokens, got 403")),
    ("value-timeout", ("python_exception", "invalid_arguments"), "a negative timeout is a wrong value", 1, raised("ValueError: timeout must be >= 0, got -1")),
    ("type-device", "python_exception", "a wrong argument of a device", 1, raised("TypeError: to() received an invalid combination of arguments - got (NoneType), but expected one of: (torch.device device, torch.dtype dtype)")),
    ("runtime-nccl-import", ("python_exception", "missing_module"), "torch without distributed", 1, raised("RuntimeError: Distributed package doesn't have NCCL built in")),
    ("import-cycle", "python_exception", "a circular import names a file", 1, raised("ImportError: cannot import name 'Trainer' from partially initialized module 'trainer' (most likely due to a circular import) (/workspace/trainer.py)")),
    ("import-guard", ("python_exception", "no_gpu_visible"), "an ImportError about hardware", 1, raised("ImportError: Using `bitsandbytes` 8-bit quantization requires a CUDA capable GPU, none is usable by this process")),
    ("import-version", ("python_exception", "missing_module"), "another version is wanted", 1, raised("ImportError: huggingface-hub>=0.30.0,<1.0 is required for a normal functioning of this module, but found huggingface-hub==1.0.1.")),
    ("import-vulkan", "python_exception", "an ImportError about a display driver", 1, raised("ImportError: Unable to create an OpenGL context: GLX is required, and no X11 display was given")),
    ("nan-embeddings", "python_exception", "an index refuses vectors with NaN", 1, raised("ValueError: NaN detected in input embeddings, row 4419 of shard 3")),
    ("nan-config", ("invalid_arguments", "python_exception"), "a NaN that was given as a setting", 1, raised("ValueError: learning_rate is nan: check the configuration")),
    ("inf-shape", "python_exception", "an overflow in a cast", 1, raised("OverflowError: cannot convert float infinity to integer")),
    ("memory-index", "python_exception", "memory in the name of a key", 1, raised("KeyError: 'gpu_memory'")),
    ("space-token", "python_exception", "space in other words", 1, raised("ValueError: no space left in vocabulary for new tokens: 50257 of 50257 used")),
    ("disk-cache-key", "python_exception", "a cache that is called disk", 1, raised("KeyError: 'disk_full'")),
    ("perm-index", "python_exception", "a permutation is no permission", 1, raised("RuntimeError: permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = 3 is not equal to len(dims) = 4")),
    ("s3-perm", "credential_rejected", "s3fs dresses a 403 as PermissionError", 1, raised("botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the HeadObject operation: Access Denied") + "\nThe above exception was the direct cause of the following exception:\n\n" + raised("PermissionError: Access Denied")),
    ("killed-word", "python_exception", "a game in which somebody is killed", 1, "step 4119 reward -1.0 agent killed by enemy\n" + raised("IndexError: list index out of range", file="/workspace/env.py")),
    ("signal-data", "python_exception", "signals of a data set", 1, raised("ValueError: signal 9 has 511 samples, expected 512")),
    ("abort-flag", ("invalid_arguments", "application_error"), "an option that is called abort", 2, "tool: error: unrecognized arguments: --abort-on-nan\n"),
    ("segment-model", "python_exception", "segmentation is a task here", 1, raised("ValueError: Segmentation map has 151 classes, the head has 150")),
    ("driver-selenium", ("python_exception", "missing_file"), "a driver of a browser", 1, raised("selenium.common.exceptions.WebDriverException: Message: 'chromedriver' executable needs to be in PATH.")),
    ("driver-db", ("python_exception", "missing_module"), "a driver of a database", 1, raised("pyodbc.Error: ('01000', \"[01000] [unixODBC][Driver Manager]Can't open lib 'ODBC Driver 18 for SQL Server' : file not found (0) (SQLDriverConnect)\")")),
    ("gpu-quota", ("python_exception", "rate_limited"), "a service's quota of GPUs", 1, raised("google.api_core.exceptions.ResourceExhausted: 429 The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_nvidia_h100_gpus")),
    ("heap-algorithm", "python_exception", "a heap of an algorithm", 1, raised("IndexError: index out of range: heap is empty")),
    ("thread-limit", ("python_exception", "application_error"), "no thread can be started: neither memory nor GPU is named", 1, raised("RuntimeError: can't start new thread")),
    ("fork-nomem", ("container_oom", "python_exception", "application_memory_limit"), "fork has no memory", 1, raised("OSError: [Errno 12] Cannot allocate memory")),
    ("conn-pool-db", ("connection_timeout", "python_exception"), "a pool of connections is used up", 1, raised("sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00")),
    ("sqlite-locked", ("python_exception", "storage_unresponsive"), "a lock of SQLite", 1, raised("sqlite3.OperationalError: database is locked")),
    ("table-missing", "python_exception", "a table is no file", 1, raised("psycopg2.errors.UndefinedTable: relation \"runs\" does not exist\nLINE 1: SELECT * FROM runs")),
    ("cuda-fork", "python_exception", "CUDA in a forked process is a bug", 1, raised("RuntimeError: Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you must use the 'spawn' start method")),
    ("cuda-deserialize", "no_gpu_visible", "a checkpoint of a GPU, loaded without one", 1, raised("RuntimeError: Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your storages to the CPU.")),
)  # fmt: skip
CASES: list[LabelledCase] = [
    end(f"trap-{name}", expected, why, code, log) for name, expected, why, code, log in _ENDINGS
]

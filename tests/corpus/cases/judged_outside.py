"""Services outside and GPUs: whole incidents by the second of two authors who had not seen the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import crashed, distributed


def fail(
    id: str,  # noqa: A002 - as in `case`
    expected: str | Sequence[str],
    why: str,
    log: str,
    code: int = 1,
    *,
    never: Sequence[str] = (),
    pair: str = "",
    **fields: Any,
) -> LabelledCase:
    """A training of one pod that failed, and what it wrote."""
    return case(id, expected, why, crashed(code, log, **fields), never=never, pair=pair)


CASES: list[LabelledCase] = [
    # --- logs: outside services ---------------------------------------------------------------------------------------
    fail(
        "judged-wandb-upsert-403",
        "credential_rejected",
        "carlosinator/tabasco#1, open-r1#323: W&B answers 403 PERMISSION_ERROR and wandb.init raises CommError",
        r"""
        [2025-07-04 23:57:29,101][__main__][INFO] - [rank: 0] Instantiating datamodule <tabasco.data.LitDataModule>
        [2025-07-04 23:57:31,884][__main__][INFO] - [rank: 0] Instantiating loggers...
        wandb: Currently logged in as: chem-bot (chem-lab) to https://api.wandb.ai. Use `wandb login --relogin` to force relogin
        wandb: Using wandb-core as the SDK backend.  Please refer to https://wandb.me/wandb-core for more information.
        GPU available: True (cuda), used: True
        TPU available: False, using: 0 TPU cores
        /opt/conda/lib/python3.11/site-packages/lightning/pytorch/loops/utilities.py:72: PossibleUserWarning: `max_epochs` was not set. Setting it to 1000 epochs.
        wandb: ERROR failed to upsert bucket: returned error 403 Forbidden: {"errors":[{"message":"permission denied","path":["upsertBucket"],"extensions":{"code":"PERMISSION_ERROR"}}],"data":{"upsertBucket":null}}
        [2025-07-04 23:57:34,283][tabasco.utils.utils][ERROR] - [rank: 0]
        Traceback (most recent call last):
          File "/workspace/tabasco/src/tabasco/utils/utils.py", line 72, in wrap
            metric_dict, object_dict = task_func(cfg=cfg)
          File "/workspace/tabasco/src/train.py", line 71, in train
            log_hyperparameters(object_dict)
          File "/opt/conda/lib/python3.11/site-packages/wandb/sdk/wandb_init.py", line 1035, in init
            raise CommError(error_message)
        wandb.errors.errors.CommError: failed to upsert bucket: returned error 403 Forbidden: {"errors":[{"message":"permission denied","path":["upsertBucket"],"extensions":{"code":"PERMISSION_ERROR"}}],"data":{"upsertBucket":null}}
        [2025-07-04 23:57:34,286][tabasco.utils.utils][INFO] - [rank: 0] Output dir: /data/outputs/2025-07-04/23-57-29
        Error executing job with overrides: ['experiment=hot_geom', 'trainer=gpu']

        Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
        """,
        never=("permission_denied", "python_exception", "invalid_arguments"),
    ),
    fail(
        "judged-rclone-accessdenied",
        "credential_rejected",
        "rclone forum: PutObject AccessDenied 403 after retries; Go log, exit 1",
        r"""
        2026/03/01 02:31:02 NOTICE: Config file "/home/trainer/.config/rclone/rclone.conf" not found - using defaults
        2026/03/01 02:31:02 INFO  : S3 bucket ckpt-archive path runs/17: Switched region to "eu-central-1" from "us-east-1"
        2026/03/01 02:31:09 ERROR : step_4000/optim.pt: Failed to copy: failed to upload chunk 1 with 67108864 bytes: operation error S3: UploadPart, https response error StatusCode: 403, RequestID: 8T2, api error AccessDenied: Access Denied
        2026/03/01 02:31:09 ERROR : Attempt 1/3 failed with 2 errors and: operation error S3: UploadPart, https response error StatusCode: 403, RequestID: 8T2, api error AccessDenied: Access Denied
        2026/03/01 02:31:20 ERROR : Attempt 2/3 failed with 2 errors and: operation error S3: UploadPart, https response error StatusCode: 403, RequestID: 9QX, api error AccessDenied: Access Denied
        2026/03/01 02:31:31 ERROR : Attempt 3/3 failed with 2 errors and: operation error S3: UploadPart, https response error StatusCode: 403, RequestID: B0A, api error AccessDenied: Access Denied
        2026/03/01 02:31:31 INFO  :
        Transferred:              0 B / 12.301 GiB, 0%, 0 B/s, ETA -
        Errors:                 2 (retrying may help)
        Elapsed time:        29.1s

        2026/03/01 02:31:31 Failed to sync with 2 errors: last error was: operation error S3: UploadPart, https response error StatusCode: 403, RequestID: B0A, api error AccessDenied: Access Denied
        """,
        gpus=0,
        never=("permission_denied", "application_error"),
    ),
    fail(
        "judged-hf-429-2",
        "rate_limited",
        "huggingface_hub issues: 429 Too Many Requests from the Hub's API ends snapshot_download",
        r"""
        2026-03-01 02:12:44.017 | INFO     | prep.download:main:31 - downloading HuggingFaceFW/fineweb-edu, 96 workers
        Fetching 2410 files:   3%|▎         | 71/2410 [00:31<14:20,  2.72it/s]
        Traceback (most recent call last):
          File "/usr/local/lib/python3.11/site-packages/huggingface_hub/utils/_http.py", line 409, in hf_raise_for_status
            response.raise_for_status()
          File "/usr/local/lib/python3.11/site-packages/requests/models.py", line 1024, in raise_for_status
            raise HTTPError(http_error_msg, response=self)
        requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api/datasets/HuggingFaceFW/fineweb-edu/revision/main

        The above exception was the direct cause of the following exception:

        Traceback (most recent call last):
          File "/workspace/prep/download.py", line 58, in <module>
            main()
          File "/workspace/prep/download.py", line 33, in main
            snapshot_download(repo, repo_type="dataset", max_workers=96)
          File "/usr/local/lib/python3.11/site-packages/huggingface_hub/utils/_http.py", line 481, in hf_raise_for_status
            raise _format(HfHubHTTPError, str(e), response) from e
        huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api/datasets/HuggingFaceFW/fineweb-edu/revision/main (Request ID: Root=1-67c2)

        We had to rate limit your IP (203.0.113.40). To continue using our service, create a HF account or login to your existing account, and make sure you pass a HF_TOKEN if you're using the API.
        """,
        gpus=0,
        never=("registry_rate_limited", "credential_rejected", "python_exception"),
    ),
    fail(
        "judged-mlflow-connect-timeout",
        "connection_timeout",
        "mlflow issues: tracking server does not answer, urllib3 ConnectTimeoutError after retries",
        r"""
        INFO:root:epoch 0 start
        WARNING:urllib3.connectionpool:Retrying (JitteredRetry(total=6, connect=6, read=7, redirect=7, status=7)) after connection broken by 'ConnectTimeoutError(<urllib3.connection.HTTPConnection object at 0x7f10>, 'Connection to mlflow.ml-platform.svc timed out. (connect timeout=120)')': /api/2.0/mlflow/runs/create
        WARNING:urllib3.connectionpool:Retrying (JitteredRetry(total=0, connect=0, read=7, redirect=7, status=7)) after connection broken by 'ConnectTimeoutError(<urllib3.connection.HTTPConnection object at 0x7f12>, 'Connection to mlflow.ml-platform.svc timed out. (connect timeout=120)')': /api/2.0/mlflow/runs/create
        Traceback (most recent call last):
          File "/workspace/train.py", line 77, in <module>
            with mlflow.start_run():
          File "/usr/local/lib/python3.10/site-packages/mlflow/utils/rest_utils.py", line 193, in http_request
            raise MlflowException(f"API request to {url} failed with exception {e}")
        mlflow.exceptions.MlflowException: API request to http://mlflow.ml-platform.svc:5000/api/2.0/mlflow/runs/create failed with exception HTTPConnectionPool(host='mlflow.ml-platform.svc', port=5000): Max retries exceeded with url: /api/2.0/mlflow/runs/create (Caused by ConnectTimeoutError(<urllib3.connection.HTTPConnection object at 0x7f13>, 'Connection to mlflow.ml-platform.svc timed out. (connect timeout=120)'))
        """,
        never=("python_exception", "connection_refused"),
    ),
    fail(
        "judged-optuna-postgres-refused-2",
        "connection_refused",
        "Stack Overflow 53277197 shape: psycopg2 OperationalError connection refused under SQLAlchemy",
        r"""
        [I 2026-03-01 02:50:11,007] sampler: TPESampler
        Traceback (most recent call last):
          File "/opt/venv/lib/python3.12/site-packages/sqlalchemy/engine/base.py", line 145, in __init__
            self._dbapi_connection = engine.raw_connection()
          File "/opt/venv/lib/python3.12/site-packages/psycopg2/__init__.py", line 122, in connect
            conn = _connect(dsn, connection_factory=connection_factory, **kwasync)
        psycopg2.OperationalError: connection to server at "optuna-db" (10.96.14.3), port 5432 failed: Connection refused
        	Is the server running on that host and accepting TCP/IP connections?

        The above exception was the direct cause of the following exception:

        Traceback (most recent call last):
          File "/workspace/sweep.py", line 19, in <module>
            study = optuna.create_study(storage=os.environ["STORAGE"], load_if_exists=True)
          File "/opt/venv/lib/python3.12/site-packages/optuna/storages/_rdb/storage.py", line 234, in __init__
            self.engine.connect()
        sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at "optuna-db" (10.96.14.3), port 5432 failed: Connection refused
        	Is the server running on that host and accepting TCP/IP connections?

        (Background on this error at: https://sqlalche.me/e/20/e3q8)
        """,  # noqa: E101
        never=("python_exception",),
    ),
    fail(
        "judged-hf-name-resolution",
        "dns_failure",
        "transformers issues: NameResolutionError for huggingface.co, then the OSError that advises offline mode",
        r"""
        INFO 03-01 02:40:03 [__init__.py:241] Automatically detected platform cuda.
        (APIServer pid=1) INFO 03-01 02:40:06 [api_server.py:1805] vLLM API server version 0.10.1
        (APIServer pid=1) INFO 03-01 02:40:06 [utils.py:326] non-default args: {'model': 'Qwen/Qwen2.5-7B-Instruct'}
        '(MaxRetryError("HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /Qwen/Qwen2.5-7B-Instruct/resolve/main/config.json (Caused by NameResolutionError(\"<urllib3.connection.HTTPSConnection object at 0x7fd8>: Failed to resolve 'huggingface.co' ([Errno -3] Temporary failure in name resolution)\"))"), '(Request ID: 2b7d)')' thrown while requesting HEAD https://huggingface.co/Qwen/Qwen2.5-7B-Instruct/resolve/main/config.json
        Retrying in 1s [Retry 1/5].
        Retrying in 8s [Retry 5/5].
        (APIServer pid=1) Traceback (most recent call last):
        (APIServer pid=1)   File "/usr/local/bin/vllm", line 10, in <module>
        (APIServer pid=1)     sys.exit(main())
        (APIServer pid=1)   File "/usr/local/lib/python3.12/dist-packages/transformers/utils/hub.py", line 543, in cached_files
        (APIServer pid=1)     raise OSError(
        (APIServer pid=1) OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the cached files.
        (APIServer pid=1) Check your internet connection or see how to run the library in offline mode at 'https://huggingface.co/docs/transformers/installation#offline-mode'.
        """,
        never=("missing_file", "python_exception", "connection_timeout"),
    ),
    fail(
        "judged-go-x509-unknown-authority",
        "tls_error",
        "common Go client message: certificate signed by unknown authority; logrus fatal exits 1",
        r"""
        time="2026-03-01T02:50:58Z" level=info msg="dataset-sync v0.9.2 starting" bucket=corpora workers=32
        time="2026-03-01T02:50:58Z" level=debug msg="metrics listening on :9100"
        time="2026-03-01T02:50:59Z" level=warning msg="cache index older than 24h, rebuilding"
        time="2026-03-01T02:51:00Z" level=fatal msg="list objects" error="Get \"https://minio.storage.corp:9000/corpora/?list-type=2\": tls: failed to verify certificate: x509: certificate signed by unknown authority"
        """,
        gpus=0,
        never=("application_error", "credential_rejected"),
    ),
    fail(
        "judged-gated-llama",
        "credential_rejected",
        "llama gated repository: 401/403 GatedRepoError under axolotl; the launcher's CalledProcessError comes last",
        r"""
             #@@ #@@      @@# @@#
            @@  @@          @@  @@           =@@#                               @@    #@    =@@#.
        [2026-03-01 02:33:10,551] [INFO] [axolotl.utils.config] [PID:81] [RANK:0] cuda available: True, bf16
        [2026-03-01 02:33:11,790] [DEBUG] [axolotl.normalize_config:83] [PID:81] [RANK:0] GPU memory usage baseline: 0.000GB (+0.513GB misc)
        Traceback (most recent call last):
          File "/home/trainer/miniconda3/envs/py3.11/lib/python3.11/site-packages/huggingface_hub/utils/_http.py", line 409, in hf_raise_for_status
            response.raise_for_status()
        requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/meta-llama/Llama-3.1-8B/resolve/main/config.json
        The above exception was the direct cause of the following exception:
        Traceback (most recent call last):
          File "<frozen runpy>", line 198, in _run_module_as_main
          File "/workspace/axolotl/src/axolotl/cli/train.py", line 121, in <module>
            fire.Fire(do_cli)
          File "/home/trainer/miniconda3/envs/py3.11/lib/python3.11/site-packages/transformers/utils/hub.py", line 421, in cached_file
            raise EnvironmentError(
        OSError: You are trying to access a gated repo.
        Make sure to have access to it at https://huggingface.co/meta-llama/Llama-3.1-8B.
        401 Client Error. (Request ID: Root=1-67c27d)
        Cannot access gated repo for url https://huggingface.co/meta-llama/Llama-3.1-8B/resolve/main/config.json.
        Access to model meta-llama/Llama-3.1-8B is restricted. You must have access to it and be authenticated to access it. Please log in.
        Traceback (most recent call last):
          File "/home/trainer/miniconda3/envs/py3.11/bin/accelerate", line 8, in <module>
            sys.exit(main())
          File "/home/trainer/miniconda3/envs/py3.11/lib/python3.11/site-packages/accelerate/commands/launch.py", line 763, in simple_launcher
            raise subprocess.CalledProcessError(returncode=process.returncode, cmd=cmd)
        subprocess.CalledProcessError: Command '['/home/trainer/miniconda3/envs/py3.11/bin/python3', '-m', 'axolotl.cli.train', 'lora.yml']' returned non-zero exit status 1.
        """,
        never=("python_exception", "missing_file", "permission_denied"),
    ),
    fail(
        "judged-dbt-password",
        "credential_rejected",
        "dbt-postgres issues: FATAL password authentication failed; dbt exits 2 for it",
        r"""
        02:44:01  Running with dbt=1.8.3
        02:44:02  Registered adapter: postgres=1.8.2
        02:44:02  [WARNING]: Configuration paths exist in your dbt_project.yml file which do not apply to any resources.
        There are 1 unused configuration paths:
        - models.features.staging
        02:44:03  Found 41 models, 3 seeds, 112 data tests, 9 sources, 417 macros
        02:44:03
        02:44:03  Encountered an error:
        Database Error
          connection to server at "warehouse.data.svc" (10.96.77.2), port 5432 failed: FATAL:  password authentication failed for user "dbt_ml"
        """,
        2,
        gpus=0,
        never=("invalid_arguments", "permission_denied", "application_error"),
    ),
    # --- logs: GPU ----------------------------------------------------------------------------------------------------
    fail(
        "judged-vllm-kv-cache-too-small",
        "cuda_oom",
        "vllm issues: no room for the KV cache at max_model_len; last line only says engine core initialization failed",
        r"""
        (APIServer pid=1) INFO 03-01 02:13:03 [utils.py:326] non-default args: {'model': '/models/qwen3-32b', 'max_model_len': 131072}
        (EngineCore_0 pid=271) INFO 03-01 02:14:40 [gpu_model_runner.py:2007] Model loading took 61.0347 GiB and 71.114 seconds
        (EngineCore_0 pid=271) INFO 03-01 02:15:02 [gpu_worker.py:276] Available KV cache memory: 9.53 GiB
        (EngineCore_0 pid=271) ERROR 03-01 02:15:02 [core.py:700] EngineCore failed to start.
        (EngineCore_0 pid=271) ERROR 03-01 02:15:02 [core.py:700] Traceback (most recent call last):
        (EngineCore_0 pid=271) ERROR 03-01 02:15:02 [core.py:700]   File "/usr/local/lib/python3.12/dist-packages/vllm/v1/engine/core.py", line 691, in run_engine_core
        (EngineCore_0 pid=271) ERROR 03-01 02:15:02 [core.py:700]     engine_core = EngineCoreProc(*args, **kwargs)
        (EngineCore_0 pid=271) ERROR 03-01 02:15:02 [core.py:700]   File "/usr/local/lib/python3.12/dist-packages/vllm/v1/core/kv_cache_utils.py", line 678, in check_enough_kv_cache_memory
        (EngineCore_0 pid=271) ERROR 03-01 02:15:02 [core.py:700] ValueError: To serve at least one request with the models's max seq len (131072), (32.00 GiB KV cache is needed, which is larger than the available KV cache memory (9.53 GiB). Based on the available memory, the estimated maximum model length is 39024. Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.
        (EngineCore_0 pid=271) Process EngineCore_0:
        (APIServer pid=1) Traceback (most recent call last):
        (APIServer pid=1)   File "/usr/local/lib/python3.12/dist-packages/vllm/v1/engine/utils.py", line 729, in wait_for_engine_startup
        (APIServer pid=1)     raise RuntimeError("Engine core initialization failed. "
        (APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
        """,
        never=("python_exception", "insufficient_evidence", "container_oom"),
    ),
    fail(
        "judged-jax-resource-exhausted-2",
        "cuda_oom",
        "jax issues: XlaRuntimeError RESOURCE_EXHAUSTED",
        r"""
        I0301 02:31:05.120011 140021 xla_bridge.py:895] Unable to initialize backend 'rocm': module 'jaxlib.xla_extension' has no attribute 'GpuAllocatorConfig'
        I0301 02:31:05.121004 140021 xla_bridge.py:895] Unable to initialize backend 'tpu': INTERNAL: Failed to open libtpu.so: libtpu.so: cannot open shared object file: No such file or directory
        W0301 02:33:51.914277 140377 bfc_allocator.cc:501] Allocator (GPU_0_bfc) ran out of memory trying to allocate 16.00GiB (rounded to 17179869184)requested by op
        W0301 02:33:51.914588 140377 bfc_allocator.cc:512] ****************************************************************************________________________
        E0301 02:33:51.914699 140377 pjrt_stream_executor_client.cc:3067] Execution of replica 0 failed: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes.
        Traceback (most recent call last):
          File "/workspace/maxtext/MaxText/train.py", line 612, in <module>
            app.run(main)
          File "/workspace/maxtext/MaxText/train.py", line 540, in train_loop
            state, metrics = p_train_step(state, example_batch, nextrng)
        jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes.
        --------------------
        For simplicity, JAX has removed its internal frames from the traceback of the following exception. Set JAX_TRACEBACK_FILTERING=off to include these.
        """,
        never=("missing_module", "container_oom", "python_exception"),
    ),
    fail(
        "judged-paddle-gpu-oom",
        "cuda_oom",
        "PaddleOCR issues: ResourceExhaustedError of the Paddle allocator, C++ traceback block",
        r"""
        [2026/03/01 02:20:11] ppocr INFO: train dataloader has 1225 iters
        [2026/03/01 02:20:11] ppocr INFO: valid dataloader has 77 iters
        W0301 02:20:12.001 1 gpu_resources.cc:119] Please NOTE: device: 0, GPU Compute Capability: 8.0, Driver API Version: 12.4, Runtime API Version: 11.8
        [2026/03/01 02:21:40] ppocr INFO: epoch: [1/500], global_step: 10, lr: 0.000050, loss: 9.114, avg_reader_cost: 0.61 s
        Traceback (most recent call last):
          File "tools/train.py", line 255, in <module>
            main(config, device, logger, vdl_writer, seed)
          File "/paddle/PaddleOCR/tools/program.py", line 312, in train
            preds = model(images)
        SystemError: (Fatal) Operator conv2d raises an std::exception.

        --------------------------------------
        C++ Traceback (most recent call last):
        --------------------------------------
        0   conv2d_ad_func(paddle::Tensor const&, paddle::Tensor const&)
        1   paddle::memory::allocation::CUDAAllocator::AllocateImpl(unsigned long)

        ----------------------
        Error Message Summary:
        ----------------------
        ResourceExhaustedError:

        Out of memory error on GPU 0. Cannot allocate 1.562500GB memory on GPU 0, 39.214844GB memory has been allocated and available memory is only 198.437500MB.

        Please check whether there is any other process using GPU 0.
        """,
        never=("python_exception", "container_oom"),
    ),
    fail(
        "judged-embedding-index-assert",
        "cuda_illegal_access",
        "pytorch forums: Indexing.cu assertion srcIndex < srcSelectDimSize, then cuBLAS error on the next call",
        r"""
        ***** Running training *****
          Num examples = 51,760
          Total optimization steps = 4,854
          0%|          | 3/4854 [00:04<1:51:20,  1.38s/it]../aten/src/ATen/native/cuda/Indexing.cu:1290: indexSelectLargeIndex: block: [407,0,0], thread: [32,0,0] Assertion `srcIndex < srcSelectDimSize` failed.
        ../aten/src/ATen/native/cuda/Indexing.cu:1290: indexSelectLargeIndex: block: [407,0,0], thread: [33,0,0] Assertion `srcIndex < srcSelectDimSize` failed.
        Traceback (most recent call last):
          File "/workspace/sft.py", line 140, in <module>
            trainer.train()
          File "/usr/local/lib/python3.10/dist-packages/transformers/models/llama/modeling_llama.py", line 357, in forward
            query_states = self.q_proj(hidden_states)
          File "/usr/local/lib/python3.10/dist-packages/torch/nn/modules/linear.py", line 116, in forward
            return F.linear(input, self.weight, self.bias)
        RuntimeError: CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`
          0%|          | 3/4854 [00:05<2:20:01,  1.73s/it]
        """,
        never=("python_exception", "cuda_oom", "gpu_hardware_fault"),
    ),
    fail(
        "judged-tf-cuinit-no-device",
        "no_gpu_visible",
        "tensorflow issues: failed call to cuInit CUDA_ERROR_NO_DEVICE; the script refuses to go on without a GPU",
        r"""
        2026-03-01 02:10:40.118203: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.
        2026-03-01 02:10:40.402218: E external/local_xla/xla/stream_executor/cuda/cuda_fft.cc:477] Unable to register cuFFT factory: Attempting to register factory for plugin cuFFT when one has already been registered
        2026-03-01 02:10:42.881920: W tensorflow/compiler/tf2tensorrt/utils/py_utils.cc:38] TF-TRT Warning: Could not find TensorRT
        2026-03-01 02:10:44.012004: E external/local_xla/xla/stream_executor/cuda/cuda_driver.cc:152] failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected
        2026-03-01 02:10:44.012051: I external/local_xla/xla/stream_executor/cuda/cuda_diagnostics.cc:137] retrieving CUDA diagnostic information for host: llama-ft-0-0
        Num GPUs Available:  0
        Traceback (most recent call last):
          File "/workspace/train_keras.py", line 22, in <module>
            raise SystemError("GPU device not found")
        SystemError: GPU device not found
        """,
        never=("missing_module", "python_exception", "cuda_driver_mismatch"),
    ),
    fail(
        "judged-cupy-insufficient-driver",
        "cuda_driver_mismatch",
        "cupy/rapids issues: cudaErrorInsufficientDriver",
        r"""
        distributed.scheduler - INFO -   Scheduler at:     tcp://127.0.0.1:34001
        distributed.nanny - INFO -         Start Nanny at: 'tcp://127.0.0.1:41225'
        /opt/conda/lib/python3.11/site-packages/cudf/utils/_ptxcompiler.py:61: UserWarning: Error getting driver and runtime versions:
        stderr:
        Traceback (most recent call last):
          File "<string>", line 4, in <module>
        Not patching Numba
          warnings.warn(msg, UserWarning)
        Traceback (most recent call last):
          File "/workspace/etl.py", line 4, in <module>
            import cudf
          File "/opt/conda/lib/python3.11/site-packages/cudf/utils/gpu_utils.py", line 65, in validate_setup
            raise e
          File "cuda_utils.pyx", line 45, in rmm._cuda.gpu.runtimeGetVersion
          File "cupy_backends/cuda/api/runtime.pyx", line 146, in cupy_backends.cuda.api.runtime.check_status
        cupy_backends.cuda.api.runtime.CUDARuntimeError: cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version
        """,
        never=("no_gpu_visible", "python_exception", "missing_module"),
    ),
    case(
        "judged-nccl-ib-error-12",
        "nccl_network_error",
        "nccl-tests#24, nccl issues: NET/IB completion error 12 vendor err 129 on both peers, then remote error",
        crashed(
            1,
            r"""
            llama-ft-master-0:118:611 [0] NCCL INFO NET/IB : Using [0]mlx5_0:1/IB [1]mlx5_1:1/IB [RO]; OOB eth0:10.244.3.7<0>
            [2026-03-01 02:41:03] iter 8120 | lm loss 2.0441 | grad norm 0.31
            llama-ft-master-0:118:902 [0] transport/net_ib.cc:1295 NCCL WARN NET/IB : Got completion from peer 10.244.5.9<43117> with status=12 opcode=1 len=0 vendor err 129 (Send) localGid fe80::1 remoteGids fe80::2
            llama-ft-master-0:118:902 [0] NCCL INFO transport/net.cc:1134 -> 6
            llama-ft-master-0:118:902 [0] NCCL INFO proxy.cc:694 -> 6
            [rank0]:[E301 02:41:25.331 ProcessGroupNCCL.cpp:1785] [PG ID 0 PG GUID 0(default_pg) Rank 0] Exception (either an error or timeout) detected by watchdog at work: 19311
            [rank0]: torch.distributed.DistBackendError: NCCL error in: /pytorch/torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:2251, remote process exited or there was a network error, NCCL version 2.21.5
            [rank0]: ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.
            [rank0]: Last error:
            [rank0]: NET/IB : Got completion from peer 10.244.5.9<43117> with status=12 opcode=1 len=0 vendor err 129 (Send)
            """,
            rank="master-0",
            node="gpu-00",
            gpus=8,
        ),
        crashed(
            1,
            r"""
            [2026-03-01 02:41:03] iter 8120 | lm loss 2.0441 | grad norm 0.31
            llama-ft-worker-0:120:905 [0] transport/net_ib.cc:1295 NCCL WARN NET/IB : Got completion from peer 10.244.3.7<51120> with status=12 opcode=129 len=0 vendor err 129 (Recv) localGid fe80::2 remoteGids fe80::1
            llama-ft-worker-0:120:905 [0] NCCL INFO transport/net.cc:1298 -> 6
            [rank8]: torch.distributed.DistBackendError: NCCL error in: /pytorch/torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:2251, remote process exited or there was a network error, NCCL version 2.21.5
            """,
            rank="worker-0",
            node="gpu-01",
            gpus=8,
            at=-4.9,
        ),
        job=distributed("Failed", workers=2),
        never=("nccl_timeout", "python_exception"),
    ),
    case(
        "judged-rank-cuda-oom-others-timeout",
        "cuda_oom",
        "pytorch issues: rank 3 runs out of GPU memory on a long batch, the others' watchdogs fire ten minutes later",
        crashed(
            1,
            r"""
            [rank0]:[E301 02:50:07.220 ProcessGroupNCCL.cpp:616] [Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=40412, OpType=ALLREDUCE, NumelIn=58720256, NumelOut=58720256, Timeout(ms)=600000) ran for 600012 milliseconds before timing out.
            [rank0]:[E301 02:50:07.221 ProcessGroupNCCL.cpp:630] [Rank 0] Some NCCL operations have failed or timed out. Due to the asynchronous nature of CUDA kernels, subsequent GPU operations might run on corrupted/incomplete data.
            W0301 02:50:08.001 1 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 117 closing signal SIGTERM
            E0301 02:50:09.117 1 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: -6) local_rank: 0 (pid: 116) of binary: /usr/bin/python3
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            ============================================================
            train.py FAILED
            Root Cause (first observed failure):
            [0]:
              time      : 2026-03-01_02:50:08
              rank      : 0 (local_rank: 0)
              exitcode  : -6 (pid: 116)
              traceback : Signal 6 (SIGABRT) received by PID 116
            ============================================================
            """,
            rank="master-0",
            node="gpu-00",
            at=-9.8,
        ),
        crashed(
            1,
            r"""
            [rank3]: Traceback (most recent call last):
            [rank3]:   File "/workspace/train.py", line 201, in step
            [rank3]:     loss.backward()
            [rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 3.91 GiB. GPU 1 has a total capacity of 79.11 GiB of which 2.20 GiB is free. Process 88122 has 76.90 GiB memory in use.
            E0301 02:40:11.003 1 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1) local_rank: 1 (pid: 119) of binary: /usr/bin/python3
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            ============================================================
            train.py FAILED
            Root Cause (first observed failure):
            [0]:
              time      : 2026-03-01_02:40:10
              rank      : 3 (local_rank: 1)
              exitcode  : 1 (pid: 119)
              error_file: <N/A>
              traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
            ============================================================
            """,
            rank="worker-0",
            node="gpu-01",
            at=-19.8,
        ),
        job=distributed("Failed", workers=2, since=-9),
        never=("nccl_timeout", "aborted", "container_oom"),
        pair="judged-ranks",
    ),
    case(
        "judged-allgather-timeout-nobody-else",
        "nccl_timeout",
        "pytorch issues: every rank's watchdog fires on the same ALLGATHER and no rank shows an error of its own",
        *(
            crashed(
                134,
                rf"""
                {{'loss': 1.1021, 'grad_norm': 0.61, 'learning_rate': 1.1e-05, 'epoch': 0.42}}
                [rank{r}]:[E301 02:52:41.{r}17 ProcessGroupNCCL.cpp:629] [Rank {r}] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7113, OpType=_ALLGATHER_BASE, NumelIn=102957056, NumelOut=411828224, Timeout(ms)=1800000) ran for 1800085 milliseconds before timing out.
                [rank{r}]:[E301 02:52:41.{r}19 ProcessGroupNCCL.cpp:2168] [PG ID 1 PG GUID 1 Rank {r}]  failure detected by watchdog at work sequence id: 7113 PG status: last enqueued work: 7114, last completed work: 7112
                [rank{r}]:[E301 02:52:41.{r}21 ProcessGroupNCCL.cpp:667] Stack trace of the failed collective not found, potentially because FlightRecorder is disabled.
                terminate called after throwing an instance of 'c10::DistBackendError'
                  what():  [PG ID 1 PG GUID 1 Rank {r}] Process group watchdog thread terminated with exception: Watchdog caught collective operation timeout
                Fatal Python error: Aborted
                """,
                rank=rank,
                node=place,
            )
            for r, rank, place in ((0, "master-0", "gpu-00"), (1, "worker-0", "gpu-01"), (2, "worker-1", "gpu-02"))
        ),
        job=distributed("Failed", workers=3),
        never=("aborted", "nccl_network_error", "python_exception"),
    ),
    fail(
        "judged-nccl-dev-shm",
        "shm_exhausted",
        "nccl issues: Error while creating shared memory segment /dev/shm/nccl-*, sglang then sees 'unhandled system error'",
        r"""
        [2026-03-01 02:09:01] server_args=ServerArgs(model_path='/models/Qwen2.5-72B', tp_size=4, port=30000)
        [2026-03-01 02:09:20 TP0] Init torch distributed begin.
        llama-ft-0-0:412:412 [3] NCCL INFO Bootstrap : Using eth0:10.244.9.3<0>

        llama-ft-0-0:412:790 [3] misc/shmutils.cc:72 NCCL WARN Error: failed to extend /dev/shm/nccl-Q1yVbb to 9637892 bytes, error: No space left on device (28)

        llama-ft-0-0:412:790 [3] misc/shmutils.cc:113 NCCL WARN Error while creating shared memory segment /dev/shm/nccl-Q1yVbb (size 9637888), error: No space left on device (28)
        llama-ft-0-0:412:790 [3] NCCL INFO transport/shm.cc:114 -> 2
        [2026-03-01 02:09:31 TP3] Scheduler hit an exception: Traceback (most recent call last):
          File "/sgl-workspace/sglang/python/sglang/srt/distributed/device_communicators/pynccl_wrapper.py", line 350, in NCCL_CHECK
            raise RuntimeError(f"NCCL error: {error_str}")
        RuntimeError: NCCL error: unhandled system error (run with NCCL_DEBUG=INFO for details)

        [2026-03-01 02:09:31] Received sigquit from a child process. It usually means the child failed.
        /bin/bash: line 1:     7 Killed                  python3 -m sglang.launch_server --model-path /models/Qwen2.5-72B --tp 4
        """,
        137,
        gpus=4,
        never=("nccl_timeout", "killed_by_signal", "container_oom"),
    ),
]

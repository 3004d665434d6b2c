"""Launchers, versions and services: whole incidents by the first of two authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.wire import crashed

CASES: list[LabelledCase] = [
    case(
        "judged-horovod-signal-11",
        "segfault",
        "horovod/mpirun summary: process rank 3 exited on signal 11",
        crashed(
            139,
            """
[1,0]<stderr>:2026-03-01 02:44:11.390214: I tensorflow/core/platform/cpu_feature_guard.cc:193] This TensorFlow binary is optimized with oneAPI Deep Neural Network Library
[1,0]<stdout>:Step #120	Loss: 0.188912
[1,0]<stdout>:Step #130	Loss: 0.181044
[1,3]<stderr>:[llama-ft-0-0:00412] *** Process received signal ***
[1,3]<stderr>:[llama-ft-0-0:00412] Signal: Segmentation fault (11)
[1,3]<stderr>:[llama-ft-0-0:00412] Signal code: Address not mapped (1)
[1,3]<stderr>:[llama-ft-0-0:00412] Failing at address: 0x7f51d8000008
[1,3]<stderr>:[llama-ft-0-0:00412] [ 0] /lib/x86_64-linux-gnu/libc.so.6(+0x42520)[0x7f5233a42520]
[1,3]<stderr>:[llama-ft-0-0:00412] [ 1] /usr/local/lib/python3.8/dist-packages/horovod/tensorflow/mpi_lib.cpython-38-x86_64-linux-gnu.so(+0xd1f02)[0x7f51e8ad1f02]
[1,3]<stderr>:[llama-ft-0-0:00412] *** End of error message ***
--------------------------------------------------------------------------
Primary job  terminated normally, but 1 process returned
a non-zero exit code. Per user-direction, the job has been aborted.
--------------------------------------------------------------------------
--------------------------------------------------------------------------
mpirun noticed that process rank 3 with PID 0 on node llama-ft-0-0 exited on signal 11 (Segmentation fault).
--------------------------------------------------------------------------
""",
        ),
        never=("aborted", "cuda_illegal_access"),
    ),
    case(
        "judged-tf-pthread-create",
        "aborted",
        "tensorflow/tensorflow: Check failed: ret == 0 (11 vs. 0) Thread creation via pthread_create() failed (pids limit)",
        crashed(
            134,
            """
2026-03-01 02:33:01.008123: I tensorflow/core/common_runtime/gpu/gpu_device.cc:1639] Created device /job:localhost/replica:0/task:0/device:GPU:0 with 38288 MB memory
Epoch 1/5
 118/2500 [>.............................] - ETA: 21:40 - loss: 1.7730
2026-03-01 02:36:40.991022: F tensorflow/core/platform/default/env.cc:74] Check failed: ret == 0 (11 vs. 0)Thread tf_data_private_threadpool creation via pthread_create() failed.
/entrypoint.sh: line 9:     7 Aborted                 (core dumped) python fit.py --workers 256
""",
        ),
        never=("container_oom", "python_exception"),
    ),
    case(
        "judged-torch-load-weights-only",
        "python_exception",
        "torch 2.6: _pickle.UnpicklingError: Weights only load failed",
        crashed(
            1,
            """
Ultralytics YOLOv8.0.196 🚀 Python-3.10.14 torch-2.6.0+cu124 CUDA:0 (NVIDIA A100-SXM4-40GB, 40338MiB)
WARNING ⚠️ 'label_smoothing' is deprecated and will be removed in in the future.
Traceback (most recent call last):
  File "/usr/src/app/train.py", line 5, in <module>
    model = YOLO('yolov8m.pt')
  File "/usr/local/lib/python3.10/dist-packages/ultralytics/nn/tasks.py", line 518, in torch_safe_load
    return torch.load(file, map_location='cpu'), file
  File "/usr/local/lib/python3.10/dist-packages/torch/serialization.py", line 1470, in load
    raise pickle.UnpicklingError(_get_wo_message(str(e))) from None
_pickle.UnpicklingError: Weights only load failed. This file can still be loaded, to do so you have two options, do those steps only if you trust the source of the checkpoint.
	(1) In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to `True`.
	(2) Alternatively, to load with `weights_only=True` please check the recommended steps in the following error message.
	WeightsUnpickler error: Unsupported global: GLOBAL ultralytics.nn.tasks.DetectionModel was not an allowed global by default. Please use `torch.serialization.add_safe_globals([DetectionModel])` to allowlist this global if you trust this class/function.

Check the documentation of torch.load to learn more about types accepted by default with weights_only https://pytorch.org/docs/stable/generated/torch.load.html.
""",
        ),
        never=("missing_file", "permission_denied"),
    ),
    case(
        "judged-port-in-use",
        "python_exception",
        "torchrun: The server socket has failed to listen, EADDRINUSE (hostNetwork, two jobs with port 29500)",
        crashed(
            1,
            """
[W301 02:52:38.118402112 socket.cpp:464] [c10d] The server socket cannot be initialized on [::]:29500 (errno: 97 - Address family not supported by protocol).
[W301 02:52:38.118811402 socket.cpp:464] [c10d] The server socket has failed to bind to 0.0.0.0:29500 (errno: 98 - Address already in use).
[E301 02:52:38.118820911 socket.cpp:500] [c10d] The server socket has failed to listen on any local network address.
Traceback (most recent call last):
  File "/opt/conda/bin/torchrun", line 33, in <module>
    sys.exit(load_entry_point('torch==2.3.0', 'console_scripts', 'torchrun')())
  File "/opt/conda/lib/python3.10/site-packages/torch/distributed/elastic/rendezvous/static_tcp_rendezvous.py", line 65, in next_rendezvous
    self._store = TCPStore(  # type: ignore[call-arg]
torch.distributed.DistNetworkError: The server socket has failed to listen on any local network address. port: 29500, useIpv6: 0, code: -98, name: EADDRINUSE, message: address already in use
""",
        ),
        never=("connection_refused", "nccl_network_error", "connection_timeout"),
    ),
    case(
        "judged-numpy-2-not-available",
        "python_exception",
        "numpy 2 with an old torch: the long warning is survived, the run ends on RuntimeError: Numpy is not available",
        crashed(
            1,
            """

A module that was compiled using NumPy 1.x cannot be run in
NumPy 2.0.2 as it may crash. To support both 1.x and 2.x
versions of NumPy, modules must be compiled with NumPy 2.0.
Some module may need to rebuild instead e.g. with 'pybind11>=2.12'.

Traceback (most recent call last):  File "/workspace/extract.py", line 4, in <module>
    import torch
  File "/opt/venv/lib/python3.9/site-packages/torch/__init__.py", line 1471, in <module>
    from .functional import *  # noqa: F403
/opt/venv/lib/python3.9/site-packages/torch/nn/modules/transformer.py:20: UserWarning: Failed to initialize NumPy: _ARRAY_API not found (Triggered internally at ../torch/csrc/utils/tensor_numpy.cpp:84.)
  device: torch.device = torch.device(torch._C._get_default_device()),  # torch.device('cpu'),
loaded clip ViT-L/14 from cache
  3%|▎         | 412/12000 [00:51<24:06,  8.01it/s]
Traceback (most recent call last):
  File "/workspace/extract.py", line 61, in <module>
    out.append(feats.cpu().numpy())
RuntimeError: Numpy is not available
""",
        ),
        never=("missing_module",),
    ),
    case(
        "judged-no-kernel-image-sm120",
        "python_exception",
        "pytorch: sm_120 is not compatible with this build; no kernel image: the wheel is too old, not the driver",
        crashed(
            1,
            """
/usr/local/lib/python3.11/dist-packages/torch/cuda/__init__.py:235: UserWarning:
NVIDIA RTX PRO 6000 Blackwell Server Edition with CUDA capability sm_120 is not compatible with the current PyTorch installation.
The current PyTorch install supports CUDA capabilities sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90.
If you want to use the NVIDIA RTX PRO 6000 Blackwell Server Edition GPU with PyTorch, please check the instructions at https://pytorch.org/get-started/locally/

  warnings.warn(
Traceback (most recent call last):
  File "/app/infer.py", line 33, in <module>
    hidden = model(ids).last_hidden_state
  File "/usr/local/lib/python3.11/dist-packages/torch/nn/functional.py", line 2551, in embedding
    return torch.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)
RuntimeError: CUDA error: no kernel image is available for execution on the device
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.
""",
        ),
        never=("cuda_illegal_access", "no_gpu_visible", "cuda_driver_mismatch", "wrong_architecture"),
        pair="judged-cuda-versions",
    ),
    case(
        "judged-verl-raytaskerror",
        "python_exception",
        "verl main_ppo: the driver re-raises the remote reward function's IndexError as RayTaskError",
        crashed(
            1,
            """
2026-03-01 02:33:12,119	INFO worker.py:1888 -- Started a local Ray instance.
(TaskRunner pid=2214) DeprecationWarning: `ray.state.available_resources_per_node` is a private attribute
(TaskRunner pid=2214) Size of train dataloader: 61, Size of val dataloader: 1
Error executing job with overrides: ['data.train_batch_size=1000', 'actor_rollout_ref.rollout.n=5', 'trainer.n_gpus_per_node=8']
Traceback (most recent call last):
  File "/opt/verl/verl/trainer/main_ppo.py", line 64, in main
    run_ppo(config)
  File "/opt/verl/verl/trainer/main_ppo.py", line 76, in run_ppo
    ray.get(runner.run.remote(config))
  File "/usr/local/lib/python3.10/dist-packages/ray/_private/worker.py", line 2822, in get
    values, debugger_breakpoint = worker.get_objects(object_refs, timeout=timeout)
ray.exceptions.RayTaskError(IndexError): ray::TaskRunner.run() (pid=2214, ip=10.244.1.77, actor_id=7c1e6aa2, repr=<main_ppo.TaskRunner object at 0x7ed4ac>)
  File "/opt/verl/verl/trainer/main_ppo.py", line 183, in run
    trainer.fit()
  File "/opt/verl/verl/trainer/ppo/ray_trainer.py", line 911, in fit
    reward_tensor, reward_extra_infos_dict = compute_reward(batch, self.reward_fn)
  File "/workspace/rewards/math_reward.py", line 47, in extract
    return text.split("####")[1].strip()
IndexError: list index out of range

Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
""",
            gpus=8,
        ),
        never=("application_memory_limit", "killed_by_signal"),
    ),
    case(
        "judged-wandb-no-tty",
        ("invalid_arguments", "python_exception"),
        "unslothai/unsloth#1914: wandb UsageError, api_key not configured: nothing was rejected by the service, a setting is missing",
        crashed(
            1,
            """
Unsloth: Will patch your computer to enable 2x faster free finetuning.
==((====))==  Unsloth - 2x faster free finetuning | Num GPUs used = 1
   \\\\   /|    Num examples = 7,473 | Num Epochs = 1 | Total steps = 250
wandb: WARNING The `run_name` is currently set to the same value as `TrainingArguments.output_dir`. If this was not intended, please specify a different run name.
wandb: ERROR api_key not configured (no-tty). call wandb.login(key=[your_api_key])
Traceback (most recent call last):
  File "/data/scripts/grpo_think.py", line 185, in <module>
    trainer.train()
  File "/opt/venv/lib/python3.12/site-packages/transformers/integrations/integration_utils.py", line 843, in setup
    self._wandb.init(
  File "/opt/venv/lib/python3.12/site-packages/wandb/sdk/lib/apikey.py", line 151, in prompt_api_key
    raise UsageError("api_key not configured (no-tty). call " + directive)
wandb.errors.errors.UsageError: api_key not configured (no-tty). call wandb.login(key=[your_api_key])
""",
        ),
        never=("missing_secret",),
    ),
    case(
        "judged-hf-gated-403",
        "credential_rejected",
        "huggingface_hub GatedRepoError: 403 for meta-llama, the model is gated",
        crashed(
            1,
            """
/usr/local/lib/python3.10/dist-packages/huggingface_hub/file_download.py:797: FutureWarning: `resume_download` is deprecated
  warnings.warn(
Traceback (most recent call last):
  File "/usr/local/lib/python3.10/dist-packages/huggingface_hub/utils/_http.py", line 406, in hf_raise_for_status
    response.raise_for_status()
  File "/usr/local/lib/python3.10/dist-packages/requests/models.py", line 1024, in raise_for_status
    raise HTTPError(http_error_msg, response=self)
requests.exceptions.HTTPError: 403 Client Error: Forbidden for url: https://huggingface.co/meta-llama/Llama-3.1-70B-Instruct/resolve/main/config.json

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/workspace/eval.py", line 29, in <module>
    tok = AutoTokenizer.from_pretrained(args.model)
  File "/usr/local/lib/python3.10/dist-packages/transformers/utils/hub.py", line 420, in cached_file
    raise EnvironmentError(
OSError: You are trying to access a gated repo.
Make sure to have access to it at https://huggingface.co/meta-llama/Llama-3.1-70B-Instruct.
403 Client Error. (Request ID: Root=1-69a3a1b0-5e1f3a6d;7c)

Cannot access gated repo for url https://huggingface.co/meta-llama/Llama-3.1-70B-Instruct/resolve/main/config.json.
Access to model meta-llama/Llama-3.1-70B-Instruct is restricted and you are not in the authorized list. Visit https://huggingface.co/meta-llama/Llama-3.1-70B-Instruct to ask for access.
""",
        ),
        never=("permission_denied", "missing_file", "python_exception"),
    ),
    case(
        "judged-hf-429",
        "rate_limited",
        "HF hub: 429 Too Many Requests while a large array job downloads",
        crashed(
            1,
            """
Fetching 42 files:  19%|█▉        | 8/42 [00:03<00:14,  2.31it/s]
'(MaxRetryError("HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded"), '(Request ID: 2b1d)')' thrown while requesting HEAD https://huggingface.co/datasets/HuggingFaceFW/fineweb/resolve/main/README.md
Retrying in 1s [Retry 1/5].
Traceback (most recent call last):
  File "/opt/venv/lib/python3.11/site-packages/huggingface_hub/utils/_http.py", line 409, in hf_raise_for_status
    response.raise_for_status()
requests.exceptions.HTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api/datasets/HuggingFaceFW/fineweb/tree/main?recursive=True&expand=False

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/prepare.py", line 18, in <module>
    snapshot_download("HuggingFaceFW/fineweb", repo_type="dataset", max_workers=64)
huggingface_hub.errors.HfHubHTTPError: 429 Client Error: Too Many Requests for url: https://huggingface.co/api/datasets/HuggingFaceFW/fineweb/tree/main?recursive=True&expand=False

We had to rate limit your IP (203.0.113.7). To continue using our service, create a HF account or login to your existing account, and make sure you pass a HF_TOKEN if you're using the API.
""",
            gpus=0,
        ),
        never=("credential_rejected", "connection_timeout", "registry_rate_limited"),
    ),
    case(
        "judged-mlflow-self-signed",
        "tls_error",
        "mlflow tracking server behind a private CA: SSLCertVerificationError",
        crashed(
            1,
            """
2026/03/01 02:40:00 WARNING mlflow.utils.requirements_utils: Encountered an unexpected error while inferring pip requirements
WARNING:urllib3.connectionpool:Retrying (JitteredRetry(total=6, connect=6, read=7, redirect=7, status=7)) after connection broken by 'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1007)'))': /api/2.0/mlflow/experiments/get-by-name?experiment_name=ft
Traceback (most recent call last):
  File "/workspace/run.py", line 22, in <module>
    mlflow.set_experiment("ft")
  File "/opt/conda/lib/python3.10/site-packages/mlflow/utils/rest_utils.py", line 190, in http_request
    raise MlflowException(f"API request to {url} failed with exception {e}")
mlflow.exceptions.MlflowException: API request to https://mlflow.corp.example.com/api/2.0/mlflow/experiments/get-by-name failed with exception HTTPSConnectionPool(host='mlflow.corp.example.com', port=443): Max retries exceeded with url: /api/2.0/mlflow/experiments/get-by-name?experiment_name=ft (Caused by SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1007)')))
""",
        ),
        never=("connection_refused", "credential_rejected", "connection_timeout"),
    ),
    case(
        "judged-optuna-postgres-refused",
        "connection_refused",
        "optuna RDB storage: psycopg2 OperationalError, Connection refused",
        crashed(
            1,
            """
[I 2026-03-01 02:50:01,114] Using an existing study with name 'lr-sweep' instead of creating a new one.
Traceback (most recent call last):
  File "/opt/conda/lib/python3.10/site-packages/sqlalchemy/engine/base.py", line 146, in __init__
    self._dbapi_connection = engine.raw_connection()
  File "/opt/conda/lib/python3.10/site-packages/psycopg2/__init__.py", line 122, in connect
    conn = _connect(dsn, connection_factory=connection_factory, **kwasync)
psycopg2.OperationalError: connection to server at "optuna-db.mlops.svc" (10.96.44.12), port 5432 failed: Connection refused
	Is the server running on that host and accepting TCP/IP connections?

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/workspace/sweep.py", line 73, in <module>
    study.optimize(objective, n_trials=40)
sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at "optuna-db.mlops.svc" (10.96.44.12), port 5432 failed: Connection refused
	Is the server running on that host and accepting TCP/IP connections?

(Background on this error at: https://sqlalche.me/e/20/e3q8)
""",
        ),
        never=("dns_failure", "python_exception"),
    ),
    case(
        "judged-minio-connect-timeout",
        "connection_timeout",
        "boto3 against a MinIO behind a network policy: ConnectTimeoutError (HolmesGPT 84/176 network policy)",
        crashed(
            1,
            """
{"asctime": "2026-03-01 02:42:02,201", "levelname": "INFO", "name": "loader", "message": "resuming from s3://ckpt/run-31/step_18000"}
{"asctime": "2026-03-01 02:46:05,990", "levelname": "ERROR", "name": "loader", "message": "giving up after 5 attempts"}
Traceback (most recent call last):
  File "/srv/train/loader.py", line 91, in fetch
    s3.download_file(bucket, key, dst)
  File "/usr/local/lib/python3.12/site-packages/botocore/httpsession.py", line 500, in send
    raise ConnectTimeoutError(endpoint_url=request.url, error=e)
botocore.exceptions.ConnectTimeoutError: Connect timeout on endpoint URL: "http://minio.storage.svc:9000/ckpt/run-31/step_18000/model.pt"
""",
        ),
        never=("connection_refused", "storage_unresponsive", "dns_failure"),
    ),
]

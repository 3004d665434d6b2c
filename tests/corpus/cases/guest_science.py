"""Clusters and science: whole incidents by an author who had not seen the rules, the second set of its kind."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.cases.guest_serving import fail
from tests.corpus.wire import crashed, distributed

CASES: list[LabelledCase] = []

CASES += [
    fail(
        "guest-tf-corrupted-record",
        "python_exception",
        "tensorflow: DataLossError of a damaged TFRecord; the lines about NUMA, TensorRT and cuda factories are noise",
        1,
        """
2026-03-01 02:49:55.110401: E external/local_xla/xla/stream_executor/cuda/cuda_dnn.cc:9261] Unable to register cuDNN factory: Attempting to register factory for plugin cuDNN when one has already been registered
2026-03-01 02:49:55.110449: E external/local_xla/xla/stream_executor/cuda/cuda_blas.cc:1515] Unable to register cuBLAS factory: Attempting to register factory for plugin cuBLAS when one has already been registered
2026-03-01 02:49:56.801020: W tensorflow/compiler/tf2tensorrt/utils/py_utils.cc:38] TF-TRT Warning: Could not find TensorRT
2026-03-01 02:49:58.331177: I external/local_xla/xla/stream_executor/cuda/cuda_executor.cc:901] successful NUMA node read from SysFS had negative value (-1), but there must be at least one NUMA node, so returning NUMA node zero.
2026-03-01 02:50:04.402012: I tensorflow/core/common_runtime/gpu/gpu_device.cc:1929] Created device /job:localhost/replica:0/task:0/device:GPU:0 with 78122 MB memory
Epoch 1/12
 811/9020 [=>............................] - ETA: 48:10 - loss: 4.1011
2026-03-01 02:54:51.640118: W tensorflow/core/framework/op_kernel.cc:1839] OP_REQUIRES failed at iterator_ops.cc:1479 : DATA_LOSS: corrupted record at 73400320
Traceback (most recent call last):
  File "/workspace/train_tf.py", line 118, in <module>
    model.fit(train_ds, epochs=12, callbacks=callbacks)
  File "/usr/local/lib/python3.11/dist-packages/keras/src/utils/traceback_utils.py", line 70, in error_handler
    raise e.with_traceback(filtered_tb) from None
tensorflow.python.framework.errors_impl.DataLossError: {{function_node __wrapped__IteratorGetNext_output_types_2_device_/job:localhost/replica:0/task:0/device:CPU:0}} corrupted record at 73400320 [Op:IteratorGetNext] name:
""",
        never=("no_gpu_visible", "missing_module", "storage_unresponsive"),
    ),
    fail(
        "guest-inspect-429-final",
        "rate_limited",
        "Inspect/OpenAI client: the judge's 429 outlives its retries and ends the evaluation",
        1,
        """
╭──────────────────────────────────────────────────────────────────────────╮
│judge_arena (1200 samples): vllm/llama-ft                                  │
╰──────────────────────────────────────────────────────────────────────────╯
max_tasks: 1, tags: nightly, dataset: arena-hard
Samples: 411/1200  HTTP rate limits: 217   connections: openai 10/10
[03/01/26 02:50:10] INFO  HTTP Request: POST https://api.openai.com/v1/chat/completions "HTTP/1.1 429 Too Many Requests"   _client.py:1740
[03/01/26 02:50:12] INFO  Retrying request to /chat/completions in 7.614213 seconds                                       _base_client.py:1055
[03/01/26 02:54:50] INFO  HTTP Request: POST https://api.openai.com/v1/chat/completions "HTTP/1.1 429 Too Many Requests"   _client.py:1740
╭──────────────────── Traceback (most recent call last) ───────────────────╮
│ /usr/local/lib/python3.12/site-packages/inspect_ai/_eval/task/run.py:662  │
│ in task_run_sample                                                        │
│ /usr/local/lib/python3.12/site-packages/openai/_base_client.py:1643 in    │
│ _request                                                                  │
╰───────────────────────────────────────────────────────────────────────────╯
RateLimitError: Error code: 429 - {'error': {'message': 'You exceeded your current quota, please check your plan and billing details.', 'type': 'insufficient_quota', 'param': None, 'code': 'insufficient_quota'}}
Task interrupted (411 of 1200 samples logged before interruption)
Log: logs/2026-03-01T02-31-02+00-00_judge-arena_kP3.eval
""",
        never=("python_exception", "credential_rejected", "project_over_quota"),
    ),
    fail(
        "guest-rclone-unknown-authority",
        "tls_error",
        "rclone: Go's x509 error of a private object store after three attempts",
        1,
        """
2026/03/01 02:50:02 INFO  : S3 bucket corpora: Using --transfers 16
2026/03/01 02:50:02 NOTICE: Config file "/home/trainer/.config/rclone/rclone.conf" not found - using defaults
2026/03/01 02:51:09 ERROR : : error reading source root directory: operation error S3: ListObjectsV2, exceeded maximum number of attempts, 10, https response error StatusCode: 0, RequestID: , HostID: , request send failed, Get "https://minio.storage.svc:9000/corpora?list-type=2": tls: failed to verify certificate: x509: certificate signed by unknown authority
2026/03/01 02:51:09 ERROR : Attempt 1/3 failed with 1 errors and: operation error S3: ListObjectsV2, request send failed, Get "https://minio.storage.svc:9000/corpora?list-type=2": tls: failed to verify certificate: x509: certificate signed by unknown authority
2026/03/01 02:54:31 ERROR : Attempt 3/3 failed with 1 errors and: operation error S3: ListObjectsV2, request send failed, Get "https://minio.storage.svc:9000/corpora?list-type=2": tls: failed to verify certificate: x509: certificate signed by unknown authority
Transferred:   	          0 B / 0 B, -, 0 B/s, ETA -
Errors:                 1 (retrying may help)
Elapsed time:      4m28.9s

2026/03/01 02:54:31 Failed to copy: operation error S3: ListObjectsV2, exceeded maximum number of attempts, 10, https response error StatusCode: 0, request send failed, Get "https://minio.storage.svc:9000/corpora?list-type=2": tls: failed to verify certificate: x509: certificate signed by unknown authority
""",
        gpus=0,
        never=("missing_file", "application_error", "credential_rejected"),
    ),
    fail(
        "guest-flink-jdbc-timeout",
        "connection_timeout",
        "Java: PSQLException with a SocketTimeoutException at its root",
        1,
        """
2026-03-01 02:50:58,310 INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint        [] - Starting StandaloneApplicationClusterEntryPoint (Version: 1.18.1, Scala: 2.12)
2026-03-01 02:51:03,044 WARN  org.apache.hadoop.util.NativeCodeLoader                      [] - Unable to load native-hadoop library for your platform... using builtin-java classes where applicable
2026-03-01 02:51:04,211 INFO  com.acme.features.FeatureJob                                 [] - reading offsets from jdbc:postgresql://featdb.prod.example.com:5432/features
2026-03-01 02:54:24,520 ERROR com.acme.features.FeatureJob                                 [] - job could not be built
org.postgresql.util.PSQLException: The connection attempt failed.
	at org.postgresql.core.v3.ConnectionFactoryImpl.openConnectionImpl(ConnectionFactoryImpl.java:352) ~[postgresql-42.6.0.jar:42.6.0]
	at org.postgresql.Driver.connect(Driver.java:298) ~[postgresql-42.6.0.jar:42.6.0]
	at com.acme.features.FeatureJob.main(FeatureJob.java:61) [feature-job.jar:?]
Caused by: java.net.SocketTimeoutException: Connect timed out
	at sun.nio.ch.NioSocketImpl.timedFinishConnect(NioSocketImpl.java:546) ~[?:?]
	at java.net.Socket.connect(Socket.java:633) ~[?:?]
	... 14 more
2026-03-01 02:54:24,544 ERROR org.apache.flink.runtime.entrypoint.ClusterEntrypoint        [] - Could not create application program.
org.apache.flink.util.FlinkException: Could not load the provided entrypoint class.
2026-03-01 02:54:24,560 INFO  org.apache.flink.runtime.blob.BlobServer                     [] - Stopped BLOB server at 0.0.0.0:6124
""",
        gpus=0,
        never=("application_error", "missing_module", "connection_refused"),
    ),
    fail(
        "guest-gromacs-lincs",
        "application_error",
        "GROMACS: 'Too many LINCS warnings' is mdrun's own fatal error: an unstable system, no training and no GPU fault",
        1,
        """
                      :-) GROMACS - gmx mdrun, 2023.3 (-:

Command line:
  gmx mdrun -v -deffnm npt -nb gpu -pme gpu

Reading file npt.tpr, VERSION 2023.3 (single precision)
1 GPU selected for this run.
Mapping of GPU IDs to the 2 GPU tasks in the 1 rank on this node:
  PP:0,PME:0
WARNING: This run will generate roughly 3281 Mb of data
starting mdrun 'protein in water'
Step 12452, time 24.904 (ps)  LINCS WARNING
relative constraint deviation after LINCS:
rms 0.071517, max 2.333266 (between atoms 3684 and 3685)
bonds that rotated more than 30 degrees:
 atom 1 atom 2  angle  previous, current, constraint length
   3684   3685   90.0    0.1080   0.3600      0.1080
Wrote pdb files with previous and current coordinates

-------------------------------------------------------
Program:     gmx mdrun, version 2023.3
Source file: src/gromacs/mdlib/constr.cpp (line 225)

Fatal error:
Too many LINCS warnings (1009)
If you know what you are doing you can adjust the lincs warning threshold in
your mdp file or set the environment variable GMX_MAXCONSTRWARN to -1,
but normally it is better to fix the problem

For more information and tips for troubleshooting, please check the GROMACS
website at http://www.gromacs.org/Documentation/Errors
-------------------------------------------------------
""",
        never=("training_diverged", "invalid_arguments", "gpu_hardware_fault"),
    ),
    fail(
        "guest-srun-shim-execve",
        ("bad_command", "missing_file"),
        "Slurm-like wrapper: slurmstepd's execve cannot find the program; srun repeats its code 2. missing_file is the same word",
        2,
        """
[entry] generating /etc/slurm/slurm.conf for 1 node
[entry] slurmctld and slurmd started
srun: job 3 queued and waiting for resources
srun: job 3 has been allocated resources
slurmstepd-llama-ft-0-0: error: task/cgroup: hwloc_get_obj_below_by_type() failing, task/affinity plugin may be required to address bug fixed in HWLOC version 1.11.5
slurmstepd: error: execve(): torchrun-hpc: No such file or directory
srun: error: llama-ft-0-0: task 0: Exited with exit code 2
srun: Terminating StepId=3.0
[entry] FAILED: done at Sun Mar  1 02:54:42 UTC 2026
""",
        never=("invalid_arguments", "application_error"),
    ),
    fail(
        "guest-entrypoint-unbound-variable",
        "invalid_arguments",
        "bash with set -u: an environment variable that nobody set",
        1,
        """
+ source /opt/nvidia/entrypoint.d/50-gpu-driver-check.sh
++ set +x

NOTE: CUDA Forward Compatibility mode ENABLED.
  Using CUDA 12.4 driver version 550.54.15 with kernel driver version 535.161.08.
  See https://docs.nvidia.com/deploy/cuda-compatibility/ for details.

+ nvidia-smi -L
GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-0c3d1e8f-5b4a-6799-a360-c1c2c6d7e10a)
+ mkdir -p /tmp/cache
/workspace/entrypoint.sh: line 14: DATA_ROOT: unbound variable
""",
        never=("bad_command", "cuda_driver_mismatch", "missing_file"),
    ),
    fail(
        "guest-relion-driver-insufficient",
        "cuda_driver_mismatch",
        "RELION: 'driver version is insufficient for CUDA runtime version' in its own error frame",
        1,
        """
RELION version: 4.0.1-commit-ex-f2a1
Precision: BASE=double, CUDA-ACC=single

 === RELION MPI setup ===
 + Number of MPI processes             = 3
 + Leader  (0) runs on host            = llama-ft-0-0
 uniqueHost llama-ft-0-0 has 2 ranks.
GPU-ids not specified for this rank, threads will automatically be mapped to available devices.
in: /opt/relion/src/acc/cuda/cuda_ml_optimiser.cu, line 63
ERROR:
A GPU-function failed to execute.

If this occured at the start of a run, you might have GPUs which
are incompatible with either the data or your installation of relion.
ERROR: CUDA driver version is insufficient for CUDA runtime version in /opt/relion/src/acc/acc_ml_optimiser_impl.h at line 67 (error-code 35)
in: /opt/relion/src/acc/cuda/cuda_settings.h, line 67
=== Backtrace  ===
/opt/relion/bin/relion_refine_mpi(_ZN11RelionErrorC1ERKSsS1_l+0x7d) [0x5640]
==================
--------------------------------------------------------------------------
MPI_ABORT was invoked on rank 1 in communicator MPI_COMM_WORLD
with errorcode 1.
--------------------------------------------------------------------------
""",
        never=("no_gpu_visible", "application_error", "aborted"),
        gpus=2,
    ),
    fail(
        "guest-nnunet-worker-mmap",
        "python_exception",
        "nnU-Net: 'background workers are no longer alive' is the consequence; the worker's ValueError comes first",
        1,
        """
Please cite the following paper when using nnU-Net: Isensee, F., et al. Nature methods, 18(2), 203-211.

2026-03-01 02:50:40.118402: do_dummy_2d_data_aug: False
2026-03-01 02:50:41.901377: unpacking dataset...
2026-03-01 02:52:30.402020: unpacking done...
2026-03-01 02:52:31.000201: Unable to plot network architecture:
2026-03-01 02:52:31.000310: No module named 'hiddenlayer'
2026-03-01 02:52:41.118022: Epoch 0
Exception in background worker 4:
 mmap length is greater than file size
Traceback (most recent call last):
  File "/opt/conda/lib/python3.11/site-packages/batchgenerators/dataloading/nondet_multi_threaded_augmenter.py", line 53, in producer
    item = next(data_loader)
  File "/opt/conda/lib/python3.11/site-packages/numpy/core/memmap.py", line 268, in __new__
    mm = mmap.mmap(fid.fileno(), bytes, access=acc, offset=start)
ValueError: mmap length is greater than file size
Traceback (most recent call last):
  File "/opt/conda/bin/nnUNetv2_train", line 8, in <module>
    sys.exit(run_training_entry())
  File "/opt/conda/lib/python3.11/site-packages/batchgenerators/dataloading/nondet_multi_threaded_augmenter.py", line 203, in __get_next_item
    raise RuntimeError("One or more background workers are no longer alive. Exiting. Please check the print statements above for the actual error message")
RuntimeError: One or more background workers are no longer alive. Exiting. Please check the print statements above for the actual error message
""",
        never=("missing_module", "shm_exhausted"),
    ),
    fail(
        "guest-node-heap-limit",
        "application_memory_limit",
        "V8: 'Reached heap limit ... JavaScript heap out of memory' aborts with 134 far below the container's limit",
        134,
        """
> annotation-export@2.3.0 export
> node --max-old-space-size=4096 dist/export.js --format coco

{"level":30,"time":1772333001118,"pid":19,"msg":"loading 3.1M annotations from /data/ls.json"}
(node:19) [DEP0040] DeprecationWarning: The `punycode` module is deprecated. Please use a userland alternative instead.
{"level":30,"time":1772333281118,"pid":19,"msg":"1.9M annotations parsed"}

<--- Last few GCs --->

[19:0x6c1b2d0]   284071 ms: Mark-Compact 4038.4 (4129.8) -> 4030.1 (4137.6) MB, 1803.20 / 0.00 ms  (average mu = 0.118, current mu = 0.021) allocation failure; scavenge might not succeed

<--- JS stacktrace --->

FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
----- Native stack trace -----

 1: 0xb95be0 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]
 2: 0xf06250 v8::Utils::ReportOOMFailure(v8::internal::Isolate*, char const*, v8::OOMDetails const&) [node]
 3: 0x1117bb5  [node]
Aborted (core dumped)
""",
        gpus=0,
        never=("aborted", "container_oom", "cuda_oom"),
    ),
    fail(
        "guest-dotnet-unhandled-file",
        "missing_file",
        ".NET: an unhandled FileNotFoundException aborts the process (134); the exception is the reason, the signal its way out",
        134,
        """
info: Acme.Scoring.Program[0]
      ML.NET 3.0.1, TorchSharp 0.102.4 (libtorch-cuda-12.1)
info: Acme.Scoring.Program[0]
      CUDA devices: 1
warn: Acme.Scoring.Program[0]
      No appsettings.Production.json, defaults are used
info: Acme.Scoring.Program[0]
      loading /models/churn/v14/model.zip
Unhandled exception. System.IO.FileNotFoundException: Could not find file '/models/churn/v14/model.zip'.
File name: '/models/churn/v14/model.zip'
   at Interop.ThrowExceptionForIoErrno(ErrorInfo errorInfo, String path, Boolean isDirError)
   at Microsoft.Win32.SafeHandles.SafeFileHandle.Open(String fullPath, FileMode mode, FileAccess access)
   at System.IO.FileStream..ctor(String path, FileMode mode)
   at Microsoft.ML.ModelOperationsCatalog.Load(String filePath, DataViewSchema& inputSchema)
   at Acme.Scoring.Program.Main(String[] args) in /src/Program.cs:line 41
Aborted (core dumped)
""",
        never=("aborted", "application_error"),
    ),
    fail(
        "guest-pip-erofs",
        "read_only_filesystem",
        "pip in the start script: Errno 30 on a root file system mounted read-only",
        1,
        """
[start.sh] installing extra requirements
Looking in indexes: https://pypi.org/simple, https://pypi.ngc.nvidia.com
Collecting peft==0.12.0
  Downloading peft-0.12.0-py3-none-any.whl (296 kB)
     ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 296.4/296.4 kB 6.1 MB/s eta 0:00:00
Installing collected packages: peft
ERROR: Could not install packages due to an OSError: [Errno 30] Read-only file system: '/usr/local/lib/python3.10/dist-packages/peft'

WARNING: There was an error checking the latest version of pip.
[start.sh] pip failed, giving up
""",
        never=("permission_denied", "missing_module", "disk_full"),
    ),
    fail(
        "guest-webdataset-stale-handle",
        "storage_unresponsive",
        "webdataset on NFS: Errno 116 ends a worker and with it the training",
        1,
        """
2026-03-01 02:50:01.733 | INFO     | train:main:88 - world size 1, 8 workers, shards /nfs/laion/{00000..41407}.tar
2026-03-01 02:50:14.020 | WARNING  | train:main:101 - channels_last not used for bf16
2026-03-01 02:53:14.020 | INFO     | train:loop:150 - step 200 loss 5.911 samples/s 2100
2026-03-01 02:54:44.911 | ERROR    | train:<module>:212 - An error has been caught in function '<module>', process 'MainProcess' (7), thread 'MainThread' (140021):
Traceback (most recent call last):

> File "/workspace/train.py", line 212, in <module>
    main()
    └ <function main at 0x7f8a>

  File "/opt/conda/lib/python3.11/site-packages/torch/_utils.py", line 706, in reraise
    raise exception

OSError: Caught OSError in DataLoader worker process 3.
Original Traceback (most recent call last):
  File "/opt/conda/lib/python3.11/site-packages/webdataset/tariterators.py", line 190, in tar_file_iterator
    stream = tarfile.open(fileobj=fileobj, mode="r|*")
  File "/opt/conda/lib/python3.11/site-packages/webdataset/handlers.py", line 23, in reraise_exception
    raise exn
OSError: (("[Errno 116] Stale file handle @ <_io.BufferedReader name='/nfs/laion/01877.tar'>",), '/nfs/laion/01877.tar')
""",
        never=("python_exception", "shm_exhausted", "missing_file"),
    ),
    fail(
        "guest-amber-uncorrectable-ecc",
        "gpu_hardware_fault",
        "Amber pmemd.cuda: the runtime reports an uncorrectable ECC error; no event of the node is needed to read it",
        255,
        """
| Running AMBER/MPI version on 1 node
Initiating pmemd.cuda, CUDA (GPU): Implementation for NVIDIA
|------------------- GPU DEVICE INFO --------------------
|            CUDA_VISIBLE_DEVICES: 0
|   CUDA Capable Devices Detected:      1
|           CUDA Device ID in use:      0
|                CUDA Device Name: NVIDIA A100-SXM4-80GB
Note: The following floating-point exceptions are signalling: IEEE_UNDERFLOW_FLAG IEEE_DENORMAL
 NSTEP =  1150000   TIME(PS) =   22400.000  TEMP(K) =   299.87  PRESS =     0.0
cudaMemcpy GpuBuffer::Download failed uncorrectable ECC error encountered
run_md.sh: prod1 failed with 255
""",
        never=("application_error", "cuda_illegal_access", "cuda_oom"),
    ),
    case(
        "guest-foundry-allgather-timeout",
        "nccl_timeout",
        "llm-foundry/composer: both ranks' watchdogs report the same all-gather, no rank says anything earlier",
        *(
            crashed(
                250,
                f"""
2026-03-01 02:20:11,402: rank{n}[{140 + n}][MainThread]: INFO: composer.trainer.trainer: Setting seed to {17 + n}
/usr/lib/python3/dist-packages/composer/callbacks/memory_monitor.py:137: UserWarning: The memory monitor only works on CUDA devices
2026-03-01 02:24:52,110: rank{n}[{140 + n}][MainThread]: INFO: composer.trainer.trainer: Using FSDP, sharding_strategy FULL_SHARD
[batch=311/24000]: Train loss/train/total: 2.61
[rank{n}]:[E301 02:54:20.{118 + n} ProcessGroupNCCL.cpp:632] [Rank {n}] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=90112, OpType=_ALLGATHER_BASE, NumelIn=16777216, NumelOut=268435456, Timeout(ms)=1200000) ran for 1200037 milliseconds before timing out.
[rank{n}]:[E301 02:54:20.{210 + n} ProcessGroupNCCL.cpp:684] [Rank {n}] Some NCCL operations have failed or timed out. Due to the asynchronous nature of CUDA kernels, subsequent GPU operations might run on corrupted/incomplete data.
[rank{n}]:[E301 02:54:20.{211 + n} ProcessGroupNCCL.cpp:690] [Rank {n}] To avoid data inconsistency, we are taking the entire process down.
terminate called after throwing an instance of 'c10::DistBackendError'
  what():  [PG ID 0 PG GUID 0(default_pg) Rank {n}] Process group watchdog thread terminated with exception: [Rank {n}] Watchdog caught collective operation timeout
ERROR:composer.cli.launcher:Rank {n} crashed with exit code -6.
Waiting up to 30 seconds for all training processes to terminate. Press Ctrl-C to exit immediately.
""",
                at=-5.0 + n * 0.02,
                rank=rank,
                node=place,
                gpus=8,
            )
            for n, rank, place in ((0, "master-0", "gpu-00"), (8, "worker-0", "gpu-01"))
        ),
        job=distributed("Failed", workers=2),
        never=("aborted", "nccl_network_error", "cuda_illegal_access"),
    ),
]

"""Data and pipelines: whole incidents by an author who had not seen the rules, the second set of its kind."""

from __future__ import annotations

from tests.corpus.case import LabelledCase
from tests.corpus.cases.guest_serving import fail
from tests.corpus.wire import on_node

CASES: list[LabelledCase] = []

CASES += [
    fail(
        "guest-horovod-signal-7",
        "shm_exhausted",
        "horovod #3952: bus error in a rank, named by mpirun as signal 7",
        135,
        """
[1,0]<stderr>:2026-03-01 02:49:31.881304: I tensorflow/core/platform/cpu_feature_guard.cc:182] This TensorFlow binary is optimized to use available CPU instructions in performance-critical operations.
[1,3]<stderr>:2026-03-01 02:49:41.120415: W tensorflow/compiler/tf2tensorrt/utils/py_utils.cc:38] TF-TRT Warning: Could not find TensorRT
[1,0]<stdout>:NCCL version 2.16.5+cuda11.8
[1,2]<stdout>:Epoch 1/90
[1,3]<stderr>:*** Received signal 7 ***
[1,3]<stderr>:*** BEGIN MANGLED STACK TRACE ***
[1,3]<stderr>:/usr/local/lib/python3.10/site-packages/tensorflow/python/platform/../../libtensorflow_framework.so.2(+0x1793d31)[0x7fbf52976d31]
[1,3]<stderr>:/lib/x86_64-linux-gnu/libc.so.6(+0x18b733)[0x7fbf7d0e4733]
[1,3]<stderr>:/opt/nccl/build/lib/libnccl.so.2(+0x5e2a1)[0x7fbef1a5e2a1]
[1,3]<stderr>:*** END MANGLED STACK TRACE ***
[1,3]<stderr>:*** Begin stack dump ***
[1,3]<stderr>:*** End stack dump ***
--------------------------------------------------------------------------
Primary job  terminated normally, but 1 process returned
a non-zero exit code. Per user-direction, the job has been aborted.
--------------------------------------------------------------------------
mpirun noticed that process rank 3 with PID 118 on node llama-ft-0-0 exited on signal 7 (Bus error).
--------------------------------------------------------------------------
""",
        never=("segfault", "killed_by_signal", "missing_module"),
        gpus=4,
    ),
    fail(
        "guest-nextflow-star-cgroup",
        "container_oom",
        "nf-core: a tool ended with 137 inside the pipeline; the node's memory-cgroup event names it at that minute",
        1,
        """
 N E X T F L O W   ~  version 24.04.2
Launching `nf-core/rnaseq` [condescending_bell] DSL2 - revision: 3.14.0
WARN: Singularity cache directory has not been defined
executor >  local (9)
[4f/1d02a1] NFC…RIMGALORE (WT_REP1)   | 4 of 4 ✔
[9d/551d22] NFC…STAR_ALIGN (WT_REP1)  | 0 of 4
ERROR ~ Error executing process > 'NFCORE_RNASEQ:RNASEQ:ALIGN_STAR:STAR_ALIGN (WT_REP1)'

Caused by:
  Process `NFCORE_RNASEQ:RNASEQ:ALIGN_STAR:STAR_ALIGN (WT_REP1)` terminated with an error exit status (137)

Command executed:
  STAR --genomeDir star --readFilesIn WT_REP1_1_val_1.fq.gz WT_REP1_2_val_2.fq.gz --runThreadN 12 --outFileNamePrefix WT_REP1.

Command exit status:
  137

Command output:
  Mar 01 02:51:40 ..... started STAR run
  Mar 01 02:51:41 ..... loading genome

Command error:
  .command.sh: line 7:    31 Killed                  STAR --genomeDir star

Work dir:
  /scratch/runs/9d/551d22aa0c
-[nf-core/rnaseq] Pipeline completed with errors-
""",
        events=[
            on_node(
                "OOMKilling",
                "Memory cgroup out of memory: Killed process 81231 (STAR) total-vm:41320112kB, anon-rss:33412208kB, file-rss:2048kB, shmem-rss:0kB, UID:0 pgtables:66120kB oom_score_adj:937",
                at=-5.1,
            )
        ],
        memory="32Gi",
        gpus=0,
        never=("application_error", "missing_file"),
    ),
    fail(
        "guest-snakemake-samtools-enospc",
        "disk_full",
        "snakemake: the rule's own message is generic; samtools wrote why",
        1,
        """
Building DAG of jobs...
Using shell: /usr/bin/bash
Provided cores: 32
Job stats:
job         count
--------  -------
sort           12
all             1
total          13

[Sun Mar  1 02:20:11 2026]
rule sort:
    input: mapped/A.bam
    output: sorted/A.bam
    jobid: 4
    resources: tmpdir=/tmp
[bam_sort_core] merging from 44 files and 8 in-memory blocks...
[E::bgzf_flush] File write failed (wrong size)
samtools sort: failed writing to "sorted/A.bam": No space left on device
[Sun Mar  1 02:54:40 2026]
Error in rule sort:
    jobid: 4
    output: sorted/A.bam
    shell:
        samtools sort -@ 8 -o sorted/A.bam mapped/A.bam
        (one of the commands exited with non-zero exit code; note that snakemake uses bash strict mode!)

Removing output files of failed job sort since they might be corrupted:
sorted/A.bam
Shutting down, this might take some time.
Exiting because a job execution failed. Look above for error message
Complete log: .snakemake/log/2026-03-01T022011.405457.snakemake.log
""",
        gpus=0,
        never=("application_error", "ephemeral_storage_exceeded", "missing_file"),
    ),
    fail(
        "guest-spark-rapids-gpuretryoom",
        "cuda_oom",
        "RAPIDS for Spark #8052/#10319: GPU OutOfMemory of the device, not of the JVM's heap",
        1,
        """
26/03/01 02:30:05 INFO ShimLoader: Loading shim for Spark version: 3.5.1
26/03/01 02:30:06 WARN RapidsPluginUtils: RAPIDS Accelerator is enabled, to disable GPU support set `spark.rapids.sql.enabled` to false.
26/03/01 02:30:11 INFO GpuDeviceManager: Initializing RMM ASYNC pool size = 37053.77 MB on gpuId 0
26/03/01 02:53:30 INFO DeviceMemoryEventHandler: Device allocation of 901413008 bytes failed, device store has 29207855964 total and 0 spillable bytes. First attempt. Total RMM allocated is 37053769728 bytes.
26/03/01 02:53:31 WARN TaskSetManager: Lost task 41.0 in stage 18.0 (TID 3110) (10.244.2.31 executor 2): com.nvidia.spark.rapids.jni.GpuSplitAndRetryOOM: GPU OutOfMemory: could not split inputs and retry
	at com.nvidia.spark.rapids.RmmRapidsRetryIterator$AutoCloseableAttemptSpliterator.split(RmmRapidsRetryIterator.scala:472)
	at com.nvidia.spark.rapids.GpuMergeAggregateIterator.next(GpuAggregateExec.scala:711)
26/03/01 02:54:12 ERROR TaskSetManager: Task 41 in stage 18.0 failed 4 times; aborting job
26/03/01 02:54:12 INFO TaskSchedulerImpl: Cancelling stage 18
Exception in thread "main" org.apache.spark.SparkException: Job aborted due to stage failure: Task 41 in stage 18.0 failed 4 times, most recent failure: Lost task 41.3 in stage 18.0 (TID 3122) (10.244.2.31 executor 2): com.nvidia.spark.rapids.jni.GpuSplitAndRetryOOM: GPU OutOfMemory: could not split inputs and retry
	at org.apache.spark.scheduler.DAGScheduler.failJobAndIndependentStages(DAGScheduler.scala:2856)
26/03/01 02:54:13 INFO SparkContext: Invoking stop() from shutdown hook
26/03/01 02:54:13 INFO ShutdownHookManager: Deleting directory /tmp/spark-7d1c
""",
        never=("application_memory_limit", "application_error", "container_oom"),
    ),
    fail(
        "guest-dask-killedworker",
        "application_memory_limit",
        "dask/distributed #2130: the nanny kills a worker at 95 % of the limit that Dask set for it; KilledWorker follows",
        1,
        """
2026-03-01 02:33:33,866 - distributed.scheduler - INFO -   Scheduler at:     tcp://127.0.0.1:38071
2026-03-01 02:33:35,402 - distributed.nanny - INFO -         Start Nanny at: 'tcp://127.0.0.1:42465'
2026-03-01 02:49:33,866 - distributed.worker.memory - WARNING - Unmanaged memory use is high. This may indicate a memory leak or the memory may not be released to the OS. -- Unmanaged memory: 5.49 GiB -- Worker memory limit: 8.00 GiB
2026-03-01 02:49:36,648 - distributed.worker.memory - WARNING - Worker is at 81% memory usage. Pausing worker.  Process memory: 6.50 GiB -- Worker memory limit: 8.00 GiB
2026-03-01 02:49:41,011 - distributed.nanny.memory - WARNING - Worker tcp://127.0.0.1:34437 (pid=129) exceeded 95% memory budget. Restarting...
2026-03-01 02:49:41,409 - distributed.nanny - INFO - Worker process 129 was killed by signal 15
2026-03-01 02:49:41,415 - distributed.nanny - WARNING - Restarting worker
2026-03-01 02:52:02,118 - distributed.nanny.memory - WARNING - Worker tcp://127.0.0.1:40113 (pid=412) exceeded 95% memory budget. Restarting...
2026-03-01 02:54:30,720 - distributed.nanny.memory - WARNING - Worker tcp://127.0.0.1:40991 (pid=508) exceeded 95% memory budget. Restarting...
2026-03-01 02:54:31,009 - distributed.scheduler - ERROR - Task ('shuffle-p2p-7d2a', 11) marked as failed because 4 workers died while trying to run it
Traceback (most recent call last):
  File "/workspace/dedup.py", line 248, in <module>
    out = ddf.map_partitions(minhash).compute()
  File "/opt/conda/lib/python3.11/site-packages/distributed/client.py", line 2244, in _gather
    raise exception.with_traceback(traceback)
distributed.scheduler.KilledWorker: Attempted to run task ('shuffle-p2p-7d2a', 11) on 4 different workers, but all those workers died while running it. The last worker that attempt to run the task was tcp://127.0.0.1:40991.
""",
        gpus=0,
        never=("container_oom", "python_exception", "killed_by_signal"),
    ),
    fail(
        "guest-jax-cudnn-too-old",
        "python_exception",
        "jax #16901: the cuDNN found is older than the one compiled for: a library of the image, not the driver",
        1,
        """
/opt/conda/lib/python3.11/site-packages/flax/struct.py:136: FutureWarning: jax.tree_util.register_keypaths is deprecated
INFO:absl:Unable to initialize backend 'rocm': NOT_FOUND: Could not find registered platform with name: "rocm"
INFO:absl:Unable to initialize backend 'tpu': INTERNAL: Failed to open libtpu.so: libtpu.so: cannot open shared object file: No such file or directory
2026-03-01 02:53:45.016563: E external/xla/xla/stream_executor/cuda/cuda_dnn.cc:427] Loaded runtime CuDNN library: 8.5.0 but source was compiled with: 8.6.0.  CuDNN library needs to have matching major version and equal or higher minor version. If using a binary install, upgrade your CuDNN library.
Traceback (most recent call last):
  File "/workspace/train_vqgan.py", line 202, in <module>
    main()
  File "/workspace/train_vqgan.py", line 32, in main
    rng = jax.random.PRNGKey(config.seed)
  File "/opt/conda/lib/python3.11/site-packages/jax/_src/random.py", line 137, in PRNGKey
    key = prng.seed_with_impl(impl, seed)
  File "/opt/conda/lib/python3.11/site-packages/jax/_src/dispatch.py", line 471, in backend_compile
    return backend.compile(built_c, compile_options=options)
jaxlib.xla_extension.XlaRuntimeError: FAILED_PRECONDITION: DNN library initialization failed. Look at the errors above for more details.
""",
        never=("cuda_driver_mismatch", "no_gpu_visible", "missing_module"),
    ),
    fail(
        "guest-dvc-pull-403",
        "credential_rejected",
        "DVC #7238, METR #12: 403 of S3 at HeadObject ends dvc pull with 255",
        255,
        """
+ cd /workspace/eval-analysis
+ dvc config core.analytics false
+ dvc pull -r production -j 16
Collecting                                            |31.0 [00:00, 2.28kentry/s]
Fetching
WARNING: Some of the cache files do not exist neither locally nor on remote. Missing cache files:
ERROR: failed to connect to s3 (production-analysis-assets/files/md5) - Forbidden: An error occurred (403) when calling the HeadObject operation: Forbidden
ERROR: failed to pull data from the cloud - 31 files failed to download
""",
        gpus=0,
        never=("permission_denied", "missing_file", "application_error"),
    ),
    fail(
        "guest-hpcg-ucx-retry-exceeded",
        "nccl_network_error",
        "openucx #6000: transport retry count exceeded on a RoCE port between MPI ranks, then abort",
        134,
        """
Warning: Permanently added '[llama-ft-worker-1]:22' (ECDSA) to the list of known hosts.
HPCG-NVIDIA 24.03.0  -- NVIDIA accelerated HPCG benchmark
Build v0.5.6
[llama-ft-0-0:24113:0:24113] ib_mlx5_log.c:143  Transport retry count exceeded on mlx5_0:1/RoCE (synd 0x15 vend 0x81 hw_synd 0/0)
[llama-ft-0-0:24113:0:24113] ib_mlx5_log.c:143  DCI QP 0x1510 wqe[0]: SEND s-e [rqpn 0x223a4 rmac 0c:42:a1:7d:df:c8 sgix 0 dgid fe80::e42:a1ff:fe7d:dfc8 tc 0] [inl len 18]
==== backtrace (tid:  24113) ====
 0 0x00000000000557b9 ucs_debug_print_backtrace()  ???:0
 1 0x0000000000020079 uct_ib_mlx5_completion_with_err()  ???:0
 2 0x0000000000042942 uct_dc_mlx5_ep_handle_failure()  ???:0
 3 0x0000000000024bea ucp_worker_progress()  ???:0
 4 0x000000000003364c opal_progress()  ???:0
=================================
[llama-ft-0-0:24113] *** Process received signal ***
[llama-ft-0-0:24113] Signal: Aborted (6)
[llama-ft-0-0:24113] Signal code:  (-6)
[llama-ft-0-0:24113] *** End of error message ***
--------------------------------------------------------------------------
mpirun noticed that process rank 4 with PID 24113 on node llama-ft-0-0 exited on signal 6 (Aborted).
--------------------------------------------------------------------------
""",
        gpus=8,
        never=("aborted", "permission_denied"),
    ),
    fail(
        "guest-julia-out-of-gpu-memory",
        "cuda_oom",
        "CUDA.jl #1346: OutOfGPUMemoryError as Julia prints it",
        1,
        """
  Activating project at `/workspace/NeuralODE`
[ Info: CUDA runtime 12.4, artifact installation
[ Info: Training with 4096 trajectories on CuDevice(0): NVIDIA H100 80GB HBM3
┌ Warning: Performing scalar indexing on task Task (runnable) @0x00007f1b2a0c.
│ Invocation of getindex resulted in scalar indexing of a GPU array.
└ @ GPUArraysCore ~/.julia/packages/GPUArraysCore/GMsgk/src/GPUArraysCore.jl:106
Progress:  18%|███████▍                                 |  ETA: 0:41:02
ERROR: LoadError: Out of GPU memory trying to allocate 31.250 GiB
Effective GPU memory usage: 98.91% (78.307 GiB/79.170 GiB)
Memory pool usage: 61.044 GiB (74.281 GiB reserved)

Stacktrace:
  [1] throw(exn)
    @ Base ./boot.jl:385
  [2] macro expansion
    @ ~/.julia/packages/CUDA/Il7B3/src/pool.jl:443 [inlined]
  [3] #_pool_alloc#1004
    @ ~/.julia/packages/CUDA/Il7B3/src/pool.jl:424
  [4] top-level scope
    @ /workspace/NeuralODE/train.jl:88
in expression starting at /workspace/NeuralODE/train.jl:71
""",
        never=("application_error", "application_memory_limit", "container_oom"),
    ),
    fail(
        "guest-jupyter-runtime-dir-denied",
        "permission_denied",
        "bioos #69: jupyterhub-singleuser cannot write its server info file",
        1,
        """
[I 2026-03-01 02:54:28.286 ServerApp] jupyter_lsp | extension was successfully linked.
[W 2026-03-01 02:54:28.290 LabApp] 'token' has moved from NotebookApp to ServerApp. This config will be passed to ServerApp.
[I 2026-03-01 02:54:28.955 ServerApp] notebook_shim | extension was successfully loaded.
[W 2026-03-01 02:54:29.010 ServerApp] Unrecognized alias: 'notebook-dir'
[I 2026-03-01 02:54:29.101 ServerApp] Serving notebooks from local directory: /home/jovyan
Traceback (most recent call last):
  File "/opt/conda/bin/jupyterhub-singleuser", line 10, in <module>
    sys.exit(main())
  File "/opt/conda/lib/python3.10/site-packages/traitlets/config/application.py", line 985, in launch_instance
    app.start()
  File "/opt/conda/lib/python3.10/site-packages/jupyter_server/serverapp.py", line 2742, in start_app
    self.write_server_info_file()
  File "/opt/conda/lib/python3.10/site-packages/jupyter_server/serverapp.py", line 2557, in write_server_info_file
    with secure_write(self.info_file) as f:
  File "/opt/conda/lib/python3.10/contextlib.py", line 135, in __enter__
    return next(self.gen)
PermissionError: [Errno 13] Permission denied: '/home/jovyan/.local/share/jupyter/runtime/jpserver-7.json'
""",
        kind="Workspace",
        never=("python_exception", "credential_rejected"),
    ),
    fail(
        "guest-mlflow-refused",
        "connection_refused",
        "mlflow #12154: the tracking server refuses the connection; the exception names host and port",
        1,
        """
2026/03/01 02:52:01 INFO mlflow.utils.autologging_utils: Created MLflow autologging run with ID
WARNING:urllib3.connectionpool:Retrying (Retry(total=4, connect=4, read=5, redirect=5, status=5)) after connection broken by 'NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7e710e4ff090>: Failed to establish a new connection: [Errno 111] Connection refused')': /api/2.0/mlflow/experiments/get-by-name?experiment_name=detr
WARNING:urllib3.connectionpool:Retrying (Retry(total=0, connect=0, read=5, redirect=5, status=5)) after connection broken by 'NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7e710e574b10>: Failed to establish a new connection: [Errno 111] Connection refused')': /api/2.0/mlflow/experiments/get-by-name?experiment_name=detr
Traceback (most recent call last):
  File "/opt/conda/lib/python3.11/site-packages/mlflow/utils/rest_utils.py", line 183, in http_request
    return _get_http_response_with_retries(
requests.exceptions.ConnectionError: HTTPConnectionPool(host='mlflow.mlops.svc', port=5000): Max retries exceeded with url: /api/2.0/mlflow/experiments/get-by-name?experiment_name=detr

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/workspace/train_detr.py", line 43, in <module>
    mlflow.set_experiment("detr")
  File "/opt/conda/lib/python3.11/site-packages/mlflow/utils/rest_utils.py", line 212, in http_request
    raise MlflowException(f"API request to {url} failed with exception {e}")
mlflow.exceptions.MlflowException: API request to http://mlflow.mlops.svc:5000/api/2.0/mlflow/experiments/get-by-name failed with exception HTTPConnectionPool(host='mlflow.mlops.svc', port=5000): Max retries exceeded with url: /api/2.0/mlflow/experiments/get-by-name?experiment_name=detr (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7e710e575310>: Failed to establish a new connection: [Errno 111] Connection refused'))
""",
        never=("python_exception", "dns_failure", "connection_timeout"),
    ),
    fail(
        "guest-lm-eval-hub-unresolved",
        "dns_failure",
        "lm-evaluation-harness #1659/#762: the hub's name does not resolve inside the cluster; the last line speaks only of the Hub",
        1,
        """
2026-03-01:02:50:01,058 INFO     [__main__.py:279] Verbosity set to INFO
2026-03-01:02:50:07,902 INFO     [__main__.py:376] Selected Tasks: ['mmlu', 'hellaswag']
2026-03-01:02:50:07,904 INFO     [evaluator.py:164] Setting random seed to 0 | Setting numpy seed to 1234
2026-03-01:02:52:31,311 INFO     [huggingface.py:129] Using device 'cuda:0'
'(MaxRetryError("HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exceeded with url: /datasets/cais/mmlu/resolve/main/README.md (Caused by NameResolutionError(\\"<urllib3.connection.HTTPSConnection object at 0x7fb3ab117dc0>: Failed to resolve 'huggingface.co' ([Errno -3] Temporary failure in name resolution)\\"))"), '(Request ID: 0b9a)')' thrown while requesting HEAD https://huggingface.co/datasets/cais/mmlu/resolve/main/README.md
Retrying in 1s [Retry 1/5].
Retrying in 8s [Retry 5/5].
Traceback (most recent call last):
  File "/usr/local/bin/lm_eval", line 8, in <module>
    sys.exit(cli_evaluate())
  File "/usr/local/lib/python3.11/site-packages/lm_eval/__main__.py", line 382, in cli_evaluate
    results = evaluator.simple_evaluate(
  File "/usr/local/lib/python3.11/site-packages/datasets/load.py", line 1782, in dataset_module_factory
    raise ConnectionError(f"Couldn't reach '{path}' on the Hub ({e.__class__.__name__})") from e
ConnectionError: Couldn't reach 'cais/mmlu' on the Hub (LocalEntryNotFoundError)
""",
        never=("python_exception", "missing_file", "connection_refused"),
    ),
    fail(
        "guest-rscript-no-package",
        "missing_module",
        "R: library() of a package that is not installed",
        1,
        """

Attaching package: ‘dplyr’

The following objects are masked from ‘package:stats’:

    filter, lag

Loading required package: Matrix
Warning message:
package ‘Matrix’ was built under R version 4.3.3
[1] "reading counts: 58302 genes x 1204 samples"
Error in library(DESeq2) : there is no package called ‘DESeq2’
Calls: suppressPackageStartupMessages -> withCallingHandlers -> library
Execution halted
""",
        gpus=0,
        never=("application_error", "missing_file"),
    ),
    fail(
        "guest-go-nil-dereference",
        "application_error",
        "gpud #411: a Go panic prints SIGSEGV and exits 2: its own reported error, no crash of the process",
        2,
        """
{"level":"info","ts":"2026-03-01T02:53:57Z","caller":"server/server.go:211","msg":"starting gpud","version":"v0.4.3"}
{"level":"warn","ts":"2026-03-01T02:53:57Z","caller":"nvml/nvml.go:322","msg":"gpm metrics not supported"}
{"level":"info","ts":"2026-03-01T02:54:10Z","caller":"session/serve.go:80","msg":"session established"}
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0xccce93]

goroutine 680 [running]:
github.com/leptonai/gpud/components/accelerator/nvidia/query.(*SMIFBMemoryUsage).Parse(0x0)
        /home/runner/src/gpud/gpud/components/accelerator/nvidia/query/nvidia_smi_query_gpu.go:770 +0x73
github.com/leptonai/gpud/components/accelerator/nvidia/info.ToOutput(0xc001e94750)
        /home/runner/src/gpud/gpud/components/accelerator/nvidia/info/component_output.go:23 +0x96
created by github.com/leptonai/gpud/internal/session.NewSession in goroutine 1
        /home/runner/src/gpud/gpud/internal/session/session.go:112 +0x4f4
""",
        never=("invalid_arguments", "segfault"),
    ),
    fail(
        "guest-parabricks-no-gpus",
        "no_gpu_visible",
        "Parabricks pbrun: could not find accessible GPUs",
        1,
        """
Please visit https://docs.nvidia.com/clara/#parabricks for detailed documentation

[Parabricks Options Mesg]: Automatically generating ID prefix
[Parabricks Options Mesg]: Read group created for /data/HG002_R1.fastq.gz and /data/HG002_R2.fastq.gz
[Parabricks Options Mesg]: Checking argument compatibility
[PB Info 2026-Mar-01 02:54:31] ------------------------------------------------------------------------------
[PB Info 2026-Mar-01 02:54:31] ||                 Parabricks accelerated Genomics Pipeline                 ||
[PB Info 2026-Mar-01 02:54:31] ||                              Version 4.3.1-1                             ||
[PB Info 2026-Mar-01 02:54:31] ------------------------------------------------------------------------------
[PB Warning 2026-Mar-01 02:54:31][ParaBricks/src/check_error.cu:44] cudaGetDeviceCount() failed with no CUDA-capable device is detected
[PB Error 2026-Mar-01 02:54:31][src/main.cpp:212] Could not find accessible GPUs. Please check that the container was started with GPU access, exiting.
For technical support visit https://docs.nvidia.com/clara/parabricks/latest/index.html
Exiting...

Could not run fq2bam
Exiting pbrun ...
""",
        never=("application_error", "insufficient_gpu"),
    ),
]

CASES += []

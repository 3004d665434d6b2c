"""Log endings in the shapes of public incident reports: frameworks, launchers, servers and languages.

Written and labelled from the reports' threads before the rules saw them; names and numbers are changed.
"""

from __future__ import annotations

from tests.corpus.cases.unseen import end
from tests.corpus.wire import raised

_CHAINED = "\nThe above exception was the direct cause of the following exception:\n\n"

CASES = [
    # --- launchers that prefix, wrap or sum up ------------------------------------------------------------------------
    end(
        "public-horovod-rank",
        "python_exception",
        "one rank raised; what the others say of a shut-down Horovod follows (horovod 3412)",
        1,
        """
        [1,0]<stdout>:925/925 - 522s - loss: 0.1655 - auc: 0.7404
        [1,2]<stderr>:Traceback (most recent call last):
        [1,2]<stderr>:  File "/work/code/train.py", line 202, in <module>
        [1,2]<stderr>:    model.fit(ds)
        [1,2]<stderr>:  File "/work/code/pipe.py", line 51, in decode
        [1,2]<stderr>:    raise ValueError("record 88 has 7 columns, 9 expected")
        [1,2]<stderr>:ValueError: record 88 has 7 columns, 9 expected
        [1,0]<stderr>:Traceback (most recent call last):
        [1,0]<stderr>:  File "/work/code/train.py", line 202, in <module>
        [1,0]<stderr>:    model.fit(ds)
        [1,0]<stderr>:tensorflow.python.framework.errors_impl.UnknownError: Horovod has been shut down. This was caused by an exception on one of the ranks or an attempt to allreduce, allgather or broadcast a tensor after one of the ranks finished execution.
        --------------------------------------------------------------------------
        Primary job  terminated normally, but 1 process returned
        a non-zero exit code. Per user-direction, the job has been aborted.
        --------------------------------------------------------------------------
        """,
        never=("aborted", "nccl_timeout"),
    ),
    end(
        "public-horovod-missing-file",
        "missing_file",
        "the same prefixes, and the rank names a file",
        1,
        """
        [1,3]<stderr>:Traceback (most recent call last):
        [1,3]<stderr>:  File "train.py", line 12, in <module>
        [1,3]<stderr>:    open(path)
        [1,3]<stderr>:FileNotFoundError: [Errno 2] No such file or directory: '/data/part-3.bin'
        --------------------------------------------------------------------------
        mpirun detected that one or more processes exited with non-zero status, thus causing
        the job to be terminated. The first process to do so was:

          Process name: [[42,1],3]
          Exit code:    1
        --------------------------------------------------------------------------
        """,
    ),
    end(
        "public-srun-segv",
        "segfault",
        "srun names the signal of a task",
        1,
        """
        0: iteration 120/5000 | loss 4.1
        srun: error: gpu-07: task 3: Segmentation fault (core dumped)
        srun: launch/slurm: _step_signal: Terminating StepId=41.0
        slurmstepd: error: *** STEP 41.0 ON gpu-07 CANCELLED AT 2026-03-01T02:55:00 ***
        srun: error: gpu-07: tasks 0-2: Terminated
        """,
        never=("killed_by_signal",),
    ),
    end(
        "public-srun-oom",
        ("container_oom", "killed_by_signal"),
        "slurmstepd tells of the cgroup's oom_kill; no state and no kernel event says the container's limit",
        1,
        """
        slurmstepd: error: Detected 1 oom_kill event in StepId=11300781.0. Some of the step tasks have been OOM Killed.
        srun: error: gpu-07: task 0: Out Of Memory
        """,
        never=("cuda_oom", "application_error"),
    ),
    end(
        "public-mpirun-ssh-dns",
        "dns_failure",
        "the launcher's ssh cannot find a worker by name",
        1,
        """
        ssh: Could not resolve hostname llama-ft-worker-1.llama-ft-worker: Name or service not known
        --------------------------------------------------------------------------
        ORTE was unable to reliably start one or more daemons.
        This usually is caused by:

        * not finding the required libraries and/or binaries on
          one or more nodes. Please check your PATH and LD_LIBRARY_PATH
        * lack of authority to execute on one or more specified nodes.
        --------------------------------------------------------------------------
        """,
        never=("missing_module", "permission_denied"),
    ),
    end(
        "public-mpirun-slots",
        "invalid_arguments",
        "more slots asked for than the host file has",
        1,
        """
        --------------------------------------------------------------------------
        There are not enough slots available in the system to satisfy the 16
        slots that were requested by the application:

          python

        Either request fewer procs for your application, or make more slots
        available for use.
        --------------------------------------------------------------------------
        """,
    ),
    end(
        "public-mpi-abort-after-raise",
        "python_exception",
        "MPI_ABORT comes of the exception above it",
        1,
        """
        Traceback (most recent call last):
          File "/workspace/solve.py", line 88, in <module>
            run(comm)
          File "/workspace/solve.py", line 61, in run
            raise RuntimeError("mesh partition 3 is empty")
        RuntimeError: mesh partition 3 is empty
        --------------------------------------------------------------------------
        MPI_ABORT was invoked on rank 3 in communicator MPI_COMM_WORLD
        with errorcode 1.

        NOTE: invoking MPI_ABORT causes Open MPI to kill all MPI processes.
        You may or may not see output from other processes, depending on
        exactly when Open MPI kills them.
        --------------------------------------------------------------------------
        """,
        never=("aborted", "killed_by_signal"),
    ),
    end(
        "public-deepspeed-launch-kills",
        "missing_module",
        "the launcher kills the other ranks after one could not import",
        1,
        """
        [2026-03-01 02:54:01,100] [INFO] [launch.py:256:main] process 71 spawned with command: ['python', 'train.py', '--local_rank=1']
        Traceback (most recent call last):
          File "/workspace/train.py", line 4, in <module>
            import apex
        ModuleNotFoundError: No module named 'apex'
        [2026-03-01 02:54:09,112] [INFO] [launch.py:319:sigkill_handler] Killing subprocess 70
        [2026-03-01 02:54:09,120] [INFO] [launch.py:319:sigkill_handler] Killing subprocess 71
        [2026-03-01 02:54:09,121] [ERROR] [launch.py:325:sigkill_handler] ['/usr/bin/python3', '-u', 'train.py', '--local_rank=1'] exits with return code = 1
        """,
        never=("killed_by_signal",),
    ),
    end(
        "public-torchrun-two-ranks",
        "python_exception",
        "rank 3 raised; rank 0's watchdog and torchrun's table follow",
        1,
        """
        [rank3]: Traceback (most recent call last):
        [rank3]:   File "/workspace/train.py", line 320, in <module>
        [rank3]:     loss = step(batch)
        [rank3]:   File "/workspace/model.py", line 77, in step
        [rank3]:     raise AssertionError("sequence of 0 tokens in shard 12")
        [rank3]: AssertionError: sequence of 0 tokens in shard 12
        [rank0]:[E301 02:54:40.100000000 ProcessGroupNCCL.cpp:616] [Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=811, OpType=ALLREDUCE, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600021 milliseconds before timing out.
        [rank0]:[E301 02:54:41.000000000 ProcessGroupNCCL.cpp:1785] [PG ID 0 PG GUID 0 Rank 0] Exception (either an error or timeout) detected by watchdog at work: 811
        W0301 02:54:42.000000 1 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 67 closing signal SIGTERM
        E0301 02:54:43.000000 1 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1) local_rank: 3 (pid: 70) of binary: /usr/bin/python
        Traceback (most recent call last):
          File "/usr/local/bin/torchrun", line 8, in <module>
            sys.exit(main())
          File "/usr/local/lib/python3.12/dist-packages/torch/distributed/launcher/api.py", line 269, in launch_agent
            raise ChildFailedError(
        torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
        ============================================================
        train.py FAILED
        ------------------------------------------------------------
        Root Cause (first observed failure):
        [0]:
          time      : 2026-03-01_02:54:42
          rank      : 3 (local_rank: 3)
          exitcode  : 1 (pid: 70)
          error_file: <N/A>
        ============================================================
        """,
        never=("nccl_timeout", "killed_by_signal"),
    ),
    end(
        "public-lightning-rank-prefix",
        "cuda_oom",
        "an exception on one rank, in Lightning's words around it",
        1,
        """
        Epoch 0:  12%|█▏        | 120/1000 [01:10<08:40,  1.69it/s, v_num=3]
        [rank: 1] Child process with PID 2216 terminated with code 1. Forcefully terminating all other processes to avoid zombies
        [rank1]: Traceback (most recent call last):
        [rank1]:   File "/workspace/fit.py", line 40, in <module>
        [rank1]:     trainer.fit(model, data)
        [rank1]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 1 has a total capacity of 79.15 GiB of which 1.02 GiB is free.
        """,
        never=("killed_by_signal",),
    ),
    end(
        "public-accelerate-axolotl",
        "invalid_arguments",
        "a pydantic error of the configuration, whatever its class is called; accelerate repeats that it failed (axolotl 1840)",
        1,
        """
        Traceback (most recent call last):
          File "/workspace/axolotl/src/axolotl/cli/train.py", line 38, in do_cli
            parsed_cfg = load_cfg(config, **kwargs)
          File "/home/trainer/env/lib/python3.11/site-packages/pydantic/main.py", line 171, in __init__
            self.__pydantic_validator__.validate_python(data, self_instance=self)
        pydantic_core._pydantic_core.ValidationError: 1 validation error for AxolotlConfigWCapabilities
        pretraining_dataset
          Input should be a valid list [type=list_type, input_value={'path': 'c4'}, input_type=dict]
            For further information visit https://errors.pydantic.dev/2.6/v/list_type
        Traceback (most recent call last):
          File "/home/trainer/env/bin/accelerate", line 8, in <module>
            sys.exit(main())
          File "/home/trainer/env/lib/python3.11/site-packages/accelerate/commands/launch.py", line 706, in simple_launcher
            raise subprocess.CalledProcessError(returncode=process.returncode, cmd=cmd)
        subprocess.CalledProcessError: Command '['/home/trainer/env/bin/python3', '-m', 'axolotl.cli.train', 'pretrain.yml']' returned non-zero exit status 1.
        """,
    ),
    end(
        "public-ray-task-error",
        "missing_file",
        "RayTaskError carries the worker's exception in its brackets and its traceback in its text",
        1,
        """
        2026-03-01 02:54:35,509 ERROR tune_controller.py:1331 -- Trial task failed for trial TorchTrainer_b13e7_00000
        Traceback (most recent call last):
          File "/usr/lib/python3.10/site-packages/ray/air/execution/_internal/event_manager.py", line 110, in resolve_future
            result = ray.get(future)
          File "/usr/lib/python3.10/site-packages/ray/_private/worker.py", line 931, in get_objects
            raise value.as_instanceof_cause()
        ray.exceptions.RayTaskError(FileNotFoundError): ray::_RayTrainWorker__execute.get_next() (pid=1876, ip=10.0.0.7, actor_id=45cc)
          File "/usr/lib/python3.10/site-packages/ray/train/_internal/worker_group.py", line 33, in __execute
            raise skipped from exception_cause(skipped)
          File "/workspace/loop.py", line 31, in train_loop
            df = pd.read_parquet(path)
        FileNotFoundError: /mnt/lake/part-00.parquet
        """,
    ),
    end(
        "public-ray-prefixed-worker",
        "permission_denied",
        "the worker's own traceback under Ray's prefix, then Hydra's head and the driver's RayTaskError",
        1,
        """
        (TaskRunner pid=4411) Traceback (most recent call last):
        (TaskRunner pid=4411)   File "/workspace/verl/trainer/main_ppo.py", line 101, in run
        (TaskRunner pid=4411)     trainer.fit()
        (TaskRunner pid=4411)   File "/workspace/verl/utils/fs.py", line 22, in save
        (TaskRunner pid=4411)     os.makedirs(path)
        (TaskRunner pid=4411) PermissionError: [Errno 13] Permission denied: '/mnt/out/global_step_10'
        Error executing job with overrides: ['data.train_batch_size=1024', 'trainer.nnodes=1']
        Traceback (most recent call last):
          File "/workspace/verl/trainer/main_ppo.py", line 42, in main
            ray.get(runner.run.remote(config))
        ray.exceptions.RayTaskError(PermissionError): ray::TaskRunner.run() (pid=4411, ip=10.0.0.7, actor_id=28507)
          File "/workspace/verl/utils/fs.py", line 22, in save
            os.makedirs(path)
        PermissionError: [Errno 13] Permission denied: '/mnt/out/global_step_10'

        Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
        """,
        never=("invalid_arguments", "python_exception"),
    ),
    end(
        "public-ray-node-died",
        ("node_lost", "python_exception", "killed_by_signal"),
        "the actor's node died; nothing in this log says why, so no answer may be sure",
        1,
        """
        ray.exceptions.RayActorError: The actor died unexpectedly before finishing this task.
        \tclass_name: RayTrainWorker
        \tpid: 6420
        \tip: 10.72.56.3
        The actor is dead because its node has died. Node Id: 677df2a9020c5db45e755b0078c469e2
        """,
        never=("container_oom",),
    ),
    # --- servers -------------------------------------------------------------------------------------------------------
    end(
        "public-sglang-scheduler-oom",
        "cuda_oom",
        "the scheduler's traceback is the cause, the quit signal and the kill of the parent follow (sglang 8974)",
        137,
        """
        [2026-03-01 02:54:09 TP2] Scheduler hit an exception: Traceback (most recent call last):
          File "/sgl-workspace/sglang/python/sglang/srt/managers/scheduler.py", line 2015, in run_scheduler_process
            scheduler = Scheduler(server_args, port_args, gpu_id, tp_rank)
          File "/sgl-workspace/sglang/python/sglang/srt/model_executor/model_runner.py", line 235, in __init__
            self.init_memory_pool()
        RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.

        [2026-03-01 02:54:09] Received sigquit from a child process. It usually means the child failed.
        Killed
        """,
        never=("killed_by_signal", "container_oom"),
    ),
    end(
        "public-sglang-nccl",
        "nccl_network_error",
        "the same wrapper around a NCCL system error (sglang 8974)",
        1,
        """
        [2026-03-01 02:54:09 TP0] Scheduler hit an exception: Traceback (most recent call last):
          File "/sgl-workspace/sglang/python/sglang/srt/distributed/device_communicators/pynccl_wrapper.py", line 350, in NCCL_CHECK
            raise RuntimeError(f"NCCL error: {error_str}")
        RuntimeError: NCCL error: unhandled system error (run with NCCL_DEBUG=INFO for details)

        [2026-03-01 02:54:09] Received sigquit from a child process. It usually means the child failed.
        """,
    ),
    end(
        "public-tgi-json",
        "python_exception",
        "a traceback inside the fields of a JSON record (text-generation-inference 556)",
        1,
        r"""
        {"timestamp":"2026-03-01T02:51:38.895303Z","level":"INFO","fields":{"message":"Starting shard"},"target":"text_generation_launcher"}
        {"timestamp":"2026-03-01T02:51:41.244113Z","level":"ERROR","fields":{"message":"Shard complete standard error output:\n\nTraceback (most recent call last):\n  File \"/opt/conda/bin/text-generation-server\", line 8, in <module>\n    sys.exit(app())\n  File \"/opt/conda/lib/python3.10/site-packages/text_generation_server/utils/weights.py\", line 64, in get_filename\n    raise RuntimeError(f\"weight {tensor_name} does not exist\")\nRuntimeError: weight lm_head.weight does not exist\n"},"target":"text_generation_launcher"}
        {"timestamp":"2026-03-01T02:51:42.000000Z","level":"ERROR","fields":{"message":"Shard 0 failed to start"},"target":"text_generation_launcher"}
        {"timestamp":"2026-03-01T02:51:42.100000Z","level":"INFO","fields":{"message":"Shutting down shards"},"target":"text_generation_launcher"}
        Error: ShardCannotStart
        """,
        never=("missing_file",),
    ),
    end(
        "public-triton-config-missing",
        "missing_file",
        "the reason is the E line; the last line only sums up (server 2858)",
        1,
        """
        I0301 02:54:11.382640 1 server.cc:592]
        E0301 02:54:11.379810 1 model_repository_manager.cc:1265] Poll failed for model directory 'ranker': failed to open text file for read /models/ranker/config.pbtxt: No such file or directory
        I0301 02:54:11.382700 1 server.cc:302] Waiting for in-flight requests to complete.
        I0301 02:54:11.382710 1 server.cc:318] Timeout 30: Found 0 model versions that have in-flight inferences
        error: creating server: Internal - failed to load all models
        """,
    ),
    end(
        "public-triton-missing-library",
        "missing_module",
        "a backend misses a shared library; the table repeats it in pieces",
        1,
        """
        +--------+---------+---------------------------------------------------------------------------------------------+
        | Model  | Version | Status                                                                                      |
        +--------+---------+---------------------------------------------------------------------------------------------+
        | ranker | 1       | UNAVAILABLE: Not found: unable to load shared library: libcublas.so.12: cannot open shared o |
        |        |         | bject file: No such file or directory                                                       |
        +--------+---------+---------------------------------------------------------------------------------------------+

        I0301 02:54:11.382700 1 server.cc:302] Waiting for in-flight requests to complete.
        error: creating server: Internal - failed to load all models
        """,
        never=("missing_file",),
    ),
    end(
        "public-triton-python-backend",
        "missing_module",
        "the Python backend's exception inside an E line",
        1,
        """
        E0301 02:54:13.516524 1 pb_stub.cc:302] Failed to initialize Python stub: ModuleNotFoundError: No module named 'sentencepiece'

        At:
          /models/tok/1/model.py(3): <module>
          <frozen importlib._bootstrap>(241): _call_with_frames_removed

        E0301 02:54:13.977000 1 model_lifecycle.cc:596] failed to load 'tok' version 1: Internal: ModuleNotFoundError: No module named 'sentencepiece'
        I0301 02:54:14.382700 1 server.cc:302] Waiting for in-flight requests to complete.
        error: creating server: Internal - failed to load all models
        """,
    ),
    end(
        "public-trtllm-bad-engine",
        ("aborted", "application_error"),
        "an assertion of the library ended the process; its words name no resource",
        134,
        """
        [TensorRT-LLM][INFO] Engine version 0.8.0 found in the config file, assuming engine(s) built by new builder API.
        [TensorRT-LLM][WARNING] [json.exception.out_of_range.403] key 'max_draft_len' not found
        terminate called after throwing an instance of 'tensorrt_llm::common::TllmException'
          what():  [TensorRT-LLM][ERROR] Assertion failed: Error opening engine file: rank0.engine is for another GPU (/src/tensorrt_llm/cpp/runtime/tllmRuntime.cpp:41)
        1       0x7fb4aebbeb71 tensorrt_llm::common::throwRuntimeError(char const*, int, std::string const&) + 82
        2       0x7fb4aebbf999 /usr/local/lib/python3.10/dist-packages/tensorrt_llm/libs/libtensorrt_llm.so(+0x728999) [0x7fb4aebbf999]
        """,
        never=("missing_file",),
    ),
    end(
        "public-trtllm-oom",
        "cuda_oom",
        "what() of the exception names the CUDA runtime's error",
        134,
        """
        terminate called after throwing an instance of 'tensorrt_llm::common::TllmException'
          what():  [TensorRT-LLM][ERROR] CUDA runtime error in ::cudaMallocAsync(ptr, n, mMemPool->getPool(), mCudaStream->get()): out of memory (/src/cpp/tensorrt_llm/runtime/tllmBuffers.h:114)
        1       0x7f1e0a3b2c4d tensorrt_llm::common::check(cudaError, char const*, char const*, int) + 180
        [llama-ft-0-0:00017] *** Process received signal ***
        [llama-ft-0-0:00017] Signal: Aborted (6)
        """,
        never=("aborted",),
    ),
    end(
        "public-tensorrt-oom-code",
        "cuda_oom",
        "TensorRT's own error code for GPU memory; the Python error after it says nothing",
        1,
        """
        [03/01/2026-02:54:11] [TRT] [E] 2: [virtualMemoryBuffer.cpp::resizePhysical::145] Error Code 2: OutOfMemory (no further information)
        [03/01/2026-02:54:11] [TRT] [E] 2: [virtualMemoryBuffer.cpp::resizePhysical::145] Error Code 2: OutOfMemory (no further information)
        Traceback (most recent call last):
          File "/workspace/serve.py", line 31, in <module>
            context = engine.create_execution_context()
        RuntimeError: failed to create execution context
        """,
    ),
    end(
        "public-vllm-engine-repeats",
        "python_exception",
        "the engine process's error is the cause, the API server's only repeats it",
        1,
        """
        (EngineCore_DP0 pid=270) ERROR 03-01 02:54:18 [core.py:718] EngineCore failed to start.
        (EngineCore_DP0 pid=270) ERROR 03-01 02:54:18 [core.py:718] Traceback (most recent call last):
        (EngineCore_DP0 pid=270) ERROR 03-01 02:54:18 [core.py:718]   File "/usr/local/lib/python3.12/dist-packages/vllm/model_executor/models/utils.py", line 211, in _load_module
        (EngineCore_DP0 pid=270) ERROR 03-01 02:54:18 [core.py:718]     raise AttributeError(name)
        (EngineCore_DP0 pid=270) ERROR 03-01 02:54:18 [core.py:718] AttributeError: 'NoneType' object has no attribute 'rope_scaling'
        (APIServer pid=1) Traceback (most recent call last):
        (APIServer pid=1)   File "/usr/local/bin/vllm", line 8, in <module>
        (APIServer pid=1)     sys.exit(main())
        (APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
        """,
    ),
    end(
        "public-vllm-repo-id",
        ("missing_file", "invalid_arguments"),
        "a model path that is not there, told as a validation error: the path is missing, or the argument is wrong",
        1,
        raised(
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig\n"
            "  Value error, Invalid repository ID or local directory specified: '/models/llama-70b'.",
            file="/usr/local/bin/vllm",
        ),
    ),
    end(
        "public-vllm-bf16-v100",
        ("invalid_arguments", "python_exception"),
        "a setting that this GPU cannot have: no GPU is broken, nothing is out of memory",
        1,
        raised(
            "ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your Tesla V100-SXM2-32GB GPU has compute capability 7.0. You can use float16 instead by explicitly setting the `dtype` flag in CLI, for example: --dtype=half.",
            file="/workspace/serve.py",
        ),
        never=("no_gpu_visible", "cuda_driver_mismatch"),
    ),
    end(
        "public-llama-cpp-model",
        "missing_file",
        "llama.cpp: the first error names the file, the later ones follow",
        1,
        """
        gguf_init_from_file: failed to open GGUF file '/models/q4.gguf'
        llama_model_load: error loading model: llama_model_loader: failed to load model from /models/q4.gguf: No such file or directory
        llama_load_model_from_file: failed to load model
        common_init_from_params: failed to load model '/models/q4.gguf'
        main: exiting due to model loading error
        """,
    ),
    # --- JAX, TensorFlow, others ---------------------------------------------------------------------------------------
    end(
        "public-jax-barrier",
        ("nccl_timeout", "connection_timeout"),
        "the other hosts did not come to the barrier: a rendezvous that timed out (llama-2-jax 20)",
        1,
        raised(
            "jaxlib.xla_extension.XlaRuntimeError: DEADLINE_EXCEEDED: Barrier timed out. Barrier_id: PjRT_Client_Connect. Timed out task names:\n/job:jax_worker/replica:0/task:1\n/job:jax_worker/replica:0/task:6",
            code="jax.distributed.initialize()",
        ),
    ),
    end(
        "public-jax-heartbeat",
        ("nccl_timeout", "nccl_network_error"),
        "the coordination service ended this process because another one stopped (jax 23599)",
        134,
        """
        I0301 02:50:39.451247 140641 trainer.py:501] Training: step 198
        2026-03-01 02:54:15.140058: E external/xla/xla/tsl/distributed_runtime/coordination/coordination_service.cc:1170] /job:jax_worker/replica:0/task:37 has been set to ERROR in coordination service: UNAVAILABLE: Task /job:jax_worker/replica:0/task:37 heartbeat timeout. This indicates that the remote task has failed, got preempted, or crashed unexpectedly. Check the task logs for an earlier error to debug further.
        2026-03-01 02:54:15.240058: F external/xla/xla/pjrt/distributed/client.h:80] Terminating process because the JAX distributed service detected fatal errors. This most likely indicates that another task died; see the other task logs for more details. Disable Python buffering, i.e. `python -u`, to be sure to see all the previous output.
        Fatal Python error: Aborted
        """,
        never=("preempted", "python_exception"),
    ),
    end(
        "public-tf-not-found",
        "missing_file",
        "TensorFlow's NotFoundError of a path",
        1,
        raised(
            "tensorflow.python.framework.errors_impl.NotFoundError: /data/train-00001.tfrecord; No such file or directory [Op:IteratorGetNext] name:"
        ),
    ),
    end(
        "public-tf-op-oom",
        "cuda_oom",
        "TensorFlow's own words for GPU memory, with the node's name below",
        1,
        raised(
            "tensorflow.python.framework.errors_impl.ResourceExhaustedError: Graph execution error:\n\n"
            "Detected at node 'model/conv1/Conv2D' defined at (most recent call last):\n"
            "OOM when allocating tensor with shape[256,64,112,112] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc\n"
            "\t [[{{node model/conv1/Conv2D}}]]"
        ),
    ),
    end(
        "public-tf-cpu-fallback-harmless",
        "python_exception",
        "TensorFlow goes on without a GPU after the cuInit line; the shapes ended it",
        1,
        """
        2026-03-01 02:54:01.123: E external/local_xla/xla/stream_executor/cuda/cuda_driver.cc:152] failed call to cuInit: INTERNAL: CUDA error: Failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected
        Epoch 1/10
        100/500 [====>.........] - loss: 2.1
        Traceback (most recent call last):
          File "/workspace/fit.py", line 40, in <module>
            model.fit(ds)
          File "/usr/lib/python3.11/site-packages/keras/src/utils/traceback_utils.py", line 122, in error_handler
            raise e.with_traceback(filtered_tb) from None
        ValueError: Incompatible shapes: (32, 10) vs. (32, 12)
        """,
        never=("no_gpu_visible",),
    ),
    end(
        "public-tf-nan",
        "training_diverged",
        "CheckNumerics found NaN",
        1,
        raised(
            "tensorflow.python.framework.errors_impl.InvalidArgumentError: Graph execution error:\n\nloss is not finite : Tensor had NaN values\n\t [[{{node CheckNumerics}}]] [Op:__inference_train_step_9113]"
        ),
    ),
    end(
        "public-keras-terminate-on-nan",
        "training_diverged",
        "Keras' callback stopped the fit, and the script exits with an error",
        1,
        "Epoch 3/50\nBatch 120: Invalid loss, terminating training\nno checkpoint to export, stopping\n",
    ),
    end(
        "public-megatron-nan",
        "training_diverged",
        "Megatron's check of the forward loss",
        1,
        raised(
            "RuntimeError: Rank 5, node gpu-07, device 5, iteration 1200: Unexpected result nan (message='found NaN in local forward loss calculation')"
        ),
    ),
    end(
        "public-dask-memory",
        "application_memory_limit",
        "the nanny restarted workers at its own memory budget until the client gave up (jetstream 336)",
        1,
        """
        distributed.nanny.memory - WARNING - Worker tcp://127.0.0.1:34589 (pid=129) exceeded 95% memory budget. Restarting...
        distributed.nanny - WARNING - Restarting worker
        distributed.nanny.memory - WARNING - Worker tcp://127.0.0.1:34601 (pid=161) exceeded 95% memory budget. Restarting...
        distributed.nanny - WARNING - Restarting worker
        Traceback (most recent call last):
          File "/workspace/prep.py", line 18, in <module>
            client.gather(futures)
          File "/usr/local/lib/python3.11/site-packages/distributed/client.py", line 1986, in gather
            return self.sync(
        distributed.scheduler.KilledWorker: Attempted to run task 'read-parquet-2ec2' on 4 different workers, but all those workers died while running it. The last worker that attempt to run the task was tcp://127.0.0.1:34601.
        """,
        never=("container_oom",),
    ),
    end(
        "public-rmm-pool",
        "cuda_oom",
        "RAPIDS' memory pool is GPU memory, although Python calls it MemoryError",
        1,
        raised(
            "MemoryError: std::bad_alloc: out_of_memory: RMM failure at:/opt/conda/include/rmm/mr/device/pool_memory_resource.hpp:257: Maximum pool size exceeded",
            code="df = cudf.read_parquet(path)",
        ),
        never=("container_oom", "application_memory_limit"),
    ),
    end(
        "public-numpy-memory-error",
        ("python_exception", "application_memory_limit"),
        "an allocation in main memory that failed: an exception, no limit of GPU or container is told",
        1,
        raised(
            "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 74.5 GiB for an array with shape (10000000000,) and data type float64"
        ),
        never=("cuda_oom",),
    ),
    end(
        "public-cpu-allocator",
        ("python_exception", "application_memory_limit"),
        "PyTorch's CPU allocator: not the GPU",
        1,
        raised(
            "RuntimeError: [enforce fail at alloc_cpu.cpp:114] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 68719476736 bytes. Error code 12 (Cannot allocate memory)"
        ),
        never=("cuda_oom", "container_oom"),
    ),
    end(
        "public-ort-gpu-buffer",
        "cuda_oom",
        "ONNX Runtime's arena on CUDA could not get its buffer",
        1,
        raised(
            "onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException: [ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Non-zero status code returned while running FusedMatMul node. Name:'MatMul_12' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool) Failed to allocate memory for requested buffer of size 8589934592",
            code="sess.run(None, feeds)  # CUDAExecutionProvider",
        ),
    ),
    end(
        "public-triton-kernel-shared-memory",
        "python_exception",
        "a kernel's shared memory on the chip is no /dev/shm",
        1,
        raised(
            "triton.runtime.errors.OutOfResources: out of resource: shared memory, Required: 163840, Hardware limit: 101376. Reducing block sizes or `num_stages` may help."
        ),
        never=("shm_exhausted", "cuda_oom"),
    ),
    end(
        "public-busy-gpus",
        ("no_gpu_visible", "python_exception"),
        "the GPU exists and cannot be had (exclusive mode, or a sick one)",
        1,
        raised(
            "RuntimeError: CUDA error: all CUDA-capable devices are busy or unavailable\nCUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect."
        ),
        never=("cuda_oom",),
    ),
    end(
        "public-nvml-missing",
        "no_gpu_visible",
        "no NVML in the container: no driver was mounted",
        1,
        raised("pynvml.NVMLError_LibraryNotFound: NVML Shared Library Not Found", code="pynvml.nvmlInit()"),
        never=("missing_module",),
    ),
    end(
        "public-lightning-no-gpu",
        "no_gpu_visible",
        "Lightning's check: none there (pytorch-lightning 1314)",
        1,
        raised(
            "lightning.fabric.utilities.exceptions.MisconfigurationException: You requested gpu: [0]\n But your machine only has: []",
            code="trainer = pl.Trainer(devices=[0])",
        ),
    ),
    end(
        "public-lightning-fewer-gpus",
        ("invalid_arguments", "no_gpu_visible"),
        "more devices asked for than the pod has: a setting",
        1,
        raised(
            "lightning.fabric.utilities.exceptions.MisconfigurationException: You requested gpu: [0, 1]\n But your machine only has: [0]",
            code="trainer = pl.Trainer(devices=2)",
        ),
    ),
    end(
        "public-nccl-duplicate-gpu",
        ("invalid_arguments", "python_exception"),
        "two ranks on one GPU: a wrong setting, no network",
        1,
        """
        llama-ft-0-0:77:301 [0] init.cc:870 NCCL WARN Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 1b000
        Traceback (most recent call last):
          File "/workspace/train.py", line 31, in <module>
            dist.barrier()
        torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:275, invalid usage (run with NCCL_DEBUG=WARN for details), NCCL version 2.21.5
        ncclInvalidUsage: This usually reflects invalid usage of NCCL library.
        Last error:
        Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 1b000
        """,
        never=("nccl_network_error", "nccl_timeout"),
    ),
    end(
        "public-nccl-cuda-oom",
        "cuda_oom",
        "NCCL's warning names the CUDA failure behind the error",
        1,
        """
        llama-ft-0-0:77:301 [0] include/alloc.h:205 NCCL WARN Cuda failure 2 'out of memory'
        llama-ft-0-0:77:301 [0] NCCL INFO init.cc:1387 -> 1
        Traceback (most recent call last):
          File "/workspace/train.py", line 31, in <module>
            dist.all_reduce(flag)
        torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1970, unhandled cuda error (run with NCCL_DEBUG=INFO for details), NCCL version 2.21.5
        ncclUnhandledCudaError: Call to CUDA function failed.
        Last error:
        Cuda failure 2 'out of memory'
        """,
        never=("nccl_network_error",),
    ),
    end(
        "public-nccl-no-interface",
        "nccl_network_error",
        "NCCL finds no interface to talk over",
        1,
        """
        llama-ft-0-0:77:77 [0] bootstrap.cc:45 NCCL WARN Bootstrap : no socket interface found
        Traceback (most recent call last):
          File "/workspace/train.py", line 31, in <module>
            dist.barrier()
        torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/NCCLUtils.hpp:317, internal error - please report this issue to the NCCL developers, NCCL version 2.21.5
        ncclInternalError: Internal check failed.
        Last error:
        Bootstrap : no socket interface found
        """,
    ),
    end(
        "public-port-in-use",
        ("python_exception", "invalid_arguments"),
        "the port is taken: no peer refused anything",
        1,
        raised(
            "torch.distributed.DistNetworkError: The server socket has failed to listen on any local network address. port: 29500, useIpv6: false, code: -98, name: EADDRINUSE, message: address already in use"
        ),
        never=("nccl_network_error", "nccl_timeout", "connection_refused"),
    ),
    # --- other languages -------------------------------------------------------------------------------------------------
    end(
        "public-spark-caused-by",
        "missing_file",
        "the deepest Caused by of a JVM trace",
        1,
        """
        Exception in thread "main" org.apache.spark.SparkException: Job aborted.
        \tat org.apache.spark.sql.execution.datasources.FileFormatWriter$.write(FileFormatWriter.scala:231)
        \tat com.example.Prep$.main(Prep.scala:41)
        Caused by: org.apache.spark.SparkException: Job aborted due to stage failure: Task 3 in stage 2.0 failed 4 times, most recent failure: Lost task 3.3 in stage 2.0 (TID 83) (10.0.0.8 executor 1): java.io.FileNotFoundException: File file:/mnt/lake/p=3/part-0.parquet does not exist
        \tat org.apache.hadoop.fs.RawLocalFileSystem.deprecatedGetFileStatus(RawLocalFileSystem.java:666)
        \tat org.apache.spark.scheduler.Task.run(Task.scala:131)
        26/03/01 02:54:12 INFO ShutdownHookManager: Shutdown hook called
        26/03/01 02:54:12 INFO ShutdownHookManager: Deleting directory /tmp/spark-2b1c
        """,
        never=("aborted",),
    ),
    end(
        "public-rapids-gpu-oom",
        "cuda_oom",
        "the plug-in's exception class names GPU memory (spark-rapids 8240)",
        1,
        """
        26/03/01 02:54:10 WARN TaskSetManager: Lost task 142.0 in stage 1089.0 (TID 24100) (10.59.240.71 executor 0): com.nvidia.spark.rapids.jni.GpuSplitAndRetryOOM: GPU OutOfMemory
        26/03/01 02:54:11 ERROR TaskSetManager: Task 142 in stage 1089.0 failed 4 times; aborting job
        Exception in thread "main" org.apache.spark.SparkException: Job aborted due to stage failure: Task 142 in stage 1089.0 failed 4 times, most recent failure: Lost task 142.3 in stage 1089.0 (TID 24175) (10.59.240.71 executor 0): com.nvidia.spark.rapids.jni.GpuSplitAndRetryOOM: GPU OutOfMemory
        \tat ai.rapids.cudf.Table.contiguousSplit(Native Method)
        \tat com.nvidia.spark.rapids.Arm$.withResource(Arm.scala:29)
        """,
        never=("application_memory_limit", "aborted"),
    ),
    end(
        "public-rapids-fatal-cuda",
        "cuda_illegal_access",
        "an unspecified launch failure, told by Java (spark-rapids 6331)",
        20,
        """
        26/03/01 02:54:22 ERROR Executor: Exception in task 0.0 in stage 1.0 (TID 4)
        ai.rapids.cudf.CudaFatalException: Fatal CUDA error encountered at: /src/cudf/cpp/include/cudf/detail/utilities/vector_factories.hpp:290: 719 cudaErrorLaunchFailure unspecified launch failure
        \tat ai.rapids.cudf.ColumnView.extractListElement(Native Method)
        \tat org.apache.spark.scheduler.Task.run(Task.scala:131)
        26/03/01 02:54:22 ERROR RapidsExecutorPlugin: Stopping the Executor based on exception being a fatal CUDA error
        """,
    ),
    end(
        "public-java-unknown-host",
        "dns_failure",
        "Caused by names the host",
        1,
        """
        Exception in thread "main" java.lang.RuntimeException: cannot open the catalogue
        \tat com.example.Catalogue.open(Catalogue.java:22)
        \tat com.example.Main.main(Main.java:9)
        Caused by: java.net.UnknownHostException: minio.storage.svc: Name or service not known
        \tat java.base/java.net.Inet6AddressImpl.lookupAllHostAddr(Native Method)
        \t... 2 more
        """,
        never=("application_error",),
    ),
    end(
        "public-java-s3-forbidden",
        "credential_rejected",
        "the SDK's status and code",
        1,
        """
        Exception in thread "main" java.nio.file.AccessDeniedException: s3a://lake/raw: getFileStatus on s3a://lake/raw: com.amazonaws.services.s3.model.AmazonS3Exception: Forbidden (Service: Amazon S3; Status Code: 403; Error Code: 403 Forbidden; Request ID: 17A2)
        \tat org.apache.hadoop.fs.s3a.S3AUtils.translateException(S3AUtils.java:249)
        \tat com.example.Main.main(Main.java:9)
        """,
        never=("permission_denied", "application_error"),
    ),
    end(
        "public-java-own-error",
        "application_error",
        "an exception that names nothing more specific",
        1,
        """
        Exception in thread "main" java.lang.IllegalStateException: queue closed twice
        \tat com.example.Feeder.close(Feeder.java:80)
        \tat com.example.Main.main(Main.java:31)
        """,
    ),
    end(
        "public-go-nil",
        "application_error",
        "Go's panic is the program's own error, although it names SIGSEGV",
        2,
        """
        panic: runtime error: invalid memory address or nil pointer dereference
        [signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x6f2b3d]

        goroutine 1 [running]:
        main.(*Feeder).Next(0x0)
        \t/src/feeder.go:88 +0x1d
        main.main()
        \t/src/main.go:31 +0x8f
        exit status 2
        """,
        never=("segfault",),
    ),
    end(
        "public-go-fatal-json",
        "missing_file",
        "zap's fatal record keeps the reason in a field of its own",
        1,
        """
        {"level":"info","ts":1772333650.1,"caller":"cmd/main.go:20","msg":"starting"}
        {"level":"fatal","ts":1772333651.2,"caller":"cmd/main.go:44","msg":"cannot read configuration","error":"open /etc/feeder/config.yaml: no such file or directory","stacktrace":"main.main\\n\\t/src/cmd/main.go:44\\nruntime.main\\n\\t/usr/local/go/src/runtime/proc.go:267"}
        """,
    ),
    end(
        "public-klog-fatal",
        "connection_refused",
        "klog's F line",
        255,
        """
        I0301 02:54:50.100000       1 main.go:31] starting controller
        F0301 02:54:59.100000       1 main.go:44] failed to get server version: Get "https://10.96.0.1:443/version": dial tcp 10.96.0.1:443: connect: connection refused
        """,
    ),
    end(
        "public-logrus-fatal",
        "permission_denied",
        "logrus' key=value line",
        1,
        'time="2026-03-01T02:54:59Z" level=info msg="mounting cache"\n'
        'time="2026-03-01T02:54:59Z" level=fatal msg="cannot open cache" error="mkdir /cache/blobs: permission denied" component=store\n',
    ),
    end(
        "public-rust-unwrap",
        "permission_denied",
        "the Err inside the panic names the errno",
        101,
        """
        thread 'main' panicked at src/main.rs:10:39:
        called `Result::unwrap()` on an `Err` value: Os { code: 13, kind: PermissionDenied, message: "Permission denied" }
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
        """,
        never=("application_error",),
    ),
    end(
        "public-rust-anyhow",
        "missing_file",
        "anyhow lists the causes below the error",
        1,
        """
        Error: cannot load tokenizer

        Caused by:
            0: opening /models/tok/tokenizer.json
            1: No such file or directory (os error 2)
        """,
        never=("application_error",),
    ),
    end(
        "public-rust-own-panic",
        "application_error",
        "a panic of its own words",
        101,
        """
        thread 'tokio-runtime-worker' panicked at router/src/queue.rs:118:13:
        index out of bounds: the len is 4 but the index is 9
        note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
        """,
    ),
    end(
        "public-julia-file",
        "missing_file",
        "Julia's SystemError of a file",
        1,
        """
        ERROR: LoadError: SystemError: opening file "/data/grid.jld2": No such file or directory
        Stacktrace:
          [1] systemerror(p::String, errno::Int32; extrainfo::Nothing)
            @ Base ./error.jl:176
          [2] top-level scope
            @ /workspace/run.jl:12
        in expression starting at /workspace/run.jl:12
        """,
    ),
    end(
        "public-julia-gpu",
        "cuda_oom",
        "CUDA.jl's words for GPU memory",
        1,
        """
        ERROR: LoadError: Out of GPU memory trying to allocate 4.000 GiB
        Effective GPU memory usage: 99.21% (39.1 GiB/39.4 GiB)
        Stacktrace:
         [1] macro expansion
           @ ~/.julia/packages/CUDA/src/pool.jl:443 [inlined]
        in expression starting at /workspace/run.jl:31
        """,
        never=("application_error",),
    ),
    end(
        "public-r-file",
        "missing_file",
        "R tells the reason as a warning below the error",
        1,
        """
        Error in file(file, "rt") : cannot open the connection
        Calls: read.csv -> read.table -> file
        In addition: Warning message:
        In file(file, "rt") :
          cannot open file '/data/x.csv': No such file or directory
        Execution halted
        """,
    ),
    end(
        "public-node-type-error",
        "application_error",
        "an uncaught TypeError of Node",
        1,
        """
        /app/dist/worker.js:41
            return batch.items.map(encode);
                               ^

        TypeError: Cannot read properties of undefined (reading 'map')
            at encodeAll (/app/dist/worker.js:41:24)
            at process.processTicksAndRejections (node:internal/process/task_queues:95:5)

        Node.js v20.15.0
        """,
    ),
    end(
        "public-cpp-filesystem",
        ("missing_file", "aborted"),
        "what() names the path; the exit code is the abort's",
        134,
        """
        terminate called after throwing an instance of 'std::filesystem::__cxx11::filesystem_error'
          what():  filesystem error: cannot open directory: No such file or directory [/data/shards]
        """,
    ),
    end(
        "public-glog-cuda",
        "cuda_oom",
        "a glog check with CUDA's words",
        134,
        """
        I0301 02:54:11.100000    17 solver.cpp:283] Iteration 0, loss = 6.9
        F0301 02:54:12.100000    17 syncedmem.cpp:71] Check failed: error == cudaSuccess (2 vs. 0)  out of memory
        *** Check failure stack trace: ***
            @     0x7f1e0a3b25cd  google::LogMessage::Fail()
            @     0x7f1e0a3b4433  google::LogMessage::SendToLog()
        """,
        never=("aborted", "container_oom"),
    ),
    # --- configuration and command lines -----------------------------------------------------------------------------------
    end(
        "public-deepspeed-batch",
        ("invalid_arguments", "python_exception"),
        "three numbers of the configuration contradict each other",
        1,
        raised(
            "AssertionError: Check batch related parameters. train_batch_size is not equal to micro_batch_per_gpu * gradient_acc_step * world_size 32 != 4 * 1 * 4",
            file="/usr/lib/python3.11/site-packages/deepspeed/runtime/config.py",
        ),
    ),
    end(
        "public-json-config",
        ("invalid_arguments", "python_exception"),
        "a configuration file that is no JSON: both readings pass, a sure one of either only with the file's name",
        1,
        """
        Traceback (most recent call last):
          File "/workspace/train.py", line 31, in <module>
            config = load_config(args.config)
          File "/workspace/config.py", line 9, in load_config
            return json.load(file)
          File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode
            raise JSONDecodeError("Expecting value", s, err.value) from None
        json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 14 column 3 (char 402)
        """,
    ),
    end(
        "public-cobra",
        "invalid_arguments",
        "cobra prints the error, then the usage",
        1,
        """
        Error: required flag(s) "model" not set
        Usage:
          serve run [flags]

        Flags:
          -h, --help           help for run
              --model string   path of the model
        """,
    ),
    end(
        "public-make-target",
        "invalid_arguments",
        "make does not know the target",
        2,
        "make: *** No rule to make target 'train-all'.  Stop.\n",
    ),
    end(
        "public-make-recipe",
        "missing_module",
        "make only repeats that the recipe failed",
        2,
        raised("ModuleNotFoundError: No module named 'einops'") + "make: *** [Makefile:12: train] Error 1\n",
    ),
    end(
        "public-nextflow",
        "missing_module",
        "nextflow indents the command's own error",
        1,
        """
        ERROR ~ Error executing process > 'TRAIN (1)'

        Caused by:
          Process `TRAIN (1)` terminated with an error exit status (1)

        Command executed:

          train.py --data shard.h5

        Command exit status:
          1

        Command error:
          Traceback (most recent call last):
            File "/work/bin/train.py", line 4, in <module>
              import h5py
          ModuleNotFoundError: No module named 'h5py'

        Work dir:
          /work/3f/2a11

        Tip: you can try to figure out what's wrong by changing to the process work dir and showing the script file named `.command.sh`
        """,
        never=("application_error",),
    ),
    end(
        "public-hydra-instantiate",
        ("invalid_arguments", "python_exception"),
        "Hydra names the key of the configuration whose target refused it",
        1,
        """
        Error executing job with overrides: ['optimizer=adamw']
        Error in call to target 'torch.optim.adamw.AdamW':
        TypeError("AdamW.__init__() got an unexpected keyword argument 'learning_rate'")
        full_key: optimizer

        Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
        """,
        never=("application_error",),
    ),
    end(
        "public-typographic-quotes",
        "permission_denied",
        "coreutils quote names in typographic quotes",
        1,
        "mkdir: cannot create directory ‘/mnt/été/run 7’: Permission denied\n",
    ),
    end(
        "public-tar-not-recoverable",
        "missing_file",
        "tar's last line only gives up",
        2,
        "tar: /data/imagenet.tar: Cannot open: No such file or directory\ntar: Error is not recoverable: exiting now\n",
    ),
    end(
        "public-double-quoted-name",
        "missing_file",
        "Python quotes a name with an apostrophe in double quotes",
        1,
        raised("""FileNotFoundError: [Errno 2] No such file or directory: "/data/o'brien.csv\""""),
    ),
    # --- services ------------------------------------------------------------------------------------------------------
    end(
        "public-mlflow-denied",
        "credential_rejected",
        "the tracking server's answer",
        1,
        raised(
            "mlflow.exceptions.RestException: PERMISSION_DENIED: Caller does not have permission to create runs in experiment 41"
        ),
        never=("permission_denied", "python_exception"),
    ),
    end(
        "public-wandb-403",
        "credential_rejected",
        "the service's 403, in the client's own exception (LilNetX 4)",
        1,
        "wandb: ERROR Error while calling W&B API: permission denied (<Response [403]>)\n"
        + raised(
            "wandb.errors.CommError: It appears that you do not have permission to access the requested resource. Please reach out to the project owner to grant you access. (Error 403: Forbidden)",
            code="wandb.init(project='x')",
        ),
        never=("permission_denied",),
    ),
    end(
        "public-wandb-init-timeout",
        "connection_timeout",
        "the client waited in vain for its service",
        1,
        raised(
            "wandb.errors.errors.CommError: Run initialization has timed out after 90.0 sec. Please try increasing the timeout with the `init_timeout` setting"
        ),
        never=("python_exception",),
    ),
    end(
        "public-dataset-chain-disk",
        "disk_full",
        "the direct cause of the library's general exception",
        1,
        raised(
            "OSError: [Errno 28] No space left on device",
            file="/usr/lib/python3.11/site-packages/datasets/arrow_writer.py",
        )
        + _CHAINED
        + raised("datasets.exceptions.DatasetGenerationError: An error occurred while generating the dataset"),
    ),
    end(
        "public-dataset-chain-data",
        "python_exception",
        "bad data, told by the same general exception (mllm-dpo 2)",
        1,
        raised(
            "pyarrow.lib.ArrowInvalid: JSON parse error: Column() changed from object to array in row 0",
            file="/usr/lib/python3.11/site-packages/datasets/packaged_modules/json/json.py",
        )
        + _CHAINED
        + raised("datasets.exceptions.DatasetGenerationError: An error occurred while generating the dataset"),
    ),
    end(
        "public-gated-dataset",
        "credential_rejected",
        "a gated dataset",
        1,
        raised(
            "datasets.exceptions.DatasetNotFoundError: Dataset 'org/private-mix' is a gated dataset on the Hub. You must be authenticated to access it."
        ),
        never=("missing_file",),
    ),
    end(
        "public-webdataset-pipe-403",
        "credential_rejected",
        "the pipe's own line tells why its command failed",
        1,
        """
        fatal error: An error occurred (403) when calling the HeadObject operation: Forbidden
        Traceback (most recent call last):
          File "/workspace/train.py", line 88, in <module>
            for batch in loader:
          File "/usr/lib/python3.11/site-packages/webdataset/gopen.py", line 83, in wait_for_child
            raise IOError(f"{self.args}: exit {self.status} (read) {info}")
        OSError: (('aws s3 cp s3://lake/shard-000017.tar -',), {'shell': True, 'bufsize': 8192}): exit 1 (read) {}
        """,
        never=("python_exception",),
    ),
    end(
        "public-s3fs-permission-error",
        "credential_rejected",
        "s3fs turns the service's AccessDenied into Python's PermissionError",
        1,
        raised(
            "botocore.exceptions.ClientError: An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied",
            file="/usr/lib/python3.11/site-packages/aiobotocore/client.py",
        )
        + _CHAINED
        + raised("PermissionError: Access Denied"),
        never=("permission_denied",),
    ),
    end(
        "public-no-credentials",
        "credential_rejected",
        "no credentials at all: the request was never sent",
        1,
        raised("botocore.exceptions.NoCredentialsError: Unable to locate credentials"),
        never=("python_exception",),
    ),
    end(
        "public-gcs-default-credentials",
        "credential_rejected",
        "Google's client found none",
        1,
        raised(
            "google.auth.exceptions.DefaultCredentialsError: Your default credentials were not found. To set up Application Default Credentials, see https://cloud.google.com/docs/authentication/external/set-up-adc for more information."
        ),
        never=("missing_file", "python_exception"),
    ),
    end(
        "public-gcs-forbidden",
        "credential_rejected",
        "a 403 of the storage, by the client's class",
        1,
        raised(
            "google.api_core.exceptions.Forbidden: 403 GET https://storage.googleapis.com/storage/v1/b/lake/o?prefix=raw: trainer@proj.iam.gserviceaccount.com does not have storage.objects.list access to the Google Cloud Storage bucket."
        ),
    ),
    end(
        "public-minio-endpoint",
        ("connection_refused", "connection_timeout"),
        "the client cannot reach the endpoint and does not say how",
        1,
        raised(
            'botocore.exceptions.EndpointConnectionError: Could not connect to the endpoint URL: "http://minio.storage.svc:9000/lake?list-type=2"'
        ),
        never=("python_exception",),
    ),
    end(
        "public-mc-key",
        "credential_rejected",
        "MinIO's client",
        1,
        "mc: <ERROR> Unable to list folder. The Access Key Id you provided does not exist in our records.\n",
    ),
    end(
        "public-grpc-refused",
        "connection_refused",
        "the details of the gRPC status name the errno",
        1,
        raised(
            'grpc._channel._InactiveRpcError: <_InactiveRpcError of RPC that terminated with:\n\tstatus = StatusCode.UNAVAILABLE\n\tdetails = "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.9:8001: Failed to connect to remote host: Connection refused"\n\tdebug_error_string = "UNKNOWN:failed to connect to all addresses"\n>'
        ),
    ),
    end(
        "public-grpc-unauthenticated",
        "credential_rejected",
        "the status alone decides",
        1,
        raised(
            'grpc._channel._InactiveRpcError: <_InactiveRpcError of RPC that terminated with:\n\tstatus = StatusCode.UNAUTHENTICATED\n\tdetails = "token is stale"\n>'
        ),
    ),
    end(
        "public-httpx-401",
        "credential_rejected",
        "httpx words a status in its own way",
        1,
        raised(
            "httpx.HTTPStatusError: Client error '401 Unauthorized' for url 'https://models.example/v1/list'\nFor more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/401"
        ),
    ),
    end(
        "public-aiohttp-403",
        "credential_rejected",
        "aiohttp words it in another",
        1,
        raised(
            "aiohttp.client_exceptions.ClientResponseError: 403, message='Forbidden', url='https://models.example/w.bin'"
        ),
    ),
    end(
        "public-openai-timeout",
        "connection_timeout",
        "the class says it, the words hardly do",
        1,
        raised("openai.APITimeoutError: Request timed out."),
        never=("python_exception",),
    ),
    end(
        "public-requests-503",
        "python_exception",
        "a 503 is no cause of the list: the exception is named, and not for sure",
        1,
        raised(
            "requests.exceptions.HTTPError: 503 Server Error: Service Unavailable for url: https://models.example/w.bin"
        ),
        never=("connection_refused", "credential_rejected", "rate_limited"),
    ),
    end(
        "public-kafka-no-brokers",
        ("connection_refused", "connection_timeout"),
        "no broker answered",
        1,
        raised("kafka.errors.NoBrokersAvailable: NoBrokersAvailable"),
    ),
    end(
        "public-retried-then-value-error",
        "python_exception",
        "the 503 and the refused connection were retried with success; the ValueError is the end",
        1,
        """
        WARNING urllib3.connectionpool: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError: Connection refused': /v1/list
        HTTP 503 from https://models.example, attempt 2/5
        INFO downloaded 12 files
        Traceback (most recent call last):
          File "/workspace/train.py", line 71, in <module>
            tok = build(files)
        ValueError: vocabulary of 12 files holds duplicates
        """,
        never=("connection_refused", "connection_timeout"),
    ),
    end(
        "public-conda-http",
        ("connection_timeout", "connection_refused"),
        "conda could not connect at all",
        1,
        """
        Collecting package metadata (repodata.json): failed

        CondaHTTPError: HTTP 000 CONNECTION FAILED for url <https://conda.example/linux-64/repodata.json>
        Elapsed: -

        An HTTP error occurred when trying to retrieve this URL.
        HTTP errors are often intermittent, and a simple retry will get you on your way.
        """,
    ),
    end(
        "public-git-lfs-quota",
        ("rate_limited", "application_error"),
        "the service's quota of transfers, not a disk's",
        2,
        """
        batch response: This repository exceeded its LFS budget. The account responsible for the budget should increase it to restore access.
        error: failed to fetch some objects from 'https://git.example/team/weights.git/info/lfs'
        """,
        never=("disk_full",),
    ),
    end(
        "public-estale-io",
        "storage_unresponsive",
        "an input/output error on a mount",
        1,
        raised("OSError: [Errno 5] Input/output error: '/mnt/lustre/ckpt/step_9/model.bin'"),
    ),
    end(
        "public-lustre-down",
        "storage_unresponsive",
        "ESHUTDOWN: the client lost its server",
        1,
        "cp: error writing '/lustre/out/part-3': Cannot send after transport endpoint shutdown\n",
        never=("connection_refused", "application_error"),
    ),
    end(
        "public-h5py-lock",
        "python_exception",
        "a lock that another process holds: EAGAIN is neither space nor permission",
        1,
        raised(
            "BlockingIOError: [Errno 11] Unable to synchronously open file (unable to lock file, errno = 11, error message = 'Resource temporarily unavailable')"
        ),
        never=("storage_unresponsive", "missing_file", "permission_denied"),
    ),
    end(
        "public-too-many-files",
        "python_exception",
        "EMFILE is a limit of descriptors",
        1,
        raised("OSError: [Errno 24] Too many open files: '/data/shard-11.bin'"),
        never=("disk_full", "shm_exhausted", "missing_file"),
    ),
]

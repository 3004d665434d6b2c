"""Processes that a signal ended, by authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import container, crashed, distributed, ended, event, job, oom_killed, pod

CASES = [
    # --- process: signals ---------------------------------------------------------------------------------------------
    case(
        "held-torchrun-sigsegv-child",
        "segfault",
        "pytorch elastic: Signal 11 (SIGSEGV) received by PID, the launcher itself exits 1",
        crashed(
            1,
            """
            [2026-03-01 02:20:01,551] torch.distributed.run: [WARNING] Setting OMP_NUM_THREADS environment variable for each process to be 1 in default
            /opt/conda/lib/python3.10/site-packages/torchvision/io/image.py:13: UserWarning: Failed to load image Python extension: 'libjpeg.so.8: cannot open shared object file: No such file or directory'If you don't plan on using image functionality from `torchvision.io`, you can ignore this warning.
              warn(
            decord: opened 128 readers
            epoch 0 step 0 loss 6.9120
            epoch 0 step 50 loss 6.4377
            [2026-03-01 02:29:44,117] torch.distributed.elastic.multiprocessing.api: [WARNING] Sending process 88 closing signal SIGTERM
            [2026-03-01 02:29:44,118] torch.distributed.elastic.multiprocessing.api: [WARNING] Sending process 89 closing signal SIGTERM
            [2026-03-01 02:29:44,901] torch.distributed.elastic.multiprocessing.api: [ERROR] failed (exitcode: -11) local_rank: 3 (pid: 91) of binary: /opt/conda/bin/python
            Traceback (most recent call last):
              File "/opt/conda/bin/torchrun", line 33, in <module>
                sys.exit(load_entry_point('torch==2.2.0', 'console_scripts', 'torchrun')())
              File "/opt/conda/lib/python3.10/site-packages/torch/distributed/launcher/api.py", line 268, in launch_agent
                raise ChildFailedError(
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            =======================================================
            train_video.py FAILED
            -------------------------------------------------------
            Failures:
              <NO_OTHER_FAILURES>
            -------------------------------------------------------
            Root Cause (first observed failure):
            [0]:
              time      : 2026-03-01_02:29:44
              host      : llama-ft-0-0
              rank      : 3 (local_rank: 3)
              exitcode  : -11 (pid: 91)
              error_file: <N/A>
              traceback : Signal 11 (SIGSEGV) received by PID 91
            =======================================================
            """,
            gpus=4,
        ),
        never=("missing_module", "python_exception", "killed_by_signal"),
        pair="held-segv",
    ),
    case(
        "held-glibc-double-free",
        "aborted",
        "glibc's heap check aborts a C++ data server: exit 134",
        crashed(
            134,
            """
            I0301 02:55:02.118 7 server.cc:44] feature server 3.2.1 listening on 0.0.0.0:7070
            I0301 02:55:02.240 7 cache.cc:91] lru cache 32768 MiB
            W0301 02:58:40.771 37 cache.cc:210] evict under pressure: 412 entries
            double free or corruption (!prev)
            *** Aborted at 1772333921 (unix time) try "date -d @1772333921" if you are using GNU date ***
            PC: @     0x7f0c1a2969fc pthread_kill
            *** SIGABRT (@0x7) received by PID 7 (TID 0x7f0bf77fe640) from PID 7; stack trace: ***
                @     0x7f0c1a242520 (unknown)
                @     0x7f0c1a2969fc pthread_kill
                @     0x7f0c1a242476 raise
                @     0x7f0c1a2287f3 abort
                @     0x55d0b1a4c1e2 LruCache::Evict()
                @     0x55d0b1a51b77 FeatureServer::Handle()
            """,
            image="registry.example.com/feature-server:3.2.1",
        ),
        never=("segfault", "application_error"),
    ),
    case(
        "held-tgi-shard-signal-4",
        "illegal_instruction",
        "huggingface/text-generation-inference issues 2238 and 1627: the shard was ended by signal 4, the Rust launcher exits 1 with ShardCannotStart",
        crashed(
            1,
            """
            2026-03-01T02:53:11.562343Z  INFO text_generation_launcher: Args {
                model_id: "mistralai/Mistral-7B-Instruct-v0.3",
                revision: None,
                validation_workers: 2,
                sharded: None,
                num_shard: None,
                max_concurrent_requests: 128,
            }
            2026-03-01T02:53:11.563901Z  INFO text_generation_launcher: Default `max_input_tokens` to 4095
            2026-03-01T02:53:11.564020Z  INFO download: text_generation_launcher: Starting check and download process for mistralai/Mistral-7B-Instruct-v0.3
            2026-03-01T02:53:14.335714Z  INFO download: text_generation_launcher: Successfully downloaded weights for mistralai/Mistral-7B-Instruct-v0.3
            2026-03-01T02:53:14.336246Z  INFO shard-manager: text_generation_launcher: Starting shard rank=0
            2026-03-01T02:53:23.052367Z ERROR shard-manager: text_generation_launcher: Shard complete standard error output:
             rank=0
            2026-03-01T02:53:23.052444Z ERROR shard-manager: text_generation_launcher: Shard process was signaled to shutdown with signal 4 rank=0
            Error: ShardCannotStart
            2026-03-01T02:53:23.149443Z ERROR text_generation_launcher: Shard 0 failed to start
            2026-03-01T02:53:23.149481Z  INFO text_generation_launcher: Shutting down shards
            """,
            image="ghcr.io/huggingface/text-generation-inference:2.1.1",
        ),
        job=job("Failed", kind="Inference"),
        never=("application_error", "killed_by_signal"),
    ),
    case(
        "held-ray-memory-monitor",
        "application_memory_limit",
        "ray-project/ray 30312 and real-stanford/flingbot 11: Ray's own memory monitor killed the worker; no OOMKilled, the container ended with 1",
        crashed(
            1,
            """
            2026-03-01 02:12:40,112\tINFO worker.py:1743 -- Started a local Ray instance. View the dashboard at http://127.0.0.1:8265
            (pid=4331) SimEnv ready
            (raylet) [2026-03-01 02:34:19,206 E 393 393] (raylet) node_manager.cc:3277: 2 Workers (tasks / actors) killed due to memory pressure (OOM), 0 Workers crashed due to other reasons at node (ID: 8289f87b78d161ae21bf72, IP: 10.244.7.31) over the last time period. To see more information about the Workers killed on this node, use `ray logs raylet.out -ip 10.244.7.31`
            (raylet)
            (raylet) Refer to the documentation on how to address the out of memory issue: https://docs.ray.io/en/latest/ray-core/scheduling/ray-oom-prevention.html. Consider provisioning more memory on this node or reducing task parallelism by requesting more CPUs per task. To adjust the kill threshold, set the environment variable `RAY_memory_usage_threshold` when starting Ray.
            Traceback (most recent call last):
              File "/workspace/run_sim.py", line 152, in <module>
                for obs, env_id in ray.get(step_retval):
              File "/usr/local/lib/python3.10/dist-packages/ray/_private/worker.py", line 2656, in get
                values, debugger_breakpoint = worker.get_objects(object_refs, timeout=timeout)
            ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.
            Memory on the node (IP: 10.244.7.31, ID: 8289f87b78d161ae21bf72) where the task (actor ID: f9cc340f5aef7b479d863450, name=SimEnv.__init__, pid=4331, memory used=9.22GB) was running was 60.84GB / 64.00GB (0.950744), which exceeds the memory usage threshold of 0.95. Ray killed this worker (ID: d98ac96cdd66ea8c) because it was the most recently scheduled task.
            Top 10 memory users:
            PID\tMEM(GB)\tCOMMAND
            4331\t9.22\tray::SimEnv.step
            """,
        ),
        never=("container_oom", "node_memory_eviction", "python_exception", "cuda_oom"),
    ),
    case(
        "held-gatk-java-heap",
        "application_memory_limit",
        "broadinstitute/gatk 8264: Java heap space, exit 1",
        crashed(
            1,
            """
            Using GATK jar /gatk/gatk-package-4.5.0.0-local.jar
            Running:
                java -Dsamjdk.use_async_io_read_samtools=false -Xmx8g -jar /gatk/gatk-package-4.5.0.0-local.jar LearnReadOrientationModel -I /data/f1r2.tar.gz -O /data/rom.tar.gz
            02:03:13.807 WARN  NativeLibraryLoader - Unable to load libgkl_compression.so from native/libgkl_compression.so (No such file or directory)
            02:03:14.025 INFO  LearnReadOrientationModel - The Genome Analysis Toolkit (GATK) v4.5.0.0
            02:03:14.025 INFO  LearnReadOrientationModel - Java runtime: OpenJDK 64-Bit Server VM v17.0.9+9
            02:03:14.026 INFO  LearnReadOrientationModel - Deflater: JdkDeflater
            02:40:02.551 INFO  LearnReadOrientationModel - Shutting down engine
            [March 1, 2026 at 2:40:02 AM GMT] org.broadinstitute.hellbender.tools.walkers.readorientation.LearnReadOrientationModel done. Elapsed time: 36.83 minutes.
            Runtime.totalMemory()=8589934592
            Exception in thread "main" java.lang.OutOfMemoryError: Java heap space
            \tat org.apache.commons.math3.linear.Array2DRowRealMatrix.<init>(Array2DRowRealMatrix.java:61)
            \tat org.broadinstitute.hellbender.tools.walkers.readorientation.LearnReadOrientationModelEngine.<init>(LearnReadOrientationModelEngine.java:131)
            \tat org.broadinstitute.hellbender.cmdline.CommandLineProgram.runTool(CommandLineProgram.java:149)
            \tat org.broadinstitute.hellbender.Main.main(Main.java:306)
            """,
            gpus=0,
            image="broadinstitute/gatk:4.5.0.0",
        ),
        never=("container_oom", "missing_file", "application_error"),
    ),
    case(
        "held-worker-oomkilled-peers-complain",
        "container_oom",
        "kubelet says OOMKilled of worker-1; master's NCCL remote error came after it and because of it",
        pod(
            container(
                ended(1, at=-4),
                gpus=8,
                log="""
                step 1180 | loss 2.0117 | 812 tok/s/gpu
                step 1190 | loss 2.0093 | 815 tok/s/gpu
                llama-ft-master-0:71:402 [3] misc/socket.cc:484 NCCL WARN socketProgress: Connection closed by remote peer 10-244-9-12.llama-ft-worker-1<41012>
                llama-ft-master-0:71:402 [3] NCCL INFO proxy.cc:1521 -> 6
                [rank3]:[E301 02:55:41.022 ProcessGroupNCCL.cpp:1895] [PG ID 0 PG GUID 0(default_pg) Rank 3] Process group watchdog thread terminated with exception: NCCL error: remote process exited or there was a network error, NCCL version 2.21.5
                ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.
                torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1970, remote process exited or there was a network error, NCCL version 2.21.5
                torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
                train.py FAILED
                """,
            ),
            rank="master-0",
            node="gpu-03",
        ),
        pod(
            container(
                oom_killed(at=-5),
                gpus=8,
                log="""
                step 1180 | loss 2.0117 | 811 tok/s/gpu
                step 1190 | loss 2.0093 | 812 tok/s/gpu
                building validation cache in host memory (rank 8 of 16)
                """,
            ),
            rank="worker-1",
            node="gpu-09",
        ),
        job=distributed(workers=2),
        never=("nccl_network_error", "nccl_timeout"),
    ),
    case(
        "held-evicted-node-memory-quiet-log",
        "node_memory_eviction",
        "the cause is only in the pod's status and event; the log ends in ordinary work with an allocator warning",
        pod(
            container(
                ended(137, at=-5),
                log="""
                2026-03-01 02:48:10.331 | INFO     | __main__:fit:88 - fold 2/5
                2026-03-01 02:50:02.107 | WARNING  | cachetools:put:41 - cache at 91% of its size, evicting oldest entries
                2026-03-01 02:52:19.840 | INFO     | __main__:fit:88 - fold 3/5
                [LightGBM] [Info] Total Bins 254100
                [LightGBM] [Info] Number of data points in the train set: 41200344, number of used features: 1020
                """,
                memory=None,
            ),
            phase="Failed",
            reason="Evicted",
            message="The node was low on resource: memory. Threshold quantity: 100Mi, available: 67012Ki. Container main was using 181234112Ki, request is 32Gi, has larger consumption of memory. ",
            events=[
                event(
                    "Evicted",
                    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 67012Ki. Container main was using 181234112Ki, request is 32Gi, has larger consumption of memory. ",
                )
            ],
        ),
        never=("container_oom", "killed_by_signal", "preempted"),
    ),
    case(
        "held-ephemeral-limit-while-downloading",
        "ephemeral_storage_exceeded",
        "kubelet: the container's own ephemeral-storage limit; the download log shows nothing wrong",
        pod(
            container(
                ended(137, at=-5),
                log="""
                Downloading shards:   0%|          | 0/30 [00:00<?, ?it/s]
                Downloading shards:  43%|████▎     | 13/30 [06:12<08:01, 28.34s/it]
                UserWarning: Not enough free disk space to download the file. The expected file size is: 4664.17 MB. The target location /home/trainer/.cache/huggingface/hub only has 2204.11 MB free disk space.
                Downloading shards:  47%|████▋     | 14/30 [06:41<07:38, 28.66s/it]
                """,
            ),
            phase="Failed",
            reason="Evicted",
            message='Container main exceeded its local ephemeral storage limit "50Gi". ',
            events=[event("Evicted", 'Container main exceeded its local ephemeral storage limit "50Gi". ')],
        ),
        never=("disk_full", "node_disk_pressure", "killed_by_signal"),
    ),
]

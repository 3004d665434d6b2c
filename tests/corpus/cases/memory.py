"""Memory and disk: who ran out of what, and who killed whom."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    container,
    crashed,
    distributed,
    ended,
    event,
    job,
    looping,
    node,
    on_node,
    oom_killed,
    pod,
    running,
)

EVICTED_MEMORY = (
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 91204Ki. "
    "Container main was using 412Gi, request is 64Gi, has larger consumption of memory. "
)

CASES = [
    # --- container_oom -----------------------------------------------------------------------------------------------
    case(
        "oom-state",
        "container_oom",
        "the container state says OOMKilled (Kubernetes, assign memory resources); the log just stops",
        pod(
            container(
                oom_killed(),
                memory="64Gi",
                log="""
                Loading shard 11/32 into memory
                Loading shard 12/32 into memory
                """,
            )
        ),
        never=("killed_by_signal", "insufficient_evidence"),
        pair="exit-137",
    ),
    case(
        "oom-loop",
        "container_oom",
        "CrashLoopBackOff is the symptom; lastState says OOMKilled",
        looping(137, "epoch 3 step 1200 loss 1.83\n", reason="OOMKilled", restarts=9),
        job=job("Running", running=1),
    ),
    case(
        "oom-cgroup-event-on-node",
        "container_oom",
        "exit 137 with reason Error, and the kernel's memory-cgroup kill of a python process on that node at that second "
        "(node-problem-detector OOMKilling): causes.md ties it by node, time and process",
        crashed(137, "Map (num_proc=16):  61%|██████    | 610233/1000000 [12:01<07:40, 846.1 examples/s]\n"),
        events=[
            on_node(
                "OOMKilling",
                "Memory cgroup out of memory: Killed process 48213 (python) total-vm:98123412kB, anon-rss:67012344kB, "
                "file-rss:81240kB, shmem-rss:0kB, UID:0 pgtables:140212kB oom_score_adj:972",
                at=-5.02,
            )
        ],
        never=("killed_by_signal",),
        pair="exit-137",
    ),
    case(
        "oom-cgroup-event-of-another-pod",
        "killed_by_signal",
        "the node's OOM kill is of a java process 50 minutes earlier: another job's event explains nothing",
        crashed(137, "epoch 3 step 1200 loss 1.83\n"),
        events=[
            on_node(
                "OOMKilling",
                "Memory cgroup out of memory: Killed process 991 (java) total-vm:8123412kB, anon-rss:7012344kB, "
                "file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:14212kB oom_score_adj:985",
                at=-55,
            )
        ],
        never=("container_oom",),
        pair="exit-137",
    ),
    case(
        "oom-behind-caught-cuda-oom",
        "container_oom",
        "the CUDA OOM of the batch-size finder was caught and retried; the state says OOMKilled",
        pod(
            container(
                oom_killed(),
                log="""
                Trying batch size 64
                torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 4.00 GiB. GPU 0 has a total capacity of 79.11 GiB
                Batch size 64 failed, trying batch size 32
                Finished batch size finder, will continue with full run using batch size 32
                step 400 loss 2.11
                step 500 loss 2.04
                """,
            )
        ),
        never=("cuda_oom",),
        pair="two-kinds-of-memory",
    ),
    case(
        "oom-torchrun-child",
        "container_oom",
        "the launcher exits 1 and reports SIGKILL of its child; the node's cgroup kill of that pid tells why",
        crashed(
            1,
            """
            W0301 02:54:58.113 47 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 102 closing signal SIGTERM
            E0301 02:54:59.902 47 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: -9) local_rank: 1 (pid: 103) of binary: /usr/bin/python
            Traceback (most recent call last):
              File "/usr/local/bin/torchrun", line 8, in <module>
                sys.exit(main())
              File "/usr/local/lib/python3.10/dist-packages/torch/distributed/run.py", line 901, in main
                run(args)
              File "/usr/local/lib/python3.10/dist-packages/torch/distributed/launcher/api.py", line 264, in launch_agent
                raise ChildFailedError(
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            =======================================================
            train.py FAILED
            -------------------------------------------------------
            Root Cause (first observed failure):
            [0]:
              time      : 2026-03-01_02:54:58
              host      : llama-ft-0-0
              rank      : 1 (local_rank: 1)
              exitcode  : -9 (pid: 103)
              error_file: <N/A>
              traceback : Signal 9 (SIGKILL) received by PID 103
            =======================================================
            """,
        ),
        events=[
            on_node(
                "OOMKilling",
                "Memory cgroup out of memory: Killed process 88103 (python) total-vm:213409812kB, anon-rss:66912344kB, "
                "file-rss:91240kB, shmem-rss:204800kB, UID:0 pgtables:240212kB oom_score_adj:972",
                at=-5.03,
            )
        ],
        never=("python_exception", "killed_by_signal"),
    ),
    case(
        "oom-init-container",
        "container_oom",
        "the init container that unpacks the data set was OOMKilled; main never ran",
        pod(
            container(
                {"terminated": oom_killed()["terminated"]},
                name="unpack",
                role="init",
                memory="2Gi",
                gpus=0,
                log="tar: x\n",
            ),
            container({"waiting": {"reason": "PodInitializing"}}),
            phase="Failed",
        ),
    ),
    case(
        "oom-of-a-sidecar-only",
        "python_exception",
        "the log shipper was OOMKilled and restarted an hour before; the job ended by its own exception",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 88, in <module>
                main()
              File "/workspace/train.py", line 61, in main
                assert len(loader) > 0, "empty training split"
            AssertionError: empty training split
            """,
            beside=[
                container(
                    running(-50),
                    name="log-shipper",
                    memory="64Mi",
                    gpus=0,
                    restarts=1,
                    last=oom_killed(at=-51, began=-55),
                )
            ],
        ),
        never=("container_oom",),
    ),
    # --- node_memory_eviction ----------------------------------------------------------------------------------------
    case(
        "evicted-memory",
        "node_memory_eviction",
        "kubelet's eviction message names memory of the node (Kubernetes, node-pressure eviction)",
        pod(
            container(ended(137, at=-5)),
            phase="Failed",
            reason="Evicted",
            message=EVICTED_MEMORY,
            events=[event("Evicted", EVICTED_MEMORY)],
        ),
        never=("container_oom", "killed_by_signal"),
        pair="evicted",
    ),
    case(
        "evicted-memory-no-containers",
        "node_memory_eviction",
        "an evicted pod often has no container status left; older kubelets write the short form",
        pod(phase="Failed", reason="Evicted", message="The node was low on resource: [MemoryPressure]."),
        objects=[
            node(
                conditions=[
                    (
                        "MemoryPressure",
                        "True",
                        "KubeletHasInsufficientMemory",
                        "kubelet has insufficient memory available",
                    )
                ]
            )
        ],
        pair="evicted",
    ),
    case(
        "evicted-memory-without-kubernetes",
        "node_memory_eviction",
        "Run:ai's event list repeats kubelet's eviction",
        pod(phase="Failed", events=[event("Evicted", EVICTED_MEMORY)], gone=True),
        kubernetes=False,
    ),
    # --- ephemeral storage and disks ---------------------------------------------------------------------------------
    case(
        "ephemeral-pod-limit",
        "ephemeral_storage_exceeded",
        "kubelet: the pod went over the sum of its own limits",
        pod(
            container(ended(137)),
            phase="Failed",
            reason="Evicted",
            message="Pod ephemeral local storage usage exceeds the total limit of containers 20Gi. ",
        ),
        never=("node_disk_pressure", "disk_full", "node_memory_eviction"),
        pair="evicted",
    ),
    case(
        "ephemeral-container-limit",
        "ephemeral_storage_exceeded",
        "kubelet: one container over its own limit, as an event",
        pod(
            container(ended(137)),
            phase="Failed",
            reason="Evicted",
            message='Container main exceeded its local ephemeral storage limit "10Gi". ',
            events=[event("Evicted", 'Container main exceeded its local ephemeral storage limit "10Gi". ')],
        ),
        pair="disk",
    ),
    case(
        "ephemeral-emptydir",
        "ephemeral_storage_exceeded",
        "kubelet: an emptyDir over its sizeLimit",
        pod(
            container(ended(143)),
            phase="Failed",
            reason="Evicted",
            message='Usage of EmptyDir volume "scratch" exceeds the limit "50Gi". ',
        ),
        never=("killed_by_signal",),
    ),
    case(
        "disk-full-checkpoint",
        "disk_full",
        "Errno 28 while the checkpoint is written ends the program (errno(3): ENOSPC)",
        crashed(
            1,
            """
            Saving model checkpoint to /data/out/checkpoint-4000
            Traceback (most recent call last):
              File "/usr/local/lib/python3.10/dist-packages/torch/serialization.py", line 652, in save
                _save(obj, opened_zipfile, pickle_module, pickle_protocol)
              File "/usr/local/lib/python3.10/dist-packages/torch/serialization.py", line 885, in _save
                zip_file.write_record(name, storage, num_bytes)
            OSError: [Errno 28] No space left on device

            During handling of the above exception, another exception occurred:

            Traceback (most recent call last):
              File "/workspace/train.py", line 210, in <module>
                trainer.save_model()
              File "/usr/local/lib/python3.10/dist-packages/torch/serialization.py", line 509, in __exit__
                self.file_like.write_end_of_file()
            RuntimeError: [enforce fail at inline_container.cc:603] . unexpected pos 1310720 vs 1310614
            """,
        ),
        never=("python_exception", "ephemeral_storage_exceeded"),
        pair="disk",
    ),
    case(
        "disk-full-shell",
        "disk_full",
        "coreutils' words for ENOSPC",
        crashed(1, "cp: error writing '/data/out/model.safetensors': No space left on device\n"),
    ),
    case(
        "disk-full-german",
        "disk_full",
        "the same in a German locale (glibc's translation of ENOSPC)",
        crashed(
            1,
            "cp: Fehler beim Schreiben von '/data/out/model.bin': Auf dem Gerät ist kein Speicherplatz mehr verfügbar\n",
        ),
    ),
    case(
        "quota-of-the-file-system",
        ("disk_full", "python_exception"),
        "EDQUOT: the user's quota on the shared file system is used up; a full disk fits best, the exception is not wrong",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/preprocess.py", line 44, in <module>
                np.save(out, arr)
            OSError: [Errno 122] Disk quota exceeded: '/home/ada/cache/tokens-0031.npy'
            """,
        ),
    ),
    # --- shared memory -----------------------------------------------------------------------------------------------
    case(
        "shm-dataloader",
        "shm_exhausted",
        "PyTorch's own hint: a DataLoader worker killed by a bus error is out of /dev/shm (PyTorch documentation)",
        crashed(
            1,
            """
            ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).
            Traceback (most recent call last):
              File "/usr/local/lib/python3.10/dist-packages/torch/utils/data/dataloader.py", line 1133, in _try_get_data
                data = self._data_queue.get(timeout=timeout)
              File "/usr/lib/python3.10/queue.py", line 180, in get
                self.not_empty.wait(remaining)
            RuntimeError: DataLoader worker (pid 2154) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory. Please try to raise your shared memory limit.
            """,
        ),
        never=("python_exception", "segfault"),
        pair="bus-error",
    ),
    case(
        "shm-nccl",
        "shm_exhausted",
        "NCCL cannot create its segment in /dev/shm (NCCL troubleshooting, shared memory); the disk is not full",
        crashed(
            1,
            """
            llama-ft-0-0:61:190 [0] misc/shmutils.cc:72 NCCL WARN Error: failed to extend /dev/shm/nccl-Vd3y8K to 9637892 bytes, error: No space left on device (28)
            llama-ft-0-0:61:190 [0] misc/shmutils.cc:113 NCCL WARN Error while creating shared memory segment /dev/shm/nccl-Vd3y8K (size 9637888), error: No space left on device (28)
            llama-ft-0-0:61:190 [0] NCCL INFO transport/shm.cc:114 -> 2
            Traceback (most recent call last):
              File "/workspace/train.py", line 31, in <module>
                dist.barrier()
            torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1691, unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.20.5
            ncclSystemError: System call (e.g. socket, malloc) or external library call failed or device error.
            Last error:
            Error while creating shared memory segment /dev/shm/nccl-Vd3y8K (size 9637888), error: No space left on device (28)
            """,
        ),
        never=("disk_full", "nccl_network_error"),
        pair="disk",
    ),
    case(
        "shm-exit-135",
        "shm_exhausted",
        "exit 135 is SIGBUS; with DataLoader workers and a 64 MB /dev/shm that is shared memory",
        crashed(135, "loader: 16 workers, pin_memory=True, /dev/shm 64M\nBus error (core dumped)\n"),
        never=("segfault",),
        pair="bus-error",
    ),
    # --- limits of the program's own ---------------------------------------------------------------------------------
    case(
        "jvm-heap",
        "application_memory_limit",
        "the JVM reports its own heap limit and exits 3 (ExitOnOutOfMemoryError); the container was not killed",
        crashed(
            3,
            """
            26/03/01 02:54:12 INFO TaskSetManager: Starting task 18.0 in stage 4.0
            Terminating due to java.lang.OutOfMemoryError: Java heap space
            """,
            image="apache/spark:3.5.1",
            gpus=0,
        ),
        never=("container_oom",),
        pair="two-kinds-of-memory",
    ),
    case(
        "ray-memory-monitor",
        "application_memory_limit",
        "Ray's memory monitor killed its worker before the kernel had to (Ray documentation, out of memory prevention)",
        crashed(
            1,
            """
            2026-03-01 02:54:51,120 ERROR worker.py:421 -- Unhandled error
            Traceback (most recent call last):
              File "/workspace/tune.py", line 77, in <module>
                ray.get(refs)
              File "/usr/local/lib/python3.10/dist-packages/ray/_private/worker.py", line 2639, in get
                raise value
            ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.
            Memory on the node (IP: 10.244.3.18, ID: 6b8a) where the task (task ID: 32d95, name=preprocess, pid=411) was running was 60.90GB / 64.00GB (0.951562), which exceeds the memory usage threshold of 0.95. Ray killed this worker (ID: 7d1) because it was the most recently scheduled task; to see more information about memory usage on this node, use `ray logs raylet.out -ip 10.244.3.18`.
            """,
        ),
        never=("container_oom", "node_memory_eviction", "python_exception"),
        pair="two-kinds-of-memory",
    ),
    case(
        "node-js-heap",
        "application_memory_limit",
        "V8 aborts at its own heap limit with exit 134: the signal is the consequence",
        crashed(
            134,
            """
            <--- Last few GCs --->
            [1:0x5f2a3c0]   183412 ms: Mark-Compact 2047.1 (2083.9) -> 2046.5 (2084.4) MB, 1510.33 / 0.00 ms  (average mu = 0.081, current mu = 0.004) allocation failure; scavenge might not succeed
            FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
             1: 0xb9c310 node::Abort() [node]
            Aborted (core dumped)
            """,
            image="node:20-slim",
            gpus=0,
        ),
        never=("aborted", "container_oom"),
        pair="exit-134",
    ),
    # --- killed_by_signal --------------------------------------------------------------------------------------------
    case(
        "killed-137-unexplained",
        "killed_by_signal",
        "exit 137 alone: neither a state, nor an event, nor the node says why",
        crashed(137, "epoch 1 step 100 loss 3.10\nepoch 1 step 200 loss 2.87\n"),
        never=("container_oom", "preempted"),
        pair="exit-137",
    ),
    case(
        "killed-143-unexplained",
        "killed_by_signal",
        "exit 143: somebody sent SIGTERM, and nothing that could be read says who",
        crashed(143, "step 100\nstep 200\nReceived SIGTERM, shutting down\n"),
        never=("preempted",),
        pair="exit-143",
    ),
    case(
        "killed-torchrun-sigkill-node-unreadable",
        "killed_by_signal",
        "a child got SIGKILL; the node's events could not be read, so an OOM kill is a guess",
        crashed(
            1,
            """
            E0301 02:54:59.902 47 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: -9) local_rank: 0 (pid: 103) of binary: /usr/bin/python
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            train.py FAILED
            Root Cause (first observed failure):
              exitcode  : -9 (pid: 103)
              traceback : Signal 9 (SIGKILL) received by PID 103
            """,
        ),
        faults={"kube/events": 403},
        never=("python_exception",),
        job=distributed("Failed", workers=1),
    ),
]

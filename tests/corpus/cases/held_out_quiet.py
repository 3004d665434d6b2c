"""No failure, or nothing that says why, by authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    JOB,
    container,
    crashed,
    creating,
    distributed,
    ended,
    event,
    job,
    on_owner,
    oom_killed,
    past,
    pod,
    running,
    unscheduled,
)

LIVE = job("Running", since=-300, created=-305, running=1)
DONE = job("Completed", since=-4, created=-300, completed=True)
POD = f"{JOB}-0-0"

CASES = [
    # --- quiet, or not enough -----------------------------------------------------------------------------------------
    case(
        "held-running-with-wandb-retries",
        "healthy",
        "wandb prints 429 and network errors and goes on; training steps continue after them",
        pod(
            container(
                running(-300),
                log="""
                step 41200 loss 1.8120
                wandb: 429 encountered (Filestream rate limit exceeded, retrying in 4.1 seconds.), retrying request
                step 41300 loss 1.8098
                wandb: Network error (ConnectionError), entering retry loop.
                Traceback (most recent call last):
                  File "/opt/conda/lib/python3.10/site-packages/wandb/sdk/lib/retry.py", line 131, in __call__
                    result = self._call_fn(*args, **kwargs)
                requests.exceptions.ConnectionError: ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))
                wandb: Network error resolved after 0:02:11.419287, resuming normal operation.
                step 41400 loss 1.8101
                step 41500 loss 1.8077
                """,
            ),
            created=-305,
        ),
        job=LIVE,
        never=("rate_limited", "connection_refused", "python_exception"),
    ),
    case(
        "held-running-oom-skipped-batch",
        "healthy",
        "fairseq-style: 'ran out of memory ... skipping batch' is caught, the pod runs on; pair of r1a-caught-cuda-oom-then-bug",
        pod(
            container(
                running(-300),
                log="""
                2026-03-01 02:40:10 | INFO | train_inner | epoch 007:   3100 / 5188 loss=3.812, ppl=4.03
                2026-03-01 02:41:52 | WARNING | fairseq.trainer | OOM: Ran out of memory with exception: CUDA out of memory. Tried to allocate 3.11 GiB (GPU 0; 79.11 GiB total capacity; 74.2 GiB already allocated; 1.9 GiB free)
                2026-03-01 02:41:52 | WARNING | fairseq.trainer | attempting to recover from OOM in forward/backward pass
                2026-03-01 02:44:31 | INFO | train_inner | epoch 007:   3200 / 5188 loss=3.809, ppl=4.02
                2026-03-01 02:58:48 | INFO | train_inner | epoch 007:   3700 / 5188 loss=3.801, ppl=4.00
                """,
            ),
            created=-305,
        ),
        job=LIVE,
        never=("cuda_oom", "container_oom"),
        pair="held-caught-oom",
    ),
    case(
        "held-completed-with-exit-noise",
        "completed",
        "exit 0; pytorch prints a resource_tracker leak and a ProcessGroup warning, python a swallowed exception in __del__",
        pod(
            container(
                ended(0, at=-4, began=-298),
                log="""
                Epoch 10/10: 100%|██████████| 812/812 [21:10<00:00,  1.56s/it, loss=0.211]
                saved final model to /out/final
                Exception ignored in: <function _MultiProcessingDataLoaderIter.__del__ at 0x7f81c1a2e0d0>
                Traceback (most recent call last):
                  File "/opt/conda/lib/python3.10/site-packages/torch/utils/data/dataloader.py", line 1477, in __del__
                    self._shutdown_workers()
                AssertionError: can only test a child process
                [rank0]:[W301 02:56:01.222 ProcessGroupNCCL.cpp:1250] Warning: WARNING: process group has NOT been destroyed before we destruct ProcessGroupNCCL. On normal program exit, the application should call destroy_process_group to ensure that any pending NCCL operations have finished in this process.
                /opt/conda/lib/python3.10/multiprocessing/resource_tracker.py:224: UserWarning: resource_tracker: There appear to be 4 leaked semaphore objects to clean up at shutdown
                """,
            ),
            created=-300,
        ),
        job=DONE,
        never=("python_exception", "shm_exhausted"),
    ),
    case(
        "held-completed-nan-in-metric",
        "completed",
        "Lightning's EarlyStopping on a non-finite metric ends the fit in good order: exit 0 and the workload Completed",
        pod(
            container(
                ended(0, at=-4, began=-298),
                log="""
                Epoch 14: 100%|██████████| 220/220 [03:10<00:00, v_num=3, train_loss=0.402, val_loss=0.418]
                Metric val_loss improved by 0.003 >= min_delta = 0.0. New best score: 0.418
                Epoch 17: 100%|██████████| 220/220 [03:09<00:00, v_num=3, train_loss=0.399, val_loss=0.421]
                Monitored metric val_loss did not improve in the last 3 records. Best score: 0.418. Signaling Trainer to stop.
                RuntimeWarning: invalid value encountered in scalar divide: auc of class 7 is nan (no positives)
                `Trainer.fit` stopped: early stopping
                test metrics: {'acc': 0.911, 'auc_mean': nan}
                """,
            ),
            created=-300,
        ),
        job=DONE,
        never=("training_diverged",),
    ),
    case(
        "held-elastic-summary-without-cause",
        "insufficient_evidence",
        "pytorch elastic: the log that is left holds only the launcher's summary with error_file <N/A> and exit code 1: what the rank died of is not there",
        crashed(
            1,
            """
            E0301 02:50:32.012000 23 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1) local_rank: 6 (pid: 46) of binary: /usr/bin/python
            Traceback (most recent call last):
              File "/usr/local/bin/torchrun", line 33, in <module>
                sys.exit(load_entry_point('torch==2.6.0', 'console_scripts', 'torchrun')())
              File "/usr/local/lib/python3.10/dist-packages/torch/distributed/launcher/api.py", line 269, in launch_agent
                raise ChildFailedError(
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            ============================================================
            train.py FAILED
            ------------------------------------------------------------
            Failures:
              <NO_OTHER_FAILURES>
            ------------------------------------------------------------
            Root Cause (first observed failure):
            [0]:
              time      : 2026-03-01_02:50:31
              host      : llama-ft-0-0
              rank      : 6 (local_rank: 6)
              exitcode  : 1 (pid: 46)
              error_file: <N/A>
              traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
            ============================================================
            """,
            gpus=8,
        ),
        never=("python_exception", "nccl_timeout"),
        pair="held-elastic-summary",
    ),
    case(
        "held-exit-1-log-forbidden",
        "insufficient_evidence",
        "exit 1 and the log endpoint answers 403: nothing says why",
        crashed(1, ""),
        faults={"kube/pods/log": 403},
        never=("permission_denied", "credential_rejected", "python_exception"),
    ),
    case(
        "held-exit-3-only-progress",
        "insufficient_evidence",
        "a closed solver ends with 3 in the middle of its progress lines, warnings only",
        crashed(
            3,
            """
            reading mesh /data/wing.msh ... 48113220 cells
            partitioning (metis) 32 parts
            warning: 12 cells with aspect ratio > 1000
              iter  continuity  x-velocity  y-velocity     time/iter
                 1  1.0000e+00  2.1133e-03  1.9020e-03  0:14:11  999
                 2  4.1801e-01  1.7718e-03  1.5031e-03  0:13:40  998
                 3  3.9912e-01  1.6650e-03  1.4207e-03  0:13:33  997
            """,
            image="registry.example.com/solver:7",
        ),
        never=("application_error", "training_diverged"),
    ),
    case(
        "held-nccl-broadcast-timeout-two-pods",
        "nccl_timeout",
        "pytorch 118369, NVIDIA/Megatron-LM 1207: both pods time out in the same broadcast after a checkpoint, no rank failed before; the heartbeat monitor and SIGABRT follow",
        pod(
            container(
                ended(1, at=-5),
                gpus=8,
                log="""
                  successfully saved checkpoint at iteration    2000 to /ckpt/gpt [ t 1/8, p 1/1 ]
                /usr/local/lib/python3.10/dist-packages/torch/utils/checkpoint.py:295: FutureWarning: `torch.cpu.amp.autocast(args...)` is deprecated.
                [rank1]:[E301 02:54:06.114 ProcessGroupNCCL.cpp:616] [Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=5, OpType=BROADCAST, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600013 milliseconds before timing out.
                [rank1]:[E301 02:54:06.120 ProcessGroupNCCL.cpp:1834] [PG ID 0 PG GUID 0(default_pg) Rank 1] Received a dump signal due to a collective timeout from this local rank and we will try our best to dump the debug info. Last enqueued NCCL work: 5, last completed NCCL work: 4.
                [rank1]:[F301 02:54:38.120 ProcessGroupNCCL.cpp:1306] [PG ID 0 PG GUID 0(default_pg) Rank 1] [PG ID 0 PG GUID 0(default_pg) Rank 1] Terminating the process after attempting to dump debug info, due to collective timeout or exception.
                E0301 02:54:40.554000 100 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: -6) local_rank: 1 (pid: 171) of binary: /usr/bin/python
                torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
                """,
            ),
            rank="master-0",
            node="gpu-03",
        ),
        pod(
            container(
                ended(1, at=-5),
                gpus=8,
                log="""
                  successfully saved checkpoint at iteration    2000 to /ckpt/gpt [ t 1/8, p 1/1 ]
                [rank8]:[E301 02:54:06.201 ProcessGroupNCCL.cpp:616] [Rank 8] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=5, OpType=BROADCAST, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600088 milliseconds before timing out.
                [rank8]:[E301 02:54:06.224 ProcessGroupNCCL.cpp:630] [Rank 8] To avoid data inconsistency, we are taking the entire process down.
                E0301 02:54:41.101000 98 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: -6) local_rank: 0 (pid: 150) of binary: /usr/bin/python
                torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
                """,
            ),
            rank="worker-0",
            node="gpu-04",
        ),
        job=distributed(workers=2),
        never=("aborted", "nccl_network_error"),
    ),
    case(
        "held-nccl-socket-no-route",
        "nccl_network_error",
        "NVIDIA/nccl issues on NCCL_SOCKET_IFNAME: the bootstrap connects over a wrong interface, 'No route to host', unhandled system error",
        crashed(
            1,
            """
            llama-ft-worker-1:62:62 [0] NCCL INFO NCCL_SOCKET_IFNAME set by environment to docker0,eth0
            llama-ft-worker-1:62:62 [0] NCCL INFO Bootstrap : Using docker0:172.17.0.1<0>
            llama-ft-worker-1:62:62 [0] NCCL INFO NET/Plugin: No plugin found (libnccl-net.so)
            llama-ft-worker-1:62:131 [0] NCCL INFO NET/IB : No device found.
            llama-ft-worker-1:62:131 [0] NCCL INFO Using network Socket

            llama-ft-worker-1:62:131 [0] misc/socket.cc:441 NCCL WARN socketStartConnect: Connect to 172.17.0.1<43817> failed : No route to host
            llama-ft-worker-1:62:131 [0] NCCL INFO misc/socket.cc:564 -> 2
            llama-ft-worker-1:62:131 [0] NCCL INFO bootstrap.cc:285 -> 2
            llama-ft-worker-1:62:131 [0] NCCL INFO init.cc:1501 -> 2
            Traceback (most recent call last):
              File "/workspace/ddp.py", line 58, in <module>
                model = DDP(model, device_ids=[local_rank])
              File "/usr/local/lib/python3.10/dist-packages/torch/distributed/utils.py", line 288, in _verify_param_shape_across_processes
                return dist._verify_params_across_processes(process_group, tensors, logger)
            torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1970, unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.20.5
            ncclSystemError: System call (e.g. socket, malloc) or external library call failed or device error.
            Last error:
            socketStartConnect: Connect to 172.17.0.1<43817> failed : No route to host
            """,
            rank="worker-1",
        ),
        job=distributed(workers=2),
        never=("nccl_timeout", "python_exception", "connection_timeout", "connection_refused"),
    ),
    case(
        "held-python-fatal-bus-error-135",
        "shm_exhausted",
        "faulthandler's 'Fatal Python error: Bus error' while writing to torch shared memory: exit 135 (128 + SIGBUS)",
        crashed(
            135,
            """
            I20260301 02:53:02 loader.py:77] pinning 24 buffers of 512 MiB in /dev/shm
            I20260301 02:53:09 loader.py:91] buffer 1 ready
            Fatal Python error: Bus error

            Thread 0x00007f2a0b7fe640 (most recent call first):
              File "/usr/lib/python3.10/threading.py", line 320 in wait
              File "/opt/prefetch/pump.py", line 61 in run

            Current thread 0x00007f2b8a1ff000 (most recent call first):
              File "/usr/local/lib/python3.10/dist-packages/torch/storage.py", line 1062 in fill_
              File "/opt/prefetch/loader.py", line 88 in _touch
              File "/workspace/train.py", line 140 in <module>

            Extension modules: numpy.core._multiarray_umath, torch._C (total: 31)
            Bus error (core dumped)
            """,
        ),
        never=("segfault", "killed_by_signal"),
    ),
    case(
        "held-running-after-ib-port-flap",
        "healthy",
        "NCCL logs async IB events of a port flap as WARN; the collective was retried by the HCA and the steps go on",
        pod(
            container(
                running(-300),
                gpus=8,
                log="""
                 iteration     9100/   50000 | elapsed time per iteration (ms): 5610.2 | lm loss: 2.310112E+00 | grad norm: 0.412 | number of nan iterations:   0 |
                llama-ft-0-0:212:988 [2] transport/net_ib.cc:94 NCCL WARN NET/IB : mlx5_2:1 Got async event : port error
                llama-ft-0-0:212:988 [2] transport/net_ib.cc:94 NCCL WARN NET/IB : mlx5_2:1 Got async event : port active
                 iteration     9200/   50000 | elapsed time per iteration (ms): 5832.8 | lm loss: 2.307004E+00 | grad norm: 0.409 | number of nan iterations:   0 |
                 iteration     9300/   50000 | elapsed time per iteration (ms): 5608.9 | lm loss: 2.305810E+00 | grad norm: 0.411 | number of nan iterations:   0 |
                """,
            ),
            created=-305,
        ),
        job=job("Running", since=-300, created=-305, running=1, gpus=8),
        never=("nccl_network_error", "nccl_timeout", "gpu_hardware_fault"),
    ),
    case(
        "peers-healthy-after-retries",
        "healthy",
        "huggingface_hub's ReadTimeout retried; an early readiness failure; training goes on",
        pod(
            container(
                running(-200),
                log="""
                '(ReadTimeoutError("HTTPSConnectionPool(host='huggingface.co', port=443): Read timed out. (read timeout=10)"), '(Request ID: 6d1c)')' thrown while requesting HEAD https://huggingface.co/acme/base-7b/resolve/main/config.json
                Retrying in 1s [Retry 1/5].
                Loading checkpoint shards: 100%|##########| 3/3 [00:41<00:00, 13.9s/it]
                /opt/conda/lib/python3.11/site-packages/torch/utils/checkpoint.py:295: FutureWarning: `torch.cpu.amp.autocast(args...)` is deprecated.
                {'loss': 1.412, 'grad_norm': 0.81, 'learning_rate': 1.9e-05, 'epoch': 0.41}
                {'loss': 1.409, 'grad_norm': 0.79, 'learning_rate': 1.9e-05, 'epoch': 0.42}
                """,
            ),
            created=-205,
            events=[
                event(
                    "Unhealthy",
                    "Readiness probe failed: dial tcp 10.244.3.9:8080: connect: connection refused",
                    at=-50,
                    count=2,
                )
            ],
        ),
        job=job("Running", since=-200, created=-205, running=1),
        never=("connection_timeout", "probe_failed", "connection_refused"),
    ),
    case(
        "peers-completed-with-noise-at-exit",
        "completed",
        "exit 0; leaked semaphores and an ignored exception at interpreter shutdown harm nobody (cpython/pytorch issues)",
        pod(
            container(
                ended(0, at=-20),
                log="""
                {'train_runtime': 5120.3, 'train_loss': 0.98, 'epoch': 3.0}
                Model weights saved in /ckpt/final/model.safetensors
                Exception ignored in: <function _MultiProcessingDataLoaderIter.__del__ at 0x7f1e2c1f5d00>
                Traceback (most recent call last):
                  File "/opt/conda/lib/python3.11/site-packages/torch/utils/data/dataloader.py", line 1478, in __del__
                    self._shutdown_workers()
                AssertionError: can only test a child process
                [rank0]:[W301 02:39:58.114 ProcessGroupNCCL.cpp:1250] Warning: WARNING: process group has NOT been destroyed before we destruct ProcessGroupNCCL.
                /opt/conda/lib/python3.11/multiprocessing/resource_tracker.py:254: UserWarning: resource_tracker: There appear to be 6 leaked semaphore objects to clean up at shutdown
                """,
            )
        ),
        job=job("Completed", since=-19.5, completed=True),
        never=("python_exception",),
    ),
    case(
        "peers-completed-second-try",
        "completed",
        "the first run was OOMKilled, the second ended with 0 and the job is Completed",
        pod(
            container(
                ended(0, at=-15, began=-70),
                restarts=1,
                last=oom_killed(at=-71, began=-100),
                log="resuming from /ckpt/step-400\nstep 2000 loss 0.71\nsaved final model\n",
                previous="step 400 saved\nstep 410 loss 1.02\n",
            ),
            created=-101,
        ),
        job=job("Completed", since=-14.5, created=-102, completed=True),
        never=("container_oom",),
    ),
    case(
        "peers-job-suspended",
        "suspended_by_person",
        "batch Job's Suspended event, phase Stopped after Stopping: somebody suspended it; the pod's 143 follows from it",
        pod(
            container(ended(143, at=-30), log="step 770 loss 1.33\n"),
            phase="Failed",
            events=[event("Killing", "Stopping container main", kind="Normal", at=-30.5)],
            gone=True,
        ),
        events=[
            on_owner("Suspended", "Job suspended", kind="Normal", at=-30.6),
            on_owner("SuccessfulDelete", f"Deleted pod: {POD}", kind="Normal", at=-30.6),
        ],
        history=past(("Creating", -90), ("Running", -85), ("Stopping", -31), ("Stopped", -29.5)),
        job=job("Stopped", since=-29.5, created=-90),
        never=("killed_by_signal", "preempted", "time_limit_reached"),
    ),
    case(
        "peers-pending-three-minutes",
        "pending_normally",
        "three minutes in the queue with a full pool: younger than the threshold, and it can be placed later",
        unscheduled(
            "no nodes with enough resources were found: 24 node(s) didn't have enough resources: GPUs.", created=-3
        ),
        job=job("Pending", since=-3, created=-3, gpus=2),
        never=("insufficient_gpu",),
    ),
    case(
        "peers-failed-nothing-said",
        "insufficient_evidence",
        "exit 1, a log of progress lines only, no event: no cause can be named",
        crashed(
            1,
            """
            INFO:root:epoch 4 batch 2010/2500 loss=0.5521
            INFO:root:epoch 4 batch 2020/2500 loss=0.5498
            INFO:root:epoch 4 batch 2030/2500 loss=0.5503
            """,
        ),
        never=("python_exception", "application_error", "training_diverged"),
    ),
    case(
        "peers-log-forbidden",
        "insufficient_evidence",
        "exit 1 and RBAC forbids the log: only the code is known",
        crashed(1, "never seen\n"),
        faults={"kube/pods/log": 403},
        never=("python_exception", "application_error", "permission_denied", "credential_rejected"),
    ),
    case(
        "peers-runai-alone-failed",
        "insufficient_evidence",
        "no Kubernetes, a Failed phase without message or event",
        job=job("Failed"),
        kubernetes=False,
        never=("backoff_limit_exceeded",),
    ),
    case(
        "peers-large-image-still-pulling",
        "pending_normally",
        "six minutes after placement kubelet still pulls a 22 GB image; nothing failed and the threshold is not reached",
        creating(
            event(
                "Scheduled",
                f"Successfully assigned pod runai-vision/{POD} to node gpu-07 at node-pool default",
                kind="Normal",
                at=-6,
                source="runai-scheduler",
            ),
            event("Pulling", 'Pulling image "nvcr.io/nvidia/nemo:24.07"', kind="Normal", at=-5.8),
            created=-6.5,
        ),
        job=job("Initializing", since=-6, created=-6.5, image="nvcr.io/nvidia/nemo:24.07"),
        never=("registry_unreachable", "image_not_found"),
    ),
    case(
        "peers-healthy-gang-with-nccl-warnings",
        "healthy",
        "NCCL WARN of a plugin that is absent and a slow socket that connected: all ranks run and step",
        *(
            pod(
                container(
                    running(-120),
                    log=f"""
                    {JOB}-{rank}:71:71 [0] NCCL INFO NET/Plugin: Failed to find ncclNetPlugin_v8 symbol.
                    {JOB}-{rank}:71:310 [0] misc/socket.cc:484 NCCL WARN socketStartConnect: Connect to 10.244.1.5<37231> failed : Software caused connection abort, retrying (1/34)
                    {JOB}-{rank}:71:310 [0] NCCL INFO ncclCommInitRankConfig comm 0x55d1 rank {index} nranks 2 cudaDev 0 - Init COMPLETE
                    step 1200 | loss 2.011 | tflops 412.6
                    step 1210 | loss 2.008 | tflops 413.1
                    """,
                ),
                rank=rank,
                node=f"gpu-0{index}",
                created=-125,
            )
            for index, rank in enumerate(("master-0", "worker-0"))
        ),
        job=distributed("Running", workers=2, since=-120, created=-125, running=2),
        never=("nccl_network_error", "nccl_timeout", "connection_refused"),
    ),
]

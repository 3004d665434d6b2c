"""Ranks that wait for one that failed, by authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import container, crashed, distributed, event, node, on_node, on_owner, pod, running


def timed_out(rank: int, seq: int, op: str = "ALLREDUCE", clock: str = "02:54:50") -> str:
    """What a rank of PyTorch prints when it gives up waiting for the others."""
    return (
        f"[rank{rank}]:[E301 {clock}.{rank}08402113 ProcessGroupNCCL.cpp:616] [Rank {rank}] Watchdog caught collective operation"
        f" timeout: WorkNCCL(SeqNum={seq}, OpType={op}, NumelIn=304640, NumelOut=304640, Timeout(ms)=600000) ran for 6000{35 + rank}"
        " milliseconds before timing out.\n"
        f"[rank{rank}]:[E301 {clock}.{rank}08417720 ProcessGroupNCCL.cpp:684] [Rank {rank}] Some NCCL operations have failed or timed"
        " out. Due to the asynchronous nature of CUDA kernels, subsequent GPU operations might run on corrupted/incomplete data.\n"
        f"[rank{rank}]:[E301 {clock}.{rank}08421910 ProcessGroupNCCL.cpp:698] [Rank {rank}] To avoid data inconsistency, we are taking"
        " the entire process down.\n"
        "terminate called after throwing an instance of 'c10::DistBackendError'\n"
        f"  what():  [PG ID 0 PG GUID 0(default_pg) Rank {rank}] Process group watchdog thread terminated with exception: [Rank {rank}]"
        f" Watchdog caught collective operation timeout: WorkNCCL(SeqNum={seq}, OpType={op}, NumelIn=304640, NumelOut=304640,"
        f" Timeout(ms)=600000) ran for 6000{35 + rank} milliseconds before timing out.\n"
        "Exception raised from checkTimeout at ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:618 (most recent call first):\n"
        "frame #0: c10::Error::Error(c10::SourceLocation, std::string) + 0x96 (0x7c9529a8a446 in"
        " /opt/conda/lib/python3.11/site-packages/torch/lib/libc10.so)\n"
        "frame #1: c10d::ProcessGroupNCCL::watchdogHandler() + 0x233 (0x154e9e16333 in"
        " /opt/conda/lib/python3.11/site-packages/torch/lib/libtorch_cuda.so)\n"
    )


STEPS = """\
[2026-03-01 02:38:51,207] [INFO] [logging.py:96:log_dist] [Rank 0] step=4180, skipped=2, lr=[1.2e-05], mom=[(0.9, 0.95)]
[2026-03-01 02:39:14,883] [INFO] [timer.py:260:stop] epoch=0/micro_step=4180/global_step=4180, RunningAvgSamplesPerSec=21.4, MemAllocated=38.1GB
[2026-03-01 02:39:38,560] [INFO] [logging.py:96:log_dist] [Rank 0] step=4190, skipped=2, lr=[1.2e-05], mom=[(0.9, 0.95)]
"""


CASES = [
    # --- collectives -------------------------------------------------------------------------------------------------
    case(
        "peers-allreduce-timeout-everyone",
        "nccl_timeout",
        "ai2cm/ace#348: all ranks time out in the same collective at the end of an epoch, none failed before",
        *(
            crashed(134, STEPS + timed_out(rank, 1132079), at=-5 + rank / 100, rank=where, node=f"gpu-0{rank}")
            for rank, where in enumerate(("master-0", "worker-0", "worker-1"))
        ),
        job=distributed("Failed", workers=3),
        never=("aborted", "nccl_network_error", "python_exception", "gpu_hardware_fault"),
        pair="peers-collective",
    ),
    case(
        "peers-ib-completion-status-12",
        "nccl_network_error",
        "NVIDIA/nccl#1814 and #1405: NET/IB completion with status=12 vendor err 129, then the others time out",
        crashed(
            1,
            STEPS
            + """\
llama-ft-worker-0:984:1357 [4] ib_plugin.c:1615 NCCL WARN NET/IB : Got completion from peer 172.36.143.59<44206> with status=12 opcode=129 len=65536 vendor err 129 (Recv) localGid ::ffff:29.87.88.182 remoteGids::ffff:29.87.4.221
llama-ft-worker-0:984:1357 [4] NCCL INFO transport/net.cc:1298 -> 6
llama-ft-worker-0:984:1357 [4] NCCL INFO proxy.cc:694 -> 6
llama-ft-worker-0:984:1357 [4] NCCL INFO proxy.cc:874 -> 6 [Progress Thread]
[rank1]: Traceback (most recent call last):
[rank1]:   File "/workspace/train.py", line 288, in <module>
[rank1]:     engine.step()
[rank1]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:2005, remote process exited or there was a network error, NCCL version 2.20.5
[rank1]: ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.
[rank1]: Last error:
[rank1]: NET/IB : Got completion from peer 172.36.143.59<44206> with status=12 opcode=129 len=65536 vendor err 129 (Recv)
""",
            at=-15.2,
            rank="worker-0",
            node="gpu-01",
        ),
        crashed(134, STEPS + timed_out(0, 88122, "_ALLGATHER_BASE"), at=-5.1, rank="master-0", node="gpu-00"),
        crashed(134, STEPS + timed_out(2, 88122, "_ALLGATHER_BASE"), at=-5.0, rank="worker-1", node="gpu-02"),
        job=distributed("Failed", workers=3),
        never=("nccl_timeout", "python_exception", "aborted"),
        pair="peers-collective",
    ),
    case(
        "peers-rank-2-off-the-bus",
        "gpu_hardware_fault",
        "XID 79 and 74 (NVLink) on worker-1's node; the other three time out ten minutes later",
        crashed(134, STEPS + timed_out(0, 417), at=-5.0, rank="master-0", node="gpu-00"),
        crashed(134, STEPS + timed_out(1, 417), at=-5.0, rank="worker-0", node="gpu-01"),
        crashed(
            1,
            STEPS
            + """\
[rank2]: Traceback (most recent call last):
[rank2]:   File "/workspace/train.py", line 288, in <module>
[rank2]:     torch.cuda.synchronize()
[rank2]: RuntimeError: CUDA error: uncorrectable NVLink error detected during the execution
[rank2]: CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect.
""",
            at=-15.4,
            rank="worker-1",
            node="gpu-02",
        ),
        crashed(134, STEPS + timed_out(3, 417), at=-4.9, rank="worker-2", node="gpu-03"),
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:9d:00): 74, pid='<unknown>', name=<unknown>, NVLink: fatal error detected on link 6(0x0, 0x0, 0x10000, 0x0, 0x0, 0x0, 0x0)",
                node="gpu-02",
                at=-15.6,
            ),
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:9d:00): 79, pid=118222, name=python, GPU has fallen off the bus.",
                node="gpu-02",
                at=-15.5,
            ),
        ],
        objects=[node("gpu-00"), node("gpu-01"), node("gpu-02", allocatable=7), node("gpu-03")],
        job=distributed("Failed", workers=4),
        never=("nccl_timeout", "python_exception", "nccl_network_error", "aborted"),
        consequences=("nccl_timeout",),
    ),
    case(
        "peers-mpi-worker-evicted",
        "node_memory_eviction",
        "kubeflow/mpi-operator#647 and #152: 1/8 workers are evicted; the launcher says ORTE lost a remote daemon",
        crashed(
            1,
            """
            + exec mpirun --allow-run-as-root -np 16 -bind-to none -map-by slot -x NCCL_DEBUG=WARN python train_hvd.py
            Warning: Permanently added 'llama-ft-worker-0.llama-ft,10.244.1.9' (ED25519) to the list of known hosts.
            Warning: Permanently added 'llama-ft-worker-1.llama-ft,10.244.2.4' (ED25519) to the list of known hosts.
            [1,0]<stdout>:epoch 2 step 400 loss 0.931 img/s 5120.2
            [1,0]<stdout>:epoch 2 step 410 loss 0.928 img/s 5118.7
            --------------------------------------------------------------------------
            ORTE has lost communication with a remote daemon.

              HNP daemon   : [[43015,0],0] on node llama-ft-launcher-gdqv7
              Remote daemon: [[43015,0],2] on node llama-ft-worker-1

            This is usually due to either a failure of the TCP network
            connection to the node, or possibly an internal failure of
            the daemon itself. We cannot recover from this failure, and
            therefore will terminate the job.
            --------------------------------------------------------------------------
            """,
            at=-5,
            rank="launcher-0",
            node="gpu-00",
            gpus=0,
        ),
        pod(
            container(running(-50), command=("/usr/sbin/sshd", "-De"), log="Server listening on 0.0.0.0 port 22.\n"),
            rank="worker-0",
            node="gpu-01",
        ),
        pod(
            rank="worker-1",
            node="gpu-02",
            phase="Failed",
            reason="Evicted",
            message="The node was low on resource: memory. Threshold quantity: 100Mi, available: 61732Ki. Container main was using 471122Ki, request is 0, has larger consumption of memory. ",
            events=[
                event(
                    "Evicted",
                    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 61732Ki. Container main was using 471122Ki, request is 0, has larger consumption of memory. ",
                    at=-5.4,
                )
            ],
        ),
        events=[on_owner("MPIJobEvicted", "1/2 workers are evicted", owner="MPIJob", at=-4.8)],
        job=distributed("Failed", workers=2, framework="MPI", running=1),
        never=("nccl_network_error", "container_oom", "application_error", "node_lost"),
    ),
    case(
        "peers-torchrun-one-rank-no-shard",
        "missing_file",
        "torchelastic issues: one rank's FileNotFoundError; the peer's store is reset and its launcher prints a summary too",
        crashed(
            1,
            """
            W0301 02:41:02.118000 140312 torch/distributed/run.py:793] *****************************************
            W0301 02:41:02.118000 140312 torch/distributed/run.py:793] Setting OMP_NUM_THREADS environment variable for each process to be 1 in default, to avoid your system being overloaded, please further tune the variable for optimal performance in your application as needed.
            [rank11]: Traceback (most recent call last):
            [rank11]:   File "/workspace/pretrain.py", line 97, in <module>
            [rank11]:     main(cfg)
            [rank11]:   File "/workspace/data/mmap.py", line 41, in __init__
            [rank11]:     self._bin = np.memmap(path, mode="r", order="C")
            [rank11]:   File "/opt/conda/lib/python3.11/site-packages/numpy/core/memmap.py", line 229, in __new__
            [rank11]:     f_ctx = open(os_fspath(filename), ('r' if mode == 'c' else mode)+'b')
            [rank11]: FileNotFoundError: [Errno 2] No such file or directory: '/data/tokens/shard_011.bin'
            W0301 02:54:40.554000 140312 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 140401 closing signal SIGTERM
            E0301 02:54:41.018000 140312 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1) local_rank: 3 (pid: 140404) of binary: /opt/conda/bin/python
            Traceback (most recent call last):
              File "/opt/conda/bin/torchrun", line 8, in <module>
                sys.exit(main())
              File "/opt/conda/lib/python3.11/site-packages/torch/distributed/launcher/api.py", line 264, in launch_agent
                raise ChildFailedError(
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            ============================================================
            pretrain.py FAILED
            ------------------------------------------------------------
            Root Cause (first observed failure):
            [0]:
              time      : 2026-03-01_02:54:40
              host      : llama-ft-worker-0
              rank      : 11 (local_rank: 3)
              exitcode  : 1 (pid: 140404)
              error_file: <N/A>
              traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
            ============================================================
            """,
            at=-5.3,
            rank="worker-0",
            node="gpu-01",
        ),
        crashed(
            1,
            """
            [rank0]:[W301 02:54:41.771 TCPStore.cpp:125] [c10d] recvValue failed on SocketImpl(fd=97, addr=[llama-ft-master-0]:40532): Connection reset by peer
            [rank0]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:2005, remote process exited or there was a network error, NCCL version 2.21.5
            [rank0]: ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.
            [rank0]: Last error:
            [rank0]: socketProgress: Connection closed by remote peer llama-ft-worker-0<39112>
            E0301 02:54:43.018000 99121 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1) local_rank: 0 (pid: 99188) of binary: /opt/conda/bin/python
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            Root Cause (first observed failure):
            [0]:
              time      : 2026-03-01_02:54:43
              host      : llama-ft-master-0
              rank      : 0 (local_rank: 0)
              exitcode  : 1 (pid: 99188)
            """,
            at=-5.1,
            rank="master-0",
            node="gpu-00",
        ),
        job=distributed("Failed", workers=2),
        never=("nccl_network_error", "python_exception", "bad_command"),
    ),
]

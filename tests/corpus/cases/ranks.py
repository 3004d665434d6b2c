"""Distributed jobs: the rank that failed first, and the loud ones that waited for it."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import (
    Json,
    PodWire,
    container,
    crashed,
    distributed,
    ended,
    event,
    node,
    on_node,
    oom_killed,
    pod,
    running,
)

RANKS = ("master-0", "worker-0", "worker-1", "worker-2")


def watchdog(rank: int, *, seconds: int = 600) -> str:
    """What a rank prints when a collective does not end (PyTorch 2.3 to 2.7)."""
    work = (
        f"WorkNCCL(SeqNum=1580, OpType=ALLREDUCE, NumelIn=466119168, NumelOut=466119168, Timeout(ms)={seconds * 1000}) "
        f"ran for {seconds * 1000 + 60} milliseconds before timing out."
    )
    return "\n".join(
        [
            "step 1579 loss 1.93",
            f"[rank{rank}]:[E301 02:54:08.408271257 ProcessGroupNCCL.cpp:616] [Rank {rank}] Watchdog caught collective operation timeout: {work}",
            f"[rank{rank}]:[E301 02:54:08.465150152 ProcessGroupNCCL.cpp:1785] [PG ID 0 PG GUID 0(default_pg) Rank {rank}] Exception (either an error or timeout) detected by watchdog at work: 1580, last enqueued NCCL work: 1582, last completed NCCL work: 1579.",
            f"[rank{rank}]:[E301 02:54:08.865680143 ProcessGroupNCCL.cpp:630] [Rank {rank}] Some NCCL operations have failed or timed out. Due to the asynchronous nature of CUDA kernels, subsequent GPU operations might run on corrupted/incomplete data.",
            f"[rank{rank}]:[E301 02:54:08.865763562 ProcessGroupNCCL.cpp:636] [Rank {rank}] To avoid data inconsistency, we are taking the entire process down.",
            "terminate called after throwing an instance of 'c10::DistBackendError'",
            f"  what():  [PG ID 0 PG GUID 0(default_pg) Rank {rank}] Process group watchdog thread terminated with exception: [Rank {rank}] Watchdog caught collective operation timeout: {work}",
            "",
        ]
    )


def closed(rank: int) -> str:
    """What a rank prints when a peer goes away."""
    return "\n".join(
        [
            "step 1579 loss 1.93",
            f"llama-ft-{RANKS[rank]}:61:402 [0] socket.cc:484 NCCL WARN socketProgress: Connection closed by remote peer llama-ft-worker-2.llama-ft.runai-vision.svc<43210>",
            f"llama-ft-{RANKS[rank]}:61:402 [0] NCCL INFO misc/socket.cc:826 -> 6",
            f"[rank{rank}]: Traceback (most recent call last):",
            f'[rank{rank}]:   File "/workspace/train.py", line 210, in <module>',
            f"[rank{rank}]:     loss.backward()",
            f"[rank{rank}]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1691, remote process exited or there was a network error, NCCL version 2.20.5",
            f"[rank{rank}]: ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.",
            f"[rank{rank}]: Last error:",
            f"[rank{rank}]: socketProgress: Connection closed by remote peer llama-ft-worker-2<43210>",
            "",
        ]
    )


def timed_out(rank: int, *, at: float = -5) -> PodWire:
    return crashed(134, watchdog(rank), at=at, rank=RANKS[rank], node=f"gpu-{rank:02}")


def lost_a_peer(rank: int, *, at: float = -5) -> PodWire:
    return crashed(1, closed(rank), at=at, rank=RANKS[rank], node=f"gpu-{rank:02}")


FOUR: Json = distributed("Failed", workers=4)

CASES = [
    # --- the first, not the loudest ----------------------------------------------------------------------------------
    case(
        "ranks-oom-then-timeouts",
        "container_oom",
        "worker-2 was OOMKilled ten minutes before three ranks timed out waiting for it (causes.md's own example)",
        timed_out(0),
        timed_out(1),
        timed_out(2),
        pod(container(oom_killed(at=-15.1), log="step 1579 loss 1.93\n"), rank="worker-2", node="gpu-03"),
        job=FOUR,
        never=("nccl_timeout", "aborted"),
        consequences=("nccl_timeout",),
        pair="ranks",
    ),
    case(
        "ranks-exception-then-closed",
        "python_exception",
        "worker-1 failed on its own data; the others only lost their peer",
        lost_a_peer(0, at=-4.9),
        lost_a_peer(1, at=-4.9),
        crashed(
            1,
            """
            [rank2]: Traceback (most recent call last):
            [rank2]:   File "/workspace/train.py", line 188, in <module>
            [rank2]:     batch = collate(samples)
            [rank2]:   File "/workspace/data.py", line 52, in collate
            [rank2]:     raise ValueError(f"sample {i} has no labels")
            [rank2]: ValueError: sample 81213 has no labels
            """,
            at=-5.1,
            rank="worker-1",
            node="gpu-02",
        ),
        lost_a_peer(3, at=-4.9),
        job=FOUR,
        never=("nccl_network_error", "nccl_timeout"),
        consequences=("nccl_network_error",),
        pair="ranks",
    ),
    case(
        "ranks-xid-then-timeouts",
        "gpu_hardware_fault",
        "the GPU of worker-2's node fell off the bus eleven minutes before all ranks timed out, itself included",
        timed_out(0),
        timed_out(1),
        timed_out(2),
        crashed(134, watchdog(3), rank="worker-2", node="gpu-03"),
        job=FOUR,
        events=[
            on_node(
                "XIDError",
                "NVRM: Xid (PCI:0000:cb:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
                node="gpu-03",
                at=-15.6,
            )
        ],
        objects=[node("gpu-03", allocatable=7)],
        never=("nccl_timeout",),
        consequences=("nccl_timeout",),
        pair="ranks",
    ),
    case(
        "ranks-node-lost",
        "node_lost",
        "the node of worker-2 disappeared; the ranks that are left lost their peer",
        lost_a_peer(0),
        lost_a_peer(1),
        lost_a_peer(2),
        pod(
            container(running(-50)),
            rank="worker-2",
            node="gpu-03",
            phase="Failed",
            reason="NodeLost",
            message="Node gpu-03 which was running pod llama-ft-worker-2 is unresponsive",
            conditions=[
                {
                    "type": "DisruptionTarget",
                    "status": "True",
                    "reason": "DeletionByTaintManager",
                    "message": "Taint manager: deleting due to NoExecute taint",
                }
            ],
        ),
        job=FOUR,
        objects=[node("gpu-03", ready="Unknown", taints=[("node.kubernetes.io/unreachable", "NoExecute")], since=-12)],
        never=("nccl_network_error", "nccl_timeout"),
        consequences=("nccl_network_error",),
        pair="ranks",
    ),
    case(
        "ranks-cuda-oom-on-one",
        "cuda_oom",
        "rank 3 has a longer sequence and ran out of GPU memory; the launcher killed the rest with SIGTERM",
        crashed(
            1,
            """
            [rank3]: Traceback (most recent call last):
            [rank3]:   File "/workspace/train.py", line 120, in <module>
            [rank3]:     loss.backward()
            [rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 8.00 GiB. GPU 3 has a total capacity of 79.11 GiB of which 3.19 GiB is free.
            W0301 02:54:58.113 47 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 102 closing signal SIGTERM
            E0301 02:54:59.902 47 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1) local_rank: 3 (pid: 106) of binary: /usr/bin/python
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            Root Cause (first observed failure):
              rank      : 3 (local_rank: 3)
              exitcode  : 1 (pid: 106)
            """,
            at=-5.2,
            rank="master-0",
            node="gpu-00",
        ),
        crashed(143, "step 1579 loss 1.93\n", at=-5.0, rank="worker-0", node="gpu-01"),
        job=distributed("Failed", workers=2),
        never=("killed_by_signal", "python_exception"),
    ),
    case(
        "ranks-master-retries-while-worker-has-no-image",
        "image_not_found",
        "the master waits for a worker that cannot start; its rendezvous timeout is the consequence",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/usr/local/lib/python3.10/dist-packages/torch/distributed/elastic/rendezvous/dynamic_rendezvous.py", line 1124, in next_rendezvous
                raise RendezvousTimeoutError()
            torch.distributed.elastic.rendezvous.api.RendezvousTimeoutError
            """,
            at=-5,
            rank="master-0",
            node="gpu-00",
        ),
        pod(
            container(
                {
                    "waiting": {
                        "reason": "ImagePullBackOff",
                        "message": 'Back-off pulling image "nvcr.io/nvidia/pytorch:24.55-py3"',
                    }
                },
                image="nvcr.io/nvidia/pytorch:24.55-py3",
            ),
            rank="worker-0",
            node="gpu-01",
            events=[
                event(
                    "Failed",
                    'Failed to pull image "nvcr.io/nvidia/pytorch:24.55-py3": rpc error: code = NotFound desc = failed to pull and '
                    'unpack image "nvcr.io/nvidia/pytorch:24.55-py3": failed to resolve reference "nvcr.io/nvidia/pytorch:24.55-py3": '
                    "nvcr.io/nvidia/pytorch:24.55-py3: not found",
                    at=-40,
                    count=4,
                )
            ],
        ),
        job=distributed("Failed", workers=2),
        never=("python_exception", "nccl_timeout", "connection_timeout"),
    ),
    case(
        "ranks-two-of-four-preempted",
        "preempted",
        "the scheduler took back two workers; the others timed out without them",
        timed_out(0),
        timed_out(1),
        pod(container(ended(143, at=-16)), rank="worker-1", node="gpu-02", gone=True),
        pod(container(ended(143, at=-16)), rank="worker-2", node="gpu-03", gone=True),
        job=distributed("Pending", workers=4, since=-4),
        events=[
            event(
                "Evict",
                "Pod runai-vision/llama-ft-worker-1 was preempted by higher priority workload runai-vision/prod-serving",
                kind="Normal",
                source="runai-scheduler",
                at=-16,
                on=("PodGroup", "pg-llama-ft"),
            )
        ],
        never=("nccl_timeout", "killed_by_signal"),
        consequences=("nccl_timeout",),
        pair="exit-143",
    ),
    # --- nccl_timeout ------------------------------------------------------------------------------------------------
    case(
        "nccl-timeout-all-ranks",
        "nccl_timeout",
        "all ranks timed out in the same collective and none shows a failure of its own",
        timed_out(0),
        timed_out(1),
        timed_out(2),
        timed_out(3),
        job=FOUR,
        never=("aborted", "nccl_network_error"),
        pair="ranks",
    ),
    case(
        "nccl-timeout-pytorch-1",
        "nccl_timeout",
        "the words of PyTorch 1.13 in one container with eight ranks",
        crashed(
            1,
            """
            [E ProcessGroupNCCL.cpp:821] [Rank 5] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=96120, OpType=ALLREDUCE, Timeout(ms)=1800000) ran for 1800487 milliseconds before timing out.
            [E ProcessGroupNCCL.cpp:456] Some NCCL operations have failed or timed out. Due to the asynchronous nature of CUDA kernels, subsequent GPU operations might run on corrupted/incomplete data.
            [E ProcessGroupNCCL.cpp:461] To avoid data inconsistency, we are taking the entire process down.
            terminate called after throwing an instance of 'std::runtime_error'
              what():  [Rank 5] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=96120, OpType=ALLREDUCE, Timeout(ms)=1800000) ran for 1800487 milliseconds before timing out.
            ERROR:torch.distributed.elastic.multiprocessing.api:failed (exitcode: -6) local_rank: 5 (pid: 108) of binary: /opt/conda/bin/python
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
              exitcode  : -6 (pid: 108)
              traceback : Signal 6 (SIGABRT) received by PID 108
            """,
            gpus=8,
        ),
        never=("aborted",),
        pair="exit-134",
    ),
    case(
        "nccl-timeout-silent-rank",
        "nccl_timeout",
        "worker-2 still runs and prints nothing: it hangs, but shows no failure of its own",
        timed_out(0),
        timed_out(1),
        timed_out(2),
        pod(container(running(-55), log="step 1579 loss 1.93\n"), rank="worker-2", node="gpu-03"),
        job=FOUR,
    ),
    # --- nccl_network_error ------------------------------------------------------------------------------------------
    case(
        "nccl-infiniband-12",
        "nccl_network_error",
        "IB completion status 12 (transport retry counter exceeded), vendor error 129: the fabric",
        crashed(
            1,
            """
            llama-ft-worker-0:3468:3905 [4] transport/net_ib.cc:1295 NCCL WARN NET/IB : Got completion from peer 10.216.210.236<54862> with status=12 opcode=0 len=0 vendor err 129 (Recv) localGid fd00:1148::ff22 remoteGids fd00:1148::ff1f
            llama-ft-worker-0:3468:3905 [4] NCCL INFO transport/net.cc:1302 -> 6
            [rank12]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1691, remote process exited or there was a network error, NCCL version 2.20.5
            [rank12]: ncclRemoteError: A call failed possibly due to a network error or a remote process exiting prematurely.
            """,
            rank="worker-0",
            node="gpu-01",
        ),
        crashed(134, watchdog(0), at=-4, rank="master-0", node="gpu-00"),
        job=distributed("Failed", workers=2),
        never=("nccl_timeout", "python_exception"),
        consequences=("nccl_timeout",),
        pair="ranks",
    ),
    case(
        "nccl-modify-qp",
        "nccl_network_error",
        "ibv_modify_qp timed out while connecting: routing between the ranks",
        crashed(
            1,
            """
            llama-ft-master-0:52:311 [0] misc/ibvwrap.cc:262 NCCL WARN Call to ibv_modify_qp failed with error Connection timed out errno 110
            llama-ft-master-0:52:311 [0] NCCL INFO transport/net_ib.cc:1024 -> 2
            torch.distributed.DistBackendError: NCCL error in: /opt/pytorch/torch/csrc/distributed/c10d/NCCLUtils.cpp:77, unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.21.5
            ncclSystemError: System call (e.g. socket, malloc) or external library call failed or device error.
            Last error:
            Call to ibv_modify_qp failed with error Connection timed out errno 110
            """,
            rank="master-0",
        ),
        job=distributed("Failed", workers=2),
        never=("connection_timeout", "python_exception"),
        pair="timeouts",
    ),
    case(
        "nccl-no-route",
        "nccl_network_error",
        "NCCL cannot connect to its peer: a socket failure between ranks, not an outside service",
        crashed(
            1,
            """
            llama-ft-master-0:52:311 [0] misc/socket.cc:493 NCCL WARN socketStartConnect: Connect to 192.168.122.1<41011> failed : No route to host
            [rank0]: torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:2006, unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.20.5
            [rank0]: ncclSystemError: System call (e.g. socket, malloc) or external library call failed or device error.
            """,
            rank="master-0",
        ),
        job=distributed("Failed", workers=2),
        never=("connection_refused", "connection_timeout"),
        pair="refused",
    ),
    case(
        "ranks-store-refused-because-master-died",
        "missing_module",
        "the workers cannot reach the master's store because the master died on an import",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 4, in <module>
                import apex
            ModuleNotFoundError: No module named 'apex'
            """,
            at=-15,
            rank="master-0",
            node="gpu-00",
        ),
        crashed(
            1,
            """
            [W301 02:53:11.112312 socket.cpp:697] [c10d] The client socket has failed to connect to [llama-ft-master-0]:23456 (errno: 111 - Connection refused).
            Traceback (most recent call last):
              File "/workspace/train.py", line 18, in <module>
                dist.init_process_group("nccl")
            torch.distributed.DistNetworkError: The client socket has timed out after 600000ms while trying to connect to (llama-ft-master-0, 23456).
            """,
            at=-5,
            rank="worker-0",
            node="gpu-01",
        ),
        job=distributed("Failed", workers=2),
        never=("connection_refused", "connection_timeout", "nccl_network_error"),
        pair="refused",
    ),
]

"""The program's own exceptions: whole incidents by the second of two authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import LabelledCase, case
from tests.corpus.cases.judged_outside import fail
from tests.corpus.wire import crashed, distributed

CASES: list[LabelledCase] = [
    # --- logs: the program's own exceptions ---------------------------------------------------------------------------
    fail(
        "judged-too-many-open-files",
        "python_exception",
        "caduceus#58, Lite-Mono#59: OSError Errno 24; no more specific cause in the catalogue",
        r"""
        Epoch 2:  14%|█▍        | 412/2931 [05:11<31:44,  1.32it/s, v_num=3, train_loss=0.91]
        Error executing job with overrides: ['dataset=hg38', 'dataset.num_workers=64']
        Traceback (most recent call last):
          File "/workspace/caduceus/train.py", line 719, in <module>
            main()
          File "/opt/conda/lib/python3.8/site-packages/torch/utils/data/dataloader.py", line 1040, in __init__
            w.start()
          File "/opt/conda/lib/python3.8/multiprocessing/popen_fork.py", line 68, in _launch
            parent_r, child_w = os.pipe()
        OSError: [Errno 24] Too many open files

        Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
        """,
        never=("shm_exhausted", "disk_full", "missing_file"),
    ),
    fail(
        "judged-address-in-use",
        "python_exception",
        "pytorch issues: EADDRINUSE of the TCPStore is not EACCES; an uncaught exception",
        r"""
        W0301 02:30:00.100 1 torch/distributed/run.py:793] Setting OMP_NUM_THREADS environment variable for each process to be 1 in default
        [W301 02:30:01.001 socket.cpp:464] [c10d] The server socket has failed to bind to [::]:29500 (errno: 98 - Address already in use).
        [W301 02:30:01.001 socket.cpp:464] [c10d] The server socket has failed to bind to ?UNKNOWN? (errno: 98 - Address already in use).
        [E301 02:30:01.001 socket.cpp:500] [c10d] The server socket has failed to listen on any local network address.
        Traceback (most recent call last):
          File "/usr/local/bin/torchrun", line 8, in <module>
            sys.exit(main())
          File "/usr/local/lib/python3.10/dist-packages/torch/distributed/elastic/agent/server/api.py", line 525, in _rendezvous
            spec.rdzv_handler.next_rendezvous()
          File "/usr/local/lib/python3.10/dist-packages/torch/distributed/elastic/rendezvous/static_tcp_rendezvous.py", line 67, in next_rendezvous
            self._store = TCPStore(  # type: ignore[call-arg]
        torch.distributed.DistNetworkError: The server socket has failed to listen on any local network address. port: 29500, useIpv6: false, code: -98, name: EADDRINUSE, message: address already in use
        """,
        never=("permission_denied", "nccl_network_error", "connection_refused"),
    ),
    fail(
        "judged-megatron-metadata-index",
        "python_exception",
        "NVIDIA-NeMo/Speech#14851: KeyError MetadataIndex loading a distributed checkpoint",
        r"""
        [NeMo I 2026-03-01 02:49:26 nemo_logging:393] Doing selective restore from RestoreConfig(path='/ckpt/llama3-8b', load_model_state=True)
        [NeMo I 2026-03-01 02:49:26 nemo_logging:393] Using <megatron.core.dist_checkpointing.strategies.fully_parallel.FullyParallelLoadStrategyWrapper object at 0x7f> dist-ckpt load strategy.
        [rank0]: Traceback (most recent call last):
        [rank0]:   File "/workspace/sft.py", line 98, in <module>
        [rank0]:     llm.finetune(model=model, data=data, trainer=trainer, resume=resume)
        [rank0]:   File "/opt/megatron-lm/megatron/core/dist_checkpointing/strategies/torch.py", line 524, in create_local_plan
        [rank0]:     local_plan = super().create_local_plan()
        [rank0]:   File "/usr/local/lib/python3.12/dist-packages/torch/distributed/checkpoint/planner_helpers.py", line 321, in _create_read_items
        [rank0]:     raise CheckpointException(step, node_failures)
        [rank0]: KeyError: MetadataIndex(fqn='module.decoder.layers.self_attention.linear_qkv.layer_norm_weight', offset=torch.Size([2, 0]), index=24)
        [rank0]:[W301 02:49:58.771 ProcessGroupNCCL.cpp:1496] Warning: WARNING: destroy_process_group() was not called before program exit, which can leak resources.
        """,
        never=("missing_file", "missing_config_key", "invalid_arguments"),
    ),
    fail(
        "judged-safetensors-incomplete",
        "python_exception",
        "transformers issues: SafetensorError MetadataIncompleteBuffer of a truncated shard, reported through rich",
        r"""
        Loading checkpoint shards:  40%|████      | 2/5 [00:21<00:31, 10.61s/it]
        ╭─────────────────────────────── Traceback (most recent call last) ────────────────────────────────╮
        │ /workspace/serve.py:17 in <module>                                                               │
        │                                                                                                  │
        │   16 if __name__ == "__main__":                                                                  │
        │ ❱ 17     app(load("/models/mixtral"))                                                            │
        │                                                                                                  │
        │ /usr/local/lib/python3.10/dist-packages/transformers/modeling_utils.py:508 in load_state_dict    │
        │                                                                                                  │
        │ ❱  508         with safe_open(checkpoint_file, framework="pt") as f:                             │
        ╰──────────────────────────────────────────────────────────────────────────────────────────────────╯
        SafetensorError: Error while deserializing header: MetadataIncompleteBuffer
        """,
        never=("missing_file", "cuda_oom"),
    ),
    fail(
        "judged-fairseq-loss-scale",
        "training_diverged",
        "fairseq issues: FloatingPointError Minimum loss scale reached, your loss is probably exploding",
        r"""
        2026-03-01 02:31:10 | INFO | train_inner | epoch 004:    812 / 9210 loss=7.812, ppl=224.7, wps=41002, lr=0.0005, gnorm=812.4, loss_scale=0.0625
        2026-03-01 02:31:12 | INFO | fairseq.trainer | NOTE: gradient overflow detected, ignoring gradient, setting loss scale to: 0.0009765625
        2026-03-01 02:31:13 | INFO | fairseq.trainer | NOTE: gradient overflow detected, ignoring gradient, setting loss scale to: 0.0001220703125
        Traceback (most recent call last):
          File "/opt/conda/bin/fairseq-train", line 8, in <module>
            sys.exit(cli_main())
          File "/opt/conda/lib/python3.8/site-packages/fairseq/optim/fp16_optimizer.py", line 195, in clip_grad_norm
            self.scaler.check_overflow(grad_norm)
          File "/opt/conda/lib/python3.8/site-packages/fairseq/optim/dynamic_loss_scaler.py", line 61, in check_overflow
            raise FloatingPointError(
        FloatingPointError: Minimum loss scale reached (0.0001). Your loss is probably exploding. Try lowering the learning rate, using gradient clipping or increasing the batch size.
        """,
        never=("python_exception",),
    ),
    fail(
        "judged-mae-loss-nan",
        "training_diverged",
        "facebookresearch/mae engine: prints 'Loss is nan, stopping training' and sys.exit(1); no traceback",
        r"""
        | distributed init (rank 0): env://, gpu 0
        Epoch: [12]  [ 880/1251]  eta: 0:03:20  lr: 0.000150  loss: 0.4310 (0.4402)  time: 0.5311  data: 0.0003  max mem: 41200
        Epoch: [12]  [ 900/1251]  eta: 0:03:09  lr: 0.000150  loss: 0.9731 (0.4511)  time: 0.5309  data: 0.0003  max mem: 41200
        Loss is nan, stopping training
        """,
        never=("insufficient_evidence", "application_error"),
    ),
    case(
        "judged-jax-barrier-peer-missing-module",
        "missing_module",
        "gpu-recipes#2 / jax docs: task 1 died on its import before registering, the coordinator waits and ends on the barrier",
        crashed(
            1,
            r"""
            I0301 02:51:01.004 1 distributed.py:119] Starting JAX distributed service on [::]:1234
            I0301 02:51:01.010 1 distributed.py:135] Connecting to JAX distributed service on llama-ft-master-0:1234
            E0301 02:56:01.217 88 coordination_service.cc:1271] Stopping coordination service as cluster registration failed. This may be due to 1) some tasks crashed earlier before connecting, 2) some tasks were never scheduled, or 3) scheduling delays.

            Original error: DEADLINE_EXCEEDED: Barrier timed out. Id: [Init]Wait_for_all_tasks_to_register::0. This usually happens because a task triggered the barrier too early or too slowly. Please look at the task logs (both timed out and first task) to debug further.
            # of tasks that reached the barrier: 1/2.
            Traceback (most recent call last):
              File "/workspace/train.py", line 12, in <module>
                jax.distributed.initialize()
            jaxlib.xla_extension.XlaRuntimeError: DEADLINE_EXCEEDED: Barrier timed out. Id: [Init]Wait_for_all_tasks_to_register::0.
            """,
            rank="master-0",
            node="gpu-00",
            at=-4,
        ),
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 5, in <module>
                import orbax.checkpoint as ocp
            ModuleNotFoundError: No module named 'orbax'
            """,
            rank="worker-0",
            node="gpu-01",
            at=-9,
        ),
        job=distributed("Failed", workers=2, framework="Jax"),
        never=("nccl_timeout", "python_exception", "connection_timeout"),
        pair="judged-ranks",
    ),
]

"""Disks, shared memory and permissions in the words of many programs, by authors who had not seen the rules."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import JOB, container, crashed, distributed, ended, event, job, looping, on_owner, pod

CASES = [
    # --- process: disk, shm, permissions -------------------------------------------------------------------------------
    case(
        "held-safetensors-storage-full",
        "disk_full",
        "bghira/SimpleTuner 2353 and hiyouga/LlamaFactory 5155: the last checkpoint found no space",
        crashed(
            1,
            """
            [INFO|trainer.py:3503] 2026-03-01 02:38:51,002 >> Saving model checkpoint to /out/qwen2-7b/lora/checkpoint-2000
            [INFO|configuration_utils.py:472] 2026-03-01 02:38:51,114 >> Configuration saved in /out/qwen2-7b/lora/checkpoint-2000/config.json
             17%|█▋        | 2000/11871 [1:17:51<6:57:03,  2.54s/it]Traceback (most recent call last):
              File "/workspace/train.py", line 203, in <module>
                trainer.train()
              File "/opt/venv/lib/python3.12/site-packages/transformers/trainer.py", line 3650, in _save
                self.model.save_pretrained(
              File "/opt/venv/lib/python3.12/site-packages/transformers/modeling_utils.py", line 2793, in save_pretrained
                safe_save_file(shard, os.path.join(save_directory, shard_file), metadata={"format": "pt"})
              File "/opt/venv/lib/python3.12/site-packages/safetensors/torch.py", line 307, in save_file
                serialize_file(_flatten(tensors), filename, metadata=metadata)
            safetensors_rust.SafetensorError: Error while serializing: I/O error: No space left on device (os error 28)
            wandb: WARNING Run abandoned, syncing what is left
            wandb: View run lora-2 at: https://wandb.example.com/ml/qwen/runs/7hx2
            """,
        ),
        never=("python_exception", "shm_exhausted", "ephemeral_storage_exceeded"),
        pair="held-enospc",
    ),
    case(
        "held-torch-save-stream-writer",
        "disk_full",
        "pytorch issues on 'PytorchStreamWriter failed writing file': OSError 28 is the first exception, the enforce failure follows while handling it",
        crashed(
            1,
            """
            iter 12000: loss 3.0191, time 412.55ms, mfu 38.10%
            saving checkpoint to /mnt/out/ckpt-12000.pt
            Traceback (most recent call last):
              File "/opt/conda/lib/python3.11/site-packages/torch/serialization.py", line 652, in save
                _save(obj, opened_zipfile, pickle_module, pickle_protocol, _disable_byteorder_record)
              File "/opt/conda/lib/python3.11/site-packages/torch/serialization.py", line 886, in _save
                zip_file.write_record(name, storage, num_bytes)
            OSError: [Errno 28] No space left on device

            During handling of the above exception, another exception occurred:

            Traceback (most recent call last):
              File "/workspace/nanogpt/train.py", line 288, in <module>
                torch.save(checkpoint, os.path.join(out_dir, f'ckpt-{iter_num}.pt'))
              File "/opt/conda/lib/python3.11/site-packages/torch/serialization.py", line 651, in save
                with _open_zipfile_writer(f) as opened_zipfile:
              File "/opt/conda/lib/python3.11/site-packages/torch/serialization.py", line 499, in __exit__
                self.file_like.write_end_of_file()
            RuntimeError: [enforce fail at inline_container.cc:603] . unexpected pos 1073741888 vs 1073741780
            """,
        ),
        never=("python_exception",),
    ),
    case(
        "held-go-no-space-json",
        "disk_full",
        "zap JSON of a Go data mover; the last fatal line is ENOSPC on a mounted scratch volume",
        crashed(
            1,
            """
            {"level":"info","ts":"2026-03-01T02:40:11.203Z","caller":"copy/plan.go:88","msg":"plan ready","objects":18233,"bytes":2301238812332}
            {"level":"info","ts":"2026-03-01T02:44:51.900Z","caller":"copy/worker.go:52","msg":"progress","done":6120}
            {"level":"warn","ts":"2026-03-01T02:48:03.411Z","caller":"copy/retry.go:31","msg":"get object failed, retrying","attempt":1,"error":"read tcp 10.244.3.9:51122->10.20.0.4:9000: read: connection reset by peer"}
            {"level":"info","ts":"2026-03-01T02:48:05.020Z","caller":"copy/retry.go:44","msg":"retry succeeded","attempt":2}
            {"level":"fatal","ts":"2026-03-01T02:54:39.554Z","caller":"cmd/root.go:71","msg":"copy failed","error":"write /scratch/imagenet/train-00618.tar: no space left on device","stacktrace":"main.run\\n\\t/src/cmd/root.go:71\\nmain.main\\n\\t/src/main.go:12"}
            """,
            gpus=0,
            image="registry.example.com/data-mover:2.8",
        ),
        never=("application_error", "connection_refused"),
    ),
    case(
        "held-dataloader-bus-error",
        "shm_exhausted",
        "pytorch 5040: DataLoader worker killed by Bus error, /dev/shm of 64 MB",
        crashed(
            1,
            """
            => creating model 'resnet50'
            Epoch: [0][   0/1252]\tTime 14.021 (14.021)\tData 11.310 (11.310)\tLoss 6.9921e+00
            Epoch: [0][  10/1252]\tTime  0.801 ( 2.007)\tData  0.000 ( 1.029)\tLoss 6.9871e+00
            ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).
            ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).
            Traceback (most recent call last):
              File "/usr/local/lib/python3.10/dist-packages/torch/utils/data/dataloader.py", line 1133, in _try_get_data
                data = self._data_queue.get(timeout=timeout)
              File "/usr/lib/python3.10/multiprocessing/connection.py", line 257, in poll
                return self._poll(timeout)
              File "/usr/local/lib/python3.10/dist-packages/torch/utils/data/_utils/signal_handling.py", line 66, in handler
                _error_if_any_worker_fails()
            RuntimeError: DataLoader worker (pid 2991) is killed by signal: Bus error. It is possible that dataloader's workers are out of shared memory. Please try to raise your shared memory limit.

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "/workspace/main.py", line 516, in <module>
                main()
            RuntimeError: DataLoader worker (pid(s) 2991, 2994) exited unexpectedly
            """,
        ),
        never=("python_exception", "segfault", "container_oom"),
    ),
    case(
        "held-nccl-posix-fallocate-shm",
        "shm_exhausted",
        "NVIDIA/nccl 525 (Kubeflow) and pytorch/ci-infra 490: 'No space left on device' is of /dev/shm, and NCCL's 'unhandled system error' only follows",
        crashed(
            1,
            """
            llama-ft-0-0:97:176 [0] NCCL INFO Channel 00 : 0[100000] -> 1[200000] via SHM/direct/direct
            llama-ft-0-0:98:177 [1] NCCL INFO Channel 00 : 1[200000] -> 0[100000] via SHM/direct/direct

            llama-ft-0-0:97:176 [0] misc/shmutils.cc:72 NCCL WARN Error: failed to extend /dev/shm/nccl-WU88OE to 9637892 bytes, error: No space left on device (28)

            llama-ft-0-0:97:176 [0] misc/shmutils.cc:113 NCCL WARN Error while creating shared memory segment /dev/shm/nccl-WU88OE (size 9637888), error: No space left on device (28)
            llama-ft-0-0:97:176 [0] NCCL INFO transport/shm.cc:114 -> 2
            llama-ft-0-0:97:176 [0] NCCL INFO transport.cc:33 -> 2
            llama-ft-0-0:97:176 [0] NCCL INFO group.cc:65 -> 2 [Async thread]
            Traceback (most recent call last):
              File "/workspace/run_layoutlm.py", line 301, in <module>
                main()
              File "/workspace/run_layoutlm.py", line 118, in main
                torch.distributed.barrier()
            torch.distributed.DistBackendError: NCCL error in: ../torch/csrc/distributed/c10d/ProcessGroupNCCL.cpp:1691, unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.19.3
            ncclSystemError: System call (e.g. socket, malloc) or external library call failed or device error.
            Last error:
            Error while creating shared memory segment /dev/shm/nccl-WU88OE (size 9637888)
            """,
            gpus=2,
        ),
        never=("disk_full", "nccl_network_error", "nccl_timeout"),
        pair="held-enospc",
    ),
    case(
        "held-hf-cache-permission",
        "permission_denied",
        "huggingface/transformers issues: non-root uid writes to a cache owned by root; EACCES is the end, the hub itself answered",
        crashed(
            1,
            """
            There was a problem when trying to write in your cache folder (/.cache/huggingface/hub). You should set the environment variable TRANSFORMERS_CACHE to a writable directory.
            config.json: 100%|██████████| 658/658 [00:00<00:00, 4.11MB/s]
            Traceback (most recent call last):
              File "/app/embed.py", line 19, in <module>
                ds = load_dataset("wikimedia/wikipedia", "20231101.en", split="train")
              File "/usr/local/lib/python3.11/site-packages/datasets/load.py", line 2556, in load_dataset
                builder_instance = load_dataset_builder(
              File "/usr/local/lib/python3.11/site-packages/datasets/builder.py", line 385, in __init__
                os.makedirs(self._cache_dir_root, exist_ok=True)
              File "<frozen os>", line 215, in makedirs
              File "<frozen os>", line 225, in makedirs
            PermissionError: [Errno 13] Permission denied: '/.cache/huggingface/datasets'
            """,
        ),
        never=("credential_rejected", "python_exception", "read_only_filesystem"),
    ),
    case(
        "held-go-bind-privileged-port",
        "permission_denied",
        "klog-style Go server: EACCES on binding :443 as non-root (kubernetes issues of many controllers)",
        looping(
            1,
            """
            I0301 02:57:40.104411       1 main.go:77] "Starting inference gateway" version="v0.5.1"
            I0301 02:57:40.104590       1 config.go:120] "Loaded routes" count=14
            W0301 02:57:40.105001       1 tls.go:39] "Client CA not set, mTLS disabled"
            E0301 02:57:40.105733       1 main.go:140] "Failed to run server" err="listen tcp 0.0.0.0:443: bind: permission denied"
            """,
            gpus=0,
        ),
        job=job("Degraded", since=-12, created=-20, kind="Inference"),
        never=("application_error", "tls_error", "credential_rejected"),
    ),
    case(
        "held-script-command-not-found",
        "bad_command",
        "a shell entrypoint execs a tool that the image lacks: bash says command not found, 127",
        crashed(
            127,
            """
            === node 0 of 1, master 127.0.0.1:29500 ===
            Sun Mar  1 02:54:51 UTC 2026
            /workspace/launch.sh: line 22: exec: deepspeed: not found
            """,
            gpus=8,
        ),
        never=("missing_file", "missing_module"),
        pair="held-127",
    ),
    case(
        "held-shell-script-not-executable",
        "not_executable",
        "Stack Overflow 'permission denied' on ./run.sh from a ConfigMap mount: bash ends with 126",
        crashed(
            126,
            """
            starting as uid=1000(trainer) gid=1000(trainer) groups=1000(trainer)
            /bin/bash: line 1: ./scripts/run_pretrain.sh: Permission denied
            """,
        ),
        never=("permission_denied", "bad_command"),
    ),
    case(
        "held-arm-image-on-amd64",
        "wrong_architecture",
        "docker library issues: image built on an arm laptop, 'exec format error' is all the log has, 255",
        looping(
            255,
            """
            exec /usr/local/bin/python3: exec format error
            """,
        ),
        job=job("Degraded", since=-12, created=-20),
        never=("bad_command", "not_executable"),
    ),
    case(
        "held-sigterm-saved-and-left",
        "killed_by_signal",
        "exit 143 with the trainer's own SIGTERM handler; no event, no eviction, nobody says who sent it",
        crashed(
            143,
            """
            2026-03-01 02:41:19 [info     ] step                           loss=1.991 step=5100
            2026-03-01 02:46:02 [info     ] step                           loss=1.987 step=5200
            2026-03-01 02:50:40 [warning  ] slow dataloader                wait_ms=812
            2026-03-01 02:54:30 [warning  ] received SIGTERM, saving emergency checkpoint
            2026-03-01 02:54:48 [info     ] checkpoint saved               path=/ckpt/emergency-5287
            """,
        ),
        never=("preempted", "container_oom", "application_error", "completed"),
    ),
    case(
        "held-deepspeed-loss-scale-minimum",
        "training_diverged",
        "deepspeedai/DeepSpeedExamples 418, hiyouga/LlamaFactory 251: fp16 overflow at every step until the loss scale cannot fall",
        crashed(
            1,
            """
            [2026-03-01 02:30:01,003] [INFO] [loss_scaler.py:190:update_scale] [deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 8, but hysteresis is 1. Reducing hysteresis to 0
            [2026-03-01 02:30:04,711] [INFO] [loss_scaler.py:183:update_scale] [deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 4, reducing to 2
            [2026-03-01 02:30:08,402] [INFO] [loss_scaler.py:183:update_scale] [deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 2, reducing to 1
            {'loss': 0.0, 'grad_norm': nan, 'learning_rate': 0.0, 'epoch': 0.02}
            Traceback (most recent call last):
              File "/workspace/src/train_bash.py", line 14, in <module>
                main()
              File "/workspace/src/llmtuner/tuner/sft/workflow.py", line 65, in run_sft
                train_result = trainer.train(resume_from_checkpoint=training_args.resume_from_checkpoint)
              File "/opt/conda/lib/python3.8/site-packages/accelerate/utils/deepspeed.py", line 176, in backward
                self.engine.step()
              File "/opt/conda/lib/python3.8/site-packages/deepspeed/runtime/zero/stage_1_and_2.py", line 1896, in _update_scale
                self.loss_scaler.update_scale(has_overflow)
              File "/opt/conda/lib/python3.8/site-packages/deepspeed/runtime/fp16/loss_scaler.py", line 173, in update_scale
                raise Exception(
            Exception: Current loss scale already at minimum - cannot decrease scale anymore. Exiting run.
            [2026-03-01 02:30:11,590] [INFO] [launch.py:315:sigkill_handler] Killing subprocess 2113
            [2026-03-01 02:30:11,617] [INFO] [launch.py:315:sigkill_handler] Killing subprocess 2114
            [2026-03-01 02:30:11,633] [ERROR] [launch.py:321:sigkill_handler] ['/opt/conda/bin/python', '-u', 'src/train_bash.py', '--local_rank=1'] exits with return code = 1
            """,
            gpus=2,
        ),
        never=("python_exception", "killed_by_signal"),
    ),
    case(
        "held-megatron-rerun-nan-grad",
        "training_diverged",
        "NVIDIA/Megatron-LM 5026: the rerun state machine finds NaN in the gradient, reproducible, and stops; other ranks' timeouts follow",
        pod(
            container(
                ended(1, at=-5),
                gpus=8,
                log="""
                 iteration     3382/    8000 | consumed samples:       216448 | elapsed time per iteration (ms): 7613.1 | learning rate: 6.681E-06 | global batch size:    64 | lm loss: 7.334521E-01 | loss scale: 1.0 | grad norm: 0.752 | number of skipped iterations:   0 | number of nan iterations:   0 |
                 iteration     3383/    8000 | consumed samples:       216512 | elapsed time per iteration (ms): 7845.5 | learning rate: 6.680E-06 | global batch size:    64 | lm loss: 9.072597E+00 | loss scale: 1.0 | grad norm: 118.4 | number of skipped iterations:   0 | number of nan iterations:   0 |
                ERROR:megatron.core.rerun_state_machine:Unexpected result nan on rank 3 at iteration #3384 invocation #2 (message='found NaN in local grad norm for bucket #0 in backward pass before data-parallel communication collective')
                ERROR:megatron.core.rerun_state_machine:Rank 3, node llama-ft-master-0, device 3, iteration #3384: First rerun: unexpected result is reproducible within the tolerance (nan = nan).
                [rank3]: Traceback (most recent call last):
                [rank3]:   File "/opt/megatron/pretrain_gpt.py", line 288, in <module>
                [rank3]:     pretrain(
                [rank3]:   File "/opt/megatron/megatron/core/distributed/param_and_grad_buffer.py", line 171, in check_grads
                [rank3]:     rerun_state_machine.validate_result(
                [rank3]:   File "/opt/megatron/megatron/core/rerun_state_machine.py", line 523, in validate_result
                [rank3]:     raise RuntimeError(full_message)
                [rank3]: RuntimeError: Rank 3, node llama-ft-master-0, device 3, iteration 3384: Unexpected result nan (message='found NaN in local grad norm for bucket #0 in backward pass before data-parallel communication collective')
                W0301 02:54:58.100000 17 torch/distributed/elastic/multiprocessing/api.py:897] Sending process 40 closing signal SIGTERM
                torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
                """,
            ),
            rank="master-0",
            node="gpu-03",
        ),
        pod(
            container(
                ended(1, at=-4.5),
                gpus=8,
                log="""
                [rank9]:[E301 02:55:12.022 ProcessGroupNCCL.cpp:1895] [PG ID 0 PG GUID 0(default_pg) Rank 9] Process group watchdog thread terminated with exception: NCCL error: remote process exited or there was a network error, NCCL version 2.23.4
                torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
                """,
            ),
            rank="worker-0",
            node="gpu-04",
        ),
        job=distributed(workers=2),
        never=("python_exception", "nccl_network_error", "gpu_hardware_fault"),
    ),
    case(
        "held-fairseq-minimum-loss-scale",
        "training_diverged",
        "facebookresearch/fairseq issues: FloatingPointError, 'Your loss is probably exploding'",
        crashed(
            1,
            """
            2026-03-01 02:20:41 | INFO | fairseq.trainer | begin training epoch 3
            2026-03-01 02:24:10 | INFO | train_inner | epoch 003:   1200 / 5188 loss=4.112, nll_loss=2.331, ppl=5.03, wps=88123, ups=6.4, gnorm=1.2, loss_scale=16, train_wall=15
            2026-03-01 02:24:52 | INFO | fairseq.trainer | NOTE: gradient overflow detected, ignoring gradient, setting loss scale to: 0.0009765625
            2026-03-01 02:24:53 | INFO | fairseq.trainer | NOTE: gradient overflow detected, ignoring gradient, setting loss scale to: 0.00048828125
            2026-03-01 02:24:53 | INFO | fairseq.nan_detector | Detected nan/inf grad norm, dumping norms...
            Traceback (most recent call last):
              File "/opt/conda/bin/fairseq-train", line 8, in <module>
                sys.exit(cli_main())
              File "/opt/conda/lib/python3.9/site-packages/fairseq_cli/train.py", line 557, in cli_main
                distributed_utils.call_main(cfg, main)
              File "/opt/conda/lib/python3.9/site-packages/fairseq/trainer.py", line 997, in train_step
                grad_norm = self.clip_grad_norm(self.cfg.optimization.clip_norm)
              File "/opt/conda/lib/python3.9/site-packages/fairseq/optim/dynamic_loss_scaler.py", line 61, in check_overflow
                raise FloatingPointError(
            FloatingPointError: Minimum loss scale reached (0.0001). Your loss is probably exploding. Try lowering the learning rate, using gradient clipping or increasing the batch size.
            """,
        ),
        never=("python_exception",),
    ),
    case(
        "held-vllm-liveness-while-loading",
        "probe_failed",
        "vllm issues on k8s probes: weights take longer than the liveness probe allows; the log is healthy until SIGTERM",
        looping(
            137,
            """
            INFO 03-01 02:52:11 api_server.py:585] vLLM API server version 0.6.6
            INFO 03-01 02:52:25 config.py:510] This model supports multiple tasks: {'generate', 'embed'}. Defaulting to 'generate'.
            INFO 03-01 02:52:29 model_runner.py:1094] Starting to load model /models/llama-3.3-70b...
            Loading safetensors checkpoint shards:   0% Completed | 0/30 [00:00<?, ?it/s]
            Loading safetensors checkpoint shards:  33% Completed | 10/30 [02:21<04:44, 14.22s/it]
            Loading safetensors checkpoint shards:  56% Completed | 17/30 [04:01<03:05, 14.27s/it]
            """,
            gpus=4,
            events=[
                event(
                    "Unhealthy",
                    'Liveness probe failed: Get "http://10.244.7.31:8000/health": dial tcp 10.244.7.31:8000: connect: connection refused',
                    count=18,
                    at=-3,
                ),
                event(
                    "Killing", "Container main failed liveness probe, will be restarted", kind="Normal", at=-3, count=6
                ),
            ],
        ),
        job=job("Degraded", since=-30, created=-50, kind="Inference", gpus=4),
        never=("killed_by_signal", "connection_refused", "container_oom"),
    ),
    case(
        "held-active-deadline-while-waiting-for-peer",
        "deadline_exceeded",
        "Kubernetes Job activeDeadlineSeconds: the job controller says it; the log only shows ordinary work",
        pod(
            container(
                ended(143, at=-4, began=-364),
                log="""
                [Taskflow] sweep 118/400 lr=3e-4 wd=0.1 -> val 0.8119
                [Taskflow] sweep 119/400 lr=3e-4 wd=0.2 -> val 0.8121
                urllib3.connectionpool WARNING Retrying (Retry(total=2, connect=None, read=None, redirect=None, status=None)) after connection broken by 'ReadTimeoutError': /api/runs
                [Taskflow] sweep 120/400 lr=3e-4 wd=0.3 -> val 0.8088
                """,
            ),
            phase="Failed",
            reason="DeadlineExceeded",
            message="Pod was active on the node longer than the specified deadline",
            created=-365,
        ),
        events=[on_owner("DeadlineExceeded", "Job was active longer than specified deadline", at=-4)],
        job=job("Failed", created=-366),
        never=("killed_by_signal", "connection_timeout", "time_limit_reached"),
    ),
    case(
        "held-backoff-limit-no-pods-left",
        "backoff_limit_exceeded",
        "the Job controller removed the pods; only its own event is left",
        events=[
            on_owner("SuccessfulCreate", f"Created pod: {JOB}-0-0", kind="Normal", at=-50),
            on_owner("BackoffLimitExceeded", "Job has reached the specified backoff limit", at=-4),
        ],
        job=job("Failed"),
        never=("insufficient_evidence",),
    ),
]

"""Programs that ended by themselves: modules, files, permissions, arguments, exceptions, divergence."""

from __future__ import annotations

from tests.corpus.case import case
from tests.corpus.wire import container, crashed, ended, job, looping, pod

CASES = [
    # --- missing_module ----------------------------------------------------------------------------------------------
    case(
        "module-flash-attn",
        "missing_module",
        "Python's own word for a module that is not installed",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 3, in <module>
                from flash_attn import flash_attn_func
            ModuleNotFoundError: No module named 'flash_attn'
            """,
        ),
        never=("python_exception", "missing_file"),
        pair="imports",
    ),
    case(
        "module-shared-object",
        "missing_module",
        "an ImportError of a missing .so is a missing library, says causes.md",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 5, in <module>
                import torch
              File "/opt/conda/lib/python3.10/site-packages/torch/__init__.py", line 237, in <module>
                from torch._C import *  # noqa: F403
            ImportError: libcudnn.so.8: cannot open shared object file: No such file or directory
            """,
        ),
        never=("missing_file", "python_exception"),
        pair="no-such-file",
    ),
    case(
        "module-loader-127",
        "missing_module",
        "the dynamic loader exits 127 for a missing library: the command itself was found",
        crashed(
            127,
            "/usr/local/bin/all_reduce_perf: error while loading shared libraries: libmpi.so.40: cannot open shared object "
            "file: No such file or directory\n",
        ),
        never=("bad_command", "missing_file"),
        pair="exit-127",
    ),
    case(
        "module-node-js",
        ("missing_module", "application_error"),
        "Node's MODULE_NOT_FOUND; `missing_module` is written for Python, so the general reading passes too",
        crashed(
            1,
            """
            node:internal/modules/cjs/loader:1148
              throw err;
              ^

            Error: Cannot find module 'express'
            Require stack:
            - /app/server.js
                at Module._resolveFilename (node:internal/modules/cjs/loader:1145:15)
              code: 'MODULE_NOT_FOUND',
              requireStack: [ '/app/server.js' ]
            }

            Node.js v20.15.0
            """,
            image="node:20-slim",
        ),
    ),
    case(
        "optional-import-only-warned",
        "python_exception",
        "flash_attn is optional and was only warned about; the ValueError ended the program",
        crashed(
            1,
            """
            WARNING: ModuleNotFoundError: No module named 'flash_attn'. Falling back to eager attention.
            Loading checkpoint shards: 100%|██████████| 4/4 [00:21<00:00,  5.31s/it]
            Traceback (most recent call last):
              File "/workspace/train.py", line 91, in <module>
                trainer = build(cfg)
              File "/workspace/build.py", line 17, in build
                raise ValueError(f"unknown scheduler {cfg.scheduler!r}")
            ValueError: unknown scheduler 'cosin'
            """,
        ),
        never=("missing_module",),
        pair="imports",
    ),
    case(
        "import-of-a-renamed-name",
        ("python_exception", "missing_module"),
        "the library is there and lacks the name: a version mismatch, not a missing library; ImportError allows both",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 9, in <module>
                from transformers import AdamW
            ImportError: cannot import name 'AdamW' from 'transformers' (/usr/local/lib/python3.10/dist-packages/transformers/__init__.py)
            """,
        ),
    ),
    # --- missing_file ------------------------------------------------------------------------------------------------
    case(
        "file-data",
        "missing_file",
        "FileNotFoundError ended the process",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 40, in <module>
                ds = load(Path(args.data) / "train.jsonl")
              File "/workspace/data.py", line 12, in load
                with open(path) as f:
            FileNotFoundError: [Errno 2] No such file or directory: '/data/alpaca/train.jsonl'
            """,
        ),
        never=("bad_command", "python_exception"),
        pair="no-such-file",
    ),
    case(
        "file-script",
        "missing_file",
        "python was found, its script was not; exit 2 is no usage error here",
        crashed(2, "python: can't open file '/workspace/trian.py': [Errno 2] No such file or directory\n"),
        never=("invalid_arguments", "bad_command"),
        pair="exit-2",
    ),
    case(
        "file-model-folder",
        ("missing_file", "python_exception"),
        "transformers says that the local folder of the model is not there; the file reading is the specific one",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/serve.py", line 22, in <module>
                model = AutoModelForCausalLM.from_pretrained("/models/llama-3-8b")
              File "/usr/local/lib/python3.10/dist-packages/transformers/utils/hub.py", line 365, in cached_file
                raise EnvironmentError(
            OSError: /models/llama-3-8b does not appear to have a file named config.json. Checkout 'https://huggingface.co//models/llama-3-8b/tree/None' for available files.
            """,
        ),
        never=("dns_failure", "credential_rejected"),
    ),
    case(
        "file-retried-then-other",
        "python_exception",
        "the missing cache file was handled; the KeyError ended the program",
        crashed(
            1,
            """
            [cache] FileNotFoundError: [Errno 2] No such file or directory: '/tmp/cache/index.bin' - rebuilding
            [cache] rebuilt in 12.3 s
            Traceback (most recent call last):
              File "/workspace/train.py", line 133, in <module>
                run(cfg)
              File "/workspace/train.py", line 97, in run
                lr = cfg["optimizer"]["learning_rate"]
            KeyError: 'learning_rate'
            """,
        ),
        never=("missing_file",),
        pair="no-such-file",
    ),
    # --- permission_denied -------------------------------------------------------------------------------------------
    case(
        "permission-output",
        "permission_denied",
        "EACCES on the output folder",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 71, in <module>
                os.makedirs(args.output_dir, exist_ok=True)
              File "/usr/lib/python3.10/os.py", line 225, in makedirs
                mkdir(name, mode)
            PermissionError: [Errno 13] Permission denied: '/mnt/shared/out'
            """,
        ),
        never=("credential_rejected", "security_context_denied"),
        pair="denied",
    ),
    case(
        "permission-french",
        "permission_denied",
        "coreutils in a French locale",
        crashed(1, "mkdir: impossible de créer le répertoire « /data/out »: Permission non accordée\n"),
    ),
    case(
        "permission-port",
        "permission_denied",
        "EACCES on a privileged port, as nginx says it",
        crashed(
            1,
            """
            2026/03/01 02:54:01 [warn] 1#1: the "user" directive makes sense only if the master process runs with super-user privileges
            2026/03/01 02:54:01 [emerg] 1#1: bind() to 0.0.0.0:80 failed (13: Permission denied)
            nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)
            """,
            image="nginx:1.27",
            gpus=0,
        ),
        never=("application_error",),
    ),
    case(
        "denied-step-403",
        "python_exception",
        "`step 403` and `permission` are words of a healthy log; the exception is the program's own",
        crashed(
            1,
            """
            step 401 loss 2.31 permission_filter=on
            step 402 loss 2.30 permission_filter=on
            step 403 loss 2.29 permission_filter=on
            Traceback (most recent call last):
              File "/workspace/train.py", line 120, in <module>
                fit(model, loader)
              File "/workspace/train.py", line 84, in fit
                loss = criterion(logits.view(-1, vocab), labels.view(-1))
            RuntimeError: The size of tensor a (4096) must match the size of tensor b (4095) at non-singleton dimension 1
            """,
        ),
        never=("permission_denied", "credential_rejected"),
        pair="denied",
    ),
    # --- invalid_arguments -------------------------------------------------------------------------------------------
    case(
        "arguments-argparse",
        "invalid_arguments",
        "argparse prints the usage and exits 2 (Python documentation)",
        crashed(
            2,
            """
            usage: train.py [-h] [--model MODEL] [--lr LR] [--epochs EPOCHS]
            train.py: error: unrecognized arguments: --learning_rate 1e-4
            """,
        ),
        never=("python_exception", "missing_file"),
        pair="exit-2",
    ),
    case(
        "arguments-vllm-choice",
        "invalid_arguments",
        "vLLM's argparse refuses a choice",
        crashed(
            2,
            """
            INFO 03-01 02:54:10 [__init__.py:239] Automatically detected platform cuda.
            usage: api_server.py [-h] [--host HOST] [--port PORT] [--dtype {auto,half,float16,bfloat16,float,float32}]
            api_server.py: error: argument --dtype: invalid choice: 'fp8' (choose from auto, half, float16, bfloat16, float, float32)
            """,
            image="vllm/vllm-openai:v0.8.4",
        ),
    ),
    case(
        "arguments-environment-variable",
        "invalid_arguments",
        "torch.distributed says which environment variable is missing; causes.md counts it as configuration",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 18, in <module>
                dist.init_process_group("nccl")
              File "/usr/local/lib/python3.10/dist-packages/torch/distributed/rendezvous.py", line 244, in _env_error
                raise _env_error("RANK")
            ValueError: Error initializing torch.distributed using env:// rendezvous: environment variable RANK expected, but not set
            """,
        ),
        never=("python_exception", "nccl_network_error"),
    ),
    case(
        "arguments-yaml",
        "invalid_arguments",
        "a configuration file that is no YAML",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 14, in <module>
                cfg = yaml.safe_load(open(path))
              File "/usr/local/lib/python3.10/dist-packages/yaml/scanner.py", line 577, in fetch_value
                raise ScannerError(None, None,
            yaml.scanner.ScannerError: mapping values are not allowed here
              in "configs/sft.yaml", line 12, column 17
            """,
        ),
    ),
    case(
        "arguments-hydra",
        "invalid_arguments",
        "Hydra refuses an override and says how to add it",
        crashed(
            1,
            """
            Could not override 'trainer.max_step'.
            To append to your config use +trainer.max_step=1000
            Key 'max_step' is not in struct
                full_key: trainer.max_step
                object_type=dict

            Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
            """,
        ),
    ),
    # --- python_exception --------------------------------------------------------------------------------------------
    case(
        "exception-chained",
        "python_exception",
        "the last exception of the chain ended the program; the KeyError before it was its reason",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/registry.py", line 31, in get
                return _MODELS[name]
            KeyError: 'lama-3-8b'

            The above exception was the direct cause of the following exception:

            Traceback (most recent call last):
              File "/workspace/train.py", line 55, in <module>
                model = registry.get(args.model)
              File "/workspace/registry.py", line 33, in get
                raise UnknownModelError(f"no model named {name}") from err
            registry.UnknownModelError: no model named lama-3-8b
            """,
        ),
    ),
    case(
        "exception-under-torchrun",
        "python_exception",
        "torchrun's ChildFailedError is only the summary; the child's TypeError is the cause",
        crashed(
            1,
            """
            [rank0]: Traceback (most recent call last):
            [rank0]:   File "/workspace/sft.py", line 102, in <module>
            [rank0]:     trainer = SFTTrainer(model=model, tokenizer=tok, max_seq_length=4096)
            [rank0]: TypeError: SFTTrainer.__init__() got an unexpected keyword argument 'max_seq_length'
            E0301 02:54:59.902 47 torch/distributed/elastic/multiprocessing/api.py:869] failed (exitcode: 1) local_rank: 0 (pid: 103) of binary: /usr/bin/python
            Traceback (most recent call last):
              File "/usr/local/bin/torchrun", line 8, in <module>
                sys.exit(main())
              File "/usr/local/lib/python3.10/dist-packages/torch/distributed/launcher/api.py", line 264, in launch_agent
                raise ChildFailedError(
            torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
            ============================================================
            sft.py FAILED
            ------------------------------------------------------------
            Root Cause (first observed failure):
            [0]:
              time      : 2026-03-01_02:54:59
              host      : llama-ft-0-0
              rank      : 0 (local_rank: 0)
              exitcode  : 1 (pid: 103)
              error_file: <N/A>
              traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
            ============================================================
            """,
        ),
        never=("invalid_arguments", "aborted"),
    ),
    case(
        "exception-loop",
        "python_exception",
        "the previous run's log has the traceback; the pod is in CrashLoopBackOff",
        looping(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/serve.py", line 12, in <module>
                app = create(app_config)
            AttributeError: 'NoneType' object has no attribute 'title'
            """,
        ),
        job=job("Degraded", kind="Inference", running=1),
    ),
    case(
        "exception-json-log",
        "python_exception",
        "structured logs carry the traceback in a field",
        crashed(
            1,
            r"""
            {"level":"info","ts":"2026-03-01T02:54:01Z","msg":"epoch 1 done"}
            {"level":"error","ts":"2026-03-01T02:54:58Z","msg":"training failed","exc_info":"Traceback (most recent call last):\n  File \"/workspace/train.py\", line 77, in <module>\n    fit()\n  File \"/workspace/train.py\", line 52, in fit\n    raise ZeroDivisionError(\"empty accumulation window\")\nZeroDivisionError: empty accumulation window"}
            """,
        ),
    ),
    case(
        "exception-progress-bars",
        "python_exception",
        "carriage returns and ANSI colours around the traceback",
        crashed(
            1,
            "\x1b[32mEpoch 1\x1b[0m:   0%|          | 0/100\r\x1b[32mEpoch 1\x1b[0m:  40%|████      | 40/100\r\x1b[32mEpoch 1\x1b[0m:  41%|████      | 41/100\n"
            "\x1b[31mTraceback (most recent call last):\x1b[0m\n"
            '  File "/workspace/train.py", line 19, in <module>\n'
            "    step(batch)\n"
            "\x1b[1;31mIndexError\x1b[0m: index 32001 is out of bounds for dimension 0 with size 32000\n",
        ),
    ),
    # --- training_diverged -------------------------------------------------------------------------------------------
    case(
        "diverged-nan-exit",
        "training_diverged",
        "the script stops itself on a NaN loss (the DETR family's words)",
        crashed(
            1,
            """
            Epoch: [12]  [ 340/1200]  eta: 0:10:22  lr: 0.000100  loss: nan (2.1943)
            Loss is nan, stopping training
            {'loss_ce': tensor(nan, device='cuda:0'), 'loss_bbox': tensor(nan, device='cuda:0')}
            """,
        ),
        never=("insufficient_evidence", "application_error"),
    ),
    case(
        "diverged-loss-scale",
        "training_diverged",
        "fairseq's and DeepSpeed's words for a loss scale at its minimum",
        crashed(
            1,
            """
            [2026-03-01 02:54:40,101] [INFO] [loss_scaler.py:190:update_scale] [deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 2, reducing to 1
            Traceback (most recent call last):
              File "/workspace/pretrain.py", line 300, in <module>
                engine.step()
              File "/usr/local/lib/python3.10/dist-packages/deepspeed/runtime/fp16/loss_scaler.py", line 179, in update_scale
                raise Exception(
            Exception: Current loss scale already at minimum - cannot decrease scale anymore. Exiting run.
            """,
        ),
        never=("python_exception",),
        pair="nan",
    ),
    case(
        "diverged-anomaly-mode",
        "training_diverged",
        "autograd's anomaly detection stops on the first NaN",
        crashed(
            1,
            """
            Traceback (most recent call last):
              File "/workspace/train.py", line 66, in <module>
                loss.backward()
              File "/usr/local/lib/python3.10/dist-packages/torch/autograd/graph.py", line 744, in _engine_run_backward
                return Variable._execution_engine.run_backward(
            RuntimeError: Function 'PowBackward0' returned nan values in its 0th output.
            """,
        ),
        never=("python_exception",),
    ),
    case(
        "nan-warned-but-other-end",
        "missing_file",
        "the NaN of step 7 was skipped by the scaler 900 steps before; the missing validation file ended the run",
        crashed(
            1,
            """
            step 7 loss nan, skipping step, scaler 32768 -> 16384
            step 8 loss 4.11
            step 900 loss 2.02
            Traceback (most recent call last):
              File "/workspace/train.py", line 150, in <module>
                validate(model)
              File "/workspace/train.py", line 129, in validate
                ds = torch.load("/data/val.pt")
            FileNotFoundError: [Errno 2] No such file or directory: '/data/val.pt'
            """,
        ),
        never=("training_diverged",),
        pair="nan",
    ),
    case(
        "two-containers-one-guilty",
        "missing_module",
        "the exporter beside it ended well; the trainer lacks a module",
        pod(
            container(
                ended(1),
                name="trainer",
                log="""
                Traceback (most recent call last):
                  File "/workspace/train.py", line 1, in <module>
                    import deepspeed
                ModuleNotFoundError: No module named 'deepspeed'
                """,
            ),
            container(ended(0, at=-4), name="exporter", gpus=0, log="error budget 99.9%, 0 errors, exiting\n"),
        ),
    ),
]

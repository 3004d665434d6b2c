"""Training, RLHF, diffusion, simulation: whole incidents by an author who had not seen the rules, the second set of its kind."""

from __future__ import annotations

from tests.corpus.case import LabelledCase
from tests.corpus.cases.guest_serving import fail
from tests.corpus.wire import node, on_node

CASES: list[LabelledCase] = []

CASES += [
    fail(
        "guest-verl-port-taken",
        "python_exception",
        "verl #5889: EADDRINUSE inside a Ray actor; no refused connection, no missing right",
        1,
        """
ray init kwargs: {'num_cpus': None, 'runtime_env': {'env_vars': {'TOKENIZERS_PARALLELISM': 'true', 'NCCL_DEBUG': 'WARN'}}}
2026-03-01 02:40:02,611	INFO worker.py:1927 -- Started a local Ray instance. View the dashboard at http://127.0.0.1:8265
(TaskRunner pid=1902) TaskRunner hostname: llama-ft-0-0, PID: 1902
(TaskRunner pid=1902) DeprecationWarning: `ray.state.available_resources_per_node` is a private attribute and access will be removed in a future Ray version.
(WorkerDict pid=2310) Flash Attention 2.0 only supports torch.float16 and torch.bfloat16 dtypes, but the current dype in Qwen2ForCausalLM is torch.float32.
(WorkerDict pid=2310) [Gloo] Rank 0 is connected to 7 peer ranks. Expected number of connected peer ranks is : 7
(vLLMHttpServer pid=3318) INFO:2026-03-01 02:48:30,102:vLLMHttpServer, replica_rank: 0, master address: 10.95.230.95, master port: 18071
(vLLMHttpServer pid=3318) [rank0]:[W301 02:48:31.021 socket.cpp:755] [c10d] The client socket has failed to connect to [llama-ft-0-0]:18070 (errno: 111 - Connection refused).
Error executing job with overrides: ['algorithm.adv_estimator=grpo', 'trainer.n_gpus_per_node=8', 'actor_rollout_ref.rollout.name=vllm']
Traceback (most recent call last):
  File "/workspace/verl/verl/trainer/main_ppo.py", line 39, in main
    run_ppo(config)
  File "/workspace/verl/verl/trainer/main_ppo.py", line 69, in run_ppo
    ray.get(runner.run.remote(config))
ray.exceptions.RayTaskError(RuntimeError): ray::TaskRunner.run() (pid=1902, ip=10.95.230.95, actor_id=6989634d9dd71df9d6798a5901000000)
  File "/workspace/verl/verl/trainer/ppo/ray_trainer.py", line 838, in init_workers
    self.async_rollout_manager = AgentLoopManager.create(
  File "/workspace/verl/verl/workers/rollout/vllm_rollout/vllm_async_server.py", line 418, in launch_server
    store = TCPStore(self._master_address, self._master_port, world_size, is_master=True)
torch.distributed.DistNetworkError: The server socket has failed to listen on any local network address. port: 18071, useIpv6: false, code: -98, name: EADDRINUSE, message: address already in use

Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
""",
        never=("connection_refused", "permission_denied", "nccl_network_error"),
        gpus=8,
    ),
    fail(
        "guest-kohya-nan-latents",
        "python_exception",
        "kohya sd-scripts: RuntimeError about NaN in cached latents of one picture, before any loss; accelerate's CalledProcessError is the wrapper",
        1,
        """
2026-03-01 02:41:10 INFO     prepare images.                                                  train_util.py:1803
                    INFO     found directory /data/img/10_chair contains 118 image files       train_util.py:1740
                    WARNING  No caption file found for 4 images. Training will continue without captions for these images.
                    INFO     loading image sizes.                                              train_util.py:874
100%|██████████| 118/118 [00:00<00:00, 3107.10it/s]
2026-03-01 02:41:31 INFO     load StableDiffusion checkpoint: /models/sd_xl_base_1.0.safetensors
                    INFO     caching latents with caching strategy.                            train_util.py:1038
 36%|███▋      | 43/118 [00:11<00:20,  3.66it/s]
Traceback (most recent call last):
  File "/workspace/sd-scripts/sdxl_train_network.py", line 185, in <module>
    trainer.train(args)
  File "/workspace/sd-scripts/train_network.py", line 272, in train
    train_dataset_group.new_cache_latents(vae, accelerator)
  File "/workspace/sd-scripts/library/train_util.py", line 2511, in cache_batch_latents
    raise RuntimeError(f"NaN detected in latents: {info.absolute_path}")
RuntimeError: NaN detected in latents: /data/img/10_chair/0043.png
Traceback (most recent call last):
  File "/usr/local/bin/accelerate", line 8, in <module>
    sys.exit(main())
  File "/usr/local/lib/python3.10/dist-packages/accelerate/commands/launch.py", line 637, in simple_launcher
    raise subprocess.CalledProcessError(returncode=process.returncode, cmd=cmd)
subprocess.CalledProcessError: Command '['/usr/bin/python', 'sdxl_train_network.py', '--cache_latents', '--mixed_precision=fp16']' returned non-zero exit status 1.
""",
        never=("missing_file", "cuda_oom"),
    ),
    fail(
        "guest-neuralhydrology-nan",
        "training_diverged",
        "neuralhydrology #101: the program itself stops after NaN losses in a row",
        1,
        """
2026-03-01 02:12:40,010: Logging to /runs/ealstm_0103_021239/output.log initialized.
2026-03-01 02:12:40,010: ### Folder structure created at /runs/ealstm_0103_021239
2026-03-01 02:12:40,011: learning_rate: {0: 0.01, 30: 0.005}
2026-03-01 02:12:41,870: ### Device cuda:0 will be used for training
2026-03-01 02:12:41,904: Loading basin data into xarray data set.
100%|##########| 531/531 [02:34<00:00,  3.44it/s]
/usr/lib/python3/dist-packages/numpy/lib/nanfunctions.py:1879: RuntimeWarning: Degrees of freedom <= 0 for slice.
2026-03-01 02:30:07,191: Epoch 1 average loss: avg_loss: 0.11871, avg_total_loss: 0.11871
2026-03-01 02:46:13,700: Epoch 2 average loss: avg_loss: 0.09712, avg_total_loss: 0.09712
# Epoch 3:  61%|######1   | 3301/5397 [09:10<05:48,  6.01it/s, Loss: nan]
Traceback (most recent call last):
  File "/opt/conda/bin/nh-run", line 8, in <module>
    sys.exit(_main())
  File "/opt/conda/lib/python3.10/site-packages/neuralhydrology/training/basetrainer.py", line 234, in train_and_validate
    self._train_epoch(epoch=epoch)
  File "/opt/conda/lib/python3.10/site-packages/neuralhydrology/training/basetrainer.py", line 321, in _train_epoch
    raise RuntimeError(f"Loss was NaN for {nan_count} times in a row. Stopped training.")
RuntimeError: Loss was NaN for 1 times in a row. Stopped training.
""",
        never=("python_exception",),
    ),
    fail(
        "guest-hydra-unknown-override",
        "invalid_arguments",
        "hydra #1912: an override of a key that the config does not have",
        1,
        """
/workspace/rl/train.py:18: UserWarning:
The version_base parameter is not specified.
Please specify a compatability version level, or None.
Will assume defaults for version 1.1
  @hydra.main(config_path="conf", config_name="ppo_walker")
/opt/conda/lib/python3.11/site-packages/gymnasium/envs/registration.py:513: DeprecationWarning: WARN: The environment Walker2d-v4 is out of date.
Could not override 'optimiser.lr'.
To append to your config use +optimiser.lr=3e-4
Key 'optimiser' is not in struct
    full_key: optimiser
    object_type=dict

Set the environment variable HYDRA_FULL_ERROR=1 for a complete stack trace.
""",
        never=("python_exception", "missing_file"),
    ),
    fail(
        "guest-mujoco-egl-importerror",
        "python_exception",
        "gymnasium #726: an ImportError that is no missing library: EGL has no device display",
        1,
        """
[robosuite WARNING] No private macro file found! (macros.py:53)
[robosuite WARNING] It is recommended to use a private macro file (macros.py:54)
[robosuite WARNING] Could not import robosuite_models. Some robots may not be available. (__init__.py:30)
============= Initialized Observation Utils with Obs Spec =============

using obs modality: low_dim with keys: ['object', 'robot0_eef_pos', 'robot0_eef_quat']
using obs modality: rgb with keys: ['agentview_image']
Traceback (most recent call last):
  File "/workspace/robomimic/scripts/train.py", line 448, in <module>
    main(args)
  File "/workspace/robomimic/envs/env_robosuite.py", line 17, in __init__
    import robosuite
  File "/opt/conda/lib/python3.8/site-packages/robosuite/utils/binding_utils.py", line 43, in <module>
    from robosuite.renderers.context.egl_context import EGLGLContext as GLContext
  File "/opt/conda/lib/python3.8/site-packages/robosuite/renderers/context/egl_context.py", line 64, in <module>
    raise ImportError(
ImportError: Cannot initialize a EGL device display. This likely means that your EGL driver does not support the PLATFORM_DEVICE extension, which is required for creating a headless rendering context.
Exception ignored in: <function EGLGLContext.__del__ at 0x7f01e8c7d3a0>
AttributeError: 'EGLGLContext' object has no attribute '_context'
""",
        never=("no_gpu_visible",),
    ),
    fail(
        "guest-isaacsim-device-lost-xid79",
        "gpu_hardware_fault",
        "IsaacSim #431: VkResult ERROR_DEVICE_LOST, then a crash; the node says XID 79 for its GPU at the same minute",
        1,
        """
[INFO][AppLauncher]: Using device: cuda:0
[INFO][AppLauncher]: Loading experience file: /workspace/isaaclab/apps/isaaclab.python.headless.kit
Loading user config located at: '/isaac-sim/kit/data/Kit/Isaac-Sim/5.1/user.config.json'
[Info] [carb] Logging to file: /isaac-sim/kit/logs/Kit/Isaac-Sim/5.1/kit_20260301_021504.log
2026-03-01T02:15:04Z [14ms] [Warning] [carb.crashreporter-breakpad.plugin] [previous crash] preventing upload of minidump due to user opt-out
[0.110s] [ext: omni.stats-1.0.1] startup
[41.773s] Isaac Sim Full App is loaded.
Learning iteration 412/3000   mean reward: 18.41   fps: 91120
2026-03-01T02:54:49Z [2385,132ms] [Error] [carb.graphics-vulkan.plugin] VkResult: ERROR_DEVICE_LOST
2026-03-01T02:54:49Z [2385,132ms] [Error] [carb.graphics-vulkan.plugin] submitToQueueCommon failed.
2026-03-01T02:54:49Z [2385,132ms] [Error] [gpu.foundation.plugin] A GPU crash occurred. Exiting the application...
Reasons for the failure: a device lost, out of memory, or an unexpected bug.
2026-03-01T02:54:49Z [2385,133ms] [Warning] [gpu.foundation.plugin] polling aftermath dump status ...
2026-03-01T02:55:04Z [2400,115ms] [Warning] [gpu.foundation.plugin] aftermath dump failed to be produced within timeout window (15 seconds), proceeding without wait
2026-03-01T02:55:05Z [0ms] [Warning] [carb.crashreporter-breakpad.plugin] [crash] A crash has occurred.
2026-03-01T02:55:05Z [66ms] [Error] [carb.crashreporter-breakpad.plugin] [crash] Wrote dump file '/isaac-sim/kit/data/4f2c.dmp.zip'
/isaac-sim/python.sh: line 41:    57 Segmentation fault      (core dumped) $python_exe "$@" $args
There was an error running python
""",
        events=[
            on_node(
                "XIDError", "NVRM: Xid (PCI:0000:5d:00): 79, pid=57, name=python3, GPU has fallen off the bus.", at=-5.3
            )
        ],
        objects=[node(allocatable=7)],
        never=("segfault", "cuda_oom"),
    ),
    fail(
        "guest-gazebo-process-died-6",
        "aborted",
        "ROS 2 launch: 'process has died [exit code -6]' of gz sim; the launch itself exits 1",
        1,
        """
[INFO] [launch]: All log files can be found below /home/trainer/.ros/log/2026-03-01-02-50-12-llama-ft-0-0-1
[INFO] [launch]: Default logging verbosity is set to INFO
[INFO] [gz-1]: process started with pid [71]
[INFO] [parameter_bridge-2]: process started with pid [73]
[INFO] [policy_runner-3]: process started with pid [75]
[gz-1] [Wrn] [Component.hh:189] Trying to deserialize component with data type [St6vectorI], which doesn't have `operator>>`.
[gz-1] [Err] [SystemPaths.cc:525] Could not resolve file [model://warehouse/materials/floor.png]
[policy_runner-3] [WARN] [1772333425.113] [policy_runner]: waiting for /clock ...
[gz-1] terminate called after throwing an instance of 'Ogre::RenderingAPIException'
[gz-1]   what():  OGRE EXCEPTION(3:RenderingAPIException): Unable to create a suitable EGL context in EGLSupport::createContext at ./RenderSystems/GL3Plus/src/windowing/EGL/OgreEGLSupport.cpp (line 311)
[gz-1] Stack trace (most recent call last):
[gz-1] #8    Object "/usr/lib/x86_64-linux-gnu/libOgreMain.so.2.3.1", in Ogre::Root::createRenderWindow
[gz-1] Aborted (Signal sent by tkill() 71 0)
[ERROR] [gz-1]: process has died [pid 71, exit code -6, cmd 'ruby /usr/bin/gz sim -s -r --headless-rendering warehouse.sdf'].
[INFO] [launch]: process[gz-1] was required: shutting down launched system
[INFO] [policy_runner-3]: sending signal 'SIGINT' to process[policy_runner-3]
[policy_runner-3] KeyboardInterrupt
[ERROR] [policy_runner-3]: process has died [pid 75, exit code -2, cmd '/workspace/policy_runner.py'].
""",
        never=("python_exception", "missing_file", "killed_by_signal"),
    ),
    fail(
        "guest-wandb-429-then-device-assert",
        "cuda_illegal_access",
        "wandb's 429 is retried by its own thread; the run dies of an index assert on the device (pytorch embedding)",
        1,
        """
wandb: Currently logged in as: ada (vision) to https://api.wandb.ai. Use `wandb login --relogin` to force relogin
wandb: Tracking run with wandb version 0.19.8
wandb: 429 encountered (Filestream rate limit exceeded, retrying in 2.1 seconds.), retrying request
wandb: 429 encountered (Filestream rate limit exceeded, retrying in 4.6 seconds.), retrying request
{'loss': 2.2114, 'grad_norm': 1.81, 'learning_rate': 1.9e-05, 'epoch': 0.04}
{'loss': 2.1873, 'grad_norm': 1.66, 'learning_rate': 1.9e-05, 'epoch': 0.05}
wandb: 429 encountered (Filestream rate limit exceeded, retrying in 9.0 seconds.), retrying request
../aten/src/ATen/native/cuda/Indexing.cu:1369: indexSelectLargeIndex: block: [301,0,0], thread: [32,0,0] Assertion `srcIndex < srcSelectDimSize` failed.
../aten/src/ATen/native/cuda/Indexing.cu:1369: indexSelectLargeIndex: block: [301,0,0], thread: [33,0,0] Assertion `srcIndex < srcSelectDimSize` failed.
Traceback (most recent call last):
  File "/workspace/sft.py", line 213, in <module>
    main(script_args, training_args, model_args)
  File "/opt/conda/lib/python3.11/site-packages/transformers/trainer.py", line 2241, in train
    return inner_training_loop(
  File "/opt/conda/lib/python3.11/site-packages/torch/nn/modules/linear.py", line 125, in forward
    return F.linear(input, self.weight, self.bias)
RuntimeError: CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`
wandb:
wandb: You can sync this run to the cloud by running:
wandb: wandb sync /workspace/wandb/offline-run-20260301_024510-k2x1
""",
        never=("rate_limited", "python_exception", "cuda_oom"),
    ),
    fail(
        "guest-deepspeed-return-code-minus-9",
        "killed_by_signal",
        "DeepSpeed launcher: a child ended with -9 and nothing says who killed it; the launcher passes it on as 247",
        247,
        """
[2026-03-01 02:20:02,118] [INFO] [real_accelerator.py:219:get_accelerator] Setting ds_accelerator to cuda (auto detect)
[2026-03-01 02:20:05,401] [INFO] [runner.py:607:main] cmd = /usr/bin/python -u -m deepspeed.launcher.launch --world_info=eyJsb2NhbGhvc3QiOiBbMCwgMV19 train.py --deepspeed ds_z3_offload.json
[2026-03-01 02:20:08,770] [INFO] [launch.py:164:main] dist_world_size=2
[2026-03-01 02:20:08,771] [INFO] [launch.py:256:main] process 212 spawned with command: ['/usr/bin/python', '-u', 'train.py', '--local_rank=0']
[2026-03-01 02:20:08,772] [INFO] [launch.py:256:main] process 213 spawned with command: ['/usr/bin/python', '-u', 'train.py', '--local_rank=1']
Using /home/trainer/.cache/torch_extensions/py310_cu121 as PyTorch extensions root...
Loading extension module cpu_adam...
Time to load cpu_adam op: 2.3410 seconds
Parameter Offload: Total persistent parameters: 266240 in 65 params
Loading checkpoint shards:  87%|████████▋ | 13/15 [03:40<00:33, 16.9s/it]
[2026-03-01 02:54:51,317] [INFO] [launch.py:319:sigkill_handler] Killing subprocess 212
[2026-03-01 02:54:51,918] [INFO] [launch.py:319:sigkill_handler] Killing subprocess 213
[2026-03-01 02:54:51,918] [ERROR] [launch.py:325:sigkill_handler] ['/usr/bin/python', '-u', 'train.py', '--local_rank=1'] exits with return code = -9
""",
        never=("container_oom", "cuda_oom", "invalid_arguments"),
        gpus=2,
    ),
]

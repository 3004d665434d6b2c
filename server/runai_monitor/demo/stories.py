"""The scripted failures: what breaks in the simulated tenant, and how."""

from __future__ import annotations

from runai_monitor.demo import transcripts
from runai_monitor.demo.distractors import distractors
from runai_monitor.demo.objects import Template
from runai_monitor.demo.scenarios import Scenario
from runai_monitor.demo.script import Ended, Evict, Log, Running, SetPhase, Step, Submit, Tell, Unschedulable, Waiting

# A workload is stuck after ten minutes of Pending by default; this much is missing when the quota story appears.
STUCK_AFTER_SECONDS = 600
STILL_MISSING_SECONDS = 12


def all_scenarios() -> tuple[Scenario, ...]:
    """Every story of the show, the silent ones too."""
    return (
        _container_oom(),
        _cuda_oom(),
        _image_not_found(),
        _missing_secret(),
        _crash_loop(),
        _python_exception(),
        _missing_module(),
        _eviction(),
        _over_quota(),
        _failing_rank(),
        _recovery(),
        *distractors(),
    )


def _exit_one(transcript: str) -> tuple[Step, ...]:
    """A program that writes its last words, exits with 1 and takes its workload with it."""
    return (
        Step(at_seconds=0, effects=(Log(text=transcript), Ended(exit_code=1, reason="Error"))),
        Step(at_seconds=1, effects=(SetPhase(phase="Failed", message="Workload failed: pod exited with an error"),)),
    )


def _container_oom() -> Scenario:
    return Scenario(
        key="container-oom",
        title="Pretraining container over its memory limit",
        project="llm-pretraining",
        workload_name="llama-70b-tokenise",
        type="Training",
        template=Template(
            image="registry.example.com/llm/pretrain:2.4.1",
            command="python",
            arguments="tokenise.py --workers 48",
            memory="64Gi",
            gpus=8,
            environment=(("HF_TOKEN", transcripts.HF_TOKEN), ("OMP_NUM_THREADS", "8")),
        ),
        starts_at_seconds=2,
        steps=(
            Step(at_seconds=0, effects=(Log(text=transcripts.OOM), Ended(exit_code=137, reason="OOMKilled"))),
            Step(at_seconds=1, effects=(SetPhase(phase="Failed", message="Workload failed: pod was terminated"),)),
        ),
        expected_statuses=frozenset({"OOMKilled"}),
        expected_causes=frozenset({"container_oom"}),
    )


def _cuda_oom() -> Scenario:
    return Scenario(
        key="cuda-oom",
        title="Fine-tuning out of GPU memory",
        project="llm-pretraining",
        workload_name="mistral-sft-long-context",
        type="Training",
        template=Template(image="registry.example.com/llm/finetune:1.9.0", command="python", arguments="finetune.py"),
        starts_at_seconds=3,
        steps=_exit_one(transcripts.CUDA_OOM),
        expected_statuses=frozenset({"Error"}),
        expected_causes=frozenset({"cuda_oom"}),
    )


def _image_not_found() -> Scenario:
    image = "registry.example.com/vision/detector:v3.2-cuda12"
    pull = (
        f'Failed to pull image "{image}": rpc error: code = NotFound desc = failed to pull and unpack image "{image}": '
        f'failed to resolve reference "{image}": manifest unknown: manifest tagged by "v3.2-cuda12" is not found'
    )
    return Scenario(
        key="image-not-found",
        title="Image tag that was never pushed",
        project="vision",
        workload_name="detector-v3-train",
        type="Training",
        template=Template(image=image, command="python", arguments="train.py", gpus=2),
        starts_at_seconds=4,
        running_before=False,
        steps=(
            Step(at_seconds=0, effects=(Submit(),)),
            Step(at_seconds=1, effects=(Waiting(reason="ContainerCreating"), SetPhase(phase="Initializing"))),
            Step(
                at_seconds=2,
                effects=(
                    Tell(reason="Pulling", type="Normal", message=f'Pulling image "{image}"'),
                    Tell(reason="Failed", message=pull),
                    Tell(reason="Failed", message="Error: ErrImagePull"),
                    Waiting(reason="ErrImagePull", message=pull),
                ),
            ),
            Step(
                at_seconds=5,
                effects=(
                    Tell(reason="BackOff", type="Normal", message=f'Back-off pulling image "{image}"'),
                    Tell(reason="Failed", message="Error: ImagePullBackOff"),
                    Waiting(reason="ImagePullBackOff", message=f'Back-off pulling image "{image}"'),
                ),
            ),
        ),
        expected_statuses=frozenset({"ImagePullBackOff"}),
        expected_causes=frozenset({"image_not_found"}),
    )


def _missing_secret() -> Scenario:
    message = 'secret "wandb-api-key" not found'
    return Scenario(
        key="missing-secret",
        title="Secret that does not exist in the namespace",
        project="speech",
        workload_name="whisper-distill",
        type="Training",
        template=Template(image="registry.example.com/speech/whisper:0.8", command="python", arguments="distill.py"),
        starts_at_seconds=5,
        running_before=False,
        steps=(
            Step(at_seconds=0, effects=(Submit(),)),
            Step(at_seconds=1, effects=(Waiting(reason="ContainerCreating"), SetPhase(phase="Initializing"))),
            Step(
                at_seconds=2,
                effects=(
                    Tell(reason="Failed", message=f"Error: {message}", count=3),
                    Waiting(reason="CreateContainerConfigError", message=message),
                ),
            ),
        ),
        expected_statuses=frozenset({"CreateContainerConfigError"}),
        expected_causes=frozenset({"missing_secret"}),
    )


def _crash_loop() -> Scenario:
    crash = (Log(text=transcripts.BAD_CONFIG), Ended(exit_code=2, reason="Error"))
    back_off = (
        Tell(reason="BackOff", message="Back-off restarting failed container in pod {pod}", count=4),
        Waiting(reason="CrashLoopBackOff", message="back-off 40s restarting failed container"),
    )
    return Scenario(
        key="crash-loop",
        title="Server that refuses its own configuration, again and again",
        project="speech",
        workload_name="asr-streaming",
        type="Inference",
        template=Template(
            image="registry.example.com/speech/serve:5.1",
            command="python",
            arguments="serve.py --model conformer-l --dtype bf16x2",
            restart_policy="Always",
            environment=(("PGPASSWORD", transcripts.DATABASE_PASSWORD),),
        ),
        starts_at_seconds=4,
        running_before=False,
        steps=(
            Step(at_seconds=0, effects=(Submit(), Waiting(reason="ContainerCreating"), SetPhase(phase="Initializing"))),
            Step(at_seconds=1, effects=(Running(),)),
            Step(at_seconds=1.5, effects=crash),
            Step(at_seconds=2, effects=back_off),
            Step(at_seconds=6, effects=(Running(),)),
            Step(at_seconds=6.5, effects=crash),
            Step(at_seconds=7, effects=back_off),
        ),
        # Whichever is seen first: the exit itself, or the pause before the next attempt.
        expected_statuses=frozenset({"Error", "CrashLoopBackOff"}),
        expected_causes=frozenset({"invalid_arguments"}),
    )


def _python_exception() -> Scenario:
    return Scenario(
        key="python-exception",
        title="Uncaught KeyError in the user's own train.py",
        project="vision",
        workload_name="segmentation-resnet",
        type="Training",
        template=Template(image="registry.example.com/vision/base:24.05", command="python", arguments="train.py"),
        starts_at_seconds=7,
        steps=_exit_one(transcripts.KEY_ERROR),
        expected_statuses=frozenset({"Error"}),
        expected_causes=frozenset({"python_exception"}),
    )


def _missing_module() -> Scenario:
    return Scenario(
        key="missing-module",
        title="Library missing from the image",
        project="research",
        workload_name="mamba-ablation-3",
        type="Training",
        template=Template(image="registry.example.com/research/base:11", command="python", arguments="pretrain.py"),
        starts_at_seconds=8,
        running_before=False,
        steps=(
            Step(at_seconds=0, effects=(Submit(), Waiting(reason="ContainerCreating"), SetPhase(phase="Initializing"))),
            Step(at_seconds=1, effects=(Running(), SetPhase(phase="Running"))),
            Step(at_seconds=2, effects=(Log(text=transcripts.MISSING_MODULE), Ended(exit_code=1, reason="Error"))),
            Step(
                at_seconds=3, effects=(SetPhase(phase="Failed", message="Workload failed: pod exited with an error"),)
            ),
        ),
        expected_statuses=frozenset({"Error"}),
        expected_causes=frozenset({"missing_module"}),
    )


def _eviction() -> Scenario:
    return Scenario(
        key="eviction",
        title="Evicted for filling the node's local disk",
        project="research",
        workload_name="activation-export",
        type="Training",
        template=Template(image="registry.example.com/research/base:11", command="python", arguments="export.py"),
        starts_at_seconds=10,
        steps=(
            Step(
                at_seconds=0,
                effects=(
                    Log(text=transcripts.SPILL),
                    Evict(message="Pod ephemeral local storage usage exceeds the total limit of containers 50Gi. "),
                ),
            ),
            Step(at_seconds=1, effects=(SetPhase(phase="Failed", message="Workload failed: pod was evicted"),)),
        ),
        expected_statuses=frozenset({"Evicted"}),
        expected_causes=frozenset({"ephemeral_storage_exceeded"}),
    )


def _over_quota() -> Scenario:
    message = (
        "Non-preemptible workload is over quota. Workload requested 16 GPUs, but project speech quota is 12 GPUs, "
        "while 8 GPUs are already allocated for non-preemptible pods. Use a preemptible workload to go over quota."
    )
    return Scenario(
        key="over-quota",
        title="Workspace stuck behind its project's GPU quota",
        project="speech",
        workload_name="tts-exploration",
        type="Workspace",
        template=Template(
            image="registry.example.com/speech/jupyter:3", command="start-notebook.sh", gpus=16, preemptible=False
        ),
        # It appears almost stuck, as after a cluster reconnects: nobody wants to watch a demo for ten minutes.
        starts_at_seconds=2,
        running_before=False,
        steps=(
            Step(
                at_seconds=0,
                effects=(
                    Submit(
                        phase="Pending",
                        reason="NonPreemptibleOverQuota",
                        message=message,
                        age_seconds=STUCK_AFTER_SECONDS - STILL_MISSING_SECONDS,
                    ),
                    Unschedulable(message=message),
                    Tell(
                        reason="NonPreemptibleOverQuota",
                        message=message,
                        source="runai-scheduler",
                        about_workload=True,
                        count=9,
                    ),
                ),
            ),
        ),
        expected_statuses=frozenset({"Pending"}),
        expected_causes=frozenset({"project_over_quota"}),
    )


def _failing_rank() -> Scenario:
    bystanders = tuple(Log(text=transcripts.NCCL_TIMEOUT.format(rank=rank), pod=rank) for rank in range(8) if rank != 5)
    return Scenario(
        key="failing-rank",
        title="One rank of eight out of memory, the others waiting for it",
        project="llm-pretraining",
        workload_name="moe-8x22b-phase2",
        type="Distributed",
        template=Template(
            image="registry.example.com/llm/megatron:24.07",
            command="torchrun",
            arguments="pretrain_gpt.py",
            replicas=8,
            gpus=8,
            memory="256Gi",
            framework="PyTorch",
        ),
        starts_at_seconds=12,
        steps=(
            Step(
                at_seconds=0,
                effects=(
                    Log(text=transcripts.RANK_BEFORE_OOM, pod=5),
                    *bystanders,
                    Ended(exit_code=137, reason="OOMKilled", pod=5),
                ),
            ),
            Step(at_seconds=1, effects=(SetPhase(phase="Degraded", message="7 of 8 pods are running"),)),
        ),
        expected_statuses=frozenset({"OOMKilled"}),
        expected_causes=frozenset({"container_oom"}),
    )


def _recovery() -> Scenario:
    return Scenario(
        key="recovery",
        title="Fails once, is restarted, recovers by itself",
        project="research",
        workload_name="eval-harness-nightly",
        type="Training",
        template=Template(
            image="registry.example.com/research/eval:7",
            command="python",
            arguments="eval.py --tokenizer /data/tokenizers/v5/tokenizer.json",
            restart_policy="OnFailure",
        ),
        starts_at_seconds=6,
        steps=(
            Step(at_seconds=0, effects=(Log(text=transcripts.NOT_SYNCED_YET), Ended(exit_code=1, reason="Error"))),
            Step(
                at_seconds=1,
                effects=(
                    Tell(reason="BackOff", message="Back-off restarting failed container in pod {pod}"),
                    Waiting(reason="CrashLoopBackOff", message="back-off 10s restarting failed container"),
                ),
            ),
            Step(at_seconds=10, effects=(Running(), Log(text=transcripts.SYNCED))),
        ),
        expected_statuses=frozenset({"Error", "CrashLoopBackOff"}),
        expected_causes=frozenset({"missing_file"}),
        resolves=True,
    )

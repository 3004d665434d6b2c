"""The silent stories: what looks like trouble to a hasty monitor, and is none."""

from __future__ import annotations

from runai_monitor.demo import transcripts
from runai_monitor.demo.objects import Template
from runai_monitor.demo.scenarios import Scenario
from runai_monitor.demo.script import Ended, Log, RemovePods, SetPhase, Step, Submit, TerminatePods, Unschedulable


def distractors() -> tuple[Scenario, ...]:
    """Every story that nobody may be told about."""
    return (_suspended(), _scary_words(), _young_pending())


def _suspended() -> Scenario:
    return Scenario(
        key="suspended",
        title="Suspended by its owner",
        project="vision",
        workload_name="pose-estimation-sweep",
        type="Training",
        template=Template(image="registry.example.com/vision/base:24.05", command="python", arguments="sweep.py"),
        starts_at_seconds=9,
        steps=(
            Step(at_seconds=0, effects=(SetPhase(phase="Stopping"), TerminatePods())),
            Step(at_seconds=1, effects=(Ended(exit_code=143, reason="Error"),)),
            Step(at_seconds=2, effects=(RemovePods(), SetPhase(phase="Stopped", message="Suspended by user"))),
        ),
        silent=True,
    )


def _scary_words() -> Scenario:
    return Scenario(
        key="scary-words",
        title="Logs full of scary words, and a good end",
        project="vision",
        workload_name="diffusion-finetune",
        type="Training",
        template=Template(image="registry.example.com/vision/diffusion:2", command="python", arguments="tune.py"),
        starts_at_seconds=5,
        steps=(
            Step(at_seconds=0, effects=(Log(text=transcripts.SCARY_BUT_FINE), Ended(exit_code=0, reason="Completed"))),
            Step(at_seconds=1, effects=(SetPhase(phase="Completed"),)),
        ),
        silent=True,
    )


def _young_pending() -> Scenario:
    message = "0/24 nodes are available: 24 Insufficient nvidia.com/gpu."
    return Scenario(
        key="young-pending",
        title="Waiting for a free GPU, not for long yet",
        project="llm-pretraining",
        workload_name="reward-model-v2",
        type="Training",
        template=Template(image="registry.example.com/llm/rm:1.3", command="python", arguments="train_rm.py", gpus=4),
        starts_at_seconds=3,
        running_before=False,
        steps=(Step(at_seconds=0, effects=(Submit(), Unschedulable(message=message))),),
        silent=True,
    )

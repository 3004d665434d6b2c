"""The healthy majority: a few hundred workloads that nobody needs to hear about, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

from runai_monitor.demo.director import NODES, new_pod
from runai_monitor.demo.objects import ContainerState, PhaseEntry, Project, Template, Workload
from runai_monitor.demo.world import World, new_id

_PROJECTS = (
    # The third namespace is not what its project's name suggests: who guesses, fails.
    ("llm-pretraining", "runai-llm-pretraining", "foundation-models", 128),
    ("vision", "runai-vision", "applied-ai", 64),
    ("speech", "speech-team-prod", "applied-ai", 12),
    ("research", "runai-research", "foundation-models", 48),
)
_SUBJECTS = ("bert", "llama", "vit", "clip", "whisper", "unet", "mamba", "gpt", "t5", "resnet", "dino", "sam")
_WORK = ("pretrain", "finetune", "sweep", "eval", "distill", "serve", "notebook", "ablation")
_PEOPLE = ("ana.fischer", "li.wei", "omar.haddad", "maja.novak", "tom.baker")
_TYPES = ("Training", "Training", "Training", "Workspace", "Inference", "Distributed")
_PHASES = ("Running",) * 16 + ("Completed",) * 3 + ("Stopped",)


def projects(now: datetime) -> tuple[Project, ...]:
    """The tenant's projects."""
    return tuple(
        Project(
            id=str(4500 + number),
            name=name,
            namespace=namespace,
            department=department,
            department_id=new_id(random.Random(department)),
            gpu_quota=quota,
            created_at=now - timedelta(days=200 - number),
        )
        for number, (name, namespace, department, quota) in enumerate(_PROJECTS)
    )


def populate(world: World, *, count: int) -> None:
    """Adds `count` healthy workloads: most run, some are completed, some stopped."""
    source = random.Random(f"{world.seed}/population")
    for number in range(count):
        _add(world, source, number)


def _add(world: World, source: random.Random, number: int) -> None:
    type_ = source.choice(_TYPES)
    phase = "Running" if type_ in {"Inference", "Workspace"} else source.choice(_PHASES)
    created_at = world.now() - timedelta(hours=source.uniform(3, 240))
    settled_at = created_at + timedelta(minutes=source.uniform(2, 60))
    workload = Workload(
        id=new_id(source),
        name=f"{source.choice(_SUBJECTS)}-{source.choice(_WORK)}-{number:03d}",
        type=type_,
        project=source.choice(world.projects),
        template=Template(
            image=f"registry.example.com/base/pytorch:24.{source.randrange(1, 13):02d}",
            command="python",
            arguments="main.py",
            replicas=source.choice((2, 4)) if type_ == "Distributed" else 1,
            gpus=source.choice((0.5, 1, 1, 2, 4)),
            memory=source.choice(("32Gi", "64Gi", "128Gi")),
            framework="PyTorch" if type_ == "Distributed" else None,
            restart_policy="Always" if type_ == "Inference" else "Never",
            submitted_by=f"{source.choice(_PEOPLE)}@example.com",
        ),
        phase=phase,
        created_at=created_at,
        phase_updated_at=settled_at,
        completed_at=settled_at if phase == "Completed" else None,
        history=(
            PhaseEntry(at=created_at, phase="Pending", message=""),
            PhaseEntry(at=settled_at, phase=phase, message=""),
        ),
    )
    world.put_workload(workload)
    if phase != "Stopped":
        _add_pods(world, workload, source, settled_at)


def _add_pods(world: World, workload: Workload, source: random.Random, settled_at: datetime) -> None:
    began = workload.created_at + timedelta(seconds=50)
    if workload.phase == "Completed":
        state = ContainerState(kind="terminated", reason="Completed", started_at=began, finished_at=settled_at)
    else:
        state = ContainerState(kind="running", started_at=began)
    for index in range(workload.template.replicas):
        pod = new_pod(workload, index=index, source=source, created_at=workload.created_at)
        world.put_pod(
            replace(
                pod,
                phase="Running" if state.kind == "running" else "Succeeded",
                state=state,
                node=source.choice(NODES),
                ip=f"10.{source.randrange(256)}.{source.randrange(256)}.8",
                started_at=began,
                finished_at=state.finished_at,
            )
        )

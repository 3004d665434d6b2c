"""Plays the scripts: turns each effect of a story, and each action of a person, into changes of the world."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from runai_monitor.demo.objects import ContainerState, Event, PhaseEntry, Pod, Workload
from runai_monitor.demo.scenarios import Scenario
from runai_monitor.demo.script import (
    Effect,
    Ended,
    Evict,
    Log,
    RemovePods,
    Running,
    SetPhase,
    Submit,
    Tell,
    TerminatePods,
    Unschedulable,
    Waiting,
)
from runai_monitor.demo.world import World, new_id

WORKLOAD_KINDS = {
    "Training": "TrainingWorkload",
    "Workspace": "InteractiveWorkload",
    "Distributed": "DistributedWorkload",
    "Inference": "InferenceWorkload",
}
NODES = tuple(f"dgx-{generation}-{number:02d}" for generation in ("a100", "h100") for number in range(1, 13))


class Director:
    """Knows one workload and carries out effects on it."""

    def __init__(self, world: World, *, project: str, name: str) -> None:
        self._world = world
        self._project = world.project(project)
        self._name = name
        # Its own source, so that a story's identifiers do not depend on what else happens in the world.
        self._random = random.Random(f"{world.seed}/{project}/{name}")
        self.workload_id = new_id(self._random)

    @property
    def workload(self) -> Workload:
        """The workload as it is now."""
        workload = self._world.workload(self.workload_id)
        assert workload is not None, "the first effect of a story submits its workload"
        return workload

    def submit(self, scenario: Scenario, effect: Submit, *, at: datetime) -> None:
        """The workload appears with its pods, unscheduled."""
        created_at = at - timedelta(seconds=effect.age_seconds)
        workload = Workload(
            id=self.workload_id,
            name=self._name,
            type=scenario.type,
            project=self._project,
            template=scenario.template,
            phase=effect.phase,
            phase_reason=effect.reason,
            phase_message=effect.message,
            created_at=created_at,
            phase_updated_at=created_at,
            history=(
                PhaseEntry(at=created_at, phase="Creating", message=""),
                PhaseEntry(at=created_at, phase=effect.phase, message=effect.message),
            ),
        )
        self._world.put_workload(workload)
        for index in range(scenario.template.replicas):
            self._world.put_pod(new_pod(workload, index=index, source=self._random, created_at=created_at))

    def settle(self, scenario: Scenario, *, at: datetime, age_seconds: float) -> None:
        """The workload has been running healthily for `age_seconds` by `at`."""
        began = at - timedelta(seconds=age_seconds)
        self.submit(scenario, Submit(), at=began)
        self.perform(Running(), at=began + timedelta(seconds=40))
        self.perform(SetPhase(phase="Running"), at=began + timedelta(seconds=41))

    def perform(self, effect: Effect, *, at: datetime) -> None:
        """Carries out one effect at `at`."""
        match effect:
            case Submit():
                raise ValueError("submit() starts a workload, not perform()")
            case SetPhase():
                self._world.set_phase(
                    self.workload_id, phase=effect.phase, reason=effect.reason, message=effect.message, at=at
                )
            case TerminatePods():
                for pod in self._pods(None):
                    self._world.put_pod(replace(pod, deleting_at=at))
            case RemovePods():
                for pod in self._pods(None):
                    self._world.remove_pod(pod, at=at)
            case Tell(about_workload=True):
                self._tell(effect, pod=None, at=at)
            case _:
                for pod in self._pods(effect.pod):
                    self._perform_on(pod, effect, at=at)

    def _pods(self, index: int | None) -> list[Pod]:
        return [pod for pod in self._world.pods_of(self.workload_id) if index in (None, pod.index)]

    def _perform_on(
        self, pod: Pod, effect: Waiting | Running | Ended | Unschedulable | Evict | Log | Tell, *, at: datetime
    ) -> None:
        match effect:
            case Log():
                self._world.write_log(pod, effect.text.strip("\n").split("\n"), at=at)
            case Tell():
                self._tell(effect, pod=pod, at=at)
            case Unschedulable():
                self._world.put_pod(replace(pod, scheduling_message=effect.message))
                self._tell(
                    Tell(reason="FailedScheduling", message=effect.message, source="runai-scheduler"), pod=pod, at=at
                )
            case Waiting():
                self._wait(pod, effect, at=at)
            case Running():
                self._run(pod, at=at)
            case Ended():
                self._end(pod, effect, at=at)
            case Evict():
                self._evict(pod, effect, at=at)

    def _place(self, pod: Pod, *, at: datetime) -> Pod:
        if pod.node is not None:
            return pod
        node = self._random.choice(NODES)
        pod = self._world.put_pod(
            replace(pod, node=node, scheduling_message="", ip=f"10.{self._random.randrange(256)}.4.17", started_at=at)
        )
        message = f"Successfully assigned pod {pod.namespace}/{pod.name} to node {node}"
        self._tell(Tell(reason="Scheduled", message=message, type="Normal", source="runai-scheduler"), pod=pod, at=at)
        return pod

    def _wait(self, pod: Pod, effect: Waiting, *, at: datetime) -> None:
        pod = self._place(pod, at=at)
        ended = pod.state if pod.state is not None and pod.state.kind == "terminated" else pod.last_state
        state = ContainerState(kind="waiting", reason=effect.reason, message=effect.message)
        self._world.put_pod(replace(pod, state=state, last_state=ended))

    def _run(self, pod: Pod, *, at: datetime) -> None:
        pod = self._place(pod, at=at)
        ended = pod.state if pod.state is not None and pod.state.kind == "terminated" else pod.last_state
        if ended is not None:
            self._world.rotate_log(pod)
        state = ContainerState(kind="running", started_at=at)
        restarts = pod.restarts + (ended is not None)
        pod = self._world.put_pod(replace(pod, phase="Running", state=state, last_state=ended, restarts=restarts))
        if ended is None:
            image = pod.template.image
            self._tell(
                Tell(reason="Pulled", type="Normal", message=f'Container image "{image}" present'), pod=pod, at=at
            )
        self._tell(Tell(reason="Started", type="Normal", message="Container started"), pod=pod, at=at)

    def _end(self, pod: Pod, effect: Ended, *, at: datetime) -> None:
        began = pod.state.started_at if pod.state is not None else None
        state = ContainerState(
            kind="terminated",
            reason=effect.reason,
            message=effect.message,
            exit_code=effect.exit_code,
            started_at=began or at,
            finished_at=at,
        )
        if pod.template.restart_policy != "Never":
            self._world.put_pod(replace(pod, state=state))
            return
        phase = "Failed" if effect.exit_code else "Succeeded"
        self._world.put_pod(replace(pod, state=state, phase=phase, finished_at=at))

    def _evict(self, pod: Pod, effect: Evict, *, at: datetime) -> None:
        self._end(pod, Ended(exit_code=137, reason="Error"), at=at)
        ended = self._world.pod(pod.namespace, pod.name)
        assert ended is not None
        self._world.put_pod(replace(ended, phase="Failed", reason="Evicted", message=effect.message, finished_at=at))
        self._tell(Tell(reason="Evicted", message=effect.message), pod=pod, at=at)
        self._tell(Tell(reason="Killing", type="Normal", message="Stopping container main"), pod=pod, at=at)

    def _tell(self, effect: Tell, *, pod: Pod | None, at: datetime) -> None:
        workload = self.workload
        self._world.add_event(
            Event(
                id=new_id(self._random),
                at=at,
                type=effect.type,
                reason=effect.reason,
                message=effect.message.replace("{pod}", pod.name if pod else workload.name),
                source=effect.source,
                workload_id=workload.id,
                namespace=workload.project.namespace,
                object_kind="Pod" if pod else WORKLOAD_KINDS[workload.type],
                object_name=pod.name if pod else workload.name,
                object_uid=pod.uid if pod else workload.id,
                count=effect.count,
            )
        )


def prepare(world: World, scenario: Scenario) -> Director:
    """Sets the stage of a story: its workload runs already when the story says so."""
    director = Director(world, project=scenario.project, name=scenario.workload_name)
    if scenario.running_before:
        director.settle(scenario, at=world.now(), age_seconds=3 * 3600)
    return director


def play(world: World, scenario: Scenario, director: Director, *, time_scale: float = 1.0) -> None:
    """Plans every step of a story, counted from now; `time_scale` stretches it."""
    began = world.now()
    for step in scenario.steps:
        at = began + timedelta(seconds=(scenario.starts_at_seconds + step.at_seconds) * time_scale)
        for effect in step.effects:
            if isinstance(effect, Submit):
                world.schedule(at, lambda at, effect=effect: director.submit(scenario, effect, at=at))  # type: ignore[misc]  # a default binds the loop's effect; mypy types no such lambda
            else:
                world.schedule(at, lambda at, effect=effect: director.perform(effect, at=at))  # type: ignore[misc]  # as above


def suspend(world: World, workload: Workload) -> None:
    """A person suspends a workload: its pods go, it ends up Stopped."""
    now = world.now()
    _phase(world, workload.id, "Stopping", now)
    _terminate_pods(world, workload.id, now)
    world.schedule(now + timedelta(seconds=1), partial(_remove_pods, world, workload.id))
    world.schedule(now + timedelta(seconds=1), partial(_phase, world, workload.id, "Stopped"))


def resume(world: World, workload: Workload) -> None:
    """A person resumes a workload: it gets new pods and runs."""
    now = world.now()
    _phase(world, workload.id, "Resuming", now)
    world.schedule(now + timedelta(seconds=1), partial(_new_pods, world, workload.id))
    world.schedule(now + timedelta(seconds=1), partial(_phase, world, workload.id, "Running"))


def delete(world: World, workload: Workload) -> None:
    """A person deletes a workload: its pods go, then it is listed among the deleted ones only."""
    now = world.now()
    _phase(world, workload.id, "Deleting", now)
    _terminate_pods(world, workload.id, now)
    world.schedule(now + timedelta(seconds=1), partial(_remove_pods, world, workload.id))
    world.schedule(now + timedelta(seconds=1), partial(_forget, world, workload.id))


def _phase(world: World, workload_id: str, phase: str, at: datetime) -> None:
    world.set_phase(workload_id, phase=phase, reason=None, message="", at=at)


def _terminate_pods(world: World, workload_id: str, at: datetime) -> None:
    for pod in world.pods_of(workload_id):
        world.put_pod(replace(pod, deleting_at=at))


def _remove_pods(world: World, workload_id: str, at: datetime) -> None:
    for pod in world.pods_of(workload_id):
        world.remove_pod(pod, at=at)


def _new_pods(world: World, workload_id: str, at: datetime) -> None:
    workload = world.workload(workload_id)
    assert workload is not None
    for index in range(workload.template.replicas):
        fresh = new_pod(workload, index=index, source=random.Random(world.new_id()), created_at=at)
        running = ContainerState(kind="running", started_at=at)
        world.put_pod(replace(fresh, node=NODES[index % len(NODES)], phase="Running", state=running, started_at=at))


def _forget(world: World, workload_id: str, at: datetime) -> None:
    workload = world.workload(workload_id)
    assert workload is not None
    world.put_workload(replace(workload, deleted_at=at))


def new_pod(workload: Workload, *, index: int, source: random.Random, created_at: datetime) -> Pod:
    """A fresh pod of a workload, named as Run:ai's operators name them."""
    distributed = workload.type == "Distributed"
    role = ("master" if index == 0 else "worker") if distributed else "worker"
    if distributed:
        name = f"{workload.name}-{role}-{0 if index == 0 else index - 1}"
    elif workload.type == "Inference":
        name = f"{workload.name}-00001-deployment-{source.getrandbits(36):09x}-{source.getrandbits(20):05x}"
    else:
        name = f"{workload.name}-{index}-0"
    return Pod(
        name=name,
        namespace=workload.project.namespace,
        uid=new_id(source),
        workload_id=workload.id,
        workload_name=workload.name,
        project=workload.project.name,
        index=index,
        role=role,
        template=workload.template,
        created_at=created_at,
    )

"""Simulated tenants for end-to-end tests: the settings that make a server quick, and jobs that fail on cue."""

from __future__ import annotations

from pathlib import Path

from runai_monitor.demo.director import prepare
from runai_monitor.demo.embedded import monitor_environment
from runai_monitor.demo.objects import Template
from runai_monitor.demo.scenarios import Scenario
from runai_monitor.demo.script import Effect, Ended, Log, Running, SetPhase, Tell, Waiting
from runai_monitor.demo.tenant import Tenant


def fast_environment(tenant: Tenant, state_dir: Path, *, slack: bool = True, **more: str) -> dict[str, str]:
    """The variables of a server that watches `tenant` and decides within seconds; `more` by their full names."""
    quick = {
        "RUNAI_MONITOR_POLL_INTERVAL_SECONDS": "1",
        "RUNAI_MONITOR_RESOLVE_AFTER_SECONDS": "2",
        "RUNAI_MONITOR_SUSPECT_AFTER_SECONDS": "1",
    }
    return monitor_environment(tenant, state_dir=state_dir, slack=slack) | quick | more


class Job:
    """A job of the tenant that runs healthily until it is told otherwise.

    Its pod restarts the container, so it can fail and recover; `fail` is final.
    """

    def __init__(self, tenant: Tenant, name: str, *, project: str = "vision") -> None:
        self.name = name
        self.project = project
        self._world = tenant.world
        scenario = Scenario(
            key=name,
            title=name,
            project=project,
            workload_name=name,
            type="Training",
            template=Template(
                image="registry.example.com/vision/base:24.05", command="python", restart_policy="OnFailure"
            ),
            starts_at_seconds=0,
            steps=(),
        )
        self._director = prepare(tenant.world, scenario)

    def out_of_memory(self) -> None:
        """The kernel kills its container, which then waits to be restarted."""
        self._perform(
            Log(text="loading shard 17 of 32\n"),
            Ended(exit_code=137, reason="OOMKilled"),
            Tell(reason="BackOff", message="Back-off restarting failed container in pod {pod}"),
            Waiting(reason="CrashLoopBackOff", message="back-off 10s restarting failed container"),
        )

    def recover(self) -> None:
        """Its container runs again."""
        self._perform(Running())

    def fail(self) -> None:
        """Run:ai gives it up."""
        self._perform(
            Tell(reason="BackoffLimitExceeded", message="Job has reached the specified backoff limit"),
            SetPhase(phase="Failed", message="Workload failed: pod exited with an error"),
        )

    def _perform(self, *effects: Effect) -> None:
        for effect in effects:
            self._director.perform(effect, at=self._world.now())


def slack_texts(tenant: Tenant, name: str) -> list[str]:
    """What the Slack receiver got about one job."""
    return [text for message in tenant.slack.messages if name in (text := str(message.get("text", "")))]

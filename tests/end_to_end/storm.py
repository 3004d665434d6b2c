"""A storm for tests and measurements: jobs on one node of a simulated tenant that fail together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from runai_monitor.demo.tenant import Tenant
from tests.end_to_end.stage import Job

NODE = "dgx-storm-01"
MARK = "storm-"


def jobs_on_one_node(tenant: Tenant, count: int, *, projects: Sequence[str]) -> list[Job]:
    """Healthy jobs, all of whose pods are on `NODE`."""
    jobs = [Job(tenant, f"{MARK}{number:04d}", project=projects[number % len(projects)]) for number in range(count)]
    for pod in list(tenant.world.pods(None)):
        if MARK in pod.name:
            tenant.world.put_pod(replace(pod, node=NODE))
    return jobs


def headlines(messages: Iterable[dict[str, object]]) -> list[str]:
    """What a phone shows of each message."""
    return [str(message.get("text", "")) for message in messages]

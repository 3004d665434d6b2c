"""A tenant that costs next to nothing to ask: Run:ai, Kubernetes and a Slack webhook in a process of their own.

Rows and pods are bytes made beforehand, as large as real ones, so that what is measured is whoever asks. Changes are
ordered over `/bench/…`; what it answers and what arrives carries instants of the system's monotonic clock, which all
processes of a machine share.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import web

PROJECTS = 100
CLUSTER = "71f69d83-ba66-4822-adf5-55ce55efd210"
TOKEN = "t0ken-of-the-bench"
_BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=10)
_EARLY = "2026-01-01T00:00:00.000Z"
_REQUESTS = {
    "gpu": {"request": 2, "limit": 2},
    "gpuRequestType": "portion",
    "cpu": {"request": 8, "limit": 8},
    "cpuMemory": {"request": "128Gi", "limit": "128Gi"},
    "extendedResources": [],
}


def instant(at: datetime) -> str:
    """As both APIs write it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def row(number: int, phase: str, updated_at: str) -> bytes:
    """A row of Run:ai's workload list, 1.7 kB, with the fields that its schema requires."""
    project = number % PROJECTS
    body = {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "tenantId": 1007,
        "clusterId": CLUSTER,
        "name": f"job-{number}",
        "type": "Training",
        "category": "Train",
        "projectId": str(4500 + project),
        "projectName": f"project-{project}",
        "departmentId": "df3849c1-862f-4d25-a937-2b9654befc5d",
        "departmentName": "foundation-models",
        "namespace": f"runai-project-{project}",
        "phase": phase,
        "phaseMessage": "",
        "phaseUpdatedAt": updated_at,
        "k8sPhase": phase,
        "k8sPhaseUpdatedAt": updated_at,
        "conditions": [{"type": phase, "status": "True", "message": "", "lastTransitionTime": updated_at}],
        "createdAt": instant(_BEGAN + timedelta(seconds=number)),
        "updatedAt": updated_at,
        "deletedAt": None,
        "completedAt": None,
        "submittedBy": f"person-{number % 300}@example.com",
        "source": "CLI",
        "priorityClassName": "low",
        "preemptible": True,
        "images": [f"registry.example.com/base/pytorch:24.{number % 12:02d}"],
        "command": "python",
        "arguments": "main.py --config configs/base.yaml",
        "environmentVariables": {},
        "actionsSupport": {"delete": True, "suspend": True},
        "currentNodePools": ["default"],
        "requestedNodePools": ["default"],
        "runningPods": 1,
        "requestedPods": {"number": 1, "parallelism": 1},
        "workloadRequestedResources": _REQUESTS,
        "podsRequestedResources": _REQUESTS,
        "allocatedResources": {"gpu": 2, "cpu": 8, "extendedResources": []},
        "urls": [],
    }
    return json.dumps(body, separators=(",", ":")).encode()


def pod(number: int, version: int, *, killed_at: str | None = None) -> bytes:
    """A workload's one pod, running or OOMKilled."""
    name, project, began = f"job-{number}", number % PROJECTS, instant(_BEGAN + timedelta(seconds=number))
    image = f"registry.example.com/base/pytorch:24.{number % 12:02d}"
    state: dict[str, Any] = {"running": {"startedAt": began}}
    if killed_at is not None:
        ended = {"exitCode": 137, "reason": "OOMKilled", "startedAt": began, "finishedAt": killed_at}
        state = {"terminated": ended}
    resources = {"cpu": "8", "memory": "128Gi", "nvidia.com/gpu": "2"}
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": began}
        for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    ]
    body = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "name": f"{name}-0-0",
            "namespace": f"runai-project-{project}",
            "uid": f"10000000-0000-4000-8000-{number:012d}",
            "resourceVersion": str(version),
            "creationTimestamp": began,
            "labels": {"workloadName": name, "project": f"project-{project}", "runai/queue": f"project-{project}"},
            "ownerReferences": [
                {
                    "apiVersion": "run.ai/v1",
                    "kind": "RunaiJob",
                    "name": name,
                    "uid": f"00000000-0000-4000-8000-{number:012d}",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "containers": [
                {
                    "name": name,
                    "image": image,
                    "command": ["python"],
                    "args": ["main.py"],
                    "resources": {"limits": resources, "requests": resources},
                }
            ],
            "restartPolicy": "Never",
            "schedulerName": "runai-scheduler",
            "imagePullSecrets": [{"name": "registry-credentials"}],
            "serviceAccountName": "default",
            "nodeName": f"dgx-h100-{number % 500:03d}",
        },
        "status": {
            "phase": "Running" if killed_at is None else "Failed",
            "conditions": conditions,
            "qosClass": "Guaranteed",
            "startTime": began,
            "containerStatuses": [
                {
                    "name": name,
                    "image": image,
                    "imageID": image + "@sha256:" + "0" * 64,
                    "ready": killed_at is None,
                    "started": True,
                    "restartCount": 0,
                    "state": state,
                    "lastState": {},
                }
            ],
        },
    }
    return json.dumps(body, separators=(",", ":")).encode()


class Fleet:
    """The workloads, the first `pods` of which have a pod."""

    def __init__(self, workloads: int, pods: int, log_kb: int = 6) -> None:
        self.rows = [row(number, "Running", _EARLY) for number in range(workloads)]
        self.changed: dict[int, str] = {}
        """When those that ever changed did so last, the longest ago first."""
        self.pods = {number: pod(number, 1) for number in range(pods)}
        fields = " ".join(f"grad_norm.{number}={number * 0.0137:.4f}" for number in range(1_000))
        step = f"loss 1.93 | 3112 tokens/s/gpu | mem 71.2 GiB | {fields}"[: log_kb * 10 - 12]
        self.log_text = "\n".join(f"step {number} | {step}" for number in range(100))
        self.version = 1
        self.watches: list[asyncio.Queue[bytes]] = []
        self.delivered: list[tuple[float, str]] = []
        self.body_bytes = 0

    def touch(self, numbers: range, phase: str) -> None:
        """These are in this phase from now on."""
        now = instant(datetime.now(UTC))
        for number in {number % len(self.rows) for number in numbers}:
            self.rows[number] = row(number, phase, now)
            self.changed.pop(number, None)
            self.changed[number] = now

    def kill(self, numbers: range) -> dict[str, float]:
        """The pods of these are OOMKilled; when each watch was told, by workload name."""
        told: dict[str, float] = {}
        for number in numbers:
            self.version += 1
            self.pods[number] = pod(number, self.version, killed_at=instant(datetime.now(UTC)))
            line = b'{"type":"MODIFIED","object":' + self.pods[number] + b"}\n"
            told[f"job-{number}"] = time.monotonic()
            for queue in self.watches:
                queue.put_nowait(line)
        return told

    # --- Run:ai -------------------------------------------------------------------------------------------------

    async def token(self, _: web.Request) -> web.Response:
        """A token."""
        return web.json_response({"accessToken": TOKEN, "expiresIn": 36_000})

    async def workloads(self, request: web.Request) -> web.Response:
        """A page, by creation, of all or of what changed since, of one project or of all."""
        numbers: list[int] | range = range(len(self.rows))
        for term in filter(None, request.query.get("filterBy", "").split(",")):
            if term.startswith("phaseUpdatedAt>="):
                since = term.removeprefix("phaseUpdatedAt>=")
                numbers = sorted(number for number, at in self.changed.items() if at >= since)
            elif term.startswith("projectName=="):
                numbers = [number for number in numbers if f"project-{number % PROJECTS}" == term[13:]]
        offset, limit = int(request.query.get("offset", "0")), int(request.query.get("limit", "50"))
        end = offset + limit
        following = str(end).encode() if end < len(numbers) else b"null"
        body = (
            b'{"workloads":[' + b",".join(self.rows[n] for n in numbers[offset:end]) + b'],"next":' + following + b"}"
        )
        self.body_bytes += len(body)
        return web.Response(body=body, content_type="application/json")

    async def workload(self, request: web.Request) -> web.Response:
        """One workload."""
        return web.Response(body=self.rows[int(request.match_info["id"][-12:])], content_type="application/json")

    async def workload_pods(self, request: web.Request) -> web.Response:
        """Its pod as Run:ai lists it."""
        number = int(request.match_info["id"][-12:])
        found = [{"name": f"job-{number}-0-0", "id": str(number), "k8sPhase": "Failed"}] if number in self.pods else []
        return web.json_response({"pods": found})

    async def empty(self, _: web.Request) -> web.Response:
        """A list of nothing."""
        return web.json_response({"events": [], "records": [], "projects": [], "items": [], "metadata": {}})

    # --- Kubernetes ---------------------------------------------------------------------------------------------

    async def kube_pods(self, request: web.Request) -> web.StreamResponse:
        """A list of all pods, or a watch of them."""
        if request.query.get("watch") == "true":
            return await self._watch(request)
        body = b'{"kind":"PodList","metadata":{"resourceVersion":"%d"},"items":[' % self.version
        numbers, after = list(self.pods), int(request.query.get("continue", "0"))
        limit = int(request.query.get("limit", "500"))
        if after + limit < len(numbers):
            body = b'{"kind":"PodList","metadata":{"resourceVersion":"%d","continue":"%d"},"items":[' % (
                self.version,
                after + limit,
            )
        body += b",".join(self.pods[number] for number in numbers[after : after + limit]) + b"]}"
        return web.Response(body=body, content_type="application/json")

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/json"})
        await response.prepare(request)
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.watches.append(queue)
        try:
            while True:
                await response.write(await queue.get())
        finally:
            self.watches.remove(queue)

    async def kube_pod(self, request: web.Request) -> web.Response:
        """One pod."""
        number = int(request.match_info["pod"].split("-")[1])
        return web.Response(body=self.pods[number], content_type="application/json")

    async def namespaced_pods(self, request: web.Request) -> web.Response:
        """The pod of the workload that a label selector names."""
        number = int(request.query.get("labelSelector", "workloadName=job-0").rpartition("-")[2])
        body = b'{"kind":"PodList","metadata":{"resourceVersion":"1"},"items":[' + self.pods.get(number, b"") + b"]}"
        return web.Response(body=body, content_type="application/json")

    async def log(self, _: web.Request) -> web.Response:
        """The end of a log."""
        return web.Response(text=self.log_text)

    # --- Slack and the bench itself -----------------------------------------------------------------------------

    async def node(self, request: web.Request) -> web.Response:
        """A node that is well."""
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": _EARLY}
        body = {"metadata": {"name": request.match_info["name"]}, "spec": {}, "status": {"conditions": [ready]}}
        return web.json_response({"apiVersion": "v1", "kind": "Node", **body})

    async def slack(self, request: web.Request) -> web.Response:
        """Takes a message and notes when."""
        self.delivered.append((time.monotonic(), await request.text()))
        return web.Response(text="ok")

    async def order(self, request: web.Request) -> web.Response:
        """`touch` or `kill` a range; `state` tells what was sent and delivered."""
        query = request.query
        numbers = range(int(query.get("first", "0")), int(query.get("first", "0")) + int(query.get("count", "0")))
        if request.match_info["what"] == "touch":
            self.touch(numbers, query.get("phase", "Running"))
        elif request.match_info["what"] == "kill":
            return web.json_response(self.kill(numbers))
        return web.json_response(
            {
                "bytes": self.body_bytes,
                "watches": len(self.watches),
                "delivered": self.delivered,
                "pods": len(self.pods),
            }
        )

    def app(self) -> web.Application:
        """All of it."""
        app = web.Application()
        app.router.add_post("/api/v1/token", self.token)
        app.router.add_get("/api/v1/workloads", self.workloads)
        app.router.add_get("/api/v1/workloads/{id}", self.workload)
        app.router.add_get("/api/v1/workloads/{id}/pods", self.workload_pods)
        app.router.add_get("/api/v1/pods", self.kube_pods)
        app.router.add_get("/api/v1/namespaces/{ns}/pods", self.namespaced_pods)
        app.router.add_get("/api/v1/namespaces/{ns}/pods/{pod}", self.kube_pod)
        app.router.add_get("/api/v1/namespaces/{ns}/pods/{pod}/log", self.log)
        app.router.add_get("/api/v1/nodes/{name}", self.node)
        app.router.add_post("/slack", self.slack)
        app.router.add_route("*", "/bench/{what}", self.order)
        app.router.add_get("/{path:.*}", self.empty)
        return app


def _serve(workloads: int, pods: int, log_kb: int, told: Connection) -> None:
    async def run() -> None:
        runner = web.AppRunner(Fleet(workloads, pods, log_kb).app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        told.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(run())


@contextmanager
def tenant(workloads: int, *, pods: int = 0, log_kb: int = 6) -> Iterator[str]:
    """A running tenant's address, as long as the block lasts; the end of each log, 100 lines, has `log_kb` kilobytes."""
    context = multiprocessing.get_context("spawn")
    heard, told = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(workloads, pods, log_kb, told), daemon=True)
    process.start()
    try:
        if not heard.poll(120):
            raise SystemExit("the tenant did not start")
        yield f"http://127.0.0.1:{heard.recv()}"
    finally:
        process.terminate()
        process.join()

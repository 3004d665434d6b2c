"""A Kubernetes API on a loopback socket: scripted answers by path, and a record of what was asked."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import yaml
from aiohttp import web

from runai_monitor.kube.client import KubeClient
from runai_monitor.kube.connect import connect
from tests.fakes import FakeClock

TOKEN = "t0ken-of-the-service-account"
PODS = "/api/v1/pods"
VISION_PODS = "/api/v1/namespaces/runai-vision/pods"
Json = dict[str, Any]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class FakeKube:
    """`answers` (by path) and `watches` are scripts: each request takes the next answer, the last one repeats."""

    watches: list[Answer] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=lambda: {f"Bearer {TOKEN}"})
    requests: list[web.Request] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if request.headers.get("Authorization") not in self.accepted:
            return refuse(401, "Unauthorized")
        script = self.watches if request.query.get("watch") == "true" else self.answers.get(request.path)
        if not script:
            return refuse(404, "the server could not find the requested resource")
        answer = script.pop(0) if len(script) > 1 else script[0]
        return await answer(request)

    @property
    def watched(self) -> list[web.Request]:
        return [request for request in self.requests if request.query.get("watch") == "true"]

    @property
    def listed(self) -> list[web.Request]:
        return [request for request in self.requests if request.query.get("watch") != "true"]


@asynccontextmanager
async def serving(fake: FakeKube, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[FakeKube]:
    """The fake on a free loopback port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        fake.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        yield fake
    finally:
        await runner.cleanup()


@asynccontextmanager
async def connected(fake: FakeKube, tmp_path: Path, clock: FakeClock) -> AsyncIterator[KubeClient]:
    """A client of the fake by a kubeconfig with a plain token."""
    async with serving(fake), opened(write_kubeconfig(tmp_path / "config", fake.url), clock) as client:
        yield client


@asynccontextmanager
async def opened(
    path: Path | str, clock: FakeClock, *, context: str | None = None, redact: Callable[[str], str] = str
) -> AsyncIterator[KubeClient]:
    client = await connect(kubeconfig=str(path), context=context, clock=clock, redact=redact, environ={})
    try:
        yield client
    finally:
        await client.aclose()


def write_kubeconfig(
    path: Path, server: str, *, user: Json | None = None, cluster: Mapping[str, Any] | None = None, name: str = "here"
) -> Path:
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": name,
                "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
                "clusters": [{"name": name, "cluster": {"server": server, **(cluster or {})}}],
                "users": [{"name": name, "user": {"token": TOKEN} if user is None else user}],
            }
        )
    )
    return path


# --- answers ---------------------------------------------------------------------------------------------------------


def say(body: object, status: int = 200, **headers: str) -> Answer:
    """JSON, or bytes as they are."""

    async def answer(request: web.Request) -> web.StreamResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(status=status, body=raw, headers=headers, content_type="application/json")

    return answer


def fail(code: int, message: str = "no", **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = refuse(code, message)
        response.headers.update(headers)
        return response

    return answer


def refuse(code: int, message: str) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return web.Response(status=code, body=json.dumps(body).encode(), content_type="application/json")


def drop() -> Answer:
    """The connection is lost instead of an answer."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    return answer


def stream(*lines: Json | bytes, cut: bool = False, hold: bool = False) -> Answer:
    """A watch: lines, then a proper end, a connection cut in the middle of a chunk, or silence."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for line in lines:
            await response.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        if hold:
            await anyio.sleep_forever()
        if cut:
            assert request.transport is not None
            request.transport.close()
        return response

    return answer


# --- objects ---------------------------------------------------------------------------------------------------------


def pod_json(name: str, *, version: str = "10", namespace: str = "runai-vision", **status: Any) -> Json:
    return {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "resourceVersion": version,
            "labels": {"workloadName": "train"},
        },
        "spec": {"containers": [{"name": "main", "image": "pytorch"}]},
        "status": {"phase": "Running", **status},
    }


def listing(*items: Json, version: str = "100", token: str = "") -> Json:
    return {"kind": "List", "metadata": {"resourceVersion": version, "continue": token}, "items": list(items)}


def change(kind: str, item: Json) -> Json:
    return {"type": kind, "object": item}


def bookmark(version: str) -> Json:
    return change("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": version}})


def expired() -> Json:
    return change("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"})

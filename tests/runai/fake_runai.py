"""A control plane at the transport seam: scripted answers, and a record of what was asked."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import anyio
import anyio.lowlevel
import httpx2

from runai_monitor.runai.client import RunaiClient
from runai_monitor.runai.transport import RunaiTransport
from tests.fakes import FakeClock

T = TypeVar("T")
Answer = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]

SECRET = "s3cr3t-of-the-service-account"
TOKEN_PATH = "/api/v1/token"
PLANTED = "hunter2-of-somebody-else"
WORKLOADS = "/api/v1/workloads"


def json_answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    return httpx2.Response(status, content=json.dumps(body).encode(), headers=dict(headers or {}))


def workload_row(number: int, **changes: object) -> dict[str, object]:
    """A row as the API lists it."""
    return {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "name": f"job-{number}",
        "type": "Training",
        "phase": "Running",
        "projectName": "vision",
        "namespace": "runai-vision",
        "clusterId": "71f69d83-ba66-4822-adf5-55ce55efd210",
        "createdAt": f"2026-02-01T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
        "phaseUpdatedAt": "2026-02-01T00:00:00.000Z",
    } | changes


class FakeRunai:
    """Answers each path from its own script; the last answer of a script repeats. Tokens are numbered from `token-1`."""

    def __init__(self, scripts: Mapping[str, list[Answer]] | None = None) -> None:
        self.scripts: dict[str, list[Answer]] = {path: list(answers) for path, answers in (scripts or {}).items()}
        self.requests: list[httpx2.Request] = []
        self.tokens = 0
        self.token_life_seconds = 3600

    async def handle(self, request: httpx2.Request) -> httpx2.Response:
        await anyio.lowlevel.checkpoint()
        self.requests.append(request)
        script = self.scripts.get(request.url.path)
        if script is None:
            if request.url.path == TOKEN_PATH:
                return self.grant(request)
            return json_answer({"code": 404, "message": "no such path"}, 404)
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            return answer(request)
        return httpx2.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def grant(self, request: httpx2.Request) -> httpx2.Response:
        self.tokens += 1
        return json_answer({"accessToken": f"token-{self.tokens}", "expiresIn": self.token_life_seconds})

    def asked(self, path: str) -> list[httpx2.Request]:
        return [request for request in self.requests if request.url.path == path]


def hide_planted(text: str) -> str:
    """Stands in for redaction: knows one secret that is not ours."""
    return text.replace(PLANTED, "[redacted]")


def make_transport(
    fake: FakeRunai, clock: FakeClock, *, base_url: str = "https://runai.example", timeout_seconds: float = 60
) -> RunaiTransport:
    return RunaiTransport(
        base_url=base_url,
        client_id="client-7",
        client_secret=SECRET,
        clock=clock,
        redact=hide_planted,
        timeout_seconds=timeout_seconds,
        http_transport=httpx2.MockTransport(fake.handle),
        jitter=lambda: 1.0,
    )


async def make_client(fake: FakeRunai, clock: FakeClock) -> RunaiClient:
    """Warmed up, so that no call waits for a thread while the clock is moved."""
    client = RunaiClient(make_transport(fake, clock))
    await client.warm_up()
    return client


async def settle(clock: FakeClock, call: Callable[[], Awaitable[T]], *, within_seconds: int = 120) -> T:
    """Runs `call`, moving the clock second by second until it ends; raises what it raised."""
    outcome: list[T] = []
    errors: list[Exception] = []

    async def run() -> None:
        try:
            outcome.append(await call())
        except Exception as exc:  # noqa: BLE001 - raised again below, where the task group does not wrap it
            errors.append(exc)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            for _ in range(50):  # most calls end without waiting, and moving the clock is slow
                await anyio.lowlevel.checkpoint()
            for _ in range(within_seconds):
                if outcome or errors:
                    break
                await clock.advance(1)
            else:
                tasks.cancel_scope.cancel()
                raise AssertionError("the call did not end within the time of the fake clock")
    if errors:
        raise errors[0]
    return outcome[0]

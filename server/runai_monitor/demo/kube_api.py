"""A Kubernetes API server as an ASGI application over a world: pods, events, logs, watches, nodes, read-only.

Its manners are those of a real one where clients stumble: 410 inside a 200, fields that cannot be selected by, logs of
a container that never started, list items without a kind.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from runai_monitor.clock import Clock
from runai_monitor.demo.kube_cluster import node_json, node_names
from runai_monitor.demo.kube_query import (
    EVENT_FIELDS,
    POD_FIELDS,
    BadSelectorError,
    Json,
    field_selector,
    label_selector,
)
from runai_monitor.demo.kube_watch import PodStream
from runai_monitor.demo.kube_wire import event_json, instant, list_json, pod_json, status_json
from runai_monitor.demo.objects import Pod
from runai_monitor.demo.transcripts import healthy_log
from runai_monitor.demo.world import World

Answer = Callable[[Request], Awaitable[Response]]

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    422: "Invalid",
}
# Unlike Run:ai, an API server ignores parameters that it does not know.
_DEFAULT_WATCH_SECONDS = 1800


class KubeError(Exception):
    """A refusal, answered as a Status object."""

    def __init__(self, code: int, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason or _REASONS.get(code, "")


class KubeApi:
    """The API server of the tenant's cluster.

    Args:
        world: what it tells about.
        clock: for the life of watches.
        token: the one bearer token it accepts.
        expire_first_watch: ends the first watch with a 410 after a few changes, as compaction does.

    Attributes:
        forbidden: resources that RBAC does not let the account read: `pods`, `events`, `pods/log`.
    """

    def __init__(self, world: World, *, clock: Clock, token: str, expire_first_watch: bool = False) -> None:
        self._world = world
        self._clock = clock
        self._token = token
        self._expire_next_watch = expire_first_watch
        self._closing = anyio.Event()
        self.forbidden: frozenset[str] = frozenset()
        scope = "/api/v1/namespaces/{namespace}"
        self.app = Starlette(
            routes=[
                Route("/api/v1/pods", self._guarded(self._pods, "pods"), methods=["GET"]),
                Route("/api/v1/events", self._guarded(self._events, "events"), methods=["GET"]),
                Route(f"{scope}/pods", self._guarded(self._pods, "pods"), methods=["GET"]),
                Route(f"{scope}/events", self._guarded(self._events, "events"), methods=["GET"]),
                Route(f"{scope}/pods/{{name}}", self._guarded(self._pod, "pods"), methods=["GET"]),
                Route(f"{scope}/pods/{{name}}/log", self._guarded(self._log, "pods/log"), methods=["GET"]),
                Route("/api/v1/nodes", self._guarded(self._nodes, "nodes"), methods=["GET"]),
                Route("/api/v1/nodes/{name}", self._guarded(self._node, "nodes"), methods=["GET"]),
                Route(
                    f"{scope}/persistentvolumeclaims/{{name}}",
                    self._guarded(self._claim, "persistentvolumeclaims"),
                    methods=["GET"],
                ),
                Route(f"{scope}/resourcequotas", self._guarded(self._none, "resourcequotas"), methods=["GET"]),
                Route(f"{scope}/limitranges", self._guarded(self._none, "limitranges"), methods=["GET"]),
                Route("/version", self._guarded(self._version, ""), methods=["GET"]),
            ],
            exception_handlers={KubeError: _kube_error, HTTPException: _http_error, BadSelectorError: _bad_selector},
        )

    def close(self) -> None:
        """Ends every open watch, so that the server can stop."""
        self._closing.set()

    def _guarded(self, answer: Answer, resource: str) -> Answer:
        async def guarded(request: Request) -> Response:
            self._world.advance()
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(token, self._token):
                raise KubeError(401, "Unauthorized")
            if resource in self.forbidden:
                account = 'User "system:serviceaccount:monitoring:demo"'
                raise KubeError(403, f'{resource} is forbidden: {account} cannot get resource "{resource}"')
            return await answer(request)

        return guarded

    async def _version(self, _request: Request) -> Response:
        return JSONResponse({"major": "1", "minor": "32", "gitVersion": "v1.32.4"})

    async def _pods(self, request: Request) -> Response:
        namespace = request.path_params.get("namespace")
        params = request.query_params
        by_field = field_selector(params.get("fieldSelector", ""), POD_FIELDS)
        by_label = label_selector(params.get("labelSelector", ""))

        def accepts(item: Json) -> bool:
            return by_field(item) and by_label(item)

        if params.get("watch") in {"true", "1"}:
            return self._watch(request, namespace, accepts)
        items = [item for pod in self._world.pods(namespace) if accepts(item := pod_json(pod, kind=False))]
        return self._listed(request, "PodList", items)

    async def _events(self, request: Request) -> Response:
        namespace = request.path_params.get("namespace")
        accepts = field_selector(request.query_params.get("fieldSelector", ""), EVENT_FIELDS)
        items = [item for event in self._world.events(namespace) if accepts(item := event_json(event))]
        return self._listed(request, "EventList", items)

    async def _nodes(self, request: Request) -> Response:
        found = [self._node_json(name) for name in node_names(self._world)]
        return self._listed(request, "NodeList", found)

    async def _node(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in node_names(self._world):
            raise KubeError(404, f'nodes "{name}" not found')
        return JSONResponse(self._node_json(name))

    def _node_json(self, name: str) -> Json:
        return node_json(name, now=self._world.now(), lost=name in self._world.lost_nodes)

    async def _claim(self, request: Request) -> Response:
        raise KubeError(404, f'persistentvolumeclaims "{request.path_params["name"]}" not found')

    async def _none(self, request: Request) -> Response:
        return self._listed(request, "List", [])

    def _listed(self, request: Request, kind: str, items: list[Json]) -> Response:
        limit = _integer(request, "limit") or 0
        # A later page speaks for the version of the first one, so that a watch from it misses nothing in between.
        version, start = self._world.version, 0
        if token := request.query_params.get("continue", ""):
            try:
                said, key = token.split(":", 1)
                version, start = int(said), [_key(item) for item in items].index(key) + 1
            except ValueError as exc:
                raise KubeError(410, "The provided continue parameter is too old", reason="Expired") from exc
        page = items[start : start + limit] if limit > 0 else items[start:]
        remaining = len(items) - start - len(page)
        following = f"{version}:{_key(page[-1])}" if remaining and page else ""
        return JSONResponse(list_json(kind, page, version=version, following=following, remaining=remaining))

    def _watch(self, request: Request, namespace: str | None, accepts: Callable[[Json], bool]) -> Response:
        seconds = _integer(request, "timeoutSeconds") or _DEFAULT_WATCH_SECONDS
        version = _integer(request, "resourceVersion") or 0
        expire_after, self._expire_next_watch = (4 if self._expire_next_watch else None), False
        stream = PodStream(
            self._world,
            clock=self._clock,
            closing=self._closing,
            namespace=namespace,
            accepts=accepts,
            bookmarks=request.query_params.get("allowWatchBookmarks") in {"true", "1"},
            seconds=seconds,
            expire_after=expire_after,
        )
        return StreamingResponse(_lines(stream.follow(version)), media_type="application/json")

    def _existing_pod(self, request: Request) -> Pod:
        namespace, name = request.path_params["namespace"], request.path_params["name"]
        pod = self._world.pod(namespace, name)
        if pod is None:
            raise KubeError(404, f'pods "{name}" not found')
        return pod

    async def _pod(self, request: Request) -> Response:
        return JSONResponse(pod_json(self._existing_pod(request)))

    async def _log(self, request: Request) -> Response:
        pod = self._existing_pod(request)
        container = request.query_params.get("container", pod.container)
        if container != pod.container:
            raise KubeError(400, f"container {container} is not valid for pod {pod.name}")
        tail = _integer(request, "tailLines")
        limit_bytes = _integer(request, "limitBytes")
        if (tail is not None and tail < 0) or (limit_bytes is not None and limit_bytes < 1):
            raise KubeError(422, "PodLogOptions is invalid: tailLines and limitBytes must be positive")
        lines = self._lines_of(pod, previous=request.query_params.get("previous") in {"true", "1"})
        if tail is not None:
            lines = lines[len(lines) - min(tail, len(lines)) :]
        stamped = request.query_params.get("timestamps") in {"true", "1"}
        text = "".join(f"{at} {line}\n" if stamped else f"{line}\n" for at, line in lines)
        return PlainTextResponse(text.encode()[:limit_bytes])

    def _lines_of(self, pod: Pod, *, previous: bool) -> list[tuple[str, str]]:
        state = pod.state
        waiting = state is None or state.kind == "waiting"
        if previous:
            if pod.last_state is None:
                raise KubeError(400, f'previous terminated container "{pod.container}" in pod "{pod.name}" not found')
            # Between two runs the last one is both the current and the previous one, as kubelet sees it.
            found = self._world.log(pod, previous=not waiting)
        elif waiting and pod.last_state is None:
            why = "trying and failing to pull image" if state and "Pull" in state.reason else state and state.reason
            raise KubeError(
                400, f'container "{pod.container}" in pod "{pod.name}" is waiting to start: {why or "not scheduled"}'
            )
        else:
            found = self._world.log(pod)
            if not found and not pod.restarts:
                text = healthy_log(name=pod.workload_name, index=pod.index)
                found = [(pod.started_at or pod.created_at, line) for line in text.split("\n")]
        return [(instant(at), line) for at, line in found]


def _key(item: Json) -> str:
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


def _integer(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError as exc:
        raise KubeError(400, f"{name}: {text!r} is not an integer") from exc


async def _lines(changes: AsyncIterator[Json]) -> AsyncIterator[bytes]:
    async for change in changes:
        yield json.dumps(change, separators=(",", ":")).encode() + b"\n"


async def _kube_error(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, KubeError)
    return JSONResponse(status_json(exc.code, exc.reason, str(exc)), status_code=exc.code)


async def _bad_selector(_request: Request, exc: Exception) -> Response:
    return JSONResponse(status_json(400, "BadRequest", str(exc)), status_code=400)


async def _http_error(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    message = "the server could not find the requested resource" if exc.status_code == 404 else exc.detail
    return JSONResponse(
        status_json(exc.status_code, _REASONS.get(exc.status_code, ""), message), status_code=exc.status_code
    )

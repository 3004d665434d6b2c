"""Run:ai's control plane as an ASGI application over a world.

Paths, parameters, answers and refusals follow the published OpenAPI document; what it does not have is a 404.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from runai_monitor.demo import director
from runai_monitor.demo.faults import Fault, FaultPlan
from runai_monitor.demo.kube_cluster import node_names
from runai_monitor.demo.objects import Workload
from runai_monitor.demo.runai_query import (
    NODE_FIELDS,
    PROJECT_FIELDS,
    WORKLOAD_FIELDS,
    BadQueryError,
    Json,
    Query,
    parse_query,
)
from runai_monitor.demo.runai_wire import (
    event_json,
    history_json,
    node_json,
    pod_json,
    project_json,
    workload_detail_json,
    workload_json,
)
from runai_monitor.demo.world import World

Answer = Callable[[Request], Awaitable[Response]]

_PAGED = frozenset({"limit", "offset"})
_SELECTED = frozenset({"filterBy", "search"})
_SORTED = frozenset({"sortBy", "sortOrder"})
_ACTIONS = {"suspend": director.suspend, "resume": director.resume, "delete": director.delete}
_FAMILIES = {
    "trainings": "Training",
    "workspaces": "Workspace",
    "distributed": "Distributed",
    "inferences": "Inference",
}


class RunaiApi:
    """The control plane of one tenant.

    Args:
        world: what it tells about.
        client_id, client_secret: the one service account it knows.
        token_seconds: how long a token is good for; short, so that refreshing happens.
        faults: what goes wrong, None for nothing.

    Attributes:
        account_enabled: False: somebody disabled the service account, and it gets no token.
        forbidden: last parts of paths that the account's role may not read: `events`, `history`, `pods`, `nodes`.
        visited: set as soon as somebody lists workloads.
    """

    def __init__(
        self,
        world: World,
        *,
        client_id: str,
        client_secret: str,
        token_seconds: int = 20,
        faults: FaultPlan | None = None,
    ) -> None:
        self._world = world
        self._client_id = client_id
        self._client_secret = client_secret
        self._token_seconds = token_seconds
        self._faults = faults
        self._tokens: dict[str, datetime] = {}
        self.account_enabled = True
        self.forbidden: frozenset[str] = frozenset()
        self.visited = anyio.Event()
        self.app = Starlette(
            routes=[Route("/api/v1/token", self._token, methods=["POST"]), *self._routes()],
            exception_handlers={HTTPException: _http_error, BadQueryError: _bad_query},
        )

    def _routes(self) -> list[Route]:
        one = "/api/v1/workloads/{workload_id}"
        routes = [
            Route("/api/v1/workloads", self._guarded(self._list_workloads), methods=["GET"]),
            Route("/api/v1/workloads/count", self._guarded(self._count_workloads), methods=["GET"]),
            Route("/api/v1/org-unit/projects", self._guarded(self._list_projects), methods=["GET"]),
            Route("/api/v1/nodes", self._guarded(self._list_nodes), methods=["GET"]),
        ]
        for family in _FAMILIES:
            path = f"/api/v1/workloads/{family}/{{workload_id}}"
            routes.append(Route(path, self._guarded(self._act(family, "delete")), methods=["DELETE"]))
            # The published API can neither suspend nor resume an inference.
            actions = () if family == "inferences" else ("suspend", "resume")
            routes.extend(
                Route(f"{path}/{action}", self._guarded(self._act(family, action)), methods=["POST"])
                for action in actions
            )
        return [
            *routes,
            Route(one, self._guarded(self._get_workload), methods=["GET"]),
            Route(f"{one}/pods", self._guarded(self._list_pods), methods=["GET"]),
            Route(f"{one}/events", self._guarded(self._list_events), methods=["GET"]),
            Route(f"{one}/history", self._guarded(self._get_history), methods=["GET"]),
        ]

    def revoke_tokens(self) -> None:
        """Makes every token given out so far worthless before its time."""
        self._tokens.clear()

    async def _token(self, request: Request) -> Response:
        try:
            asked = await request.json()
        except ValueError:
            return _error(400, "Invalid request body")
        if not isinstance(asked, dict) or "grantType" not in asked:
            return _error(400, "Required parameter is missing")
        known = hmac.compare_digest(str(asked.get("clientID")), self._client_id)
        proven = hmac.compare_digest(str(asked.get("clientSecret")), self._client_secret)
        if asked["grantType"] != "client_credentials" or not (known and proven and self.account_enabled):
            return _error(401, "Invalid client or Invalid client credentials")
        token = f"demo.{self._world.new_id()}"
        self._tokens[token] = self._world.now() + timedelta(seconds=self._token_seconds)
        return JSONResponse({"accessToken": token, "expiresIn": self._token_seconds, "idToken": "", "refreshToken": ""})

    def _guarded(self, answer: Answer) -> Answer:
        """Lets the world catch up, lets things go wrong, and lets nobody in without a living token."""

        async def guarded(request: Request) -> Response:
            self._world.advance()
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            expires_at = self._tokens.get(token)
            if scheme.lower() != "bearer" or expires_at is None or expires_at <= self._world.now():
                return _error(401, "Issuer is not familiar.")
            if request.url.path.rpartition("/")[2] in self.forbidden:
                return _error(403, "You do not have sufficient permissions.")
            fault = self._faults.next() if self._faults is not None and request.method == "GET" else None
            return await answer(request) if fault is None else _faulty(fault)

        return guarded

    async def _list_workloads(self, request: Request) -> Response:
        self.visited.set()
        query = _query(request, _PAGED | _SELECTED | _SORTED | {"deleted"})
        return _page(query, "workloads", query.select(self._rows(deleted=query.deleted)))

    async def _count_workloads(self, request: Request) -> Response:
        query = _query(request, _SELECTED | {"deleted"})
        return JSONResponse({"count": len(query.select(self._rows(deleted=query.deleted)))})

    async def _get_workload(self, request: Request) -> Response:
        _query(request, frozenset())
        return JSONResponse(workload_detail_json(self._world, self._workload(request)))

    async def _list_pods(self, request: Request) -> Response:
        query = _query(request, _PAGED | {"search", "deleted"})
        pods = self._world.pods_of(self._workload(request).id, deleted=query.deleted)
        return _page(query, "pods", query.select([pod_json(self._world, pod) for pod in pods]))

    async def _list_events(self, request: Request) -> Response:
        query = _query(request, _PAGED | {"sortOrder"})
        events = [event_json(self._world, event) for event in self._world.events_of(self._workload(request).id)]
        return _page(query, "events", events if query.sort_order == "asc" else events[::-1])

    async def _get_history(self, request: Request) -> Response:
        query = _query(request, _PAGED)
        return _page(query, "records", history_json(self._world, self._workload(request)))

    async def _list_projects(self, request: Request) -> Response:
        query = _query(request, _PAGED | _SELECTED | _SORTED, fields=PROJECT_FIELDS)
        rows = [project_json(self._world, project) for project in self._world.projects]
        return _page(query, "projects", query.select(rows))

    async def _list_nodes(self, request: Request) -> Response:
        query = _query(request, _PAGED | _SELECTED | _SORTED, fields=NODE_FIELDS)
        return _page(query, "nodes", query.select([node_json(self._world, name) for name in node_names(self._world)]))

    def _act(self, family: str, action: str) -> Answer:
        async def act(request: Request) -> Response:
            workload = self._workload(request)
            if workload.type != _FAMILIES[family] or workload.deleted_at is not None:
                raise HTTPException(404, "Resource id not found.")
            _ACTIONS[action](self._world, workload)
            return JSONResponse({"code": 202, "message": "Request has been accepted."}, status_code=202)

        return act

    def _rows(self, *, deleted: bool) -> list[Json]:
        return [workload_json(self._world, workload) for workload in self._world.workloads(deleted=deleted)]

    def _workload(self, request: Request) -> Workload:
        workload_id = request.path_params["workload_id"]
        try:
            uuid.UUID(workload_id)
        except ValueError as exc:
            raise BadQueryError("workloadId must be a UUID") from exc
        workload = self._world.workload(workload_id)
        if workload is None:
            raise HTTPException(404, "Resource id not found.")
        return workload


def _query(request: Request, allowed: frozenset[str], *, fields: frozenset[str] = WORKLOAD_FIELDS) -> Query:
    return parse_query(request.query_params.multi_items(), allowed=allowed, fields=fields)


def _page(query: Query, name: str, rows: list[Json]) -> Response:
    page, following = query.page(rows)
    body: Json = {name: page}
    if following is not None:
        body["next"] = following
    return JSONResponse(body)


def _faulty(fault: Fault) -> Response:
    if fault is Fault.HTML:
        return HTMLResponse("<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>")
    if fault is Fault.TOO_MANY_REQUESTS:
        return _error(429, "Too many requests", headers={"Retry-After": "1"})
    return _error(503, "Please try again in few minutes.")


def _error(status: int, message: str, *, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"code": status, "message": message}, status_code=status, headers=headers)


async def _http_error(_request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return _error(exc.status_code, exc.detail)


async def _bad_query(_request: Request, exc: Exception) -> Response:
    return _error(400, str(exc))

"""What the rest of the program may ask of Run:ai."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Any, Generic, TypeVar

import anyio.to_thread

from runai_monitor.clock import isoformat
from runai_monitor.errors import RunaiNotFoundError, RunaiRejectedError
from runai_monitor.model.cluster import Node
from runai_monitor.model.workload import (
    Project,
    Workload,
    WorkloadDetail,
    WorkloadEvent,
    WorkloadHistory,
    WorkloadId,
    WorkloadPod,
)
from runai_monitor.runai import convert, sdk, wire
from runai_monitor.runai.families import Action, families_of
from runai_monitor.runai.paging import PAGE_LIMIT, read_pages
from runai_monitor.runai.transport import Decode, RunaiTransport

T = TypeVar("T")

_WORKLOADS = "/api/v1/workloads"
_PROJECTS = "/api/v1/org-unit/projects"
_NODES = "/api/v1/nodes"
_MAX_HISTORY_ROWS = 5_000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,127}")
_NODE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_NOTHING: Mapping[WorkloadId, Workload] = {}


class RunaiClient:
    """Asks one control plane; every method raises RunaiError when it cannot answer.

    Args:
        transport: sends the requests; closed by `aclose`.
    """

    def __init__(self, transport: RunaiTransport) -> None:
        self._transport = transport
        self._apis: dict[str, Callable[[sdk.ApiCaller], Any]] = {}

    async def warm_up(self) -> None:
        """Loads what the first request would otherwise load, in a worker thread. Needs no network."""
        for name in sdk.READING_APIS:
            await self._api(name)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    async def scan_workloads(
        self,
        *,
        project: str | None = None,
        phase: str | None = None,
        updated_since: datetime | None = None,
        known: Mapping[WorkloadId, Workload] | None = None,
    ) -> list[Workload]:
        """Every workload that matches, over all pages, once each, in the server's order: the oldest first.

        Args:
            project: exact name; None for every project the credentials may see.
            phase: one of Run:ai's phases.
            updated_since: only those whose phase changed at or after this instant (by Run:ai's clock).
            known: workloads as they were; what is as it was comes back as that very object, and costs no memory twice.

        Raises:
            RunaiRejectedError: this server does not accept the filter.
        """
        return await self._scan(_Filter(project=project, phase=phase, updated_since=updated_since), known or _NOTHING)

    async def find_workloads(self, name: str, *, project: str | None = None) -> list[Workload]:
        """The workloads of exactly this name; several when projects or clusters share it."""
        return await self._scan(_Filter(name=name, project=project))

    async def page_workloads(
        self,
        *,
        project: str | None = None,
        phase: str | None = None,
        search: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> list[Workload]:
        """One page of workloads, oldest first; `limit` is 1 to 500."""
        asked = _Filter(project=project, phase=phase, search=search)
        limit, offset = max(1, min(PAGE_LIMIT, limit)), max(0, offset)
        if asked.is_local:
            return (await self._scan(asked))[offset : offset + limit]
        page = await self._workload_page(asked, limit, offset, _NOTHING)
        return [workload for workload in page.rows if asked.admits(workload)]

    async def count_workloads(
        self, *, project: str | None = None, phase: str | None = None, search: str | None = None
    ) -> int:
        """How many workloads match."""
        asked = _Filter(project=project, phase=phase, search=search)
        if asked.is_local:
            return len(await self._scan(asked))
        return await self._call(
            "WorkloadsApi",
            lambda api: api.count_workloads(filter_by=asked.filter_by(), search=asked.search),
            wire.decode_count,
        )

    async def get_workload(self, workload_id: WorkloadId) -> WorkloadDetail:
        """One workload with what only its own endpoint says.

        Raises:
            RunaiNotFoundError: there is none, or it may not be seen.
        """
        checked = _checked_id(workload_id)
        row, rest = await self._call(
            "WorkloadsApi", lambda api: api.get_workload(workload_id=checked), wire.decode_workload
        )
        return convert.convert_detail(row, rest)

    async def list_pods(self, workload_id: WorkloadId, *, deleted: bool = False) -> list[WorkloadPod]:
        """The pods of a workload; with `deleted`, only those that are gone."""
        checked = _checked_id(workload_id)
        rows = await self._read(
            "PodsApi",
            lambda api, limit, offset: api.get_workload_pods(
                workload_id=checked, deleted=True if deleted else None, limit=limit, offset=offset
            ),
            wire.decode_list("pods", required=("name",)),
            path=f"{_WORKLOADS}/{checked}/pods",
            key=lambda row: str(row.get("id") or row["name"]),
        )
        return [convert.convert_pod(row, workload_id) for row in rows]

    async def list_events(self, workload_id: WorkloadId, *, limit: int = 200) -> list[WorkloadEvent]:
        """The newest events of a workload that Run:ai kept, newest first."""
        checked = _checked_id(workload_id)
        rows = await self._read(
            "EventsApi",
            lambda api, page_limit, offset: api.get_workload_events(
                workload_id=checked, limit=page_limit, offset=offset, sort_order="desc"
            ),
            wire.decode_list("events"),
            path=f"{_WORKLOADS}/{checked}/events",
            key=_event_key,
            max_rows=max(1, limit),
        )
        events = [convert.convert_event(row) for row in rows]
        return sorted(events, key=lambda event: event.at or _EARLIEST, reverse=True)

    async def get_history(self, workload_id: WorkloadId) -> WorkloadHistory:
        """Phase changes and events of a workload, oldest first, further back than Kubernetes keeps them."""
        checked = _checked_id(workload_id)
        rows = await self._read(
            "EventsApi",
            # This endpoint has no sort parameter.
            lambda api, limit, offset: api.get_workload_history(workload_id=checked, limit=limit, offset=offset),
            wire.decode_list("records"),
            path=f"{_WORKLOADS}/{checked}/history",
            key=repr,
            max_rows=_MAX_HISTORY_ROWS,
        )
        return convert.convert_history(rows)

    async def find_nodes(self, name: str, *, cluster_id: str) -> list[Node]:
        """The nodes of exactly this name in a cluster, as Run:ai lists them: none or one.

        Raises:
            RunaiRejectedError: the name is none that a node can have; nothing was sent.
        """
        if not _NODE_NAME.fullmatch(name):
            raise RunaiRejectedError(
                "A node name with characters that node names do not have was not sent.", endpoint=_NODES
            )
        rows = await self._read(
            "NodesApi",
            lambda api, limit, offset: api.get_tenant_nodes(filter_by=[f"name=={name}"], limit=limit, offset=offset),
            wire.decode_list("nodes", required=("name",)),
            path=_NODES,
            key=lambda row: f"{row.get('clusterUuid')}/{row['name']}",
        )
        ours = [row for row in rows if row["name"] == name and row.get("clusterUuid") in (None, cluster_id)]
        return [convert.convert_node(row) for row in ours]

    async def list_projects(self) -> list[Project]:
        """Every project the credentials may see, by name."""
        rows = await self._read(
            "ProjectsApi",
            lambda api, limit, offset: api.get_projects(sort_by="name", sort_order="asc", limit=limit, offset=offset),
            wire.decode_list("projects", required=("id", "name")),
            path=_PROJECTS,
            key=lambda row: str(row["id"]),
        )
        return sorted((convert.convert_project(row) for row in rows), key=lambda project: (project.name, project.id))

    async def suspend(self, workload: Workload) -> None:
        """Suspends a workload. Sent once only.

        Raises:
            RefusedError: workloads of this type cannot be suspended through the API.
            RunaiUnavailableError: no answer; it may have been done all the same.
        """
        await self._act("suspend", workload)

    async def resume(self, workload: Workload) -> None:
        """Resumes a suspended workload. Sent once only; raises as `suspend`."""
        await self._act("resume", workload)

    async def delete(self, workload: Workload) -> None:
        """Deletes a workload. Sent once only; raises as `suspend`."""
        await self._act("delete", workload)

    async def _act(self, action: Action, workload: Workload) -> None:
        checked = _checked_id(workload.id)
        missing: RunaiNotFoundError | None = None
        for family in families_of(workload, action):
            ask = attrgetter(f"{action}_{family.noun}")
            try:
                await self._call(family.api, partial(_ask_by_id, ask, checked), wire.accept_anything)
            except RunaiNotFoundError as exc:
                missing = missing or exc
            else:
                return
        if missing is not None:
            raise missing

    async def _scan(self, asked: _Filter, known: Mapping[WorkloadId, Workload] = _NOTHING) -> list[Workload]:
        found = await read_pages(
            lambda limit, offset: self._workload_page(asked, limit, offset, known),
            key=attrgetter("id"),
            path=_WORKLOADS,
        )
        return list(filter(asked.admits, found))

    async def _workload_page(
        self, asked: _Filter, limit: int, offset: int, known: Mapping[WorkloadId, Workload]
    ) -> _Page:
        def decode(content: bytes, path: str) -> _Page:
            # Page by page: the rows of a whole fleet, with all that is not kept of them, are never there at once.
            page = wire.decode_workload_page(content, path)
            rows = [convert.convert_workload(row) for row in page.rows]
            if known:
                rows = [old if (old := known.get(row.id)) == row and old is not None else row for row in rows]
            return _Page(rows=rows, has_next=page.has_next)

        # By creation: new workloads then appear at the end, not in pages already read.
        return await self._call(
            "WorkloadsApi",
            lambda api: api.get_workloads(
                offset=offset,
                limit=limit,
                sort_by="createdAt",
                sort_order="asc",
                filter_by=asked.filter_by(),
                search=asked.search,
            ),
            decode,
        )

    async def _read(
        self,
        api: str,
        ask: Callable[[Any, int, int], Awaitable[wire.ListPage]],
        decode: Decode[wire.ListPage],
        *,
        path: str,
        key: Callable[[wire.Row], str],
        max_rows: int | None = None,
    ) -> list[wire.Row]:
        async def fetch(limit: int, offset: int) -> wire.ListPage:
            return await self._call(api, lambda loaded: ask(loaded, limit, offset), decode)

        return await read_pages(fetch, key=key, path=path, max_rows=max_rows)

    async def _call(self, api: str, ask: Callable[[Any], Awaitable[T]], decode: Decode[T]) -> T:
        loaded = await self._api(api)
        return await ask(loaded(_Decoding(self._transport, decode)))

    async def _api(self, name: str) -> Callable[[sdk.ApiCaller], Any]:
        if name not in self._apis:
            self._apis[name] = await anyio.to_thread.run_sync(sdk.load_api, name)
        return self._apis[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """One page of workloads, and whether the server says that there is more."""

    rows: list[Workload]
    has_next: bool


@dataclass(frozen=True, slots=True)
class _Decoding(Generic[T]):
    """Gives one call of a runapy API class the decoder of its answer."""

    transport: RunaiTransport
    decode: Decode[T]

    def call_api(
        self, *, resource_path: str, method: str, query_params: Any = None, body: Any = None, **_: object
    ) -> Awaitable[T]:
        return self.transport.request(
            self.decode, resource_path=resource_path, method=method, query_params=query_params, body=body
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filter:
    """Which workloads are asked for. The server filters; what it answers is checked again where that can be done."""

    name: str | None = None
    project: str | None = None
    phase: str | None = None
    search: str | None = None
    updated_since: datetime | None = None

    @property
    def is_local(self) -> bool:
        """Whether a value holds a comma, which `filterBy` takes for the next filter: then only we can filter by it."""
        return any("," in value for value in (self.name, self.project, self.phase) if value)

    def filter_by(self) -> list[str] | None:
        terms = [("name", self.name), ("projectName", self.project), ("phase", self.phase)]
        filters = [f"{field}=={value}" for field, value in terms if value and "," not in value]
        if self.updated_since is not None:
            filters.append(f"phaseUpdatedAt>={isoformat(self.updated_since)}")
        return filters or None

    def admits(self, workload: Workload) -> bool:
        """Whether a workload is one of these, as far as its row tells (`search` is the server's alone)."""
        return (
            self.name in (None, "", workload.name)
            and self.project in (None, "", workload.project)
            and (not self.phase or self.phase.casefold() == workload.phase.casefold())
        )


def _checked_id(workload_id: str) -> str:
    """An id that may stand in a path: runapy quotes nothing and turns `_` into `-`.

    Raises:
        RunaiRejectedError: it may not; nothing was sent.
    """
    if not _ID.fullmatch(workload_id):
        raise RunaiRejectedError(
            "A workload id with characters that Run:ai ids do not have was not sent; use the id as Run:ai lists it.",
            endpoint=_WORKLOADS,
        )
    return workload_id


def _ask_by_id(method_of: Callable[[Any], Any], workload_id: str, api: Any) -> Awaitable[None]:
    answer: Awaitable[None] = method_of(api)(workload_id=workload_id)
    return answer


def _event_key(row: wire.Row) -> str:
    return str(row.get("id") or repr(row))

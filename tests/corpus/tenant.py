"""The two APIs of one case, at the door the program itself uses: Run:ai by its transport, Kubernetes on a loopback port.

Whatever is asked is answered as the real servers would: unknown objects are 404, lists are filtered by the selectors
that exist, a log that is not kept is a 400 with kubelet's words. So a diagnosis may read more than it does today.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

import anyio
import anyio.lowlevel
import httpx2
from aiohttp import web

from tests.corpus.case import Fault, LabelledCase
from tests.corpus.wire import JOB_ID, NOW, Json, instant, node, past, runai_event, runai_pod

_LOG_PATH = re.compile(r"/api/v1/namespaces/(?P<namespace>[^/]+)/pods/(?P<pod>[^/]+)/log")
_OBJECT_PATH = re.compile(
    r"/(?:api/v1|apis/(?P<group>[^/]+)/[^/]+)(?:/namespaces/(?P<namespace>[^/]+))?/(?P<resource>[a-z]+)(?:/(?P<name>[^/]+))?"
)
_WORKLOAD_PATH = re.compile(r"/api/v1/workloads/(?P<id>[0-9a-f-]{36})(?:/(?P<part>[a-z]+))?")
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
_IRREGULAR = {"PodGroup": "podgroups", "PriorityClass": "priorityclasses", "StorageClass": "storageclasses"}


SOURCES = frozenset(
    {f"runai/{part}" for part in ("workloads", "detail", "events", "history", "pods")}
    | {
        f"kube/{resource}"
        for resource in ("pods", "pods/log", "events", "nodes", "persistentvolumeclaims", "resourcequotas")
    }
)
"""What a case can make unreadable."""


class CaseClock:
    """The moment of the diagnosis. A pause before a retry moves it on at once; a deadline waits in real time."""

    def __init__(self, *, pauses: bool) -> None:
        self._pauses = pauses
        self._elapsed = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if not self._pauses:
            await anyio.sleep(seconds)  # the real deadline of a diagnosis: nothing waits for it unless a source hangs
        self._elapsed += max(0.0, seconds)
        await anyio.lowlevel.checkpoint()

    def rewind(self) -> None:
        """Back to the moment of the diagnosis, for the next case."""
        self._elapsed = 0.0


class RunaiTenant:
    """Run:ai's API for the case at hand."""

    def __init__(self) -> None:
        self.case: LabelledCase | None = None

    async def handle(self, request: httpx2.Request) -> httpx2.Response:
        await anyio.lowlevel.checkpoint()
        if request.url.path == "/api/v1/token":
            return _json({"accessToken": "corpus-token", "expiresIn": 86_400_000})
        assert self.case is not None
        path, params = request.url.path, request.url.params
        if path == "/api/v1/workloads":
            return self._answer("workloads", lambda: _page("workloads", workload_rows(self.case_now, params)))
        if path == "/api/v1/workloads/count":
            return _json({"count": len(workload_rows(self.case_now, params))})
        if path == "/api/v1/nodes":
            return _json({"nodes": []})
        match = _WORKLOAD_PATH.fullmatch(path)
        if match is None or match["id"] != JOB_ID:
            return _json({"code": 404, "message": "not found"}, 404)
        part = match["part"] or "detail"
        answers: dict[str, Callable[[], Json]] = {
            "detail": lambda: self.case_now.job,
            "events": lambda: _page("events", runai_events(self.case_now)),
            "history": lambda: _page("records", list(runai_history(self.case_now))),
            "pods": lambda: _page("pods", runai_pods(self.case_now, deleted=params.get("deleted") == "true")),
        }
        if part not in answers:
            return _json({"code": 404, "message": "not found"}, 404)
        return self._answer(part, answers[part])

    @property
    def case_now(self) -> LabelledCase:
        """The case at hand."""
        assert self.case is not None
        return self.case

    def _answer(self, part: str, body: Callable[[], Json]) -> httpx2.Response:
        fault = self.case_now.faults.get(f"runai/{part}")
        if fault == "timeout":
            raise httpx2.ReadTimeout("no answer")
        if isinstance(fault, int):
            return _json({"code": fault, "message": "refused for this case"}, fault)
        return _json(body())


def workload_rows(case: LabelledCase, params: httpx2.QueryParams | None = None) -> list[Json]:
    """The workloads of the tenant that match the equality filters asked for."""
    rows = [_row(case.job), *map(_row, case.neighbours)]
    for term in (params.get("filterBy", "") if params else "").split(","):
        field, operator, value = term.partition("==")
        if operator:
            rows = [row for row in rows if str(row.get(field)).casefold() == value.casefold()]
    return rows


def _row(detail: Json) -> Json:
    return {key: value for key, value in detail.items() if key != "pendingSchedulingMessages"}


def runai_events(case: LabelledCase) -> list[Json]:
    """Run:ai keeps the events of a workload's objects, not those of nodes, and for longer than Kubernetes."""
    return [runai_event(event) for event in _all_events(case) if event["involvedObject"]["kind"] != "Node"]


def runai_history(case: LabelledCase) -> Iterator[Json]:
    """The given history, or an ordinary one that leads to the workload's phase."""
    if case.history:
        yield from case.history
        return
    phase, message = case.job["phase"], case.job["phaseMessage"]
    started = any(pod.body["spec"].get("nodeName") for pod in case.pods)
    created = (datetime.fromisoformat(case.job["createdAt"]) - NOW).total_seconds() / 60
    yield from past(("Creating", created), ("Pending", created + 0.1))
    if started and phase not in {"Pending", "Creating"}:
        yield from past(("Initializing", created + 1), ("Running", created + 2))
    if phase not in {"Creating", "Pending", "Running"}:
        record = past((phase, 0, message))[0]
        record["meta"]["creationTimestamp"] = case.job["phaseUpdatedAt"]
        yield record


def runai_pods(case: LabelledCase, *, deleted: bool) -> list[Json]:
    """Pods as Run:ai lists them; with `deleted` only those that are gone."""
    return [runai_pod(pod) for pod in case.pods if pod.gone == deleted]


def _all_events(case: LabelledCase) -> list[Json]:
    return [*(event for pod in case.pods for event in pod.events), *case.events]


def _page(key: str, rows: list[Json]) -> Json:
    return {key: rows}


def _json(body: Json, status: int = 200) -> httpx2.Response:
    return httpx2.Response(status, content=json.dumps(body).encode())


class KubeTenant:
    """Kubernetes' API for the case at hand."""

    def __init__(self) -> None:
        self.case: LabelledCase | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert self.case is not None
        path = request.path
        if match := _LOG_PATH.fullmatch(path):
            return self._faulty("kube/pods/log") or self._log(request, match["pod"])
        match = _OBJECT_PATH.fullmatch(path)
        if match is None:
            return _status(404, "the server could not find the requested resource")
        resource, name, namespace = match["resource"], match["name"], match["namespace"]
        if refused := self._faulty(f"kube/{resource}"):
            return refused
        found = [item for item in self._objects(resource) if namespace in (None, item["metadata"].get("namespace"))]
        if name is not None:
            body = next((item for item in found if item["metadata"]["name"] == name), None)
            return web.json_response(body) if body else _status(404, f'{resource} "{name}" not found')
        items = [item for item in found if _selected(item, request.query)]
        return web.json_response({"kind": "List", "metadata": {"resourceVersion": "100"}, "items": items})

    def _objects(self, resource: str) -> list[Json]:
        case = self.case
        assert case is not None
        if resource == "pods":
            return [pod.body for pod in case.pods if not pod.gone]
        if resource == "events":
            return [] if case.forgotten else [e for e in _all_events(case) if not _is_of_gone(case, e)]
        found = [item for item in case.objects if _plural(item["kind"]) == resource]
        if resource == "nodes":
            known = {item["metadata"]["name"] for item in found}
            named = {pod.body["spec"].get("nodeName") for pod in case.pods} - known - {None}
            found += [node(str(name)) for name in sorted(map(str, named))]
        return found

    def _log(self, request: web.Request, pod_name: str) -> web.StreamResponse:
        assert self.case is not None
        query = request.query
        pod = next((pod for pod in self.case.pods if pod.name == pod_name and not pod.gone), None)
        if pod is None:
            return _status(404, f'pods "{pod_name}" not found')
        name, previous = query.get("container", "main"), query.get("previous") == "true"
        states = {s["name"]: s for key in _STATUSES for s in pod.body["status"][key]}
        state = states.get(name)
        if state is None or (not previous and _never_ran(state)):
            reason = state["state"]["waiting"]["reason"] if state else "ContainerCreating"
            return _status(400, f'container "{name}" in pod "{pod_name}" is waiting to start: {reason}')
        if previous and not state["lastState"]:
            return _status(400, f'previous terminated container "{name}" in pod "{pod_name}" not found')
        text = _tail(pod.logs.get((name, previous), ""), int(query.get("tailLines", "100000")))
        if query.get("timestamps") == "true":
            text = _stamped(text, state["lastState"] if previous else state["state"])
        body = text.encode("utf-8", errors="surrogateescape")[: int(query.get("limitBytes", "100000000"))]
        return web.Response(body=body, content_type="text/plain")

    def _faulty(self, source: str) -> web.Response | None:
        assert self.case is not None
        fault: Fault | None = self.case.faults.get(source)
        if fault is None:
            return None
        if fault == "timeout":
            return _status(504, "Timeout: request did not complete within the allotted timeout")
        if fault == 403:
            resource = source.removeprefix("kube/")
            who = 'User "system:serviceaccount:monitoring:runai-monitor"'
            return _status(403, f'{resource} is forbidden: {who} cannot get resource "{resource}" in namespace')
        return _status(int(fault), "refused for this case")


def _plural(kind: str) -> str:
    return _IRREGULAR.get(kind, kind.lower() + "s")


def _is_of_gone(case: LabelledCase, event: Json) -> bool:
    return any(pod.gone and pod.name == event["involvedObject"]["name"] for pod in case.pods)


def _never_ran(state: Json) -> bool:
    return "waiting" in state["state"] and not state["lastState"]


def _tail(text: str, lines: int) -> str:
    return "".join(text.splitlines(keepends=True)[-lines:]) if text.count("\n") > lines else text


def _stamped(text: str, state: Json) -> str:
    """Lines a second apart, the last at the end of the run."""
    ended = state.get("terminated", {}).get("finishedAt", instant(0))
    last = datetime.fromisoformat(ended)
    lines = text.splitlines(keepends=True)
    stamps = [last - timedelta(seconds=len(lines) - 1 - number) for number in range(len(lines))]
    return "".join(
        f"{stamp.isoformat().replace('+00:00', '.000000000Z')} {line}"
        for stamp, line in zip(stamps, lines, strict=True)
    )


def _selected(item: Json, query: Mapping[str, str]) -> bool:
    for term in filter(None, query.get("fieldSelector", "").split(",")):
        field, value = re.split(r"==?", term, maxsplit=1)
        if str(_field(item, field)) != value:
            return False
    labels = item["metadata"].get("labels", {})
    for term in filter(None, query.get("labelSelector", "").split(",")):
        key, value = re.split(r"==?", term, maxsplit=1)
        if labels.get(key) != value:
            return False
    return True


def _field(item: Json, path: str) -> object:
    found: object = item
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _status(code: int, message: str) -> web.Response:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return web.json_response(body, status=code)

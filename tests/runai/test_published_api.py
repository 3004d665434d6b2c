"""Run:ai's published API, and runapy as we load it: nothing is sent or called that they do not have."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from runai_monitor.errors import MonitorError
from runai_monitor.model.workload import Workload, WorkloadId
from runai_monitor.runai import sdk
from runai_monitor.runai.families import Family
from tests.fakes import FakeClock
from tests.runai.fake_runai import TOKEN_PATH, FakeRunai, json_answer, make_client, settle

pytestmark = pytest.mark.anyio

DOCUMENT = Path(__file__).parents[2].parent / "shared" / "openapi" / "runai-openapi-subset.json"
ID = WorkloadId("00000000-0000-4000-8000-000000000001")


class PublishedApi:
    """Checks requests against the OpenAPI document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def _resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            found: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def faults(self, request: httpx2.Request) -> list[str]:
        operation = self._operation(request)
        if operation is None:
            return [f"{request.method} {request.url.path} does not exist"]
        known = {p["name"]: p for p in map(self._resolve, operation.get("parameters", ())) if p["in"] == "query"}
        faults = [
            f"{name} is not a parameter of {request.url.path}" for name in request.url.params if name not in known
        ]
        for name, value in request.url.params.items():
            if name in known:
                faults += self._value_faults(name, value, self._resolve(known[name]["schema"]))
        return faults

    def _operation(self, request: httpx2.Request) -> dict[str, Any] | None:
        # Literal paths before patterns: /workloads/count is no workload's id.
        for path, operations in sorted(self._document["paths"].items(), key=lambda item: item[0].count("{")):
            pattern = re.sub(r"\\\{[^}]+\\\}", "[0-9a-f-]{36}", re.escape(path))
            if re.fullmatch(pattern, request.url.path) and request.method.lower() in operations:
                operation: dict[str, Any] = operations[request.method.lower()]
                return operation
        return None

    def _value_faults(self, name: str, value: str, schema: dict[str, Any]) -> list[str]:
        if schema["type"] == "array":
            items = self._resolve(schema["items"])
            return [fault for part in value.split(",") for fault in self._value_faults(name, part, items)]
        bad = (
            ("enum" in schema and value not in schema["enum"])
            or ("pattern" in schema and not re.search(schema["pattern"], value))
            or (schema["type"] == "boolean" and value not in {"true", "false"})
            or (
                schema["type"] == "integer"
                and not schema.get("minimum", 0) <= int(value) <= schema.get("maximum", 2**31)
            )
        )
        return [f"{name}={value} is not allowed"] if bad else []


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the published document is not beside the project")
async def test_every_request_is_in_the_published_document() -> None:
    """A parameter the API does not have is ignored by some servers and refused by others: neither may happen."""
    api = PublishedApi(json.loads(DOCUMENT.read_text(encoding="utf-8")))
    clock, fake = FakeClock(), FakeRunai()
    faults: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        faults.extend(api.faults(request))
        if request.url.path == TOKEN_PATH:
            return fake.grant(request)
        rows: dict[str, object] = {
            "workloads": [],
            "events": [],
            "records": [],
            "pods": [],
            "projects": [],
            "nodes": [],
            "count": 0,
        }
        return json_answer(rows | {"id": ID, "name": "n", "phase": "Running", "projectName": "p"})

    class Everything(dict[str, Any]):
        def get(self, key: str, default: object = None) -> Any:
            return [answer]

    fake.scripts = Everything()
    client = await make_client(fake, clock)
    calls: list[Any] = [
        lambda: client.scan_workloads(project="a b", phase="Failed", updated_since=clock.now()),
        client.scan_workloads,
        lambda: client.page_workloads(project="p", phase="Running", search="x, y&z=1", limit=9999, offset=-1),
        lambda: client.count_workloads(project="p", phase="Running", search="x"),
        lambda: client.find_workloads("name with space", project="p"),
        lambda: client.get_workload(ID),
        lambda: client.list_pods(ID),
        lambda: client.list_pods(ID, deleted=True),
        lambda: client.list_events(ID, limit=100_000),
        lambda: client.get_history(ID),
        client.list_projects,
        lambda: client.find_nodes("gpu-7.example.com", cluster_id="71f69d83-ba66-4822-adf5-55ce55efd210"),
    ]
    for call in calls:
        await settle(clock, call)
    acted = 0
    for kind in ("Training", "Workspace", "Distributed", "Inference", "DistributedInference", "runai-job"):
        workload = Workload(id=ID, name="n", type=kind, project="p", namespace="n", cluster_id="c", phase="Running")
        for act in (client.suspend, client.resume, client.delete):
            try:
                await act(workload)
            except MonitorError:
                continue
            acted += 1
    assert acted == 14
    assert faults == []
    assert len(fake.requests) == 1 + len(calls) + acted


def test_runapy_has_every_method_that_is_called() -> None:
    """The way it is loaded is a trick: a new version must fail here and not at 3 a.m."""
    expected = {
        "WorkloadsApi": {
            "get_workloads": {"offset", "limit", "sort_by", "sort_order", "filter_by", "search"},
            "count_workloads": {"filter_by", "search"},
            "get_workload": {"workload_id"},
        },
        "EventsApi": {
            "get_workload_events": {"workload_id", "offset", "limit", "sort_order"},
            "get_workload_history": {"workload_id", "offset", "limit"},
        },
        "PodsApi": {"get_workload_pods": {"workload_id", "deleted", "offset", "limit"}},
        "NodesApi": {"get_tenant_nodes": {"filter_by", "offset", "limit"}},
        "ProjectsApi": {"get_projects": {"sort_by", "sort_order", "offset", "limit"}},
    }
    for family in Family:
        actions = ("suspend", "resume", "delete")
        expected[family.api] = {
            f"{action}_{family.noun}": {"workload_id"}
            for action in actions
            if family.allows(action)  # type: ignore[arg-type]
        }
    for name, methods in expected.items():
        loaded = sdk.load_api(name)
        for method, parameters in methods.items():
            assert parameters <= set(inspect.signature(getattr(loaded, method)).parameters), f"{name}.{method}"


def test_loading_the_apis_does_not_load_the_rest_of_runapy() -> None:
    """The plain import costs more than a second and 90 MiB."""
    script = (
        "import sys; from runai_monitor.runai import client, sdk; assert 'runai' not in sys.modules\n"
        "[sdk.load_api(name) for name in sdk.READING_APIS]\n"
        "print(sum(1 for name in sys.modules if name.split('.')[0] == 'runai'), 'urllib3' in sys.modules)"
    )
    server = Path(importlib.import_module("runai_monitor").__file__ or "").parents[1]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=server)
    modules, urllib3 = done.stdout.split()
    assert int(modules) < 60
    assert urllib3 == "False"

"""The simulated APIs against the published ones: schemas, validation, paging, filters, and Kubernetes' known manners."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.demo.actors import CREDENTIALS, Actors, actors

pytestmark = pytest.mark.anyio

_OPENAPI = Path(__file__).parents[3] / "shared" / "openapi" / "runai-openapi-subset.json"
_ONE = "/api/v1/workloads/{workloadId}"


@cache
def _document() -> Any:
    """The published document, with OpenAPI's `nullable` said in JSON Schema's way."""
    if not _OPENAPI.is_file():
        pytest.skip("the published OpenAPI document is not beside this checkout")
    return _with_nulls(json.loads(_OPENAPI.read_text(encoding="utf-8")))


def _with_nulls(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_nulls(part) for part in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _with_nulls(part) for key, part in node.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


def _check(body: Any, *, path: str, method: str = "get", status: str = "200") -> None:
    answer = _document()["paths"][path][method]["responses"][status]
    if "$ref" in answer:
        answer = _document()["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    schema = {**answer["content"]["application/json"]["schema"], "components": _document()["components"]}
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(body)


async def _told(*, seconds: float = 30) -> Actors:
    """A tenant whose stories are over."""
    cast = actors()
    cast.stage.begin()
    await cast.clock.advance(seconds)
    return cast


async def test_every_answer_satisfies_the_published_schema() -> None:
    """A client that passes here must not fail on the real API for a missing field or an unknown word."""
    cast = await _told()
    workloads = await cast.runai_get("/api/v1/workloads", limit=500)
    _check(workloads.json(), path="/api/v1/workloads")
    _check((await cast.runai_get("/api/v1/workloads/count")).json(), path="/api/v1/workloads/count")
    _check((await cast.runai_get("/api/v1/org-unit/projects")).json(), path="/api/v1/org-unit/projects")
    _check((await cast.runai_get("/api/v1/nodes", filterBy="status==Ready")).json(), path="/api/v1/nodes")
    for row in workloads.json()["workloads"]:
        url = f"/api/v1/workloads/{row['id']}"
        _check((await cast.runai_get(url)).json(), path=_ONE)
        for part in ("pods", "events", "history"):
            _check((await cast.runai_get(f"{url}/{part}")).json(), path=f"{_ONE}/{part}")


async def test_refusals_have_the_published_error_body() -> None:
    """`{code, message}` is all a client can rely on to explain a refusal."""
    cast = actors()
    for path, params, status in (
        ("/api/v1/workloads/00000000-0000-4000-8000-000000000000", {}, 404),
        ("/api/v1/nonsense", {}, 404),
        ("/api/v1/workloads", {"limit": "501"}, 400),
    ):
        answer = await cast.runai_get(path, **params)
        assert answer.status_code == status
        assert answer.json()["code"] == status
        assert answer.json()["message"]
    async with cast.runai_client() as client:
        refused = await client.get("/api/v1/workloads")
    _check(refused.json(), path="/api/v1/workloads", status="401")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"clientSecret": "wrong"}, 401),
        ({"clientID": "other"}, 401),
        ({"grantType": "app_token"}, 401),
    ],
)
async def test_the_token_endpoint_knows_one_service_account(change: dict[str, str], status: int) -> None:
    """Wrong credentials must look like wrong credentials, or the 401 path is never exercised."""
    async with actors().runai_client() as client:
        answer = await client.post("/api/v1/token", json=CREDENTIALS | change)
    assert answer.status_code == status
    if status == 200:
        _check(answer.json(), path="/api/v1/token", method="post")


async def test_a_token_expires() -> None:
    """Tokens die in the middle of a show: who does not refresh goes blind."""
    cast = actors()
    token = await cast.token()
    async with cast.runai_client(token=token) as client:
        assert (await client.get("/api/v1/workloads")).status_code == 200
        await cast.clock.advance(21)
        assert (await client.get("/api/v1/workloads")).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "many"},
        {"offset": "-1"},
        {"sortBy": "updatedAt"},
        {"sortOrder": "up"},
        {"filterBy": "updatedAt>=2026-01-01T00:00:00Z"},
        {"filterBy": "phase=Failed"},
        {"filterBy": "phaseUpdatedAt>=yesterday"},
        {"filterBy": "name==a,b"},
        {"deleted": "yes"},
        {"page": "2"},
    ],
)
async def test_what_the_published_api_does_not_accept_is_a_400(query: dict[str, str]) -> None:
    """A lenient simulator hides the requests that a real tenant would refuse."""
    assert (await actors().runai_get("/api/v1/workloads", **query)).status_code == 400


async def test_pages_follow_next_until_there_is_none() -> None:
    """Fifty is the default page: a client that stops there sees a part of the tenant."""
    cast = actors(healthy_workloads=120)
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        body = (await cast.runai_get("/api/v1/workloads", sortBy="createdAt", offset=offset)).json()
        assert len(body["workloads"]) <= 50
        seen += [row["id"] for row in body["workloads"]]
        offset = body.get("next")
    assert len(seen) == len(set(seen)) == cast.world.workload_count


async def test_filters_are_joined_by_and() -> None:
    """Project and phase together are how a narrowed monitor asks."""
    cast = await _told()
    body = (await cast.runai_get("/api/v1/workloads", filterBy="projectName==vision,phase==Failed")).json()
    assert [row["name"] for row in body["workloads"]] == ["segmentation-resnet"]
    count = (await cast.runai_get("/api/v1/workloads/count", filterBy="projectName==vision,phase==Failed")).json()
    assert count == {"count": 1}


async def test_a_delta_holds_what_changed_its_phase_since() -> None:
    """`phaseUpdatedAt>=` is the monitor's cheap question; it must bring failures and nothing old."""
    cast = actors()
    began = cast.clock.now().isoformat().replace("+00:00", "Z")
    cast.stage.begin()
    await cast.clock.advance(3.5)
    body = (await cast.runai_get("/api/v1/workloads", filterBy=f"phaseUpdatedAt>={began}")).json()
    assert {(row["name"], row["phase"]) for row in body["workloads"]} == {
        ("llama-70b-tokenise", "Failed"),
        ("reward-model-v2", "Pending"),
    }


async def test_search_finds_parts_of_names() -> None:
    """`search` is not exact, which is why names are looked up by filter."""
    cast = actors(healthy_workloads=0)
    body = (await cast.runai_get("/api/v1/workloads", search="LLAMA")).json()
    assert [row["name"] for row in body["workloads"]] == ["llama-70b-tokenise"]


async def test_a_suspension_and_a_deletion_take_effect() -> None:
    """Write tools are shown on this tenant: 202 first, the effect a moment later."""
    cast = actors()
    _, row = await cast.story("cuda-oom")
    async with cast.runai_client(token=await cast.token()) as client:
        wrong = await client.post(f"/api/v1/workloads/workspaces/{row['id']}/suspend")
        done = await client.post(f"/api/v1/workloads/trainings/{row['id']}/suspend")
    assert (wrong.status_code, done.status_code) == (404, 202)
    _check(done.json(), path="/api/v1/workloads/trainings/{workloadId}/suspend", method="post", status="202")
    await cast.clock.advance(2)
    _, row = await cast.story("cuda-oom")
    assert (row["phase"], row["runningPods"]) == ("Stopped", 0)
    async with cast.runai_client(token=await cast.token()) as client:
        assert (await client.post(f"/api/v1/workloads/trainings/{row['id']}/resume")).status_code == 202
        await cast.clock.advance(2)
        assert (await cast.story("cuda-oom"))[1]["phase"] == "Running"
        assert (await client.delete(f"/api/v1/workloads/trainings/{row['id']}")).status_code == 202
        await cast.clock.advance(2)
    deleted = (await cast.runai_get("/api/v1/workloads", deleted="true")).json()["workloads"]
    assert [gone["id"] for gone in deleted] == [row["id"]]
    pods = (await cast.runai_get(f"/api/v1/workloads/{row['id']}/pods", deleted="true")).json()["pods"]
    assert len(pods) == 2


async def test_bad_moments_come_and_leave_a_retry_through() -> None:
    """Faults exercise the retries; two in a row would make the show depend on luck."""
    cast = actors(faults=True)
    statuses: list[tuple[int, str]] = []
    async with cast.runai_client(token=await cast.token()) as client:
        for _ in range(300):
            answer = await client.get("/api/v1/workloads/count")
            statuses.append((answer.status_code, answer.headers["content-type"].split(";")[0]))
    assert {status for status, _ in statuses} == {200, 429, 503}
    assert statuses.count((200, "text/html")) == 1
    bad = [status != (200, "application/json") for status in statuses]
    assert not any(one and other for one, other in pairwise(bad))


# Kubernetes


async def test_kubernetes_wants_its_token() -> None:
    """A wrong kubeconfig must show as 401 with a Status, as a real API server answers."""
    async with actors().kube_client(token="other") as client:
        answer = await client.get("/api/v1/pods")
    assert (answer.status_code, answer.json()["kind"], answer.json()["reason"]) == (401, "Status", "Unauthorized")


async def test_selectors_select_and_unknown_fields_are_refused() -> None:
    """`status.reason` is the field everybody tries; it does not exist."""
    cast = await _told()
    moe = (await cast.kube_get("/api/v1/pods", labelSelector="workloadName=moe-8x22b-phase2")).json()
    assert len(moe["items"]) == 8
    assert all("kind" not in item for item in moe["items"])
    dead = await cast.kube_get(
        "/api/v1/namespaces/runai-llm-pretraining/pods",
        labelSelector="workloadName in (moe-8x22b-phase2),project",
        fieldSelector="status.phase!=Running",
    )
    assert [item["metadata"]["name"] for item in dead.json()["items"]] == ["moe-8x22b-phase2-worker-4"]
    refused = await cast.kube_get("/api/v1/pods", fieldSelector="status.reason=Evicted")
    assert (refused.status_code, refused.json()["message"]) == (400, "field label not supported: status.reason")
    events = await cast.kube_get(
        "/api/v1/namespaces/speech-team-prod/events",
        fieldSelector="involvedObject.name=whisper-distill-0-0,type=Warning",
    )
    assert [item["message"] for item in events.json()["items"]] == ['Error: secret "wandb-api-key" not found']


async def test_a_guessed_namespace_finds_nothing() -> None:
    """One project's namespace is not `runai-<project>`."""
    cast = actors()
    assert (await cast.kube_get("/api/v1/namespaces/runai-speech/pods")).json()["items"] == []
    assert (await cast.kube_get("/api/v1/namespaces/speech-team-prod/pods")).json()["items"]


async def test_a_paged_list_is_complete_and_keeps_its_version() -> None:
    """A watch started from the last page must not miss what happened between the pages."""
    cast = actors()
    everything = (await cast.kube_get("/api/v1/pods")).json()
    names: list[str] = []
    versions: set[str] = set()
    token = ""
    while True:
        page = (await cast.kube_get("/api/v1/pods", limit=7, **{"continue": token})).json()
        names += [item["metadata"]["name"] for item in page["items"]]
        versions.add(page["metadata"]["resourceVersion"])
        token = page["metadata"].get("continue", "")
        if not token:
            break
        cast.stage.begin()
        await cast.clock.advance(0.1)
    assert names == [item["metadata"]["name"] for item in everything["items"]]
    assert versions == {everything["metadata"]["resourceVersion"]}


async def _watched(cast: Actors, *, seconds: float, **params: str | int) -> list[dict[str, Any]]:
    """Everything a watch of `seconds` said while the clock ran."""
    lines: list[dict[str, Any]] = []

    async def watch() -> None:
        answer = await cast.kube_get("/api/v1/pods", watch="true", timeoutSeconds=int(seconds), **params)
        assert answer.status_code == 200
        lines.extend(json.loads(line) for line in answer.text.splitlines())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            await anyio.wait_all_tasks_blocked()
            ends_at = cast.clock.monotonic() + seconds + 1
            while not lines and cast.clock.monotonic() < ends_at:
                await cast.clock.advance(0.5)
                cast.world.advance()
                await anyio.wait_all_tasks_blocked()
    return lines


async def test_a_watch_tells_each_change_once_and_ends_with_a_bookmark() -> None:
    """The stream is how a failure is seen within a second; its bookmark is where the next one resumes."""
    cast = actors()
    version = (await cast.kube_get("/api/v1/pods")).json()["metadata"]["resourceVersion"]
    cast.stage.begin()
    lines = await _watched(
        cast,
        seconds=12,
        resourceVersion=version,
        allowWatchBookmarks="true",
        labelSelector="workloadName in (detector-v3-train,pose-estimation-sweep)",
    )
    told = [(line["type"], line["object"]["metadata"].get("name")) for line in lines]
    assert told[0] == ("ADDED", "detector-v3-train-0-0")
    assert told[-1] == ("BOOKMARK", None)
    assert ("DELETED", "pose-estimation-sweep-0-0") in told
    states = [
        status["state"]["waiting"]["reason"]
        for line in lines
        for status in line["object"].get("status", {}).get("containerStatuses", [])
        if "waiting" in status["state"]
    ]
    assert states == ["ContainerCreating", "ErrImagePull", "ImagePullBackOff"]
    versions = [int(line["object"]["metadata"]["resourceVersion"]) for line in lines]
    assert versions == sorted(versions)
    assert versions[0] > int(version)


async def test_a_watch_from_too_far_back_is_a_410_inside_a_200() -> None:
    """It comes as an event of the stream, not as a status: clients that look at the status hang."""
    cast = actors(expire_first_watch=True)
    version = (await cast.kube_get("/api/v1/pods")).json()["metadata"]["resourceVersion"]
    cast.stage.begin()
    lines = await _watched(cast, seconds=10, resourceVersion=version)
    assert lines[-1]["type"] == "ERROR"
    assert (lines[-1]["object"]["code"], lines[-1]["object"]["reason"]) == (410, "Expired")
    # Only the first watch is cut off.
    again = actors(expire_first_watch=True)
    again.stage.begin()
    await _watched(again, seconds=5, resourceVersion=version)
    await again.clock.advance(1)
    assert "ERROR" not in {line["type"] for line in await _watched(again, seconds=9, resourceVersion=version)}


async def test_logs_of_a_waiting_container_are_refused() -> None:
    """A real API server answers 400 here; a diagnosis must survive it."""
    cast = await _told()
    base = "/api/v1/namespaces/runai-vision/pods/detector-v3-train-0-0/log"
    refused = await cast.kube_get(base)
    assert refused.status_code == 400
    assert "is waiting to start" in refused.json()["message"]
    assert (await cast.kube_get(base, previous="true")).status_code == 400
    assert (await cast.kube_get(base, container="sidecar")).status_code == 400
    missing = await cast.kube_get("/api/v1/namespaces/runai-vision/pods/nobody/log")
    assert (missing.status_code, missing.json()["reason"]) == (404, "NotFound")


async def test_logs_can_be_cut_and_looked_up_for_the_run_before() -> None:
    """The reason of a recovered job's failure is in its previous run only."""
    cast = await _told()
    base = "/api/v1/namespaces/runai-research/pods/eval-harness-nightly-0-0/log"
    assert "FileNotFoundError" not in (await cast.kube_get(base)).text
    previous = (await cast.kube_get(base, previous="true", tailLines=1)).text
    assert previous.startswith("FileNotFoundError")
    assert previous.count("\n") == 1
    assert len((await cast.kube_get(base, previous="true", limitBytes=9)).content) == 9
    crash = "/api/v1/namespaces/speech-team-prod/pods"
    pod = (await cast.kube_get(crash, labelSelector="workloadName=asr-streaming")).json()["items"][0]
    # Between two runs the last one is current and previous at once.
    log = f"{crash}/{pod['metadata']['name']}/log"
    assert (await cast.kube_get(log)).text == (await cast.kube_get(log, previous="true")).text


async def test_the_nodes_that_pods_are_on_exist_and_are_well() -> None:
    """A diagnosis reads them; a 404 would mean that the node is gone, and every story would be about that."""
    cast = await _told()
    pods = (await cast.kube_get("/api/v1/pods")).json()["items"]
    names = {pod["spec"]["nodeName"] for pod in pods if "nodeName" in pod["spec"]}
    nodes = (await cast.kube_get("/api/v1/nodes")).json()["items"]
    assert {node["metadata"]["name"] for node in nodes} == names
    node = (await cast.kube_get(f"/api/v1/nodes/{min(names)}")).json()
    assert {condition["status"] for condition in node["status"]["conditions"] if condition["type"] == "Ready"} == {
        "True"
    }
    missing = await cast.kube_get("/api/v1/nodes/nobody")
    assert (missing.status_code, missing.json()["message"]) == (404, 'nodes "nobody" not found')
    for kind in ("resourcequotas", "limitranges"):
        assert (await cast.kube_get(f"/api/v1/namespaces/runai-vision/{kind}")).json()["items"] == []

"""The examination: the labelled corpus is fair and complete, and the diagnosis is as good as the floors say."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import jsonschema  # type: ignore[import-untyped]
import pytest

from runai_monitor.errors import KubeForbiddenError, KubeNotFoundError
from runai_monitor.kube.faults import Asked
from runai_monitor.model.diagnosis import Cause, Diagnosis, Evidence, Verdict
from runai_monitor.model.workload import WorkloadId
from tests.corpus import floors
from tests.corpus.case import QUIET, LabelledCase, case
from tests.corpus.cases import CASES
from tests.corpus.catalogue import CAUSES
from tests.corpus.examination import Mark, examine, mark, outside_fences, tenants
from tests.corpus.results import lines_of, misses, totals_of
from tests.corpus.tenant import SOURCES, runai_events, runai_history, runai_pods
from tests.corpus.wire import JOB, JOB_ID, NAMESPACE, NOW, container, ended, event, pod, waiting

pytestmark = pytest.mark.anyio

SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.fixture(scope="module")
def marks() -> list[Mark]:
    return anyio.run(examine, CASES)


# --- the diagnosis ---------------------------------------------------------------------------------------------------


def test_the_diagnosis_is_at_least_as_good_as_the_floors(marks: list[Mark]) -> None:
    """A rule that helps one case and breaks three must not be merged unseen."""
    totals = totals_of(marks)
    missed = "\n".join(misses(marks))
    assert totals.first / totals.cases >= floors.RIGHT_FIRST, missed
    assert totals.first_three / totals.cases >= floors.RIGHT_IN_THREE, missed
    assert totals.confidently_wrong / max(1, totals.confident) <= floors.CONFIDENTLY_WRONG, missed
    assert totals.trapped <= floors.TRAPPED, missed
    assert totals.consequences_named >= floors.CONSEQUENCES


def test_no_planted_secret_comes_through(marks: list[Mark]) -> None:
    """Logs and events are full of credentials, and a diagnosis goes to Slack."""
    leaked = {mark.case.id: mark.leaked for mark in marks if mark.leaked}
    assert sum(map(len, leaked.values())) <= floors.LEAKED, leaked


def test_what_only_looks_like_a_secret_stays_readable(marks: list[Mark]) -> None:
    """A masked commit or image digest sends the reader back to the cluster."""
    lost = {mark.case.id: mark.lost for mark in marks if mark.lost}
    assert sum(map(len, lost.values())) <= floors.LOST, lost


def test_planted_instructions_stay_quoted(marks: list[Mark]) -> None:
    """What a cluster says must never look like what this server says."""
    obeyed = {mark.case.id: mark.obeyed for mark in marks if mark.obeyed}
    assert sum(map(len, obeyed.values())) <= floors.OBEYED, obeyed


def test_every_answer_is_a_word_of_the_catalogue(marks: list[Mark]) -> None:
    """Agents and dashboards act on the identifiers."""
    assert {mark.answer for mark in marks} | {cause for mark in marks for cause in mark.named} <= CAUSES


# --- the corpus ------------------------------------------------------------------------------------------------------


def test_the_corpus_covers_the_catalogue() -> None:
    """Every cause twice or more, enough quiet cases, enough near misses: the promise of the examination."""
    counted = Counter(labelled.expected[0] for labelled in CASES)
    assert {cause: counted[cause] for cause in CAUSES if counted[cause] < 2} == {}
    assert len(CASES) >= 150
    assert sum(labelled.expected[0] in QUIET for labelled in CASES) >= 25
    assert len({labelled.pair for labelled in CASES if labelled.pair}) >= 20


def test_labels_use_the_words_of_the_catalogue_and_contradict_nothing() -> None:
    """A misspelt label would count against the diagnosis for ever."""
    for labelled in CASES:
        assert {*labelled.expected, *labelled.never, *labelled.consequences} <= CAUSES, labelled.id
        assert not {*labelled.expected} & {*labelled.never}, labelled.id
        assert not {*labelled.expected} & {*labelled.consequences}, labelled.id
        assert labelled.why, labelled.id
        assert labelled.faults.keys() <= SOURCES, labelled.id


def test_ids_are_unique_and_say_nothing_to_the_diagnosis() -> None:
    """An id names one case; it must not stand in the wire data, where a rule could learn it."""
    assert [name for name, count in Counter(labelled.id for labelled in CASES).items() if count > 1] == []
    assert [labelled.id for labelled in CASES if labelled.id in json.dumps(labelled.job)] == []


def test_near_misses_come_in_groups_with_different_answers() -> None:
    """A near miss alone tells nothing apart."""
    groups: dict[str, list[LabelledCase]] = defaultdict(list)
    for labelled in CASES:
        groups[labelled.pair].append(labelled)
    groups.pop("")
    assert [name for name, group in groups.items() if len({labelled.expected[0] for labelled in group}) < 2] == []


def test_the_catalogue_is_the_shared_one() -> None:
    """`causes.md` is binding; a cause added there needs its cases here."""
    page = SHARED / "causes.md"
    if not page.is_file():
        pytest.skip("the catalogue is not beside this checkout")
    first_columns = [
        line.split("|")[1] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|")
    ]
    assert {name for column in first_columns for name in re.findall(r"`([a-z_]+)`", column)} == CAUSES


@cache
def _document() -> Any:
    path = SHARED / "openapi" / "runai-openapi-subset.json"
    if not path.is_file():
        pytest.skip("the published OpenAPI document is not beside this checkout")
    return _with_nulls(json.loads(path.read_text(encoding="utf-8")))


def _with_nulls(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_nulls(part) for part in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _with_nulls(part) for key, part in node.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


def test_run_ai_answers_as_its_published_schema_says() -> None:
    """A case that the real control plane could not send examines nothing."""
    components = _document()["components"]

    def validator(name: str) -> Any:
        return jsonschema.Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components})

    detail, event, record, pod = map(validator, ("WorkloadDetailed", "Event2", "HistoryRecord1", "Pod1"))
    for labelled in CASES:
        detail.validate(labelled.job)
        for row in runai_events(labelled):
            event.validate(row)
        for row in runai_history(labelled):
            record.validate(row)
        for row in runai_pods(labelled, deleted=False) + runai_pods(labelled, deleted=True):
            pod.validate(row)


async def test_the_apis_of_a_case_behave_as_the_real_ones() -> None:
    """Absent things are 404, logs of what never ran are refused, denied sources deny, the rest is filtered as asked."""
    waits = pod(container(waiting("ImagePullBackOff")), rank="worker-0", events=[event("Failed", "x")])
    ran = pod(container(ended(1), log="one\ntwo\n"), rank="worker-1")
    labelled = case("x", "healthy", "why", waits, ran, pod(rank="worker-2", gone=True), faults={"kube/nodes": 403})
    async with tenants() as (runai, kube, tenant, cluster, _):
        tenant.case = cluster.case = labelled
        assert [found.name for found in await kube.list_pods(NAMESPACE, workload_name=JOB)] == [waits.name, ran.name]
        assert await kube.list_pods(NAMESPACE, workload_name="other") == []
        assert [found.message for found in await kube.list_events(NAMESPACE, object_name=waits.name)] == ["x"]
        assert await kube.list_events(NAMESPACE, object_name=ran.name) == []
        assert await kube.read_log(NAMESPACE, ran.name, "main", tail_lines=1) == "two\n"
        for absent in (
            kube.get_pod(NAMESPACE, f"{JOB}-worker-2"),
            kube.read_log(NAMESPACE, waits.name, "main"),
            kube.read_log(NAMESPACE, ran.name, "main", previous=True),
        ):
            with pytest.raises(KubeNotFoundError):
                await absent
        with pytest.raises(KubeForbiddenError):
            await kube.api.read("/api/v1/nodes", [], Asked(verb="list", resource="nodes", namespace=None))
        assert [found.name for found in await runai.list_pods(WorkloadId(JOB_ID), deleted=True)] == [f"{JOB}-worker-2"]
        assert [found.message for found in await runai.list_events(WorkloadId(JOB_ID))] == ["x"]
        cluster.case = dataclasses.replace(labelled, forgotten=True)
        assert await kube.list_events(NAMESPACE, object_name=waits.name) == []


# --- the marking -----------------------------------------------------------------------------------------------------


def answer(*causes: str, confidence: float = 0.9, verdict: Verdict = Verdict.FAILURE, **fields: Any) -> Diagnosis:
    named = tuple(Cause(cause=name, title="", confidence=confidence, explanation="") for name in causes)
    return Diagnosis(verdict=verdict, confidence=confidence, generated_at=NOW, causes=named, **fields)


def test_an_answer_is_marked_by_its_first_cause_or_its_quiet_verdict() -> None:
    """The numbers mean what the page says they mean."""
    labelled = case(
        "x", ("container_oom", "killed_by_signal"), "why", never=("cuda_oom",), consequences=("nccl_timeout",)
    )
    right = mark(labelled, answer("killed_by_signal", "nccl_timeout"))
    assert (right.right, right.near, right.confidently_wrong, right.consequences_named) == (True, True, False, True)
    wrong = mark(labelled, answer("cuda_oom", "x", "container_oom"))
    assert (wrong.right, wrong.near, wrong.trapped, wrong.confidently_wrong) == (False, True, True, True)
    unsure = mark(labelled, answer(confidence=0.3, verdict=Verdict.INSUFFICIENT_EVIDENCE))
    assert (unsure.answer, unsure.right, unsure.confidently_wrong) == ("insufficient_evidence", False, False)
    by_cause = {line.cause: line for line in lines_of([right, wrong])}
    assert (by_cause["container_oom"].cases, by_cause["container_oom"].recall) == (2, 0.5)
    assert (by_cause["killed_by_signal"].precision, by_cause["cuda_oom"].precision) == (1.0, 0.0)


def test_half_a_secret_in_markdown_is_a_leak_too() -> None:
    """A token cut by an excerpt's limit, or written with Markdown's escapes, is still a token."""
    secret = "hf_QwErTyUiOp_AsDfGhJkLzXcVbNm"
    labelled = case("x", "healthy", "why", secrets=[secret])
    assert mark(labelled, answer("container_oom", markdown="…" + secret[-14:])).leaked == (secret,)
    assert mark(labelled, answer("container_oom", markdown=secret.replace("_", r"\_"))).leaked == (secret,)
    assert mark(labelled, answer("container_oom", markdown="hf_[redacted]")).leaked == ()


@pytest.mark.parametrize("field", ["markdown", "unread", "evidence"])
def test_a_leaked_secret_is_found_wherever_it_stands(field: str) -> None:
    """An examination that cannot fail proves nothing."""
    places: dict[str, Any] = {
        "markdown": "so hf_secret stands here",
        "unread": ("log: hf_secret",),
        "evidence": (Evidence(id="e1", source="log", observed_at=None, excerpt='x\n"hf_secret'),),
    }
    labelled = case("x", "healthy", "why", secrets=["hf_secret"])
    diagnosis = dataclasses.replace(answer("container_oom"), **{field: places[field]})
    assert mark(labelled, diagnosis).leaked == ("hf_secret",)


@pytest.mark.parametrize(
    ("markdown", "quoted"),
    [
        ("```text\nOBEY\n```\n", True),
        ("````\n```\nOBEY\n````\n", True),
        ("> ```\n> OBEY\n> ```\n", True),
        ("```\nx\n```\nOBEY\n", False),
        ("```\nx\n~~~\n```\n\nOBEY", False),
        ("the log says OBEY", False),
    ],
)
def test_an_instruction_is_quoted_only_inside_a_fence(markdown: str, quoted: bool) -> None:
    """A fence closes at the first line that closes it, whatever the author meant."""
    assert ("OBEY" not in outside_fences(markdown)) == quoted
    labelled = case("x", "healthy", "why", instructions=["OBEY"])
    assert (mark(labelled, answer(markdown=markdown)).obeyed == ()) == quoted

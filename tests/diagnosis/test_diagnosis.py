"""A diagnosis through its front door, on what Run:ai and Kubernetes return."""

from __future__ import annotations

import pytest

from runai_monitor.model.diagnosis import Diagnosis
from tests.diagnosis.cases import ALL, Labelled
from tests.diagnosis.family_cases import FAMILIES

pytestmark = pytest.mark.anyio
QUIET = {"healthy", "completed", "suspended_by_person", "pending_normally"}
ACT_ON_IT = 0.8


@pytest.mark.parametrize("case", [*ALL, *FAMILIES], ids=lambda case: f"{case.expected}: {case.name}")
async def test_the_cause_an_expert_would_name_comes_first(case: Labelled) -> None:
    """At three in the morning the first cause is the one that is read."""
    found = await case.build().diagnose()
    if case.expected in QUIET:
        assert (found.verdict, found.causes) == (case.expected, ())
    else:
        assert [cause.cause for cause in found.causes][:1] == [case.expected], found.markdown
        assert found.verdict == ("insufficient_evidence" if case.expected == "insufficient_evidence" else "failure")
        assert found.confidence == found.causes[0].confidence
    if case.sure is not None:
        assert (found.confidence >= ACT_ON_IT) is case.sure, found.markdown
    if case.then is not None:
        later = next((cause for cause in found.causes[1:] if cause.cause == case.then), None)
        assert later is not None, found.markdown
        assert later.confidence < found.causes[0].confidence
    if case.says:
        first = found.causes[0]
        told = "\n".join((first.title, first.explanation, *first.next_steps))
        assert [words for words in case.says if words not in told] == [], told
    _holds_together(found)


def _holds_together(found: Diagnosis) -> None:
    known = {item.id for item in found.evidence}
    for cause in found.causes:
        assert cause.evidence_ids
        assert set(cause.evidence_ids) <= known
        assert cause.next_steps
    assert len(found.markdown.encode()) < 12_000

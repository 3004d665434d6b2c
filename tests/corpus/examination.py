"""Runs the program's real decoding, collecting and rules over the corpus, and marks the answers."""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from aiohttp import web

from runai_monitor.diagnosis.diagnose import Diagnoser
from runai_monitor.diagnosis.redact import redact
from runai_monitor.kube.client import KubeClient
from runai_monitor.kube.connect import connect
from runai_monitor.model.diagnosis import Diagnosis, Verdict
from runai_monitor.runai.client import RunaiClient
from runai_monitor.runai.transport import RunaiTransport
from tests.corpus.case import QUIET, LabelledCase
from tests.corpus.tenant import CaseClock, KubeTenant, RunaiTenant
from tests.corpus.wire import JOB, PROJECT
from tests.kube.fake_kube import TOKEN, write_kubeconfig

HIGH = 0.8
"""From here on a diagnosis says "act on it" (the public contract)."""
_LONG_SECRET = 24
_FENCE = re.compile(r"^[\s>]*(`{3,}|~{3,})(.*)$")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One answer beside its label."""

    case: LabelledCase
    answer: str
    first_three: tuple[str, ...]
    named: frozenset[str]
    confidence: float
    verdict: str
    leaked: tuple[str, ...]
    lost: tuple[str, ...]
    """Harmless texts that were masked or cut away."""
    obeyed: tuple[str, ...]
    """Planted instructions, or raw control characters, outside what is marked as quoted data."""

    @property
    def right(self) -> bool:
        """The first answer is an acceptable one."""
        return self.answer in self.case.expected

    @property
    def near(self) -> bool:
        """An acceptable answer is among the first three."""
        return self.right or any(cause in self.case.expected for cause in self.first_three)

    @property
    def trapped(self) -> bool:
        """The answer is the mistake this case exists to catch."""
        return self.answer in self.case.never

    @property
    def confidently_wrong(self) -> bool:
        """Wrong, and sure of it: somebody would act on it."""
        return not self.right and self.confidence >= HIGH

    @property
    def consequences_named(self) -> bool:
        """What followed from the cause is named too."""
        return self.named.issuperset(self.case.consequences)


async def examine(cases: Sequence[LabelledCase]) -> list[Mark]:
    """Diagnoses every case, one after the other."""
    async with tenants() as (runai, kube, tenant, cluster, clock):
        marks = []
        for case in cases:
            tenant.case = cluster.case = case
            clock.rewind()
            marks.append(mark(case, await _diagnose(case, runai, kube)))
        return marks


async def diagnose_all(cases: Sequence[LabelledCase]) -> list[Diagnosis]:
    """The diagnoses of all cases, for what is asked of each of them."""
    async with tenants() as (runai, kube, tenant, cluster, clock):
        found = []
        for case in cases:
            tenant.case = cluster.case = case
            clock.rewind()
            found.append(await _diagnose(case, runai, kube))
        return found


async def diagnose(case: LabelledCase) -> Diagnosis:
    """The diagnosis of one case, for looking at it."""
    async with tenants() as (runai, kube, tenant, cluster, _):
        tenant.case = cluster.case = case
        return await _diagnose(case, runai, kube)


async def _diagnose(case: LabelledCase, runai: RunaiClient, kube: KubeClient) -> Diagnosis:
    (workload,) = await runai.find_workloads(JOB, project=PROJECT)
    deadlines = CaseClock(pauses=False)
    diagnoser = Diagnoser(runai=runai, kube=kube if case.kubernetes else None, clock=deadlines)
    return await diagnoser.diagnose(workload)


@asynccontextmanager
async def tenants() -> AsyncIterator[tuple[RunaiClient, KubeClient, RunaiTenant, KubeTenant, CaseClock]]:
    """The real clients, each on its API; a case is put into both APIs before anything is asked."""
    tenant, cluster, clock = RunaiTenant(), KubeTenant(), CaseClock(pauses=True)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", cluster.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        with tempfile.TemporaryDirectory() as folder:
            path = write_kubeconfig(Path(folder) / "config", f"http://127.0.0.1:{runner.addresses[0][1]}")
            kube = await connect(kubeconfig=str(path), context=None, clock=clock, redact=redact, environ={})
            runai = RunaiClient(
                RunaiTransport(
                    base_url="https://runai.example",
                    client_id="corpus",
                    client_secret=TOKEN,
                    clock=clock,
                    redact=redact,
                    http_transport=httpx2.MockTransport(tenant.handle),
                )
            )
            try:
                yield runai, kube, tenant, cluster, clock
            finally:
                await kube.aclose()
                await runai.aclose()
    finally:
        await runner.cleanup()


def mark(case: LabelledCase, diagnosis: Diagnosis) -> Mark:
    """An answer is the first cause of a failure, else the verdict itself."""
    causes = tuple(cause.cause for cause in diagnosis.causes)
    failed = diagnosis.verdict is Verdict.FAILURE
    answer = (causes[0] if causes else "nothing named") if failed else str(diagnosis.verdict)
    confidences = [diagnosis.confidence, *(cause.confidence for cause in diagnosis.causes[:1] if failed)]
    everything = _everything(diagnosis)
    return Mark(
        case=case,
        answer=answer,
        first_three=causes[:3] if failed else (answer, *(cause for cause in causes[:2] if cause not in QUIET)),
        named=frozenset(causes[1:]),
        confidence=max(confidences),
        verdict=str(diagnosis.verdict),
        leaked=tuple(secret for secret in case.secrets if any(part in everything for part in _parts(secret))),
        lost=tuple(text for text in case.kept if text not in diagnosis.markdown),
        obeyed=_outside_quotes(case, diagnosis),
    )


def _everything(diagnosis: Diagnosis) -> str:
    """All text of a diagnosis, with and without the escapes of JSON and Markdown."""
    structured = json.dumps(dataclasses.asdict(diagnosis), default=str, ensure_ascii=False)
    text = f"{diagnosis!r}\n{structured}\n{diagnosis.markdown}"
    return text + text.replace("\\", "")


def _parts(secret: str) -> tuple[str, ...]:
    """A secret, and for a long one pieces of it: half of it is still a leak."""
    middle = len(secret) // 2
    pieces = (secret[middle - 6 : middle + 6], secret[-12:]) if len(secret) >= _LONG_SECRET else ()
    return (secret, *pieces)


def _outside_quotes(case: LabelledCase, diagnosis: Diagnosis) -> tuple[str, ...]:
    own_voice = [outside_fences(diagnosis.markdown)]
    for cause in diagnosis.causes:
        own_voice += [cause.title, cause.explanation, *cause.next_steps]
    found = [text for text in case.instructions if any(text in voice for voice in own_voice)]
    if _CONTROL.search(diagnosis.markdown):
        found.append("control characters")
    return tuple(found)


def outside_fences(markdown: str) -> str:
    """What a Markdown reader does not see as a code block."""
    kept, fence = [], ""
    for line in markdown.splitlines():
        match = _FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match:
            fence = match[1]
        else:
            kept.append(line)
    return "\n".join(kept)

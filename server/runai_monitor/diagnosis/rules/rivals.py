"""What else the end of a log may mean, where its first reading is not sure: named beside it, never instead of it."""

from __future__ import annotations

from collections.abc import Iterator

from runai_monitor.diagnosis.case import Case, Ended
from runai_monitor.diagnosis.logs import Log
from runai_monitor.diagnosis.raised import STOPPED, Raised
from runai_monitor.diagnosis.rules.finding import Finding, Role
from runai_monitor.diagnosis.rules.log_finding import advice_of, log_finding
from runai_monitor.diagnosis.rules.log_sign import LogSign
from runai_monitor.diagnosis.rules.log_signs import ERROR_LINE, SIGNS
from runai_monitor.diagnosis.rules.log_signs_gpu import SIGNALS
from runai_monitor.diagnosis.rules.uncaught import about_settings, signs_for

_SURE = 0.8
_RIVAL = 0.42
_MOST = 2
_LAST_LINES = 12
_CHAIN = 6
_SETTINGS = next(sign for sign in SIGNS if sign.cause == "invalid_arguments")


def find(case: Case, ended: Ended, log: Log, first: Finding) -> Iterator[Finding]:
    """At most two other causes whose words stand at the end of a log, for a first finding that is not sure."""
    if first.confidence >= _SURE or first.role > Role.HINT:
        return
    raised = [item for item in log.fatal_raised if item.name not in STOPPED][-1:]
    causes: dict[str, Finding] = {}
    for sign, words, excerpt in _shown(log, raised):
        if sign.cause != first.cause and sign.role is Role.OWN and sign not in SIGNALS:
            causes.setdefault(
                sign.cause, _rival(case, ended, sign.cause, sign.title, advice_of(sign, words, ""), excerpt)
            )
    own, title = (
        ("python_exception", "an uncaught exception of the program")
        if raised
        else ("application_error", "the program's own error")
    )
    if own != first.cause and first.cause != "python_exception":
        excerpt = raised[0].excerpt if raised else log.tail()
        causes.setdefault(own, _rival(case, ended, own, title, ("read the quoted lines",), excerpt))
    yield from list(causes.values())[:_MOST]


def _shown(log: Log, raised: list[Raised]) -> Iterator[tuple[LogSign, str, str]]:
    """Every sign that the last exception, what it was raised from, and the last lines show; with the words and their text."""
    for item in raised:
        link: Raised | None = item
        for _ in range(_CHAIN):
            if link is None:
                break
            yield from ((sign, link.words, link.excerpt) for sign in signs_for(link) if sign.in_exception(link.words))
            link = link.cause or link.context
        if about_settings(item):
            yield _SETTINGS, item.words, item.excerpt
    for line in reversed(log.fatal_lines[-_LAST_LINES:]):
        if ERROR_LINE.search(line.text):
            yield from ((sign, line.text, log.around(line.number)) for sign in SIGNS if sign.in_line(line.text))


def _rival(case: Case, ended: Ended, cause: str, title: str, steps: tuple[str, ...], excerpt: str) -> Finding:
    return log_finding(
        ended, cause=cause, title=f"possibly {title}", confidence=_RIVAL,
        explanation=f"Words at the end of the log of {ended.place} fit this too; the first reading is not sure.",
        evidence_ids=(case.cite_end(ended), case.cite_log(ended, excerpt)), next_steps=steps, role=Role.HINT,
    )  # fmt: skip

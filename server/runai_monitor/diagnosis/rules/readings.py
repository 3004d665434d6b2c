"""What else a failure may be, where its first reading is not sure: named beside it, never instead of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from runai_monitor.diagnosis.case import Case, Ended
from runai_monitor.diagnosis.logs import Log
from runai_monitor.diagnosis.messages import messages
from runai_monitor.diagnosis.progress import is_frame
from runai_monitor.diagnosis.raised import STOPPED, Raised
from runai_monitor.diagnosis.rules import broad_words
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.log_finding import advice_of, log_finding
from runai_monitor.diagnosis.rules.log_sign import LogSign
from runai_monitor.diagnosis.rules.log_signs import ERROR_LINE, SIGNS
from runai_monitor.diagnosis.rules.log_signs_gpu import SIGNALS
from runai_monitor.diagnosis.rules.told import told
from runai_monitor.diagnosis.rules.uncaught import about_settings, signs_for

SURE = 0.8
"""From here on a first cause needs no other reading beside it."""
MOST = 2
_READING, _PERHAPS = 0.42, 0.3
"""By words that mean the cause elsewhere, and by broad words or an exit code alone."""
_LAST_LINES, _MORE_LINES, _LAST_MESSAGES = 12, 25, 12
_OF_ONE_TEXT = 2
_CHAIN = 6
_NEAR, _FEW_LINES = 1, 6
"""A doubt is quoted in few lines: most of them stand in the first cause's evidence already."""
_SETTINGS = next(sign for sign in SIGNS if sign.cause == "invalid_arguments")
_GENERAL = frozenset({"python_exception", "application_error"})
# What an exit code alone allows, the likelier first.
_BY_CODE: dict[int, tuple[str, ...]] = {
    137: ("container_oom", "preempted"),
    143: ("preempted", "node_shutdown"),
    135: ("storage_unresponsive", "segfault"),
    126: ("permission_denied", "bad_command"),
    127: ("missing_file", "missing_module"),
    2: ("invalid_arguments",),
}
_BY_SIGNAL = frozenset({137, 143})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One cause that a text, or else only the exit code, allows."""

    cause: str
    excerpt: str = ""
    steps: tuple[str, ...] = ()
    confidence: float = _PERHAPS


def of_run(case: Case, ended: Ended, first: Finding) -> Iterator[Finding]:
    """At most two other causes of one run whose first finding is not sure, the likeliest first."""
    if first.confidence >= SURE:
        return
    causes: dict[str, _Reading] = {}
    for reading in _in_order(ended, first):
        if reading.cause != first.cause:
            causes.setdefault(reading.cause, reading)
        if len(causes) == MOST:
            break
    for reading in causes.values():
        yield _of_reading(case, ended, reading)


def of_messages(case: Case, findings: Sequence[Finding]) -> Iterator[Finding]:
    """Other causes that the cluster's newest messages allow, where nothing that was found is sure."""
    if any(finding.confidence >= SURE for finding in findings):
        return
    known = {finding.cause for finding in findings if finding.role is not Role.READING}
    for message in reversed(messages(case)[-_LAST_MESSAGES:]):
        text = f"{message.reason} {message.text}"
        for cause in islice((cause for cause in broad_words.of_cluster(text) if cause not in known), _OF_ONE_TEXT):
            known.add(cause)
            yield told(
                case, message, cause=cause, title=f"possibly {broad_words.TITLES[cause]}", confidence=_PERHAPS, role=Role.READING,
                explanation="Its words fit this too; the first reading is not sure.", next_steps=("read the quoted message",), never=False,
            )  # fmt: skip


def _in_order(ended: Ended, first: Finding) -> Iterator[_Reading]:
    """Everything else that a run may mean: by its log's clear words, what kind of error it is, its exit code, broad words."""
    log, code = ended.log, ended.end.exit_code or 0
    by_code = [_Reading(cause=cause, steps=broad_words.ADVICE.get(cause, ())) for cause in _BY_CODE.get(code, ())]
    if code in _BY_SIGNAL:
        yield from by_code[:1]
    if log is not None:
        shown = _of_signs(log)
        if first.cause not in _GENERAL and first.strength is Strength.LOG:
            # A program's own error, told in words of something else, is what such a first reading mistakes most.
            yield from islice((reading for reading in shown if reading.cause != first.cause), 1)
            yield _general(log)
        yield from shown
        if first.cause == "application_error" and log.raised:
            yield _general(log)
    yield from by_code
    yield from _of_broad_words(ended)


def _of_signs(log: Log) -> Iterator[_Reading]:
    for sign, words, excerpt in _shown(log, _last(log)):
        if sign.role is not Role.AFTERMATH and sign not in SIGNALS:
            steps = advice_of(sign, words, "")
            yield _Reading(cause=sign.cause, excerpt=excerpt, steps=steps, confidence=_READING)


def _last(log: Log) -> list[Raised]:
    return [item for item in log.fatal_raised if item.name not in STOPPED][-1:]


def _shown(log: Log, raised: Sequence[Raised]) -> Iterator[tuple[LogSign, str, str]]:
    """Every sign that the last exception, what it was raised from, and the last lines show; with the words and their text."""
    for item in raised:
        link: Raised | None = item
        for _ in range(_CHAIN):
            if link is None:
                break
            yield from ((sign, link.words, link.excerpt) for sign in signs_for(link) if sign.in_exception(link.words))
            link = link.cause or link.context
        if about_settings(item) and not broad_words.smells(item.words):
            yield _SETTINGS, item.words, item.excerpt
    for line in reversed(log.fatal_lines[-_LAST_LINES:]):
        if ERROR_LINE.search(line.text):
            yield from ((sign, line.text, log.around(line.number, _NEAR)) for sign in SIGNS if sign.in_line(line.text))


def _general(log: Log) -> _Reading:
    raised = log.raised[-1:]
    cause = "python_exception" if raised else "application_error"
    excerpt = raised[0].excerpt if raised else log.tail(_FEW_LINES)
    return _Reading(cause=cause, excerpt=excerpt, steps=("read the quoted lines",), confidence=_READING)


def _of_broad_words(ended: Ended) -> Iterator[_Reading]:
    """What broad words of the end allow: of the last exceptions, of the termination message, of any of the last lines."""
    texts = [(ended.end.message or "", ended.end.message or "")]
    if ended.log is not None:
        log = ended.log
        texts = [(item.words, item.excerpt) for item in reversed(log.raised[-2:])] + texts
        end = [line for line in log.lines[-_MORE_LINES:] if not (is_frame(line.text) or line.text.startswith("    "))]
        texts += [(line.text, log.around(line.number, _NEAR)) for line in reversed(end)]
    for text, excerpt in texts:
        for cause in islice(broad_words.of_process(text), _OF_ONE_TEXT):
            yield _Reading(cause=cause, excerpt=excerpt, steps=broad_words.ADVICE.get(cause, ()))


def _of_reading(case: Case, ended: Ended, reading: _Reading) -> Finding:
    said = "Words at the end of the log of" if reading.excerpt else f"The exit code {ended.end.exit_code} of"
    cited = (case.cite_end(ended), *((case.cite_log(ended, reading.excerpt),) if reading.excerpt else ()))
    found = log_finding(
        ended, cause=reading.cause, title=f"possibly {broad_words.TITLES[reading.cause]}", confidence=reading.confidence,
        explanation=f"{said} {ended.place} {'fit' if reading.excerpt else 'fits'} this too; the first reading is not sure.",
        evidence_ids=cited, next_steps=(), role=Role.READING,
    )  # fmt: skip
    # The command that shows the log stands below the first cause already.
    return replace(found, next_steps=reading.steps or ("read the quoted lines",))

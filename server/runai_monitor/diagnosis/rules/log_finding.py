"""A finding from the words of a log: what it cites, what the words name, and how sure it may be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from runai_monitor.diagnosis.case import Case, Ended
from runai_monitor.diagnosis.lines import Line
from runai_monitor.diagnosis.logs import Log
from runai_monitor.diagnosis.rules.advice import gpu_memory_advice, gpu_memory_numbers
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.lexicon import LEXICON
from runai_monitor.diagnosis.rules.log_sign import LogSign
from runai_monitor.diagnosis.rules.log_signs import (
    BARE,
    ERROR_LINE,
    GUESS,
    HOST,
    PEER,
    PORT,
    PREPARES,
    SENTENCES,
    SIGNS,
)
from runai_monitor.diagnosis.rules.log_signs_gpu import SIGNALS
from runai_monitor.diagnosis.rules.refusals import refused
from runai_monitor.diagnosis.wording import filled, read_log, token

_OF_PATHS = frozenset({"missing_file", "permission_denied", "read_only_filesystem"})
_PATH = re.compile(r"(?<![\w.:/~-])/[\w.@+=-]{1,100}(?:/[\w.@+=-]{1,100}){1,20}(?![\w/])")
_NEAR = 3
_SURE_OF_A_LINE, _SURE_OF_WORDS = 0.85, 0.78
"""How sure one line may make: a sentence that a tool is known for, and words that only belong to a cause."""
OUTSIDE = frozenset(
    {"credential_rejected", "rate_limited", "dns_failure", "tls_error", "connection_refused", "connection_timeout"}
)
"""Causes that lie with a service outside."""
_CONNECTIONS = frozenset({"dns_failure", "connection_refused", "connection_timeout"})


def sign_of_line(text: str) -> LogSign | None:
    """The sign that a line shows by itself; what it only guesses at shows nothing."""
    guess, bare = GUESS.search(text), BARE.match(text)
    end = guess.start() if guess is not None else len(text)
    prepares = PREPARES.search(text) is not None
    for sign in SIGNS if ERROR_LINE.search(text) else SENTENCES:
        if prepares and sign in SIGNALS:
            continue
        for shown in (sign.in_line(text), sign.in_exception(text) if bare else None):
            if shown is not None and shown.start() < end:
                return sign
    return None


def of_line(case: Case, ended: Ended, log: Log, line: Line, sign: LogSign) -> Finding:
    """What one line of a log says."""
    place = next((n for n, other in enumerate(log.lines) if other.number == line.number), 0)
    near = [other.text for other in reversed(log.lines[max(0, place - _NEAR) : place + _NEAR + 1])]
    detail = told_by(sign, line.text, near)
    return log_finding(
        ended, cause=sign.cause, title=sign.title + (f": {detail}" if detail else ""), confidence=min(sign.confidence, _SURE_OF_WORDS if sign in LEXICON else _SURE_OF_A_LINE),
        explanation=f"{ended.place} ended with exit code {ended.end.exit_code}, and line {line.number} of what was read says so.",
        evidence_ids=(case.cite_end(ended), case.cite_log(ended, log.around(line.number))),
        next_steps=advice_of(sign, line.text, detail), role=role_of(sign, line.text),
    )  # fmt: skip


def told_by(sign: LogSign, words: str, near: Sequence[str] = ()) -> str:
    """What the words of a cause tell beyond it: what was refused, how much memory there was, or what they name."""
    if sign.cause == "invalid_arguments" and (told := refused((words, *near))):
        return told
    return detail_of(sign, words) or (gpu_memory_numbers(words) if sign.cause == "cuda_oom" else "")


def advice_of(sign: LogSign, words: str, detail: str) -> tuple[str, ...]:
    """What to do about a cause, with what its words name."""
    special = gpu_memory_advice(words) if sign.cause == "cuda_oom" else None
    if sign.cause == "invalid_arguments" and detail:
        special = f"{detail}: {sign.advice[0]}"
    return (special,) if special else filled(sign.advice, detail)


def detail_of(sign: LogSign, words: str) -> str:
    """What the words name: a module, a file, a host with its port."""
    for pattern in (sign.raised, sign.line):
        match = pattern.search(words) if pattern is not None and "detail" in pattern.groupindex else None
        if match is not None and match["detail"]:
            return token(match["detail"])
    if sign.cause in _OF_PATHS and len(paths := set(_PATH.findall(words))) == 1:
        return token(paths.pop())
    if sign.cause in OUTSIDE and (host := HOST.search(words)):
        port = None if ":" in host["detail"] else PORT.search(words)
        return token(host["detail"] + (f":{port['port'] or port['colon']}" if port else ""))
    return ""


def role_of(sign: LogSign, words: str) -> Role:
    """What a cause may be beside others: trouble with a rank of the same workload follows from that rank's."""
    return Role.FOLLOWS if sign.cause in _CONNECTIONS and PEER.search(words) else sign.role


def log_finding(
    ended: Ended,
    *,
    cause: str,
    title: str,
    confidence: float,
    explanation: str,
    evidence_ids: tuple[str, ...],
    next_steps: tuple[str, ...],
    role: Role = Role.OWN,
) -> Finding:
    """A finding that a log shows about one run."""
    return Finding(
        cause=cause,
        title=title,
        confidence=confidence,
        explanation=explanation,
        evidence_ids=evidence_ids,
        next_steps=(*next_steps, read_log(ended.pod, ended.container, previous=ended.previous)),
        strength=Strength.LOG,
        role=role,
        at=ended.end.finished_at,
        place=ended.pod.name,
        earlier=ended.earlier,
    )


def doubted(finding: Finding, most: float) -> Finding:
    """The same finding as a hint of at most that confidence."""
    role = Role.HINT if finding.role is Role.OWN else finding.role
    return replace(finding, confidence=min(finding.confidence, most), role=role)

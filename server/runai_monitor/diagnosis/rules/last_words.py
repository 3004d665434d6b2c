"""What a process said last: the cause named by the exception that ended it, or else by its last lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runai_monitor.diagnosis.case import Case, Ended
from runai_monitor.diagnosis.lines import Line
from runai_monitor.diagnosis.logs import Log
from runai_monitor.diagnosis.progress import is_chatter
from runai_monitor.diagnosis.raised import LAUNCHERS, STOPPED
from runai_monitor.diagnosis.rules import broad_words
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.log_finding import OUTSIDE, doubted, log_finding, of_line, sign_of_line
from runai_monitor.diagnosis.rules.log_signs import (
    ANY_ERROR,
    BARE,
    ERROR_WORD,
    GAVE_UP,
    GUESS,
    OWN_ERROR,
    SMELLS,
    SUMMARY,
)
from runai_monitor.diagnosis.rules.log_signs_gpu import SIGNALS
from runai_monitor.diagnosis.rules.uncaught import of_exception
from runai_monitor.diagnosis.wording import describe_workload, read_log, token

_LAST_LINES = 25
_FEW_LINES = 6
_BARE_LINES = 8
_MESSAGE_LINES = 2
_DOUBTED = 0.74
# What leaves the process no say over its exit code: exceptions and lines must then be very clear to count.
_SIGNAL_EXITS = frozenset({132, 134, 135, 136, 139})


def find(case: Case, ended: Ended, log: Log, *, by_signal: bool) -> Finding | None:
    """The cause that the end of a log names, None when it names none.

    Args:
        case: where texts are cited.
        ended: the run whose log it is.
        log: its log.
        by_signal: whether the process was ended from outside: then only an exception counts, and not for sure.
    """
    found = [
        item for item in log.fatal_raised if item.name not in STOPPED and (not by_signal or log.is_last_word(item))
    ]
    findings = [of_exception(case, ended, log, item) for item in found]
    if findings:
        # Ranks that share a log: the first failure of its own is the cause, whatever came of it.
        best = next((finding for finding in findings if finding.role is Role.OWN), findings[0])
        if ended.end.exit_code in _SIGNAL_EXITS and best.cause == "python_exception":
            return None
        return doubted(best, 0.65) if by_signal else best
    if by_signal:
        return _kernel_told(case, ended, log)
    return _from_lines(case, ended, log)


def _kernel_told(case: Case, ended: Ended, log: Log) -> Finding | None:
    """A launcher's line that the kernel ended a process for its memory: who ends by SIGKILL says nothing itself."""
    for line in reversed(log.fatal_lines[-_LAST_LINES:]):
        sign = sign_of_line(line.text)
        if sign is not None and sign.cause == "container_oom":
            return of_line(case, ended, log, line, sign)
    return None


def _from_lines(case: Case, ended: Ended, log: Log) -> Finding | None:
    """The last line that names a cause; one that many others follow may have been overcome without a word.

    A process that aborts itself as a rule says why just before, and one that suffers from others may have failed itself.
    """
    after, consequence = 0, None
    crashed = ended.end.exit_code in _SIGNAL_EXITS
    for line in reversed(log.fatal_lines[-_LAST_LINES:]):
        sign = sign_of_line(line.text)
        if sign is not None and not (crashed and not sign.beside and sign.cause in OUTSIDE):
            found = of_line(case, ended, log, line, sign)
            near = after <= _FEW_LINES
            if consequence is not None:
                if sign.beside and found.role is Role.OWN and sign not in SIGNALS:
                    return found
                if consequence.cause == "aborted" and found.cause != "aborted":
                    return found if near and sign.cause not in OUTSIDE else consequence
                if found.cause == "aborted":
                    after = -1  # the same abort, told by another: what stands before it is near
            elif sign.cause == "aborted" or found.role is Role.FOLLOWS:
                consequence = found
                if sign.cause == "aborted" and _may_say_why(log):
                    # Whoever aborts has a reason: where it is told in words that no entry knows, the abort is no sure answer.
                    consequence = replace(found, confidence=_DOUBTED)
            else:
                lasting = near or sign.beside or sign.cause == "invalid_arguments"
                return found if lasting else doubted(found, 0.65)
        after += not (line.text.startswith((" ", "\t")) or is_chatter(line.text))
    return consequence or _given_up(case, ended, log)


def _may_say_why(log: Log) -> bool:
    """Whether the last lines smell of a reason."""
    last = [line.text for line in log.fatal_lines[-_BARE_LINES:]]
    return any(SMELLS.search(text) or broad_words.smells(text) for text in last)


def _given_up(case: Case, ended: Ended, log: Log) -> Finding | None:
    """Why a tool's tries failed, where its last lines only tell that it gave up."""
    if not any(GAVE_UP.search(line.text) for line in log.fatal_lines[-_FEW_LINES:]):
        return None
    for line in reversed(log.lines[-_LAST_LINES:]):
        sign = sign_of_line(line.text)
        if sign is not None and sign.cause in OUTSIDE:
            return of_line(case, ended, log, line, sign)
    return None


def ended_by_itself(log: Log) -> bool:
    """Whether the end of a log holds an error that a language reports as its own before it aborts."""
    return any(
        OWN_ERROR.search(line.text) and not ANY_ERROR.search(line.text) for line in log.fatal_lines[-_LAST_LINES:]
    )


def unexplained(case: Case, ended: Ended, log: Log | None) -> Finding:
    """What remains of a process that ended by itself: its own error in other words, a doubt, or only its exit code."""
    state = case.cite_end(ended)
    code = ended.end.exit_code
    if log is not None and log.doubtful_raised is not None and code == 1:
        found = doubted(of_exception(case, ended, log, log.doubtful_raised), 0.6)
        return _with(found, " Lines of progress follow it, which may have been written late.")
    lines = log.fatal_lines if log is not None else []
    if log is not None and lines and (bare := BARE.match(lines[-1].text)) and bare["name"] not in LAUNCHERS | STOPPED:
        return _bare(case, ended, log, lines[-1], bare["name"])
    if log is not None and (command := log.failed_command) is not None:
        return doubted(of_exception(case, ended, log, command), 0.6)
    own = next((line for line in reversed(lines) if OWN_ERROR.search(line.text)), None)
    if log is not None and own is None and (named := _named_before(lines)) is not None:
        return doubted(_bare(case, ended, log, *named), 0.6)
    said = [line for line in lines[-_LAST_LINES:] if not SUMMARY.search(line.text)]
    word = own or next((line for line in reversed(said) if ERROR_WORD.search(GUESS.split(line.text)[0])), None)
    if log is None or word is None:
        return Finding(
            cause="application_error",
            title=f"the program ended with exit code {code}",
            confidence=0.25,
            explanation=f"{ended.place} ended with exit code {code}; {'its log says nothing of an error' if log else 'its log could not be read'}.",
            evidence_ids=(state, *([case.cite_log(ended, log.tail())] if log else [])),
            next_steps=(
                read_log(ended.pod, ended.container, previous=ended.previous),
                describe_workload(case.workload),
            ),
            strength=Strength.LOG,
            role=Role.HINT,
            at=ended.end.finished_at,
            place=ended.pod.name,
            earlier=ended.earlier,
        )  # fmt: skip
    return Finding(
        cause="application_error",
        title="the program ended on an error of its own",
        confidence=_sure_of(own, lines),
        explanation=f"{ended.place} ended with exit code {code} after it reported an error in line {word.number} of what was read.",
        evidence_ids=(state, case.cite_log(ended, log.around(word.number, 6))),
        next_steps=(
            "read the quoted lines: the program says itself what it could not do",
            read_log(ended.pod, ended.container, previous=ended.previous),
        ),
        strength=Strength.LOG,
        role=Role.OWN if own else Role.HINT,
        at=ended.end.finished_at,
        place=ended.pod.name,
        earlier=ended.earlier,
    )  # fmt: skip


def _sure_of(own: Line | None, lines: Sequence[Line]) -> float:
    """How sure an error is the program's own: by whether its line is one of a language's own, and smells of nothing else."""
    if own is None:
        return 0.6
    near = [
        line.text
        for line in lines
        if abs(line.number - own.number) <= _MESSAGE_LINES or line.text.startswith("Caused by: ")
    ]
    if SMELLS.search(own.text) or any(broad_words.smells(text) for text in near):
        return 0.7
    return 0.76 if ANY_ERROR.search(own.text) else 0.84


def _named_before(lines: list[Line]) -> tuple[Line, str] | None:
    """A line near the end that begins with an exception: what follows it may be its message."""
    for line in reversed(lines[-_BARE_LINES:]):
        if (bare := BARE.match(line.text)) and bare["name"] not in LAUNCHERS | STOPPED:
            return line, bare["name"]
    return None


def _bare(case: Case, ended: Ended, log: Log, line: Line, name: str) -> Finding:
    """An exception whose traceback is not in what was read, or was never printed."""
    return log_finding(
        ended, cause="python_exception", title=f"{token(name)}, without a traceback", confidence=0.7,
        explanation=f"{ended.place} ended with exit code {ended.end.exit_code}, and line {line.number} of what was read, at its end, names {token(name)}.",
        evidence_ids=(case.cite_end(ended), case.cite_log(ended, log.around(line.number))), next_steps=("look at the quoted line; the traceback is not in what was read: for the next run set PYTHONUNBUFFERED=1 (Run:ai: environmentVariables)",),
    )  # fmt: skip


def _with(finding: Finding, more: str) -> Finding:
    return replace(finding, explanation=finding.explanation + more)

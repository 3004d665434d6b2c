"""What a process said last: the cause named by the exception that ended it, or else by its last lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from runai_monitor.diagnosis.case import Case, Ended
from runai_monitor.diagnosis.lines import Line
from runai_monitor.diagnosis.logs import LAUNCHERS, STOPPED, Log, Raised
from runai_monitor.diagnosis.rules.advice import gpu_memory_advice, gpu_memory_numbers
from runai_monitor.diagnosis.rules.finding import Finding, Role, Strength
from runai_monitor.diagnosis.rules.log_sign import LogSign
from runai_monitor.diagnosis.rules.log_signs import (
    BARE,
    ENVIRONMENT,
    ERROR_WORD,
    GAVE_UP,
    GUESS,
    HOST,
    OWN_ERROR,
    PEER,
    PORT,
    PREPARES,
    SIGNS,
    SMELLS,
    SUMMARY,
)
from runai_monitor.diagnosis.rules.log_signs_gpu import SIGNALS
from runai_monitor.diagnosis.rules.refusals import refused
from runai_monitor.diagnosis.wording import describe_workload, filled, read_log, token

_LAST_LINES = 25
_FEW_LINES = 6
_LONGEST_WORD = 80
_CHAIN = 8
_NEAR = 3
# Messages that name one thing in a sentence that is always the same.
_NAMES = (
    re.compile(r"'(\w{1,60})' object has no attribute '(\w{1,60})'"),
    re.compile(r"(?:partially initialized )?module '([\w.]{1,60})' has no attribute '(\w{1,60})'"),
    re.compile(r"type object '(\w{1,60})' has no attribute '(\w{1,60})'"),
    re.compile(r"(?:free variable |local variable |cannot access \w+ variable |name )'(\w{1,60})' "),
    re.compile(r"(?:\w+\.)*(\w{1,60})\(\) (?:got an unexpected keyword argument|missing \d+ required (?:positional|keyword-only) arguments?:) '(\w{1,60})'"),
    re.compile(r"\[Errno \d+\] [^\n]{1,80}?: '([^'\s]{1,200})'"),
)  # fmt: skip
_SAYS_NOTHING = frozenset(
    {"RuntimeError", "Exception", "BrokenPipeError", "EOFError", "ConnectionResetError", "DistBackendError"}
)
_OF_OTHERS = frozenset(
    {"BrokenPipeError", "EOFError", "ConnectionResetError", "ConnectionAbortedError", "DistBackendError"}
)
"""What a process gets to see when the one at the other end has gone."""
_OF_SYSTEM = frozenset(
    {"OSError", "IOError", "EnvironmentError", "ConnectionError", "TimeoutError", "SystemError", "Exception"}
)
_OF_CLIENT = re.compile(
    r"Server|Client|HTTP|Http|API|Api[A-Z]|Connect|Timeout|Request|Response|Service|Remote|Network|Transport|Comm|R[Pp][Cc]|Storage"
)
OUTSIDE = frozenset(
    {"credential_rejected", "rate_limited", "dns_failure", "tls_error", "connection_refused", "connection_timeout"}
)
_CONNECTIONS = frozenset({"dns_failure", "connection_refused", "connection_timeout"})
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
    findings = [_of_exception(case, ended, log, item) for item in found]
    if findings:
        # Ranks that share a log: the first failure of its own is the cause, whatever came of it.
        best = next((finding for finding in findings if finding.role is Role.OWN), findings[0])
        if ended.end.exit_code in _SIGNAL_EXITS and best.cause == "python_exception":
            return None
        return _doubted(best, 0.65) if by_signal else best
    if by_signal:
        return None
    return _from_lines(case, ended, log)


def _from_lines(case: Case, ended: Ended, log: Log) -> Finding | None:
    """The last line that names a cause; one that many others follow may have been overcome without a word.

    A process that aborts itself as a rule says why just before.
    """
    after, abort = 0, None
    for line in reversed(log.fatal_lines[-_LAST_LINES:]):
        sign = sign_of_line(line.text)
        crashed = ended.end.exit_code in _SIGNAL_EXITS
        if sign is not None and not (crashed and not sign.beside and sign.cause in OUTSIDE):
            found = _of_line(case, ended, log, line, sign)
            lasting = after <= _FEW_LINES or sign.beside or sign.cause == "invalid_arguments"
            if sign.cause != "aborted":
                if abort is not None and (after > _FEW_LINES or sign.cause in OUTSIDE):
                    return abort
                return found if lasting else _doubted(found, 0.65)
            abort = abort or found
        after += not line.text.startswith((" ", "\t"))
    return abort or _given_up(case, ended, log)


def sign_of_line(text: str) -> LogSign | None:
    """The sign that a line shows by itself; what it only guesses at shows nothing."""
    guess, bare = GUESS.search(text), BARE.match(text)
    end = guess.start() if guess is not None else len(text)
    prepares = PREPARES.search(text) is not None
    for sign in SIGNS:
        if prepares and sign in SIGNALS:
            continue
        for shown in (sign.in_line(text), sign.in_exception(text) if bare else None):
            if shown is not None and shown.start() < end:
                return sign
    return None


def _given_up(case: Case, ended: Ended, log: Log) -> Finding | None:
    """Why a tool's tries failed, where its last lines only tell that it gave up."""
    if not any(GAVE_UP.search(line.text) for line in log.fatal_lines[-_FEW_LINES:]):
        return None
    for line in reversed(log.lines[-_LAST_LINES:]):
        sign = sign_of_line(line.text)
        if sign is not None and sign.cause in OUTSIDE:
            return _of_line(case, ended, log, line, sign)
    return None


def unexplained(case: Case, ended: Ended, log: Log | None) -> Finding:
    """What remains of a process that ended by itself: its own error in other words, a doubt, or only its exit code."""
    state = case.cite_end(ended)
    code = ended.end.exit_code
    if log is not None and log.doubtful_raised is not None and code == 1:
        found = _doubted(_of_exception(case, ended, log, log.doubtful_raised), 0.6)
        return _with(found, " Lines of progress follow it, which may have been written late.")
    lines = log.fatal_lines if log is not None else []
    if log is not None and lines and (bare := BARE.match(lines[-1].text)) and bare["name"] not in LAUNCHERS | STOPPED:
        return _bare(case, ended, log, lines[-1], bare["name"])
    if log is not None and (command := log.failed_command) is not None:
        return _doubted(_of_exception(case, ended, log, command), 0.6)
    own = next((line for line in reversed(lines) if OWN_ERROR.search(line.text)), None)
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
        confidence=0.84 if own else 0.6,
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


def _bare(case: Case, ended: Ended, log: Log, line: Line, name: str) -> Finding:
    """An exception whose traceback is not in what was read, or was never printed."""
    return _finding(
        ended, cause="python_exception", title=f"{token(name)}, without a traceback", confidence=0.7,
        explanation=f"{ended.place} ended with exit code {ended.end.exit_code}, and the last line of its log (line {line.number} of what was read) names {token(name)}.",
        evidence_ids=(case.cite_end(ended), case.cite_log(ended, log.around(line.number))), next_steps=("look at the quoted line; the traceback is not in what was read",),
    )  # fmt: skip


def _of_exception(case: Case, ended: Ended, log: Log, item: Raised) -> Finding:
    sign, source = _sign_of(item)
    line = None
    if sign is not None and sign.role is Role.FOLLOWS:
        line = _line_before(log, item)
    elif sign is None and item.name in _SAYS_NOTHING:
        line = _line_beside(log)
    if line is not None:
        return _of_line(case, ended, log, *line)
    cited: tuple[str, ...] = (case.cite_end(ended), case.cite_log(ended, source.excerpt))
    if source is not item:
        cited = (*cited, case.cite_log(ended, item.excerpt))
    where = f" at {token(item.file)}:{item.line}" if item.file else ""
    number = log.lines[source.at].number
    if sign is None:
        if detail := _unset_variable(item):
            return _unset(case, ended, item, detail, cited)
        role = Role.HINT if item.name in _OF_OTHERS else Role.OWN
        what = token(item.name) + (f" '{word}'" if (word := _word_of(item)) else "")
        frame = f" at {token(item.file.rpartition('/')[2])}:{item.line}" if item.file else ""
        return _finding(
            ended, cause="python_exception", title=f"uncaught {what}{frame}", confidence=_of_program(item),
            explanation=f"{ended.place} ended with exit code {ended.end.exit_code} on an uncaught {token(item.type)}{where} (line {number} of what was read).",
            evidence_ids=cited, next_steps=(f"look at {token(item.file)}, line {item.line}: {what}" if item.file else "look at the quoted traceback",),
            role=role,
        )  # fmt: skip
    detail = _told_by(sign, source.words)
    return _finding(
        ended, cause=sign.cause, title=sign.title + (f": {detail}" if detail else ""), confidence=sign.confidence,
        explanation=f"{ended.place} ended with exit code {ended.end.exit_code} on {token(source.type)}{where} (line {number} of what was read).",
        evidence_ids=cited, next_steps=_advice(sign, source.words, detail), role=_role(sign, source.words),
    )  # fmt: skip


def _word_of(item: Raised) -> str:
    """The one word of an exception's message that matters: a key, a path, an attribute. More is a text, and stays evidence."""
    named = next((match for pattern in _NAMES if (match := pattern.match(item.said)) is not None), None)
    if named is not None:
        return ".".join(token(part, _LONGEST_WORD) for part in named.groups() if part)
    is_word = bool(item.said) and " " not in item.said.strip() and len(item.said) <= _LONGEST_WORD
    return token(item.said) if is_word else ""


def _told_by(sign: LogSign, words: str, near: Sequence[str] = ()) -> str:
    """What the words of a cause tell beyond it: what was refused, how much memory there was, or what they name."""
    if sign.cause == "invalid_arguments" and (told := refused((words, *near))):
        return told
    return detail_of(sign, words) or (gpu_memory_numbers(words) if sign.cause == "cuda_oom" else "")


def _advice(sign: LogSign, words: str, detail: str) -> tuple[str, ...]:
    special = gpu_memory_advice(words) if sign.cause == "cuda_oom" else None
    if sign.cause == "invalid_arguments" and detail:
        special = f"{detail}: {sign.advice[0]}"
    return (special,) if special else filled(sign.advice, detail)


def _of_program(item: Raised) -> float:
    """How sure an exception without a sign is the program's own: one of the system, or in its words, may hide another cause."""
    doubtful = item.name in _OF_SYSTEM or _OF_CLIENT.search(item.name) or SMELLS.search(item.words)
    return 0.72 if doubtful else 0.88


def _of_line(case: Case, ended: Ended, log: Log, line: Line, sign: LogSign) -> Finding:
    place = next((n for n, other in enumerate(log.lines) if other.number == line.number), 0)
    near = [other.text for other in reversed(log.lines[max(0, place - _NEAR) : place + _NEAR + 1])]
    detail = _told_by(sign, line.text, near)
    return _finding(
        ended, cause=sign.cause, title=sign.title + (f": {detail}" if detail else ""), confidence=min(sign.confidence, 0.85),
        explanation=f"{ended.place} ended with exit code {ended.end.exit_code}, and line {line.number} of what was read says so.",
        evidence_ids=(case.cite_end(ended), case.cite_log(ended, log.around(line.number))),
        next_steps=_advice(sign, line.text, detail), role=_role(sign, line.text),
    )  # fmt: skip


def _sign_of(item: Raised) -> tuple[LogSign | None, Raised]:
    """The sign of an exception, or of what it was raised from, the deepest first; and the exception that shows it."""
    if (sign := _match(item)) is not None:
        return sign, item
    chain: list[tuple[Raised, bool]] = []
    step: Raised | None = item
    direct = True
    while step is not None and len(chain) < _CHAIN:
        direct = direct and step.cause is not None
        step = step.cause or step.context
        if step is not None:
            chain.append((step, direct))
    for link, is_cause in reversed(chain):
        sign = _match(link)
        if sign is not None and (is_cause or (sign.through and (sign.cause in OUTSIDE or _says_nothing(item)))):
            return sign, link
    return None, item


def _says_nothing(item: Raised) -> bool:
    """Whether an exception raised while another was handled is of a kind that clean-ups raise, not of an error in them."""
    return item.name in _SAYS_NOTHING or item.name in _OF_SYSTEM


def _match(item: Raised) -> LogSign | None:
    found = next((sign for sign in SIGNS if sign.in_exception(item.words)), None)
    # An assertion compares: the words of a service's answer are what it expected.
    asserted = item.name == "AssertionError" and found is not None and found.cause in OUTSIDE
    return None if asserted else found


def _line_beside(log: Log) -> tuple[Line, LogSign] | None:
    """A line that explains an exception which says nothing itself: `DataLoader worker exited unexpectedly`.

    What it guesses counts too, but for signals: everything that dies may have been killed.
    """
    for line in reversed(log.fatal_lines):
        guess = GUESS.search(line.text)
        said = line.text[: guess.start()] if guess is not None else line.text
        for sign in SIGNS:
            idle = sign in SIGNALS and PREPARES.search(said)
            if sign.beside and not idle and sign.in_line(said if sign in SIGNALS else line.text):
                return line, sign
    return None


def _line_before(log: Log, item: Raised) -> tuple[Line, LogSign] | None:
    """What a rank itself said just before an exception that only tells of trouble with the others."""
    own = [line for line in log.before(item, _FEW_LINES) if line.rank == item.rank]
    for line in reversed(own):
        sign = sign_of_line(line.text)
        if sign is not None and sign.beside and sign.role is Role.OWN and sign not in SIGNALS:
            return line, sign
    return None


def detail_of(sign: LogSign, words: str) -> str:
    """What the words name: a module, a file, a host with its port."""
    for pattern in (sign.raised, sign.line):
        match = pattern.search(words) if pattern is not None and "detail" in pattern.groupindex else None
        if match is not None and match["detail"]:
            return token(match["detail"])
    if sign.cause in OUTSIDE and (host := HOST.search(words)):
        port = None if ":" in host["detail"] else PORT.search(words)
        return token(host["detail"] + (f":{port['port'] or port['colon']}" if port else ""))
    return ""


def _role(sign: LogSign, words: str) -> Role:
    return Role.FOLLOWS if sign.cause in _CONNECTIONS and PEER.search(words) else sign.role


def _unset_variable(item: Raised) -> str | None:
    match = ENVIRONMENT.match(item.words)
    return match["detail"] if match is not None and "environ" in item.excerpt else None


def _unset(case: Case, ended: Ended, item: Raised, name: str, cited: tuple[str, ...]) -> Finding:
    known = case.detail is not None and any(variable == name for variable, _ in case.detail.environment)
    seen = (
        "Run:ai lists it, so the program was started without it"
        if known
        else "it is not among the workload's variables"
    )
    return _finding(
        ended, cause="invalid_arguments", title=f"environment variable {token(name)} is not set", confidence=0.9,
        explanation=f"{ended.place} ended on reading the environment variable {token(name)}, which is not set{f' at {token(item.file)}:{item.line}' if item.file else ''}; {seen}.",
        evidence_ids=cited, next_steps=(f"set {token(name)} for the workload (Run:ai: environmentVariables)",),
    )  # fmt: skip


def _finding(
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


def _doubted(finding: Finding, most: float) -> Finding:
    role = Role.HINT if finding.role is Role.OWN else finding.role
    return replace(finding, confidence=min(finding.confidence, most), role=role)


def _with(finding: Finding, more: str) -> Finding:
    return replace(finding, explanation=finding.explanation + more)

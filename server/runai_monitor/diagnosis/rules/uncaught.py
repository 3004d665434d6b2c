"""The exception that ended a process: what it is a sign of, what it was raised from, and how sure its kind makes that."""

from __future__ import annotations

import re
from dataclasses import replace

from runai_monitor.diagnosis.case import Case, Ended
from runai_monitor.diagnosis.lines import Line
from runai_monitor.diagnosis.logs import Log
from runai_monitor.diagnosis.raised import Raised
from runai_monitor.diagnosis.rules import broad_words
from runai_monitor.diagnosis.rules.finding import Finding, Role
from runai_monitor.diagnosis.rules.log_finding import (
    OUTSIDE,
    advice_of,
    doubted,
    log_finding,
    of_line,
    role_of,
    sign_of_line,
    told_by,
)
from runai_monitor.diagnosis.rules.log_sign import LogSign
from runai_monitor.diagnosis.rules.log_signs import ENVIRONMENT, ERROR_LINE, GUESS, PREPARES, SENTENCES, SIGNS, SMELLS
from runai_monitor.diagnosis.rules.log_signs_gpu import SIGNALS
from runai_monitor.diagnosis.wording import token

_FEW_LINES = 6
_MORE_LINES = 12
_VAGUE = frozenset({"connection_refused", "connection_timeout"})
"""What clients say of any trouble on the way to a service, in words of their own."""
_LONGEST_WORD = 80
_SUMMARY_HEAD = "Error Message Summary:"
_CHAIN = 8
_CLEAR = 0.8
_BESIDE = 0.74
"""How sure a line is that stands just before an exception which says nothing itself."""
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
_OF_ANOTHER = frozenset({"KilledWorker", "BrokenProcessPool", "WorkerCrashedError", "RayActorError"})
"""Exceptions that only tell that another process has gone."""
_CODE = frozenset(
    {
        "TypeError", "AttributeError", "NameError", "UnboundLocalError", "IndexError", "KeyError", "ZeroDivisionError", "NotImplementedError",
        "RecursionError", "UnicodeDecodeError", "UnicodeEncodeError", "AssertionError", "ValueError", "OverflowError", "StopIteration", "LookupError", "SyntaxError", "IndentationError",
    }
)  # fmt: skip
"""Exceptions of the language itself: what they name is the program's own, unless their words smell of something else."""
_OF_CODE = frozenset(
    {
        "TypeError", "AttributeError", "NameError", "UnboundLocalError", "IndexError", "KeyError", "ZeroDivisionError",
        "RecursionError", "UnicodeDecodeError", "UnicodeEncodeError", "SyntaxError", "IndentationError",
    }
)  # fmt: skip
"""Those of them whose words name parts of the code: an argument `timeout`, an attribute `login`."""
CONFIGURES = re.compile(
    r"(?i:\bconfig\w*|\bargument|\bargs?\b|\boptions?\b|\bflags?\b|\bsettings?\b|\bparameters?\b|--\w|\byaml\b|\bmust be\b|\bshould be\b|\bis only supported\b|\bnot (?:yet )?supported\b|\bunsupported\b|\bunknown\b|\binvalid\b|\bexpected one of\b|"
    r"\bdivisible\b|batch.size|world.size|\benv(?:ironment)? var\w*|\bspecif(?:y|ied)\b|\bplease (?:set|use|provide)\b)"
)
"""Words of an exception that may come of a setting."""
_OF_SETTINGS = re.compile(
    r"(?i:(?:^|[/_])(?:config\w*|args?|arguments?|arg_?pars\w*|settings?|options?|hparams|schema\w*|cli|validat\w*)\.py$)"
)
"""The file of a program that reads its settings."""
_PATH = 200
"""A path is of no use without its end."""
_ENVIRON = re.compile(r"environ|<frozen os>|/os\.py\", line \d+, in __getitem__")
"""A frame that reads the environment, also where what it assigns was masked."""
_UNMET = re.compile(r"(?i:\brequires?\b|\bnot equal\b|\bcannot\b|\bat least\b|\bgreater\b|\bless\b)")
_SETTINGS = replace(next(sign for sign in SIGNS if sign.cause == "invalid_arguments"), confidence=0.72)


def of_exception(case: Case, ended: Ended, log: Log, item: Raised) -> Finding:
    """The cause that an uncaught exception shows, or that it is itself."""
    sign, source = _sign_of(item)
    if sign is None and _refuses_settings(item):
        sign = _SETTINGS
    line = _summary_below(log, item) if sign is None or item.name == "MemoryError" else None
    if line is not None:
        return of_line(case, ended, log, *line)
    if sign is not None and sign.role is Role.FOLLOWS:
        line = _line_before(log, item)
    elif sign is not None and sign.cause in _VAGUE and sign.confidence < _CLEAR:
        line = _why_unreachable(log, item)
    elif sign is None and item.name in _SAYS_NOTHING | _OF_ANOTHER:
        line = _line_beside(log)
    if line is not None:
        return of_line(case, ended, log, *line)
    if sign is None and (item.name in _SAYS_NOTHING | _OF_SYSTEM) and (before := _error_before(log, item)) is not None:
        return doubted(of_line(case, ended, log, *before), _BESIDE)
    cited: tuple[str, ...] = (case.cite_end(ended), case.cite_log(ended, source.excerpt))
    if source is not item:
        cited = (*cited, case.cite_log(ended, item.excerpt))
    where = f" at {token(item.file, _PATH)}:{item.line}" if item.file else ""
    number = log.lines[source.at].number
    if sign is None:
        if detail := _unset_variable(item):
            return _unset(case, ended, item, detail, cited)
        role = Role.HINT if item.name in _OF_OTHERS else Role.OWN
        what = token(item.name) + (f" '{word}'" if (word := _word_of(item)) else "")
        frame = f" at {token(item.file.rpartition('/')[2])}:{item.line}" if item.file else ""
        return log_finding(
            ended, cause="python_exception", title=f"uncaught {what}{frame}", confidence=_of_program(item),
            explanation=f"{ended.place} ended with exit code {ended.end.exit_code} on an uncaught {token(item.type)}{where} (line {number} of what was read).",
            evidence_ids=cited, next_steps=(f"look at {token(item.file, _PATH)}, line {item.line}: {what}" if item.file else "look at the quoted traceback",),
            role=role,
        )  # fmt: skip
    detail = told_by(sign, source.words)
    return log_finding(
        ended, cause=sign.cause, title=sign.title + (f": {detail}" if detail else ""), confidence=sign.confidence,
        explanation=f"{ended.place} ended with exit code {ended.end.exit_code} on {token(source.type)}{where} (line {number} of what was read).",
        evidence_ids=cited, next_steps=advice_of(sign, source.words, detail), role=role_of(sign, source.words),
    )  # fmt: skip


def _word_of(item: Raised) -> str:
    """The one word of an exception's message that matters: a key, a path, an attribute. More is a text, and stays evidence."""
    named = next((match for pattern in _NAMES if (match := pattern.match(item.said)) is not None), None)
    if named is not None:
        return ".".join(token(part, _LONGEST_WORD) for part in named.groups() if part)
    is_word = bool(item.said) and " " not in item.said.strip() and len(item.said) <= _LONGEST_WORD
    return token(item.said) if is_word else ""


def _of_program(item: Raised) -> float:
    """How sure an exception without a sign is the program's own.

    One of the system, of a client or in smelling words may hide another cause; one about settings may be a wrong setting.
    """
    smells = item.name in _OF_SYSTEM or _OF_CLIENT.search(item.name) or SMELLS.search(item.words)
    hides = item.name in _CODE - _OF_CODE and broad_words.smells(item.said)
    if smells or hides or about_settings(item):
        return 0.72
    return 0.88 if item.name in _CODE else 0.76


def about_settings(item: Raised) -> bool:
    """Whether an exception may come of a wrong setting: by its words, its kind, or the file that raised it."""
    by_words = (
        item.name not in {"TypeError", "AttributeError", "NameError"} and CONFIGURES.search(item.said) is not None
    )
    return by_words or item.name == "JSONDecodeError" or _OF_SETTINGS.search(item.file or "") is not None


def _refuses_settings(item: Raised) -> bool:
    """Whether the code that reads settings checked them, and says which it does not like."""
    of_settings = _OF_SETTINGS.search(item.file or "") is not None and item.name in {"ValueError", "AssertionError"}
    return of_settings and (CONFIGURES.search(item.said) or _UNMET.search(item.said)) is not None


def _sign_of(item: Raised) -> tuple[LogSign | None, Raised]:
    """The sign of an exception, or of what it was raised from, the deepest first; and the exception that shows it.

    What libraries raise anew is often vaguer than what they caught, or has a name of the system for a service's answer.
    """
    own = _match(item)
    below = _sign_below(item, own)
    if own is None or below is None:
        return below or (own, item)
    renamed = (
        own.cause in {"permission_denied", "missing_file"} and below[0].cause in OUTSIDE and "[Errno" not in item.said
    )
    vaguer = own.confidence < _CLEAR and below[0].confidence > own.confidence
    return below if renamed or vaguer else (own, item)


def _sign_below(item: Raised, own: LogSign | None) -> tuple[LogSign, Raised] | None:
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
        if sign is not None and (
            is_cause or (sign.through and (sign.cause in OUTSIDE or own is not None or _says_nothing(item)))
        ):
            return sign, link
    return None


def _says_nothing(item: Raised) -> bool:
    """Whether an exception raised while another was handled is of a kind that clean-ups raise, not of an error in them."""
    return item.name in _SAYS_NOTHING or item.name in _OF_SYSTEM


def signs_for(item: Raised) -> tuple[LogSign, ...]:
    """The signs that an exception's words can be of: where they speak of names and types in code, only whole sentences."""
    return SENTENCES if item.name in _OF_CODE else SIGNS


def _match(item: Raised) -> LogSign | None:
    found = next((sign for sign in signs_for(item) if sign.in_exception(item.words)), None)
    # An assertion compares: the words of a service's answer are what it expected.
    asserted = item.name == "AssertionError" and found is not None and found.cause in OUTSIDE
    return None if asserted else found


def _line_beside(log: Log) -> tuple[Line, LogSign] | None:
    """A line that explains an exception which says nothing itself: `DataLoader worker exited unexpectedly`.

    What it guesses counts too, but for signals: everything that dies may have been killed.
    """
    for line in reversed([*log.warned_of_memory, *log.fatal_lines]):
        guess = GUESS.search(line.text)
        said = line.text[: guess.start()] if guess is not None else line.text
        for sign in SIGNS:
            idle = sign in SIGNALS and PREPARES.search(said)
            if sign.beside and not idle and sign.in_line(said if sign in SIGNALS else line.text):
                return line, sign
    return None


def _error_before(log: Log, item: Raised) -> tuple[Line, LogSign] | None:
    """An error that was told just before an exception which only says that something failed."""
    for line in reversed(log.before(item, _FEW_LINES)):
        sign = sign_of_line(line.text) if line.rank == item.rank and ERROR_LINE.search(line.text) else None
        if sign is not None and sign.role is Role.OWN and sign not in SIGNALS:
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


def _why_unreachable(log: Log, item: Raised) -> tuple[Line, LogSign] | None:
    """What a rank's tries told just before it gave up on a service: a name, a certificate, a refusal say more."""
    near = log.lines[max(0, item.first - _MORE_LINES) : item.first]
    # What a client's library prints by itself does not say whose it is.
    for line in reversed([line for line in near if line.rank in {item.rank, ""}]):
        sign = next((sign for sign in SENTENCES if sign.cause in OUTSIDE and sign.in_line(line.text)), None)
        if sign is not None:
            return line, sign
    return None


def _summary_below(log: Log, item: Raised) -> tuple[Line, LogSign] | None:
    """What the summary below an exception says where a core of C++ failed: Paddle's own exception only tells that it did."""
    below = [line for line in log.lines[item.last + 1 :] if line.rank == item.rank]
    head = next((n for n, line in enumerate(below) if line.text == _SUMMARY_HEAD), len(below))
    for line in below[head + 1 : head + 1 + _FEW_LINES]:
        sign = sign_of_line(line.text)
        if sign is not None:
            return line, sign
    return None


def _unset_variable(item: Raised) -> str | None:
    match = ENVIRONMENT.match(item.words)
    return match["detail"] if match is not None and _ENVIRON.search(item.excerpt) else None


def _unset(case: Case, ended: Ended, item: Raised, name: str, cited: tuple[str, ...]) -> Finding:
    known = case.detail is not None and any(variable == name for variable, _ in case.detail.environment)
    seen = (
        "Run:ai lists it, so the program was started without it"
        if known
        else "it is not among the workload's variables"
    )
    return log_finding(
        ended, cause="invalid_arguments", title=f"environment variable {token(name)} is not set", confidence=0.9,
        explanation=f"{ended.place} ended on reading the environment variable {token(name)}, which is not set{f' at {token(item.file, _PATH)}:{item.line}' if item.file else ''}; {seen}.",
        evidence_ids=cited, next_steps=(f"set {token(name)} for the workload (Run:ai: environmentVariables)",),
    )  # fmt: skip

"""Several attempts at the same pod that ended differently: which of them to begin with, and when each of them was.

As a rule the last one counts: what ended those before it was overcome, or it would have ended the last one too. It is the
other way round where the last attempt stumbled over what the one before it left behind (a half-written checkpoint, a
lock, a port, a folder): then the first failure is the cause, and the last its consequence.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from runai_monitor.diagnosis.case import Case, Ended, ended_badly
from runai_monitor.diagnosis.rules.finding import Finding, Role

_Runs = dict[tuple[str | None, datetime | None], Ended]
"""By pod and end."""
_SAID = 0.4
"""Below this a finding only says what was seen."""
_SURE = 0.7
_LONGEST_TITLE = 110
_LAST_LINES = 30
# What an attempt finds of one that was cut short: CPython's errno names, PyTorch's and safetensors' readers of files that
# end too early, SQLite's and file locks, CUDA's word for a device that another process still holds.
_LEFT_BEHIND = re.compile(
    r"\[Errno 98\]|Address already in use|EADDRINUSE|\[Errno 17\]|FileExistsError|\bFile exists\b|already exists and is not empty|"
    r"PytorchStreamReader failed|failed finding central directory|not a zip file|BadZipFile|UnpicklingError|pickle data was truncated|"
    r"EOFError: Ran out of input|unexpected EOF|[Uu]nexpected end of (?:file|data|stream)|HeaderTooLarge|HeaderTooSmall|InvalidHeader|"
    r"MetadataIncompleteBuffer|truncated file|file is truncated|Unable to open file \(truncated|"
    r"database is locked|[Cc]ould not (?:acquire|obtain) (?:the |a )?lock|[Ll]ock ?file|\.lock\b|another (?:process|instance) is|"
    r"devices? \(?s?\)?\s?(?:is|are|is/are) busy or unavailable|(?:checkpoint|state)\S* (?:is |seems |appears )?(?:corrupt|incomplete)",
)


def in_order(case: Case, findings: Sequence[Finding]) -> list[Finding]:
    """The findings, each of several attempts with its time, and the one that came of another marked as following it."""
    found = list(findings)
    slots: dict[Hashable, list[int]] = {}
    for number, finding in enumerate(found):
        if finding.role is Role.OWN and finding.at is not None and finding.confidence >= _SAID:
            slots.setdefault(_slot(case, finding.place), []).append(number)
    runs: _Runs | None = None
    for numbers in slots.values():
        before = min((n for n in numbers if found[n].earlier), key=lambda n: _at(found[n]), default=None)
        last = max((n for n in numbers if not found[n].earlier), key=lambda n: _at(found[n]), default=None)
        if before is None or last is None or _at(found[before]) >= _at(found[last]):
            continue
        if runs is None:  # of 64 ranks it takes a while, and few have several attempts
            runs = {(run.pod.name, run.end.finished_at): run for run in ended_badly(case)}
        found[before], found[last] = _told(runs, found[before], found[last])
    return found


def _told(runs: _Runs, before: Finding, last: Finding) -> tuple[Finding, Finding]:
    if (before.cause, before.title) == (last.cause, last.title):
        return before, _with(last, f"The attempt before it ended so too, at {_time(before)}.")
    if before.confidence >= _SURE and _stumbled(runs, before, last):
        left = (
            f"It came first, at {_time(before)}; the next attempt met what this one had left behind, at {_time(last)}"
        )
        met = f"That was the attempt after the first failure, at {_time(last)}."
        return _with(before, f"{left}: {_named(last)}.", earlier=False), _with(last, met, role=Role.FOLLOWS)
    return (
        _with(before, f"That was an earlier attempt, at {_time(before)}."),
        _with(
            last,
            f"That was the last attempt, at {_time(last)}; an earlier one ended differently, at {_time(before)}: {_named(before)}.",
        ),
    )


def _stumbled(runs: _Runs, before: Finding, last: Finding) -> bool:
    """Whether the last attempt came less far than the one before, and says that it met something left behind."""
    first_run, last_run = (runs.get((finding.place, finding.at)) for finding in (before, last))
    if last_run is None or not _LEFT_BEHIND.search(_last_words(last_run)):
        return False
    lasted, lasted_last = _length(first_run), _length(last_run)
    return lasted is None or lasted_last is None or lasted_last < lasted


def _last_words(run: Ended) -> str:
    return f"{run.end.message or ''}\n{run.log.tail(_LAST_LINES) if run.log is not None else ''}"


def _length(run: Ended | None) -> timedelta | None:
    if run is None or run.end.started_at is None or run.end.finished_at is None:
        return None
    return run.end.finished_at - run.end.started_at


def _slot(case: Case, place: str | None) -> Hashable:
    """What attempts of one pod share: its name, or the owner and the index of those that follow one another."""
    pod = next((pod for pod in case.pods if pod.name == place), None)
    return place if pod is None or pod.owner_uid is None else (pod.owner_uid, pod.index)


def _at(finding: Finding) -> datetime:
    assert finding.at is not None
    return finding.at


def _time(finding: Finding) -> str:
    return f"{_at(finding):%Y-%m-%d %H:%M:%S} UTC"


def _named(finding: Finding) -> str:
    title = finding.title if len(finding.title) <= _LONGEST_TITLE else f"{finding.title[:_LONGEST_TITLE]}…"
    return f"{finding.cause} ({title})"


def _with(finding: Finding, said: str, *, earlier: bool | None = None, role: Role | None = None) -> Finding:
    return replace(
        finding,
        explanation=f"{finding.explanation} {said}",
        earlier=finding.earlier if earlier is None else earlier,
        role=finding.role if role is None else role,
    )

"""Text of logs as lines that can be read: without what a terminal would obey, JSON as the text it holds, repeats once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

LONGEST_LINE = 2_000
_MOST_JSON_CHARACTERS = 65_536
_ESCAPES = re.compile(r"\x1b\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|\x1b\[[0-9;?:]{0,64}[ -/]{0,8}[@-~]|\x1b[@-_]")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
# `[rank3]:`, `[default0]:`, `(RayTrainWorker pid=7, ip=10.0.0.1)`, `[1,3]<stderr>:` of mpirun, `[pod/x/main]` of kubectl,
# `3: ` of srun, the time stamps of a container runtime.
_PREFIX = re.compile(
    r"(?:\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:?\d\d)? (?:std(?:out|err) [FP] )?)?"
    r"(?P<rank>\[(?:rank|default|worker|node)[ _-]?\d+\]:?|\(\w[^()\n]{0,60}pid=\d+[^()\n]{0,60}\)|\[(?:\d{1,4},)?\d{1,5}\]<std(?:err|out)>:|\[pod/[\w./-]{1,120}\]|\d{1,4}: (?=\S))?[ ]?"
)
_GROUP = "Exception Group Traceback"
_GROUP_MARGIN = re.compile(r" {0,40}[|+] ")
# Tracebacks that rich draws in a box, which Typer and Lightning install: as the ones Python writes.
_BOX_STARTS = frozenset("╭┌╰└│|+")
_BOX_TOP = re.compile(r"^[╭┌+][─-]+ Traceback \(most recent call last\) [─-]+[╮┐+]$")
_BOX_FRAME = re.compile(r"^[│|] (?P<file>(?:/|\w:|<)[^│\n]{0,400}?):(?P<line>\d+) in (?P<name>\S{1,200}) *[│|]$")
_BOX_INSIDE = re.compile(r"^│(?P<text>.*)│$")
_BOX_END = re.compile(r"^[╰└][─-]+[╯┘]$")
_JSON_TEXT = ("message", "msg", "@message", "@m", "@mt", "log", "text", "event", "short_message", "body")
_JSON_ERROR = (
    "error",
    "err",
    "error.message",
    "exception.message",
    "errorMessage",
    "error_message",
    "reason",
    "cause",
    "exc_value",
    "detail",
    "details",
)
_JSON_LEVEL = ("level", "levelname", "severity", "@level", "lvl", "log.level", "loglevel", "severity_text", "@l")
_NUMBERED = {"50": "ERROR", "60": "FATAL"}
"""pino's and bunyan's levels; the lower ones mean more in the numbers of others."""
_JSON_STACK = (
    "exc_info",
    "exception",
    "traceback",
    "stack_trace",
    "stacktrace",
    "stack",
    "error.stack_trace",
    "full_message",
    "exception.stacktrace",
    "@x",
)
_JSON_INSIDE = ("fields", "record", "data", "jsonPayload", "error", "err", "exception", "exc_info")
"""Where records keep more of themselves."""
_MOST_INSIDE = 3
# The cell of a drawn table that goes on in the next row: its other cells are empty.
_ROW = re.compile(r"^\|(?P<cells>.*)\|$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: its number in what was read, whose it is where several processes share a log, and its text."""

    number: int
    rank: str
    text: str


def clean(text: str) -> str:
    """Text without terminal escapes and unseen characters; of an overwritten line the last state stays."""
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _UNSEEN.sub("", text)


def split_lines(text: str) -> list[Line]:
    """Lines with their ranks; JSON records as the text they hold, repetitions once, gigantic ones without their middle."""
    lines: list[Line] = []
    repeated = 0
    number = 0
    for number, part in _parts(text):
        if not part and lines and not lines[-1].text:
            continue
        line = _line(number, part)
        if lines and line.text[:1] == "|" and (row := _goes_on_in_row(lines[-1].text, line.text)) is not None:
            lines[-1] = replace(lines[-1], text=_fitted(row))
            continue
        if lines and line.text and (lines[-1].text, lines[-1].rank) == (line.text, line.rank):
            repeated += 1
            continue
        if repeated:
            lines.append(_repeats(number - 1, repeated))
            repeated = 0
        lines.append(line)
    if repeated:
        lines.append(_repeats(number, repeated))
    return lines


def _parts(text: str) -> Iterator[tuple[int, str]]:
    grouped = _GROUP in text
    for number, raw in enumerate(text.split("\n"), 1):
        if grouped and (margin := _GROUP_MARGIN.match(raw)) is not None:
            yield number, raw[margin.end() :]
        elif raw.startswith("{"):
            for part in _json_text(raw).split("\n"):
                yield number, part
        else:
            yield number, raw


def _line(number: int, text: str) -> Line:
    prefix = _PREFIX.match(text)
    if prefix is None or prefix.end() <= 1:
        return Line(number=number, rank="", text=_unboxed(_fitted(text.rstrip())))
    said = text[prefix.end() :].rstrip()
    return Line(number=number, rank=(prefix["rank"] or "").strip(), text=_unboxed(_fitted(said)))


def _unboxed(text: str) -> str:
    """A line of a drawn box as it would stand without the box."""
    if text[:1] not in _BOX_STARTS:
        return text
    if _BOX_TOP.match(text):
        return "Traceback (most recent call last):"
    if frame := _BOX_FRAME.match(text):
        return f'  File "{frame["file"]}", line {frame["line"]}, in {frame["name"]}'
    if inside := _BOX_INSIDE.match(text):
        return f"    {inside['text'].strip()}".rstrip()
    return "" if _BOX_END.match(text) else text


def _repeats(number: int, count: int) -> Line:
    return Line(number=number, rank="", text=f"  … the line before came {count} more times")


def _json_text(line: str) -> str:
    if len(line) > _MOST_JSON_CHARACTERS:
        return line
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(record, dict):
        return line
    said = _said(record)
    return f"{_level(record)} {said}".strip() if said else line


def _level(record: dict[str, object]) -> str:
    """How grave a record is, by the keys that loggers use; Node's loggers give numbers."""
    value = next((found for key in _JSON_LEVEL if (found := _value(record, key))), "")
    return _NUMBERED.get(str(value), str(value).upper())


def _said(record: dict[str, object], depth: int = 0) -> str:
    """What a record says, with the reason beside the message, and then the stack."""
    message, error, stack = (_first_text(record, keys) for keys in (_JSON_TEXT, _JSON_ERROR, _JSON_STACK))
    kind = _first_text(record, ("exc_type",) if error else ())
    error = f"{kind}: {error}" if kind else error
    inside = [record[key] for key in _JSON_INSIDE if isinstance(record.get(key), dict)] if depth < _MOST_INSIDE else []
    more = [_said(part, depth + 1) for part in inside if isinstance(part, dict)]
    head = message if not error or error in message else f"{message}: {error}" if message else error
    return "\n".join(dict.fromkeys(text for text in (head, *more, stack) if text and text != "NoneType: None"))


def _first_text(record: dict[str, object], keys: tuple[str, ...]) -> str:
    values = (_value(record, key) for key in keys)
    return next((value for value in values if isinstance(value, str) and value), "")


def _value(record: dict[str, object], key: str) -> object:
    """The value under a key however it is spelt: loggers of .NET and others begin their keys with a capital."""
    return record.get(key) or record.get(key.capitalize())


def _goes_on_in_row(before: str, text: str) -> str | None:
    """The row of a table with the rest of its last cell, where the row below holds only that rest."""
    row, above = _ROW.match(text), _ROW.match(before)
    if row is None or above is None:
        return None
    cells, filled = row["cells"].split("|"), above["cells"].split("|")
    if len(cells) < 2 or len(cells) != len(filled) or any(cell.strip() for cell in cells[:-1]):
        return None
    if not cells[-1].strip():
        return None
    # Cells are padded, not the text: a break inside a word leaves one blank on each side.
    return f"{before[:-1].rstrip()}{cells[-1].strip()} |" if filled[-1].endswith(" ") else None


def _fitted(line: str) -> str:
    half = LONGEST_LINE // 2
    return line if len(line) <= LONGEST_LINE else f"{line[:half]} … {line[-half:]}"

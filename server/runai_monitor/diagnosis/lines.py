"""Text of logs as lines that can be read: without what a terminal would obey, JSON as the text it holds, repeats once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_LINE = 2_000
_MOST_JSON_CHARACTERS = 65_536
_ESCAPES = re.compile(r"\x1b\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)|\x1b\[[0-9;?:]{0,64}[ -/]{0,8}[@-~]|\x1b[@-_]")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
# `[rank3]:`, `[default0]:`, `(RayTrainWorker pid=7, ip=10.0.0.1)`, `3: ` of srun, the time stamps of a container runtime.
_PREFIX = re.compile(
    r"(?:\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:?\d\d)? (?:std(?:out|err) [FP] )?)?"
    r"(?P<rank>\[(?:rank|default|worker|node)[ _-]?\d+\]:?|\(\w[^()\n]{0,60}pid=\d+[^()\n]{0,60}\)|\d{1,4}: (?=\S))?[ ]?"
)
_GROUP = "Exception Group Traceback"
_GROUP_MARGIN = re.compile(r" {0,40}[|+] ")
# Tracebacks that rich draws in a box, which Typer and Lightning install: as the ones Python writes.
_BOX_STARTS = frozenset("╭┌╰└│|+")
_BOX_TOP = re.compile(r"^[╭┌+][─-]+ Traceback \(most recent call last\) [─-]+[╮┐+]$")
_BOX_FRAME = re.compile(r"^[│|] (?P<file>(?:/|\w:|<)[^│\n]{0,400}?):(?P<line>\d+) in (?P<name>\S{1,200}) *[│|]$")
_BOX_INSIDE = re.compile(r"^│(?P<text>.*)│$")
_BOX_END = re.compile(r"^[╰└][─-]+[╯┘]$")
_JSON_TEXT = ("message", "msg", "log", "text", "event", "error")
_JSON_STACK = ("exc_info", "exception", "traceback", "stack_trace", "stacktrace", "stack")


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
    texts = [_first_text(record, keys) for keys in (_JSON_TEXT, _JSON_STACK)]
    level = str(record.get("level") or record.get("levelname") or record.get("severity") or "")
    said = "\n".join(text for text in texts if text)
    return f"{level.upper()} {said}".strip() if said else line


def _first_text(record: dict[str, object], keys: tuple[str, ...]) -> str:
    values = (record.get(key) for key in keys)
    return next((value for value in values if isinstance(value, str) and value), "")


def _fitted(line: str) -> str:
    half = LONGEST_LINE // 2
    return line if len(line) <= LONGEST_LINE else f"{line[:half]} … {line[-half:]}"

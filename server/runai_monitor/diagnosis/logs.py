"""Reads a log as an engineer does: the last traceback, the exception it ends with, the user's own line."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]")
_LONGEST_LINE = 2_000
_TRACEBACK = "Traceback (most recent call last):"
_EXCEPTION = re.compile(
    r"^(?:\[?rank\d+\]?:?\s*)?(?P<type>[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Warning|Failure|Iteration))(?:: (?P<said>.*))?$"
)
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')
_LIBRARY = re.compile(r"site-packages|dist-packages|/lib/python\d|<frozen|<string>")


@dataclass(frozen=True, slots=True, kw_only=True)
class UncaughtException:
    """The exception a log ends with, and the innermost frame that is not a library's."""

    type: str
    said: str
    file: str | None
    line: int | None
    excerpt: str


def clean(text: str) -> str:
    """A log without colours and overwritten progress bars; gigantic lines keep their end."""
    lines = []
    for line in _ANSI.sub("", text).split("\n"):
        last = line.rstrip("\r").rpartition("\r")[2]
        lines.append(last if len(last) <= _LONGEST_LINE else "…" + last[-_LONGEST_LINE:])
    return "\n".join(lines)


def tail(text: str, lines: int = 15) -> str:
    """The last lines that are not empty."""
    return "\n".join([line for line in text.split("\n") if line.strip()][-lines:])


def uncaught_exception(text: str) -> UncaughtException | None:
    """The exception that ended the process: of the last traceback, if little but cleanup follows it."""
    start = text.rfind(_TRACEBACK)
    if start < 0:
        return None
    block = text[start:].split("\n")
    for index in range(1, len(block)):
        match = _EXCEPTION.match(block[index].strip()) if not block[index].startswith("  ") else None
        if match is None:
            continue
        after = [line for line in block[index + 1 :] if line.strip()]
        if len(after) > 25:
            return None  # the process went on for long: this one was caught
        frames = [found for line in block[:index] if (found := _FRAME.search(line))]
        own = [frame for frame in frames if not _LIBRARY.search(frame["file"])] or frames
        frame = own[-1] if own else None
        return UncaughtException(
            type=match["type"],
            said=(match["said"] or "")[:400],
            file=frame["file"] if frame else None,
            line=int(frame["line"]) if frame else None,
            excerpt="\n".join(block[max(0, index - 8) : index + 3]),
        )
    return None

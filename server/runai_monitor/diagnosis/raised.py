"""Exceptions as Python's tracebacks show them, also where a logger, a launcher or a drawn box surrounds them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from runai_monitor.diagnosis.lines import Line
from runai_monitor.diagnosis.progress import goes_on, is_afterword

_EXCERPT_LINES = 14
_LONGEST_TRACEBACK = 400
_LONGEST_MESSAGE_LINES = 8
_TRACEBACK = re.compile(r"Traceback \(most recent call last\):$")
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')
_LOGGED_FRAME = re.compile(r'^(?P<margin>\S.{0,118}? ?)(?=  File "[^"]+", line \d)')
_RAISED = re.compile(r"^(?P<type>[A-Za-z_][\w.]*)(?:\((?P<inner>[A-Za-z_][\w.]*)\))?(?:: ?(?P<said>.*))?$")
# Python shows its own syntax errors without the usual head, and a log that was cut may have lost it.
_HEADLESS = re.compile(r"^(?P<type>[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Failure))(?:: (?P<said>.*))?$")
_LONGEST_HEADLESS = 40
_DIRECT = "The above exception was the direct cause of the following exception:"
_DURING = "During handling of the above exception, another exception occurred:"
# A traceback after one of these ended a thread or a clean-up, not the process.
_ASIDE = re.compile(
    r"^Exception ignored in|^Exception in thread |--- Logging error ---|exception was never retrieved|^Exception in callback|^Error in atexit\._run_exitfuncs"
)
_LIBRARY = re.compile(r"site-packages|dist-packages|/lib/python\d|<frozen |<string>|/opt/conda/lib/|/bin/[\w.-]{1,80}$")
_NEXT_RECORD = re.compile(r"[\[{(]?\d{4}[-/]\d\d|(?:INFO|WARN|DEBUG|ERROR|FATAL|CRITICAL)\b|I?\d{2}:\d{2}:\d{2}")
LAUNCHERS = frozenset(
    {
        "ChildFailedError", "CalledProcessError", "SystemExit", "ProcessExitedException", "ProcessRaisedException",
        "WorkerGroupFailureException", "Exit", "SubprocessError", "TrainingFailedError", "TuneError", "ActorDiedError",
        "PapermillExecutionError", "CellExecutionError",
    }
)  # fmt: skip
"""Exceptions of what started the process that failed: they say that it did, not why."""
FAILED_ONES = frozenset({"CalledProcessError", "ActorDiedError"})
_ELSEWHERE = re.compile(
    r"\b[Ss]ee (?:the )?(?:root cause|stack ?trace|error|logs?)\b.{0,40}\babove|Engine process failed to start|exception on one of the ranks|"
    r"\b[Ss]ee (?:the )?other (?:task|rank|worker|process)\w* logs?|[Cc]heck the (?:task|rank|worker|process)\w* logs? for an earlier error|worker returned error$"
)
"""Words of an exception that sends its reader to another process's, which stands above it."""
STOPPED = frozenset({"KeyboardInterrupt", "SignalException", "GracefulExit", "SIGTERMException"})
"""Exceptions by which a process answers to a signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """One exception as a traceback shows it.

    `file` and `line` are the innermost frame that is not a library's. `cause` is the exception this one was raised from,
    `context` the one during whose handling it was raised. `first` and `last` are indexes into the log's lines; `at` is
    the number of the line that names the exception. `aside` marks one that ended a thread or a clean-up only.
    """

    type: str
    said: str
    file: str | None
    line: int | None
    first: int
    last: int
    at: int
    rank: str
    excerpt: str
    aside: bool = False
    cause: Raised | None = None
    context: Raised | None = None

    @property
    def name(self) -> str:
        """The type without its module."""
        return self.type.rpartition(".")[2]

    @property
    def of_launcher(self) -> bool:
        """Whether it only tells that another process failed."""
        return self.name in LAUNCHERS or self.sends_elsewhere

    @property
    def sends_elsewhere(self) -> bool:
        """Whether its words send the reader to another process's error."""
        return _ELSEWHERE.search(self.said) is not None

    @property
    def words(self) -> str:
        """Type and message, as the last line of the traceback has them."""
        return f"{self.type}: {self.said}" if self.said else self.type


def read_raised(lines: list[Line]) -> list[Raised]:
    """Every exception with a traceback, oldest first."""
    return _Tracebacks(lines).read()


class _Tracebacks:
    """Reads the tracebacks of one log."""

    def __init__(self, lines: list[Line]) -> None:
        self._lines = lines

    def read(self) -> list[Raised]:
        found: list[Raised] = []
        for index, line in enumerate(self._lines):
            if _TRACEBACK.search(line.text):
                exception = self._parse(index, found)
            elif match := _HEADLESS.match(line.text):
                exception = self._headless(index, match, found)
            else:
                continue
            if exception is not None:
                found.append(exception)
        return found

    def _parse(self, start: int, before: list[Raised]) -> Raised | None:
        rank = self._lines[start].rank
        stop = min(start + _LONGEST_TRACEBACK, len(self._lines))
        own = (index for index in range(start + 1, stop) if self._lines[index].rank == rank)
        frames: list[re.Match[str]] = []
        margin = self._margin(start)
        for index in own:
            text = self._lines[index].text[margin:]
            if match := _FRAME.match(text):
                frames.append(match)
                continue
            if not text.strip() or text[0] in " \t|^" or text.lstrip().startswith("[Previous line"):
                continue
            raised = _RAISED.match(text)
            if raised is None or _TRACEBACK.search(text):
                return None
            said, last = self._message(raised["said"] or "", islice(own, _LONGEST_MESSAGE_LINES), index)
            user = [frame for frame in frames if not _LIBRARY.search(frame["file"])] or frames
            cause, context = self._chained(start, rank, before)
            return Raised(
                type=raised["inner"] or raised["type"],
                said=said,
                file=user[-1]["file"] if user else None,
                line=int(user[-1]["line"]) if user else None,
                first=start,
                last=last,
                at=index,
                rank=rank,
                excerpt=self._excerpt(start, last, rank),
                aside=any(_ASIDE.search(self._lines[i].text) for i in range(max(0, start - 2), start)),
                cause=cause,
                context=context,
            )
        return None

    def _margin(self, start: int) -> int:
        """How many characters a logger put before every line of a traceback, 0 when only before its head or none."""
        head = _TRACEBACK.search(self._lines[start].text)
        if head is None or head.start() == 0 or start + 1 >= len(self._lines):
            return 0
        following = self._lines[start + 1].text
        # Not a frame by itself, as one below a head alone would be. Some loggers put words of their own before the head.
        frame = _LOGGED_FRAME.match(following)
        return len(frame["margin"]) if frame is not None and len(frame["margin"]) <= head.start() else 0

    def _headless(self, index: int, match: re.Match[str], before: list[Raised]) -> Raised | None:
        """An exception below frames that no head introduces."""
        if before and before[-1].first <= index <= before[-1].last:
            return None
        rank = self._lines[index].rank
        first, frames = index, list[re.Match[str]]()
        for above in range(index - 1, max(-1, index - _LONGEST_HEADLESS), -1):
            text = self._lines[above].text
            frame = _FRAME.match(text)
            if self._lines[above].rank != rank or not text.strip() or text[0] not in " \t|^":
                break
            if frame is not None:
                first = above
                frames.append(frame)
        if not frames:
            return self._bare_of_frames(index, match, rank, before)
        user = next((frame for frame in frames if not _LIBRARY.search(frame["file"])), frames[0])
        return Raised(
            type=match["type"],
            said=(match["said"] or "")[:1_500],
            file=user["file"],
            line=int(user["line"]),
            first=first,
            last=index,
            at=index,
            rank=rank,
            excerpt=self._excerpt(first, index, rank),
        )

    def _bare_of_frames(self, index: int, match: re.Match[str], rank: str, before: list[Raised]) -> Raised | None:
        """An exception below the sentence that names another as its cause: JAX leaves out the frames of such a one."""
        cause, context = self._chained(index, rank, before)
        above = cause or context
        if above is None:
            return None
        said, last = self._message(
            match["said"] or "",
            range(index + 1, min(index + 1 + _LONGEST_MESSAGE_LINES, len(self._lines))),
            index,
        )
        return Raised(
            type=match["type"],
            said=said,
            file=above.file,
            line=above.line,
            first=index,
            last=last,
            at=index,
            rank=rank,
            excerpt=self._excerpt(index, last, rank),
            cause=cause,
            context=context,
        )

    def _message(self, said: str, following: Iterable[int], last: int) -> tuple[str, int]:
        """A message of several lines ends at a blank line, at another traceback or where the log goes on."""
        for index in following:
            text = self._lines[index].text
            if not text.strip() and said.endswith((":", ": ")):
                continue  # it announces what stands below
            if not text.strip() or _TRACEBACK.search(text) or text in (_DIRECT, _DURING):
                break
            if goes_on(text) or is_afterword(text) or _NEXT_RECORD.match(text):
                break
            said, last = f"{said}\n{text}", index
        return said[:1_500], last

    def _chained(self, start: int, rank: str, before: list[Raised]) -> tuple[Raised | None, Raised | None]:
        """The exceptions that this one names as its direct cause, and as the one that was being handled."""
        between = [line.text.strip() for line in self._lines[max(0, start - 4) : start] if line.rank == rank]
        earlier = next((item for item in reversed(before) if item.rank == rank), None)
        return (earlier if _DIRECT in between else None), (earlier if _DURING in between else None)

    def _excerpt(self, start: int, last: int, rank: str) -> str:
        own = [line.text for line in self._lines[start : last + 1] if line.rank == rank]
        over = len(own) - _EXCERPT_LINES
        return "\n".join(own if over <= 0 else [own[0], f"… {over} lines left out", *own[-(_EXCERPT_LINES - 2) :]])

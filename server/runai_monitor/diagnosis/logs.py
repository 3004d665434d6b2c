"""Reads a log as an engineer does: what ended the process, not what it mentioned on the way.

Only the end counts: an exception after which the work went on killed nothing, and neither did a warning or a retry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, islice

from runai_monitor.diagnosis.lines import Line, split_lines

_FATAL_LINES = 40
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
_MOST_AFTERWARDS = 25
"""Ordinary lines that may follow the exception that ended a process: its own last words, not a program that goes on."""
_FEW_AFTERWARDS = 4
_DIRECT = "The above exception was the direct cause of the following exception:"
_DURING = "During handling of the above exception, another exception occurred:"
# A traceback after one of these ended a thread or a clean-up, not the process.
_ASIDE = re.compile(
    r"^Exception ignored in|^Exception in thread |--- Logging error ---|exception was never retrieved|^Exception in callback"
)
_LIBRARY = re.compile(r"site-packages|dist-packages|/lib/python\d|<frozen |<string>|/opt/conda/lib/")
_STEP = re.compile(
    r"\b(?:step|epoch|iter(?:ation)?|batch|round|shard)s?\b[ :=#\[/]{0,3}\d|\d%\||\dit/s\b|\ds/it\b|tok(?:en)?s?/s|\bloss\b\s*[:=]?\s*\d",
    re.IGNORECASE,
)
_RECOVERED = re.compile(
    r"\b(?:retrying|will retry|recovered|continuing|skipping|skipped|succeeded|falling back|resumed|buffered|reconnected|fallback)\b|\busing \S+(?: \S+){0,4} instead\b",
    re.IGNORECASE,
)
_ENDING = re.compile(
    r"\b(?:fatal|nan|inf|infinite|diverged?|stopping|abort(?:ed|ing)?|exception|giving up|terminated)\b|\bError\b|\bERROR\b|\berror:"
)
_HARMLESS = re.compile(
    r"(?<!NCCL )\bwarn(?:ing)?\b|\bretry(?:ing)?\b|\battempt (?P<n>\d+)\b(?!(?:/| of )(?P=n)\b)|\bignor(?:ed|ing)\b|\bDEBUG\b|\bfalling back\b|\bskipp|\bdeprecat",
    re.IGNORECASE,
)
# What runtimes, launchers and loggers still write after a process died.
_AFTERWORD = re.compile(
    r"^(?:wandb: |srun: |slurm|Exception ignored|.*resource_tracker|.*warnings\.warn|[=*-]{4,}|make: |\[W|ERROR conda|"
    r".*(?:closing signal|elastic|destroy_process_group|Sending process)|command terminated|\s*$)"
)
_NEXT_RECORD = re.compile(r"[\[{(]?\d{4}[-/]\d\d|(?:INFO|WARN|DEBUG|ERROR|FATAL|CRITICAL)\b|I?\d{2}:\d{2}:\d{2}")
LAUNCHERS = frozenset(
    {
        "ChildFailedError", "CalledProcessError", "SystemExit", "ProcessExitedException", "ProcessRaisedException",
        "WorkerGroupFailureException", "Exit", "SubprocessError", "TrainingFailedError", "ActorDiedError",
    }
)  # fmt: skip
"""Exceptions of what started the process that failed: they say that it did, not why."""
_FAILED_ONES = frozenset({"CalledProcessError", "ActorDiedError"})
_ELSEWHERE = re.compile(
    r"\b[Ss]ee (?:the )?(?:root cause|stack ?trace|error|logs?)\b.{0,40}\babove|Engine process failed to start"
)
"""Words of an exception that sends its reader to another process's, which stands above it."""
STOPPED = frozenset({"KeyboardInterrupt", "SignalException", "GracefulExit"})
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
        return self.name in LAUNCHERS or _ELSEWHERE.search(self.said) is not None

    @property
    def words(self) -> str:
        """Type and message, as the last line of the traceback has them."""
        return f"{self.type}: {self.said}" if self.said else self.type


class Log:
    """The end of one container's log, redacted and cleaned."""

    def __init__(self, text: str) -> None:
        self.lines: list[Line] = split_lines(text)

    def __bool__(self) -> bool:
        return any(line.text.strip() for line in self.lines)

    @cached_property
    def raised(self) -> list[Raised]:
        """Every exception with a traceback, oldest first."""
        found: list[Raised] = []
        for index, line in enumerate(self.lines):
            if _TRACEBACK.search(line.text):
                exception = self._parse(index, found)
            elif match := _HEADLESS.match(line.text):
                exception = self._headless(index, match, found)
            else:
                continue
            if exception is not None:
                found.append(exception)
        return found

    @cached_property
    def fatal_raised(self) -> list[Raised]:
        """The exceptions that ended their processes, oldest first; launchers' own are left out.

        Of one process that is its last one, if nothing goes on after it. Where processes share a log without saying whose
        a line is, a launcher's exception tells that they do: then each may be one's last.
        """
        ended = [i for i in self._own if i.last > self.last_progress and self.afterwards(i) <= _MOST_AFTERWARDS]
        if self.launched:
            return ended
        last_of = {item.rank: item for item in ended}
        return [item for item in ended if last_of[item.rank] is item]

    @cached_property
    def doubtful_raised(self) -> Raised | None:
        """The last exception when lines of progress follow it: caught, or a buffer that was written late."""
        last = self._own[-1] if self._own else None
        return None if last is None or any(item is last for item in self.fatal_raised) else last

    @property
    def failed_command(self) -> Raised | None:
        """The last exception where it only tells that another program or process failed, and nothing goes on after it."""
        last = self.raised[-1] if self.raised else None
        if last is None or last.last <= self.last_progress:
            return None
        return last if last.name in _FAILED_ONES or _ELSEWHERE.search(last.said) else None

    def afterwards(self, item: Raised) -> int:
        """How many ordinary lines follow an exception: none of another traceback, and nobody's afterword."""
        return self._ordinary[-1] - self._ordinary[item.last + 1]

    def is_last_word(self, item: Raised) -> bool:
        """Whether next to nothing follows the line that names an exception."""
        return self.afterwards(item) + item.last - item.at <= _FEW_AFTERWARDS

    def before(self, item: Raised, count: int) -> list[Line]:
        """The lines just before an exception that belong to no other and follow the last progress."""
        first = max(0, item.first - count, self.last_progress + 1)
        return [self.lines[index] for index in range(first, item.first) if index not in self._inside]

    @cached_property
    def launched(self) -> bool:
        """Whether the log ends with the exception of a launcher."""
        return any(item.of_launcher for item in self.raised if item.last > self.last_progress)

    @cached_property
    def fatal_lines(self) -> list[Line]:
        """The lines of the end, oldest first, that are no traceback and no warning."""
        end = [
            line
            for index, line in enumerate(self.lines)
            if index > self.last_progress and index not in self._inside and line.text.strip()
        ]
        return [line for line in end[-_FATAL_LINES:] if not _HARMLESS.search(line.text)]

    @cached_property
    def last_progress(self) -> int:
        """The index of the last line that shows work going on, -1 when there is none; tracebacks hold none."""
        for index in range(len(self.lines) - 1, -1, -1):
            if index not in self._inside and _goes_on(self.lines[index].text):
                return index
        return -1

    def prepare(self) -> None:
        """Does the reading now, where the caller chose to wait for it, instead of when a rule first asks."""
        _ = (self.fatal_raised, self.fatal_lines, self.doubtful_raised)

    def tail(self, count: int = _EXCERPT_LINES) -> str:
        """The last lines that are not empty, as they are quoted."""
        return "\n".join([line.text for line in self.lines if line.text.strip()][-count:])

    def around(self, number: int, count: int = 4) -> str:
        """The lines about one, with their numbers, as they are quoted."""
        index = next((i for i, line in enumerate(self.lines) if line.number == number), len(self.lines))
        near = self.lines[max(0, index - count) : index + count + 1]
        return "\n".join(f"{line.number}: {line.text}" for line in near if line.text.strip())

    @cached_property
    def _own(self) -> list[Raised]:
        chained = {id(item.cause) for item in self.raised} | {id(item.context) for item in self.raised}
        return [item for item in self.raised if id(item) not in chained and not item.aside and not item.of_launcher]

    @cached_property
    def _ordinary(self) -> list[int]:
        """For every line, how many ordinary ones come before it; one more entry for them all."""
        texts = enumerate(line.text for line in self.lines)
        return [0, *accumulate(i not in self._inside and not _AFTERWORD.match(text) for i, text in texts)]

    @cached_property
    def _inside(self) -> set[int]:
        """The indexes of lines that belong to tracebacks; what a launcher says of its children does not."""
        return {
            number
            for item in self.raised
            for number in range(item.first, item.at if item.of_launcher else item.last + 1)
        }

    def _parse(self, start: int, before: list[Raised]) -> Raised | None:
        rank = self.lines[start].rank
        stop = min(start + _LONGEST_TRACEBACK, len(self.lines))
        own = (index for index in range(start + 1, stop) if self.lines[index].rank == rank)
        frames: list[re.Match[str]] = []
        margin = self._margin(start)
        for index in own:
            text = self.lines[index].text[margin:]
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
                aside=any(_ASIDE.search(self.lines[i].text) for i in range(max(0, start - 2), start)),
                cause=cause,
                context=context,
            )
        return None

    def _margin(self, start: int) -> int:
        """How many characters a logger put before every line of a traceback, 0 when only before its head or none."""
        head = _TRACEBACK.search(self.lines[start].text)
        if head is None or head.start() == 0 or start + 1 >= len(self.lines):
            return 0
        following = self.lines[start + 1].text
        # Not a frame by itself, as one below a head alone would be. Some loggers put words of their own before the head.
        frame = _LOGGED_FRAME.match(following)
        return len(frame["margin"]) if frame is not None and len(frame["margin"]) <= head.start() else 0

    def _headless(self, index: int, match: re.Match[str], before: list[Raised]) -> Raised | None:
        """An exception below frames that no head introduces."""
        if before and before[-1].first <= index <= before[-1].last:
            return None
        rank = self.lines[index].rank
        first, frames = index, list[re.Match[str]]()
        for above in range(index - 1, max(-1, index - _LONGEST_HEADLESS), -1):
            text = self.lines[above].text
            frame = _FRAME.match(text)
            if self.lines[above].rank != rank or not text.strip() or text[0] not in " \t|^":
                break
            if frame is not None:
                first = above
                frames.append(frame)
        if not frames:
            return None
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

    def _message(self, said: str, following: Iterable[int], last: int) -> tuple[str, int]:
        """A message of several lines ends at a blank line, at another traceback or where the log goes on."""
        for index in following:
            text = self.lines[index].text
            if not text.strip() or _TRACEBACK.search(text) or text in (_DIRECT, _DURING):
                break
            if _goes_on(text) or _AFTERWORD.match(text) or _NEXT_RECORD.match(text):
                break
            said, last = f"{said}\n{text}", index
        return said[:1_500], last

    def _chained(self, start: int, rank: str, before: list[Raised]) -> tuple[Raised | None, Raised | None]:
        """The exceptions that this one names as its direct cause, and as the one that was being handled."""
        between = [line.text.strip() for line in self.lines[max(0, start - 4) : start] if line.rank == rank]
        earlier = next((item for item in reversed(before) if item.rank == rank), None)
        return (earlier if _DIRECT in between else None), (earlier if _DURING in between else None)

    def _excerpt(self, start: int, last: int, rank: str) -> str:
        own = [line.text for line in self.lines[start : last + 1] if line.rank == rank]
        over = len(own) - _EXCERPT_LINES
        return "\n".join(own if over <= 0 else [own[0], f"… {over} lines left out", *own[-(_EXCERPT_LINES - 2) :]])


def _goes_on(text: str) -> bool:
    """Whether a line shows that work went on: a step of it, or trouble that was overcome."""
    if _AFTERWORD.match(text):
        return False
    return bool(_RECOVERED.search(text) or (_STEP.search(text) and not _ENDING.search(text)))

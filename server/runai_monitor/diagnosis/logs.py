"""Reads a log as an engineer does: what ended the process, not what it mentioned on the way.

Only the end counts: an exception after which the work went on killed nothing, and neither did a warning or a retry.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import accumulate

import anyio.lowlevel

from runai_monitor.diagnosis.lines import Line, split_lines
from runai_monitor.diagnosis.progress import goes_on, is_afterword, is_frame, is_harmless
from runai_monitor.diagnosis.raised import FAILED_ONES, Raised, read_raised
from runai_monitor.diagnosis.redact import redacting

_FATAL_LINES = 40
_EXCERPT_LINES = 14
_MOST_AFTERWARDS = 25
"""Ordinary lines that may follow the exception that ended a process: its own last words, not a program that goes on."""
_FEW_AFTERWARDS = 4
_BAR = re.compile(r"\d%\|[^|\n]{0,200}\| *(?P<count>\d+/\d+) \[")
_MEMORY_WARNING = re.compile(r"(?i:\bwarn\w*\b.*\bmemory (?:budget|limit)\b.*(?:restart|kill|terminat))")


async def read_slowly(text: str) -> Log:
    """A log without secrets, read in steps of a few milliseconds between which others are served."""
    steps = redacting(text)
    while True:
        await anyio.lowlevel.checkpoint()
        try:
            next(steps)
        except StopIteration as done:
            read = Log(done.value)
            break
    await anyio.lowlevel.checkpoint()
    read.prepare()
    return read


class Log:
    """The end of one container's log, redacted and cleaned."""

    def __init__(self, text: str) -> None:
        self.lines: list[Line] = split_lines(text)

    def __bool__(self) -> bool:
        return any(line.text.strip() for line in self.lines)

    @cached_property
    def raised(self) -> list[Raised]:
        """Every exception with a traceback, oldest first."""
        return read_raised(self.lines)

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
        return last if last.name in FAILED_ONES or last.sends_elsewhere else None

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
            if index > self.last_progress
            and index not in self._inside
            and line.text.strip()
            and not is_frame(line.text)
        ]
        return [line for line in end[-_FATAL_LINES:] if not is_harmless(line.text)]

    @cached_property
    def warned_of_memory(self) -> list[Line]:
        """Warnings of the end about memory: some programs only warn of the limit at which they stop their own workers."""
        return [
            line for line in self.lines[self.last_progress + 1 :][-_FATAL_LINES:] if _MEMORY_WARNING.search(line.text)
        ]

    @cached_property
    def last_progress(self) -> int:
        """The index of the last line that shows work going on, -1 when there is none; tracebacks hold none."""
        for index in range(len(self.lines) - 1, -1, -1):
            if index not in self._inside and goes_on(self.lines[index].text) and not self._redrawn(index):
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

    def _redrawn(self, index: int) -> bool:
        """Whether a line is a bar of progress at the count it had before: bars are drawn once more when they are closed."""
        count = _BAR.search(self.lines[index].text)
        if count is None or not any(item.last < index for item in self.raised):
            return False
        earlier = (_BAR.search(self.lines[above].text) for above in range(index - 1, -1, -1))
        before = next((match for match in earlier if match is not None), None)
        return before is not None and before["count"] == count["count"]

    @cached_property
    def _own(self) -> list[Raised]:
        chained = {id(item.cause) for item in self.raised} | {id(item.context) for item in self.raised}
        return [item for item in self.raised if id(item) not in chained and not item.aside and not item.of_launcher]

    @cached_property
    def _ordinary(self) -> list[int]:
        """For every line, how many ordinary ones come before it; one more entry for them all."""
        texts = enumerate(line.text for line in self.lines)
        return [0, *accumulate(i not in self._inside and not is_afterword(text) for i, text in texts)]

    @cached_property
    def _inside(self) -> set[int]:
        """The indexes of lines that belong to tracebacks; what a launcher says of its children does not."""
        return {
            number
            for item in self.raised
            for number in range(item.first, item.at if item.of_launcher else item.last + 1)
        }

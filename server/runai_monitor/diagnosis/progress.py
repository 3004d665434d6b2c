"""What single lines of a log show: that work goes on, an afterword, a frame of a stack, trouble that killed nothing."""

from __future__ import annotations

import re

_STEP = re.compile(
    r"\b(?:step|epoch|iter(?:ation)?|batch|round|shard)s?\b[ :=#\[/]{0,3}\d|\d%\||\dit/s\b|\ds/it\b|tok(?:en)?s?/s|\bloss\b\s*[:=]?\s*\d",
    re.IGNORECASE,
)
_RECOVERED = re.compile(
    r"\b(?:retrying|will retry|recovered|continuing|skipping|skipped|succeeded|falling back|resumed|buffered|reconnected|fallback)\b|\busing \S+(?: \S+){0,4} instead\b",
    re.IGNORECASE,
)
_ENDING = re.compile(
    r"\b(?:fatal|nan|inf|infinite|invalid|diverged?|stopping|abort(?:ed|ing)?|exception|giving up|terminat(?:ed|ing))\b|\bError\b|\bERROR\b|\berror:"
)
_HARMLESS = re.compile(
    r"(?i:(?<!NCCL )\bwarn(?:ing)?\b|\bretry(?:ing)?\b(?! (?:count|limit|exceed|exhaust|error))|\battempt (?P<n>\d+)\b(?!(?:/| of )(?P=n)\b)|\bignor(?:ed|ing)\b|\bDEBUG\b|\bfalling back\b|\bskipp|\bdeprecat)"
    r"|^[WID]\d{4} \d\d:|\d: [WID] \S+/"  # glog's and TensorFlow's levels below an error
)
_FINAL = re.compile(
    r"^Exception in thread \"main\" |^(?:Uncaught|Unhandled) |^panic: |^terminate called|^thread '[^']*' panicked|\baborting job\b"
)
"""How a language says that it ends here: whatever its words tell of tries."""
# What runtimes, launchers and loggers still write after a process died.
_AFTERWORD = re.compile(
    r"^(?:wandb: |srun: |slurm|Exception ignored|.*resource_tracker|.*warnings\.warn|[=*-]{4,}|make: |\[W|ERROR conda|"
    r".*(?:closing signal|elastic|destroy_process_group|Sending process|sigkill_handler)|command terminated|\s*$)"
)
_CHATTER = re.compile(r"\bINFO\b|^I\d{4} |: I \S+/|^\[I ")
"""What a program tells of its work, also while it shuts down."""
_FRAME = re.compile(
    r"^\s+at \S|^\s*\.{3} \d+ more|^\s*#\d+ +0x|^\s*@ +0x|^\s*\d{1,3} +0x[0-9a-f]+|^frame #\d|^\[[\w.-]+:\d+\] \[ ?\d+\]|^\s+\[\d+\] (?:[\w.!#]+\(|macro expansion|top-level scope)|^\s+@ \S|^\t\S+\.go:\d|"
    r"^goroutine \d|^[\w./*()-]+\((?:0x|\{|\.\.\.|\))[^ ]*\)?$|^\s+\d+: +(?:0x|\S+::)|^  File \"[^\"]+\", line \d|^Stack ?trace:|^\*\*\* Check failure stack trace|^\s+frame |^note: run with"
)


def goes_on(text: str) -> bool:
    """Whether a line shows that work went on: a step of it, or trouble that was overcome."""
    if is_afterword(text):
        return False
    return bool(_RECOVERED.search(text) or (_STEP.search(text) and not _ENDING.search(text)))


def is_afterword(text: str) -> bool:
    """Whether a line is of the kind that others write after a process died."""
    return _AFTERWORD.match(text) is not None


def is_harmless(text: str) -> bool:
    """Whether a line says itself that its trouble killed nothing."""
    return _HARMLESS.search(text) is not None and _FINAL.search(text) is None


def is_frame(text: str) -> bool:
    """Whether a line is part of a stack, in any language: it says where, and not why."""
    return _FRAME.match(text) is not None


def is_chatter(text: str) -> bool:
    """Whether a line only informs."""
    return _CHATTER.search(text) is not None

"""Searches long texts piece by piece: a search of hundreds of kilobytes keeps everything else in the process from running."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator

PIECE = 8_192
"""Characters that are searched in a step of about two milliseconds."""
NEAR = 512
"""About so many of the lines that follow a piece are looked at too: what spans lines is close together."""

Steps = Generator[None, None, str]
"""Work that pauses between its steps and returns a text."""


def replaced(pattern: re.Pattern[str], mask: Callable[[re.Match[str]], str], text: str) -> Steps:
    """The text with what the pattern finds masked, searched piece by piece, each with whole lines."""
    kept: list[str] = []
    done = begin = 0
    while begin < len(text):
        end, seen = _piece(text, begin)
        for match in pattern.finditer(text, max(begin, done), seen):
            if match.start() >= end:
                break
            if match.end() == seen < len(text):
                match = pattern.match(text, match.start()) or match  # it may go on
            kept += (text[done : match.start()], mask(match))
            done = match.end()
        begin = max(end, done)
        yield
    return "".join((*kept, text[done:])) if kept else text


def _piece(text: str, begin: int) -> tuple[int, int]:
    """Where the lines end that begin there, and how far is looked."""
    end = text.find("\n", begin + PIECE) + 1 or len(text)
    return end, text.find("\n", end + NEAR) + 1 or len(text)

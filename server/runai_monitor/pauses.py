"""Lets others run in the midst of long work: whoever goes through thousands holds the event loop a few milliseconds at a time."""

from __future__ import annotations

import time

import anyio.lowlevel

SLICE_SECONDS = 0.002
"""Several such pieces of work may run at a time, each a slice before others are served."""


class Pauses:
    """The pauses of one piece of work; to be awaited for each item. What is gone through may change meanwhile."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def __call__(self) -> None:
        """A pause, if it is time for one."""
        if time.perf_counter() - self._since >= SLICE_SECONDS:
            await anyio.lowlevel.checkpoint()
            self._since = time.perf_counter()

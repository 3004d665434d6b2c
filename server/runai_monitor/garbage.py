"""Python's search for cyclic garbage, kept from stopping everybody: it stops the event loop while it looks.

A full collection looks at every object there is: half a second for a storm's or a large fleet's. Here each sees only
what has become old since the last one, a few ten thousand objects, and what survives it is not looked at again. What
nothing refers to is freed at once as ever; only cycles that are dropped after they have become old wait for the next
look at everything, which is taken rarely, and only if there is much more than after the last one.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from runai_monitor.clock import Clock

_THRESHOLDS = (700, 10, 3)
"""So that at most about 30,000 objects become old between two collections: 20 milliseconds."""
EVERYTHING_SECONDS = 6 * 3600.0
"""Between two looks at everything, at least."""
GROWTH = 1.5
"""How many times as many objects there must be for a look at everything."""


@contextmanager
def sparing_the_old() -> Iterator[None]:
    """While the block lasts, no collection looks at what survived a full one before."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    gc.callbacks.append(_freeze)
    try:
        yield
    finally:
        gc.callbacks.remove(_freeze)
        gc.set_threshold(*before)


async def look_at_everything(clock: Clock) -> None:
    """Frees cycles that had become old before they were dropped (connections that ended, say), until cancelled."""
    kept = gc.get_freeze_count()
    while True:
        await clock.sleep(EVERYTHING_SECONDS)
        if gc.get_freeze_count() > GROWTH * kept:
            gc.unfreeze()
            gc.collect()  # which freezes again
            kept = gc.get_freeze_count()


def _freeze(phase: str, info: dict[str, Any]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()

"""All pages of a list, whatever the server does with `limit`, `offset` and `next`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Protocol, TypeVar

from runai_monitor.errors import RunaiPayloadError

RowT = TypeVar("RowT")
RowT_co = TypeVar("RowT_co", covariant=True)

PAGE_LIMIT = 500
"""Run:ai's maximum; its default of 50 would cost ten times the requests."""

OVERLAP_ROWS = 20
"""Read twice at each page's start: rows deleted meanwhile move the others forward, past a plain offset. A page without
any row that was read before has been moved by more: then the read goes back, until the pages join."""

_MAX_PAGES = 2_000


class Page(Protocol[RowT_co]):
    """One answer: its rows, and whether the server says that there is more."""

    @property
    def rows(self) -> Sequence[RowT_co]:
        """In the server's order."""
        ...

    @property
    def has_next(self) -> bool:
        """Whether the answer names a `next`."""
        ...


async def read_pages(
    fetch: Callable[[int, int], Awaitable[Page[RowT]]],
    *,
    key: Callable[[RowT], Hashable],
    path: str,
    max_rows: int | None = None,
) -> list[RowT]:
    """Reads until the list ends; one row per key, the latest reading of it.

    The list ends with an empty page, or with a page shorter than the limit that names no `next`. Neither alone is
    trusted: some servers cap pages below the limit, others name a `next` for ever.

    Args:
        fetch: one page, by limit and offset.
        key: what makes two rows the same row.
        path: of the list, for errors.
        max_rows: stop when there are as many.

    Raises:
        RunaiPayloadError: the server ignores the offset: a whole page brings nothing new.
    """
    rows: dict[Hashable, RowT] = {}
    limit = PAGE_LIMIT if max_rows is None else max(1, min(PAGE_LIMIT, max_rows))
    offset, received, went_back = 0, 0, False
    for _ in range(_MAX_PAGES):
        page = await fetch(limit, offset)
        known = len(rows)
        if offset and received > 1 and not any(key(row) in rows for row in page.rows):
            offset, went_back = max(0, offset - received), True
            continue
        rows.update((key(row), row) for row in page.rows)
        received = len(page.rows)
        at_end = received == 0 or (received < limit and not page.has_next)
        if at_end or (max_rows is not None and len(rows) >= max_rows):
            break
        if len(rows) > known:
            went_back = False
        elif not went_back:
            if received <= min(OVERLAP_ROWS, limit // 2):
                break
            raise RunaiPayloadError(
                f"Run:ai's answer to {path} repeats the same rows whatever `offset` says: the list cannot be read"
                " completely; check for a cache between this server and the control plane.",
                endpoint=path,
                field="offset",
                status=200,
            )
        offset += received - min(OVERLAP_ROWS, received // 2)
    return list(rows.values())[:max_rows]

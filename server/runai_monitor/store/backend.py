"""What SQLite and PostgreSQL do differently, as one interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from runai_monitor.store.leader import Leadership

T = TypeVar("T")


class Backend(Protocol):
    """One kind of database, opened."""

    @property
    def engine(self) -> AsyncEngine:
        """Connections whose transactions lose nothing: see `Database.writing`."""
        ...

    @property
    def place(self) -> str:
        """Where the data is, for messages; holds no secret."""
        ...

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What its operations may raise; anything else is a defect of ours."""
        ...

    @property
    def reading_options(self) -> dict[str, Any]:
        """The execution options of a connection that only reads."""
        ...

    def explain(self, error: Exception, *, lost: str) -> str:
        """A failure in one sentence for a person."""
        ...

    async def data_version(self) -> int:
        """A number that differs after any process committed, this one included."""
        ...

    async def read_apart(self, read: Callable[[Connection], T]) -> T:
        """What `read` returns, of one consistent view; a cancellation gets through at once, whatever the disk does."""
        ...

    async def require_present(self) -> None:
        """Raises `StoreError` when the database was taken away while in use and could not tell."""
        ...

    def leadership(self) -> Leadership:
        """The right to poll and deliver for this database: one process has it."""
        ...

    async def aclose(self) -> None:
        """Closes everything, quickly."""
        ...

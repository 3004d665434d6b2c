"""Which of several processes on one state polls and delivers: the one that has the lead, until it ends or loses it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Protocol

from runai_monitor.errors import StoreError

SUFFIX = ".leader"

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Leadership(Protocol):
    """The right to poll and deliver: taken by one process, and free again when that ends, however it ends."""

    @property
    def ends_with_process(self) -> bool:
        """Whether nobody else can have it as long as this process lives: the kernel vouches for that."""
        ...

    async def try_acquire(self) -> bool:
        """Takes the lead if nobody has it; True when this process has it now.

        Raises:
            StoreError: there is nothing that could be locked, and waiting does not change that.
        """
        ...

    async def holds(self) -> bool:
        """Whether this process still has the lead. False is final: give up what only a leader does, then try again."""
        ...

    async def release(self) -> None:
        """Gives the lead back; harmless without it."""
        ...


class FileLock:
    """A lock beside a database's file, that the kernel releases when its process ends. For local disks.

    Args:
        database: the file: whoever shares it shares the lock, whatever else they do not share.
    """

    ends_with_process = True

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + SUFFIX)
        self._descriptor: int | None = None

    async def try_acquire(self) -> bool:
        """See `Leadership`."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be opened ({error.strerror}); correct its permissions") from error
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError | PermissionError):
                return False
            raise StoreError(
                f"{self._path} cannot be locked ({error.strerror}); set RUNAI_MONITOR_STATE_DIR to a folder on a local disk"
            ) from error
        self._descriptor = descriptor
        return True

    async def holds(self) -> bool:
        """False when the lock's file was removed or replaced: others would lock another one."""
        if self._descriptor is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), os.stat(self._path))  # noqa: PTH116  # as fstat says it
        except FileNotFoundError:
            return False
        except OSError:
            return True  # a disk that cannot be asked has said nothing

    async def release(self) -> None:
        """See `Leadership`."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

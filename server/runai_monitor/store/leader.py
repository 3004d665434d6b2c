"""Which of several processes on one state polls and delivers: the one that holds a lock on a file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

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


class LeaderLock:
    """A lock beside a database, that the kernel releases when its process ends, however it ends. For local disks.

    Args:
        database: the database's file: whoever shares it shares the lock, whatever else they do not share.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + SUFFIX)
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Takes the lock if nobody has it; True when this process has it now.

        Raises:
            StoreError: the file cannot be opened or locked.
        """
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

    def release(self) -> None:
        """Gives the lock back; harmless without it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

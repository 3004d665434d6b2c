"""Which of several processes on one state polls and delivers: the one that holds a lock on a file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from runai_monitor.errors import StoreError

FILE_NAME = "leader.lock"


class LeaderLock:
    """A lock that the kernel releases when its process ends, however it ends. For local disks."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE_NAME
        self._descriptor: int | None = None

    def try_acquire(self) -> bool:
        """Takes the lock if nobody has it; True when this process has it now.

        Raises:
            StoreError: the file cannot be opened.
        """
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be opened ({error.strerror}); correct its permissions") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Gives the lock back; harmless without it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

"""Database failures in words: what happened, where, and what the reader can do about it."""

from __future__ import annotations

import errno
import sqlite3

from sqlalchemy.exc import SQLAlchemyError

FAILURES = (SQLAlchemyError, sqlite3.Error, OSError)
"""What a database operation may raise; anything else is a defect of ours."""

_ANOTHER_FOLDER = "set RUNAI_MONITOR_STATE_DIR to a folder that can be written"
# Words of SQLite's and the system's messages, and the advice for each; the first that fits counts.
_ADVICE = (
    (("is full", "no space", "quota"), "the disk is full: free some space"),
    (("i/o error",), "the disk failed or is full: check it and free some space"),
    (("readonly", "read-only", "permission"), f"it cannot be written: correct its permissions or {_ANOTHER_FOLDER}"),
    (("malformed", "not a database"), "the file is damaged: move it away to start afresh"),
    (("no such table", "no such column"), "the file is incomplete: move it away to start afresh"),
    (("locked", "busy"), "another process holds it for too long: stop what else uses it"),
)


def explain(error: Exception, place: str, *, lost: str = "nothing was stored in") -> str:
    """One sentence for a person; never the statement or its parameters, which hold cluster text."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, OSError):
        if cause.errno in {errno.EEXIST, errno.ENOTDIR}:
            return f"{lost} {place} (a file is where its folder should be); {_ANOTHER_FOLDER}"
        said = cause.strerror or type(cause).__name__
    else:
        said = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    lowered = said.lower()
    advice = next((advice for words, advice in _ADVICE if any(word in lowered for word in words)), _ANOTHER_FOLDER)
    return f"{lost} {place} ({said}); {advice}"

"""PostgreSQL's failures in words: what happened, where, and what the reader can do about it."""

from __future__ import annotations

import socket
import ssl

import asyncpg
from sqlalchemy.exc import TimeoutError as PoolTimeout

_LONGEST = 200
_SETTING = "RUNAI_MONITOR_DATABASE_URL"
_UNREACHABLE = f"check that the server runs and that {_SETTING} names it"
CERTIFICATE = f"add sslrootcert=<file of its certificate authority> to {_SETTING}, or correct it"
# SQLSTATEs of PostgreSQL (appendix A of its manual) and the advice for each; the longest that fits counts.
_ADVICE = {
    "28": f"correct user and password in {_SETTING}",
    "3D": f"create the database, or name another one in {_SETTING}",
    "42501": "give its user the right to create tables and to write",
    "3F": "create the schema that search_path names, or give its user one to create tables in",
    "25006": f"it is read-only, perhaps a replica: name the primary in {_SETTING}",
    "53100": "the server's disk is full: free some space",
    "53300": "the server has no connection left: end some, or raise max_connections",
    "55P03": "another process holds it for too long: stop what else uses it",
    "57014": "the server is too busy, or another process holds it for too long",
    "25P03": "this process was stopped halfway: try again",
    "42P01": "its tables are incomplete: name an empty database to start afresh",
    "42703": "its tables are incomplete: name an empty database to start afresh",
    "XX001": "the server's data is damaged: see the server's log",
    "XX002": "the server's data is damaged: see the server's log",
    "08": _UNREACHABLE,
    "57P": _UNREACHABLE,
}


def explain(error: Exception, place: str, *, lost: str) -> str:
    """One sentence for a person; never the statement, its parameters or the address, which hold what is secret."""
    cause = _cause(error)
    if isinstance(cause, asyncpg.PostgresError):
        said = (str(cause.args[0]) if cause.args else type(cause).__name__).splitlines()[0][:_LONGEST]
        return f"{lost} {place} ({said}); {_advice(str(cause.sqlstate or ''))}"
    said, advice = _of_the_connection(cause)
    return f"{lost} {place} ({said}); {advice}"


def _cause(error: Exception) -> BaseException:
    """SQLAlchemy's error wraps its own wrapper of the driver's."""
    cause: BaseException = error
    while not isinstance(cause, asyncpg.PostgresError | asyncpg.InterfaceError | OSError):
        inner = getattr(cause, "orig", None) or cause.__cause__
        if inner is None:
            break
        cause = inner
    return cause


def _advice(state: str) -> str:
    fitting = [known for known in _ADVICE if state.startswith(known)]
    return _ADVICE[max(fitting, key=len)] if fitting else "see the server's log"


def _of_the_connection(cause: BaseException) -> tuple[str, str]:
    """What happened before or beside PostgreSQL's own answers, and the advice."""
    match cause:
        case ConnectionRefusedError():
            return "connection refused", _UNREACHABLE
        case TimeoutError():
            return "no answer in time", _UNREACHABLE
        case socket.gaierror():
            return "no such host", _UNREACHABLE
        case ssl.SSLCertVerificationError():
            return "its certificate is not trusted", CERTIFICATE
        case ConnectionError() if "rejected SSL" in str(cause):
            return "it speaks no TLS", f"switch TLS on there, or take sslmode out of {_SETTING}"
        case FileNotFoundError():
            return "a file that its address names does not exist", f"correct sslrootcert or sslcert in {_SETTING}"
        case OSError() if cause.strerror and "\n" not in cause.strerror:
            return cause.strerror[:_LONGEST], _UNREACHABLE
        case PoolTimeout():
            return "all connections are busy", "the server is too busy, or another process holds it for too long"
        case _:
            return "the connection was lost", _UNREACHABLE

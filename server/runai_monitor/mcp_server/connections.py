"""How many connections at a time: whoever holds many of them must not take the files that the monitor itself needs."""

from __future__ import annotations

import asyncio
import logging
import sys

from uvicorn.protocols.http.auto import AutoHTTPProtocol

log = logging.getLogger(__name__)

WANTED_FILES = 8192
KEPT_FILES = 256
"""For the database, Run:ai, Kubernetes, Slack and libraries; and for `BACKLOG`."""
BACKLOG = 128
"""asyncio accepts so many connections before any of them can be refused."""


def allow_many_files() -> int:
    """Raises this process's limit of open files as far as it may, and returns how many connections that allows.

    Many systems begin with 1024, and each listening client takes one for as long as it is there.
    """
    if sys.platform == "win32":
        return WANTED_FILES - KEPT_FILES
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WANTED_FILES if hard == resource.RLIM_INFINITY else min(WANTED_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    files = WANTED_FILES if soft == resource.RLIM_INFINITY else min(soft, WANTED_FILES)
    return max(files - KEPT_FILES, files // 4)


def limited(most: int) -> type[asyncio.Protocol]:
    """The HTTP protocol of uvicorn that hangs up at once on what comes beyond `most` connections.

    Without, accepting fails once no file is left: nothing can be polled or sent any more, and asyncio logs a traceback
    for each attempt, thousands a second. Connections that say nothing need no token, and uvicorn waits for them.
    """
    told = False

    class Limited(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # one of two classes, chosen at import
        def connection_made(self, transport: asyncio.Transport) -> None:
            nonlocal told
            super().connection_made(transport)
            if len(self.connections) <= most:
                return
            if not told:
                told = True
                log.warning("more than %d connections at a time: further ones are refused", most)
            transport.abort()

    return Limited

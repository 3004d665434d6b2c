"""Logging to stderr: stdout belongs to MCP on stdio. Every line is redacted before it is written."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

# These libraries log every request or every reconnect; what matters of it reaches our own loggers as errors.
_CHATTY = ("httpx2", "httpcore2", "urllib3", "apprise", "kubernetes", "aiohttp", "mcp", "sse_starlette", "aiosqlite")


class RedactingFormatter(logging.Formatter):
    """Formats a record and passes the whole text, traceback included, through `redact`."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """The line as written."""
        return self._redact(super().format(record))


def configure_logging(level: str, *, redact: Callable[[str], str]) -> None:
    """Sends the root logger to stderr at `level`, redacted; replaces handlers set before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter(redact))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))

"""What can go wrong with one request, in words that say what to do, and the check of the address."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from runai_monitor.errors import (
    RunaiAuthError,
    RunaiError,
    RunaiNotFoundError,
    RunaiPayloadError,
    RunaiRejectedError,
    RunaiUnavailableError,
    SettingsError,
)
from runai_monitor.runai.retry import parse_retry_after

_MAY_BE_DONE = "it may have been done all the same; look at the workload's phase before trying again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is sent. `repeatable`: sending it twice does no harm. `token` is None for the token request itself."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    content: bytes | None = field(default=None, repr=False)
    repeatable: bool
    token: str | None = field(default=None, repr=False)

    @property
    def endpoint(self) -> str:
        """Method and path, for people."""
        return f"{self.method} {self.path}"


def status_error(
    request: Request, response: httpx2.Response, content: bytes, *, now: datetime, scrub: Callable[[str], str]
) -> RunaiError:
    """The error for an answer that is no success.

    Args:
        request: what was asked.
        response: status and headers.
        content: the body; what Run:ai says in it is quoted, shortened.
        now: to understand a date in `Retry-After`.
        scrub: takes secrets out of what is quoted.
    """
    status = response.status_code
    retry_after = parse_retry_after(response.headers.get("retry-after"), now=now)
    said = "" if request.token is None else one_line(scrub(_message_of(content).replace(request.token, "")))
    quoted = f', saying "{said}"' if said else ""
    where = f"Run:ai answered {status} to {request.endpoint}{quoted}"
    kind: type[RunaiError] = RunaiRejectedError
    if response.is_redirect or status < httpx2.codes.BAD_REQUEST:
        return RunaiPayloadError(
            f"Run:ai redirected {request.endpoint} (HTTP {status}), which is not followed because it would carry"
            " the token elsewhere: set RUNAI_BASE_URL to the final address of the control plane.",
            endpoint=request.path,
            status=status,
        )
    if status == httpx2.codes.UNAUTHORIZED:
        kind, advice = RunaiAuthError, "the token was refused; check that the service account is still enabled."
    elif status == httpx2.codes.FORBIDDEN:
        kind, advice = RunaiAuthError, "give the service account an access rule whose role allows this."
    elif status == httpx2.codes.NOT_FOUND:
        kind, advice = RunaiNotFoundError, "it does not exist (any more), or may not be seen."
    elif status == httpx2.codes.TOO_MANY_REQUESTS or status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        kind, advice = RunaiUnavailableError, _later(request, status, retry_after)
    else:
        advice = "this server does not accept the request; check that its version is supported."
    return kind(f"{where}: {advice}", status=status, endpoint=request.path, retry_after_seconds=retry_after)


def unavailable(request: Request, what: str, *, sent: bool = True) -> RunaiUnavailableError:
    """There was no answer; `sent` is false when the server certainly never received the request."""
    if request.repeatable or not sent:
        advice = "check RUNAI_BASE_URL, the network and, for TLS errors, SSL_CERT_FILE."
    else:
        advice = _MAY_BE_DONE
    return RunaiUnavailableError(f"Run:ai {what} for {request.endpoint}: {advice}", endpoint=request.path)


def unreadable(request: Request, what: str, *, status: int | None = None) -> RunaiPayloadError:
    """There was an answer that nobody can read. With status 200 it may be asked for again; without, not."""
    return RunaiPayloadError(
        f"Run:ai's answer to {request.endpoint} {what}: check what stands between this server and the control plane.",
        endpoint=request.path,
        status=status,
    )


def _later(request: Request, status: int, retry_after: float | None) -> str:
    if not request.repeatable and status != httpx2.codes.TOO_MANY_REQUESTS:
        return _MAY_BE_DONE
    if retry_after:
        return f"it asks to wait {retry_after:.0f} s."
    return "it is overloaded or down; try again later."


def _message_of(content: bytes) -> str:
    """What a Run:ai error body says; nothing when it is no error body."""
    try:
        answer: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    said = answer.get("message") if isinstance(answer, dict) else None
    return said if isinstance(said, str) else ""


def one_line(untrusted: str) -> str:
    """Text of a stranger as one short line that cannot end our quotation."""
    printable = "".join(c if c.isprintable() else " " for c in untrusted[:1000])
    return " ".join(printable.replace('"', "'").split())[:200]


def checked_base_url(base_url: str) -> str:
    """The control plane's address without a slash at its end.

    Raises:
        SettingsError: not an address, or one that would send the secret in the clear; the text does not repeat it.
    """
    url = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        httpx2.URL(url)
    except (ValueError, httpx2.InvalidURL):
        parts, host = urlsplit(""), None
    if not host or parts.scheme not in {"http", "https"} or parts.query or parts.fragment or "@" in parts.netloc:
        raise SettingsError(
            "RUNAI_BASE_URL is not the address of a Run:ai control plane: give https://<host>, without user name"
            " and query."
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise SettingsError(
            "RUNAI_BASE_URL is plain http, which would send the secret in the clear: use https:// (http is accepted"
            " for this machine only)."
        )
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

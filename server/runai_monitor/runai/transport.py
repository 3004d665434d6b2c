"""One request to Run:ai: token, retries, deadline, size limit, and errors a person can act on."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx2
import msgspec

from runai_monitor import __version__
from runai_monitor.clock import Clock, isoformat
from runai_monitor.errors import (
    RunaiAuthError,
    RunaiError,
    RunaiNotFoundError,
    RunaiPayloadError,
    RunaiRejectedError,
    SettingsError,
)
from runai_monitor.runai.auth import TOKEN_PATH, Token, TokenSource, decode_token
from runai_monitor.runai.faults import Request, checked_base_url, one_line, status_error, unavailable, unreadable
from runai_monitor.runai.retry import MAX_ATTEMPTS, attempts_allowed, pause_seconds
from runai_monitor.runai.wire import decode_json

T = TypeVar("T")
Decode = Callable[[bytes, str], T]
QueryParams = Sequence[tuple[str, object]]

_log = logging.getLogger(__name__)

_MAX_CONNECTIONS = 8
_KEEPALIVE_SECONDS = 60.0
_CONNECT_TIMEOUT_SECONDS = 10.0
_MAX_BODY_BYTES = 64 * 1024 * 1024
"""Twenty times the largest page seen (500 workloads are 1.5 MB): more than this is not an answer but an accident."""

_CREDENTIALS_REFUSED = frozenset({400, 401, 403})

# runapy puts ids into paths unquoted, so a path is checked before it is sent.
_SAFE_PATH = re.compile(r"(/[A-Za-z0-9~-][A-Za-z0-9.~-]*)+")


class _FailedError(Exception):
    """One attempt failed with `error`; `sent` is false when the server certainly never received it."""

    def __init__(self, error: RunaiError, *, sent: bool = True) -> None:
        super().__init__()
        self.error = error
        self.sent = sent


class RunaiTransport:
    """The connection to one control plane, shared by everything that asks it.

    Args:
        base_url: of the control plane; https, or http on this machine only.
        client_id: of a service account or access key.
        client_secret: its secret.
        clock: measures pauses, deadlines and the token's life.
        redact: takes secrets out of what the server says, before it becomes part of an error.
        timeout_seconds: for one call altogether: token, retries and pauses included.
        http_transport: stands in for the network.
        jitter: a random number from 0 to 1, for the length of pauses.

    Raises:
        SettingsError: the address is not usable.
    """

    def __init__(
        self,
        *,
        base_url: str,
        client_id: str,
        client_secret: str,
        clock: Clock,
        redact: Callable[[str], str],
        timeout_seconds: float = 60,
        http_transport: httpx2.AsyncBaseTransport | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._base_url = checked_base_url(base_url)
        self._tokens = TokenSource(client_id=client_id, client_secret=client_secret, clock=clock)
        self._clock = clock
        self._redact = redact
        self._timeout_seconds = timeout_seconds
        self._http_transport = http_transport
        self._jitter = jitter
        self._http: httpx2.AsyncClient | None = None
        self._http_lock = anyio.Lock()

    async def call_api(
        self,
        *,
        resource_path: str,
        method: str,
        query_params: QueryParams | None = None,
        body: object = None,
        **_: object,
    ) -> bytes:
        """Sends one request and returns the body: the one method runapy's API classes call.

        Raises:
            RunaiError: one of its kinds, by what went wrong.
        """
        return await self.request(
            _keep_json, resource_path=resource_path, method=method, query_params=query_params, body=body
        )

    async def request(
        self,
        decode: Decode[T],
        *,
        resource_path: str,
        method: str,
        query_params: QueryParams | None = None,
        body: object = None,
    ) -> T:
        """Sends one request and decodes the answer; an answer that does not decode counts as a failed attempt.

        Args:
            decode: takes the body and the path; raises RunaiPayloadError.
            resource_path: below the control plane's address.
            method: of HTTP. Only GETs are sent again when the server may have acted.
            query_params: pairs; None is left out, lists are joined by commas (the API's `explode: false`).
            body: encoded as JSON.

        Raises:
            RunaiAuthError: the credentials are refused, or not allowed to do this.
            RunaiNotFoundError: 404.
            RunaiRejectedError: another 4xx, or a path this client does not send.
            RunaiUnavailableError: no good answer within the deadline and the attempts.
            RunaiPayloadError: the answer is not what the API promises.
        """
        if not _SAFE_PATH.fullmatch(resource_path):
            raise RunaiRejectedError(
                "An id with characters that Run:ai ids do not have was not sent; use the id as Run:ai lists it.",
                endpoint=method,
            )
        request = Request(
            method=method,
            path=resource_path,
            params=tuple((name, _query_value(value)) for name, value in query_params or () if value is not None),
            content=None if body is None else msgspec.json.encode(body),
            repeatable=method == "GET",
        )
        deadline = self._clock.monotonic() + self._timeout_seconds
        try:
            # The clock decides about pauses; this ends a server that drips its answer byte by byte.
            with anyio.fail_after(self._timeout_seconds):
                return await self._authorized(request, decode, deadline)
        except TimeoutError as exc:
            raise unavailable(request, f"gave no complete answer within {self._timeout_seconds:g} s") from exc

    async def aclose(self) -> None:
        """Closes the connections; a later request opens new ones."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def _authorized(self, request: Request, decode: Decode[T], deadline: float) -> T:
        async def ask(grant: bytes) -> Token:
            return await self._ask_token(grant, deadline)

        token = await self._tokens.token(ask)
        try:
            return await self._send(replace(request, token=token), decode, deadline)
        except RunaiAuthError as exc:
            if exc.status != httpx2.codes.UNAUTHORIZED:
                raise
        # A 401 was not acted upon, so even a POST may follow once with a new token.
        token = await self._tokens.token(ask, stale=token)
        return await self._send(replace(request, token=token), decode, deadline)

    async def _ask_token(self, grant: bytes, deadline: float) -> Token:
        request = Request(method="POST", path=TOKEN_PATH, content=grant, repeatable=True)
        try:
            return await self._send(request, decode_token, deadline)
        except (RunaiAuthError, RunaiNotFoundError, RunaiRejectedError) as exc:
            if exc.status in _CREDENTIALS_REFUSED:
                raise RunaiAuthError(
                    "Run:ai refused the client id and secret: check RUNAI_CLIENT_ID and RUNAI_CLIENT_SECRET, and that"
                    f" the access key still exists (HTTP {exc.status}).",
                    status=exc.status,
                    endpoint=TOKEN_PATH,
                ) from exc
            # Never a 404 to the caller: it would read as "the workload does not exist".
            raise RunaiRejectedError(
                f"There is no Run:ai token endpoint at RUNAI_BASE_URL (HTTP {exc.status}): check the address.",
                status=exc.status,
                endpoint=TOKEN_PATH,
            ) from exc

    async def _send(self, request: Request, decode: Decode[T], deadline: float) -> T:
        attempt = garbage = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(request, decode)
            except _FailedError as failed:
                error, sent, cause = failed.error, failed.sent, failed.__cause__
            allowed = attempts_allowed(error, repeatable=request.repeatable, sent=sent)
            pause = pause_seconds(error, attempt=attempt, jitter=self._jitter())
            # Garbage is counted by itself: what a restarting server said before it says nothing about this page.
            garbage += isinstance(error, RunaiPayloadError)
            spent = garbage if isinstance(error, RunaiPayloadError) else attempt
            if spent >= allowed or attempt >= MAX_ATTEMPTS or self._clock.monotonic() + pause >= deadline:
                raise error from cause
            _log.warning("attempt %d of %d, again in %.1f s: %s", spent, allowed, pause, error)
            await self._clock.sleep(pause)

    async def _attempt(self, request: Request, decode: Decode[T]) -> T:
        """One exchange. Vendor errors end here; every failure leaves as _FailedError."""
        http = await self._client()
        try:
            response, content = await self._exchange(http, request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError) as exc:
            raise _FailedError(unavailable(request, self._unreachable(exc), sent=False), sent=False) from exc
        except httpx2.DecodingError as exc:
            raise _FailedError(unreadable(request, "cannot be decompressed", status=httpx2.codes.OK)) from exc
        except httpx2.RequestError as exc:
            raise _FailedError(unavailable(request, f"broke off ({type(exc).__name__})")) from exc
        if not response.is_success:
            raise _FailedError(status_error(request, response, content, now=self._clock.now(), scrub=self._scrub))
        try:
            return decode(content, request.path)
        except RunaiPayloadError as exc:
            raise _FailedError(exc) from None

    def _scrub(self, text: str) -> str:
        """What a server says, without our secrets, and without whatever else looks like one: errors become alerts."""
        return self._redact(self._tokens.scrub(text))

    def _unreachable(self, error: httpx2.RequestError) -> str:
        """Why nothing could be sent, naming the host: a wrong address and a network that is down look alike otherwise."""
        said = one_line(str(error)) or type(error).__name__
        untrusted = "CERTIFICATE_VERIFY_FAILED" in said
        what = "has a TLS certificate that is not trusted" if untrusted else "cannot be reached"
        return f"{what} at {urlsplit(self._base_url).netloc} ({said})"

    async def _exchange(self, http: httpx2.AsyncClient, request: Request) -> tuple[httpx2.Response, bytes]:
        headers = {"content-type": "application/json"} if request.content is not None else {}
        if request.token is not None:
            headers["authorization"] = f"Bearer {request.token}"
        url = self._base_url + request.path
        async with http.stream(
            request.method, url, params=request.params or None, content=request.content, headers=headers
        ) as response:
            chunks: list[bytes] = []
            size = 0
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > _MAX_BODY_BYTES:
                    raise _FailedError(unreadable(request, "is larger than 64 MiB"))
                chunks.append(chunk)
            return response, b"".join(chunks)

    async def _client(self) -> httpx2.AsyncClient:
        async with self._http_lock:
            if self._http is None:
                self._http = await self._open_client()
            return self._http

    async def _open_client(self) -> httpx2.AsyncClient:
        build = partial(
            httpx2.AsyncClient,
            headers={"accept": "application/json", "user-agent": f"runai-monitor-mcp/{__version__}"},
            timeout=httpx2.Timeout(self._timeout_seconds, connect=min(_CONNECT_TIMEOUT_SECONDS, self._timeout_seconds)),
            limits=httpx2.Limits(
                max_connections=_MAX_CONNECTIONS,
                max_keepalive_connections=_MAX_CONNECTIONS,
                keepalive_expiry=_KEEPALIVE_SECONDS,
            ),
            follow_redirects=False,
            # Plain http is loopback, and what is for loopback must not leave through HTTP_PROXY.
            trust_env=self._base_url.startswith("https:"),
        )
        if self._http_transport is not None:
            return build(transport=self._http_transport)
        try:
            # In a thread: reading the certificate authorities takes up to 100 ms. SSL_CERT_FILE and SSL_CERT_DIR
            # are honoured by httpx2's default context.
            return await anyio.to_thread.run_sync(build)
        except OSError as exc:
            raise SettingsError(
                "The certificate authorities for TLS cannot be read: check the file that SSL_CERT_FILE (or"
                " SSL_CERT_DIR) names."
            ) from exc
        except (ValueError, ImportError):
            # `from None`: the error quotes the address of the proxy, and with it a password.
            raise SettingsError(
                "The proxy that HTTPS_PROXY (or ALL_PROXY) names cannot be used: give the http:// address of one that is"
                " no SOCKS proxy, or put Run:ai's host into NO_PROXY."
            ) from None


def _query_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return isoformat(value)
    if isinstance(value, list | tuple):
        return ",".join(_query_value(item) for item in value)
    return str(value)


def _keep_json(content: bytes, path: str) -> bytes:
    """The body as it is, after a look at whether it is JSON; an empty one is what 202 and 204 bring."""
    if content:
        decode_json(content, path)
    return content

"""The access token: asked for once however many requests wait for it, and again before it ends."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
import msgspec

from runai_monitor.clock import Clock
from runai_monitor.errors import RunaiError
from runai_monitor.runai.wire import decode_object, payload_error

TOKEN_PATH = "/api/v1/token"  # noqa: S105 - an address, not a secret

_DEFAULT_LIFE_SECONDS = 300.0  # `expiresIn` is optional in the published API
_LONGEST_LIFE_SECONDS = 86_400.0
_LONGEST_MARGIN_SECONDS = 60.0
_MARGIN_SHARE = 0.2
# What may stand in an Authorization header (visible ASCII): anything else would be refused later, quoting the token.
_HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """An access token as Run:ai granted it, and how long it lives."""

    value: str
    life_seconds: float

    def __repr__(self) -> str:
        return f"Token(life_seconds={self.life_seconds})"


def decode_token(content: bytes, path: str) -> Token:
    """The answer of the token endpoint.

    Raises:
        RunaiPayloadError: not JSON, or without a usable `accessToken`.
    """
    answer = decode_object(content, path, expected="accessToken")
    value = answer.get("accessToken")
    if not isinstance(value, str) or not _HEADER_SAFE.fullmatch(value):
        raise payload_error(path, "accessToken")
    life = answer.get("expiresIn")
    if isinstance(life, bool) or not isinstance(life, int | float) or life <= 0:
        life = _DEFAULT_LIFE_SECONDS
    return Token(value=value, life_seconds=min(float(life), _LONGEST_LIFE_SECONDS))


class TokenSource:
    """Keeps one token fresh.

    Args:
        client_id: of a Run:ai service account or access key.
        client_secret: its secret; never leaves this object but in the body of the token request.
        clock: measures the token's life.
    """

    def __init__(self, *, client_id: str, client_secret: str, clock: Clock) -> None:
        # Field names of the published API; NVIDIA's prose also shows `clientId`, which the document does not have.
        self._grant = msgspec.json.encode(
            {"grantType": "client_credentials", "clientID": client_id, "clientSecret": client_secret}
        )
        self._client_secret = client_secret
        self._clock = clock
        self._lock = anyio.Lock()
        self._value: str | None = None
        self._replaced: str | None = None
        self._renew_at = 0.0
        self._refreshes = 0
        self._failure: RunaiError | None = None

    async def token(self, request: Callable[[bytes], Awaitable[Token]], *, stale: str | None = None) -> str:
        """A token that will live a while; asks for one through `request` (which takes the grant's body) when needed.

        Args:
            request: posts the grant to the token endpoint.
            stale: a token the server has just refused, which is therefore not to be returned again.

        Raises:
            RunaiError: whatever `request` raised, also to all who waited for that same request.
        """
        seen = self._refreshes
        async with self._lock:
            if self._value and self._value != stale and self._clock.monotonic() < self._renew_at:
                return self._value
            if self._refreshes != seen and self._failure is not None:
                raise self._failure
            try:
                token = await request(self._grant)
            except RunaiError as exc:
                # A cancelled request counts as none: the next in line asks again.
                self._refreshes, self._failure, self._value = self._refreshes + 1, exc, None
                raise
            self._refreshes, self._failure = self._refreshes + 1, None
            margin = min(_LONGEST_MARGIN_SECONDS, token.life_seconds * _MARGIN_SHARE)
            self._replaced, self._value = stale or self._replaced, token.value
            self._renew_at = self._clock.monotonic() + token.life_seconds - margin
            return token.value

    def scrub(self, text: str) -> str:
        """`text` without the secret, the token and the one before it (which may still be valid elsewhere)."""
        for secret in (self._client_secret, self._value, self._replaced):
            if secret:
                text = text.replace(secret, "[redacted]")
        return text

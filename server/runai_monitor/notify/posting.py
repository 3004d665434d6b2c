"""What every channel over HTTP shares: one POST that follows no redirect, and what its answer means for a delivery."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio
import httpx2

from runai_monitor.errors import DeliveryError
from runai_monitor.notify.retry import retry_after_seconds

TIMEOUT_SECONDS = 10.0
THROTTLED_PAUSE_SECONDS = 30.0
"""For a 429 that does not say how long."""
_MOST_BYTES = 65_536
"""Of an answer: no service has more to say, and whoever pretends to be one must not fill the memory."""
# Waiting may mend these of the 4xx; any other says that the address, the credential or the message is wrong.
_PASSING = frozenset({408, 409, 421, 423, 425, 429})
_MOVED = frozenset({301, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: never quoted as a whole, because something in between may repeat the address or a header in it."""

    status: int
    text: str
    retry_after_seconds: float | None

    @property
    def json(self) -> Mapping[str, object]:
        """The object it holds; an empty one when it holds none."""
        try:
            value = json.loads(self.text)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Whom a channel speaks to, in the words of its errors; `advice` is what to do when it refuses for good."""

    name: str
    advice: str


async def post(
    http: httpx2.AsyncClient,
    url: str,
    body: bytes,
    *,
    peer: Peer,
    headers: Mapping[str, str] | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> Answer:
    """Posts JSON and returns the answer, whatever it says. A redirect is an answer: the secret goes nowhere else.

    Raises:
        DeliveryError: there was no answer; it holds neither address nor headers.
    """
    sent = {"content-type": "application/json", **(headers or {})}
    try:
        with anyio.fail_after(timeout_seconds):
            async with http.stream(
                "POST", url, content=body, headers=sent, timeout=timeout_seconds, follow_redirects=False
            ) as response:
                return Answer(
                    status=response.status_code,
                    text=await _text(response),
                    retry_after_seconds=retry_after_seconds(
                        response.headers.get("retry-after"),
                        now=datetime.now(UTC),
                        date=response.headers.get("date"),
                    ),
                )
    except (httpx2.TimeoutException, TimeoutError):
        raise DeliveryError(f"{peer.name} did not answer within {timeout_seconds:.0f} s", retryable=True) from None
    except httpx2.InvalidURL:
        raise DeliveryError(f"the address of {peer.name} is not valid; {peer.advice}", retryable=False) from None
    except httpx2.HTTPError as error:
        what = type(error).__name__  # its text may hold the address
        raise DeliveryError(f"{peer.name} cannot be reached ({what}); check the network", retryable=True) from None


def refusal(answer: Answer, peer: Peer, *, said: str = "") -> DeliveryError:
    """What an answer that is no success means. `said` is what of it may be quoted."""
    what = f"{answer.status} {said}".strip()
    if answer.status in _MOVED:
        return DeliveryError(f"{peer.name} has moved ({what}), and is not followed; {peer.advice}", retryable=False)
    if answer.status == 413:
        return DeliveryError(
            f"{peer.name} does not take this message ({what}); read the alert with get_alert and report this",
            retryable=False,
        )
    if 400 <= answer.status < 500 and answer.status not in _PASSING:
        return DeliveryError(f"{peer.name} refuses ({what}); {peer.advice}", retryable=False)
    if 200 <= answer.status < 300:
        what += ", but not as it would: something else answers at its address"
    pause = answer.retry_after_seconds
    if pause is None and answer.status == 429:
        pause = THROTTLED_PAUSE_SECONDS
    return DeliveryError(f"{peer.name} answered {what}; it is tried again", retryable=True, retry_after_seconds=pause)


def encoded(body: Mapping[str, object]) -> bytes:
    """JSON as it is sent; halves of characters, which no encoding has, become question marks."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", errors="replace")


async def _text(response: httpx2.Response) -> str:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            break
    return body[:_MOST_BYTES].decode("utf-8", errors="replace")

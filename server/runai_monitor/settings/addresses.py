"""Which addresses secrets may be sent to."""

from __future__ import annotations

from urllib.parse import urlsplit

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def check_url(url: str, *, what: str) -> str:
    """An https address, or an http one of loopback; anything else would send secrets in the clear.

    Raises:
        ValueError: with `what` is expected; never with the address itself, which may be a secret.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise ValueError(what) from None
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise ValueError(what)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError(f"{what}; plain http is accepted for this machine only")
    return url.strip()

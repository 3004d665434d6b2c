"""Credentials that look real and are none, made when they are needed: none stands in a file for a scanner to find."""

from __future__ import annotations

import base64
import random
import string

LETTERS = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"


class Mint:
    """Makes credentials that look real and are none; the same ones every time for the same place."""

    def __init__(self, place: str) -> None:
        self._random = random.Random(place)
        self.made: list[str] = []

    def of(self, length: int, alphabet: str = LETTERS, *, prefix: str = "", suffix: str = "") -> str:
        """A new secret."""
        secret = prefix + "".join(self._random.choice(alphabet) for _ in range(length)) + suffix
        self.made.append(secret)
        return secret

    def basic(self) -> str:
        """User and password as HTTP's basic scheme encodes them."""
        plain = "trainer:" + "".join(self._random.choice(LETTERS) for _ in range(16))
        self.made.append(base64.b64encode(plain.encode()).decode())
        return self.made[-1]

    def jwt(self) -> str:
        """A JSON web token."""
        body = "".join(self._random.choice(LETTERS) for _ in range(60))
        signature = "".join(self._random.choice(LETTERS) for _ in range(43))
        self.made.append(f"eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJ{body}.{signature}")
        return self.made[-1]

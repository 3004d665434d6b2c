"""Takes secrets out of text before anything else sees it: before it is stored, sent, logged or shown.

One alternation over the whole text; every branch is anchored on a literal and bounded, so time is linear. E-mail
addresses, git hashes, UUIDs and image digests are kept: they are what people search for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "[redacted]"
_LONGEST_LINE = 16_384

_KEY = (
    r"(?:password|passwd|passphrase|pwd|secret|api[-_]?key|access[-_]?key|account[-_]?key|private[-_]?key|"
    r"client[-_]?secret|credentials?|signature|auth[-_]?token|access[-_]?token|refresh[-_]?token|id[-_]?token|token|"
    r"secret[-_]?key|secretaccesskey|accountkey|sharedaccesskey|sig)"
)
_SECRET_NAME = re.compile(
    r"(?i)pass(word|wd|phrase)?\b|secret|token|api_?key|access_?key|private_?key|credential|auth|_key$|^key$|dsn$"
)
# "tokens/sec: 2048" and "max_tokens=2048" are measurements: after the plural nothing is taken for a secret.
_BRANCHES = (
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,8192}?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
    r"\beyJ[\w-]{8,4096}\.[\w-]{8,8192}\.?[\w-]{0,4096}",
    r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b",
    r"\bgh[pousr]_\w{20,255}",
    r"\bgithub_pat_\w{20,255}",
    r"\bglpat-[\w-]{16,64}",
    r"\bhf_[A-Za-z0-9]{16,64}",
    r"\bnvapi-[\w-]{16,128}",
    r"\bxox[abeoprs]-[\w-]{10,255}",
    r"\bxapp-[\w-]{10,255}",
    r"https://hooks\.slack\.com/[\w/.-]{1,255}",
    r"\bAIza[\w-]{30,64}",
    r"\bya29\.[\w.-]{10,1024}",
    r"\bsk-[\w-]{16,255}",
    r"\b(?:pypi|npm|dckr_pat|dop_v1|shpat|sk_live|rk_live|whsec)[-_][\w-]{16,255}",
)
_URL_USERINFO = r"(?P<scheme>\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,128}:)[^\s@/]{1,512}(?=@)"
_HEADER = (
    r"(?P<header>\b(?:proxy-)?authorization[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?:(?:bearer|basic|token|digest)\s{1,4})?|"
    r"\bbearer\s{1,4}|\b(?:set-)?cookie[\"']?\s{0,4}:\s{0,4})[^\s\"',]{6,4096}(?:;[^\n\"']{0,1024})?"
)
_PAIR = rf"(?P<key>{_KEY}(?!s)[\"']?\s{{0,4}}(?:[:=]|=>)\s{{0,4}})(?:\"[^\"\n]{{1,4096}}\"|'[^'\n]{{1,4096}}'|[^\s\"',;&]{{4,4096}})"
_OPTION = rf"(?P<option>--?{_KEY}\s{{1,4}})[^\s\"'-][^\s\"']{{3,4095}}"
_SPOKEN = r"(?P<spoken>\b(?:WANDB_API_KEY|password|api key|secret) (?:is )?)[^\s\"',;.]{8,4096}"
_PATTERN = re.compile("|".join([*_BRANCHES, _URL_USERINFO, _HEADER, _PAIR, _OPTION, _SPOKEN]), re.IGNORECASE)
_GROUPS = ("scheme", "header", "key", "option", "spoken")


def redact(text: str) -> str:
    """The text with secrets replaced; lines of more than 16 kB are cut first."""
    if not text:
        return text
    if len(text) > _LONGEST_LINE:
        text = "\n".join(
            line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + "…" for line in text.split("\n")
        )
    return _PATTERN.sub(_masked, text)


def redact_environment(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Environment variables with the values of secret-looking names replaced, and the rest redacted as text."""
    return tuple((name, MASK if _SECRET_NAME.search(name) else redact(value)) for name, value in pairs)


def _masked(match: re.Match[str]) -> str:
    return next((match.group(name) for name in _GROUPS if match.group(name)), "") + MASK

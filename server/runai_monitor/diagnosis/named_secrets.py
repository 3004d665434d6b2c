"""Secrets by the name before them: `password=…`, `"api_key": "…"`, `--token …`.

A name alone is not enough: `tokens: 4096`, `key=layer.3` and "invalid token: unexpected end" hide nothing.
"""

from __future__ import annotations

import re

from runai_monitor.diagnosis.pieces import PIECE, Steps

_VALUE = re.compile(
    r"(?:\\{1,7}\"[^\"\\\n]{1,4096}|\"(?:[^\"\\\n]|\\.){1,4096}|'(?:[^'\\\n]|\\.){1,4096}|[^\s\"',;&<>(){}]{1,4096})"
)
# The core words only: what stands before one (`api_`, `access-`) is looked at afterwards, because a pattern that begins
# with "any name" takes quadratic time.
_PAIR = re.compile(
    r"(?=[pkstcPKSTC_])(?i:(?P<word>passphrase|passw(?:or)?d|passwd|pass|pwd|pw(?![A-Za-z])|key|secret|token|credentials?|signature|sig|"
    r"_auth(?:token)?)(?P<suffix>[_-][\w-]{0,32}|\d{1,3})?"
    # A value may begin on the next line: YAML's blocks, a shell's continued line, JSON that is printed for people.
    r"(?P<mark>\\{0,7}[\"']?\]?[ \t]{0,4}(?:=>|:=|==?|:|%3[Dd]|\\u003[Dd])[ \t]{0,4}(?:[|>][+-]?[ \t]{0,4}\r?\n[ \t]{1,40}|\\\r?\n[ \t]{0,40}|\r?\n\s{0,40}(?=[\"'])|\w{1,20}\((?=[\"']))?"
    r"|\\{0,7}[\"']?,?(?:\s|\\[nr]){0,24}\\{0,7}[\"']?value\\{0,7}[\"']?[ \t]{0,4}[:=][ \t]{0,4}"
    r"|>(?=[^<>\s]{1,512}</)|\\{0,7}[\"'],[ \t]{0,4}(?=[\"'])|[ \t]{1,4}(?:is[ \t]{1,4}|was[ \t]{1,4})?))"
)
_STRONG_BEFORE = {
    "key": re.compile(
        r"(?i)(?:api|access|account|private|secret|encryption|signing|license|auth|master|storage|subscription|service|fernet)[-_. ]?$"
    ),
    "token": re.compile(
        r"(?i)(?:auth|access|refresh|id|bearer|session|security|csrf|api|private|personal|bot|deploy|hub|job|hf)[-_]?$"
    ),
    "secret": re.compile(r"(?i)(?:client|app|consumer|webhook|jwt)[-_]?$"),
}
_WEAK_KEY_BEFORE = re.compile(r"[A-Z0-9]_$")
_NAMES_NO_SECRET = re.compile(
    r"(?i)[_-](?:names?|ids?|type|types|type_ids|count|counts|file|files|path|paths|dir|ref|len|length|limit|budget|idx|index|"
    r"per_\w+|dropout|mask|size|dim|emb\w*|level|wise|class\w*|rate|ttl|expir\w*|version|url|uri|endpoint|host|provider|policy)$"
)
_NO_SECRET = re.compile(
    r"(?i)(?:none|null|nil|true|false|undefined|empty|missing|required|invalid|incorrect|wrong|expired|not|is|was|are|has|for|"
    r"with|from|in|of|and|or|to|the|a|an|must|cannot|could|authentication|failed|denied|error|ref|changeme|\*+|x{3,}|\.{3}|"
    r"\$\{?\w+\}?|%\(?\w+\)?s?|<[^>]*>?|\[redacted\]?|\{\w*\}?)"
)
_NUMBER = re.compile(r"[-+\d.,eE_xX/%]+[KMGBkmgb]?")


def without_named(text: str, mask: str) -> Steps:
    """The text without the values of secret-looking names; a value is only read where its name may mean a secret."""
    kept: list[str] = []
    done = position = paused = 0
    while (match := _PAIR.search(text, position)) is not None:
        position = match.end()
        if position - paused > PIECE:
            paused = position
            yield
        value = _VALUE.match(text, position) if _strength(match) else None
        if value is None:
            continue
        bare = value[0].lstrip("\\\"'")
        opening = len(value[0]) - len(bare)
        if _is_no_secret(match, bare, quoted=opening > 0):
            continue
        kept += (text[done : value.start() + opening], mask)
        done = position = value.end()
    return "".join((*kept, text[done:])) if kept else text


def _strength(match: re.Match[str]) -> int:
    """2: whatever follows is a secret; 1: if it looks like one; 0: this word means no secret here."""
    word = match["word"].lower()
    before = match.string[max(0, match.start() - 16) : match.start()]
    suffix = match["suffix"] or ""
    if _NAMES_NO_SECRET.search(suffix):
        return 0
    if re.search(r"(?i)key|token|pass|secret", suffix):
        return 2
    if word.startswith(("passw", "passp", "pwd", "_auth")):
        return 2
    if word == "pw":
        return 0 if before[-1:].isalpha() and not before.lower().endswith("bind") else 1
    if word == "pass":
        return 1 if before[-1:] in {"_", "-", "", " ", '"', "'", ":"} or before.endswith("require") else 0
    if word == "sig":
        return 2 if before[-1:] in {"?", "&", ";"} else 0
    strong = _STRONG_BEFORE.get(word)
    if strong is not None and strong.search(before):
        return 2
    if word == "key":
        return 1 if _WEAK_KEY_BEFORE.search(before) else 0
    return 1


def _is_no_secret(match: re.Match[str], bare: str, *, quoted: bool) -> bool:
    strength, mark = _strength(match), match["mark"]
    if strength == 0 or _NO_SECRET.fullmatch(bare.rstrip(".:,!)")) or not bare:
        return True
    if match["word"].lower() == "pwd" and bare.startswith(("/", "~", ".")):
        return True
    if not any(sign in mark for sign in ("=", ":", ">", "%3", "u003")) and not (mark.startswith(("'", '"', "\\"))):
        return _is_spoken_of(match, bare, strong=strength == 2, quoted=quoted)
    if strength == 1 and ((_NUMBER.fullmatch(bare) and len(bare) <= 12) or len(bare) < 4):
        return True
    if mark.endswith(": ") and not quoted:
        # "invalid token: unexpected end of input" is a sentence.
        after = match.end() + len(bare)
        goes_on = re.match(r" [A-Za-z]", match.string[after : after + 2]) is not None
        return (bare.isalpha() and (goes_on or (strength == 1 and len(bare) < 8))) or bare.endswith(":")
    return False


def _is_spoken_of(match: re.Match[str], bare: str, *, strong: bool, quoted: bool) -> bool:
    """Whether a word is only mentioned: `secret "x" not found` is, `--token x` and `password hunter2000` are not."""
    is_option = re.search(r"(?:^|[\s\"'])--?[\w-]{0,24}$", match.string[max(0, match.start() - 26) : match.start()])
    if is_option:
        return bare.startswith("-") or (len(bare) < 3)
    if quoted and not strong:
        return True
    return not (looks_random(bare) or (strong and len(bare) > 5 and any(c.isdigit() for c in bare)))


def looks_random(text: str) -> bool:
    """Whether a word looks made by a generator: long, and of mixed kinds of characters."""
    if len(text) < 12:
        return False
    if len(text) >= 24 and text.isalnum():
        return True
    kinds = (any(c.islower() for c in text), any(c.isupper() for c in text[1:]), any(c.isdigit() for c in text))
    return sum(kinds) >= 2 and not re.fullmatch(r"[a-z]+(?:[-/.][a-z0-9]+)+", text)

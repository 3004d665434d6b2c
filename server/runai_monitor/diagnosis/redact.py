"""Takes secrets out of text before anything else sees it: before it is stored, sent, logged or shown.

One compiled alternation over the whole text (a private key spans lines). Every branch is bounded, begins with a literal
and may start only once per word, so that time grows with the length of the text and nothing else. E-mail addresses,
git and file hashes, UUIDs and image digests are kept: they are what people search for.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import cast

from runai_monitor.diagnosis.bare_secrets import without_bare
from runai_monitor.diagnosis.named_secrets import looks_random, without_named
from runai_monitor.diagnosis.pieces import Steps, replaced

MASK = "[redacted]"
_LONGEST_LINE = 16_384
_SPLIT_TOKEN = 2_048
"""Characters dropped on either side of a cut: half a secret is not recognised, and is still half a secret."""

# Tokens that say by their prefix what they are. Sources: the vendors' documentation of their token formats.
_PREFIXED = (
    r"eyJ[\w-]{8,8192}\.[\w-]{4,8192}(?:\.[\w-]{0,8192})?",  # JWT
    r"(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}(?:[\s:,\"'/]{1,4}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+]))?",  # AWS
    r"gh[pousr]_\w{16,255}|github_pat_\w{16,255}",
    r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[\w.-]{16,255}",
    r"hf_[A-Za-z0-9]{16,64}|api_org_[A-Za-z0-9]{16,64}",
    r"nvapi-[\w-]{16,128}",
    r"xox[abeoprsd][-.][\w.-]{10,255}|xapp-[\w-]{10,255}",
    r"AIza[\w-]{30,64}|ya29\.[\w.-]{10,2048}|GOCSPX-[\w-]{16,64}|1//0[\w-]{20,255}",  # Google
    r"sk-(?:ant|proj|or|svcacct|admin)-[\w-]{12,255}|sk-(?=[\w-]{0,60}\d)[\w-]{16,255}|sk-[A-Za-z]{20,255}",  # OpenAI, Anthropic and those that copied them
    r"(?:gsk|r8|tgp_v1|fw|pplx|xai|lin_api|phc|phx)[_-][A-Za-z0-9]{24,255}",
    r"(?:dckr_pat|dckr_oat|do[opr]_v1|shpat|shpss|sk_live|sk_test|rk_live|whsec|glsa|glc|sntrys|wandb_v1|CCIPAT|bkua|lsv2_(?:pt|sk)|pscale_(?:tkn|pw|oauth)|figd)_[\w=-]{16,255}",
    r"(?:npm|ntn|fo1|napi)_[A-Za-z0-9]{30,255}|secret_[A-Za-z0-9]{43}|(?:sbp|rubygems|sk)_[0-9a-f]{40,64}|sq0[a-z]{3}-[\w-]{22,64}",
    r"(?:key-|SK)[0-9a-f]{32}(?!\w)|pul-[0-9a-f]{40}|NRAK-[A-Z0-9]{27}|tskey-[a-z]{1,12}-[\w-]{16,128}|dp\.[a-z]{2,6}\.[A-Za-z0-9]{40,64}",
    r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{32,128}|AKCp[A-Za-z0-9]{60,80}|cmVmdGtu[A-Za-z0-9]{48,64}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}",
    r"EAA[A-Za-z0-9]{80,255}|v1\.0-[0-9a-f]{24}-[0-9a-f]{60,160}|pa-(?=[\w-]{0,40}\d)[\w-]{43}(?![\w-])|oy2[a-z0-9]{43}(?!\w)|cio[A-Za-z0-9]{32}(?!\w)",
    (
        r"s\.(?:(?=[A-Za-z]{0,23}\d)(?=[a-z0-9]{0,23}[A-Z])[A-Za-z0-9]{24}(?!\w|\.\w)"
        # Without a digit, a token has more capitals in more places than a name in code.
        r"|(?=(?:[a-z]{0,23}[A-Z]){7})(?=(?:[A-Z]{0,23}[a-z]{1,23}[A-Z]){3})[A-Za-z]{24}(?![\w(]|\.\w))"
    ),  # Vault
    r"[MNO](?=[\w-]{0,24}\d)[\w-]{23,25}\.[\w-]{6}\.(?=[\w-]{0,37}\d)[\w-]{27,38}(?![\w-])",  # Discord
    r"pypi-[\w-]{16,255}|dapi[0-9a-f]{32}|hv[sbr]\.[\w-]{20,255}|SG\.[\w-]{16,64}\.[\w-]{16,64}|ATATT3[\w=-]{20,255}",
    r"AGE-SECRET-KEY-1[A-Z0-9]{40,80}|\d{8,10}:AA[\w-]{32,36}|\w{3}8Q~[\w.~-]{30,40}",
)
_WEBHOOK = (
    r"(?P<hook>https://(?:hooks\.slack\.com/|[\w.-]{0,64}webhook\.office\.com/|discord(?:app)?\.com/api/webhooks/))"
    r"[\w/.@:-]{1,512}"
)
_KEY_BLOCK = (
    r"(?P<pem>-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)(?P<body>(?:[^-]|-(?!----)){0,16384})"
    r"(?P<end>-----END [A-Z0-9 ]{0,48}-----)?"
)
_KEY_BODY = re.compile(r"(?:\s|\\[nr])*(?:[A-Za-z0-9+/=]{16,}(?:\s|\\[nr])*)*")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY")
_KEY_LINE = re.compile(r"[A-Za-z0-9+/= \t\r]{16,120}")
# A port is no password, and a path may hold an e-mail address: then it is no user info.
_URL = (
    r"(?P<url>[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@\"']{0,128}:)(?!\d{1,5}[/?#\s])[^\s\"'<>]{1,512}(?=@[\w.\[-])"
    r"|(?P<url_token>[A-Za-z][A-Za-z0-9+.-]{1,20}://)(?=[^\s/@:]{0,64}\d)[^\s/@:\"'<>]{16,255}(?=@)"
)
_HEADER = (
    r"(?P<header>(?i:(?:proxy-)?authorization)\\?[\"']?[ \t]{0,4}[:=,][ \t]{0,4}\\?[\"']?(?:(?i:bearer|basic|token|digest|negotiate|apikey|ssws)[ \t]{1,4})?)"
    # containerd: "may require authorization: server message: insufficient_scope".
    r"(?!server message:)[^\s\"'\\]{4,4096}(?:[ \t]?,?[ \t]?(?i:credential|signature|signedheaders)=[^\s\"']{1,1024}){0,3}"
    r"|(?P<cookie>(?i:(?:set-)?cookie)\\?[\"']?[ \t]{0,4}:[ \t]{0,4}\\?[\"']?)[^\s\"'\\][^\r\n\"'\\]{3,4096}"
    r"|(?P<scheme>(?i:bearer|basic|ssws)[ \t]{1,4})(?P<credential>[A-Za-z0-9+/=._~-]{8,4096})"
)
_OTHERS = (
    r"(?P<auths>\\{0,7}[\"']auth\\{0,7}[\"']\s{0,4}:\s{0,4}\\{0,7}[\"'])[^\"'\\\n]{4,4096}",  # a registry's configuration
    r"(?P<short>(?<![\w-])(?:mysql|mysqldump|mysqladmin|mariadb)[ ][^\n|;]{0,200}?[ ]-p(?=[^\s-])[\"']?)[^\s\"']{3,512}",
    r"(?P<login>(?<![\w-])(?:sshpass|(?:docker|az|podman|helm|nerdctl|skopeo|crane|oras|buildah)[ ](?:registry[ ]|auth[ ])?login)[ ](?:[^\n|;]{0,200}?[ ])?-p[ ]?[\"']?)[^\s\"']{3,512}",
    r"(?P<echo>(?<![\w-])(?:echo|printf)[ ](?:-n[ ])?[\"']?)[^\s\"'|$]{4,512}(?=[\"']?[ ]?\|[^\n|]{0,120}(?:--password-stdin|\bsudo -S|\bkinit\b))",
    r"(?P<alias>(?<![\w-])mc[ ](?:alias[ ]set|config[ ]host[ ]add)(?:[ ][^\s]{1,255}){3}[ ])[^\s]{3,255}",
    r"(?P<user>(?<![\w-])(?:-u|--user|--userpwd)[ =]{1,4}[\"']?[^\s:\"'/]{1,64}:)[^\s\"'/]{3,512}",
    r"(?P<identified>(?i:identified (?:with \S{1,40} )?by )[\"'])[^\"'\n]{1,512}",
)
_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{40}(?![0-9A-Za-z])")
_HEX_IS_KEY = re.compile(r"(?i)(?:wandb[^\n]{0,24}(?:login|key)|api[ _-]?key)[^\n]{0,32}$")
# A word also begins after an escaped new line, character or colour, and after what an URL escapes.
_ESCAPE = r"(?P<escape>\\(?:[nrtbf]|u00[0-9A-Fa-f]{2}|x[0-9A-Fa-f]{2})(?:\[[\d;]{0,8}m)?|%[0-9A-Fa-f]{2}|\[[\d;]{0,8}m)"
_WORDS = f"(?:(?P<prefixed>{'|'.join(_PREFIXED)})|{_WEBHOOK}|{_HEADER})"
_KEY_BLOCKS = re.compile(_KEY_BLOCK)
# Each pass with the texts without which it cannot find anything.
_PASSES = (
    (("://", "@"), re.compile(rf"(?<![A-Za-z0-9+.-])(?:{_URL})")),
    ((), re.compile("|".join((rf"(?<![A-Za-z0-9]){_WORDS}", *_OTHERS)))),
    *(((sign,), re.compile(_ESCAPE + _WORDS)) for sign in ("\\", "%", "\x1b")),
)
_KEPT_GROUPS = (
    *("hook", "url", "url_token", "header", "cookie", "scheme", "auths", "user"),
    *("identified", "short", "login", "echo", "alias"),
)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{20,16384}={0,2}")

_SECRET_NAME = re.compile(
    r"(?i)pass(?:word|wd|phrase)?(?![a-z])|pwd(?=_|$)(?<!^pwd)|secret|token(?!s|iz)|api_?key|access_?key|private_?key|_key$|^key$|"
    r"credential|auth(?!or)|dsn$|conn(?:ection)?_?str|webhook|cookie|salt$|_pat$|license"
)
_OUR_NAMES_NO_SECRET = re.compile(
    r"(?i)(?:_file|_path|_dir|_name|_ids?|_type|_parallelism|_limit|_count|_len|_length)$"
)


def redact(text: str) -> str:
    """The text with every secret that is recognised replaced by a mark.

    Lines of more than 16 kB lose their middle first (a JSON blob or an image on one line); the order of lines stays.
    """
    steps = redacting(text)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return cast("str", done.value)


def redacting(text: str) -> Steps:
    """The same in steps of a few milliseconds, for whoever has to let others run: hundreds of kilobytes take a tenth of a second.

    A thread would not do: a search keeps every other thread, the event loop's too, from running.
    """
    if not text:
        return text
    if len(text) > _LONGEST_LINE:
        text = "\n".join(line if len(line) <= _LONGEST_LINE else _shortened(line) for line in text.split("\n"))
    if "PRIVATE KEY" in text:
        text = _KEY_BLOCKS.sub(_masked, text)
    for needles, pattern in _PASSES:
        if all(needle in text for needle in needles):
            text = yield from replaced(pattern, _masked, text)
    text = yield from without_named(text, MASK)
    text = yield from replaced(_HEX, _masked_hex, text)
    text = yield from replaced(_BASE64, _masked_base64, text)
    text = without_bare(text, MASK)
    # A log that begins in the middle of a private key has its end only.
    return _without_key_ends(text) if "PRIVATE KEY" in text else text


def redact_environment(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Environment variables with the values of secret-looking names replaced, and the rest redacted as text."""
    return tuple((redact(name), MASK if value and is_secret_name(name) else redact(value)) for name, value in pairs)


def is_secret_name(name: str) -> bool:
    """Whether a variable of that name holds a secret, as far as names tell."""
    return bool(_SECRET_NAME.search(name)) and not _OUR_NAMES_NO_SECRET.search(name)


def _without_key_ends(text: str) -> str:
    kept: list[str] = []
    for line in text.split("\n"):
        if _KEY_END.search(line):
            while kept and _KEY_LINE.fullmatch(kept[-1]):
                kept.pop()
            kept.append(MASK)
        else:
            kept.append(line)
    return "\n".join(kept)


def _shortened(line: str) -> str:
    half = _LONGEST_LINE // 2
    head, tail = line[:half], line[-half:]
    head = head[: max(head.rfind(" "), half - _SPLIT_TOKEN)]
    start = tail.find(" ")
    tail = tail[start if 0 <= start <= _SPLIT_TOKEN else _SPLIT_TOKEN :]
    return f"{head} …[{len(line) - len(head) - len(tail)} characters cut]… {tail}"


def _masked_hex(match: re.Match[str]) -> str:
    """Forty hex digits are a git hash, unless a word before them says that they are a Weights & Biases key."""
    return MASK if _HEX_IS_KEY.search(match.string[max(0, match.start() - 80) : match.start()]) else match[0]


def _masked_base64(match: re.Match[str]) -> str:
    """What is a secret when decoded is one: the data of a Kubernetes secret, a key in a kubeconfig."""
    whole = match[0].rstrip("=")
    try:
        decoded = base64.b64decode(whole[: len(whole) - (len(whole) % 4 == 1)] + "=" * (-len(whole) % 4)).decode(
            "ascii"
        )
    except ValueError:
        return match[0]
    return MASK if redact(decoded) != decoded else match[0]


def _masked(match: re.Match[str]) -> str:
    found = match.groupdict()
    if found.get("pem"):
        if found["end"]:
            return MASK
        body = match["body"]
        key = _KEY_BODY.match(body)
        return MASK + body[key.end() if key else 0 :]
    escape = found.get("escape") or ""
    if found.get("prefixed"):
        return escape + MASK
    if found.get("scheme") and not looks_random(match["credential"]):
        return match[0]
    return escape + next((found[name] for name in _KEPT_GROUPS if found.get(name)), "") + MASK

r"""Secrets that nothing marks but their place: the bare word of a login command, the line below a password prompt.

Such words look like any other, so that only the whole shape of a command or a prompt gives them away: `wandb login x` at
the end of a command, `net use \\server\share x`, a line that is a prompt and nothing else followed by one bare word. What
people write about them (`wandb login failed`, `Password:` and then progress) stays. Each pattern begins with a text that
ordinary logs lack, and is not run on a log without it.
"""

from __future__ import annotations

import re

_WORD = r"(?!\w{1,40}=\w|\[redacted|/|-)(?P<word>[^\s'\"`$<>|&;(){}\\][^\s'\"`|&;<>\\]{3,255})"
_ENDS = r"(?=[ \t]*(?:\r?$|[&|;>'\"`)\\]))"
_OPTIONS = r"(?:--?[\w-]{1,40}(?:[= ][^\s'\"]{1,255})? ){0,4}?"
# A command with what stands before its secret.
_COMMANDS = tuple(
    (needle, re.compile(re.escape(needle) + rest, re.MULTILINE))
    for needle, rest in (
        *((f"{tool} login ", _OPTIONS + _WORD + _ENDS) for tool in ("wandb", "vault", "comet")),
        ("net use ", r"(?:[A-Za-z*]:? )?\\{2,8}\S{1,255} (?:/\S{1,255} ){0,3}" + _WORD + r"(?= /|[ \t]*(?:\r?$|[&|;>'\"`)\\]))"),
        ("smbclient ", r"[^\n|;]{0,200}?(?:-U[ =]?[^\s%]{1,64}%|(?:[\\/]{2,8})[^\s'\"]{1,255} )" + _WORD),
        ("redis-cli ", r"(?:[^\n|;]{0,200}? )?-a " + _WORD),
        ("mongo", r"(?:sh|dump|restore|import|export)? [^\n|;]{0,200}?(?<= )-p " + _WORD),
        ("ldap", r"(?:search|add|modify|passwd|whoami|delete) [^\n|;]{0,200}?(?<= )-w " + _WORD),
        ("htpasswd -", r"\w{0,4}b\w{0,4} \S{1,255} \S{1,64} " + _WORD),
        ("rclone obscure ", _WORD),
        ("aws configure set ", r"\S{0,80}(?:secret_access_key|session_token) " + _WORD),
        ("dvc remote modify ", r"(?:--?\w{1,10} )?\S{1,80} (?:password|secret_access_key|sas_token|account_key|client_secret) " + _WORD),
    )
)  # fmt: skip
_COMMAND_BEFORE = re.compile(
    r"(?:^|[$#+&|;>`'\"(\]:=\\n] ?|\d[\d:.,]{0,40}Z? |\b(?:RUN|CMD|sudo|exec|time|command|then|do) )[ \t]{0,8}$"
)
"""What stands before a command, and not before its name in a sentence."""
_SPOKEN = re.compile(
    r"(?i)(?:fail(?:s|ed|ure|ing)?|succe(?:ss|eds?|eded|ssful|ssfully)|require[sd]?|need(?:s|ed)?|expire[sd]?|timed|time-?out|done|ok|okay|errors?|first|again|now|here|later|once|command|commands|page|prompt|step|flow|"
    r"process|session|attempts?|attempted|is|was|has|with|without|to|for|from|on|in|at|and|or|before|after|using|via|then|if|as|token|tokens|key|keys|credentials?|"
    r"skip(?:s|ped|ping)?|cancel(?:l?ed)?|abort(?:ed|ing)?|completed?|info|denied|rejected|invalid|disabled|enabled|unavailable|help|manually|instead|started|starting|status|true|false|none|null|"
    r"yes|no|connect(?:ed|ing)?|disconnected|authenticat(?:ed|ing|ion)|verif(?:ied|ying)|login|logged|logging|welcome|loading|running|ready|waiting|accepted|checking|finished|traceback|killed|aborted|epoch|empty|default)"
)
"""Words that a sentence or a program goes on with."""

_STAMP = r"(?:\d{4}-\d\d-\d\d[T ][\d:.,]{8,18}(?:Z|[+-]\d\d:?\d\d)? (?:std(?:out|err) F )?)?"
_PROMPTS = tuple(
    (needle, re.compile(re.escape(needle) + rf"(?: for [^\n]{{1,120}}?)?:[ \t]*\r?\n{_STAMP}[ \t]*(?P<word>\S{{4,128}})[ \t]*\r?$", re.MULTILINE))
    for needle in ("assword", "ASSWORD", "assphrase")
)  # fmt: skip
_PROMPT_BEFORE = re.compile(
    rf"(?i){_STAMP}[ \t]*(?:(?:\[sudo\]|please|enter|re-?enter|type|retype|repeat|confirm|verify|new|old|current|your|the|a|user|admin|root|database|db|ssh|sudo|unix|"
    r"vault|registry|docker|git|smb|ldap|kerberos|key|private|master|encryption|[\w.-]{1,64}@[\w.-]{1,255}'s) ){0,6}p"
)
"""What may stand before the word in a line that is a prompt and nothing else."""
_GOES_ON = re.compile(r".*[.:!,;…%>\])}]|[/~<\[({=*#$-].*|[^\w]*|\w+://.*|[-+\d.,/]+")
"""A line that is a program's own: it ends as a sentence does, or begins as a path, an option, a tag or a rule does."""


def without_bare(text: str, mask: str) -> str:
    """The text with such words replaced by the mask."""
    for needle, pattern in _COMMANDS:
        if needle in text:
            text = pattern.sub(lambda match: _masked(match, mask), text)
    for needle, pattern in _PROMPTS:
        if needle in text:
            text = pattern.sub(lambda match: _prompted(match, mask), text)
    return text


def _masked(match: re.Match[str], mask: str) -> str:
    if _SPOKEN.fullmatch(match["word"].rstrip(".,:!")) or not _COMMAND_BEFORE.search(_before(match)):
        return match[0]
    return _with(match, mask)


def _prompted(match: re.Match[str], mask: str) -> str:
    word = match["word"]
    if _SPOKEN.fullmatch(word) or _GOES_ON.fullmatch(word) or not _PROMPT_BEFORE.fullmatch(_before(match)):
        return match[0]
    return _with(match, mask)


def _before(match: re.Match[str]) -> str:
    """What stands before a match in its line."""
    text, start = match.string, match.start()
    return text[max(text.rfind("\n", 0, start) + 1, start - 400) : start]


def _with(match: re.Match[str], mask: str) -> str:
    start = match.start("word") - match.start()
    return match[0][:start] + mask + match[0][match.end("word") - match.start() :]

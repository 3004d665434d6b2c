"""Cluster text made inert: names, events and logs are written by anyone, and a channel must show them and obey none.

What each kind of place needs: `plain` for one line anywhere; `escaped` for Slack's plain_text objects, which format
nothing; `inert` for names inside Slack's mrkdwn; `fenced` for log excerpts.
"""

from __future__ import annotations

import re

# Terminal sequences (colours, cursor, titles); an unterminated one loses its escape character only, so that it cannot
# hide the text behind it.
_TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
# Control characters but newline and tab, invisible and direction-changing ones, and halves of characters.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
# A progress bar rewrites its line: only what a terminal would show at last is worth the space.
_REWRITTEN = re.compile(r"^[^\n]*\r", re.MULTILINE)
_MENTION = re.compile(r"@(?=(?:here|channel|everyone)\b)", re.IGNORECASE)
# A mark opens formatting only where no letter or digit is before it: `train_bert_v2` stays as it is, to be copied.
_OPENING_MARK = re.compile(r"(?<![^\W_])[*_~]")
_LOOKALIKES = {"*": "\u2217", "_": "\uff3f", "~": "\u223c"}
_MOST = 50_000
ELLIPSIS = "…"


def clean(text: str) -> str:
    """Text of printable characters, newlines and tabs."""
    text = _REWRITTEN.sub("", text.replace("\r\n", "\n"))
    return _CONTROL.sub("", _TERMINAL.sub("", text))


def plain(text: str, limit: int) -> str:
    """One line, cut to `limit`."""
    line = " ".join(clean(text[:_MOST].replace("\r", " ")).split())
    return line if len(line) <= limit else line[: limit - 1] + ELLIPSIS


def escaped(text: str, limit: int) -> str:
    """Text in which Slack sees no control sequence, cut at its end to `limit` after escaping."""
    safe = _escape(clean(text[:_MOST]))
    return safe if len(safe) <= limit else re.sub(r"&[a-z]{0,4}$", "", safe[: limit - 1]) + ELLIPSIS


def inert(text: str, limit: int) -> str:
    """One line for a mrkdwn object: as `escaped`, and formatting marks that would open become look-alikes."""
    line = plain(text, limit).replace("`", "'")
    return escaped(_OPENING_MARK.sub(lambda mark: _LOOKALIKES[mark.group()], line), limit)


def unmentioned(text: str) -> str:
    """Text that calls nobody: `@here` and its like no longer read as such, for people they look as before."""
    return _MENTION.sub("@\u2060", text).replace("<!", "<\u2060!").replace("<@", "<\u2060@")


def fenced(text: str, limit: int) -> str:
    """A code block that the text cannot close, of at most `limit` characters."""
    inside = limit - len("```\n\n```")
    return f"```\n{ending(_escape(clean(text[-_MOST:])), inside)}\n```"


def ending(text: str, limit: int) -> str:
    """The last `limit` characters, from the start of a line where one is near: the end of a log is where the error is."""
    if len(text) <= limit:
        return text
    kept = text[len(text) - limit + 2 :]
    first, newline, rest = kept.partition("\n")
    if newline and rest and len(first) < limit // 2:
        return f"{ELLIPSIS}\n{rest}"
    cut_character = re.compile(r"^[a-z]{0,4};")  # the rest of an escaped one
    return f"{ELLIPSIS}\n{cut_character.sub('', kept)}"


def _escape(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("```", "'''")
    return _MENTION.sub("@\u2060", text)

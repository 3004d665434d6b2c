"""What a program refused, in single words: an option, its value, and the values it takes.

The sentences are those of argparse, absl, click, Go's flag and pflag, getopt, shells, OmegaConf and Hydra.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from runai_monitor.diagnosis.wording import token

_WORD = 60
_CHOICES = 6
_LONGEST_LINE = 1_000
_OPTION = r"'?(?P<option>-{0,2}[A-Za-z_][\w.-]{0,60})'?"
# What stands in the line, and how it is said: `{option}`, `{value}` and `{choices}` are words of the line.
_REFUSALS = (
    (rf"argument (?:-\w(?: \w+)?[,/] ?)?{_OPTION}(?:/-\S+| \w+)?: invalid choice: '?(?P<value>[^'\s]{{1,60}})'? \(choose from (?P<choices>[^)]{{1,400}})\)", "{option} '{value}' is not one of {choices}"),
    (rf"argument (?:-\w(?: \w+)?[,/] ?)?{_OPTION}(?:/-\S+| \w+)?: invalid (?P<kind>\w{{1,20}}) value: '?(?P<value>[^'\s]{{1,60}})'?", "{option} '{value}' is no {kind}"),
    (rf"argument (?:-\w(?: \w+)?[,/] ?)?{_OPTION}(?:/-\S+| \w+)?: expected (?P<kind>one|at least one) argument", "{option} lacks its value"),
    (r"Invalid value for '?(?P<option>-{1,2}[\w-]{1,60})'?(?: / '[^']{1,60}')?: '(?P<value>[^'\s]{1,60})' is not one of (?P<choices>[^\n]{1,400}?)\.?$", "{option} '{value}' is not one of {choices}"),
    (r"Invalid value for '?(?P<option>-{1,2}[\w-]{1,60})'?(?: / '[^']{1,60}')?: '(?P<value>[^'\s]{1,60})' is not", "{option} '{value}' is not valid"),
    (r"the following arguments are required: (?P<choices>[^\n]{1,400})", "required and not given: {choices}"),
    (r"unrecognized arguments: '?(?P<option>-{0,2}[^'\s=]{1,60})", "{option} is not known to it"),
    (r"(?:[Nn]o such option:?|unrecognized option|[Uu]nknown (?:shorthand |long )?(?:flag|option|command line flag)(?: provided)?:?|flag provided but not defined:|unexpected argument|Could not consume arg:|invalid option(?: --)?:?) ['\"`]?(?P<option>-{0,2}[\w.-]{1,60})", "{option} is not known to it"),
    (r"[Mm]issing (?:option|argument|parameter) ['\"]?(?P<option>-{0,2}[\w-]{1,60})", "{option} is missing"),
    (r"[Mm]issing (?:required )?environment variables?:? ['\"`]?(?P<option>[A-Za-z_]\w{1,60})|environment variable ['\"`]?(?P<other>[A-Za-z_]\w{1,60})['\"`]? (?:is )?(?:not set|expected|missing|required)", "environment variable {option} is not set"),
    (r"(?:^|: )(?P<option>[A-Za-z_]\w{0,60}): unbound variable$", "variable {option} is not set"),
    (r"Key '(?P<option>[\w.-]{1,60})' (?:is )?not in |Could not override '(?P<other>[\w./@-]{1,60})'", "{option} is no key of its configuration"),
    (r"Missing mandatory value: (?P<option>[\w.-]{1,60})", "{option} has no value"),
)  # fmt: skip
_KNOWN = tuple((re.compile(pattern), said) for pattern, said in _REFUSALS)


def refused(lines: Iterable[str]) -> str:
    """What the first line that tells it says was refused, in our words; empty when none tells."""
    return next((said for line in lines if (said := _of_line(line[:_LONGEST_LINE]))), "")


def _of_line(line: str) -> str:
    for pattern, said in _KNOWN:
        if (match := pattern.search(line)) is not None:
            found = match.groupdict()
            found["option"] = found.get("option") or found.get("other")
            words = {name: token(value, _WORD) for name, value in found.items() if value and name != "choices"}
            choices = [token(choice, _WORD) for choice in re.split(r"[,\s]+", found.get("choices") or "") if choice]
            more = f" and {len(choices) - _CHOICES} more" if len(choices) > _CHOICES else ""
            return said.format(choices=", ".join(choices[:_CHOICES]) + more, **words)
    return ""

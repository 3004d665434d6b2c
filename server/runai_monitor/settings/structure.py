"""Settings that are lists of sections, such as channels: what is wrong with them, said by the path of each key."""

from __future__ import annotations

import difflib
import itertools
import json
import re
import reprlib
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

_VARIABLE = re.compile(r"\$(\$|\{[^{}]*\})?")
_MOST_VALUES = 10_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class StructureError(ValueError):
    """Some of it cannot be taken; `problems` are sentences that begin with the path of a key, such as `[0].kind`."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Part(BaseModel):
    """One section. The description of a field is what is accepted for it, in words."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True, str_strip_whitespace=True
    )


def sections(value: object, *, what: str) -> list[tuple[str, Mapping[str, object]]]:
    """The sections of a list, each with its path.

    Raises:
        StructureError: it is no list of sections with texts as keys.
    """
    if not isinstance(value, list | tuple):
        raise StructureError(f" is {shown(value)}; accepted is a list of {what}")
    for index, item in enumerate(value):
        if not isinstance(item, Mapping) or not all(isinstance(key, str) for key in item):
            # A secret may stand in the wrong place: it is not shown.
            raise StructureError(f"[{index}] is no section of keys and values")
    return [(f"[{index}]", item) for index, item in enumerate(value)]


def problems_of(error: ValidationError, model: type[BaseModel], path: str, given: Mapping[str, object]) -> list[str]:
    """What pydantic found wrong with one section, as sentences without secrets."""
    return list(dict.fromkeys(_problem(detail, model, path, given) for detail in error.errors()))


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint at what was meant, or all there is."""
    names = list(known)
    match = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {match[0]}?" if match else f"; there are {', '.join(names)}" if names else ""


def may_hold_secret(value: object) -> bool:
    """Whether it is an address with more in it than a host and a path."""
    return isinstance(value, str) and "://" in value and any(mark in value for mark in "@?#")


def shown(value: object) -> str:
    """What was given, short. Lists are abridged before they are written: YAML's aliases can make them endless."""
    return (reprlib.repr(value) if isinstance(value, list | dict) else json.dumps(value, default=str))[:100]


def expanded(value: object, variables: Mapping[str, str | None]) -> object:
    """The value with `${NAME}` in its texts replaced from the environment; `$$` stands for one `$`.

    Raises:
        StructureError: a variable is not set, what follows a `$` is neither, or it is larger than any configuration:
            a few of YAML's aliases can stand for a billion values.
    """
    left = itertools.repeat(None, _MOST_VALUES)

    def walk(value: object, path: str) -> object:
        if next(left, False) is False:
            raise StructureError(" holds too many values; write it out")
        if isinstance(value, str):
            return _VARIABLE.sub(lambda found: _replacement(found, variables, path), value)
        if isinstance(value, list):
            return [walk(item, f"{path}[{index}]") for index, item in enumerate(value)]
        if isinstance(value, dict):
            return {key: walk(item, f"{path}.{key}") for key, item in value.items()}
        return value

    return walk(value, "")


def _replacement(found: re.Match[str], variables: Mapping[str, str | None], path: str) -> str:
    mark = found.group(1)
    if mark == "$":
        return "$"
    name = (mark or "").strip("{}")
    if not _NAME.fullmatch(name):  # not quoted: it may be part of a password
        raise StructureError(f"{path} holds a $ that names no variable; accepted is ${{NAME}}, or $$ for a dollar sign")
    if not variables.get(name):
        raise StructureError(
            f"{path} names the variable {name}, which is not set; set it in the environment or in .env"
        )
    return str(variables[name])


def _problem(detail: ErrorDetails, model: type[BaseModel], path: str, given: Mapping[str, object]) -> str:
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    key = str(detail["loc"][0]) if detail["loc"] else ""
    said = detail["msg"].removeprefix("Value error, ")
    if not key:
        return f"{path} {said}"
    if detail["type"] == "extra_forbidden":
        return f"{path} has an unknown key {key}{nearest(key, fields)}"
    accepted = fields[key].description or said
    if detail["type"] == "missing":
        return f"{path}.{key} is not given; accepted is {accepted}"
    secret = "Secret" in str(fields[key].annotation) or may_hold_secret(given.get(key))
    return f"{path}.{key} {'is not acceptable' if secret else f'is {shown(given.get(key))}'}; accepted is {accepted}"

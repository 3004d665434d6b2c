"""Where settings come from: the sources, merged, and what is said of a value that cannot be taken."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from runai_monitor.errors import SettingsError
from runai_monitor.settings.fields import ENV_PREFIX, SHARED_NAMES, Settings
from runai_monitor.settings.structure import StructureError, expanded, may_hold_secret, shown

SECTION = "runai_proactive_monitor"
CONFIG_VARIABLE = "RUNAI_MONITOR_CONFIG"
LIMIT = "monitored_projects"
STRUCTURED = frozenset({"channels", "routes"})
"""Fields that are lists of sections in YAML and JSON in the environment; their texts may name variables: `${NAME}`."""
IGNORED_KEYS = frozenset({"_type", "description"})
"""Keys of the old workflow section that are accepted and mean nothing here."""


@dataclass(frozen=True, slots=True)
class _Given:
    """One value and where it was given, in the words of an error message."""

    value: object
    origin: str


def load_settings(
    *,
    config: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    dotenv: Path | None = Path(".env"),
) -> Settings:
    """The settings from every source; `overrides` are the command line's, by field name.

    Raises:
        SettingsError: a file that cannot be read, an unknown key, a wrong type or an impossible value. The text names
            where it was given, what was given (never a secret) and what is accepted.
    """
    environ = os.environ if environ is None else environ
    variables = _variables(environ, dotenv)
    file = config or (Path(variables.pop(CONFIG_VARIABLE).value) if CONFIG_VARIABLE in variables else None)  # type: ignore[arg-type]
    variables.pop(CONFIG_VARIABLE, None)
    given = _from_yaml(file) if file is not None else {}
    by_variable = {variable_of(field): field for field in Settings.model_fields}
    for variable, entry in variables.items():
        if variable not in by_variable:
            raise SettingsError(f"{entry.origin}: unknown setting {variable}{_nearest(variable, by_variable)}")
        given[by_variable[variable]] = entry
    for field, value in (overrides or {}).items():
        if value is not None:
            given[field] = _Given(value, f"option --{field.replace('_', '-')}")
    for field in STRUCTURED & given.keys():
        given[field] = _structured(field, given[field], _everything(environ, dotenv))
    return _validated(given)


def variable_of(field: str) -> str:
    """The environment variable of a field."""
    return SHARED_NAMES.get(field) or ENV_PREFIX + field.upper()


def _variables(environ: Mapping[str, str], dotenv: Path | None) -> dict[str, _Given]:
    """Our variables from `.env` and, over them, the environment; empty ones count as not given."""
    shared = set(SHARED_NAMES.values())
    found: dict[str, _Given] = {}
    for values, origin in _sources(environ, dotenv):
        for name, value in values.items():
            if value is not None and not value.strip() and name == variable_of(LIMIT):
                raise SettingsError(_empty_limit(f"{origin}: {name}"))
            if value and (name.startswith(ENV_PREFIX) or name in shared):
                found[name] = _Given(value, origin)
    return found


def _sources(environ: Mapping[str, str], dotenv: Path | None) -> list[tuple[Mapping[str, str | None], str]]:
    """All variables of `.env` and of the environment, with what each is called; the later wins."""
    sources: list[tuple[Mapping[str, str | None], str]] = [(environ, "environment")]
    if dotenv is not None and dotenv.is_file():
        from dotenv import dotenv_values

        try:
            sources.insert(0, (dotenv_values(dotenv, encoding="utf-8"), f"{dotenv}"))
        except OSError as error:
            raise SettingsError(f"{dotenv}: cannot be read ({error.strerror}); correct its permissions") from error
        except UnicodeDecodeError:
            # `from None`: the error holds the file, and the file holds secrets.
            raise SettingsError(f"{dotenv}: is not UTF-8 text; save it as such") from None
    return sources


def _everything(environ: Mapping[str, str], dotenv: Path | None) -> dict[str, str | None]:
    return {name: value for values, _ in _sources(environ, dotenv) for name, value in values.items()}


def _structured(field: str, given: _Given, variables: Mapping[str, str | None]) -> _Given:
    """The value with the variables that its texts name; JSON, where it came as a text."""
    value = given.value
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise SettingsError(f"{_place(field, given)} is not acceptable; accepted is a list in JSON") from None
    try:
        return _Given(expanded(value, variables), given.origin)
    except StructureError as error:
        raise SettingsError(f"{_place(field, given)}{error}") from None
    except RecursionError:
        raise SettingsError(f"{_place(field, given)} holds itself; write it out") from None


def _empty_limit(where: str) -> str:
    """An empty hard limit must not mean "no limit", as an empty setting otherwise means its default."""
    return f'{where} is empty; accepted is at least one project name, or "*" for all'


def _from_yaml(path: Path) -> dict[str, _Given]:
    """The section `runai_proactive_monitor` of a workflow file, at the top level or under `functions`."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"{path}: cannot be read ({error.strerror}); correct --config or {CONFIG_VARIABLE}"
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f" near line {line + 1}"
        raise SettingsError(f"{path}: is not valid YAML{where}; correct it, or name another with --config") from error
    section = _section(document, path)
    given: dict[str, _Given] = {}
    for key, value in section.items():
        if key in IGNORED_KEYS:
            continue
        if key not in Settings.model_fields:
            raise SettingsError(f"{path}: unknown key {SECTION}.{key}{_nearest(str(key), Settings.model_fields)}")
        if value is None and key == LIMIT:
            raise SettingsError(_empty_limit(f"{path}: {SECTION}.{key}"))
        if value is not None:
            given[str(key)] = _Given(value, f"{path}: {SECTION}.{key}")
    return given


def _section(document: object, path: Path) -> Mapping[object, object]:
    places = [document, document.get("functions")] if isinstance(document, Mapping) else []
    for place in places:
        if isinstance(place, Mapping) and SECTION in place:
            section = place[SECTION]
            if section is None:
                return {}
            if not isinstance(section, Mapping):
                raise SettingsError(f"{path}: {SECTION} must be a section of keys and values")
            return section
    raise SettingsError(f"{path}: has no section {SECTION}, neither at the top level nor under functions")


def _validated(given: Mapping[str, _Given]) -> Settings:
    try:
        return Settings(**{field: entry.value for field, entry in given.items()})  # type: ignore[arg-type]
    except ValidationError as error:
        problems = dict.fromkeys(_problem(detail, given) for detail in error.errors())
        raise SettingsError("; ".join(problems)) from None


def _problem(detail: ErrorDetails, given: Mapping[str, _Given]) -> str:
    """One validation error as a sentence: where, what was given (never a secret), what is accepted."""
    field = next((name for name in map(str, detail["loc"]) if name in Settings.model_fields), "")
    field = field or next((f for f, variable in SHARED_NAMES.items() if variable in map(str, detail["loc"])), "")
    if not field:
        return detail["msg"].removeprefix("Value error, ")
    entry = given.get(field, _Given(None, "default"))
    origin = _place(field, entry)
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, StructureError):
        return "; ".join(f"{origin}{problem}" for problem in cause.problems)
    secret = "Secret" in str(Settings.model_fields[field].annotation) or may_hold_secret(entry.value)
    said = "is not acceptable" if secret else f"is {shown(entry.value)}"
    return f"{origin} {said}; accepted is {_accepted(Settings.model_fields[field], detail)}"


def _place(field: str, given: _Given) -> str:
    """Where a value was given, by the name it has there."""
    return f"{given.origin}: {variable_of(field)}" if given.origin in {"environment", ".env"} else given.origin


def _accepted(field: FieldInfo, detail: ErrorDetails) -> str:
    """What a setting takes, in words: its range where it is a number."""
    match field.annotation:
        case type() as kind if kind is bool:
            return "true or false"
        case type() as kind if kind in {int, float}:
            limits = {name: value for part in field.metadata for name, value in _limits(part)}
            low = f"more than {limits['gt']:g} and at most" if "gt" in limits else f"from {limits['ge']:g} to"
            return f"a {'whole ' if kind is int else ''}number {low} {limits['le']:g}"
        case _ if detail["type"] in {"string_type", "tuple_type"}:
            return "a list of names" if "tuple" in str(field.annotation) else "a text"
        case _:
            return detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")


def _limits(constraint: object) -> Iterable[tuple[str, float]]:
    return ((name, getattr(constraint, name)) for name in ("ge", "gt", "le") if hasattr(constraint, name))


def _nearest(name: str, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {match[0]}?" if match else "; see the settings in the README"

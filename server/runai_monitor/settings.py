"""Every setting: command line, then environment, then `.env`, then the YAML file, then the defaults below.

The docstring under a field is its documentation: meaning, unit, what None means, and the reason for the default.
"""

from __future__ import annotations

import difflib
import json
import os
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from runai_monitor.errors import SettingsError

SECTION = "runai_proactive_monitor"
ENV_PREFIX = "RUNAI_MONITOR_"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

# Names shared with the official Run:ai MCP server and with kubectl: one environment serves all of them.
SHARED_NAMES = {
    "runai_client_id": "RUNAI_CLIENT_ID",
    "runai_client_secret": "RUNAI_CLIENT_SECRET",
    "runai_base_url": "RUNAI_BASE_URL",
    "kubeconfig": "KUBECONFIG",
    "allow_write_tools": "RUNAI_ALLOW_WRITE_TOOLS",
}
CONFIG_VARIABLE = "RUNAI_MONITOR_CONFIG"
LIMIT = "monitored_projects"

CommaList = Annotated[tuple[str, ...], NoDecode]
"""A list given as JSON (`["a", "b"]`) or separated by commas (`a,b`) in the environment, as a list in YAML."""


class Settings(BaseSettings):
    """The configuration in force. Frozen; secrets print as asterisks."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    # --- Run:ai -------------------------------------------------------------------------------------------------
    runai_base_url: str | None = Field(default=None, validation_alias=SHARED_NAMES["runai_base_url"])
    """The Run:ai control plane, such as `https://acme.run.ai`. https only, except to loopback."""
    runai_client_id: str | None = Field(default=None, validation_alias=SHARED_NAMES["runai_client_id"])
    """The client id of a Run:ai service account or access key."""
    runai_client_secret: SecretStr | None = Field(default=None, validation_alias=SHARED_NAMES["runai_client_secret"])
    """The client secret that belongs to it. Secret."""
    allow_write_tools: bool = Field(default=False, validation_alias=SHARED_NAMES["allow_write_tools"])
    """Whether `manage_workload` exists at all. Off: a monitor that can only look cannot break anything."""
    runai_timeout_seconds: float = Field(default=60, ge=1, le=600)
    """The deadline of one Run:ai call with all its retries, in seconds. 60: a poll never outlives its interval by much."""

    # --- Kubernetes ---------------------------------------------------------------------------------------------
    kubernetes: Literal["auto", "off"] = "auto"
    """`auto` uses a kubeconfig or the in-cluster account when there is one; `off` never asks Kubernetes."""
    kubeconfig: str | None = Field(default=None, validation_alias=SHARED_NAMES["kubeconfig"])
    """The kubeconfig file (several joined by the path separator, as kubectl has it). None: the default place, or in-cluster."""
    kube_context: str | None = None
    """The kubeconfig context. None: its current context."""
    kube_cluster_id: str | None = None
    """The Run:ai cluster UUID that this kubeconfig reaches. None: the tenant's only cluster; with several, pods are
    matched only where Run:ai's own pod list confirms them."""

    # --- What is watched ----------------------------------------------------------------------------------------
    monitored_projects: CommaList = ("*",)
    """The projects this server may see at all: a hard limit for every tool. `*` means all."""
    poll_interval_seconds: float = Field(default=60, ge=1, le=3600)
    """Seconds between polls of Run:ai. 60: a delta poll is cheap, a control plane is shared."""
    reconcile_interval_seconds: float = Field(default=300, ge=10, le=86400)
    """Seconds between full reads, which find deletions and whatever a delta poll cannot see."""
    monitor_only_failed: bool = False
    """Asks Run:ai for unhealthy workloads only: cheaper, but no detection of stuck workloads."""
    existing_failures: Literal["summary", "each", "ignore"] = "summary"
    """Workloads that had failed before this server first looked: one `summary`, an alert on `each`, or `ignore`."""
    pending_stuck_minutes: float = Field(default=10, gt=0, le=10080)
    """A workload Pending for longer is stuck. 10: scheduling takes seconds, autoscaling minutes."""
    starting_stuck_minutes: float = Field(default=15, gt=0, le=10080)
    """The same for Creating, Initializing, Resuming and Updating. 15: a 40 GB image takes its time to pull."""
    terminating_stuck_minutes: float = Field(default=15, gt=0, le=10080)
    """The same for Terminating and Deleting. 15: longer than any ordinary grace period."""
    suspect_after_seconds: float = Field(default=120, ge=0, le=86400)
    """Without container states from Kubernetes, a workload that is neither running nor finished for longer is examined
    through Run:ai's events."""
    resolve_after_seconds: float = Field(default=120, ge=0, le=86400)
    """How long a workload must look healthy before its alert is resolved. 120: a crash loop runs for a while each time."""

    # --- Diagnosis ----------------------------------------------------------------------------------------------
    enable_auto_troubleshoot: bool = True
    """Diagnoses each new alert before it is sent."""
    log_tail_lines: int = Field(default=100, ge=1, le=10000)
    """Lines read from the end of each container log."""
    log_limit_bytes: int = Field(default=262_144, ge=1024, le=16_777_216)
    """Bytes read of each container log at most. 256 KiB: 100 lines of ordinary length many times over."""
    diagnosis_timeout_seconds: float = Field(default=15, ge=1, le=300)
    """The total time for gathering evidence; what is not there by then is listed as unread."""

    # --- Alerts -------------------------------------------------------------------------------------------------
    max_alerts_per_job: int = Field(default=1, ge=1, le=1000)
    """Notifications of one failure episode of one workload: the first and its reminders. The resolve notice is not
    counted."""
    repeat_interval_minutes: float = Field(default=240, ge=1, le=43200)
    """Minutes between reminders, while `max_alerts_per_job` allows them."""
    slack_webhook_url: SecretStr | None = None
    """A Slack incoming webhook. None: no Slack. Secret."""

    delivery_give_up_hours: float = Field(default=24, gt=0, le=720)
    """Hours for which a message is tried before it is given up. 24: longer than an outage that somebody works on."""
    delivery_longest_pause_minutes: float = Field(default=15, gt=0, le=60)
    """Minutes between two attempts at one message at most; the pauses double from 2 seconds on."""
    fallback_channel: str | None = None
    """The channel that is told what another one did not take, with the reason. None: the log alone says it."""
    storm_threshold: int = Field(default=5, ge=2, le=10000)
    """Alerts of one node, cause or image within `storm_window_seconds` that are told as one digest; of one project it takes
    twice as many, with nothing in common four times. 5: four messages can be read, and a fifth says that it goes on."""
    storm_window_seconds: float = Field(default=300, ge=1, le=86400)
    """How far apart alerts may be to count as one storm. 300: a lost node's workloads fail over five minutes."""
    group_wait_seconds: float = Field(default=10, ge=0, le=600)
    """How long an alert waits that resembles one told a moment ago, for others like it. A lone alert never waits."""
    group_interval_seconds: float = Field(default=300, ge=1, le=86400)
    """Between the second and the third message of a storm; after that the intervals double, up to eight times this. A storm
    that still grows is told when it pauses, or two intervals later. 300: Alertmanager's default."""
    digest_after_minutes: float = Field(default=10, ge=1, le=10080)
    """Minutes: messages that waited longer, through an outage of the channel or of this server, are told as one digest."""
    flap_window_minutes: float = Field(default=10, ge=0, le=10080)
    """An alert that opens again so soon after it was over is told as flapping once, and again only when it lasts that long.
    0: every opening is told."""
    hold_down: CommaList = ()
    """How many seconds a status must last before it is told, as `Degraded=120,node_unhealthy=60` (a status, or a kind of
    alert). Without an entry: what detection thinks right, mostly 0."""

    # --- State and serving --------------------------------------------------------------------------------------
    state_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_state_dir("runai-monitor")))
    """The folder of the SQLite file. Default: the platform's own folder for state."""
    database_url: SecretStr | None = None
    """A database instead of the file in `state_dir`, as an SQLAlchemy URL (`sqlite+aiosqlite:///…`). Secret, because
    such URLs hold passwords."""
    auth_token: SecretStr | None = None
    """The bearer token clients must send over HTTP. Required when binding to anything but loopback. Secret."""
    allowed_hosts: CommaList = ()
    """Host headers accepted over HTTP besides loopback's (`monitor.example.com`, `monitor.example.com:*`)."""
    allowed_origins: CommaList = ()
    """Origin headers accepted over HTTP besides loopback's (`https://chat.example.com`)."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is written to stderr."""

    @field_validator("monitored_projects", "allowed_hosts", "allowed_origins", "hold_down", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        text = value.strip()
        if text.startswith("["):
            try:
                return json.loads(text)
            except ValueError as error:
                raise ValueError('a JSON list such as ["ml-team", "research"], or names separated by commas') from error
        return [part.strip() for part in text.split(",") if part.strip()]

    @field_validator("monitored_projects")
    @classmethod
    def _some_project(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or any(not name.strip() for name in value):
            raise ValueError('at least one project name, or "*" for all')
        return value

    @field_validator("hold_down")
    @classmethod
    def _statuses_with_seconds(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            status, sign, seconds = entry.partition("=")
            if not status.strip() or not sign or not seconds.strip().replace(".", "", 1).isdecimal():
                raise ValueError("statuses or kinds with seconds, such as Degraded=120")
        return value

    @field_validator("runai_base_url")
    @classmethod
    def _https_unless_loopback(cls, value: str | None) -> str | None:
        if value is None:
            return None
        address = check_url(value, what="an https:// address of the Run:ai control plane")
        parts = urlsplit(address)
        if parts.username is not None or parts.query or parts.fragment:
            # Shown by `check` and `monitoring_status`, so nothing secret may be in it; and no path could follow.
            raise ValueError("an https:// address of the Run:ai control plane without user, password or ?")
        return address.rstrip("/")

    @field_validator("auth_token")
    @classmethod
    def _token_that_keeps_out(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        token = value.get_secret_value().strip()  # files of secrets end with a newline, and headers have none
        # An empty token would let in whoever sends none, and no client can send anything but these characters.
        if not token or not all("!" <= character <= "~" for character in token):
            raise ValueError("a token of printable ASCII characters without blanks")
        return SecretStr(token)

    @field_validator("state_dir")
    @classmethod
    def _folder(cls, value: Path) -> Path:
        try:
            folder = value.expanduser()
        except RuntimeError:  # `~somebody` who does not exist
            folder = value
        if "\0" in str(folder) or folder.parts[:1] == ("~",) or str(folder).startswith("~"):
            raise ValueError("the path of a folder")
        return folder

    @field_validator("slack_webhook_url")
    @classmethod
    def _webhook_https(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_url(value.get_secret_value(), what="an https:// address of a Slack incoming webhook")
        return value

    @field_validator("database_url")
    @classmethod
    def _sqlite_only(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith("sqlite+aiosqlite:///"):
            raise ValueError("a SQLite address, sqlite+aiosqlite:///<path>; other databases are not supported yet")
        return value

    @model_validator(mode="after")
    def _wildcard_alone(self) -> Settings:
        if "*" in self.monitored_projects and len(self.monitored_projects) > 1:
            raise ValueError('monitored_projects: either "*" or names, not both')
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing is read behind the caller's back: `load_settings` merges the sources and knows where each value is from."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @property
    def hold_down_seconds(self) -> dict[str, float]:
        """`hold_down` by status or kind."""
        entries = (entry.partition("=") for entry in self.hold_down)
        return {status.strip(): float(seconds) for status, _, seconds in entries}

    @property
    def watches_all_projects(self) -> bool:
        """Whether every project may be seen."""
        return self.monitored_projects == ("*",)

    def require_credentials(self) -> RunaiCredentials:
        """The Run:ai address and credentials.

        Raises:
            SettingsError: one of the three is missing; the text names the variables.
        """
        if self.runai_base_url and self.runai_client_id and self.runai_client_secret:
            return RunaiCredentials(
                base_url=self.runai_base_url,
                client_id=self.runai_client_id,
                client_secret=self.runai_client_secret,
            )
        given = {
            "RUNAI_BASE_URL": self.runai_base_url,
            "RUNAI_CLIENT_ID": self.runai_client_id,
            "RUNAI_CLIENT_SECRET": self.runai_client_secret,
        }
        *others, last = (name for name, value in given.items() if not value)
        missing = f"{', '.join(others)} and {last} are not set: set them" if others else f"{last} is not set: set it"
        raise SettingsError(
            f"{missing} in the environment or in .env, or try the built-in tenant with runai-monitor serve --demo"
        )


class RunaiCredentials(BaseModel):
    """Where Run:ai is and who we are there; the secret prints as asterisks."""

    base_url: str
    client_id: str
    client_secret: SecretStr


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
    return _validated(given)


def variable_of(field: str) -> str:
    """The environment variable of a field."""
    return SHARED_NAMES.get(field) or ENV_PREFIX + field.upper()


def _variables(environ: Mapping[str, str], dotenv: Path | None) -> dict[str, _Given]:
    """Our variables from `.env` and, over them, the environment; empty ones count as not given."""
    shared = set(SHARED_NAMES.values())
    found: dict[str, _Given] = {}
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
    for values, origin in sources:
        for name, value in values.items():
            if value is not None and not value.strip() and name == variable_of(LIMIT):
                raise SettingsError(_empty_limit(f"{origin}: {name}"))
            if value and (name.startswith(ENV_PREFIX) or name in shared):
                found[name] = _Given(value, origin)
    return found


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
    origin = f"{entry.origin}: {variable_of(field)}" if entry.origin in {"environment", ".env"} else entry.origin
    secret = "Secret" in str(Settings.model_fields[field].annotation) or _may_hold_secret(entry.value)
    shown = "is not acceptable" if secret else f"is {_shown(entry.value)}"
    return f"{origin} {shown}; accepted is {_accepted(Settings.model_fields[field], detail)}"


def _may_hold_secret(value: object) -> bool:
    """Whether it is an address with more in it than a host and a path."""
    return isinstance(value, str) and "://" in value and any(mark in value for mark in "@?#")


def _shown(value: object) -> str:
    """What was given, short. Lists of lists are abridged before they are written: YAML's aliases can make them endless."""
    return (reprlib.repr(value) if isinstance(value, list | dict) else json.dumps(value, default=str))[:100]


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

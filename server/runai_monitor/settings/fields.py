"""The fields. The docstring under one is its documentation: meaning, unit, what None means, the reason for the default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from runai_monitor.errors import SettingsError
from runai_monitor.model.routing import Route
from runai_monitor.settings.addresses import check_url
from runai_monitor.settings.channel import Channel
from runai_monitor.settings.structure import nearest

ENV_PREFIX = "RUNAI_MONITOR_"

# Names shared with the official Run:ai MCP server and with kubectl: one environment serves all of them.
SHARED_NAMES = {
    "runai_client_id": "RUNAI_CLIENT_ID",
    "runai_client_secret": "RUNAI_CLIENT_SECRET",
    "runai_base_url": "RUNAI_BASE_URL",
    "kubeconfig": "KUBECONFIG",
    "allow_write_tools": "RUNAI_ALLOW_WRITE_TOOLS",
}
DATABASES = ("sqlite+aiosqlite:///", "postgresql+asyncpg://", "postgresql://", "postgres://")
"""How the address of a database may begin."""

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
    """A Slack incoming webhook: the channel `slack`. None: no such channel. Secret."""
    channels: tuple[Channel, ...] = ()
    """Where alerts are told, besides the channel `slack`: a list of sections, each with `name`, `kind` and what that kind
    needs (see Channels). As JSON in the environment. Holds secrets, or their variables as `${NAME}`."""
    routes: tuple[Route, ...] = ()
    """Which channels are told of which alerts: the first that matches decides (see Routes). As JSON in the environment.
    None: every channel is told of every alert."""
    default_channels: CommaList = ()
    """The channels that are told of an alert that no route matches. None: all of them, so that nothing is lost."""

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
    """A database instead of the file in `state_dir`: `postgresql+asyncpg://user:password@host/database` for processes on
    several machines, or `sqlite+aiosqlite:///path`. Secret, because such URLs hold passwords."""
    retention_alerts_days: float = Field(default=90, ge=0, le=36500)
    """Days a resolved alert is kept, with everything about it; 0 keeps it for ever, as for every kind below. 90: a quarter
    can be looked back on; a diagnosis looks back 30 days. An open alert is never deleted."""
    retention_deliveries_days: float = Field(default=30, ge=0, le=36500)
    """The same for the record of each message. 30: nobody asks later where one went. One that waits, or tells of an open
    alert, is never deleted."""
    retention_transitions_days: float = Field(default=90, ge=0, le=36500)
    """The same for the steps of a resolved alert with their reasons. 90: as long as the alert itself."""
    retention_audit_days: float = Field(default=365, ge=0, le=36500)
    """The same for who did what and when. 365: a year is what auditors ask for."""
    retention_monitors_days: float = Field(default=30, ge=0, le=36500)
    """The same for monitors that ended or were stopped. 30: they say little."""
    retention_silences_days: float = Field(default=90, ge=0, le=36500)
    """The same for silences that are over. 90: as long as the alerts they kept quiet."""
    auth_token: SecretStr | None = None
    """The bearer token clients must send over HTTP. Required when binding to anything but loopback. Secret."""
    allowed_hosts: CommaList = ()
    """Host headers accepted over HTTP besides loopback's (`monitor.example.com`, `monitor.example.com:*`)."""
    allowed_origins: CommaList = ()
    """Origin headers accepted over HTTP besides loopback's (`https://chat.example.com`)."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is written to stderr."""

    @field_validator(
        "monitored_projects", "default_channels", "allowed_hosts", "allowed_origins", "hold_down", mode="before"
    )
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

    @field_validator("channels", mode="before")
    @classmethod
    def _known_channels(cls, value: object) -> object:
        if value in ([], ()):
            return ()
        from runai_monitor.settings.channels import channels_of  # takes time to load

        return channels_of(value)

    @field_validator("routes", mode="before")
    @classmethod
    def _known_routes(cls, value: object) -> object:
        if value in ([], ()):
            return ()
        from runai_monitor.settings.routes import routes_of

        return routes_of(value)

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(DATABASES):
            raise ValueError(
                "postgresql+asyncpg://<user>:<password>@<host>/<database>, or sqlite+aiosqlite:///<path> for a file"
            )
        return value

    @model_validator(mode="after")
    def _wildcard_alone(self) -> Settings:
        if "*" in self.monitored_projects and len(self.monitored_projects) > 1:
            raise ValueError('monitored_projects: either "*" or names, not both')
        return self

    @model_validator(mode="after")
    def _channels_that_exist(self) -> Settings:
        names = [*(["slack"] if self.slack_webhook_url is not None else []), *(each.name for each in self.channels)]
        if len(names) != len(set(names)):
            raise ValueError('channels: "slack" is the channel of slack_webhook_url; give yours another name')
        places = [(f"routes[{index}].channels", route.channels) for index, route in enumerate(self.routes)]
        for place, told in [*places, ("default_channels", self.default_channels)]:
            for name in told:
                if name not in names:
                    raise ValueError(f'{place}: there is no channel "{name}"{nearest(name, names)}')
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
    def all_channels(self) -> tuple[Channel, ...]:
        """Every configured channel; `slack_webhook_url` is the one named `slack`."""
        if self.slack_webhook_url is None:
            return self.channels
        from runai_monitor.settings.channels import SlackChannel

        return (SlackChannel(name="slack", webhook_url=self.slack_webhook_url), *self.channels)

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

"""Channels: what each kind needs. The description of a field is what is accepted for it, in words."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from runai_monitor.settings.addresses import LOOPBACK_HOSTS, check_url
from runai_monitor.settings.channel import Channel
from runai_monitor.settings.structure import StructureError, nearest, problems_of, sections, shown

_MAIL = re.compile(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+")


class _AtAddress(Channel):
    """A channel that is an address, and whoever knows it may post."""

    @field_validator("webhook_url", "url", check_fields=False)
    @classmethod
    def _safe_address(cls, value: SecretStr) -> SecretStr:
        return SecretStr(check_url(value.get_secret_value(), what="an https:// address"))


class SlackChannel(_AtAddress):
    """A Slack incoming webhook."""

    kind: Literal["slack"] = "slack"
    webhook_url: SecretStr = Field(description="an https:// address of a Slack incoming webhook")


class SlackBotChannel(Channel):
    """A Slack app with a bot token: a thread per alert."""

    kind: Literal["slack_bot"] = "slack_bot"
    token: SecretStr = Field(description="a bot token (xoxb-…) with the scope chat:write")
    channel: str = Field(min_length=1, description="the id of a Slack channel, such as C0123456789")
    api_url: str = Field(default="https://slack.com/api/", description="the https:// address of Slack's Web API")

    @field_validator("token")
    @classmethod
    def _header_safe(cls, value: SecretStr) -> SecretStr:
        return _one_word(value)

    @field_validator("api_url")
    @classmethod
    def _safe_address(cls, value: str) -> str:
        return check_url(value, what="an https:// address").rstrip("/") + "/"


class EmailChannel(Channel):
    """Mail through an SMTP server."""

    kind: Literal["email"] = "email"
    host: str = Field(min_length=1, description="the name of an SMTP server")
    port: int | None = Field(default=None, ge=1, le=65535, description="a port from 1 to 65535")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="starttls (port 587), tls (port 465), or none (port 25), which takes no password",
    )
    username: str | None = Field(default=None, description="a user name, together with a password")
    password: SecretStr | None = Field(default=None, description="a password, together with a user name")
    sender: str = Field(alias="from", description="an e-mail address")
    to: tuple[str, ...] = Field(min_length=1, description="one e-mail address or a list of them")

    @field_validator("to", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("sender", "to")
    @classmethod
    def _addresses(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if not all(_MAIL.fullmatch(each) for each in ([value] if isinstance(value, str) else value)):
            raise ValueError("an e-mail address")
        return value

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> EmailChannel:
        if (self.username is None) != (self.password is None):
            raise ValueError("has a username or a password alone; give both or none")
        if self.security == "none" and self.password is not None and self.host not in LOOPBACK_HOSTS:
            raise ValueError("would send its password unencrypted; set security to starttls or tls")
        return self


class PagerDutyChannel(Channel):
    """A PagerDuty service through Events API v2."""

    kind: Literal["pagerduty"] = "pagerduty"
    routing_key: SecretStr = Field(description="the integration key of an Events API v2 integration, 32 characters")
    api_url: str = Field(
        default="https://events.pagerduty.com",
        description="https://events.pagerduty.com, or https://events.eu.pagerduty.com for accounts in the EU",
    )

    @field_validator("routing_key")
    @classmethod
    def _key(cls, value: SecretStr) -> SecretStr:
        key = _one_word(value)
        if len(key.get_secret_value()) != 32:
            raise ValueError("32 characters")
        return key

    @field_validator("api_url")
    @classmethod
    def _safe_address(cls, value: str) -> str:
        return check_url(value, what="an https:// address").rstrip("/")


class TeamsChannel(_AtAddress):
    """A Microsoft Teams channel or chat through a workflow."""

    kind: Literal["teams"] = "teams"
    webhook_url: SecretStr = Field(description="the https:// address that a Teams workflow gives for its webhook")


class WebhookChannel(_AtAddress):
    """Anything that takes JSON by POST."""

    kind: Literal["webhook"] = "webhook"
    url: SecretStr = Field(description="an https:// address")
    signing_secret: SecretStr | None = Field(
        default=None, description="whsec_ followed by 24 to 64 random bytes in base64 (openssl rand -base64 32)"
    )

    @field_validator("signing_secret")
    @classmethod
    def _key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            signing_key(value.get_secret_value())
        return value


class AppriseChannel(Channel):
    """Any service that Apprise knows."""

    kind: Literal["apprise"] = "apprise"
    url: SecretStr = Field(description="an Apprise URL, such as ntfys://topic or matrixs://user:password@host/#room")

    @field_validator("url")
    @classmethod
    def _address(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*://\S.*", value.get_secret_value(), re.IGNORECASE):
            raise ValueError("an Apprise URL")
        return value


KINDS: dict[str, type[Channel]] = {
    str(model.model_fields["kind"].default): model
    for model in (
        SlackChannel,
        SlackBotChannel,
        EmailChannel,
        PagerDutyChannel,
        TeamsChannel,
        WebhookChannel,
        AppriseChannel,
    )
}


def channels_of(value: object) -> tuple[Channel, ...]:
    """The channels of a list of sections.

    Raises:
        StructureError: a section is not acceptable, or two have one name; never with a secret.
    """
    found: list[Channel] = []
    problems: list[str] = []
    for path, section in sections(value, what="channels, each with name and kind"):
        try:
            channel = _channel(path, section)
        except StructureError as error:
            problems += error.problems
            continue
        if channel.name in {other.name for other in found}:
            problems.append(f'{path}.name is "{channel.name}" once more; accepted is a name that no other channel has')
        found.append(channel)
    if problems:
        raise StructureError(*problems)
    return tuple(found)


def signing_key(secret: str) -> bytes:
    """The bytes that sign, of a secret in the form of the Standard Webhooks.

    Raises:
        ValueError: it is not in that form, or too short to keep a forger out.
    """
    accepted = "whsec_ followed by 24 to 64 random bytes in base64"
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(accepted) from None
    if not secret.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise ValueError(accepted)
    return key


def _channel(path: str, section: Mapping[str, object]) -> Channel:
    kind = section.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        given = "is not given" if kind is None else f"is {shown(kind)}"
        raise StructureError(f"{path}.kind {given}; accepted is one of {', '.join(KINDS)}{_meant(kind)}")
    try:
        return KINDS[kind].model_validate(dict(section))
    except ValidationError as error:
        raise StructureError(*problems_of(error, KINDS[kind], path, section)) from None


def _meant(kind: object) -> str:
    hint = nearest(kind, KINDS) if isinstance(kind, str) else ""
    return hint if "did you mean" in hint else ""


def _one_word(value: SecretStr) -> SecretStr:
    """A secret that fits into a header: files of secrets end with a newline, and headers have none."""
    word = value.get_secret_value().strip()
    if not word or not all("!" <= character <= "~" for character in word):
        raise ValueError("printable ASCII characters without blanks")
    return SecretStr(word)

"""Channels and routes as people write them, and what they are told of a mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runai_monitor.errors import SettingsError
from runai_monitor.settings import Settings, load_settings
from runai_monitor.settings.channels import KINDS

SECRET = "s3cr3t0123456789abcdef0123456789"
PAGER = {"name": "oncall", "kind": "pagerduty", "routing_key": SECRET}
EXAMPLES = (
    {"name": "team", "kind": "slack", "webhook_url": f"https://hooks.slack.com/services/{SECRET}"},
    {"name": "bot", "kind": "slack_bot", "token": f"xoxb-{SECRET}", "channel": "C0123"},
    {"name": "mail", "kind": "email", "host": "smtp.example.com", "username": "u", "password": SECRET}
    | {"from": "monitor@example.com", "to": "oncall@example.com"},
    PAGER,
    {"name": "teams", "kind": "teams", "webhook_url": f"https://example.com/workflows/{SECRET}"},
    {"name": "hook", "kind": "webhook", "url": f"https://example.com/{SECRET}"}
    | {"signing_secret": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
    {"name": "phone", "kind": "apprise", "url": f"ntfys://{SECRET}@ntfy.example.com/topic"},
)


def load(channels: object = (), routes: object = (), **environ: str) -> Settings:
    variables = {"RUNAI_MONITOR_CHANNELS": json.dumps(channels), "RUNAI_MONITOR_ROUTES": json.dumps(routes)}
    return load_settings(environ=variables | environ, dotenv=None)


def refusal(channels: object = (), routes: object = (), **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(channels, routes, **environ)
    said = str(caught.value)
    assert SECRET not in said
    return said


def test_every_kind_is_accepted_and_shows_no_secret() -> None:
    """Settings are printed by debuggers, and shown by `monitoring_status`."""
    settings = load(EXAMPLES)
    assert {channel.kind for channel in settings.channels} == set(KINDS)
    assert SECRET not in repr(settings)
    assert SECRET not in settings.model_dump_json()


def test_there_may_be_several_of_one_kind() -> None:
    """Each team has its own service to be paged through."""
    settings = load([PAGER, PAGER | {"name": "second"}])
    assert [channel.name for channel in settings.channels] == ["oncall", "second"]


def test_the_old_setting_is_the_channel_named_slack() -> None:
    """Whoever set the webhook years ago keeps the channel, beside new ones."""
    settings = load([PAGER], RUNAI_MONITOR_SLACK_WEBHOOK_URL="https://hooks.slack.com/services/x")
    assert [channel.name for channel in settings.all_channels] == ["slack", "oncall"]
    clash = {"name": "slack", "kind": "apprise", "url": "ntfys://x"}
    assert "slack_webhook_url" in refusal([clash], RUNAI_MONITOR_SLACK_WEBHOOK_URL="https://hooks.slack.com/services/x")


def test_secrets_come_from_variables_that_the_file_names(tmp_path: Path) -> None:
    """The file is in a repository; the secrets are not."""
    file = tmp_path / "workflow.yaml"
    file.write_text(
        'runai_proactive_monitor:\n  channels:\n    - {name: oncall, kind: pagerduty, routing_key: "${PAGER_KEY}"}\n'
        '    - {name: phone, kind: apprise, url: "json://user:${HALF}$$x@example.com"}\n',
        encoding="utf-8",
    )
    (tmp_path / ".env").write_text(f"PAGER_KEY={SECRET}\n", encoding="utf-8")
    settings = load_settings(config=file, environ={"HALF": "word"}, dotenv=tmp_path / ".env")
    pager, phone = settings.channels
    assert pager.routing_key.get_secret_value() == SECRET  # type: ignore[attr-defined]
    assert phone.url.get_secret_value() == "json://user:word$x@example.com"  # type: ignore[attr-defined]
    with pytest.raises(SettingsError, match=r"workflow.yaml: .*channels\[0\].routing_key names the variable PAGER_KEY"):
        load_settings(config=file, environ={"HALF": "word"}, dotenv=None)


@pytest.mark.parametrize(
    ("channel", "said"),
    [
        ({"name": "x", "kind": "pager"}, '[0].kind is "pager"; accepted is one of'),
        ({"name": "x", "kind": "pager"}, "did you mean pagerduty?"),
        ({"name": "x"}, "[0].kind is not given"),
        (PAGER | {"name": "On Call"}, '[0].name is "On Call"; accepted is a name of lower-case letters'),
        (PAGER | {"routng_key": SECRET}, "[0] has an unknown key routng_key; did you mean routing_key?"),
        (PAGER | {"routing_key": SECRET[1:]}, "[0].routing_key is not acceptable; accepted is the integration key"),
        (EXAMPLES[0] | {"webhook_url": f"http://example.com/{SECRET}"}, "[0].webhook_url is not acceptable"),
        (EXAMPLES[1] | {"channel": ""}, "[0].channel is"),
        (EXAMPLES[1] | {"api_url": f"ftp://me:{SECRET}@example.com"}, "[0].api_url is not acceptable"),
        (EXAMPLES[2] | {"to": ["a", "b"]}, "accepted is one e-mail address or a list of them"),
        (EXAMPLES[2] | {"security": "none"}, "would send its password unencrypted"),
        (EXAMPLES[2] | {"port": 0}, "[0].port is 0; accepted is a port from 1 to 65535"),
        (EXAMPLES[5] | {"signing_secret": SECRET}, "accepted is whsec_ followed by"),
        (EXAMPLES[6] | {"url": SECRET}, "[0].url is not acceptable; accepted is an Apprise URL"),
        (EXAMPLES[6] | {"url": "ntfys://${MISSING}"}, "names the variable MISSING, which is not set"),
        (EXAMPLES[6] | {"url": f"ntfys://$ {SECRET}"}, "holds a $ that names no variable"),
        (3, "[0] is no section of keys and values"),
    ],
)
def test_a_mistake_in_a_channel_is_told_by_its_path(channel: object, said: str) -> None:
    """The message alone must be enough to correct it, and holds no secret."""
    assert said in refusal([channel])
    assert "RUNAI_MONITOR_CHANNELS" in refusal([channel])


def test_every_mistake_is_told_at_once_and_a_name_is_given_once() -> None:
    """One round of corrections, not three."""
    said = refusal([PAGER, PAGER, {"name": "x", "kind": "y"}])
    assert '[1].name is "oncall" once more' in said
    assert "[2].kind" in said


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ({"match": {}, "channels": ["oncal"]}, 'routes[0].channels: there is no channel "oncal"; did you mean oncall?'),
        ({"match": {"projekt": "x"}, "channels": []}, "[0].match has an unknown key projekt; did you mean project?"),
        ({"match": {"severity": "high"}, "channels": []}, '[0].match.severity is "high"; accepted is one or a list of'),
        ({"match": {"kind": "x"}, "channels": []}, "workload_unhealthy"),
        ({"match": {"time": {"hours": "9-17"}}, "channels": []}, '[0].match.time.hours is "9-17"; accepted is a span'),
        ({"match": {"time": {"hours": "24:30-25:00", "time_zone": "UTC"}}, "channels": []}, "time.hours"),
        ({"match": {"time": {"days": "x-fri", "time_zone": "UTC"}}, "channels": []}, "time.days"),
        ({"match": {"time": {"time_zone": "Mars/Olympus"}}, "channels": []}, "accepted is an IANA time zone"),
        ({"match": {"time": {}}, "channels": []}, "time.time_zone is not given"),
        ({"match": {}}, "[0].channels is not given"),
        ({"channels": [], "continue": "maybe"}, "[0].continue is"),
    ],
)
def test_a_mistake_in_a_route_is_told_by_its_path(route: object, said: str) -> None:
    """A route with a typo would send alerts elsewhere, or to everybody."""
    assert said in refusal([PAGER], [route])


def test_a_default_that_does_not_exist_is_refused() -> None:
    """It is the last net."""
    assert 'default_channels: there is no channel "pager"' in refusal([PAGER], RUNAI_MONITOR_DEFAULT_CHANNELS="pager")


def test_a_list_that_stands_for_a_billion_values_is_refused(tmp_path: Path) -> None:
    """Ten lines of YAML can do that: reading is cheap, writing them out is not."""
    levels = "".join(f"  - &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    file = tmp_path / "workflow.yaml"
    for value in ("*l11", "&a [*a]"):
        text = f"bomb:\n  - &l0 [x]\n{levels}runai_proactive_monitor:\n  channels: {value}\n"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match="channels"):
            load_settings(config=file, environ={}, dotenv=None)


def test_what_a_kind_needs_is_loaded_only_where_it_is_used() -> None:
    """Every library costs time before the first answer; most people use one channel."""
    program = (
        "import sys, anyio, contextlib\n"
        "from runai_monitor import wiring\n"
        "from runai_monitor.clock import SystemClock\n"
        "from runai_monitor.settings import load_settings\n"
        "from runai_monitor.notify.channels import open_notifiers\n"
        f"settings = load_settings(environ={{'RUNAI_MONITOR_CHANNELS': '''{json.dumps([PAGER])}'''}}, dotenv=None)\n"
        "async def main():\n"
        "    async with contextlib.AsyncExitStack() as stack:\n"
        "        assert list(await open_notifiers(stack, settings, None, SystemClock())) == ['oncall']\n"
        "anyio.run(main)\n"
        "print([name for name in ('apprise', 'aiosmtplib', 'sqlalchemy') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")

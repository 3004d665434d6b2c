"""Where settings come from, and what a person is told when one of them is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from runai_monitor.errors import SettingsError
from runai_monitor.settings import Settings, load_settings, variable_of


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "workflow.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load(config: Path | None = None, **environ: str) -> object:
    return load_settings(config=config, environ=environ, dotenv=None)


def refusal(config: Path | None = None, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(config, **environ)
    return str(caught.value)


def test_precedence_is_command_line_environment_dotenv_yaml_default(tmp_path: Path) -> None:
    """Users put defaults in YAML and override per machine; each source must win over the next."""
    config = write(
        tmp_path,
        "runai_proactive_monitor:\n  poll_interval_seconds: 11\n  log_tail_lines: 22\n  max_alerts_per_job: 5\n"
        "  monitor_only_failed: true\n",
    )
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "RUNAI_MONITOR_LOG_TAIL_LINES=33\nRUNAI_MONITOR_MAX_ALERTS_PER_JOB=6\nOTHER=1\n", encoding="utf-8"
    )
    settings = load_settings(
        config=config,
        environ={"RUNAI_MONITOR_MAX_ALERTS_PER_JOB": "7", "RUNAI_MONITOR_POLL_INTERVAL_SECONDS": "12"},
        dotenv=dotenv,
        overrides={"poll_interval_seconds": 13},
    )
    assert (
        settings.poll_interval_seconds,
        settings.max_alerts_per_job,
        settings.log_tail_lines,
        settings.monitor_only_failed,
        settings.repeat_interval_minutes,
    ) == (13, 7, 33, True, 240)


def test_the_old_workflow_file_is_understood_under_functions_too(tmp_path: Path) -> None:
    """The section of the old guide must work unchanged, beside sections that are not ours."""
    config = write(
        tmp_path,
        "general: {x: 1}\nfunctions:\n  other: {y: 2}\n  runai_proactive_monitor:\n    _type: runai_proactive_monitor\n"
        "    description: text\n    monitored_projects: [ml-team, research]\n    enable_auto_troubleshoot: false\n",
    )
    settings = load_settings(config=config, environ={}, dotenv=None)
    assert settings.monitored_projects == ("ml-team", "research")
    assert settings.enable_auto_troubleshoot is False


@pytest.mark.parametrize("text", ['["a", "b"]', "a, b"])
def test_lists_come_as_json_or_separated_by_commas(text: str) -> None:
    """Shells and JSON client configurations each have their own way."""
    settings = load_settings(environ={"RUNAI_MONITOR_MONITORED_PROJECTS": text}, dotenv=None)
    assert settings.monitored_projects == ("a", "b")


def test_an_unknown_key_names_file_key_and_the_nearest_known_one(tmp_path: Path) -> None:
    """A typo must not silently mean the default."""
    message = refusal(write(tmp_path, "runai_proactive_monitor:\n  pol_interval_seconds: 5\n"))
    assert "workflow.yaml" in message
    assert "pol_interval_seconds" in message
    assert "did you mean poll_interval_seconds?" in message


def test_an_unknown_environment_variable_of_ours_is_refused() -> None:
    """A typo in the environment is as bad as one in the file."""
    message = refusal(RUNAI_MONITOR_SLACK_WEBHOOK="https://hooks.slack.com/services/T/B/secret")
    assert "did you mean RUNAI_MONITOR_SLACK_WEBHOOK_URL?" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("key", "value", "accepted"),
    [
        ("poll_interval_seconds", "0", "a number from 1 to 3600"),
        ("poll_interval_seconds", "soon", "a number from 1 to 3600"),
        ("pending_stuck_minutes", "0", "a number more than 0 and at most 10080"),
        ("log_tail_lines", "1.5", "a whole number from 1 to 10000"),
        ("monitor_only_failed", "si", "true or false"),
        ("existing_failures", "all", "'summary', 'each' or 'ignore'"),
        ("max_alerts_per_job", "0", "a whole number from 1 to 1000"),
        ("monitored_projects", "[]", "at least one project"),
        ("monitored_projects", "[1, 2]", "a list of names"),
        ("monitored_projects", "{a: 1}", "a list of names"),
        ("state_dir", "3", "path"),
    ],
)
def test_an_impossible_value_names_what_was_given_and_what_is_accepted(
    tmp_path: Path, key: str, value: str, accepted: str
) -> None:
    """The message alone must be enough to correct it."""
    message = refusal(write(tmp_path, f"runai_proactive_monitor:\n  {key}: {value}\n"))
    assert message.count(key) == 1
    assert accepted in message


def test_a_bad_variable_is_named_as_the_user_wrote_it() -> None:
    """People look for the variable, not for our field."""
    assert "RUNAI_BASE_URL" in refusal(RUNAI_BASE_URL="http://acme.run.ai")
    assert "RUNAI_ALLOW_WRITE_TOOLS" in refusal(RUNAI_ALLOW_WRITE_TOOLS="maybe")


def test_a_secret_never_appears_in_a_message_or_in_print() -> None:
    """Start-up errors end up in chat windows."""
    webhook = "http://hooks.slack.com/services/T0/B0/s3cret"
    assert "s3cret" not in refusal(RUNAI_MONITOR_SLACK_WEBHOOK_URL=webhook)
    settings = load(None, RUNAI_CLIENT_SECRET="s3cret", RUNAI_MONITOR_AUTH_TOKEN="s3cret")
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize("text", ["a: [1", "just text", "other: {}\n", "runai_proactive_monitor: 3\n"])
def test_a_file_that_is_no_configuration_is_refused_by_name(tmp_path: Path, text: str) -> None:
    """Pointing at the wrong file is the commonest mistake of all."""
    assert "workflow.yaml" in refusal(write(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path that does not exist must not mean the defaults."""
    assert "nowhere.yaml" in refusal(tmp_path / "nowhere.yaml")


def test_missing_credentials_are_all_named() -> None:
    """One round of corrections, not three."""
    settings = load_settings(environ={"RUNAI_BASE_URL": "https://acme.run.ai/"}, dotenv=None)
    with pytest.raises(SettingsError) as caught:
        settings.require_credentials()
    assert "RUNAI_CLIENT_ID and RUNAI_CLIENT_SECRET are not set" in str(caught.value)
    assert "serve --demo" in str(caught.value)


def test_every_number_says_its_range() -> None:
    """A new setting without limits would accept the absurd and could not say what it accepts."""
    for field, info in Settings.model_fields.items():
        if info.annotation in {int, float}:
            assert "accepted is a" in refusal(None, **{variable_of(field): "-1e99"}), field


def test_an_empty_variable_counts_as_not_set() -> None:
    """Desktop configurations are pasted with empty values: an empty KUBECONFIG must not mean a file without a name."""
    settings = load_settings(environ={"KUBECONFIG": "", "RUNAI_MONITOR_SLACK_WEBHOOK_URL": ""}, dotenv=None)
    assert (settings.kubeconfig, settings.slack_webhook_url) == (None, None)


def test_an_empty_limit_is_no_missing_limit(tmp_path: Path) -> None:
    """A variable that a deployment forgot to fill in must not open every project."""
    with pytest.raises(SettingsError, match=r"RUNAI_MONITOR_MONITORED_PROJECTS is empty; accepted is"):
        load_settings(environ={"RUNAI_MONITOR_MONITORED_PROJECTS": " "}, dotenv=None)
    file = tmp_path / "workflow.yaml"
    file.write_text("runai_proactive_monitor:\n  monitored_projects:\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="monitored_projects is empty"):
        load_settings(config=file, environ={}, dotenv=None)


@pytest.mark.parametrize("token", ['""', '"   "', '"to ken"', '"tökén"'])
def test_a_token_that_keeps_nobody_out_or_nobody_can_send_is_refused(tmp_path: Path, token: str) -> None:
    """With an empty one the server would be open to other machines while it looks protected."""
    said = refusal(write(tmp_path, f"runai_proactive_monitor:\n  auth_token: {token}\n"))
    assert "auth_token" in said
    assert "ken" not in said.replace("token", "")


def test_a_token_from_a_file_loses_the_newline_of_the_file() -> None:
    """Secrets are mounted as files and read by shells; no header can hold what is after the last character."""
    settings = load_settings(environ={"RUNAI_MONITOR_AUTH_TOKEN": "t0ken\n"}, dotenv=None)
    assert settings.auth_token is not None
    assert settings.auth_token.get_secret_value() == "t0ken"


@pytest.mark.parametrize(
    "section",
    [
        "description: 2024-13-45",
        f"description: {'[' * 3000}{']' * 3000}",
        "monitored_projects: &a [*a]",
        "log_tail_lines: &a {b: [*a]}",
        "runai_base_url: https://[::1",
        "slack_webhook_url: https://[hooks.example",
        'state_dir: "a\\0b"',
    ],
    ids=["date", "depth", "cycle", "deep cycle", "address", "secret address", "NUL"],
)
def test_yaml_that_is_legal_and_makes_no_sense_is_refused_in_a_sentence(tmp_path: Path, section: str) -> None:
    """A typo in a date, a bracket too many: each was a traceback once."""
    said = refusal(write(tmp_path, f"runai_proactive_monitor:\n  {section}\n"))
    assert "workflow.yaml" in said
    assert "Invalid IPv6" not in said
    assert len(said) < 600


def test_aliases_of_aliases_are_refused_without_being_written_out(tmp_path: Path) -> None:
    """Ten lines of YAML can stand for a billion values: reading is cheap, showing them is not."""
    levels = "".join(f"  - &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    text = f"bomb:\n  - &l0 [x]\n{levels}runai_proactive_monitor:\n  monitored_projects: *l11\n"
    assert "monitored_projects" in refusal(write(tmp_path, text))


def test_a_dotenv_that_is_no_text_is_refused_without_quoting_it(tmp_path: Path) -> None:
    """Saved by an editor of another age; the file holds secrets."""
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"RUNAI_CLIENT_SECRET=s3cr\xe9t\n")
    with pytest.raises(SettingsError, match="not UTF-8") as caught:
        load_settings(environ={}, dotenv=dotenv)
    assert "s3cr" not in str(caught.value)


def test_a_tilde_in_the_state_folder_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No shell reads a YAML file; a folder called `~` below wherever the server was started would be new each time."""
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load_settings(environ={"RUNAI_MONITOR_STATE_DIR": "~/state"}, dotenv=None)
    assert settings.state_dir == tmp_path / "state"


@pytest.mark.parametrize("address", ["https://me:s3cret@acme.run.ai", "https://acme.run.ai?token=s3cret"])
def test_an_address_that_holds_a_secret_is_refused_without_showing_it(address: str) -> None:
    """The address of the control plane is shown by `check` and by `monitoring_status`."""
    said = refusal(RUNAI_BASE_URL=address)
    assert "RUNAI_BASE_URL" in said
    assert "s3cret" not in said

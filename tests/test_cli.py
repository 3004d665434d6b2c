"""The command line: exit codes, and what a person is told; never a traceback for a mistake of theirs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest
from click.testing import CliRunner, Result

from runai_monitor import __version__
from runai_monitor.cli import main
from runai_monitor.model.alert import Change
from runai_monitor.model.diagnosis import Cause, Diagnosis, Verdict
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import open_database
from runai_monitor.store.deliveries import DeliveryStore
from tests.factories import make_transition
from tests.fakes import EPOCH

Run = Callable[..., Result]

CREDENTIALS = {
    "RUNAI_BASE_URL": "https://acme.run.ai",
    "RUNAI_CLIENT_ID": "id-1",
    "RUNAI_CLIENT_SECRET": "s3cret-of-acme",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs the command in an empty folder with no variables but those given; logging is as before afterwards."""
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def command(*arguments: str, **environ: str) -> Result:
        environment = {"RUNAI_MONITOR_STATE_DIR": str(tmp_path / "state"), "COLUMNS": "80", **environ}
        result = CliRunner(env=environment).invoke(main, list(arguments), prog_name="runai-monitor")
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    yield command
    root.handlers[:] = handlers
    root.setLevel(level)


# --- help and usage ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [(), *((name,) for name in sorted(main.commands))])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_is_everywhere(run: Run, command: tuple[str, ...], option: str) -> None:
    """Whoever is lost asks for help, at whatever depth."""
    result = run(*command, option)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: {' '.join(('runai-monitor', *command))}")


def test_the_list_of_commands_says_what_each_does_in_whole_sentences(run: Run) -> None:
    """A sentence cut off in the middle is the first thing a stranger sees."""
    lines = run("--help").stdout.split("Commands:\n")[1].splitlines()
    assert len(lines) == len(main.commands)
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


def test_the_version_is_told(run: Run) -> None:
    """The first question of every bug report."""
    assert __version__ in run("--version").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("serve", "--port", "99999"),
        ("serve", "--transport", "pigeon"),
        ("serve", "--transport", "http", "--channel"),
        ("demo", "--seconds", "1"),
        ("alerts", "--state", "broken"),
        ("alerts", "--limit", "0"),
        ("alerts", "--since", "yesterday"),
    ],
)
def test_a_wrong_use_exits_with_2_and_says_what_is_accepted(run: Run, arguments: tuple[str, ...]) -> None:
    """Scripts tell a mistake of theirs from a failure by the exit code."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.strip()


# --- configuration ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("serve",), ("serve", "--transport", "http"), ("check",)])
def test_missing_credentials_exit_with_2_and_are_all_named(run: Run, command: tuple[str, ...]) -> None:
    """One round of corrections, not three; and a way on for who has none."""
    result = run(*command, RUNAI_CLIENT_ID="id-1")
    assert result.exit_code == 2
    assert "RUNAI_BASE_URL and RUNAI_CLIENT_SECRET are not set" in result.stderr
    assert "serve --demo" in result.stderr


@pytest.mark.parametrize("command", ["serve", "check", "alerts"])
@pytest.mark.parametrize(
    ("yaml", "told"),
    [
        ("poll_intervall_seconds: 5", ["poll_intervall_seconds", "did you mean poll_interval_seconds?"]),
        ("poll_interval_seconds: 0", ["poll_interval_seconds", "is 0;", "from 1 to 3600"]),
        ("max_alerts_per_job: often", ["max_alerts_per_job", '"often"', "a whole number from 1 to 1000"]),
        ("existing_failures: all", ["existing_failures", '"all"', "'summary', 'each' or 'ignore'"]),
        ("monitored_projects: []", ["monitored_projects", "at least one project"]),
        ("slack_webhook_url: http://hooks.example.com/T/B/s3cret", ["slack_webhook_url", "https://"]),
    ],
)
def test_a_bad_yaml_names_file_key_what_was_given_and_what_is_accepted(
    run: Run, tmp_path: Path, command: str, yaml: str, told: list[str]
) -> None:
    """The message alone must be enough to correct it; a secret is never part of it."""
    config = tmp_path / "workflow.yaml"
    config.write_text(f"runai_proactive_monitor:\n  {yaml}\n", encoding="utf-8")
    result = run(command, "--config", str(config), **CREDENTIALS)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    for text in ("workflow.yaml", *told):
        assert text in result.stderr
    assert "s3cret" not in result.stderr


def test_a_bad_variable_exits_with_2(run: Run) -> None:
    """A typo in the environment must not silently mean the default."""
    result = run("alerts", RUNAI_MONITOR_POLL_INTERVAL_SECOND="5")
    assert result.exit_code == 2
    assert "did you mean RUNAI_MONITOR_POLL_INTERVAL_SECONDS?" in result.stderr
    assert run("alerts", RUNAI_MONITOR_CONFIG="/nowhere.yaml").exit_code == 2


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "monitor.example.com"])
@pytest.mark.parametrize("transport", ["http", "sse", "streamable-http"])
def test_serving_other_machines_without_a_token_exits_with_2(run: Run, host: str, transport: str) -> None:
    """Alerts and tools for whoever finds the port: never by accident."""
    result = run("serve", "--transport", transport, "--host", host, **CREDENTIALS)
    assert result.exit_code == 2
    assert "RUNAI_MONITOR_AUTH_TOKEN" in result.stderr


# --- alerts -----------------------------------------------------------------------------------------------------


def store_alerts(state_dir: Path) -> None:
    """Three alerts: one told and diagnosed, one resolved, one whose name is an attack on the terminal."""

    async def store() -> None:
        database = await open_database(state_dir=state_dir)
        diagnosis = Diagnosis(
            verdict=Verdict.FAILURE,
            confidence=0.97,
            generated_at=EPOCH,
            causes=(Cause(cause="container_oom", title="out of memory", confidence=0.97, explanation="…"),),
        )
        try:
            alerts = AlertStore(database)
            step = "raise the memory limit, or make the job use less of it: a smaller batch, fewer loader workers"
            told = make_transition("llama-sft", diagnosis=diagnosis, recommendations=(step,))
            await alerts.apply([told], channels=["slack"])
            await alerts.apply([make_transition("eval", project="research")], channels=[])
            await alerts.apply(
                [make_transition("eval", project="research", change=Change.RESOLVED, notify=False)], channels=[]
            )
            await alerts.apply([make_transition("evil\x1b]0;pwned\x07\nname", project="research")], channels=[])
        finally:
            await database.aclose()

    anyio.run(store)


def give_up(state_dir: Path) -> int:
    """One message that a channel refused; its number."""

    async def store() -> int:
        database = await open_database(state_dir=state_dir)
        try:
            await AlertStore(database).apply([make_transition("train")], channels=["slack"])
            deliveries = DeliveryStore(database)
            (number,) = await deliveries.due("slack", owner="me", now=EPOCH)
            await deliveries.record_failed([number], error="Slack refuses this webhook (404)", at=EPOCH)
            return number
        finally:
            await database.aclose()

    return anyio.run(store)


def test_what_a_channel_refused_is_listed_and_replayed_by_number(run: Run, tmp_path: Path) -> None:
    """The command beside the running server: the shell it runs in need not know the webhook."""
    assert "No stored delivery" in run("deliveries").stdout
    number = give_up(tmp_path / "state")
    listed = run("deliveries", "--failed").stdout
    for part in ("failed", "slack: OOMKilled opened", "ml-team/train", "Slack refuses this webhook", "--replay all"):
        assert part in listed
    (row,) = json.loads(run("deliveries", "--json").stdout)
    assert (row["delivery_id"], row["state"], row["last_error"]) == (
        number,
        "failed",
        "Slack refuses this webhook (404)",
    )
    assert "1 delivery will be told again" in run("deliveries", "--replay", str(number)).stdout
    assert "No stored delivery" in run("deliveries", "--failed").stdout
    again, old = json.loads(run("deliveries", "--json").stdout)
    assert (old["state"], old["told_by"]) == ("grouped", again["delivery_id"])
    assert again["state"] == "pending"
    assert "replay of delivery" in again["note"]


@pytest.mark.parametrize(("which", "exit_code"), [("7", 2), ("some", 2), ("all", 0)])
def test_a_replay_of_nothing_says_so(run: Run, tmp_path: Path, which: str, exit_code: int) -> None:
    """A number that does not exist is a mistake; that nothing was given up is good news."""
    store_alerts(tmp_path / "state")
    result = run("deliveries", "--replay", which)
    assert result.exit_code == exit_code
    assert result.output.strip()


def test_without_alerts_it_says_so(run: Run) -> None:
    """An empty screen looks like a failure."""
    result = run("alerts")
    assert (result.exit_code, result.stdout) == (0, "No stored alert matches.\n")
    assert json.loads(run("alerts", "--json").stdout) == []


def test_an_alert_shows_status_job_cause_and_next_step_within_80_columns(run: Run, tmp_path: Path) -> None:
    """Read at 3 a.m. on a laptop beside the bed."""
    store_alerts(tmp_path / "state")
    result = run("alerts", "--project", "ml-team")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["firing", "OOMKilled", "ml-team/llama-sft"]
    assert lines[1].strip() == "container_oom (97% sure)"
    assert lines[2].strip().startswith("→ raise the memory limit")
    assert any("2026-03-01 03:00:00 UTC · told once · al-" in line for line in lines)
    assert all(len(line) <= 80 for line in lines)


def test_filters_narrow_what_is_read(run: Run, tmp_path: Path) -> None:
    """Project, state, age and number, alone and together."""
    store_alerts(tmp_path / "state")

    def names(*filters: str) -> list[str]:
        result = run("alerts", "--json", *filters)
        assert result.exit_code == 0
        return [alert["workload"]["name"][:4] for alert in json.loads(result.stdout)]

    assert names() == ["evil", "eval", "llam"], "newest first"
    assert names("--project", "research") == ["evil", "eval"]
    assert names("--state", "resolved") == ["eval"]
    assert names("--limit", "1") == ["evil"]
    assert names("--since", "2026-02-28", "--state", "firing") == ["evil", "llam"]
    assert names("--since", "2026-03-02T00:00:00Z") == []
    assert names("--project", "nobody") == []


def test_cluster_text_cannot_command_the_terminal(run: Run, tmp_path: Path) -> None:
    """A job's name is chosen by whoever submits it."""
    store_alerts(tmp_path / "state")
    result = run("alerts", "--project", "research")
    assert "\x1b" not in result.stdout
    assert "\x07" not in result.stdout
    assert "evil ]0;pwned name" in result.stdout


def test_a_project_outside_the_limit_is_refused(run: Run) -> None:
    """`monitored_projects` holds for the command line too."""
    result = run("alerts", "--project", "secret-project", RUNAI_MONITOR_MONITORED_PROJECTS="vision")
    assert result.exit_code == 2
    assert "monitored_projects" in result.stderr


def test_looking_into_a_folder_where_nothing_was_stored_says_so_and_creates_nothing(run: Run, tmp_path: Path) -> None:
    """A mistyped folder would read as a quiet night."""
    result = run("alerts", RUNAI_MONITOR_STATE_DIR=str(tmp_path / "typo"))
    assert result.exit_code == 0
    assert "nothing was ever stored" in result.stderr
    assert not (tmp_path / "typo").exists()


def test_a_state_that_cannot_be_read_exits_with_1_and_says_what_to_do(run: Run, tmp_path: Path) -> None:
    """The mistake is not in the command."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run("alerts", RUNAI_MONITOR_STATE_DIR=str(tmp_path / "file" / "state"))
    assert result.exit_code == 1
    assert "RUNAI_MONITOR_STATE_DIR" in result.stderr


def test_a_fallback_that_is_no_channel_is_refused_before_the_server_starts(run: Run) -> None:
    """It would be found out on the night when it is needed."""
    result = run("serve", RUNAI_MONITOR_FALLBACK_CHANNEL="pager", **CREDENTIALS)
    assert result.exit_code == 2
    assert "RUNAI_MONITOR_FALLBACK_CHANNEL) is 'pager', and configured are: no channels" in result.stderr


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("RUNAI_MONITOR_FALLBACK_CHANNEL", "pager", "leave it out"),
        ("RUNAI_MONITOR_DEFAULT_CHANNELS", "pager", 'no channel "pager"'),
        ("RUNAI_MONITOR_ROUTES", '[{"channels": ["pager"]}]', 'no channel "pager"'),
        ("RUNAI_MONITOR_CHANNELS", '[{"name": "pager", "kind": "pigeon"}]', "accepted is one of slack"),
        ("RUNAI_MONITOR_SLACK_WEBHOOK_URL", "hooks.slack.com/services/x", "an https:// address"),
    ],
)
def test_the_demo_refuses_what_the_real_thing_would_refuse(run: Run, variable: str, value: str, told: str) -> None:
    """It sends nothing there, but it is where a configuration is tried first: what starts must not mean "ignored"."""
    result = run("serve", "--demo", **{variable: value})
    assert result.exit_code == 2
    assert told in result.stderr

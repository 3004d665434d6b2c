"""`runai-monitor demo`: a tenant that breaks, a real MCP client, a real Slack receiver, and an honest summary.

The server under show is the real one, started as a desktop client starts it: `serve` over stdio in a process of its
own, with nothing but environment variables. What is printed is what arrived, when it arrived.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import anyio
from mcp import StdioServerParameters, stdio_client
from mcp.client import Client
from rich.markup import escape
from rich.table import Table

from runai_monitor.clock import SystemClock
from runai_monitor.demo.embedded import monitor_environment
from runai_monitor.demo.tenant import run_tenant

if TYPE_CHECKING:
    from mcp_types import LoggingMessageNotificationParams
    from rich.console import Console

    from runai_monitor.demo.scenarios import Scenario
    from runai_monitor.demo.tenant import Tenant

ALERTS_LOGGER = "runai_monitor.alerts"
_STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


@dataclass(kw_only=True)
class Seen:
    """What arrived about one workload, in seconds since the show began."""

    statuses: set[str] = field(default_factory=set)
    causes: set[str] = field(default_factory=set)
    pushed_at: float | None = None
    slack_at: float | None = None
    slack_count: int = 0
    resolved_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One story of the show, judged."""

    scenario: Scenario
    seen: Seen
    problem: str

    @property
    def good(self) -> bool:
        """Whether everything that should have happened did, and nothing else."""
        return not self.problem


class Show:
    """Collects what arrives at the MCP client and at the Slack receiver, and prints it as it arrives."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.names: tuple[str, ...] = ()
        self._began = time.monotonic()
        self.seen: dict[str, Seen] = {}

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the show began."""
        return time.monotonic() - self._began

    def begin(self) -> None:
        """Sets the instant that all times are counted from."""
        self._began = time.monotonic()

    async def on_push(self, params: LoggingMessageNotificationParams) -> None:
        """An alert pushed by the server over MCP."""
        alert = params.data
        if params.logger != ALERTS_LOGGER or not isinstance(alert, dict):
            return
        workload = alert.get("workload") or {}
        name = str(workload.get("name") or alert.get("kind"))
        job = f"{workload['project']}/{name}" if workload.get("project") else name
        seen = self.seen.setdefault(name, Seen())
        status = str(alert.get("status"))
        if not alert.get("diagnosis") and not alert.get("notifications"):
            seen.pushed_at = seen.pushed_at or self.elapsed_seconds
            return  # pushed at once, for agents; a person reads it a moment later, with its diagnosis
        causes = (alert.get("diagnosis") or {}).get("causes") or []
        if causes:
            seen.causes.add(str(causes[0].get("cause")))
        if alert.get("state") == "resolved":
            seen.resolved_at = self.elapsed_seconds
            self._say("MCP", f"[green]resolved[/]  {escape(job)}")
            return
        styled = f"[{_STYLES.get(str(alert.get('severity')), 'white')}]{escape(status)}[/]  {escape(job)}"
        if status in seen.statuses:
            news = "has failed" if "the workload has failed" in str(alert.get("summary")) else "goes on"
            self._say("MCP", f"[dim]{escape(status)}  {escape(job)}  {news}[/]")
            return
        seen.statuses.add(status)
        seen.pushed_at = seen.pushed_at or self.elapsed_seconds
        self._say("MCP", styled, _explained(causes) or str(alert.get("summary") or ""))

    def on_slack(self, text: str) -> None:
        """A message that reached the Slack receiver."""
        name = next((known for known in sorted(self.names, key=len, reverse=True) if known in text), text)
        seen = self.seen.setdefault(name, Seen())
        if not text.startswith("🟢"):
            seen.slack_at = seen.slack_at or self.elapsed_seconds
            seen.slack_count += 1
        self._say("Slack", escape(text))

    def _say(self, door: str, what: str, why: str = "") -> None:
        """One entry: a line of what arrived where, and one of why, each cut to the width of the terminal."""
        self._line(f"[dim]{self.elapsed_seconds:5.1f} s[/]  [bold]{door:<5}[/]  {what}")
        if why:
            self._line(f"{'':16}[dim]{escape(why)}[/]")

    def _line(self, text: str) -> None:
        self._console.print(text, highlight=False, no_wrap=True, overflow="ellipsis")


def _explained(causes: list[dict[str, Any]]) -> str:
    """The likeliest cause, how sure, and the first thing to do."""
    if not causes:
        return ""
    steps = causes[0].get("next_steps") or []
    sure = f"{causes[0].get('cause')} {float(causes[0].get('confidence') or 0):.0%}"
    return f"{sure} → {steps[0]}" if steps else sure


async def run_showcase(
    *, seconds: float, seed: int, console: Console, scenarios: tuple[Scenario, ...] | None = None
) -> bool:
    """Runs the show for `seconds` at most and prints its summary; `scenarios` are other stories than the usual ones.

    Returns:
        Whether every scripted failure was detected, diagnosed and delivered, and every silent story stayed silent.
    """
    show = Show(console)
    console.print("[bold]runai-monitor demo[/]: a simulated tenant, a real MCP client and Slack receiver")
    with tempfile.TemporaryDirectory(prefix="runai-monitor-demo-") as folder:
        state_dir = Path(folder)
        log = state_dir / "server.log"
        async with run_tenant(clock=SystemClock(), seed=seed, scenarios=scenarios) as tenant:
            show.names = tuple(scenario.workload_name for scenario in tenant.scenarios)
            console.print(
                f"[dim]tenant: {tenant.world.workload_count} workloads in {len(tenant.world.projects)} projects; "
                f"{sum(not s.silent for s in tenant.scenarios)} will fail, "
                f"{sum(s.silent for s in tenant.scenarios)} only look like it[/]"
            )
            with log.open("w", encoding="utf-8") as errlog:
                await _play(tenant, state_dir=state_dir, errlog=errlog, seconds=seconds, show=show)
            outcomes = [judge(scenario, show.seen.get(scenario.workload_name, Seen())) for scenario in tenant.scenarios]
        good = all(outcome.good for outcome in outcomes)
        if not good:
            console.print(f"[dim]{escape(log.read_text(encoding='utf-8')[-2000:])}[/]")
    _print_summary(console, outcomes, elapsed_seconds=show.elapsed_seconds)
    return good


async def _play(tenant: Tenant, *, state_dir: Path, errlog: IO[str], seconds: float, show: Show) -> None:
    """Starts the server as a client would, begins the stories, and listens until all is told or the time is up."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "runai_monitor", "serve", "--transport", "stdio"],
        env=monitor_environment(tenant, state_dir=state_dir, slack=True),
        cwd=str(state_dir),
    )
    transport = stdio_client(server, errlog=errlog)  # type: ignore[arg-type]  # a text file is what it writes to
    async with (
        Client(transport, mode="legacy", logging_callback=show.on_push) as client,
        anyio.create_task_group() as tasks,
    ):
        result = await client.call_tool("start_monitoring", {"poll_interval_seconds": 1})
        if result.is_error:
            raise RuntimeError(f"start_monitoring failed: {result.content}")
        await _first_look(client)
        show.begin()
        tenant.begin()
        tasks.start_soon(_listen_to_slack, tenant, show)
        with anyio.move_on_after(seconds):
            while not _all_told(tenant, show):  # noqa: ASYNC110  # two doors feed the show; looking is simpler than two events
                await anyio.sleep(0.25)
            # The silent stories deserve the chance to be wrong.
            await anyio.sleep(min(3.0, seconds / 10))
        tasks.cancel_scope.cancel()


async def _first_look(client: Client) -> None:
    """Waits until the monitor has looked at the whole tenant once, so that what fails next is news to it."""
    with anyio.move_on_after(15):
        while True:
            status: Any = (await client.call_tool("monitoring_status")).structured_content or {}
            if status.get("baseline_complete"):
                return
            await anyio.sleep(0.2)


async def _listen_to_slack(tenant: Tenant, show: Show) -> None:
    async for message in tenant.slack.stream():
        show.on_slack(str(message.get("text", "")))


def _all_told(tenant: Tenant, show: Show) -> bool:
    loud = [scenario for scenario in tenant.scenarios if not scenario.silent]
    return all(judge(scenario, show.seen.get(scenario.workload_name, Seen())).good for scenario in loud)


def judge(scenario: Scenario, seen: Seen) -> Outcome:
    """Compares what arrived with what the script says."""
    return Outcome(scenario=scenario, seen=seen, problem=_problem(scenario, seen))


def _problem(scenario: Scenario, seen: Seen) -> str:
    if scenario.silent:
        return "should have stayed silent" if seen.pushed_at is not None or seen.slack_count else ""
    if seen.pushed_at is None:
        return "did not reach the MCP client"
    if not seen.statuses & scenario.expected_statuses:
        return f"reported as {', '.join(sorted(seen.statuses))}"
    if not seen.causes & scenario.expected_causes:
        return f"diagnosed as {', '.join(sorted(seen.causes)) or 'nothing'}"
    if seen.slack_count != 1:
        return f"reached Slack {seen.slack_count} times"
    if scenario.resolves and seen.resolved_at is None:
        return "was not resolved"
    return ""


def _print_summary(console: Console, outcomes: list[Outcome], *, elapsed_seconds: float) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "Job", "Cause", "MCP", "Slack"):
        table.add_column(heading, justify="right" if heading in {"MCP", "Slack"} else "left")
    for outcome in sorted(outcomes, key=lambda outcome: (outcome.scenario.silent, outcome.seen.pushed_at or 0)):
        table.add_row(*_summary_row(outcome))
    console.print()
    console.print(table)
    loud = [outcome for outcome in outcomes if not outcome.scenario.silent]
    silent = [outcome for outcome in outcomes if outcome.scenario.silent]
    console.print(
        f"\n[bold]{sum(o.good for o in loud)} of {len(loud)}[/] failures detected, diagnosed and delivered"
        f" in {elapsed_seconds:.0f} s;\n"
        f"[bold]{sum(o.good for o in silent)} of {len(silent)}[/] harmless stories left alone.",
        highlight=False,
    )


def _summary_row(outcome: Outcome) -> tuple[str, ...]:
    seen, job = outcome.seen, escape(outcome.scenario.workload_name)
    times = (_instant(seen.pushed_at), _instant(seen.slack_at))
    if not outcome.good:
        return ("[red]✗[/]", job, f"[red]{escape(outcome.problem)}[/]", *times)
    if outcome.scenario.silent:
        return ("[green]✓[/]", job, "[dim]silent, as it should be[/]", "", "")
    causes = escape(", ".join(sorted(seen.causes)))
    return ("[green]✓[/]", job, causes + (" (resolved)" if outcome.scenario.resolves else ""), *times)


def _instant(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"

"""The command line: parses, calls, prints. No traceback reaches a user for a mistake of theirs.

Heavy imports stay inside the commands: `--help` and `serve`'s first answer do not wait for what they do not need.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runai_monitor import __version__
from runai_monitor.answers import acknowledge, audit, deliveries, silence
from runai_monitor.command_line import (
    EXIT_FAILED,
    config_option,
    execute,
    json_option,
    or_exit,
    printing,
    settings_of,
    start_logging,
)

if TYPE_CHECKING:
    from runai_monitor.settings import Settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="runai-monitor")
def main() -> None:
    """Watches NVIDIA Run:ai workloads, says why they fail, and tells people and AI agents at once."""
    _open_standard_streams()


@main.command()
@click.option(
    "--transport",
    type=click.Choice(["stdio", "http", "streamable-http", "sse"]),
    default="stdio",
    show_default=True,
    help="stdio for desktop clients; http and sse start the same HTTP process with /mcp and /sse.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Beyond loopback, an auth token is required.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True)
@config_option
@click.option("--demo", is_flag=True, help="Monitor the built-in simulated tenant: needs no credentials.")
@click.option("--channel", is_flag=True, help="stdio only: also push Claude Code channel events.")
def serve(transport: str, host: str, port: int, config: Path | None, demo: bool, channel: bool) -> None:
    """Run the MCP server until it is stopped."""
    if channel and transport != "stdio":
        raise click.UsageError("--channel works with --transport stdio only")
    # While libraries load nothing becomes garbage, and looking for it costs a seventh of the time to the first answer.
    # `Application.run` switches the collector on again.
    gc.disable()

    async def run(settings: Settings) -> None:
        from runai_monitor import serving

        if transport == "stdio":
            await serving.serve_stdio(settings, channel=channel, simulated=demo)
        else:
            await serving.serve_http(settings, host=host, port=port, simulated=demo)

    async def run_demo(settings: Settings) -> None:
        from runai_monitor.demo.embedded import embedded_tenant

        async with embedded_tenant(settings) as demo_settings:
            await run(demo_settings)

    settings = settings_of(config)
    start_logging(settings)
    if not demo:
        or_exit(settings.require_credentials)
    # In the demo too, though it sends nothing there: like any other wrong setting, for it is where one is tried first.
    or_exit(lambda: _require_fallback(settings))
    if transport != "stdio":
        from runai_monitor import serving

        or_exit(lambda: serving.check_exposure(settings, host=host))
    # A server has no other end than being stopped.
    execute(run_demo if demo else run, settings, interrupted=0)


@main.command()
@click.option("--seconds", type=click.FloatRange(5, 600), default=45, show_default=True, help="How long it lasts.")
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed tells the same story.")
def demo(seconds: float, seed: int) -> None:
    """Watch a simulated tenant break.

    Every failure arrives, diagnosed, in a real MCP client and a real Slack receiver. The exit code is 0 only if all
    of them did.
    """
    import anyio
    from rich.console import Console

    from runai_monitor.demo.showcase import run_showcase

    try:
        complete = anyio.run(lambda: run_showcase(seconds=seconds, seed=seed, console=Console()))
    except KeyboardInterrupt:
        complete = False
    sys.exit(0 if complete else EXIT_FAILED)


@main.command()
@config_option
@json_option
@click.option("--send-test", is_flag=True, help="Also send a test message through each channel.")
def check(config: Path | None, as_json: bool, send_test: bool) -> None:
    """Prove the set-up before you trust it.

    Tries credentials, permissions, channels and storage, and says of each failure what to do.
    """
    settings = settings_of(config)
    if settings.log_level != "DEBUG":
        # What is tried again on the way to a result is noise between results.
        settings = settings.model_copy(update={"log_level": "ERROR"})
    start_logging(settings)

    async def run(settings: Settings) -> None:
        from runai_monitor import checks, screens

        show = None if as_json else screens.print_check
        results = await checks.check_setup(settings, send_test=send_test, on_result=show)
        if as_json:
            screens.print_checks_json(results)
        else:
            screens.print_verdict(results)
        if any(result.failed for result in results):
            raise SystemExit(EXIT_FAILED)

    execute(run, settings)


@main.command()
@config_option
@click.option("--project", help="Only this project.")
@click.option("--state", type=click.Choice(["firing", "acknowledged", "resolved"]), help="Only alerts in this state.")
@click.option("--since", help="Only alerts changed since: an ISO time, or an age such as 24h, 30m or 7d.")
@click.option("--until", help="Only alerts not changed after: the same.")
@click.option("--status", help="Only this status, such as OOMKilled.")
@click.option("--cause", help="Only this first cause, such as container_oom.")
@click.option("--severity", type=click.Choice(["info", "warning", "critical"]), help="Only this severity.")
@click.option("--kind", help="Only this kind, such as workload_unhealthy.")
@click.option("--workload", help="Only the workload of this name or UUID.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@click.option("--all", "everything", is_flag=True, help="However many; --limit does not count.")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, for spreadsheets.")
def alerts(
    config: Path | None, limit: int, *, everything: bool, as_json: bool, as_csv: bool, **filters: str | None
) -> None:
    """Read the stored alerts, newest first."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    settings = settings_of(config)
    start_logging(settings)

    async def run(settings: Settings) -> None:
        from runai_monitor import records, screens

        asked = records.AskedAlerts.of(**filters)
        async with records.alerts(settings, asked, limit=None if everything else limit) as found:
            with printing():
                show = screens.alert_printer(as_json=as_json, as_csv=as_csv)
                async for alert in found:
                    show.alert(alert)
                show.end()

    execute(run, settings)


main.add_command(acknowledge)
main.add_command(silence)
main.add_command(audit)
main.add_command(deliveries)


def _require_fallback(settings: Settings) -> None:
    from runai_monitor import wiring

    wiring.fallback_channel(settings)


def _open_standard_streams() -> None:
    """Gives a standard stream that was closed by whoever started us a place to go.

    Otherwise its number goes to the next file that is opened, such as the database: it would be read and written as
    if it were the stream.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one

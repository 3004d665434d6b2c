"""The command line: parses, calls, prints. No traceback reaches a user for a mistake of theirs.

Heavy imports stay inside the commands: `--help` and `serve`'s first answer do not wait for what they do not need.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from runai_monitor import __version__
from runai_monitor.errors import InputError, MonitorError, RefusedError, SettingsError

if TYPE_CHECKING:
    from runai_monitor.settings import Settings

T = TypeVar("T")

EXIT_FAILED = 1
EXIT_BAD_CONFIGURATION = 2
EXIT_INTERRUPTED = 130
"""As shells have it; a check that was interrupted has not proved anything."""

_config_option = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The workflow YAML file with the section runai_proactive_monitor.",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


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
@_config_option
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
        from runai_monitor import app

        if transport == "stdio":
            await app.serve_stdio(settings, channel=channel, simulated=demo)
        else:
            await app.serve_http(settings, host=host, port=port, simulated=demo)

    async def run_demo(settings: Settings) -> None:
        from runai_monitor.demo.embedded import embedded_tenant

        async with embedded_tenant(settings) as demo_settings:
            await run(demo_settings)

    settings = _settings(config)
    _configure_logging(settings)
    if not demo:
        _or_exit(settings.require_credentials)
    if transport != "stdio":
        from runai_monitor import app

        _or_exit(lambda: app.check_exposure(settings, host=host))
    # A server has no other end than being stopped.
    _run(run_demo if demo else run, settings, interrupted=0)


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
@_config_option
@_json_option
@click.option("--send-test", is_flag=True, help="Also send a test message through each channel.")
def check(config: Path | None, as_json: bool, send_test: bool) -> None:
    """Prove the set-up before you trust it.

    Tries credentials, permissions, channels and storage, and says of each failure what to do.
    """
    settings = _settings(config)
    if settings.log_level != "DEBUG":
        # What is tried again on the way to a result is noise between results.
        settings = settings.model_copy(update={"log_level": "ERROR"})
    _configure_logging(settings)

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

    _run(run, settings)


@main.command()
@_config_option
@click.option("--project", help="Only this project.")
@click.option("--state", type=click.Choice(["firing", "acknowledged", "resolved"]), help="Only alerts in this state.")
@click.option("--since", help="Only alerts changed since: an ISO time, or an age such as 24h, 30m or 7d.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@_json_option
def alerts(
    config: Path | None, project: str | None, state: str | None, since: str | None, limit: int, as_json: bool
) -> None:
    """Read the stored alerts, newest first."""
    settings = _settings(config)
    _configure_logging(settings)

    async def run(settings: Settings) -> None:
        from runai_monitor import app, screens

        found = await app.read_alerts(settings, project=project, state=state, since=since, limit=limit)
        screens.print_alerts(found, as_json=as_json)

    _run(run, settings)


@main.command()
@_config_option
@click.option("--failed", is_flag=True, help="Only those that were given up.")
@click.option("--replay", metavar="ID|all", help="Tell one that was given up again, or all of them.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@_json_option
def deliveries(config: Path | None, failed: bool, replay: str | None, limit: int, as_json: bool) -> None:
    """Read what became of messages, newest first.

    With --replay, what a channel did not take is told again by the running server, within seconds.
    """
    if replay is not None and replay != "all" and not (replay.isascii() and replay.isdecimal()):
        raise click.UsageError("--replay takes the number of a delivery, or all")
    settings = _settings(config)
    _configure_logging(settings)

    async def run(settings: Settings) -> None:
        from runai_monitor import records, screens

        if replay is None:
            found = await records.read_deliveries(settings, only_failed=failed, limit=limit)
            screens.print_deliveries(found, as_json=as_json)
            return
        author = f"{_login_name()} (command line)"
        outcome = await records.replay_deliveries(settings, None if replay == "all" else int(replay), author=author)
        screens.print_replay(outcome, as_json=as_json)

    _run(run, settings)


def _login_name() -> str:
    """Who runs this, as the operating system has it."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "an unnamed user"


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


def _settings(config: Path | None) -> Settings:
    from runai_monitor.settings import load_settings

    return _or_exit(lambda: load_settings(config=config))


def _configure_logging(settings: Settings) -> None:
    from runai_monitor.diagnosis.redact import redact
    from runai_monitor.logs import configure_logging

    configure_logging(settings.log_level, redact=redact)


def _or_exit(action: Callable[[], T]) -> T:
    try:
        return action()
    except MonitorError as error:
        _fail(error)


def _run(
    action: Callable[[Settings], Coroutine[Any, Any, None]], settings: Settings, *, interrupted: int = EXIT_INTERRUPTED
) -> None:
    """Runs a command to its end; our own errors become one line, an interrupt a quiet end with that exit code."""
    import anyio

    try:
        anyio.run(action, settings)
    except KeyboardInterrupt:
        sys.exit(interrupted)
    except MonitorError as error:
        _fail(error)
    except BaseExceptionGroup as group:
        ours, rest = group.split(MonitorError)
        if ours is None or rest is not None:
            raise
        _fail(_first(ours))


def _first(group: BaseExceptionGroup[MonitorError]) -> MonitorError:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _fail(error: MonitorError) -> NoReturn:
    click.echo(f"runai-monitor: {error}", err=True)
    mistaken = isinstance(error, SettingsError | InputError | RefusedError)
    sys.exit(EXIT_BAD_CONFIGURATION if mistaken else EXIT_FAILED)

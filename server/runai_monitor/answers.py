"""The commands by which people answer alerts, and read who did what."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runai_monitor.command_line import config_option, execute, json_option, printing, settings_of, start_logging

if TYPE_CHECKING:
    from runai_monitor.settings import Settings


def _user() -> str:
    """Who is at the terminal, as the system knows them; in a container it may know a number only."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "somebody"


author_option = click.option(
    "--author", default=_user, show_default="the user of this terminal", help="Who answers; it is recorded."
)


@click.command()
@click.argument("alert_id")
@click.option("--note", default="", help="What is being done about it, in one line.")
@author_option
@config_option
@json_option
def acknowledge(alert_id: str, note: str, author: str, config: Path | None, *, as_json: bool) -> None:
    """Say that you take care of an alert: no more reminders of it."""
    settings = settings_of(config)
    start_logging(settings)

    async def run(settings: Settings) -> None:
        from runai_monitor import records, screens

        async with records.responses(settings) as responses:
            outcome = await responses.acknowledge(alert_id, author=author, note=note)
        screens.print_acknowledgement(outcome, as_json=as_json)

    execute(run, settings)


@click.group()
def silence() -> None:
    """Keep alerts from the channels for a while."""


@silence.command()
@click.argument("matchers", nargs=-1)
@click.option("--reason", required=True, help="Why, for who wonders later why nobody was told.")
@click.option("--duration", help="How long: 90m, 2h, 1d12h. This or --until.")
@click.option("--until", help="When it ends: an ISO 8601 time. This or --duration.")
@click.option("--starts-at", help="When it begins: an ISO 8601 time. Default: now.")
@click.option("--everything", is_flag=True, help="Only when it is meant to silence more or less every alert.")
@click.option("--replaces", metavar="SILENCE_ID", help="The silence that ends as this one begins.")
@author_option
@config_option
@json_option
def add(
    matchers: tuple[str, ...],
    reason: str,
    author: str,
    config: Path | None,
    *,
    everything: bool,
    as_json: bool,
    **times: str | None,
) -> None:
    """Silence the alerts that all MATCHERS match.

    Such as project=ml-team, status!=Pending, 'workload=~llama-.*' or 'node!~gpu-0[1-4]'.
    """
    settings = settings_of(config)
    start_logging(settings)

    async def run(settings: Settings) -> None:
        from runai_monitor import records, screens
        from runai_monitor.operations.responses import SilenceRequest

        request = SilenceRequest(matchers=matchers, reason=reason, everything=everything, **times)
        async with records.responses(settings) as responses:
            view = await responses.silence(request, author=author)
        screens.print_silences([view], as_json=as_json, single=True)

    execute(run, settings)


@silence.command("list")
@click.option(
    "--state", type=click.Choice(["pending", "active", "expired", "all"]), help="Default: active and pending ones."
)
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@config_option
@json_option
def list_silences(state: str | None, limit: int, config: Path | None, *, as_json: bool) -> None:
    """Show what is silenced, by whom, why and until when."""
    settings = settings_of(config)
    start_logging(settings)

    async def run(settings: Settings) -> None:
        from runai_monitor import records, screens

        views = await records.silences(settings, state=state, limit=limit)
        screens.print_silences(views, as_json=as_json)

    execute(run, settings)


@silence.command()
@click.argument("silence_ids", nargs=-1, required=True, metavar="SILENCE_ID...")
@author_option
@config_option
@json_option
def expire(silence_ids: tuple[str, ...], author: str, config: Path | None, *, as_json: bool) -> None:
    """End silences now."""
    settings = settings_of(config)
    start_logging(settings)

    async def run(settings: Settings) -> None:
        from runai_monitor import records, screens

        async with records.responses(settings) as responses:
            views = [(await responses.expire_silence(each, author=author))[0] for each in silence_ids]
        screens.print_silences(views, as_json=as_json)

    execute(run, settings)


@click.command()
@click.option("--since", help="Only what was done since: an ISO time, or an age such as 24h, 30m or 7d.")
@click.option("--author", help="Only by authors whose name contains this.")
@click.option("--action", help="Only this action, such as silence_created.")
@click.option("--target", help="Only what was done to this: the id of an alert, a silence, a monitor or a workload.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--all", "everything", is_flag=True, help="However many; --limit does not count.")
@config_option
@json_option
def audit(config: Path | None, limit: int, *, everything: bool, as_json: bool, **filters: str | None) -> None:
    """Read who did what and when, newest first."""
    settings = settings_of(config)
    start_logging(settings)

    async def run(settings: Settings) -> None:
        from runai_monitor import records, screens

        show = screens.AuditPrinter(as_json=as_json)
        async with records.audit(settings, limit=None if everything else limit, **filters) as found:
            with printing():
                async for entry in found:
                    show.entry(entry)
                show.end()

    execute(run, settings)


@click.command()
@click.option("--failed", is_flag=True, help="Only those that were given up.")
@click.option("--replay", metavar="ID|all", help="Tell one that was given up again, or all of them.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@author_option
@config_option
@json_option
def deliveries(
    config: Path | None, author: str, replay: str | None, limit: int, *, failed: bool, as_json: bool
) -> None:
    """Read what became of messages, newest first.

    With --replay, what a channel did not take is told again by the running server, within seconds.
    """
    if replay is not None and replay != "all" and not (replay.isascii() and replay.isdecimal()):
        raise click.UsageError("--replay takes the number of a delivery, or all")
    settings = settings_of(config)
    start_logging(settings)

    async def run(settings: Settings) -> None:
        from runai_monitor import records, screens

        if replay is None:
            found = await records.deliveries(settings, only_failed=failed, limit=limit)
            screens.print_deliveries(found, as_json=as_json)
            return
        outcome = await records.replay(settings, None if replay == "all" else int(replay), author=author)
        screens.print_replay(outcome, as_json=as_json)

    execute(run, settings)

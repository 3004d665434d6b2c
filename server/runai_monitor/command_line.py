"""What every command shares: its options, the settings, running to the end, and errors as one line with an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from runai_monitor.errors import InputError, MonitorError, RefusedError, SettingsError

if TYPE_CHECKING:
    from runai_monitor.settings import Settings

T = TypeVar("T")

EXIT_FAILED = 1
EXIT_BAD_CONFIGURATION = 2
EXIT_INTERRUPTED = 130
"""As shells have it; a check that was interrupted has not proved anything."""
EXIT_UNREAD = 141
"""As shells have it of a command whose reader has gone."""

config_option = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The workflow YAML file with the section runai_proactive_monitor.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


@contextmanager
def printing() -> Iterator[None]:
    """Around output that is written while something else is open: what fails here is the output, not that.

    A reader that has seen enough, such as `head`, ends the command as it ends any other.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        # Python flushes once more at the end, and would complain once more.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            sys.exit(EXIT_UNREAD)
        click.echo(f"runai-monitor: the output cannot be written ({error.strerror})", err=True)
        sys.exit(EXIT_FAILED)


def settings_of(config: Path | None) -> Settings:
    """The settings in force; a mistake in them ends the command."""
    from runai_monitor.settings import load_settings

    return or_exit(lambda: load_settings(config=config))


def start_logging(settings: Settings) -> None:
    """Begins to log to stderr, without secrets."""
    from runai_monitor.diagnosis.redact import redact
    from runai_monitor.logs import configure_logging

    configure_logging(settings.log_level, redact=redact)


def or_exit(action: Callable[[], T]) -> T:
    """What the action returns; an error of ours becomes one line and ends the command."""
    try:
        return action()
    except MonitorError as error:
        _fail(error)


def execute(
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
    except BaseExceptionGroup as group:  # a task group wraps our errors; with anything else among them it is a defect
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

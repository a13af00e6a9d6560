"""What the commands share: `--data-dir`, finding the running stack, JSON on stdout, errors and exit statuses.

Exit statuses: 0 done; 1 failed, the message says why; 2 wrong usage (click's); 3 nothing is running to talk to.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from services.contracts.ids import has_form_of_pseudonym
from services.platform.embedded.endpoints import read_stack
from services.platform.errors import NotRunningError, OperatorError
from services.platform.logging import configure_logging
from services.platform.settings import Settings

EXIT_INTERRUPTED = 130
"""After Ctrl-C or SIGTERM, of commands whose work was not done."""

Command = TypeVar("Command", bound=Callable[..., Any])
AnySettings = TypeVar("AnySettings", bound=Settings)


class CommandError(click.ClickException):
    """The command failed (exit status 1); the message is one for people and says what to do next."""


class _NothingRunsError(CommandError):
    """There is no running stack or cluster to talk to (exit status 3)."""

    exit_code = 3


class PseudonymCommand(click.Command):
    """A command with a pseudonym among its arguments, which may begin with `-` and is no option then."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the pseudonyms where no option is looked for."""
        end = args.index("--") if "--" in args else len(args)
        dashed = [one for one in args[:end] if one.startswith("-") and has_form_of_pseudonym(one)]
        options = [one for one in args[:end] if one not in dashed]
        return super().parse_args(ctx, [*options, "--", *dashed, *args[end + 1 :]])


@contextmanager
def failing() -> Iterator[None]:
    """What fails inside becomes the command's message and exit status."""
    try:
        yield
    except NotRunningError as error:
        raise _NothingRunsError(str(error)) from error
    except (OperatorError, OSError) as error:
        raise CommandError(str(error)) from error


def data_dir_option(command: Command) -> Command:
    """Add `--data-dir`; its value is None when it was not given."""
    option = click.option(
        "--data-dir",
        type=click.Path(path_type=Path, file_okay=False),
        default=None,
        help="The folder with the stack's data.  [default: FIRSTBELL_DATA_DIR or .firstbell]",
    )
    return option(command)


def load_settings(kind: type[AnySettings], data_dir: Path | None) -> AnySettings:
    """Settings of this kind, with `--data-dir` above the environment; raises `CommandError` naming what is wrong."""
    with failing():
        return kind.load(data_dir)


def find_kafka(settings: Settings, *, data_dir: Path | None) -> str:
    """The address of the Kafka that a command is about.

    That of the stack running in `--data-dir` when it was given, else FIRSTBELL_KAFKA, else that of the stack running
    in the default folder. Raises `NotRunningError`.
    """
    stack = read_stack(settings.data_dir)
    if stack is not None and (data_dir is not None or settings.kafka is None):
        return stack.kafka
    if settings.kafka is not None:
        return settings.kafka
    raise NotRunningError(nothing_runs(settings.data_dir))


def nothing_runs(data_dir: Path) -> str:
    """Says that there is no stack, and how to start one."""
    return f"Nothing is running in {data_dir}. Start it with `firstbell up`, or set FIRSTBELL_KAFKA or --data-dir."


def print_json(document: Mapping[str, object] | Sequence[Mapping[str, object]]) -> None:
    """One JSON document as one line on stdout, at once."""
    click.echo(json.dumps(document, ensure_ascii=False))


mapping_option = click.option(
    "--mapping",
    type=click.Path(path_type=Path, exists=True),
    help="TOML file that names the columns and codes of a system; see deploy/mappings.",
)
exit_date_option = click.option(
    "--exit-date",
    "exit_date",
    type=click.Choice(["last-day-in", "first-day-out"]),
    default="last-day-in",
    show_default=True,
    help="What an enrollment's exit date is in these files.",
)
FIRST_DAY_OUT = "first-day-out"


def log_quietly() -> None:
    """Log warnings to stderr, but not aiokafka's: what its client ran into is said once, by the command."""
    configure_logging("WARNING")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

"""`firstbell`: the commands, each in its own module and loaded only when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

from services.platform.bytecode import keep_bytecode_aside
from services.platform.memory import collect_rarely
from services.registry import SERVICES

COMMANDS = {
    "up": ("services.cli.up:up", "Start the whole system and stay."),
    "agreement": ("services.cli.agreement:agreement", "Check and put in force the data sharing agreement."),
    "audit": ("services.cli.audit:audit", "Verify, export and sign the record of who was shown what."),
    "demo": ("services.cli.demo:demo", "Run a simulated school year through the real stack."),
    "import": ("services.cli.import_:import_", "Import a district's files into the running system."),
    "pull": ("services.cli.pull:pull", "Pull what changed from an Ed-Fi ODS/API, now and again."),
    "withdraw": (
        "services.cli.withdraw:withdraw",
        "Withdraw a consent: access ends at once, and everything is erased.",
    ),
    "proofs": ("services.cli.proofs:proofs", "Show what was erased, and which services have confirmed it."),
    "erasure": ("services.cli.erasure:erasure", "Show that erased is erased, and rotate the master key."),
    "inspect": ("services.cli.inspect_:inspect", "Write everything held about one student, for the parent who asks."),
    "inspections": ("services.cli.inspections:inspections", "Count inspections down, and close them; corrections."),
    "destroy": ("services.cli.destroy:destroy", "Destroy what is kept of one student or under an agreement."),
    "replay": ("services.cli.replay:replay", "Go through a history day by day in a stack of its own."),
    "engagement": (
        "services.cli.engagement:engagement",
        "Say whether students' attendance, behaviour and courses are on track.",
    ),
    "ada": ("services.cli.ada:ada", "Average daily attendance by school, grade and month."),
    "equity": ("services.cli.equity:equity", "Say whether false alerts fall evenly on groups of students."),
    "outcomes": ("services.cli.outcomes:outcomes", "Write the closed cases as outcomes.csv, to learn from."),
    "simulate": ("services.cli.simulate:simulate", "Write a simulated world as the district export set."),
    "train": ("services.cli.train:train", "Train a risk model on districts' school years."),
    "retrain": ("services.cli.retrain:retrain", "Train anew, and keep the better of the new and the present model."),
    "backtest": ("services.cli.backtest:backtest", "Measure rules and model on a school year that is over."),
    "token": ("services.cli.token:token", "Print a token of the embedded run's own issuer."),
    "lag": ("services.cli.lag:lag", "Show how far each consumer group is behind."),
    "doctor": ("services.cli.doctor:doctor", "Check everything that First Bell stands on."),
    "prepare": ("services.cli.prepare:prepare", "Make topics and schemas in an outside cluster and database."),
}
"""Where each command is, and what it does in a line."""
_SERVICES: Final = {service.name: service for service in SERVICES}
"""Each can be run alone."""


class LazyGroup(click.Group):
    """Loads a command's module when it is asked for: a service need not load what another stands on."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order in which a newcomer meets them."""
        return [*COMMANDS, *_SERVICES]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The command, or None when there is none of that name."""
        if cmd_name in _SERVICES:
            from services.cli.serve import serving  # noqa: PLC0415 - as the others, only when it is used

            return serving(_SERVICES[cmd_name])
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """List the commands without loading them."""
        with formatter.section("Commands"):
            told = {name: summary for name, (_, summary) in COMMANDS.items()}
            formatter.write_dl([*told.items(), *((one.name, one.summary) for one in SERVICES)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="firstbell")
def main() -> None:
    """First Bell: attendance marks in, homelessness-risk alerts out, consent first.

    `firstbell demo` shows it at work; `firstbell up` starts it and stays.
    """
    collect_rarely()


def run() -> None:
    """The program."""
    keep_bytecode_aside()
    main()


if __name__ == "__main__":
    run()

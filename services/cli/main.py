"""`firstbell`: the commands, each in its own module."""

from __future__ import annotations

import click

from services.cli.demo import demo
from services.cli.doctor import doctor
from services.cli.import_ import import_
from services.cli.lag import lag
from services.cli.replay import replay
from services.cli.serve import service_commands
from services.cli.simulate import simulate
from services.cli.up import up


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="firstbell")
def main() -> None:
    """First Bell: attendance marks in, homelessness-risk alerts out, consent first."""


for command in (up, demo, import_, replay, simulate, lag, doctor, *service_commands()):
    main.add_command(command)


if __name__ == "__main__":
    main()

"""`firstbell`: the commands, each in its own module."""

from __future__ import annotations

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="firstbell")
def main() -> None:
    """First Bell: attendance marks in, homelessness-risk alerts out, consent first."""


if __name__ == "__main__":
    main()

"""`firstbell token`: a bearer token of the embedded run's own issuer."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

import click

from services.cli.common import data_dir_option, failing, load_settings
from services.ingest.agreement.document import RecordKind
from services.platform.identity.caller import OF_AN_AGENCY, PEOPLE, Role
from services.platform.identity.own_issuer import Grant
from services.platform.identity.trust import embedded_issuer
from services.platform.settings import Settings

RECORDS: Final = get_args(RecordKind)
MINUTES, MOST_MINUTES = 60, 24 * 60


@click.command()
@click.option("--role", type=click.Choice(PEOPLE), required=True, help="What its bearer may do.")
@click.option("--subject", metavar="NAME", help="Who its bearer is.  [default: the role]")
@click.option("--agency", metavar="ID", help="The agency that its bearer works for.")
@click.option("--school", "schools", metavar="ID", multiple=True, help="Only this school; repeat it for several.")
@click.option(
    "--record",
    "records",
    type=click.Choice(RECORDS),
    multiple=True,
    help="Only this kind of records; repeat it for several.",
)
@click.option(
    "--minutes", type=click.IntRange(1, MOST_MINUTES), default=MINUTES, show_default=True, help="How long it holds."
)
@data_dir_option
def token(
    role: Role,
    subject: str | None,
    agency: str | None,
    schools: tuple[str, ...],
    records: tuple[str, ...],
    minutes: int,
    data_dir: Path | None,
) -> None:
    """Print a token of the embedded run's own issuer, and nothing else.

    The services of `firstbell up` in this data folder believe it: send it as `Authorization: Bearer TOKEN`. The key
    is made at first use, so it works before the first start, too. Whoever has the token is its bearer.

    Roles: district hands data in; steward may read all that is shared; caseworker and supervisor work with the
    alerts of their --agency; lead sees aggregates; operator sees no student.

    Exit status: 0 done; 1 the settings name an outside database or issuer, which has tokens of its own; 2 wrong usage.
    """
    if role in OF_AN_AGENCY and agency is None:
        raise click.UsageError(f"A {role} sees what one agency gets: say which with --agency ID.")
    if role in {"district", "lead", "operator"} and (schools or records):
        raise click.UsageError(f"--school and --record narrow what is read, and a {role} reads no student.")
    settings = load_settings(Settings, data_dir)
    with failing():
        grant = Grant(
            role=role, subject=subject or role, agency=agency, schools=schools or None, records=records or None
        )
        issuer = embedded_issuer(settings)
        click.echo(issuer.sign(grant, seconds=60 * minutes))

"""`firstbell backtest`: what rules, model and both would have been worth on a history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import click

from models.artifact import Artifact, ArtifactError, default_artifact, load_artifact
from models.backtest.history import History
from models.backtest.measures import Measures, measure
from models.backtest.walk import Walk, Walker
from models.policy import Policy, PolicyError, default_policy, parse_policy
from services.cli.common import CommandError, exit_date_option, mapping_option
from services.cli.output import STDOUT, progress_bar, say, write_json
from services.cli.reading import bar, notes, read_agencies, read_year
from services.lab.backtest_files import ScoresFile, write_alerts
from services.lab.backtest_table import Name, table
from services.lab.model_facts import model_facts


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be tried on which history."""

    folder: Path
    mapping: Path | None
    exit_date: str
    artifact: Artifact
    policy: Policy
    capacity: int


@dataclass(frozen=True, slots=True)
class Files:
    """What is to be written beside the figures."""

    scores: Path | None
    alerts: Path | None
    report: Path | None

    def of(self, agency: str) -> Files:
        """The files of one agency among several: `out.csv` is `out-project-hope.csv`."""
        paths = (self.scores, self.alerts, self.report)
        return Files(*(path and path.with_name(f"{path.stem}-{agency}{path.suffix}") for path in paths))


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--capacity", type=click.IntRange(1), required=True, help="Students the team can newly take on in a week."
)
@click.option(
    "--model", "model_file", type=click.Path(path_type=Path), help="A risk model.  [default: the one that ships]"
)
@click.option("--agency", metavar="ID", help="Only what this agency gets.  [default: each agency of the agreement]")
@mapping_option
@exit_date_option
@click.option("--policy", "policy_file", type=click.Path(path_type=Path, exists=True), help="Other rules (TOML).")
@click.option("--json", "json_target", metavar="OUT", help="Write the figures as JSON to OUT, `-` for stdout.")
@click.option("--scores", metavar="CSV", type=click.Path(path_type=Path), help="Every student's score, a row a day.")
@click.option("--alerts", metavar="CSV", type=click.Path(path_type=Path), help="Every level change of rules and model.")
@click.option("--report", metavar="HTML", type=click.Path(path_type=Path), help="A page with plots and the model card.")
def backtest(
    *,
    folder: Path,
    capacity: int,
    agency: str | None,
    mapping: Path | None,
    exit_date: str,
    model_file: Path | None,
    policy_file: Path | None,
    json_target: str | None,
    scores: Path | None,
    alerts: Path | None,
    report: Path | None,
) -> None:
    """Walk the school year in DIR day by day, as the stream would have, and measure what its alerts were worth.

    DIR is a district export set with outcomes.csv. On each day only what had been handed in by then is known
    (`recorded_at`), and only of students whose consent was in force. Rules, model and both are measured beside four
    simple rankings that fill the same places a week. The CSV files hold student ids: keep them like the district's.

    Where the folder's agreement gives attendance live to several agencies, each is measured by itself, with a capacity
    and files of its own (OUT-ID for OUT), and the JSON has a list, `agencies`.

    Exit status: 0 done; 1 failed, the message says why; 2 wrong usage.
    """
    question = Question(folder, mapping, exit_date, _artifact(model_file), _policy(policy_file), capacity)
    files, shown = Files(scores, alerts, report), json_target != STDOUT
    agencies = read_agencies(folder, mapping) if agency is None else ()
    if len(agencies) > 1:
        documents = []
        for each in agencies:
            if shown:
                click.echo(f"\n{each}:")
            documents.append({"agency": each} | _try(question, each, files.of(each), shown=shown))
        document: dict[str, object] = {"agencies": documents}
    else:
        document = _try(question, agency, files, shown=shown)
    if json_target is not None:
        write_json(document, json_target)


def _try(question: Question, agency: str | None, files: Files, *, shown: bool) -> dict[str, object]:
    """Measure what one agency gets, or the only one, and write its files; the document of `--json`."""
    began = perf_counter()
    with progress_bar() as progress:
        read = read_year(question.folder, progress, question.mapping, question.exit_date, agency)
        walk = _walk(read.history, question, files.scores, bar(progress, "Walking"))
    measured = measure(walk.truth, walk.week_ends, question.capacity, walk.raised, walk.changes)
    document = _document(question, read.history, walk, measured) | {"seconds": round(perf_counter() - began, 1)}
    for note in (*notes(question.folder, read), question.artifact.caveat):
        if note:
            say(note)
    if files.alerts is not None:
        with _writing(files.alerts):
            write_alerts(files.alerts, walk.changes["both"], walk.truth, read.history.student_ids)
    if files.report is not None:
        _write_report(files.report, document, walk, question.capacity)
    if shown:
        click.echo("\n".join(table(document, measured)))
    return document


def _walk(history: History, question: Question, scores: Path | None, progress: Callable[[int, int], None]) -> Walk:
    artifact = question.artifact
    walker = Walker(
        history,
        question.policy,
        artifact.model,
        question.capacity,
        claims=artifact.signal,
        early=artifact.early_weeks,
    )
    with ExitStack() as exits:
        on_scores = None
        if scores is not None:
            exits.enter_context(_writing(scores))
            on_scores = exits.enter_context(ScoresFile.open(scores, history.student_ids)).add
        return walker.run(progress, on_scores)


def _artifact(model_file: Path | None) -> Artifact:
    try:
        return default_artifact() if model_file is None else load_artifact(model_file)
    except ArtifactError as error:
        raise CommandError(str(error)) from error


def _policy(policy_file: Path | None) -> Policy:
    try:
        return default_policy() if policy_file is None else parse_policy(policy_file.read_text(encoding="utf-8-sig"))
    except (PolicyError, OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{policy_file}: {error}") from error


def _document(question: Question, history: History, walk: Walk, measured: Mapping[Name, Measures]) -> dict[str, object]:
    return {
        "marks": history.rows,
        "students": len(history.student_ids),
        "days": len(walk.truth.dates),
        "capacity": question.capacity,
        "threshold": {"first": walk.first_threshold, "last": walk.last_threshold},
        "policy": question.policy.version,
        "model": model_facts(question.artifact),
        "strategies": measured,
    }


def _write_report(report: Path, document: dict[str, object], walk: Walk, capacity: int) -> None:
    # Drawing stands on matplotlib, which takes a second to load.
    from models.backtest.curves import curves  # noqa: PLC0415
    from services.lab.report import report_evidence, write_report  # noqa: PLC0415

    evidence = report_evidence(walk.truth, curves(walk.truth, walk.week_ends, capacity, walk.raised))
    with _writing(report):
        write_report(report, document, evidence)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise click.FileError(str(path), error.strerror or "cannot be written") from error

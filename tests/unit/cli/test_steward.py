"""How the data steward's commands are told: proofs, what a search and a rotation found, what doctor says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import click
import pytest
from click.testing import CliRunner

from services.cli.common import PseudonymCommand
from services.cli.erasure import describe_found, describe_rotated, verify
from services.cli.erasure_check import judge_erasures
from services.cli.proof_lines import describe as describe_proof
from services.cli.proof_lines import describe_all
from services.cli.proofs import show
from services.cli.withdraw import Withdrawn, describe, withdraw
from services.ingest.agreement.document import FeedId
from services.ingest.proofs.queries import Behind
from services.ingest.proofs.schemas import Proof
from services.ingest.rows.outcomes import DUPLICATE, Outcome
from services.platform.erasure.searching import SearchResult
from services.platform.keys.rotating import Rotated

AT = datetime(2026, 3, 2, 14, 5, 6, 789, tzinfo=UTC)
PROOF = Proof(
    id=UUID(int=7),
    pseudonym="-" + "p" * 21,
    by="withdraw",
    at=AT,
    removed={"casework.alerts": 2, "ingest.marks": 1_040},
    confirmed={"casework": AT, "ingest": AT + timedelta(seconds=1)},
    state="pending",
)


FEED = FeedId("dsni", "grades:program-evaluation")


def test_a_proof_says_what_was_removed_and_who_has_confirmed_it() -> None:
    assert describe_proof(PROOF, FEED) == [
        "Proof 00000000-0000-0000-0000-000000000007: pending",
        "  of         grades for dsni (program-evaluation)",
        f"  pseudonym  {PROOF.pseudonym}",
        "  since      2026-03-02 14:05:06 UTC, by withdraw",
        "  removed    2 casework.alerts",
        "  removed    1,040 ingest.marks",
        "  confirmed  casework, 2026-03-02 14:05:06 UTC",
        "  confirmed  ingest, 2026-03-02 14:05:07 UTC",
    ]


def test_the_table_of_proofs_cuts_no_id(capsys: pytest.CaptureFixture[str]) -> None:
    show([PROOF], {PROOF.id: FEED})
    header, line = capsys.readouterr().out.splitlines()
    assert header.split("  ")[0] == "State"
    assert line.split() == [
        "pending",
        *FEED.in_words.split(),
        "2026-03-02",
        "14:05:06",
        "withdraw",
        "1,042",
        "2",
        PROOF.pseudonym,
        str(PROOF.id),
    ]


def test_several_proofs_are_told_in_short_and_by_what_each_is_of() -> None:
    live = PROOF.model_copy(update={"id": UUID(int=8), "removed": {}, "confirmed": {}})
    told = describe_all([PROOF, live], {PROOF.id: FEED, live.id: FeedId("project-hope")})
    assert told == [
        "attendance for project-hope (live): pending",
        "  proof      00000000-0000-0000-0000-000000000008",
        f"  pseudonym  {PROOF.pseudonym}",
        "  removed    nothing yet",
        "  confirmed  by none yet",
        "grades for dsni (program-evaluation): pending",
        "  proof      00000000-0000-0000-0000-000000000007",
        f"  pseudonym  {PROOF.pseudonym}",
        "  removed    2 casework.alerts, 1,040 ingest.marks",
        "  confirmed  casework, ingest",
    ]


def test_the_document_of_a_proof_is_the_contract() -> None:
    assert PROOF.model_dump(mode="json") == {
        "id": "00000000-0000-0000-0000-000000000007",
        "pseudonym": PROOF.pseudonym,
        "by": "withdraw",
        "at": "2026-03-02T14:05:06.000789Z",
        "removed": {"casework.alerts": 2, "ingest.marks": 1040},
        "confirmed": {"casework": "2026-03-02T14:05:06.000789Z", "ingest": "2026-03-02T14:05:07.000789Z"},
        "state": "pending",
    }


def test_a_withdrawal_tells_each_agreement_and_how_to_follow() -> None:
    done = Withdrawn(
        date(2026, 3, 2),
        ["DSA", "DSA-2"],
        [Outcome("accepted"), DUPLICATE],
        [PROOF],
        {PROOF.id: FEED},
        is_to_come=False,
    )
    first, second, *proof, follow = describe(done)
    assert (first, second) == ("DSA: accepted", "DSA-2: duplicate (Already taken)")
    assert proof == describe_proof(PROOF, FEED)
    assert "firstbell proofs ID" in follow
    assert done.document() == {
        "on": "2026-03-02",
        "outcomes": [
            {"agreement": "DSA", "status": "accepted", "reason": None},
            {"agreement": "DSA-2", "status": "duplicate", "reason": "Already taken"},
        ],
        "proofs": [PROOF.model_dump(mode="json")],
    }


@pytest.mark.parametrize(("is_to_come", "said"), [(True, "takes effect on 2026-03-02"), (False, "Nothing was held")])
def test_a_withdrawal_without_proofs_says_why(is_to_come: bool, said: str) -> None:
    done = Withdrawn(date(2026, 3, 2), ["DSA"], [Outcome("accepted")], [], {}, is_to_come=is_to_come)
    assert said in describe(done)[-1]


def test_what_a_search_found_is_told_by_topic() -> None:
    first, *topics = describe_found(SearchResult(1_200, 0, {"consents.v1": 1_200, "alerts.v1": 0}))
    assert first == "0 of 1,200 records about this pseudonym can be read."
    assert [line.split() for line in topics] == [["consents.v1", "1,200"], ["alerts.v1", "0"]]


def test_a_rotation_says_what_was_destroyed_and_what_may_be_taken_out() -> None:
    of_file = " ".join(describe_rotated(Rotated("new", 12, ["old"], [])))
    assert "new" in of_file
    assert "old. Destroy its copies; dumps from before open nothing" in of_file
    of_setting = " ".join(describe_rotated(Rotated("new", 12, [], ["old"])))
    assert "taken out of FIRSTBELL_MASTER_KEY (old), once every service was started" in of_setting


def test_doctor_names_who_is_behind_and_leaves_what_is_young() -> None:
    young = Behind("casework", 3, 0, timedelta(seconds=4))
    late = Behind("warning", 5, 2, timedelta(seconds=130))
    found = judge_erasures([young, late])
    assert (found.status, found.detail) == ("failed", "warning has not confirmed 2")
    hint = str(found.hint)
    assert ("130 s" in hint, "warning" in hint, "casework" in hint) == (True, True, False)
    assert (judge_erasures([young]).status, judge_erasures([young]).detail) == ("ok", "3 are being confirmed")
    assert judge_erasures([]).status == "ok"


@pytest.mark.parametrize("pseudonym", ["-h" + "a" * 20, "--" + "j" * 20, "-" * 22, "a" * 22])
@pytest.mark.parametrize("before", [True, False])
def test_a_pseudonym_may_begin_as_an_option_does(pseudonym: str, before: bool) -> None:
    @click.command(cls=PseudonymCommand, context_settings={"help_option_names": ["-h", "--help"]})
    @click.argument("whose")
    @click.option("--json", "as_json", is_flag=True)
    def command(whose: str, as_json: bool) -> None:
        click.echo(f"{whose} {as_json}")

    for given in (["--json", pseudonym], ["--json", "--", pseudonym]) if before else ([pseudonym, "--json"],):
        assert CliRunner().invoke(command, given).output == f"{pseudonym} True\n"


def test_what_is_no_pseudonym_is_refused_without_being_repeated(tmp_path: Path) -> None:
    result = CliRunner().invoke(verify, ["100001", "--data-dir", str(tmp_path)])
    assert (result.exit_code, "100001" in result.output) == (2, False)


def test_nothing_is_withdrawn_where_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRSTBELL_KAFKA", "FIRSTBELL_DATABASE"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(withdraw, ["RAW-1", "--data-dir", str(tmp_path)])
    assert (result.exit_code, "RAW-1" in result.output) == (3, False)
    assert "firstbell up" in result.output

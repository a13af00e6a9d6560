"""Topics, migrations and readiness: what counts as failed."""

from __future__ import annotations

import httpx
import pytest

from services.contracts.topics import TOPICS
from services.platform.checks.database import check_database, judge_migrations, where
from services.platform.checks.kafka import TopicFacts, judge_topics
from services.platform.checks.network import explain
from services.platform.checks.target import Target, find_target
from services.platform.settings import Settings
from services.registry import SERVICES

AS_IT_SHOULD_BE = {topic.name: TopicFacts(4, topic.config["cleanup.policy"]) for topic in TOPICS}
NAME = TOPICS[0].name


def test_topics_as_the_contracts_say_are_ok() -> None:
    assert judge_topics(AS_IT_SHOULD_BE, 4).status == "ok"
    assert judge_topics(AS_IT_SHOULD_BE, None).status == "ok"


def test_a_missing_topic_fails_by_name() -> None:
    facts = {name: fact for name, fact in AS_IT_SHOULD_BE.items() if name != NAME}
    result = judge_topics(facts, 4)
    assert (result.status, result.detail) == ("failed", f"not there: {NAME}")


def test_topics_with_different_numbers_of_partitions_fail() -> None:
    facts = AS_IT_SHOULD_BE | {NAME: TopicFacts(8, AS_IT_SHOULD_BE[NAME].policy)}
    assert judge_topics(facts, None).status == "failed"


def test_partitions_other_than_the_setting_fail_with_the_number_to_set() -> None:
    result = judge_topics(AS_IT_SHOULD_BE, 8)
    assert result.status == "failed"
    assert "FIRSTBELL_PARTITIONS to 4" in str(result.hint)


def test_another_cleanup_policy_fails() -> None:
    facts = AS_IT_SHOULD_BE | {NAME: TopicFacts(4, "compact,delete")}
    result = judge_topics(facts, None)
    assert (result.status, result.detail) == ("failed", f"{NAME} has compact,delete, not delete")


def test_a_schema_that_is_behind_fails() -> None:
    assert judge_migrations([], ["notify"]).status == "ok"
    assert judge_migrations(["notify"], ["notify"]).detail == "not at the newest version: notify"


def test_a_database_is_named_without_user_password_and_options() -> None:
    assert where("postgresql+psycopg://user:secret@db.example:6000/bell?password=hidden") == "db.example:6000/bell"


def target(database: str) -> Target:
    settings = Settings(kafka=None, smtp=None, database=database)
    return find_target(settings, None, SERVICES, key_file=settings.data_dir)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://user:s3cret@127.0.0.1:1/bell?password=s3cret",
        "s3cret",
        "postgresql+psycopg://user:s3cret@127.0.0.1:port/bell",
        "postgresql+psycopg://user:x@127.0.0.1:1/bell?s3cret=s3cret",
        "nosuchdriver://user:s3cret@127.0.0.1/bell",
    ],
)
async def test_a_database_that_cannot_be_reached_fails_without_telling_the_password(url: str) -> None:
    results = await check_database(target(url), timeout=5)
    assert [result.status for result in results] == ["failed", "skipped"]
    assert "s3cret" not in str(results)
    assert "s3cret" not in repr(target(url))


def test_what_readyz_says_is_away_is_the_hint() -> None:
    checks = {"kafka": "no answer; start it", "database": "ok"}
    assert explain(httpx.Response(503, json={"ready": False, "checks": checks})) == "kafka: no answer; start it"


def test_an_answer_that_is_not_readyz_points_at_the_log() -> None:
    assert "log" in explain(httpx.Response(502, text="bad gateway"))
    assert "log" in explain(httpx.Response(503, json=[]))
    assert "log" in explain(httpx.Response(503, json={"checks": {}}))

"""Checks of Kafka: it answers, and its topics are as the contracts say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from services.contracts.topics import TOPICS
from services.platform.checks.result import CheckResult, failed, ok, skipped
from services.platform.checks.target import Target
from services.platform.kafka import make_admin

POLICY = "cleanup.policy"


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """What the cluster says of one topic."""

    partitions: int
    policy: str


async def check_kafka(target: Target, timeout: float) -> list[CheckResult]:
    """Does it answer, and has it every topic of the contracts, with partitions and cleanup policy as they should be?"""
    if target.kafka is None:
        return [skipped(name, target.nothing_runs) for name in ("kafka", "topics")]
    try:
        async with asyncio.timeout(timeout):
            brokers, facts = await _ask(target.kafka)
    except (KafkaError, OSError, TimeoutError) as error:
        hint = "See whether it runs and FIRSTBELL_KAFKA is right; kafka.log in the data folder's logs says more."
        return [
            failed("kafka", f"{target.kafka} does not answer ({type(error).__name__})", hint),
            skipped("topics", "Kafka does not answer"),
        ]
    return [ok("kafka", f"{target.kafka} answers, brokers: {brokers}"), judge_topics(facts, target.partitions)]


def judge_topics(facts: Mapping[str, TopicFacts], partitions: int | None) -> CheckResult:
    """Is every topic there, with `partitions` of them (None: as many as the others) and its cleanup policy?"""
    missing = [topic.name for topic in TOPICS if topic.name not in facts]
    if missing:
        hint = "Start `firstbell up`: it creates what is missing."
        return failed("topics", f"not there: {', '.join(missing)}", hint)
    counts = {topic.name: facts[topic.name].partitions for topic in TOPICS}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        hint = "Topics that are joined need the same number: add partitions where there are fewer."
        return failed("topics", f"partitions differ: {listed}", hint)
    count = next(iter(counts.values()))
    if partitions is not None and count != partitions:
        detail = f"they have {count} partitions, FIRSTBELL_PARTITIONS is {partitions}"
        return failed("topics", detail, f"Set FIRSTBELL_PARTITIONS to {count} for every service.")
    wrong = [topic for topic in TOPICS if facts[topic.name].policy != topic.config[POLICY]]
    if wrong:
        listed = ", ".join(f"{t.name} has {facts[t.name].policy}, not {t.config[POLICY]}" for t in wrong)
        return failed("topics", listed, f"Set {POLICY} of these topics with Kafka's own kafka-configs tool.")
    return ok("topics", f"all {len(TOPICS)} are there, {count} partitions each")


async def _ask(bootstrap: str) -> tuple[int, dict[str, TopicFacts]]:
    admin = make_admin(bootstrap)
    try:
        await admin.start()
        brokers = len((await admin.describe_cluster())["brokers"])
        partitions = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
        ours = [topic.name for topic in TOPICS if topic.name in partitions]
        policies = await _policies(admin, ours) if ours else {}
    finally:
        await admin.close()
    return brokers, {name: TopicFacts(partitions[name], policy) for name, policy in policies.items()}


async def _policies(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, str]:
    wanted = [ConfigResource(ConfigResourceType.TOPIC, name, {POLICY: None}) for name in topics]
    policies = {}
    for answer in await admin.describe_configs(wanted):
        for code, message, _, name, entries in answer.resources:
            if code:
                raise for_code(code)(f"settings of topic {name}: {message}")
            policies[name] = next(value for key, value, *_ in entries if key == POLICY)
    return policies

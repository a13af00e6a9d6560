"""The Kafka Streams program: what it is built from and told."""

from __future__ import annotations

from pathlib import Path

from benchmarks.engines.job import Job
from benchmarks.engines.kafka_streams.build import HERE, LOCK, MAIN, arguments
from services.platform.embedded.jars import locked_jars, read_lock


def test_its_jars_are_pinned_beside_the_brokers_own_and_of_the_same_kafka() -> None:
    ours, brokers = read_lock(LOCK), locked_jars()
    versions = {jar.artifact: jar.version for jar in (*ours, *brokers)}
    assert versions["kafka-streams"] == versions["kafka-clients"]
    assert {"rocksdbjni", "ecj"} <= versions.keys()
    assert not {jar.artifact for jar in ours} & {jar.artifact for jar in brokers}
    assert all(len(jar.sha256) == 64 for jar in ours)
    assert "://" not in LOCK.read_text()


def test_its_main_class_is_among_its_sources_which_reads_the_job_in_this_order() -> None:
    assert (HERE / f"{MAIN}.java").exists()
    job = Job(kafka="k:1", topic="t", marks=7, group="g", folder=Path("state"), result=Path("out.json"))
    assert arguments(job) == ["k:1", "t", "7", "g", "state", "out.json"]

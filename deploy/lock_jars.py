"""Write the locks of Maven's jars anew: `python deploy/lock_jars.py` (needs Maven on the PATH).

`services/platform/embedded/jars.lock` has the broker's jars: what Maven resolves at run time for Kafka and its logging
binding. Of kafka-tools only its own jar is taken: the commands that we run need nothing of Kafka Connect, which it
depends on. `benchmarks/engines/kafka_streams/jars.lock` has what the benchmark's Kafka Streams program needs beside
the broker's jars, and Eclipse's compiler, which runs on any Java that runs Kafka.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

KAFKA = "4.3.1"
LOG4J = "2.25.4"
BROKER = (("org.apache.kafka", "kafka_2.13", KAFKA), ("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J))
TOOLS = (("org.apache.kafka", "kafka-tools", KAFKA),)
STREAMS = (("org.apache.kafka", "kafka-streams", KAFKA),)
COMPILER = (("org.eclipse.jdt", "ecj", "3.46.0"),)
ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "services" / "platform" / "embedded" / "jars.lock"
STREAMS_LOCK = ROOT / "benchmarks" / "engines" / "kafka_streams" / "jars.lock"

Coordinates = tuple[str, str, str]


def pom(roots: tuple[Coordinates, ...], *, transitive: bool) -> str:
    """A project that depends on the roots, with or without what they depend on."""
    exclusion = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
    dependencies = "".join(
        f"<dependency><groupId>{g}</groupId><artifactId>{a}</artifactId><version>{v}</version>"
        f"{'' if transitive else exclusion}</dependency>"
        for g, a, v in roots
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>local</groupId><artifactId>lock</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )


def resolve(roots: tuple[Coordinates, ...], folder: Path, *, transitive: bool) -> list[tuple[Coordinates, Path]]:
    """Every runtime artifact with its downloaded jar."""
    folder.mkdir()
    (folder / "pom.xml").write_text(pom(roots, transitive=transitive))
    goals = [
        "dependency:list",
        "-DoutputFile=list.txt",
        "dependency:copy-dependencies",
        "-DoutputDirectory=jars",
        "-DincludeScope=runtime",
    ]
    subprocess.run(["mvn", "-q", "-B", *goals], cwd=folder, check=True)  # noqa: S603, S607
    found: list[tuple[Coordinates, Path]] = []
    for line in (folder / "list.txt").read_text().splitlines():
        parts = line.strip().split(":")
        if len(parts) >= 5:  # noqa: PLR2004 - group:artifact:jar:version:scope
            group, artifact, _, version = parts[:4]
            found.append(((group, artifact, version), folder / "jars" / f"{artifact}-{version}.jar"))
    return sorted(found)


def entry(coordinates: Coordinates, jar: Path, *, tools: bool) -> str:
    """One table of the lock."""
    group, artifact, version = coordinates
    content = jar.read_bytes()
    lines = [
        "[[jar]]",
        f'group = "{group}"',
        f'artifact = "{artifact}"',
        f'version = "{version}"',
        f"size = {len(content)}",
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
    ]
    if tools:
        lines.append("tools = true")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Resolve and write the locks."""
    with tempfile.TemporaryDirectory() as work:
        broker = resolve(BROKER, Path(work) / "broker", transitive=True)
        tools = resolve(TOOLS, Path(work) / "tools", transitive=False)
        streams = resolve(STREAMS, Path(work) / "streams", transitive=True)
        compiler = resolve(COMPILER, Path(work) / "compiler", transitive=False)
        there = {coordinates for coordinates, _ in broker}
        more = [(c, jar) for c, jar in streams if c not in there] + compiler
        write(LOCK, [entry(c, jar, tools=False) for c, jar in broker] + [entry(c, jar, tools=True) for c, jar in tools])
        write(STREAMS_LOCK, [entry(c, jar, tools=False) for c, jar in more])


def write(lock: Path, entries: list[str]) -> None:
    """Replace a lock's content."""
    lock.write_text("# Written by deploy/lock_jars.py.\n\n" + "\n".join(entries))


if __name__ == "__main__":
    main()

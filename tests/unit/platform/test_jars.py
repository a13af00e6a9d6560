from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event

import pytest

from services.platform.embedded import jars
from services.platform.embedded.errors import JarsError
from services.platform.embedded.jars import Jar, class_path, ensure_jars, jar_folder, locked_jars

pytestmark = pytest.mark.slow

CONTENT = {"one": b"the first jar", "two": b"the second jar", "tool": b"a tool"}


def made(name: str) -> Jar:
    content = CONTENT[name]
    sha256 = hashlib.sha256(content).hexdigest()
    return Jar(
        group="org.example", artifact=name, version="1.0", size=len(content), sha256=sha256, tools=name == "tool"
    )


class FakeFetch:
    """Writes the right content, or what `wrong` says for the first so many times."""

    def __init__(self, wrong: dict[str, int] | None = None) -> None:
        self.wrong = dict(wrong or {})
        self.asked: list[list[str]] = []

    def __call__(self, wanted: Sequence[Jar], folder: Path, _mirror: str | None, _stop: Event) -> dict[Jar, Path]:
        self.asked.append([jar.artifact for jar in wanted])
        folder.mkdir(parents=True, exist_ok=True)
        found = {}
        for jar in wanted:
            left = self.wrong.get(jar.artifact, 0)
            self.wrong[jar.artifact] = left - 1
            found[jar] = folder / jar.file_name
            found[jar].write_bytes(b"x" * jar.size if left > 0 else CONTENT[jar.artifact])
        return found


@pytest.fixture
def _small_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "locked_jars", lambda: tuple(made(name) for name in CONTENT))


def test_the_lock_names_kafka_its_logging_and_the_tools_and_no_address() -> None:
    names = {(jar.artifact, jar.version): jar for jar in locked_jars()}
    assert ("kafka_2.13", "4.3.1") in names
    assert ("log4j-slf4j-impl", "2.25.4") in names
    assert ("kafka-clients", "4.3.1") in names
    assert [jar.artifact for jar in locked_jars() if jar.tools] == ["kafka-tools"]
    assert len([jar for jar in locked_jars() if not jar.tools]) == 46
    assert "://" not in jars.LOCK.read_text()
    assert all(len(jar.sha256) == 64 for jar in locked_jars())


@pytest.mark.usefixtures("_small_lock")
def test_missing_jars_are_fetched_once_and_then_found_in_the_cache(tmp_path: Path) -> None:
    fetch = FakeFetch()
    first = ensure_jars(cache_dir=tmp_path, fetch=fetch)
    assert ensure_jars(cache_dir=tmp_path, fetch=fetch) == first == class_path(tmp_path)
    assert fetch.asked == [["one", "two"]]
    assert (jar_folder(tmp_path) / "one-1.0.jar").read_bytes() == CONTENT["one"]


@pytest.mark.usefixtures("_small_lock")
def test_the_tools_are_fetched_only_when_asked_for_and_lie_apart(tmp_path: Path) -> None:
    fetch = FakeFetch()
    ensure_jars(cache_dir=tmp_path, fetch=fetch)
    path = ensure_jars(cache_dir=tmp_path, tools=True, fetch=fetch)
    assert fetch.asked == [["one", "two"], ["tool"]]
    assert (jar_folder(tmp_path) / "tools" / "tool-1.0.jar").exists()
    assert path.endswith("tools/*")


@pytest.mark.usefixtures("_small_lock")
def test_a_cached_jar_that_was_changed_is_fetched_anew(tmp_path: Path) -> None:
    fetch = FakeFetch()
    ensure_jars(cache_dir=tmp_path, fetch=fetch)
    changed = jar_folder(tmp_path) / "two-1.0.jar"
    changed.write_bytes(b"y" * len(CONTENT["two"]))
    ensure_jars(cache_dir=tmp_path, fetch=fetch)
    assert fetch.asked[1:] == [["two"]]
    assert changed.read_bytes() == CONTENT["two"]


@pytest.mark.usefixtures("_small_lock")
def test_a_download_that_arrives_wrong_is_tried_once_more(tmp_path: Path) -> None:
    fetch = FakeFetch(wrong={"one": 1})
    ensure_jars(cache_dir=tmp_path, fetch=fetch)
    assert fetch.asked == [["one", "two"], ["one"]]


@pytest.mark.usefixtures("_small_lock")
def test_a_download_that_stays_wrong_is_never_used(tmp_path: Path) -> None:
    with pytest.raises(JarsError, match="SHA-256"):
        ensure_jars(cache_dir=tmp_path, fetch=FakeFetch(wrong={"one": 9}))
    assert not (jar_folder(tmp_path) / "one-1.0.jar").exists()


@pytest.mark.usefixtures("_small_lock")
def test_two_processes_at_once_fetch_once(tmp_path: Path) -> None:
    fetch = FakeFetch()
    threads = [threading.Thread(target=partial(ensure_jars, cache_dir=tmp_path, fetch=fetch)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fetch.asked == [["one", "two"]]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    for name, content in CONTENT.items():
        folder = tmp_path / "repository" / "org" / "example" / name / "1.0"
        folder.mkdir(parents=True)
        (folder / f"{name}-1.0.jar").write_bytes(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "repository")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("_small_lock")
def test_a_mirror_serves_the_jars(tmp_path: Path, mirror: str) -> None:
    ensure_jars(cache_dir=tmp_path / "cache", mirror=mirror, tools=True)
    assert (jar_folder(tmp_path / "cache") / "tools" / "tool-1.0.jar").read_bytes() == CONTENT["tool"]


@pytest.mark.usefixtures("_small_lock")
def test_a_stopped_download_ends(tmp_path: Path, mirror: str) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(JarsError, match="stopped"):
        ensure_jars(cache_dir=tmp_path / "cache", mirror=mirror, stop=stop)


@pytest.mark.usefixtures("_small_lock")
def test_offline_the_error_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(JarsError, match=r"FIRSTBELL_MAVEN_MIRROR.*FIRSTBELL_KAFKA") as caught:
            ensure_jars(cache_dir=tmp_path, mirror=address)
    assert address not in str(caught.value)

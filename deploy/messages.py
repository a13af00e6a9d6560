"""Bring the console's catalogs up to date with its templates and modules.

`uv run python deploy/messages.py` keeps what is translated, adds what is new and drops what is gone; `--check` only
compares, and exits with 1 when a catalog is not up to date. Catalogs name no date, no line and no machine.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from services.casework.console.language import IN_REVIEW
from services.platform.notice import NOTICE

ROOT: Final = Path(__file__).resolve().parent.parent
CONSOLE: Final = ROOT / "services" / "casework" / "console"
CODES: Final = ("es", "ht", "kea")
WIDTH: Final = 116
KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
METHODS: Final = {".py": "python", ".html": "jinja2.ext.babel_extract"}
OPTIONS: Final = {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true", "silent": "false"}
"""As the console renders; a template that cannot be parsed stops the script."""
COMPLETE: Final = "Complete: a test fails when a message is missing."
AWAITS: Final = (
    "IN REVIEW: this awaits review by a native speaker. Nobody who speaks it has read these messages yet.\n"
    "# What is empty is shown in English. When it is read: take the language out of IN_REVIEW in language.py."
)
HEADER: Final = r"""# The console of First Bell: {name}.
# {state}
msgid ""
msgstr ""
"Language: {code}\n"
"Plural-Forms: {plural}\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""


def messages() -> Catalog:
    """Every message of the console, file by file, and the notice that goes with what is disclosed."""
    found = Catalog()
    for path in sorted(path for path in CONSOLE.rglob("*") if path.suffix in METHODS):
        for message in _of(path):
            found.add(message, locations=[(path.relative_to(ROOT).as_posix(), 0)])
    found.add(NOTICE, locations=[("services/platform/notice.py", 0)])
    return found


def _of(path: Path) -> Iterator[str | tuple[str, ...]]:
    options = OPTIONS if path.suffix == ".html" else {}
    for _, message, _, _ in extract(METHODS[path.suffix], io.BytesIO(path.read_bytes()), KEYWORDS, options=options):
        yield message


def catalog_path(code: str) -> Path:
    """Where the catalog of a language is."""
    return CONSOLE / "locale" / code / "LC_MESSAGES" / "console.po"


def updated(code: str, source: Catalog) -> str:
    """The text of a language's catalog with these messages and the translations that it has of them."""
    path, catalog = catalog_path(code), Catalog(locale=code)  # with the plural forms of CLDR, whatever the file says
    kept = read_po(io.BytesIO(path.read_bytes() if path.is_file() else b""), locale=code)
    for message in source:
        if message.id:
            old = kept.get(message.id) or message
            catalog.add(message.id, old.string, message.locations, old.flags, user_comments=old.user_comments)
    body = io.BytesIO()
    write_po(body, catalog, width=WIDTH, omit_header=True, include_lineno=False)
    name = Locale.parse(code).get_display_name("en")
    state = AWAITS if code in IN_REVIEW else COMPLETE
    header = HEADER.format(name=name, state=state, code=code, plural=catalog.plural_forms)
    return header + body.getvalue().decode().strip("\n") + "\n"


def main() -> int:
    """Write or check the catalogs; returns the exit status."""
    checks, source = "--check" in sys.argv[1:], messages()
    texts = {catalog_path(code): updated(code, source) for code in CODES}
    old = [path for path, text in texts.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path in old:
        sys.stderr.write(f"{path.relative_to(ROOT).as_posix()} {'is not' if checks else 'was brought'} up to date\n")
        if not checks:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(texts[path], encoding="utf-8")
    return 1 if checks and old else 0


if __name__ == "__main__":
    raise SystemExit(main())

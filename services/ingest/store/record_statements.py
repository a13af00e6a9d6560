"""The SQL of the tables of records, made of their columns, which are our own names."""

# ruff: noqa: S608

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import TextClause, text

from services.ingest.rows.kinds import RECORD_TABLES, RecordTable


class Statements(NamedTuple):
    """What is asked and changed for rows that are given as arrays, one a column (`:students`, `:firsts`, …)."""

    look: TextClause
    close: TextClause
    put: TextClause
    repeat: TextClause
    close_others: TextClause
    """Of what an import (`:run`) says of some students (`:ids`, null: all) all but rows of these keys."""
    drop_others: TextClause


@lru_cache(maxsize=len(RECORD_TABLES))
def statements_of(table: RecordTable) -> Statements:
    """The statements for this table."""
    names = ["student", *table.fields, "first", "last"]
    arrays = ["CAST(string_to_array(:students, chr(31)) AS integer[])"]
    arrays += [f"string_to_array(:{name}, chr(31))" for name in (*table.fields, "firsts", "lasts")]
    # An array of one empty text is read as empty, and gives null.
    parts = ["student"]
    parts += [_cast(name, kind, key=name in table.key) for name, kind in table.fields.items()]
    parts += [_cast(name, "date", key=False) for name in ("first", "last")]
    given = f"""
        SELECT {", ".join(parts)}, place
        FROM unnest({", ".join(arrays)}) WITH ORDINALITY AS u ({", ".join(names)}, place)
    """
    key = ", ".join(("student", *table.key))
    same = " AND ".join(f"t.{name} = g.{name}" for name in ("student", *table.key))
    values = [*table.values, "first", "last", "said_at", "run"]
    at = f"{same} AND t.until = 'infinity'"
    where = f"district.{table.name}"
    others = _others(table)
    return Statements(
        look=text(f"""
            WITH g AS MATERIALIZED ({given})
            SELECT g.place, t.said_at, {_same(table)} AS same
            FROM g JOIN {where} t ON {at}
        """),
        close=text(f"""
            WITH g AS MATERIALIZED ({given})
            UPDATE {where} t SET until = :moment FROM g WHERE {at} AND t.said_at < :moment
        """),
        put=text(f"""
            INSERT INTO {where} ({", ".join(names)}, said_at, run)
            SELECT {", ".join(_said(table, name) for name in names)}, CAST(:moment AS timestamptz),
                   CAST(:run AS bigint)
            FROM ({given}) g {_before(table, same)}
            ON CONFLICT ({key}, until) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in values)}
        """),
        repeat=text(f"""
            WITH g AS MATERIALIZED ({given})
            UPDATE {where} t SET run = CAST(:run AS bigint) FROM g WHERE {at}
        """),
        close_others=text(f"UPDATE {where} t SET until = :moment {others.format('FROM')} AND t.said_at < :moment"),
        drop_others=text(f"DELETE FROM {where} t {others.format('USING')} AND t.said_at >= :moment"),
    )


def _others(table: RecordTable) -> str:
    """What an import says of some students and is of none of these keys; begins with `{}`."""
    arrays = ", ".join(f"string_to_array(:{name}, chr(31))" for name in ("students", *table.key))
    keys = ", ".join(("student", *(_cast(name, kind, key=True) for name, kind in table.key.items())))
    same = " AND ".join(("k.student = s.student_id", *(f"k.{name} = t.{name}" for name in table.key)))
    return f"""
        {{}} ingest.students s
        WHERE s.id = t.student AND t.until = 'infinity' AND t.run = :run
          AND (CAST(:ids AS text) IS NULL OR s.student_id = ANY (string_to_array(:ids, chr(31))))
          AND NOT EXISTS (
              SELECT FROM (SELECT {keys} FROM unnest({arrays}) AS u ({", ".join(("student", *table.key))})) k
              WHERE {same})
    """


def _same(table: RecordTable) -> str:
    """Whether what stands (t) says what is given (g)."""
    unknown = "g.{0} IS NULL OR " if table.unknown_keeps else ""
    return " AND ".join(f"({unknown.format(name)}t.{name} IS NOT DISTINCT FROM g.{name})" for name in table.values)


def _said(table: RecordTable, name: str) -> str:
    """What is kept of a column: where nothing is given perhaps what stood before (b)."""
    return f"coalesce(g.{name}, b.{name})" if table.unknown_keeps and name in table.values else f"g.{name}"


def _before(table: RecordTable, same: str) -> str:
    """What stood until this moment, where that is asked for."""
    if not table.unknown_keeps:
        return ""
    return f"""
        LEFT JOIN LATERAL (
            SELECT * FROM district.{table.name} t WHERE {same} AND t.until >= CAST(:moment AS timestamptz)
            ORDER BY t.until DESC LIMIT 1) b ON true
    """


def _cast(name: str, kind: str, *, key: bool) -> str:
    if key and kind == "text":
        return f"coalesce({name}, '') AS {name}"
    return f"CAST(nullif({name}, '') AS {kind}) AS {name}"

"""The policies of row-level security, as SQL for migrations: a row is there for who says, in the transaction, who asks.

A table with students in it is protected by its migration: `protect(…)` up, `unprotect(…)` down. What is unset, as on a
connection that was used before, gives nothing. Settings are read in sub-selects: once a statement, not for each row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from services.platform.roles import OWNER, READER, role_of


def _setting(name: str) -> str:
    return f"(SELECT nullif(current_setting('firstbell.{name}', true), ''))"


_ROLE: Final = _setting("role")
_AGENCY: Final = _setting("agency")
_SCHOOLS: Final = _setting("schools")
_SCHOOL_LIST: Final = f"(SELECT array_remove(string_to_array({_SCHOOLS}, chr(31)), ''))::text[]"
NO_STUDENTS: Final = f"{_ROLE} IS DISTINCT FROM 'operator'"
"""An operator sees no student at all."""


def mostly(condition: str) -> str:
    """The condition in a form that the planner takes to hold for nearly all rows, as a policy's does.

    It knows no setting while it plans: a plain comparison is guessed to keep one row of 200, and every join after that
    is planned for a handful of rows (a page of the alert history took 60 ms for 2).
    """
    return f"nullif({condition}, false) IS NOT NULL"


def acts_as(*services: str) -> str:
    """The condition that the transaction is one of these services'."""
    return mostly(f"{_setting('service')} IN ({', '.join(repr(one) for one in services)})")


def of_caller(*, school: str | None = None, agency: str | None = None) -> str:
    """The condition that the caller, if there is one, may see a row of this school and agency (columns).

    A table without a school gives nothing to a caller who is held to some, one without an agency nothing to a caller
    of one.
    """
    in_schools = f"({_SCHOOLS} IS NULL OR {school} = ANY ({_SCHOOL_LIST}))" if school else f"{_SCHOOLS} IS NULL"
    return " AND ".join([NO_STUDENTS, in_schools, of_agency(agency) if agency else f"{_AGENCY} IS NULL"])


def in_schools_through(query: str) -> str:
    """The condition that a caller held to schools has a row of `query`, under its policies."""
    return f"({_SCHOOLS} IS NULL OR EXISTS ({query}))"


def of_agency(column: str) -> str:
    """The condition that a caller of an agency sees its own."""
    return f"({_AGENCY} IS NULL OR {column} = {_AGENCY})"


def of_caller_through(query: str) -> str:
    """The condition for a row that belongs to another: a caller sees it when `query`, under its policies, has rows."""
    return f"{NO_STUDENTS} AND ({_SCHOOLS} IS NULL AND {_AGENCY} IS NULL OR EXISTS ({query}))"


def protect(table: str, *, service: str, caller: str, held: bool = False) -> str:
    """Row-level security for a table of the service; `caller` is the condition under which a caller sees a row.

    It holds who reads by the reader's role or, when `held`, everyone: also what the service itself reads and writes.
    No policy that is added later opens what it closes.
    """
    whom = "PUBLIC" if held else role_of(READER)
    return f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY service ON {table} TO {role_of(service)} USING ({acts_as(service)});
        CREATE POLICY reader ON {table} FOR SELECT TO {role_of(READER)} USING ({acts_as(READER)});
        CREATE POLICY owner ON {table} TO CURRENT_USER USING ({acts_as(OWNER)});
        CREATE POLICY caller ON {table} AS RESTRICTIVE TO {whom} USING ({caller});
    """


def unprotect(table: str, *more: str) -> str:
    """Undo `protect`, and drop `more` policies."""
    drops = "".join(f"DROP POLICY {policy} ON {table};" for policy in ("service", "reader", "owner", "caller", *more))
    return f"{drops} ALTER TABLE {table} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;"


def grant(service: str, *, schema: str | None = None) -> str:
    """Let the service's role change what is in its schema, and the reader's read it; later tables likewise.

    `schema` names another than the one of its name. The table with a schema's version is no service's.
    """
    own, reader, place = role_of(service), role_of(READER), schema or service
    change = "SELECT, INSERT, UPDATE, DELETE"
    version = "" if schema else f"REVOKE ALL ON {service}.schema_version FROM {own};"
    return f"""
        GRANT USAGE ON SCHEMA {place} TO {own}, {reader};
        GRANT {change} ON ALL TABLES IN SCHEMA {place} TO {own};
        GRANT SELECT ON ALL TABLES IN SCHEMA {place} TO {reader};
        ALTER DEFAULT PRIVILEGES IN SCHEMA {place} GRANT {change} ON TABLES TO {own};
        ALTER DEFAULT PRIVILEGES IN SCHEMA {place} GRANT SELECT ON TABLES TO {reader};
        {version}
    """


def revoke(service: str, others: Iterable[str] = (), *, schema: str | None = None) -> str:
    """Undo `grant`, and what `others` were granted in the schema."""
    roles, place = ", ".join(role_of(one) for one in (service, READER, *others)), schema or service
    return f"""
        ALTER DEFAULT PRIVILEGES IN SCHEMA {place} REVOKE ALL ON TABLES FROM {roles};
        REVOKE ALL ON ALL TABLES IN SCHEMA {place} FROM {roles};
        REVOKE USAGE ON SCHEMA {place} FROM {roles};
    """

"""The database's roles: one a service, and one that reads. None owns anything, none passes row-level security."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, column, create_engine, func, literal, select, table, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.platform.errors import OperatorError
from services.platform.secret_file import load_secret
from services.platform.service import Services

READER: Final = "app"
"""Whose role may select everywhere and change nothing."""
OWNER: Final = "owner"
"""The context of who owns the tables: migrations and dumps."""

_FIND: Final = text("""
    SELECT rolsuper OR rolbypassrls AS passes, rolname = current_user AS is_owner FROM pg_roles WHERE rolname = :role
""")
_MAKE: Final = """
    DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$
"""
_IS_SUPERUSER: Final = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
_PASSWORD_BYTES: Final = 32

_roles = table("pg_roles", column("oid"), column("rolname"), schema="pg_catalog")


class RolesError(OperatorError):
    """The database's roles are not as they must be; the message says which and what to do."""


def role_of(service: str) -> str:
    """The role by which a service (or `READER`) takes part."""
    return f"firstbell_{service}"


def roles_of(services: Services) -> list[str]:
    """Every role that there must be."""
    return [role_of(name) for name in (*(service.name for service in services), READER)]


def read_password(folder: Path, role: str) -> str:
    """The role's password in the embedded database, made at first use; raises `SettingsError`."""
    path = folder / f"{role}.password"
    return load_secret(
        path, lambda: secrets.token_urlsafe(_PASSWORD_BYTES).encode(), f"password of the database role {role}"
    ).decode()


def as_role(url: str, role: str) -> str:
    """The URL of who may become the role, so that the connection begins as it (`SET ROLE`)."""
    parts = make_url(url)
    options = [option for option in (parts.query.get("options"), f"-crole={role}") if isinstance(option, str)]
    return parts.update_query_dict({"options": " ".join(options)}).render_as_string(hide_password=False)


def make_missing_roles(connection: Connection, services: Services) -> None:
    """Make the roles that are missing, without a login, and let the owner become them; raises `RolesError`."""
    for role in roles_of(services):
        found = connection.execute(_FIND, {"role": role}).one_or_none()
        if found is None:
            _make(connection, role)
        elif found.passes or found.is_owner:
            raise RolesError(
                f"The database role {role} is a superuser, has BYPASSRLS or owns the tables: row-level security would "
                "not hold it. Make the roles as deploy/README.md says, and run this as the owner."
            )


def _make(connection: Connection, role: str) -> None:
    try:
        # Roles are the whole server's: another database's migrations may make the same one in this moment.
        connection.execute(text(_MAKE.format(role=role)))
        if not connection.execute(_IS_SUPERUSER).scalar_one():
            connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
        connection.commit()
    except ProgrammingError as error:
        raise RolesError(
            f"The database has no role {role}, and the user of FIRSTBELL_DATABASE may not make it. "
            "Make the roles as deploy/README.md says, then try again."
        ) from error


def require_membership(url: str, services: Services) -> None:
    """Raise `RolesError` when the URL's user may not become every role (`as_role`)."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            may = func.pg_has_role(_roles.c.oid, literal("MEMBER"))
            ours = set(connection.scalars(select(_roles.c.rolname).where(may)))
    finally:
        engine.dispose()
    missing = [role for role in roles_of(services) if role not in ours]
    if missing:
        raise RolesError(
            "The user of FIRSTBELL_DATABASE may not become the roles of the services. As an administrator of the "
            f"server, GRANT {', '.join(missing)} TO that user (deploy/README.md)."
        )


async def check_role(connection: AsyncConnection, service: str) -> str | None:
    """None when the connection may take part as the service, else what to do.

    Without it row-level security would give nothing, which looks like an empty database.
    """
    role = role_of(service)
    may = func.pg_has_role(_roles.c.oid, literal("USAGE"))
    if await connection.scalar(select(may).where(_roles.c.rolname == role)):
        return None
    return f"The user of FIRSTBELL_DATABASE is not {role}, to whom the database gives its rows: see deploy/README.md."


async def require_role(connection: AsyncConnection, service: str) -> None:
    """Raise `RolesError` when the connection may not take part as the service."""
    wrong = await check_role(connection, service)
    if wrong is not None:
        raise RolesError(wrong)

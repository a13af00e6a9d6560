"""Alembic's environment, shared by the services: each keeps its versions in its own schema."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

from services.platform.roles import OWNER

schema: str = context.config.attributes["schema"]
engine = create_engine(context.config.attributes["url"])

with engine.connect() as connection:
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    # Without it row-level security hides every row from a migration, too, unless the owner is a superuser.
    connection.execute(text("SELECT set_config('firstbell.service', :owner, false)"), {"owner": OWNER})
    connection.commit()
    context.configure(connection=connection, version_table="schema_version", version_table_schema=schema)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()

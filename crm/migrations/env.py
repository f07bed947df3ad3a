"""Alembic's environment: runs on the application's engine (or the owner's address), outside every scope."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine

from crm import editions
from crm.db import Base, db, engine_options, refresh_statistics, set_up_engine, writing
from crm.jobs import engine as jobs
from crm.policy import unscoped
from crm.services import party_keys, search

OURS = frozenset(Base.metadata.tables)


def _ours(_thing: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:  # noqa: FBT001
    return kind != "table" or name in OURS


def _engine() -> Engine:
    url = current_app.config["SQLALCHEMY_DATABASE_URI"]
    owner = current_app.config.get("DATABASE_ADMIN_URL") or url
    if owner == url:
        return db.engine
    engine = create_engine(owner, **engine_options(owner))
    set_up_engine(engine)
    return engine


def _references(connection: Connection, *, are_checked: bool) -> None:
    """SQLite alters a table by making it anew: its references rest meanwhile, and are looked through afterwards."""
    if connection.dialect.name != "sqlite":
        return
    cursor = connection.connection.cursor()  # no transaction is open: the pragma would do nothing in one
    if are_checked and (broken := cursor.execute("PRAGMA foreign_key_check").fetchone()):
        message = f"after the migrations a row of {broken[0]} refers to none of {broken[2]}"
        raise RuntimeError(message)
    cursor.execute(f"PRAGMA foreign_keys={'ON' if are_checked else 'OFF'}")
    cursor.close()


with unscoped("migrations"), writing(), _engine().connect() as connection:
    _references(connection, are_checked=False)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        include_object=_ours,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    is_newest = set(context.get_context().get_current_heads()) == set(context.script.get_heads())
    _references(connection, are_checked=True)

# The engine of background work keeps tables of its own, and migrates them itself.
_application = str(current_app.config["SQLALCHEMY_DATABASE_URI"])
jobs.set_up_tables(str(current_app.config.get("DATABASE_ADMIN_URL") or _application), _application)

if is_newest:
    editions.renew()  # a migration may have changed what all share
    party_keys.fill_if_empty()
    search.bring_up_to_date()
refresh_statistics()

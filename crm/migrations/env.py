"""Alembic's environment: runs on the application's engine (or the owner's address), outside every scope."""

from __future__ import annotations

from alembic import context
from flask import current_app
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from crm.db import Base, db, engine_options, refresh_statistics, set_up_engine, writing
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


with unscoped("migrations"), writing(), _engine().connect() as connection:
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

if is_newest:
    party_keys.fill_if_empty()
    search.fill_if_empty()
refresh_statistics()

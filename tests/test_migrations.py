"""The migrations make what the models say: the same tables, columns and indexes, partial ones with the same condition."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import Column, Connection, inspect

from crm.db import Base, db
from crm.policy import unscoped

CATALOGUE = {"sqlite": "SELECT name, sql FROM sqlite_master", "postgresql": "SELECT indexname, indexdef FROM pg_indexes"}
OURS = frozenset(Base.metadata.tables)


def _ours(_thing: object, name: str | None, kind: str, _reflected: bool, _compared: object) -> bool:
    return kind != "table" or name in OURS


def _conditions_there(connection: Connection) -> dict[str, str]:
    found = {}
    for table in OURS:
        for index in inspect(connection).get_indexes(table):
            condition = index.get("dialect_options", {}).get(f"{connection.dialect.name}_where")
            if condition is not None:
                found[str(index["name"])] = _plain(condition)
    return found


def _conditions_meant(kind: str) -> dict[str, str]:
    found = {}
    for table in Base.metadata.tables.values():
        for index in table.indexes:
            condition = index.dialect_options[kind]["where"]
            if condition is not None:
                found[str(index.name)] = _plain(condition).replace(f"{table.name}.", "")
    return found


def _by_expressions() -> set[str]:
    """The indexes that are sorted by more than columns."""
    tables = Base.metadata.tables.values()
    return {str(index.name) for table in tables for index in table.indexes if not all(isinstance(one, Column) for one in index.expressions)}


def _plain(condition: object) -> str:
    return str(condition).replace("(", "").replace(")", "")


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")  # of SQLite: looked for below
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_a_migrated_database_is_what_the_models_say(context: Flask) -> None:
    with unscoped("test"), db.engine.connect() as connection:
        options = {"compare_type": True, "include_object": _ours}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []
        there, meant = _conditions_there(connection), _conditions_meant(connection.dialect.name)
        assert set(there) == set(meant) != set()
        stands = dict(connection.exec_driver_sql(CATALOGUE[connection.dialect.name]).all())
        assert {one for one in _by_expressions() if "coalesce(due_on, '9999-12-31'" in (stands.get(one) or "").lower()} == _by_expressions()
        # each database words the others in its own way
        simple = {name: condition for name, condition in meant.items() if condition.endswith("NULL")}
        assert {name: there[name] for name in simple} == simple != {}

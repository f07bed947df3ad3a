"""The database fixtures themselves: fresh, separate, of both kinds. They build their own small template."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from tests.conftest_database import Templates


def _tiny(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        for number in range(60):
            connection.execute(text(f"CREATE TABLE thing_{number} (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"))


def _broken(_url: str) -> None:
    message = "no such revision"
    raise ValueError(message)


@pytest.fixture(scope="session")
def database_templates() -> Templates:
    return Templates({"tiny": _tiny, "broken": _broken})


@pytest.mark.template("tiny")
@pytest.mark.parametrize("turn", range(int(os.environ.get("TURNS", "2"))))
def test_each_test_starts_from_the_same_empty_database(database_url: str, turn: int) -> None:
    engine = create_engine(database_url, poolclass=NullPool)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM thing_1")).scalar_one() == 0
        connection.execute(text("INSERT INTO thing_1 VALUES (1, 'mine')"))


@pytest.fixture
def left_open() -> Iterator[list[Connection]]:
    connections: list[Connection] = []
    yield connections
    for connection in connections:  # asked for before the database, so closed after it is gone
        connection.invalidate()
        connection.close()


@pytest.mark.template("tiny")
def test_a_connection_left_open_does_not_keep_the_database(left_open: list[Connection], database_url: str) -> None:
    left_open.append(create_engine(database_url, poolclass=NullPool).connect())
    left_open[0].execute(text("SELECT 1 FROM thing_1"))


@pytest.mark.template("tiny")
@pytest.mark.postgresql_only
def test_the_owner_in_tests_is_no_superuser_so_that_row_security_holds(database_url: str) -> None:
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        row = connection.execute(text("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")).one()
    assert row == (False, False) or os.environ.get("TEST_DATABASE_URL")


@pytest.mark.template("tiny")
@pytest.mark.sqlite_only
def test_a_copy_is_a_write_ahead_database_already(database_url: str) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    assert file.read_bytes()[18:20] == b"\x02\x02"


def test_a_template_that_cannot_be_built_is_tried_once_and_says_why(database_templates: Templates) -> None:
    with pytest.raises(ValueError, match="no such revision"):
        database_templates.sqlite("broken")
    with pytest.raises(RuntimeError, match="could not be built: ValueError: no such revision"):
        database_templates.sqlite("broken")


def test_an_unknown_template_is_named(database_templates: Templates) -> None:
    with pytest.raises(LookupError, match="there are tiny, broken"):
        database_templates.sqlite("huge")

"""Fixtures that most tests share: the application on both databases, actors, browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy.pool import QueuePool

from config import load
from crm import clock
from crm.app import create_app
from crm.db import db
from crm.jobs import engine
from crm.policy import Actor, bind_actor
from crm.services import users
from tests.factories import world
from tests.factories.browser import Browser

pytest_plugins = ["tests.conftest_database"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for the application gets the world, unless the test names another template."""
    for item in items:
        if "app" in getattr(item, "fixturenames", ()) and item.get_closest_marker("template") is None:
            item.add_marker(pytest.mark.template("world"))


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Argon2 with the least work: a hash as people have it takes 0.2 s, and nearly every test signs somebody in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        patch.setattr(users, "_NOBODY", users._hasher.hash("nobody"))
        yield


@pytest.fixture(autouse=True)
def _today(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The TODAY of a module is the day on which each test begins, in its zone TODAY_IN: a run of all tests may pass midnight there."""
    zone = getattr(request.module, "TODAY_IN", None)
    if zone is not None:
        monkeypatch.setattr(request.module, "TODAY", clock.today(zone))


# Address of a database -> the application on it. An address stays the same for a process; what is there is fresh for every test.
_APPLICATIONS: dict[str, Flask] = {}


@pytest.fixture
def app(settings_environ: dict[str, str]) -> Iterator[Flask]:
    """The application on a fresh copy of the world, on each kind of database in turn. No context is pushed.

    It is made once a process: routes, templates and SQL statements that are compiled anew for each test are half of a test's time.
    """
    address = settings_environ["DATABASE_URL"]
    made = _APPLICATIONS.get(address) or _APPLICATIONS.setdefault(address, create_app(load(settings_environ)))
    settings = dict(made.config)
    yield made
    made.config.clear()
    made.config.update(settings)
    with made.app_context():
        db.session.remove()
        pool = db.engine.pool
        forgotten = pool.checkedout() if isinstance(pool, QueuePool) else 0
        db.engine.dispose()
    engine.forget_client(made)
    assert forgotten == 0, f"{forgotten} database connections were not given back"


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The application with a context pushed, nobody bound."""
    with app.app_context():
        bind_actor(None)
        yield app


@pytest.fixture
def acting(context: Flask) -> Callable[[str], Actor]:
    """`acting("officer")`: bind a person of the world to the session and return the actor."""
    assert context

    def bind(name: str) -> Actor:
        actor = users.actor_by_email(world.address(name))
        bind_actor(actor)
        return actor

    return bind


@pytest.fixture
def browser(app: Flask) -> Callable[[str | None], Browser]:
    """`browser("officer")`: a browser signed in as a person of the world; `browser(None)`: an anonymous one."""

    def sign_in(name: str | None) -> Browser:
        made = Browser(app.test_client())
        if name is not None:
            made.submit("/sign-in", {"email": world.address(name), "password": world.PASSWORD})
        return made

    return sign_in

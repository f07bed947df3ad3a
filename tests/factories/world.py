"""The small world of the tests: three offices and a person of each role, in a template database made once a run."""

from __future__ import annotations

import tempfile

from config import load
from crm.app import create_app
from crm.db import db, transactional
from crm.models.offices import Office
from crm.policy import all_offices, bind_actor, system_actor, unscoped
from crm.services import users

PASSWORD = "river stone lantern 42"
OFFICES = (
    ("HQ", "Headquarters", "hq", None, "USD", "UTC"),
    ("MER", "Middle East region", "regional", "HQ", "USD", "Asia/Amman"),
    ("JOR", "Country office Jordan (test)", "country", "MER", "JOD", "Asia/Amman"),
    ("KEN", "Country office Kenya (test)", "country", "HQ", "KES", "Africa/Nairobi"),
)
PEOPLE = (
    ("viewer", "JOR", "viewer"),
    ("officer", "JOR", "advocacy-officer"),
    ("grants", "JOR", "grants-officer"),
    ("manager", "JOR", "manager"),
    ("head", "JOR", "office-head"),
    ("auditor", "JOR", "auditor"),
    ("admin", "HQ", "administrator"),
    ("hq", "HQ", "viewer"),
    ("regional", "MER", "manager"),
    ("other", "KEN", "advocacy-officer"),
    ("other-grants", "KEN", "grants-officer"),
)


def address(name: str) -> str:
    """The e-mail address of a person of the world."""
    return f"{name}@test.example"


@transactional
def _make_offices() -> None:
    made: dict[str, Office] = {}
    for code, name, kind, parent, currency, zone in OFFICES:
        made[code] = Office(
            code=code, name=name, kind=kind, parent_id=made[parent].id if parent else None, currency=currency, timezone=zone
        )
        db.session.add(made[code])
        db.session.flush()


def fill(url: str) -> None:
    """Put the world into a migrated database."""
    from tests.conftest_database import TEST_KEYS

    with tempfile.TemporaryDirectory(prefix="throughline-world-") as folder:
        app = create_app(load({"APP_ENV": "testing", "DATABASE_URL": url, "INSTANCE_PATH": folder, **TEST_KEYS}))
        with app.app_context():
            bind_actor(system_actor([]))
            _make_offices()
            with unscoped("test world"):
                actor = system_actor(all_offices())
            bind_actor(actor)
            ids = {office.code: office.id for office in all_offices()}
            first = users.create_user(actor, users.NewUser(address("viewer"), "Viewer Person", ids["JOR"], "viewer", PASSWORD))
            assert first
            for name, office, role in PEOPLE[1:]:
                users.create_user(actor, users.NewUser(address(name), f"{name.title()} Person", ids[office], role, PASSWORD))
            db.session.remove()
            db.engine.dispose()


def build(url: str) -> None:
    """A migrated database with the world in it."""
    from tests.conftest_database import build_template

    build_template(url)
    fill(url)

"""The planted rows cover every scoped table, so that the canary tests cannot miss a new one."""

from __future__ import annotations

from sqlalchemy import func, select

from crm.db import Base, db
from crm.models.base import OfficeScoped, Shareable
from crm.policy import unscoped
from tests.factories.planted import plant


def test_every_scoped_table_is_planted(context):
    plant("KEN", "canaryken")
    with unscoped("test"):
        for mapper in Base.registry.mappers:
            if issubclass(mapper.class_, OfficeScoped | Shareable):
                count = db.session.scalar(select(func.count()).select_from(mapper.class_))
                assert count, f"{mapper.class_.__name__} is not planted"

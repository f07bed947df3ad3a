"""One form, one record: a used form token answers a second click with the first click's record."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from sqlalchemy import select

from crm.db import db, transactional
from crm.errors import Conflict
from crm.i18n import _
from crm.models.submissions import Submission
from crm.policy import Actor


def find(actor: Actor, token: str) -> Submission | None:
    """The actor's earlier use of a token."""
    return db.session.scalar(select(Submission).where(Submission.user_id == actor.user_id, Submission.token == token))


def sent_otherwise() -> str:
    """The sentence for a token that was used with other contents."""
    return _("This form was already sent with other contents. Open it again to record another.")


@transactional
def once(actor: Actor, token: str, digest: str, save: Callable[[], uuid.UUID]) -> tuple[uuid.UUID | None, bool]:
    """Run `save` unless this token was used: (record id, whether it was saved before). Another body: Conflict."""
    if not token or actor.user_id is None:
        return save(), False
    earlier = find(actor, token)
    if earlier is not None:
        if earlier.digest != digest:
            raise Conflict(sent_otherwise())
        return earlier.record_id, True
    record_id = save()
    db.session.add(Submission(user_id=actor.user_id, token=token, digest=digest, record_id=record_id))
    return record_id, False

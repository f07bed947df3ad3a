"""What would be saved, shown before it is: a service runs, its result is looked at, and everything is taken back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TypeVar

from crm.db import transactional
from crm.policy import Actor, Permission, require

SeenT = TypeVar("SeenT")


class _TakenBack(Exception):
    def __init__(self, seen: object) -> None:
        super().__init__()
        self.seen = seen


@transactional
def _run(actor: Actor, save: Callable[[], uuid.UUID], look: Callable[[uuid.UUID], SeenT]) -> SeenT:
    require(actor, Permission.RECORD_SEE)
    raise _TakenBack(look(save()))


def rehearse(actor: Actor, save: Callable[[], uuid.UUID], look: Callable[[uuid.UUID], SeenT]) -> SeenT:
    """Run `save`, look at the record with `look` (plain data only, no rows), roll everything back, return what was seen.

    Nothing is kept, not even a reference number; what `save` refuses is refused here with the same words.
    """
    try:
        return _run(actor, save, look)
    except _TakenBack as done:
        seen: SeenT = done.seen  # type: ignore[assignment]  # made by `look` above
        return seen

"""After what an instalment is due, where no day is agreed."""

from __future__ import annotations

from crm.i18n import _

#: What an instalment keeps where neither a day nor an event is agreed; `said_when` says it in its reader's language.
DAY_NOT_AGREED = "day not agreed yet"


def said_when(due_when: str) -> str:
    """What an instalment waits for, as its reader's language says it."""
    return _("day not agreed yet") if due_when == DAY_NOT_AGREED else due_when

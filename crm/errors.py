"""What can go wrong in plain words: every refusal a person meets is one of these. Imports nothing of ours."""

from __future__ import annotations


class ThroughlineError(Exception):
    """Base of every refusal; `str(error)` is a sentence a person can read."""


class Invalid(ThroughlineError):
    """Input was refused. `errors` maps a field name ("" = the whole) to sentences."""

    def __init__(self, message: str = "", *, field: str = "", errors: dict[str, list[str]] | None = None) -> None:
        self.errors: dict[str, list[str]] = errors if errors is not None else {field: [message]}
        super().__init__(message or "; ".join(text for texts in self.errors.values() for text in texts))


class Denied(ThroughlineError):
    """The actor may not do this; the sentence says why and whom to ask."""


class NotFound(ThroughlineError):
    """Absent, or outside the actor's scope: the two are never told apart."""


class Conflict(ThroughlineError):
    """Somebody else changed or made the same thing first."""


class BusyError(Conflict):
    """Somebody else is saving so much that the database gave up waiting: nothing of the transaction is kept, and it can be tried again."""


class EditConflict(Conflict):
    """A record changed since the form was opened. Field -> (original, theirs, yours); `merged`: what to keep of the other fields."""

    def __init__(
        self,
        message: str,
        *,
        changes: dict[str, tuple[object, object, object]] | None = None,
        version: int = 0,
        merged: dict[str, object] | None = None,
        who: str = "",
    ) -> None:
        self.changes: dict[str, tuple[object, object, object]] = changes or {}
        self.version = version
        self.merged: dict[str, object] = merged or {}
        self.who = who
        super().__init__(message)


class Refused(ThroughlineError):
    """A file (or another whole thing) was refused; nothing was changed."""


class RateMissing(ThroughlineError):
    """No published exchange rate within the days that count."""


class ProgrammingError(ThroughlineError):
    """A rule of the house was broken by our own code (uncommitted scope, silent route, write on read)."""

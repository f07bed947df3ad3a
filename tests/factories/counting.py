"""Counting SQL statements: pages must not send more of them when there is more data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine

from crm.db import db


@dataclass
class Statements:
    """The statements sent inside a block."""

    texts: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there were."""
        return len(self.texts)

    def __str__(self) -> str:
        return "\n".join(" ".join(text.split())[:300] for text in self.texts)


@contextmanager
def count_statements(target: Flask | Engine) -> Iterator[Statements]:
    """Count what an application (or an engine) sends inside the block; BEGIN and COMMIT are not statements.

    `with count_statements(app) as sent: browser.get("/x")`, then compare `sent.count`; `print(sent)` shows them."""
    if isinstance(target, Flask):
        with target.app_context():
            engine = db.engine
    else:
        engine = target
    found = Statements()

    def note(_conn: Any, _cursor: Any, statement: str, _params: Any, _context: Any, _many: bool) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "PRAGMA")):
            found.texts.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def statements_of(app: Flask, client: Any, paths: Iterable[str]) -> list[int]:
    """How many statements each page sends to somebody who is signed in."""
    found = []
    for path in paths:
        with count_statements(app) as sent:
            client.get(path)
        found.append(sent.count)
    return found

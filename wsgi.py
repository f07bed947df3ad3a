"""The WSGI entry: `app`."""

import gc
import os
from functools import partial

from crm.app import create_app
from crm.db import db

app = create_app()


def _forget_connections(*, close: bool) -> None:
    """A server that loads the application before it forks shares its memory; connections are each process's own.

    The parent closes its own before: a child that inherits an open SQLite file believes that it holds the parent's locks, and what
    it saves is lost when the parent closes the file. What is lent out at that moment the child leaves alone."""
    with app.app_context():
        db.engine.dispose(close=close)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=partial(_forget_connections, close=True), after_in_child=partial(_forget_connections, close=False))

# What was loaded stays as long as the process: looking through it for garbage again and again cost a seventh of all time on pages.
gc.collect()
gc.freeze()
gc.set_threshold(5_000, 20, 20)

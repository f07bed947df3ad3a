"""The WSGI entry: `app`."""

import gc
import os

from crm.app import create_app
from crm.db import db

app = create_app()


def _after_fork() -> None:
    """A server that loads the application before it forks shares its memory; connections are each process's own."""
    with app.app_context():
        db.engine.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

# What was loaded stays as long as the process: looking through it for garbage again and again cost a seventh of all time on pages.
gc.collect()
gc.freeze()
gc.set_threshold(5_000, 20, 20)

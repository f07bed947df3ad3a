"""flask worker: runs background work until it is asked to end."""

from __future__ import annotations

import signal
import sys
import threading

import click
from flask import current_app
from flask.cli import with_appcontext

from crm.jobs import engine
from crm.jobs import imports as _imports  # noqa: F401 - what imports do in the background is registered by importing them

TAKEN = 3


@click.command("worker", help="Run background work (long imports) until Ctrl-C or SIGTERM. Several may run, on several machines too.")
@with_appcontext
def group() -> None:
    """Run background work. Exit 0 when asked to end: what is begun is left to the next worker, at the place where it stands."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way to the application itself
    stop = threading.Event()

    def end(_number: int, _frame: object) -> None:
        if not stop.is_set():
            click.echo("Background worker: ending after the part in hand.")
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    if not engine.work(app, stop, click.echo):
        click.echo("Background worker: another process took this worker's place while it gave no sign of life.", err=True)
        sys.exit(TAKEN)
    click.echo("Background worker: ended.")

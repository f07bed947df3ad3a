"""flask search …"""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from crm.commands import acting
from crm.services import search

group = AppGroup("search", help="The search index.")


@group.command("reindex")
@click.option("--as", "as_email", default=None, help="Act as this person; default: system.")
def reindex(as_email: str | None) -> None:
    """Make the search index equal to the records; people can go on working meanwhile."""
    with acting(as_email) as actor:
        written, dropped = search.reindex(actor, _said)
        click.echo(f"Entries written: {written}; dropped: {dropped}.")


def _said(noun: str, records: int, written: int) -> None:
    """Where it is, on one line of a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{noun}: {records} records, {written} entries written", nl=False, err=True)

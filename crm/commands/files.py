"""flask files clear: deletes for good what was removed long ago, and stray files. For a daily job."""

from __future__ import annotations

import json

import click
from flask.cli import with_appcontext

from crm.commands import acting
from crm.jobs import files


@click.group("files", help="Attached files: clearing up.")
def group() -> None:
    """Attached files."""


@group.command("clear")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def clear(*, as_json: bool) -> None:
    """Delete for good what was removed more than 30 days ago (evidence of money stays), and files that no record names."""
    with acting(None) as actor:
        cleared = files.clear_up(actor)
    if as_json:
        click.echo(json.dumps({"purged": cleared.purged, "strays": cleared.strays}))
    else:
        click.echo(f"{cleared.purged} removed files deleted for good; {cleared.strays} stray files deleted.")

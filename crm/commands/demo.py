"""flask demo …: the demonstration office."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from crm.commands import acting
from crm.jobs.demo import SAMPLE_PERSON, Demo, sample_meeting
from crm.jobs.documents import Place, make_document
from crm.queries import documents

group = AppGroup("demo", help="The demonstration office: fictional people and donors, real FTS flows.")


@group.command("load")
@click.option("--beside", is_flag=True, help="Load it although the database holds other records.")
def load(*, beside: bool) -> None:
    """Load the demonstration; refuses on a database that holds anything else unless --beside."""
    with acting(None):
        access = Demo(Path(current_app.instance_path), say=click.echo).load(beside=beside)
        click.echo(str(access))


@group.command("sample-pack")
def sample_pack() -> None:
    """Build the briefing pack of the demonstration's next meeting and print where it is."""
    with acting(SAMPLE_PERSON) as actor:
        place = Place(Path(current_app.instance_path) / "documents", is_demo=True)
        made = make_document(actor, "briefing-pack", {"interaction": sample_meeting()}, place)
        click.echo(str(place.folder / documents.get(made).stored_as))

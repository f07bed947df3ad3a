"""flask demo …: the demonstration office."""

from __future__ import annotations

from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from crm.commands import acting
from crm.jobs.demo import Demo

group = AppGroup("demo", help="The demonstration office: fictional people and donors, real FTS flows.")


@group.command("load")
@click.option("--beside", is_flag=True, help="Load it although the database holds other records.")
def load(*, beside: bool) -> None:
    """Load the demonstration; refuses on a database that holds anything else unless --beside."""
    with acting(None):
        access = Demo(Path(current_app.instance_path), say=click.echo).load(beside=beside)
        click.echo(str(access))

"""flask offices …"""

from __future__ import annotations

import click
from flask.cli import AppGroup

from crm.commands import acting
from crm.models.offices import OFFICE_KINDS
from crm.services import offices, users

group = AppGroup("offices", help="Make offices.")


@group.command("create")
@click.argument("code")
@click.option("--name", required=True)
@click.option("--kind", type=click.Choice(OFFICE_KINDS), required=True)
@click.option("--parent", "parent_code", default=None, help="Code of the office it belongs to.")
@click.option("--currency", required=True)
@click.option("--timezone", default="UTC")
@click.option("--as", "as_email", default=None, help="Act as this person; default: system.")
def create(code: str, name: str, kind: str, parent_code: str | None, currency: str, timezone: str, as_email: str | None) -> None:
    """Make an office."""
    with acting(as_email) as actor:
        parent_id = users.office_by_code(parent_code).id if parent_code else None
        offices.create_office(actor, offices.NewOffice(code.upper(), name, kind, parent_id, currency.upper(), timezone))
        click.echo(f"Office {code.upper()} is made.")

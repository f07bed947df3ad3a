"""flask users …"""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from crm.commands import acting
from crm.models.users import ROLES
from crm.services import users

group = AppGroup("users", help="Make people who can sign in.")


@group.command("create")
@click.argument("email")
@click.option("--name", default=None, help="The person's name; default: the address.")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--office", "office_code", required=True)
@click.option("--password-stdin", is_flag=True, required=True, help="Read the password from standard input.")
@click.option("--as", "as_email", default=None, help="Act as this person; default: system.")
def create(email: str, name: str | None, role: str, office_code: str, password_stdin: bool, as_email: str | None) -> None:  # noqa: FBT001
    """Make a person with a role in an office."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else ""
    with acting(as_email) as actor:
        office = users.office_by_code(office_code)
        users.create_user(actor, users.NewUser(email, name or email.partition("@")[0], office.id, role, password))
        click.echo(f"{users.fold_email(email)} can sign in.")

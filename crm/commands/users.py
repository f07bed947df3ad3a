"""The users group: people who can sign in."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup

from crm.commands import acting
from crm.models.users import ROLES
from crm.services import users

group = AppGroup("users", help="Make people who can sign in.")


def _password(from_stdin: bool) -> str:  # noqa: FBT001 - a flag of the command line
    """The first line of standard input, or what is typed twice at a terminal, unseen. Never an argument: those show in `ps`."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        message = "There is no terminal to ask for the password: pipe it in and say --password-stdin."
        raise click.UsageError(message)
    typed: str = click.prompt("Password (12 characters or more; not shown)", hide_input=True, confirmation_prompt="The same again")
    return typed


@group.command("create")
@click.argument("email")
@click.option("--name", default=None, help="The person's name; default: the address.")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--office", "office_code", required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; without it a terminal asks.")
@click.option("--as", "as_email", default=None, help="Act as this person; default: system.")
def create(email: str, name: str | None, role: str, office_code: str, password_stdin: bool, as_email: str | None) -> None:  # noqa: FBT001
    """Make a person with a role in an office."""
    password = _password(password_stdin)
    with acting(as_email) as actor:
        office = users.office_by_code(office_code)
        users.create_user(actor, users.NewUser(email, name or email.partition("@")[0], office.id, role, password))
        click.echo(f"{users.fold_email(email)} can sign in.")

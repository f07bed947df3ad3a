"""One command group a file; each parses, calls one service or report, prints."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from crm.errors import ThroughlineError
from crm.policy import Actor, all_offices, bind_actor, system_actor, unscoped
from crm.services import users as people  # `users` would be shadowed by crm.commands.users


@contextmanager
def acting(as_email: str | None, office_code: str | None = None) -> Iterator[Actor]:
    """Bind the actor of a command (`--as`, else `system`, limited to `--office`); a refusal is a sentence and exit 2."""
    try:
        with unscoped("commands find their office"):
            only = people.office_by_code(office_code).id if office_code and not as_email else None
            who = people.actor_by_email(as_email) if as_email else system_actor(all_offices(), only=only)
        bind_actor(who)
        yield who
    except ThroughlineError as error:
        click.echo(str(error), err=True)
        sys.exit(2)

"""flask rates …: the exchange rates that are shipped."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from crm.commands import acting
from crm.exchange.rates import ecb_history
from crm.queries.rates import held
from crm.services.rates import apply_sheets

group = AppGroup("rates", help="Exchange rates.")


@group.command("load")
def load() -> None:
    """Load the shipped history of the European Central Bank's reference rates, once; newer files come by `flask import rates`."""
    with acting(None) as actor:
        if held():
            click.echo("Exchange rates are here already.")
            return
        counts = apply_sheets(actor, ecb_history())
        click.echo(f"{counts.created} days of exchange rates are loaded.")

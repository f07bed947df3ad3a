"""flask import FORMAT PATH."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path

import click
from flask.cli import with_appcontext

from crm.commands import acting
from crm.errors import Invalid, Refused
from crm.exchange.tabular import MAX_BYTES
from crm.i18n import _
from crm.jobs import imports
from crm.models.imports import ImportBatch
from crm.policy import Actor, all_offices
from crm.queries import imports as held
from crm.services import users

REFUSED = 2


@click.command("import", help="Bring a file in. FORMAT: fts (flows or requirements), rates.")
@click.argument("format_", metavar="FORMAT", type=click.Choice([family for family in imports.FAMILIES if family]))
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--office", "office_code", default=None, help="Code of the office that keeps it; default: the home office of --as.")
@click.option("--dry-run", is_flag=True, help="Say what it would do, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--as", "as_email", default=None, help="Act as this person; default: system.")
@with_appcontext
def group(format_: str, path: Path, office_code: str | None, as_email: str | None, **flags: bool) -> None:
    """Bring a file in: what was created, updated, unchanged, rejected. Exit 2 when the file was refused as a whole."""
    with acting(as_email, office_code) as actor:
        office_id = _office(actor, format_, office_code)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        batch = held.get(imports.import_file(actor, office_id, format_, path.name, data, dry_run=flags["dry_run"]))
        if batch.state == "refused":
            if flags["as_json"]:
                click.echo(json.dumps({"refused": batch.message, "batch": str(batch.id)}, ensure_ascii=False))
            click.echo(batch.message, err=True)
            sys.exit(REFUSED)
        _print(batch, imports.write_rejects(batch), as_json=flags["as_json"])


def _office(actor: Actor, format_: str, code: str | None) -> uuid.UUID:
    """The office that keeps the batch: the one named, else the person's own, else (for system) the only or, for rates, the top one."""
    if code:
        return users.office_by_code(code).id
    if actor.home_office_id is not None:
        return actor.home_office_id
    offices = all_offices()
    if not offices:
        raise Refused(_("There is no office yet. Make one first: flask offices create."))
    top = [office for office in offices if office.parent_id is None]
    if len(offices) == 1 or (format_ == "rates" and len(top) == 1):
        return top[0].id
    raise Invalid(_("Say which office keeps this file: --office CODE."), field="office")


def _print(batch: ImportBatch, rejects: Path | None, *, as_json: bool) -> None:
    counts = {name: getattr(batch, name) for name in ("created", "updated", "unchanged", "rejected")}
    if as_json:
        click.echo(json.dumps({**counts, "rejects_file": str(rejects) if rejects else None, "batch": str(batch.id)}))
        return
    click.echo(f"{batch.reference}: {batch.file_name} ({batch.format})" + ("" if batch.state == "applied" else ", dry run"))
    for name, count in counts.items():
        click.echo(f"{name:<10} {count}")
    for note in held.summary_of(batch).notes:
        click.echo(f"note       {note}")
    if rejects:
        click.echo(f"rejects    {rejects}")
    click.echo(f"batch      {batch.id}")

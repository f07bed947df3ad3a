"""flask import FORMAT PATH, and flask import undo BATCH."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

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
from crm.services import import_undo, users

REFUSED = 2
UNDO = "undo"


@click.command(
    "import",
    help="Bring a file in, or `import undo BATCH`. FORMAT: fts (flows or requirements), rates, parties, programmes, pledges, receipts.",
)
@click.argument("format_", metavar="FORMAT", type=click.Choice([*imports.ASKED, UNDO]))
@click.argument("path", metavar="PATH")
@click.option("--office", "office_code", default=None, help="Code of the office that keeps it; default: the home office of --as.")
@click.option("--dry-run", is_flag=True, help="Say what it would do, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--as", "as_email", default=None, help="Act as this person; default: system.")
@with_appcontext
def group(format_: str, path: str, office_code: str | None, as_email: str | None, **flags: bool) -> None:
    """Bring a file in: what was created, updated, unchanged, rejected. Exit 2 when the file was refused as a whole."""
    if format_ == UNDO:
        with acting(as_email, office_code) as actor:
            _undo(actor, path, is_trial=flags["dry_run"], as_json=flags["as_json"])
        return
    _bring(format_, click.Path(exists=True, dir_okay=False, path_type=Path).convert(path, None, None), office_code, as_email, **flags)


def _bring(format_: str, path: Path, office_code: str | None, as_email: str | None, **flags: bool) -> None:
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


def _undo(actor: Actor, text: str, *, is_trial: bool, as_json: bool) -> None:
    """Undo a batch, named by its id or reference, or (dry run) say what that would do."""
    batch = held.by_name(text)
    if is_trial:
        doing = import_undo.plan(batch)
        said: dict[str, Any] = {
            "removed": doing.removed,
            "reversed": doing.reversed,
            "restored": len(doing.restores),
            "kept": len(doing.kept),
        }
        names = [{"title": one.title, "why": one.why} for one in doing.kept]
    else:
        imports.undo(actor, batch.id)
        record = import_undo.undone(batch.id)
        kept = import_undo.summary_of(record) if record is not None else {}
        said = {name: kept.get(name, 0) for name in ("removed", "reversed", "restored", "kept")}
        names = kept.get("names", [])
    if as_json:
        click.echo(json.dumps({**said, "batch": str(batch.id)}))
        return
    click.echo(f"{batch.reference}: {batch.file_name}, " + (_("undo, dry run") if is_trial else _("undone")))
    for name, count in said.items():
        click.echo(f"{name:<10} {count}")
    for one in names:
        click.echo(f"kept       {one['title']}: {one['why']}")


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

"""flask report …"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from crm.commands import acting
from crm.errors import Invalid
from crm.i18n import LOCALES, _
from crm.jobs import documents as jobs
from crm.policy import Actor
from crm.queries import documents as queries
from reports import registry

group = AppGroup("report", help="Make documents.")


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def list_reports(as_json: bool) -> None:  # noqa: FBT001 - click hands flags over
    """What documents there are, and which parameters they take."""
    found = [
        {
            "slug": report.slug,
            "title": str(report.title),
            "levels": list(report.levels),
            "parameters": [{"name": one.name, "needed": one.is_needed, "label": str(one.label)} for one in report.parameters],
        }
        for report in registry.REPORTS.values()
    ]
    if as_json:
        click.echo(json.dumps({"reports": found}, ensure_ascii=False))
        return
    for report in registry.REPORTS.values():
        needed = " ".join(f"{one.name}=REF" if one.is_needed else f"[{one.name}=REF]" for one in report.parameters)
        click.echo(f"{report.slug}\t{report.title}\t{needed}")


@group.command("build")
@click.argument("slug")
@click.option("-o", "--output", "output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where the PDF goes.")
@click.option("--param", "given", multiple=True, metavar="KEY=VALUE", help="interaction=JOR-IN-2026-0001, party=REF; a reference or a key.")
@click.option("--level", type=click.Choice([registry.INTERNAL, registry.PUBLIC]), default=registry.INTERNAL, show_default=True)
@click.option("--lang", type=click.Choice(sorted(LOCALES)), default="en", show_default=True)
@click.option("--as", "as_email", default=None, help="Act as this person; default: system.")
def build(slug: str, output: Path, given: tuple[str, ...], level: str, lang: str, as_email: str | None) -> None:
    """Make a document, keep it, and write its PDF to a file."""
    with acting(as_email) as actor:
        report = registry.get(slug)
        report.check_level(level)
        reference, pages = _build(actor, report, output, given, level, lang)
        click.echo(_("%(reference)s: %(pages)s pages, written to %(path)s", reference=reference, pages=pages, path=output))


def _build(actor: Actor, report: registry.Report, output: Path, given: tuple[str, ...], level: str, lang: str) -> tuple[str, int]:
    nouns = {one.name: one.noun for one in report.parameters}
    params = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or name not in nouns:
            raise Invalid(_("%(slug)s takes %(names)s, each as NAME=REFERENCE.", slug=report.slug, names=", ".join(nouns)))
        params[name] = queries.resolve(nouns[name], value)
    place = jobs.Place(Path(current_app.instance_path) / "documents", bool(current_app.config.get("IS_DEMO")))
    document_id = jobs.make_document(actor, report.slug, params, place, level=level, lang=lang)
    document = queries.get(document_id)
    waiting = output.with_name(f".{output.name}.part")
    try:
        waiting.write_bytes(jobs.read_file(document, place))
        waiting.replace(output)
    except OSError as error:
        waiting.unlink(missing_ok=True)
        click.echo(_("%(path)s cannot be written: %(why)s", path=output, why=error.strerror or ""), err=True)
        sys.exit(2)
    for sentence in jobs.boxes(queries.snapshot(document_id)):
        click.echo(_("Could not be printed (no font holds it): %(what)s", what=sentence), err=True)
    return document.reference, document.pages

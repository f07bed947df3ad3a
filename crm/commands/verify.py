"""flask verify: whether the records hold together; exit 1 and the first bad record when they do not."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import select

from crm import clock
from crm.db import db, refresh_statistics
from crm.jobs import engine
from crm.jobs import files as jobs
from crm.models.documents import Document
from crm.models.search import damage
from crm.policy import unscoped
from crm.queries import consistency, search_index
from crm.queries import files as queries
from crm.queries.figures import stored
from crm.queries.jobs import open_jobs
from crm.services import party_keys

DOCUMENTS = "documents"
_BLOCK = 1 << 20
_BEING_MADE = 900  # seconds: a younger file may be a document on its way


class Bad(NamedTuple):
    """A record that a check found wrong."""

    table: str
    record: str
    reference: str
    what: str


def _relations(check: Callable[[], Iterator[consistency.Broken]]) -> Iterator[Bad]:
    for broken in check():
        yield Bad(broken.table, str(broken.record_id), "", broken.what)


def _money(check: Callable[[], Iterator[stored.Wrong]]) -> Iterator[Bad]:
    for wrong in check():
        yield Bad(wrong.table, str(wrong.record_id), wrong.reference, wrong.what)


def _keys() -> Iterator[Bad]:
    """What finds possible duplicates is made of the names as they are."""
    for party_id, reference in party_keys.wrong_keys():
        yield Bad("parties", str(party_id), reference, "its keys for possible duplicates are not those of its names")


def _files(folder: Path) -> Iterator[Bad]:
    """Every stored document is there, of its size and hash."""
    rows = db.session.execute(select(Document.id, Document.reference, Document.stored_as, Document.size, Document.sha256))
    for row in rows:
        path = folder / row.stored_as
        if not path.is_file():
            yield Bad("documents", str(row.id), row.reference, "the stored file is missing")
        elif path.stat().st_size != row.size or _digest(path) != row.sha256:
            yield Bad("documents", str(row.id), row.reference, "the stored file is not the one that was issued")


def _strays(folder: Path) -> Iterator[Bad]:
    """No file lies there that no document owns: a process that died between a file and its record leaves one."""
    owned = set(db.session.scalars(select(Document.stored_as)))
    settled = clock.now().timestamp() - _BEING_MADE
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.name not in owned and path.stat().st_mtime < settled:
            yield Bad("documents", path.name, "", "no document owns this file; it may be deleted")


def _search() -> Iterator[Bad]:
    """The search index holds what the tables hold; `flask search reindex` makes it so."""
    for found in search_index.wrong_entries():
        what = "is not in the search index" if found.held is None else "the search index holds other words than the record"
        gone = "the search index holds a record that is gone"
        yield Bad(found.noun, str(found.record_id), "", gone if found.wanted is None else what)
    if wrong := damage():
        yield Bad("search_tokens", "", "", wrong)


def _attached() -> Iterator[Bad]:
    """Every attached file is there, of its size and hash."""
    place = jobs.folder()
    for content in queries.contents():
        if what := jobs.what_is_wrong(place, content):
            yield Bad("file_contents", str(content.id), content.stored_as, what)


def _attached_strays() -> Iterator[Bad]:
    """No attached file lies there that no row names."""
    for path in jobs.strays_of(jobs.folder()):
        yield Bad("file_contents", path.name, "", "no record names this file; flask files clear deletes it")


def _lost_work() -> Iterator[Bad]:
    """Every record that waits for background work has a job, and the engine holds it."""
    yield from _relations(consistency.lost_work)
    for job in engine.not_carried(open_jobs()):
        yield Bad("jobs", str(job.id), "", "the engine of background work does not hold this job: nobody will do it")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def checks(folder: Path) -> dict[str, Callable[[], Iterator[Bad]]]:
    """Every check by its name, in the order they run."""
    return {
        "references": lambda: _relations(consistency.broken_references),
        "office scope": lambda: _relations(consistency.broken_scope),
        "levels": lambda: _relations(consistency.broken_levels),
        "pledges": lambda: _money(stored.wrong_pledges),
        "agreements": lambda: _money(stored.wrong_agreements),
        "matches": lambda: _money(stored.wrong_matches),
        "allocations": lambda: _money(stored.wrong_allocations),
        "duplicate keys": _keys,
        "code lists": lambda: _relations(consistency.unknown_codes),
        "background work": _lost_work,
        "files": lambda: _files(folder),
        "stray files": lambda: _strays(folder),
        "search index": _search,
        "attached files": _attached,
        "stray attached files": _attached_strays,
    }


@click.command("verify")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def group(*, is_json: bool) -> None:
    """Check all records against each other; exit 1 and the first bad record when one fails."""
    first: dict[str, Bad] = {}
    done = []
    with unscoped("verify looks at every record"):
        for name, check in checks(Path(current_app.instance_path) / DOCUMENTS).items():
            bad = next(check(), None)
            done.append(name)
            if bad is not None:
                first[name] = bad
    db.session.rollback()
    refresh_statistics()
    if is_json:
        found = [{"check": name, **bad._asdict()} for name, bad in first.items()]
        click.echo(json.dumps({"ok": not first, "checks": done, "bad": found}))
    elif not first:
        click.echo(f"{len(done)} checks passed: {', '.join(done)}.")
    for name, bad in first.items():
        if not is_json:
            named = f" ({bad.reference})" if bad.reference else ""
            click.echo(f"{name}: {bad.table} {bad.record}{named}: {bad.what}", err=True)
    if first:
        sys.exit(1)

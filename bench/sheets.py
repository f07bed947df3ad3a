"""A list of parties as large as a country's, brought in by the command or a worker as an office would: rows a second, memory at most.

`python -m bench.sheets [--scale 0.2] [--way command|worker] ROWS…`: each into a copy of the data set of its own (SQLite).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench import dataset, inside, words
from bench.dataset import COUNTRY_OFFICER, KEYS, ROOT
from config import load
from crm.app import create_app
from crm.db import db
from crm.jobs import engine, imports
from crm.policy import bind_actor
from crm.queries import imports as held
from crm.queries.jobs import open_job_of
from crm.services import users

HEADINGS = ("Name", "Form", "Kinds", "Country", "E-mail", "Phone", "Notes")
_DUPLICATES = 0.03
#: Of family names made up, so that of a hundred thousand people no more are alike than in a real list.
_SYLLABLES = ("ba", "den", "fo", "gar", "hu", "ik", "jo", "ka", "lem", "mi", "nor", "ow", "pe", "ras", "su", "ta", "ul", "ve", "wan", "zi")
_MOST_COUNTRY_CODES = ("JO", "KE", "NP", "")


@dataclass(frozen=True)
class Sheet:
    """What one run of the command took; `megabytes` is its largest resident set."""

    rows: int
    seconds: float
    processor: float
    megabytes: float
    said: str


def write_parties(path: Path, rows: int, seed: int) -> None:
    """A CSV file of people and organisations in seven scripts; three in a hundred are written again in another form."""
    draw = random.Random(seed)
    scripts = [script for share, *script in words.SCRIPTS for _number in range(share)]
    earlier: list[tuple[str, ...]] = []
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADINGS)
        for number in range(rows):
            if earlier and draw.random() < _DUPLICATES:
                name, *rest = draw.choice(earlier)
                writer.writerow((" ".join(reversed(name.split(" "))).upper(), *rest[:3], "", "", ""))
                continue
            if draw.random() < 0.7:
                given, family = draw.choice(scripts)
                made_up = "".join(draw.choices(_SYLLABLES, k=4)).capitalize()
                name, form = f"{draw.choice(given)} {draw.choice(family)} {made_up}", "person"
            else:
                name, form = (
                    draw.choice(words.ORGANISATIONS).format(place=f"District {number}", word=f"{draw.choice(words.WORDS)} {number}"),
                    "organisation",
                )
            row = (
                name,
                form,
                draw.choice(("", "media", "NGO")),
                draw.choice(_MOST_COUNTRY_CODES),
                f"p{number}@sheet.example",
                "",
                draw.choice(words.SENTENCES),
            )
            writer.writerow(row)
            if len(earlier) < 5000:
                earlier.append(row)


def bring_in(url: str, folder: Path, rows: int, seed: int, way: str = "command") -> Sheet:
    """Write the file, and bring it in in a process of its own: by the command, or checked and then done as a worker does it."""
    path = folder / "parties.csv"
    write_parties(path, rows, seed)
    environment = {**os.environ, "APP_ENV": "production", "DATABASE_URL": url, "INSTANCE_PATH": str(folder), **KEYS}
    environment.pop("DATABASE_ADMIN_URL", None)
    by_command = ["flask", "--app", "wsgi", "import", "parties", str(path), "--as", COUNTRY_OFFICER, "--json"]
    command = [sys.executable, "-m", *(by_command if way == "command" else ["bench.sheets", "--file", str(path)])]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, wrong = process.communicate()
    seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise RuntimeError(wrong.decode(errors="replace")[-1000:])
    counts = json.loads(said.decode().splitlines()[-1])
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # `ru_maxrss` of children is that of the largest one so far: the others of a run are small.
    return Sheet(
        rows, seconds, processor, after.ru_maxrss / 1024, ", ".join(f"{counts[name]} {name}" for name in ("created", "updated", "rejected"))
    )


def _work(path: Path) -> None:
    """Check a file and bring it in, as the page and a worker do; prints what the command prints. In a process of its own."""
    app = create_app(load(os.environ))
    with app.app_context():
        engine.set_up_tables(os.environ["DATABASE_URL"], os.environ["DATABASE_URL"])
        actor = users.actor_by_email(COUNTRY_OFFICER)
        if actor is None or actor.home_office_id is None:
            raise RuntimeError(COUNTRY_OFFICER)
        bind_actor(actor)
        batch_id = imports.check_file(actor, actor.home_office_id, "parties", path.name, path.read_bytes())
        imports.apply_in_background(actor, batch_id)
        job = open_job_of(batch_id)
        if job is not None:
            engine.perform(job.id, threading.Event())
        bind_actor(users.actor_by_email(COUNTRY_OFFICER))
        db.session.rollback()
        batch = held.get(batch_id)
        print(json.dumps({name: getattr(batch, name) for name in ("created", "updated", "rejected", "state")}))


def main() -> None:
    """Measure some sizes, one after the other, and print each."""
    parser = argparse.ArgumentParser(prog="python -m bench.sheets", description=__doc__)
    parser.add_argument("rows", type=int, nargs="*", default=[10_000, 30_000])
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--way", choices=("command", "worker"), default="command")
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.file:
        _work(given.file)
        return
    kept = ROOT / "instance" / "bench"
    path, built = dataset.sqlite_file(kept, given.scale, given.seed)
    for rows in given.rows:
        with tempfile.TemporaryDirectory(prefix="throughline-sheet-", dir=kept) as name:
            done = bring_in(f"sqlite:///{inside.copy_of(path, Path(name))}", Path(name), rows, given.seed, given.way)
        print(
            f"- {done.rows:,} rows by the {given.way} into {built.counts['parties']:,} parties: {done.seconds:.0f} s = {done.rows / done.seconds:.0f}/s,"
            f" {done.rows / done.processor:.0f} a processor second; {done.megabytes:.0f} MB at most; {done.said}; load average {os.getloadavg()[0]:.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

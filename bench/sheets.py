"""A list of parties as large as a country's, brought in by the command as an office would: rows a second, memory at most."""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench import words
from bench.dataset import COUNTRY_OFFICER, KEYS, ROOT

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


def bring_in(url: str, folder: Path, rows: int, seed: int) -> Sheet:
    """Write the file and run the command on it in a process of its own."""
    path = folder / "parties.csv"
    write_parties(path, rows, seed)
    environment = {**os.environ, "APP_ENV": "production", "DATABASE_URL": url, "INSTANCE_PATH": str(folder), **KEYS}
    environment.pop("DATABASE_ADMIN_URL", None)
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "import", "parties", str(path), "--as", COUNTRY_OFFICER, "--json"]
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

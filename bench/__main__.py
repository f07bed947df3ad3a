"""`python -m bench [--scale 1] [--quick] [--database sqlite|postgresql] [--explain 8]`: build the data set, measure, print."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import dataset, inside, measure, sheets
from bench.dataset import COUNTRY_OFFICER, ROOT, Built
from bench.inside import Statement
from bench.measure import Effort, Row
from bench.server import Client, Server, serve
from tests import postgres_server

KEPT = ROOT / "instance" / "bench"
NAMES = {COUNTRY_OFFICER: "officer"}
BIG = 0.2


def main() -> int:
    """Build, measure, print Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 100,000 parties, 1,000,000 interactions, 200,000 pledges")
    parser.add_argument("--quick", action="store_true", help="few repetitions: does it still work, not how fast is it")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--explain", type=int, default=8, metavar="N", help="show the N slowest statements with their plans")
    parser.add_argument("--only", default="", help="pages whose name has this word")
    parser.add_argument("--keep", type=Path, default=KEPT, help="folder of built SQLite files")
    given = parser.parse_args()
    if not 0 < given.scale <= 1:
        parser.error("--scale is more than 0 and at most 1")
    if given.database == "postgresql" and (reason := postgres_server.why_not()):
        parser.error(reason)
    with tempfile.TemporaryDirectory(prefix="throughline-bench-") as name:
        folder = Path(name)
        with database(given, folder) as built:
            Run(built, folder, measure.QUICK if given.quick else measure.FULL, given).go()
    return 0


@contextlib.contextmanager
def database(given: argparse.Namespace, folder: Path) -> Iterator[Built]:
    """The data set, to be written into: a copy of the kept SQLite file, or a PostgreSQL server of its own."""
    if given.database == "sqlite":
        path, built = dataset.sqlite_file(given.keep, given.scale, given.seed)
        copy = inside.copy_of(path, given.keep)  # beside the kept one: the folder for temporary files may be memory
        try:
            yield Built(f"sqlite:///{copy}", built.seconds, built.counts, built.day)
        finally:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{copy}{suffix}").unlink(missing_ok=True)
        return
    if given.scale > BIG:
        postgres_server.quick_folder = lambda: None  # too large to be kept in memory
    base, place = postgres_server.start(os.getpid())
    try:
        yield dataset.fill(dataset.new_database(base, "bench"), given.scale, given.seed)
    finally:
        postgres_server.stop(place)
    _ = folder


class Run:
    """One run of everything that exists; prints as it goes, so that a stopped run still says something."""

    def __init__(self, built: Built, folder: Path, effort: Effort, given: argparse.Namespace) -> None:
        self.built, self.folder, self.effort, self.given = built, folder, effort, given
        self.missing: list[str] = []
        self.statements: list[Statement] = []
        self.began = time.monotonic()
        self.open = contextlib.ExitStack()

    def go(self) -> None:
        """The parts, in the order of the page."""
        self._machine()
        with inside.application(self.built.url) as app:
            with app.app_context():
                chosen = inside.choose()
                self._flows()
            with serve(self.built.url, self.folder) as server, self.open:
                self._weight(self._client(server))
                rows = []
                heading = ["page", "who", "p50 ms", "p95 ms", "goal p95", "", "CPU ms", "requests/s at 8", "statements", "KB gz"]
                print(f"\n## Pages\n\n{_line(heading)}\n{_line(['---'] * len(heading))}")
                everything = [page for page in measure.pages(chosen) if self.given.only in page.name]
                for reader, _writer in measure.PEOPLE:
                    client = self._client(server)
                    client.sign_in(reader)
                    seen = inside.Pages(app, reader)
                    for page in everything:
                        path = measure.address(app, page, reader)
                        if path is None:
                            self.missing.append(page.name)
                            continue
                        row = measure.read(server, client, page, path, reader, self.effort)
                        if row.status == 200:
                            sent = seen.statements(page.name, path)
                            row.statements = len(sent)
                            self.statements += sent
                        rows.append(row)
                        self._print(row)
                for reader, writer in measure.PEOPLE:
                    client = self._client(server)
                    client.sign_in(writer)
                    for page, typed in measure.saves(chosen):
                        path = measure.address(app, page, reader)
                        if path is None or self.given.only not in page.name:
                            self.missing += [page.name] if path is None else []
                            continue
                        self._print(measure.save(server, client, page, path, reader, typed, self.effort.saves))
                print("\n## Files, packs, memory\n")
                self._export(server)
                print(f"- web workers after all that: {', '.join(f'{size:.0f}' for size in server.memory())} MB PSS each (goal 200 MB)")
            self._sheet()
            with app.app_context():
                self._packs(chosen)
                self._explain()
        self._end(rows)
        self._complaints()

    def _complaints(self) -> None:
        """What the server logged: a figure of a page that failed is no figure."""
        lines = (self.folder / "server.log").read_text(errors="replace").splitlines()
        said = dict.fromkeys(line[:300] for line in lines if line and not line.startswith((" ", "\t", "Traceback", "[")))
        if said:
            print("\nThe server said:\n" + "\n".join(f"- {line}" for line in list(said)[:20]))

    def _client(self, server: Server) -> Client:
        """A connection that is closed with the run."""
        client = Client(server.port)
        self.open.callback(client.close)
        return client

    def _machine(self) -> None:
        info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
        model = next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")), platform.machine())
        memory = Path("/proc/meminfo").read_text().split()[1] if Path("/proc/meminfo").exists() else "0"
        counts = self.built.counts
        print(f"# {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, scale {self.given.scale:g}, {self._database_version()}\n")
        print(f"- machine: {os.cpu_count()} × {model}, {int(memory) / 2**20:.0f} GB; load average {os.getloadavg()[0]:.2f} at the start")
        print(
            f"- Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in ('flask', 'sqlalchemy', 'gunicorn', 'weasyprint'))}"
        )
        print("- gunicorn, 2 workers of 4 threads, loaded once and forked; the client runs on the same machine and takes its share of it")
        print(f"- data: {sum(counts.values()):,} rows built in {self.built.seconds:.0f} s: " + ", ".join(f"{counts.get(name, 0):,} {name}" for name in ("offices", "parties", "interactions", "pledges", "agreements", "receipts", "programmes")))  # fmt: skip

    def _database_version(self) -> str:
        if self.built.url.startswith("sqlite"):
            return (
                f"SQLite {dataset.sqlite3.sqlite_version}, {Path(self.built.url.removeprefix('sqlite:///')).stat().st_size / 2**20:.0f} MB"
            )
        return f"PostgreSQL {dataset.server_version(self.built.url)} (fsync off, shared_buffers 128 MB)"

    def _flows(self) -> None:
        try:
            done = inside.bring_in_flows(self.effort.flows)
        except Exception as error:  # noqa: BLE001 - one part that does not work must not hide the figures of the others
            print(f"- FTS rows taken in: not measured ({type(error).__name__}: {error})")
            return
        print(f"- FTS rows taken in: {done.rows} in {done.seconds:.1f} s = {done.rows / done.seconds:.0f}/s (goal 300/s); {done.state}")

    def _weight(self, client: Client) -> None:
        found = measure.weight(client, "/sign-in")
        print(
            f"- first page: {found.first_page / 1024:.1f} KB gzipped in {found.requests} requests (goal 60): HTML {found.html / 1024:.1f},"
            f" CSS {found.css / 1024:.1f} (goal 25), JS {found.js / 1024:.1f} (goal 25), other {found.other / 1024:.1f}"
        )

    def _print(self, row: Row) -> None:
        who = NAMES.get(row.who, "HQ")
        if row.note.startswith(("answers", "refused", "the form")):
            print(_line([row.page.name, who, "–", "–", "", row.note, "", "", "", ""]), flush=True)
            return
        verdict = "" if not row.page.has_goal else "ok" if row.p95 <= row.goal else f"**{row.p95 / row.goal:.1f}×**"
        cells = [row.page.name, who, f"{row.p50:.0f}", f"{row.p95:.0f}", str(row.goal) if row.page.has_goal else "–", verdict]
        cells += [
            f"{row.processor:.0f}",
            f"{row.a_second:.0f}" if row.a_second else "",
            str(row.statements or ""),
            f"{row.zipped / 1024:.1f}" if row.zipped else "",
        ]
        print(_line(cells) + (f" {row.note}" if row.note else "") + (f" {row.bad} not 200" if row.bad else ""), flush=True)

    def _export(self, server: Server) -> None:
        client = self._client(server)
        client.sign_in(dataset.HQ_VIEWER)
        done = measure.export(server, client, "/parties.csv")
        if done is None:
            self.missing.append("CSV of parties")
            return
        print(
            f"- /parties.csv as HQ: {done.rows:,} rows, {done.size / 2**20:.1f} MB, first byte {done.first * 1000:.0f} ms (goal 100), whole {done.whole:.1f} s"
            f" = {done.whole / max(1, done.rows) * 50_000:.1f} s per 50,000 (goal 2); worker {done.before:.0f} MB before, {done.most:.0f} MB at most"
        )

    def _sheet(self) -> None:
        rows = round(self.effort.sheet * self.given.scale) if self.effort is measure.FULL else self.effort.sheet
        if self.given.only and self.given.only not in "spreadsheet":
            return
        try:
            done = sheets.bring_in(self.built.url, self.folder, rows, self.given.seed)
        except Exception as error:  # noqa: BLE001 - as above
            print(f"- spreadsheet of parties: not measured ({type(error).__name__}: {error})")
            return
        print(
            f"- spreadsheet of {done.rows:,} parties, possible duplicates looked for: {done.seconds:.0f} s = {done.rows / done.seconds:.0f}/s (goal 300),"
            f" {done.rows / done.processor:.0f} a processor second; {done.megabytes:.0f} MB at most (goal 300); {done.said}"
        )

    def _packs(self, chosen: inside.Chosen) -> None:
        """An ordinary pack, near the twelve pages of the goal, and one of a donor with a dozen pledges."""
        for meeting in chosen.meetings:
            try:
                done = inside.build_packs(meeting, self.effort.packs)
            except Exception as error:  # noqa: BLE001 - as above
                print(f"- briefing pack: not measured ({type(error).__name__}: {error})")
                continue
            # The least of each: what others did meanwhile must not count. Our child collects no garbage, which WeasyPrint alone does.
            own = done.building + max(0.0, done.quickest_drawing - done.weasyprint)
            print(
                f"- briefing pack, {done.pages} pages, {done.size / 1024:.0f} KB: p50 {done.whole:.2f} s (goal 1.5 for 12 pages), slowest {done.slowest:.2f} s;"
                f" reading, figures, charts and HTML {done.building:.2f} s, drawing {done.drawing:.2f} s; WeasyPrint alone for the same HTML"
                f" {done.weasyprint:.2f} s, against {done.quickest_drawing:.2f} s in our child, so our own part is {own / done.weasyprint:.0%} of it (goal 20 %)"
            )

    def _explain(self) -> None:
        if not self.given.explain or not self.statements:
            return
        inside.time_statements(self.statements)
        slowest: dict[str, Statement] = {}
        for one in sorted(self.statements, key=lambda found: -found.milliseconds):
            slowest.setdefault(one.text, one)
        print("\n## Slowest statements, each sent again alone with its rows read")
        for one in list(slowest.values())[: self.given.explain]:
            text = " ".join(one.text.split())
            shown = text if len(text) < 1500 else f"{text[:600]} … {text[-850:]}"
            print(
                f"\n### {one.milliseconds:.0f} ms, {one.rows} rows: {one.page}, {NAMES.get(one.who, 'HQ')}\n\n```sql\n{shown}\n```\n\n```\n{one.plan}\n```"
            )

    def _end(self, rows: list[Row]) -> None:
        if self.missing:
            print(f"\nNot there yet: {', '.join(dict.fromkeys(self.missing))}.")
        judged = [row for row in rows if row.page.has_goal and row.p95]
        over = [row for row in judged if row.p95 > row.goal]
        print(
            f"\n{len(judged) - len(over)} of {len(judged)} pages within their goal; {time.monotonic() - self.began:.0f} s; load average {os.getloadavg()[0]:.2f} at the end."
        )


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())

"""A tiny run of the bench, so that it does not rot: the data set holds together, and pages can be measured on it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench import dataset, inside
from config import load
from crm.app import create_app
from crm.commands.verify import checks
from crm.db import db
from crm.jobs import engine
from crm.policy import unscoped

TINY = 0.002


def test_the_data_set_is_true_on_both_databases(database_url: str, tmp_path: Path) -> None:
    """`flask verify` finds nothing wrong: references, scope, levels, M2, M3, M7 and M12 hold for rows written past the services."""
    built = dataset.fill(database_url, TINY)
    assert built.counts["interactions"] == 2000
    assert built.counts["pledges"] == 400
    app = create_app(load({"APP_ENV": "testing", "DATABASE_URL": database_url, "INSTANCE_PATH": str(tmp_path), **dataset.KEYS}))
    with app.app_context():
        with unscoped("the bench's rows are checked as a whole"):
            assert {name: next(check(), None) for name, check in checks(tmp_path).items()} == dict.fromkeys(checks(tmp_path))
        db.session.remove()
        db.engine.dispose()
    engine.forget_client(app)


@pytest.mark.sqlite_only
def test_the_same_seed_gives_the_same_rows(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        path = tmp_path / f"{name}.sqlite3"
        dataset.fill(f"sqlite:///{path}", TINY)
        connection = dataset.sqlite3.connect(str(path))
        statement = "SELECT id, reference, name FROM parties UNION ALL SELECT id, reference, outstanding_minor FROM pledges ORDER BY 1"
        files.append(connection.execute(statement).fetchall())
        connection.close()
    assert files[0] == files[1]


@pytest.mark.slow
def test_a_quick_run_prints_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["bench", "--scale", str(TINY), "--quick", "--only", "pledge", "--keep", str(tmp_path), "--explain", "1"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert bench.main() == 0
    printed = capsys.readouterr().out
    assert "| pledges | officer |" in printed
    assert "pages within their goal" in printed
    assert list(tmp_path.glob("*.sqlite3"))
    assert not (tmp_path / "work.sqlite3").exists()


def test_pages_that_do_not_exist_yet_are_said_so(app) -> None:
    page = bench.measure.Page(bench.measure.SEARCH, "nothing", "nowhere.index")
    assert bench.measure.address(app, page, bench.COUNTRY_OFFICER) is None


def test_a_table_that_grows_a_needed_column_is_noticed(tmp_path: Path) -> None:
    """The generator names its columns; one that is new, needed and has no default stops it with a sentence."""
    sink = dataset.SqliteSink(tmp_path / "nothing.sqlite3")
    with pytest.raises(RuntimeError, match=r"parties\.name needs a value"):
        sink.table("parties", "id office_id reference form folded_name")
    with pytest.raises(RuntimeError, match="has no"):
        sink.table("parties", "id nonsense")


def test_percentiles() -> None:
    values = [float(number) for number in range(1, 101)]
    assert bench.measure.percentile(values, 0.95) == 95
    assert bench.measure.percentile([3.0], 0.95) == 3
    assert inside.DEMO_FLOWS.exists()

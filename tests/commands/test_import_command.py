"""flask import FORMAT PATH."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.factories import fts, world


@pytest.fixture
def run(app):
    def command(*arguments):
        return app.test_cli_runner().invoke(args=["import", *map(str, arguments)])

    return command


def test_json_says_what_was_done_and_twice_changes_nothing(run):
    done = run("fts", fts.WITH_TAGS, "--office", "JOR", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert {name: said[name] for name in ("created", "updated", "unchanged", "rejected", "rejects_file")} == {
        "created": 440,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
        "rejects_file": None,
    }
    assert said["batch"]
    again = json.loads(run("fts", fts.PLAIN, "--office", "JOR", "--json").stdout)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 440)


def test_rejected_rows_are_in_a_file_and_the_exit_is_0(run, tmp_path):
    path = tmp_path / "some.csv"
    path.write_bytes(fts.file_of({}, {"date": "soon"}))
    said = json.loads(run("fts", path, "--as", world.address("grants"), "--json").stdout)
    assert (said["created"], said["rejected"]) == (1, 1)
    rejected = Path(said["rejects_file"]).read_text("utf-8-sig")
    assert rejected.splitlines()[0].startswith('"rejected row","rejected column","rejected because"')
    assert "soon" in rejected
    shown = run("fts", path, "--as", world.address("grants")).stdout
    assert "rejected   1" in shown
    assert said["rejects_file"].rsplit("/", 1)[0] in shown


def test_a_dry_run_does_nothing(run):
    said = json.loads(run("fts", fts.PLAIN, "--office", "JOR", "--dry-run", "--json").stdout)
    assert said["created"] == 440
    assert json.loads(run("fts", fts.PLAIN, "--office", "JOR", "--dry-run", "--json").stdout)["created"] == 440


def test_a_refused_file_ends_in_2_with_a_sentence(run, tmp_path):
    path = tmp_path / "empty.csv"
    path.write_bytes(b"")
    done = run("fts", path, "--office", "JOR", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["refused"] == "The file is empty."
    assert "The file is empty." in done.stderr
    wrong = run("rates", fts.PLAIN, "--office", "JOR")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "FTS funding flows" in wrong.stderr


def test_who_may_not_is_told_so(run):
    for name in ("officer", "viewer", "admin"):
        done = run("fts", fts.PLAIN, "--as", world.address(name))
        assert done.exit_code == 2
        assert "grants officer" in done.stderr
    foreign = run("fts", fts.PLAIN, "--as", world.address("grants"), "--office", "KEN")
    assert foreign.exit_code == 2


def test_system_must_say_which_office(run):
    done = run("fts", fts.PLAIN)
    assert done.exit_code == 2
    assert "--office CODE" in done.stderr
    assert run("fts", fts.PLAIN, "--office", "NONE").exit_code == 2


def test_rates(run, tmp_path):
    path = tmp_path / "rates.csv"
    path.write_text("currency,rate,date\nJOD,0.709,2026-11-01\n")
    assert json.loads(run("rates", path, "--json").stdout)["created"] == 1
    assert json.loads(run("rates", path, "--json").stdout)["unchanged"] == 1


def test_contacts_come_in_and_an_import_is_undone(run, tmp_path):
    path = tmp_path / "contacts.csv"
    path.write_text("Name,E-mail\nAna,ana@x.example\nBo,nothing\n", "utf-8")
    dry = json.loads(run("parties", path, "--office", "JOR", "--dry-run", "--json").stdout)
    assert (dry["created"], dry["rejected"]) == (1, 1)
    said = json.loads(run("parties", path, "--as", world.address("officer"), "--json").stdout)
    assert (said["created"], said["updated"], said["unchanged"], said["rejected"]) == (1, 0, 0, 1)
    assert Path(said["rejects_file"]).is_file()
    trial = run("undo", said["batch"], "--as", world.address("officer"), "--dry-run", "--json")
    assert json.loads(trial.stdout) == {"removed": 1, "reversed": 0, "restored": 0, "kept": 0, "batch": said["batch"]}
    done = run("undo", said["batch"], "--as", world.address("officer"), "--json")
    assert json.loads(done.stdout)["removed"] == 1
    again = run("undo", said["batch"], "--as", world.address("officer"))
    assert (again.exit_code, "undone before" in again.stderr) == (2, True)
    assert run("undo", said["batch"], "--as", world.address("other")).exit_code == 2
    assert run("undo", "nonsense", "--office", "JOR").exit_code == 2


def test_a_list_without_a_needed_column_is_refused_by_command(run, tmp_path):
    path = tmp_path / "contacts.csv"
    path.write_text("Wer,Was\nAna,x\n", "utf-8")
    done = run("parties", path, "--office", "JOR")
    assert done.exit_code == 2
    assert "No column gives: Name" in done.stderr
    assert run("parties", tmp_path / "absent.csv", "--office", "JOR").exit_code == 2

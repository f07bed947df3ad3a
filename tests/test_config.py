"""Settings: each is checked once, a wrong one stops the start with a sentence, no sentence gives a secret away."""

from __future__ import annotations

import ast
import os
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import config
from config import ConfigError, Development, Mail, Production, load

ROOT = Path(config.__file__).parent
STRONG, OTHER = "0f1e2d3c4b5a6978" * 4, "89ab7654cdef3210" * 4
PRODUCTION = {"APP_ENV": "production", "DATABASE_URL": "postgresql://u:p@db/tl", "SECRET_KEY": STRONG, "AUDIT_KEY": OTHER}


def refusal(environ: dict[str, str], root: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(environ, root=root)
    return str(caught.value)


def test_development_starts_from_nothing_and_keeps_the_secrets_it_made(tmp_path: Path) -> None:
    first, second = load({}, root=tmp_path), load({}, root=tmp_path)
    assert isinstance(first, Development)
    assert first == second
    assert first.database_url == f"sqlite:///{tmp_path}/instance/throughline.sqlite3"
    assert first.database_admin_url == first.database_url
    assert (first.port, first.mail, first.trusted_proxies) == (8000, None, 0)
    assert first.secret_key != first.audit_key
    for name in ("secret-key", "audit-key"):
        assert stat.S_IMODE((tmp_path / "instance" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "instance").stat().st_mode) == 0o700


def test_two_processes_that_start_together_make_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: load({}, root=tmp_path).secret_key, range(24)))
    assert len(set(made)) == 1
    assert sorted(file.name for file in (tmp_path / "instance").iterdir()) == ["audit-key", "secret-key"]


def test_a_kept_secret_that_others_could_read_is_closed_again(tmp_path: Path) -> None:
    load({}, root=tmp_path)
    file = tmp_path / "instance" / "audit-key"
    file.chmod(0o644)
    load({}, root=tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_an_emptied_secret_is_not_silently_replaced(tmp_path: Path) -> None:
    load({}, root=tmp_path)
    (tmp_path / "instance" / "audit-key").write_text("")
    assert "put back the one that was there" in refusal({}, tmp_path)


def test_nothing_is_written_when_a_setting_is_refused(tmp_path: Path) -> None:
    refusal({"PORT": "0"}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_testing_forgets_its_secrets_and_may_live_in_memory(tmp_path: Path) -> None:
    environ = {"APP_ENV": "testing", "DATABASE_URL": "sqlite://"}
    first, second = load(environ, root=tmp_path), load(environ, root=tmp_path)
    assert isinstance(first, config.Testing)
    assert first.secret_key != second.secret_key
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["DATABASE_URL", "SECRET_KEY", "AUDIT_KEY"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_production_does_not_start_without_its_secrets_and_its_database(name: str, value: str | None, tmp_path: Path) -> None:
    environ = {key: text for key, text in PRODUCTION.items() if key != name} | ({} if value is None else {name: value})
    assert refusal(environ, tmp_path) == f"{name} is not set; production does not start without it."


def test_production_sends_its_cookie_over_tls_only(tmp_path: Path) -> None:
    settings = load(PRODUCTION, root=tmp_path)
    assert isinstance(settings, Production)
    flask = settings.flask()
    assert flask["SESSION_COOKIE_SECURE"] is True
    assert flask["SESSION_COOKIE_NAME"] == "__Host-throughline"
    assert flask["TESTING"] is False
    assert load({}, root=tmp_path).flask()["SESSION_COOKIE_SECURE"] is False


@pytest.mark.parametrize("given", ["postgres://u:p%40w@h:5433/d", "postgresql://u:p%40w@h:5433/d", "postgresql+psycopg://u:p%40w@h:5433/d"])
def test_every_spelling_of_postgresql_reaches_it_by_psycopg(given: str, tmp_path: Path) -> None:
    assert load({"DATABASE_URL": given}, root=tmp_path).database_url == "postgresql+psycopg://u:p%40w@h:5433/d"


def test_a_relative_sqlite_file_lies_in_the_instance_folder(tmp_path: Path) -> None:
    settings = load({"DATABASE_URL": "sqlite:///field.db"}, root=tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path}/instance/field.db"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("APP_ENV", "prod", "APP_ENV is 'prod'; it is one of development, testing, production."),
        ("PORT", "http", "PORT is 'http'; it is a port number, a whole number from 1 to 65535."),
        ("PORT", "0", "PORT is '0'"),
        ("PORT", "65536", "PORT is '65536'"),
        ("PORT", "٨٠", "PORT is '٨٠'"),
        ("TRUSTED_PROXIES", "10.0.0.1", "TRUSTED_PROXIES is '10.0.0.1'; it is how many reverse proxies stand in front"),
        ("TRUSTED_PROXIES", "-1", "TRUSTED_PROXIES is '-1'"),
        ("INSTANCE_PATH", "data", "INSTANCE_PATH is 'data'; it is an absolute path."),
        ("INSTANCE_PATH", __file__, "is not a folder."),
        ("DATABASE_URL", "mysql://u:hunter2@h/d", "DATABASE_URL begins with 'mysql'; Throughline works with sqlite and postgresql."),
        ("DATABASE_URL", "hunter2", "DATABASE_URL is not a database address"),
        ("DATABASE_URL", "postgresql://u:hunter2@h", "DATABASE_URL names no database"),
        ("DATABASE_URL", "postgresql://u:hunter2@h:port/d", "DATABASE_URL is not a database address"),
        ("DATABASE_URL", "postgresql+asyncpg://u:hunter2@h/d", "DATABASE_URL asks for the driver 'asyncpg'"),
        ("DATABASE_URL", "sqlite://", "DATABASE_URL is not a plain SQLite file"),
        ("DATABASE_URL", "sqlite://tmp/x.db", "four slashes"),
        ("DATABASE_URL", "sqlite:////no/such/folder/x.db", "there is no such folder"),
        ("DATABASE_ADMIN_URL", "postgresql://u:hunter2@h/d", "leads to another database"),
        ("SECRET_KEY", "short", "SECRET_KEY is too weak"),
        ("SECRET_KEY", "a" * 64, "SECRET_KEY is too weak"),
        ("AUDIT_KEY", "change-me-to-something-long-and-random", "AUDIT_KEY looks like a placeholder"),
        ("MAIL_URL", "mail.example.org", "MAIL_URL begins with ''; it is smtp, smtps or file."),
        ("MAIL_URL", "smtp://u:hunter2@h", "MAIL_URL does not say whom e-mail comes from"),
        ("MAIL_URL", "smtp://?from=a@b", "MAIL_URL names no mail server"),
        ("MAIL_URL", "smtp://h:x?from=a@b", "MAIL_URL is not an address"),
        ("MAIL_URL", "smtp://h?from=a@b&tls=no", "MAIL_URL holds 'tls'"),
        ("MAIL_URL", "file://host/folder", "MAIL_URL is not a folder"),
    ],
)
def test_an_unusable_value_stops_the_start_with_a_sentence(name: str, value: str, sentence: str, tmp_path: Path) -> None:
    said = refusal({name: value}, tmp_path)
    assert sentence in said
    assert "hunter2" not in said
    assert said.endswith(".")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("THROUGHLINE_PORT", "Did you mean PORT?"),
        ("THROUGHLINE_COLOUR", "Settings have no prefix."),
        ("DATABSE_URL", "Did you mean DATABASE_URL?"),
        ("DATABASE_URI", "Did you mean DATABASE_URL?"),
        ("SECRET_KEYS", "Did you mean SECRET_KEY?"),
        ("database_url", "Did you mean DATABASE_URL?"),
    ],
)
def test_a_misspelt_setting_stops_the_start_instead_of_being_ignored(name: str, hint: str, tmp_path: Path) -> None:
    assert refusal({name: "x"}, tmp_path) == f"{name} is not a setting of Throughline. {hint}"


def test_other_programmes_variables_are_none_of_our_business(tmp_path: Path) -> None:
    others = ("TEST_DATABASE_URL", "PATH", "EMAIL_URL", "FLASK_APP", "NODE_ENV", "APP", "DATABASE", "SUPPORT", "SECRET_KEY_BASE", "GPG_KEY")
    load(dict.fromkeys(others, "x"), root=tmp_path)


def test_all_wrong_settings_are_named_at_once(tmp_path: Path) -> None:
    assert len(refusal({"APP_ENV": "x", "PORT": "x", "MAIL_URL": "x", "DATABASE_URL": "x"}, tmp_path).splitlines()) == 4


def test_one_key_must_not_serve_as_both(tmp_path: Path) -> None:
    assert refusal({"SECRET_KEY": STRONG, "AUDIT_KEY": STRONG}, tmp_path).startswith("AUDIT_KEY is the same as SECRET_KEY")


def test_the_owner_of_the_database_may_differ_in_user_and_host_only(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": "postgresql://app@pool:6432/tl", "DATABASE_ADMIN_URL": "postgres://owner@db/tl"}
    assert load(environ, root=tmp_path).database_admin_url == "postgresql+psycopg://owner@db/tl"
    assert "another database" in refusal({**environ, "DATABASE_ADMIN_URL": "postgres://owner@db/other"}, tmp_path)


@pytest.mark.parametrize(
    ("value", "mail"),
    [
        (
            "smtp://u:p%40w@mail.example.org?from=crm@example.org",
            Mail(sender="crm@example.org", host="mail.example.org", port=587, user="u", password="p@w", is_starttls=True),
        ),
        ("smtps://mail.example.org?from=a@b.org", Mail(sender="a@b.org", host="mail.example.org", port=465, is_tls=True)),
        ("smtp://localhost:1025?from=a@b.org", Mail(sender="a@b.org", host="localhost", port=1025)),
        ("file:///var/mail/out", Mail(sender="throughline@localhost", folder=Path("/var/mail/out"))),
    ],
)
def test_mail_crosses_a_network_encrypted_or_not_at_all(value: str, mail: Mail, tmp_path: Path) -> None:
    assert load({"MAIL_URL": value}, root=tmp_path).mail == mail


def test_a_printed_configuration_shows_no_secret(tmp_path: Path) -> None:
    settings = load({**PRODUCTION, "MAIL_URL": "smtp://u:hunter2@h?from=a@b"}, root=tmp_path)
    for secret in (STRONG, OTHER, "u:p@", "hunter2"):
        assert secret not in repr(settings)


def test_the_start_of_a_process_ends_in_sentences_not_in_a_traceback(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "PORT": "x", "INSTANCE_PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, str(ROOT / "config.py")], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == ("Throughline did not start:\nPORT is 'x'; it is a port number, a whole number from 1 to 65535.\n")
    environ |= {"PORT": "81", "DATABASE_URL": "postgresql://u:hunter2@h/d"}
    done = subprocess.run([sys.executable, str(ROOT / "config.py")], env=environ, capture_output=True, text=True, check=True)
    assert "hunter2" not in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(config.SETTINGS)


def test_every_setting_has_its_row_in_the_operations_guide() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert set(config.SETTINGS) <= set(rows)


def test_settings_stand_on_nothing_of_ours() -> None:
    tree = ast.parse(Path(config.__file__).read_text())
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name.split(".")[0] for name in names}.isdisjoint({"crm", "reports", "wsgi", "flask"})

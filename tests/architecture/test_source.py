"""The house rules that can be read off the source: ways round the scope, commits, templates, unfinished words, docs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from config import SETTINGS
from crm.models.users import ROLES

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*sorted((ROOT / "crm").rglob("*.py")), *sorted((ROOT / "reports").rglob("*.py"))]
OURS = [path for path in SOURCES if "migrations" not in path.parts]
TEMPLATES = [*sorted((ROOT / "templates").rglob("*.html")), *sorted((ROOT / "reports" / "templates").rglob("*.html"))]

UNSCOPED_REASONS = {
    "a person's own password, and the tries to guess it",
    "an address is unique over all offices",
    "sign-in",
    "keys follow the names of their party",
    "--as on the command line",
    "commands find their office",
    "who asked for background work",
    "readiness",
    "migrations",
    "rights change at once: the sessions of a changed person end",
    "verify looks at every record",
    "nobody changes a person who holds more somewhere else",
    "search entries follow their records",
    "the history of code lists belongs to no office",
    "whoever keeps an office knows its history",
    "whether an office has money on record",
    "an entry of a code list may be in use in any office",
    "what an import made may be in use in another office",
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(path: Path):
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("path", OURS, ids=name)
def test_nothing_goes_round_the_row_scope(path):
    """trust.md section 3: text(), from_statement, session.connection(), Core selects on tables, bulk inserts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            banned = {"text"} if name(path) == "crm/db.py" else {"text", "insert"}  # there in write_following alone
            assert not {alias.name for alias in node.names} & banned, f"{name(path)} imports a way round the scope"
        if isinstance(node, ast.Attribute) and name(path) != "crm/db.py" and name(path) != "crm/models/base.py":
            banned = {"from_statement", "__table__", "bulk_insert_mappings", "bulk_update_mappings", "bulk_save_objects", "exec_driver_sql"}
            assert node.attr not in banned, f"{name(path)} uses {node.attr}"
    for call in calls(path):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "connection" and name(path) != "crm/migrations/env.py":
            owner = ast.unparse(call.func.value)
            assert "session" not in owner, f"{name(path)} opens a connection beside the scope"


def test_rows_beside_the_session_are_history_search_words_and_keys_only(context):
    from crm.db import Base, db, write_following
    from crm.errors import ProgrammingError
    from crm.models.parties import Party

    following = {mapper.class_.__tablename__ for mapper in Base.registry.mappers if getattr(mapper.class_, "__follows__", False)}
    assert following == {"audit_entries", "audit_values", "search_entries", "party_keys"}
    with pytest.raises(ProgrammingError):
        write_following(db.session(), Party, [{"name": "x"}])


@pytest.mark.parametrize("path", OURS, ids=name)
def test_only_db_py_commits(path):
    if name(path) == "crm/db.py":
        return
    for call in calls(path):
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("commit", "begin_nested"):
            pytest.fail(f"{name(path)} calls {ast.unparse(call.func)}")


def test_unscoped_work_is_the_reviewed_list():
    found = set()
    for path in SOURCES:
        for call in calls(path):
            if ast.unparse(call.func).endswith("unscoped") and call.args:
                assert isinstance(call.args[0], ast.Constant), f"{name(path)}: the reason is written out"
                found.add(call.args[0].value)
    assert found <= UNSCOPED_REASONS, found - UNSCOPED_REASONS


def test_no_import_inside_a_function():
    for path in OURS:
        if name(path) == "reports/_render_child.py":
            continue  # a process of its own, which asks for what Windows does not have
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [child for child in ast.walk(node) if isinstance(child, ast.Import | ast.ImportFrom)]
                assert not inner, f"{name(path)}:{inner[0].lineno} imports inside {node.name}" if inner else ""


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_templates_hold_no_unsafe_markup_and_no_role(path):
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)
    assert not re.search(r"\|\s*safe\b", text)
    assert not re.search(r"<[^>{]*\sstyle\s*=", text), "inline style"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "inline handler"
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "inline script"
    assert not re.search(r"https?://(?!www\.w3\.org)", text), "another host"
    for role in ROLES:
        assert f"'{role}'" not in text, "a role name"
        assert f'"{role}"' not in text, "a role name"


def test_styles_are_logical_and_name_no_other_host():
    for path in (ROOT / "crm" / "static" / "css").rglob("*.css"):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"(margin|padding|border)-(left|right)\s*:", text), path.name
        assert not re.search(r"text-align:\s*(left|right)|float:\s*(left|right)", text), path.name
        assert "http" not in text, path.name


def test_no_unfinished_word_is_left():
    for path in [*OURS, *TEMPLATES]:
        text = path.read_text(encoding="utf-8")
        for word in ("TODO", "FIXME", "XXX", "raise NotImplementedError"):
            assert word not in text, f"{word} in {name(path)}"


def test_every_setting_is_in_the_operations_guide():
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [setting for setting in SETTINGS if setting not in guide] == []


@pytest.mark.sqlite_only
def test_every_command_is_in_the_operations_guide(app):
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    names = [
        f"flask {key} {inner}".strip()
        for key, command in app.cli.commands.items()
        if key not in ("db", "run", "shell", "routes")
        for inner in (getattr(command, "commands", {}) or [""])
    ]
    missing = [name for name in names if name not in guide]
    assert missing == []


@pytest.mark.parametrize("path", OURS, ids=name)
def test_every_module_says_what_belongs_there(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), name(path)

"""The WSGI entry under a server that loads the application once and forks: memory is shared, connections and keys are not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
FORKING = """
import json, os
from contextlib import closing
from crm.db import db, new_id
from wsgi import app

def seen():
    with app.app_context(), closing(db.engine.raw_connection()) as connection:
        return connection.info.setdefault("opened by", os.getpid()), str(new_id())

parent = seen()
reader, writer = os.pipe()
child = os.fork()
if not child:
    os.write(writer, json.dumps(seen()).encode())
    os._exit(0)
os.waitpid(child, 0)
print(json.dumps([parent, json.loads(os.read(reader, 1000)), seen()]))
"""

LOADING = """
import json, threading
from pathlib import Path
from sqlalchemy import event
from sqlalchemy.pool import Pool

opened = []
event.listen(Pool, "connect", lambda *_: opened.append(1))
import wsgi
tasks = Path("/proc/self/task")
print(json.dumps([len(opened), len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()]))
"""
SAVING = """
import json, os, signal
from contextlib import closing
from crm.db import db
from wsgi import app

def send(*statements):
    with app.app_context(), closing(db.engine.raw_connection()) as connection:
        return [connection.cursor().execute(each).fetchall() for each in statements][-1]

send("CREATE TABLE saved (number INTEGER)")
begun, told = os.pipe(), os.pipe()
child = os.fork()
if not child:
    send("INSERT INTO saved VALUES (1)")
    os.write(begun[1], b"x")
    os.read(told[0], 1)
    send("INSERT INTO saved VALUES (2)")
    os.kill(os.getpid(), signal.SIGKILL)
os.read(begun[0], 1)
with app.app_context():
    db.engine.dispose()
os.write(told[1], b"x")
os.waitpid(child, 0)
print(json.dumps(send("SELECT number FROM saved ORDER BY number")))
"""


def _run(program: str, settings_environ: dict[str, str]) -> Any:
    environment = {**os.environ, **settings_environ, "APP_ENV": "production"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_loading_opens_no_connection_and_starts_no_thread(settings_environ: dict[str, str]) -> None:
    """Neither survives a fork as it is: whoever reads the database while the application loads shares a file and its locks."""
    assert _run(LOADING, settings_environ) == [0, 1]


@pytest.mark.sqlite_only
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_what_a_forked_process_saves_stays_though_its_parent_had_read_before(settings_environ: dict[str, str]) -> None:
    """SQLite: the parent, closing the last connection that it knows of, threw away what a killed child had saved."""
    assert _run(SAVING, settings_environ) == [[1], [2]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_uses_no_connection_and_no_key_of_its_parent(settings_environ: dict[str, str]) -> None:
    parent, child, afterwards = _run(FORKING, settings_environ)
    assert child[0] != parent[0], "the child spoke through a connection that its parent had opened"
    assert afterwards[0] == parent[0], "the parent lost its connection to what the child did"
    # The end of a key is drawn at random; its beginning is the time, which differs anyway.
    assert child[1][-12:] != afterwards[1][-12:], "the child drew the numbers that its parent drew next"

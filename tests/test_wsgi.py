"""The WSGI entry under a server that loads the application once and forks: memory is shared, connections and keys are not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_uses_no_connection_and_no_key_of_its_parent(settings_environ: dict[str, str]) -> None:
    environment = {**os.environ, **settings_environ, "APP_ENV": "production"}
    done = subprocess.run([sys.executable, "-c", FORKING], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parent, child, afterwards = json.loads(done.stdout)
    assert child[0] != parent[0], "the child spoke through a connection that its parent had opened"
    assert afterwards[0] == parent[0], "the parent lost its connection to what the child did"
    assert len({parent[1], child[1], afterwards[1]}) == 3

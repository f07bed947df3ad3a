"""`make run`: from an environment that is there to a server that answers; run by .venv's Python.

Migrates, loads the demo into an empty database, builds the sample pack, serves until Ctrl-C. Doing it twice does no harm.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config import Config, load_or_stop  # noqa: E402 - the tree is not installed: its root comes first

HOST = "127.0.0.1"
START_SECONDS = 60
STOP_SECONDS = 15
#: A background worker that ends by itself is started again, but not more often than this.
RESTART_SECONDS = 10
# Is there any record? And which commands exist? Asked in one process, since each takes a second to start.
_LOOK = """
import json
from sqlalchemy import create_engine, inspect, text
from crm.db import engine_options
from wsgi import app
url = app.config["DATABASE_ADMIN_URL"]
with create_engine(url, **engine_options(url)).connect() as connection:
    tables = inspect(connection).get_table_names()
    empty = not any(
        connection.execute(text(f"SELECT 1 FROM {table} LIMIT 1")).first() for table in ("offices", "users") if table in tables
    )
print(json.dumps({"empty": empty, "commands": sorted(app.cli.commands)}))
"""
# Who the demonstration's people are: name, role and office by address.
_PEOPLE = """
import json
from sqlalchemy import create_engine, text
from crm.db import engine_options
from wsgi import app
url = app.config["DATABASE_ADMIN_URL"]
with create_engine(url, **engine_options(url)).connect() as connection:
    rows = connection.execute(text(
        "SELECT u.email, u.name, m.role, o.name FROM users u JOIN memberships m ON m.user_id = u.id JOIN offices o ON o.id = m.office_id"
    )).all()
print(json.dumps({email: [name, role.replace("-", " "), office] for email, name, role, office in rows}))
"""


class Stop(Exception):
    """Somebody asked the server to end."""


def say(text: str = "") -> None:
    print(text, flush=True)


def main() -> int:
    settings = load_or_stop()
    if settings.environment == "testing":
        sys.exit("APP_ENV is 'testing', which is not for serving people; leave it out or set it to production.")
    os.chdir(ROOT)
    wants_demo = os.environ.get("DEMO", "1") not in {"0", "no", "false"} and settings.environment == "development"
    _refuse_taken_port(settings.port)
    _flask("Bringing the database up to date", "db", "upgrade", needed=True)
    _flask("Exchange rates", "rates", "load", needed=True)
    state = json.loads(_python(_LOOK).splitlines()[-1])
    is_empty = bool(state["empty"])
    if is_empty and wants_demo:
        is_empty = _flask("Loading the demo", "demo", "load") is None
    pack = _sample_pack(settings) if _access(settings) else None
    people = _people(settings)
    return _serve(settings, has_worker="worker" in state["commands"], is_empty=is_empty, pack=pack, people=people)


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            sys.exit(f"Port {port} cannot be used ({error.strerror}). Take another one, for example: make run PORT={port + 1}")


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"Throughline could not look into its database:\n{_end_of(done)}")
    return done.stdout


def _flask(doing: str, *arguments: str, needed: bool = False) -> str | None:
    """Run a command of ours; its output, or None when it failed. A needed one that fails ends the start."""
    say(f"{doing} …")
    done = subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.returncode:
        return done.stdout
    text = f"`flask {' '.join(arguments)}` did not work:\n{_end_of(done)}"
    if needed:
        sys.exit(text)
    say(f"{text}\nThroughline goes on without it.")
    return None


def _end_of(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr.strip() or done.stdout.strip())[-3000:]


def _access(settings: Config) -> list[str]:
    file = settings.instance_path / "demo-access.txt"
    return [line for line in file.read_text().splitlines() if line.strip()] if file.exists() else []


def _people(settings: Config) -> list[str]:
    """A line for each demo person: address and password as they are kept, then name, role and office where the database knows them."""
    kept = [line.split("\t") for line in _access(settings)]
    if not kept:
        return []
    known = json.loads(_python(_PEOPLE).splitlines()[-1])
    rows = [(address, *rest, ", ".join(known.get(address, ()))) for address, *rest in kept]
    widths = [max(len(row[place]) for row in rows if place < len(row)) for place in range(max(map(len, rows)))]
    return ["  ".join(text.ljust(widths[place]) for place, text in enumerate(row)).rstrip() for row in rows]


def _sample_pack(settings: Config) -> str | None:
    """The path of the one sample briefing pack, built when it is not there yet."""
    note = settings.instance_path / "sample-pack.txt"
    if note.exists() and Path(note.read_text().strip()).is_file():
        return note.read_text().strip()
    printed = _flask("Building a sample briefing pack", "demo", "sample-pack")
    lines = [line.strip() for line in (printed or "").splitlines() if line.strip()]
    if not lines:
        return None
    path = next((line for line in reversed(lines) if Path(line).is_file()), lines[-1])
    if Path(path).is_file():
        path = str(Path(path).resolve())
        note.write_text(path + "\n")
    return path


# --- serving -------------------------------------------------------------------------------------------------------


def _server_command(port: int) -> list[str]:
    if os.name == "nt":
        return [sys.executable, "-m", "waitress", f"--listen={HOST}:{port}", "--threads=8", "wsgi:app"]
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", f"--bind={HOST}:{port}", "--worker-class=gthread", "--preload"]
    command += ["--workers=2", "--threads=4", "--timeout=120", "--graceful-timeout=10", "--log-level=warning", "--no-control-socket"]
    # The workers' sign of life is a file: on a slow disk it would make a healthy worker look dead.
    return [*command, "--worker-tmp-dir=/dev/shm"] if os.access("/dev/shm", os.W_OK) else command  # noqa: S108


def _serve(settings: Config, *, has_worker: bool, is_empty: bool, pack: str | None, people: list[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _asked_to_stop)
    children: list[subprocess.Popen[bytes]] = []
    try:
        children.append(subprocess.Popen(_server_command(settings.port), cwd=ROOT, stdin=subprocess.DEVNULL))
        if has_worker:
            children.append(_start_worker())
        _wait_until_it_answers(children[0], settings.port)
        _greet(settings, is_empty=is_empty, pack=pack, people=people)
        started = time.monotonic()
        while children[0].poll() is None:
            time.sleep(0.5)
            if has_worker and children[1].poll() is not None and time.monotonic() - started >= RESTART_SECONDS:
                say(f"The background worker ended by itself (exit {children[1].returncode}); it is started again.")
                children[1], started = _start_worker(), time.monotonic()
        say(f"The server ended by itself (exit {children[0].returncode}).")
    except Stop:
        say("\nStopping …")
        return 0
    else:
        return 1
    finally:
        _end(children)


def _start_worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "flask", "worker"], cwd=ROOT, stdin=subprocess.DEVNULL)


def _asked_to_stop(_number: int, _frame: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not cut the orderly end short
    raise Stop


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_until_it_answers(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while server.poll() is None and time.monotonic() < deadline:
        # Any answer will do here: whether it is well is /readyz's matter.
        with contextlib.suppress(OSError):
            try:
                opener.open(f"http://{HOST}:{port}/healthz", timeout=2).close()
            except urllib.error.HTTPError as error:
                error.close()
            return
        time.sleep(0.1)


def _greet(settings: Config, *, is_empty: bool, pack: str | None, people: list[str]) -> None:
    rule = "-" * min(shutil.get_terminal_size().columns, 78)
    say(rule)
    say(f"Throughline: http://{HOST}:{settings.port}")
    if people:
        say("\nDemo people (address, password, who they are; the demo is made up, and so are they):")
        for line in people:
            say(f"  {line}")
    if pack:
        say(f"\nA sample briefing pack: {pack}")
    if is_empty:
        say("\nThe database is empty. In another terminal, make the first office and its first person:")
        say('  .venv/bin/flask offices create HQ --name "Head office" --kind hq --currency USD --timezone UTC')
        say("  .venv/bin/flask users create you@example.org --role administrator --office HQ")
        say("The second command asks for a password (12 characters or more; it is not shown). Without a terminal, pipe it in:")
        say("  … users create you@example.org --role administrator --office HQ --password-stdin < file-with-the-password")
        say("An administrator sets up offices and people and sees no records; --role office-head works with records too.")
    say("\nCtrl-C ends it.")
    say(rule)


if __name__ == "__main__":
    sys.exit(main())

"""A PostgreSQL server of the tests' own, from this machine's binaries; nothing here knows pytest.

Run as a command it is the keeper: it starts the server and ends it when told to (SIGTERM) or when the test run is gone.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

# Owns what the tests make. Not a superuser: row security must hold for an owner too, and migrations must do without.
OWNER = "throughline_owner"
START_SECONDS = 60
STOP_SECONDS = 20
_ROOM = 2 * 1024**3
_READY, _FAILED = "ready", "failed"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "lc_messages": "C",
}


def binaries() -> Path | None:
    """The folder of the newest PostgreSQL on this machine, or None."""
    found = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if (folder / "initdb").exists()]
    if found:
        return max(found, key=lambda folder: float(folder.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def why_not() -> str:
    """A sentence when no server can be started here, else an empty string."""
    if binaries() is None:
        return "no PostgreSQL here: set TEST_DATABASE_URL or install the package postgresql"
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return "PostgreSQL refuses to run as root, and setpriv, which changes that, is not here"
    return ""


def quick_folder() -> str | None:
    """Memory, where there is room: copying a template took 14 ms there and 100-450 ms on a slow disk. None = the usual place."""
    memory = Path("/dev/shm")  # noqa: S108 - the folders made there have random names and closed doors
    try:
        if os.access(memory, os.W_OK | os.X_OK) and shutil.disk_usage(memory).free >= _ROOM:
            return str(memory)
    except OSError:
        pass
    return None


def start(watched: int) -> tuple[str, Path]:
    """Start a keeper with its server; it ends when the process `watched` is gone. Returns the address and the folder for `stop`."""
    # Not below pytest's folder: this is short enough for a socket's path, and open to the user nobody.
    folder = Path(tempfile.mkdtemp(prefix="throughline-pg-", dir=quick_folder()))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    keeper = subprocess.Popen(
        [sys.executable, __file__, str(folder), str(port), str(watched)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches pytest, which then ends the server in order
        cwd="/",
    )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (folder / _READY).exists():
            (folder / "keeper").write_text(str(keeper.pid))
            keeper.returncode = 0  # it outlives this process on purpose; whoever ends the run calls stop()
            return f"postgresql+psycopg://{OWNER}@127.0.0.1:{port}/postgres", folder
        if (folder / _FAILED).exists() or keeper.poll() is not None:
            break
        time.sleep(0.02)
    reason = (folder / _FAILED).read_text() if (folder / _FAILED).exists() else "no answer"
    if keeper.poll() is None:
        keeper.terminate()
    keeper.wait(timeout=STOP_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
    message = f"PostgreSQL did not start: {reason}"
    raise RuntimeError(message)


def stop(folder: Path) -> None:
    """End the keeper of `folder` and with it its server; the folder is gone afterwards."""
    try:
        pid = int((folder / "keeper").read_text())
        if str(folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():  # the number may be another's by now
            os.kill(pid, signal.SIGTERM)
    except (OSError, ValueError):
        return
    deadline = time.monotonic() + STOP_SECONDS + 5
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)


# --- the keeper ----------------------------------------------------------------------------------------------------


def _as_nobody(folder: Path) -> list[str]:
    if os.geteuid() != 0:
        return []
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]


def _launch(folder: Path, port: int) -> subprocess.Popen[bytes]:
    where, prefix, data = binaries(), _as_nobody(folder), folder / "data"
    if where is None:
        raise RuntimeError(why_not())
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "HOME": str(folder), "TZ": "UTC"}
    made = subprocess.run(
        [*prefix, str(where / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise RuntimeError(f"initdb: {made.stderr.strip() or made.stdout.strip()}")
    settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(folder)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*prefix, str(where / "postgres"), "-D", str(data), *options],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _greet(server, folder, port)
    except BaseException:
        _end(server)
        raise
    return server


def _greet(server: subprocess.Popen[bytes], folder: Path, port: int) -> None:
    """Wait until the server answers, and make the owner."""
    while True:
        if server.poll() is not None:
            raise RuntimeError((folder / "log").read_text(errors="replace")[-2000:])
        try:
            with psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE NOSUPERUSER NOBYPASSRLS".encode())
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return


def _end(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        try:
            server.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _keep(folder: Path, port: int, watched: int) -> None:
    told: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    try:
        server = _launch(folder, port)
    except (OSError, RuntimeError, psycopg.Error) as error:
        (folder / _FAILED).write_text(str(error))
        return  # start() removes the folder once it has read why
    (folder / _READY).touch()
    while not told and _is_there(watched) and server.poll() is None:
        time.sleep(0.1)
    _end(server)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

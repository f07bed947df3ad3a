"""Throughline under gunicorn on a loopback port, and a small client that behaves as a browser with a kept connection."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import lxml.html

from bench.dataset import KEYS, PASSWORD, ROOT

HOST = "127.0.0.1"
START_SECONDS = 60
FORM = "application/x-www-form-urlencoded"


@dataclass
class Server:
    """A running server: 2 workers of 4 threads, as `make run` starts it."""

    process: subprocess.Popen[bytes]
    port: int

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        children: list[int] = []
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(OSError):
                children += [int(pid) for pid in (task / "children").read_text().split()]
        return children

    def processor(self) -> float:
        """Seconds of processor that the workers have used: says more than time on the wall where others share the machine."""
        used = 0
        for pid in self.workers():
            for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError):
                    used += int(task.read_text().split()[0])
        return used / 1e9

    def memory(self) -> list[float]:
        """Proportional set size of each worker, in MB."""
        found = []
        for pid in self.workers():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                found.append(int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) / 1024)  # type: ignore[index]
        return found


@contextlib.contextmanager
def serve(url: str, folder: Path) -> Iterator[Server]:
    """Start a server on a database; ends it, and only it, afterwards."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "wsgi:app",
        f"--bind={HOST}:{port}",
        "--worker-class=gthread",
        "--preload",
        "--workers=2",
        "--threads=4",
    ]
    command += ["--timeout=120", "--graceful-timeout=10", "--log-level=warning", "--no-control-socket", "--worker-tmp-dir=/dev/shm"]
    environment = {**os.environ, "APP_ENV": "production", "DATABASE_URL": url, "INSTANCE_PATH": str(folder), **KEYS}
    for name in ("DATABASE_ADMIN_URL", "MAIL_URL", "TRUSTED_PROXIES", "PORT"):
        environment.pop(name, None)
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with contextlib.closing(Client(port)) as client:
                    if client.get("/healthz").status == 200:
                        break
            except OSError:
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                message = f"the server did not start: {(folder / 'server.log').read_text(errors='replace')[-2000:]}"
                raise RuntimeError(message)
            time.sleep(0.1)
        yield Server(process, port)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Answer:
    """What came back; `seconds` from the first byte sent to the last byte read, `first` to the first byte read."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float
    first: float

    @property
    def zipped(self) -> int:
        """Size of the body as gzip would send it (a proxy's work: the application itself does not compress)."""
        return len(gzip.compress(self.body, 6, mtime=0))


@dataclass
class Client:
    """One connection with its cookies."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    _connection: http.client.HTTPConnection | None = None

    def copy(self) -> Client:
        """The same person on another connection."""
        return Client(self.port, dict(self.cookies))

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def post(self, path: str, fields: list[tuple[str, str]]) -> Answer:
        return self.send("POST", path, urlencode(fields).encode())

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request; a connection the server closed meanwhile is opened again, once."""
        headers = {"Host": f"{HOST}:{self.port}", "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = FORM
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(HOST, self.port, timeout=120)
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            began = time.perf_counter()
            try:
                self._connection.request(method, path, body, headers)
                response = self._connection.getresponse()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.close()
                if attempt == 2:
                    raise
        start = response.read(1)
        first = time.perf_counter() - began
        rest = response.read()
        seconds = time.perf_counter() - began
        for value in response.headers.get_all("Set-Cookie") or []:
            name, _, rest_of = value.partition("=")
            self.cookies[name] = rest_of.split(";", 1)[0]
        if response.headers.get("Connection", "").lower() == "close":
            self.close()
        return Answer(response.status, {key.lower(): value for key, value in response.headers.items()}, start + rest, seconds, first)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def sign_in(self, email: str) -> None:
        """Sign in; raises where that fails."""
        path, fields = form_of(self.get("/sign-in").body, "/sign-in")
        answer = self.post(path, merge(fields, {"email": email, "password": PASSWORD}))
        if answer.status not in {302, 303}:
            message = f"{email} could not sign in: {answer.status}"
            raise RuntimeError(message)


def form_of(page: bytes, path: str) -> tuple[str, list[tuple[str, str]]]:
    """The address and prefilled fields of a page's main form, without its buttons."""
    tree = lxml.html.document_fromstring(page)
    forms = [form for form in tree.forms if form.method.upper() == "POST" and "sign-out" not in (form.action or "")]
    if not forms:
        message = f"no form on {path}"
        raise LookupError(message)
    return forms[0].action or path, [(name, value or "") for name, value in forms[0].form_values()]


def merge(fields: list[tuple[str, str]], given: dict[str, str]) -> list[tuple[str, str]]:
    """Prefilled fields with some of them typed anew."""
    return [*((name, value) for name, value in fields if name not in given), *given.items()]


def load(clients: list[Client], path: str, each: int, most_seconds: float) -> tuple[float, int]:
    """Requests a second over several connections at once, and how many answers were not 200."""
    done: list[int] = []
    bad: list[int] = []
    stop = time.perf_counter() + most_seconds

    def ask(client: Client) -> None:
        for _number in range(each):
            if time.perf_counter() > stop:
                return
            (done if client.get(path).status == 200 else bad).append(1)

    threads = [threading.Thread(target=ask, args=(client,)) for client in clients]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done) / (time.perf_counter() - began), len(bad)

"""A real server (gunicorn, SQLite file) and a real Chromium. Skipped, with one clear line, where the machine has no browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest_database import TEST_KEYS

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Site:
    """A running site: its address, its folder, and the people who can sign in (address -> password)."""

    url: str
    folder: Path
    people: dict[str, str]

    def sign_in(self, page: Page, email: str) -> None:
        page.goto(f"{self.url}/sign-in")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(self.people[email])
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda address: "/sign-in" not in address)


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")}
    return {**kept, "APP_ENV": "development", "INSTANCE_PATH": str(folder), **TEST_KEYS}


def flask(folder: Path, *arguments: str, typed: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env=environment(folder),
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def serve(folder: Path) -> tuple[str, subprocess.Popen[bytes]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "wsgi:app",
        f"--bind=127.0.0.1:{port}",
        "--worker-class=gthread",
        "--preload",
        "--workers=1",
        "--threads=4",
    ]
    command += ["--log-level=warning", "--timeout=120", "--no-control-socket"]
    log = (folder / "server.log").open("wb")
    process = subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=log, stderr=log)
    log.close()
    url = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2):  # noqa: S310 - our own server
                return url, process
        except OSError:
            assert process.poll() is None, (folder / "server.log").read_text()
            time.sleep(0.1)
    process.terminate()
    message = "the server did not answer"
    raise AssertionError(message)


def running(folder: Path, people: dict[str, str]) -> Iterator[Site]:
    url, process = serve(folder)
    try:
        yield Site(url, folder, people)
    finally:
        process.terminate()
        process.wait(30)


def people_of(folder: Path) -> dict[str, str]:
    lines = (folder / "demo-access.txt").read_text().splitlines()
    return dict(line.split("\t") for line in lines)


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration, served."""
    folder = tmp_path_factory.mktemp("demo")
    flask(folder, "db", "upgrade")
    flask(folder, "demo", "load")
    yield from running(folder, people_of(folder))


@pytest.fixture(scope="session")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An office started empty: rates, one office, one head; everything else is typed in."""
    folder = tmp_path_factory.mktemp("empty")
    flask(folder, "db", "upgrade")
    flask(folder, "rates", "load")
    flask(folder, "offices", "create", "HQ", "--name", "Headquarters", "--kind", "hq", "--currency", "USD")
    flask(
        folder,
        "offices",
        "create",
        "ABC",
        "--name",
        "Country Office Abc",
        "--kind",
        "country",
        "--parent",
        "HQ",
        "--currency",
        "JOD",
        "--timezone",
        "Asia/Amman",
    )
    people = {"head@abc.example": "seven green lanterns", "grants@abc.example": "eight blue lanterns"}
    for (email, password), role in zip(people.items(), ("office-head", "grants-officer"), strict=True):
        flask(folder, "users", "create", email, "--role", role, "--office", "ABC", "--password-stdin", typed=password + "\n")
    yield from running(folder, people)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A desktop page that fails the test on any script error."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    made = context.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.on("console", lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None)
    yield made
    context.close()
    assert errors == []

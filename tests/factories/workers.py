"""Real background workers for tests: processes of `flask worker`, started, watched, killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 300


class WorkerProcess:
    """One `flask worker`; whoever needs it waits until it is ready."""

    def __init__(self, environ: dict[str, str], folder: Path, name: str) -> None:
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "worker"],
                cwd=ROOT,
                env={**os.environ, **environ, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    def ready(self) -> WorkerProcess:
        wait_until(lambda: " is ready" in self.said() or self.process.poll() is not None, START_SECONDS)
        assert self.process.poll() is None, self.said()
        return self

    @property
    def place(self) -> str:
        return self.said().partition("Background worker ")[2].partition(" ")[0]

    def said(self) -> str:
        return self.log.read_text()

    def kill(self) -> None:
        """As the system does when memory is short, or the power goes."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def end(self) -> int:
        """Ask it to end: its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def wait_until(is_so: Callable[[], Any], seconds: float = 60, *, every: float = 0.05) -> float:
    """Wait until something is so: the seconds it took."""
    started = time.monotonic()
    while not is_so():
        assert time.monotonic() - started < seconds, "it did not come to be so"
        time.sleep(every)
    return time.monotonic() - started

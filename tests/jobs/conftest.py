"""Real workers for tests of background work."""

from __future__ import annotations

import pytest

from tests.factories.workers import WorkerProcess


@pytest.fixture
def start(settings_environ, tmp_path):
    """`start()`: a real worker on the test's database; all of them end with the test."""
    started = []

    def make() -> WorkerProcess:
        started.append(WorkerProcess(settings_environ, tmp_path, f"worker-{len(started)}"))
        return started[-1]

    yield make
    for worker in started:
        if worker.process.poll() is None:
            worker.kill()

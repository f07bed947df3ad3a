"""Make the environment that Throughline needs: .venv, the pinned requirements, the system's libraries.

Runs on a bare Python with nothing installed: the standard library only. Quick when all is there. `--dev` adds the tools of tests.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
OLDEST = (3, 11)
# What WeasyPrint opens by name, and the Debian package that brings it.
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
    "libfontconfig.so.1": "fontconfig",
}


def say(text: str) -> None:
    print(text, flush=True)


def venv_python() -> Path:
    """The interpreter of .venv."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def main(arguments: list[str]) -> None:
    if sys.version_info < OLDEST:
        sys.exit(f"Throughline needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is {sys.version.split()[0]} ({sys.executable}).")
    if extra := set(arguments) - {"--dev"}:
        sys.exit(f"{sys.argv[0]}: {' '.join(sorted(extra))} is not understood; only --dev is.")
    with _alone():
        _system()
        _venv()
        _requirements("requirements-dev.txt" if "--dev" in arguments else "requirements.txt")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two starts at once take turns (where the system can lock a folder)."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield
        return
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _system() -> None:
    """What only the system can give: libraries for the PDFs, and on Debian the module that makes environments."""
    missing = [package for library, package in LIBRARIES.items() if not _opens(library)] if sys.platform == "linux" else []
    if shutil.which("fc-list") is None and sys.platform == "linux":
        missing.append("fontconfig")
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        missing.append(_venv_package())
    missing = sorted(set(missing))
    if not missing:
        return
    apt = shutil.which("apt-get")
    command = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    if not apt:
        sys.exit(f"Missing from this system: {', '.join(missing)} (their Debian names). Install them and try again.")
    if os.geteuid() != 0:
        sys.exit(f"Missing from this system: {', '.join(missing)}. Run this, then try again:\n  sudo {command}")
    say(f"Installing from the system's packages: {', '.join(missing)} …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in ("apt-get update", command):
        done = subprocess.run(step.split(), env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"This did not work: {step}\n{(done.stderr or done.stdout).strip()[-2000:]}")


def _opens(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _venv_package() -> str:
    own = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    return own if sys.executable.startswith("/usr/bin/") else "python3-venv"


def _works() -> bool:
    """An environment that was moved, or whose Python was taken away, is made again."""
    probe = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([str(venv_python()), "-c", probe], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _venv() -> None:
    if _works():
        return
    say("Making .venv …")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        sys.exit(f"The environment .venv could not be made:\n{(made.stdout + made.stderr).strip()[-2000:]}")


def _requirements(name: str) -> None:
    """Install what `name` pins, unless it is there already; requirements-dev.txt holds all of requirements.txt."""
    wanted = {file: _fingerprint(file) for file in ("requirements.txt", "requirements-dev.txt")}
    stamps = {file: VENV / f".{file}.stamp" for file in wanted}
    satisfied = [name] if name == "requirements-dev.txt" else list(wanted)
    if any(stamps[file].exists() and stamps[file].read_text() == wanted[file] for file in satisfied):
        return
    say(f"Installing what {name} pins (about half a minute, only when it changed) …")
    command = [str(venv_python()), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run(
        [*command, "--require-hashes", "-r", str(ROOT / name)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"The requirements could not be installed:\n{(done.stderr or done.stdout).strip()[-3000:]}")
    for stamp in stamps.values():
        stamp.unlink(missing_ok=True)
    stamps[name].write_text(wanted[name])


def _fingerprint(name: str) -> str:
    return hashlib.sha256((ROOT / name).read_bytes()).hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])

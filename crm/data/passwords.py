"""Passwords that are guessed first: the list an attacker starts with, folded, at least 8 characters long."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """The vendored list (see README.md beside it), folded."""
    text = (Path(__file__).parent / "common-passwords.txt").read_text(encoding="utf-8")
    return frozenset(line.strip().casefold() for line in text.splitlines() if line.strip())

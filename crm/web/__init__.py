"""HTTP only: a blueprint per noun, one gate, no rule of the domain."""

from __future__ import annotations

from importlib import import_module

from flask import Blueprint

NOUNS = (
    "home",
    "account",
    "offices",
    "users",
    "codes",
    "parties",
    "positions",
    "interactions",
    "follow_ups",
    "asks",
    "commitments",
    "pledges",
    "agreements",
    "receipts",
    "allocations",
    "programmes",
    "flows",
    "imports",
    "sheet_imports",
    "jobs",
    "documents",
    "search",
    "files",
    "saved_lists",
    "bulk",
)


def _blueprints() -> tuple[Blueprint, ...]:
    return tuple(import_module(f"crm.web.{noun}").bp for noun in NOUNS)


BLUEPRINTS = _blueprints()

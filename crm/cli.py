"""flask commands: registers every group of crm/commands."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

COMMANDS = ("offices", "users", "rates", "imports", "files", "reports", "demo", "search", "verify", "worker")


def register_commands(app: Flask) -> None:
    """Register every command group of crm/commands."""
    for name in COMMANDS:
        app.cli.add_command(import_module(f"crm.commands.{name}").group)

"""flask users create: the password is asked for at a terminal, or piped in; never an argument."""

from __future__ import annotations

import pytest

from crm.commands import users as command
from tests.factories import world

PERSON = ["users", "create", "new@example.org", "--role", "viewer", "--office", "JOR"]
PASSWORD = "nine quiet lanterns"


class Terminal:
    """Standard input as a terminal."""

    @staticmethod
    def isatty():
        return True


def test_a_piped_password_makes_a_person(app):
    done = app.test_cli_runner().invoke(args=[*PERSON, "--password-stdin"], input=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert "new@example.org can sign in." in done.output
    assert PASSWORD not in done.output


def test_without_a_terminal_and_without_a_pipe_it_says_what_to_do(app):
    done = app.test_cli_runner().invoke(args=PERSON)
    assert done.exit_code == 2
    assert "--password-stdin" in done.output


def test_a_terminal_is_asked_unseen_and_twice(app, monkeypatch):
    asked = {}

    def prompt(text, **how):
        asked.update(how, text=text)
        return PASSWORD

    monkeypatch.setattr(command.sys, "stdin", Terminal())
    monkeypatch.setattr(command.click, "prompt", prompt)
    assert command._password(from_stdin=False) == PASSWORD
    assert asked["hide_input"]
    assert asked["confirmation_prompt"]


@pytest.mark.parametrize("typed", ["short\n", "\n", ""])
def test_a_weak_password_is_refused_in_words(app, typed):
    done = app.test_cli_runner().invoke(args=[*PERSON, "--password-stdin"], input=typed)
    assert done.exit_code != 0
    assert "Traceback" not in done.output
    assert world.PASSWORD not in done.output

"""Lists of posts and of contacts: their headings in four languages, and the words of their columns."""

from __future__ import annotations

import pytest

from crm.errors import Refused
from crm.exchange.sheet_cells import read_word
from crm.exchange.sheet_columns import SHEETS, guess, missing
from crm.exchange.sheet_contacts import CONTACT_SHEETS, INTERACTION_WORDS
from crm.exchange.sheets import Setup, read_sheet
from crm.queries.names import fold


@pytest.mark.parametrize(
    "headings",
    [
        ["Organisation", "Position", "Holder", "Since", "Until", "Form of address"],
        ["Ministère", "Fonction", "Titulaire", "Depuis le", "Jusqu'au", "Formule d'appel"],
        ["Institución", "Cargo", "Titulaire", "Desde", "Hasta", "Tratamiento"],
        ["الجهة", "المنصب", "شاغل المنصب", "منذ", "حتى", "صيغة المخاطبة"],
    ],
)
def test_columns_of_posts_are_guessed(headings):
    assert list(guess("positions", headings).values()) == ["organisation", "title", "holder", "since", "until", "form_of_address"]


@pytest.mark.parametrize(
    "headings",
    [
        ["Date of meeting", "Met with", "Type", "Topic", "Key points", "Staff", "Attendees", "Venue", "Next steps", "Deadline"],
        ["Date", "Interlocuteur", "Type de contact", "Objet", "Compte rendu", "Nos collègues", "Présents", "Lieu", "Suivi", "Échéance"],
        ["Fecha", "Con quién", "Tipo", "Asunto", "Resumen", "Nuestro equipo", "Asistentes", "Lugar", "Próximo paso", "Fecha límite"],
        ["التاريخ", "مع من", "النوع", "الموضوع", "الملخص", "فريقنا", "الحضور", "المكان", "الخطوة التالية", "الموعد النهائي"],
    ],
)
def test_columns_of_contacts_are_guessed(headings):
    wanted = ["day", "party", "kind", "subject", "summary", "colleagues", "people", "place", "next_step", "due"]
    assert list(guess("interactions", headings).values()) == wanted


def test_a_remark_in_brackets_does_not_hide_a_heading():
    assert guess("interactions", ["When (time in Asia/Amman)", "With (name)"]) == {
        "When (time in Asia/Amman)": "day",
        "With (name)": "party",
    }


def test_what_a_list_needs():
    assert [str(label) for label in missing("positions", {"x": "holder"})] == ["Organisation", "Title of the post"]
    assert [str(label) for label in missing("interactions", {"x": "organisation"})] == ["Day"]


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("Réunion", "meeting"),
        ("PHONE CALL", "call"),
        ("visita de campo", "visit"),
        ("E-mail", "letter"),
        ("ورشة عمل", "event"),
        ("Presse", "media"),
    ],
)
def test_kinds_of_contact_in_four_languages(word, code):
    assert read_word(word, INTERACTION_WORDS) == code


@pytest.mark.parametrize("kind", CONTACT_SHEETS, ids=lambda kind: kind.slug)
def test_no_heading_stands_for_two_fields(kind):
    assert kind is SHEETS[kind.slug]
    seen: dict[str, str] = {}
    for name, item in kind.fields.items():
        for heading in {fold(text) for text in item.headings.split("/")}:
            assert seen.setdefault(heading, name) == name, heading


def test_who_beside_a_next_step_does_it_and_elsewhere_is_whom_we_met():
    beside = guess("interactions", ["Date", "With", "Subject", "Next step", "Due", "Who"])
    assert (beside["With"], beside["Who"]) == ("party", "owner")
    assert guess("interactions", ["Date", "Next step", "Who", "Due"])["Who"] == "owner"
    assert guess("interactions", ["Date", "Who", "Next step"])["Who"] == "party"
    assert guess("interactions", ["Date", "Name", "Next step", "Owner", "Who"])["Owner"] == "owner"


def test_a_long_row_is_read_and_a_cell_that_is_too_long_refused():
    notes = ["x" * 90_000, "y" * 90_000]  # by a mark that stands nowhere, one cell longer than any may be
    file = read_sheet(("Name,Type,About,Note\nAna,person," + ",".join(notes)).encode(), "parties", Setup(), lambda _digest: None)
    assert [row.raw[2:] for row in file.rows] == [tuple(notes)] or file.problems
    with pytest.raises(Refused, match="more than 131,072 characters"):
        read_sheet(b"Name,Type\n" + b"x" * 200_000 + b",person", "parties", Setup(), lambda _digest: None)

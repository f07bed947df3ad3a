"""Every route, method and permission of the application, and addresses of them for given records."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from werkzeug.routing import Rule

from crm.policy import Permission

TABLE = Path(__file__).with_name("routes.txt")
NOUN_OF = {
    "party_id": "parties",
    "person_id": "people",
    "position_id": "positions",
    "tenure_id": "tenures",
    "channel_id": "channels",
    "note_id": "notes",
    "interaction_id": "interactions",
    "ask_id": "asks",
    "follow_up_id": "follow_ups",
    "commitment_id": "commitments",
    "pledge_id": "pledges",
    "agreement_id": "agreements",
    "receipt_id": "receipts",
    "allocation_id": "allocations",
    "instalment_id": "instalments",
    "programme_id": "programmes",
    "output_id": "outputs",
    "indicator_id": "indicators",
    "flow_id": "flows",
    "batch_id": "imports",
    "job_id": "jobs",
    "document_id": "documents",
    "file_id": "files",
    "terms_id": "terms",
    "link_id": "links",
    "user_id": "users",
    "saved_id": "saved_lists",
    "entry_id": "codes",
    "office_id": "offices",
    "bulk_id": "bulk",
}


@dataclass(frozen=True)
class Route:
    """One method of one rule."""

    method: str
    rule: Rule
    needs: str

    @property
    def line(self) -> str:
        return f"{self.method} {self.rule.rule} {self.needs}"

    @property
    def permission(self) -> Permission | None:
        return None if self.needs == "public" else Permission(self.needs)

    def address(self, app: Flask, ids: Mapping[str, uuid.UUID]) -> str:
        """The rule's address with the records of `ids`; what is not named there gets an absent id."""
        values: dict[str, object] = {}
        for name in self.rule.arguments:
            converter = type(self.rule._converters[name]).__name__
            if converter == "UUIDConverter":
                noun = NOUN_OF.get(name) or self.rule.endpoint.partition(".")[0]
                values[name] = ids.get(noun, uuid.UUID(int=7))
            elif converter == "IntegerConverter":
                values[name] = 1
            else:
                values[name] = "x"
        with app.test_request_context():
            return app.url_map.bind("localhost").build(self.rule.endpoint, values, method=self.method)


def routes(app: Flask) -> Iterator[Route]:
    """Every route but static files, in the order of their addresses."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint)):
        if rule.endpoint == "static":
            continue
        needs = getattr(app.view_functions[rule.endpoint], "permission", None)
        text = needs.value if isinstance(needs, Permission) else str(needs)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(method, rule, text)
